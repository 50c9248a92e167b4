//! The dispatcher: the one task that claims and completes. A turn is one transaction that writes
//! down what ended and claims what is due; while it commits, the runs go on and gather more.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::run::{Ended, Run, Until};
use super::{Phase, Shared, cut};
use crate::events::Watch;
use crate::mail::letter::OutboxId;
use crate::mail::outbox::{self, Claim, Completion, Want};
use crate::mail::relay::Connection;
use crate::store::{Error, Read};
use crate::world::Timestamp;

/// How many mails are claimed at once, at most.
const MOST_AT_ONCE: usize = 64;

/// A run is given as many mails as take about this long, so that a code that comes in meanwhile
/// does not wait behind a crowd.
const RUN: Duration = Duration::from_millis(200);

/// How many mails a run is given at most.
const MOST_IN_A_RUN: usize = 32;

/// After the route failed, nothing is tried for this long; twice as long after each further
/// failure, up to [`LONGEST_REST`]. Then one mail tries it. (The route breaker will take this
/// place.)
const REST: Duration = Duration::from_secs(1);
const LONGEST_REST: Duration = Duration::from_secs(30);

/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// The wall clock may be set while we sleep until a moment on it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// See the [module](self).
pub struct Dispatch {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    events: Watch,
    reports: mpsc::UnboundedReceiver<Vec<Completion>>,
    reporter: mpsc::UnboundedSender<Vec<Completion>>,
    runs: JoinSet<Ended>,
    /// Claims of each run that are not completed, with the end of their lease.
    held: HashMap<OutboxId, Held>,
    ended: Vec<Completion>,
    parked: Vec<(Connection, Duration)>,
    /// Whether the outbox may have changed since the last look.
    look: bool,
    next_due: Option<Timestamp>,
    renewed: Duration,
    failures: u32,
    rest_until: Duration,
    /// How long a mail takes, roughly.
    pace: Duration,
}

/// When there is something to claim.
fn next_due(read: &impl Read, only: Option<OutboxId>) -> Result<Option<Timestamp>, Error> {
    match only {
        None => outbox::next_due(read),
        Some(id) => Ok(outbox::get(read, id)?.and_then(|row| row.due_at)),
    }
}

struct Held {
    claim: Claim,
    until: Until,
    run: tokio::task::Id,
}

impl Dispatch {
    pub fn new(shared: Arc<Shared>, phase: watch::Receiver<Phase>) -> Dispatch {
        let (reporter, reports) = mpsc::unbounded_channel();
        Dispatch {
            events: shared.events.watch(crate::events::Topic::Outbox),
            renewed: shared.world.elapsed(),
            shared,
            phase,
            reports,
            reporter,
            runs: JoinSet::new(),
            held: HashMap::new(),
            ended: Vec::new(),
            parked: Vec::new(),
            look: true,
            next_due: None,
            failures: 0,
            rest_until: Duration::ZERO,
            pace: Duration::from_millis(20),
        }
    }

    /// Works until it is told to stop and nothing is under way any more.
    pub async fn work(mut self) {
        // Who is there for one mail leaves all others as they are.
        let mut revoked = self.shared.settings.only.is_some();
        loop {
            self.gather();
            let finishing = *self.phase.borrow() != Phase::Working;
            if finishing && self.runs.is_empty() && self.ended.is_empty() {
                break;
            }
            let turn = async {
                if !revoked {
                    self.revoke().await?;
                    revoked = true;
                }
                self.turn().await
            };
            if let Err(error) = turn.await {
                tracing::error!(%error, "the outbox cannot be written; trying again");
                self.pause().await;
                continue;
            }
            self.gather();
            if self.ended.is_empty() {
                self.wait().await;
            }
        }
        for (connection, _) in self.parked.drain(..) {
            connection.quit().await;
        }
    }

    /// Takes back what a courier that was killed had on its way, so that nobody waits for its
    /// lease to run out.
    ///
    /// Every lease that is found now is a dead one's, since the engine admits one process to a
    /// store and a process has one courier. An engine that several nodes share will need the
    /// owner of a claim in its row, and here a look at who is alive.
    async fn revoke(&self) -> Result<(), Error> {
        let now = self.shared.world.now();
        let revoke = move |tx: &mut crate::store::Tx<'_>| outbox::revoke(tx, now);
        let mails = self.shared.store.write(revoke).await?;
        if mails > 0 {
            tracing::warn!(
                mails,
                "mails were on their way when the last gatepost ended; they are tried again"
            );
        }
        Ok(())
    }

    /// Takes in what the runs have reported, and the runs that have ended.
    fn gather(&mut self) {
        // Runs first: what one reported before it ended is then certainly in the channel.
        while let Some(outcome) = self.runs.try_join_next_with_id() {
            self.run_ended(outcome);
        }
        while let Ok(report) = self.reports.try_recv() {
            self.ended.extend(report);
        }
    }

    fn run_ended(&mut self, outcome: Result<(tokio::task::Id, Ended), tokio::task::JoinError>) {
        let now = self.shared.world.elapsed();
        self.look = true;
        match outcome {
            Ok((_, ended)) => {
                if ended.route_failed {
                    if now >= self.rest_until {
                        self.failures = (self.failures + 1).min(16);
                        let rest = REST * 2_u32.pow(self.failures - 1);
                        self.rest_until = now + rest.min(LONGEST_REST);
                    }
                } else if ended.tried > 0 {
                    self.failures = 0;
                    self.pace = (self.pace * 3 + ended.took / ended.tried) / 4;
                }
                if let Some(connection) = ended.connection {
                    self.parked.push((connection, now));
                }
            }
            Err(error) => {
                // What it held comes back when the lease has run out.
                tracing::error!("a run of the courier failed: it panicked");
                self.held.retain(|_, held| held.run != error.id());
            }
        }
    }

    /// One transaction, if there is anything to write.
    async fn turn(&mut self) -> Result<(), Error> {
        let now = self.shared.world.now();
        let room = self.room();
        let claims_some = room > 0 && self.is_due(now).await?;
        // Before anything is claimed: a clock that was set forward makes our own mails due.
        let renews = self.over(now)
            || self
                .renewal()
                .is_some_and(|at| at <= self.shared.world.elapsed());
        if self.ended.is_empty() && !claims_some && !renews {
            return Ok(());
        }
        let lease = self.shared.settings.lease;
        let until = now + lease;
        let limit = if claims_some { room } else { 0 };
        let only = self.shared.settings.only;
        let ended: Arc<[Completion]> = std::mem::take(&mut self.ended).into();
        let renewed: Arc<[Claim]> = if renews {
            self.held.values().map(|held| held.claim).collect()
        } else {
            Arc::default()
        };
        let work = {
            let (ended, renewed) = (ended.clone(), renewed);
            move |tx: &mut crate::store::Tx<'_>| {
                let counted = if ended.is_empty() {
                    0
                } else {
                    outbox::complete(tx, now, &ended)?
                };
                if !renewed.is_empty() {
                    outbox::renew(tx, &renewed, until)?;
                }
                let claims = match only {
                    _ if limit == 0 => Vec::new(),
                    None => outbox::claim(tx, now, lease, Want::any(limit))?,
                    Some(id) => outbox::claim_one(tx, now, lease, id)?.into_iter().collect(),
                };
                Ok::<_, Error>((counted, claims, next_due(tx, only)?))
            }
        };
        let (counted, claims, next_due) = match self.shared.store.write(work).await {
            Ok(done) => done,
            Err(error) => {
                self.ended.extend(ended.iter().cloned());
                self.look = true;
                return Err(error);
            }
        };
        if counted < ended.len() {
            let late = ended.len() - counted;
            tracing::warn!(late, "mails were completed after their lease had run out");
        }
        for completion in ended.iter() {
            let claim = completion.claim;
            if let Entry::Occupied(held) = self.held.entry(claim.id)
                && held.get().claim.number == claim.number
            {
                held.remove();
            }
        }
        if renews {
            self.renewed = self.shared.world.elapsed();
            for held in self.held.values() {
                held.until.store(until.as_millis(), Ordering::Relaxed);
            }
        }
        self.next_due = next_due;
        // A full claim: there may be more.
        self.look = limit > 0 && claims.len() == limit;
        self.send_off(claims, until);
        Ok(())
    }

    /// How many mails may be claimed now.
    fn room(&self) -> usize {
        let idle = self
            .shared
            .settings
            .connections
            .saturating_sub(self.runs.len());
        let stopping = *self.phase.borrow() != Phase::Working;
        if stopping || self.shared.world.elapsed() < self.rest_until {
            return 0;
        }
        match self.failures {
            0 => (idle * self.per_run()).min(MOST_AT_ONCE),
            // The first after a rest finds out whether the route works again.
            _ => usize::from(self.runs.is_empty()),
        }
    }

    fn per_run(&self) -> usize {
        let pace = self.pace.as_micros().max(1);
        usize::try_from(RUN.as_micros() / pace)
            .unwrap_or(MOST_IN_A_RUN)
            .clamp(1, MOST_IN_A_RUN)
    }

    /// Whether any mail is due; looks into the store only when something may have changed.
    async fn is_due(&mut self, now: Timestamp) -> Result<bool, Error> {
        if self.look {
            self.look = false;
            let only = self.shared.settings.only;
            let next = self.shared.store.read(|snapshot| next_due(snapshot, only));
            self.next_due = next.await.inspect_err(|_| self.look = true)?;
        }
        Ok(self.next_due.is_some_and(|at| at <= now))
    }

    /// Whether the lease of a mail that is on its way is over at `now`.
    fn over(&self, now: Timestamp) -> bool {
        let mut ends = self.held.values().map(|held| &held.until);
        ends.any(|until| until.load(Ordering::Relaxed) <= now.as_millis())
    }

    /// When leases have to be renewed.
    fn renewal(&self) -> Option<Duration> {
        (!self.held.is_empty()).then(|| self.renewed + self.shared.settings.lease / 3)
    }

    /// Spreads the claims over runs, in turn, so that the order is kept as far as several
    /// connections can keep one.
    fn send_off(&mut self, claims: Vec<Claim>, until: Timestamp) {
        if claims.is_empty() {
            return;
        }
        if self.held.is_empty() {
            self.renewed = self.shared.world.elapsed();
        }
        let idle = self
            .shared
            .settings
            .connections
            .saturating_sub(self.runs.len());
        let runs = claims.len().div_ceil(self.per_run()).clamp(1, idle.max(1));
        let mut parts = vec![Vec::new(); runs];
        for (nth, claim) in claims.into_iter().enumerate() {
            parts[nth % runs].push(claim);
        }
        for claims in parts {
            let until: Until = Arc::new(AtomicI64::new(until.as_millis()));
            let run = Run {
                shared: self.shared.clone(),
                claims: claims.clone(),
                until: until.clone(),
                connection: self.parked.pop().map(|(connection, _)| connection),
                reports: self.reporter.clone(),
                phase: self.phase.clone(),
            };
            let handle = self.runs.spawn(run.go());
            for claim in claims {
                let held = Held {
                    claim,
                    until: until.clone(),
                    run: handle.id(),
                };
                self.held.insert(claim.id, held);
            }
        }
    }

    /// Sleeps until there is something to do.
    async fn wait(&mut self) {
        let world = self.shared.world.clone();
        let (now, elapsed) = (world.now(), world.elapsed());
        let mut sleep: Option<Duration> = None;
        let mut at_most = |pause: Duration| sleep = Some(sleep.map_or(pause, |s| s.min(pause)));
        let working = *self.phase.borrow() == Phase::Working;
        let idle = self.runs.len() < self.shared.settings.connections;
        if working && elapsed < self.rest_until {
            at_most(self.rest_until - elapsed);
        } else if self.room() > 0 {
            if self.look {
                return;
            }
            if let Some(due) = self.next_due {
                at_most(due.since(now).min(LONGEST_SLEEP));
            }
        }
        if let Some(renewal) = self.renewal() {
            at_most(renewal.saturating_sub(elapsed));
        }
        if let Some((_, since)) = self.parked.first() {
            at_most((*since + self.shared.settings.idle).saturating_sub(elapsed));
        }
        let pause = async {
            match sleep {
                Some(pause) => world.sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        let phase = *self.phase.borrow_and_update();
        if phase != Phase::Working && self.runs.is_empty() {
            // It changed during the last turn; nothing would wake us any more.
            return;
        }
        tokio::select! {
            biased;
            Some(report) = self.reports.recv() => self.ended.extend(report),
            Some(outcome) = self.runs.join_next_with_id() => self.run_ended(outcome),
            () = self.events.changed(), if idle && working => self.look = true,
            // An error means that nobody can stop us any more but by dropping us.
            changed = self.phase.changed(), if phase != Phase::Cut => {
                if changed.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            () = pause => {}
        }
        self.close_idle();
    }

    fn close_idle(&mut self) {
        let limit = self
            .shared
            .world
            .elapsed()
            .saturating_sub(self.shared.settings.idle);
        let fresh = self.parked.partition_point(|(_, since)| *since <= limit);
        if self.shared.world.elapsed() < self.shared.settings.idle {
            return;
        }
        for (connection, _) in self.parked.drain(..fresh) {
            // It ends by itself within seconds.
            tokio::spawn(connection.quit());
        }
    }

    async fn pause(&mut self) {
        tokio::select! {
            () = self.shared.world.sleep(STORE_PAUSE) => {}
            () = cut(self.phase.clone()) => {
                // Nothing more can be done: the leases run out, and the next start finds them.
                self.ended.clear();
                self.runs.abort_all();
                while self.runs.join_next().await.is_some() {}
            }
        }
    }
}
