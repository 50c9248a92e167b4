//! The courier: waits for mail that is due, claims it, has the relay deliver it and writes down
//! what came of it. How SMTP is spoken is the relay's business, what the tables look like the
//! outbox's.
//!
//! One [`dispatch`] task does all transactions, so that a burst costs few of them; each [`run`]
//! takes a few mails over one connection and hands the connection back for the next. What is known
//! of a route while the courier works (its connections, breaker, budget) is its [`way`].
//!
//! All mail takes the primary route. Codes and links take the fallback, where there is one, while
//! the primary is open, paused or has used up its day; a mail that may have arrived never does.

mod dispatch;
mod due;
mod run;
mod suspects;
mod way;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::letter::OutboxId;
use super::relay::Relay;
use super::route::{Board, Limits};
use crate::address::EmailAddress;
use crate::events::Events;
use crate::secret::Keys;
use crate::store::Store;
use crate::world::World;

/// How mail is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a mail stays with a courier that is not heard of; renewed while it is.
    pub lease: Duration,
    /// The one mail that this courier is there for; it leaves all others alone. `None`: it is
    /// there for all.
    pub only: Option<OutboxId>,
    /// Who mails come from now. Those that were written when somebody else was set are sent as
    /// they are; should a server refuse that sender, it is their fault and not the route's.
    pub sender: EmailAddress,
}

/// A way out, and how it is used.
#[derive(Debug, Clone)]
pub struct Route {
    /// Who delivers.
    pub relay: Relay,
    /// How many connections may be open at once.
    pub connections: usize,
    /// How long a connection is kept open without a mail.
    pub idle: Duration,
    /// After how many mails a connection is closed.
    pub mails_per_connection: u32,
    /// How much may be sent.
    pub limits: Limits,
    /// Whether it leads to gatepost's own inbox and nowhere else.
    pub captures: bool,
}

/// The ways out.
#[derive(Debug, Clone)]
pub struct Routes {
    /// The one that all mail takes.
    pub primary: Route,
    /// The one for codes and links while the primary cannot take them.
    pub fallback: Option<Route>,
}

/// Whether to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    /// As usual.
    Working,
    /// Finish the mail at hand, begin no other.
    Finishing,
    /// Drop everything.
    Cut,
}

/// Completes when everything is to be dropped.
async fn cut(mut phase: watch::Receiver<Phase>) {
    if phase.wait_for(|phase| *phase == Phase::Cut).await.is_err() {
        // Nobody can say so any more; whoever dropped the courier aborts its tasks.
        std::future::pending::<()>().await;
    }
}

/// What all parts of a courier share.
struct Shared {
    settings: Settings,
    board: Board,
    store: Store,
    events: Events,
    keys: Keys,
    world: World,
}

/// A courier at work. It stops at once, without a word to the store, when this is dropped: what
/// it held is claimed again by the next one that starts.
#[derive(Debug)]
pub struct Courier {
    phase: watch::Sender<Phase>,
    task: JoinHandle<()>,
    world: World,
}

impl Courier {
    /// Starts one. Unless it is there for one mail [`only`](Settings::only), it begins by taking
    /// back what a courier before it had on its way: that one is dead, since there is one courier
    /// to a store. What it knows of the routes stands on the `board` from then on. Needs a tokio
    /// runtime.
    pub fn start(
        settings: Settings,
        routes: Routes,
        board: Board,
        store: Store,
        events: Events,
        keys: Keys,
        world: World,
    ) -> Courier {
        let (phase, watched) = watch::channel(Phase::Working);
        let shared = Arc::new(Shared {
            settings,
            board,
            store,
            events,
            keys,
            world: world.clone(),
        });
        let task = tokio::spawn(dispatch::Dispatch::new(shared, routes, watched).work());
        Courier { phase, task, world }
    }

    /// Completes when the courier has ended although nobody told it to, which is a defect.
    pub async fn ended(&mut self) {
        if !self.task.is_finished() {
            // Why is said by the panic itself; here it matters only that nothing is sent any more.
            let _ = (&mut self.task).await;
        }
    }

    /// As if its task had panicked.
    #[cfg(test)]
    pub(crate) fn break_down(&self) {
        self.task.abort();
    }

    /// Stops: mails that are on their way are finished within `grace`, the others given back.
    /// What is then still under way is cut off; it is tried again after the next start.
    pub async fn stop(mut self, grace: Duration) {
        if self.task.is_finished() {
            return;
        }
        // An error means that the task is gone already.
        let _ = self.phase.send(Phase::Finishing);
        let world = self.world.clone();
        if world.timeout(grace, &mut self.task).await.is_ok() {
            return;
        }
        let _ = self.phase.send(Phase::Cut);
        // One last transaction, unless the store hangs.
        let _ = world.timeout(Duration::from_secs(5), &mut self.task).await;
    }
}

impl Drop for Courier {
    fn drop(&mut self) {
        self.task.abort();
    }
}
