//! The routes that mail takes out: the relay, and one fallback for codes. What lives here is what
//! is known of each (its switch, its breaker, its budget, its last error); who goes which way is
//! the courier's business.

pub(super) mod breaker;
pub(super) mod budget;
pub(super) mod rest;
mod switch;
mod tally;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::attempt::Stage;
use crate::minutes::Minutes;
use crate::world::Timestamp;

pub use budget::Limits;
pub use switch::{nudges, pause, paused, resume};
pub use tally::{Tally, Waits};

/// The name of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteName {
    /// The relay that was configured; in development the capture server.
    Primary,
    /// Where codes go while the primary cannot take them.
    Fallback,
}

impl RouteName {
    /// Both.
    pub const ALL: [RouteName; 2] = [RouteName::Primary, RouteName::Fallback];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            RouteName::Primary => "primary",
            RouteName::Fallback => "fallback",
        }
    }

    /// The route of this word.
    pub fn from_word(word: &str) -> Option<RouteName> {
        RouteName::ALL.into_iter().find(|name| name.word() == word)
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Whether a route is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Breaker {
    /// It is: all is well, as far as anybody knows.
    #[default]
    Closed,
    /// It failed, and rests until one mail tries it again.
    Open {
        /// Since when.
        since: Timestamp,
        /// When it is tried again.
        probe_at: Timestamp,
    },
    /// One mail tries it just now.
    Probing {
        /// Since when it had been open.
        since: Timestamp,
    },
}

/// The last failure of a route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub at: Timestamp,
    /// How far it came.
    pub stage: Stage,
    /// The reply's code, where there was one.
    pub code: Option<u16>,
    /// The reply or the error as text, secrets masked.
    pub text: String,
    /// The rule of the [`rulebook`](super::rulebook) that explains it, by its stable name.
    pub rule: Option<String>,
}

/// An operator's pause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Since when.
    pub at: Timestamp,
}

/// How much a route may send, and how much of it is used up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Budget {
    /// Mails in any 24 hours; `None`: no limit is set.
    pub per_day: Option<u32>,
    /// How many of them are kept for codes and links.
    pub kept_for_codes: u32,
    /// How many were sent in the last 24 hours.
    pub spent: u32,
    /// Mails a minute; `None`: no limit is set.
    pub per_minute: Option<u32>,
    /// From when on another code or link may be sent, where none may now.
    pub resumes_at: Option<Timestamp>,
    /// From when on another mail of any kind may be sent, where only codes and links, or none, may
    /// now. `None` where that is never: all of the day is kept.
    pub ordinary_resumes_at: Option<Timestamp>,
}

/// What is known of a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Which.
    pub name: RouteName,
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account, where one logs in.
    pub user: Option<String>,
    /// Whether it is tried.
    pub breaker: Breaker,
    /// Whether the operator paused it.
    pub paused: Option<Pause>,
    /// What it may send.
    pub budget: Budget,
    /// Its last failure; stays after it recovered.
    pub last_error: Option<LastError>,
    /// When it last took a mail.
    pub last_success_at: Option<Timestamp>,
    /// How many connections are open now.
    pub connections: usize,
    /// Whether it leads to gatepost's own inbox and nowhere else.
    pub captures: bool,
}

/// Where the courier shows how the routes are and what it counted, and everybody else reads it.
/// Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Board {
    shared: Arc<Mutex<Shown>>,
    minutes: Arc<Minutes<2>>,
}

#[derive(Debug, Default)]
struct Shown {
    routes: Vec<Status>,
    tally: Tally,
}

impl Board {
    /// The routes as they are now, the primary first.
    pub fn routes(&self) -> Vec<Status> {
        self.lock().routes.clone()
    }

    /// Shows these.
    pub fn show(&self, routes: Vec<Status>) {
        self.lock().routes = routes;
    }

    /// What was counted since the start.
    pub fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    /// How many mails were taken by a server, and how many attempts failed, in the minute of `at`.
    pub fn minute(&self, at: Timestamp) -> [u64; 2] {
        self.minutes.of(at)
    }

    /// Counts on.
    pub(super) fn count(&self, work: impl FnOnce(&mut Tally, &Minutes<2>)) {
        work(&mut self.lock().tally, &self.minutes);
    }

    fn lock(&self) -> MutexGuard<'_, Shown> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
