//! Several at once: one wins, none slips past a limit, and who leaves early changes nothing.

use futures_util::FutureExt as _;
use futures_util::future::join_all;
use gatepost::identity::Error;

use super::desk::{Desk, MINUTE, PASSWORD, client, limited, settings, wrong};

const ANN: &str = "ann@example.com";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_registrations_of_one_address_one_wins() {
    let desk = Desk::open();
    // Two tokens for one address, each used twice at once.
    let first = desk.token(ANN, "register").await;
    desk.advance(MINUTE);
    let second = desk.token(ANN, "register").await;
    let tokens = [&first, &second, &first, &second];
    let outcomes = join_all(tokens.map(|token| desk.register_with(ANN, token))).await;
    let won = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(won, 1);
    for outcome in outcomes {
        assert!(matches!(
            outcome,
            Ok(_) | Err(Error::AddressTaken | Error::TokenRefused)
        ));
    }
    let rows = desk.rows().await;
    assert_eq!((rows["identity.account"], rows["identity.session"]), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_guesses_at_a_password_do_not_race_past_the_limit() {
    let desk = Desk::open();
    desk.join(ANN).await;
    let guesses = (0..50).map(|_| desk.login(ANN, "wrong one"));
    let outcomes = join_all(guesses).await;
    let judged = |outcome: &&Result<_, Error>| matches!(outcome, Err(Error::CredentialsRefused));
    assert_eq!(outcomes.iter().filter(judged).count(), 5);
    for outcome in outcomes.into_iter().filter(|outcome| !judged(&outcome)) {
        assert_eq!(limited(outcome).0, "login_failures");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_logins_with_the_right_password_wait_for_each_other_and_all_succeed() {
    let mut strict = settings();
    strict.limits.wrong_login_per_ip = "3/10min".parse().unwrap();
    let desk = Desk::with(strict);
    desk.join(ANN).await;
    let outcomes = join_all((0..40).map(|_| desk.login(ANN, PASSWORD))).await;
    assert!(outcomes.iter().all(Result::is_ok));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parallel_guesses_at_a_code_do_not_race_past_the_tries() {
    let desk = Desk::open();
    desk.send(ANN, "register").await.unwrap();
    let wrong = wrong(&desk.code(ANN).await);
    let outcomes = join_all((0..20).map(|_| desk.verify(ANN, "register", &wrong))).await;
    let mut left: Vec<u32> = outcomes
        .into_iter()
        .map(super::desk::attempts_left)
        .collect();
    left.sort_unstable();
    left.reverse();
    assert_eq!(left[..5], [4, 3, 2, 1, 0]);
    assert!(left[5..].iter().all(|left| *left == 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_several_logouts_of_one_session_one_ends_it_and_the_others_are_nobody_s() {
    let desk = Desk::open();
    let (_, token) = desk.join(ANN).await;
    let who = desk.who(&token).await.unwrap();
    let from = client("192.0.2.1");
    let outcomes = join_all((0..8).map(|_| desk.accounts.logout(&from, &who))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes {
        assert!(
            matches!(outcome, Ok(()) | Err(Error::Unauthenticated)),
            "{outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_used_twice_at_once_gives_one_token() {
    let desk = Desk::open();
    desk.send(ANN, "register").await.unwrap();
    let code = desk.code(ANN).await;
    let outcomes = join_all((0..8).map(|_| desk.verify(ANN, "register", &code))).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_counts_even_when_nobody_waits_for_the_answer() {
    let mut slow = settings();
    // Long enough that the hash is still being computed when the caller leaves.
    slow.passwords.memory_kib = 30_000;
    slow.passwords.passes = 4;
    let desk = Desk::with(slow);
    let failures = async || {
        let rows = desk.rows().await;
        rows.get("identity.counter").copied().unwrap_or(0)
    };
    let accounts = desk.accounts.clone();
    let form = gatepost::identity::Login {
        email: ANN.to_owned(),
        password: super::desk::secret("wrong one"),
    };
    let mut login = Box::pin(async move {
        let client = super::desk::client("192.0.2.1");
        accounts.login(&client, form).await.map(|_| ())
    });
    // Wait until a thread has begun with it: from then on it runs to its end.
    assert!((&mut login).now_or_never().is_none());
    desk.settled(async || desk.accounts.hashes_begun() > 0)
        .await;
    drop(login);
    desk.settled(async || failures().await == 1).await;
}
