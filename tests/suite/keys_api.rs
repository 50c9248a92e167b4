//! API keys as the operator handles them: shown once, stored as hashes, gone when revoked.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::harness::Gatepost;

const KEYS: &str = "/api/v1/admin/keys";

fn list(gatepost: &Gatepost) -> Vec<Value> {
    let answer = gatepost.send("GET", KEYS, &gatepost.admin(), &Value::Null);
    answer.expect(200)["items"].as_array().unwrap().clone()
}

fn order(gatepost: &Gatepost, key: &str) -> crate::harness::Answer {
    let mail = json!({"to": "ann@example.com", "subject": "Hello", "text": "Hello Ann"});
    gatepost.send("POST", "/api/v1/mail/send", key, &mail)
}

#[test]
fn a_key_is_shown_once_listed_and_revoked() {
    let gatepost = Gatepost::start();
    assert_eq!(list(&gatepost), Vec::<Value>::new());
    let (id, key) = gatepost.api_key("billing");
    assert!(id.starts_with("ak_") && key.starts_with("gpk_") && key.len() == 47);
    gatepost.clock.advance(Duration::from_secs(1));
    let (_, other) = gatepost.api_key("帳單 2");

    let listed = list(&gatepost);
    let names: Vec<_> = listed.iter().map(|key| key["name"].clone()).collect();
    assert_eq!(names, ["billing", "帳單 2"]);
    assert_eq!(listed[0]["id"], id);
    assert_eq!(listed[0]["last_used_at"], Value::Null);
    assert!(listed[0].get("key").is_none());

    let (_, lone) = order(&gatepost, &key)
        .expect(202)
        .as_object()
        .map(|mail| (mail.len(), mail["ordered_by"].clone()))
        .unwrap();
    assert_eq!(lone, id);
    let used = list(&gatepost)[0]["last_used_at"].clone();
    assert!(used.is_string());
    gatepost.clock.advance(Duration::from_secs(1800));
    order(&gatepost, &key).expect(202);
    assert_eq!(list(&gatepost)[0]["last_used_at"], used, "within the hour");
    gatepost.clock.advance(Duration::from_secs(1800));
    order(&gatepost, &key).expect(202);
    assert_ne!(list(&gatepost)[0]["last_used_at"], used);

    let revoke = || {
        gatepost.send(
            "DELETE",
            &format!("{KEYS}/{id}"),
            &gatepost.admin(),
            &Value::Null,
        )
    };
    revoke().expect(204);
    revoke().expect_problem(404, "not_found");
    order(&gatepost, &key).expect_problem(401, "api_key_required");
    order(&gatepost, &other).expect(202);
    assert_eq!(list(&gatepost).len(), 1);
    // The name is free again.
    gatepost.api_key("billing");
}

#[test]
fn a_name_is_visible_short_and_nobody_elses() {
    let gatepost = Gatepost::start();
    gatepost.api_key("billing");
    let long = "字".repeat(65);
    for (name, code) in [
        ("", "malformed"),
        (" \u{200b}", "malformed"),
        ("a\u{202e}b", "malformed"),
        ("a\nb", "malformed"),
        (long.as_str(), "malformed"),
        ("billing", "taken"),
        (" billing ", "taken"),
    ] {
        let answer = gatepost.send("POST", KEYS, &gatepost.admin(), &json!({"name": name}));
        let problem = answer.expect_problem(422, "invalid_fields");
        assert_eq!(problem["errors"][0]["pointer"], "/name", "{name:?}");
        assert_eq!(problem["errors"][0]["code"], code, "{name:?}");
    }
}

#[test]
fn keys_are_the_operators_alone_and_let_into_nothing_else() {
    let gatepost = Gatepost::start();
    let (id, key) = gatepost.api_key("billing");
    for token in ["", "gpa_wrong", &key] {
        let form = json!({"name": "mine"});
        for answer in [
            gatepost.send("GET", KEYS, token, &Value::Null),
            gatepost.send("POST", KEYS, token, &form),
            gatepost.send("DELETE", &format!("{KEYS}/{id}"), token, &Value::Null),
        ] {
            answer.expect_problem(401, "admin_token_required");
        }
    }
    let session = gatepost.register("ann@example.com", "walnut harbour 9");
    let session = session["session"]["token"].as_str().unwrap();
    let changed = key.to_uppercase();
    for token in [
        "",
        "gpk_",
        "gpk_x",
        &changed,
        session,
        &gatepost.admin(),
        &format!("{key}x"),
    ] {
        let problem = order(&gatepost, token).expect_problem(401, "api_key_required");
        assert!(!problem.to_string().contains(&key));
    }
    let me = gatepost.send("GET", "/api/v1/auth/me", &key, &Value::Null);
    me.expect_problem(401, "unauthenticated");
}

#[test]
fn keys_outlive_a_restart_and_are_not_in_the_store_in_the_clear() {
    let mut gatepost = Gatepost::start();
    let (_, key) = gatepost.api_key("billing");
    order(&gatepost, &key).expect(202);
    gatepost.restart();
    order(&gatepost, &key).expect(202);
    let store = std::fs::read(gatepost.data().join("store.redb")).unwrap();
    assert!(memchr::memmem::find(&store, b"billing").is_some());
    assert!(memchr::memmem::find(&store, key.as_bytes()).is_none());
    let bits = key.strip_prefix("gpk_").unwrap();
    assert!(memchr::memmem::find(&store, bits.as_bytes()).is_none());
}
