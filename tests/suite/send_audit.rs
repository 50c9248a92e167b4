//! What is on record of keys and of what was ordered with them, none of it contents; and each
//! answer as the document has it.

use gatepost::audit;
use gatepost::store::page::Ask;
use serde_json::Value;
use serde_json::json;

use crate::api_client::ADMIN;
use crate::api_client::Request;
use crate::api_client::Service;
use crate::api_client::settings;

fn order(key: &str, mail: &Value) -> Request {
    Request::new("POST", "/api/v1/mail/send")
        .bearer(key)
        .json(mail)
}

#[tokio::test]
async fn who_ordered_what_for_whom_is_on_record_without_contents() {
    let mut settings = settings();
    settings.accounts.limits.mail_per_key = "2/hour".parse().unwrap();
    let service = Service::start_with(settings).await;
    let make = Request::new("POST", "/api/v1/admin/keys").bearer(ADMIN);
    let make = make.json(&json!({"name": "billing"}));
    let made = service.send(make.clone()).await.expect(201).json();
    let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
    service.send(make).await.expect(422);

    let mail = json!({"to": "Ann@example.com", "subject": "the merger", "text": "on the ninth"});
    let named = |mail: &Value| order(key, mail).header("Idempotency-Key", "a-name");
    let answer = service.send(named(&mail)).await.expect(202);
    let ordered = answer.json();
    service.send(named(&mail)).await.expect(202);
    service
        .send(named(&json!({"to": "bob@example.com"})))
        .await
        .expect(409);
    service
        .send(order(key, &json!({"to": "bob"})))
        .await
        .expect(422);
    service.send(order("gpk_x", &mail)).await.expect(401);
    let long = order(key, &mail).header("Idempotency-Key", &"x".repeat(256));
    service.send(long).await.expect(400);
    let huge = json!({"to": "ann@example.com", "subject": "s", "text": "x".repeat(5000)});
    service.send(order(key, &huge)).await.expect(413);
    service.send(order(key, &mail)).await.expect(202);
    service.send(order(key, &mail)).await.expect(429);
    let get = Request::new("GET", answer.header("location").unwrap());
    service.send(get.clone().bearer(key)).await.expect(200);
    service.send(get.clone()).await.expect(401);
    let nobodys = Request::new("GET", "/api/v1/mail/ob_01KDX0A9R7V8W6Z5Y4X3T2S1Q0");
    service.send(nobodys.bearer(key)).await.expect(404);
    let list = Request::new("GET", "/api/v1/admin/keys").bearer(ADMIN);
    service.send(list).await.expect(200);
    let revoke = Request::new("DELETE", &format!("/api/v1/admin/keys/{id}")).bearer(ADMIN);
    service.send(revoke.clone()).await.expect(204);
    service.send(revoke).await.expect(404);

    let page = service
        .store
        .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(100)))
        .await;
    let entries = page.unwrap().items;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| {
            (
                entry.actor.as_str(),
                entry.action.as_str(),
                entry.subject.as_str(),
                entry.detail.as_str(),
            )
        })
        .collect();
    let actor = format!("key {id}");
    let detail = format!("message {}", ordered["id"].as_str().unwrap());
    for expected in [
        ("operator", "key_create", id, "billing"),
        (
            actor.as_str(),
            "mail_ordered",
            "Ann@example.com",
            detail.as_str(),
        ),
        ("operator", "key_revoke", id, "billing"),
    ] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    let orders = told.iter().filter(|entry| entry.1 == "mail_ordered");
    assert_eq!(orders.count(), 2);
    assert!(entries.iter().all(|entry| entry.ip.is_some()));
    let all = format!("{entries:?}");
    for secret in [key, "merger", "ninth", "a-name"] {
        assert!(!all.contains(secret), "{secret} is on record");
    }
}
