//! What the courier counts while this process runs, for whoever measures it. Nothing here is kept
//! over a restart, and nothing is decided by it.

use std::time::Duration;

use super::RouteName;
use crate::mail::attempt::Outcome;
use crate::mail::kind::Lane;

/// The upper bounds of the buckets of [`Waits`], in seconds.
pub const BOUNDS: [f64; 13] = [
    0.05, 0.25, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0,
];

/// The outcomes that are counted, in the order in which they are.
const OUTCOMES: [Outcome; 9] = [
    Outcome::Accepted,
    Outcome::Temporary,
    Outcome::Permanent,
    Outcome::Connection,
    Outcome::Configuration,
    Outcome::Limited,
    Outcome::Uncertain,
    Outcome::Lapsed,
    Outcome::Lost,
];

/// How long mails took from the moment they were to go out until the server took them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Waits {
    counts: [u64; BOUNDS.len() + 1],
    sum: Duration,
}

impl Waits {
    /// How many mails took up to each bound (in seconds) and longer than the one before it, the
    /// last bound being [`f64::MAX`]: not cumulative.
    pub fn buckets(&self) -> impl Iterator<Item = (f64, u64)> {
        let bounds = BOUNDS.into_iter().chain([f64::MAX]);
        bounds.zip(self.counts)
    }

    /// How many mails there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long they took, all together.
    pub fn sum(&self) -> Duration {
        self.sum
    }

    fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        self.counts[BOUNDS.partition_point(|bound| *bound < seconds)] += 1;
        self.sum += took;
    }
}

/// What was counted since the start.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    attempts: [[u64; OUTCOMES.len()]; RouteName::ALL.len()],
    waits: [Waits; Lane::ALL.len()],
}

impl Tally {
    /// How many attempts over each route ended in each way.
    pub fn attempts(&self) -> impl Iterator<Item = (RouteName, Outcome, u64)> {
        RouteName::ALL.into_iter().flat_map(|route| {
            let counts = self.attempts[route as usize];
            let counted = OUTCOMES.into_iter().zip(counts);
            counted.map(move |(outcome, count)| (route, outcome, count))
        })
    }

    /// How long the mails of `lane` that were sent had taken.
    pub fn waits(&self, lane: Lane) -> &Waits {
        &self.waits[lane as usize]
    }

    /// Counts an attempt over `route`.
    pub(in crate::mail) fn attempted(&mut self, route: RouteName, outcome: Outcome) {
        if let Some(at) = OUTCOMES.iter().position(|counted| *counted == outcome) {
            self.attempts[route as usize][at] += 1;
        }
    }

    /// Counts a mail of `lane` that was sent, `took` after it was to go out.
    pub(in crate::mail) fn sent(&mut self, lane: Lane, took: Duration) {
        self.waits[lane as usize].note(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mail_is_in_one_bucket() {
        let mut tally = Tally::default();
        for millis in [0, 50, 51, 1_000, 100_000_000] {
            tally.sent(Lane::Prompt, Duration::from_millis(millis));
        }
        let waits = tally.waits(Lane::Prompt);
        let filled: Vec<(f64, u64)> = waits.buckets().filter(|(_, count)| *count > 0).collect();
        assert_eq!(filled, [(0.05, 2), (0.25, 1), (1.0, 1), (f64::MAX, 1)]);
        assert_eq!((waits.count(), waits.sum().as_millis()), (5, 100_001_101));
        assert_eq!(tally.waits(Lane::Ordinary).count(), 0);
    }

    #[test]
    fn attempts_are_counted_by_route_and_outcome() {
        let mut tally = Tally::default();
        tally.attempted(RouteName::Fallback, Outcome::Lost);
        let counted: Vec<_> = tally
            .attempts()
            .filter(|(_, _, count)| *count > 0)
            .collect();
        assert_eq!(counted, [(RouteName::Fallback, Outcome::Lost, 1)]);
    }
}
