//! One run: a few mails, one after another, over one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};

use super::suspects::Finding;
use super::way::Out;
use super::{Phase, Shared, cut};
use crate::mail::attempt::{Attempt, Outcome, Stage, text_of};
use crate::mail::letter::Parcel;
use crate::mail::outbox::{self, Charge, Claim, Completion};
use crate::mail::plan;
use crate::mail::relay::{Accepted, Connection, Failure};
use crate::mail::route::breaker::{Sign, Trouble};
use crate::mail::route::{LastError, RouteName};
use crate::store::Error;
use crate::world::{Timestamp, World};

/// Completions are reported when there are this many of them …
const REPORT_AT: usize = 16;

/// … or when the first of them is this old: few transactions, and yet nobody waits for the news.
const REPORT_AFTER: Duration = Duration::from_millis(20);

/// What a run and the dispatcher both look at while it goes on.
pub struct Hold {
    /// The end of its leases, which the dispatcher renews, in milliseconds as [`Timestamp`]s are.
    pub until: AtomicI64,
    /// How many of its mails it has begun.
    pub begun: AtomicUsize,
}

/// What a run begins with.
pub struct Run {
    pub shared: Arc<Shared>,
    pub out: Arc<Out>,
    pub claims: Vec<Claim>,
    pub hold: Arc<Hold>,
    pub connection: Option<Connection>,
    pub reports: mpsc::UnboundedSender<Vec<Completion>>,
    pub phase: watch::Receiver<Phase>,
}

/// What a run ends with.
#[derive(Default)]
pub struct Ended {
    /// The connection, if it can be used again.
    pub connection: Option<Connection>,
    /// Whether the server dealt with some mail.
    pub worked: bool,
    /// When it took the last mail that it took.
    pub accepted_at: Option<Timestamp>,
    /// How the route, rather than a mail, failed.
    pub trouble: Option<(Sign, LastError)>,
    /// Whether the store could not be read.
    pub unread: bool,
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
        let mut ended = Ended::default();
        let bodies = bodies.unwrap_or_else(|error| {
            tracing::error!(%error, "queued mails cannot be read; they are tried again");
            ended.unread = true;
            vec![None; claims.len()]
        });
        let (reports, world) = (self.reports.clone(), self.shared.world.clone());
        let hold = self.hold.clone();
        let mut reported = began;
        for (claim, body) in claims.into_iter().zip(bodies) {
            let failed = ended.unread || ended.trouble.is_some();
            let go_on = !failed && *self.phase.borrow() == Phase::Working;
            let tried = if go_on {
                hold.begun.fetch_add(1, Ordering::Relaxed);
                let attempt = self.attempt(&claim, body, &mut ended);
                tokio::pin!(attempt);
                let patience = (reported + REPORT_AFTER).saturating_sub(world.elapsed());
                let in_time = match done.is_empty() {
                    true => None,
                    false => world.timeout(patience, &mut attempt).await.ok(),
                };
                match in_time {
                    Some(tried) => tried,
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
            done.push(self.completion(claim, tried));
            let now = world.elapsed();
            if done.len() >= REPORT_AT || now.saturating_sub(reported) >= REPORT_AFTER {
                reported = now;
                report(&reports, &mut done);
            }
        }
        report(&reports, &mut done);
        ended.took = self.shared.world.elapsed().saturating_sub(began);
        let most = self.out.route.mails_per_connection;
        ended.connection = self.connection.take().filter(Connection::is_usable);
        if let Some(spent) = ended.connection.take_if(|used| used.delivered() >= most) {
            spent.quit().await;
        }
        ended
    }

    fn completion(&self, claim: Claim, tried: Option<(Attempt, Charge)>) -> Completion {
        let (attempt, charge) = tried.unzip();
        let charge = charge.unwrap_or(Charge::None);
        let retry_at = attempt
            .as_ref()
            .filter(|_| charge == Charge::Try)
            .and_then(|attempt| retry_at(&self.shared.world, &claim, attempt));
        Completion {
            claim,
            attempt,
            charge,
            retry_at,
        }
    }

    /// Tries one mail; `None` when it was not tried and is to be given back as it came.
    async fn attempt(
        &mut self,
        claim: &Claim,
        body: Option<Vec<u8>>,
        ended: &mut Ended,
    ) -> Option<(Attempt, Charge)> {
        let world = self.shared.world.clone();
        let started_at = world.now();
        let parcel = body.and_then(|sealed| {
            // Both faults say the same to the operator: the body is not to be had.
            Parcel::open(&self.shared.keys, claim.id, &sealed).ok()
        });
        let mut fresh = true;
        let current = self.shared.settings.sender.as_str();
        let outdated = parcel.as_ref().is_some_and(|mail| mail.from != current);
        let to = parcel.as_ref().map(|mail| mail.to.clone());
        let mut outcome = match parcel {
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
                    (outcome, on_fresh) = self.deliver(claim, &parcel) => {
                        fresh = on_fresh;
                        outcome
                    }
                    () = cut => {
                        let failure = self.cut_off()?;
                        let name = self.out.name;
                        let attempt = attempt_of(name, started_at, world.now(), Err(failure));
                        return Some((attempt, Charge::Try));
                    }
                }
            }
        };
        ended.tried += 1;
        if let Err(failure) = &mut outcome
            && outdated
            && failure.outcome == Outcome::Configuration
            && failure.stage >= Stage::MailFrom
        {
            // The operator has put the sender right since. Its bytes cannot change any more, and
            // it would be the one that probes the route, again and again.
            failure.outcome = Outcome::Permanent;
        }
        let mut charge = Charge::Try;
        match &mut outcome {
            Ok(_) => {
                self.out.suspects.accepted(claim.id);
                ended.worked = true;
                ended.accepted_at = Some(world.now());
            }
            Err(failure) => {
                if failure.outcome == Outcome::Lapsed && world.now() < claim.expires_at {
                    // Not the mail's time went by, the lease's did: whoever has it next may
                    // send it.
                    return None;
                }
                tracing::warn!(mail = %claim.id, route = %self.out.name, outcome = ?failure.outcome, "{failure}");
                let trouble = Trouble::of(failure, fresh);
                if failure.stage > Stage::MailFrom && failure.is_of_the_route() {
                    match self
                        .out
                        .suspects
                        .blamed(claim.id, to.as_deref().unwrap_or_default())
                    {
                        Finding::TheMail => {
                            // A limit passes, and a 4xx says so itself.
                            let permanent = failure.outcome == Outcome::Configuration
                                && failure.code.is_some_and(|code| code >= 500);
                            failure.outcome = match permanent {
                                true => Outcome::Permanent,
                                false => Outcome::Temporary,
                            };
                            ended.worked = true;
                        }
                        Finding::Unclear { again, behind } => {
                            let until = (world.now() + behind).min(claim.expires_at);
                            charge = Charge::Behind(until);
                            ended.trouble = trouble.map(|trouble| {
                                let sign = Sign::Blamed { trouble, again };
                                (sign, last_error(failure, world.now()))
                            });
                        }
                    }
                } else {
                    match trouble {
                        Some(trouble) => {
                            let error = last_error(failure, world.now());
                            ended.trouble = Some((Sign::Fails(trouble), error));
                        }
                        // The server said what it thinks of this mail.
                        None => ended.worked |= failure.code.is_some_and(|code| code != 421),
                    }
                    if failure.stage != Stage::Claim && failure.is_of_the_route() {
                        charge = Charge::None;
                    }
                }
            }
        }
        Some((
            attempt_of(self.out.name, started_at, world.now(), outcome),
            charge,
        ))
    }

    /// Whether the mail is still ours.
    fn holds(&self) -> bool {
        let now = self.shared.world.now();
        now < Timestamp::from_millis(self.hold.until.load(Ordering::Relaxed))
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

    /// Also says whether it ended on a new connection.
    async fn deliver(
        &mut self,
        claim: &Claim,
        parcel: &Parcel,
    ) -> (Result<Accepted, Failure>, bool) {
        let outcome = match self.deliver_once(claim, parcel).await {
            Err((failure, true)) if was_given_up(&failure) => {
                self.deliver_once(claim, parcel).await
            }
            other => other,
        };
        match outcome {
            Ok(accepted) => (Ok(accepted), false),
            Err((failure, used)) => (Err(failure), !used),
        }
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
                let connection = self.out.route.relay.connect().await;
                none.insert(connection.map_err(|failure| (failure, false))?)
            }
        };
        let (world, until) = (&self.shared.world, &self.hold.until);
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

/// Whether a connection that was used before has ended as a server may end one that idled
/// (RFC 5321, 3.8), before it had the message: then once more, on a new one.
fn was_given_up(failure: &Failure) -> bool {
    match failure.code {
        // One that states a limit is meant: coming back at once would make it worse.
        Some(421) => {
            (Stage::MailFrom..=Stage::Data).contains(&failure.stage) && !failure.is_of_the_route()
        }
        _ => failure.stage == Stage::MailFrom && failure.outcome == Outcome::Connection,
    }
}

/// When a mail is tried again after `attempt`, which is charged to it; `None`: not any more.
pub fn retry_at(world: &World, claim: &Claim, attempt: &Attempt) -> Option<Timestamp> {
    if attempt.outcome == Outcome::Accepted {
        return None;
    }
    let chance = u32::from_le_bytes(world.bytes());
    let now = attempt.ended_at;
    plan::next_try(claim.lane, claim.tries + 1, now, claim.expires_at, chance)
}

fn last_error(failure: &Failure, at: Timestamp) -> LastError {
    LastError {
        at,
        stage: failure.stage,
        code: failure.code,
        text: text_of(&failure.reply),
        rule: failure.rule.map(|rule| rule.id.clone()),
    }
}

fn report(reports: &mpsc::UnboundedSender<Vec<Completion>>, done: &mut Vec<Completion>) {
    if !done.is_empty() {
        // An error means that the dispatcher is gone, and with it everything.
        let _ = reports.send(std::mem::take(done));
    }
}

fn attempt_of(
    route: RouteName,
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
            route: Some(route),
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
            route: Some(route),
            rule: failure.rule.map(|rule| rule.id.clone()),
        },
    }
}
