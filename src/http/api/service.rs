//! The service itself: alive, ready, and what it has counted.

use std::sync::Arc;
use std::time::Duration;

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::front::STORE_PAUSE;
use crate::http::guard::Guard;
use crate::http::meter::Meter;
use crate::http::meter::Readings;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::identity::Accounts;
use crate::inbox;
use crate::inbox::Inbox;
use crate::mail::outbox;
use crate::operator::Operator;
use crate::store;

/// In order.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct Health {
    /// `ok`.
    status: String,
}

impl Example for Health {
    fn example() -> Health {
        Health {
            status: "ok".to_owned(),
        }
    }
}

problems! {
    /// Of what always works.
    NoProblems: Internal
}
problems! {
    /// Of being ready.
    ReadyProblems: Unavailable
}
problems! {
    /// Of the metrics.
    MetricsProblems: AdminRequired, HostRefused, OriginRefused, Unavailable
}

/// The service itself.
pub struct ServiceApi {
    /// For the queue before the password hasher.
    pub accounts: Accounts,
    /// For the number of captured mails.
    pub inbox: Inbox,
    /// Whether its store answers is what readiness means; the outbox and the routes are measured.
    pub operator: Operator,
    /// What was counted.
    pub meter: Arc<Meter>,
    /// Who may see it.
    pub guard: Arc<Guard>,
    /// Whether anybody may.
    pub open_metrics: bool,
}

/// The `operationId` of the metrics.
pub const GET_METRICS: &str = "get_metrics";

/// A store that takes longer is not ready.
const STORE_PATIENCE: Duration = Duration::from_secs(2);

#[OpenApi(tag = "Group::Service")]
impl ServiceApi {
    /// Is the process alive.
    #[oai(path = "/healthz", method = "get", operation_id = "get_health")]
    async fn health(&self) -> Result<reply::Reply<Health>, Refused<NoProblems>> {
        Ok(reply::Reply(Health::example()))
    }

    /// Can the service do its work.
    ///
    /// The store can be read and written within two seconds.
    #[oai(path = "/readyz", method = "get", operation_id = "get_readiness")]
    async fn ready(&self) -> Result<reply::Reply<Health>, Refused<ReadyProblems>> {
        // An empty transaction goes the whole way to the disk and changes nothing.
        let store = &self.operator.store;
        let tried = self.operator.world.timeout(STORE_PATIENCE, async {
            store.read(|_| Ok::<_, store::Error>(())).await?;
            store.write(|_| Ok::<_, store::Error>(())).await
        });
        match tried.await {
            Ok(Ok(())) => Ok(reply::Reply(Health::example())),
            Ok(Err(error)) => {
                tracing::error!(%error, "the store is not ready");
                Err(Problem::new(Kind::Unavailable)
                    .retry_after(STORE_PAUSE)
                    .into())
            }
            Err(_) => Err(Problem::new(Kind::Unavailable)
                .retry_after(STORE_PAUSE)
                .into()),
        }
    }

    /// What was counted, for Prometheus.
    ///
    /// Requests by route and status with their durations, mails in the outbox by state, how long they
    /// have waited and how long they took, attempts by outcome, the routes of outgoing mail with
    /// their breakers and budgets, captured mails, password hashes and the queue before them.
    #[oai(path = "/metrics", method = "get", operation_id = "get_metrics")]
    async fn metrics(
        &self,
        request: &Request,
        token: AdminToken,
    ) -> Result<reply::Exposition, Refused<MetricsProblems>> {
        if !self.open_metrics {
            self.guard.check(request, &token)?;
        }
        let now = self.operator.world.now();
        let read = self.operator.store.read(|read| {
            let due = (outbox::next_due(read)?, outbox::oldest(read)?);
            Ok::<_, store::Error>((outbox::counts(read)?, due))
        });
        let (counts, (due, oldest)) = read.await?;
        let page = self.inbox.list(inbox::Filter::default(), None, 1).await?;
        let readings = Readings {
            outbox: outbox::State::ALL
                .map(|state| (state.word(), counts.of(state)))
                .to_vec(),
            overdue: due.map_or(Duration::ZERO, |due| now.since(due)),
            oldest: oldest.map_or(Duration::ZERO, |oldest| now.since(oldest)),
            tally: self.operator.routes.tally(),
            routes: self.operator.statuses().await?,
            inbox: page.total,
            hashes: self.accounts.hashes_begun(),
            hashes_waiting: self.accounts.hashes_waiting(),
        };
        Ok(reply::Exposition(self.meter.exposition(&readings)))
    }
}
