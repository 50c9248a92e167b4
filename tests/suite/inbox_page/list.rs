//! The list: what it shows, paging, searching, deleting, and that new mail is told.

use std::io::Read as _;
use std::io::Write as _;

use serde_json::Value;

use crate::harness::Gatepost;
use crate::pages::browser::Browser;

fn mail(subject: &str, text: &str) -> Vec<u8> {
    format!("From: Bob <bob@example.com>\r\nSubject: {subject}\r\n\r\n{text}").into_bytes()
}

/// The subjects of a list, in order.
fn subjects(page: &str) -> Vec<&str> {
    page.split("<span class=\"subject\">")
        .skip(1)
        .map(|rest| rest.split("</span>").next().unwrap())
        .collect()
}

/// Where the link with this `rel` leads, from the root.
fn link(page: &str, rel: &str) -> Option<String> {
    let (_, rest) = page.split_once(&format!("rel=\"{rel}\" href=\"../"))?;
    let href = rest.split('"').next()?;
    Some(format!(
        "/{}",
        href.replace("&amp;", "&").replace("&#x2f;", "/")
    ))
}

#[test]
fn an_empty_inbox_tells_how_to_fill_it() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let page = browser.get("/inbox/");
    let smtp = gatepost.smtp();
    let (host, port) = (smtp.ip().to_string(), smtp.port().to_string());
    page.shows(
        200,
        &["No mail yet", &host, &port, "swaks --server", "smtplib"],
    );
    assert!(!page.text.contains("Delete all"), "there is nothing");
    browser
        .get("/inbox/?q=x")
        .shows(200, &["No mail matches.", "Show all"]);
}

#[test]
fn the_newest_come_first_and_pages_follow_each_other() {
    let gatepost = Gatepost::start();
    for number in 1..=53 {
        gatepost.deliver("ann@example.com", &mail(&format!("mail {number}"), "x"));
    }
    let browser = Browser::new(&gatepost);
    let first = browser.get("/inbox/");
    first.shows(
        200,
        &[
            "53 in all",
            "Bob &lt;bob@example.com&gt;",
            "ann@example.com",
        ],
    );
    let newest: Vec<String> = (4..=53)
        .rev()
        .map(|number| format!("mail {number}"))
        .collect();
    assert_eq!(subjects(&first.text), newest);
    assert_eq!(link(&first.text, "prev"), None);
    let second = browser.get(&link(&first.text, "next").unwrap());
    assert_eq!(subjects(&second.text), ["mail 3", "mail 2", "mail 1"]);
    assert_eq!(link(&second.text, "next"), None);
    let again = browser.get(&link(&second.text, "prev").unwrap());
    assert_eq!(subjects(&again.text), newest);
    browser
        .get("/inbox/?cursor=nonsense")
        .shows(400, &["<html"]);
}

#[test]
fn a_search_finds_what_a_mail_says() {
    let gatepost = Gatepost::start();
    gatepost.deliver("ann@example.com", &mail("one", "the Rosebud"));
    gatepost.deliver("carl@example.org", &mail("two", "nothing"));
    let browser = Browser::new(&gatepost);
    let found = |q: &str| {
        let page = browser.get(&format!("/inbox/?q={q}"));
        subjects(&page.text).join(" ")
    };
    assert_eq!(found("rosebud"), "one");
    assert_eq!(found("carl%40example.org"), "two");
    assert_eq!(found("example"), "two one");
    assert_eq!(found("%20"), "two one");
    browser.get("/inbox/?q=%22%3E%3Cscript%3E").shows(
        200,
        &["value=\"&quot;&gt;&lt;script&gt;\"", "No mail matches."],
    );
}

#[test]
fn mails_are_deleted_and_that_is_on_record() {
    let gatepost = Gatepost::start();
    for subject in ["one", "two", "three"] {
        gatepost.deliver("ann@example.com", &mail(subject, "x"));
    }
    let browser = Browser::new(&gatepost);
    let delete = "/inbox/delete/";
    browser
        .fill("/inbox/2/", delete, &[])
        .leads_to("../../inbox/");
    let page = browser.get("/inbox/");
    assert_eq!(subjects(&page.text), ["three", "one"]);
    // Gone is gone, also for who asks twice.
    browser.get("/inbox/2/").shows(404, &["<html"]);
    let stale = browser.get("/inbox/3/");
    browser.send(&stale, delete, &[]).leads_to("../../inbox/");
    browser.send(&stale, delete, &[]).leads_to("../../inbox/");
    browser.get(delete).leads_to("../../inbox/");
    assert_eq!(subjects(&browser.get("/inbox/").text), ["one"]);
    browser
        .fill("/inbox/", delete, &[])
        .leads_to("../../inbox/");
    browser.get("/inbox/").shows(200, &["No mail yet"]);
    let audit = gatepost.operate("GET", "audit").expect(200);
    let actions: Vec<&Value> = audit["items"].as_array().unwrap().iter().collect();
    let count = |action: &str| actions.iter().filter(|a| a["action"] == action).count();
    assert_eq!((count("inbox_delete"), count("inbox_clear")), (2, 1));
}

#[test]
fn new_mail_is_told_as_it_comes() {
    let gatepost = Gatepost::start();
    let mut stream = std::net::TcpStream::connect(gatepost.listens()).unwrap();
    let host = gatepost.listens();
    write!(stream, "GET /inbox/events HTTP/1.1\r\nHost: {host}\r\n\r\n").unwrap();
    let mut seen = String::new();
    let mut until = |text: &str, times: usize| {
        while seen.matches(text).count() < times {
            let mut some = [0; 1024];
            let count = stream.read(&mut some).unwrap();
            assert!(count > 0, "the connection ended: {seen}");
            seen.push_str(std::str::from_utf8(&some[..count]).unwrap());
        }
        seen.clone()
    };
    let head = until("event: inbox\n", 1);
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    let told = |text: &str| {
        text.rsplit("data: ")
            .next()
            .unwrap()
            .split('\n')
            .next()
            .unwrap()
            .to_owned()
    };
    let shown = Browser::new(&gatepost).get("/inbox/").text;
    assert!(
        shown.contains(&format!("data-count=\"{}\"", told(&head))),
        "{head}"
    );
    gatepost.deliver("ann@example.com", &mail("one", "x"));
    let both = until("event: inbox\n", 2);
    assert_ne!(told(&head), told(&both));
    let shown = Browser::new(&gatepost).get("/inbox/").text;
    assert!(
        shown.contains(&format!("data-count=\"{}\"", told(&both))),
        "{both}"
    );
}
