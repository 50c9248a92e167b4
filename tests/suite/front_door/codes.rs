//! Codes and verification tokens that are wrong, lapsed, used up, reused or somebody else's.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::json;

fn verify(gatepost: &Gatepost, address: &str, purpose: &str, code: &str) -> Answer {
    gatepost.post(
        "/api/v1/auth/verify_code",
        &json!({"email": address, "verification_type": purpose, "code": code}),
    )
}

fn register(gatepost: &Gatepost, address: &str, token: &str) -> Answer {
    gatepost.post(
        "/api/v1/auth/register",
        &json!({"email": address, "password": "correct horse battery", "verification_token": token}),
    )
}

/// A code that is not `code`.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

#[test]
fn a_code_has_five_tries_and_then_none() {
    let gatepost = Gatepost::start();
    let code = gatepost.code("ann@example.com", "register");
    for left in (0..5).rev() {
        let problem = verify(&gatepost, "ann@example.com", "register", &other(&code))
            .expect_problem(400, "code_refused");
        assert_eq!(problem["attempts_left"], left, "{problem}");
    }
    verify(&gatepost, "ann@example.com", "register", &code).expect_problem(400, "code_refused");
}

#[test]
fn a_resend_keeps_the_first_code_good_and_gives_no_new_tries() {
    let gatepost = Gatepost::start();
    let first = gatepost.code("ann@example.com", "register");
    verify(&gatepost, "ann@example.com", "register", &other(&first))
        .expect_problem(400, "code_refused");
    let ask = json!({"email": "ann@example.com", "verification_type": "register"});
    let early = gatepost.post("/api/v1/auth/send_verification_code", &ask);
    early.expect_problem(429, "too_many_requests");
    assert_eq!(early.header("retry-after"), Some("60"));
    gatepost.clock.advance(Duration::from_secs(60));
    let second = gatepost.code("ann@example.com", "register");
    let wrong = (0..)
        .map(|n| format!("{n:06}"))
        .find(|c| *c != first && *c != second)
        .unwrap();
    let problem = verify(&gatepost, "ann@example.com", "register", &wrong)
        .expect_problem(400, "code_refused");
    assert_eq!(problem["attempts_left"], 3, "{problem}");
    verify(&gatepost, "ann@example.com", "register", &first).expect(200);
    verify(&gatepost, "ann@example.com", "register", &second).expect_problem(400, "code_refused");
}

#[test]
fn a_code_lapses_after_ten_minutes() {
    let gatepost = Gatepost::start();
    let code = gatepost.code("ann@example.com", "register");
    gatepost.clock.advance(Duration::from_secs(601));
    verify(&gatepost, "ann@example.com", "register", &code).expect_problem(400, "code_refused");
}

#[test]
fn a_code_works_once_for_its_address_and_its_purpose() {
    let gatepost = Gatepost::start();
    gatepost.register("bob@example.com", "correct horse battery");
    let code = gatepost.code("ann@example.com", "register");
    verify(&gatepost, "bob@example.com", "register", &code).expect_problem(400, "code_refused");
    verify(&gatepost, "ann@example.com", "reset_password", &code)
        .expect_problem(400, "code_refused");
    verify(
        &gatepost,
        "ann@example.com",
        "register",
        &format!(" {} {} ", &code[..3], &code[3..]),
    )
    .expect(200);
    verify(&gatepost, "ann@example.com", "register", &code).expect_problem(400, "code_refused");
}

#[test]
fn a_verification_token_is_good_once_for_its_address_purpose_and_quarter_of_an_hour() {
    let gatepost = Gatepost::start();
    let anns = gatepost.verified("ann@example.com", "register");
    register(&gatepost, "bob@example.com", &anns).expect_problem(400, "token_refused");
    register(&gatepost, "ann@example.com", "gpv_wrong").expect_problem(400, "token_refused");
    register(&gatepost, "ann@example.com", &anns).expect(201);
    register(&gatepost, "ann@example.com", &anns).expect_problem(400, "token_refused");

    let bobs = gatepost.verified("bob@example.com", "register");
    gatepost.clock.advance(Duration::from_secs(15 * 60 + 1));
    register(&gatepost, "bob@example.com", &bobs).expect_problem(400, "token_refused");

    let resets = gatepost.verified("ann@example.com", "reset_password");
    register(&gatepost, "ann@example.com", &resets).expect_problem(400, "token_refused");
}

#[test]
fn the_limits_of_an_address_are_told_and_end() {
    let gatepost = Gatepost::start();
    let ask = json!({"email": "ann@example.com", "verification_type": "register"});
    for _ in 0..5 {
        gatepost
            .post("/api/v1/auth/send_verification_code", &ask)
            .expect(202);
        gatepost.clock.advance(Duration::from_secs(61));
    }
    let sixth = gatepost.post("/api/v1/auth/send_verification_code", &ask);
    let problem = sixth.expect_problem(429, "too_many_requests");
    let wait: u64 = sixth.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(problem["retry_after"], wait);
    assert!(sixth.header("ratelimit").is_some() && sixth.header("ratelimit-policy").is_some());
    assert!((61..=3600).contains(&wait), "{wait}");
    gatepost.clock.advance(Duration::from_secs(wait));
    gatepost
        .post("/api/v1/auth/send_verification_code", &ask)
        .expect(202);
}
