//! Signing up by code: what a code and its token are good for, and what they are not.

use gatepost::identity::{Error, Register, SendCode};
use gatepost::mail::Kind;

use super::desk::{Desk, MINUTE, PASSWORD, attempts_left, client, code_in, secret, wrong};
use crate::refused;

const ANN: &str = "ann@example.com";
const BOB: &str = "bob@example.org";

#[tokio::test]
async fn a_person_signs_up_with_a_code_from_their_mail() {
    let desk = Desk::open();
    let sent = desk.send(ANN, "register").await.unwrap();
    let now = desk.simulated.world().now();
    assert_eq!(sent.expires_at, now + 10 * MINUTE);
    assert_eq!(sent.resend_at, now + MINUTE);
    assert_eq!(sent.attempts_left, 5);
    let code = desk.code(ANN).await;
    let verified = desk.verify(ANN, "register", &code).await.unwrap();
    assert_eq!(verified.expires_at, now + 15 * MINUTE);
    let token = verified.verification_token.expose().to_owned();
    let form = Register {
        // Another spelling of the same mailbox.
        email: " Ann@EXAMPLE.com".to_owned(),
        password: secret(PASSWORD),
        verification_token: secret(&token),
        display_name: Some(" 安 ".to_owned()),
        language: Some("zh-TW".to_owned()),
    };
    let (user, session) = desk.accounts.register(&client("::1"), form).await.unwrap();
    assert_eq!(user.email.as_str(), ANN, "the address that got the code");
    assert_eq!(user.display_name.as_deref(), Some("安"));
    let who = desk.who(session.token.expose()).await.unwrap();
    assert_eq!(who.user, user);
    assert_eq!(who.session.user_agent.as_deref(), Some("suite/1"));
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
    // The token was good once.
    refused!(desk.register_with(ANN, &token).await, Error::TokenRefused);
}

#[tokio::test]
async fn an_account_has_the_address_that_got_the_code_and_not_a_look_alike_of_it() {
    const WIDE: &str = "ｍｉｋｅ@example.com";
    const PLAIN: &str = "mike@example.com";
    for (read, typed) in [(WIDE, PLAIN), (PLAIN, WIDE)] {
        let desk = Desk::open();
        // Both get a code of the one flow; only the mail to the first is read.
        desk.send(typed, "register").await.unwrap();
        desk.advance(MINUTE);
        desk.send(read, "register").await.unwrap();
        let code = desk.code(read).await;
        let verified = desk.verify(typed, "register", &code).await.unwrap();
        let token = verified.verification_token.expose().to_owned();
        let (user, session) = desk.register_with(typed, &token).await.unwrap();
        assert_eq!(user.email.as_str(), read);
        let who = desk.who(session.token.expose()).await.unwrap();
        assert_eq!(who.user.email.as_str(), read);
        // The way back leads to that mailbox as well.
        desk.advance(MINUTE);
        desk.send(typed, "reset_password").await.unwrap();
        assert_eq!(desk.newest(read).await.row.kind, Kind::ResetCode);
        let code = desk.code(read).await;
        assert!(desk.verify(typed, "reset_password", &code).await.is_ok());
    }
}

#[tokio::test]
async fn all_fields_that_cannot_be_accepted_are_named_at_once() {
    let desk = Desk::open();
    let form = Register {
        email: "ann".to_owned(),
        password: secret("short"),
        language: Some("fr".to_owned()),
        ..Register::default()
    };
    let Err(Error::Invalid(errors)) = desk.accounts.register(&client("::1"), form).await else {
        panic!("it was accepted");
    };
    let named: Vec<_> = errors.iter().map(|e| (e.field, e.code)).collect();
    assert_eq!(
        named,
        [
            ("email", "malformed"),
            ("password", "too_short"),
            ("verification_token", "required"),
            ("language", "unknown"),
        ]
    );
    refused!(desk.send(ANN, "login").await, Error::Invalid(_));
    refused!(
        desk.verify(ANN, "register", "12345").await,
        Error::Invalid(_)
    );
}

#[tokio::test]
async fn wrong_codes_use_up_the_tries_of_the_whole_flow() {
    let desk = Desk::open();
    let first = desk.send(ANN, "register").await.unwrap();
    let code = desk.code(ANN).await;
    assert_eq!(
        attempts_left(desk.verify(ANN, "register", &wrong(&code)).await),
        4
    );
    desk.advance(MINUTE);
    // A second code of the same flow brings no new tries.
    let second = desk.send(ANN, "register").await.unwrap();
    assert_eq!((second.flow_id, second.attempts_left), (first.flow_id, 4));
    for left in [3, 2, 1, 0, 0] {
        assert_eq!(
            attempts_left(desk.verify(ANN, "register", &wrong(&code)).await),
            left
        );
    }
    // Now the right one is of no use either; the next request opens a new flow.
    assert_eq!(attempts_left(desk.verify(ANN, "register", &code).await), 0);
    desk.advance(MINUTE);
    let third = desk.send(ANN, "register").await.unwrap();
    assert_eq!(third.attempts_left, 5);
    assert_ne!(third.flow_id, first.flow_id);
    assert_eq!(attempts_left(desk.verify(ANN, "register", &code).await), 4);
    let code = desk.code(ANN).await;
    assert!(desk.verify(ANN, "register", &code).await.is_ok());
}

#[tokio::test]
async fn a_resend_leaves_the_older_code_good_until_it_lapses() {
    let desk = Desk::open();
    desk.send(ANN, "register").await.unwrap();
    let first = desk.code(ANN).await;
    desk.advance(5 * MINUTE);
    desk.send(ANN, "register").await.unwrap();
    let second = desk.code(ANN).await;
    assert_ne!(first, second);
    desk.advance(4 * MINUTE);
    let desk_of_first = desk.verify(ANN, "register", &first).await;
    assert!(desk_of_first.is_ok(), "the older code is still good");
    // The flow is over: neither code works again.
    attempts_left(desk.verify(ANN, "register", &first).await);
    attempts_left(desk.verify(ANN, "register", &second).await);
}

#[tokio::test]
async fn a_code_lapses_after_ten_minutes_and_its_flow_with_the_last() {
    let desk = Desk::open();
    let first = desk.send(ANN, "register").await.unwrap();
    let code = desk.code(ANN).await;
    desk.advance(10 * MINUTE);
    assert_eq!(attempts_left(desk.verify(ANN, "register", &code).await), 4);
    let second = desk.send(ANN, "register").await.unwrap();
    assert_ne!(second.flow_id, first.flow_id);
    assert_eq!(second.attempts_left, 5);
}

#[tokio::test]
async fn a_code_is_bound_to_its_address_and_its_purpose() {
    let desk = Desk::open();
    desk.join(BOB).await;
    desk.advance(MINUTE);
    desk.send(ANN, "register").await.unwrap();
    desk.send(BOB, "reset_password").await.unwrap();
    let ann = desk.code(ANN).await;
    let bob = desk.code(BOB).await;
    assert_eq!(
        attempts_left(desk.verify(BOB, "reset_password", &ann).await),
        4
    );
    assert_eq!(
        attempts_left(desk.verify(ANN, "reset_password", &ann).await),
        4
    );
    assert_eq!(attempts_left(desk.verify(BOB, "register", &bob).await), 4);
    // None of that touched the flow that the code belongs to.
    assert!(desk.verify(ANN, "register", &ann).await.is_ok());
    assert!(desk.verify(BOB, "reset_password", &bob).await.is_ok());
}

#[tokio::test]
async fn a_token_is_bound_to_its_address_and_its_purpose_and_lapses() {
    let desk = Desk::open();
    desk.join(BOB).await;
    desk.advance(MINUTE);
    let ann = desk.token(ANN, "register").await;
    let bob = desk.token(BOB, "reset_password").await;
    refused!(
        desk.register_with("cat@example.com", &ann).await,
        Error::TokenRefused
    );
    refused!(desk.register_with(BOB, &bob).await, Error::TokenRefused);
    refused!(desk.register_with(BOB, &ann).await, Error::TokenRefused);
    refused!(
        desk.register_with(ANN, "gpv_made-up").await,
        Error::TokenRefused
    );
    desk.advance(15 * MINUTE);
    refused!(desk.register_with(ANN, &ann).await, Error::TokenRefused);
}

#[tokio::test]
async fn who_has_an_account_is_told_so_by_mail_and_no_code_works() {
    let desk = Desk::open();
    desk.join(ANN).await;
    desk.advance(MINUTE);
    let sent = desk.send("ANN@example.com", "register").await.unwrap();
    assert_eq!(sent.attempts_left, 5);
    let mail = desk.newest(ANN).await;
    assert_eq!(mail.row.kind, Kind::AlreadyRegistered);
    for left in [4, 3, 2, 1, 0] {
        assert_eq!(
            attempts_left(desk.verify(ANN, "register", "000000").await),
            left
        );
    }
}

#[tokio::test]
async fn guesses_without_a_flow_look_like_guesses_with_one() {
    let desk = Desk::open();
    for left in [4, 3, 2, 1, 0, 0] {
        assert_eq!(
            attempts_left(desk.verify(ANN, "register", "123456").await),
            left
        );
    }
    // They do not stand in the way of a real flow, and are forgotten.
    let sent = desk.send(ANN, "register").await.unwrap();
    assert_eq!(sent.attempts_left, 5);
    let code = desk.code(ANN).await;
    assert!(desk.verify(ANN, "register", &code).await.is_ok());
}

#[tokio::test]
async fn using_a_code_up_does_not_shorten_the_pause_before_the_next() {
    let desk = Desk::open();
    desk.token(ANN, "register").await;
    refused!(desk.send(ANN, "register").await, Error::Limited(_));
    attempts_left(desk.verify(ANN, "register", "123456").await);
    refused!(desk.send(ANN, "register").await, Error::Limited(_));
    desk.advance(MINUTE);
    assert!(desk.send(ANN, "register").await.is_ok());
}

#[tokio::test]
async fn a_code_of_letters_comes_on_request_and_is_read_as_people_type_it() {
    let desk = Desk::open();
    let form = SendCode {
        email: ANN.to_owned(),
        verification_type: "register".to_owned(),
        language: Some("zh-hans".to_owned()),
        style: Some("letters".to_owned()),
    };
    desk.accounts.send_code(&client("::1"), form).await.unwrap();
    let mail = desk.newest(ANN).await;
    assert_eq!(mail.row.language.tag(), "zh-hans");
    let code = code_in(&mail.text.unwrap());
    assert_eq!(code.len(), 8);
    let typed = format!(" {}-{} ", &code[..4].to_lowercase(), &code[4..]);
    assert!(desk.verify(ANN, "register", &typed).await.is_ok());
}

#[tokio::test]
async fn a_clock_set_back_keeps_no_code_alive_for_long() {
    let desk = Desk::open();
    desk.send(ANN, "register").await.unwrap();
    let code = desk.code(ANN).await;
    let now = desk.simulated.world().now();
    desk.simulated.jump(now.minus(60 * MINUTE));
    attempts_left(desk.verify(ANN, "register", &code).await);
    // Nor does it lock anybody out.
    assert!(desk.send(ANN, "register").await.is_ok());
    let code = desk.code_of_now(ANN).await;
    assert!(desk.verify(ANN, "register", &code).await.is_ok());
}
