//! Who may see captured mail and metrics: the operator, and in `dev` whoever sits at the machine.

use crate::api_client::{ADMIN, Request, Service, settings};
use crate::process::Process;

const MESSAGES: &str = "/api/v1/inbox/messages";

fn ask() -> Request {
    Request::new("GET", MESSAGES)
}

#[tokio::test]
async fn in_dev_this_machine_needs_no_token_under_its_own_names() {
    let service = Service::start().await;
    for host in [
        "localhost",
        "localhost:8000",
        "127.0.0.1:1",
        "[::1]:8000",
        "mail.test",
    ] {
        service.send(ask().header("Host", host)).await.expect(200);
    }
    // A page whose own name was made to resolve to 127.0.0.1 still names itself.
    for host in [
        "evil.test",
        "evil.test:8000",
        "localhost.evil.test",
        "127.0.0.1.evil.test",
    ] {
        let answer = service.send(ask().header("Host", host)).await;
        assert_eq!(answer.problem(), (403, "host_refused".to_owned()), "{host}");
    }
    let twice = b"GET /api/v1/inbox/messages HTTP/1.1\r\nHost: localhost\r\nHost: evil.test\r\n\
        Connection: close\r\n\r\n";
    assert_ne!(service.send_unchecked(twice).await.status, 200);
}

#[tokio::test]
async fn pages_of_other_origins_are_refused() {
    let service = Service::start().await;
    let own = ask().header("Host", "localhost:8000");
    service
        .send(own.clone().header("Origin", "http://localhost:8000"))
        .await
        .expect(200);
    for site in ["same-origin", "none"] {
        service
            .send(own.clone().header("Sec-Fetch-Site", site))
            .await
            .expect(200);
    }
    for (name, value) in [
        ("Origin", "http://evil.test"),
        ("Origin", "http://localhost:3000"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let answer = service.send(own.clone().header(name, value)).await;
        assert_eq!(
            answer.problem(),
            (403, "origin_refused".to_owned()),
            "{name}: {value}"
        );
    }
    // One that stands there twice is no reason to look away, in whatever order.
    for sites in [["same-origin", "cross-site"], ["cross-site", "none"]] {
        let mut twice = own.clone();
        for site in sites {
            let header = ("Sec-Fetch-Site".to_owned(), site.to_owned());
            twice.headers.push(header);
        }
        let answer = service.send(twice).await;
        assert_eq!(answer.problem(), (403, "origin_refused".to_owned()));
    }
    let delete = Request::new("DELETE", MESSAGES).header("Origin", "http://evil.test");
    service.send(delete).await.expect(403);
}

#[tokio::test]
async fn the_operators_token_opens_it_from_anywhere() {
    let service = Service::start().await;
    let far = ask()
        .header("Host", "evil.test")
        .header("Origin", "http://evil.test");
    service.send(far.clone().bearer(ADMIN)).await.expect(200);
    let wrong = service.send(far.bearer("gpa_other")).await;
    assert_eq!(wrong.problem(), (401, "admin_token_required".to_owned()));
}

#[tokio::test]
async fn outside_of_dev_nothing_opens_without_the_token() {
    let mut settings = settings();
    settings.open_on_loopback = false;
    let service = Service::start_with(settings).await;
    for (method, path) in [
        ("GET", MESSAGES),
        ("DELETE", MESSAGES),
        ("GET", "/api/v1/inbox/messages/1"),
        ("GET", "/api/v1/inbox/messages/1/raw"),
        ("GET", "/api/v1/inbox/messages/1/attachments/0"),
        ("DELETE", "/api/v1/inbox/messages/1"),
        ("GET", "/api/v1/inbox/wait?timeout=0"),
        ("GET", "/metrics"),
    ] {
        let answer = service.send(Request::new(method, path)).await;
        assert_eq!(
            answer.problem(),
            (401, "admin_token_required".to_owned()),
            "{method} {path}"
        );
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
    }
    service.send(ask().bearer(ADMIN)).await.expect(200);
    // A session is not the operator's token.
    let session = service
        .sign_up("ann@example.org", "correct horse battery")
        .await;
    service.send(ask().bearer(&session)).await.expect(401);
}

#[test]
fn a_proxy_that_nobody_told_of_is_warned_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let service = Process::start("dev", folder.path(), &[]);
    // One that wants to know who asks.
    let url = format!("http://{}/api/v1/auth/logout", service.http);
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .build()
        .into();
    let warnings = || {
        let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
        log.matches("http.trusted_proxies").count()
    };
    let ask = |name: &str| {
        let request = agent.post(&url).header("Authorization", "Bearer gps_x");
        request.header(name, "192.0.2.1").send_empty().unwrap();
    };
    ask("X-Other");
    assert_eq!(warnings(), 0);
    ask("X-Forwarded-For");
    ask("Forwarded");
    assert_eq!(warnings(), 1);
    service.stop();
}
