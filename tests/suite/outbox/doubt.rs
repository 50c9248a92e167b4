//! Mails that may have arrived: how often one is sent again, what is said of it, and what becomes
//! of those that a courier had when it was killed.

use gatepost::language::Language;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{self, Charge, Completion, State, Want};
use gatepost::mail::{Lane, Letter, Occasion, OutboxId};
use gatepost::store::Table;

use super::hand::{Act, SECOND, attempt};
use crate::courier_post::{LEASE, Post};

async fn said(post: &Post, id: OutboxId) -> Vec<String> {
    let why = outbox::why(&post.row(id).await, &[], post.now());
    Language::ALL
        .into_iter()
        .map(|language| why.text(language))
        .collect()
}

async fn revoke(post: &Post) -> usize {
    let now = post.now();
    post.write(move |tx| outbox::revoke(tx, now)).await
}

#[tokio::test]
async fn a_mail_that_ended_in_doubt_three_times_is_not_sent_again() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    for nth in 1..=3 {
        assert_eq!(post.row(id).await.finished_at, None, "doubt {nth}");
        post.tried(id, Outcome::Uncertain, Some(post.now() + SECOND))
            .await;
        post.simulated.advance(SECOND);
        if nth == 1 {
            // What is certain is not counted.
            post.tried(id, Outcome::Temporary, Some(post.now() + SECOND))
                .await;
            post.simulated.advance(SECOND);
        }
    }
    let row = post.row(id).await;
    assert_eq!((row.state, row.due_at), (State::Uncertain, None));
    assert!(!post.has_body(id).await);
    let words = said(&post, id).await;
    assert!(words[2].contains("3 times"), "{words:?}");
    assert!(!words[2].contains("no time"), "{words:?}");
    post.act(Act::Requeue, id).await.unwrap_err();
    let told = post.told().await;
    assert_eq!(told[0].0, "mail_uncertain");
}

#[tokio::test]
async fn to_be_killed_does_not_use_up_the_repeats_of_a_mail_that_was_perhaps_never_begun() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    for _ in 0..10 {
        post.claim(id).await.expect("it is due");
        assert_eq!(revoke(&post).await, 1);
    }
    post.tried(id, Outcome::Accepted, None).await;
    assert_eq!(post.row(id).await.state, State::Sent);
}

#[tokio::test]
async fn what_a_killed_courier_had_keeps_its_place_in_the_lane() {
    let post = Post::new();
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(post.put(post.notice(&format!("u{n}@example.org"))).await);
        post.simulated.advance(SECOND);
    }
    let places = [post.row(ids[0]).await.due_at, post.row(ids[1]).await.due_at];
    post.claim(ids[1]).await.unwrap();
    post.claim(ids[0]).await.unwrap();
    post.simulated.advance(SECOND);
    assert_eq!(revoke(&post).await, 2);
    let kept = [post.row(ids[0]).await.due_at, post.row(ids[1]).await.due_at];
    assert_eq!(kept, places);
    // As well when nobody took it back: its lease ran out, and the next one gives it back.
    post.claim(ids[0]).await.unwrap();
    post.simulated.advance(LEASE);
    let claim = post.claim(ids[0]).await.unwrap();
    assert_eq!(Some(claim.due_at), places[0]);
}

#[tokio::test]
async fn what_was_perhaps_never_begun_is_not_said_to_have_been_handed_over() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    post.claim(id).await.unwrap();
    revoke(&post).await;
    let claim = post.claim(id).await.unwrap();
    assert!(
        post.complete(claim, Outcome::Temporary, Some(post.now() + SECOND))
            .await
    );
    let words = said(&post, id).await;
    let whole = ["內容已全部送出", "内容已全部送出", "handed over whole"];
    let ended = ["不知道", "不知道", "not known"];
    for ((words, whole), ended) in words.iter().zip(whole).zip(ended) {
        assert!(!words.contains(whole), "{words}");
        assert!(words.contains(ended), "{words}");
    }
    let expires_at = post.row(id).await.expires_at;
    post.simulated.advance(expires_at.since(post.now()));
    post.tidied(None, 10).await;
    assert_eq!(post.row(id).await.state, State::Uncertain);
    let words = said(&post, id).await;
    assert!(!words[2].contains("handed over whole"), "{words:?}");
}

#[tokio::test]
async fn a_mail_refused_after_a_doubt_is_said_to_have_perhaps_arrived_before() {
    let post = Post::new();
    for act in [None, Some(Act::Discard)] {
        let occasion = Occasion::Test;
        let id = post.put(post.letter(&occasion, "ann@example.org")).await;
        post.tried(id, Outcome::Uncertain, Some(post.now())).await;
        match act {
            None => post.tried(id, Outcome::Permanent, None).await,
            Some(act) => drop(post.act(act, id).await.unwrap()),
        }
        let words = said(&post, id).await;
        let may = ["可能已經送達", "可能已经送达", "may have arrived before"];
        for (words, may) in words.iter().zip(may) {
            assert!(words.contains(may), "{words}");
        }
        let (_, _, detail) = post.told().await.swap_remove(0);
        assert!(detail.ends_with("may have arrived before"), "{detail}");
        post.simulated.advance(SECOND);
    }
}

#[tokio::test]
async fn a_code_behind_a_crowd_of_doubtful_ones_is_found_for_the_fallback() {
    let post = Post::new();
    let letter = post.letter(&Occasion::Test, "ann@example.org");
    let world = post.simulated.world();
    let crowd: Vec<Letter> = (0..1500)
        .map(|_| {
            let mut letter = letter.clone();
            letter.id = OutboxId::draw(&world);
            letter
        })
        .collect();
    post.enqueue(crowd).await;
    let now = post.now();
    let claim = async |want: Want| {
        post.write(move |tx| outbox::claim(tx, now, LEASE, want))
            .await
    };
    let claims = claim(Want::any(2000)).await;
    let doubts: Vec<_> = claims
        .into_iter()
        .map(|claim| Completion {
            claim,
            attempt: Some(attempt(Outcome::Uncertain, now)),
            charge: Charge::Try,
            retry_at: Some(now),
        })
        .collect();
    assert_eq!(doubts.len(), 1500);
    post.write(move |tx| outbox::complete(tx, now, &doubts))
        .await;
    let id = post.put(post.code("bob@example.org").0).await;
    let next = post
        .store
        .read(|read| outbox::next_undoubted(read, Lane::Prompt));
    assert_eq!(next.await.unwrap(), Some(now));
    let want = Want {
        undoubted_only: true,
        ..Want::any(10)
    };
    let claimed = claim(want).await;
    let claimed: Vec<_> = claimed.into_iter().map(|claim| claim.id).collect();
    assert_eq!(claimed, [id]);
    // Nobody else looks past them: they come first, as they did.
    let first = claim(Want::any(1)).await;
    assert!(first[0].id < id);
}

#[tokio::test]
async fn taking_back_what_is_on_its_way_reads_nothing_of_what_waits() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    let unread = post.put(post.notice("bob@example.org")).await;
    while post.tidied(None, 10).await == 10 {}
    post.claim(id).await.unwrap();
    // Whoever reads this row fails; its time comes before the end of the lease.
    const ROWS: Table<OutboxId, u8> = Table::new("outbox.row");
    post.write(move |tx| {
        tx.put(&ROWS, &unread, &0);
        Ok(())
    })
    .await;
    assert_eq!(revoke(&post).await, 1);
}
