//! What the pages of the inbox go by, and who may look at them: whoever sits at the machine in
//! `dev`, and elsewhere the operator.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::Response;
use tokio::sync::{Semaphore, watch};

use crate::events::Events;
use crate::http::caller;
use crate::http::guard::Guard;
use crate::http::pages::answer;
use crate::http::pages::cookies::Name;
use crate::http::pages::visit::Visit;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::inbox::MessageId;
use crate::operator::Operator;
use crate::secret::TokenHash;

use super::pass;

/// How many browsers may listen at once; each holds a connection.
const LISTENERS: usize = 64;

/// What a [`Desk`] is made of.
pub struct Parts {
    /// Who may look.
    pub guard: Arc<Guard>,
    /// What is looked at, and who deletes.
    pub operator: Operator,
    /// Those that the store wakes.
    pub events: Events,
    /// Turns to `true` when the service is being stopped.
    pub closing: watch::Receiver<bool>,
    /// For how long a connection may be silent.
    pub silence: Duration,
    /// Where mail is sent to be captured.
    pub smtp: SocketAddr,
}

/// What the pages of the inbox go by.
pub struct Desk {
    /// See [`Parts`].
    pub parts: Parts,
    /// Room for those who listen.
    pub places: Arc<Semaphore>,
}

impl Desk {
    /// The desk of these parts.
    pub fn new(parts: Parts) -> Desk {
        Desk {
            parts,
            places: Arc::new(Semaphore::new(LISTENERS)),
        }
    }

    /// What is looked at.
    pub fn operator(&self) -> &Operator {
        &self.parts.operator
    }

    /// Whether whoever asks may look: by where they sit, by the operator's cookie or token.
    pub fn knows(&self, visit: &Visit) -> Result<bool, Problem> {
        let guard = &self.parts.guard;
        let cookie = visit.cookie(Name::Operator);
        let now = self.operator().world.now();
        if cookie.is_some_and(|cookie| pass::is_good(&cookie, &guard.token, now)) {
            return Ok(true);
        }
        let bearer = caller::bearer(visit.request());
        if bearer.is_some_and(|token| TokenHash::of(token).matches(&guard.token)) {
            return Ok(true);
        }
        guard.check_page(visit.request())
    }

    /// Leads those who may not look to where they show who they are.
    pub fn require(&self, visit: &Visit) -> Result<Result<(), Response>, Problem> {
        match self.knows(visit)? {
            true => Ok(Ok(())),
            false => Ok(Err(answer::go(&visit.visitor, "inbox/login/"))),
        }
    }

    /// The same for what is no page.
    pub fn require_for_part(&self, visit: &Visit) -> Result<(), Problem> {
        match self.knows(visit)? {
            true => Ok(()),
            false => Err(Problem::new(Kind::AdminRequired)),
        }
    }
}

/// The mail that the path names. One that cannot be is as little there as one that was deleted.
pub fn named(visit: &Visit) -> Result<MessageId, Problem> {
    let id = visit.parameter("id").parse();
    id.map_err(|_| Problem::new(Kind::NotFound))
}
