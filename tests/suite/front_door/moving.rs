//! Changing the address of an account: by its password and a code that was mailed to the new one.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";
const NEW: &str = "another staple gun";

fn token(registered: &Value) -> String {
    registered["session"]["token"].as_str().unwrap().to_owned()
}

fn login(gatepost: &Gatepost, address: &str) -> String {
    token(&gatepost.login(address, PASSWORD).expect(200))
}

fn me(gatepost: &Gatepost, session: &str) -> Answer {
    gatepost.send("GET", "/api/v1/auth/me", session, &Value::Null)
}

fn ask_with(gatepost: &Gatepost, session: &str, address: &str, password: &str) -> Answer {
    let form = json!({"new_email": address, "current_password": password});
    gatepost.send("POST", "/api/v1/auth/change_email", session, &form)
}

fn ask(gatepost: &Gatepost, session: &str, address: &str) -> Answer {
    ask_with(gatepost, session, address, PASSWORD)
}

/// Asks for the change and reads the code out of the mail to the new address.
fn code(gatepost: &Gatepost, session: &str, address: &str) -> String {
    let before = gatepost.newest();
    ask(gatepost, session, address).expect(202);
    let mail = gatepost.mail(address, &before);
    mail["codes"][0].as_str().expect("a code").to_owned()
}

fn confirm(gatepost: &Gatepost, session: &str, address: &str, code: &str) -> Answer {
    let form = json!({"new_email": address, "code": code});
    gatepost.send("POST", "/api/v1/auth/change_email/confirm", session, &form)
}

/// How many mails of this kind the outbox has for `address`, in whatever state.
fn mails(gatepost: &Gatepost, address: &str, kind: &str) -> usize {
    let page = gatepost.operate("GET", &format!("outbox?kind={kind}"));
    let page = page.expect(200);
    let items = page["items"].as_array().unwrap();
    items.iter().filter(|mail| mail["to"] == address).count()
}

/// Asks for both ways back into the account: what is mailed for the link, and the code.
fn ways_back(gatepost: &Gatepost, address: &str) -> (Value, String) {
    let before = gatepost.newest();
    gatepost
        .post("/api/v1/auth/password_reset", &json!({"email": address}))
        .expect(202);
    let mail = gatepost.mail(address, &before);
    let link = mail["links"][0].as_str().unwrap();
    let mut parts = link.split("/users/reset/").nth(1).unwrap().split('/');
    let (uid, token) = (parts.next().unwrap(), parts.next().unwrap());
    let link = json!({"uid": uid, "token": token, "new_password": NEW});
    (link, gatepost.code(address, "reset_password"))
}

/// Fails unless neither way leads anywhere.
#[track_caller]
fn expect_dead(gatepost: &Gatepost, address: &str, (link, code): &(Value, String)) {
    gatepost
        .post("/api/v1/auth/password_reset/confirm", link)
        .expect_problem(400, "link_refused");
    let form = json!({"email": address, "verification_type": "reset_password", "code": code});
    gatepost
        .post("/api/v1/auth/verify_code", &form)
        .expect_problem(400, "code_refused");
}

#[test]
fn a_code_to_the_new_address_moves_the_account_and_the_old_one_is_told() {
    let gatepost = Gatepost::start();
    let first = token(&gatepost.register("ann@example.com", PASSWORD));
    let asking = login(&gatepost, "ann@example.com");
    let code = code(&gatepost, &asking, "Ann.Lee@example.org");
    assert_eq!(
        me(&gatepost, &asking).expect(200)["email"],
        "ann@example.com"
    );
    let before = gatepost.newest();
    let user = confirm(&gatepost, &asking, "ann.lee@example.org", &code).expect(200);
    assert_eq!(user["email"], "Ann.Lee@example.org", "as the code was sent");
    let notice = gatepost.mail("ann@example.com", &before);
    assert_eq!(notice["codes"], json!([]), "{notice}");
    assert_eq!(mails(&gatepost, "ann@example.com", "address_changed"), 1);
    assert_eq!(
        mails(&gatepost, "Ann.Lee@example.org", "address_changed"),
        0
    );
    me(&gatepost, &asking).expect(200);
    me(&gatepost, &first).expect_problem(401, "unauthenticated");
    gatepost
        .login("ann@example.com", PASSWORD)
        .expect_problem(401, "credentials_refused");
    let back = gatepost.login("ann.lee@example.org", PASSWORD).expect(200);
    assert_eq!(back["user"]["id"], user["id"]);
    confirm(&gatepost, &asking, "ann.lee@example.org", &code).expect_problem(400, "code_refused");
    gatepost.clock.advance(Duration::from_secs(61));
    gatepost.register("ann@example.com", PASSWORD);
}

#[test]
fn wrong_codes_use_up_the_tries_and_then_the_right_one_is_refused_too() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    let good = code(&gatepost, &session, "new@example.com");
    let wrong = if good == "000000" { "000001" } else { "000000" };
    let mut left = Vec::new();
    loop {
        let problem = confirm(&gatepost, &session, "new@example.com", wrong)
            .expect_problem(400, "code_refused");
        left.push(problem["attempts_left"].as_u64().expect("a number"));
        if left.last() == Some(&0) {
            break;
        }
    }
    assert!(left.len() > 1, "{left:?}");
    assert!(left.windows(2).all(|w| w[0] == w[1] + 1), "{left:?}");
    confirm(&gatepost, &session, "new@example.com", &good).expect_problem(400, "code_refused");
    assert_eq!(
        me(&gatepost, &session).expect(200)["email"],
        "ann@example.com"
    );
}

#[test]
fn wrong_codes_are_limited_by_where_they_come_from() {
    let gatepost = Gatepost::with(&[("GATEPOST_LIMITS_WRONG_CODE_PER_IP", "3/1h")]);
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    for at in 0..3 {
        confirm(&gatepost, &session, &format!("a{at}@example.com"), "000000")
            .expect_problem(400, "code_refused");
    }
    let limited = confirm(&gatepost, &session, "b@example.com", "000000");
    limited.expect_problem(429, "too_many_requests");
    assert!(limited.header("retry-after").is_some());
}

#[test]
fn a_code_is_good_only_for_whoever_asked_for_it() {
    let gatepost = Gatepost::start();
    let anns = token(&gatepost.register("ann@example.com", PASSWORD));
    let bobs = token(&gatepost.register("bob@example.com", PASSWORD));
    let for_ann = code(&gatepost, &anns, "new@example.com");
    confirm(&gatepost, &bobs, "new@example.com", &for_ann).expect_problem(400, "code_refused");
    gatepost.clock.advance(Duration::from_secs(61));
    // Also when both have asked for it.
    code(&gatepost, &bobs, "new@example.com");
    confirm(&gatepost, &bobs, "new@example.com", &for_ann).expect_problem(400, "code_refused");
    let as_registration =
        json!({"email": "new@example.com", "verification_type": "register", "code": for_ann});
    gatepost
        .post("/api/v1/auth/verify_code", &as_registration)
        .expect_problem(400, "code_refused");
    confirm(&gatepost, &anns, "other@example.com", &for_ann).expect_problem(400, "code_refused");
    confirm(&gatepost, &anns, "new@example.com", &for_ann).expect(200);
    confirm(&gatepost, &anns, "new@example.com", &for_ann).expect_problem(400, "code_refused");
}

#[test]
fn two_who_ask_for_one_address_cannot_both_have_it() {
    let gatepost = Gatepost::start();
    let people = ["ann@example.com", "bob@example.com"].map(|address| {
        let session = token(&gatepost.register(address, PASSWORD));
        gatepost.clock.advance(Duration::from_secs(61));
        let code = code(&gatepost, &session, "new@example.com");
        (session, code)
    });
    let answers: Vec<Answer> = std::thread::scope(|scope| {
        let tries = people.each_ref().map(|(session, code)| {
            scope.spawn(|| confirm(&gatepost, session, "new@example.com", code))
        });
        tries.map(|t| t.join().unwrap()).into()
    });
    let won = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(won, 1, "{answers:?}");
    for (answer, (session, _)) in answers.iter().zip(&people) {
        let moved = me(&gatepost, session).expect(200)["email"] == "new@example.com";
        assert_eq!(moved, answer.status == 200, "{answer:?}");
    }
    let lost = answers.iter().find(|answer| answer.status != 200).unwrap();
    lost.expect_problem(409, "address_taken");
}

#[test]
fn an_address_that_was_registered_meanwhile_is_taken() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    let code = code(&gatepost, &session, "new@example.com");
    gatepost.register("new@example.com", PASSWORD);
    confirm(&gatepost, &session, "new@example.com", &code).expect_problem(409, "address_taken");
    assert_eq!(
        me(&gatepost, &session).expect(200)["email"],
        "ann@example.com"
    );
}

#[test]
fn an_address_with_an_account_is_answered_like_a_free_one_and_told_by_mail() {
    let gatepost = Gatepost::start();
    gatepost.register("bob@example.com", PASSWORD);
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    gatepost.clock.advance(Duration::from_secs(61));
    let shape = |answer: &Answer| {
        let body = answer.json();
        let keys: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
        let mut headers: Vec<_> = answer.headers.iter().map(|(n, _)| n.clone()).collect();
        headers.sort_unstable();
        (answer.status, keys, headers, body["attempts_left"].clone())
    };
    let before = gatepost.newest();
    let taken = ask(&gatepost, &session, "bob@example.com");
    let free = ask(&gatepost, &session, "free@example.com");
    assert_eq!(shape(&taken), shape(&free));
    let told = gatepost.mail("bob@example.com", &before);
    assert_eq!(told["codes"], json!([]), "{told}");
    assert_eq!(mails(&gatepost, "bob@example.com", "address_in_use"), 1);
    assert_eq!(mails(&gatepost, "bob@example.com", "address_code"), 0);
    assert_eq!(mails(&gatepost, "free@example.com", "address_code"), 1);
    let wrong = |address| confirm(&gatepost, &session, address, "000000");
    assert_eq!(
        shape(&wrong("bob@example.com")),
        shape(&wrong("free@example.com"))
    );
    let again =
        |address| ask(&gatepost, &session, address).expect_problem(429, "too_many_requests");
    again("bob@example.com");
    again("free@example.com");
}

#[test]
fn ones_own_address_may_be_written_otherwise_but_not_the_same() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    let problem = ask(&gatepost, &session, "ann@example.com").expect_problem(422, "invalid_fields");
    assert_eq!(problem["errors"][0]["pointer"], "/new_email", "{problem}");
    let code = code(&gatepost, &session, "Ann@example.com");
    let user = confirm(&gatepost, &session, "Ann@example.com", &code).expect(200);
    assert_eq!(user["email"], "Ann@example.com");
    gatepost.login("ann@example.com", PASSWORD).expect(200);
    assert_eq!(
        mails(&gatepost, "ann@example.com", "address_in_use")
            + mails(&gatepost, "Ann@example.com", "address_in_use"),
        0
    );
}

#[test]
fn ways_back_that_are_under_way_die_with_the_change() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    let ways = ways_back(&gatepost, "ann@example.com");
    let code = code(&gatepost, &session, "new@example.com");
    let before = gatepost.newest();
    confirm(&gatepost, &session, "new@example.com", &code).expect(200);
    gatepost.mail("ann@example.com", &before);
    expect_dead(&gatepost, "ann@example.com", &ways);
    // Nor do they lead into the account that the old address has next.
    gatepost.clock.advance(Duration::from_secs(61));
    gatepost.register("ann@example.com", PASSWORD);
    expect_dead(&gatepost, "ann@example.com", &ways);
    gatepost.login("new@example.com", PASSWORD).expect(200);
}

#[test]
fn whoever_asks_must_know_the_password_and_be_logged_in() {
    let gatepost = Gatepost::start();
    let session = token(&gatepost.register("ann@example.com", PASSWORD));
    let before = gatepost.newest();
    let wrong = |_| ask_with(&gatepost, &session, "new@example.com", "wrong wrong wrong");
    let last = (0..100).map(wrong).find(|answer| answer.status != 403);
    last.expect("they are counted")
        .expect_problem(429, "too_many_requests");
    ask(&gatepost, &session, "new@example.com").expect_problem(429, "too_many_requests");
    assert_eq!(gatepost.newest(), before, "nothing was mailed");
    gatepost.login("ann@example.com", PASSWORD).expect(200);

    gatepost.clock.advance(Duration::from_secs(3600));
    let code = code(&gatepost, &session, "new@example.com");
    ask(&gatepost, &session, "new@example.com").expect_problem(429, "too_many_requests");
    gatepost
        .send("POST", "/api/v1/auth/logout", &session, &Value::Null)
        .expect(204);
    ask(&gatepost, &session, "other@example.com").expect_problem(401, "unauthenticated");
    confirm(&gatepost, &session, "new@example.com", &code).expect_problem(401, "unauthenticated");
    ask(&gatepost, "", "other@example.com").expect_problem(401, "unauthenticated");
}
