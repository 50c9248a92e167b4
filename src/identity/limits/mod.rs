//! How often something may happen: policies as people write them, and the counters that hold
//! somebody to them. Counters stand in the store and are changed in the action's own transaction.
//! Nothing here knows what is being counted beyond its name.
//!
//! A window is fixed: it opens with the first event that is counted and is forgotten when its
//! length has gone by. All windows of one subject share one row.

mod policy;

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::address::LookupAddress;
use crate::store;
use crate::store::Key;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

use super::sweep;
use super::user::UserId;

pub use policy::MalformedPolicy;
pub use policy::Policy;
pub use policy::Quota;

/// What is being counted. Its number stands in the store: never give one to another rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Rule {
    /// Mails that somebody asked for, by address.
    MailPerAddress = 1,
    /// Mails that somebody asked for, by client.
    MailPerIp = 2,
    /// Accounts made, by client.
    RegisterPerIp = 3,
    /// Wrong codes, by client.
    WrongCodePerIp = 4,
    /// Wrong passwords, by client.
    WrongLoginPerIp = 5,
    /// Mails of one kind to one address: the pause before the next. Not counted in a row of its
    /// own, since the flow knows when it last mailed.
    Resend = 6,
    /// Wrong passwords in a row, by account.
    LoginFailures = 7,
    /// Passwords changed by knowing the old one, by account: each is told of by mail.
    PasswordChangePerUser = 8,
    /// Mails that one of the team's other programs orders, by its API key.
    MailPerKey = 9,
}

impl Rule {
    /// A stable word for programs.
    pub const fn word(self) -> &'static str {
        match self {
            Rule::MailPerAddress => "code_per_address",
            Rule::MailPerIp => "code_per_ip",
            Rule::RegisterPerIp => "registration_per_ip",
            Rule::WrongCodePerIp => "wrong_code_per_ip",
            Rule::WrongLoginPerIp => "wrong_login_per_ip",
            Rule::Resend => "resend",
            Rule::LoginFailures => "login_failures",
            Rule::PasswordChangePerUser => "password_change_per_user",
            Rule::MailPerKey => "mail_per_key",
        }
    }
}

/// Somebody went over a limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("too often ({name}: {policy}), try again in {} s", .retry_after.as_secs())]
pub struct Limited {
    /// Which limit, as a stable word: see [`Rule::word`].
    pub name: &'static str,
    /// The whole policy, as it is written in the settings.
    pub policy: String,
    /// How many the exhausted window lets through.
    pub quota: u32,
    /// How long that window lasts.
    pub window: Duration,
    /// When the next one will be let through, if all quotas allow it; whole seconds, at least one.
    pub retry_after: Duration,
}

/// Whose events are counted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Whoever has or claims this address.
    Address(LookupAddress),
    /// A client: an IPv4 address, or an IPv6 network of 64 bits, since one household has that
    /// many of them.
    Client([u8; 8]),
    /// Whoever holds a session of this person: nobody else's doing is counted here.
    User(UserId),
    /// The program that holds the API key of this identifier.
    Program([u8; 16]),
}

impl Subject {
    /// The client behind `ip`. An IPv4 address that is written as IPv6 is the same client.
    pub fn client(ip: IpAddr) -> Subject {
        Subject::Client(match ip.to_canonical() {
            IpAddr::V4(v4) => {
                let [a, b, c, d] = v4.octets();
                // ::/64 is nobody's network, so the two families cannot meet.
                [0, 0, 0, 0, a, b, c, d]
            }
            IpAddr::V6(v6) => {
                let bytes = v6.octets();
                bytes[..8].try_into().expect("16 bytes have 8 in front")
            }
        })
    }
}

impl Key for Subject {
    fn encode(&self, into: &mut Vec<u8>) {
        match self {
            Subject::Address(address) => {
                1_u8.encode(into);
                address.encode(into);
            }
            Subject::Client(bytes) => {
                2_u8.encode(into);
                bytes.encode(into);
            }
            Subject::User(id) => {
                3_u8.encode(into);
                id.encode(into);
            }
            Subject::Program(id) => {
                4_u8.encode(into);
                id.encode(into);
            }
        }
    }

    fn decode(from: &mut &[u8]) -> Result<Subject, store::Error> {
        match u8::decode(from)? {
            1 => Key::decode(from).map(Subject::Address),
            3 => Key::decode(from).map(Subject::User),
            4 => Key::decode(from).map(Subject::Program),
            _ => Key::decode(from).map(Subject::Client),
        }
    }
}

/// A wait in the whole seconds of Retry-After, rounded up: nobody who waits comes too early.
pub(super) fn whole_seconds(wait: Duration) -> Duration {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Duration::from_secs(seconds.max(1))
}

/// The pause between two mails of one kind to one address.
pub(super) fn pause(sent: Timestamp, resend: Duration, now: Timestamp) -> Result<(), Limited> {
    let over = sent + resend;
    if now >= over || sent > now + AHEAD {
        return Ok(());
    }
    let quota = Quota {
        count: 1,
        window: resend,
    };
    Err(Limited {
        name: Rule::Resend.word(),
        policy: quota.to_string(),
        quota: 1,
        window: resend,
        retry_after: whole_seconds(over.since(now).min(resend)),
    })
}

const COUNTERS: Table<Subject, Counters> = Table::new("identity.counter");

/// All windows of one subject.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    #[serde(rename = "w", default)]
    windows: Vec<Window>,
    /// Wrong passwords in a row; kept by the login alone.
    #[serde(rename = "f", default, skip_serializing_if = "Option::is_none")]
    pub(super) failures: Option<Failures>,
}

/// How long after the last wrong password a row of them is forgotten: nothing, and no lock, may
/// stay for ever, and rows for addresses that nobody has must go some day.
pub(super) const REMEMBERED: Duration = Duration::from_secs(30 * 86_400);

/// Wrong passwords in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Failures {
    #[serde(rename = "n")]
    pub(super) count: u32,
    #[serde(rename = "t")]
    pub(super) last: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Window {
    #[serde(rename = "r")]
    rule: u8,
    #[serde(rename = "l")]
    seconds: u32,
    #[serde(rename = "s")]
    start: Timestamp,
    #[serde(rename = "n")]
    count: u32,
}

/// Requests draw the time before they queue for the store, so a row may be a little ahead of the
/// next one's clock. What is further ahead was written before the clock was set back: it does not
/// count, or it would lock people out until the clock came there again.
pub(super) const AHEAD: Duration = Duration::from_secs(10);

impl Window {
    fn end(&self) -> Timestamp {
        self.start + Duration::from_secs(self.seconds.into())
    }

    fn is_open(&self, now: Timestamp) -> bool {
        now < self.end() && self.start <= now + AHEAD
    }
}

impl Counters {
    /// Lets `more` events through, or says which quota they would go over. Counts nothing.
    pub(super) fn check(
        &self,
        rule: Rule,
        policy: &Policy,
        more: u32,
        now: Timestamp,
    ) -> Result<(), Limited> {
        let mut refused: Option<Limited> = None;
        for quota in policy.quotas() {
            let Some(window) = self.find(rule, quota).filter(|w| w.is_open(now)) else {
                continue;
            };
            if window.count.saturating_add(more) <= quota.count {
                continue;
            }
            let wait = window.end().since(now).min(quota.window);
            if refused
                .as_ref()
                .is_none_or(|other| other.retry_after < wait)
            {
                refused = Some(Limited {
                    name: rule.word(),
                    policy: policy.to_string(),
                    quota: quota.count,
                    window: quota.window,
                    retry_after: whole_seconds(wait),
                });
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// How many more events the quotas let through, at least one; otherwise which one refuses.
    pub(super) fn room(&self, rule: Rule, policy: &Policy, now: Timestamp) -> Result<u32, Limited> {
        self.check(rule, policy, 1, now)?;
        let rooms = policy.quotas().iter().map(|quota| {
            let open = self.find(rule, quota).filter(|w| w.is_open(now));
            quota.count - open.map_or(0, |window| window.count).min(quota.count)
        });
        Ok(rooms.min().unwrap_or(u32::MAX))
    }

    /// Counts one event, whether or not a quota allows it: ask [`Counters::check`] first.
    pub(super) fn count(&mut self, rule: Rule, policy: &Policy, now: Timestamp) {
        for quota in policy.quotas() {
            let seconds = u32::try_from(quota.window.as_secs()).unwrap_or(u32::MAX);
            let fresh = Window {
                rule: rule as u8,
                seconds,
                start: now,
                count: 1,
            };
            let same = |w: &&mut Window| w.rule == rule as u8 && w.seconds == seconds;
            match self.windows.iter_mut().find(same) {
                Some(window) if window.is_open(now) => {
                    window.count = window.count.saturating_add(1);
                }
                Some(window) => *window = fresh,
                None => self.windows.push(fresh),
            }
        }
    }

    fn find(&self, rule: Rule, quota: &Quota) -> Option<&Window> {
        self.windows
            .iter()
            .find(|w| w.rule == rule as u8 && u64::from(w.seconds) == quota.window.as_secs())
    }

    /// When nothing of it counts any more.
    pub(super) fn lapses(&self) -> Timestamp {
        let windows = self.windows.iter().map(Window::end);
        let failures = self
            .failures
            .iter()
            .map(|failures| failures.last + REMEMBERED);
        windows
            .chain(failures)
            .max()
            .unwrap_or(Timestamp::from_millis(i64::MIN))
    }
}

/// Whether a quota refuses the next event of `subject` already. Counts nothing.
///
/// # Errors
/// Those of the store.
pub fn check(
    read: &impl Read,
    subject: &Subject,
    rule: Rule,
    policy: &Policy,
    now: Timestamp,
) -> Result<Result<(), Limited>, store::Error> {
    Ok(load(read, subject)?.check(rule, policy, 1, now))
}

/// Counts one event of `subject` within the transaction that lets it happen, or says which quota
/// it would go over.
///
/// # Errors
/// Those of the store.
pub fn charge(
    tx: &mut Tx<'_>,
    subject: &Subject,
    rule: Rule,
    policy: &Policy,
    now: Timestamp,
) -> Result<Result<(), Limited>, store::Error> {
    if policy.is_off() {
        return Ok(Ok(()));
    }
    let mut counters = load(tx, subject)?;
    if let Err(limited) = counters.check(rule, policy, 1, now) {
        return Ok(Err(limited));
    }
    counters.count(rule, policy, now);
    save(tx, subject, counters, now)?;
    Ok(Ok(()))
}

/// The counters of `subject`; empty ones when nothing is counted.
pub(super) fn load(read: &impl Read, subject: &Subject) -> Result<Counters, store::Error> {
    Ok(read.get(&COUNTERS, subject)?.unwrap_or_default())
}

/// Writes the counters of `subject` back, without what no longer counts.
pub(super) fn save(
    tx: &mut Tx<'_>,
    subject: &Subject,
    mut counters: Counters,
    now: Timestamp,
) -> Result<(), store::Error> {
    let known = tx.get(&COUNTERS, subject)?;
    if known.as_ref() == Some(&counters) {
        return Ok(());
    }
    counters.windows.retain(|window| window.is_open(now));
    if counters == Counters::default() {
        if known.is_some() {
            tx.delete(&COUNTERS, subject);
        }
        return Ok(());
    }
    if known.is_none() {
        sweep::note(
            tx,
            counters.lapses(),
            &sweep::Doomed::Counted(subject.clone()),
        );
    }
    tx.put(&COUNTERS, subject, &counters);
    Ok(())
}

/// Removes the counters of `subject` when they have lapsed; otherwise says when they will.
pub(super) fn sweep_one(
    tx: &mut Tx<'_>,
    subject: &Subject,
    now: Timestamp,
) -> Result<Option<Timestamp>, store::Error> {
    let Some(counters) = tx.get(&COUNTERS, subject)? else {
        return Ok(None);
    };
    let lapses = counters.lapses();
    if lapses <= now {
        tx.delete(&COUNTERS, subject);
        return Ok(None);
    }
    Ok(Some(lapses))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        text.parse().unwrap()
    }

    #[test]
    fn a_window_lets_its_quota_through_and_no_more() {
        let policy = policy("2/min, 3/hour");
        let mut counters = Counters::default();
        let start = Timestamp::from_millis(0);
        let mut allowed = Vec::new();
        for second in 0..180 {
            let now = start + Duration::from_secs(second);
            match counters.check(Rule::MailPerIp, &policy, 1, now) {
                Ok(()) => {
                    counters.count(Rule::MailPerIp, &policy, now);
                    allowed.push(second);
                }
                Err(limited) => {
                    let ends = if second < 60 { 60 } else { 3600 };
                    // Once the hour's quota is used up it is the one that counts.
                    let expected = if allowed.len() == 3 { 3600 } else { ends };
                    assert_eq!(limited.retry_after.as_secs(), expected - second);
                }
            }
        }
        assert_eq!(allowed, [0, 1, 60]);
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out_and_a_small_disorder_loses_no_count() {
        let policy = policy("1/hour");
        let late = Timestamp::from_millis(0) + Duration::from_secs(86_400);
        let mut counters = Counters::default();
        counters.count(Rule::MailPerIp, &policy, late);
        let check = |c: &Counters, now| c.check(Rule::MailPerIp, &policy, 1, now).is_ok();
        assert!(!check(&counters, late.minus(Duration::from_secs(1))));
        assert!(check(&counters, late.minus(Duration::from_secs(3600))));
    }

    #[test]
    fn clients_are_told_apart_by_address_or_network() {
        let client = |ip: &str| Subject::client(ip.parse().unwrap());
        assert_eq!(client("2001:db8::1"), client("2001:db8::ffff:1"));
        assert_ne!(client("2001:db8::1"), client("2001:db8:0:1::1"));
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
    }
}
