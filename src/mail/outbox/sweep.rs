//! Forgetting mails that were done with long ago, so that the store does not grow for ever.

use super::ledger::{ATTEMPTS, BODIES, Ledger, ROWS, WIPE};
use super::row::Row;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Store, Tx};
use crate::world::Timestamp;

/// Forgets up to `limit` mails that were composed before `older_than` and are done with, the
/// oldest first, with all that was tried. Says how many it forgot.
///
/// # Errors
/// Those of the store.
pub fn sweep(tx: &mut Tx<'_>, older_than: Timestamp, limit: usize) -> Result<usize, Error> {
    let old = old(tx, older_than, limit)?;
    let count = old.len();
    if count > 0 {
        let mut ledger = Ledger::open(tx)?;
        for (id, row) in old {
            let attempts = ledger.tx.scan(ATTEMPTS.under(&id))?;
            let attempts: Vec<_> = attempts
                .map(|attempt| attempt.map(|(key, _)| key))
                .collect::<Result<_, Error>>()?;
            for key in attempts {
                ledger.tx.delete(&ATTEMPTS, &key);
            }
            ledger.remove(id, &row)?;
        }
        ledger.close();
    }
    Ok(count)
}

/// Wipes up to `limit` bodies that were kept until now: of dead letters nobody requeued, of
/// discards nobody took back. Says how many.
///
/// # Errors
/// Those of the store.
pub fn wipe(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let due = tx.scan(WIPE.all().up_to(&now))?.take(limit);
    let due: Vec<_> = due
        .map(|entry| entry.map(|(key, ())| key))
        .collect::<Result<_, Error>>()?;
    for key in &due {
        tx.delete(&BODIES, &key.1);
        tx.delete(&WIPE, key);
    }
    Ok(due.len())
}

/// [`sweep`] in a transaction of its own, and none where there is nothing to forget.
///
/// # Errors
/// Those of the store.
pub async fn sweep_now(store: &Store, older_than: Timestamp, limit: usize) -> Result<usize, Error> {
    let any = store.read(|read| Ok::<_, Error>(!old(read, older_than, 1)?.is_empty()));
    if !any.await? {
        return Ok(0);
    }
    store.write(move |tx| sweep(tx, older_than, limit)).await
}

fn old(
    read: &impl Read,
    older_than: Timestamp,
    limit: usize,
) -> Result<Vec<(OutboxId, Row)>, Error> {
    let mut old = Vec::new();
    for entry in read.scan(ROWS.all())? {
        let (id, row) = entry?;
        // Identifiers sort by when they were drawn.
        if old.len() == limit || row.created_at >= older_than {
            break;
        }
        if row.is_final() {
            old.push((id, row));
        }
    }
    Ok(old)
}
