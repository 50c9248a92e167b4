//! What an operator does to a mail: try it at once, put it back, discard it, take that back. A
//! mail that a courier has is out of reach: what was begun cannot be called back, and two hands
//! at one mail would send it twice.

use super::ledger::{BODIES, Ledger, ROWS, successor};
use super::row::{Before, Row, Shelved, State};
use super::sweep::wipe;
use crate::events::Topic;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Tx};
use crate::world::Timestamp;

/// Why nothing was done, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// No mail has this name.
    #[error("there is no such mail; it may have been forgotten since it was done with")]
    Unknown,
    /// A courier has it.
    #[error("it is being sent just now; wait until that has ended and look again")]
    Sending,
    /// The server took it.
    #[error("it is sent already; if it did not arrive, look into the spam folder of {to}")]
    Sent {
        /// Whom it went to.
        to: String,
    },
    /// It waits anyway.
    #[error("it waits in the queue already; retry has it tried at once")]
    Waiting,
    /// It was given up.
    #[error("it was given up and waits for nothing; requeue puts it back into the queue")]
    Dead,
    /// It may have arrived, and no more is known.
    #[error(
        "the connection broke before the server answered, so it may have arrived, and its body is \
         wiped; ask {to} before you send another"
    )]
    Doubtful {
        /// Whom it went to.
        to: String,
    },
    /// The code or the link in it is good for nothing any more.
    #[error("the {what} in it was good until {at}; a new one is needed")]
    Lapsed {
        /// `code` or `link`.
        what: &'static str,
        /// Since when.
        at: Timestamp,
    },
    /// It was worth sending until then.
    #[error("it was to be sent before {at} and its time is over; write a new one")]
    Overdue {
        /// Since when.
        at: Timestamp,
    },
    /// Its body is no longer there.
    #[error("its body is wiped, so it cannot be sent again as it was; write a new one")]
    Wiped,
    /// The operator discarded it.
    #[error("it was discarded at {at}; undo brings it back within 30 seconds of that")]
    Discarded {
        /// When.
        at: Timestamp,
    },
    /// A later mail took its place.
    #[error("a later mail took its place before it was sent; see {by}")]
    Replaced {
        /// Which.
        by: String,
    },
    /// It was composed for nobody.
    #[error(
        "it was never meant to be sent: nobody has an account with the address {to}, and a letter \
         is composed all the same, so that nobody can tell"
    )]
    Shelved {
        /// Who asked.
        to: String,
    },
    /// It is done with in another way.
    #[error("it is {state} and waits for nothing; there is nothing left to discard")]
    Over {
        /// How it ended.
        state: State,
    },
    /// There is no discard to undo.
    #[error("it is {state} and was not discarded; there is nothing to undo")]
    NotDiscarded {
        /// How it stands.
        state: State,
    },
    /// Too late.
    #[error("the 30 seconds for undoing ended at {at} and its body is wiped; write a new one")]
    UndoOver {
        /// When they ended.
        at: Timestamp,
    },
}

/// What was done, or why nothing was.
type Done = Result<Row, Conflict>;

/// How many bodies are wiped on the way.
const WIPED_AT_ONCE: usize = 64;

/// Has a mail that waits tried at once. The route's pause, its rest and its budget hold.
///
/// # Errors
/// Those of the store; inside, why it cannot be.
pub fn retry(tx: &mut Tx<'_>, id: OutboxId, now: Timestamp) -> Result<Done, Error> {
    act(tx, id, now, |tx, before| {
        let Some(due_at) = waits(before) else {
            return Ok(Err(over(before, now)));
        };
        if let Some(late) = late(before, now) {
            return Ok(Err(late));
        }
        if tx.get(&BODIES, &id)?.is_none() {
            return Ok(Err(Conflict::Wiped));
        }
        let mut row = before.clone();
        // One that is due already keeps its place in its lane.
        row.due_at = Some(due_at.min(now));
        Ok(Ok(row))
    })
}

/// Puts a dead letter back into the queue, byte for byte as it was, with all its tries before it
/// and, unless it carries a code or a link, as much time as it had at first.
///
/// # Errors
/// Those of the store; inside, why it cannot be.
pub fn requeue(tx: &mut Tx<'_>, id: OutboxId, now: Timestamp) -> Result<Done, Error> {
    act(tx, id, now, |tx, before| {
        // One whose time went by while it waited is as good as given up: its route is closed, or
        // a courier would have noted it.
        let waits = waits(before).is_some();
        if waits && before.expires_at > now {
            return Ok(Err(Conflict::Waiting));
        }
        let over = match !waits && before.state != State::Dead {
            true => Some(over(before, now)),
            false => None,
        };
        // Whoever waits for it has been sent another since, or will be.
        if matches!(over, None | Some(Conflict::Lapsed { .. }))
            && let Some(by) = successor(tx, id, before)?
        {
            return Ok(Err(Conflict::Replaced { by: by.to_string() }));
        }
        if let Some(over) = over {
            return Ok(Err(over));
        }
        if before.lapses()
            && let Some(late) = late(before, now)
        {
            return Ok(Err(late));
        }
        if tx.get(&BODIES, &id)?.is_none() {
            return Ok(Err(Conflict::Wiped));
        }
        let mut row = before.clone();
        row.wait(now);
        (row.tries, row.doubts) = (0, 0);
        if !row.lapses() {
            let from = row.requeued_at.or(row.send_at).unwrap_or(row.created_at);
            row.expires_at = now + before.expires_at.since(from);
        }
        row.requeued_at = Some(now);
        Ok(Ok(row))
    })
}

/// Discards a mail that waits or was given up. Its body stays for half a minute, for [`undo`].
///
/// # Errors
/// Those of the store; inside, why it cannot be.
pub fn discard(tx: &mut Tx<'_>, id: OutboxId, now: Timestamp) -> Result<Done, Error> {
    act(tx, id, now, |_, before| {
        if waits(before).is_none() && before.state != State::Dead {
            let reason = match before.state {
                State::Uncertain | State::Expired => Conflict::Over {
                    state: before.state,
                },
                _ => over(before, now),
            };
            return Ok(Err(reason));
        }
        let mut row = before.clone();
        row.before = Some(Before {
            state: before.state,
            due_at: before.due_at,
            finished_at: before.finished_at,
        });
        row.end(State::Discarded, now);
        row.shelved = Some(Shelved::Operator);
        Ok(Ok(row))
    })
}

/// Takes a [`discard`] back, within 30 seconds: the mail stands as it stood before.
///
/// # Errors
/// Those of the store; inside, why it cannot be.
pub fn undo(tx: &mut Tx<'_>, id: OutboxId, now: Timestamp) -> Result<Done, Error> {
    act(tx, id, now, |tx, row| {
        let (Some(until), Some(before)) = (row.undo_until(), &row.before) else {
            let state = row.state;
            return Ok(Err(match state {
                State::Discarded => over(row, now),
                _ => Conflict::NotDiscarded { state },
            }));
        };
        if until <= now {
            return Ok(Err(Conflict::UndoOver { at: until }));
        }
        if before.due_at.is_some() {
            if let Some(late) = late(row, now) {
                return Ok(Err(late));
            }
            if tx.get(&BODIES, &id)?.is_none() {
                return Ok(Err(Conflict::Wiped));
            }
        }
        let mut back = row.clone();
        back.state = before.state;
        back.due_at = before.due_at;
        back.finished_at = before.finished_at;
        back.shelved = None;
        back.before = None;
        if back.state == State::Queued
            && let Some(by) = successor(tx, id, &back)?
        {
            return Ok(Err(Conflict::Replaced { by: by.to_string() }));
        }
        Ok(Ok(back))
    })
}

/// Reads the row, has `decide` make the new one of it, and writes that.
fn act(
    tx: &mut Tx<'_>,
    id: OutboxId,
    now: Timestamp,
    decide: impl FnOnce(&Tx<'_>, &Row) -> Result<Done, Error>,
) -> Result<Done, Error> {
    // Nothing is brought back whose time is over, however late the sweep is.
    wipe(tx, now, WIPED_AT_ONCE)?;
    let Some(before) = tx.get(&ROWS, &id)? else {
        return Ok(Err(Conflict::Unknown));
    };
    if before.state == State::Sending {
        return Ok(Err(Conflict::Sending));
    }
    let after = match decide(tx, &before)? {
        Ok(after) => after,
        conflict => return Ok(conflict),
    };
    let mut ledger = Ledger::open(tx)?;
    ledger.update(id, &before, &after);
    ledger.close();
    tx.wake(Topic::Outbox);
    Ok(Ok(after))
}

/// When it is tried next, if it waits for that.
fn waits(row: &Row) -> Option<Timestamp> {
    row.due_at
        .filter(|_| matches!(row.state, State::Queued | State::Uncertain))
}

/// Why there is no time left for it, if there is none.
fn late(row: &Row, now: Timestamp) -> Option<Conflict> {
    let at = row.expires_at;
    let what = match row.kind {
        crate::mail::Kind::ResetLink => "link",
        _ => "code",
    };
    (at <= now).then(|| match row.lapses() {
        true => Conflict::Lapsed { what, at },
        false => Conflict::Overdue { at },
    })
}

/// Why a mail that is done with cannot be tried.
fn over(row: &Row, now: Timestamp) -> Conflict {
    let to = row.to.to_string();
    match (row.state, row.shelved) {
        (State::Sent, _) => Conflict::Sent { to },
        (State::Dead, _) => Conflict::Dead,
        (State::Uncertain, _) => match late(row, now) {
            Some(late @ Conflict::Lapsed { .. }) => late,
            _ => Conflict::Doubtful { to },
        },
        (State::Expired, _) => {
            // It may have expired on a clock that was set back since.
            late(row, now.max(row.expires_at)).unwrap_or(Conflict::Wiped)
        }
        (State::Discarded, Some(Shelved::UnknownAddress)) => Conflict::Shelved { to },
        (State::Discarded, Some(Shelved::Replaced)) => Conflict::Replaced {
            by: row
                .replaced_by
                .map_or_else(String::new, |id| id.to_string()),
        },
        (State::Discarded, _) => Conflict::Discarded {
            at: row.finished_at.unwrap_or(row.created_at),
        },
        (State::Queued, _) => Conflict::Waiting,
        (State::Sending, _) => Conflict::Sending,
    }
}
