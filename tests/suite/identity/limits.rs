//! How often mail may be asked for and accounts made.

use super::desk::{DAY, Desk, HOUR, MINUTE, limited, settings};
use crate::refused;
use gatepost::identity::Error;

const ANN: &str = "ann@example.com";

#[tokio::test]
async fn one_address_gets_a_code_a_minute_five_an_hour_and_twenty_a_day() {
    for known in [true, false] {
        let desk = Desk::open();
        if known {
            desk.join(ANN).await;
            desk.advance(2 * DAY);
        }
        desk.send(ANN, "reset_password").await.unwrap();
        let soon = desk.send("ANN@example.com", "reset_password").await;
        assert_eq!(limited(soon), ("resend", 60));
        // Another purpose has its own pause, but no counters of its own.
        desk.send(ANN, "register").await.unwrap();
        for _ in 0..3 {
            desk.advance(MINUTE);
            desk.send(ANN, "reset_password").await.unwrap();
        }
        desk.advance(MINUTE);
        let (name, wait) = limited(desk.send(ANN, "reset_password").await);
        assert_eq!((name, wait), ("code_per_address", 3600 - 4 * 60));
        for _ in 0..3 {
            desk.advance(HOUR);
            for _ in 0..5 {
                desk.advance(MINUTE);
                desk.send(ANN, "reset_password").await.unwrap();
            }
        }
        desk.advance(HOUR);
        let (_, wait) = limited(desk.send(ANN, "reset_password").await);
        assert!(wait > 3600, "the day's limit: {wait}");
        desk.advance(DAY);
        desk.send(ANN, "reset_password").await.unwrap();
    }
}

#[tokio::test]
async fn one_client_is_limited_over_all_addresses_and_a_refusal_costs_nothing() {
    let mut strict = settings();
    strict.limits.code_per_ip = "2/hour".parse().unwrap();
    let desk = Desk::with(strict);
    desk.send_from("2001:db8::1", ANN, "register")
        .await
        .unwrap();
    limited(desk.send_from("2001:db8::1", ANN, "register").await);
    desk.send_from("2001:db8::2", "bob@example.org", "register")
        .await
        .unwrap();
    let refused = desk
        .send_from("2001:db8::3", "cat@example.com", "register")
        .await;
    assert_eq!(limited(refused), ("code_per_ip", 3600));
    desk.send_from("2001:db8:0:1::1", "cat@example.com", "register")
        .await
        .unwrap();
}

#[tokio::test]
async fn wrong_codes_of_one_client_are_limited_and_right_ones_are_free() {
    let mut strict = settings();
    strict.limits.wrong_code_per_ip = "2/hour".parse().unwrap();
    let desk = Desk::with(strict);
    desk.join(ANN).await;
    desk.join("bob@example.org").await;
    for email in ["cat@example.com", "dan@example.com"] {
        refused!(
            desk.verify(email, "register", "000000").await,
            Error::CodeRefused { attempts_left: 4 }
        );
    }
    desk.send("eve@example.com", "register").await.unwrap();
    let code = desk.code("eve@example.com").await;
    let outcome = desk.verify("eve@example.com", "register", &code).await;
    assert_eq!(limited(outcome).0, "wrong_code_per_ip");
    let elsewhere = desk.verify_from("192.0.2.9", "eve@example.com", "register", &code);
    assert!(elsewhere.await.is_ok());
}

#[tokio::test]
async fn one_client_makes_so_many_accounts_and_no_more() {
    let mut strict = settings();
    strict.limits.registration_per_ip = "2/hour".parse().unwrap();
    let desk = Desk::with(strict);
    desk.join(ANN).await;
    desk.join("bob@example.org").await;
    let token = desk.token("cat@example.com", "register").await;
    let outcome = desk.register_with("cat@example.com", &token).await;
    assert_eq!(limited(outcome), ("registration_per_ip", 3600));
}
