//! Two hours without a relay and ten thousand mails in the queue, in simulated time.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use gatepost::events::Topic;
use gatepost::mail::Lane;
use gatepost::mail::Letter;
use gatepost::mail::Occasion;
use gatepost::mail::OutboxId;
use gatepost::mail::courier::Route;
use gatepost::mail::courier::Routes;
use gatepost::mail::outbox;
use gatepost::mail::outbox::Counts;
use gatepost::mail::outbox::State;
use gatepost::mail::route::Limits;
use gatepost::store;
use gatepost::world::Timestamp;
use gatepost::world::World;

use crate::courier_post::Post;
use crate::relay_script::Act;
use crate::relay_script::Server;
use crate::relay_script::fine;

const NOTICES: usize = 6_000;
const EARLY_CODES: usize = 3_000;
const LATE_CODES: usize = 1_000;
const PER_MINUTE: u32 = 1_200;
const OUTAGE: Duration = Duration::from_secs(2 * 60 * 60);

/// Composes on all cores, one mail a millisecond of simulated time.
async fn compose(post: &Arc<Post>, lane: Lane, count: usize) -> Vec<Letter> {
    let mut letters = Vec::with_capacity(count);
    let parts = 4;
    let made = (0..parts).map(|part| {
        let post = post.clone();
        let numbers = (count * part / parts)..(count * (part + 1) / parts);
        tokio::task::spawn_blocking(move || {
            let now = post.simulated.world().now();
            let compose = |number: usize| {
                let to = format!("u{number}@example.org");
                let mut letter = match lane {
                    Lane::Prompt => post.code(&to).0,
                    Lane::High | Lane::Ordinary => {
                        post.letter(&Occasion::PasswordChanged { at: now }, &to)
                    }
                };
                letter.due_at = now + Duration::from_millis(number as u64);
                letter
            };
            numbers.map(compose).collect::<Vec<_>>()
        })
    });
    for made in made.collect::<Vec<_>>() {
        letters.extend(made.await.unwrap());
    }
    letters
}

async fn counts(post: &Post) -> Counts {
    let counts = post.store.read(|read| outbox::counts(read)).await;
    counts.unwrap()
}

/// Moves the clock from sleeper to sleeper until `wanted`, and never while a mail is on its way.
async fn live_until(post: &Post, wanted: impl Fn(&Counts, Timestamp) -> bool) {
    let world = post.simulated.world();
    let real = World::system();
    let mut changes = post.events.watch(Topic::Outbox);
    loop {
        let now = counts(post).await;
        if wanted(&now, world.now()) {
            return;
        }
        if now.of(State::Sending) > 0 {
            let news = real.timeout(Duration::from_secs(20), changes.changed());
            news.await.expect("a mail is stuck");
            continue;
        }
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        if counts(post).await.of(State::Sending) == 0 {
            post.simulated.advance_to_next();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hours_without_a_relay_cost_no_mail_a_try_and_the_rest_goes_out_in_order() {
    let post = Arc::new(Post::new());
    let world = post.simulated.world();
    let start = world.now();
    let up = Arc::new(AtomicBool::new(false));
    let accepted: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
    let server = Server::start({
        let (up, accepted, world) = (up.clone(), accepted.clone(), world.clone());
        move |_, line| {
            if !up.load(Ordering::SeqCst) {
                return Act::Leave(b"421 not today\r\n");
            }
            if line == "." {
                accepted.lock().unwrap().push(world.now());
            }
            fine(line)
        }
    })
    .await;
    let notices = compose(&post, Lane::Ordinary, NOTICES).await;
    let early = compose(&post, Lane::Prompt, EARLY_CODES).await;
    let mut waiting: HashMap<OutboxId, Timestamp> = HashMap::new();
    let place = |letters: &[Letter]| -> Vec<(OutboxId, Timestamp)> {
        letters.iter().map(|l| (l.id, l.due_at)).collect()
    };
    waiting.extend(place(&notices));
    let lapsing: Vec<OutboxId> = early.iter().map(|letter| letter.id).collect();
    post.enqueue(notices).await;
    post.enqueue(early).await;
    let route = Route {
        connections: 1,
        mails_per_connection: 10_000,
        captures: false,
        limits: Limits {
            per_minute: Some(PER_MINUTE),
            ..Limits::default()
        },
        ..post.route(server.port)
    };
    let routes = Routes {
        primary: route,
        fallback: None,
    };
    let courier = post.start(None, routes);

    live_until(&post, |_, now| now >= start + OUTAGE).await;
    let then = counts(&post).await;
    assert_eq!(then.of(State::Expired), EARLY_CODES as u64, "{then:?}");
    assert_eq!(then.of(State::Queued), NOTICES as u64, "{then:?}");
    let tried = server.heard().connections;
    assert!((5..=9).contains(&tried), "tried {tried} times in two hours");

    up.store(true, Ordering::SeqCst);
    // The next probe comes within the hour; by then there are codes that are still good.
    let probe = start + Duration::from_secs(20 + 60 + 300 + 900 + 3600 + 3600);
    live_until(&post, |_, now| now + Duration::from_secs(300) >= probe).await;
    let late = compose(&post, Lane::Prompt, LATE_CODES).await;
    let prompt: HashMap<OutboxId, Timestamp> = place(&late).into_iter().collect();
    post.enqueue(late).await;
    let rest = (NOTICES + LATE_CODES) as u64;
    live_until(&post, |counts, _| counts.of(State::Sent) == rest).await;
    courier.stop(Duration::from_secs(5)).await;

    let ids: Vec<OutboxId> = waiting.keys().chain(prompt.keys()).copied().collect();
    let rows = post.store.read(|read| {
        let rows = ids.iter().chain(&lapsing).map(|id| outbox::get(read, *id));
        rows.collect::<Result<Vec<_>, store::Error>>()
    });
    for row in rows.await.unwrap() {
        let row = row.unwrap();
        let tries = u32::from(row.state == State::Sent);
        assert_eq!((row.tries, row.doubtful), (tries, false), "{row:?}");
    }

    let heard = server.heard();
    let order: Vec<OutboxId> = heard
        .messages
        .iter()
        .map(|message| id_of(message))
        .collect();
    assert_eq!(order.len(), ids.len(), "each went out once");
    // Codes, then notices, each lane oldest first; only the probe that found the relay back may
    // have been claimed before the codes were there.
    let (codes, others): (Vec<_>, Vec<_>) = order.iter().partition(|id| prompt.contains_key(id));
    assert!(codes.is_sorted_by_key(|id| prompt[id]), "codes in order");
    assert!(
        others.is_sorted_by_key(|id| waiting[id]),
        "notices in order"
    );
    let last_code = order.iter().rposition(|id| prompt.contains_key(id));
    let before = last_code.unwrap() + 1 - LATE_CODES;
    assert!(before <= 1, "{before} notices before the last code");

    let accepted = accepted.lock().unwrap();
    // What was let go just before a minute may arrive in it, since on a busy machine the clock is
    // moved while a mail is on its way: as many as go at once. (That none is let go too early is
    // shown beside the budget itself.)
    let under_way = PER_MINUTE as usize / 20;
    for (nth, from) in accepted.iter().enumerate() {
        let minute = accepted[nth..].iter();
        let within = minute.take_while(|at| **at < *from + Duration::from_secs(60));
        let within = within.count();
        let most = PER_MINUTE as usize + under_way;
        assert!(within <= most, "{within} within a minute");
    }
    let took = accepted[accepted.len() - 1].since(accepted[0]);
    // Six minutes; the clock that is moved in between adds to them, and an hour's rest would.
    assert!(
        took < Duration::from_secs(20 * 60),
        "at {PER_MINUTE} a minute: {took:?}"
    );
}

fn id_of(message: &str) -> OutboxId {
    let header = message
        .lines()
        .find_map(|line| line.strip_prefix("Message-ID: <"))
        .unwrap();
    header.split('@').next().unwrap().parse().unwrap()
}
