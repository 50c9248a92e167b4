//! One mail on trial: put into the outbox like any other, and watched until it is known what
//! became of it. The command line and the admin API tell it to whoever asked.

use std::time::Duration;

use crate::address::EmailAddress;
use crate::audit;
use crate::events::Events;
use crate::events::Topic;
use crate::language::Language;
use crate::store;
use crate::store::Store;
use crate::world::World;

use super::ComposeError;
use super::Letter;
use super::Mailer;
use super::Occasion;
use super::OutboxId;
use super::outbox;
use super::route::Board;
use super::route::Breaker;
use super::route::Status;

/// Why there is nothing to tell.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// The mail could not be composed.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// What became of the mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trial {
    /// Its name in the outbox.
    pub id: OutboxId,
    /// How it stands now: final, or set back and waiting for its next try, or, when `patience`
    /// went by, still on its way.
    pub row: outbox::Row,
    /// The route that rests or is paused, when that is why nobody tries it.
    pub closed: Option<Status>,
}

impl Trial {
    /// What kept it from being sent, if anything is known to have: its own last failure, or that
    /// of the route.
    pub fn setback(&self) -> Option<String> {
        if let Some(setback) = &self.row.setback {
            return Some(setback.text.clone());
        }
        let closed = self.closed.as_ref()?;
        let name = closed.name;
        Some(match (&closed.paused, &closed.last_error) {
            (Some(pause), _) => format!("the {name} route is paused since {}", pause.at),
            (None, Some(error)) => error.text.clone(),
            (None, None) => format!("the {name} route rests after a failure"),
        })
    }
}

/// What is on record of `actor`, who wants the test mail sent to `to`.
pub fn entry(world: &World, to: &EmailAddress, actor: &str) -> audit::Entry {
    audit::Entry::new(world, actor, "test_mail", to.as_str())
}

/// The test mail, not yet in the outbox.
///
/// # Errors
/// A replaced template fails.
pub fn compose(
    mailer: &Mailer,
    to: &EmailAddress,
    language: Language,
) -> Result<Letter, ComposeError> {
    mailer.compose(&Occasion::Test, to, language)
}

/// Puts `letter` into the outbox, with `entry`, which says who wanted that, and waits, at most for `patience`, until it reached a final state
/// or was set back for the first time, or until all `routes` are closed, so that nobody tries it.
///
/// # Errors
/// Those of the store.
pub async fn follow(
    letter: Letter,
    entry: audit::Entry,
    store: &Store,
    events: &Events,
    routes: &Board,
    world: &World,
    patience: Duration,
) -> Result<Trial, store::Error> {
    let id = letter.id;
    let mut watch = events.watch(Topic::Outbox);
    let mut switches = events.watch(Topic::Routes);
    let mut closed = None;
    let row = store
        .write(move |tx| {
            outbox::enqueue(tx, &letter)?;
            audit::record(tx, &entry);
            outbox::get(tx, letter.id)
        })
        .await?;
    let mut row = row.ok_or(store::Error::Closed)?;
    let told = async {
        loop {
            let now = store.read(|snapshot| outbox::get(snapshot, id)).await?;
            if let Some(now) = now {
                row = now;
            }
            if row.is_final() || row.setback.is_some() {
                return Ok::<_, store::Error>(());
            }
            // One that a courier has will be heard of, whatever became of its route meanwhile.
            closed = all_closed(routes);
            if closed.is_some() && row.state != outbox::State::Sending {
                return Ok(());
            }
            tokio::select! {
                () = watch.changed() => {}
                () = switches.changed() => {}
            }
        }
    };
    if let Ok(outcome) = world.timeout(patience, told).await {
        outcome?;
    }
    Ok(Trial { id, row, closed })
}

/// The first of the routes, when none of them is open to mail.
fn all_closed(routes: &Board) -> Option<Status> {
    let routes = routes.routes();
    let is_closed =
        |route: &Status| route.paused.is_some() || matches!(route.breaker, Breaker::Open { .. });
    let all = routes.iter().all(is_closed);
    routes.into_iter().next().filter(|_| all)
}
