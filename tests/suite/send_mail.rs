//! Mail that the team's other programs order: it arrives as ordered, in the right language, at
//! its time and in its turn.

use std::path::Path;
use std::time::Duration;

use gatepost::world::Timestamp;
use serde_json::Value;
use serde_json::json;

use crate::harness::Answer;
use crate::harness::Gatepost;

const SEND: &str = "/api/v1/mail/send";

/// Templates as a team writes them.
pub const TEMPLATES: &[(&str, &str)] = &[
    (
        "send/_frame.html",
        "<html lang=\"{{ language }}\"><h1>{{ brand }}</h1>{% block body %}{% endblock %}</html>",
    ),
    (
        "send/en/invoice.subject.txt",
        "Invoice {{ number }}\nfor {{ customer.name }}",
    ),
    (
        "send/en/invoice.txt",
        "Dear {{ customer.name }},\n{% for line in lines %}- {{ line }}\n{% endfor %}\
         Total: {{ total }}{% if note is defined %}\nNote: {{ note }}{% endif %}\n{{ site_name }}\n",
    ),
    (
        "send/en/invoice.html",
        "{% extends 'send/_frame.html' %}{% block body %}<p>{{ customer.name }}: {{ total }}</p>\
         {% for line in lines %}<li>{{ line }}</li>{% endfor %}{% endblock %}",
    ),
    ("send/zh-hans/invoice.subject.txt", "发票 {{ number }}"),
    (
        "send/zh-hans/invoice.txt",
        "{{ customer.name }}，共 {{ total }} 元。\n",
    ),
    ("send/zh-hant/reminder.subject.txt", "提醒"),
    (
        "send/zh-hant/reminder.txt",
        "{{ address }}：{{ count // 2 }}\n",
    ),
];

/// A gatepost with templates for programs.
pub fn with_templates(files: &[(&str, &str)], environment: &[(&str, &str)]) -> Gatepost {
    let folder = tempfile::tempdir().unwrap();
    let templates = folder.path().join("templates");
    for (name, content) in files {
        write(&templates.join(name), content);
    }
    let templates = templates.to_str().unwrap().to_owned();
    let mut environment = environment.to_vec();
    environment.push(("GATEPOST_SITE_TEMPLATES", &templates));
    Gatepost::over(folder, &environment)
}

fn write(path: &Path, content: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

fn order(gatepost: &Gatepost, key: &str, mail: &Value) -> Answer {
    gatepost.send("POST", SEND, key, mail)
}

fn invoice(to: &str, language: &str) -> Value {
    json!({
        "to": to,
        "template": "invoice",
        "language": language,
        "values": {
            "number": 17,
            "brand": "Tea & Cake",
            "customer": {"name": "Ann <b>Lee</b>"},
            "lines": ["Tea", "<script>alert(1)</script>"],
            "total": 42.5,
            "unused": [1, true],
        },
    })
}

fn rfc3339(at: Timestamp) -> String {
    at.to_string()
}

#[test]
fn a_plain_message_arrives_as_it_was_written() {
    let gatepost = Gatepost::start();
    let (id, key) = gatepost.api_key("billing");
    let text = "Grüße, 小明\r\n.\r\nFrom here\rto there\n";
    let mail = json!({"to": "小明@例子.test", "subject": " Grüße aus 台北 ", "text": text});
    let answer = order(&gatepost, &key, &mail);
    let ordered = answer.expect(202);
    assert_eq!(ordered["kind"], "message");
    assert_eq!(ordered["template"], Value::Null);
    assert_eq!(ordered["ordered_by"], id);
    assert_eq!(ordered["lane"], "ordinary");
    assert_eq!(ordered["language"], "en");
    assert_eq!(ordered["to"], "小明@xn--fsqu00a.test");
    let location = answer.header("location").unwrap();
    assert_eq!(
        location,
        format!("/api/v1/mail/{}", ordered["id"].as_str().unwrap())
    );

    let mail = gatepost.mail("小明@xn--fsqu00a.test", "");
    assert_eq!(mail["subject"], "Grüße aus 台北");
    let read = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(read.trim_end(), "Grüße, 小明\n.\nFrom here\nto there");
    assert_eq!(mail["html"], Value::Null);
    assert_eq!(mail["outbox_id"], ordered["id"]);
    let raw = format!(
        "/api/v1/inbox/messages/{}/raw",
        mail["id"].as_str().unwrap()
    );
    let raw = gatepost.get(&raw).text;
    assert!(raw.contains("Auto-Submitted: auto-generated\r\n"), "{raw}");
    assert!(raw.contains(&format!(
        "Message-ID: {}\r\n",
        ordered["message_id"].as_str().unwrap()
    )));
    assert!(
        raw.contains("Content-Type: text/plain; charset=utf-8"),
        "{raw}"
    );
    let bare_cr = raw.replace("\r\n", "").contains('\r');
    assert!(
        !bare_cr && !raw.replace("\r\n", "").contains('\n'),
        "{raw:?}"
    );

    let now = gatepost
        .send("GET", location, &key, &Value::Null)
        .expect(200);
    assert_eq!(now["id"], ordered["id"]);
}

#[test]
fn a_message_with_html_has_both_parts() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let mail = json!({"to": "ann@example.com", "subject": "Both", "text": "plain words", "html": "<p>rich words</p>"});
    order(&gatepost, &key, &mail).expect(202);
    let mail = gatepost.mail("ann@example.com", "");
    assert!(mail["text"].as_str().unwrap().contains("plain words"));
    assert!(mail["html"].as_str().unwrap().contains("rich words"));
}

#[test]
fn a_template_arrives_in_its_language_with_values_escaped_in_the_html_alone() {
    let gatepost = with_templates(TEMPLATES, &[("LANGUAGE_CODE", "zh-hans")]);
    let (_, key) = gatepost.api_key("shop");
    let ordered = order(&gatepost, &key, &invoice("ann@example.com", "en")).expect(202);
    assert_eq!(ordered["template"], "invoice");
    assert_eq!(ordered["language"], "en");
    let mail = gatepost.mail("ann@example.com", "");
    assert_eq!(mail["subject"], "Invoice 17 for Ann <b>Lee</b>");
    let text = mail["text"].as_str().unwrap().replace("\r\n", "\n");
    assert_eq!(
        text.trim_end(),
        "Dear Ann <b>Lee</b>,\n- Tea\n- <script>alert(1)</script>\nTotal: 42.5\ngatepost"
    );
    let raw = format!(
        "/api/v1/inbox/messages/{}/raw",
        mail["id"].as_str().unwrap()
    );
    let raw = gatepost.get(&raw).text;
    let parsed = mail_parser::MessageParser::default()
        .parse(raw.as_bytes())
        .unwrap();
    let html = parsed.body_html(0).unwrap();
    assert!(
        html.contains("<html lang=\"en\"><h1>Tea &amp; Cake</h1>"),
        "{html}"
    );
    assert!(
        html.contains("<p>Ann &lt;b&gt;Lee&lt;&#x2f;b&gt;: 42.5</p>"),
        "{html}"
    );
    assert!(!html.contains("<script>"), "{html}");

    // The site's language where none is asked for; no HTML where the template has none.
    let mut unsaid = invoice("bob@example.com", "");
    unsaid.as_object_mut().unwrap().remove("language");
    assert_eq!(
        order(&gatepost, &key, &unsaid).expect(202)["language"],
        "zh-hans"
    );
    let mail = gatepost.mail("bob@example.com", "");
    assert_eq!(mail["subject"], "发票 17");
    assert_eq!(mail["html"], Value::Null);
    // One that the template lacks: the site's.
    let other = order(&gatepost, &key, &invoice("cy@example.com", "zh-hant")).expect(202);
    assert_eq!(other["language"], "zh-hans");
    // One that lacks that as well: any.
    let reminder = json!({"to": "dee@example.com", "template": "reminder", "values": {"count": 7}});
    assert_eq!(
        order(&gatepost, &key, &reminder).expect(202)["language"],
        "zh-hant"
    );
    let mail = gatepost.mail("dee@example.com", "");
    assert_eq!(
        mail["text"].as_str().unwrap().trim_end(),
        "dee@example.com：3"
    );
}

#[test]
fn a_scheduled_mail_waits_for_its_time() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let due = gatepost.clock.world().now() + Duration::from_secs(3600);
    let later = json!({"to": "ann@example.com", "subject": "Later", "text": "x",
        "send_at": rfc3339(due), "expires_in": 600});
    let ordered = order(&gatepost, &key, &later).expect(202);
    assert_eq!(ordered["state"], "queued");
    assert_eq!(ordered["next_at"], rfc3339(due));
    assert_eq!(
        ordered["expires_at"],
        rfc3339(due + Duration::from_secs(600))
    );
    gatepost.clock.advance(Duration::from_secs(3599));
    let now = json!({"to": "bob@example.com", "subject": "Now", "text": "x"});
    order(&gatepost, &key, &now).expect(202);
    let first = gatepost.mail("bob@example.com", "");
    let path = format!("/api/v1/mail/{}", ordered["id"].as_str().unwrap());
    let row = gatepost.send("GET", &path, &key, &Value::Null).expect(200);
    assert_eq!(row["state"], "queued");
    assert_eq!(gatepost.newest(), first["id"].as_str().unwrap());
    gatepost.clock.advance(Duration::from_secs(1));
    let mail = gatepost.mail("ann@example.com", "");
    let raw = format!(
        "/api/v1/inbox/messages/{}/raw",
        mail["id"].as_str().unwrap()
    );
    let raw = gatepost.get(&raw).text;
    let parsed = mail_parser::MessageParser::default()
        .parse(raw.as_bytes())
        .unwrap();
    let date = parsed.date().unwrap().to_timestamp();
    assert_eq!(date, due.as_seconds(), "its Date is when it is sent");
}

#[test]
fn high_priority_overtakes() {
    let gatepost = Gatepost::with(&[("GATEPOST_RELAY_CONNECTIONS", "1")]);
    let (_, key) = gatepost.api_key("billing");
    let due = gatepost.clock.world().now() + Duration::from_secs(600);
    for (to, priority) in [("slow@example.com", "normal"), ("fast@example.com", "high")] {
        let mail = json!({"to": to, "subject": to, "text": "x", "priority": priority, "send_at": rfc3339(due)});
        let ordered = order(&gatepost, &key, &mail).expect(202);
        let lane = if priority == "high" {
            "high"
        } else {
            "ordinary"
        };
        assert_eq!(ordered["lane"], lane);
    }
    gatepost.clock.advance(Duration::from_secs(600));
    // Wakes the courier, should it have read the time before it was moved and gone to sleep after.
    let last = json!({"to": "last@example.com", "subject": "x", "text": "x"});
    order(&gatepost, &key, &last).expect(202);
    let slow = gatepost.mail("slow@example.com", "");
    let fast = gatepost.mail("fast@example.com", "");
    let number = |mail: &Value| mail["id"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(number(&fast) < number(&slow));
}

#[test]
fn a_mail_is_shown_to_the_key_that_ordered_it_alone() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let (_, other) = gatepost.api_key("shop");
    let mail = json!({"to": "ann@example.com", "subject": "Hello", "text": "x"});
    let id = order(&gatepost, &key, &mail).expect(202)["id"].clone();
    let path = format!("/api/v1/mail/{}", id.as_str().unwrap());
    let get = |path: &str, key: &str| gatepost.send("GET", path, key, &Value::Null);
    get(&path, &key).expect(200);
    get(&path, &other).expect_problem(404, "not_found");
    get(&path, "").expect_problem(401, "api_key_required");
    get("/api/v1/mail/ob_x", &key).expect_problem(404, "not_found");
    // The mails of gatepost itself are nobody's.
    gatepost.code("bob@example.com", "register");
    let code = gatepost.mail("bob@example.com", "");
    let path = format!("/api/v1/mail/{}", code["outbox_id"].as_str().unwrap());
    get(&path, &key).expect_problem(404, "not_found");
}

#[test]
fn what_is_wrong_with_a_template_is_told_at_the_start() {
    for (name, content, says) in [
        ("send/en/a.txt", "x", "a.subject.txt"),
        ("send/en/a.html", "x", "a.subject.txt"),
        ("send/fr/a.txt", "x", "send/LANGUAGE/NAME"),
        ("send/en/a b.txt", "x", "send/LANGUAGE/NAME"),
        ("send/en/welcome.md", "x", "send/LANGUAGE/NAME"),
        ("send/a.txt", "x", "send/LANGUAGE/NAME"),
        ("send/en/good.txt", "one\n{{ name", "line 2"),
        ("send/en/good.txt", "one\n{{ name|shout }}", "shout"),
        (
            "send/en/good.txt",
            "{% include 'send/_nothing.txt' %}",
            "_nothing.txt",
        ),
        // They carry codes.
        (
            "send/en/good.txt",
            "{% include 'mail/en/reset_code.txt' %}",
            "reset_code.txt",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in [
            ("send/en/good.subject.txt", "x"),
            ("send/en/good.txt", "x"),
            (name, content),
        ] {
            write(&folder.path().join(name), content);
        }
        let settings = gatepost::mail::Settings {
            from: "a@example.com".parse().unwrap(),
            site_name: "Example".to_owned(),
            base_url: "https://example.com".to_owned(),
            templates: Some(folder.path().to_owned()),
        };
        let keys = gatepost::secret::Keys::from_root(&[1; 32]);
        let world = gatepost::world::Simulated::new(1).world();
        let error = gatepost::mail::Mailer::new(settings, keys, world).unwrap_err();
        assert!(error.file.starts_with(folder.path()), "{error}");
        assert!(error.to_string().contains(says), "{says}: {error}");
    }
}
