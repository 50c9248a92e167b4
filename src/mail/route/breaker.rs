//! When a route that failed is tried again. Pure: the moment is an argument, and what it decides
//! is acted upon by the courier.
//!
//! - A failure that every mail would meet (credentials, TLS, the sender) opens it at once.
//! - A connection that cannot be had, or breaks, makes it rest: 5 s, then 15 s; the third time in
//!   a row opens it.
//! - A provider that has had enough opens it for as long as the rulebook says.
//! - After each rest one mail tries, and no second one beside it. When the route took that mail,
//!   or refused it for the mail's own sake, all is well again; when it failed, the rests are
//!   1, 5, 15 and from then on 60 minutes.
//! - A server that blames the route when it knows the recipient may mean this mail alone. It is
//!   believed when another mail meets the same; until then one mail at a time tries it, without a
//!   rest. Where the blame was wrong before, more mails have to meet it.
//! - Of several mails that fail at the same time the first one counts: what began before the last
//!   change says nothing new.
//!
//! More than 500 lines with its tests: one machine, whose rules only make sense together.

use std::time::Duration;

use crate::mail::attempt::{Outcome, Stage};
use crate::mail::relay::Failure;
use crate::mail::route;
use crate::mail::rulebook::Rest;
use crate::world::Timestamp;

/// Rests after the first and the second connection failure in a row.
const STRIKES: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(15)];

/// Rests while it is open; the last one is repeated.
const PROBES: [Duration; 4] = [
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];

/// Which of those is the longest while it is open on the word of mails that may all be at fault
/// themselves: whichever comes next may be a good one.
const LONGEST_IF_BLAMED: usize = 1;

/// How many mails in a row have to be refused as if the route were at fault, at first and at most.
const BELIEVED: (usize, usize) = (2, 16);

/// Where a limit was hit and nobody knows for how long it holds.
const LIMITED: Duration = Duration::from_secs(60 * 60);

/// No rest is longer: until midnight, wherever that is.
const LONGEST_KEPT: Duration = Duration::from_secs(25 * 60 * 60);

/// Past midnight by this much, since the provider's clock is not ours.
const AFTER_MIDNIGHT: Duration = Duration::from_secs(60);

/// A moment on both clocks: what is decided goes by the one that only grows, what is shown by the
/// one on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub now: Timestamp,
    /// Time that only grows.
    pub elapsed: Duration,
}

/// What kind of failure of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// No connection, or it broke.
    Connection,
    /// It is set up wrongly.
    Configuration,
    /// It has sent too much.
    Limited(Option<Rest>),
}

impl Trouble {
    /// What `failure` says about the route, on a connection that was `fresh` or used before;
    /// `None`: nothing.
    pub fn of(failure: &Failure, fresh: bool) -> Option<Trouble> {
        match (failure.stage, failure.outcome) {
            // The body could not be opened: no route was tried.
            (Stage::Claim, _) | (_, Outcome::Lapsed) => None,
            (_, Outcome::Limited) => Some(Trouble::Limited(failure.rest)),
            (_, Outcome::Configuration) => Some(Trouble::Configuration),
            (stage, Outcome::Permanent) if stage <= Stage::Auth => Some(Trouble::Configuration),
            (stage, _) if stage <= Stage::Auth => Some(Trouble::Connection),
            // RFC 5321, 3.8: the service is not available, and the connection is closed.
            (_, Outcome::Temporary) if fresh && failure.code == Some(421) => {
                Some(Trouble::Connection)
            }
            // One that was used before may have been given up by the server.
            (_, Outcome::Connection | Outcome::Uncertain) if fresh => Some(Trouble::Connection),
            _ => None,
        }
    }
}

/// What one run over a route has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// The server dealt with a mail.
    Works,
    /// The route failed.
    Fails(Trouble),
    /// The server blamed the route for a mail, at RCPT TO or later.
    Blamed {
        /// For what.
        trouble: Trouble,
        /// Whether it had done so for the same mail before.
        again: bool,
    },
    /// Nothing: no mail came so far.
    Nothing,
}

impl Sign {
    /// Whether it tells of a limit.
    pub fn is_of_a_limit(self) -> bool {
        matches!(
            self,
            Sign::Fails(Trouble::Limited(_))
                | Sign::Blamed {
                    trouble: Trouble::Limited(_),
                    ..
                }
        )
    }
}

/// What may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// As much as there is room for.
    All,
    /// One mail, to see whether it works again.
    One,
    /// Nothing before this much of [`Moment::elapsed`].
    NoneUntil(Duration),
    /// Nothing before the mail that is trying it has come back.
    NoneYet,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Closed,
    /// A mail was blamed, and the next one has to show whether that is true of the route.
    Suspected,
    /// It rests after a strike.
    Resting {
        since: Timestamp,
        probe_at: Timestamp,
        until: Duration,
    },
    Open {
        since: Timestamp,
        probe_at: Timestamp,
        until: Duration,
    },
}

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    state: State,
    /// One mail is trying it.
    trying: bool,
    /// Connection failures in a row.
    strikes: usize,
    /// How many probes have failed.
    probes: usize,
    /// How many mails in a row were refused as if the route were at fault.
    blames: usize,
    /// How many of those it takes to believe it.
    believed: usize,
    /// It is open because it was believed.
    blamed: bool,
    /// It is open for something that a restart does not mend.
    lasting: bool,
    /// Counts the changes: see [`Machine::epoch`].
    epoch: u64,
}

impl Machine {
    /// One that knows of no failure.
    pub fn new() -> Machine {
        Machine {
            state: State::Closed,
            trying: false,
            strikes: 0,
            probes: 0,
            blames: 0,
            believed: BELIEVED.0,
            blamed: false,
            lasting: false,
            epoch: 0,
        }
    }

    /// What a run is given at its start and hands back with its [`Sign`].
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What may be sent at `at`.
    pub fn leave(&self, at: Moment) -> Leave {
        match self.state {
            State::Closed => Leave::All,
            _ if self.trying => Leave::NoneYet,
            State::Resting { until, .. } | State::Open { until, .. } if at.elapsed < until => {
                Leave::NoneUntil(until)
            }
            State::Suspected | State::Resting { .. } | State::Open { .. } => Leave::One,
        }
    }

    /// Whether it did not work when it was tried last.
    pub fn is_down(&self) -> bool {
        matches!(self.state, State::Resting { .. } | State::Open { .. })
    }

    /// Whether it is known to be out of order, beyond a short rest.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }

    /// Notes that mails were sent off.
    pub fn sent_off(&mut self) {
        if self.state != State::Closed {
            self.trying = true;
            self.epoch += 1;
        }
    }

    /// Takes in what a run that began in `epoch` has shown. Says whether anything changed.
    pub fn hear(&mut self, sign: Sign, epoch: u64, at: Moment) -> bool {
        if epoch != self.epoch {
            return false;
        }
        let before = (self.state, self.trying);
        match sign {
            Sign::Works => {
                self.strikes = 0;
                self.probes = 0;
                self.trying = false;
                if std::mem::take(&mut self.blames) > 0 {
                    self.believed = (self.believed * 2).min(BELIEVED.1);
                }
                self.blamed = false;
                if self.state != State::Closed {
                    self.state = State::Closed;
                    self.epoch += 1;
                }
            }
            // The next one may try.
            Sign::Nothing => self.trying = false,
            Sign::Fails(trouble) => {
                self.blamed = false;
                self.fail(trouble, at);
            }
            Sign::Blamed { trouble, again } => self.blame(trouble, again, at),
        }
        before != (self.state, self.trying)
    }

    fn blame(&mut self, trouble: Trouble, again: bool, at: Moment) {
        self.blames += usize::from(!again);
        if self.blamed || self.blames >= self.believed {
            if !self.blamed {
                self.probes = 0;
            }
            self.blamed = true;
            self.fail(trouble, at);
            self.probes = self.probes.min(LONGEST_IF_BLAMED);
            return;
        }
        // Whatever was wrong before: it came as far as the recipient.
        self.strikes = 0;
        self.probes = 0;
        self.trying = false;
        self.epoch += 1;
        self.state = State::Suspected;
    }

    /// Since when it is open, when it is tried next and how many probes have failed, where a
    /// restart would not mend it.
    pub fn rest(&self) -> Option<(Timestamp, Timestamp, u32)> {
        match self.state {
            State::Open {
                since, probe_at, ..
            } if self.lasting => {
                let probes = u32::try_from(self.probes).unwrap_or(u32::MAX);
                Some((since, probe_at, probes))
            }
            _ => None,
        }
    }

    /// Takes up a rest of the process before this one.
    pub fn resume(&mut self, since: Timestamp, probe_at: Timestamp, probes: u32, at: Moment) {
        // The clock may have been another one then.
        let rest = probe_at.since(at.now).min(LONGEST_KEPT);
        self.lasting = true;
        self.probes = usize::try_from(probes)
            .unwrap_or(usize::MAX)
            .min(PROBES.len());
        self.epoch += 1;
        self.state = State::Open {
            since,
            probe_at: at.now + rest,
            until: at.elapsed + rest,
        };
    }

    fn fail(&mut self, trouble: Trouble, at: Moment) {
        self.lasting = trouble != Trouble::Connection;
        self.epoch += 1;
        self.trying = false;
        match trouble {
            Trouble::Limited(rest) => {
                self.strikes = 0;
                self.open(how_long(rest, at.now), at);
            }
            Trouble::Connection if !self.is_open() && self.strikes < STRIKES.len() => {
                let rest = STRIKES[self.strikes];
                self.strikes += 1;
                self.state = State::Resting {
                    since: self.down_since(at),
                    probe_at: at.now + rest,
                    until: at.elapsed + rest,
                };
            }
            Trouble::Connection | Trouble::Configuration => {
                let rest = PROBES[self.probes.min(PROBES.len() - 1)];
                self.probes += 1;
                self.open(rest, at);
            }
        }
    }

    fn open(&mut self, rest: Duration, at: Moment) {
        self.state = State::Open {
            since: self.down_since(at),
            probe_at: at.now + rest,
            until: at.elapsed + rest,
        };
    }

    fn down_since(&self, at: Moment) -> Timestamp {
        match self.state {
            State::Resting { since, .. } | State::Open { since, .. } => since,
            State::Closed | State::Suspected => at.now,
        }
    }

    /// Ends a rest: one mail may try at once. Says whether there was one.
    pub fn nudge(&mut self, at: Moment) -> bool {
        match &mut self.state {
            State::Closed => return false,
            State::Suspected => {}
            State::Resting {
                until, probe_at, ..
            }
            | State::Open {
                until, probe_at, ..
            } => {
                *until = at.elapsed;
                *probe_at = at.now;
            }
        }
        !self.trying
    }

    /// As it is shown.
    pub fn shown(&self) -> route::Breaker {
        match self.state {
            State::Closed | State::Suspected => route::Breaker::Closed,
            State::Resting { since, .. } | State::Open { since, .. } if self.trying => {
                route::Breaker::Probing { since }
            }
            State::Resting {
                since, probe_at, ..
            }
            | State::Open {
                since, probe_at, ..
            } => route::Breaker::Open { since, probe_at },
        }
    }
}

fn how_long(rest: Option<Rest>, now: Timestamp) -> Duration {
    match rest {
        None => LIMITED,
        Some(Rest::For(rest)) => rest,
        Some(Rest::UntilMidnight(east)) => {
            const DAY: i64 = 24 * 60 * 60 * 1000;
            let there = now.as_millis() + i64::from(east) * 60 * 60 * 1000;
            let left = DAY - there.rem_euclid(DAY);
            Duration::from_millis(u64::try_from(left).unwrap_or(0)) + AFTER_MIDNIGHT
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTION: Sign = Sign::Fails(Trouble::Connection);
    const CONFIGURATION: Sign = Sign::Fails(Trouble::Configuration);

    fn at(seconds: u64) -> Moment {
        let elapsed = Duration::from_secs(seconds);
        Moment {
            now: Timestamp::from_millis(0) + elapsed,
            elapsed,
        }
    }

    /// One mail tries at every moment that allows it, and each meets `sign`: after how many
    /// seconds it was tried.
    fn tries(machine: &mut Machine, sign: Sign, until: u64) -> Vec<u64> {
        let mut now = 0;
        let mut tries = Vec::new();
        while now <= until {
            match machine.leave(at(now)) {
                Leave::NoneUntil(then) => now = then.as_secs(),
                Leave::NoneYet => panic!("nobody is trying"),
                Leave::All | Leave::One => {
                    tries.push(now);
                    machine.sent_off();
                    machine.hear(sign, machine.epoch(), at(now));
                }
            }
        }
        tries
    }

    #[test]
    fn a_wrong_password_opens_it_at_once_and_probes_come_further_and_further_apart() {
        let mut machine = Machine::new();
        let minutes = [0, 1, 6, 21, 81, 141].map(|minute| minute * 60);
        assert_eq!(tries(&mut machine, CONFIGURATION, 8500), minutes);
        assert!(machine.is_open());
    }

    #[test]
    fn three_connections_that_fail_open_it() {
        let mut machine = Machine::new();
        assert_eq!(tries(&mut machine, CONNECTION, 19), [0, 5]);
        assert!(!machine.is_open() && machine.is_down());
        // A rest is shown from the first strike on, or nobody knew what the mails wait for.
        let (since, probe_at) = (at(0).now, at(20).now);
        assert_eq!(machine.shown(), route::Breaker::Open { since, probe_at });
        machine.sent_off();
        machine.hear(CONNECTION, machine.epoch(), at(20));
        let probe_at = at(80).now;
        assert_eq!(machine.shown(), route::Breaker::Open { since, probe_at });
        assert_eq!(machine.leave(at(79)), Leave::NoneUntil(at(80).elapsed));
        assert_eq!(machine.leave(at(80)), Leave::One);
    }

    #[test]
    fn one_mail_tries_and_its_success_or_its_own_refusal_closes_it() {
        let mut machine = Machine::new();
        tries(&mut machine, CONFIGURATION, 30);
        machine.sent_off();
        let since = at(0).now;
        assert_eq!(machine.shown(), route::Breaker::Probing { since });
        assert_eq!(machine.leave(at(90)), Leave::NoneYet);
        // It lapsed on the way: the next one tries.
        machine.hear(Sign::Nothing, machine.epoch(), at(90));
        assert_eq!(machine.leave(at(90)), Leave::One);
        machine.sent_off();
        assert!(machine.hear(Sign::Works, machine.epoch(), at(91)));
        assert_eq!(machine.leave(at(91)), Leave::All);
        // The strikes and the rests begin anew.
        machine.hear(CONNECTION, machine.epoch(), at(100));
        assert_eq!(machine.leave(at(100)), Leave::NoneUntil(at(105).elapsed));
    }

    #[test]
    fn what_fails_at_the_same_time_counts_once_and_old_news_change_nothing() {
        let mut machine = Machine::new();
        let epoch = machine.epoch();
        assert!(machine.hear(CONNECTION, epoch, at(0)));
        assert!(!machine.hear(CONNECTION, epoch, at(0)));
        assert!(!machine.hear(Sign::Works, epoch, at(1)));
        assert_eq!(machine.leave(at(1)), Leave::NoneUntil(at(5).elapsed));
    }

    #[test]
    fn a_limit_holds_as_long_as_the_rulebook_says() {
        let hour = Duration::from_secs(3600);
        for (rest, seconds) in [
            (None, 3600),
            (Some(Rest::For(2 * hour)), 7200),
            // Midnight in China is 16:00 UTC; and the clock here says 00:01:40.
            (Some(Rest::UntilMidnight(8)), 16 * 3600 - 100 + 60),
            (Some(Rest::UntilMidnight(0)), 24 * 3600 - 100 + 60),
            (Some(Rest::UntilMidnight(-8)), 8 * 3600 - 100 + 60),
        ] {
            let mut machine = Machine::new();
            machine.hear(Sign::Fails(Trouble::Limited(rest)), 0, at(100));
            let until = at(100 + seconds).elapsed;
            assert_eq!(machine.leave(at(100)), Leave::NoneUntil(until), "{rest:?}");
        }
    }

    #[test]
    fn a_nudge_ends_the_rest_and_keeps_the_count() {
        let mut machine = Machine::new();
        assert!(!machine.nudge(at(0)));
        tries(&mut machine, CONFIGURATION, 300);
        assert!(machine.nudge(at(301)));
        assert_eq!(machine.leave(at(301)), Leave::One);
        machine.sent_off();
        assert!(!machine.nudge(at(301)), "it is being tried");
        machine.hear(CONFIGURATION, machine.epoch(), at(301));
        let until = at(301 + 900).elapsed;
        assert_eq!(machine.leave(at(301)), Leave::NoneUntil(until));
    }

    #[test]
    fn a_blame_is_believed_when_another_mail_meets_it_and_less_easily_once_it_was_wrong() {
        let blame = |again| Sign::Blamed {
            trouble: Trouble::Configuration,
            again,
        };
        let mut machine = Machine::new();
        let hear = |machine: &mut Machine, sign, seconds| {
            assert!(matches!(
                machine.leave(at(seconds)),
                Leave::All | Leave::One
            ));
            machine.sent_off();
            machine.hear(sign, machine.epoch(), at(seconds));
        };
        hear(&mut machine, blame(false), 0);
        assert_eq!(machine.leave(at(0)), Leave::One);
        hear(&mut machine, blame(true), 0);
        assert!(!machine.is_open(), "the same mail says nothing new");
        hear(&mut machine, blame(false), 0);
        assert_eq!(machine.leave(at(0)), Leave::NoneUntil(at(60).elapsed));
        // Whoever comes next may be a good one: the rests do not grow for ever.
        hear(&mut machine, blame(true), 60);
        hear(&mut machine, blame(false), 360);
        assert_eq!(machine.leave(at(360)), Leave::NoneUntil(at(660).elapsed));
        hear(&mut machine, Sign::Works, 660);
        assert_eq!(machine.leave(at(660)), Leave::All);
        for _ in 0..3 {
            hear(&mut machine, blame(false), 700);
            assert!(!machine.is_open(), "it was wrong before");
        }
        hear(&mut machine, blame(false), 700);
        assert!(machine.is_open());
    }

    #[test]
    fn a_failure_is_the_routes_or_the_mails() {
        let of = |stage, outcome, fresh| Trouble::of(&Failure::of(stage, outcome, ""), fresh);
        use Outcome::{Configuration, Connection, Lapsed, Permanent, Temporary, Uncertain};
        use Stage::{Auth, Claim, Connect, Content, FinalReply, Greeting, MailFrom, RcptTo};
        for (stage, outcome, fresh, trouble) in [
            (Connect, Connection, true, Some(Trouble::Connection)),
            (Greeting, Temporary, true, Some(Trouble::Connection)),
            (Greeting, Permanent, true, Some(Trouble::Configuration)),
            (Auth, Configuration, true, Some(Trouble::Configuration)),
            (MailFrom, Configuration, false, Some(Trouble::Configuration)),
            (RcptTo, Permanent, true, None),
            (RcptTo, Temporary, true, None),
            (RcptTo, Connection, true, Some(Trouble::Connection)),
            (RcptTo, Connection, false, None),
            (Content, Lapsed, true, None),
            (FinalReply, Uncertain, true, Some(Trouble::Connection)),
            (FinalReply, Uncertain, false, None),
            (Claim, Permanent, true, None),
        ] {
            assert_eq!(
                of(stage, outcome, fresh),
                trouble,
                "{stage:?} {outcome:?} {fresh}"
            );
        }
    }
}
