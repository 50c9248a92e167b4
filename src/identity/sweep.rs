//! What lapses is removed some time later, in bounded batches, so that no table grows for ever.
//! Nothing here decides whether something still counts: its owner does, whenever it is read.
//!
//! The index is coarse and lazy: one entry is written when a row is born, at the time at which it
//! would lapse if nobody touched it. A row that lives on by then gets its next entry by the sweep.

use crate::address::LookupAddress;
use crate::audit;
use crate::secret::TokenHash;
use crate::store;
use crate::store::Key;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::code;
use super::error::Error;
use super::flow;
use super::limits;
use super::limits::Subject;
use super::recover;
use super::session;

/// A row that will lapse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Doomed {
    /// The counters of a subject.
    Counted(Subject),
    /// All flows of an address.
    Flows(LookupAddress),
    /// A verification token.
    Verification(TokenHash),
    /// A reset link.
    Link(TokenHash),
    /// A session.
    Session(TokenHash),
}

impl Key for Doomed {
    fn encode(&self, into: &mut Vec<u8>) {
        let (kind, hash) = match self {
            Doomed::Counted(subject) => {
                1_u8.encode(into);
                return subject.encode(into);
            }
            Doomed::Flows(address) => {
                2_u8.encode(into);
                return address.encode(into);
            }
            Doomed::Verification(hash) => (3_u8, hash),
            Doomed::Link(hash) => (4, hash),
            Doomed::Session(hash) => (5, hash),
        };
        kind.encode(into);
        hash.encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<Doomed, store::Error> {
        Ok(match u8::decode(from)? {
            1 => Doomed::Counted(Key::decode(from)?),
            2 => Doomed::Flows(Key::decode(from)?),
            3 => Doomed::Verification(Key::decode(from)?),
            4 => Doomed::Link(Key::decode(from)?),
            _ => Doomed::Session(Key::decode(from)?),
        })
    }
}

/// By the slice of time in which they lapse; a slice is swept once it is wholly over.
const DOOMED: Table<(i64, Doomed), ()> = Table::new("identity.doomed");

/// How long a slice is, in seconds.
const SLICE: i64 = 600;

fn slice(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(SLICE)
}

/// Notes that `doomed` was born and lapses at `at`, unless it is touched.
pub(super) fn note(tx: &mut Tx<'_>, at: Timestamp, doomed: &Doomed) {
    tx.put(&DOOMED, &(slice(at), doomed.clone()), &());
}

impl Accounts {
    /// Removes what has lapsed: at most `limit` rows, in one transaction. Answers how many rows it
    /// looked at; fewer than `limit` means that nothing more is due. Call it now and then.
    pub async fn sweep(&self, limit: usize) -> Result<usize, Error> {
        let now = self.world.now();
        let kept = self.settings.audit_kept;
        let oldest_audit = kept.map(|kept| now.minus(kept));
        let due = self
            .store
            .read(move |read| {
                let first = read.scan(DOOMED.all().before(&slice(now)))?.next();
                let forgettable = match oldest_audit {
                    Some(oldest) => audit::any_before(read, oldest)?,
                    None => false,
                };
                Ok::<_, Error>(first.transpose()?.is_some() || forgettable)
            })
            .await?;
        if !due {
            return Ok(0);
        }
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let due: Vec<_> = tx
                    .scan(DOOMED.all().before(&slice(now)))?
                    .take(limit)
                    .collect::<Result<_, _>>()?;
                let looked_at = due.len();
                for (key, ()) in due {
                    tx.delete(&DOOMED, &key);
                    if let Some(at) = accounts.sweep_one(tx, &key.1, now)? {
                        note(tx, at, &key.1);
                    }
                }
                let forgotten = match oldest_audit {
                    Some(oldest) => audit::forget_before(tx, oldest, limit - looked_at)?,
                    None => 0,
                };
                Ok::<_, Error>(looked_at + forgotten)
            })
            .await
    }

    fn sweep_one(
        &self,
        tx: &mut Tx<'_>,
        doomed: &Doomed,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, store::Error> {
        let settings = &self.settings;
        match doomed {
            Doomed::Counted(subject) => limits::sweep_one(tx, subject, now),
            Doomed::Flows(address) => flow::sweep_flows(tx, address, settings, now),
            Doomed::Verification(hash) => code::sweep_token(tx, hash, settings, now),
            Doomed::Link(hash) => recover::sweep_link(tx, hash, settings, now),
            Doomed::Session(hash) => session::sweep_one(tx, hash, &settings.sessions, now),
        }
    }
}
