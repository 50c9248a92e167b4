//! What is refused of an order for a mail: all of it at once, with a pointer to each field, and
//! nothing of it reaches a header or the outbox.

use serde_json::Value;
use serde_json::json;

use crate::harness::Gatepost;
use crate::send_mail::TEMPLATES;
use crate::send_mail::with_templates;

fn faults(gatepost: &Gatepost, key: &str, mail: &Value) -> Vec<(String, String)> {
    let answer = gatepost.send("POST", "/api/v1/mail/send", key, mail);
    let problem = answer.expect_problem(422, "invalid_fields");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().unwrap();
    let mut faults: Vec<_> = errors
        .iter()
        .map(|error| (text(&error["pointer"]), text(&error["code"])))
        .collect();
    faults.sort();
    faults
}

fn fault(pointer: &str, code: &str) -> (String, String) {
    (pointer.to_owned(), code.to_owned())
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let gatepost = with_templates(TEMPLATES, &[]);
    let (_, key) = gatepost.api_key("shop");
    let wrong = json!({
        "to": "ann", "subject": "a\r\nBcc: bob@example.com", "html": "<p>x</p>", "language": "fr",
        "priority": "urgent", "send_at": "tomorrow", "expires_in": 1, "values": {"a": 1},
    });
    assert_eq!(
        faults(&gatepost, &key, &wrong),
        [
            fault("/expires_in", "out_of_range"),
            fault("/language", "unknown"),
            fault("/priority", "unknown"),
            fault("/send_at", "malformed"),
            fault("/subject", "malformed"),
            fault("/text", "required"),
            fault("/to", "malformed"),
            fault("/values", "conflict"),
        ]
    );
    let template = json!({
        "to": "", "template": "invoice", "language": "en", "text": "x", "priority": "low",
    });
    assert_eq!(
        faults(&gatepost, &key, &template),
        [
            fault("/priority", "unknown"),
            fault("/text", "conflict"),
            fault("/to", "required")
        ]
    );
    assert_eq!(
        faults(&gatepost, &key, &json!({"to": "ann@example.com"})),
        [fault("/subject", "required"), fault("/text", "required")]
    );
    assert_eq!(
        faults(
            &gatepost,
            &key,
            &json!({"text": 5, "values": [], "expires_in": "1"})
        ),
        [
            fault("/expires_in", "wrong_type"),
            fault("/text", "wrong_type"),
            fault("/to", "required"),
            fault("/values", "wrong_type"),
        ]
    );
    assert_eq!(gatepost.newest(), "", "nothing was sent");
}

#[test]
fn values_that_a_template_lacks_are_named() {
    let gatepost = with_templates(TEMPLATES, &[]);
    let (_, key) = gatepost.api_key("shop");
    let order = |values: Value| json!({"to": "ann", "template": "invoice", "values": values});
    // Those of the frame count, the optional note does not; the wrong address is told beside them.
    assert_eq!(
        faults(&gatepost, &key, &order(json!({}))),
        [
            fault("/to", "malformed"),
            fault("/values/brand", "required"),
            fault("/values/customer", "required"),
            fault("/values/lines", "required"),
            fault("/values/number", "required"),
            fault("/values/total", "required"),
        ]
    );
    let some =
        json!({"brand": "b", "customer": {"nick": "A"}, "lines": [], "number": 1, "total": 0});
    assert_eq!(
        faults(&gatepost, &key, &order(some)),
        [
            fault("/to", "malformed"),
            fault("/values/customer/name", "required")
        ]
    );
    let odd = json!({"brand": null, "customer": {"name": "a\u{0}"}, "a/b~": [null]});
    assert_eq!(
        faults(&gatepost, &key, &order(odd)),
        [
            fault("/to", "malformed"),
            fault("/values/a~1b~0", "malformed"),
            fault("/values/brand", "malformed"),
            fault("/values/customer", "malformed"),
        ]
    );
}

#[test]
fn a_template_that_is_not_there_or_fails_says_so() {
    let gatepost = with_templates(TEMPLATES, &[]);
    let (_, key) = gatepost.api_key("shop");
    let answer = |template: &str, values: Value| {
        let mail = json!({"to": "ann@example.com", "template": template, "values": values});
        let answer = gatepost.send("POST", "/api/v1/mail/send", &key, &mail);
        let problem = answer.expect_problem(422, "invalid_fields");
        let error = &problem["errors"][0];
        assert_eq!(error["pointer"], "/template");
        let text = |field: &str| error[field].as_str().unwrap().to_owned();
        (text("code"), text("detail"))
    };
    for unknown in [
        "reset_code",
        "en/invoice",
        "../mail/en/reset_code",
        "_frame",
        "",
    ] {
        let (code, detail) = answer(unknown, json!({}));
        assert_eq!(code, "unknown", "{unknown}");
        assert!(detail.contains("invoice, reminder"), "{detail}");
    }
    let (code, detail) = answer("reminder", json!({"count": "hunter2"}));
    assert_eq!(code, "failed");
    assert!(detail.contains("reminder.txt, line 1"), "{detail}");
    assert!(!detail.contains("hunter2"), "{detail}");
    let folder = gatepost.data();
    let folder = folder.parent().unwrap().to_str().unwrap();
    assert!(!detail.contains(folder), "{detail}");

    let bare = Gatepost::start();
    let (_, key) = bare.api_key("shop");
    let mail = json!({"to": "ann@example.com", "template": "reset_code"});
    let answer = bare.send("POST", "/api/v1/mail/send", &key, &mail);
    let problem = answer.expect_problem(422, "invalid_fields");
    assert!(
        problem["errors"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("send/")
    );
}

#[test]
fn nothing_becomes_a_header_that_is_none() {
    let gatepost = with_templates(TEMPLATES, &[]);
    let (_, key) = gatepost.api_key("shop");
    for subject in [
        "a\nb",
        "a\rb",
        "a\r\n\r\nb",
        "a\u{0}",
        "a\u{85}b",
        "a\u{2028}b",
        "a\u{7f}",
    ] {
        let mail = json!({"to": "ann@example.com", "subject": subject, "text": "x"});
        let told = faults(&gatepost, &key, &mail);
        assert_eq!(told, [fault("/subject", "malformed")], "{subject:?}");
    }
    for to in [
        "ann@example.com\r\nBcc: x@example.org",
        "a@example.com, b@example.com",
        "<a@example.com>",
    ] {
        let mail = json!({"to": to, "subject": "s", "text": "x"});
        let told = faults(&gatepost, &key, &mail);
        assert_eq!(told, [fault("/to", "malformed")], "{to:?}");
    }
    // In a template's subject a line end becomes a blank.
    let values = json!({"number": "1\r\nBcc: bob@example.com\r\n\r\nbody", "customer": {"name": "A"},
        "brand": "b", "lines": [], "total": 1});
    let mail = json!({"to": "ann@example.com", "template": "invoice", "values": values});
    gatepost
        .send("POST", "/api/v1/mail/send", &key, &mail)
        .expect(202);
    let mail = gatepost.mail("ann@example.com", "");
    assert_eq!(mail["subject"], "Invoice 1 Bcc: bob@example.com body for A");
    let headers = mail["headers"].to_string();
    assert!(!headers.contains("\"Bcc\""), "{headers}");
    assert_eq!(mail["envelope"]["to"], json!(["ann@example.com"]));
}

#[test]
fn times_are_held_to_their_bounds() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("shop");
    let now = gatepost.clock.world().now();
    let day = std::time::Duration::from_secs(24 * 3600);
    let minute = std::time::Duration::from_secs(60);
    let second = std::time::Duration::from_secs(1);
    let mail =
        |at: String| json!({"to": "ann@example.com", "subject": "s", "text": "x", "send_at": at});
    for at in [now.minus(minute), now, now + day * 30] {
        let answer = gatepost.send("POST", "/api/v1/mail/send", &key, &mail(at.to_string()));
        answer.expect(202);
    }
    for (at, code) in [
        (now.minus(minute + second).to_string(), "out_of_range"),
        ((now + day * 30 + second).to_string(), "out_of_range"),
        ("2026-11-22T10:00:00".to_owned(), "malformed"),
        ("2026-11-22".to_owned(), "malformed"),
        ("".to_owned(), "malformed"),
    ] {
        assert_eq!(
            faults(&gatepost, &key, &mail(at.clone())),
            [fault("/send_at", code)],
            "{at}"
        );
    }
    for (seconds, fine) in [
        (60, true),
        (604_800, true),
        (59, false),
        (604_801, false),
        (-1, false),
    ] {
        let mail =
            json!({"to": "ann@example.com", "subject": "s", "text": "x", "expires_in": seconds});
        let answer = gatepost.send("POST", "/api/v1/mail/send", &key, &mail);
        assert_eq!(answer.status, if fine { 202 } else { 422 }, "{seconds}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let repeat = "{% for i in range(many) %}0123456789+{% endfor %}";
    let files = [
        ("send/en/big.subject.txt", "Big"),
        ("send/en/big.txt", repeat),
    ];
    let gatepost = with_templates(&files, &[("GATEPOST_HTTP_BODY_LIMIT", "4MiB")]);
    let (_, key) = gatepost.api_key("shop");
    let send = |mail: &Value| gatepost.send("POST", "/api/v1/mail/send", &key, mail);
    let text = |size: usize| json!({"to": "ann@example.com", "subject": "s", "text": "line of text\n".repeat(size / 13)});
    send(&text(800_000)).expect(202);
    send(&text(1_100_000)).expect_problem(413, "body_too_large");
    // Over the limit by less than what is read on: with more, the connection may end first.
    send(&text(4_200_000)).expect_problem(413, "body_too_large");
    let long = json!({"to": "ann@example.com", "subject": "字".repeat(501), "text": "x"});
    assert_eq!(
        faults(&gatepost, &key, &long),
        [fault("/subject", "too_long")]
    );
    let big =
        |many: u64| json!({"to": "ann@example.com", "template": "big", "values": {"many": many}});
    send(&big(50_000)).expect(202);
    assert_eq!(
        faults(&gatepost, &key, &big(100_000)),
        [fault("/template", "failed")]
    );
    assert_eq!(
        faults(&gatepost, &key, &big(1 << 40)),
        [fault("/template", "failed")]
    );
}

#[test]
fn fields_that_there_are_not_are_refused_by_name() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("shop");
    let late = json!({"to": "ann@example.com", "subject": "s", "text": "x",
        "sendAt": "2026-02-01T00:00:00Z", "cc": "bob@example.com"});
    assert_eq!(
        faults(&gatepost, &key, &late),
        [fault("/cc", "unknown"), fault("/sendAt", "unknown")]
    );
    assert_eq!(gatepost.newest(), "", "nothing was sent");
    let admin = gatepost.admin();
    for (path, body, pointer) in [
        ("keys", json!({"name": "billing", "scope": "all"}), "/scope"),
        (
            "test_mail",
            json!({"email": "ann@example.com", "to": "x"}),
            "/to",
        ),
    ] {
        let path = format!("/api/v1/admin/{path}");
        let answer = gatepost.send("POST", &path, &admin, &body);
        let problem = answer.expect_problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
}

#[test]
fn who_may_not_ask_learns_nothing_of_the_body() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("shop");
    let large = json!({"text": "x".repeat(300 << 10)});
    for (path, code) in [
        ("/api/v1/mail/send", "api_key_required"),
        ("/api/v1/admin/keys", "admin_token_required"),
        ("/api/v1/admin/test_mail", "admin_token_required"),
    ] {
        for token in ["", "gpk_x", "gpa_x"] {
            for body in [json!({}), json!({"x": 1}), json!([1]), large.clone()] {
                let answer = gatepost.send("POST", path, token, &body);
                answer.expect_problem(401, code);
            }
            let plain = [("Content-Type", "text/plain")];
            let answer = gatepost.send_with(&plain, "POST", path, token, &json!({}));
            answer.expect_problem(401, code);
        }
    }
    let answer = gatepost.send("POST", "/api/v1/mail/send", &key, &large);
    answer.expect_problem(413, "body_too_large");
}
