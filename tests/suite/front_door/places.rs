//! From where a session was last used, as its owner and the operator see it.

use std::time::Duration;

use crate::harness::Gatepost;
use serde_json::Value;

const PASSWORD: &str = "correct horse battery";

fn use_from(gatepost: &Gatepost, ip: &str, path: &str, token: &str) -> Value {
    let from = [("X-Forwarded-For", ip)];
    gatepost
        .send_with(&from, "GET", path, token, &Value::Null)
        .expect(200)
}

/// The session, once its place of last use is `ip`: that is written down beside the answer.
fn noted(gatepost: &Gatepost, ip: &str, token: &str) -> Value {
    loop {
        let list = use_from(gatepost, ip, "/api/v1/auth/sessions", token);
        if list["items"][0]["last_ip"] == ip {
            return list["items"][0].clone();
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_session_shows_from_where_it_was_last_used_noted_once_a_minute() {
    let gatepost = Gatepost::with(&[("GATEPOST_HTTP_TRUSTED_PROXIES", "1")]);
    let registered = gatepost.register("ann@example.com", PASSWORD);
    let token = registered["session"]["token"].as_str().unwrap();
    let begun = use_from(&gatepost, "203.0.113.1", "/api/v1/auth/sessions", token);
    let begun = &begun["items"][0];
    assert_eq!(begun["last_ip"], begun["ip"]);

    gatepost.clock.advance(Duration::from_secs(61));
    let first = noted(&gatepost, "203.0.113.1", token);
    assert_eq!(first["ip"], begun["ip"], "where it began stays");
    assert!(first["last_used_at"].as_str() > begun["last_used_at"].as_str());

    // Too soon after: a write that were begun now would be there before the next that is due.
    gatepost.clock.advance(Duration::from_secs(30));
    for _ in 0..20 {
        let list = use_from(&gatepost, "203.0.113.2", "/api/v1/auth/sessions", token);
        assert_eq!(list["items"][0]["last_ip"], "203.0.113.1");
        assert_eq!(list["items"][0]["last_used_at"], first["last_used_at"]);
    }
    gatepost.clock.advance(Duration::from_secs(31));
    let second = noted(&gatepost, "203.0.113.2", token);
    assert_eq!(second["ip"], begun["ip"]);

    // From the same place it is not written down again for an hour.
    gatepost.clock.advance(Duration::from_secs(600));
    for _ in 0..20 {
        let list = use_from(&gatepost, "203.0.113.2", "/api/v1/auth/sessions", token);
        assert_eq!(list["items"][0]["last_used_at"], second["last_used_at"]);
    }
    let all = gatepost
        .operate("GET", "sessions?q=203.0.113.2")
        .expect(200);
    assert_eq!(all["items"][0]["last_ip"], "203.0.113.2", "{all}");
    assert_eq!(all["items"][0]["ip"], begun["ip"], "{all}");
}
