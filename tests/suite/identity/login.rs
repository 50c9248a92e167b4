//! Logging in, and what wrong passwords lead to.

use std::time::Duration;

use gatepost::audit;
use gatepost::identity::{Error, Profile};
use gatepost::store::page::Ask;

use super::desk::{DAY, Desk, HOUR, MINUTE, PASSWORD, client, limited, settings};
use crate::refused;

const ANN: &str = "ann@example.com";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_refused_alike() {
    let desk = Desk::open();
    desk.join(ANN).await;
    refused!(
        desk.login(ANN, "another one").await,
        Error::CredentialsRefused
    );
    refused!(
        desk.login("eve@example.com", PASSWORD).await,
        Error::CredentialsRefused
    );
    refused!(desk.login("eve", "").await, Error::Invalid(_));
    let (user, _) = desk.login(" ANN@EXAMPLE.COM ", PASSWORD).await.unwrap();
    assert_eq!(user.email.as_str(), ANN);
}

#[tokio::test]
async fn wrong_passwords_cost_growing_waits_that_a_success_clears() {
    let desk = Desk::open();
    desk.join(ANN).await;
    // Known or not, the same happens.
    for email in [ANN, "eve@example.com"] {
        for _ in 0..5 {
            refused!(
                desk.login(email, "wrong one").await,
                Error::CredentialsRefused
            );
        }
        let mut waits = Vec::new();
        for _ in 0..9 {
            let (name, wait) = limited(desk.login(email, PASSWORD).await);
            assert_eq!(name, "login_failures");
            waits.push(wait);
            desk.advance(Duration::from_secs(wait) - SECOND);
            limited(desk.login(email, PASSWORD).await);
            desk.advance(SECOND);
            refused!(
                desk.login(email, "wrong one").await,
                Error::CredentialsRefused
            );
        }
        assert_eq!(waits, [30, 60, 120, 240, 480, 960, 1920, 3600, 3600]);
    }
    desk.advance(HOUR);
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
    for _ in 0..5 {
        refused!(
            desk.login(ANN, "wrong one").await,
            Error::CredentialsRefused
        );
    }
    limited(desk.login(ANN, PASSWORD).await);
}

#[tokio::test]
async fn a_hundred_in_a_row_end_logins_by_password_until_it_is_reset_or_forgotten() {
    let desk = Desk::open();
    desk.join(ANN).await;
    let mut wrong = 0;
    loop {
        match desk.login(ANN, "wrong one").await {
            Err(Error::CredentialsRefused) => wrong += 1,
            Err(Error::Limited(limited)) if limited.retry_after <= HOUR => {
                desk.advance(limited.retry_after);
            }
            Err(Error::Limited(limited)) => {
                assert_eq!(limited.retry_after, 30 * DAY);
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(wrong, 100);
    desk.advance(30 * DAY - SECOND);
    assert_eq!(limited(desk.login(ANN, PASSWORD).await).1, 1);
    desk.advance(SECOND);
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_clock_set_back_locks_nobody_out() {
    let desk = Desk::open();
    desk.join(ANN).await;
    for _ in 0..5 {
        refused!(
            desk.login(ANN, "wrong one").await,
            Error::CredentialsRefused
        );
    }
    limited(desk.login(ANN, PASSWORD).await);
    let now = desk.simulated.world().now();
    desk.simulated.jump(now.minus(DAY));
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn a_login_upgrades_a_hash_of_another_price() {
    let cheap = Desk::open();
    cheap.join(ANN).await;
    let mut dearer = settings();
    dearer.passwords.passes = 2;
    let dear = cheap.reopened(dearer);
    assert!(dear.stored_password().await.contains("t=1"));
    refused!(
        dear.login(ANN, "wrong one").await,
        Error::CredentialsRefused
    );
    assert!(dear.stored_password().await.contains("t=1"));
    assert!(dear.login(ANN, PASSWORD).await.is_ok());
    assert!(dear.stored_password().await.contains("t=2"));
    assert!(dear.login(ANN, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn wrong_passwords_of_one_client_are_limited_over_all_accounts() {
    let mut strict = settings();
    strict.limits.wrong_login_per_ip = "3/10min".parse().unwrap();
    let desk = Desk::with(strict);
    desk.join(ANN).await;
    for n in 0..3 {
        let email = format!("user{n}@example.com");
        refused!(
            desk.login(&email, "wrong one").await,
            Error::CredentialsRefused
        );
        // What is right costs nothing.
        assert!(n == 2 || desk.login(ANN, PASSWORD).await.is_ok());
    }
    assert_eq!(
        limited(desk.login(ANN, PASSWORD).await),
        ("wrong_login_per_ip", 600)
    );
    assert!(desk.login_from("192.0.2.9", ANN, PASSWORD).await.is_ok());
    desk.advance(10 * MINUTE);
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn what_is_done_with_an_account_is_recorded_with_whom_and_from_where() {
    let desk = Desk::open();
    let (user, _) = desk.join(ANN).await;
    desk.advance(SECOND);
    let (_, other) = desk.login_from("192.0.2.2", ANN, PASSWORD).await.unwrap();
    desk.advance(SECOND);
    let (_, session) = desk.login_from("192.0.2.3", ANN, PASSWORD).await.unwrap();
    let other = desk.who(other.token.expose()).await.unwrap().session.id;
    let who = desk.who(session.token.expose()).await.unwrap();
    let from = client("192.0.2.9");
    let form = Profile {
        display_name: Some("Ann".to_owned()),
        language: None,
    };
    let accounts = &desk.accounts;
    desk.advance(SECOND);
    accounts.update_profile(&from, &who, form).await.unwrap();
    let id = other.to_string();
    desk.advance(SECOND);
    accounts.revoke_session(&from, &who, &id).await.unwrap();
    desk.advance(SECOND);
    accounts.revoke_others(&from, &who).await.unwrap();
    desk.advance(SECOND);
    accounts.logout(&from, &who).await.unwrap();
    let page = desk
        .store
        .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(6)))
        .await;
    let mut entries = page.unwrap().items;
    entries.reverse();
    let (user, session) = (user.id.to_string(), who.session.id.to_string());
    let expected = [
        ("login", ANN, "192.0.2.2"),
        ("login", ANN, "192.0.2.3"),
        ("update_profile", &user, "192.0.2.9"),
        ("revoke_session", &id, "192.0.2.9"),
        ("revoke_other_sessions", &user, "192.0.2.9"),
        ("logout", &session, "192.0.2.9"),
    ];
    assert_eq!(entries.len(), expected.len());
    for (entry, (action, subject, ip)) in entries.iter().zip(expected) {
        assert_eq!(
            (entry.action.as_str(), entry.subject.as_str(), entry.ip),
            (action, subject, Some(ip.parse().unwrap()))
        );
        assert_eq!(entry.actor, user);
    }
}

#[tokio::test]
async fn a_name_that_nobody_sees_is_none() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let who = desk.who(&token).await.unwrap();
    let change = async |name: &str| {
        let form = Profile {
            display_name: Some(name.to_owned()),
            language: None,
        };
        desk.accounts
            .update_profile(&client("192.0.2.1"), &who, form)
            .await
    };
    change("Ann").await.unwrap();
    refused!(change("Ann\u{3164}").await, Error::Invalid(_));
    for blank in ["\u{200d}", "\u{61c}", "\u{3164}", "\u{ad}", "\u{2800}"] {
        assert_eq!(change(blank).await.unwrap().display_name, None);
    }
    let sent = desk.send("ann\u{3164}@example.com", "register").await;
    refused!(sent, Error::Invalid(_));
}

#[tokio::test]
async fn a_profile_is_changed_in_part() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let who = desk.who(&token).await.unwrap();
    let form = Profile {
        display_name: Some("Ann".to_owned()),
        language: None,
    };
    desk.accounts
        .update_profile(&client("192.0.2.1"), &who, form)
        .await
        .unwrap();
    let form = Profile {
        display_name: None,
        language: Some("zh-hant".to_owned()),
    };
    let user = desk
        .accounts
        .update_profile(&client("192.0.2.1"), &who, form)
        .await
        .unwrap();
    assert_eq!(user.display_name.as_deref(), Some("Ann"));
    assert_eq!(user.language.tag(), "zh-hant");
    let form = Profile {
        display_name: Some(" ".to_owned()),
        language: Some("tlh".to_owned()),
    };
    refused!(
        desk.accounts
            .update_profile(&client("192.0.2.1"), &who, form)
            .await,
        Error::Invalid(_)
    );
    assert_eq!(desk.who(&token).await.unwrap().user, user);
}
