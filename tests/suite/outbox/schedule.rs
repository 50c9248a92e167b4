//! Mails that are to be sent later: not before their time, and for as long after it as any other.

use std::time::Duration;

use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{self, Filter, State, Want};
use gatepost::mail::{Kind, Lane, Letter, Occasion, OutboxId};
use gatepost::store::page::Ask;
use gatepost::store::{Read, Table};
use gatepost::world::Timestamp;

use super::hand::{Act, DAY, SECOND, Standing};
use crate::courier_post::{LEASE, LIFETIME, Post};

fn scheduled(post: &Post, to: &str, by: Duration) -> Letter {
    let mut letter = post.notice(to);
    let life = letter.expires_at.since(letter.created_at);
    letter.due_at = letter.created_at + by;
    letter.expires_at = letter.due_at + life;
    letter
}

#[tokio::test]
async fn a_scheduled_mail_waits_for_its_time_and_lives_from_then_on() {
    let post = Post::new();
    let id = post
        .put(scheduled(&post, "ann@example.org", 40 * DAY))
        .await;
    assert_eq!(post.claim(id).await, None);
    post.simulated.advance(40 * DAY - SECOND);
    assert_eq!(post.claim(id).await, None);
    let now = post.now();
    post.tidied(Some(now), 10).await;
    assert_eq!(post.row(id).await.state, State::Queued, "nothing forgot it");
    post.simulated.advance(DAY);
    let claim = post.claim(id).await.expect("its time has come");
    post.complete(claim, Outcome::Permanent, None).await;
    // Composed long ago, done with just now.
    post.tidied(Some(now), 10).await;
    let row = post.act(Act::Requeue, id).await.unwrap();
    assert_eq!(row.expires_at, post.now() + DAY);
}

#[tokio::test]
async fn the_oldest_due_comes_first_in_its_lane_and_urgent_ones_before() {
    let post = Post::new();
    let late = post
        .put(scheduled(&post, "a@example.org", 20 * SECOND))
        .await;
    let early = post
        .put(scheduled(&post, "b@example.org", 10 * SECOND))
        .await;
    post.simulated.advance(15 * SECOND);
    let mut high = post.notice("c@example.org");
    high.lane = Lane::High;
    let now_due = post.put(post.notice("d@example.org")).await;
    let high = post.put(high).await;
    let code = post.put(post.code("e@example.org").0).await;
    post.simulated.advance(15 * SECOND);
    let now = post.now();
    let claims = post
        .write(move |tx| outbox::claim(tx, now, LEASE, Want::any(10)))
        .await;
    let order: Vec<_> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(order, [code, high, early, now_due, late]);
}

#[tokio::test]
async fn a_crowd_of_one_millisecond_goes_out_in_the_order_in_which_it_came() {
    let post = Post::new();
    let mut ids = Vec::new();
    for n in 0..50 {
        ids.push(post.put(post.notice(&format!("u{n}@example.org"))).await);
    }
    let now = post.now();
    let claims = post
        .write(move |tx| outbox::claim(tx, now, LEASE, Want::any(100)))
        .await;
    let order: Vec<_> = claims.iter().map(|claim| claim.id).collect();
    assert_eq!(order, ids);
}

#[tokio::test]
async fn a_mailbox_and_a_kind_and_a_state_are_found_together() {
    let post = Post::new();
    let mut sent = Vec::new();
    for n in 0..6 {
        let to = format!("u{}@example.org", n % 2);
        post.put(post.notice(&to)).await;
        let id = post.put(post.letter(&Occasion::Test, &to)).await;
        if n < 4 {
            post.tried(id, Outcome::Accepted, None).await;
            sent.insert(0, id);
        }
    }
    let filter = Filter {
        state: Some(State::Sent),
        kind: Some(Kind::Test),
        to: Some("U1@example.org".parse().unwrap()),
        ..Filter::default()
    };
    let page = post
        .store
        .read(|read| outbox::list(read, &filter, outbox::Sort::CreatedAt, &Ask::newest(10)))
        .await
        .unwrap();
    let found: Vec<_> = page.items.iter().map(|item| item.id).collect();
    assert_eq!(found, [sent[0], sent[2]]);
    let sending = post.put(post.notice("v@example.org")).await;
    post.claim(sending).await.unwrap();
    let filter = Filter {
        state: Some(State::Sending),
        ..Filter::default()
    };
    let page = post
        .store
        .read(|read| outbox::list(read, &filter, outbox::Sort::CreatedAt, &Ask::newest(10)))
        .await
        .unwrap();
    assert_eq!((page.items[0].id, page.total), (sending, Some(1)));
}

#[tokio::test]
async fn what_lapses_while_nobody_claims_it_expires_in_passing() {
    let post = Post::new();
    let code = post.put(post.code("ann@example.org").0).await;
    let notice = post.put(post.notice("ann@example.org")).await;
    let under_way = post.standing(Standing::Sending).await;
    let waiting = post.put(post.code("bob@example.org").0).await;
    post.simulated.advance(SECOND);
    let doubtful = post.put(post.code("cleo@example.org").0).await;
    post.tried(doubtful, Outcome::Uncertain, Some(post.now()))
        .await;
    post.simulated.advance(LIFETIME - SECOND);
    post.tidied(None, 10).await;
    let states = async |ids: &[OutboxId]| {
        let mut states = Vec::new();
        for id in ids {
            let row = post.row(*id).await;
            states.push((row.state, row.is_final()));
        }
        states
    };
    let ids = [code, notice, under_way, waiting, doubtful];
    assert_eq!(
        states(&ids).await,
        [
            (State::Expired, true),
            (State::Queued, false),
            (State::Sending, false),
            (State::Expired, true),
            (State::Uncertain, false),
        ]
    );
    assert!(!post.has_body(code).await);
    post.simulated.advance(DAY);
    while post.tidied(None, 1).await > 0 {}
    assert_eq!(
        states(&ids[1..]).await,
        [
            (State::Dead, true),
            (State::Sending, false),
            (State::Expired, true),
            (State::Uncertain, true),
        ]
    );
    post.act(Act::Requeue, notice).await.unwrap();
}

#[tokio::test]
async fn what_lapses_behind_a_crowd_that_does_not_expires_all_the_same() {
    let post = Post::new();
    for n in 0..6 {
        let link = Occasion::ResetLink {
            url: "https://example.com/x/",
            lifetime: 6 * LIFETIME,
        };
        post.put(post.letter(&link, &format!("u{n}@example.org")))
            .await;
    }
    post.simulated.advance(SECOND);
    let mut codes = Vec::new();
    for n in 0..6 {
        let (code, _) = post.code(&format!("u{n}@example.org"));
        codes.push(post.put(code).await);
    }
    // One that a courier has at its end is the courier's.
    post.claim(codes.remove(0)).await.unwrap();
    post.simulated.advance(LIFETIME);
    while post.tidied(None, 3).await == 3 {}
    for id in codes {
        assert_eq!(post.row(id).await.state, State::Expired);
    }
    let counts = post.store.read(|read| outbox::counts(read)).await.unwrap();
    assert_eq!(
        (counts.of(State::Queued), counts.of(State::Sending)),
        (6, 1)
    );
}

#[tokio::test]
async fn what_was_composed_while_the_clock_was_ahead_does_not_wait_for_it() {
    let post = Post::new();
    let right = post.now();
    post.simulated.jump(right + DAY);
    let mut ahead = Vec::new();
    for n in 0..5 {
        ahead.push(post.put(post.notice(&format!("u{n}@example.org"))).await);
        post.simulated.advance(SECOND);
    }
    let set_back = post.put(post.notice("v@example.org")).await;
    let later = Some(post.now() + 300 * SECOND);
    post.tried(set_back, Outcome::Temporary, later).await;
    let doubtful = post.put(post.notice("w@example.org")).await;
    post.tried(doubtful, Outcome::Uncertain, later).await;
    let at_its_time = post.put(scheduled(&post, "x@example.org", DAY)).await;
    let under_way = post.put(post.notice("y@example.org")).await;
    post.claim(under_way).await.unwrap();
    post.simulated.jump(right);
    let claim = async || {
        let now = post.now();
        post.write(move |tx| outbox::claim(tx, now, LEASE, Want::any(100)))
            .await
    };
    assert_eq!(claim().await, []);
    while post.tidied(None, 2).await >= 2 {}
    let claimed: Vec<_> = claim().await.into_iter().map(|claim| claim.id).collect();
    ahead.extend([set_back, doubtful]);
    assert_eq!(claimed, ahead, "in the order in which they came");
    assert_eq!(post.row(at_its_time).await.state, State::Queued);
    assert_eq!(post.row(under_way).await.state, State::Sending);
    assert_eq!(post.tidied(None, 2).await, 0);
}

#[tokio::test]
async fn a_notice_whose_time_went_by_unnoticed_is_requeued_like_one_that_was_given_up() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    post.simulated.advance(DAY);
    post.act(Act::Retry, id).await.unwrap_err();
    let row = post.act(Act::Requeue, id).await.unwrap();
    assert_eq!(row.expires_at, post.now() + DAY);
    assert!(post.claim(id).await.is_some());
}

/// The indexes that the first build did not have, or not of all rows.
const BY_STATE: Table<(u8, OutboxId), ()> = Table::new("outbox.by_state");
const BY_ADDRESS: Table<(gatepost::address::LookupAddress, OutboxId), ()> =
    Table::new("outbox.by_address");

const EXPIRES: Table<(Timestamp, OutboxId), ()> = Table::new("outbox.expires");

#[tokio::test]
async fn the_mails_of_an_older_build_are_indexed_in_passing() {
    let post = Post::new();
    let mut ids = Vec::new();
    for n in 0..7 {
        let id = post.put(post.notice("ann@example.org")).await;
        if n % 2 == 0 {
            post.tried(id, Outcome::Accepted, None).await;
        }
        ids.insert(0, id);
    }
    post.write(|tx| {
        let states: Vec<_> = tx.scan(BY_STATE.all())?.collect::<Result<_, _>>()?;
        let addresses: Vec<_> = tx.scan(BY_ADDRESS.all())?.collect::<Result<_, _>>()?;
        for (key, ()) in states {
            tx.delete(&BY_STATE, &key);
        }
        for (key, ()) in addresses {
            tx.delete(&BY_ADDRESS, &key);
        }
        let expires: Vec<_> = tx.scan(EXPIRES.all())?.collect::<Result<_, _>>()?;
        for (key, ()) in expires {
            tx.delete(&EXPIRES, &key);
        }
        Ok(())
    })
    .await;
    let to = Filter {
        to: Some("ann@example.org".parse().unwrap()),
        ..Filter::default()
    };
    let queued = Filter {
        state: Some(State::Queued),
        ..Filter::default()
    };
    let found = async |filter: &Filter| {
        let page = post
            .store
            .read(|read| outbox::list(read, filter, outbox::Sort::CreatedAt, &Ask::newest(10)))
            .await;
        let items = page.unwrap().items.into_iter();
        items.map(|item| item.id).collect::<Vec<_>>()
    };
    assert_eq!(found(&to).await, []);
    while post.tidied(None, 2).await == 2 {}
    let expires = post.tables().await["outbox.expires"];
    assert_eq!(expires, 3, "by when their time is over");
    assert_eq!(found(&to).await, ids);
    assert_eq!(found(&queued).await, [ids[1], ids[3], ids[5]]);
    assert_eq!(post.tidied(None, 2).await, 0);
}
