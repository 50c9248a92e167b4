//! When a mail that failed is tried again. Pure arithmetic: time and chance are arguments.

use std::time::Duration;

use super::kind::Lane;
use crate::world::Timestamp;

/// After the first failure, the second, …; the last is repeated until the mail's time is up. The
/// try at 0 s is the first one. Somebody waits for these.
const PROMPT: [u64; 4] = [5, 15, 45, 120];

/// Whoever ordered it would like it soon: twice quickly, then like all others, so that a mail
/// that lives for days is not tried hundreds of times.
const HIGH: [u64; 9] = [15, 60, 120, 300, 600, 900, 1800, 3600, 7200];

/// As for Postfix and Stalwart, milder at the start: nobody waits for these.
const ORDINARY: [u64; 7] = [120, 300, 600, 900, 1800, 3600, 7200];

/// Waits differ by up to 15 % either way, but those of codes, so that a crowd that failed together does
/// not come back together.
const SPREAD_PERCENT: u64 = 15;

/// When to try again after the `tries`-th failure, which was at `now`; `None` when that would be
/// too late. `chance` is any number, evenly drawn.
pub fn next_try(
    lane: Lane,
    tries: u32,
    now: Timestamp,
    expires_at: Timestamp,
    chance: u32,
) -> Option<Timestamp> {
    let waits: &[u64] = match lane {
        Lane::Prompt => &PROMPT,
        Lane::High => &HIGH,
        Lane::Ordinary => &ORDINARY,
    };
    let nth = usize::try_from(tries.max(1) - 1).unwrap_or(usize::MAX);
    let mut millis = waits[nth.min(waits.len() - 1)] * 1000;
    if lane != Lane::Prompt {
        let spread = millis * SPREAD_PERCENT / 100;
        millis = millis - spread + u64::from(chance) % (2 * spread + 1);
    }
    let at = now + Duration::from_millis(millis);
    (at < expires_at).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(lane: Lane, within: u64, chance: u32) -> Vec<u64> {
        let start = Timestamp::from_millis(0);
        let expires_at = start + Duration::from_secs(within);
        let mut now = start;
        let mut waits = Vec::new();
        while let Some(next) = next_try(lane, waits.len() as u32 + 1, now, expires_at, chance) {
            waits.push(next.since(now).as_secs());
            now = next;
        }
        waits
    }

    #[test]
    fn a_code_is_tried_at_once_and_often_but_not_past_its_life() {
        assert_eq!(
            waits(Lane::Prompt, 600, 7),
            [5, 15, 45, 120, 120, 120, 120],
            "0, 5, 15, 45 s, 2 min within ten minutes"
        );
    }

    #[test]
    fn a_mail_of_high_priority_is_tried_twice_soon_and_then_like_all_others() {
        let waited = waits(Lane::High, 7 * 86_400, 0);
        assert_eq!(waited[..4], [12, 51, 102, 255]);
        assert!(waited.len() < 120, "{} tries in a week", waited.len());
    }

    #[test]
    fn other_mail_waits_longer_each_time_for_a_day() {
        let earliest = waits(Lane::Ordinary, 86_400, 0);
        assert_eq!(earliest[..4], [102, 255, 510, 765]);
        assert!(earliest.iter().sum::<u64>() < 86_400);
        let latest = waits(Lane::Ordinary, 86_400, 36_000);
        assert_eq!(latest[0], 138);
    }
}
