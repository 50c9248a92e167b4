//! What happened in each of the last minutes of this process, for whoever looks at it. Counted
//! without waiting for one another; nothing is decided by it, and a restart forgets it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicI64;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

use crate::world::Timestamp;

/// How many minutes are told.
pub const SHOWN: usize = 60;

/// How many there is room for: more than are told, so that the next one does not overwrite the
/// oldest while somebody reads it.
const ROOM: usize = 64;

const MILLIS: i64 = 60_000;

/// So many counters for each minute.
#[derive(Debug)]
pub struct Minutes<const N: usize> {
    slots: Vec<Slot<N>>,
    turning: Mutex<()>,
}

#[derive(Debug)]
struct Slot<const N: usize> {
    /// Which minute since the epoch.
    minute: AtomicI64,
    counts: [AtomicU64; N],
}

impl<const N: usize> Default for Minutes<N> {
    fn default() -> Minutes<N> {
        let slot = || Slot {
            minute: AtomicI64::new(i64::MIN),
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
        };
        Minutes {
            slots: (0..ROOM).map(|_| slot()).collect(),
            turning: Mutex::new(()),
        }
    }
}

impl<const N: usize> Minutes<N> {
    /// Counts one more of `which` in the minute of `at`.
    pub fn count(&self, at: Timestamp, which: usize) {
        let minute = minute(at);
        let slot = self.slot(minute);
        if slot.minute.load(Ordering::Acquire) != minute {
            let turning = self.turning.lock();
            let turning = turning.unwrap_or_else(PoisonError::into_inner);
            if slot.minute.load(Ordering::Acquire) != minute {
                for count in &slot.counts {
                    count.store(0, Ordering::Relaxed);
                }
                slot.minute.store(minute, Ordering::Release);
            }
            drop(turning);
        }
        slot.counts[which].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted in the minute of `at`.
    pub fn of(&self, at: Timestamp) -> [u64; N] {
        let minute = minute(at);
        let slot = self.slot(minute);
        match slot.minute.load(Ordering::Acquire) == minute {
            true => std::array::from_fn(|which| slot.counts[which].load(Ordering::Relaxed)),
            false => [0; N],
        }
    }

    fn slot(&self, minute: i64) -> &Slot<N> {
        let place = minute.rem_euclid(ROOM as i64);
        &self.slots[usize::try_from(place).unwrap_or(0)]
    }
}

fn minute(at: Timestamp) -> i64 {
    at.as_millis().div_euclid(MILLIS)
}

/// When the last [`SHOWN`] minutes began, the oldest first; that of `now` is the last.
pub fn shown(now: Timestamp) -> impl Iterator<Item = Timestamp> {
    let last = minute(now);
    let first = last - SHOWN as i64 + 1;
    (first..=last).map(|minute| Timestamp::from_millis(minute * MILLIS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_stays_for_its_minute_until_another_takes_its_room() {
        let minutes = Minutes::<2>::default();
        let at = |minute: i64| Timestamp::from_millis(minute * MILLIS + 59_999);
        for minute in [0, 0, 1, 59] {
            minutes.count(at(minute), 1);
        }
        assert_eq!(minutes.of(at(0)), [0, 2]);
        assert_eq!(minutes.of(at(2)), [0, 0]);
        let told: Vec<_> = shown(at(59)).map(|at| minutes.of(at)[1]).collect();
        assert_eq!((told.len(), told[0], told[1], told[59]), (SHOWN, 2, 1, 1));
        minutes.count(at(ROOM as i64), 0);
        assert_eq!(minutes.of(at(0)), [0, 0]);
        assert_eq!(minutes.of(at(ROOM as i64)), [1, 0]);
    }
}
