//! Registering: address, code, password, in order, and what happens when it is done otherwise.

use std::time::Duration;

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";

#[test]
fn somebody_registers_and_is_logged_in() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let account = browser.get("/users/?done=registered");
    account.shows(200, &["ann@example.com", "Welcome!", "value=\"Ann\""]);
    // The session of the pages is one of the API's.
    let token = browser.cookie("gatepost_session").unwrap();
    let me = gatepost.send("GET", "/api/v1/auth/me", &token, &serde_json::Value::Null);
    assert_eq!(me.expect(200)["email"], "ann@example.com");
    // What is over is forgotten.
    assert_eq!(browser.cookie("gatepost_course"), None);
    browser.get("/users/register/").leads_to("../../users/");
}

#[test]
fn each_step_is_asked_for_in_its_turn() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    for later in ["/users/register/code/", "/users/register/password/"] {
        browser.get(later).leads_to("../../../users/register/");
    }
    browser
        .fill("/users/register/", "/users/register/", &[("email", "ann")])
        .shows(
            422,
            &[
                "This is not an email address",
                "value=\"ann\"",
                "aria-invalid",
            ],
        );
    browser
        .fill("/users/register/", "/users/register/", &[("email", " ")])
        .shows(422, &["Please enter an email address."]);
    browser
        .fill(
            "/users/register/",
            "/users/register/",
            &[("email", "ann@example.com")],
        )
        .leads_to("../../users/register/code/");
    browser
        .get("/users/register/password/")
        .leads_to("../../../users/register/");
    let code = "/users/register/code/";
    browser
        .fill(code, code, &[("code", "12")])
        .shows(422, &["six digits"]);
    let code_sent = gatepost.mail("ann@example.com", "")["codes"][0].clone();
    let wrong = if code_sent == "000000" {
        "000001"
    } else {
        "000000"
    };
    browser
        .fill(code, code, &[("code", wrong)])
        .shows(422, &["Tries left: 4"]);
    browser
        .fill(code, code, &[("code", code_sent.as_str().unwrap())])
        .leads_to("../../../users/register/password/");
    let password = "/users/register/password/";
    browser
        .fill(password, password, &[("password", "short")])
        .shows(422, &["at least 8 characters"]);
    browser
        .fill(password, password, &[("password", "password1")])
        .shows(422, &["Too many people"]);
    browser
        .fill(password, password, &[("password", PASSWORD)])
        .leads_to("../../../users/?done=registered");
}

#[test]
fn another_code_is_sent_after_the_pause_and_not_before() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let begin = "/users/register/";
    browser.fill(begin, begin, &[("email", "ann@example.com")]);
    let first = gatepost.mail("ann@example.com", "");
    let (page, again) = ("/users/register/code/", "/users/register/again/");
    let early = browser.fill(page, again, &[]);
    early.shows(429, &["Too many attempts. Please try again in 60 s."]);
    assert_eq!(early.header("retry-after"), Some("60"));
    browser
        .get(page)
        .shows(200, &["data-seconds=\"60\"", "again in 60 s"]);
    gatepost.clock.advance(Duration::from_secs(60));
    browser.get(page).shows(200, &["data-seconds=\"0\""]);
    browser
        .fill(page, again, &[])
        .leads_to("../../../users/register/code/?done=again");
    gatepost.mail("ann@example.com", first["id"].as_str().unwrap());
    // The code before is still good.
    let code = first["codes"][0].as_str().unwrap();
    browser
        .fill(page, page, &[("code", code)])
        .leads_to("../../../users/register/password/");
}

#[test]
fn known_and_unknown_addresses_see_the_same() {
    let gatepost = Gatepost::start();
    gatepost.register("known@example.com", PASSWORD);
    let begin = "/users/register/";
    let pages: Vec<(u16, String, String)> = ["known@example.com", "other@example.com"]
        .into_iter()
        .map(|address| {
            gatepost.clock.advance(Duration::from_secs(61));
            let browser = Browser::new(&gatepost);
            let sent = browser.fill(begin, begin, &[("email", address)]);
            let location = sent.header("location").unwrap().to_owned();
            let shown = browser.get("/users/register/code/").text;
            (sent.status, location, neutral(&shown, address))
        })
        .collect();
    assert_eq!(pages[0], pages[1]);
}

/// A page without what is another each time.
pub fn neutral(page: &str, address: &str) -> String {
    let mut neutral = String::new();
    for (nth, part) in page.split("name=\"csrf\" value=\"").enumerate() {
        match nth {
            0 => neutral.push_str(part),
            _ => neutral.push_str(part.split_once('"').unwrap().1),
        }
    }
    neutral.replace(address, "ADDRESS")
}

#[test]
fn who_took_too_long_begins_anew() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let begin = "/users/register/";
    browser.fill(begin, begin, &[("email", "ann@example.com")]);
    let code = gatepost.mail("ann@example.com", "")["codes"][0].clone();
    let page = "/users/register/code/";
    browser.fill(page, page, &[("code", code.as_str().unwrap())]);
    gatepost.clock.advance(Duration::from_secs(16 * 60));
    let page = "/users/register/password/";
    browser
        .fill(page, page, &[("password", PASSWORD)])
        .leads_to("../../../users/register/?done=lapsed");
    browser
        .get("/users/register/?done=lapsed")
        .shows(200, &["Too much time went by"]);
}

#[test]
fn two_tabs_register_two_addresses() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let (begin, page) = ("/users/register/", "/users/register/code/");
    browser.fill(begin, begin, &[("email", "ann@example.com")]);
    let first = gatepost.mail("ann@example.com", "");
    let shown = browser.get(page);
    browser.fill(begin, begin, &[("email", "bob@example.com")]);
    // The tab that shows the first address takes the code of the first address.
    let code = first["codes"][0].as_str().unwrap();
    browser
        .send(&shown, page, &[("code", code)])
        .leads_to("../../../users/register/password/");
    browser
        .get("/users/register/password/")
        .shows(200, &["ann@example.com is yours"]);
}
