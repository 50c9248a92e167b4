//! What is kept of the attempts at a mail: the first few, which tell how its trouble began, and
//! the last ones. A mail that waits for a week may be tried more often than anybody reads.

use super::ledger::ATTEMPTS;
use super::row::Row;
use crate::mail::attempt::Attempt;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Tx};

/// So many are kept of those that came first …
const FIRST: usize = 5;

/// … and so many of those that came last.
const LAST: usize = 20;

/// Writes down the attempt that the claim of this `number` made, and forgets one in the middle
/// where there are too many.
pub(super) fn record(
    tx: &mut Tx<'_>,
    id: OutboxId,
    number: u32,
    row: &mut Row,
    attempt: &Attempt,
) -> Result<(), Error> {
    tx.put(&ATTEMPTS, &(id, number), attempt);
    // A claim makes at most one: mostly there is nothing to count.
    if usize::try_from(row.claim).is_ok_and(|claims| claims <= FIRST + LAST) {
        return Ok(());
    }
    let keys = tx.scan(ATTEMPTS.under(&id))?;
    let keys: Vec<_> = keys
        .map(|attempt| attempt.map(|(key, _)| key))
        .collect::<Result<_, Error>>()?;
    let excess = keys.len().saturating_sub(FIRST + LAST);
    for key in keys.iter().skip(FIRST).take(excess) {
        tx.delete(&ATTEMPTS, key);
        row.left_out += 1;
    }
    Ok(())
}

/// The attempts that are kept of the mail called `id`, the first one first, each with its claim's
/// number. How many were made between them and are not kept any more is in
/// [`Row::left_out`](super::Row).
///
/// # Errors
/// Those of the store.
pub fn attempts(read: &impl Read, id: OutboxId) -> Result<Vec<(u32, Attempt)>, Error> {
    read.scan(ATTEMPTS.under(&id))?
        .map(|row| row.map(|((_, number), attempt)| (number, attempt)))
        .collect()
}
