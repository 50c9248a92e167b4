//! Orders that are repeated with an idempotency key make one mail, also when they come all at
//! once; and what is remembered of them is neither for ever nor in the clear.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::harness::Answer;
use crate::harness::Gatepost;

fn mail() -> Value {
    json!({"to": "ann@example.com", "subject": "Hello", "text": "pomegranate"})
}

fn order(gatepost: &Gatepost, key: &str, name: &str, mail: &Value) -> Answer {
    let headers = [("Idempotency-Key", name)];
    gatepost.send_with(&headers, "POST", "/api/v1/mail/send", key, mail)
}

fn captured(gatepost: &Gatepost) -> Value {
    gatepost.get("/api/v1/inbox/messages").expect(200)["total"].clone()
}

#[test]
fn a_repetition_answers_the_same_mail() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let (_, other) = gatepost.api_key("shop");
    let first = order(&gatepost, &key, "invoice-17", &mail());
    assert_eq!(first.header("idempotency-replayed"), None);
    let id = first.expect(202)["id"].clone();
    gatepost.mail("ann@example.com", "");

    let again = order(&gatepost, &key, "invoice-17", &mail());
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.header("location"), first.header("location"));
    let row = again.expect(202);
    assert_eq!(row["id"], id);
    // The same order in another sequence.
    let turned: Value =
        serde_json::from_str(r#"{"text":"pomegranate","subject":"Hello","to":"ann@example.com"}"#)
            .unwrap();
    assert_eq!(
        order(&gatepost, &key, "invoice-17", &turned).expect(202)["id"],
        id
    );

    let mut changed = mail();
    changed["text"] = json!("quince");
    let conflict = order(&gatepost, &key, "invoice-17", &changed);
    conflict.expect_problem(409, "idempotency_conflict");
    // Another key's names are its own, and so is no name at all.
    let others = order(&gatepost, &other, "invoice-17", &mail()).expect(202);
    assert_ne!(others["id"], id);
    assert_ne!(
        order(&gatepost, &key, "invoice-18", &mail()).expect(202)["id"],
        id
    );

    let store = std::fs::read(gatepost.data().join("store.redb")).unwrap();
    assert!(memchr::memmem::find(&store, b"invoice-17").is_none());
    assert!(
        memchr::memmem::find(&store, b"pomegranate").is_some(),
        "captured mail is not sealed"
    );
}

#[test]
fn a_repetition_that_is_late_finds_its_mail_although_the_time_to_send_went_by() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let mut soon = mail();
    soon["send_at"] = json!((gatepost.clock.world().now() + Duration::from_secs(60)).to_string());
    let id = order(&gatepost, &key, "a", &soon).expect(202)["id"].clone();
    gatepost.clock.advance(Duration::from_secs(23 * 3600));
    assert_eq!(order(&gatepost, &key, "a", &soon).expect(202)["id"], id);
    // After a day the name is free.
    gatepost.clock.advance(Duration::from_secs(2 * 3600));
    let late = order(&gatepost, &key, "a", &soon);
    late.expect_problem(422, "invalid_fields");
    let fresh = order(&gatepost, &key, "a", &mail());
    assert_eq!(fresh.header("idempotency-replayed"), None);
    assert_ne!(fresh.expect(202)["id"], id);
}

#[test]
fn orders_that_come_at_once_make_one_mail() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let orders: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| order(&gatepost, &key, "once", &mail())))
            .collect();
        orders
            .into_iter()
            .map(|order| order.join().unwrap())
            .collect()
    });
    let first = answers[0].expect(202)["id"].clone();
    let mut made = 0;
    for answer in &answers {
        assert_eq!(answer.expect(202)["id"], first);
        made += u32::from(answer.header("idempotency-replayed").is_none());
    }
    assert_eq!(made, 1);
    gatepost.mail("ann@example.com", "");
    let after = json!({"to": "bob@example.com", "subject": "After", "text": "x"});
    order(&gatepost, &key, "after", &after).expect(202);
    gatepost.mail("bob@example.com", "");
    assert_eq!(captured(&gatepost), 2);
}

#[test]
fn a_refused_order_takes_no_name() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let wrong = json!({"to": "ann", "subject": "Hello", "text": "x"});
    order(&gatepost, &key, "a", &wrong).expect_problem(422, "invalid_fields");
    order(&gatepost, &key, "a", &mail()).expect(202);
}

#[test]
fn a_name_is_printable_ascii_or_refused() {
    let gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    let (longest, longer) = ("x".repeat(255), "x".repeat(256));
    order(&gatepost, &key, &longest, &mail()).expect(202);
    order(&gatepost, &key, "8e03978e-40d5-43dd bc93/\"~", &mail()).expect(202);
    for name in [longer.as_str(), "", "caf\u{e9}", "a\tb"] {
        let problem = order(&gatepost, &key, name, &mail()).expect_problem(400, "bad_parameter");
        assert_eq!(
            problem["errors"][0]["pointer"], "Idempotency-Key",
            "{name:?}"
        );
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    let answer = gatepost.send_with(&twice, "POST", "/api/v1/mail/send", &key, &mail());
    answer.expect_problem(400, "bad_parameter");
    // Whoever may not order learns nothing of names.
    order(&gatepost, "gpk_x", &longest, &mail()).expect_problem(401, "api_key_required");
}

#[test]
fn a_key_is_held_to_its_limit_and_repetitions_do_not_count() {
    let gatepost = Gatepost::with(&[("GATEPOST_LIMITS_MAIL_PER_KEY", "2/hour")]);
    let (_, key) = gatepost.api_key("billing");
    let (_, other) = gatepost.api_key("shop");
    order(&gatepost, &key, "a", &mail()).expect(202);
    order(&gatepost, &key, "a", &mail()).expect(202);
    order(&gatepost, &key, "b", &mail()).expect(202);
    let refused = order(&gatepost, &key, "c", &mail());
    let problem = refused.expect_problem(429, "too_many_requests");
    assert_eq!(problem["retry_after"], 3600);
    order(&gatepost, &key, "b", &mail()).expect(202);
    order(&gatepost, &other, "c", &mail()).expect(202);
    gatepost.clock.advance(Duration::from_secs(3600));
    order(&gatepost, &key, "c", &mail()).expect(202);
}

#[test]
fn a_repetition_whose_mail_is_forgotten_is_told_so_and_not_that_it_was_another() {
    let gatepost = Gatepost::with(&[("GATEPOST_OUTBOX_RETENTION", "1h")]);
    let (_, key) = gatepost.api_key("billing");
    order(&gatepost, &key, "a", &mail()).expect(202);
    gatepost.mail("ann@example.com", "");
    let answer = loop {
        gatepost.clock.advance(Duration::from_secs(600));
        let answer = order(&gatepost, &key, "a", &mail());
        if answer.status != 202 {
            break answer;
        }
        assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    };
    answer.expect_problem(410, "mail_forgotten");
    let other = json!({"to": "bob@example.com", "subject": "Other", "text": "x"});
    order(&gatepost, &key, "a", &other).expect_problem(409, "idempotency_conflict");
}
