//! Routes: when one is tried again, what the operator switches, what it may send, and who takes
//! the other one. More than 500 lines, since all of it is told about the same few servers.

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
use gatepost::mail::attempt::Outcome;
use gatepost::mail::attempt::Stage;
use gatepost::mail::courier::Courier;
use gatepost::mail::courier::Route;
use gatepost::mail::courier::Routes;
use gatepost::mail::outbox;
use gatepost::mail::outbox::State;
use gatepost::mail::relay::Relay;
use gatepost::mail::route;
use gatepost::mail::route::Breaker;
use gatepost::mail::route::Limits;
use gatepost::mail::route::RouteName;
use gatepost::mail::route::Status;
use gatepost::secret::SecretText;
use gatepost::world::Clock;
use gatepost::world::Pause;
use gatepost::world::Rng;
use gatepost::world::Timestamp;
use gatepost::world::World;

use crate::courier_post::Post;
use crate::relay::DEADLINES;
use crate::relay::settings;
use crate::relay_script::Act;
use crate::relay_script::Server;
use crate::relay_script::fine;

const GRACE: Duration = Duration::from_secs(5);
const LONG: Duration = Duration::from_secs(7 * 24 * 3600);

/// A server that lets nobody in while `shut`.
async fn server(shut: &Arc<AtomicBool>) -> Server {
    let shut = shut.clone();
    Server::start(move |_, line| match line {
        line if line.starts_with("AUTH") && shut.load(Ordering::SeqCst) => {
            Act::Say(b"535 5.7.8 not you\r\n")
        }
        line => fine(line),
    })
    .await
}

/// A way out to `port`, with a password.
fn way(post: &Post, port: u16) -> Route {
    way_with(post, port, "secret")
}

fn way_with(post: &Post, port: u16, password: &str) -> Route {
    let settings = gatepost::mail::relay::Settings {
        user: Some("ann".to_owned()),
        password: Some(SecretText::from(password.to_owned())),
        ..settings(port)
    };
    Route {
        relay: Relay::new(settings, post.simulated.world()).unwrap(),
        ..post.route(port)
    }
}

fn start(post: &Post, primary: Route, fallback: Option<Route>) -> Courier {
    post.start(None, Routes { primary, fallback })
}

/// A mail that nobody waits for, and that keeps.
fn notice(post: &Post, to: &str) -> Letter {
    let at = post.simulated.world().now();
    let mut letter = post.letter(&Occasion::PasswordChanged { at }, to);
    letter.expires_at = at + LONG;
    letter
}

/// One that goes before those, and has none of what is kept for codes.
fn high(post: &Post, to: &str) -> Letter {
    let mut letter = notice(post, to);
    letter.lane = Lane::High;
    letter
}

/// Composes each a millisecond after the one before it, and queues them.
async fn queue(post: &Post, count: usize, make: impl Fn(&Post, &str) -> Letter) -> Vec<OutboxId> {
    let letters: Vec<Letter> = (0..count)
        .map(|n| {
            post.simulated.advance(Duration::from_millis(1));
            make(post, &format!("u{n}@example.org"))
        })
        .collect();
    let ids = letters.iter().map(|letter| letter.id).collect();
    post.enqueue(letters).await;
    ids
}

fn code(post: &Post, to: &str) -> Letter {
    post.code(to).0
}

/// Waits until the route is shown as `wanted`, without the clock moving.
async fn until(post: &Post, name: RouteName, wanted: impl Fn(&Status) -> bool) -> Status {
    let mut changes = post.events.watch(Topic::Routes);
    let of = |routes: Vec<Status>| routes.into_iter().find(|status| status.name == name);
    let work = async {
        loop {
            if let Some(status) = of(post.board.routes()).filter(&wanted) {
                return status;
            }
            changes.changed().await;
        }
    };
    let real = World::system();
    let shown = real.timeout(Duration::from_secs(30), work).await;
    shown.unwrap_or_else(|_| panic!("still {:?}", of(post.board.routes())))
}

fn probe_at(status: &Status) -> Option<Timestamp> {
    match status.breaker {
        Breaker::Open { probe_at, .. } => Some(probe_at),
        _ => None,
    }
}

async fn switch(post: &Post, on: bool) {
    let now = post.simulated.world().now();
    let name = RouteName::Primary;
    let work = move |tx: &mut gatepost::store::Tx<'_>| match on {
        true => route::resume(tx, name),
        false => route::pause(tx, name, now),
    };
    post.store.write(work).await.unwrap();
}

/// Gives the courier the chance to do what it should not.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_then_by_one_mail_at_a_time() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(true));
    let server = server(&shut).await;
    let ids = queue(&post, 30, code).await;
    let notices = queue(&post, 3, notice).await;
    let route = Route {
        connections: 1,
        ..way(&post, server.port)
    };
    let courier = start(&post, route, None);
    let mut waits = Vec::new();
    let mut last = None;
    for tries in 1..=3 {
        let status = until(&post, RouteName::Primary, |status| {
            probe_at(status).is_some() && probe_at(status) != last
        })
        .await;
        last = probe_at(&status);
        let error = status.last_error.unwrap();
        assert_eq!((error.stage, error.code), (Stage::Auth, Some(535)));
        assert_eq!(server.heard().connections, tries);
        let wait = last.unwrap().since(post.simulated.world().now());
        waits.push(wait.as_secs());
        post.simulated.advance(wait - Duration::from_millis(1));
        settle().await;
        assert_eq!(server.heard().connections, tries, "tried too early");
        if tries == 3 {
            shut.store(false, Ordering::SeqCst);
        }
        post.simulated.advance(Duration::from_millis(1));
    }
    assert_eq!(waits, [60, 300, 900]);
    // The codes have lapsed by now.
    for id in &notices {
        let row = post.until_state(*id, State::Sent).await;
        assert_eq!((row.tries, row.route), (1, Some(RouteName::Primary)));
    }
    let mut attempts = 0;
    for id in &ids {
        let row = post.until_state(*id, State::Expired).await;
        assert_eq!(row.tries, 0);
        attempts += post.outcomes(*id).await.len();
    }
    assert_eq!(attempts, 3, "one mail at a time");
    let status = until(&post, RouteName::Primary, |status| {
        status.breaker == Breaker::Closed && status.last_success_at.is_some()
    })
    .await;
    assert!(status.last_error.is_some(), "it stays after the recovery");
    courier.stop(GRACE).await;
    let tally = post.board.tally();
    let counted: Vec<_> = tally.attempts().filter(|(_, _, n)| *n > 0).collect();
    assert_eq!(
        counted,
        [
            (RouteName::Primary, Outcome::Accepted, 3),
            (RouteName::Primary, Outcome::Configuration, 3)
        ]
    );
    assert_eq!(tally.waits(Lane::Ordinary).count(), 3);
}

#[tokio::test]
async fn a_restart_ends_no_rest_unless_the_route_was_set_up_differently() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(true));
    let server = server(&shut).await;
    let ids = queue(&post, 3, notice).await;
    let is_open = |status: &Status| probe_at(status).is_some();
    let courier = start(&post, way(&post, server.port), None);
    let before = until(&post, RouteName::Primary, is_open).await;
    let connections = server.heard().connections;
    courier.stop(GRACE).await;
    for _ in 0..3 {
        post.simulated.advance(Duration::from_secs(10));
        let courier = start(&post, way(&post, server.port), None);
        let after = until(&post, RouteName::Primary, is_open).await;
        assert_eq!(after.breaker, before.breaker);
        assert_eq!(after.last_error, before.last_error);
        settle().await;
        courier.stop(GRACE).await;
    }
    assert_eq!(
        server.heard().connections,
        connections,
        "it logs in no more"
    );
    // In time, and from where it was: the next rest is the second one.
    let courier = start(&post, way(&post, server.port), None);
    until(&post, RouteName::Primary, is_open).await;
    post.simulated.advance(Duration::from_secs(30));
    let after = until(&post, RouteName::Primary, |status| {
        is_open(status) && probe_at(status) != probe_at(&before)
    })
    .await;
    let wait = probe_at(&after)
        .unwrap()
        .since(post.simulated.world().now());
    assert_eq!(wait, Duration::from_secs(300));
    courier.stop(GRACE).await;
    shut.store(false, Ordering::SeqCst);
    let courier = start(&post, way_with(&post, server.port, "better"), None);
    for id in &ids {
        post.until_state(*id, State::Sent).await;
    }
    courier.stop(GRACE).await;
    // And what is over is forgotten.
    let more = queue(&post, 1, notice).await;
    let courier = start(&post, way(&post, server.port), None);
    post.until_state(more[0], State::Sent).await;
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_pause_outlasts_a_restart_and_a_resume_ends_it() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(false));
    let server = server(&shut).await;
    let courier = start(&post, way(&post, server.port), None);
    switch(&post, false).await;
    until(&post, RouteName::Primary, |status| status.paused.is_some()).await;
    let ids = queue(&post, 3, notice).await;
    settle().await;
    courier.stop(GRACE).await;
    let courier = start(&post, way(&post, server.port), None);
    until(&post, RouteName::Primary, |status| status.paused.is_some()).await;
    settle().await;
    assert_eq!(server.heard().connections, 0);
    switch(&post, true).await;
    for id in ids {
        post.until_state(id, State::Sent).await;
    }
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_resume_has_an_open_route_tried_at_once() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(true));
    let server = server(&shut).await;
    let ids = queue(&post, 1, code).await;
    let courier = start(&post, way(&post, server.port), None);
    until(&post, RouteName::Primary, |status| {
        probe_at(status).is_some()
    })
    .await;
    shut.store(false, Ordering::SeqCst);
    switch(&post, true).await;
    let row = post.until_state(ids[0], State::Sent).await;
    assert_eq!(row.tries, 1);
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_quota_that_is_used_up_rests_until_midnight_over_there() {
    let post = Post::new();
    let used_up = Arc::new(AtomicBool::new(true));
    let server = Server::start({
        let used_up = used_up.clone();
        move |_, line| match line {
            line if line.starts_with("MAIL") && used_up.load(Ordering::SeqCst) => {
                Act::Say(b"550 RP:ORQ 163 smtp5,D9GowECZ\r\n")
            }
            line => fine(line),
        }
    })
    .await;
    let ids = queue(&post, 5, notice).await;
    let courier = start(&post, post.route(server.port), None);
    let status = until(&post, RouteName::Primary, |status| {
        probe_at(status).is_some()
    })
    .await;
    // It is the first of January, 00:00 UTC; Beijing is eight hours ahead.
    let midnight = probe_at(&status).unwrap().to_string();
    assert!(midnight.starts_with("2026-01-01T16:0"), "{midnight}");
    assert_eq!(status.budget.resumes_at, probe_at(&status));
    let error = status.last_error.as_ref().unwrap();
    assert_eq!(error.rule.as_deref(), Some("netease_daily"));
    used_up.store(false, Ordering::SeqCst);
    let now = post.simulated.world().now();
    post.simulated
        .advance(probe_at(&status).unwrap().since(now));
    for id in ids {
        let row = post.until_state(id, State::Sent).await;
        assert_eq!(row.tries, 1);
    }
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn the_day_has_a_share_for_codes_and_is_remembered_over_a_restart() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let route = || Route {
        limits: Limits {
            per_day: Some(10),
            kept_for_codes: 4,
            per_minute: None,
        },
        ..post.route(server.port)
    };
    let ordinary = queue(&post, 5, notice).await;
    let mut notices = queue(&post, 3, high).await;
    notices.extend(ordinary);
    let courier = start(&post, route(), None);
    for id in &notices[..6] {
        post.until_state(*id, State::Sent).await;
    }
    post.simulated.advance(Duration::from_secs(1));
    let status = until(&post, RouteName::Primary, |status| {
        status.budget.ordinary_resumes_at.is_some()
    })
    .await;
    assert_eq!(status.budget.resumes_at, None, "codes go on");
    let codes = queue(&post, 6, code).await;
    for id in &codes[..4] {
        post.until_state(*id, State::Sent).await;
    }
    courier.stop(GRACE).await;
    let courier = start(&post, route(), None);
    let status = until(&post, RouteName::Primary, |status| {
        status.budget.spent == 10
    })
    .await;
    let resumes_at = status.budget.resumes_at.unwrap();
    assert_eq!(resumes_at.to_string(), "2026-01-02T01:00:00.000Z");
    settle().await;
    assert_eq!(server.heard().messages.len(), 10);
    // The codes end when their time is up, while nothing is claimed.
    post.simulated.advance(Duration::from_secs(12 * 60));
    post.tidied(None, 100).await;
    for id in &codes[4..] {
        let row = post.until_state(*id, State::Expired).await;
        assert_eq!(row.tries, 0);
    }
    let now = post.simulated.world().now();
    post.simulated.advance(resumes_at.since(now));
    for id in &notices {
        post.until_state(*id, State::Sent).await;
    }
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn codes_take_the_fallback_while_the_primary_is_shut_and_nothing_else_does() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(true));
    let primary = server(&shut).await;
    let other = Server::start(|_, line| match line {
        "RCPT TO:<u1@example.org>" => Act::Say(b"451 4.7.1 later\r\n"),
        line => fine(line),
    })
    .await;
    let codes = queue(&post, 3, code).await;
    let mut notices = queue(&post, 2, notice).await;
    notices.extend(queue(&post, 1, high).await);
    let fallback = Some(post.route(other.port));
    let courier = start(&post, way(&post, primary.port), fallback);
    for id in [codes[0], codes[2]] {
        let row = post.until_state(id, State::Sent).await;
        assert_eq!((row.tries, row.route), (1, Some(RouteName::Fallback)));
    }
    let row = post.until(codes[1], |row| row.tries == 1).await;
    assert_eq!(row.setback.unwrap().route, Some(RouteName::Fallback));
    settle().await;
    for id in &notices {
        let row = post.row(*id).await;
        assert_eq!((row.state, row.tries), (State::Queued, 0));
    }
    shut.store(false, Ordering::SeqCst);
    switch(&post, true).await;
    for id in &notices {
        let row = post.until_state(*id, State::Sent).await;
        assert_eq!(row.route, Some(RouteName::Primary));
    }
    post.simulated.advance(Duration::from_secs(5));
    let row = post.until_state(codes[1], State::Sent).await;
    assert_eq!(row.route, Some(RouteName::Primary));
    assert_eq!(other.heard().messages.len(), 2);
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_code_does_not_wait_out_the_short_rests_where_there_is_a_fallback() {
    let post = Post::new();
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let other = Server::start(|_, line| fine(line)).await;
    let code = queue(&post, 1, code).await[0];
    let fallback = Some(post.route(other.port));
    let courier = start(&post, post.route(gone), fallback);
    // The clock stands still: not even the first rest of 5 s goes by.
    let row = post.until_state(code, State::Sent).await;
    assert_eq!((row.tries, row.route), (1, Some(RouteName::Fallback)));
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn what_may_have_arrived_never_takes_the_fallback() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(false));
    let primary = Server::start({
        let shut = shut.clone();
        move |_, line| match line {
            "." => {
                shut.store(true, Ordering::SeqCst);
                Act::Leave(b"")
            }
            line if line.starts_with("AUTH") && shut.load(Ordering::SeqCst) => {
                Act::Say(b"535 5.7.8 not you\r\n")
            }
            line => fine(line),
        }
    })
    .await;
    let other = Server::start(|_, line| fine(line)).await;
    let doubtful = queue(&post, 1, code).await;
    let fallback = Some(post.route(other.port));
    let courier = start(&post, way(&post, primary.port), fallback);
    post.until_state(doubtful[0], State::Uncertain).await;
    post.simulated.advance(GRACE);
    until(&post, RouteName::Primary, |status| {
        probe_at(status).is_some()
    })
    .await;
    let codes = queue(&post, 2, code).await;
    for id in codes {
        let row = post.until_state(id, State::Sent).await;
        assert_eq!(row.route, Some(RouteName::Fallback));
    }
    settle().await;
    let row = post.row(doubtful[0]).await;
    assert_eq!((row.state, row.tries), (State::Uncertain, 1));
    assert_eq!(other.heard().messages.len(), 2);
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_server_that_says_421_in_mid_sentence_costs_no_try() {
    let post = Post::new();
    let server = Server::start(move |connection, line| match (connection, line) {
        (1, "RCPT TO:<u1@example.org>") => Act::Leave(b"421 4.3.2 going down\r\n"),
        (_, line) => fine(line),
    })
    .await;
    let ids = queue(&post, 2, code).await;
    let route = Route {
        connections: 1,
        ..post.route(server.port)
    };
    let courier = start(&post, route, None);
    for id in ids {
        let row = post.until_state(id, State::Sent).await;
        assert_eq!((row.tries, row.setback), (1, None));
    }
    assert_eq!(server.heard().connections, 2);
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_421_that_states_a_limit_is_believed_and_not_answered_by_coming_back() {
    let post = Post::new();
    let mails = Arc::new(Mutex::new(0));
    let server = Server::start(move |_, line| match line {
        line if line.starts_with("MAIL") => {
            let mut mails = mails.lock().unwrap();
            *mails += 1;
            match *mails {
                1 => fine(line),
                _ => Act::Leave(b"421 4.7.0 Too many messages, slow down\r\n"),
            }
        }
        line => fine(line),
    })
    .await;
    let ids = queue(&post, 2, notice).await;
    let route = Route {
        connections: 1,
        ..post.route(server.port)
    };
    let courier = start(&post, route, None);
    post.until_state(ids[0], State::Sent).await;
    let status = until(&post, RouteName::Primary, |status| {
        probe_at(status).is_some()
    })
    .await;
    assert_eq!(status.last_error.unwrap().code, Some(421));
    let row = post.row(ids[1]).await;
    assert_eq!((row.state, row.tries), (State::Queued, 0));
    assert_eq!(server.heard().connections, 1);
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn the_time_to_delivery_begins_when_a_mail_is_to_go_out() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let mut later = notice(&post, "ann@example.org");
    later.due_at = later.created_at + Duration::from_secs(3600);
    let id = later.id;
    post.enqueue(vec![later]).await;
    post.simulated.advance(Duration::from_secs(3601));
    let courier = start(&post, post.route(server.port), None);
    post.until_state(id, State::Sent).await;
    courier.stop(GRACE).await;
    let tally = post.board.tally();
    let waits = tally.waits(Lane::Ordinary);
    assert_eq!((waits.count(), waits.sum()), (1, Duration::from_secs(1)));
}

/// A clock that panics, once, when it is asked for the deadline of an envelope's command.
struct Broken {
    world: World,
    armed: Mutex<bool>,
}

impl Clock for Broken {
    fn now(&self) -> Timestamp {
        self.world.now()
    }

    fn elapsed(&self) -> Duration {
        self.world.elapsed()
    }

    fn sleep(&self, pause: Duration) -> Pause {
        let fires = {
            let mut armed = self.armed.lock().unwrap();
            *armed && pause == DEADLINES.envelope && std::mem::take(&mut *armed)
        };
        assert!(!fires, "planted");
        self.world.sleep(pause)
    }
}

impl Rng for Broken {
    fn fill(&self, into: &mut [u8]) {
        self.world.fill(into);
    }
}

#[tokio::test]
async fn mails_of_a_run_that_panicked_come_back_at_once() {
    let post = Post::new();
    let server = Server::start(|_, line| fine(line)).await;
    let ids = queue(&post, 5, code).await;
    let clock = Arc::new(Broken {
        world: post.simulated.world(),
        armed: Mutex::new(true),
    });
    let relay = Relay::new(settings(server.port), World::new(clock.clone(), clock)).unwrap();
    let route = Route {
        relay,
        connections: 1,
        ..post.route(server.port)
    };
    let courier = start(&post, route, None);
    // The clock stands still: no lease runs out.
    for id in &ids[1..] {
        let row = post.until_state(*id, State::Sent).await;
        assert_eq!((row.tries, row.doubtful), (1, false), "it was not begun");
    }
    let row = post.until(ids[0], |row| row.tries == 1).await;
    assert_eq!((row.state, row.doubtful), (State::Uncertain, true));
    post.simulated.advance(GRACE);
    post.until_state(ids[0], State::Sent).await;
    assert_eq!(
        post.outcomes(ids[0]).await,
        [Outcome::Lost, Outcome::Accepted]
    );
    let counts = post.store.read(|read| outbox::counts(read)).await.unwrap();
    assert_eq!(counts.of(State::Sent), 5);
    courier.stop(GRACE).await;
}

/// What the first recipient meets, and nobody else.
async fn denies(said: &'static [u8]) -> Server {
    Server::start(move |_, line| match line {
        "RCPT TO:<u0@example.org>" => Act::Say(said),
        line => fine(line),
    })
    .await
}

#[tokio::test]
async fn a_mail_that_the_server_blames_on_the_route_blocks_no_other() {
    for (said, state, outcomes) in [
        (
            &b"554 5.7.1 <u0@example.org>: Relay access denied\r\n"[..],
            State::Dead,
            [Outcome::Configuration, Outcome::Permanent],
        ),
        (
            b"550 5.4.5 Daily user sending limit exceeded\r\n",
            State::Queued,
            [Outcome::Limited, Outcome::Temporary],
        ),
    ] {
        for culprit in [code, notice] {
            let post = Post::new();
            let server = denies(said).await;
            let bad = queue(&post, 1, culprit).await;
            // The first of these goes to the same recipient.
            let good = queue(&post, 5, notice).await;
            let courier = start(&post, post.route(server.port), None);
            // The clock stands still: nobody waits for a rest.
            for id in &good[1..] {
                let row = post.until_state(*id, State::Sent).await;
                assert_eq!(row.tries, 1);
            }
            let row = post.row(bad[0]).await;
            assert_eq!((row.state, row.tries), (State::Queued, 0));
            let wait = row.due_at.unwrap().since(post.simulated.world().now());
            post.simulated.advance(wait);
            let row = post.until(bad[0], |row| row.tries == 1).await;
            assert_eq!(row.state, state);
            assert_eq!(post.outcomes(bad[0]).await, outcomes);
            // Whoever comes now goes out at once.
            let late = code(&post, "late@example.org");
            let id = late.id;
            post.enqueue(vec![late]).await;
            post.until_state(id, State::Sent).await;
            let status = until(&post, RouteName::Primary, |status| {
                status.breaker == Breaker::Closed
            })
            .await;
            assert!(status.last_error.is_some(), "it can be seen");
            courier.stop(GRACE).await;
        }
    }
}

#[tokio::test]
async fn a_mail_that_alone_meets_a_blame_waits_by_itself_and_the_next_one_goes_out() {
    let post = Post::new();
    let server = denies(b"554 5.7.1 <u0@example.org>: Relay access denied\r\n").await;
    let bad = queue(&post, 1, notice).await;
    let courier = start(&post, post.route(server.port), None);
    let mut waits = Vec::new();
    for tries in 1..=5 {
        let row = post.until(bad[0], |row| {
            row.claim == tries && row.state == State::Queued
        });
        let wait = row.await.due_at.unwrap();
        let wait = wait.since(post.simulated.world().now());
        waits.push(wait.as_secs());
        post.simulated.advance(wait);
    }
    assert_eq!(waits, [5, 15, 60, 300, 900]);
    let status = until(&post, RouteName::Primary, |_| true).await;
    assert_eq!(status.breaker, Breaker::Closed);
    let late = code(&post, "late@example.org");
    let id = late.id;
    post.enqueue(vec![late]).await;
    post.until_state(id, State::Sent).await;
    courier.stop(GRACE).await;
}

#[tokio::test]
async fn a_blame_that_another_mail_meets_opens_the_route() {
    let post = Post::new();
    let shut = Arc::new(AtomicBool::new(true));
    let server = Server::start({
        let shut = shut.clone();
        move |_, line| match line {
            line if line.starts_with("RCPT") && shut.load(Ordering::SeqCst) => {
                Act::Say(b"554 5.7.1 Relay access denied\r\n")
            }
            line => fine(line),
        }
    })
    .await;
    let ids = queue(&post, 20, notice).await;
    let route = Route {
        connections: 1,
        ..post.route(server.port)
    };
    let courier = start(&post, route, None);
    let status = until(&post, RouteName::Primary, |status| {
        probe_at(status).is_some()
    })
    .await;
    let error = status.last_error.unwrap();
    assert_eq!((error.stage, error.code), (Stage::RcptTo, Some(554)));
    settle().await;
    let mut attempts = 0;
    for id in &ids {
        let row = post.row(*id).await;
        assert_eq!((row.state, row.tries), (State::Queued, 0));
        attempts += post.outcomes(*id).await.len();
    }
    assert_eq!(attempts, 2, "two mails, and not one of them twice");
    shut.store(false, Ordering::SeqCst);
    let now = post.simulated.world().now();
    let probe_at = status_probe(status.breaker);
    post.simulated.advance(probe_at.since(now));
    for id in ids {
        let row = post.until_state(id, State::Sent).await;
        assert_eq!(row.tries, 1);
    }
    courier.stop(GRACE).await;
}

fn status_probe(breaker: Breaker) -> Timestamp {
    match breaker {
        Breaker::Open { probe_at, .. } => probe_at,
        other => panic!("{other:?}"),
    }
}
