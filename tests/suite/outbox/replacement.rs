//! A code or a link takes the place of the one before it, if nobody can have got that; what is
//! read and written for it is the same for an address that nobody has an account with.

use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{self, Shelved, State};
use gatepost::mail::{Occasion, OutboxId};
use gatepost::secret::{Code, CodeStyle};

use super::hand::{SECOND, Standing};
use crate::courier_post::{LIFETIME, Post};

async fn state(post: &Post, id: OutboxId) -> (State, Option<Shelved>, Option<OutboxId>) {
    let row = post.row(id).await;
    (row.state, row.shelved, row.replaced_by)
}

#[tokio::test]
async fn a_waiting_code_gives_way_to_the_next_one_to_the_same_mailbox() {
    let post = Post::new();
    let first = post.put(post.code("Ann@example.org").0).await;
    let other = post.put(post.code("bob@example.org").0).await;
    let set_back = Some(post.now() + SECOND);
    post.tried(first, Outcome::Temporary, set_back).await;
    post.simulated.advance(SECOND);
    let second = post.put(post.code("ann@example.org").0).await;
    let replaced = (State::Discarded, Some(Shelved::Replaced), Some(second));
    assert_eq!(state(&post, first).await, replaced);
    assert_eq!(post.row(first).await.finished_at, Some(post.now()));
    assert!(post.claim(first).await.is_none());
    assert_eq!(state(&post, other).await.0, State::Queued);
    let third = post.put(post.code("ann@example.org").0).await;
    assert_eq!(state(&post, second).await.2, Some(third));
    assert_eq!(state(&post, first).await, replaced);
    let counts = post.store.read(|read| outbox::counts(read)).await.unwrap();
    assert_eq!(
        (counts.of(State::Queued), counts.of(State::Discarded)),
        (2, 2)
    );
}

#[tokio::test]
async fn what_may_have_been_got_or_is_done_with_stays_as_it_is() {
    for standing in [
        Standing::Doubtful,
        Standing::Sending,
        Standing::Sent,
        Standing::Uncertain,
        Standing::DeadCode,
        Standing::Late,
        Standing::Expired,
        Standing::Discarded,
    ] {
        let post = Post::new();
        let id = post.standing(standing).await;
        let before = post.row(id).await;
        let to = before.to.to_string();
        post.put(post.code(&to).0).await;
        assert_eq!(post.row(id).await, before, "{standing:?}");
    }
}

#[tokio::test]
async fn kinds_are_replaced_by_their_own_and_the_answer_to_a_known_address_by_a_code() {
    let post = Post::new();
    let to = "ann@example.org";
    let code = Code::draw(&post.simulated.world(), CodeStyle::Digits);
    let reset = Occasion::ResetCode {
        code: &code,
        lifetime: LIFETIME,
    };
    let link = Occasion::ResetLink {
        url: "https://example.com/x/",
        lifetime: LIFETIME,
    };
    let mut ids = Vec::new();
    for occasion in [reset, link, Occasion::AlreadyRegistered, Occasion::Test] {
        ids.push(post.put(post.letter(&occasion, to)).await);
    }
    ids.push(post.put(post.notice(to)).await);
    for id in &ids {
        assert_eq!(state(&post, *id).await.0, State::Queued);
    }
    let registration = post.put(post.code(to).0).await;
    assert_eq!(state(&post, ids[2]).await.2, Some(registration));
    let known = post
        .put(post.letter(&Occasion::AlreadyRegistered, to))
        .await;
    assert_eq!(state(&post, registration).await.2, Some(known));
    // Neither tests nor notices ever make room.
    post.put(post.letter(&Occasion::Test, to)).await;
    post.put(post.notice(to)).await;
    for id in [ids[0], ids[1], ids[3], ids[4]] {
        assert_eq!(state(&post, id).await.0, State::Queued);
    }
}

#[tokio::test]
async fn a_shelved_letter_is_replaced_as_one_that_waits_is() {
    let post = Post::new();
    let mut grown = Vec::new();
    for known in [true, false] {
        let to = format!("{known}@example.org");
        let mut ids = Vec::new();
        for _ in 0..2 {
            let before = post.tables().await;
            let (letter, _) = post.code(&to);
            ids.push(match known {
                true => post.put(letter).await,
                false => post.shelve(letter).await,
            });
            let mut tables = post.tables().await;
            for (table, rows) in &mut tables {
                *rows -= before.get(table).copied().unwrap_or(0).min(*rows);
            }
            // What waits is told of when it ends, and is filed by its time and with its body.
            let filed = [
                "outbox.body",
                "outbox.due",
                "outbox.expires",
                "outbox.by_state",
                "audit.entry",
                "audit.concerns",
            ];
            tables.retain(|table, rows| *rows > 0 && !filed.contains(&table.as_str()));
            grown.push(tables);
        }
        assert_eq!(state(&post, ids[0]).await.2, Some(ids[1]));
        assert_eq!(state(&post, ids[0]).await.0, State::Discarded);
    }
    grown[0].remove("outbox.counts");
    assert_eq!(grown[0], grown[2]);
    assert_eq!(grown[1], grown[3]);
}
