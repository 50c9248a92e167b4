//! How the dashboard stands to the server: connected, or waiting until it tries again.

use std::time::Duration;

use crate::world::Timestamp;

use crate::tui::msg::Problem;

/// The longest pause between two tries.
const LONGEST: u64 = 30;

/// The connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// The first try is on its way.
    Starting,
    /// It stands.
    Live {
        /// How long a request takes.
        latency: Duration,
    },
    /// It does not, and is tried again.
    Lost {
        /// Why.
        problem: Problem,
        /// How often it was tried.
        tries: u32,
        /// When it is tried next; `None` while it is being tried.
        again: Option<Timestamp>,
    },
}

impl Link {
    /// Whether the server can be asked.
    pub fn live(&self) -> bool {
        matches!(self, Link::Live { .. })
    }

    /// It broke, or a try did not succeed: 1, 2, 4, … 30 seconds until the next one.
    pub fn lose(&mut self, problem: Problem, now: Timestamp) {
        let tries = match self {
            Link::Lost { tries, .. } => tries.saturating_add(1),
            Link::Starting | Link::Live { .. } => 1,
        };
        let pause = 1_u64.checked_shl(tries - 1).unwrap_or(LONGEST).min(LONGEST);
        *self = Link::Lost {
            problem,
            tries,
            again: Some(now + Duration::from_secs(pause)),
        };
    }
}
