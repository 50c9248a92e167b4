//! One way out as the dispatcher sees it: which connections are parked, whether and how much may
//! be sent over it now, and what there is to show of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Route;
use super::run::Ended;
use super::suspects::Suspects;
use crate::address::EmailAddress;
use crate::mail::kind::Lane;
use crate::mail::outbox::Want;
use crate::mail::relay::Connection;
use crate::mail::route::breaker::{Leave, Machine, Moment, Sign};
use crate::mail::route::budget::Purse;
use crate::mail::route::rest::Rest;
use crate::mail::route::{Breaker, Budget, LastError, Pause, RouteName, Status};
use crate::secret::{Keys, SecretText};
use crate::world::Timestamp;

/// How many mails are claimed at once, at most.
const MOST_AT_ONCE: usize = 64;

/// A run is given as many mails as take about this long, so that a code that comes in meanwhile
/// does not wait behind a crowd.
const RUN: Duration = Duration::from_millis(200);

/// How many mails a run is given at most.
const MOST_IN_A_RUN: usize = 32;

/// A route by its name, as runs need it.
pub struct Out {
    pub name: RouteName,
    pub route: Route,
    pub suspects: Suspects,
}

/// See the [module](self).
pub struct Way {
    pub out: Arc<Out>,
    pub machine: Machine,
    pub purse: Purse,
    parked: Vec<(Connection, Duration)>,
    /// How many runs are under way.
    running: usize,
    pause: Option<Pause>,
    /// How often the operator had resumed it when we last looked; `None`: we never did.
    nudges: Option<u64>,
    /// Whether it is open because of a limit.
    limited: bool,
    /// By what its settings are known again.
    settings: [u8; 32],
    /// The rest that is in the store.
    kept: Option<Rest>,
    last_error: Option<LastError>,
    last_success_at: Option<Timestamp>,
    /// How long a mail takes, roughly.
    pace: Duration,
}

impl Way {
    pub fn new(name: RouteName, route: Route, keys: &Keys, sender: &EmailAddress) -> Way {
        Way {
            settings: keys.fingerprint(&written(&route, sender)),
            kept: None,
            machine: Machine::new(),
            purse: Purse::new(route.limits, BTreeMap::new()),
            out: Arc::new(Out {
                name,
                route,
                suspects: Suspects::default(),
            }),
            parked: Vec::new(),
            running: 0,
            pause: None,
            nudges: None,
            limited: false,
            last_error: None,
            last_success_at: None,
            pace: Duration::from_millis(20),
        }
    }

    pub fn name(&self) -> RouteName {
        self.out.name
    }

    /// How many more runs there may be.
    pub fn idle(&self) -> usize {
        self.out.route.connections.saturating_sub(self.running)
    }

    /// What may be sent over it at `at`.
    pub fn want(&mut self, at: Moment) -> Want {
        let leave = self.machine.leave(at);
        let most = match leave {
            _ if self.pause.is_some() => 0,
            Leave::NoneUntil(_) | Leave::NoneYet => 0,
            Leave::One => self.idle().min(1),
            Leave::All => (self.idle() * self.per_run()).min(MOST_AT_ONCE),
        };
        let room = self.purse.room(at);
        let limit = most.min(room.all);
        match self.name() {
            RouteName::Primary => Want {
                limit,
                ordinary: limit.min(room.ordinary),
                undoubted_only: false,
                unsuspected_first: leave == Leave::One,
            },
            RouteName::Fallback => Want {
                limit,
                ordinary: 0,
                undoubted_only: true,
                unsuspected_first: leave == Leave::One,
            },
        }
    }

    /// Whether codes and links have to go elsewhere.
    pub fn is_shut(&mut self, at: Moment) -> bool {
        self.pause.is_some() || self.machine.is_down() || self.purse.is_used_up(Lane::Prompt, at)
    }

    /// How long until time alone makes room for mails of `lane`, where there is none at `at`.
    pub fn rests(&mut self, lane: Lane, at: Moment) -> Option<Duration> {
        if self.pause.is_some() || self.idle() == 0 {
            return None;
        }
        match self.machine.leave(at) {
            Leave::NoneYet => None,
            Leave::NoneUntil(until) => Some(until.saturating_sub(at.elapsed)),
            Leave::One | Leave::All => {
                let resumes = self.purse.resumes_at(lane, at);
                resumes.map(|resumes| resumes.since(at.now))
            }
        }
    }

    /// How many mails a run is given.
    pub fn per_run(&self) -> usize {
        let pace = self.pace.as_micros().max(1);
        usize::try_from(RUN.as_micros() / pace)
            .unwrap_or(MOST_IN_A_RUN)
            .clamp(1, MOST_IN_A_RUN)
    }

    /// Notes that a run begins; gives it a connection, where one is parked, and the breaker's
    /// epoch.
    pub fn begin(&mut self, mails: usize, at: Moment) -> (Option<Connection>, u64) {
        self.running += 1;
        self.machine.sent_off();
        self.purse.sent_off(mails, at);
        let connection = self.parked.pop().map(|(connection, _)| connection);
        (connection, self.machine.epoch())
    }

    /// Notes that a run that began in `epoch` has ended. Says whether that is news.
    pub fn end(&mut self, epoch: u64, ended: Option<Ended>, at: Moment) -> bool {
        self.running = self.running.saturating_sub(1);
        let Some(ended) = ended else {
            return self.machine.hear(Sign::Nothing, epoch, at);
        };
        if ended.tried > 0 && ended.trouble.is_none() {
            self.pace = (self.pace * 3 + ended.took / ended.tried) / 4;
        }
        if let Some(connection) = ended.connection {
            self.parked.push((connection, at.elapsed));
        }
        self.last_success_at = self.last_success_at.max(ended.accepted_at);
        let mut news = false;
        if ended.worked {
            news |= self.machine.hear(Sign::Works, epoch, at);
        }
        match ended.trouble {
            Some((sign, error)) => {
                let heard = self.machine.hear(sign, epoch, at);
                if heard {
                    self.limited = sign.is_of_a_limit();
                    self.tell(sign, &error);
                }
                self.last_error = Some(error);
                news = true;
            }
            None if ended.worked => {}
            None => news |= self.machine.hear(Sign::Nothing, epoch, at),
        }
        news
    }

    fn tell(&self, sign: Sign, error: &LastError) {
        let route = self.name();
        let text = error.text.trim_end();
        match self.machine.shown() {
            Breaker::Open { probe_at, .. } => {
                tracing::warn!(%route, %probe_at, "the route failed and is not used until one mail tries it again: {text}");
            }
            Breaker::Closed if matches!(sign, Sign::Blamed { .. }) => {
                tracing::warn!(%route, "a mail was refused as if the route were at fault; another mail will show: {text}");
            }
            Breaker::Closed | Breaker::Probing { .. } => {
                tracing::warn!(%route, "the route failed and rests for some seconds: {text}");
            }
        }
    }

    /// Takes in what the operator has said. Says whether that is news.
    pub fn switched(&mut self, pause: Option<Pause>, nudges: u64, at: Moment) -> bool {
        let mut news = self.pause != pause;
        self.pause = pause;
        if self.nudges.is_some_and(|before| before != nudges) {
            news |= self.machine.nudge(at);
        }
        self.nudges = Some(nudges);
        news
    }

    /// Takes up the rest of the process before this one, where it was set up in the same way.
    pub fn take_up(&mut self, kept: Option<Rest>, at: Moment) {
        self.kept = kept;
        let settings = &self.settings;
        if let Some(rest) = self.kept.as_ref().filter(|rest| rest.settings == *settings) {
            let (since, probe_at) = (rest.since, rest.probe_at);
            self.machine.resume(since, probe_at, rest.probes, at);
            self.limited = rest.limited;
            self.last_error.clone_from(&rest.error);
            let route = self.out.name;
            tracing::warn!(%route, %probe_at, "the route rests as it did before the restart; resume it, or change its settings, to have it tried at once");
        }
    }

    /// The rest to keep, where that is not the one in the store.
    pub fn unkept(&self) -> Option<Option<Rest>> {
        let rest = self.machine.rest().map(|(since, probe_at, probes)| Rest {
            settings: self.settings,
            since,
            probe_at,
            probes,
            limited: self.limited,
            error: self.last_error.clone(),
        });
        (rest != self.kept).then_some(rest)
    }

    /// Notes that this one is in the store.
    pub fn keeps(&mut self, rest: Option<Rest>) {
        self.kept = rest;
    }

    /// Whether anybody has asked the store about it.
    pub fn is_known(&self) -> bool {
        self.nudges.is_some()
    }

    /// When the connection that has been parked longest is to be closed.
    pub fn closes_at(&self) -> Option<Duration> {
        let (_, since) = self.parked.first()?;
        Some(*since + self.out.route.idle)
    }

    /// Closes what has been parked for too long.
    pub fn close_idle(&mut self, elapsed: Duration) {
        let idle = self.out.route.idle;
        let old = self
            .parked
            .partition_point(|(_, since)| *since + idle <= elapsed);
        for (connection, _) in self.parked.drain(..old) {
            // It ends by itself within seconds.
            tokio::spawn(connection.quit());
        }
    }

    /// Closes everything that is parked.
    pub async fn close(&mut self) {
        for (connection, _) in self.parked.drain(..) {
            connection.quit().await;
        }
    }

    /// As it is shown.
    pub fn status(&mut self, at: Moment) -> Status {
        let breaker = self.machine.shown();
        let [resumes_at, ordinary_resumes_at] =
            [Lane::Prompt, Lane::Ordinary].map(|lane| match breaker {
                Breaker::Open { probe_at, .. } if self.limited => Some(probe_at),
                _ => self.purse.resumes_at(lane, at),
            });
        let relay = self.out.route.relay.settings();
        let limits = *self.purse.limits();
        Status {
            name: self.name(),
            host: relay.host.clone(),
            port: relay.port,
            user: relay.user.clone(),
            breaker,
            paused: self.pause.clone(),
            budget: Budget {
                per_day: limits.per_day,
                kept_for_codes: limits.kept_for_codes,
                spent: self.purse.spent(at),
                per_minute: limits.per_minute,
                resumes_at,
                ordinary_resumes_at,
            },
            last_error: self.last_error.clone(),
            last_success_at: self.last_success_at,
            connections: self.running + self.parked.len(),
            captures: self.out.route.captures,
        }
    }
}

/// Everything about a route that decides whether its server takes mail, in one piece.
fn written(route: &Route, sender: &EmailAddress) -> Vec<u8> {
    let relay = route.relay.settings();
    let port = relay.port.to_string();
    let security = [relay.security as u8, u8::from(relay.allow_plaintext)];
    let user = relay.user.as_deref().unwrap_or_default();
    let password = relay.password.as_ref().map(SecretText::expose);
    // One that cannot be read is as good as none, and the relay has said so.
    let ca = relay.ca_file.as_ref().map(std::fs::read);
    let ca = ca.and_then(Result::ok).unwrap_or_default();
    let parts: [&[u8]; 9] = [
        b"the settings of a route",
        relay.host.as_bytes(),
        port.as_bytes(),
        &security,
        user.as_bytes(),
        password.unwrap_or_default().as_bytes(),
        relay.hello_name.as_bytes(),
        &ca,
        sender.as_str().as_bytes(),
    ];
    let mut written = Vec::new();
    for part in parts {
        written.extend_from_slice(&(part.len() as u64).to_be_bytes());
        written.extend_from_slice(part);
    }
    written
}
