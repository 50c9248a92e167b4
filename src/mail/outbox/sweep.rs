//! What is done to the outbox in passing, a little at a time: mails whose time went by while their
//! route was closed expire, bodies that were kept long enough
//! are wiped, mails that were done with long ago are forgotten, and a store of an older build
//! gets the indexes that it lacks.

use super::claim::{expire, lapsed};
use super::ledger::{ATTEMPTS, BODIES, BY_ADDRESS, BY_STATE, INDEXED, Ledger, ROWS, WIPE};
use super::row::Row;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Store, Tx};
use crate::world::Timestamp;

/// Forgets up to `limit` mails that were composed and done with before `older_than`, the oldest
/// first, with all that was tried. Says how many it forgot.
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

/// Indexes up to `limit` more mails of an older build by address and state. Says how many; when
/// all are, it is noted and nothing is looked at any more.
fn index(tx: &mut Tx<'_>, limit: usize) -> Result<usize, Error> {
    let done = tx.get(&INDEXED, &())?;
    if done == Some(LAST) {
        return Ok(0);
    }
    let rest = match &done {
        Some(done) => ROWS.all().after(done),
        None => ROWS.all(),
    };
    let rows: Vec<_> = tx.scan(rest)?.take(limit).collect::<Result<_, Error>>()?;
    for (id, row) in &rows {
        tx.put(&BY_ADDRESS, &(row.to.lookup(), *id), &());
        if row.state.indexed() {
            tx.put(&BY_STATE, &(row.state as u8, *id), &());
        }
    }
    let last = rows.last().filter(|_| rows.len() == limit);
    tx.put(&INDEXED, &(), &last.map_or(LAST, |(id, _)| *id));
    Ok(rows.len())
}

/// Whether every mail stands in every index.
pub(super) fn is_indexed(read: &impl Read) -> Result<bool, Error> {
    Ok(read.get(&INDEXED, &())? == Some(LAST))
}

/// Above every identifier.
const LAST: OutboxId = OutboxId::from_bytes([0xff; 16]);

/// Does up to `limit` of each of these, in one transaction, and none where there is nothing to
/// do: expires mails that nobody claims, wipes bodies, forgets mails older than `older_than` (if it is given), indexes what an
/// older build left. Says how many of one it did at most: fewer than `limit` means that nothing
/// is left. Call it now and then.
///
/// # Errors
/// Those of the store.
pub async fn tidy(
    store: &Store,
    now: Timestamp,
    older_than: Option<Timestamp>,
    limit: usize,
) -> Result<usize, Error> {
    let any = store.read(|read| {
        let forget = match older_than {
            Some(older_than) => !old(read, older_than, 1)?.is_empty(),
            None => false,
        };
        let wipe = read.scan(WIPE.all().up_to(&now))?.next().is_some();
        let expire = !lapsed(read, now, limit)?.is_empty();
        Ok::<_, Error>(forget || wipe || expire || !is_indexed(read)?)
    });
    if !any.await? {
        return Ok(0);
    }
    let work = move |tx: &mut Tx<'_>| {
        let expired = expire(tx, now, limit)?;
        let wiped = wipe(tx, now, limit)?;
        let indexed = index(tx, limit)?;
        let forgotten = match older_than {
            Some(older_than) => sweep(tx, older_than, limit)?,
            None => 0,
        };
        Ok::<_, Error>(expired.max(wiped).max(indexed).max(forgotten))
    };
    store.write(work).await
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
        // One that was to be sent much later is kept as long as any other.
        if row.is_final() && row.finished_at.is_none_or(|at| at < older_than) {
            old.push((id, row));
        }
    }
    Ok(old)
}
