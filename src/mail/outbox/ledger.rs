//! The tables of the outbox and the one way in which a row changes its state, so that indexes,
//! counters, bodies and the audit record never disagree with it.

use serde_bytes::ByteBuf;

use super::row::{Counts, Row, Shelved, State};
use crate::address::LookupAddress;
use crate::audit;
use crate::mail::attempt::{Attempt, Stage};
use crate::mail::kind::Kind;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

pub(super) const ROWS: Table<OutboxId, Row> = Table::new("outbox.row");
pub(super) const BODIES: Table<OutboxId, ByteBuf> = Table::new("outbox.body");
/// By lane (see [`Row::queue`]) and due time. A mail that is being sent stands here under the end of its lease: that
/// is when it is due again, should nobody complete it.
pub(super) const DUE: Table<(u8, Timestamp, OutboxId), ()> = Table::new("outbox.due");
pub(super) const BY_STATE: Table<(u8, OutboxId), ()> = Table::new("outbox.by_state");
/// Everything that one mailbox was sent, or would have been.
pub(super) const BY_ADDRESS: Table<(LookupAddress, OutboxId), ()> = Table::new("outbox.by_address");
/// The newest code or link of each course (see [`course`]) to each address.
pub(super) const LATEST: Table<(LookupAddress, u8), OutboxId> = Table::new("outbox.latest");
/// By the time at which it is wiped: the body of a mail that is done with and yet kept.
pub(super) const WIPE: Table<(Timestamp, OutboxId), ()> = Table::new("outbox.wipe");
/// By the time at which it is over: every mail that is not done with.
pub(super) const EXPIRES: Table<(Timestamp, OutboxId), ()> = Table::new("outbox.expires");
/// How far the rows of an older build, which had fewer indexes, are indexed. A build that adds
/// an index gives this another name, and all rows are indexed anew.
pub(super) const INDEXED: Table<(), OutboxId> = Table::new("outbox.filed");
pub(super) const COUNTS: Table<(), Counts> = Table::new("outbox.counts");
pub(super) const ATTEMPTS: Table<(OutboxId, u32), Attempt> = Table::new("outbox.attempt");

/// Which mails take each other's place. What answers a request for a registration code is one
/// course, whatever it is, or the mails would tell whether an address has an account.
pub(super) const fn course(kind: Kind) -> Option<u8> {
    match kind {
        Kind::RegistrationCode | Kind::AlreadyRegistered => Some(1),
        Kind::ResetCode => Some(2),
        Kind::ResetLink => Some(3),
        Kind::AddressCode | Kind::AddressInUse => Some(4),
        Kind::PasswordChanged
        | Kind::AddressChanged
        | Kind::AccountDeleted
        | Kind::Test
        | Kind::Message => None,
    }
}

/// Changes rows within one transaction; the counters are read and written once for all of them.
pub(super) struct Ledger<'t, 'a> {
    pub tx: &'t mut Tx<'a>,
    counts: Counts,
}

impl<'t, 'a> Ledger<'t, 'a> {
    pub fn open(tx: &'t mut Tx<'a>) -> Result<Ledger<'t, 'a>, Error> {
        let counts = tx.get(&COUNTS, &())?.unwrap_or_default();
        Ok(Ledger { tx, counts })
    }

    /// Writes a row that was not there; a code or a link takes the place of the one before it.
    pub fn insert(&mut self, id: OutboxId, row: &Row) -> Result<(), Error> {
        let address = row.to.lookup();
        self.replace(id, row, &address)?;
        self.counts.enter(row.state);
        if row.state.indexed() {
            self.tx.put(&BY_STATE, &(row.state as u8, id), &());
        }
        if let Some(at) = row.due_at {
            self.tx.put(&DUE, &(row.queue(), at, id), &());
            self.tx.put(&EXPIRES, &(row.expires_at, id), &());
        }
        self.tx.put(&BY_ADDRESS, &(address, id), &());
        self.tx.put(&ROWS, &id, row);
        Ok(())
    }

    /// Discards the predecessor of a new code or link, if it waits and nobody can have got it.
    ///
    /// What was shelved for an unknown address has predecessors as well, and the row of one is
    /// written whether or not anything about it changes: a request costs the same reads and
    /// writes for everybody. Only while mail does not go out is a known address' predecessor
    /// still there to be discarded, which is a few changes more in the same commit.
    fn replace(&mut self, id: OutboxId, row: &Row, address: &LookupAddress) -> Result<(), Error> {
        let Some(course) = course(row.kind) else {
            return Ok(());
        };
        let key = (address.clone(), course);
        let older = self.tx.get(&LATEST, &key)?;
        self.tx.put(&LATEST, &key, &id);
        let Some(older) = older.filter(|older| *older != id) else {
            return Ok(());
        };
        let Some(before) = self.tx.get(&ROWS, &older)? else {
            return Ok(());
        };
        let mut after = before.clone();
        let now = row.created_at;
        // One whose time is over expires, as any other: nothing took its place in time.
        if before.expires_at > now {
            if before.state == State::Queued && !before.doubtful {
                after.give_way(id, now);
            } else if before.shelved == Some(Shelved::UnknownAddress) {
                after.replaced_by = Some(id);
            }
        }
        self.update(older, &before, &after);
        Ok(())
    }

    /// A mail that is to wait again gives way to the code or the link that followed it meanwhile,
    /// unless somebody may have got it already.
    pub fn give_way(&self, id: OutboxId, row: &mut Row, now: Timestamp) -> Result<(), Error> {
        let certain = row.state == State::Queued && !row.doubtful && row.expires_at > now;
        if certain && let Some(by) = successor(self.tx, id, row)? {
            row.give_way(by, now);
        }
        Ok(())
    }

    /// Writes `after` over `before`. A final state wipes the body or says when it is wiped, and
    /// is told to the audit record.
    pub fn update(&mut self, id: OutboxId, before: &Row, after: &Row) {
        if before.state != after.state {
            self.counts.leave(before.state);
            self.counts.enter(after.state);
            if before.state.indexed() {
                self.tx.delete(&BY_STATE, &(before.state as u8, id));
            }
            if after.state.indexed() {
                self.tx.put(&BY_STATE, &(after.state as u8, id), &());
            }
        }
        if (before.queue(), before.due_at) != (after.queue(), after.due_at) {
            if let Some(at) = before.due_at {
                self.tx.delete(&DUE, &(before.queue(), at, id));
            }
            if let Some(at) = after.due_at {
                self.tx.put(&DUE, &(after.queue(), at, id), &());
            }
        }
        let (ends, end) = (before.ends_by(), after.ends_by());
        if ends != end {
            if let Some(at) = ends {
                self.tx.delete(&EXPIRES, &(at, id));
            }
            if let Some(at) = end {
                self.tx.put(&EXPIRES, &(at, id), &());
            }
        }
        let (kept, keep) = (before.kept_until(), after.kept_until());
        if kept != keep {
            if let Some(until) = kept {
                self.tx.delete(&WIPE, &(until, id));
            }
            if let Some(until) = keep {
                self.tx.put(&WIPE, &(until, id), &());
            }
        }
        let ended = after.is_final() && (!before.is_final() || before.state != after.state);
        if ended {
            if keep.is_none() {
                self.tx.delete(&BODIES, &id);
            }
            audit::record(self.tx, &told(id, after));
        }
        self.tx.put(&ROWS, &id, after);
    }

    /// Removes a row that is final, with everything that leads to it.
    pub fn remove(&mut self, id: OutboxId, row: &Row) -> Result<(), Error> {
        self.counts.leave(row.state);
        if row.state.indexed() {
            self.tx.delete(&BY_STATE, &(row.state as u8, id));
        }
        if let Some(until) = row.kept_until() {
            self.tx.delete(&WIPE, &(until, id));
            self.tx.delete(&BODIES, &id);
        }
        let address = row.to.lookup();
        if let Some(course) = course(row.kind) {
            let key = (address.clone(), course);
            if self.tx.get(&LATEST, &key)? == Some(id) {
                self.tx.delete(&LATEST, &key);
            }
        }
        self.tx.delete(&BY_ADDRESS, &(address, id));
        self.tx.delete(&ROWS, &id);
        Ok(())
    }

    /// Writes the counters.
    pub fn close(self) {
        self.tx.put(&COUNTS, &(), &self.counts);
    }
}

/// The code or the link that followed this one to the same address.
pub(super) fn successor(
    read: &impl Read,
    id: OutboxId,
    row: &Row,
) -> Result<Option<OutboxId>, Error> {
    let Some(course) = course(row.kind) else {
        return Ok(None);
    };
    let latest = read.get(&LATEST, &(row.to.lookup(), course))?;
    Ok(latest.filter(|latest| *latest != id))
}

/// The entry of a mail that reached a final state: whom it went to, what it was, what became of
/// it, and nothing that was in it.
fn told(id: OutboxId, row: &Row) -> audit::Entry {
    let action = match row.state {
        State::Sent => "mail_sent",
        State::Dead => "mail_dead",
        State::Expired => "mail_expired",
        State::Uncertain => "mail_uncertain",
        State::Discarded | State::Queued | State::Sending => "mail_discarded",
    };
    let reason = match (row.state, &row.setback) {
        (State::Sent, _) if row.doubtful => "may have arrived twice".to_owned(),
        (State::Discarded, _) => match row.shelved {
            Some(Shelved::Replaced) => "replaced".to_owned(),
            _ => "by the operator".to_owned(),
        },
        (State::Dead | State::Expired | State::Uncertain, Some(setback)) => {
            // The server's words are not repeated: who knows what it quotes.
            let rule = setback.rule.clone();
            let code = setback.code.map(|code| format!("{code} at "));
            rule.unwrap_or_else(|| code.unwrap_or_default() + stage_word(setback.stage))
        }
        _ => String::new(),
    };
    let doubt = match row.state {
        State::Dead | State::Discarded if row.doubtful => "; may have arrived before",
        _ => "",
    };
    let detail = format!("{} {id} {reason}{doubt}", row.kind);
    let mut chance = [0; 10];
    chance.copy_from_slice(&id.to_bytes()[6..]);
    // The same mail may be done with more than once: given up, requeued, sent.
    for (byte, mixed) in chance.iter_mut().zip(row.claim.to_be_bytes()) {
        *byte ^= mixed;
    }
    chance[4] ^= row.state as u8;
    let at = row.finished_at.unwrap_or(row.created_at);
    audit::Entry::derived(at, chance, "gatepost", action, row.to.as_str()).detail(detail.trim_end())
}

/// The stable word of a stage.
const fn stage_word(stage: Stage) -> &'static str {
    match stage {
        Stage::Claim => "claim",
        Stage::Connect => "connect",
        Stage::Greeting => "greeting",
        Stage::Tls => "tls",
        Stage::Auth => "auth",
        Stage::MailFrom => "mail_from",
        Stage::RcptTo => "rcpt_to",
        Stage::Data => "data",
        Stage::Content => "content",
        Stage::FinalReply => "final_reply",
    }
}
