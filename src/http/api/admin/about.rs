//! Which gatepost this is, and its figures: how much there is of everything now, and what happened
//! in each of the last minutes.

use std::sync::Arc;

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::audit;
use crate::http::api::Group;
use crate::http::api::admin::mail::Counts;
use crate::http::api::only;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::meter::Meter;
use crate::http::reply;
use crate::identity::overview::sizes;
use crate::inbox;
use crate::language::Language;
use crate::mail::outbox;
use crate::minutes;
use crate::operator::Operator;
use crate::store;
use crate::world::Timestamp;

/// Which gatepost this is.
#[derive(Debug, Clone, Object, Serialize)]
#[oai(rename = "About", example)]
pub struct About {
    /// Its version.
    version: String,
    /// `dev` or `serve`.
    mode: String,
    /// Whether its mail goes into its own inbox and never out.
    captures: bool,
    /// What the site calls itself.
    site_name: String,
    /// The scheme and domain of the links in its mails.
    base_url: String,
    /// The site's language: `en`, `zh-hans` or `zh-hant`.
    language: String,
    /// When it was started (RFC 3339).
    started_at: String,
    /// What its clock says (RFC 3339).
    now: String,
    /// Whether codes and links may be revealed here (in `dev` alone).
    reveals: bool,
}

impl Example for About {
    fn example() -> About {
        About {
            version: "0.1.0".to_owned(),
            mode: "serve".to_owned(),
            captures: false,
            site_name: "Example".to_owned(),
            base_url: "https://example.com".to_owned(),
            language: "en".to_owned(),
            started_at: "2026-01-01T00:00:00.000Z".to_owned(),
            now: "2026-01-02T09:30:00.000Z".to_owned(),
            reveals: false,
        }
    }
}

/// What happened in one minute.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Minute")]
pub struct Minute {
    /// When it began (RFC 3339).
    at: String,
    /// Mails that a server took (or the own inbox).
    sent: u64,
    /// Attempts that failed.
    failed: u64,
    /// Mails that were captured.
    captured: u64,
    /// Requests that were answered.
    requests: u64,
    /// Logins that succeeded.
    logins: u64,
    /// Logins that were refused.
    refused_logins: u64,
}

/// Figures.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Stats", example)]
pub struct Stats {
    /// What the server's clock says (RFC 3339).
    now: String,
    /// How many mails of the outbox are in each state.
    outbox: Counts,
    /// How many mails need somebody: dead, uncertain for good, or waiting after a failure. 10000
    /// where they are more, or hard to count.
    failing: u64,
    /// Captured mails.
    inbox: u64,
    /// Accounts; null when they are too many to count, as with those below.
    users: Option<u64>,
    /// Sessions, live or not yet cleared away.
    sessions: Option<u64>,
    /// Codes, links and verification tokens.
    tokens: Option<u64>,
    /// Entries of the audit record.
    audit: Option<u64>,
    /// The last 60 minutes, the oldest first; the last one is still running. Counted since the
    /// server's start.
    minutes: Vec<Minute>,
}

impl Example for Stats {
    fn example() -> Stats {
        Stats {
            now: "2026-01-02T09:30:12.000Z".to_owned(),
            outbox: Counts {
                queued: 1,
                sending: 0,
                sent: 41,
                uncertain: 0,
                dead: 2,
                expired: 0,
                discarded: 0,
            },
            failing: 2,
            inbox: 0,
            users: Some(12),
            sessions: Some(20),
            tokens: Some(3),
            audit: Some(480),
            minutes: vec![Minute {
                at: "2026-01-02T09:30:00.000Z".to_owned(),
                sent: 1,
                failed: 0,
                captured: 0,
                requests: 9,
                logins: 1,
                refused_logins: 0,
            }],
        }
    }
}

problems! {
    /// Of both.
    AboutProblems: AdminRequired, BadParameter, Unavailable
}

/// How many mails that need somebody are counted.
const FAILING: u64 = 10_000;

/// How many entries of the audit record are counted.
const ENTRIES: u64 = 100_000;

/// What does not change while it runs.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Whether it runs on a developer's machine.
    pub development: bool,
    /// Whether mail is captured here and does not go out.
    pub captures: bool,
    /// Where the service is found from outside.
    pub base_url: String,
    /// The site's language.
    pub language: Language,
    /// When it was started.
    pub started_at: Timestamp,
}

/// Which gatepost this is, and its figures.
pub struct AboutApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who knows.
    pub operator: Operator,
    /// What was counted of requests.
    pub meter: Arc<Meter>,
    /// What does not change.
    pub facts: Facts,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl AboutApi {
    /// Which gatepost this is.
    #[oai(path = "/about", method = "get", operation_id = "get_about")]
    async fn about(
        &self,
        request: &Request,
        token: AdminToken,
    ) -> Result<reply::Reply<About>, Refused<AboutProblems>> {
        self.guard.require_token(&token)?;
        only(request, &[])?;
        let mode = if self.facts.development {
            "dev"
        } else {
            "serve"
        };
        Ok(reply::Reply(About {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: mode.to_owned(),
            captures: self.facts.captures,
            site_name: self.operator.mailer.site_name().to_owned(),
            base_url: self.facts.base_url.clone(),
            language: self.facts.language.tag().to_owned(),
            started_at: self.facts.started_at.to_string(),
            now: self.operator.world.now().to_string(),
            reveals: self.operator.reveals,
        }))
    }

    /// How much there is of everything, and what happened in the last hour.
    #[oai(path = "/stats", method = "get", operation_id = "get_stats")]
    async fn stats(
        &self,
        request: &Request,
        token: AdminToken,
    ) -> Result<reply::Reply<Stats>, Refused<AboutProblems>> {
        self.guard.require_token(&token)?;
        only(request, &[])?;
        let counted = self.operator.store.search(|read| {
            let failing = outbox::failing(read, FAILING)?;
            let sizes = (sizes(read)?, audit::count(read, ENTRIES)?);
            Ok::<_, store::Error>((outbox::counts(read)?, failing, sizes))
        });
        let (counts, failing, (sizes, audit)) = counted.await?;
        let inbox = &self.operator.inbox;
        let captured = inbox.list(inbox::Filter::default(), None, 1).await?;
        let now = self.operator.world.now();
        let minutes = minutes::shown(now).map(|at| {
            let [sent, failed] = self.operator.routes.minute(at);
            let [requests, logins, refused_logins] = self.meter.minute(at);
            Minute {
                at: at.to_string(),
                sent,
                failed,
                captured: inbox.minute(at),
                requests,
                logins,
                refused_logins,
            }
        });
        Ok(reply::Reply(Stats {
            now: now.to_string(),
            outbox: counts.into(),
            failing: failing.unwrap_or(FAILING),
            inbox: captured.total.unwrap_or_default(),
            users: sizes.users,
            sessions: sizes.sessions,
            tokens: sizes.tokens,
            audit,
            minutes: minutes.collect(),
        }))
    }
}
