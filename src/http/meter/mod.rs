//! What is counted, and how it is told to Prometheus. The hot path touches two pre-resolved cells;
//! names and labels are worked out when the service starts or is asked. What must not live here:
//! the counting of anything that another module can tell when asked.

mod mail;

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use crate::mail::route::Status;
use crate::mail::route::Tally;
use crate::minutes::Minutes;
use crate::world::Timestamp;

use mail::MailMeter;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    method: String,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Operation {
    method: String,
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct State {
    state: &'static str,
}

/// What stands in the place of an operation when the path or the method is unknown.
const UNKNOWN: &str = "unknown";

/// The operation that is a login.
const LOGIN: &str = "login";

/// Upper bounds in seconds: from a session check to a long wait.
const BUCKETS: [f64; 12] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 10.0, 60.0,
];

/// An operation as the document knows it.
#[derive(Debug, Clone)]
pub struct Documented {
    /// Its `operationId`.
    pub id: &'static str,
    /// Its method.
    pub method: String,
    /// Its path, with parameters as `{name}`.
    pub route: String,
    /// The statuses that it may answer.
    pub statuses: Vec<u16>,
}

struct Cells {
    method: String,
    route: String,
    seconds: Histogram,
    /// By status; the ones that the document lists, filled when first seen.
    answers: Vec<(u16, OnceLock<Counter>)>,
}

/// The counters of this process.
pub struct Meter {
    registry: Registry,
    answers: Family<Answer, Counter>,
    operations: HashMap<&'static str, Cells>,
    outbox: Family<State, Gauge>,
    overdue: Gauge<f64, AtomicU64>,
    oldest: Gauge<f64, AtomicU64>,
    mail: MailMeter,
    /// With a fraction only because that knows a value for "unknown".
    inbox: Gauge<f64, AtomicU64>,
    hashes: Counter,
    hashes_waiting: Gauge,
    minutes: Minutes<3>,
}

/// What is asked of the other modules when Prometheus comes.
#[derive(Debug, Default)]
pub struct Readings {
    /// How many mails the outbox holds in each state.
    pub outbox: Vec<(&'static str, u64)>,
    /// How long the mail that comes next has been due; zero when none is.
    pub overdue: Duration,
    /// How long the mail that has waited longest has; zero when none does.
    pub oldest: Duration,
    /// What the courier counted.
    pub tally: Tally,
    /// How the routes are.
    pub routes: Vec<Status>,
    /// How many mails are captured; `None` when nobody knows.
    pub inbox: Option<u64>,
    /// How many passwords were hashed or compared since the start.
    pub hashes: u64,
    /// How many passwords wait for that.
    pub hashes_waiting: usize,
}

impl Meter {
    /// A meter for these operations.
    pub fn new(documented: impl IntoIterator<Item = Documented>) -> Meter {
        let mut registry = Registry::with_prefix("gatepost");
        let answers = Family::<Answer, Counter>::default();
        let seconds =
            Family::<Operation, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
        let (outbox, overdue, oldest) = (Family::default(), Gauge::default(), Gauge::default());
        let inbox = Gauge::default();
        let (hashes, hashes_waiting) = (Counter::default(), Gauge::default());
        registry.register("http_requests", "Requests answered", answers.clone());
        registry.register_with_unit(
            "http_request_duration",
            "From the request's head to the answer's",
            Unit::Seconds,
            seconds.clone(),
        );
        registry.register(
            "outbox_mails",
            "Mails in the outbox, by state",
            outbox.clone(),
        );
        registry.register_with_unit(
            "outbox_overdue",
            "How long the mail that comes next has been due",
            Unit::Seconds,
            overdue.clone(),
        );
        registry.register_with_unit(
            "outbox_oldest",
            "How long the mail has waited that waits longest",
            Unit::Seconds,
            oldest.clone(),
        );
        let mail = MailMeter::register(&mut registry);
        registry.register(
            "inbox_mails",
            "Captured mails; NaN when unknown",
            inbox.clone(),
        );
        registry.register(
            "password_hashes",
            "Passwords hashed or compared since the start",
            hashes.clone(),
        );
        registry.register(
            "password_hashes_waiting",
            "Passwords that wait to be hashed or compared",
            hashes_waiting.clone(),
        );
        let unknown = Documented {
            id: UNKNOWN,
            method: UNKNOWN.to_owned(),
            route: UNKNOWN.to_owned(),
            statuses: vec![404, 405],
        };
        let operations = documented
            .into_iter()
            .chain([unknown])
            .map(|operation| {
                let (method, route) = (operation.method, operation.route);
                let cells = Cells {
                    seconds: seconds.get_or_create_owned(&Operation {
                        method: method.clone(),
                        route: route.clone(),
                    }),
                    answers: operation
                        .statuses
                        .into_iter()
                        .map(|s| (s, OnceLock::new()))
                        .collect(),
                    method,
                    route,
                };
                (operation.id, cells)
            })
            .collect();
        Meter {
            registry,
            answers,
            operations,
            outbox,
            overdue,
            oldest,
            mail,
            inbox,
            hashes,
            hashes_waiting,
            minutes: Minutes::default(),
        }
    }

    /// Counts an answer of `operation` in the minute of `at`.
    pub fn passed(&self, at: Timestamp, operation: Option<&'static str>, status: u16) {
        self.minutes.count(at, 0);
        match (operation, status) {
            (Some(LOGIN), 200..=299) => self.minutes.count(at, 1),
            // What could not be read, or was not looked at for want of room, was no login.
            (Some(LOGIN), 401 | 403 | 409 | 423 | 429) => self.minutes.count(at, 2),
            _ => {}
        }
    }

    /// Answers, logins that succeeded and logins that were refused in the minute of `at`.
    pub fn minute(&self, at: Timestamp) -> [u64; 3] {
        self.minutes.of(at)
    }

    /// Counts an answer of `operation` (`None` when the path led to none).
    pub fn answered(&self, operation: Option<&'static str>, status: u16, took: Duration) {
        let known = operation.and_then(|operation| self.operations.get(operation));
        let Some(cells) = known.or_else(|| self.operations.get(UNKNOWN)) else {
            return;
        };
        cells.seconds.observe(took.as_secs_f64());
        let label = || Answer {
            method: cells.method.clone(),
            route: cells.route.clone(),
            status,
        };
        match cells.answers.iter().find(|(known, _)| *known == status) {
            Some((_, cell)) => {
                cell.get_or_init(|| self.answers.get_or_create_owned(&label()))
                    .inc();
            }
            None => {
                self.answers.get_or_create(&label()).inc();
            }
        }
    }

    /// Everything, as text.
    pub fn exposition(&self, readings: &Readings) -> String {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        for (state, count) in &readings.outbox {
            self.outbox
                .get_or_create(&State { state })
                .set(number(*count));
        }
        self.overdue.set(readings.overdue.as_secs_f64());
        self.oldest.set(readings.oldest.as_secs_f64());
        self.mail.set(&readings.tally, &readings.routes);
        // Far below the count from which a fraction would round.
        self.inbox
            .set(readings.inbox.map_or(f64::NAN, |n| n as f64));
        self.hashes
            .inner()
            .store(readings.hashes, Ordering::Relaxed);
        let waiting = i64::try_from(readings.hashes_waiting).unwrap_or(i64::MAX);
        self.hashes_waiting.set(waiting);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &self.registry)
            .expect("a String takes whatever is written");
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let meter = Meter::new([Documented {
            id: "get_me",
            method: "GET".to_owned(),
            route: "/me".to_owned(),
            statuses: vec![200, 401],
        }]);
        meter.answered(Some("get_me"), 200, Duration::from_millis(2));
        meter.answered(Some("get_me"), 200, Duration::from_millis(2));
        meter.answered(Some("get_me"), 418, Duration::ZERO);
        meter.answered(None, 404, Duration::ZERO);
        let text = meter.exposition(&Readings {
            outbox: vec![("queued", 3)],
            overdue: Duration::from_millis(1500),
            oldest: Duration::from_millis(2500),
            tally: Tally::default(),
            routes: Vec::new(),
            inbox: Some(7),
            hashes: 5,
            hashes_waiting: 2,
        });
        for line in [
            "gatepost_http_requests_total{method=\"GET\",route=\"/me\",status=\"200\"} 2",
            "gatepost_http_requests_total{method=\"GET\",route=\"/me\",status=\"418\"} 1",
            "gatepost_http_requests_total{method=\"unknown\",route=\"unknown\",status=\"404\"} 1",
            "gatepost_http_request_duration_seconds_count{method=\"GET\",route=\"/me\"} 3",
            "gatepost_outbox_mails{state=\"queued\"} 3",
            "gatepost_outbox_overdue_seconds 1.5",
            "gatepost_outbox_oldest_seconds 2.5",
            "gatepost_mail_attempts_total{route=\"primary\",outcome=\"accepted\"} 0",
            "gatepost_mail_delivery_seconds_bucket{le=\"+Inf\",lane=\"prompt\"} 0",
            "gatepost_inbox_mails 7",
            "gatepost_password_hashes_total 5",
            "gatepost_password_hashes_waiting 2",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        let unknown = meter.exposition(&Readings::default());
        assert!(unknown.contains("gatepost_inbox_mails NaN"), "{unknown}");
    }
}
