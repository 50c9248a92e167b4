//! Who comes in: whoever sits at the machine, and the operator by the token.

use std::time::Duration;

use crate::harness::Gatepost;
use crate::pages::browser::Browser;

const LOGIN: &str = "/inbox/login/";

/// A browser somewhere else: a proxy on this machine passes on what it asks.
fn remote(gatepost: &Gatepost) -> Browser<'_> {
    let mut browser = Browser::new(gatepost);
    let proxy = ("X-Forwarded-For", "192.0.2.7".to_owned());
    browser.headers.push(proxy);
    browser
}

#[test]
fn whoever_sits_elsewhere_shows_the_token_first() {
    let gatepost = Gatepost::start();
    gatepost.deliver("ann@example.com", b"Subject: secret\r\n\r\nx");
    let browser = remote(&gatepost);
    browser.get("/inbox/").leads_to("../inbox/login/");
    browser.get("/inbox/1/").leads_to("../../inbox/login/");
    for part in ["events", "1/frame", "1/raw", "1/parts/0"] {
        let refused = browser.get(&format!("/inbox/{part}"));
        assert_eq!(refused.status, 401, "{part}: {}", refused.text);
        assert!(!refused.text.contains("secret"), "{}", refused.text);
    }
    browser
        .fill(LOGIN, LOGIN, &[("token", "gpa_wrong")])
        .shows(422, &["This is not the operator&#x27;s token."]);
    assert_eq!(browser.cookie("gatepost_operator"), None);
    let token = gatepost.admin();
    let entered = browser.fill(LOGIN, LOGIN, &[("token", &format!(" {token} "))]);
    entered.leads_to("../../inbox/");
    let cookie = entered.header("set-cookie").unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(&token), "{cookie}");
    browser.get("/inbox/").shows(200, &["secret", "Log out"]);
    browser.get("/inbox/1/").shows(200, &["secret"]);
    assert_eq!(browser.get("/inbox/1/raw").status, 200);
    browser.get(LOGIN).leads_to("../../inbox/");
    browser
        .fill("/inbox/1/", "/inbox/delete/", &[])
        .leads_to("../../inbox/");
    let logout = "/inbox/logout/";
    browser
        .fill("/inbox/", logout, &[])
        .leads_to("../../inbox/login/");
    browser.get("/inbox/").leads_to("../inbox/login/");
}

#[test]
fn what_proves_the_operator_lapses_and_cannot_be_made_up() {
    let gatepost = Gatepost::start();
    let browser = remote(&gatepost);
    let token = gatepost.admin();
    browser.fill(LOGIN, LOGIN, &[("token", &token)]);
    let pass = browser.cookie("gatepost_operator").unwrap();
    let (until, proof) = pass.split_once('.').unwrap();
    let longer = until.parse::<i64>().unwrap() + 1;
    for forged in [format!("{longer}.{proof}"), token, until.to_owned()] {
        browser.set_cookie("gatepost_operator", &forged);
        browser.get("/inbox/").leads_to("../inbox/login/");
    }
    browser.set_cookie("gatepost_operator", &pass);
    gatepost
        .clock
        .advance(Duration::from_secs(12 * 60 * 60 - 1));
    browser.get("/inbox/").shows(200, &["No mail yet"]);
    gatepost.clock.advance(Duration::from_secs(1));
    browser.get("/inbox/").leads_to("../inbox/login/");
}

#[test]
fn a_form_without_its_secret_deletes_nothing() {
    let gatepost = Gatepost::start();
    gatepost.deliver("ann@example.com", b"Subject: stays\r\n\r\nx");
    let browser = Browser::new(&gatepost);
    let shown = browser.get("/inbox/1/");
    let delete = "/inbox/delete/";
    for form in ["id=1", "all=1", "id=1&csrf=", "all=1&csrf=AAAA"] {
        browser
            .ask("POST", delete, Some(form))
            .shows(403, &["<html"]);
    }
    // The secret is known, but the form is sent from elsewhere.
    let mut other = Browser::new(&gatepost);
    let csrf = browser.cookie("gatepost_csrf").unwrap();
    other.set_cookie("gatepost_csrf", &csrf);
    other
        .headers
        .push(("Origin", "http://evil.test".to_owned()));
    other.send(&shown, delete, &[]).shows(403, &["<html"]);
    other.headers = vec![("Sec-Fetch-Site", "cross-site".to_owned())];
    other.send(&shown, delete, &[]).shows(403, &["<html"]);
    browser.get("/inbox/").shows(200, &["stays"]);
    // As browsers send it from a page that has no referrer.
    other.headers = vec![
        ("Origin", "null".to_owned()),
        ("Sec-Fetch-Site", "same-origin".to_owned()),
    ];
    other.send(&shown, delete, &[]).leads_to("../../inbox/");
    browser.get("/inbox/").shows(200, &["No mail yet"]);
}

#[test]
fn other_sites_may_lead_here_but_not_look() {
    let gatepost = Gatepost::start();
    gatepost.deliver("ann@example.com", b"Subject: secret\r\n\r\nx");
    let ask = |headers: &[(&'static str, &str)], path: &str| {
        let mut browser = Browser::new(&gatepost);
        let headers = headers.iter();
        browser.headers = headers
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        browser.get(path)
    };
    let fetch = |site, mode, dest| {
        [
            ("Sec-Fetch-Site", site),
            ("Sec-Fetch-Mode", mode),
            ("Sec-Fetch-Dest", dest),
        ]
    };
    // A link, from another site or another port of this machine.
    for site in ["cross-site", "same-site", "none", "same-origin"] {
        let answer = ask(&fetch(site, "navigate", "document"), "/inbox/");
        answer.shows(200, &["secret"]);
    }
    ask(&fetch("same-origin", "navigate", "iframe"), "/inbox/1/").shows(200, &[]);
    for (site, mode, dest) in [
        ("cross-site", "navigate", "iframe"),
        ("same-site", "cors", "empty"),
        ("cross-site", "no-cors", "image"),
        ("cross-site", "no-cors", "script"),
    ] {
        for path in ["/inbox/", "/inbox/1/", "/inbox/1/frame", "/inbox/1/raw"] {
            let answer = ask(&fetch(site, mode, dest), path);
            assert_eq!(answer.status, 403, "{site} {mode} {dest} {path}");
            assert!(!answer.text.contains("secret"), "{}", answer.text);
        }
    }
    // A name that somebody else had resolve to this machine.
    for path in ["/inbox/", "/inbox/1/frame", "/inbox/events"] {
        let answer = ask(&[("Host", "evil.test")], path);
        assert_eq!(answer.status, 403, "{path}");
    }
}
