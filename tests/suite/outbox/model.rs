//! Random histories: whatever is done in whatever order, the counters, the indexes, the bodies
//! and the audit record agree with the rows, and the rows with a small model of the rules.

use std::collections::BTreeMap;
use std::time::Duration;

use gatepost::address::LookupAddress;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::outbox::{self, Charge, Claim, Completion, Row, Shelved, State, Want};
use gatepost::mail::{Occasion, OutboxId};
use gatepost::store::{Error, Read, Table, Tx};
use gatepost::world::Timestamp;
use proptest::prelude::*;
use serde_bytes::ByteBuf;

use super::hand::{ACTS, Act, SECOND, attempt};
use crate::courier_post::{LEASE, Post};

const ROWS: Table<OutboxId, Row> = Table::new("outbox.row");
const BODIES: Table<OutboxId, ByteBuf> = Table::new("outbox.body");
const DUE: Table<(u8, Timestamp, OutboxId), ()> = Table::new("outbox.due");
const BY_STATE: Table<(u8, OutboxId), ()> = Table::new("outbox.by_state");
const BY_ADDRESS: Table<(LookupAddress, OutboxId), ()> = Table::new("outbox.by_address");
const EXPIRES: Table<(Timestamp, OutboxId), ()> = Table::new("outbox.expires");
const LATEST: Table<(LookupAddress, u8), OutboxId> = Table::new("outbox.latest");
const WIPE: Table<(Timestamp, OutboxId), ()> = Table::new("outbox.wipe");

/// One thing that is done.
#[derive(Debug, Clone)]
enum Step {
    Code(u8),
    Notice(u8),
    Shelve(u8),
    Claim(usize),
    /// A claim of the past, whether or not it still holds, and how it ended.
    Complete(usize, u8, bool),
    Act(u8, usize),
    Wait(u32),
    Tidy(bool),
    Revoke,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_u8).prop_map(Step::Code),
        2 => (0..3_u8).prop_map(Step::Notice),
        1 => (0..3_u8).prop_map(Step::Shelve),
        5 => (1..4_usize).prop_map(Step::Claim),
        6 => (any::<usize>(), 0..8_u8, any::<bool>()).prop_map(|(n, o, r)| Step::Complete(n, o, r)),
        6 => (0..4_u8, any::<usize>()).prop_map(|(act, n)| Step::Act(act, n)),
        4 => prop_oneof![1..40_u32, 600..700_u32, Just(90_000_u32), Just(700_000_u32)]
            .prop_map(Step::Wait),
        2 => any::<bool>().prop_map(Step::Tidy),
        1 => Just(Step::Revoke),
    ]
}

const OUTCOMES: [Outcome; 8] = [
    Outcome::Accepted,
    Outcome::Temporary,
    Outcome::Permanent,
    Outcome::Connection,
    Outcome::Configuration,
    Outcome::Limited,
    Outcome::Uncertain,
    Outcome::Lapsed,
];

/// What is remembered beside the store.
#[derive(Default)]
struct Model {
    ids: Vec<OutboxId>,
    claims: Vec<Claim>,
    /// The state of every row as it was last seen, and how often each reached an end.
    states: BTreeMap<OutboxId, (State, bool)>,
    ends: usize,
}

impl Model {
    /// Does one step.
    async fn take(&mut self, post: &Post, step: &Step) {
        let now = post.now();
        match *step {
            Step::Code(to) => {
                let (letter, _) = post.code(&format!("u{to}@example.org"));
                self.ids.push(post.put(letter).await);
            }
            Step::Notice(to) => {
                let letter = post.notice(&format!("u{to}@example.org"));
                self.ids.push(post.put(letter).await);
            }
            Step::Shelve(to) => {
                let letter =
                    post.letter(&Occasion::AlreadyRegistered, &format!("u{to}@example.org"));
                self.ids.push(post.shelve(letter).await);
            }
            Step::Claim(limit) => {
                let claim = move |tx: &mut Tx<'_>| outbox::claim(tx, now, LEASE, Want::any(limit));
                let claims = post.write(claim).await;
                for claim in &claims {
                    assert!(claim.expires_at > now, "a lapsed mail was claimed");
                    assert!(post.has_body(claim.id).await, "a claim without a body");
                }
                self.claims.extend(claims);
            }
            Step::Complete(nth, outcome, charged) => {
                if self.claims.is_empty() {
                    return;
                }
                let claim = self.claims[nth % self.claims.len()];
                let before = post.store.read(|read| outbox::get(read, claim.id)).await;
                let before = before.unwrap();
                let holds = before
                    .as_ref()
                    .is_some_and(|row| row.state == State::Sending && row.claim == claim.number);
                let completion = Completion {
                    claim,
                    attempt: Some(attempt(OUTCOMES[usize::from(outcome)], now)),
                    charge: if charged { Charge::Try } else { Charge::None },
                    retry_at: Some(now + 5 * SECOND).filter(|at| *at < claim.expires_at),
                };
                let counted = post
                    .write(move |tx| outbox::complete(tx, now, std::slice::from_ref(&completion)))
                    .await;
                assert_eq!(counted == 1, holds, "the fence");
                let after = post.store.read(|read| outbox::get(read, claim.id)).await;
                assert!(
                    holds || after.unwrap() == before,
                    "a late courier changed a row"
                );
            }
            Step::Act(act, nth) => {
                if self.ids.is_empty() {
                    return;
                }
                let id = self.ids[nth % self.ids.len()];
                let row = post.store.read(|read| outbox::get(read, id)).await.unwrap();
                let act = ACTS[usize::from(act)];
                let done = post.act(act, id).await;
                let Some(row) = row else {
                    assert_eq!(done, Err(outbox::Conflict::Unknown));
                    return;
                };
                let followed = followed(post, id, &row).await;
                assert_eq!(
                    done.is_ok(),
                    may(act, &row, followed, now),
                    "{act:?} {row:?}: {done:?}"
                );
            }
            Step::Wait(seconds) => {
                post.simulated
                    .advance(Duration::from_secs(u64::from(seconds)));
            }
            Step::Tidy(forgets) => {
                let oldest = forgets.then(|| now.minus(Duration::from_secs(3600)));
                post.tidied(oldest, 3).await;
            }
            Step::Revoke => {
                post.write(move |tx| outbox::revoke(tx, now)).await;
            }
        }
        // Nothing happens twice at one moment: two ends of one mail are two entries.
        post.simulated.advance(Duration::from_millis(1));
    }

    /// Everything in the store agrees with its rows.
    async fn check(&mut self, post: &Post) {
        let all = post.store.read(|read| {
            let rows: Vec<_> = read.scan(ROWS.all())?.collect::<Result<_, Error>>()?;
            let due: Vec<_> = read.scan(DUE.all())?.collect::<Result<_, Error>>()?;
            let states: Vec<_> = read.scan(BY_STATE.all())?.collect::<Result<_, Error>>()?;
            let addresses: Vec<_> = read.scan(BY_ADDRESS.all())?.collect::<Result<_, Error>>()?;
            let bodies: Vec<_> = read.scan(BODIES.all())?.collect::<Result<_, Error>>()?;
            let wipes: Vec<_> = read.scan(WIPE.all())?.collect::<Result<_, Error>>()?;
            let expires: Vec<_> = read.scan(EXPIRES.all())?.collect::<Result<_, Error>>()?;
            Ok::<_, Error>((
                rows,
                due,
                states,
                addresses,
                bodies,
                (wipes, expires),
                outbox::counts(read)?,
            ))
        });
        let (rows, due, states, addresses, bodies, (wipes, expires), counts) = all.await.unwrap();
        for state in State::ALL {
            let there = rows.iter().filter(|(_, row)| row.state == state).count();
            assert_eq!(counts.of(state), there as u64, "{state}");
        }
        let expected = |f: &dyn Fn(&Row) -> bool| rows.iter().filter(|(_, row)| f(row)).count();
        let waiting = expected(&|row| row.due_at.is_some());
        assert_eq!(due.len(), waiting);
        assert_eq!(states.len(), expected(&|row| row.state != State::Sent));
        assert_eq!(addresses.len(), rows.len());
        let rows: BTreeMap<OutboxId, Row> = rows.into_iter().collect();
        for ((lane, at, id), ()) in due {
            let row = &rows[&id];
            let apart = if row.state == State::Queued { 0 } else { 0x80 };
            assert_eq!((row.lane() as u8 | apart, row.due_at), (lane, Some(at)));
        }
        assert_eq!(expires.len(), waiting);
        for ((at, id), ()) in expires {
            assert_eq!(rows[&id].expires_at, at);
        }
        for ((state, id), ()) in states {
            assert_eq!(rows[&id].state as u8, state);
        }
        for ((address, id), ()) in addresses {
            assert_eq!(rows[&id].to.lookup(), address);
        }
        for (id, _) in &bodies {
            let row = &rows[id];
            let kept = wipes.iter().any(|((_, wiped), ())| wiped == id);
            assert_eq!(
                row.due_at.is_none(),
                kept,
                "a body that nobody wipes: {row:?}"
            );
        }
        for (id, row) in &rows {
            if row.state == State::Queued && row.expires_at > post.now() {
                assert!(
                    !followed(post, *id, row).await,
                    "behind its successor: {row:?}"
                );
            }
            let has_body = bodies.iter().any(|(body, _)| body == id);
            assert!(row.due_at.is_none() || has_body, "{row:?}");
            assert_eq!(row.due_at.is_none(), row.finished_at.is_some(), "{row:?}");
            let ended = (row.state, row.is_final());
            let before = self.states.insert(*id, ended);
            let born_shelved = before.is_none() && row.shelved == Some(Shelved::UnknownAddress);
            if row.is_final() && before != Some(ended) && !born_shelved {
                self.ends += 1;
            }
        }
    }
}

/// Whether another code was written for the same address since.
async fn followed(post: &Post, id: OutboxId, row: &Row) -> bool {
    let latest = (row.to.lookup(), 1);
    let latest = post.store.read(|read| read.get(&LATEST, &latest)).await;
    row.lapses() && latest.unwrap().is_some_and(|latest| latest != id)
}

/// The rules in short.
fn may(act: Act, row: &Row, followed: bool, now: Timestamp) -> bool {
    let waits = matches!(row.state, State::Queued | State::Uncertain) && row.due_at.is_some();
    let in_time = row.expires_at > now;
    match act {
        Act::Retry => waits && in_time,
        Act::Requeue => {
            let since = now.since(row.finished_at.unwrap_or(now));
            let kept = match row.lapses() {
                true => in_time,
                false => since < Duration::from_secs(7 * 86_400),
            };
            let again = (row.state == State::Dead && kept) || (waits && !in_time && !row.lapses());
            again && !followed
        }
        Act::Discard => waits || row.state == State::Dead,
        Act::Undo => {
            let since = now.since(row.finished_at.unwrap_or(now));
            let before = row.before.as_ref();
            let waited = before.is_some_and(|before| before.due_at.is_some());
            let queued = before.is_some_and(|before| before.state == State::Queued);
            row.shelved == Some(Shelved::Operator)
                && since < 30 * SECOND
                && (in_time || !waited)
                && !(queued && followed)
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_done_everything_agrees(steps in proptest::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let post = Post::new();
            let mut model = Model::default();
            for step in &steps {
                model.take(&post, step).await;
                model.check(&post).await;
            }
            // A dead letter that was discarded and undone is dead once more, and told once.
            let told = post.told().await;
            let mut undone = 0;
            for step in &steps {
                undone += usize::from(matches!(step, Step::Act(3, _)));
            }
            assert!(told.len() <= model.ends && told.len() + undone >= model.ends,
                "{} told, {} ends", told.len(), model.ends);
        });
    }
}
