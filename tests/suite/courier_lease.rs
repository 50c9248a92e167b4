//! Whose a mail is: leases, the clock that they run on, couriers that die or meet.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepost::events::Topic;
use gatepost::mail::Letter;
use gatepost::mail::attempt::{Attempt, Outcome, Stage};
use gatepost::mail::outbox::{self, Charge, State, Want};
use gatepost::store::Tx;

use crate::courier_post::{LEASE, Post};
use crate::relay_script::{Act, Server, fine};

#[tokio::test]
async fn a_mail_whose_lease_ran_out_on_the_way_is_sent_by_the_next_claim() {
    let post = Post::new();
    let simulated = post.simulated.clone();
    let tries = AtomicUsize::new(0);
    let server = Server::start(move |_, line| {
        if line.starts_with("RCPT") && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            // The lease is over then, and the code is good for minutes to come.
            simulated.jump(simulated.world().now() + LEASE);
        }
        fine(line)
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![letter]).await;
    let row = post.until(id, outbox::Row::is_final).await;
    assert_eq!((row.state, row.tries, row.claim), (State::Sent, 1, 2));
    assert_eq!(post.outcomes(id).await, [Outcome::Accepted]);
    assert_eq!(server.heard().messages.len(), 1);
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_clock_that_was_set_back_gives_a_lapsed_mail_its_time_again() {
    let post = Post::new();
    let (letter, _) = post.code("ann@example.org");
    let (id, expires_at) = (letter.id, letter.expires_at);
    post.enqueue(vec![letter]).await;
    let now = post.simulated.world().now();
    let lapsed = move |tx: &mut Tx<'_>| {
        let claim = outbox::claim(tx, now, LEASE, Want::any(1))?[0];
        let attempt = Attempt {
            started_at: now,
            ended_at: expires_at,
            stage: Stage::Data,
            outcome: Outcome::Lapsed,
            code: None,
            reply: Vec::new(),
            transcript: Vec::new(),
            route: None,
            rule: None,
        };
        let completion = outbox::Completion {
            claim,
            attempt: Some(attempt),
            charge: Charge::Try,
            retry_at: None,
        };
        outbox::complete(tx, now, &[completion])
    };
    assert_eq!(post.store.write(lapsed).await.unwrap(), 1);
    let row = post.row(id).await;
    assert_eq!((row.state, row.due_at), (State::Queued, Some(now)));
}

#[tokio::test]
async fn what_was_sent_is_written_down_while_the_next_mail_hangs() {
    let post = Post::new();
    let server = Server::start(|_, line| match line {
        "RCPT TO:<bob@example.org>" => Act::Hang,
        line => fine(line),
    })
    .await;
    let (first, _) = post.code("ann@example.org");
    // It is due later, if only by a moment.
    post.simulated.advance(Duration::from_millis(1));
    let (second, _) = post.code("bob@example.org");
    let (sent, hanging) = (first.id, second.id);
    let courier = post.courier(server.port);
    post.enqueue(vec![first, second]).await;
    server.until("RCPT TO:<bob@example.org>").await;
    assert_eq!(server.heard().connections, 1, "they share a run");
    post.simulated.advance(Duration::from_millis(20));
    post.until_state(sent, State::Sent).await;
    assert_eq!(post.row(hanging).await.state, State::Sending);
    drop(courier);
}

#[tokio::test]
async fn a_jump_of_the_clock_does_not_make_a_courier_take_its_own_mail_again() {
    let post = Post::new();
    let server = Server::start(|_, line| match line {
        "RCPT TO:<ann@example.org>" => Act::Hang,
        line => fine(line),
    })
    .await;
    let (first, _) = post.code("ann@example.org");
    let hanging = first.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![first]).await;
    server.until("RCPT TO:<ann@example.org>").await;
    post.simulated.jump(post.simulated.world().now() + LEASE);
    let (second, _) = post.code("bob@example.org");
    let id = second.id;
    post.enqueue(vec![second]).await;
    post.until_state(id, State::Sent).await;
    let row = post.row(hanging).await;
    assert_eq!((row.state, row.claim), (State::Sending, 1));
    assert_eq!(row.due_at, Some(post.simulated.world().now() + LEASE));
    drop(courier);
}

#[tokio::test]
async fn two_couriers_on_one_store_send_nothing_twice() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let one = post.courier(server.port);
    let two = post.courier(server.port);
    let mut last = None;
    for part in 0..10 {
        let letters: Vec<Letter> = (0..30)
            .map(|n| post.code(&format!("u{part}-{n}@example.org")).0)
            .collect();
        last = letters.last().map(|letter| letter.id).or(last);
        post.enqueue(letters).await;
    }
    post.until_state(last.unwrap(), State::Sent).await;
    let mut changes = post.events.watch(Topic::Outbox);
    while post
        .store
        .read(|read| outbox::counts(read))
        .await
        .unwrap()
        .of(State::Sent)
        < 300
    {
        changes.changed().await;
    }
    one.stop(Duration::from_secs(5)).await;
    two.stop(Duration::from_secs(5)).await;
    let mut recipients: Vec<String> = server.heard().lines;
    recipients.retain(|line| line.starts_with("RCPT"));
    let sent = recipients.len();
    recipients.sort();
    recipients.dedup();
    assert_eq!((sent, recipients.len()), (300, 300));
}

#[tokio::test]
async fn a_courier_that_died_loses_its_lease_and_its_right_to_complete() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let courier = post.courier(server.port);
    let (early, _) = post.code("bob@example.org");
    let early_id = early.id;
    post.enqueue(vec![early]).await;
    post.until_state(early_id, State::Sent).await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    // Another one claims after this one's start, and is never heard of again.
    let now = post.simulated.world().now();
    let claims = post
        .store
        .write(move |tx| {
            outbox::enqueue(tx, &letter)?;
            outbox::claim(tx, now, LEASE, Want::any(64))
        })
        .await
        .unwrap();
    assert_eq!(claims.len(), 1);
    post.simulated.advance(LEASE - Duration::from_millis(1));
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(post.row(id).await.state, State::Sending);
    post.simulated.advance(Duration::from_millis(1));
    let row = post.until_state(id, State::Sent).await;
    assert_eq!(row.claim, 2);
    assert_eq!(post.outcomes(id).await, [Outcome::Lost, Outcome::Accepted]);
    // It wakes up after all: too late.
    let late = outbox::Completion {
        claim: claims[0],
        attempt: None,
        charge: Charge::Try,
        retry_at: None,
    };
    let counted = post
        .store
        .write(move |tx| outbox::complete(tx, now, std::slice::from_ref(&late)))
        .await
        .unwrap();
    assert_eq!(counted, 0);
    assert_eq!(post.row(id).await.state, State::Sent);
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_a_killed_courier_had_is_tried_again_when_the_next_one_starts() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let (taken, _) = post.code("ann@example.org");
    post.simulated.advance(Duration::from_millis(1));
    let (waiting, _) = post.code("bob@example.org");
    let (taken_id, waiting_id) = (taken.id, waiting.id);
    let now = post.simulated.world().now();
    post.enqueue(vec![taken, waiting]).await;
    let claims = post
        .store
        .write(move |tx| outbox::claim(tx, now, LEASE, Want::any(1)))
        .await
        .unwrap();
    assert_eq!(claims[0].id, taken_id);
    let courier = post.courier(server.port);
    // The clock stands still: no lease runs out.
    let row = post.until_state(taken_id, State::Sent).await;
    assert_eq!((row.claim, row.tries, row.doubtful), (2, 2, true));
    let outcomes = post.outcomes(taken_id).await;
    assert_eq!(outcomes, [Outcome::Lost, Outcome::Accepted]);
    let row = post.until_state(waiting_id, State::Sent).await;
    assert_eq!((row.claim, row.tries, row.doubtful), (1, 1, false));
    let counts = post.store.read(|read| outbox::counts(read)).await.unwrap();
    assert_eq!((counts.of(State::Sent), counts.total()), (2, 2));
    courier.stop(Duration::from_secs(5)).await;
}
