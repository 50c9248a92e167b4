//! What the dispatcher does between two turns: it shows how the routes are and sleeps until there
//! is something to do.

use std::time::Duration;

use super::{Dispatch, STORE_PAUSE};
use crate::events::Topic;
use crate::mail::courier::way::Way;
use crate::mail::courier::{Phase, cut};
use crate::mail::kind::Lane;

/// The wall clock may be set while we sleep until a moment on it.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Numbers on the board are this old at most, and watchers are woken for them no more often.
const SHOW_EVERY: Duration = Duration::from_secs(1);

impl Dispatch {
    /// Puts on the board what has changed: news at once, numbers now and then.
    pub(super) fn show(&mut self) {
        let at = self.moment();
        let numbers = self.changed && at.elapsed >= self.shown + SHOW_EVERY;
        if !self.news && !numbers {
            return;
        }
        let ways = self.ways.iter_mut();
        let routes = ways.map(|way| way.status(at)).collect();
        self.shared.board.show(routes);
        self.shared.events.wake(Topic::Routes);
        (self.news, self.changed, self.shown) = (false, false, at.elapsed);
    }

    /// How long there is nothing to do, unless something happens. `None`: until then.
    fn nap(&mut self) -> Option<Duration> {
        let at = self.moment();
        let mut naps = Vec::new();
        if self.is_working() && at.elapsed < self.rest_until {
            naps.push(self.rest_until - at.elapsed);
        } else {
            let wants = self.wants(at);
            if self.look && !wants.is_empty() {
                return Some(Duration::ZERO);
            }
            let due = wants.iter().filter_map(|(_, want)| self.due.first(want));
            naps.extend(due.map(|due| due.since(at.now).min(LONGEST_SLEEP)));
            if self.is_working() {
                for lane in Lane::ALL {
                    let rests = self.ways.iter_mut().filter_map(|way| way.rests(lane, at));
                    let waits = self.look || self.due.of(lane).is_some();
                    naps.extend(rests.filter(|_| waits).map(|rest| rest.min(LONGEST_SLEEP)));
                }
            }
        }
        if let Some(renewal) = self.renewal() {
            naps.push(renewal.saturating_sub(at.elapsed));
        }
        if self.changed {
            naps.push((self.shown + SHOW_EVERY).saturating_sub(at.elapsed));
        }
        let closing = self.ways.iter().filter_map(Way::closes_at);
        naps.extend(closing.map(|then| then.saturating_sub(at.elapsed)));
        naps.into_iter().min()
    }

    /// Sleeps until there is something to do.
    pub(super) async fn wait(&mut self) {
        let world = self.shared.world.clone();
        let nap = self.nap();
        if nap == Some(Duration::ZERO) && self.look {
            return;
        }
        let nap = async {
            match nap {
                Some(nap) => world.sleep(nap).await,
                None => std::future::pending().await,
            }
        };
        let working = self.is_working();
        let idle = self.ways.iter().any(|way| way.idle() > 0);
        let phase = *self.phase.borrow_and_update();
        if phase != Phase::Working && self.runs.is_empty() {
            // It changed during the last turn; nothing would wake us any more.
            return;
        }
        tokio::select! {
            biased;
            Some(report) = self.reports.recv() => self.ended.extend(report),
            Some(outcome) = self.runs.join_next_with_id() => self.run_ended(outcome),
            () = self.switches.changed() => self.switched = true,
            () = self.outbox.changed(), if idle && working => self.look = true,
            // An error means that nobody can stop us any more but by dropping us.
            changed = self.phase.changed(), if phase != Phase::Cut => {
                if changed.is_err() {
                    std::future::pending::<()>().await;
                }
            }
            () = nap => {}
        }
        let elapsed = world.elapsed();
        for way in &mut self.ways {
            way.close_idle(elapsed);
        }
    }

    pub(super) async fn pause(&mut self) {
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
