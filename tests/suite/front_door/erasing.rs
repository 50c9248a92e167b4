//! Deleting one's own account: by its password, for good.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

fn registered(gatepost: &Gatepost) -> String {
    let answer = gatepost.register("ann@example.com", PASSWORD);
    answer["session"]["token"].as_str().unwrap().to_owned()
}

fn delete(gatepost: &Gatepost, session: &str, password: &str) -> Answer {
    let form = json!({"current_password": password});
    gatepost.send("POST", "/api/v1/auth/delete_account", session, &form)
}

fn me(gatepost: &Gatepost, session: &str) -> Answer {
    gatepost.send("GET", "/api/v1/auth/me", session, &Value::Null)
}

#[test]
fn the_password_deletes_an_account_and_all_its_sessions_and_the_address_is_told() {
    let gatepost = Gatepost::start();
    let first = registered(&gatepost);
    let login = gatepost.login("ann@example.com", PASSWORD).expect(200);
    let second = login["session"]["token"].as_str().unwrap();
    delete(&gatepost, second, "wrong wrong wrong").expect_problem(403, "wrong_password");
    delete(&gatepost, "", PASSWORD).expect_problem(401, "unauthenticated");
    me(&gatepost, &first).expect(200);
    let before = gatepost.newest();
    assert_eq!(delete(&gatepost, second, PASSWORD).expect(204), Value::Null);
    let notice = gatepost.mail("ann@example.com", &before);
    assert_eq!(notice["codes"], json!([]), "{notice}");
    let page = gatepost.operate("GET", "outbox?kind=account_deleted");
    assert_eq!(page.expect(200)["items"][0]["to"], "ann@example.com");
    for session in [&first, second] {
        me(&gatepost, session).expect_problem(401, "unauthenticated");
        delete(&gatepost, session, PASSWORD).expect_problem(401, "unauthenticated");
    }
    gatepost
        .login("ann@example.com", PASSWORD)
        .expect_problem(401, "credentials_refused");
}

#[test]
fn guesses_at_the_password_are_counted() {
    let gatepost = Gatepost::start();
    let session = registered(&gatepost);
    let wrong = |_| delete(&gatepost, &session, "wrong wrong wrong");
    let last = (0..100).map(wrong).find(|answer| answer.status != 403);
    last.expect("a wait begins")
        .expect_problem(429, "too_many_requests");
    delete(&gatepost, &session, PASSWORD).expect_problem(429, "too_many_requests");
    me(&gatepost, &session).expect(200);
}

#[test]
fn the_address_is_free_at_once_and_what_was_mailed_before_leads_nowhere() {
    let gatepost = Gatepost::start();
    let session = registered(&gatepost);
    let before = gatepost.newest();
    let address = json!({"email": "ann@example.com"});
    gatepost
        .post("/api/v1/auth/password_reset", &address)
        .expect(202);
    let mail = gatepost.mail("ann@example.com", &before);
    let link = mail["links"][0].as_str().unwrap();
    let mut parts = link.split("/users/reset/").nth(1).unwrap().split('/');
    let (uid, token) = (parts.next().unwrap(), parts.next().unwrap());
    let link = json!({"uid": uid, "token": token, "new_password": "another staple gun"});
    let code = gatepost.code("ann@example.com", "reset_password");
    let code = json!({
        "email": "ann@example.com", "verification_type": "reset_password", "code": code,
    });
    let id = me(&gatepost, &session).expect(200)["id"].clone();
    // So that the pause between two registration codes is over.
    gatepost.clock.advance(Duration::from_secs(61));
    let before = gatepost.newest();
    delete(&gatepost, &session, PASSWORD).expect(204);
    gatepost.mail("ann@example.com", &before);
    let dead = || {
        gatepost
            .post("/api/v1/auth/password_reset/confirm", &link)
            .expect_problem(400, "link_refused");
        gatepost
            .post("/api/v1/auth/verify_code", &code)
            .expect_problem(400, "code_refused");
    };
    dead();
    let again = gatepost.register("ann@example.com", "another staple gun");
    assert_ne!(again["user"]["id"], id);
    dead();
    me(&gatepost, &session).expect_problem(401, "unauthenticated");
    gatepost
        .login("ann@example.com", PASSWORD)
        .expect_problem(401, "credentials_refused");
    gatepost
        .login("ann@example.com", "another staple gun")
        .expect(200);
}

#[test]
fn what_the_operator_looks_at_goes_on_without_the_account() {
    let gatepost = Gatepost::start();
    let session = registered(&gatepost);
    gatepost.code("ann@example.com", "reset_password");
    let id = me(&gatepost, &session).expect(200)["id"].clone();
    let id = id.as_str().unwrap();
    delete(&gatepost, &session, PASSWORD).expect(204);
    let look = |path: &str| gatepost.operate("GET", path).expect(200);
    let none = json!([]);
    assert_eq!(look("users")["items"], none);
    assert_eq!(look("sessions")["items"], none);
    assert_eq!(look("tokens?state=live")["items"], none);
    look("tokens");
    look("stats");
    look("outbox");
    look("timeline?email=ann@example.com");
    let audit = look("audit?action=delete_account");
    assert_eq!(audit["items"][0]["actor"], id, "{audit}");
    assert_eq!(audit["items"][0]["subject"], "ann@example.com", "{audit}");
}
