//! What is done to the outbox in passing, a little at a time: mails whose time went by while their
//! route was closed expire, those that were composed on a clock that was set back since get their
//! turn, bodies that were kept long enough are wiped, mails that were done with long ago are
//! forgotten, and a store of an older build gets the indexes that it lacks.

use super::expire::{expire, lapsed};
use super::ledger::{
    ATTEMPTS, BODIES, BY_ADDRESS, BY_STATE, DUE, EXPIRES, INDEXED, Ledger, ROWS, WIPE,
};
use super::row::{Row, State};
use crate::events::Topic;
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

/// Up to `limit` mails that wait for a moment far ahead since they were composed on a clock that
/// was set back since, and not because that was asked for.
fn ahead(read: &impl Read, now: Timestamp, limit: usize) -> Result<Vec<(OutboxId, Row)>, Error> {
    // Identifiers begin with the moment at which they were drawn.
    let mut last = [0xff; 16];
    let millis = u64::try_from(now.as_millis()).unwrap_or(0);
    last[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    let last = OutboxId::from_bytes(last);
    let mut ahead = Vec::new();
    for state in [State::Queued, State::Uncertain] {
        let state = state as u8;
        for entry in read.scan(BY_STATE.under(&state).after(&(state, last)))? {
            if ahead.len() == limit {
                break;
            }
            let ((_, id), ()) = entry?;
            let row = read.get(&ROWS, &id)?;
            let waits = |row: &Row| row.send_at.is_none() && row.due_at > Some(now);
            ahead.extend(row.filter(waits).map(|row| (id, row)));
        }
    }
    Ok(ahead)
}

/// Makes up to `limit` mails due that are [`ahead`]. Says how many.
fn hasten(tx: &mut Tx<'_>, now: Timestamp, limit: usize) -> Result<usize, Error> {
    let ahead = ahead(tx, now, limit)?;
    let count = ahead.len();
    if count > 0 {
        let mut ledger = Ledger::open(tx)?;
        for (id, before) in ahead {
            let mut row = before.clone();
            row.wait(now);
            ledger.update(id, &before, &row);
        }
        ledger.close();
        tx.wake(Topic::Outbox);
    }
    Ok(count)
}

/// Indexes up to `limit` more mails of an older build by address, state, turn and expiry. Says how many;
/// when all are, it is noted and nothing is looked at any more.
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
        if let Some(at) = row.ends_by() {
            tx.put(&EXPIRES, &(at, *id), &());
        }
        if let Some(at) = row.due_at {
            tx.delete(&DUE, &(row.lane() as u8, at, *id));
            tx.put(&DUE, &(row.queue(), at, *id), &());
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
/// do: expires mails that nobody claims, puts right those that wait for a clock that was set back,
/// wipes bodies, forgets mails older than `older_than` (if it is given), indexes what an older
/// build left. Says how many of one it did at most: fewer than `limit` means that nothing is left.
/// Call it once a minute, whether or not anything is sent: nothing else ends a mail that nobody
/// claims.
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
        let expire = !lapsed(read, now, 1)?.is_empty();
        let hasten = !ahead(read, now, 1)?.is_empty();
        Ok::<_, Error>(forget || wipe || expire || hasten || !is_indexed(read)?)
    });
    if !any.await? {
        return Ok(0);
    }
    let work = move |tx: &mut Tx<'_>| {
        let expired = expire(tx, now, limit)?;
        let hastened = hasten(tx, now, limit)?;
        let wiped = wipe(tx, now, limit)?;
        let indexed = index(tx, limit)?;
        let forgotten = match older_than {
            Some(older_than) => sweep(tx, older_than, limit)?,
            None => 0,
        };
        Ok::<_, Error>(expired.max(hastened).max(wiped).max(indexed).max(forgotten))
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
