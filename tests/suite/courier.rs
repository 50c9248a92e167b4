//! The courier: what is queued is sent once, on plan, in time or not at all, whatever fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use gatepost::mail::attempt::Outcome;
use gatepost::mail::courier::Routes;
use gatepost::mail::outbox::{self, Shelved, State};
use gatepost::mail::{Letter, Occasion, OutboxId};
use gatepost::store::Error;
use gatepost::store::page::Ask;

use crate::courier_post::{LIFETIME, Post};
use crate::relay_script::{Act, Server, fine};

fn holds(bytes: &[u8], needle: &str) -> bool {
    memchr::memmem::find(bytes, needle.as_bytes()).is_some()
}

#[tokio::test]
async fn what_is_queued_before_and_after_the_start_is_sent_and_wiped() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let (before, first_code) = post.code("ann@example.org");
    let (after, second_code) = post.code("bob@example.org");
    let (first, second) = (before.id, after.id);
    post.enqueue(vec![before]).await;
    let courier = post.courier(server.port);
    post.until_state(first, State::Sent).await;
    post.enqueue(vec![after]).await;
    let row = post.until_state(second, State::Sent).await;
    assert_eq!((row.tries, row.claim, row.due_at), (1, 1, None));
    assert_eq!(post.outcomes(second).await, [Outcome::Accepted]);
    let body = post.store.read(|read| outbox::body(read, second)).await;
    assert_eq!(body.unwrap(), None);
    let found = post
        .store
        .read(|read| outbox::by_message_id(read, &row.message_id))
        .await;
    assert_eq!(found.unwrap(), Some(second));
    let heard = server.heard();
    assert_eq!(heard.connections, 1, "one connection is enough");
    assert!(heard.messages[0].contains(first_code.expose()));
    assert!(heard.messages[1].contains(second_code.expose()));
    courier.stop(Duration::from_secs(5)).await;
    let bytes = post.bytes_on_disk().await;
    assert!(holds(&bytes, "outbox.row") && holds(&bytes, "250 ok"));
    for code in [first_code, second_code] {
        assert!(!holds(&bytes, code.expose()), "a code lies in the store");
    }
}

#[tokio::test]
async fn greylisting_is_met_on_plan_with_the_very_same_bytes() {
    let post = Post::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let server = Server::start({
        let tries = tries.clone();
        move |_, line| match line {
            "." if tries.fetch_add(1, Ordering::SeqCst) < 3 => Act::Say(b"451 4.7.1 later\r\n"),
            line => fine(line),
        }
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![letter]).await;
    for (nth, wait) in [5, 15, 45].into_iter().enumerate() {
        let row = post
            .until(id, |row| {
                row.state == State::Queued && row.tries == nth as u32 + 1
            })
            .await;
        let setback = row.setback.unwrap();
        assert_eq!(
            (setback.code, setback.text.as_str()),
            (Some(451), "451 4.7.1 later\r\n")
        );
        let wait = Duration::from_secs(wait);
        assert_eq!(row.due_at, Some(post.simulated.world().now() + wait));
        post.simulated.advance(wait - Duration::from_millis(1));
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(tries.load(Ordering::SeqCst), nth + 1, "tried too early");
        post.simulated.advance(Duration::from_millis(1));
    }
    let row = post.until_state(id, State::Sent).await;
    assert_eq!(row.tries, 4);
    let messages = server.heard().messages;
    assert!(messages.iter().all(|message| *message == messages[0]));
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_code_is_never_sent_after_it_lapsed() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    post.enqueue(vec![letter]).await;
    post.simulated.advance(LIFETIME);
    let courier = post.courier(server.port);
    let row = post.until_state(id, State::Expired).await;
    assert_eq!((row.tries, row.due_at), (0, None));
    assert_eq!(server.heard().connections, 0);
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_code_that_lapses_on_the_way_stops_before_data() {
    let post = Post::new();
    let simulated = post.simulated.clone();
    let server = Server::start(move |_, line| {
        if line.starts_with("RCPT") {
            // Time goes by while the server thinks.
            simulated.jump(simulated.world().now() + LIFETIME);
        }
        fine(line)
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![letter]).await;
    post.until_state(id, State::Expired).await;
    assert_eq!(post.outcomes(id).await, [Outcome::Lapsed]);
    let heard = server.heard();
    assert!(heard.messages.is_empty());
    assert!(heard.lines.contains(&"RSET".to_owned()));
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_refusal_for_good_is_a_dead_letter_and_its_body_is_wiped_once_the_code_lapsed() {
    let post = Post::new();
    let server = Server::start(|_, line| match line {
        "RCPT TO:<ann@example.org>" => Act::Say(b"550 5.1.1 no such user\r\n"),
        line => fine(line),
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let (other, _) = post.code("bob@example.org");
    let (id, other_id) = (letter.id, other.id);
    let courier = post.courier(server.port);
    post.enqueue(vec![letter, other]).await;
    let row = post.until_state(id, State::Dead).await;
    assert_eq!(row.setback.unwrap().text, "550 5.1.1 no such user\r\n");
    post.until_state(other_id, State::Sent).await;
    assert!(post.has_body(id).await, "it could be requeued");
    post.simulated.advance(LIFETIME);
    post.tidied(None, 10).await;
    assert!(!post.has_body(id).await);
    let dead = post.store.read(|read| {
        let filter = outbox::Filter {
            state: Some(State::Dead),
            ..outbox::Filter::default()
        };
        outbox::list(read, &filter, outbox::Sort::CreatedAt, &Ask::newest(10))
    });
    let page = dead.await.unwrap();
    assert_eq!(
        (page.items.len(), page.items[0].id, page.total),
        (1, id, Some(1))
    );
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_sender_that_was_put_right_leaves_no_mail_that_closes_the_route() {
    let post = Post::new();
    let server = Server::start(|_, line| match line.contains("MAIL FROM:<no-reply@") {
        true => Act::Say(b"553 5.7.1 Sender address rejected: not owned by user ann\r\n"),
        false => fine(line),
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    post.enqueue(vec![letter]).await;
    let routes = || Routes {
        primary: post.route(server.port),
        fallback: None,
    };
    let wrong = post.start(None, routes());
    let row = post.until(id, |row| row.setback.is_some()).await;
    assert_eq!((row.state, row.tries), (State::Queued, 0));
    wrong.stop(Duration::from_secs(5)).await;
    let right = post.start_as("ann@example.com", None, routes());
    let row = post.until_state(id, State::Dead).await;
    assert_eq!((row.tries, row.setback.unwrap().code), (1, Some(553)));
    right.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_cut_after_the_final_dot_is_uncertain_and_tried_again() {
    let post = Post::new();
    let server = Server::start(|connection, line| match (connection, line) {
        (1, ".") => Act::Leave(b""),
        (_, line) => fine(line),
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![letter]).await;
    let row = post.until_state(id, State::Uncertain).await;
    assert!(row.doubtful && row.due_at.is_some());
    post.simulated.advance(Duration::from_secs(5));
    post.until_state(id, State::Sent).await;
    assert_eq!(
        post.outcomes(id).await,
        [Outcome::Uncertain, Outcome::Accepted]
    );
    let messages = server.heard().messages;
    assert_eq!((messages.len(), &messages[0]), (2, &messages[1]));
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_connection_that_the_server_gave_up_while_it_idled_costs_no_try() {
    let post = Post::new();
    let mails = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |connection, line| {
        let second = line.starts_with("MAIL") && mails.fetch_add(1, Ordering::SeqCst) == 1;
        match connection {
            1 if second => Act::Leave(b"421 you idled\r\n"),
            _ => fine(line),
        }
    })
    .await;
    let courier = post.courier(server.port);
    let (first, _) = post.code("ann@example.org");
    let (second, _) = post.code("bob@example.org");
    for letter in [first, second] {
        let id = letter.id;
        post.enqueue(vec![letter]).await;
        let row = post.until_state(id, State::Sent).await;
        assert_eq!((row.tries, row.setback), (1, None));
    }
    assert_eq!(server.heard().connections, 2);
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn a_dead_route_rests_and_charges_nobody() {
    let post = Post::new();
    // Nobody listens here until the route comes back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let letters: Vec<Letter> = (0..50)
        .map(|n| post.code(&format!("u{n}@example.org")).0)
        .collect();
    let mut ids: Vec<OutboxId> = letters.iter().map(|letter| letter.id).collect();
    // All were composed in the same moment: their identifiers decide.
    ids.sort();
    let courier = post.courier(port);
    post.enqueue(letters).await;
    let tried = post.until(ids[0], |row| row.setback.is_some()).await;
    assert_eq!((tried.state, tried.tries), (State::Queued, 0));
    assert_eq!(tried.due_at, Some(tried.created_at), "it keeps its place");
    let setback = tried.setback.unwrap();
    assert!(setback.text.contains("127.0.0.1"), "{}", setback.text);
    courier.stop(Duration::from_secs(5)).await;
    let mut attempts = 0;
    for id in &ids {
        let row = post.row(*id).await;
        assert_eq!((row.state, row.tries), (State::Queued, 0));
        attempts += post.outcomes(*id).await.len();
    }
    // At most one for each connection that was tried at the same time.
    assert!((1..=4).contains(&attempts), "{attempts} attempts");
}

#[tokio::test]
async fn a_courier_for_one_mail_leaves_all_others_alone() {
    let post = Post::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |_, line| match line {
        "." if tries.fetch_add(1, Ordering::SeqCst) == 0 => Act::Say(b"451 4.7.1 later\r\n"),
        line => fine(line),
    })
    .await;
    let (other, _) = post.code("ann@example.org");
    let (wanted, _) = post.code("bob@example.org");
    let (other_id, id) = (other.id, wanted.id);
    post.enqueue(vec![other]).await;
    let courier = post.courier_for(Some(id), server.port);
    post.enqueue(vec![wanted]).await;
    let row = post.until(id, |row| row.tries == 1).await;
    assert_eq!(row.state, State::Queued);
    post.simulated.advance(Duration::from_secs(5));
    post.until_state(id, State::Sent).await;
    courier.stop(Duration::from_secs(5)).await;
    let other = post.row(other_id).await;
    assert_eq!((other.state, other.claim), (State::Queued, 0));
    assert_eq!(server.heard().messages.len(), 2);
}

#[tokio::test]
async fn stopping_gives_back_what_was_not_begun_and_says_what_is_uncertain() {
    let post = Post::new();
    let server = Server::start(|_, line| match line {
        "." => Act::Hang,
        line => fine(line),
    })
    .await;
    let (letter, _) = post.code("ann@example.org");
    let id = letter.id;
    let courier = post.courier(server.port);
    post.enqueue(vec![letter]).await;
    server.until(".").await;
    let stopping = courier.stop(Duration::from_secs(5));
    tokio::pin!(stopping);
    assert!(futures_util::poll!(&mut stopping).is_pending());
    post.simulated.advance(Duration::from_secs(5));
    stopping.await;
    let row = post.row(id).await;
    assert_eq!((row.state, row.tries), (State::Uncertain, 1));
    assert!(row.setback.unwrap().text.contains("stopped"));
}

#[tokio::test]
async fn a_shelved_letter_is_seen_and_never_sent() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let courier = post.courier(server.port);
    let (letter, _) = post.code("nobody@example.org");
    let (real, _) = post.code("ann@example.org");
    let (id, real_id) = (letter.id, real.id);
    post.store
        .write(move |tx| {
            outbox::shelve(tx, &letter, Shelved::UnknownAddress)?;
            outbox::enqueue(tx, &real)
        })
        .await
        .unwrap();
    post.until_state(real_id, State::Sent).await;
    let row = post.row(id).await;
    assert_eq!(
        (row.state, row.shelved),
        (State::Discarded, Some(Shelved::UnknownAddress))
    );
    assert_eq!(server.heard().messages.len(), 1);
    courier.stop(Duration::from_secs(5)).await;
}

#[tokio::test]
async fn what_is_done_with_is_forgotten_in_the_end_and_the_counters_follow() {
    let post = Post::new();
    let server = Server::start(|_, line| match line {
        "RCPT TO:<bob@example.org>" => Act::Say(b"550 5.1.1 no such user\r\n"),
        "RCPT TO:<cleo@example.org>" => Act::Say(b"451 later\r\n"),
        line => fine(line),
    })
    .await;
    let mut ids = Vec::new();
    let courier = post.courier(server.port);
    for to in ["ann", "bob", "cleo", "dan"] {
        if to == "dan" {
            post.until_state(ids[0], State::Sent).await;
            post.until_state(ids[1], State::Dead).await;
            post.until(ids[2], |row| row.tries == 1).await;
        }
        post.simulated.advance(Duration::from_millis(1));
        let (letter, _) = post.code(&format!("{to}@example.org"));
        ids.push(letter.id);
        post.enqueue(vec![letter]).await;
    }
    let young = post.simulated.world().now();
    post.until_state(ids[3], State::Sent).await;
    courier.stop(Duration::from_secs(5)).await;
    let mut forgotten = Vec::new();
    for _ in 0..3 {
        let sweep = move |tx: &mut gatepost::store::Tx<'_>| outbox::sweep(tx, young, 1);
        forgotten.push(post.store.write(sweep).await.unwrap());
    }
    assert_eq!(forgotten, [1, 1, 0], "one waits, and one is too young");
    for (id, there) in ids.iter().zip([false, false, true, true]) {
        let row = post.store.read(|read| outbox::get(read, *id)).await;
        assert_eq!(row.unwrap().is_some(), there);
        assert_eq!(post.outcomes(*id).await.len(), usize::from(there));
    }
    let counts = post.store.read(|read| outbox::counts(read)).await.unwrap();
    let of = |state| counts.of(state);
    assert_eq!(
        (of(State::Sent), of(State::Dead), of(State::Queued)),
        (1, 0, 1)
    );
    let dead = outbox::Filter {
        kind: None,
        state: Some(State::Dead),
        ..outbox::Filter::default()
    };
    let page = post
        .store
        .read(|read| outbox::list(read, &dead, outbox::Sort::CreatedAt, &Ask::newest(10)));
    assert_eq!(page.await.unwrap().items, []);
}

#[tokio::test]
async fn pages_go_through_everything_once_newest_first() {
    let post = Post::new();
    let mut ids = Vec::new();
    for n in 0..25 {
        post.simulated.advance(Duration::from_secs(1));
        let letter = post.letter(&Occasion::Test, &format!("u{}@example.org", n % 5));
        ids.insert(0, letter.id);
        post.enqueue(vec![letter]).await;
    }
    for (state, to, expected) in [
        (None, None, ids.clone()),
        (Some(State::Queued), None, ids.clone()),
        (Some(State::Dead), None, vec![]),
        (
            None,
            Some("U3@example.org"),
            ids.iter().copied().skip(1).step_by(5).collect(),
        ),
    ] {
        let filter = outbox::Filter {
            state,
            to: to.map(|to| to.parse().unwrap()),
            ..outbox::Filter::default()
        };
        let mut seen = Vec::new();
        let mut ask = Ask::newest(2);
        loop {
            let page = post
                .store
                .read(|read| outbox::list(read, &filter, outbox::Sort::CreatedAt, &ask))
                .await
                .unwrap();
            seen.extend(page.items.iter().map(|item| item.id));
            if to.is_none() {
                assert_eq!(page.total, Some(expected.len() as u64));
            }
            ask.cursor = page.next;
            if ask.cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, expected, "{filter:?}");
    }
    let missing: Result<_, Error> = post
        .store
        .read(|read| outbox::by_message_id(read, "<ob_nonsense@example.com>"))
        .await;
    assert_eq!(missing.unwrap(), None);
}
