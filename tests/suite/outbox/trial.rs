//! Waiting for one mail: until it was tried, or nobody will try it.

use std::time::Duration;

use gatepost::mail::Occasion;
use gatepost::mail::attempt::{Outcome, Stage};
use gatepost::mail::outbox::State;
use gatepost::mail::route::{Board, Breaker, Budget, LastError, Pause, RouteName, Status};
use gatepost::mail::trial::{self, Trial};
use gatepost::world::Timestamp;

use super::hand::SECOND;
use crate::courier_post::Post;

const PATIENCE: Duration = Duration::from_secs(120);

/// A route that is well.
pub fn route(name: RouteName) -> Status {
    Status {
        name,
        host: "smtp.example.com".to_owned(),
        port: 587,
        user: None,
        breaker: Breaker::Closed,
        paused: None,
        budget: Budget::default(),
        last_error: None,
        last_success_at: None,
        captures: false,
        connections: 0,
    }
}

/// A route that refused our password at `at`.
pub fn broken(name: RouteName, at: Timestamp) -> Status {
    Status {
        breaker: Breaker::Open {
            since: at,
            probe_at: at + 60 * SECOND,
        },
        last_error: Some(LastError {
            at,
            stage: Stage::Auth,
            code: Some(535),
            text: "535 5.7.8 wrong\r\n".to_owned(),
            rule: None,
        }),
        ..route(name)
    }
}

fn paused(name: RouteName, at: Timestamp) -> Status {
    Status {
        paused: Some(Pause { at }),
        ..route(name)
    }
}

/// Follows a test mail while nobody sends anything.
async fn follow(post: &Post, board: &Board) -> Trial {
    let letter = post.letter(&Occasion::Test, "ann@example.org");
    let world = post.simulated.world();
    let entry = trial::entry(&world, &"ann@example.org".parse().unwrap(), "operator");
    trial::follow(
        letter,
        entry,
        &post.store,
        &post.events,
        board,
        &world,
        PATIENCE,
    )
    .await
    .unwrap()
}

#[tokio::test]
async fn nobody_waits_for_a_route_that_rests_or_is_paused() {
    let post = Post::new();
    let board = Board::default();
    for (status, said) in [
        (broken(RouteName::Primary, post.now()), "535 5.7.8 wrong"),
        (paused(RouteName::Primary, post.now()), "paused since"),
    ] {
        board.show(vec![status.clone()]);
        let trial = follow(&post, &board).await;
        assert_eq!(trial.row.state, State::Queued);
        assert!(trial.setback().unwrap().contains(said), "{trial:?}");
        assert_eq!(trial.closed, Some(status));
    }
}

#[tokio::test]
async fn an_open_fallback_is_waited_for_and_so_is_a_mail_on_its_way() {
    let post = Post::new();
    let board = Board::default();
    board.show(vec![
        broken(RouteName::Primary, post.now()),
        route(RouteName::Fallback),
    ]);
    let letter = post.letter(&Occasion::Test, "ann@example.org");
    let id = letter.id;
    let world = post.simulated.world();
    let entry = trial::entry(&world, &"ann@example.org".parse().unwrap(), "operator");
    let waiting = trial::follow(
        letter,
        entry,
        &post.store,
        &post.events,
        &board,
        &world,
        PATIENCE,
    );
    let courier = async {
        let claim = loop {
            match post
                .store
                .read(|read| gatepost::mail::outbox::get(read, id))
                .await
            {
                Ok(Some(_)) => break post.claim(id).await.unwrap(),
                _ => tokio::task::yield_now().await,
            }
        };
        board.show(vec![broken(RouteName::Primary, post.now())]);
        post.complete(claim, Outcome::Temporary, Some(post.now() + SECOND))
            .await;
    };
    let (trial, ()) = tokio::join!(waiting, courier);
    let trial = trial.unwrap();
    assert_eq!((trial.row.state, trial.row.tries), (State::Queued, 1));
    assert!(trial.setback().unwrap().contains("550 5.1.1"));
}
