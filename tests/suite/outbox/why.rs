//! Every situation of a mail says why it is not sent, when it is tried next, and what to do.

use std::collections::BTreeSet;

use gatepost::language::Language;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{CODES, Row, Why, why};
use gatepost::mail::route::{Breaker, Budget, Pause, RouteName, Status};
use gatepost::mail::{Lane, OutboxId};
use gatepost::world::Timestamp;

use super::hand::{SECOND, Standing};
use super::trial::{broken, route};
use crate::courier_post::{LIFETIME, Post};

const LANGUAGES: [Language; 3] = [Language::ZhHant, Language::ZhHans, Language::En];

fn primary() -> Status {
    route(RouteName::Primary)
}

async fn ask(post: &Post, id: OutboxId, routes: &[Status]) -> Why {
    why(&post.row(id).await, routes, post.now())
}

#[tokio::test]
async fn every_state_has_its_word_and_its_next_time() {
    let minute = Some(60 * SECOND);
    for (standing, code, next) in [
        (Standing::Queued, "waiting", None),
        (Standing::SetBack, "retry", minute),
        (Standing::Doubtful, "doubtful_retry", minute),
        (Standing::Late, "late", None),
        (Standing::Sending, "sending", None),
        (Standing::Sent, "sent", None),
        (Standing::Uncertain, "uncertain", None),
        (Standing::DeadCode, "refused", None),
        (Standing::DeadWiped, "refused", None),
        (Standing::Expired, "expired", None),
        (Standing::Discarded, "discarded", None),
        (Standing::DiscardedLongAgo, "discarded", None),
        (Standing::Replaced, "replaced", None),
        (Standing::Shelved, "unknown_address", None),
    ] {
        let post = Post::new();
        let id = post.standing(standing).await;
        let why = ask(&post, id, &[primary()]).await;
        let next = next.map(|by| post.now() + by);
        assert_eq!((why.code, why.next_at), (code, next), "{standing:?}");
    }
}

#[tokio::test]
async fn a_mail_that_the_own_inbox_took_is_captured_and_nowhere_else() {
    let post = Post::new();
    let id = post.standing(Standing::Sent).await;
    let own = Status {
        captures: true,
        ..primary()
    };
    for (language, said) in LANGUAGES
        .into_iter()
        .zip(["收件匣", "收件箱", "captured in the inbox"])
    {
        let captured = ask(&post, id, std::slice::from_ref(&own)).await;
        assert_eq!((captured.code, captured.advice(language)), ("sent", None));
        assert!(captured.text(language).contains(said), "{captured:?}");
        let outside = ask(&post, id, &[primary()]).await;
        assert!(!outside.text(language).contains(said), "{outside:?}");
        assert!(outside.advice(language).is_some());
    }
}

#[tokio::test]
async fn a_setback_names_its_stage_and_what_the_server_said() {
    let post = Post::new();
    let id = post.standing(Standing::SetBack).await;
    let why = ask(&post, id, &[]).await;
    let text = why.text(Language::En);
    assert_eq!(
        text,
        "Try 1 failed while naming the recipient; it is tried again at \
         2026-01-01T00:01:00.000Z. The reason: \"550 5.1.1 no such user\"."
    );
    let id = post.standing(Standing::DeadCode).await;
    let text = ask(&post, id, &[]).await.text(Language::ZhHant);
    assert_eq!(
        text,
        "這封信在告知收件人時被永久拒絕。伺服器回覆：「550 5.1.1 no such user」。"
    );
}

#[tokio::test]
async fn a_notice_that_was_given_up_says_after_how_many_tries() {
    let post = Post::new();
    let id = post.put(post.notice("ann@example.org")).await;
    post.tried(id, Outcome::Temporary, Some(post.now())).await;
    post.tried(id, Outcome::Temporary, None).await;
    let why = ask(&post, id, &[]).await;
    assert_eq!(why.code, "given_up");
    assert!(why.text(Language::En).contains("after 2 tries"));
    assert!(why.advice(Language::En).unwrap().contains("requeue"));
}

#[tokio::test]
async fn what_may_have_arrived_twice_says_so() {
    let post = Post::new();
    let id = post.put(post.code("ann@example.org").0).await;
    post.tried(id, Outcome::Uncertain, Some(post.now())).await;
    post.tried(id, Outcome::Accepted, None).await;
    let why = ask(&post, id, &[]).await;
    assert_eq!(why.code, "sent_maybe_twice");
    let text = why.text(Language::En);
    assert!(
        text.contains("twice") && text.contains("primary route"),
        "{text}"
    );
}

#[tokio::test]
async fn a_discard_says_until_when_it_can_be_undone() {
    let post = Post::new();
    let id = post.standing(Standing::Discarded).await;
    let told = ask(&post, id, &[]).await.text(Language::En);
    assert!(
        told.contains("undone until 2026-01-01T00:00:30.000Z"),
        "{told}"
    );
    post.simulated.advance(30 * SECOND);
    let told = ask(&post, id, &[]).await.text(Language::En);
    assert!(!told.contains("undone"), "{told}");
}

/// The closed ways of a route, with the word and the next time of each.
fn closed(now: Timestamp) -> Vec<(Status, &'static str, Option<Timestamp>)> {
    let later = now + 100 * SECOND;
    let budget = |budget: Budget| Status {
        budget,
        ..primary()
    };
    vec![
        (
            Status {
                paused: Some(Pause { at: now }),
                ..broken(RouteName::Primary, now)
            },
            "route_paused",
            None,
        ),
        (
            broken(RouteName::Primary, now),
            "route_resting",
            Some(now + 60 * SECOND),
        ),
        (
            Status {
                breaker: Breaker::Probing { since: now },
                ..broken(RouteName::Primary, now)
            },
            "route_probing",
            None,
        ),
        (
            budget(Budget {
                per_day: Some(100),
                spent: 100,
                resumes_at: Some(later),
                ordinary_resumes_at: Some(later + SECOND),
                ..Budget::default()
            }),
            "route_budget",
            Some(later),
        ),
        (
            budget(Budget {
                per_minute: Some(10),
                resumes_at: Some(later),
                ordinary_resumes_at: Some(later),
                ..Budget::default()
            }),
            "route_pace",
            Some(later),
        ),
    ]
}

#[tokio::test]
async fn a_closed_route_is_the_reason_of_what_is_due() {
    let post = Post::new();
    let id = post.standing(Standing::Queued).await;
    for (status, code, next) in closed(post.now()) {
        let why = ask(&post, id, &[status]).await;
        assert_eq!((why.code, why.next_at), (code, next));
    }
    let resting = ask(&post, id, &[broken(RouteName::Primary, post.now())]).await;
    let text = resting.text(Language::En);
    assert!(
        text.contains("logging in") && text.contains("535 5.7.8 wrong"),
        "{text}"
    );
    assert!(resting.advice(Language::En).unwrap().contains("doctor"));
}

#[tokio::test]
async fn an_open_fallback_takes_codes_but_neither_notices_nor_what_may_have_arrived() {
    let post = Post::new();
    let code = post.standing(Standing::Queued).await;
    let notice = post.put(post.notice("ann@example.org")).await;
    let doubtful = post.put(post.code("bob@example.org").0).await;
    post.tried(doubtful, Outcome::Uncertain, Some(post.now()))
        .await;
    for (status, word, _) in closed(post.now()) {
        let routes = [status, route(RouteName::Fallback)];
        assert_eq!(ask(&post, code, &routes).await.code, "waiting");
        assert_eq!(ask(&post, notice, &routes).await.code, word);
        assert_eq!(ask(&post, doubtful, &routes).await.code, word);
    }
    // Of two closed ones that counts which is over first.
    let soon = broken(RouteName::Fallback, post.now().minus(30 * SECOND));
    let routes = [broken(RouteName::Primary, post.now()), soon];
    let next = ask(&post, code, &routes).await.next_at;
    assert_eq!(next, Some(post.now() + 30 * SECOND));
}

#[tokio::test]
async fn what_is_kept_of_the_budget_is_for_codes() {
    let post = Post::new();
    let code = post.standing(Standing::Queued).await;
    let notice = post.put(post.notice("ann@example.org")).await;
    let mut high = post.notice("bob@example.org");
    high.lane = Lane::High;
    let high = post.put(high).await;
    let status = Status {
        budget: Budget {
            per_day: Some(100),
            kept_for_codes: 20,
            spent: 80,
            ordinary_resumes_at: Some(post.now() + 600 * SECOND),
            ..Budget::default()
        },
        ..primary()
    };
    let routes = [status];
    assert_eq!(ask(&post, code, &routes).await.code, "waiting");
    assert_eq!(ask(&post, high, &routes).await.code, "route_budget");
    let why = ask(&post, notice, &routes).await;
    let resumes = post.now() + 600 * SECOND;
    assert_eq!((why.code, why.next_at), ("route_budget", Some(resumes)));
}

#[tokio::test]
async fn the_longer_wait_is_the_reason() {
    let post = Post::new();
    let id = post.standing(Standing::SetBack).await;
    let before = broken(RouteName::Primary, post.now().minus(30 * SECOND));
    let after = broken(RouteName::Primary, post.now() + 30 * SECOND);
    assert_eq!(ask(&post, id, &[before]).await.code, "retry");
    assert_eq!(ask(&post, id, &[after]).await.code, "route_resting");
    let mut letter = post.notice("ann@example.org");
    letter.due_at = post.now() + LIFETIME;
    let id = post.put(letter).await;
    let why = ask(&post, id, &[primary()]).await;
    assert_eq!(
        (why.code, why.next_at),
        ("scheduled", Some(post.now() + LIFETIME))
    );
}

#[tokio::test]
async fn every_situation_has_whole_sentences_in_every_language() {
    let post = Post::new();
    let mut all: Vec<(Row, Vec<Status>)> = Vec::new();
    for standing in [
        Standing::Queued,
        Standing::SetBack,
        Standing::Doubtful,
        Standing::Sending,
        Standing::Sent,
        Standing::Uncertain,
        Standing::DeadCode,
        Standing::Discarded,
        Standing::Replaced,
        Standing::Shelved,
    ] {
        let id = post.standing(standing).await;
        all.push((post.row(id).await, vec![primary()]));
    }
    let due = all[0].0.clone();
    for (status, ..) in closed(post.now()) {
        let bare = Status {
            last_error: None,
            ..status.clone()
        };
        all.push((due.clone(), vec![status]));
        all.push((due.clone(), vec![bare]));
    }
    let with = |change: &dyn Fn(&mut Row)| {
        let mut row = due.clone();
        change(&mut row);
        (row, Vec::new())
    };
    let later = post.now() + SECOND;
    let now = post.now();
    all.extend([
        with(&|row| {
            row.due_at = Some(later);
            row.send_at = Some(later);
        }),
        with(&|row| row.expires_at = now),
        with(&|row| {
            row.state = gatepost::mail::outbox::State::Sent;
            row.due_at = None;
            row.doubtful = true;
        }),
        with(&|row| {
            row.state = gatepost::mail::outbox::State::Dead;
            row.due_at = None;
        }),
        with(&|row| {
            row.state = gatepost::mail::outbox::State::Expired;
            row.due_at = None;
        }),
        with(&|row| {
            row.state = gatepost::mail::outbox::State::Discarded;
            row.due_at = None;
        }),
    ]);
    let mut seen = BTreeSet::new();
    for (row, routes) in &all {
        let why = why(row, routes, now);
        seen.insert(why.code);
        let mut texts = BTreeSet::new();
        for language in LANGUAGES {
            let end = match language {
                Language::En => '.',
                _ => '。',
            };
            let text = why.text(language);
            assert!(
                text.ends_with(end) && text.len() > 10,
                "{}: {text}",
                why.code
            );
            assert!(
                !text.contains("  ") && !text.contains(char::is_control),
                "{text}"
            );
            texts.insert(text);
            if let Some(advice) = why.advice(language) {
                assert!(
                    advice.ends_with(end) || advice.ends_with(['）', ')']),
                    "{advice}"
                );
            }
        }
        assert_eq!(
            texts.len(),
            3,
            "{}: a language lacks its own words",
            why.code
        );
    }
    assert_eq!(seen, CODES.into_iter().collect());
}

#[tokio::test]
async fn what_a_server_said_is_quoted_on_one_line_and_cut() {
    let post = Post::new();
    let id = post.standing(Standing::SetBack).await;
    let mut row = post.row(id).await;
    let setback = row.setback.as_mut().unwrap();
    setback.text = format!("451-a\u{1b}[31m\r\n451 \u{202e}b{}\r\n", "x".repeat(10_000));
    let text = why(&row, &[], post.now()).text(Language::En);
    assert!(text.contains("\"451-a [31m 451 bxxx"), "{text}");
    assert!(text.len() < 600 && !text.contains('\u{1b}'));
}

#[tokio::test]
async fn a_rule_of_the_rulebook_speaks_in_its_own_words() {
    use gatepost::mail::attempt::Stage;
    use gatepost::mail::rulebook;
    let judged = rulebook::judge(
        Stage::Auth,
        535,
        b"5.7.8 Username and Password not accepted",
        None,
    );
    let Some(rule) = judged.rule else {
        panic!("Gmail's refusal of a password has a rule");
    };
    let post = Post::new();
    let id = post.standing(Standing::SetBack).await;
    let mut row = post.row(id).await;
    row.setback.as_mut().unwrap().rule = Some(rule.id.clone());
    let why = why(&row, &[], post.now());
    for language in LANGUAGES {
        assert!(why.text(language).contains(rule.meaning.of(language)));
        assert_eq!(why.advice(language), Some(rule.advice.of(language)));
    }
    assert_eq!(why.page(), rule.page.as_deref());
}
