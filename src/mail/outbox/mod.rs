//! The outbox: mails that wait, are on their way or are done with, written in the transaction of
//! the user's own action. Who sends them, when and how is the courier's and the relay's business.

mod action;
mod attempts;
mod claim;
mod expire;
mod ledger;
mod list;
mod phrase;
mod row;
mod story;
mod sweep;
mod turn;
mod why;
mod wording;

use serde_bytes::ByteBuf;

use crate::events::Topic;
use crate::mail::letter::{Letter, OutboxId};
use crate::store::{Error, Read, Tx};

pub use action::{Conflict, discard, requeue, retry, undo};
pub use attempts::attempts;
pub use claim::{Charge, Claim, Completion, Want, body, claim, claim_one, complete, renew, revoke};
pub use list::{FAILING, Filter, Item, Sort, failing, list, oldest};
pub use row::{Before, Counts, Row, Setback, Shelved, State};
pub use story::to_address;
pub use sweep::{sweep, tidy, wipe};
pub use turn::{next_due, next_in, next_undoubted};
pub use why::{CODES, Why, why};

use ledger::{BODIES, COUNTS, Ledger, ROWS};

/// Puts `letter` into the queue; the courier is woken after the commit. A code or a link takes
/// the place of the one before it to the same address, if that still waits.
///
/// # Errors
/// Those of the store.
pub fn enqueue(tx: &mut Tx<'_>, letter: &Letter) -> Result<(), Error> {
    let row = Row {
        state: State::Queued,
        due_at: Some(letter.due_at),
        ..row_of(letter)
    };
    tx.put(&BODIES, &letter.id, &ByteBuf::from(letter.sealed.clone()));
    insert(tx, letter.id, &row)
}

/// Notes `letter` as composed and never to be sent: what [`enqueue`] reads and writes, without a
/// body.
///
/// # Errors
/// Those of the store.
pub fn shelve(tx: &mut Tx<'_>, letter: &Letter, reason: Shelved) -> Result<(), Error> {
    let row = Row {
        state: State::Discarded,
        finished_at: Some(letter.created_at),
        shelved: Some(reason),
        ..row_of(letter)
    };
    insert(tx, letter.id, &row)
}

fn insert(tx: &mut Tx<'_>, id: OutboxId, row: &Row) -> Result<(), Error> {
    let mut ledger = Ledger::open(tx)?;
    ledger.insert(id, row)?;
    ledger.close();
    tx.wake(Topic::Outbox);
    Ok(())
}

fn row_of(letter: &Letter) -> Row {
    Row {
        kind: letter.kind,
        to: letter.to.clone(),
        language: letter.language,
        message_id: letter.message_id.clone(),
        created_at: letter.created_at,
        expires_at: letter.expires_at,
        size: letter.size,
        digest: letter.digest,
        state: State::Queued,
        due_at: None,
        claim: 0,
        tries: 0,
        doubtful: false,
        setback: None,
        finished_at: None,
        shelved: None,
        lane: (letter.lane != letter.kind.lane()).then_some(letter.lane),
        template: letter.template.clone(),
        ordered_by: letter.ordered_by.clone(),
        route: None,
        send_at: (letter.due_at > letter.created_at).then_some(letter.due_at),
        requeued_at: None,
        replaced_by: None,
        before: None,
        place: None,
        doubts: 0,
        left_out: 0,
    }
}

/// The mail called `id`.
///
/// # Errors
/// Those of the store.
pub fn get(read: &impl Read, id: OutboxId) -> Result<Option<Row>, Error> {
    read.get(&ROWS, &id)
}

/// The mail with this Message-ID (with or without its angle brackets), if it is one of ours. The
/// identifier stands in it, so this is a look-up by key.
///
/// # Errors
/// Those of the store.
pub fn by_message_id(read: &impl Read, message_id: &str) -> Result<Option<OutboxId>, Error> {
    let bare = message_id.trim().trim_matches(['<', '>']);
    let Some((local, _)) = bare.split_once('@') else {
        return Ok(None);
    };
    let Ok(id) = local.parse::<OutboxId>() else {
        return Ok(None);
    };
    let row = get(read, id)?;
    // Anybody can write such an identifier into a mail; ours has our domain as well.
    Ok(row
        .filter(|row| row.message_id.trim_matches(['<', '>']) == bare)
        .map(|_| id))
}

/// How many mails are in each state.
///
/// # Errors
/// Those of the store.
pub fn counts(read: &impl Read) -> Result<Counts, Error> {
    Ok(read.get(&COUNTS, &())?.unwrap_or_default())
}
