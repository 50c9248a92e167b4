//! What the operator and the team's other programs do: what becomes of a mail in the outbox, which
//! routes are taken, who may have mail sent. Each of it is one transaction with its entry in the
//! audit record. How it is asked for and answered (HTTP, status codes, texts) is not known here.

mod keys;
mod outbox;
mod routes;

use std::net::IpAddr;

use crate::audit;
use crate::identity::Accounts;
use crate::mail::Mailer;
use crate::mail::route::Board;
use crate::store::Store;
use crate::world::World;

pub use keys::ApiKey;
pub use keys::Holder;
pub use keys::KeyError;
pub use keys::KeyId;
pub use outbox::Action;
pub use outbox::OutboxError;
pub use routes::RouteError;
pub use routes::Switch;

/// The operator's hands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Operator {
    /// Where everything stands.
    pub store: Store,
    /// Time and chance.
    pub world: World,
    /// Composes what programs have sent.
    pub mailer: Mailer,
    /// Makes new codes and links.
    pub accounts: Accounts,
    /// How the routes are.
    pub routes: Board,
}

impl Operator {
    /// The entry that says that the operator did `action` to `subject`, from `ip`.
    fn entry(&self, action: &str, subject: &str, ip: IpAddr) -> audit::Entry {
        audit::Entry::new(&self.world, "operator", action, subject).from(ip)
    }
}
