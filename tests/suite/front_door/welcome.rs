//! Whoever opens the bare address in a browser.

use crate::harness::Gatepost;

#[test]
fn the_root_says_what_there_is() {
    let gatepost = Gatepost::start();
    let page = gatepost.get("/");
    assert_eq!(page.status, 200, "{}", page.text);
    for place in ["./inbox/", "./users/", "./docs/"] {
        assert!(
            page.text.contains(&format!("href=\"{place}\"")),
            "{}",
            page.text
        );
    }
}
