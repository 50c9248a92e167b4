//! How much a route may still send: so many mails in any 24 hours, of which some are kept for
//! those that somebody waits for, and so many a minute, at an even pace. Pure, but for the table
//! in which the day's mails are counted by the hour.
//!
//! Charged is what the server took or may have taken. What is under way counts until it is known
//! what became of it, so that neither number is ever exceeded; what was under way when gatepost
//! was killed is charged to the primary route at the next start.

use std::collections::BTreeMap;
use std::time::Duration;

use super::RouteName;
use super::breaker::Moment;
use crate::mail::kind::Lane;
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

/// Mails by route and hour since the epoch.
const SPENT: Table<(u8, i64), u32> = Table::new("route.spent");

const HOUR: i64 = 60 * 60 * 1000;
const DAY: i64 = 24 * HOUR;
const MINUTE: Duration = Duration::from_secs(60);

/// What a route may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Mails in any 24 hours; `None`: as many as there are.
    pub per_day: Option<u32>,
    /// How many of these are kept for codes and links: other mail stops that much earlier.
    pub kept_for_codes: u32,
    /// Mails in any minute; `None`: as fast as they go. They are sent at an even pace, but for a
    /// small burst.
    pub per_minute: Option<u32>,
}

/// How many mails may be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// In all lanes together.
    pub all: usize,
    /// In those that nobody waits for.
    pub ordinary: usize,
}

/// See the [module](self).
#[derive(Debug, Clone)]
pub struct Purse {
    limits: Limits,
    /// Mails by the hour since the epoch.
    spent: BTreeMap<i64, u32>,
    /// The hours that are in the store still and count no more.
    stale: Vec<i64>,
    /// The hours are not those that are in the store any more.
    moved: bool,
    /// When we last looked at the clocks.
    seen: Option<Moment>,
    under_way: u32,
    pace: Option<Pace>,
}

/// What has to be written down, in one transaction with what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    route: RouteName,
    hour: i64,
    mails: u32,
    stale: Vec<i64>,
    /// The other hours, where they are not those that are in the store any more.
    moved: Vec<(i64, u32)>,
}

impl Entry {
    /// Writes it down.
    pub fn write(&self, tx: &mut Tx<'_>) {
        let route = self.route as u8;
        for hour in &self.stale {
            tx.delete(&SPENT, &(route, *hour));
        }
        for (hour, mails) in &self.moved {
            tx.put(&SPENT, &(route, *hour), mails);
        }
        tx.put(&SPENT, &(route, self.hour), &self.mails);
    }
}

/// Charges `mails` more to the route than its courier ever heard of.
///
/// # Errors
/// Those of the store.
pub fn charge(tx: &mut Tx<'_>, route: RouteName, mails: u32, now: Timestamp) -> Result<(), Error> {
    let key = (route as u8, hour_of(now));
    let before = tx.get(&SPENT, &key)?.unwrap_or_default();
    tx.put(&SPENT, &key, &before.saturating_add(mails));
    Ok(())
}

/// What the route has spent by the hour, as the store has it.
///
/// # Errors
/// Those of the store.
pub fn spent(read: &impl Read, route: RouteName) -> Result<BTreeMap<i64, u32>, Error> {
    read.scan(SPENT.under(&(route as u8)))?
        .map(|row| row.map(|((_, hour), mails)| (hour, mails)))
        .collect()
}

impl Purse {
    /// One that has spent this so far.
    pub fn new(limits: Limits, spent: BTreeMap<i64, u32>) -> Purse {
        Purse {
            limits,
            spent,
            stale: Vec::new(),
            moved: false,
            seen: None,
            under_way: 0,
            pace: limits.per_minute.map(Pace::new),
        }
    }

    /// What it is held to.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// How many mails may be sent at `at`.
    pub fn room(&mut self, at: Moment) -> Room {
        let pace = self
            .pace
            .as_ref()
            .map_or(usize::MAX, |pace| pace.room(at.elapsed));
        let Some(per_day) = self.limits.per_day else {
            return Room {
                all: pace,
                ordinary: pace,
            };
        };
        let used = self.spent(at).saturating_add(self.under_way);
        let left = |limit: u32| usize::try_from(limit.saturating_sub(used)).unwrap_or(usize::MAX);
        Room {
            all: left(per_day).min(pace),
            ordinary: left(per_day.saturating_sub(self.limits.kept_for_codes)).min(pace),
        }
    }

    /// Whether the day's mails are used up for `lane`.
    pub fn is_used_up(&mut self, lane: Lane, at: Moment) -> bool {
        self.limit_of(lane)
            .is_some_and(|limit| self.spent(at) >= limit)
    }

    fn limit_of(&self, lane: Lane) -> Option<u32> {
        let per_day = self.limits.per_day?;
        Some(match lane {
            Lane::Prompt => per_day,
            Lane::High | Lane::Ordinary => per_day.saturating_sub(self.limits.kept_for_codes),
        })
    }

    /// Mails that were sent in the last 24 hours, by whole hours: rather too many than too few.
    pub fn spent(&mut self, at: Moment) -> u32 {
        self.roll(at);
        self.spent
            .values()
            .fold(0, |sum, mails| sum.saturating_add(*mails))
    }

    /// Forgets the hours that count no more. What was sent in an hour to come (the clock was set
    /// back) counts as sent in this one, so that it is forgotten in a day and not in a year.
    /// What was sent keeps its age when the clock is set forward: no day went by.
    fn roll(&mut self, at: Moment) {
        let now = at.now;
        if let Some(seen) = self.seen.replace(at) {
            let explained = seen.now + at.elapsed.saturating_sub(seen.elapsed);
            let hours = (now.as_millis() - explained.as_millis()).div_euclid(HOUR);
            if hours > 0 && !self.spent.is_empty() {
                let before = std::mem::take(&mut self.spent);
                self.stale.extend(before.keys());
                self.spent = { before.into_iter() }
                    .map(|(hour, mails)| (hour + hours, mails))
                    .collect();
                self.moved = true;
            }
        }
        let hour = hour_of(now);
        let oldest = hour_of(now.minus(Duration::from_millis(DAY.unsigned_abs())));
        while let Some(entry) = self.spent.first_entry()
            && *entry.key() < oldest
        {
            self.stale.push(*entry.key());
            entry.remove();
        }
        while let Some(entry) = self.spent.last_entry()
            && *entry.key() > hour
        {
            self.stale.push(*entry.key());
            let mails = entry.remove();
            let this = self.spent.entry(hour).or_default();
            *this = this.saturating_add(mails);
        }
    }

    /// When there is room for another mail of `lane`, where there is none at `at`, as far as time
    /// alone makes room.
    pub fn resumes_at(&mut self, lane: Lane, at: Moment) -> Option<Timestamp> {
        let paced = self.pace.as_ref().and_then(|pace| pace.wait(at.elapsed));
        let paced = paced.map(|wait| at.now + wait);
        self.next_day(lane, at).max(paced)
    }

    /// When enough of the day's mails are a day old.
    fn next_day(&mut self, lane: Lane, at: Moment) -> Option<Timestamp> {
        let limit = self.limit_of(lane)?;
        let mut left = self.spent(at);
        if left < limit {
            return None;
        }
        for (hour, mails) in &self.spent {
            left = left.saturating_sub(*mails);
            if left < limit {
                return Some(Timestamp::from_millis((hour + 1) * HOUR + DAY));
            }
        }
        // A limit of nothing.
        None
    }

    /// So many mails were sent off.
    pub fn sent_off(&mut self, mails: usize, at: Moment) {
        let mails = u32::try_from(mails).unwrap_or(u32::MAX);
        self.under_way = self.under_way.saturating_add(mails);
        if let Some(pace) = &mut self.pace {
            pace.take(mails, at.elapsed);
        }
    }

    /// So many mails came back untried.
    pub fn came_back(&mut self, mails: u32) {
        self.under_way = self.under_way.saturating_sub(mails);
        if let Some(pace) = &mut self.pace {
            pace.give_back(mails);
        }
    }

    /// What has to be written down when `charged` more mails were sent at `now`; `None`: nothing.
    pub fn entry(&mut self, route: RouteName, charged: u32, at: Moment) -> Option<Entry> {
        self.limits.per_day?;
        if charged == 0 {
            return None;
        }
        self.roll(at);
        let hour = hour_of(at.now);
        let before = self.spent.get(&hour).copied().unwrap_or_default();
        Some(Entry {
            route,
            hour,
            mails: before.saturating_add(charged),
            stale: { self.stale.iter().copied() }
                .filter(|old| *old != hour && !self.spent.contains_key(old))
                .collect(),
            moved: { self.spent.iter() }
                .map(|(hour, mails)| (*hour, *mails))
                .filter(|(other, _)| self.moved && *other != hour)
                .collect(),
        })
    }

    /// Of `ended` mails that were under way, `charged` were sent, at `now`, and that is written
    /// down.
    pub fn settle(&mut self, ended: u32, charged: u32, at: Moment) {
        self.under_way = self.under_way.saturating_sub(ended);
        if charged > 0 {
            self.roll(at);
            self.stale.clear();
            self.moved = false;
            let this = self.spent.entry(hour_of(at.now)).or_default();
            *this = this.saturating_add(charged);
        }
    }
}

fn hour_of(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(HOUR)
}

/// An even pace with a small burst (the generic cell rate algorithm): in no 60 s more than the
/// limit.
#[derive(Debug, Clone)]
struct Pace {
    interval: Duration,
    burst: u32,
    /// How many are let go together, so that a fast pace does not cost a transaction a mail.
    batch: u32,
    /// When the next mail would go, had none ever been early.
    next: Duration,
}

impl Pace {
    fn new(per_minute: u32) -> Pace {
        let per_minute = per_minute.max(1);
        // The burst comes on top of the pace, so the pace is that much slower.
        let burst = 1 + per_minute / 20;
        let even = per_minute - (burst - 1);
        Pace {
            interval: MINUTE / even,
            burst,
            batch: (even / 60).clamp(1, burst),
            next: Duration::ZERO,
        }
    }

    fn room(&self, elapsed: Duration) -> usize {
        let limit = elapsed + self.interval * self.burst;
        let free = limit.saturating_sub(self.next).as_nanos() / self.interval.as_nanos().max(1);
        let free = u32::try_from(free).unwrap_or(u32::MAX).min(self.burst);
        if free < self.batch { 0 } else { free as usize }
    }

    /// How long until the next batch may go; `None`: it may now.
    fn wait(&self, elapsed: Duration) -> Option<Duration> {
        if self.room(elapsed) > 0 {
            return None;
        }
        let at =
            (self.next + self.interval * self.batch).saturating_sub(self.interval * self.burst);
        // A timer may be early by less than a millisecond.
        Some(at.saturating_sub(elapsed) + Duration::from_millis(1))
    }

    fn take(&mut self, mails: u32, elapsed: Duration) {
        self.next = self.next.max(elapsed) + self.interval * mails;
    }

    fn give_back(&mut self, mails: u32) {
        self.next = self.next.saturating_sub(self.interval * mails);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        let elapsed = Duration::from_secs(seconds);
        Moment {
            now: Timestamp::from_millis(0) + elapsed,
            elapsed,
        }
    }

    fn purse(per_day: Option<u32>, kept_for_codes: u32, per_minute: Option<u32>) -> Purse {
        let limits = Limits {
            per_day,
            kept_for_codes,
            per_minute,
        };
        Purse::new(limits, BTreeMap::new())
    }

    fn send(purse: &mut Purse, mails: u32, at: Moment) {
        purse.sent_off(mails as usize, at);
        purse.settle(mails, mails, at);
    }

    #[test]
    fn without_limits_there_is_room_and_nothing_to_write_down() {
        let mut purse = purse(None, 50, None);
        purse.sent_off(1_000_000, at(0));
        assert_eq!(purse.room(at(0)).ordinary, usize::MAX);
        assert_eq!(purse.entry(RouteName::Primary, 5, at(0)), None);
        assert_eq!(purse.resumes_at(Lane::Ordinary, at(0)), None);
    }

    #[test]
    fn ordinary_mail_leaves_the_kept_share_alone_and_what_is_under_way_counts() {
        let mut purse = purse(Some(100), 30, None);
        let room = |all, ordinary| Room { all, ordinary };
        assert_eq!(purse.room(at(0)), room(100, 70));
        purse.sent_off(60, at(0));
        assert_eq!(purse.room(at(0)), room(40, 10));
        purse.settle(20, 15, at(0));
        assert_eq!(purse.room(at(0)), room(45, 15));
        purse.came_back(40);
        assert_eq!(purse.room(at(0)), room(85, 55));
        send(&mut purse, 70, at(0));
        assert!(purse.is_used_up(Lane::Ordinary, at(0)));
        assert!(!purse.is_used_up(Lane::Prompt, at(0)));
    }

    #[test]
    fn in_no_24_hours_more_than_the_limit_and_it_says_when_it_goes_on() {
        let mut purse = purse(Some(100), 0, None);
        let hour = |h: u64| at(h * 3600 + 1800);
        send(&mut purse, 60, hour(0));
        send(&mut purse, 40, hour(5));
        let resumes = purse.resumes_at(Lane::Prompt, hour(6)).unwrap();
        // The whole first hour is a day old then.
        assert_eq!(resumes, at(25 * 3600).now);
        assert_eq!(purse.room(at(25 * 3600 - 1)).all, 0);
        assert_eq!(purse.room(at(25 * 3600)).all, 60);
        assert_eq!(purse.resumes_at(Lane::Prompt, at(25 * 3600)), None);
        assert_eq!(purse.room(at(30 * 3600)).all, 100);
    }

    #[test]
    fn what_is_written_down_is_what_is_read_again() {
        let mut purse = purse(Some(100), 0, None);
        send(&mut purse, 60, at(10));
        send(&mut purse, 1, at(3700));
        let entry = purse.entry(RouteName::Primary, 2, at(3800)).unwrap();
        assert_eq!((entry.hour, entry.mails, entry.stale), (1, 3, vec![]));
        let entry = purse.entry(RouteName::Primary, 2, at(30 * 3600));
        let entry = entry.unwrap();
        assert_eq!((entry.hour, entry.mails, entry.stale), (30, 2, vec![0, 1]));
    }

    #[test]
    fn a_clock_set_forward_forgets_nothing_that_is_no_day_old() {
        let mut purse = purse(Some(10), 0, None);
        send(&mut purse, 10, at(50));
        // The wall clock says two days later, and ten seconds went by.
        let later = |seconds: u64| Moment {
            now: at(48 * 3600 + 50 + seconds).now,
            elapsed: at(50 + seconds).elapsed,
        };
        assert_eq!(purse.room(later(10)).all, 0);
        let resumes = purse.resumes_at(Lane::Prompt, later(10)).unwrap();
        assert_eq!(resumes, at(73 * 3600).now);
        let entry = purse.entry(RouteName::Primary, 1, later(4000)).unwrap();
        assert_eq!((entry.stale, entry.moved), (vec![0], vec![(48, 10)]));
        assert_eq!(purse.room(later(25 * 3600)).all, 10);
    }

    #[test]
    fn a_clock_set_back_does_not_keep_the_route_shut_for_ever() {
        let year = 365 * 24 * 3600;
        let mut purse = purse(Some(10), 0, None);
        send(&mut purse, 10, at(year));
        assert_eq!(purse.room(at(50)).all, 0);
        let resumes = purse.resumes_at(Lane::Prompt, at(50)).unwrap();
        assert_eq!(resumes, at(25 * 3600).now);
        assert_eq!(purse.room(at(25 * 3600)).all, 10);
    }

    #[test]
    fn in_no_minute_more_than_the_limit_whatever_it_is() {
        for per_minute in [1, 2, 7, 19, 20, 60, 600, 6000] {
            let mut purse = purse(None, 0, Some(per_minute));
            let mut sent: Vec<(Duration, usize)> = Vec::new();
            let mut now = at(1000);
            let end = at(1000 + 180).elapsed;
            while now.elapsed < end {
                let room = purse.room(now).all;
                if room > 0 {
                    purse.sent_off(room, now);
                    purse.settle(room as u32, room as u32, now);
                    sent.push((now.elapsed, room));
                }
                let next = purse.resumes_at(Lane::Prompt, now).unwrap();
                let wait = next.since(now.now).max(Duration::from_millis(1));
                now = Moment {
                    now: now.now + wait,
                    elapsed: now.elapsed + wait,
                };
            }
            for (start, _) in &sent {
                let within = sent
                    .iter()
                    .filter(|(then, _)| (*start..*start + MINUTE).contains(then));
                let mails: usize = within.map(|(_, mails)| mails).sum();
                assert!(mails <= per_minute as usize, "{mails} of {per_minute}");
            }
            let mails: usize = sent.iter().map(|(_, mails)| mails).sum();
            assert!(
                mails as f64 >= 2.6 * f64::from(per_minute),
                "{mails} of {per_minute}"
            );
        }
    }

    #[test]
    fn what_came_back_untried_costs_no_time() {
        let mut purse = purse(None, 0, Some(10));
        assert_eq!(purse.room(at(9)).all, 1);
        purse.sent_off(1, at(9));
        assert_eq!(purse.room(at(9)).all, 0);
        purse.came_back(1);
        assert_eq!(purse.room(at(9)).all, 1);
    }
}
