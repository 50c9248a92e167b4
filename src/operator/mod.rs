//! What the operator and the team's other programs do: what becomes of a mail in the outbox, which
//! routes are taken, who may have mail sent. Each of it is one transaction with its entry in the
//! audit record. How it is asked for and answered (HTTP, status codes, texts) is not known here.

mod bench;
mod by;
mod inbox;
mod keys;
mod order;
mod outbox;
mod people;
mod repeat;
mod routes;
mod send;
mod test_mail;
mod timeline;
mod unsent;

use crate::audit;
use crate::identity::Accounts;
use crate::inbox::Inbox;
use crate::mail::Mailer;
use crate::mail::route::Board;
use crate::store::Store;
use crate::world::World;

pub use bench::Bench;
pub use bench::Busy;
pub use by::By;
pub use by::MalformedName;
pub use keys::ApiKey;
pub use keys::Holder;
pub use keys::KeyError;
pub use keys::KeyId;
pub use order::FieldFault;
pub use outbox::Action;
pub use outbox::OutboxError;
pub use people::RevealError;
pub use people::Told;
pub use people::UserAction;
pub use repeat::IdempotencyKey;
pub use repeat::MalformedIdempotencyKey;
pub use repeat::sweep as sweep_orders;
pub use routes::RouteError;
pub use routes::Switch;
pub use send::Ordered;
pub use send::SendError;
pub use send::SendMail;
pub use timeline::Moment;
pub use unsent::TooManyUnsent;

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
    /// Captured mail.
    pub inbox: Inbox,
    /// Whether codes and links may be revealed: in development alone.
    pub reveals: bool,
    /// How the routes are.
    pub routes: Board,
    /// Where templates of programs are rendered.
    pub bench: Bench,
}

impl Operator {
    /// The entry that says that the operator did `action` to `subject`, by the hands of `by`.
    fn entry(&self, action: &str, subject: &str, by: &By) -> audit::Entry {
        audit::Entry::new(&self.world, &by.actor(), action, subject).from(by.ip)
    }
}
