//! How long a body is kept: while it waits; a dead letter's until its code lapsed, or seven days;
//! a discarded one's half a minute; any other not at all.

use gatepost::mail::attempt::Outcome;

use super::hand::{Act, DAY, SECOND, Standing};
use crate::courier_post::{LIFETIME, Post};

#[tokio::test]
async fn a_body_is_wiped_when_it_is_of_no_use_any_more() {
    for (standing, kept) in [
        (Standing::Sent, None),
        (Standing::Uncertain, None),
        (Standing::Expired, None),
        (Standing::Replaced, None),
        (Standing::Shelved, None),
        (Standing::DeadCode, Some(LIFETIME)),
        (Standing::DeadNotice, Some(7 * DAY)),
        (Standing::Discarded, Some(30 * SECOND)),
        (Standing::DeadDiscarded, Some(30 * SECOND)),
    ] {
        let post = Post::new();
        post.tidied(None, 10).await;
        let id = post.standing(standing).await;
        assert_eq!(post.has_body(id).await, kept.is_some(), "{standing:?}");
        if let Some(kept) = kept {
            post.simulated.advance(kept - SECOND);
            post.tidied(None, 10).await;
            assert!(post.has_body(id).await, "{standing:?}");
            post.simulated.advance(SECOND);
            post.tidied(None, 10).await;
            assert!(!post.has_body(id).await, "{standing:?}");
        }
        assert_eq!(post.tidied(None, 10).await, 0);
    }
}

#[tokio::test]
async fn a_requeued_or_undone_mail_keeps_its_body_past_the_old_time() {
    for (standing, act, past) in [
        (Standing::DeadNotice, Act::Requeue, 8 * DAY),
        (Standing::Discarded, Act::Undo, 31 * SECOND),
    ] {
        let post = Post::new();
        let id = post.standing(standing).await;
        post.act(act, id).await.unwrap();
        post.simulated.advance(past);
        post.tidied(None, 10).await;
        assert!(post.has_body(id).await, "{act:?}");
    }
}

#[tokio::test]
async fn an_action_wipes_what_is_due_however_late_the_sweep_is() {
    let post = Post::new();
    let id = post.standing(Standing::DiscardedLongAgo).await;
    assert!(post.has_body(id).await);
    post.act(Act::Undo, id).await.unwrap_err();
    assert!(!post.has_body(id).await);
}

#[tokio::test]
async fn a_kept_body_is_sealed() {
    let post = Post::new();
    let mut links = Vec::new();
    for n in 0..2 {
        let url = format!("https://example.com/users/reset/a-token-of-its-own-{n}/");
        let occasion = gatepost::mail::Occasion::ResetLink {
            url: &url,
            lifetime: LIFETIME,
        };
        let letter = post.letter(&occasion, &format!("u{n}@example.org"));
        let id = post.put(letter).await;
        match n {
            0 => post.tried(id, Outcome::Permanent, None).await,
            _ => drop(post.act(Act::Discard, id).await.unwrap()),
        }
        assert!(post.has_body(id).await);
        links.push(url);
    }
    let bytes = post.bytes_on_disk().await;
    let holds = |text: &str| memchr::memmem::find(&bytes, text.as_bytes()).is_some();
    assert!(holds("u0@example.org"), "the store is searched as it is");
    for link in links {
        assert!(!holds(&link) && !holds("a-token-of-its-own"), "{link}");
    }
}

#[tokio::test]
async fn what_is_forgotten_leaves_nothing_behind() {
    let post = Post::new();
    for standing in [
        Standing::DeadNotice,
        Standing::Discarded,
        Standing::Shelved,
        Standing::Sent,
        Standing::Replaced,
    ] {
        post.standing(standing).await;
    }
    let kept = post.put(post.notice("cleo@example.org")).await;
    post.simulated.advance(SECOND);
    let now = post.now();
    while post.tidied(Some(now), 2).await > 0 {}
    let rows = post.tables().await;
    // The replacement of the replaced one waits still, and so does the notice.
    assert_eq!(rows["outbox.row"], 2, "{rows:?}");
    assert!(post.has_body(kept).await);
    for (table, left) in rows {
        let most = match table.as_str() {
            "outbox.latest" | "outbox.counts" | "outbox.filed" => 1,
            "audit.entry" | "audit.concerns" => 10,
            "outbox.wipe" | "outbox.attempt" => 0,
            _ => 2,
        };
        assert!(left <= most, "{table}: {left}");
    }
}
