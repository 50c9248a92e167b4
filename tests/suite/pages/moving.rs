//! Changing one's address on the pages.

use std::time::Duration;

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";
const ASK: &str = "/users/email/";
const CODE: &str = "/users/email/code/";

fn form<'a>(address: &'a str, password: &'a str) -> [(&'static str, &'a str); 2] {
    [("new_email", address), ("current_password", password)]
}

/// Asks for the change and reads the code in the mail to the new address.
fn code(gatepost: &Gatepost, browser: &Browser<'_>, address: &str) -> String {
    let before = gatepost.newest();
    browser
        .fill(ASK, ASK, &form(address, PASSWORD))
        .leads_to("../../users/email/code/");
    let mail = gatepost.mail(address, &before);
    mail["codes"][0].as_str().expect("a code").to_owned()
}

#[test]
fn the_address_is_changed_by_password_and_code() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.get(ASK).leads_to("../../users/login/");
    browser.register("ann@example.com", PASSWORD);
    let other = Browser::new(&gatepost);
    other.login("ann@example.com", PASSWORD);
    browser
        .get("/users/")
        .shows(200, &["href=\"../users/email/\""]);
    browser.get(CODE).leads_to("../../../users/email/");
    browser
        .fill(ASK, ASK, &form("new@example.com", "wrong one here"))
        .shows(
            422,
            &[
                "The current password is wrong.",
                "value=\"new@example.com\"",
            ],
        );
    browser
        .fill(ASK, ASK, &form("ann@example.com", PASSWORD))
        .shows(422, &["This is your address already."]);
    browser
        .fill(ASK, ASK, &form("nobody", PASSWORD))
        .shows(422, &["This is not an email address."]);
    let code = code(&gatepost, &browser, "new@example.com");
    let wrong = if code == "000000" { "000001" } else { "000000" };
    browser.get(CODE).shows(200, &["new@example.com"]);
    browser
        .fill(CODE, CODE, &[("code", wrong)])
        .shows(422, &["id=\"f-code-error\""]);
    browser
        .fill(CODE, CODE, &[("code", &code)])
        .leads_to("../../../users/?done=email");
    browser
        .get("/users/?done=email")
        .shows(200, &["Your address is changed.", "new@example.com"]);
    browser.get(CODE).leads_to("../../../users/email/");
    assert_eq!(other.get("/users/").status, 303);
    other
        .login("ann@example.com", PASSWORD)
        .shows(422, &["The address or the password is wrong."]);
    other
        .login("new@example.com", PASSWORD)
        .leads_to("../../users/");
}

#[test]
fn an_address_with_an_account_looks_like_a_free_one() {
    let gatepost = Gatepost::start();
    gatepost.register("bob@example.com", PASSWORD);
    gatepost.clock.advance(Duration::from_secs(61));
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let pages = ["bob@example.com", "eve@example.com"].map(|address| {
        browser
            .fill(ASK, ASK, &form(address, PASSWORD))
            .leads_to("../../users/email/code/");
        let shown = browser.get(CODE);
        let refused = browser.fill(CODE, CODE, &[("code", "000000")]);
        [shown, refused].map(|page| {
            (
                page.status,
                super::registration::neutral(&page.text, address),
            )
        })
    });
    assert_eq!(pages[0], pages[1]);
}

#[test]
fn whoever_reads_the_mail_of_an_address_is_told_that_it_was_taken_meanwhile() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let code = code(&gatepost, &browser, "new@example.com");
    gatepost.register("new@example.com", PASSWORD);
    browser
        .fill(CODE, CODE, &[("code", &code)])
        .leads_to("../../../users/email/?done=taken");
    browser
        .get("/users/email/?done=taken")
        .shows(200, &["There is an account with that address already."]);
}
