//! In which language people are spoken to.

use crate::harness::Gatepost;

use super::browser::Browser;

#[test]
fn pages_speak_what_the_browser_asks_for_and_then_what_was_chosen() {
    let gatepost = Gatepost::start();
    for (asks, tag, login) in [
        ("zh-TW,zh;q=0.9,en;q=0.8", "zh-Hant", "登入"),
        ("zh-CN,zh;q=0.9", "zh-Hans", "登录"),
        ("en-GB,en", "en", "Log in"),
        ("fr,de", "en", "Log in"),
    ] {
        let browser = Browser::speaking(&gatepost, asks);
        let page = browser.get("/users/login/");
        page.shows(200, &[&format!("<html lang=\"{tag}\">"), login]);
        assert_eq!(page.header("content-language"), Some(tag));
        browser
            .send(&page, "/users/language/", &[("language", "zh-hant")])
            .leads_to("../../users/login/");
        browser
            .get("/users/login/")
            .shows(200, &["<html lang=\"zh-Hant\">", "登入"]);
    }
}

#[test]
fn a_choice_leads_back_to_where_it_was_made_and_nowhere_else() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let page = browser.get("/users/password_reset/");
    browser
        .send(&page, "/users/language/", &[("language", "fr")])
        .leads_to("../../users/password_reset/");
    assert_eq!(browser.cookie("gatepost_language"), None);
    // What the address asks for goes along.
    let login = browser.get("/users/login/?next=/somewhere/");
    browser
        .send(&login, "/users/language/", &[("language", "zh-hans")])
        .leads_to("../../users/login/?next=/somewhere/");
    browser
        .get("/users/login/?next=/somewhere/")
        .shows(200, &["登录", "name=\"next\""]);
    for place in [
        "//evil.test/",
        "https://evil.test/",
        "../../evil",
        "a:b",
        "users/?a\r\nb:c",
    ] {
        let csrf = page.text.split("name=\"csrf\" value=\"").nth(1).unwrap();
        let csrf = csrf.split('"').next().unwrap();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", csrf).append_pair("place", place);
        browser
            .ask("POST", "/users/language/", Some(&form.finish()))
            .leads_to("../../users/");
    }
}

#[test]
fn mails_and_accounts_are_in_the_language_of_the_page() {
    let gatepost = Gatepost::start();
    let browser = Browser::speaking(&gatepost, "zh-TW");
    browser.register("ann@example.com", "walnut harbour 9");
    let mail = gatepost.mail("ann@example.com", "");
    assert!(mail["text"].as_str().unwrap().contains("驗證碼"), "{mail}");
    // At another browser the account's language is spoken once it is known whose it is.
    let other = Browser::new(&gatepost);
    other.get("/users/login/").shows(200, &["Log in"]);
    other.login("ann@example.com", "walnut harbour 9");
    other
        .get("/users/")
        .shows(200, &["<html lang=\"zh-Hant\">", "我的帳號"]);
}
