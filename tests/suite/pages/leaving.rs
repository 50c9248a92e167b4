//! Changing one's address and deleting one's account, on the pages.

use std::time::Duration;

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";

#[test]
fn the_address_is_changed_by_a_code() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let page = "/users/email/";
    let fill = |address: &str, password: &str| {
        browser.fill(
            page,
            page,
            &[("new_email", address), ("current_password", password)],
        )
    };
    fill("ann", PASSWORD).shows(
        422,
        &["This is no email address", "id=\"f-new_email-error\""],
    );
    fill("ann@example.com", PASSWORD).shows(422, &["This is your address already."]);
    fill("new@example.com", "wrong one here").shows(422, &["The current password is wrong."]);
    browser
        .get("/users/email/code/")
        .leads_to("../../../users/email/");
    fill("new@example.com", PASSWORD).leads_to("../../users/email/code/");
    let code = gatepost.mail("new@example.com", "")["codes"][0].clone();
    let page = "/users/email/code/";
    browser.get(page).shows(200, &["new@example.com"]);
    browser
        .fill(page, page, &[("code", "1")])
        .shows(422, &["six digits"]);
    browser
        .fill(page, page, &[("code", code.as_str().unwrap())])
        .leads_to("../../../users/?done=email");
    browser
        .get("/users/?done=email")
        .shows(200, &["new@example.com", "Your address is changed."]);
}

#[test]
fn the_account_is_deleted_for_good() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let page = "/users/delete/";
    browser
        .fill(page, page, &[("current_password", "wrong one here")])
        .shows(
            422,
            &["The current password is wrong.", "cannot be taken back"],
        );
    let before = gatepost.newest();
    browser
        .fill(page, page, &[("current_password", PASSWORD)])
        .leads_to("../../users/login/?done=deleted");
    gatepost.mail("ann@example.com", &before);
    browser
        .get("/users/login/?done=deleted")
        .shows(200, &["Your account is deleted."]);
    assert_eq!(browser.cookie("gatepost_session"), None);
    browser
        .login("ann@example.com", PASSWORD)
        .shows(422, &["The address or the password is wrong."]);
    gatepost.clock.advance(Duration::from_secs(61));
    browser.register("ann@example.com", PASSWORD);
}

#[test]
fn both_are_for_whoever_is_logged_in() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    for page in ["/users/email/", "/users/delete/"] {
        browser.get(page).leads_to("../../users/login/");
    }
    browser
        .get("/users/email/code/")
        .leads_to("../../../users/login/");
}
