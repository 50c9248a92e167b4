//! Sessions: how long they last, and how they are listed and ended.

use std::net::IpAddr;
use std::time::Duration;

use gatepost::identity::{ChangePassword, Error, SessionId, UserId};
use gatepost::secret::TokenHash;
use gatepost::store::{Table, Tx};
use gatepost::world::Timestamp;
use serde::{Deserialize, Serialize};

use super::desk::{DAY, Desk, HOUR, MINUTE, PASSWORD, client, secret, settings};
use crate::refused;

const ANN: &str = "ann@example.com";
const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn a_session_ends_without_use_and_at_the_latest_after_thirty_days() {
    let desk = Desk::open();
    let (_, idle) = desk.join(ANN).await;
    let (_, used) = desk.login(ANN, PASSWORD).await.unwrap();
    let used = used.token.expose();
    for _ in 0..29 {
        desk.advance(DAY);
        let before = desk.who(used).await.unwrap().session.last_used_at;
        desk.settled(async || desk.who(used).await.unwrap().session.last_used_at > before)
            .await;
    }
    refused!(desk.who(&idle).await, Error::Unauthenticated);
    desk.advance(DAY - SECOND);
    assert!(desk.who(used).await.is_ok());
    desk.advance(SECOND);
    refused!(desk.who(used).await, Error::Unauthenticated);
}

#[tokio::test]
async fn the_last_use_is_written_down_at_most_once_an_hour() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let began = desk.simulated.world().now();
    desk.advance(HOUR - SECOND);
    assert_eq!(desk.who(&token).await.unwrap().session.last_used_at, began);
    desk.advance(SECOND);
    // This one sets it, beside the request.
    assert_eq!(desk.who(&token).await.unwrap().session.last_used_at, began);
    desk.settled(async || desk.who(&token).await.unwrap().session.last_used_at == began + HOUR)
        .await;
}

#[tokio::test]
async fn a_short_session_does_not_end_while_it_is_used() {
    let mut short = settings();
    short.sessions.idle = 30 * MINUTE;
    let desk = Desk::with(short);
    let (_, token) = desk.join(ANN).await;
    for _ in 0..20 {
        desk.advance(10 * MINUTE);
        let now = desk.simulated.world().now();
        desk.settled(async || desk.who(&token).await.unwrap().session.last_used_at == now)
            .await;
    }
    desk.advance(30 * MINUTE);
    refused!(desk.who(&token).await, Error::Unauthenticated);
}

#[tokio::test]
async fn ones_own_sessions_are_listed_and_ended() {
    let desk = Desk::open();
    let (_, first) = desk.join(ANN).await;
    let (_, eve) = desk.join("eve@example.com").await;
    for _ in 0..4 {
        desk.advance(SECOND);
        desk.login(ANN, PASSWORD).await.unwrap();
    }
    let who = desk.who(&first).await.unwrap();
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = desk.accounts.sessions(&who, cursor, 2).await.unwrap();
        assert_eq!(page.total, Some(5));
        seen.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0].id > pair[1].id));
    let current: Vec<_> = seen.iter().filter(|session| session.current).collect();
    assert_eq!(current, [&who.session]);

    let newest = seen[0].id.to_string();
    let eve = desk.who(&eve).await.unwrap();
    refused!(
        desk.accounts
            .revoke_session(&client("192.0.2.1"), &eve, &newest)
            .await,
        Error::NotFound
    );
    refused!(
        desk.accounts
            .revoke_session(&client("192.0.2.1"), &who, "se_what")
            .await,
        Error::NotFound
    );
    desk.accounts
        .revoke_session(&client("192.0.2.1"), &who, &newest)
        .await
        .unwrap();
    refused!(
        desk.accounts
            .revoke_session(&client("192.0.2.1"), &who, &newest)
            .await,
        Error::NotFound
    );
    assert_eq!(
        desk.accounts
            .revoke_others(&client("192.0.2.1"), &who)
            .await
            .unwrap(),
        3
    );
    assert_eq!(
        desk.accounts.sessions(&who, None, 10).await.unwrap().total,
        Some(1)
    );
    desk.accounts
        .logout(&client("192.0.2.1"), &who)
        .await
        .unwrap();
    refused!(desk.who(&first).await, Error::Unauthenticated);
}

/// As the row of a session stands in the store.
#[derive(Clone, Serialize, Deserialize)]
struct Row {
    i: SessionId,
    u: UserId,
    c: Timestamp,
    l: Timestamp,
    e: u64,
    p: IpAddr,
}

#[tokio::test]
async fn every_live_session_is_listed_and_can_be_ended_however_many_there_are() {
    const SESSIONS: Table<TokenHash, Row> = Table::new("identity.session");
    const OF_USER: Table<(UserId, SessionId), TokenHash> = Table::new("identity.session.user");
    let desk = Desk::open();
    let (user, token) = desk.join(ANN).await;
    let world = desk.simulated.world();
    let now = world.now();
    let write = move |tx: &mut Tx<'_>| {
        for n in 0..1500 {
            let (id, hash) = (SessionId::draw(&world), TokenHash::of(&format!("gps_{n}")));
            let row = Row {
                i: id,
                u: user.id,
                c: now,
                l: now,
                e: 0,
                p: "192.0.2.1".parse().unwrap(),
            };
            tx.put(&SESSIONS, &hash, &row);
            tx.put(&OF_USER, &(user.id, id), &hash);
        }
        Ok::<_, gatepost::store::Error>(())
    };
    desk.store.write(write).await.unwrap();
    let who = desk.who(&token).await.unwrap();
    let mut seen = Vec::new();
    let mut cursor = None;
    loop {
        let page = desk.accounts.sessions(&who, cursor, 200).await.unwrap();
        assert_eq!(page.total, None, "too many to count");
        seen.extend(page.items);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 1501);
    assert!(seen.windows(2).all(|pair| pair[0].id > pair[1].id));
    let oldest = seen.iter().rfind(|session| !session.current).unwrap();
    let oldest = oldest.id.to_string();
    desk.accounts
        .revoke_session(&client("192.0.2.1"), &who, &oldest)
        .await
        .unwrap();
    desk.accounts
        .revoke_others(&client("192.0.2.1"), &who)
        .await
        .unwrap();
    let left = desk.accounts.sessions(&who, None, 200).await.unwrap().items;
    assert_eq!(left, [who.session]);
}

#[tokio::test]
async fn a_session_that_has_ended_ends_no_others_and_does_not_come_back() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let who = desk.who(&token).await.unwrap();
    desk.advance(14 * DAY - SECOND);
    let (_, other) = desk.login(ANN, PASSWORD).await.unwrap();
    desk.advance(SECOND);
    let others = desk
        .accounts
        .revoke_others(&client("192.0.2.1"), &who)
        .await;
    refused!(others, Error::Unauthenticated);
    let form = ChangePassword {
        current_password: secret(PASSWORD),
        new_password: secret("new lamp at the gate"),
    };
    let client = client("192.0.2.1");
    let changed = desk.accounts.change_password(&client, &who, form).await;
    refused!(changed, Error::Unauthenticated);
    assert!(desk.who(other.token.expose()).await.is_ok());
    assert!(desk.login(ANN, PASSWORD).await.is_ok());
}

#[tokio::test]
async fn what_was_never_given_out_is_nobody() {
    let desk = Desk::open();
    desk.join(ANN).await;
    for bearer in ["", "gps_", "gps_AAAA", "gpv_AAAA", &"gps_".repeat(1000)] {
        refused!(desk.who(bearer).await, Error::Unauthenticated);
    }
}

#[tokio::test]
async fn a_clock_set_back_makes_no_session_endless() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let now = desk.simulated.world().now();
    desk.simulated.jump(now.minus(DAY));
    assert!(desk.who(&token).await.is_ok());
    desk.simulated.jump(now.minus(365 * DAY));
    refused!(desk.who(&token).await, Error::Unauthenticated);
}

#[tokio::test]
async fn nothing_that_lapsed_stays_in_the_store() {
    let desk = Desk::open();
    desk.join(ANN).await;
    desk.token("bob@example.org", "register").await;
    desk.send("cat@example.com", "reset_password")
        .await
        .unwrap();
    let form = gatepost::identity::RequestReset {
        email: ANN.to_owned(),
        ..Default::default()
    };
    let client = super::desk::client("192.0.2.1");
    desk.accounts.request_reset(&client, form).await.unwrap();
    refused!(
        desk.login("eve@example.com", "wrong one").await,
        Error::CredentialsRefused
    );
    let full = desk.rows().await;
    for table in [
        "flow",
        "verification",
        "link",
        "counter",
        "session",
        "doomed",
    ] {
        assert!(
            full.contains_key(&format!("identity.{table}")),
            "{table}: {full:?}"
        );
    }
    // A session that is used is not swept with the others.
    let (_, used) = desk.login(ANN, PASSWORD).await.unwrap();
    let used = used.token.expose();
    for _ in 0..29 {
        desk.advance(DAY);
        let before = desk.who(used).await.unwrap().session.last_used_at;
        desk.settled(async || desk.who(used).await.unwrap().session.last_used_at > before)
            .await;
        desk.sweep().await;
    }
    let rows = desk.rows().await;
    assert_eq!(rows.get("identity.session"), Some(&1));
    assert!(desk.who(used).await.is_ok());
    desk.advance(100 * DAY);
    assert!(desk.sweep().await > 0);
    assert_eq!(desk.sweep().await, 0);
    let left: Vec<_> = desk
        .rows()
        .await
        .into_keys()
        .filter(|table| table.starts_with("identity") || table.starts_with("audit"))
        .collect();
    assert_eq!(left, ["identity.account", "identity.address"]);
}
