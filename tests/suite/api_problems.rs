//! Whatever is asked wrongly is answered by a problem document that says what would be right.

use std::time::Duration;

use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::api_client::{Answer, Request, Service, faults, login, settings};

const LOGIN: &str = "/api/v1/auth/login";

#[tokio::test]
async fn a_body_that_is_not_json_is_told_with_its_place() {
    let service = Service::start().await;
    let body = b"{\"email\": \"a@example.com\",\n \"password\" 5}";
    let answer = service
        .send(Request::new("POST", LOGIN).body("application/json", body))
        .await;
    assert_eq!(answer.problem(), (400, "malformed_body".to_owned()));
    assert_eq!(
        (&answer.json()["line"], &answer.json()["column"]),
        (&json!(2), &json!(13))
    );
    let empty = service
        .send(Request::new("POST", LOGIN).body("application/json", b""))
        .await;
    assert_eq!(empty.problem(), (400, "malformed_body".to_owned()));
    let latin = Request::new("POST", LOGIN).body("application/json", b"{\"email\": \"\xe9\"}");
    assert_eq!(
        service.send(latin).await.problem(),
        (400, "malformed_body".to_owned())
    );
    let deep = "[".repeat(2000);
    let deep = Request::new("POST", LOGIN).body("application/json", deep.as_bytes());
    assert_eq!(
        service.send(deep).await.problem(),
        (400, "malformed_body".to_owned())
    );
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let service = Service::start().await;
    let body = login().to_string();
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let answer = service
            .send(Request::new("POST", LOGIN).body(kind, body.as_bytes()))
            .await;
        assert_eq!(
            answer.problem(),
            (415, "unsupported_media_type".to_owned()),
            "{kind}"
        );
    }
    let bare = service.send(Request::new("POST", LOGIN)).await;
    assert_eq!(bare.problem(), (415, "unsupported_media_type".to_owned()));
    let kind = "application/json; charset=utf-8";
    let answer = service
        .send(Request::new("POST", LOGIN).body(kind, body.as_bytes()))
        .await;
    assert_eq!(answer.problem(), (401, "credentials_refused".to_owned()));
}

#[tokio::test]
async fn all_fields_that_are_not_right_are_told_at_once() {
    let service = Service::start().await;
    let answer = service
        .post(
            "/api/v1/auth/register",
            &json!({"email": 5, "language": []}),
        )
        .await;
    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    let fault = |pointer: &str, code: &str| (pointer.to_owned(), code.to_owned());
    assert_eq!(
        faults(&answer.json()),
        [
            fault("/email", "wrong_type"),
            fault("/password", "required"),
            fault("/verification_token", "required"),
            fault("/language", "wrong_type"),
        ]
    );
    // Of the right type, and still not right: the domain says so, all fields at once.
    let form = json!({"email": "ann", "verification_type": "x", "language": "fr"});
    let answer = service
        .post("/api/v1/auth/send_verification_code", &form)
        .await;
    assert_eq!(answer.problem(), (422, "invalid_fields".to_owned()));
    let pointers: Vec<_> = faults(&answer.json())
        .into_iter()
        .map(|(pointer, _)| pointer)
        .collect();
    assert_eq!(pointers, ["/email", "/verification_type", "/language"]);
    let array = service.post(LOGIN, &json!([])).await;
    assert_eq!(faults(&array.json()), [fault("", "wrong_type")]);
    // null is as good as absent where a field may be absent; what is unknown does not matter.
    let form = json!({"email": "ann@example.org", "verification_type": "register",
        "language": null, "colour": "red"});
    service
        .post("/api/v1/auth/send_verification_code", &form)
        .await
        .expect(202);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_a_wrong_method_405_with_allow() {
    let service = Service::start().await;
    for path in [
        "/nothing",
        "/api",
        "/api/v1/auth/login/x",
        "/api/v1/auth//login",
        "/%00",
    ] {
        let answer = service.get(path).await;
        assert_eq!(answer.problem(), (404, "no_such_path".to_owned()), "{path}");
        assert_eq!(answer.json()["instance"], path);
    }
    for (method, path, allow) in [
        ("GET", LOGIN, "POST"),
        ("PUT", "/api/v1/auth/me/", "GET, HEAD, PATCH"),
        ("OPTIONS", LOGIN, "POST"),
        ("POST", "/api/v1/inbox/messages/7", "GET, HEAD, DELETE"),
        ("POST", "/api/v1/inbox/messages", "GET, HEAD, DELETE"),
        ("DELETE", "/openapi.json", "GET, HEAD"),
        ("BREW", "/healthz", "GET, HEAD"),
    ] {
        let answer = service.send(Request::new(method, path)).await;
        assert_eq!(
            answer.problem(),
            (405, "method_not_allowed".to_owned()),
            "{method} {path}"
        );
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
    }
}

#[tokio::test]
async fn a_trailing_slash_does_not_matter() {
    let service = Service::start().await;
    service.get("/healthz/").await.expect(200);
    service.get("/openapi.json/").await.expect(200);
    service
        .get("/api/v1/inbox/messages/?limit=5")
        .await
        .expect(200);
    let answer = service.post("/api/v1/auth/login/", &login()).await;
    assert_eq!(answer.problem(), (401, "credentials_refused".to_owned()));
    assert_eq!(answer.json()["instance"], "/api/v1/auth/login/");
    assert!(answer.header("www-authenticate").is_some());
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_however_it_comes() {
    let service = Service::start().await;
    let long = format!("{{\"email\": \"{}\"}}", "x".repeat(5000));
    let answer = service
        .send(Request::new("POST", LOGIN).body("application/json", long.as_bytes()))
        .await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("4096"));
    // Without a declared length.
    let mut chunked = Request::new("POST", LOGIN)
        .header("Content-Type", "application/json")
        .header("Transfer-Encoding", "chunked")
        .text();
    for _ in 0..5 {
        chunked.extend_from_slice(b"400\r\n");
        chunked.extend_from_slice(&[b' '; 0x400]);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    let answer = service.send_unchecked(&chunked).await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
    // A client that asks first sends nothing.
    let asking = Request::new("POST", LOGIN)
        .header("Content-Type", "application/json")
        .header("Content-Length", "999999999")
        .header("Expect", "100-continue");
    let answer = service.send_unchecked(&asking.text()).await;
    assert_eq!(answer.problem(), (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn a_body_that_never_comes_is_not_waited_for() {
    let service = Service::start().await;
    let begun = Request::new("POST", LOGIN)
        .header("Content-Type", "application/json")
        .header("Content-Length", "100");
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    stream.write_all(&begun.text()).await.unwrap();
    stream.write_all(b"{\"email\"").await.unwrap();
    let answer = service
        .until(Duration::from_secs(1), Answer::read(&mut stream))
        .await;
    assert_eq!(answer.problem(), (408, "body_timeout".to_owned()));
}

#[tokio::test]
async fn parameters_that_are_not_right_are_named() {
    let service = Service::start().await;
    for (path, pointer) in [
        ("/api/v1/inbox/messages?limit=many", "limit"),
        ("/api/v1/inbox/messages?limit=0", "limit"),
        ("/api/v1/inbox/messages?limit=201", "limit"),
        ("/api/v1/inbox/messages?limit=-1", "limit"),
        ("/api/v1/inbox/messages?cursor=x", "cursor"),
        ("/api/v1/inbox/messages?form=ann", "form"),
        ("/api/v1/inbox/wait?timeout=61", "timeout"),
        ("/api/v1/inbox/wait?timeout=NaN", "timeout"),
        ("/api/v1/inbox/wait?after=x", "after"),
        ("/api/v1/inbox/wait?q=x", "q"),
    ] {
        let answer = service.get(path).await;
        assert_eq!(
            answer.problem(),
            (400, "bad_parameter".to_owned()),
            "{path}"
        );
        let problem = answer.json();
        assert_eq!(faults(&problem)[0].0, pointer, "{path}");
        let detail = problem["errors"][0]["detail"].as_str().unwrap();
        assert!(
            !detail.contains("uint") && !detail.contains("number_"),
            "{detail}"
        );
    }
    // Somebody who filters means some of them, not all.
    let answer = service
        .delete("/api/v1/inbox/messages?to=ann@example.org")
        .await;
    assert_eq!(answer.problem(), (400, "bad_parameter".to_owned()));
}

#[tokio::test]
async fn head_answers_as_get_does_without_a_body() {
    let service = Service::start().await;
    for (path, status) in [("/healthz", 200), ("/nothing", 404), ("/openapi.json", 200)] {
        let answer = service
            .send(Request::new("HEAD", path))
            .await
            .expect(status);
        assert_eq!(answer.body, b"", "{path}");
    }
    let answer = service.send(Request::new("HEAD", LOGIN)).await.expect(405);
    assert_eq!(answer.header("allow"), Some("POST"));
}

#[tokio::test]
async fn the_request_id_is_ours() {
    let service = Service::start().await;
    let asked = Request::new("GET", "/healthz").header("X-Request-Id", "mine");
    let first = service.send(asked.clone()).await;
    let second = service.send(asked).await;
    let id = |answer: &Answer| answer.header("x-request-id").unwrap().to_owned();
    assert!(id(&first).starts_with("rq_"));
    assert_ne!(id(&first), id(&second));
}

#[tokio::test]
async fn a_limit_says_when_to_come_back() {
    let service = Service::start().await;
    let ask = json!({"email": "ann@example.org", "verification_type": "register"});
    let path = "/api/v1/auth/send_verification_code";
    service.post(path, &ask).await.expect(202);
    let answer = service.post(path, &ask).await;
    assert_eq!(answer.problem(), (429, "too_many_requests".to_owned()));
    assert_eq!(answer.json()["retry_after"], 60);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(answer.header("ratelimit"), Some("\"resend\";r=0;t=60"));
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some("\"resend\";q=1;w=60")
    );
}

#[tokio::test]
async fn a_store_that_is_gone_is_503_and_says_no_more() {
    let service = Service::start().await;
    let token = service
        .sign_up("ann@example.org", "correct horse battery")
        .await;
    service.store.close().await;
    let me = service
        .send(Request::new("GET", "/api/v1/auth/me").bearer(&token))
        .await;
    for answer in [
        me,
        service.get("/readyz").await,
        service.get("/api/v1/inbox/messages").await,
    ] {
        assert_eq!(answer.problem(), (503, "unavailable".to_owned()));
        assert_eq!(answer.header("retry-after"), Some("2"));
        assert!(!answer.text().contains("closed"), "{}", answer.text());
    }
    service.get("/healthz").await.expect(200);
}

#[tokio::test]
async fn a_client_address_is_believed_behind_trusted_proxies_alone() {
    let mut settings = settings();
    settings.accounts.limits.wrong_login_per_ip = "1/hour".parse().unwrap();
    settings.trusted_proxies = 1;
    let service = Service::start_with(settings).await;
    let wrong = |hops: &str| {
        let request = Request::new("POST", LOGIN).json(&login());
        service.send(request.header("X-Forwarded-For", hops))
    };
    wrong("192.0.2.1").await.expect(401);
    wrong("192.0.2.1").await.expect(429);
    // What the client itself claimed stands further left and does not help.
    wrong("203.0.113.77, 192.0.2.1").await.expect(429);
    wrong("192.0.2.2").await.expect(401);
}
