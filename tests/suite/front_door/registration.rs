//! Signing up and logging in.

use crate::harness::Gatepost;
use serde_json::json;

#[test]
fn a_person_registers_with_the_mailed_code_and_logs_in() {
    let gatepost = Gatepost::start();
    let sent = gatepost
        .post(
            "/api/v1/auth/send_verification_code/",
            &json!({"email": " Ann@Example.com ", "verification_type": "register"}),
        )
        .expect(202);
    assert_eq!(sent["attempts_left"], 5, "{sent}");
    assert!(sent["flow_id"].is_string(), "{sent}");
    assert!(
        sent["resend_at"].as_str() < sent["expires_at"].as_str(),
        "{sent}"
    );

    let mail = gatepost.mail("Ann@example.com", "");
    assert_eq!(mail["envelope"]["to"], json!(["Ann@example.com"]));
    assert!(
        mail["outbox_id"].is_string(),
        "our own mail knows its row: {mail}"
    );
    assert_eq!(mail["codes"].as_array().map(Vec::len), Some(1), "{mail}");

    let verified = gatepost
        .post(
            "/api/v1/auth/verify_code",
            &json!({"email": "ann@example.com", "verification_type": "register", "code": mail["codes"][0]}),
        )
        .expect(200);
    let registered = gatepost
        .post(
            "/api/v1/auth/register",
            &json!({
                "email": "ann@example.com",
                "password": "correct horse battery",
                "verification_token": verified["verification_token"],
                "display_name": "安",
                "language": "zh-hant",
            }),
        )
        .expect(201);
    assert_eq!(registered["user"]["display_name"], "安");
    assert_eq!(registered["user"]["language"], "zh-hant");
    let session = registered["session"]["token"].as_str().unwrap();

    let me = gatepost
        .send("GET", "/api/v1/auth/me", session, &json!(null))
        .expect(200);
    assert_eq!(
        me["email"], "Ann@example.com",
        "the address that got the code, and not the one typed with it"
    );
    assert!(!me.to_string().contains("argon2"), "no hash goes out: {me}");

    let login = gatepost
        .login("ANN@EXAMPLE.com", "correct horse battery")
        .expect(200);
    assert_eq!(login["user"]["id"], registered["user"]["id"]);
    assert_ne!(login["session"]["token"], registered["session"]["token"]);
    gatepost
        .login("ann@example.com", "correct horse")
        .expect_problem(401, "credentials_refused");
    gatepost
        .login("nobody@example.com", "correct horse battery")
        .expect_problem(401, "credentials_refused");
}

#[test]
fn of_two_registrations_of_one_address_at_once_one_wins() {
    let gatepost = Gatepost::with(&[("GATEPOST_CODE_RESEND", "1s")]);
    let first = gatepost.verified("ann@example.com", "register");
    gatepost.clock.advance(std::time::Duration::from_secs(61));
    let second = gatepost.verified("ann@example.com", "register");
    let register = |token: &str| {
        gatepost.post(
            "/api/v1/auth/register",
            &json!({"email": "ann@example.com", "password": "correct horse battery", "verification_token": token}),
        )
    };
    let answers = std::thread::scope(|scope| {
        let tasks = [&first, &second].map(|token| scope.spawn(|| register(token)));
        tasks.map(|task| task.join().unwrap())
    });
    let mut statuses = answers.map(|answer| answer.status);
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409]);
    gatepost
        .login("ann@example.com", "correct horse battery")
        .expect(200);
}

#[test]
fn a_taken_address_gets_a_mail_that_says_so_and_the_same_answer() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", "correct horse battery");
    gatepost.clock.advance(std::time::Duration::from_secs(61));
    let before = gatepost.newest();
    let sent = gatepost
        .post(
            "/api/v1/auth/send_verification_code",
            &json!({"email": "ann@example.com", "verification_type": "register"}),
        )
        .expect(202);
    assert_eq!(sent["attempts_left"], 5, "{sent}");
    let mail = gatepost.mail("ann@example.com", &before);
    assert_eq!(mail["codes"], json!([]), "it holds no code: {mail}");
    assert!(mail["text"].as_str().unwrap().contains("already"), "{mail}");
    gatepost
        .post(
            "/api/v1/auth/verify_code",
            &json!({"email": "ann@example.com", "verification_type": "register", "code": "000000"}),
        )
        .expect_problem(400, "code_refused");
}

#[test]
fn everything_wrong_with_a_registration_is_said_at_once() {
    let gatepost = Gatepost::start();
    let problem = gatepost
        .post(
            "/api/v1/auth/register",
            &json!({"email": "not an address", "password": "short", "verification_token": "x", "language": "fr"}),
        )
        .expect_problem(422, "invalid_fields");
    let mut pointers: Vec<_> = problem["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["pointer"].as_str().unwrap())
        .collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/email", "/language", "/password"], "{problem}");
}

#[test]
fn common_passwords_and_the_address_itself_are_refused() {
    let gatepost = Gatepost::start();
    let token = gatepost.verified("ann.lee@example.com", "register");
    for weak in ["password1", "ann.lee@example.com", "1234567", "12345678"] {
        let problem = gatepost
            .post(
                "/api/v1/auth/register",
                &json!({"email": "ann.lee@example.com", "password": weak, "verification_token": token}),
            )
            .expect_problem(422, "invalid_fields");
        assert_eq!(
            problem["errors"][0]["pointer"], "/password",
            "{weak}: {problem}"
        );
        assert!(
            !problem.to_string().contains(&format!("\"{weak}\"")),
            "{problem}"
        );
    }
    gatepost
        .post(
            "/api/v1/auth/register",
            &json!({"email": "ann.lee@example.com", "password": "八個漢字就夠長了", "verification_token": token}),
        )
        .expect(201);
}
