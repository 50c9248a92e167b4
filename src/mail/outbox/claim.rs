//! What couriers do to the outbox: claim, renew, give back, complete. Every change is fenced on
//! the claim's number, so a courier that was slow and lost its lease changes nothing any more.

use std::time::Duration;

use super::attempts::record;
use super::counts;
use super::ledger::{BODIES, BY_STATE, DUE, Ledger, ROWS};
use super::row::{Row, Setback, State};
use super::sweep::is_indexed;
use super::turn::{MOST_LOOKED_AT, Turn, due_in, is_suspected, is_undoubted};
use crate::events::Topic;
use crate::mail::attempt::{Attempt, Outcome, Stage};
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Tx};
use crate::world::Timestamp;

/// A mail that was claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub id: OutboxId,
    /// The number of this claim.
    pub number: u32,
    /// How many tries were charged before.
    pub tries: u32,
    /// Its lane.
    pub lane: Lane,
    /// Since when it was to go out: when it was composed, the time it was ordered for, or when it
    /// was put back into the queue.
    pub since: Timestamp,
    /// Since when it was due: its place in the lane, should it go back as it came.
    pub due_at: Timestamp,
    /// From when on it must not be sent any more.
    pub expires_at: Timestamp,
}

/// What a courier can take just now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// How many mails, all lanes together.
    pub limit: usize,
    /// Up to how many, all lanes together, may be filled with mails that nobody waits for.
    pub ordinary: usize,
    /// Whether to leave mails alone that may have reached their recipient already.
    pub undoubted_only: bool,
    /// Whether mails that were refused as if their route were at fault come after all others:
    /// what another mail meets shows whether it is.
    pub unsuspected_first: bool,
}

impl Want {
    /// Up to `limit` mails, whichever they are.
    pub fn any(limit: usize) -> Want {
        Want {
            limit,
            ordinary: limit,
            undoubted_only: false,
            unsuspected_first: false,
        }
    }

    fn of(&self, lane: Lane) -> usize {
        match lane {
            Lane::Prompt => self.limit,
            Lane::High | Lane::Ordinary => self.ordinary.min(self.limit),
        }
    }
}

/// Whether an attempt counts against the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// It does: one try of its plan is used up.
    Try,
    /// It says nothing about the mail (the route failed): recorded, no try charged, and the mail
    /// goes back to the place in its lane from which it came.
    None,
    /// As [`Charge::None`], but the mail waits until then and lets the others go before.
    Behind(Timestamp),
}

/// How a claim ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// The claim.
    pub claim: Claim,
    /// What was tried; `None` when nothing was, and the mail goes back as it came.
    pub attempt: Option<Attempt>,
    /// Whether the attempt is the mail's or its route's.
    pub charge: Charge,
    /// When to try again, should the attempt ask for it; `None` when there is no time left. Of
    /// no matter where nothing is charged.
    pub retry_at: Option<Timestamp>,
}

/// Claims the mails that are `want`ed and due at `now`, prompt ones first, oldest first, each for
/// `lease`. Those whose time went by are expired on the way, and what another courier held past
/// the end of its lease is claimed again.
///
/// # Errors
/// Those of the store.
pub fn claim(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease: Duration,
    want: Want,
) -> Result<Vec<Claim>, Error> {
    let mut due = Vec::new();
    let mut suspects = Vec::new();
    for lane in Lane::ALL {
        let most = want.of(lane).saturating_sub(due.len());
        if most == 0 {
            continue;
        }
        let rows = due_in(tx, lane, now, want.undoubted_only)?;
        if want.undoubted_only || want.unsuspected_first {
            let enough = due.len() + most;
            for row in rows.take(MOST_LOOKED_AT) {
                let key = row?;
                if want.undoubted_only && !is_undoubted(tx, key.2)? {
                    continue;
                }
                if want.unsuspected_first && is_suspected(tx, key.2)? {
                    suspects.push(key);
                    continue;
                }
                due.push(key);
                if due.len() == enough {
                    break;
                }
            }
        } else {
            for row in rows.take(most) {
                due.push(row?);
            }
        }
    }
    if due.is_empty() {
        suspects.truncate(want.limit);
        due = suspects;
    }
    take(tx, now, lease, due)
}

/// Claims the mail called `id`, if it is due, and no other.
///
/// # Errors
/// Those of the store.
pub fn claim_one(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease: Duration,
    id: OutboxId,
) -> Result<Option<Claim>, Error> {
    let row = tx.get(&ROWS, &id)?;
    let due = row.and_then(|row| Some((row.queue(), row.due_at?, id)));
    let due = due.into_iter().filter(|(_, at, _)| *at <= now).collect();
    Ok(take(tx, now, lease, due)?.pop())
}

/// Claims the mails that stand under these keys of [`DUE`].
fn take(
    tx: &mut Tx<'_>,
    now: Timestamp,
    lease: Duration,
    due: Vec<Turn>,
) -> Result<Vec<Claim>, Error> {
    let mut claims = Vec::with_capacity(due.len());
    if due.is_empty() {
        return Ok(claims);
    }
    let mut ledger = Ledger::open(tx)?;
    for key in due {
        let (_, at, id) = key;
        let row = ledger.tx.get(&ROWS, &id)?;
        let Some(before) = row.filter(|row| row.due_at == Some(at)) else {
            // An entry without its row would be due for ever.
            ledger.tx.delete(&DUE, &key);
            continue;
        };
        let mut row = before.clone();
        if row.state == State::Sending {
            lost(&mut ledger, id, &mut row, now)?;
        }
        let place = before.place.unwrap_or(at);
        if row.expires_at <= now {
            let state = gone_by(&row);
            row.end(state, now);
        } else {
            row.claim += 1;
            row.state = State::Sending;
            row.due_at = Some(now + lease);
            row.place = Some(place);
            claims.push(Claim {
                id,
                number: row.claim,
                tries: row.tries,
                lane: row.lane(),
                since: row.since(),
                due_at: place,
                expires_at: row.expires_at,
            });
        }
        ledger.update(id, &before, &row);
    }
    ledger.close();
    tx.wake(Topic::Outbox);
    Ok(claims)
}

/// Takes back every mail that is being sent, whoever has it, and says how many those were: each
/// is due again at the place in its lane from which it was taken, one try is charged to it, and
/// it is doubtful from then on. Only right where no courier that could have one is alive any
/// more.
///
/// # Errors
/// Those of the store.
pub fn revoke(tx: &mut Tx<'_>, now: Timestamp) -> Result<usize, Error> {
    // Almost always there are none, and the queue may be long.
    let under_way = usize::try_from(counts(tx)?.of(State::Sending)).unwrap_or(usize::MAX);
    let mut leases = Vec::new();
    if under_way > 0 && is_indexed(tx)? {
        for entry in tx.scan(BY_STATE.under(&(State::Sending as u8)))? {
            let ((_, id), ()) = entry?;
            leases.extend(tx.get(&ROWS, &id)?.map(|row| (id, row)));
        }
    } else if under_way > 0 {
        // An older build left them, and knew no such index.
        for entry in tx.scan(DUE.all())? {
            let ((_, _, id), ()) = entry?;
            leases.extend(tx.get(&ROWS, &id)?.map(|row| (id, row)));
            leases.retain(|(_, row)| row.state == State::Sending);
            if leases.len() == under_way {
                break;
            }
        }
    }
    let count = leases.len();
    if count > 0 {
        let mut ledger = Ledger::open(tx)?;
        for (id, before) in leases {
            let mut row = before.clone();
            lost(&mut ledger, id, &mut row, now)?;
            row.wait(row.place.unwrap_or(now).min(now));
            ledger.update(id, &before, &row);
        }
        ledger.close();
        tx.wake(Topic::Outbox);
    }
    Ok(count)
}

/// Notes that the last courier of `id` was never heard of again. It may have sent the mail.
fn lost(
    ledger: &mut Ledger<'_, '_>,
    id: OutboxId,
    row: &mut Row,
    now: Timestamp,
) -> Result<(), Error> {
    let attempt = Attempt {
        started_at: row.due_at.map_or(now, |until| until.min(now)),
        ended_at: now,
        stage: Stage::Claim,
        outcome: Outcome::Lost,
        code: None,
        reply: b"the courier that had this mail went away without a word; it may have sent it"
            .to_vec(),
        transcript: Vec::new(),
        route: None,
        rule: None,
    };
    row.doubtful = true;
    row.tries += 1;
    row.setback = Some(setback(&attempt));
    record(ledger.tx, id, row.claim, row, &attempt)
}

/// Moves the end of the leases of `claims` to `until`.
///
/// # Errors
/// Those of the store.
pub fn renew(tx: &mut Tx<'_>, claims: &[Claim], until: Timestamp) -> Result<(), Error> {
    let mut ledger = Ledger::open(tx)?;
    for claim in claims {
        if let Some(before) = held(&ledger, claim)? {
            let mut row = before.clone();
            row.due_at = Some(until);
            ledger.update(claim.id, &before, &row);
        }
    }
    ledger.close();
    Ok(())
}

/// Writes down how claims ended, and wipes the bodies of those that are done with. Says how many
/// of them were still held under their number; the others changed nothing.
///
/// # Errors
/// Those of the store.
pub fn complete(
    tx: &mut Tx<'_>,
    now: Timestamp,
    completions: &[Completion],
) -> Result<usize, Error> {
    let mut counted = 0;
    let mut ledger = Ledger::open(tx)?;
    for completion in completions {
        let claim = &completion.claim;
        let Some(before) = held(&ledger, claim)? else {
            continue;
        };
        let mut row = before.clone();
        match &completion.attempt {
            None => row.wait(claim.due_at),
            Some(attempt) => {
                match completion.charge {
                    Charge::Try => settle(&mut row, attempt, completion.retry_at, now),
                    Charge::None => {
                        row.setback = Some(setback(attempt));
                        row.wait(claim.due_at);
                    }
                    Charge::Behind(until) => {
                        row.setback = Some(setback(attempt));
                        row.wait(until);
                    }
                }
                record(ledger.tx, claim.id, claim.number, &mut row, attempt)?;
            }
        }
        ledger.give_way(claim.id, &mut row, now)?;
        ledger.update(claim.id, &before, &row);
        counted += 1;
    }
    ledger.close();
    tx.wake(Topic::Outbox);
    Ok(counted)
}

/// The row of `claim`, if the claim still holds.
fn held(ledger: &Ledger<'_, '_>, claim: &Claim) -> Result<Option<Row>, Error> {
    let row = ledger.tx.get(&ROWS, &claim.id)?;
    Ok(row.filter(|row| row.state == State::Sending && row.claim == claim.number))
}

/// What an attempt makes of a row.
fn settle(row: &mut Row, attempt: &Attempt, retry_at: Option<Timestamp>, now: Timestamp) {
    row.tries += 1;
    if attempt.outcome != Outcome::Accepted {
        row.setback = Some(setback(attempt));
    }
    match attempt.outcome {
        Outcome::Accepted => {
            row.route = attempt.route;
            row.end(State::Sent, now);
        }
        Outcome::Permanent => row.end(State::Dead, now),
        // It lapsed on a clock that was set back since.
        Outcome::Lapsed if now < row.expires_at => row.wait(now),
        Outcome::Lapsed => row.end(gone_by(row), now),
        Outcome::Uncertain | Outcome::Lost => {
            row.doubtful = true;
            row.doubts += 1;
            again(row, retry_at.filter(|_| !row.is_doubted_enough()), now);
        }
        Outcome::Temporary | Outcome::Connection | Outcome::Configuration | Outcome::Limited => {
            again(row, retry_at, now);
        }
    }
}

fn again(row: &mut Row, retry_at: Option<Timestamp>, now: Timestamp) {
    match retry_at {
        Some(at) => row.wait(at),
        None => row.end(gone_by(row), now),
    }
}

/// What becomes of a mail for which there is no more time: one that may have arrived stays
/// uncertain; a code has expired; a notice, which has no life of its own, was given up.
pub(super) fn gone_by(row: &Row) -> State {
    if row.doubtful {
        return State::Uncertain;
    }
    match row.lane() {
        Lane::Prompt => State::Expired,
        Lane::High | Lane::Ordinary => State::Dead,
    }
}

fn setback(attempt: &Attempt) -> Setback {
    Setback {
        at: attempt.ended_at,
        stage: attempt.stage,
        outcome: attempt.outcome,
        code: attempt.code,
        text: attempt.reply_text(),
        rule: attempt.rule.clone(),
        route: attempt.route,
    }
}

/// The sealed body of the mail called `id`, while it has one.
///
/// # Errors
/// Those of the store.
pub fn body(read: &impl Read, id: OutboxId) -> Result<Option<Vec<u8>>, Error> {
    Ok(read.get(&BODIES, &id)?.map(serde_bytes::ByteBuf::into_vec))
}
