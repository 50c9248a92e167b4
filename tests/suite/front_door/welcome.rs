//! Whoever opens the bare address in a browser.

use crate::harness::Gatepost;

#[test]
fn the_root_leads_to_the_api_browser() {
    let gatepost = Gatepost::start();
    let page = gatepost.get("/");
    assert_eq!(page.status, 200, "{}", page.text);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(page.text.contains("<rapi-doc"));
}
