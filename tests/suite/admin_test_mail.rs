//! The test mail over HTTP: sent, refused, or not even tried, it says why in one answer.

use std::time::Duration;

use gatepost::audit;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::route::{Breaker, Budget, Pause, RouteName, Status};
use gatepost::store::page::Ask;
use serde_json::{Value, json};

use crate::admin_outbox::tried;
use crate::api_client::Service;
use crate::harness::Gatepost;

fn send(gatepost: &Gatepost) -> Value {
    let form = json!({"email": "ann@example.org"});
    let token = gatepost.admin();
    let answer = gatepost.send("POST", "/api/v1/admin/test_mail", &token, &form);
    answer.expect(200)
}

#[tokio::test]
async fn who_wanted_it_is_on_record() {
    let service = Service::start().await;
    service
        .admin("POST", "routes/primary/pause", &Value::Null)
        .await;
    let form = json!({"email": "ann@example.org"});
    let asked = service.admin("POST", "test_mail", &form);
    service
        .until(Duration::from_secs(10), asked)
        .await
        .expect(200);
    let page = service
        .store
        .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(10)))
        .await;
    let entries = page.unwrap().items;
    let of_mail = |entry: &&audit::Entry| entry.action == "test_mail";
    let entry = entries.iter().find(of_mail).unwrap();
    assert_eq!(
        (entry.actor.as_str(), entry.subject.as_str()),
        ("operator", "ann@example.org")
    );
    assert!(entry.ip.is_some());
}

#[test]
fn one_that_went_out_tells_the_attempt() {
    let gatepost = Gatepost::start();
    let told = send(&gatepost);
    assert_eq!(told["state"], "sent");
    assert_eq!(told["captured"], true);
    assert_eq!(told["why"]["code"], "sent");
    assert_eq!(told["last_error"], Value::Null);
    assert_eq!(told["attempt"]["number"], 1);
    assert_eq!(told["attempt"]["outcome"], "accepted");
    assert_eq!(told["attempt"]["stage"], "final_reply");
    assert_eq!(told["attempt"]["route"], "primary");
}

#[tokio::test]
async fn one_that_is_refused_tells_how_far_it_came_and_what_was_said() {
    let service = Service::start().await;
    let form = json!({"email": "ann@example.org"});
    let asked = service.admin("POST", "test_mail", &form);
    // No courier runs here: this one refuses whatever is there first.
    let refused = async {
        let id = loop {
            let page = service.admin("GET", "outbox", &Value::Null).await.json();
            if let Some(id) = page["items"][0]["id"].as_str() {
                break id.parse().unwrap();
            }
        };
        tried(&service, id, Outcome::Temporary, b"451 4.7.1 later").await;
    };
    let (told, ()) = tokio::join!(asked, refused);
    let told = told.expect(200).json();
    assert_eq!(told["state"], "queued");
    assert_eq!(told["setback"], "451 4.7.1 later");
    assert_eq!(told["why"]["code"], "retry");
    assert_eq!(told["why"]["next_at"], told["next_at"]);
    assert_eq!(told["last_error"]["stage"], "rcpt_to");
    assert_eq!(told["attempt"]["outcome"], "temporary");
    assert_eq!(told["attempt"]["reply"], "451 4.7.1 later");
}

#[tokio::test]
async fn one_that_is_not_tried_tells_so_at_once() {
    let service = Service::start().await;
    let now = service.simulated.world().now();
    service.routes.show(vec![Status {
        name: RouteName::Primary,
        host: "smtp.example.com".to_owned(),
        port: 587,
        user: None,
        breaker: Breaker::Closed,
        paused: Some(Pause { at: now }),
        budget: Budget::default(),
        last_error: None,
        last_success_at: None,
        captures: false,
        connections: 0,
    }]);
    service
        .admin("POST", "routes/primary/pause", &Value::Null)
        .await;
    let form = json!({"email": "ann@example.org"});
    let told = service.admin("POST", "test_mail", &form).await;
    let told = told.expect(200).json();
    assert_eq!(told["state"], "queued");
    assert_eq!(told["why"]["code"], "route_paused");
    assert_eq!(told["attempt"], Value::Null);
    let took = service.simulated.world().now().since(now);
    assert!(took < Duration::from_secs(1), "{took:?}");
}
