//! What the operator does to a mail in the outbox.

use std::net::IpAddr;

use super::Operator;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::store;

/// What is done to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A mail that waits is tried at once.
    Retry,
    /// A mail that was given up waits again; for a code that lapsed a new one is made.
    Requeue,
    /// A mail that waits or was given up is not sent.
    Discard,
    /// A discarded mail is not discarded after all.
    Undo,
}

impl Action {
    /// All of them.
    pub const ALL: [Action; 4] = [
        Action::Retry,
        Action::Requeue,
        Action::Discard,
        Action::Undo,
    ];

    /// Its stable word in the audit record.
    pub const fn word(self) -> &'static str {
        match self {
            Action::Retry => "outbox_retry",
            Action::Requeue => "outbox_requeue",
            Action::Discard => "outbox_discard",
            Action::Undo => "outbox_undo",
        }
    }
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// No mail has this name.
    #[error("there is no such mail")]
    NotFound,
    /// It stands in the way, for the reason that is told.
    #[error("{0}")]
    Conflict(String),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Operator {
    /// Does `action` to the mail called `id`, for `ip`. Answers the mail as it stands after it:
    /// another one where a new code or link was made in its place.
    ///
    /// # Errors
    /// No such mail, its state forbids it, or the store.
    pub async fn act(
        &self,
        id: OutboxId,
        action: Action,
        ip: IpAddr,
    ) -> Result<outbox::Item, OutboxError> {
        let entry = self.entry(action.word(), &id.to_string(), ip);
        drop(entry);
        let found = self.store.read(|read| outbox::get(read, id)).await?;
        match found {
            None => Err(OutboxError::NotFound),
            Some(row) => Err(OutboxError::Conflict(format!("it is {}", row.state))),
        }
    }
}
