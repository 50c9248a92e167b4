//! Changing the address of an account: by password and by a code that the new address receives.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";
const OLD: &str = "ann@example.com";
const NEW: &str = "ann.lee@example.org";

fn session(gatepost: &Gatepost, address: &str) -> String {
    let answer = gatepost.register(address, PASSWORD);
    answer["session"]["token"].as_str().unwrap().to_owned()
}

fn ask(gatepost: &Gatepost, session: &str, address: &str, password: &str) -> Answer {
    let form = json!({"new_email": address, "current_password": password});
    gatepost.send("POST", "/api/v1/auth/change_email", session, &form)
}

fn confirm(gatepost: &Gatepost, session: &str, address: &str, code: &str) -> Answer {
    let form = json!({"new_email": address, "code": code});
    gatepost.send("POST", "/api/v1/auth/change_email/confirm", session, &form)
}

/// Asks, and reads the code out of the mail to the new address.
fn code(gatepost: &Gatepost, session: &str, address: &str) -> String {
    let before = gatepost.newest();
    ask(gatepost, session, address, PASSWORD).expect(202);
    let mail = gatepost.mail(address, &before);
    mail["codes"][0].as_str().expect("a code").to_owned()
}

fn me(gatepost: &Gatepost, session: &str) -> Answer {
    gatepost.send("GET", "/api/v1/auth/me", session, &Value::Null)
}

#[test]
fn the_address_changes_when_its_mail_was_read_and_the_old_one_is_told() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let other = gatepost.login(OLD, PASSWORD).expect(200);
    let other = other["session"]["token"].as_str().unwrap();
    let link = {
        let before = gatepost.newest();
        gatepost
            .post("/api/v1/auth/password_reset", &json!({"email": OLD}))
            .expect(202);
        gatepost.mail(OLD, &before)["links"][0]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let code = code(&gatepost, &session, NEW);
    // Until then nothing is changed.
    assert_eq!(me(&gatepost, &session).expect(200)["email"], OLD);
    let before = gatepost.newest();
    let user = confirm(&gatepost, &session, NEW, &code).expect(200);
    assert_eq!(user["email"], NEW);
    let notice = gatepost.mail(OLD, &before);
    assert!(
        notice["text"].as_str().unwrap().contains("was changed on"),
        "{notice}"
    );
    assert!(!notice.to_string().contains(NEW), "{notice}");
    assert_eq!(me(&gatepost, &session).expect(200)["email"], NEW);
    me(&gatepost, other).expect_problem(401, "unauthenticated");
    gatepost
        .login(OLD, PASSWORD)
        .expect_problem(401, "credentials_refused");
    gatepost.login(NEW, PASSWORD).expect(200);
    // What was mailed to get back in died with the old address.
    let mut parts = link.trim_end_matches('/').rsplit('/');
    let (token, uid) = (parts.next().unwrap(), parts.next().unwrap());
    let reset = json!({"uid": uid, "token": token, "new_password": "another staple gun"});
    gatepost
        .post("/api/v1/auth/password_reset/confirm", &reset)
        .expect_problem(400, "link_refused");
    // The old one is free again, and the code was good once.
    confirm(&gatepost, &session, NEW, &code).expect_problem(400, "code_refused");
    gatepost.clock.advance(Duration::from_secs(61));
    gatepost.register(OLD, PASSWORD);
}

#[test]
fn the_password_has_to_be_known_and_wrong_ones_are_counted() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let before = gatepost.newest();
    for _ in 0..5 {
        ask(&gatepost, &session, NEW, "wrong one here").expect_problem(403, "wrong_password");
    }
    ask(&gatepost, &session, NEW, PASSWORD).expect_problem(429, "too_many_requests");
    assert_eq!(gatepost.newest(), before, "a mail went out");
    ask(&gatepost, "gps_none", NEW, PASSWORD).expect_problem(401, "unauthenticated");
    let form = json!({"new_email": "ann", "current_password": ""});
    let refused = gatepost.send("POST", "/api/v1/auth/change_email", &session, &form);
    let problem = refused.expect_problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["pointer"], "/new_email", "{problem}");
    assert_eq!(
        problem["errors"][1]["pointer"], "/current_password",
        "{problem}"
    );
}

#[test]
fn whether_the_new_address_has_an_account_is_told_by_mail_alone() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    gatepost.register("bob@example.com", PASSWORD);
    let [taken, free] = ["bob@example.com", "nobody@example.com"].map(|address| {
        let before = gatepost.newest();
        let answer = ask(&gatepost, &session, address, PASSWORD).expect(202);
        let keys: Vec<String> = answer.as_object().unwrap().keys().cloned().collect();
        (
            keys,
            answer["attempts_left"].clone(),
            gatepost.mail(address, &before),
        )
    });
    assert_eq!((&taken.0, &taken.1), (&free.0, &free.1));
    assert_eq!(taken.2["codes"], json!([]), "{}", taken.2);
    let text = taken.2["text"].as_str().unwrap();
    assert!(
        text.contains("There already is an account for it"),
        "{text}"
    );
    assert_ne!(free.2["codes"], json!([]), "{}", free.2);
    // No code opens the way to an address that somebody has.
    for code in ["000000", "123456"] {
        let refused = confirm(&gatepost, &session, "bob@example.com", code);
        refused.expect_problem(400, "code_refused");
    }
    let list = gatepost
        .operate("GET", "outbox?kind=address_in_use")
        .expect(200);
    assert_eq!(list["items"].as_array().unwrap().len(), 1, "{list}");
}

#[test]
fn tries_are_shared_and_end() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let right = code(&gatepost, &session, NEW);
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    for left in (0..5).rev() {
        let refused = confirm(&gatepost, &session, NEW, wrong);
        let problem = refused.expect_problem(400, "code_refused");
        assert_eq!(problem["attempts_left"], left, "{problem}");
    }
    confirm(&gatepost, &session, NEW, &right).expect_problem(400, "code_refused");
    ask(&gatepost, &session, NEW, PASSWORD).expect_problem(429, "too_many_requests");
    gatepost.clock.advance(Duration::from_secs(61));
    let right = code(&gatepost, &session, NEW);
    confirm(&gatepost, &session, NEW, &right).expect(200);
}

#[test]
fn a_code_is_good_for_the_account_that_asked_and_no_other() {
    let gatepost = Gatepost::start();
    let ann = session(&gatepost, OLD);
    let bob = session(&gatepost, "bob@example.com");
    let code_of_ann = code(&gatepost, &ann, NEW);
    confirm(&gatepost, &bob, NEW, &code_of_ann).expect_problem(400, "code_refused");
    gatepost.clock.advance(Duration::from_secs(61));
    let code_of_bob = code(&gatepost, &bob, NEW);
    if code_of_ann != code_of_bob {
        confirm(&gatepost, &bob, NEW, &code_of_ann).expect_problem(400, "code_refused");
    }
    confirm(&gatepost, &ann, NEW, &code_of_ann).expect(200);
    // Somebody was faster; whoever reads that mail may know.
    confirm(&gatepost, &bob, NEW, &code_of_bob).expect_problem(409, "address_taken");
    assert_eq!(me(&gatepost, &bob).expect(200)["email"], "bob@example.com");
}

#[test]
fn a_new_password_or_a_login_makes_a_code_worthless() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let code = code(&gatepost, &session, NEW);
    gatepost.login(OLD, PASSWORD).expect(200);
    confirm(&gatepost, &session, NEW, &code).expect_problem(400, "code_refused");
}

#[test]
fn ones_own_address_may_be_spelt_anew() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let same = ask(&gatepost, &session, OLD, PASSWORD).expect_problem(422, "invalid_fields");
    assert_eq!(same["errors"][0]["code"], "same", "{same}");
    let spelt = "Ann@example.com";
    let code = code(&gatepost, &session, spelt);
    assert_eq!(
        confirm(&gatepost, &session, spelt, &code).expect(200)["email"],
        spelt
    );
    gatepost.login(OLD, PASSWORD).expect(200);
}

#[test]
fn the_operator_sees_the_code_among_the_tokens_and_can_reveal_it_in_dev() {
    let gatepost = Gatepost::start();
    let session = session(&gatepost, OLD);
    let code = code(&gatepost, &session, NEW);
    let tokens = gatepost
        .operate("GET", "tokens?kind=address_code")
        .expect(200);
    let token = &tokens["items"][0];
    assert_eq!(token["email"], NEW, "{tokens}");
    assert_eq!(token["state"], "live", "{tokens}");
    let id = token["id"].as_str().unwrap();
    let revealed = gatepost
        .operate("POST", &format!("tokens/{id}/reveal"))
        .expect(200);
    assert!(revealed.to_string().contains(&code), "{revealed}");
}
