//! Outgoing mail as Prometheus is told of it: what was tried and how it ended, how long mails took,
//! and how the routes are. All of it is known elsewhere and copied when asked for.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::encoding::{EncodeLabelSet, EncodeMetric, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};

use crate::mail::Lane;
use crate::mail::attempt::Outcome;
use crate::mail::route::Breaker;
use crate::mail::route::Status;
use crate::mail::route::Tally;
use crate::mail::route::Waits;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    route: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InLane {
    lane: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRoute {
    route: &'static str,
}

/// A histogram that was counted elsewhere.
#[derive(Debug, Clone, Default)]
struct Counted(Arc<Mutex<Waits>>);

impl TypedMetric for Counted {
    const TYPE: MetricType = MetricType::Histogram;
}

impl EncodeMetric for Counted {
    fn encode(&self, mut encoder: MetricEncoder) -> Result<(), fmt::Error> {
        let waits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let buckets: Vec<(f64, u64)> = waits
            .buckets()
            .map(|(bound, count)| match bound {
                f64::MAX => (f64::INFINITY, count),
                bound => (bound, count),
            })
            .collect();
        let sum = waits.sum().as_secs_f64();
        encoder.encode_histogram::<NoLabelSet>(sum, waits.count(), &buckets, None)
    }

    fn metric_type(&self) -> MetricType {
        Self::TYPE
    }
}

/// With a fraction: a breaker that probes is half open.
type Level = Gauge<f64, AtomicU64>;

/// What is told of outgoing mail.
pub struct MailMeter {
    attempts: Family<Attempt, Counter>,
    waits: Family<InLane, Counted>,
    breaker: Family<OfRoute, Level>,
    paused: Family<OfRoute, Gauge>,
    spent: Family<OfRoute, Gauge>,
    limit: Family<OfRoute, Gauge>,
    connections: Family<OfRoute, Gauge>,
}

impl MailMeter {
    /// One that tells through `registry`.
    pub fn register(registry: &mut Registry) -> MailMeter {
        let meter = MailMeter {
            attempts: Family::default(),
            waits: Family::default(),
            breaker: Family::default(),
            paused: Family::default(),
            spent: Family::default(),
            limit: Family::default(),
            connections: Family::default(),
        };
        registry.register(
            "mail_attempts",
            "Attempts at delivery since the start, by route and outcome: accepted ones were sent",
            meter.attempts.clone(),
        );
        registry.register_with_unit(
            "mail_delivery",
            "From composing a mail until the server took it, by lane",
            Unit::Seconds,
            meter.waits.clone(),
        );
        for (name, help, gauge) in [
            (
                "route_paused",
                "1 while the operator keeps the route paused",
                &meter.paused,
            ),
            (
                "route_budget_spent",
                "Mails sent over the route in the last 24 hours",
                &meter.spent,
            ),
            (
                "route_budget_limit",
                "Mails that may be sent over the route in 24 hours; absent without a limit",
                &meter.limit,
            ),
            (
                "route_connections",
                "Connections that are open to the route's server",
                &meter.connections,
            ),
        ] {
            registry.register(name, help, gauge.clone());
        }
        registry.register(
            "route_breaker",
            "0: the route is taken; 1: it failed and rests; 0.5: one mail tries it",
            meter.breaker.clone(),
        );
        meter
    }

    /// Copies what is known now.
    pub fn set(&self, tally: &Tally, routes: &[Status]) {
        for (route, outcome, count) in tally.attempts() {
            let label = Attempt {
                route: route.word(),
                outcome: word(outcome),
            };
            let counter = self.attempts.get_or_create(&label);
            counter.inner().store(count, Ordering::Relaxed);
        }
        for lane in Lane::ALL {
            let label = InLane { lane: lane.word() };
            let counted = self.waits.get_or_create(&label);
            let mut waits = counted.0.lock().unwrap_or_else(PoisonError::into_inner);
            *waits = tally.waits(lane).clone();
        }
        for status in routes {
            let label = OfRoute {
                route: status.name.word(),
            };
            let breaker = match status.breaker {
                Breaker::Closed => 0.0,
                Breaker::Probing { .. } => 0.5,
                Breaker::Open { .. } => 1.0,
            };
            self.breaker.get_or_create(&label).set(breaker);
            let paused = i64::from(status.paused.is_some());
            self.paused.get_or_create(&label).set(paused);
            let spent = i64::from(status.budget.spent);
            self.spent.get_or_create(&label).set(spent);
            if let Some(limit) = status.budget.per_day {
                self.limit.get_or_create(&label).set(i64::from(limit));
            }
            let connections = i64::try_from(status.connections).unwrap_or(i64::MAX);
            self.connections.get_or_create(&label).set(connections);
        }
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Accepted => "accepted",
        Outcome::Temporary => "temporary",
        Outcome::Permanent => "permanent",
        Outcome::Connection => "connection",
        Outcome::Configuration => "configuration",
        Outcome::Limited => "limited",
        Outcome::Uncertain => "uncertain",
        Outcome::Lapsed => "lapsed",
        Outcome::Lost => "lost",
    }
}
