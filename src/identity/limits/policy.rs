//! Policies as people write them: `30/hour`, `5/hour, 20/day`, `30/10min`, `off`. What they are
//! applied to, and how it is counted, is the parent's business.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

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
        let mut quotas: Vec<Quota> = Vec::new();
        for part in text.split(',') {
            let quota = quota(part)?;
            // They would share one counter, and each event would count twice on it.
            if quotas.iter().any(|other| other.window == quota.window) {
                return Err(MalformedPolicy {
                    text: part.trim().to_owned(),
                    reason: "another part has the same time already; keep the smaller number",
                });
            }
            quotas.push(quota);
        }
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
            ("3/hour, 5/60min", "same time"),
            ("20/day, 3/hour, 20/day", "same time"),
        ] {
            let error = text.parse::<Policy>().unwrap_err();
            assert!(error.reason.contains(word), "{text}: {error}");
        }
    }
}
