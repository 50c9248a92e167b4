//! A mail in the outbox: its state and everything that is known of it but its body. How rows are
//! written is the ledger's business.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::language::Language;
use crate::mail::attempt::{Outcome, Stage};
use crate::mail::kind::Kind;
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::mail::route::RouteName;
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
    /// Not to be sent: see [`Shelved`].
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

    /// Sent mails are most of all there are: they are found among all; the others by an index.
    pub(super) const fn indexed(self) -> bool {
        !matches!(self, State::Sent)
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a mail was discarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shelved {
    /// Nobody has an account with this address. The letter was composed all the same, so that a
    /// request costs as much for an unknown address as for a known one.
    UnknownAddress,
    /// The operator said so, and may take it back for half a minute.
    Operator,
    /// A later mail of the same kind to the same address took its place before it was sent.
    Replaced,
}

/// How a mail stood before the operator discarded it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its state.
    pub state: State,
    /// When it would have been tried.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// When it had reached that state, if it was final.
    #[serde(default)]
    pub finished_at: Option<Timestamp>,
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

/// How long the body of a dead letter is kept, so that it can be requeued as it was; that of a
/// code or a link no longer than it is good for.
pub(super) const DEAD_KEPT: Duration = Duration::from_secs(7 * 24 * 3600);

/// So often a mail is sent whose sending ended in doubt each time. A server that swallows every
/// answer would give its recipient a copy a try otherwise.
pub(super) const MOST_DOUBTS: u32 = 3;

/// Set in the number of a lane: see [`Row::queue`].
pub(super) const APART: u8 = 0x80;

/// How long a discard can be undone.
pub(super) const UNDO: Duration = Duration::from_secs(30);

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
    /// When it is to be sent, where that was not at once.
    #[serde(default)]
    pub send_at: Option<Timestamp>,
    /// When the operator last put it back into the queue.
    #[serde(default)]
    pub requeued_at: Option<Timestamp>,
    /// The later mail that took its place.
    #[serde(default)]
    pub replaced_by: Option<OutboxId>,
    /// What undoing its discard brings back.
    #[serde(default)]
    pub before: Option<Before>,
    /// While it is being sent: since when it was due, which is its place in its lane.
    #[serde(default)]
    pub place: Option<Timestamp>,
    /// How many attempts certainly sent it and learned of no answer.
    #[serde(default)]
    pub doubts: u32,
    /// How many of its attempts are not kept any more: those between the first and the last.
    #[serde(default)]
    pub left_out: u32,
}

impl Row {
    /// Waits for `until`.
    pub(super) fn wait(&mut self, until: Timestamp) {
        self.state = if self.doubtful {
            State::Uncertain
        } else {
            State::Queued
        };
        self.due_at = Some(until);
        self.place = None;
        self.finished_at = None;
    }

    /// Is done with.
    pub(super) fn end(&mut self, state: State, now: Timestamp) {
        self.state = state;
        self.due_at = None;
        self.place = None;
        self.finished_at = Some(now);
    }

    /// Gives way to the later mail called `by`.
    pub(super) fn give_way(&mut self, by: OutboxId, now: Timestamp) {
        self.end(State::Discarded, now);
        self.shelved = Some(Shelved::Replaced);
        self.replaced_by = Some(by);
    }

    /// Whether it was sent as often as one is whose answers never come.
    pub(super) const fn is_doubted_enough(&self) -> bool {
        self.doubts >= MOST_DOUBTS
    }

    /// Whether all that is known of the try that may have sent it is that it began.
    pub(super) fn is_lost(&self) -> bool {
        let last = self.setback.as_ref().map(|setback| setback.outcome);
        last == Some(Outcome::Lost) || (self.doubts == 0 && last != Some(Outcome::Uncertain))
    }

    /// Whether it carries a code or a link, which is good for nothing once its time is over: such
    /// a mail is never given new time, a new one is made.
    pub const fn lapses(&self) -> bool {
        matches!(
            self.kind,
            Kind::RegistrationCode | Kind::ResetCode | Kind::ResetLink
        )
    }

    /// Until when the discard can be undone, where the operator discarded it.
    pub fn undo_until(&self) -> Option<Timestamp> {
        let by_operator = self.state == State::Discarded && self.shelved == Some(Shelved::Operator);
        let at = self.finished_at.filter(|_| by_operator)?;
        Some(at + UNDO)
    }

    /// Until when the sealed body of a mail that is done with is kept; `None`: it is gone.
    pub(super) fn kept_until(&self) -> Option<Timestamp> {
        let finished_at = self.finished_at?;
        let until = match self.state {
            State::Dead if self.lapses() => self.expires_at,
            State::Dead => finished_at + DEAD_KEPT,
            State::Discarded => self.undo_until()?,
            _ => return None,
        };
        (until > finished_at).then_some(until)
    }

    /// In which part of its lane it stands: what may have reached its recipient, or is under way,
    /// stands apart, so that whoever may not send such a mail need not look past it.
    pub(super) fn queue(&self) -> u8 {
        match self.state {
            State::Queued => self.lane() as u8,
            _ => self.lane() as u8 | APART,
        }
    }

    /// By when something becomes of it, whatever happens; `None` when that has happened.
    pub(super) fn ends_by(&self) -> Option<Timestamp> {
        self.due_at.map(|_| self.expires_at)
    }

    /// Since when it is to go out: when it was composed, the time it was ordered for, or when it
    /// was put back into the queue.
    pub(super) fn since(&self) -> Timestamp {
        let asked = self.requeued_at.or(self.send_at);
        asked.unwrap_or(self.created_at)
    }

    /// Whether nothing will happen to it any more.
    pub fn is_final(&self) -> bool {
        self.due_at.is_none()
    }

    /// Whether it needs somebody: given up, in doubt for good, or waiting after a failure.
    pub fn fails(&self) -> bool {
        match self.state {
            State::Dead => true,
            State::Uncertain => self.is_final() || self.setback.is_some(),
            State::Queued => self.setback.is_some(),
            State::Sending | State::Sent | State::Expired | State::Discarded => false,
        }
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
