//! Getting back in by link and by code, and changing a password.

use std::time::Duration;

use gatepost::identity::{ChangePassword, ConfirmReset, Error, RequestReset, Sent};
use gatepost::mail::Kind;
use gatepost::mail::outbox::State;

use super::desk::{Desk, HOUR, MINUTE, PASSWORD, attempts_left, client, limited, secret, settings};
use crate::refused;

const ANN: &str = "ann@example.com";
const NEW: &str = "new lamp at the gate";

async fn request(desk: &Desk, email: &str) -> Result<Sent, Error> {
    let form = RequestReset {
        email: email.to_owned(),
        ..RequestReset::default()
    };
    desk.accounts
        .request_reset(&client("192.0.2.1"), form)
        .await
}

async fn by_link(desk: &Desk, link: &(String, String), password: &str) -> Result<(), Error> {
    let form = ConfirmReset {
        uid: Some(link.0.clone()),
        token: Some(secret(&link.1)),
        new_password: secret(password),
        ..ConfirmReset::default()
    };
    desk.accounts
        .confirm_reset(&client("192.0.2.1"), form)
        .await
}

async fn by_code(desk: &Desk, email: &str, token: &str) -> Result<(), Error> {
    let form = ConfirmReset {
        email: Some(email.to_owned()),
        verification_token: Some(secret(token)),
        new_password: secret(NEW),
        ..ConfirmReset::default()
    };
    desk.accounts
        .confirm_reset(&client("192.0.2.1"), form)
        .await
}

#[tokio::test]
async fn a_link_sets_a_new_password_once_ends_all_sessions_and_is_told_of() {
    let desk = Desk::open();
    let (_, session) = desk.join(ANN).await;
    let sent = request(&desk, ANN).await.unwrap();
    assert_eq!(sent.expires_at, desk.simulated.world().now() + HOUR);
    let link = desk.link(ANN).await;
    desk.advance(HOUR - Duration::from_secs(1));
    by_link(&desk, &link, NEW).await.unwrap();
    refused!(desk.who(&session).await, Error::Unauthenticated);
    assert_eq!(desk.newest(ANN).await.row.kind, Kind::PasswordChanged);
    refused!(desk.login(ANN, PASSWORD).await, Error::CredentialsRefused);
    assert!(desk.login(ANN, NEW).await.is_ok());
    refused!(
        by_link(&desk, &link, "another new one").await,
        Error::LinkRefused
    );
}

#[tokio::test]
async fn a_link_lapses_and_belongs_to_one_account() {
    let desk = Desk::open();
    desk.join(ANN).await;
    desk.join("bob@example.org").await;
    request(&desk, ANN).await.unwrap();
    request(&desk, "bob@example.org").await.unwrap();
    let ann = desk.link(ANN).await;
    let bob = desk.link("bob@example.org").await;
    refused!(
        by_link(&desk, &(bob.0, ann.1.clone()), NEW).await,
        Error::LinkRefused
    );
    let odd = ("///".to_owned(), ann.1.clone());
    refused!(by_link(&desk, &odd, NEW).await, Error::LinkRefused);
    desk.advance(HOUR);
    refused!(by_link(&desk, &ann, NEW).await, Error::LinkRefused);
}

#[tokio::test]
async fn a_password_that_is_not_accepted_does_not_use_the_link_up() {
    let desk = Desk::open();
    desk.join("annabel@example.com").await;
    request(&desk, "annabel@example.com").await.unwrap();
    let link = desk.link("annabel@example.com").await;
    refused!(by_link(&desk, &link, "short").await, Error::Invalid(_));
    refused!(by_link(&desk, &link, "annabel1").await, Error::Invalid(_));
    by_link(&desk, &link, NEW).await.unwrap();
}

#[tokio::test]
async fn a_login_or_a_new_password_kills_what_was_mailed_to_get_back_in() {
    let desk = Desk::open();
    let (_, session) = desk.join(ANN).await;
    request(&desk, ANN).await.unwrap();
    let link = desk.link(ANN).await;
    desk.advance(MINUTE);
    let token = desk.token(ANN, "reset_password").await;
    desk.advance(MINUTE);
    desk.send(ANN, "reset_password").await.unwrap();
    let code = desk.code(ANN).await;
    desk.login(ANN, PASSWORD).await.unwrap();
    refused!(by_link(&desk, &link, NEW).await, Error::LinkRefused);
    refused!(by_code(&desk, ANN, &token).await, Error::TokenRefused);
    attempts_left(desk.verify(ANN, "reset_password", &code).await);

    desk.advance(HOUR);
    request(&desk, ANN).await.unwrap();
    let link = desk.link(ANN).await;
    let who = desk.who(&session).await.unwrap();
    let form = ChangePassword {
        current_password: secret(PASSWORD),
        new_password: secret(NEW),
    };
    desk.accounts
        .change_password(&client("::1"), &who, form)
        .await
        .unwrap();
    refused!(by_link(&desk, &link, PASSWORD).await, Error::LinkRefused);
}

#[tokio::test]
async fn a_code_gets_back_in_as_a_link_does_and_clears_the_lock() {
    let desk = Desk::open();
    let (_, session) = desk.join(ANN).await;
    for _ in 0..5 {
        refused!(
            desk.login(ANN, "wrong one").await,
            Error::CredentialsRefused
        );
    }
    limited(desk.login(ANN, PASSWORD).await);
    desk.advance(Duration::from_secs(1));
    let token = desk.token(ANN, "reset_password").await;
    refused!(
        by_code(&desk, "bob@example.org", &token).await,
        Error::TokenRefused
    );
    by_code(&desk, "Ann@example.com", &token).await.unwrap();
    refused!(by_code(&desk, ANN, &token).await, Error::TokenRefused);
    refused!(desk.who(&session).await, Error::Unauthenticated);
    assert!(desk.login(ANN, NEW).await.is_ok());
}

#[tokio::test]
async fn for_an_unknown_address_the_mail_is_composed_and_kept_back() {
    let desk = Desk::open();
    request(&desk, "eve@example.com").await.unwrap();
    desk.send("eve@example.com", "reset_password")
        .await
        .unwrap();
    let mail = desk.mail().await;
    assert_eq!(mail.len(), 2);
    for mail in mail {
        assert_eq!(mail.row.state, State::Discarded);
        assert!(mail.row.shelved.is_some() && mail.text.is_none());
    }
}

#[tokio::test]
async fn a_form_must_take_one_whole_way() {
    let desk = Desk::open();
    let form = |uid: Option<&str>, email: Option<&str>| ConfirmReset {
        uid: uid.map(str::to_owned),
        email: email.map(str::to_owned),
        new_password: secret(NEW),
        ..ConfirmReset::default()
    };
    for (form, fields) in [
        (form(None, None), vec!["uid", "token"]),
        (form(Some("AAAA"), None), vec!["token"]),
        (form(None, Some(ANN)), vec!["verification_token"]),
        (form(None, Some("ann")), vec!["email", "verification_token"]),
    ] {
        let Err(Error::Invalid(errors)) = desk.accounts.confirm_reset(&client("::1"), form).await
        else {
            panic!("it was accepted");
        };
        assert_eq!(errors.iter().map(|e| e.field).collect::<Vec<_>>(), fields);
    }
}

#[tokio::test]
async fn what_strangers_guess_at_the_login_does_not_keep_anybody_from_changing_their_password() {
    let desk = Desk::open();
    let (_, session) = desk.join(ANN).await;
    let who = desk.who(&session).await.unwrap();
    let change = async |current: &str, new: &str| {
        let form = ChangePassword {
            current_password: secret(current),
            new_password: secret(new),
        };
        let client = client("192.0.2.7");
        desk.accounts.change_password(&client, &who, form).await
    };
    for _ in 0..5 {
        let guess = desk.login(ANN, "wrong one").await;
        refused!(guess, Error::CredentialsRefused);
    }
    limited(desk.login(ANN, PASSWORD).await);
    change(PASSWORD, NEW).await.unwrap();
    // Nor does what a stolen session guesses keep anybody from logging in; it is bounded alike.
    for _ in 0..5 {
        refused!(
            change("wrong one", PASSWORD).await,
            Error::CredentialsRefused
        );
    }
    assert_eq!(limited(change(NEW, PASSWORD).await), ("login_failures", 30));
    assert!(desk.login(ANN, NEW).await.is_ok());
    limited(change(NEW, PASSWORD).await);
}

#[tokio::test]
async fn a_password_is_changed_so_often_and_not_more_since_each_change_mails() {
    for (policy, most) in [("2/hour", 2), ("off", 6)] {
        let mut strict = settings();
        strict.limits.password_change_per_user = policy.parse().unwrap();
        let desk = Desk::with(strict);
        let (_, session) = desk.join(ANN).await;
        let who = desk.who(&session).await.unwrap();
        let change = async |nth: usize| {
            let passwords = [PASSWORD, NEW];
            let form = ChangePassword {
                current_password: secret(passwords[nth % 2]),
                new_password: secret(passwords[(nth + 1) % 2]),
            };
            desk.accounts
                .change_password(&client("::1"), &who, form)
                .await
        };
        for nth in 0..most {
            // A wrong one is no change.
            let wrong = change(nth + 1).await;
            refused!(wrong, Error::CredentialsRefused);
            change(nth).await.unwrap();
        }
        let mails = desk.mail().await;
        let notices = mails
            .iter()
            .filter(|mail| mail.row.kind == Kind::PasswordChanged);
        assert_eq!(notices.count(), most);
        if policy != "off" {
            let over = change(most).await;
            assert_eq!(limited(over), ("password_change_per_user", 3600));
            desk.advance(HOUR);
            change(most).await.unwrap();
        }
    }
}

#[tokio::test]
async fn changing_a_password_needs_the_current_one_and_ends_the_other_sessions() {
    let desk = Desk::open();
    let (_, first) = desk.join(ANN).await;
    let (_, second) = desk.login(ANN, PASSWORD).await.unwrap();
    let who = desk.who(&first).await.unwrap();
    let form = |current: &str, new: &str| ChangePassword {
        current_password: secret(current),
        new_password: secret(new),
    };
    let change = |form| async {
        desk.accounts
            .change_password(&client("::1"), &who, form)
            .await
    };
    refused!(change(form("", "short")).await, Error::Invalid(_));
    refused!(
        change(form("wrong one", NEW)).await,
        Error::CredentialsRefused
    );
    // The newest mail is found by when it was composed.
    desk.advance(Duration::from_secs(1));
    change(form(PASSWORD, NEW)).await.unwrap();
    assert!(desk.who(&first).await.is_ok());
    refused!(
        desk.who(second.token.expose()).await,
        Error::Unauthenticated
    );
    let notice = desk.newest(ANN).await;
    assert_eq!(notice.row.kind, Kind::PasswordChanged);
    assert_eq!(notice.row.state, State::Queued);
    // Guessing the current password of a stolen session is limited like any other guessing.
    for _ in 0..5 {
        refused!(
            change(form("wrong one", NEW)).await,
            Error::CredentialsRefused
        );
    }
    limited(change(form(NEW, PASSWORD)).await);
}
