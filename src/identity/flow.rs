//! The courses of codes: one for each kind of mail and address, with the codes that were mailed and
//! the tries that they share. How a mail is asked for is in `request`, what a code is good for in
//! `code`, `recover` and `email`.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::id::identifier;
use crate::language::Language;
use crate::mail::OutboxId;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Codes;
use super::Settings;
use super::form::Purpose;
use super::lives;
use super::sweep;
use super::user::UserId;

identifier!(
    /// One course of codes for one address and purpose, which share their tries.
    FlowId,
    "fl"
);

/// What is mailed. The numbers stand in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Wanted {
    RegisterCode = 1,
    ResetCode = 2,
    ResetLink = 3,
    // 4 begins the names of verification tokens: see `overview`.
    AddressCode = 5,
}

impl Wanted {
    pub(super) const ALL: [Wanted; 4] = [
        Wanted::RegisterCode,
        Wanted::ResetCode,
        Wanted::ResetLink,
        Wanted::AddressCode,
    ];

    pub(super) fn code_for(purpose: Purpose) -> Wanted {
        match purpose {
            Purpose::Register => Wanted::RegisterCode,
            Purpose::ResetPassword => Wanted::ResetCode,
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            Wanted::RegisterCode => "registration code",
            Wanted::ResetCode => "reset code",
            Wanted::ResetLink => "reset link",
            Wanted::AddressCode => "address code",
        }
    }
}

/// The course of one (kind, address). The row outlives the course: it knows when the last mail
/// was, so that using up a code does not shorten the pause before the next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Flow {
    #[serde(rename = "i")]
    pub(super) id: FlowId,
    #[serde(rename = "o")]
    pub(super) opened: Timestamp,
    #[serde(rename = "s")]
    pub(super) sent: Option<Timestamp>,
    #[serde(rename = "n")]
    pub(super) tries_left: u32,
    #[serde(rename = "c")]
    pub(super) codes: Vec<Issued>,
    /// Nobody asked for it; it only counts the guesses of somebody who did not, so that a guess
    /// does not tell whether a code is under way.
    #[serde(rename = "g", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) guessed: bool,
}

/// A code that was mailed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Issued {
    #[serde(rename = "m")]
    pub(super) mac: ByteArray<32>,
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    /// The account's recovery epoch at the time.
    #[serde(rename = "e")]
    pub(super) epoch: u64,
    /// Where it was mailed to, letter by letter: the only address that it proves anything about.
    /// Absent in the rows of the first build, whose codes are good for nothing any more.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<EmailAddress>,
    /// The language that was asked for with it; the account is made in it.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<Language>,
    /// The mail that carries it.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) mail: Option<OutboxId>,
    /// Whose address it is to become, where that is what it is for.
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    pub(super) asker: Option<UserId>,
}

pub(super) const FLOWS: Table<(u8, LookupAddress), Flow> = Table::new("identity.flow");

/// How many codes of one flow are kept: as many as fit into their lifetime at one a minute.
pub(super) const MOST_CODES: usize = 10;

impl Flow {
    /// The one on which a try counts: `before` while it is open, else a new one that nobody asked
    /// for.
    pub(super) fn to_try(
        before: Option<Flow>,
        fresh: FlowId,
        codes: &Codes,
        now: Timestamp,
    ) -> Flow {
        let sent = before.as_ref().and_then(|flow| flow.sent);
        let open = before.filter(|flow| flow.is_open(codes, now));
        open.unwrap_or_else(|| Flow {
            id: fresh,
            opened: now,
            sent,
            tries_left: codes.attempts,
            codes: Vec::new(),
            guessed: true,
        })
    }

    /// Whether tries are counted on it, and new codes join it.
    pub(super) fn is_open(&self, codes: &Codes, now: Timestamp) -> bool {
        let guessed = self.guessed && lives(self.opened, codes.lifetime, now);
        guessed || self.codes.iter().any(|c| lives(c.at, codes.lifetime, now))
    }

    /// When nothing of it counts any more.
    fn lapses(&self, codes: &Codes) -> Timestamp {
        let mailed = self.codes.iter().map(|code| code.at + codes.lifetime);
        let paused = self.sent.map(|sent| sent + codes.resend);
        let opened = self.opened + codes.lifetime;
        mailed.chain(paused).fold(opened, Timestamp::max)
    }
}

/// The flow of `wanted` for `address`, dead or alive.
pub(super) fn flow(
    read: &impl Read,
    wanted: Wanted,
    address: &LookupAddress,
) -> Result<Option<Flow>, store::Error> {
    read.get(&FLOWS, &(wanted as u8, address.clone()))
}

/// Writes a flow; `new` when there was none.
pub(super) fn put_flow(
    tx: &mut Tx<'_>,
    wanted: Wanted,
    address: &LookupAddress,
    flow: &Flow,
    new: bool,
    codes: &Codes,
) {
    if new {
        sweep::note(
            tx,
            flow.lapses(codes),
            &sweep::Doomed::Flows(address.clone()),
        );
    }
    tx.put(&FLOWS, &(wanted as u8, address.clone()), flow);
}

/// Makes all codes to `address` worthless; when the last mails were is remembered.
pub(super) fn forget_codes(tx: &mut Tx<'_>, address: &LookupAddress) -> Result<(), store::Error> {
    for wanted in Wanted::ALL {
        let key = (wanted as u8, address.clone());
        if let Some(mut flow) = tx.get(&FLOWS, &key)? {
            flow.codes.clear();
            tx.put(&FLOWS, &key, &flow);
        }
    }
    Ok(())
}

/// Removes the flows of `address` that have lapsed; says when the last of the others will.
pub(super) fn sweep_flows(
    tx: &mut Tx<'_>,
    address: &LookupAddress,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<Timestamp>, store::Error> {
    let mut last = None;
    for wanted in Wanted::ALL {
        let key = (wanted as u8, address.clone());
        if let Some(flow) = tx.get(&FLOWS, &key)? {
            let lapses = flow.lapses(&settings.codes);
            if lapses <= now {
                tx.delete(&FLOWS, &key);
            } else {
                last = last.max(Some(lapses));
            }
        }
    }
    Ok(last)
}

/// What a code of a flow is good for, and nothing else; for `asker` alone, where there is one.
pub(super) fn bound_to(
    wanted: Wanted,
    address: &LookupAddress,
    flow: FlowId,
    asker: Option<UserId>,
) -> Vec<String> {
    let words = [
        wanted.word().to_owned(),
        address.as_str().to_owned(),
        flow.to_string(),
    ];
    let asker = asker.map(|asker| asker.to_string());
    words.into_iter().chain(asker).collect()
}
