//! Deleting one's account: everything about it ends, and nothing else falls over.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";
const ANN: &str = "ann@example.com";

fn delete(gatepost: &Gatepost, session: &str, password: &str) -> Answer {
    let form = json!({"current_password": password});
    gatepost.send("POST", "/api/v1/auth/delete_account", session, &form)
}

fn token(answer: &Value) -> String {
    answer["session"]["token"].as_str().unwrap().to_owned()
}

#[test]
fn an_account_is_gone_with_its_sessions_and_its_address_is_free() {
    let gatepost = Gatepost::start();
    let first = token(&gatepost.register(ANN, PASSWORD));
    let second = token(&gatepost.login(ANN, PASSWORD).expect(200));
    let reset = gatepost.code(ANN, "reset_password");
    delete(&gatepost, &first, "wrong one here").expect_problem(403, "wrong_password");
    let before = gatepost.newest();
    assert_eq!(delete(&gatepost, &first, PASSWORD).status, 204);
    let notice = gatepost.mail(ANN, &before);
    assert!(
        notice["text"].as_str().unwrap().contains("was deleted on"),
        "{notice}"
    );
    for session in [&first, &second] {
        let me = gatepost.send("GET", "/api/v1/auth/me", session, &Value::Null);
        me.expect_problem(401, "unauthenticated");
    }
    gatepost
        .login(ANN, PASSWORD)
        .expect_problem(401, "credentials_refused");
    // The operator's lists outlive it.
    for list in [
        "users",
        "sessions",
        "tokens",
        "audit",
        "stats",
        "timeline?email=ann@example.com",
    ] {
        gatepost.operate("GET", list).expect(200);
    }
    let users = gatepost.operate("GET", "users").expect(200);
    assert_eq!(users["items"], json!([]), "{users}");
    let sessions = gatepost.operate("GET", "sessions").expect(200);
    assert_eq!(sessions["items"], json!([]), "{sessions}");
    // A code that was mailed to get back into the old account opens no other.
    gatepost.clock.advance(Duration::from_secs(61));
    let again = gatepost.register(ANN, "another staple gun");
    let form = json!({"email": ANN, "verification_type": "reset_password", "code": reset});
    gatepost
        .post("/api/v1/auth/verify_code", &form)
        .expect_problem(400, "code_refused");
    let me = gatepost.send("GET", "/api/v1/auth/me", &token(&again), &Value::Null);
    assert_eq!(me.expect(200)["email"], ANN);
}

#[test]
fn a_reset_link_of_a_deleted_account_leads_nowhere() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register(ANN, PASSWORD));
    let before = gatepost.newest();
    gatepost
        .post("/api/v1/auth/password_reset", &json!({"email": ANN}))
        .expect(202);
    let link = gatepost.mail(ANN, &before)["links"][0]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(delete(&gatepost, &session, PASSWORD).status, 204);
    gatepost.clock.advance(Duration::from_secs(61));
    gatepost.register(ANN, PASSWORD);
    let mut parts = link.trim_end_matches('/').rsplit('/');
    let (token, uid) = (parts.next().unwrap(), parts.next().unwrap());
    let form = json!({"uid": uid, "token": token, "new_password": "another staple gun"});
    gatepost
        .post("/api/v1/auth/password_reset/confirm", &form)
        .expect_problem(400, "link_refused");
}

#[test]
fn who_is_not_logged_in_deletes_nothing() {
    let gatepost = Gatepost::start();
    gatepost.register(ANN, PASSWORD);
    delete(&gatepost, "", PASSWORD).expect_problem(401, "unauthenticated");
    delete(&gatepost, "gps_none", PASSWORD).expect_problem(401, "unauthenticated");
    gatepost.login(ANN, PASSWORD).expect(200);
}
