//! Every state and every action: what is done, and why it is refused.

use gatepost::events::Topic;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{Conflict, State};

use super::hand::{ACTS, Act, DAY, SECOND, Standing};
use crate::courier_post::{LEASE, LIFETIME, Post};

/// What comes of it: the new state, or a word of the refusal's sentence.
type Table = [(Standing, [Result<State, &'static str>; 4]); 17];

const QUEUED: Result<State, &str> = Ok(State::Queued);
const UNCERTAIN: Result<State, &str> = Ok(State::Uncertain);
const DISCARDED: Result<State, &str> = Ok(State::Discarded);
const SENDING: Result<State, &str> = Err("being sent just now");
const SENT: Result<State, &str> = Err("sent already");
const WAITING: Result<State, &str> = Err("waits in the queue already");
const NEW_CODE: Result<State, &str> = Err("a new one is needed");
const OVER: Result<State, &str> = Err("nothing left to discard");
const NO_UNDO: Result<State, &str> = Err("nothing to undo");
const IN_DOUBT: Result<State, &str> = Err("may have arrived");
const WIPED: Result<State, &str> = Err("body is wiped");
const GIVEN_UP: Result<State, &str> = Err("requeue puts it back");
const UNDO: Result<State, &str> = Err("undo brings it back");
const REPLACED: Result<State, &str> = Err("a later mail took its place");
const NOBODY: Result<State, &str> = Err("nobody has an account");

/// By standing: retry, requeue, discard, undo.
const TABLE: Table = [
    (Standing::Queued, [QUEUED, WAITING, DISCARDED, NO_UNDO]),
    (Standing::SetBack, [QUEUED, WAITING, DISCARDED, NO_UNDO]),
    (Standing::Doubtful, [UNCERTAIN, WAITING, DISCARDED, NO_UNDO]),
    (Standing::Late, [NEW_CODE, NEW_CODE, DISCARDED, NO_UNDO]),
    (Standing::Sending, [SENDING; 4]),
    (Standing::Sent, [SENT, SENT, SENT, NO_UNDO]),
    (Standing::Uncertain, [IN_DOUBT, IN_DOUBT, OVER, NO_UNDO]),
    (Standing::DeadCode, [GIVEN_UP, QUEUED, DISCARDED, NO_UNDO]),
    (
        Standing::DeadLapsedCode,
        [GIVEN_UP, NEW_CODE, DISCARDED, NO_UNDO],
    ),
    (Standing::DeadNotice, [GIVEN_UP, QUEUED, DISCARDED, NO_UNDO]),
    (Standing::DeadWiped, [GIVEN_UP, WIPED, DISCARDED, NO_UNDO]),
    (Standing::Expired, [NEW_CODE, NEW_CODE, OVER, NO_UNDO]),
    (Standing::Discarded, [UNDO, UNDO, UNDO, QUEUED]),
    (
        Standing::DiscardedLongAgo,
        [UNDO, UNDO, UNDO, Err("30 seconds for undoing ended")],
    ),
    (Standing::DeadDiscarded, [UNDO, UNDO, UNDO, Ok(State::Dead)]),
    (Standing::Replaced, [REPLACED; 4]),
    (Standing::Shelved, [NOBODY; 4]),
];

#[tokio::test]
async fn every_action_in_every_state_is_done_or_refused_with_its_reason() {
    for (standing, expected) in TABLE {
        for (act, expected) in ACTS.into_iter().zip(expected) {
            let post = Post::new();
            let id = post.standing(standing).await;
            let before = post.row(id).await;
            let said = post.told().await.len();
            let outcome = post.act(act, id).await;
            let after = post.row(id).await;
            let case = format!("{standing:?} {act:?}: {outcome:?}");
            match expected {
                Ok(state) => {
                    let row = outcome.expect(&case);
                    assert_eq!((row.state, &row), (state, &after), "{case}");
                    if row.due_at.is_some() {
                        assert!(post.has_body(id).await, "{case}");
                    }
                }
                Err(word) => {
                    let conflict = outcome.expect_err(&case).to_string();
                    assert!(conflict.contains(word), "{case}: {conflict}");
                    assert!(conflict.len() > 40, "a sentence that helps: {conflict}");
                    assert_eq!(before, after, "{case}");
                    assert_eq!(post.told().await.len(), said, "{case}");
                }
            }
        }
    }
}

#[tokio::test]
async fn retry_is_at_once_and_keeps_the_place_of_what_is_due_already() {
    let post = Post::new();
    let queued = post.standing(Standing::Queued).await;
    let due = post.row(queued).await.due_at;
    post.simulated.advance(SECOND);
    let set_back = post.standing(Standing::SetBack).await;
    let mut watch = post.events.watch(Topic::Outbox);
    let row = post.act(Act::Retry, set_back).await.unwrap();
    assert_eq!((row.due_at, row.tries), (Some(post.now()), 1));
    watch.changed().await;
    assert_eq!(post.act(Act::Retry, queued).await.unwrap().due_at, due);
    assert!(post.claim(set_back).await.is_some());
}

#[tokio::test]
async fn a_requeued_mail_is_the_same_bytes_with_all_its_tries_and_a_notice_has_its_time_again() {
    let post = Post::new();
    let code = post.standing(Standing::DeadCode).await;
    let notice = post.standing(Standing::DeadNotice).await;
    for (id, new_time) in [(code, false), (notice, true)] {
        post.simulated.advance(5 * SECOND);
        let before = post.row(id).await;
        let row = post.act(Act::Requeue, id).await.unwrap();
        assert_eq!((row.tries, row.due_at), (0, Some(post.now())));
        assert_eq!((row.finished_at, row.digest), (None, before.digest));
        let expires_at = match new_time {
            true => post.now() + DAY,
            false => before.expires_at,
        };
        assert_eq!(row.expires_at, expires_at);
        post.tried(id, Outcome::Permanent, None).await;
        // Once more: the time does not add up.
        let row = post.act(Act::Requeue, id).await.unwrap();
        assert_eq!(row.expires_at, expires_at);
        post.tried(id, Outcome::Accepted, None).await;
        assert_eq!(post.outcomes(id).await.len(), 3);
        assert!(!post.has_body(id).await);
    }
}

#[tokio::test]
async fn undo_brings_everything_back_as_it_was() {
    for standing in [
        Standing::Queued,
        Standing::SetBack,
        Standing::Doubtful,
        Standing::DeadCode,
        Standing::DeadNotice,
    ] {
        let post = Post::new();
        let id = post.standing(standing).await;
        let before = post.row(id).await;
        post.simulated.advance(SECOND);
        post.act(Act::Discard, id).await.unwrap();
        post.simulated.advance(29 * SECOND);
        let back = post.act(Act::Undo, id).await.unwrap();
        assert_eq!(back, before, "{standing:?}");
        assert!(post.has_body(id).await);
        assert!(matches!(
            post.act(Act::Undo, id).await,
            Err(Conflict::NotDiscarded { .. })
        ));
    }
}

#[tokio::test]
async fn what_lapsed_in_the_half_minute_is_not_brought_back() {
    let post = Post::new();
    let id = post.put(post.code("ann@example.org").0).await;
    post.simulated.advance(LIFETIME - SECOND);
    post.act(Act::Discard, id).await.unwrap();
    post.simulated.advance(SECOND);
    let refused = post.act(Act::Undo, id).await;
    assert!(matches!(
        refused,
        Err(Conflict::Lapsed { what: "code", .. })
    ));
}

#[tokio::test]
async fn a_completion_that_comes_after_the_operator_changes_nothing() {
    for act in [Act::Retry, Act::Discard] {
        for outcome in [
            Outcome::Accepted,
            Outcome::Permanent,
            Outcome::Temporary,
            Outcome::Uncertain,
        ] {
            let post = Post::new();
            let id = post.standing(Standing::Queued).await;
            let old = post.claim(id).await.unwrap();
            // The lease ran out, the next courier was set back, and the operator came.
            post.simulated.advance(LEASE);
            let later = Some(post.now() + 60 * SECOND);
            post.tried(id, Outcome::Temporary, later).await;
            post.act(act, id).await.unwrap();
            let before = post.row(id).await;
            assert!(!post.complete(old, outcome, later).await);
            assert_eq!(post.row(id).await, before);
            assert!(post.has_body(id).await);
        }
    }
}

#[tokio::test]
async fn a_courier_that_lost_its_lease_cannot_complete_the_next_ones_claim() {
    let post = Post::new();
    let id = post.standing(Standing::Queued).await;
    let old = post.claim(id).await.unwrap();
    post.simulated.advance(LEASE);
    let new = post.claim(id).await.unwrap();
    let before = post.row(id).await;
    for outcome in [Outcome::Accepted, Outcome::Permanent, Outcome::Temporary] {
        assert!(!post.complete(old, outcome, None).await);
    }
    assert_eq!(post.row(id).await, before);
    assert!(post.complete(new, Outcome::Accepted, None).await);
    assert!(
        post.row(id).await.doubtful,
        "the first may have sent it as well"
    );
}

#[tokio::test]
async fn a_name_that_is_nobodys_is_unknown() {
    let post = Post::new();
    let (letter, _) = post.code("ann@example.org");
    for act in ACTS {
        assert_eq!(post.act(act, letter.id).await, Err(Conflict::Unknown));
    }
}
