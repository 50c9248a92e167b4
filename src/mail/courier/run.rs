//! One run: a few mails, one after another, over one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::{Phase, Shared, cut};
use crate::mail::attempt::{Attempt, Outcome, Stage};
use crate::mail::letter::Parcel;
use crate::mail::outbox::{self, Charge, Claim, Completion};
use crate::mail::plan;
use crate::mail::relay::{Accepted, Connection, Failure};
use crate::store::Error;
use crate::world::Timestamp;

/// Completions are reported when there are this many of them …
const REPORT_AT: usize = 16;

/// … or when the first of them is this old: few transactions, and yet nobody waits for the news.
const REPORT_AFTER: Duration = Duration::from_millis(20);

/// The end of a lease that is renewed while a run goes on, in milliseconds as [`Timestamp`]s are.
pub type Until = Arc<AtomicI64>;

/// What a run begins with.
pub struct Run {
    pub shared: Arc<Shared>,
    pub claims: Vec<Claim>,
    pub until: Until,
    pub connection: Option<Connection>,
    pub reports: mpsc::UnboundedSender<Vec<Completion>>,
    pub phase: watch::Receiver<Phase>,
}

/// What a run ends with.
pub struct Ended {
    /// The connection, if it can be used again.
    pub connection: Option<Connection>,
    /// Whether the route, rather than a mail, failed.
    pub route_failed: bool,
    /// How many mails were tried, and how long that took.
    pub tried: u32,
    pub took: Duration,
}

impl Run {
    /// Tries every mail once; what is not tried is given back.
    pub async fn go(mut self) -> Ended {
        let began = self.shared.world.elapsed();
        let claims = std::mem::take(&mut self.claims);
        let ids: Vec<_> = claims.iter().map(|claim| claim.id).collect();
        let bodies = self
            .shared
            .store
            .read(|snapshot| {
                ids.iter()
                    .map(|id| outbox::body(snapshot, *id))
                    .collect::<Result<Vec<_>, Error>>()
            })
            .await;
        let mut done = Vec::new();
        let mut ended = Ended {
            connection: None,
            route_failed: false,
            tried: 0,
            took: Duration::ZERO,
        };
        let bodies = bodies.unwrap_or_else(|error| {
            tracing::error!(%error, "queued mails cannot be read; they are tried again");
            // Not the relay's fault, but a rest is right all the same.
            ended.route_failed = true;
            vec![None; claims.len()]
        });
        let (reports, world) = (self.reports.clone(), self.shared.world.clone());
        let mut reported = began;
        for (claim, body) in claims.into_iter().zip(bodies) {
            let go_on = !ended.route_failed && *self.phase.borrow() == Phase::Working;
            let attempt = if go_on {
                ended.tried += 1;
                let attempt = self.attempt(&claim, body, &mut ended.route_failed);
                tokio::pin!(attempt);
                let patience = (reported + REPORT_AFTER).saturating_sub(world.elapsed());
                let in_time = match done.is_empty() {
                    true => None,
                    false => world.timeout(patience, &mut attempt).await.ok(),
                };
                match in_time {
                    Some(attempt) => attempt,
                    None => {
                        // It may take minutes: what was sent before it must not wait to be
                        // written down, or a kill sends it again.
                        report(&reports, &mut done);
                        attempt.await
                    }
                }
            } else {
                None
            };
            done.push(self.completion(claim, attempt));
            let now = world.elapsed();
            if done.len() >= REPORT_AT || now.saturating_sub(reported) >= REPORT_AFTER {
                reported = now;
                report(&reports, &mut done);
            }
        }
        report(&reports, &mut done);
        ended.took = self.shared.world.elapsed().saturating_sub(began);
        let most = self.shared.settings.mails_per_connection;
        ended.connection = self.connection.take().filter(Connection::is_usable);
        if let Some(spent) = ended.connection.take_if(|used| used.delivered() >= most) {
            spent.quit().await;
        }
        ended
    }

    fn completion(&self, claim: Claim, attempt: Option<Attempt>) -> Completion {
        let world = &self.shared.world;
        let retry_at = attempt.as_ref().and_then(|attempt| {
            let chance = match attempt.outcome {
                Outcome::Accepted => return None,
                _ => u32::from_le_bytes(world.bytes()),
            };
            let now = attempt.ended_at;
            plan::next_try(claim.lane, claim.tries + 1, now, claim.expires_at, chance)
        });
        Completion {
            claim,
            attempt,
            charge: Charge::Try,
            retry_at,
        }
    }

    /// Tries one mail; `None` when it was not tried and is to be given back as it came.
    async fn attempt(
        &mut self,
        claim: &Claim,
        body: Option<Vec<u8>>,
        route_failed: &mut bool,
    ) -> Option<Attempt> {
        let world = self.shared.world.clone();
        let started_at = world.now();
        let parcel = body.and_then(|sealed| {
            // Both faults say the same to the operator: the body is not to be had.
            Parcel::open(&self.shared.keys, claim.id, &sealed).ok()
        });
        let outcome = match parcel {
            None => Err(Failure::of(
                Stage::Claim,
                Outcome::Permanent,
                "the queued message cannot be opened: was secret.key replaced?",
            )),
            Some(_) if !self.holds() => return None,
            Some(parcel) => {
                let cut = cut(self.phase.clone());
                tokio::select! {
                    biased;
                    outcome = self.deliver(claim, &parcel) => outcome,
                    () = cut => Err(self.cut_off()?),
                }
            }
        };
        if let Err(failure) = &outcome {
            if failure.outcome == Outcome::Lapsed && world.now() < claim.expires_at {
                // Not the mail's time went by, the lease's did: whoever has it next may send it.
                return None;
            }
            *route_failed |= failure.is_of_the_route() && failure.stage != Stage::Claim;
            tracing::warn!(mail = %claim.id, outcome = ?failure.outcome, "{failure}");
        }
        Some(attempt_of(started_at, world.now(), outcome))
    }

    /// Whether the mail is still ours.
    fn holds(&self) -> bool {
        let now = self.shared.world.now();
        now < Timestamp::from_millis(self.until.load(Ordering::Relaxed))
    }

    /// The delivery was dropped where it stood: what that means for the mail. `None`: nothing.
    fn cut_off(&mut self) -> Option<Failure> {
        let connection = self.connection.take()?;
        connection.is_uncertain().then(|| {
            Failure::of(
                Stage::FinalReply,
                Outcome::Uncertain,
                "gatepost was stopped before the server answered",
            )
        })
    }

    async fn deliver(&mut self, claim: &Claim, parcel: &Parcel) -> Result<Accepted, Failure> {
        let outcome = self.deliver_once(claim, parcel).await;
        match outcome {
            // A server may close a connection that idled (RFC 5321, 3.8): once more, on a new one.
            Err((failure, true))
                if failure.stage == Stage::MailFrom
                    && (failure.outcome == Outcome::Connection || failure.code == Some(421)) =>
            {
                self.deliver_once(claim, parcel).await
            }
            other => other,
        }
        .map_err(|(failure, _)| failure)
    }

    /// Also says whether the connection had been used before.
    async fn deliver_once(
        &mut self,
        claim: &Claim,
        parcel: &Parcel,
    ) -> Result<Accepted, (Failure, bool)> {
        if self.connection.as_ref().is_some_and(|c| !c.is_usable()) {
            self.connection = None;
        }
        let used = self.connection.is_some();
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let connection = self.shared.relay.connect().await;
                none.insert(connection.map_err(|failure| (failure, used))?)
            }
        };
        let (world, until) = (&self.shared.world, &self.until);
        let go_on = || {
            let now = world.now();
            now < claim.expires_at && now.as_millis() < until.load(Ordering::Relaxed)
        };
        let outcome = connection.deliver(parcel, go_on).await;
        if !connection.is_usable() {
            self.connection = None;
        }
        outcome.map_err(|failure| (failure, used))
    }
}

fn report(reports: &mpsc::UnboundedSender<Vec<Completion>>, done: &mut Vec<Completion>) {
    if !done.is_empty() {
        // An error means that the dispatcher is gone, and with it everything.
        let _ = reports.send(std::mem::take(done));
    }
}

fn attempt_of(
    started_at: Timestamp,
    ended_at: Timestamp,
    outcome: Result<Accepted, Failure>,
) -> Attempt {
    match outcome {
        Ok(accepted) => Attempt {
            started_at,
            ended_at,
            stage: Stage::FinalReply,
            outcome: Outcome::Accepted,
            code: Some(accepted.code),
            reply: accepted.reply,
            transcript: accepted.transcript,
            route: None,
            rule: None,
        },
        Err(failure) => Attempt {
            started_at,
            ended_at,
            stage: failure.stage,
            outcome: failure.outcome,
            code: failure.code,
            reply: failure.reply,
            transcript: failure.transcript,
            route: None,
            rule: failure.rule.map(|rule| rule.id.clone()),
        },
    }
}
