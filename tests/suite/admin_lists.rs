//! The operator's lists in any order and both directions, which mails need somebody, what is said
//! of the service itself, and what is on record.

use std::time::Duration;

use gatepost::address::EmailAddress;
use gatepost::language::Language;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::{Occasion, OutboxId, outbox};
use serde_json::{Value, json};

use crate::admin_outbox::tried;
use crate::api_client::{ADMIN, Request, Service, login};

const NULL: Value = Value::Null;

/// Puts a mail to `to` into the queue, a moment after the one before.
async fn queue(service: &Service, to: &str) -> OutboxId {
    service.simulated.advance(Duration::from_millis(5));
    let to = to.parse::<EmailAddress>().unwrap();
    let letter = service.mailer.compose(&Occasion::Test, &to, Language::En);
    let letter = letter.unwrap();
    let id = letter.id;
    let write = service.store.write(move |tx| outbox::enqueue(tx, &letter));
    write.await.unwrap();
    id
}

async fn read(service: &Service, path: &str) -> Value {
    let request = Request::new("GET", path).bearer(ADMIN);
    service.send(request).await.expect(200).json()
}

fn texts(page: &Value, pointer: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let text = |item: &Value| match item.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => panic!("{pointer} is not in {item}"),
    };
    items.map(text).collect()
}

/// Walks through the list at `path` in both directions, two rows at a time, and answers what
/// stands at `pointer` of its rows.
async fn walked(service: &Service, path: &str, pointer: &str) -> Vec<String> {
    let mut seen = Vec::new();
    let mut ids = Vec::new();
    for back in [false, true] {
        let (mut pages, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = read(service, &format!("{path}&limit=2&back={back}{cursor}")).await;
            let (on, other) = match back {
                false => (&page["next_cursor"], &page["prev_cursor"]),
                true => (&page["prev_cursor"], &page["next_cursor"]),
            };
            assert_eq!(other.is_null(), pages.is_empty(), "{path} {page}");
            let next = on.as_str().map(|next| format!("&cursor={next}"));
            pages.push(page);
            match next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        if back {
            pages.reverse();
        }
        let all = |pointer: &str| -> Vec<String> {
            pages.iter().flat_map(|page| texts(page, pointer)).collect()
        };
        seen.push(all(pointer));
        ids.push(all("/id"));
    }
    assert_eq!(ids[0], ids[1], "{path}: the other way round");
    let once: std::collections::BTreeSet<_> = ids[0].iter().collect();
    assert_eq!(once.len(), ids[0].len(), "{path}: each once");
    seen.swap_remove(0)
}

#[tokio::test]
async fn the_outbox_is_sorted_by_anything_and_walked_in_both_directions() {
    let service = Service::start().await;
    let to = ["carl", "Ann", "bob", "ann", "bob"].map(|name| format!("{name}@example.org"));
    let mut ids = Vec::new();
    for to in &to {
        ids.push(queue(&service, to).await);
    }
    tried(&service, ids[1], Outcome::Temporary, b"450 Slowly now").await;
    tried(&service, ids[4], Outcome::Permanent, b"550 no").await;
    let path = |sort: &str| format!("/api/v1/admin/outbox?sort={sort}");
    let names: Vec<String> = ids.iter().map(OutboxId::to_string).collect();
    assert_eq!(walked(&service, &path("created_at"), "/id").await, names);
    let by_recipient = walked(&service, &path("to"), "/id").await;
    let expected = [1, 3, 2, 4, 0].map(|n: usize| names[n].clone());
    assert_eq!(by_recipient, expected);
    let reversed: Vec<_> = expected.iter().rev().cloned().collect();
    assert_eq!(walked(&service, &path("-to"), "/id").await, reversed);
    for (sort, pointer, first, last) in [
        ("state", "/state", "dead", "queued"),
        ("-tries", "/tries", "1", "0"),
        ("kind", "/kind", "test", "test"),
        ("-next_at", "/state", "dead", "queued"),
    ] {
        let told = walked(&service, &path(sort), pointer).await;
        let ends = (
            told.first().unwrap().as_str(),
            told.last().unwrap().as_str(),
        );
        assert_eq!((told.len(), ends), (5, (first, last)), "{sort}: {told:?}");
    }

    let page = read(&service, &path("to&q=SLOWLY")).await;
    assert_eq!(texts(&page, "/id"), [names[1].clone()]);
    assert_eq!(page["total"], 1);
    let page = read(&service, &path(&format!("to&q={}", names[2]))).await;
    assert_eq!(texts(&page, "/id"), [names[2].clone()]);
    let page = read(&service, &path("-created_at&q=ann&state=queued")).await;
    assert_eq!(texts(&page, "/to"), ["ann@example.org", "Ann@example.org"]);

    // A cursor belongs to its order.
    let page = read(&service, &path("to&limit=1")).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    for query in ["sort=-to", "sort=state", "limit=9"] {
        let path = format!("outbox?{query}&cursor={cursor}");
        let refused = service.admin("GET", &path, &NULL).await;
        assert_eq!(refused.problem(), (400, "bad_parameter".to_owned()));
        assert_eq!(refused.json()["errors"][0]["pointer"], "cursor");
    }
    // One that names no place in it, though it says that it does.
    let made_up = gatepost::store::page::Cursor::text("-created_at", b"short");
    let path = format!("outbox?cursor={made_up}");
    let refused = service.admin("GET", &path, &NULL).await;
    assert_eq!(refused.problem(), (400, "bad_parameter".to_owned()));
    let refused = service.admin("GET", "outbox?sort=size", &NULL).await;
    assert_eq!(refused.json()["errors"][0]["pointer"], "sort");
}

#[tokio::test]
async fn failing_mails_are_those_that_need_somebody() {
    let service = Service::start().await;
    let mut ids = Vec::new();
    for n in 0..7 {
        ids.push(queue(&service, &format!("u{n}@example.org")).await);
    }
    tried(&service, ids[0], Outcome::Permanent, b"550 no").await;
    tried(&service, ids[2], Outcome::Temporary, b"450 later").await;
    tried(&service, ids[3], Outcome::Accepted, b"250 ok").await;
    tried(&service, ids[5], Outcome::Uncertain, b"").await;
    tried(&service, ids[6], Outcome::Permanent, b"550 no").await;
    let failing: Vec<String> = [6, 5, 2, 0].map(|n: usize| ids[n].to_string()).to_vec();
    let path = "/api/v1/admin/outbox?state=failing";
    assert_eq!(walked(&service, path, "/id").await, failing);
    assert_eq!(read(&service, path).await["total"], 4);
    let by_recipient = walked(&service, &format!("{path}&sort=to"), "/to").await;
    let expected = [0, 2, 5, 6].map(|n| format!("u{n}@example.org"));
    assert_eq!(by_recipient, expected);
    let stats = read(&service, "/api/v1/admin/stats").await;
    assert_eq!(
        (&stats["failing"], &stats["outbox"]["dead"]),
        (&json!(4), &json!(2))
    );
    // One that is given back waits, and its failure is still the last thing known of it.
    let path = format!("outbox/{}/discard", ids[2]);
    service.admin("POST", &path, &NULL).await.expect(200);
    let stats = read(&service, "/api/v1/admin/stats").await;
    assert_eq!(stats["failing"], 3);
}

#[tokio::test]
async fn captured_mail_is_sorted_and_what_is_deleted_is_on_record() {
    let service = Service::start().await;
    for (to, subject, text) in [
        ("carl@example.org", "b", "x"),
        ("Ann@example.org", "C", "a longer one"),
        ("bob@example.org", "a", "xx"),
        ("ann@example.org", "b", "xxx"),
        ("bob@example.org", "b", "x"),
    ] {
        service.capture(to, subject, text).await;
    }
    for (sort, ids) in [
        ("received_at", ["1", "2", "3", "4", "5"]),
        ("-received_at", ["5", "4", "3", "2", "1"]),
        ("subject", ["3", "1", "4", "5", "2"]),
        ("-subject", ["2", "5", "4", "1", "3"]),
        ("to", ["2", "4", "3", "5", "1"]),
        ("from", ["1", "2", "3", "4", "5"]),
    ] {
        let path = format!("/api/v1/inbox/messages?sort={sort}");
        assert_eq!(walked(&service, &path, "/id").await, ids, "{sort}");
    }
    let by_size = walked(&service, "/api/v1/inbox/messages?sort=-size", "/id").await;
    assert_eq!(by_size[0], "2");
    let found = "/api/v1/inbox/messages?sort=to&q=LONGER";
    assert_eq!(walked(&service, found, "/id").await, ["2"]);

    let path = "/api/v1/inbox/messages/2";
    let request = Request::new("DELETE", path).bearer(ADMIN);
    let request = request.header("Gatepost-Operator", "Amy%20%E9%99%B3");
    service.send(request).await.expect(204);
    service.delete(path).await.expect(404);
    let cleared = service.delete("/api/v1/inbox/messages").await.expect(200);
    assert_eq!(cleared.json()["deleted"], 4);
    let nothing = service.delete("/api/v1/inbox/messages").await.expect(200);
    assert_eq!(nothing.json()["deleted"], 0);
    let record = read(&service, "/api/v1/admin/audit?q=inbox_").await;
    let of = |field: &str| texts(&record, field);
    assert_eq!(of("/action"), ["inbox_clear", "inbox_delete"]);
    assert_eq!(of("/actor"), ["operator", "operator:Amy 陳"]);
    assert_eq!(of("/subject"), ["inbox", "2"]);
    assert_eq!(of("/detail"), ["4", ""]);
    assert_eq!(of("/ip"), ["127.0.0.1", "127.0.0.1"]);
}

#[tokio::test]
async fn the_audit_record_is_filtered_and_walked() {
    let service = Service::start().await;
    for n in 0..5 {
        let id = queue(&service, &format!("u{n}@example.org")).await;
        let path = format!("/api/v1/admin/outbox/{id}/discard");
        let name = if n % 2 == 0 { "amy" } else { "bo" };
        let request = Request::new("POST", &path).bearer(ADMIN);
        let request = request.header("Gatepost-Operator", name);
        service.send(request).await.expect(200);
    }
    let audit = "/api/v1/admin/audit?";
    let discards = format!("{audit}action=outbox_discard");
    let who = walked(&service, &discards, "/actor").await;
    assert_eq!(who.first().unwrap(), "operator:amy");
    assert_eq!(who.len(), 5);
    let oldest = walked(&service, &format!("{audit}sort=at"), "/at").await;
    assert!(oldest.is_sorted() && oldest.len() == 10, "{oldest:?}");
    let of_bo = format!("{audit}actor=operator:bo&outcome=done");
    assert_eq!(walked(&service, &of_bo, "/action").await.len(), 2);
    let subject = read(&service, &discards).await["items"][0]["subject"].clone();
    let subject = subject.as_str().unwrap();
    let page = read(&service, &format!("{audit}subject={subject}&limit=1")).await;
    assert_eq!((&page["total"], &page["prev_cursor"]), (&json!(1), &NULL));
    let none = read(&service, &format!("{audit}outcome=refused")).await;
    assert_eq!(none["items"], json!([]));
    for (query, name) in [
        ("outcome=lost", "outcome"),
        ("sort=actor", "sort"),
        ("cursor=x", "cursor"),
        ("who=amy", "who"),
    ] {
        let path = format!("audit?{query}");
        let refused = service.admin("GET", &path, &NULL).await;
        assert_eq!(refused.problem(), (400, "bad_parameter".to_owned()));
        assert_eq!(refused.json()["errors"][0]["pointer"], name);
    }
}

#[tokio::test]
async fn the_service_says_what_it_is_and_what_happened_in_each_minute() {
    let service = Service::start().await;
    let about = read(&service, "/api/v1/admin/about").await;
    assert_eq!(
        (&about["mode"], &about["captures"]),
        (&json!("dev"), &json!(true))
    );
    assert_eq!(about["started_at"], about["now"]);
    assert_eq!(about["base_url"], "https://example.com");
    let token = service.sign_up("ann@example.org", "gate lamp river").await;
    assert!(!token.is_empty());
    let wrong = json!({"email": "ann@example.org", "password": "wrong and wrong"});
    // The next minute.
    service.simulated.advance(Duration::from_secs(60));
    service.post("/api/v1/auth/login", &login()).await;
    let form = json!({"email": "ann@example.org", "password": "gate lamp river"});
    service.post("/api/v1/auth/login", &form).await.expect(200);
    service.post("/api/v1/auth/login", &wrong).await.expect(401);
    service.capture("bob@example.org", "hi", "there").await;
    let stats = read(&service, "/api/v1/admin/stats").await;
    let minutes = stats["minutes"].as_array().unwrap();
    assert_eq!(minutes.len(), 60);
    let (last, before) = (&minutes[59], &minutes[58]);
    assert_eq!((&last["logins"], &last["captured"]), (&json!(1), &json!(1)));
    assert_eq!(
        (&last["refused_logins"], &last["requests"]),
        (&json!(2), &json!(3))
    );
    assert_eq!(before["logins"], 0);
    assert!(before["requests"].as_u64().unwrap() > 1);
    assert!(last["at"].as_str() > before["at"].as_str());
    assert_eq!(
        (&stats["users"], &stats["sessions"]),
        (&json!(1), &json!(2))
    );
    assert!(stats["audit"].as_u64().unwrap() > 0);

    service.simulated.advance(Duration::from_secs(59 * 60));
    let stats = read(&service, "/api/v1/admin/stats").await;
    assert_eq!(stats["minutes"][0]["logins"], 1);
    service.simulated.advance(Duration::from_secs(60));
    let stats = read(&service, "/api/v1/admin/stats").await;
    let minutes = stats["minutes"].as_array().unwrap().iter();
    assert_eq!(minutes.filter(|minute| minute["logins"] != 0).count(), 0);

    for path in ["about", "stats", "audit"] {
        let path = format!("/api/v1/admin/{path}");
        let refused = service.get(&path).await;
        assert_eq!(refused.problem(), (401, "admin_token_required".to_owned()));
    }
}
