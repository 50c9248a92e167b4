//! A code or a link that another one followed never comes back into the queue behind it, whichever
//! way it would come.

use gatepost::mail::OutboxId;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{self, Charge, Completion, Conflict, Shelved, State};

use super::hand::{Act, SECOND, Standing, attempt};
use crate::courier_post::{LIFETIME, Post};

const ANN: &str = "ann@example.org";

/// Puts a code into the queue that follows the one called `id`.
async fn follow(post: &Post, id: OutboxId) -> OutboxId {
    let to = post.row(id).await.to.to_string();
    post.put(post.code(&to).0).await
}

#[tokio::test]
async fn one_that_was_on_its_way_gives_way_when_it_comes_back() {
    for (tried, charge, retries) in [
        (Some(Outcome::Temporary), Charge::Try, true),
        (Some(Outcome::Connection), Charge::None, true),
        (Some(Outcome::Configuration), Charge::None, false),
        (None, Charge::None, false),
    ] {
        let post = Post::new();
        let older = post.put(post.code(ANN).0).await;
        let claim = post.claim(older).await.unwrap();
        let newer = follow(&post, older).await;
        assert_eq!(post.row(older).await.state, State::Sending);
        let now = post.now();
        let completion = Completion {
            claim,
            attempt: tried.map(|outcome| attempt(outcome, now)),
            charge,
            retry_at: retries.then_some(now + SECOND),
        };
        post.write(move |tx| outbox::complete(tx, now, std::slice::from_ref(&completion)))
            .await;
        let row = post.row(older).await;
        let case = format!("{tried:?} {charge:?}");
        assert_eq!((row.state, row.due_at), (State::Discarded, None), "{case}");
        assert_eq!(row.shelved, Some(Shelved::Replaced), "{case}");
        assert_eq!(row.replaced_by, Some(newer), "{case}");
        assert!(!post.has_body(older).await, "{case}");
        assert_eq!(post.told().await[0].0, "mail_discarded", "{case}");
        post.simulated.advance(5 * SECOND);
        assert!(post.claim(older).await.is_none(), "{case}");
        assert!(post.claim(newer).await.is_some(), "{case}");
    }
}

#[tokio::test]
async fn one_that_may_have_arrived_or_was_refused_ends_as_any_other() {
    for (outcome, state) in [
        (Outcome::Uncertain, State::Uncertain),
        (Outcome::Accepted, State::Sent),
        (Outcome::Permanent, State::Dead),
    ] {
        let post = Post::new();
        let older = post.put(post.code(ANN).0).await;
        let claim = post.claim(older).await.unwrap();
        follow(&post, older).await;
        let later = Some(post.now() + SECOND);
        assert!(post.complete(claim, outcome, later).await);
        assert_eq!(post.row(older).await.state, state);
    }
}

#[tokio::test]
async fn the_operator_is_told_of_the_later_one() {
    for (standing, act) in [
        (Standing::Discarded, Act::Undo),
        (Standing::DeadCode, Act::Requeue),
        (Standing::DeadLapsedCode, Act::Requeue),
        (Standing::Late, Act::Requeue),
        (Standing::Expired, Act::Requeue),
    ] {
        let post = Post::new();
        let older = post.standing(standing).await;
        let newer = follow(&post, older).await;
        let before = post.row(older).await;
        let refused = post.act(act, older).await.unwrap_err();
        assert_eq!(
            refused,
            Conflict::Replaced {
                by: newer.to_string()
            },
            "{standing:?}"
        );
        assert_eq!(post.row(older).await, before, "{standing:?}");
    }
}

#[tokio::test]
async fn what_does_not_come_into_the_queue_is_undone_as_before() {
    for standing in [Standing::DeadCode, Standing::Doubtful] {
        let post = Post::new();
        let older = post.standing(standing).await;
        let before = post.row(older).await;
        post.act(Act::Discard, older).await.unwrap();
        follow(&post, older).await;
        assert_eq!(post.act(Act::Undo, older).await, Ok(before));
    }
}

#[tokio::test]
async fn the_newest_one_comes_back_and_so_does_what_has_no_successor_of_its_kind() {
    let post = Post::new();
    let older = post.put(post.code(ANN).0).await;
    let newer = follow(&post, older).await;
    post.put(post.notice(ANN)).await;
    post.put(post.code("bob@example.org").0).await;
    post.tried(newer, Outcome::Temporary, Some(post.now() + SECOND))
        .await;
    assert_eq!(post.row(newer).await.state, State::Queued);
    post.act(Act::Discard, newer).await.unwrap();
    post.act(Act::Undo, newer).await.unwrap();
    post.simulated.advance(LIFETIME);
    let lapsed = post.act(Act::Requeue, newer).await;
    assert!(matches!(lapsed, Err(Conflict::Lapsed { .. })), "{lapsed:?}");
}
