//! A hand that does what a courier does, one step at a time, and puts a mail into every situation
//! that there is.

use std::time::Duration;

use gatepost::audit;
use gatepost::mail::attempt::{Attempt, Outcome, Stage};
use gatepost::mail::outbox::{self, Charge, Claim, Completion, Conflict, Row, Shelved};
use gatepost::mail::route::RouteName;
use gatepost::mail::{Letter, Occasion, OutboxId};
use gatepost::store::page::Ask;
use gatepost::store::{Error, Tx};
use gatepost::world::Timestamp;

use crate::courier_post::{LEASE, LIFETIME, Post};

pub const SECOND: Duration = Duration::from_secs(1);
pub const DAY: Duration = Duration::from_secs(86_400);

/// What an operator does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Retry,
    Requeue,
    Discard,
    Undo,
}

pub const ACTS: [Act; 4] = [Act::Retry, Act::Requeue, Act::Discard, Act::Undo];

/// How a mail may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Queued,
    SetBack,
    Doubtful,
    Late,
    Sending,
    Sent,
    Uncertain,
    DeadCode,
    DeadLapsedCode,
    DeadNotice,
    DeadWiped,
    Expired,
    Discarded,
    DiscardedLongAgo,
    DeadDiscarded,
    Replaced,
    Shelved,
}

pub fn attempt(outcome: Outcome, at: Timestamp) -> Attempt {
    Attempt {
        started_at: at,
        ended_at: at,
        stage: match outcome {
            Outcome::Uncertain | Outcome::Accepted => Stage::FinalReply,
            _ => Stage::RcptTo,
        },
        outcome,
        code: (outcome == Outcome::Permanent).then_some(550),
        reply: b"550 5.1.1 no such user\r\n".to_vec(),
        transcript: Vec::new(),
        route: Some(RouteName::Primary),
        rule: None,
    }
}

impl Post {
    pub fn now(&self) -> Timestamp {
        self.simulated.world().now()
    }

    /// A notice, which carries no code: nobody waits for it, and it is good for a day.
    pub fn notice(&self, to: &str) -> Letter {
        let at = self.now();
        self.letter(&Occasion::PasswordChanged { at }, to)
    }

    pub async fn write<T: Send + 'static>(
        &self,
        work: impl Fn(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> T {
        self.store.write(work).await.unwrap()
    }

    pub async fn put(&self, letter: Letter) -> OutboxId {
        let id = letter.id;
        self.enqueue(vec![letter]).await;
        id
    }

    pub async fn shelve(&self, letter: Letter) -> OutboxId {
        let id = letter.id;
        self.write(move |tx| outbox::shelve(tx, &letter, Shelved::UnknownAddress))
            .await;
        id
    }

    /// Claims the mail as a courier does, if it is due.
    pub async fn claim(&self, id: OutboxId) -> Option<Claim> {
        let now = self.now();
        self.write(move |tx| outbox::claim_one(tx, now, LEASE, id))
            .await
    }

    /// Completes a claim; whether it still held.
    pub async fn complete(
        &self,
        claim: Claim,
        outcome: Outcome,
        retry_at: Option<Timestamp>,
    ) -> bool {
        let now = self.now();
        let completion = Completion {
            claim,
            attempt: Some(attempt(outcome, now)),
            charge: Charge::Try,
            retry_at,
        };
        let complete =
            move |tx: &mut Tx<'_>| outbox::complete(tx, now, std::slice::from_ref(&completion));
        self.write(complete).await == 1
    }

    /// Claims and completes.
    pub async fn tried(&self, id: OutboxId, outcome: Outcome, retry_at: Option<Timestamp>) {
        let claim = self.claim(id).await.expect("it is due");
        assert!(self.complete(claim, outcome, retry_at).await);
    }

    pub async fn act(&self, act: Act, id: OutboxId) -> Result<Row, Conflict> {
        let now = self.now();
        self.write(move |tx| match act {
            Act::Retry => outbox::retry(tx, id, now),
            Act::Requeue => outbox::requeue(tx, id, now),
            Act::Discard => outbox::discard(tx, id, now),
            Act::Undo => outbox::undo(tx, id, now),
        })
        .await
    }

    /// A mail that stands so, to an address of its own.
    pub async fn standing(&self, standing: Standing) -> OutboxId {
        let to = format!("{standing:?}@example.org");
        let (code, _) = self.code(&to);
        let later = Some(self.now() + 60 * SECOND);
        match standing {
            Standing::Queued => self.put(code).await,
            Standing::SetBack => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Temporary, later).await;
                id
            }
            Standing::Doubtful => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Uncertain, later).await;
                id
            }
            Standing::Late => {
                let id = self.put(code).await;
                self.simulated.advance(LIFETIME);
                id
            }
            Standing::Sending => {
                let id = self.put(code).await;
                self.claim(id).await.unwrap();
                id
            }
            Standing::Sent => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Accepted, None).await;
                id
            }
            Standing::Uncertain => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Uncertain, None).await;
                id
            }
            Standing::DeadCode => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Permanent, None).await;
                id
            }
            Standing::DeadLapsedCode => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Permanent, None).await;
                self.simulated.advance(LIFETIME);
                id
            }
            Standing::DeadNotice | Standing::DeadWiped => {
                let id = self.put(self.notice(&to)).await;
                self.tried(id, Outcome::Permanent, None).await;
                if standing == Standing::DeadWiped {
                    self.simulated.advance(7 * DAY);
                }
                id
            }
            Standing::Expired => {
                let id = self.put(code).await;
                self.simulated.advance(LIFETIME);
                assert_eq!(self.claim(id).await, None);
                id
            }
            Standing::Discarded | Standing::DiscardedLongAgo => {
                let id = self.put(code).await;
                self.act(Act::Discard, id).await.unwrap();
                if standing == Standing::DiscardedLongAgo {
                    self.simulated.advance(30 * SECOND);
                }
                id
            }
            Standing::DeadDiscarded => {
                let id = self.put(code).await;
                self.tried(id, Outcome::Permanent, None).await;
                self.simulated.advance(SECOND);
                self.act(Act::Discard, id).await.unwrap();
                id
            }
            Standing::Replaced => {
                let id = self.put(code).await;
                self.put(self.code(&to).0).await;
                id
            }
            Standing::Shelved => self.shelve(code).await,
        }
    }

    /// What the audit record says of mails, the newest first: action, address and detail.
    pub async fn told(&self) -> Vec<(String, String, String)> {
        let page = self
            .store
            .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(10_000)));
        let entries = page.await.unwrap().items.into_iter();
        entries
            .map(|entry| {
                assert_eq!(entry.actor, "gatepost");
                (entry.action, entry.subject, entry.detail)
            })
            .collect()
    }
}
