//! Mails whose time goes by while nothing is claimed: they end when it does, and not when their
//! route works again.

use super::claim::gone_by;
use super::ledger::{DUE, Ledger, ROWS};
use super::row::State;
use crate::events::Topic;
use crate::mail::kind::Lane;
use crate::store::{Error, Read, Store, Tx};
use crate::world::Timestamp;

/// Ends those of the first `limit` mails that are due in each lane whose time went by; they stand
/// in about the order in which it does. Says how many.
///
/// # Errors
/// Those of the store.
pub fn expire(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let lapsed = lapsed(tx, now, limit)?;
    let count = lapsed.len();
    if count > 0 {
        let mut ledger = Ledger::open(tx)?;
        for (id, before) in lapsed {
            let mut row = before.clone();
            row.end(gone_by(&before), now);
            ledger.update(id, &before, &row);
        }
        ledger.close();
        tx.wake(Topic::Outbox);
    }
    Ok(count)
}

/// [`expire`] in a transaction of its own, and none where there is nothing to end.
///
/// # Errors
/// Those of the store.
pub async fn expire_now(store: &Store, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let any = store.read(|read| Ok::<_, Error>(!lapsed(read, now, limit)?.is_empty()));
    if !any.await? {
        return Ok(0);
    }
    store.write(move |tx| expire(tx, now, limit)).await
}

fn lapsed(
    read: &impl Read,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(super::OutboxId, super::Row)>, Error> {
    let mut lapsed = Vec::new();
    for lane in Lane::ALL {
        let lane = lane as u8;
        for entry in read.scan(DUE.under(&lane).up_to(&(lane, now)))?.take(limit) {
            let ((_, at, id), ()) = entry?;
            let row = read.get(&ROWS, &id)?;
            lapsed.extend(
                row.filter(|row| {
                    row.due_at == Some(at) && row.state != State::Sending && row.expires_at <= now
                })
                .map(|row| (id, row)),
            );
        }
    }
    Ok(lapsed)
}
