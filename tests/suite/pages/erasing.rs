//! Deleting one's account on the pages.

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";
const PAGE: &str = "/users/delete/";

#[test]
fn an_account_is_deleted_by_its_password_alone() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.get(PAGE).leads_to("../../users/login/");
    browser.register("ann@example.com", PASSWORD);
    let other = Browser::new(&gatepost);
    other.login("ann@example.com", PASSWORD);
    browser
        .get("/users/")
        .shows(200, &["href=\"../users/delete/\""]);
    let delete = |password: &str| browser.fill(PAGE, PAGE, &[("current_password", password)]);
    browser.get(PAGE).shows(200, &["ann@example.com"]);
    delete("wrong one here").shows(422, &["The current password is wrong."]);
    assert_eq!(other.get("/users/").status, 200);
    // A page of somebody else cannot send the form.
    let forged = browser.ask("POST", PAGE, Some("current_password=walnut+harbour+9"));
    assert_eq!(forged.status, 403, "{}", forged.text);
    let before = gatepost.newest();
    delete(PASSWORD).leads_to("../../users/login/?done=deleted");
    assert_eq!(browser.cookie("gatepost_session"), None);
    browser
        .get("/users/login/?done=deleted")
        .shows(200, &["Your account is deleted."]);
    gatepost.mail("ann@example.com", &before);
    assert_eq!(other.get("/users/").status, 303);
    browser
        .login("ann@example.com", PASSWORD)
        .shows(422, &["The address or the password is wrong."]);
}
