//! Getting back in by the mailed link.

use crate::harness::Gatepost;

use super::browser::Browser;
use super::registration::neutral;

const OLD: &str = "walnut harbour 9";
const NEW: &str = "harbour walnut 7";

/// Asks for a reset on the page; the path of the link that came by mail.
fn link(gatepost: &Gatepost, browser: &Browser<'_>, address: &str) -> String {
    let before = gatepost.newest();
    let ask = "/users/password_reset/";
    browser
        .fill(ask, ask, &[("email", address)])
        .leads_to("../../users/password_reset_done/");
    let mail = gatepost.mail(address, &before);
    let link = mail["links"][0].as_str().expect("a link in the mail");
    let at = link.find("/users/reset/").unwrap();
    link[at..].to_owned()
}

#[test]
fn a_link_leads_to_a_new_password_and_nobody_is_logged_in_by_it() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", OLD);
    let elsewhere = Browser::new(&gatepost);
    elsewhere
        .login("ann@example.com", OLD)
        .leads_to("../../users/");
    let link = link(&gatepost, &browser, "ann@example.com");
    browser.get("/users/password_reset_done/").shows(
        200,
        &[
            "If there is an account with ann@example.com",
            "data-seconds=\"60\"",
        ],
    );
    let followed = browser.get(&link);
    followed.leads_to("../../../../users/reset/");
    assert!(!followed.header("location").unwrap().contains("gpr_"));
    let form = "/users/reset/";
    browser
        .get(form)
        .shows(200, &["For the account of ann@example.com"]);
    browser
        .fill(form, form, &[("new_password", "ann@example.com")])
        .shows(422, &["too much like your address"]);
    browser
        .fill(form, form, &[("new_password", NEW)])
        .leads_to("../../users/reset_done/");
    browser
        .get("/users/reset_done/")
        .shows(200, &["Your password is changed"]);
    for gone in [&browser, &elsewhere] {
        assert_eq!(gone.get("/users/").status, 303);
    }
    browser
        .login("ann@example.com", OLD)
        .shows(422, &["The address or the password is wrong."]);
    browser
        .login("ann@example.com", NEW)
        .leads_to("../../users/");
    // Once is once.
    browser.get(&link);
    browser
        .get(form)
        .shows(400, &["This link is no longer good"]);
}

#[test]
fn links_that_are_none_are_told_so() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    for link in [
        "/users/reset/a/b/",
        "/users/reset/%3Cscript%3E/x/",
        "/users/reset/AAAAAAAAAAAAAAAAAAAAAA/gpr_x2Zb0XoQm1Yt6t8y0c9vQwJfQmB2s3Yp7kq1dJ5n4aE/",
    ] {
        browser.get(link).leads_to("../../../../users/reset/");
        browser
            .get("/users/reset/")
            .shows(400, &["This link is no longer good"]);
    }
    browser
        .get("/users/reset/")
        .shows(400, &["Ask for a new link"]);
}

#[test]
fn known_and_unknown_addresses_see_the_same() {
    let gatepost = Gatepost::start();
    gatepost.register("known@example.com", OLD);
    let ask = "/users/password_reset/";
    let pages: Vec<(u16, String, String)> = ["known@example.com", "other@example.com"]
        .into_iter()
        .map(|address| {
            let browser = Browser::new(&gatepost);
            let sent = browser.fill(ask, ask, &[("email", address)]);
            let location = sent.header("location").unwrap().to_owned();
            let shown = browser.get("/users/password_reset_done/").text;
            (sent.status, location, neutral(&shown, address))
        })
        .collect();
    assert_eq!(pages[0], pages[1]);
    let logins: Vec<String> = ["known@example.com", "other@example.com"]
        .into_iter()
        .map(|address| {
            let answer = Browser::new(&gatepost).login(address, "wrong all the same");
            assert_eq!(answer.status, 422);
            neutral(&answer.text, address)
        })
        .collect();
    assert_eq!(logins[0], logins[1]);
}
