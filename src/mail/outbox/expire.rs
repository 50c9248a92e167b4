//! Mails whose time goes by while nothing is claimed: they end when it does, and not when their
//! route works again. One that a courier has is left to the courier.

use super::claim::gone_by;
use super::ledger::{EXPIRES, Ledger, ROWS};
use super::row::{Row, State};
use crate::events::Topic;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Tx};
use crate::world::Timestamp;

/// Up to `limit` mails whose time went by while they waited, the longest ago first.
pub(super) fn lapsed(
    read: &impl Read,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<(OutboxId, Row)>, Error> {
    let mut lapsed = Vec::new();
    for entry in read.scan(EXPIRES.all().up_to(&now))? {
        if lapsed.len() == limit {
            break;
        }
        let ((_, id), ()) = entry?;
        let row = read.get(&ROWS, &id)?;
        lapsed.extend(
            row.filter(|row| row.state != State::Sending)
                .map(|row| (id, row)),
        );
    }
    Ok(lapsed)
}

/// Ends up to `limit` mails that have [`lapsed`]. Says how many.
pub(super) fn expire(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<usize, Error> {
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
