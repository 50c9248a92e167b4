//! One's own account on its page: name, language, password, sessions.

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";

#[test]
fn nobody_sees_an_account_without_logging_in() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.get("/users/").leads_to("../users/login/");
    browser.set_cookie("gatepost_session", "gps_forged");
    browser
        .get("/users/")
        .leads_to("../users/login/?done=ended");
    browser
        .get("/users/login/?done=ended")
        .shows(200, &["Your session has ended."]);
    // Nothing that a link says is repeated as ours.
    let page = browser.get("/users/login/?done=You+have+won");
    assert!(!page.text.contains("class=\"notice"), "{}", page.text);
}

#[test]
fn name_and_language_are_changed() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let profile = [("display_name", "Ann Lee"), ("language", "zh-hans")];
    browser
        .fill("/users/", "/users/profile/", &profile)
        .leads_to("../../users/?done=profile");
    browser.get("/users/?done=profile").shows(
        200,
        &[
            "value=\"Ann Lee\"",
            "value=\"zh-hans\" lang=\"zh-hans\" selected",
            "已保存",
        ],
    );
    let long = "x".repeat(101);
    let profile = [("display_name", long.as_str()), ("language", "en")];
    browser
        .fill("/users/", "/users/profile/", &profile)
        .shows(422, &["最多 100 个字符", "id=\"f-display_name-error\""]);
}

#[test]
fn the_password_is_changed_and_other_sessions_end() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let other = Browser::new(&gatepost);
    other.login("ann@example.com", PASSWORD);
    let change = |current: &str, new: &str| {
        let fields = [("current_password", current), ("new_password", new)];
        browser.fill("/users/", "/users/password/", &fields)
    };
    change("wrong one here", "harbour walnut 7").shows(422, &["The current password is wrong."]);
    change(PASSWORD, "1234").shows(422, &["Too short: at least 8 characters."]);
    change(PASSWORD, "harbour walnut 7").leads_to("../../users/?done=password");
    browser
        .get("/users/?done=password")
        .shows(200, &["Your password is changed."]);
    assert_eq!(other.get("/users/").status, 303);
    other
        .login("ann@example.com", "harbour walnut 7")
        .leads_to("../../users/");
}

#[test]
fn sessions_are_ended_one_by_one_and_all_at_once() {
    let gatepost = Gatepost::start();
    let mut browser = Browser::new(&gatepost);
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    browser.headers.push(("User-Agent", agent.to_owned()));
    browser.register("ann@example.com", PASSWORD);
    let others: Vec<Browser<'_>> = (0..3).map(|_| Browser::new(&gatepost)).collect();
    for other in &others {
        other.login("ann@example.com", PASSWORD);
    }
    let page = browser.get("/users/");
    page.shows(
        200,
        &["Firefox · Linux", "this one", "127.0.0.1", "End all others"],
    );
    // Newest first: the first button ends the last login.
    let id = page.text.split("name=\"end\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    browser
        .send(&page, "/users/sessions/", &[("end", id)])
        .leads_to("../../users/?done=sessions");
    let live = |other: &Browser<'_>| other.get("/users/").status == 200;
    assert_eq!(
        others.iter().map(live).collect::<Vec<_>>(),
        [true, true, false]
    );
    browser
        .fill("/users/", "/users/sessions/", &[("others", "1")])
        .leads_to("../../users/?done=sessions");
    assert_eq!(others.iter().map(live).collect::<Vec<_>>(), [false; 3]);
    assert!(live(&browser));
}

#[test]
fn logging_out_ends_the_session_itself() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    browser.register("ann@example.com", PASSWORD);
    let token = browser.cookie("gatepost_session").unwrap();
    browser
        .fill("/users/", "/users/logout/", &[])
        .leads_to("../../users/login/?done=logout");
    assert_eq!(browser.cookie("gatepost_session"), None);
    browser.set_cookie("gatepost_session", &token);
    browser
        .get("/users/")
        .leads_to("../users/login/?done=ended");
}

#[test]
fn too_many_wrong_passwords_are_told_to_wait() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", PASSWORD);
    let browser = Browser::new(&gatepost);
    for _ in 0..5 {
        browser
            .login("ann@example.com", "wrong one here")
            .shows(422, &[]);
    }
    let limited = browser.login("ann@example.com", PASSWORD);
    limited.shows(429, &["Too many attempts. Please try again in 30 s."]);
    assert_eq!(limited.header("retry-after"), Some("30"));
}
