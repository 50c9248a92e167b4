//! Programs that open every link of a mail before its reader does (spam filters, previews): no
//! link is used up by that, whatever they ask and however often.

use crate::harness::Answer;
use crate::harness::Gatepost;

use super::browser::Browser;

const EMAIL: &str = "ann@example.com";
const NEW: &str = "harbour walnut 7";

/// Asks, and follows wherever that leads; the last answer.
fn opened(browser: &Browser<'_>, method: &str, path: &str) -> Answer {
    let origin = url::Url::parse("http://gatepost.test").unwrap();
    let mut at = origin.join(path).unwrap();
    for _ in 0..10 {
        let answer = browser.ask(method, &at[url::Position::BeforePath..], None);
        match answer.header("location") {
            Some(to) => at = at.join(to).unwrap(),
            None => return answer,
        }
    }
    panic!("{path} leads nowhere");
}

/// The links of the first mail after `before`, as paths.
fn links(gatepost: &Gatepost, before: &str) -> Vec<String> {
    let mail = gatepost.mail(EMAIL, before);
    let links = mail["links"].as_array().unwrap().iter();
    links
        .map(|link| url::Url::parse(link.as_str().unwrap()).unwrap())
        .map(|url| url[url::Position::BeforePath..].to_owned())
        .collect()
}

/// One that keeps its cookies, and one that has a new face each time.
fn scanned(gatepost: &Gatepost, links: &[String]) {
    let keeps = Browser::new(gatepost);
    for link in links {
        for method in ["HEAD", "GET", "GET", "HEAD"] {
            for answer in [
                opened(&keeps, method, link),
                opened(&Browser::new(gatepost), method, link),
                Browser::new(gatepost).ask(method, link, None),
            ] {
                assert!(answer.status < 500, "{method} {link}: {}", answer.text);
            }
        }
    }
}

#[test]
fn a_reset_link_survives_whoever_opens_it_first() {
    let gatepost = Gatepost::start();
    let ann = Browser::new(&gatepost);
    ann.register(EMAIL, "walnut harbour 9");
    let before = gatepost.newest();
    let ask = "/users/password_reset/";
    ann.fill(ask, ask, &[("email", EMAIL)])
        .leads_to("../../users/password_reset_done/");
    let links = links(&gatepost, &before);
    let link = links.iter().find(|link| link.contains("/users/reset/"));
    let link = link.expect("a link for a new password");

    scanned(&gatepost, &links);

    let page = opened(&ann, "GET", link);
    page.shows(200, &["name=\"new_password\""]);
    let token = link.split('/').rfind(|part| !part.is_empty()).unwrap();
    assert!(!page.text.contains(token), "the token stands in the page");
    ann.send(&page, "/users/reset/", &[("new_password", NEW)])
        .leads_to("../../users/reset_done/");
    gatepost.login(EMAIL, NEW).expect(200);
    // Used up now, by the person alone.
    assert_eq!(opened(&ann, "GET", link).status, 400);
}

#[test]
fn opening_what_a_mail_with_a_code_holds_changes_nothing() {
    let gatepost = Gatepost::start();
    let before = gatepost.newest();
    let ann = Browser::new(&gatepost);
    let ask = "/users/register/";
    ann.fill(ask, ask, &[("email", EMAIL)])
        .leads_to("../../users/register/code/");
    let mail = gatepost.mail(EMAIL, &before);
    let code = mail["codes"][0].as_str().unwrap();

    // Not even a code in an address would be used up.
    let mut links = links(&gatepost, &before);
    links.push(format!("/users/register/code/?code={code}"));
    scanned(&gatepost, &links);

    let page = "/users/register/code/";
    ann.fill(page, page, &[("code", code)])
        .leads_to("../../../users/register/password/");
    let page = "/users/register/password/";
    ann.fill(page, page, &[("password", NEW), ("display_name", "")])
        .leads_to("../../../users/?done=registered");
    gatepost.login(EMAIL, NEW).expect(200);
}
