//! The tables of the outbox and the one way in which a row changes its state, so that indexes,
//! counters and bodies never disagree with it.

use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::language::Language;
use crate::mail::attempt::{Attempt, Outcome, Stage};
use crate::mail::kind::Kind;
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::mail::route::RouteName;
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

/// Where a mail stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Waits for its time.
    Queued,
    /// A courier has it.
    Sending,
    /// The server took it.
    Sent,
    /// The connection broke after the final dot: taken or not, nobody knows. It is tried again
    /// while there is time.
    Uncertain,
    /// Refused for good, or given up after the last try.
    Dead,
    /// Its time went by.
    Expired,
    /// Never meant to be sent.
    Discarded,
}

impl State {
    /// All of them.
    pub const ALL: [State; 7] = [
        State::Queued,
        State::Sending,
        State::Sent,
        State::Uncertain,
        State::Dead,
        State::Expired,
        State::Discarded,
    ];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            State::Queued => "queued",
            State::Sending => "sending",
            State::Sent => "sent",
            State::Uncertain => "uncertain",
            State::Dead => "dead",
            State::Expired => "expired",
            State::Discarded => "discarded",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<State> {
        State::ALL.into_iter().find(|state| state.word() == word)
    }

    /// Queued and sending mails are found through their due times and sent ones are most of all
    /// there are; only the others have an index.
    const fn indexed(self) -> bool {
        !matches!(self, State::Queued | State::Sending | State::Sent)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a letter was composed and not sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shelved {
    /// Nobody has an account with this address. The letter was composed all the same, so that a
    /// request costs as much for an unknown address as for a known one.
    UnknownAddress,
}

/// The last thing that kept a mail from being sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setback {
    /// When.
    pub at: Timestamp,
    /// How far it had come.
    pub stage: Stage,
    /// What kind of failure.
    pub outcome: Outcome,
    /// The reply's code, where there was one.
    #[serde(default)]
    pub code: Option<u16>,
    /// The reply or the error as text.
    pub text: String,
    /// The rule of the [`rulebook`](crate::mail::rulebook) that explains it, by its stable name.
    #[serde(default)]
    pub rule: Option<String>,
    /// Which way it went.
    #[serde(default)]
    pub route: Option<RouteName>,
}

/// A mail in the outbox, without its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// What it is for.
    pub kind: Kind,
    /// Whom it goes to.
    pub to: EmailAddress,
    /// The language that it is written in.
    pub language: Language,
    /// With its angle brackets.
    pub message_id: String,
    /// When it was composed.
    pub created_at: Timestamp,
    /// From when on it must not be sent any more.
    pub expires_at: Timestamp,
    /// How many bytes are sent.
    pub size: u32,
    /// SHA-256 of the bytes that are sent.
    #[serde(with = "serde_bytes")]
    pub digest: [u8; 32],
    /// Where it stands.
    pub state: State,
    /// When it is tried next; while it is being sent, when its lease runs out; `None` when final.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// How often it was claimed: the fence that keeps a late courier from completing it.
    #[serde(default)]
    pub claim: u32,
    /// How many tries were charged to it.
    #[serde(default)]
    pub tries: u32,
    /// Whether some attempt may have reached the recipient.
    #[serde(default)]
    pub doubtful: bool,
    /// What kept it from being sent last time.
    #[serde(default)]
    pub setback: Option<Setback>,
    /// When it reached a final state.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
    /// Why it was discarded.
    #[serde(default)]
    pub shelved: Option<Shelved>,
    /// The lane, where it is not its kind's.
    #[serde(default)]
    pub lane: Option<Lane>,
    /// The template of a [`Kind::Message`], where it has one.
    #[serde(default)]
    pub template: Option<String>,
    /// Which program asked for it: the identifier of its API key.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Which way it went, once it was sent.
    #[serde(default)]
    pub route: Option<RouteName>,
}

impl Row {
    /// Whether nothing will happen to it any more.
    pub fn is_final(&self) -> bool {
        self.due_at.is_none()
    }

    /// Who is served first.
    pub fn lane(&self) -> Lane {
        self.lane.unwrap_or(self.kind.lane())
    }
}

/// How many mails are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts([u64; State::ALL.len()]);

impl Counts {
    /// How many are in `state`.
    pub fn of(&self, state: State) -> u64 {
        self.0[state as usize]
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn enter(&mut self, state: State) {
        self.0[state as usize] += 1;
    }

    pub(super) fn leave(&mut self, state: State) {
        self.0[state as usize] = self.0[state as usize].saturating_sub(1);
    }
}

pub(super) const ROWS: Table<OutboxId, Row> = Table::new("outbox.row");
pub(super) const BODIES: Table<OutboxId, serde_bytes::ByteBuf> = Table::new("outbox.body");
/// By lane and due time. A mail that is being sent stands here under the end of its lease: that
/// is when it is due again, should nobody complete it.
pub(super) const DUE: Table<(u8, Timestamp, OutboxId), ()> = Table::new("outbox.due");
pub(super) const BY_STATE: Table<(u8, OutboxId), ()> = Table::new("outbox.by_state");
pub(super) const COUNTS: Table<(), Counts> = Table::new("outbox.counts");
pub(super) const ATTEMPTS: Table<(OutboxId, u32), Attempt> = Table::new("outbox.attempt");

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

    /// Writes a row that was not there.
    pub fn insert(&mut self, id: OutboxId, row: &Row) {
        self.counts.enter(row.state);
        self.index(id, row);
        self.tx.put(&ROWS, &id, row);
    }

    /// Writes `after` over `before`; a final state wipes the body.
    pub fn update(&mut self, id: OutboxId, before: &Row, after: &Row) {
        if before.state != after.state {
            self.counts.leave(before.state);
            self.counts.enter(after.state);
            if before.state.indexed() {
                self.tx.delete(&BY_STATE, &(before.state as u8, id));
            }
        }
        if before.due_at != after.due_at
            && let Some(at) = before.due_at
        {
            self.tx.delete(&DUE, &(before.lane() as u8, at, id));
        }
        self.index(id, after);
        if after.is_final() {
            self.tx.delete(&BODIES, &id);
        }
        self.tx.put(&ROWS, &id, after);
    }

    /// Removes a row that is final.
    pub fn remove(&mut self, id: OutboxId, row: &Row) {
        self.counts.leave(row.state);
        if row.state.indexed() {
            self.tx.delete(&BY_STATE, &(row.state as u8, id));
        }
        self.tx.delete(&ROWS, &id);
    }

    fn index(&mut self, id: OutboxId, row: &Row) {
        if row.state.indexed() {
            self.tx.put(&BY_STATE, &(row.state as u8, id), &());
        }
        if let Some(at) = row.due_at {
            self.tx.put(&DUE, &(row.lane() as u8, at, id), &());
        }
    }

    /// Writes the counters.
    pub fn close(self) {
        self.tx.put(&COUNTS, &(), &self.counts);
    }
}
