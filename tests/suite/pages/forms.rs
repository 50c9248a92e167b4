//! Whose forms are believed, and what is answered to those that are not.

use serde_json::Value;

use crate::harness::Gatepost;

use super::browser::Browser;

const BEGIN: &str = "/users/register/";

#[test]
fn a_form_without_the_secret_of_its_browser_does_nothing() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let form = |browser: &Browser<'_>, form: &str| {
        let refused = browser.ask("POST", BEGIN, Some(form));
        refused.shows(403, &["Please try again"]);
    };
    // Never been here: no cookie.
    form(&browser, "email=ann@example.com");
    browser.get(BEGIN);
    form(&browser, "email=ann@example.com");
    form(&browser, "email=ann@example.com&csrf=");
    form(&browser, "email=ann@example.com&csrf=AAAA");
    // That of another browser.
    let other = Browser::new(&gatepost);
    let shown = other.get(BEGIN);
    browser
        .send(&shown, BEGIN, &[("email", "ann@example.com")])
        .shows(403, &["Please try again"]);
    assert_eq!(gatepost.newest(), "", "a mail went out");
    other
        .send(&shown, BEGIN, &[("email", "ann@example.com")])
        .leads_to("../../users/register/code/");
}

#[test]
fn a_form_that_another_site_sends_does_nothing() {
    let gatepost = Gatepost::start();
    for (name, value) in [
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://evil.test"),
    ] {
        let mut browser = Browser::new(&gatepost);
        let shown = browser.get(BEGIN);
        browser.headers.push((name, value.to_owned()));
        browser
            .send(&shown, BEGIN, &[("email", "ann@example.com")])
            .shows(403, &["not sent from our own page"]);
    }
    assert_eq!(gatepost.newest(), "", "a mail went out");
    let mut browser = Browser::new(&gatepost);
    let shown = browser.get(BEGIN);
    let origin = format!("http://{}", gatepost.listens());
    browser.headers.push(("Origin", origin));
    browser
        .headers
        .push(("Sec-Fetch-Site", "same-origin".to_owned()));
    browser
        .send(&shown, BEGIN, &[("email", "ann@example.com")])
        .leads_to("../../users/register/code/");
}

#[test]
fn a_login_makes_what_was_known_before_it_worthless() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    gatepost.register("ann@example.com", "walnut harbour 9");
    let before = browser.get("/users/login/");
    browser.login("ann@example.com", "walnut harbour 9");
    browser
        .send(&before, "/users/language/", &[("language", "en")])
        .shows(403, &["Please try again"]);
}

#[test]
fn a_get_changes_nothing() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", "walnut harbour 9");
    for path in [
        "/users/logout/",
        "/users/sessions/?others=1",
        "/users/profile/?display_name=x",
        "/users/password/",
        "/users/language/?language=en",
    ] {
        browser.get(path).leads_to("../../users/");
    }
    browser
        .get("/users/")
        .shows(200, &["ann@example.com", "value=\"Ann\""]);
}

#[test]
fn bodies_that_are_no_forms_are_refused() {
    let mut gatepost = Gatepost::with(&[("GATEPOST_HTTP_BODY_LIMIT", "4KiB")]);
    let browser = Browser::new(&gatepost);
    browser.get(BEGIN);
    let large = format!("email={}", "a".repeat(5000));
    assert_eq!(browser.ask("POST", BEGIN, Some(&large)).status, 413);
    let json = gatepost.post(BEGIN, &serde_json::json!({"email": "ann@example.com"}));
    json.expect_problem(415, "unsupported_media_type");
    assert_eq!(browser.ask("DELETE", BEGIN, None).status, 405);
    gatepost.restart();
}

#[test]
fn what_is_typed_is_shown_as_text() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let hostile = "\"><script>alert(1)</script>";
    let shown = browser.fill(BEGIN, BEGIN, &[("email", hostile)]);
    shown.shows(422, &["&quot;&gt;&lt;script&gt;"]);
    assert!(!shown.text.contains("<script>"), "{}", shown.text);
    browser.register("ann@example.com", "walnut harbour 9");
    let profile = [("display_name", hostile), ("language", "en")];
    browser
        .fill("/users/", "/users/profile/", &profile)
        .leads_to("../../users/?done=profile");
    let shown = browser.get("/users/");
    assert!(!shown.text.contains("<script>"), "{}", shown.text);
}

#[test]
fn people_read_pages_and_programs_read_problems() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser
        .get("/users/nothing/")
        .shows(404, &["There is nothing here"]);
    gatepost
        .get("/users/nothing/")
        .expect_problem(404, "no_such_path");
    let api = browser.get("/api/v1/nothing");
    api.expect_problem(404, "no_such_path");
    let method = browser.ask("PUT", "/users/login/", None);
    method.shows(405, &[]);
    assert_eq!(method.header("allow"), Some("GET, HEAD, POST"));
}

#[test]
fn every_page_says_what_it_may_load() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", "walnut harbour 9");
    for path in [
        "/",
        "/users/",
        "/users/password_reset/",
        "/users/reset/",
        "/nothing/",
    ] {
        let page = browser.get(path);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
        assert!(
            policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(
            page.header("referrer-policy"),
            Some("no-referrer"),
            "{path}"
        );
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert_eq!(
            page.header("x-content-type-options"),
            Some("nosniff"),
            "{path}"
        );
        for inline in [
            " style=",
            "<style",
            "<script>",
            " onclick=",
            "http://",
            "https://",
        ] {
            assert!(!page.text.contains(inline), "{path}: {inline}");
        }
    }
    let token = browser.cookie("gatepost_session").unwrap();
    let me = gatepost.send("GET", "/api/v1/auth/me", &token, &Value::Null);
    me.expect(200);
}
