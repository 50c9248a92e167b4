//! Every end of a mail is told to the audit record, once, without anything that was in it.

use gatepost::mail::attempt::Outcome;

use super::hand::{Act, SECOND, Standing};
use crate::courier_post::Post;

#[tokio::test]
async fn every_end_is_told_with_its_reason() {
    for (standing, action, reason) in [
        (Standing::Sent, "mail_sent", ""),
        (Standing::Uncertain, "mail_uncertain", " final_reply"),
        (Standing::DeadCode, "mail_dead", " 550 at rcpt_to"),
        (Standing::Expired, "mail_expired", ""),
        (Standing::Discarded, "mail_discarded", " by the operator"),
        (Standing::Replaced, "mail_discarded", " replaced"),
    ] {
        let post = Post::new();
        let id = post.standing(standing).await;
        let to = post.row(id).await.to.to_string();
        let detail = format!("registration_code {id}{reason}");
        assert_eq!(
            post.told().await,
            [(action.to_owned(), to, detail)],
            "{standing:?}"
        );
    }
}

#[tokio::test]
async fn what_is_not_an_end_is_not_told() {
    for standing in [
        Standing::Queued,
        Standing::SetBack,
        Standing::Doubtful,
        Standing::Sending,
        // The request that it answers is told.
        Standing::Shelved,
    ] {
        let post = Post::new();
        post.standing(standing).await;
        assert_eq!(post.told().await, [], "{standing:?}");
    }
}

#[tokio::test]
async fn each_end_of_one_mail_is_an_entry_of_its_own() {
    let post = Post::new();
    let id = post.standing(Standing::DeadCode).await;
    post.act(Act::Requeue, id).await.unwrap();
    post.tried(id, Outcome::Permanent, None).await;
    post.act(Act::Requeue, id).await.unwrap();
    post.act(Act::Discard, id).await.unwrap();
    post.act(Act::Undo, id).await.unwrap();
    post.simulated.advance(SECOND);
    post.tried(id, Outcome::Uncertain, Some(post.now())).await;
    post.tried(id, Outcome::Accepted, None).await;
    let told = post.told().await;
    let mut actions: Vec<&str> = told.iter().map(|entry| entry.0.as_str()).collect();
    actions.sort_unstable();
    assert_eq!(
        actions,
        ["mail_dead", "mail_dead", "mail_discarded", "mail_sent"]
    );
    let sent = told.iter().find(|entry| entry.0 == "mail_sent").unwrap();
    assert!(sent.2.ends_with("may have arrived twice"), "{sent:?}");
}

#[tokio::test]
async fn a_later_code_does_not_tell_the_end_of_the_one_before_again() {
    let post = Post::new();
    for standing in [Standing::Sent, Standing::Shelved] {
        let id = post.standing(standing).await;
        let told = post.told().await;
        let to = post.row(id).await.to.to_string();
        post.simulated.advance(SECOND);
        post.put(post.code(&to).0).await;
        assert_eq!(post.told().await, told, "{standing:?}");
    }
}

#[tokio::test]
async fn the_entries_hold_nothing_of_the_mail() {
    let post = Post::new();
    let (letter, code) = post.code("ann@example.org");
    let id = post.put(letter).await;
    post.tried(id, Outcome::Permanent, None).await;
    for (_, _, detail) in post.told().await {
        assert!(!detail.contains(code.expose()) && !detail.contains("no such user"));
    }
}
