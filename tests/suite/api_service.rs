//! Health, metrics, the document's pages, and connections that misbehave.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use gatepost::mail::route::{Breaker, Budget, RouteName, Status};

use crate::api_client::{ADMIN, Request, Service, settings};
use crate::harness::Gatepost;

#[tokio::test]
async fn health_and_readiness() {
    let service = Service::start().await;
    assert_eq!(
        service.get("/healthz").await.expect(200).json()["status"],
        "ok"
    );
    assert_eq!(
        service.get("/readyz").await.expect(200).json()["status"],
        "ok"
    );
}

#[tokio::test]
async fn metrics_tell_requests_mails_and_the_outbox() {
    let service = Service::start().await;
    service.capture("ann@example.org", "Hello", "Hello").await;
    service
        .sign_up("ann@example.org", "correct horse battery")
        .await;
    service.get("/nothing").await.expect(404);
    // No courier runs here: the mail has been due for as long.
    service.simulated.advance(Duration::from_secs(7));
    let text = service.get("/metrics").await.expect(200).text();
    for line in [
        "gatepost_http_requests_total{method=\"POST\",route=\"/api/v1/auth/register\",status=\"201\"} 1",
        "gatepost_http_requests_total{method=\"unknown\",route=\"unknown\",status=\"404\"} 1",
        "gatepost_http_request_duration_seconds_count{method=\"POST\",route=\"/api/v1/auth/register\"} 1",
        "gatepost_inbox_mails 1",
        "gatepost_outbox_overdue_seconds 7.0",
        "gatepost_outbox_oldest_seconds 7.0",
        "gatepost_password_hashes_total 1",
        "gatepost_password_hashes_waiting 0",
        "gatepost_outbox_mails{state=\"queued\"} 1",
        "# EOF",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn metrics_tell_how_the_routes_are() {
    let service = Service::start().await;
    let text = service.get("/metrics").await.expect(200).text();
    assert!(!text.contains("gatepost_route_breaker{"), "{text}");
    let now = service.simulated.world().now();
    let route = |name, breaker, per_day| Status {
        name,
        host: "smtp.example.com".to_owned(),
        port: 587,
        user: None,
        breaker,
        paused: None,
        budget: Budget {
            per_day,
            spent: 41,
            ..Budget::default()
        },
        last_error: None,
        last_success_at: None,
        captures: false,
        connections: 2,
    };
    let open = Breaker::Open {
        since: now,
        probe_at: now,
    };
    service.routes.show(vec![
        route(RouteName::Primary, open, Some(500)),
        route(RouteName::Fallback, Breaker::Closed, None),
    ]);
    service
        .admin("POST", "routes/fallback/pause", &serde_json::Value::Null)
        .await
        .expect(200);
    let text = service.get("/metrics").await.expect(200).text();
    for line in [
        "gatepost_route_breaker{route=\"primary\"} 1.0",
        "gatepost_route_breaker{route=\"fallback\"} 0.0",
        "gatepost_route_paused{route=\"primary\"} 0",
        "gatepost_route_paused{route=\"fallback\"} 1",
        "gatepost_route_budget_spent{route=\"primary\"} 41",
        "gatepost_route_budget_limit{route=\"primary\"} 500",
        "gatepost_route_connections{route=\"fallback\"} 2",
        "gatepost_mail_attempts_total{route=\"primary\",outcome=\"accepted\"} 0",
        "gatepost_mail_delivery_seconds_count{lane=\"ordinary\"} 0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    assert!(!text.contains("gatepost_route_budget_limit{route=\"fallback\"}"));
}

/// The whole road, where a courier counts.
#[test]
fn metrics_tell_what_was_tried_and_how_long_it_took() {
    let gatepost = Gatepost::start();
    gatepost.code("ann@example.org", "register");
    loop {
        let page = gatepost.operate("GET", "outbox?state=sent").expect(200);
        if page["counts"]["sent"] == 1 {
            break;
        }
    }
    let text = gatepost.get("/metrics").text;
    for line in [
        "gatepost_mail_attempts_total{route=\"primary\",outcome=\"accepted\"} 1",
        "gatepost_mail_delivery_seconds_count{lane=\"prompt\"} 1",
        "gatepost_mail_delivery_seconds_bucket{le=\"+Inf\",lane=\"prompt\"} 1",
        "gatepost_outbox_mails{state=\"sent\"} 1",
        "gatepost_outbox_oldest_seconds 0.0",
        "gatepost_route_breaker{route=\"primary\"} 0.0",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}

#[tokio::test]
async fn metrics_are_open_when_the_setting_says_so() {
    let mut settings = settings();
    settings.open_on_loopback = false;
    settings.open_metrics = true;
    let service = Service::start_with(settings).await;
    service.get("/metrics").await.expect(200);
    service
        .send(Request::new("GET", "/metrics").bearer(ADMIN))
        .await
        .expect(200);
    service.get("/api/v1/inbox/messages").await.expect(401);
}

#[tokio::test]
async fn the_browser_is_one_page_that_asks_nobody_else() {
    let service = Service::start().await;
    let docs = service.get("/docs").await.expect(200);
    assert_eq!(
        docs.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = docs.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'") && policy.contains("connect-src 'self'"));
    let scripts = policy
        .split("script-src ")
        .nth(1)
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    assert_eq!(scripts.matches("'sha256-").count(), 2, "{scripts}");
    assert!(!scripts.contains("unsafe"), "{scripts}");
    let html = docs.text();
    // Nothing in the page's own markup leads outside; the policy holds the scripts to that too.
    let (head, rest) = html.split_once("<script>").unwrap();
    let (_, ours) = rest.split_once("</script>").unwrap();
    for markup in [head, ours] {
        for outside in ["\"//", "(//", "@import", "<iframe", "src="] {
            assert!(!markup.contains(outside), "{outside}");
        }
    }
    assert!(!head.contains("http") && ours.contains("send_verification_code"));
    assert!(ours.contains("href=\"./openapi.json\""));
    let below = service.get("/docs/").await.expect(200).text();
    assert!(below.contains("href=\"../openapi.json\""));
}

#[tokio::test]
async fn the_document_is_served_as_it_is_printed() {
    let service = Service::start().await;
    let json = service.get("/openapi.json").await.expect(200);
    assert_eq!(json.json(), service.document);
    let yaml = service.get("/openapi.yaml").await.expect(200).text();
    assert!(
        yaml.starts_with("openapi: \"3.0.3\"\ninfo:\n"),
        "{yaml:.60}"
    );
}

#[tokio::test]
async fn a_head_that_never_ends_is_not_waited_for() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: loc")
        .await
        .unwrap();
    let began = service.simulated.world().elapsed();
    let mut rest = Vec::new();
    let read = stream.read_to_end(&mut rest);
    // Closed or reset, and without an answer.
    drop(service.until(Duration::from_secs(1), read).await);
    assert_eq!(rest, b"");
    let took = service.simulated.world().elapsed() - began;
    assert!(took < Duration::from_secs(60), "{took:?}");
}

#[tokio::test]
async fn a_connection_serves_one_request_after_another() {
    let service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    for _ in 0..3 {
        stream
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        let mut seen = Vec::new();
        while !seen.ends_with(b"{\"status\":\"ok\"}") {
            let mut some = [0; 1024];
            let count = stream.read(&mut some).await.unwrap();
            assert!(count > 0, "closed");
            seen.extend_from_slice(&some[..count]);
        }
        // Less than the idle time goes by in between.
        service.simulated.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn whoever_finds_no_place_waits_for_one() {
    let mut settings = settings();
    settings.connections = 1;
    let service = Service::start_with(settings).await;
    let mut first = TcpStream::connect(service.address).await.unwrap();
    first
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    let mut some = [0; 1024];
    assert!(first.read(&mut some).await.unwrap() > 0);
    // It lies idle; the second comes in once its time is up.
    let second = service
        .until(Duration::from_secs(5), service.get("/healthz"))
        .await;
    second.expect(200);
}
