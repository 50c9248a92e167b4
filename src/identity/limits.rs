//! How often something may happen: policies as people write them, and the counters that hold
//! somebody to them. Counters stand in the store and are changed in the action's own transaction.
//! Nothing here knows what is being counted beyond its name.
//!
//! A window is fixed: it opens with the first event that is counted and is forgotten when its
//! length has gone by. All windows of one subject share one row.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
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

/// At most so many in so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many are let through in one window.
    pub count: u32,
    /// How long a window lasts; whole seconds.
    pub window: Duration,
}

/// Quotas that hold together; none at all when the limit is off. Written as `30/hour`,
/// `5/hour, 20/day`, `30/10min` or `off`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Policy {
    quotas: Vec<Quota>,
}

/// Why a text is not a [`Policy`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a limit: {reason}; write for example 30/hour, 30/10min, \"5/hour, 20/day\" or off"
)]
pub struct MalformedPolicy {
    /// The part that was not understood.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

const UNITS: [(&str, u64); 17] = [
    ("s", 1),
    ("sec", 1),
    ("second", 1),
    ("seconds", 1),
    ("m", 60),
    ("min", 60),
    ("minute", 60),
    ("minutes", 60),
    ("h", 3600),
    ("hour", 3600),
    ("hours", 3600),
    ("d", 86_400),
    ("day", 86_400),
    ("days", 86_400),
    ("w", 604_800),
    ("week", 604_800),
    ("weeks", 604_800),
];

/// No window is longer: a counter must be forgotten some day.
const LONGEST: u64 = 366 * 86_400;

impl Policy {
    /// The policy that lets everything through.
    pub const OFF: Policy = Policy { quotas: Vec::new() };

    /// Whether it lets everything through.
    pub fn is_off(&self) -> bool {
        self.quotas.is_empty()
    }

    /// Its quotas, in the order in which they were written.
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }
}

impl FromStr for Policy {
    type Err = MalformedPolicy;

    fn from_str(text: &str) -> Result<Policy, MalformedPolicy> {
        if text.trim().eq_ignore_ascii_case("off") {
            return Ok(Policy::OFF);
        }
        let quotas = text.split(',').map(quota).collect::<Result<_, _>>()?;
        Ok(Policy { quotas })
    }
}

fn quota(text: &str) -> Result<Quota, MalformedPolicy> {
    let text = text.trim();
    let wrong = |reason| MalformedPolicy {
        text: text.to_owned(),
        reason,
    };
    let (count, window) = text
        .split_once('/')
        .ok_or_else(|| wrong("it has no / between a number and a time"))?;
    let count = count
        .trim()
        .parse()
        .map_err(|_| wrong("what stands before the / is not a whole number"))?;
    if count == 0 {
        return Err(wrong("nothing at all could ever happen"));
    }
    let window = window.trim();
    let unit_at = window
        .find(|c: char| !c.is_ascii_digit())
        .ok_or_else(|| wrong("the time has no unit (s, min, hour, day)"))?;
    let (number, unit) = window.split_at(unit_at);
    let number: u64 = match number {
        "" => 1,
        number => number
            .parse()
            .map_err(|_| wrong("the time is too long (366 days at most)"))?,
    };
    let unit = unit.trim().to_ascii_lowercase();
    let seconds = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| wrong("the time's unit is unknown (s, min, hour, day)"))?
        .1;
    match number.checked_mul(seconds) {
        Some(0) => Err(wrong("the time is zero")),
        Some(window) if window <= LONGEST => Ok(Quota {
            count,
            window: Duration::from_secs(window),
        }),
        _ => Err(wrong("the time is too long (366 days at most)")),
    }
}

/// As [`Policy`] reads it.
impl fmt::Display for Quota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/", self.count)?;
        let seconds = self.window.as_secs();
        let (number, unit) = match seconds {
            s if s % 86_400 == 0 => (s / 86_400, "day"),
            s if s % 3600 == 0 => (s / 3600, "hour"),
            s if s % 60 == 0 => (s / 60, "min"),
            s => (s, "s"),
        };
        match number {
            1 => f.write_str(unit),
            number => write!(f, "{number}{unit}"),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_off() {
            return f.write_str("off");
        }
        for (n, quota) in self.quotas.iter().enumerate() {
            let comma = if n == 0 { "" } else { ", " };
            write!(f, "{comma}{quota}")?;
        }
        Ok(())
    }
}

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
    /// When the next one will be let through, if all quotas allow it; at least a second.
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
        }
    }

    fn decode(from: &mut &[u8]) -> Result<Subject, store::Error> {
        match u8::decode(from)? {
            1 => Key::decode(from).map(Subject::Address),
            _ => Key::decode(from).map(Subject::Client),
        }
    }
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
        for quota in &policy.quotas {
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
                    retry_after: wait.max(Duration::from_secs(1)),
                });
            }
        }
        refused.map_or(Ok(()), Err)
    }

    /// How many more events the quotas let through, at least one; otherwise which one refuses.
    pub(super) fn room(&self, rule: Rule, policy: &Policy, now: Timestamp) -> Result<u32, Limited> {
        self.check(rule, policy, 1, now)?;
        let rooms = policy.quotas.iter().map(|quota| {
            let open = self.find(rule, quota).filter(|w| w.is_open(now));
            quota.count - open.map_or(0, |window| window.count).min(quota.count)
        });
        Ok(rooms.min().unwrap_or(u32::MAX))
    }

    /// Counts one event, whether or not a quota allows it: ask [`Counters::check`] first.
    pub(super) fn count(&mut self, rule: Rule, policy: &Policy, now: Timestamp) {
        for quota in &policy.quotas {
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
    fn policies_are_read_as_people_write_them_and_shown_again() {
        for (text, shown) in [
            ("30/hour", "30/hour"),
            ("5/hour, 20/day", "5/hour, 20/day"),
            ("30/10min", "30/10min"),
            (" 1 / 60 s ", "1/min"),
            ("1/90s", "1/90s"),
            ("7/2d", "7/2day"),
            ("1/week", "1/7day"),
            ("OFF", "off"),
        ] {
            assert_eq!(policy(text).to_string(), shown, "{text}");
            assert_eq!(policy(shown), policy(text));
        }
    }

    #[test]
    fn what_is_no_policy_says_why() {
        for (text, word) in [
            ("", "no /"),
            ("30", "no /"),
            ("many/hour", "whole number"),
            ("0/hour", "nothing at all"),
            ("-1/hour", "whole number"),
            ("3/10", "no unit"),
            ("3/", "no unit"),
            ("3/fortnight", "unknown"),
            ("3/0s", "zero"),
            ("3/400days", "too long"),
            ("3/99999999999999999999s", "too long"),
            ("3/hour,", "no /"),
        ] {
            let error = text.parse::<Policy>().unwrap_err();
            assert!(error.reason.contains(word), "{text}: {error}");
        }
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
