//! The dispatcher: the one task that claims and completes. A turn is one transaction that writes
//! down what ended and claims what is due; while it commits, the runs go on and gather more. What
//! a route allows is asked of its way.

mod rest;
mod upkeep;

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use super::due::Due;
use super::run::{Ended, Hold, Run};
use super::way::Way;
use super::{Phase, Routes, Shared, due};
use crate::events::{Topic, Watch};
use crate::mail::letter::OutboxId;
use crate::mail::outbox::{self, Claim, Completion, Want};
use crate::mail::route::breaker::Moment;
use crate::mail::route::{RouteName, budget};
use crate::store::{Error, Tx};
use crate::world::Timestamp;

/// How long to wait after the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// See the [module](self).
pub struct Dispatch {
    shared: Arc<Shared>,
    phase: watch::Receiver<Phase>,
    outbox: Watch,
    switches: Watch,
    reports: mpsc::UnboundedReceiver<Vec<Completion>>,
    reporter: mpsc::UnboundedSender<Vec<Completion>>,
    /// The primary, and the fallback where there is one.
    ways: Vec<Way>,
    runs: JoinSet<Ended>,
    /// Over which way each run goes, and in which epoch of its breaker it began.
    under_way: HashMap<tokio::task::Id, (usize, u64)>,
    /// Claims that are not completed.
    held: HashMap<OutboxId, Held>,
    ended: Vec<Completion>,
    /// Whether the outbox may have changed since the last look.
    look: bool,
    /// Whether the operator may have switched a route since the last look.
    switched: bool,
    due: Due,
    renewed: Duration,
    /// Nothing is claimed before this: the store could not be read.
    rest_until: Duration,
    /// Whether something is to be shown at once.
    news: bool,
    /// Whether numbers have changed since they were shown.
    changed: bool,
    shown: Duration,
}

struct Held {
    claim: Claim,
    hold: Arc<Hold>,
    /// Its place in the run.
    nth: usize,
    run: tokio::task::Id,
    way: usize,
}

impl Dispatch {
    pub fn new(shared: Arc<Shared>, routes: Routes, phase: watch::Receiver<Phase>) -> Dispatch {
        let (reporter, reports) = mpsc::unbounded_channel();
        let fallback = routes.fallback.map(|route| (RouteName::Fallback, route));
        let routes = [(RouteName::Primary, routes.primary)]
            .into_iter()
            .chain(fallback);
        let mut dispatch = Dispatch {
            outbox: shared.events.watch(Topic::Outbox),
            switches: shared.events.watch(Topic::Routes),
            ways: routes
                .map(|(name, route)| Way::new(name, route, &shared.keys, &shared.settings.sender))
                .collect(),
            renewed: shared.world.elapsed(),
            shown: shared.world.elapsed(),
            shared,
            phase,
            reports,
            reporter,
            runs: JoinSet::new(),
            under_way: HashMap::new(),
            held: HashMap::new(),
            ended: Vec::new(),
            look: true,
            switched: true,
            due: Due::default(),
            rest_until: Duration::ZERO,
            news: true,
            changed: false,
        };
        dispatch.show();
        dispatch
    }

    /// Works until it is told to stop and nothing is under way any more.
    pub async fn work(mut self) {
        // Who is there for one mail leaves all others as they are.
        let mut revoked = self.shared.settings.only.is_some();
        loop {
            self.gather();
            if !self.is_working() && self.runs.is_empty() && self.ended.is_empty() {
                break;
            }
            let turn = async {
                if !revoked {
                    self.revoke().await?;
                    revoked = true;
                }
                if self.switched {
                    self.read_switches().await?;
                }
                self.keep_rests().await?;
                self.turn().await
            };
            if let Err(error) = turn.await {
                tracing::error!(%error, "the outbox cannot be written; trying again");
                self.pause().await;
                continue;
            }
            self.gather();
            self.show();
            if self.ended.is_empty() {
                self.wait().await;
            }
        }
        if let Err(error) = self.keep_rests().await {
            tracing::warn!(%error, "that a route rests is not remembered over the restart");
        }
        for way in &mut self.ways {
            way.close().await;
        }
        self.news = true;
        self.show();
    }

    fn is_working(&self) -> bool {
        *self.phase.borrow() == Phase::Working
    }

    fn moment(&self) -> Moment {
        Moment {
            now: self.shared.world.now(),
            elapsed: self.shared.world.elapsed(),
        }
    }

    /// Takes in what the runs have reported, and the runs that have ended.
    fn gather(&mut self) {
        // Runs first: what one reported before it ended is then certainly in the channel.
        while let Some(outcome) = self.runs.try_join_next_with_id() {
            self.run_ended(outcome);
        }
        self.hear_reports();
    }

    fn hear_reports(&mut self) {
        while let Ok(report) = self.reports.try_recv() {
            self.ended.extend(report);
        }
    }

    fn run_ended(&mut self, outcome: Result<(tokio::task::Id, Ended), tokio::task::JoinError>) {
        self.look = true;
        self.changed = true;
        let (id, ended) = match outcome {
            Ok((id, ended)) => (id, Some(ended)),
            Err(error) => {
                self.give_up(error.id());
                (error.id(), None)
            }
        };
        let at = self.moment();
        if ended.as_ref().is_some_and(|ended| ended.unread) {
            self.rest_until = at.elapsed + STORE_PAUSE;
        }
        if let Some((way, epoch)) = self.under_way.remove(&id) {
            self.news |= self.ways[way].end(epoch, ended, at);
        }
    }

    /// A run panicked: what it had begun may have been sent, the rest was not.
    fn give_up(&mut self, run: tokio::task::Id) {
        tracing::error!("a run of the courier failed: it panicked");
        self.hear_reports();
        let world = &self.shared.world;
        for held in self.held.values().filter(|held| held.run == run) {
            let reported = |ended: &Completion| ended.claim == held.claim;
            if !self.ended.iter().any(reported) {
                let begun = held.nth < held.hold.begun.load(Ordering::Relaxed);
                let name = self.ways[held.way].name();
                self.ended
                    .push(due::given_up(world, name, held.claim, begun));
            }
        }
    }

    /// What each way has room for: nothing while we stop.
    fn wants(&mut self, at: Moment) -> Vec<(usize, Want)> {
        if !self.is_working() || at.elapsed < self.rest_until {
            return Vec::new();
        }
        let shut = self.ways[0].is_shut(at);
        let open = if shut { self.ways.len() } else { 1 };
        let ways = self.ways.iter_mut().take(open).enumerate();
        ways.map(|(nth, way)| (nth, way.want(at)))
            .filter(|(_, want)| want.limit > 0)
            .collect()
    }

    /// One transaction, if there is anything to write.
    async fn turn(&mut self) -> Result<(), Error> {
        let at = self.moment();
        let mut wants = self.wants(at);
        if self.look && !wants.is_empty() {
            self.look = false;
            // What is read now has all that was woken for so far, our own commits included.
            self.outbox.count();
            let only = self.shared.settings.only;
            let fallback = wants.iter().any(|(_, want)| want.undoubted_only);
            let store = &self.shared.store;
            let due = store.read(|snapshot| Due::read(snapshot, only, fallback));
            self.due = due.await.inspect_err(|_| self.look = true)?;
        }
        wants.retain(|(_, want)| self.due.first(want).is_some_and(|due| due <= at.now));
        // Before anything is claimed: a clock that was set forward makes our own mails due.
        let renews = self.over(at.now) || self.renewal().is_some_and(|then| then <= at.elapsed);
        if self.ended.is_empty() && wants.is_empty() && !renews {
            return Ok(());
        }
        let ended: Arc<[Completion]> = std::mem::take(&mut self.ended).into();
        let done = self.commit(&ended, wants, renews, at).await;
        let (counted, claims) = match done {
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
        self.settle(&ended, at);
        let until = at.now + self.shared.settings.lease;
        if renews {
            self.renewed = self.shared.world.elapsed();
            for held in self.held.values() {
                held.hold.until.store(until.as_millis(), Ordering::Relaxed);
            }
        }
        for (way, claims) in claims {
            self.send_off(way, claims, until);
        }
        Ok(())
    }

    /// Writes down what ended and claims what is wanted.
    async fn commit(
        &mut self,
        ended: &Arc<[Completion]>,
        wants: Vec<(usize, Want)>,
        renews: bool,
        at: Moment,
    ) -> Result<(usize, Vec<(usize, Vec<Claim>)>), Error> {
        let (now, lease) = (at.now, self.shared.settings.lease);
        let until = now + lease;
        let only = self.shared.settings.only;
        let fallback = self.ways.len() > 1 && self.ways[0].is_shut(at);
        let entries: Vec<budget::Entry> = self
            .ways
            .iter_mut()
            .filter_map(|way| {
                let charged = due::charged(ended, way.name());
                way.purse.entry(way.name(), charged, at)
            })
            .collect();
        let renewed: Vec<Claim> = if renews {
            self.held.values().map(|held| held.claim).collect()
        } else {
            Vec::new()
        };
        let ended = ended.clone();
        let work = move |tx: &mut Tx<'_>| {
            let counted = if ended.is_empty() {
                0
            } else {
                outbox::complete(tx, now, &ended)?
            };
            for entry in &entries {
                entry.write(tx);
            }
            if !renewed.is_empty() {
                outbox::renew(tx, &renewed, until)?;
            }
            let mut claims = Vec::with_capacity(wants.len());
            for (way, want) in &wants {
                let claimed = match only {
                    None => outbox::claim(tx, now, lease, *want)?,
                    Some(id) => outbox::claim_one(tx, now, lease, id)?.into_iter().collect(),
                };
                claims.push((*way, claimed));
            }
            Ok::<_, Error>((counted, claims, Due::read(tx, only, fallback)?))
        };
        let (counted, claims, due) = self.shared.store.write(work).await?;
        self.due = due;
        Ok((counted, claims))
    }

    /// Takes off the books what has been written down.
    fn settle(&mut self, ended: &[Completion], at: Moment) {
        if ended.is_empty() {
            return;
        }
        self.changed = true;
        for completion in ended {
            let claim = completion.claim;
            if let Entry::Occupied(held) = self.held.entry(claim.id)
                && held.get().claim.number == claim.number
            {
                let purse = &mut self.ways[held.remove().way].purse;
                match &completion.attempt {
                    Some(_) => purse.settle(1, 0, at),
                    None => purse.came_back(1),
                }
            }
        }
        for way in &mut self.ways {
            let charged = due::charged(ended, way.name());
            way.purse.settle(0, charged, at);
        }
        let board = &self.shared.board;
        board.count(|tally, minutes| due::count(ended, tally, minutes));
    }

    /// Whether the lease of a mail that is on its way is over at `now`.
    fn over(&self, now: Timestamp) -> bool {
        let mut ends = self.held.values().map(|held| &held.hold.until);
        ends.any(|until| until.load(Ordering::Relaxed) <= now.as_millis())
    }

    /// When leases have to be renewed.
    fn renewal(&self) -> Option<Duration> {
        (!self.held.is_empty()).then(|| self.renewed + self.shared.settings.lease / 3)
    }

    /// Spreads the claims over runs, in turn, so that the order is kept as far as several
    /// connections can keep one.
    fn send_off(&mut self, nth_way: usize, claims: Vec<Claim>, until: Timestamp) {
        if claims.is_empty() {
            return;
        }
        if self.held.is_empty() {
            self.renewed = self.shared.world.elapsed();
        }
        self.changed = true;
        let at = self.moment();
        let way = &mut self.ways[nth_way];
        self.news |= way.machine.is_down();
        let most = way.idle().max(1);
        let runs = claims.len().div_ceil(way.per_run()).clamp(1, most);
        let mut parts = vec![Vec::new(); runs];
        for (nth, claim) in claims.into_iter().enumerate() {
            parts[nth % runs].push(claim);
        }
        for claims in parts {
            let (connection, epoch) = way.begin(claims.len(), at);
            let hold = Arc::new(Hold {
                until: AtomicI64::new(until.as_millis()),
                begun: AtomicUsize::new(0),
            });
            let run = Run {
                shared: self.shared.clone(),
                out: way.out.clone(),
                claims: claims.clone(),
                hold: hold.clone(),
                connection,
                reports: self.reporter.clone(),
                phase: self.phase.clone(),
            };
            let run = self.runs.spawn(run.go()).id();
            self.under_way.insert(run, (nth_way, epoch));
            for (nth, claim) in claims.into_iter().enumerate() {
                let held = Held {
                    claim,
                    hold: hold.clone(),
                    nth,
                    run,
                    way: nth_way,
                };
                self.held.insert(claim.id, held);
            }
        }
    }
}
