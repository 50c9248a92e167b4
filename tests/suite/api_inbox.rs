//! Captured mail through the API: pages, one mail, its bytes, waiting for one.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api_client::{Answer, Request, Service};

const MESSAGES: &str = "/api/v1/inbox/messages";

fn ids(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn pages_go_from_the_newest_to_the_oldest() {
    let service = Service::start().await;
    let empty = service.get(MESSAGES).await.expect(200).json();
    let nothing = json!({"items": [], "next_cursor": null, "prev_cursor": null, "total": 0});
    assert_eq!(empty, nothing);
    for number in 1..=5 {
        service
            .capture("ann@example.org", &format!("Nr. {number}"), "Hello")
            .await;
    }
    let first = service
        .get(&format!("{MESSAGES}?limit=2&to=ann%40example.org"))
        .await
        .expect(200);
    assert_eq!(ids(&first.json()), ["5", "4"]);
    assert_eq!(first.json()["total"], 5);
    let link = first.header("link").unwrap();
    let next = link
        .strip_prefix('<')
        .unwrap()
        .strip_suffix(">; rel=\"next\"")
        .unwrap();
    assert!(next.contains("to=ann%40example.org"), "{next}");
    let second = service.get(next).await.expect(200);
    assert_eq!(ids(&second.json()), ["3", "2"]);
    let cursor = second.json()["next_cursor"].as_str().unwrap().to_owned();
    let last = service
        .get(&format!("{MESSAGES}/?limit=2&cursor={cursor}"))
        .await
        .expect(200);
    assert_eq!(ids(&last.json()), ["1"]);
    assert_eq!(last.json()["next_cursor"], Value::Null);
    assert_eq!(last.header("link"), None);
    let item = &first.json()["items"][0];
    assert_eq!(
        item["envelope"],
        json!({"from": "shop@example.com", "to": ["ann@example.org"]})
    );
    assert_eq!(item["subject"], "Nr. 5");
    assert_eq!(item["outbox_id"], Value::Null);
}

#[tokio::test]
async fn filters_all_count() {
    let service = Service::start().await;
    service
        .capture("ann@example.org", "Your code", "It is 482913.")
        .await;
    service
        .capture("bob@example.org", "Your code", "It is 771200.")
        .await;
    for (query, found) in [
        ("to=ann@example.org", vec!["1"]),
        ("to=%40example.org", vec!["2", "1"]),
        ("subject=CODE&to=bob@example.org", vec!["2"]),
        ("q=771200", vec!["2"]),
        ("from=shop@example.com", vec!["2", "1"]),
        ("from=nobody@example.com", vec![]),
    ] {
        let page = service
            .get(&format!("{MESSAGES}?{query}"))
            .await
            .expect(200)
            .json();
        assert_eq!(ids(&page), found, "{query}");
    }
}

#[tokio::test]
async fn a_mail_is_shown_with_all_that_is_in_it() {
    let service = Service::start().await;
    let text = "Your code is 482913.\r\nhttps://example.com/users/reset/x/y/";
    let id = service.capture("ann@example.org", "Your code", text).await;
    let mail = service
        .get(&format!("{MESSAGES}/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(mail["codes"], json!(["482913"]));
    assert_eq!(
        mail["links"],
        json!(["https://example.com/users/reset/x/y/"])
    );
    assert_eq!(
        mail["headers"][0],
        json!({"name": "From", "value": "Shop <shop@example.com>"})
    );
    assert_eq!(mail["message_id"], "x@example.com");
    assert_eq!(mail["html"], Value::Null);
    assert_eq!(mail["received_at"], "2026-01-01T00:00:00.000Z");
    let raw = service
        .get(&format!("{MESSAGES}/{id}/raw"))
        .await
        .expect(200);
    assert!(raw.text().ends_with(&format!("\r\n\r\n{text}\r\n")));
    assert_eq!(
        raw.header("content-disposition"),
        Some("attachment; filename=\"1.eml\"")
    );
    for path in [
        "99",
        "99/raw",
        "x",
        "1/attachments/0",
        "1/attachments/x",
        "18446744073709551616",
    ] {
        let answer = service.get(&format!("{MESSAGES}/{path}")).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn an_attachment_is_a_download_and_nothing_else() {
    let service = Service::start().await;
    let raw = b"From: a@example.com\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n\
        --b\r\nContent-Type: text/html\r\n\
        Content-Disposition: attachment; filename=\"../evil.html\"\r\n\r\n\
        <script>alert(1)</script>\r\n--b--\r\n";
    let id = service.capture_raw("ann@example.org", raw.to_vec()).await;
    let mail = service
        .get(&format!("{MESSAGES}/{id}"))
        .await
        .expect(200)
        .json();
    assert_eq!(mail["attachments"][0]["content_type"], "text/html");
    let part = service
        .get(&format!("{MESSAGES}/{id}/attachments/0"))
        .await
        .expect(200);
    assert_eq!(part.text().trim_end(), "<script>alert(1)</script>");
    assert_eq!(
        part.header("content-type"),
        Some("application/octet-stream")
    );
    let named = part.header("content-disposition").unwrap();
    assert!(
        named.starts_with("attachment; ") && !named.contains('/'),
        "{named}"
    );
    let policy = part.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox"), "{policy}");
}

#[tokio::test]
async fn mails_are_deleted_one_by_one_or_all() {
    let service = Service::start().await;
    for _ in 0..3 {
        service.capture("ann@example.org", "Hello", "Hello").await;
    }
    service.delete(&format!("{MESSAGES}/2")).await.expect(204);
    service.delete(&format!("{MESSAGES}/2/")).await.expect(404);
    assert_eq!(
        service.delete(MESSAGES).await.expect(200).json(),
        json!({"deleted": 2})
    );
    assert_eq!(service.get(MESSAGES).await.json()["total"], 0);
}

#[tokio::test]
async fn waiting_finds_what_is_there_what_comes_and_gives_up_in_time() {
    let service = Service::start().await;
    let id = service.capture("ann@example.org", "First", "482913").await;
    let there = service
        .get("/api/v1/inbox/wait?to=ann@example.org")
        .await
        .expect(200);
    assert_eq!(there.json()["id"], id.to_string());
    // What comes while the request waits.
    let path = format!("/api/v1/inbox/wait?to=ann@example.org&subject=Second&after={id}");
    let (came, ()) = tokio::join!(service.get(&path), async {
        service
            .capture("bob@example.org", "Second", "not this one")
            .await;
        service.capture("ann@example.org", "Second", "771200").await;
    });
    assert_eq!(came.expect(200).json()["codes"], json!(["771200"]));
    // Nothing comes: the clock is moved until the answer is there.
    let path = "/api/v1/inbox/wait?to=carl@example.org&timeout=1.5";
    let began = service.simulated.world().elapsed();
    let late = service
        .until(Duration::from_millis(500), service.get(path))
        .await
        .expect(204);
    assert_eq!(late.body, b"");
    let took = service.simulated.world().elapsed() - began;
    assert!(took >= Duration::from_millis(1500), "{took:?}");
}

#[tokio::test]
async fn a_wait_ends_when_the_service_is_stopped() {
    let mut service = Service::start().await;
    let mut stream = TcpStream::connect(service.address).await.unwrap();
    // After a first answer the idle connection sleeps; then the wait does as well.
    stream
        .write_all(b"HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .await
        .unwrap();
    while service.simulated.sleeping() < 1 {
        tokio::task::yield_now().await;
    }
    let mut head = [0; 2048];
    assert!(stream.read(&mut head).await.unwrap() > 0);
    let ask = Request::new("GET", "/api/v1/inbox/wait?timeout=60").text();
    stream.write_all(&ask).await.unwrap();
    while service.simulated.sleeping() < 2 {
        tokio::task::yield_now().await;
    }
    service.stop();
    let answer = Answer::read(&mut stream).await;
    assert_eq!(answer.problem(), (503, "shutting_down".to_owned()));
    assert!(answer.header("retry-after").is_some());
}
