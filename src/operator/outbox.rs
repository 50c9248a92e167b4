//! What the operator does to a mail in the outbox.

use super::By;
use super::Operator;
use crate::audit;
use crate::identity;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::mail::outbox::Conflict;
use crate::mail::outbox::Item;
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
    /// The mail's state forbids it, or there is no such mail.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The new code or link could not be made.
    #[error(transparent)]
    Renewal(#[from] identity::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Operator {
    /// Does `action` to the mail called `id`, for `by`. Answers the mail as it stands after it:
    /// another one where a new code or link was made in its place.
    ///
    /// # Errors
    /// No such mail, its state forbids it, or the store.
    pub async fn act(&self, id: OutboxId, action: Action, by: &By) -> Result<Item, OutboxError> {
        let entry = self.entry(action.word(), &id.to_string(), by);
        match self.change(id, action, entry.clone()).await? {
            Ok(row) => Ok(Item { id, row }),
            // What it carries is good for nothing any more; its owner still waits for one.
            Err(lapsed @ Conflict::Lapsed { .. }) if action == Action::Requeue => {
                self.renew(id, entry, lapsed).await
            }
            Err(conflict) => Err(conflict.into()),
        }
    }

    async fn change(
        &self,
        id: OutboxId,
        action: Action,
        entry: audit::Entry,
    ) -> Result<Result<outbox::Row, Conflict>, store::Error> {
        let now = self.world.now();
        self.store
            .write(move |tx| {
                let done = match action {
                    Action::Retry => outbox::retry(tx, id, now)?,
                    Action::Requeue => outbox::requeue(tx, id, now)?,
                    Action::Discard => outbox::discard(tx, id, now)?,
                    Action::Undo => outbox::undo(tx, id, now)?,
                };
                if done.is_ok() {
                    audit::record(tx, &entry);
                }
                Ok(done)
            })
            .await
    }

    async fn renew(
        &self,
        id: OutboxId,
        entry: audit::Entry,
        lapsed: Conflict,
    ) -> Result<Item, OutboxError> {
        let old = self.store.read(|read| outbox::get(read, id)).await?;
        let old = old.ok_or(Conflict::Unknown)?;
        let renewal = self
            .accounts
            .renewal(old.kind, &old.to, old.language)
            .await?;
        let renewal = renewal.ok_or(lapsed)?;
        let new = renewal.mail();
        let renewed = entry.clone().detail(&format!("{} {new}", old.kind));
        let accounts = self.accounts.clone();
        let now = self.world.now();
        let written = self.store.write(move |tx| {
            // Somebody else may have done it meanwhile, or the clock was set back.
            let done = match outbox::requeue(tx, id, now)? {
                Err(Conflict::Lapsed { .. }) => {
                    accounts.renew(tx, &renewal)?;
                    audit::record(tx, &renewed);
                    let row = outbox::get(tx, new)?.ok_or(store::Error::Closed)?;
                    Ok(Item { id: new, row })
                }
                Ok(row) => {
                    audit::record(tx, &entry);
                    Ok(Item { id, row })
                }
                Err(conflict) => Err(conflict),
            };
            Ok::<_, store::Error>(done)
        });
        Ok(written.await??)
    }
}
