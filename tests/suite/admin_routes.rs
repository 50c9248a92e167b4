//! The routes of outgoing mail as the operator sees and switches them.

use std::time::Duration;

use gatepost::audit;
use gatepost::mail::attempt::Stage;
use gatepost::mail::route;
use gatepost::mail::route::{Breaker, Budget, LastError, RouteName, Status};
use gatepost::store::page::Ask;
use serde_json::Value;

use crate::api_client::{Request, Service};

fn status(name: RouteName) -> Status {
    Status {
        name,
        host: "smtp.example.com".to_owned(),
        port: 587,
        user: Some("team@example.com".to_owned()),
        breaker: Breaker::Closed,
        paused: None,
        budget: Budget::default(),
        last_error: None,
        last_success_at: None,
        captures: false,
        connections: 2,
    }
}

/// A service whose primary failed and rests.
async fn service() -> Service {
    let service = Service::start().await;
    let now = service.simulated.world().now();
    service.routes.show(vec![Status {
        breaker: Breaker::Open {
            since: now,
            probe_at: now + Duration::from_secs(60),
        },
        budget: Budget {
            per_day: Some(500),
            kept_for_codes: 100,
            spent: 41,
            ..Budget::default()
        },
        last_error: Some(LastError {
            at: now,
            stage: Stage::Auth,
            code: Some(535),
            text: "535 no".to_owned(),
            rule: None,
        }),
        ..status(RouteName::Primary)
    }]);
    service
}

#[tokio::test]
async fn a_route_tells_its_breaker_its_budget_and_its_last_error() {
    let service = service().await;
    let routes = service.admin("GET", "routes", &Value::Null).await;
    let routes = routes.expect(200).json();
    assert_eq!(routes["items"].as_array().map(Vec::len), Some(1));
    let primary = &routes["items"][0];
    assert_eq!(primary["name"], "primary");
    assert_eq!(primary["state"], "open");
    assert_eq!(primary["host"], "smtp.example.com");
    assert_eq!(primary["port"], 587);
    assert_eq!(primary["connections"], 2);
    assert!(primary["since"].is_string() && primary["next_probe_at"].is_string());
    assert_eq!(primary["budget"]["per_day"], 500);
    assert_eq!(primary["budget"]["spent"], 41);
    assert_eq!(primary["last_error"]["stage"], "auth");
    assert_eq!(primary["last_error"]["code"], 535);
    assert_eq!(primary["paused_at"], Value::Null);
}

#[tokio::test]
async fn a_pause_is_seen_at_once_outlasts_its_request_and_is_recorded() {
    let service = service().await;
    for _ in 0..2 {
        let paused = service.admin("POST", "routes/primary/pause", &Value::Null);
        let paused = paused.await.expect(200).json();
        assert_eq!(paused["state"], "paused");
        assert!(paused["paused_at"].is_string());
    }
    // The courier, which is not here, has not shown it yet.
    let listed = service.admin("GET", "routes", &Value::Null).await.json();
    assert_eq!(listed["items"][0]["state"], "paused");
    let stored = service
        .store
        .read(|read| route::paused(read, RouteName::Primary));
    assert!(stored.await.unwrap().is_some());
    service.simulated.advance(Duration::from_secs(1));
    let resumed = service.admin("POST", "routes/primary/resume", &Value::Null);
    assert_eq!(resumed.await.expect(200).json()["state"], "open");

    let page = service
        .store
        .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(10)));
    let entries = page.await.unwrap().items;
    let told: Vec<_> = entries
        .iter()
        .map(|entry| (&*entry.actor, &*entry.action, &*entry.subject))
        .collect();
    assert_eq!(
        told,
        [
            ("operator", "route_resume", "primary"),
            ("operator", "route_pause", "primary"),
        ]
    );
    assert_eq!(entries[0].ip, Some("127.0.0.1".parse().unwrap()));
}

#[tokio::test]
async fn a_route_that_is_not_set_up_is_not_there() {
    let service = service().await;
    for name in ["fallback", "nonsense", "Primary"] {
        let path = format!("routes/{name}/pause");
        let refused = service.admin("POST", &path, &Value::Null).await;
        assert_eq!(refused.problem(), (404, "not_found".to_owned()), "{name}");
    }
}

#[tokio::test]
async fn routes_need_the_operators_token_on_loopback_as_well() {
    let service = service().await;
    for (method, path) in [
        ("GET", ""),
        ("POST", "/primary/pause"),
        ("POST", "/primary/resume"),
    ] {
        let path = format!("/api/v1/admin/routes{path}");
        for token in ["", "gpa_wrong"] {
            let mut request = Request::new(method, &path);
            if !token.is_empty() {
                request = request.bearer(token);
            }
            let refused = service.send(request).await;
            assert_eq!(refused.problem(), (401, "admin_token_required".to_owned()));
        }
    }
    let stored = service
        .store
        .read(|read| route::paused(read, RouteName::Primary));
    assert_eq!(stored.await.unwrap(), None);
}
