//! What waits in the outbox, as far as the dispatcher has to know, and what ended there: questions
//! about rows and completions that need no dispatcher to be answered.

use super::run;
use crate::mail::attempt::{Attempt, Outcome, Stage};
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::mail::outbox::{self, Charge, Claim, Completion, Want};
use crate::mail::route::{RouteName, Tally};
use crate::minutes::Minutes;
use crate::store::{Error, Read};
use crate::world::{Timestamp, World};

/// When the next mail is due.
#[derive(Debug, Clone, Copy, Default)]
pub struct Due {
    /// By the number of the lane.
    first: [Option<Timestamp>; Lane::ALL.len()],
    /// The first prompt one that may take the fallback; not asked for while none may.
    undoubted: Option<Timestamp>,
}

impl Due {
    /// Reads it, or that of the `only` mail that matters; with `fallback` that one's as well.
    pub fn read(read: &impl Read, only: Option<OutboxId>, fallback: bool) -> Result<Due, Error> {
        let mut due = Due::default();
        let Some(id) = only else {
            for lane in Lane::ALL {
                due.first[lane as usize] = outbox::next_in(read, lane)?;
            }
            if fallback {
                due.undoubted = outbox::next_undoubted(read, Lane::Prompt)?;
            }
            return Ok(due);
        };
        if let Some(row) = outbox::get(read, id)? {
            due.first[row.lane() as usize] = row.due_at;
            if row.lane() == Lane::Prompt {
                due.undoubted = row.due_at.filter(|_| !row.doubtful);
            }
        }
        Ok(due)
    }

    /// When the first mail of `lane` is.
    pub fn of(&self, lane: Lane) -> Option<Timestamp> {
        self.first[lane as usize]
    }

    /// When the first mail is that is wanted.
    pub fn first(&self, want: &Want) -> Option<Timestamp> {
        let prompt = match want.undoubted_only {
            true => self.undoubted,
            false => self.of(Lane::Prompt),
        };
        let prompt = prompt.filter(|_| want.limit > 0);
        let others = [Lane::High, Lane::Ordinary].into_iter();
        let others = others.filter_map(|lane| self.of(lane).filter(|_| want.ordinary > 0));
        prompt.into_iter().chain(others).min()
    }
}

/// How many of these mails the server of `route` took or may have taken.
pub fn charged(ended: &[Completion], route: RouteName) -> u32 {
    let attempts = ended.iter().filter_map(|ended| ended.attempt.as_ref());
    let charged = attempts.filter(|attempt| {
        attempt.route == Some(route)
            && matches!(
                attempt.outcome,
                Outcome::Accepted | Outcome::Uncertain | Outcome::Lost
            )
    });
    u32::try_from(charged.count()).unwrap_or(u32::MAX)
}

/// Counts how these ended.
pub fn count(ended: &[Completion], tally: &mut Tally, minutes: &Minutes<2>) {
    for completion in ended {
        let Some(attempt) = &completion.attempt else {
            continue;
        };
        if let Some(route) = attempt.route {
            tally.attempted(route, attempt.outcome);
        }
        match attempt.outcome {
            Outcome::Accepted => minutes.count(attempt.ended_at, 0),
            // Nothing was tried.
            Outcome::Lapsed => {}
            _ => minutes.count(attempt.ended_at, 1),
        }
        if attempt.outcome == Outcome::Accepted {
            let claim = &completion.claim;
            tally.sent(claim.lane, attempt.ended_at.since(claim.since));
        }
    }
}

/// What becomes of a mail whose run panicked: one that it had begun may have been sent.
pub fn given_up(world: &World, route: RouteName, claim: Claim, begun: bool) -> Completion {
    let now = world.now();
    let attempt = begun.then(|| Attempt {
        started_at: now,
        ended_at: now,
        stage: Stage::Claim,
        outcome: Outcome::Lost,
        code: None,
        reply: b"gatepost failed while it had this mail; it may have been sent".to_vec(),
        transcript: Vec::new(),
        route: Some(route),
        rule: None,
    });
    let retry_at = attempt
        .as_ref()
        .and_then(|attempt| run::retry_at(world, &claim, attempt));
    Completion {
        claim,
        charge: if begun { Charge::Try } else { Charge::None },
        attempt,
        retry_at,
    }
}
