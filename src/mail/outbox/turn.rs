//! Whose turn it is: the mails of a lane by when they are due, those that may have reached their
//! recipient apart from the others. Who takes one is told in `claim`.

use super::ledger::{DUE, ROWS};
use super::row::{APART, State};
use crate::mail::attempt::{Outcome, Stage};
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read};
use crate::world::Timestamp;

/// How many mails are looked at for one that is not doubtful.
pub(super) const MOST_LOOKED_AT: usize = 1000;

/// Where a mail stands in [`DUE`].
pub(super) type Turn = (u8, Timestamp, OutboxId);

/// The mails of `lane` that are due at `now`, oldest first; of those that may have reached their
/// recipient, with `undoubted_only`, at most what an older build did not file apart.
pub(super) fn due_in(
    read: &impl Read,
    lane: Lane,
    now: Timestamp,
    undoubted_only: bool,
) -> Result<impl Iterator<Item = Result<Turn, Error>>, Error> {
    let lane = lane as u8;
    let mut certain = read.scan(DUE.under(&lane).up_to(&(lane, now)))?.peekable();
    let apart = lane | APART;
    let mut others = match undoubted_only {
        true => None,
        false => Some(read.scan(DUE.under(&apart).up_to(&(apart, now)))?),
    }
    .into_iter()
    .flatten()
    .peekable();
    Ok(std::iter::from_fn(move || {
        let other_first = match (certain.peek(), others.peek()) {
            (Some(Ok(((_, at, id), ()))), Some(Ok(((_, other_at, other), ())))) => {
                (other_at, other) < (at, id)
            }
            (None, _) => true,
            _ => false,
        };
        let next = match other_first {
            true => others.next(),
            false => certain.next(),
        };
        next.map(|entry| entry.map(|(turn, ())| turn))
    }))
}

/// Whether the last server that had it blamed the route when it knew the recipient.
pub(super) fn is_suspected(read: &impl Read, id: OutboxId) -> Result<bool, Error> {
    let row = read.get(&ROWS, &id)?;
    Ok(row.and_then(|row| row.setback).is_some_and(|setback| {
        setback.stage > Stage::MailFrom
            && matches!(setback.outcome, Outcome::Configuration | Outcome::Limited)
    }))
}

/// Whether the mail has certainly not reached its recipient: neither did an attempt end in doubt,
/// nor has anybody had it who was not heard of again.
pub(super) fn is_undoubted(read: &impl Read, id: OutboxId) -> Result<bool, Error> {
    let row = read.get(&ROWS, &id)?;
    Ok(row.is_some_and(|row| !row.doubtful && row.state != State::Sending))
}

/// When the next mail is due (or the next lease runs out), in any lane.
///
/// # Errors
/// Those of the store.
pub fn next_due(read: &impl Read) -> Result<Option<Timestamp>, Error> {
    let mut first = None;
    for lane in Lane::ALL {
        first = first.into_iter().chain(next_in(read, lane)?).min();
    }
    Ok(first)
}

/// When the next mail of `lane` is due, or the next lease runs out in it.
///
/// # Errors
/// Those of the store.
pub fn next_in(read: &impl Read, lane: Lane) -> Result<Option<Timestamp>, Error> {
    let mut first = None;
    for part in [lane as u8, lane as u8 | APART] {
        let next = read.scan(DUE.under(&part))?.next().transpose()?;
        let next = next.map(|((_, at, _), ())| at);
        first = first.into_iter().chain(next).min();
    }
    Ok(first)
}

/// When the next mail of `lane` is due that has certainly not reached its recipient yet.
///
/// # Errors
/// Those of the store.
pub fn next_undoubted(read: &impl Read, lane: Lane) -> Result<Option<Timestamp>, Error> {
    for entry in read.scan(DUE.under(&(lane as u8)))?.take(MOST_LOOKED_AT) {
        let ((_, at, id), ()) = entry?;
        if is_undoubted(read, id)? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}
