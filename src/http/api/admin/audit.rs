//! The audit record, as the operator reads it.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::Query;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::audit;
use crate::audit::Outcome;
use crate::http::api::Group;
use crate::http::api::admin::paging::Paging;
use crate::http::api::admin::paging::one_of;
use crate::http::api::admin::paging::paged;
use crate::http::api::only;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::reply;
use crate::operator::Operator;

/// Something that happened.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "AuditEntry", example)]
pub struct Entry {
    /// Its name.
    id: String,
    /// When (RFC 3339).
    at: String,
    /// Who did it: a user's id, `anonymous`, `operator`, `operator:NAME` or `gatepost`. The NAME is
    /// what whoever holds the operator's token said.
    actor: String,
    /// What, as a stable word.
    action: String,
    /// To whom or what: an address, an id.
    subject: String,
    /// `done` or `refused`.
    outcome: String,
    /// From where, when it came over the network.
    ip: Option<String>,
    /// Anything else: never a secret.
    detail: String,
}

paged! {
    /// A page of the audit record.
    AuditPage of Entry, "AuditPage"
}

impl From<audit::Entry> for Entry {
    fn from(entry: audit::Entry) -> Entry {
        Entry {
            id: entry.id.map(|id| id.to_string()).unwrap_or_default(),
            at: entry.at.to_string(),
            actor: entry.actor,
            action: entry.action,
            subject: entry.subject,
            outcome: entry.outcome.word().to_owned(),
            ip: entry.ip.map(|ip| ip.to_string()),
            detail: entry.detail,
        }
    }
}

impl Example for Entry {
    fn example() -> Entry {
        Entry {
            id: "au_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            actor: "operator:Amy".to_owned(),
            action: "outbox_discard".to_owned(),
            subject: "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE".to_owned(),
            outcome: "done".to_owned(),
            ip: Some("203.0.113.7".to_owned()),
            detail: String::new(),
        }
    }
}

problems! {
    /// Of the list.
    AuditProblems: AdminRequired, BadParameter, Unavailable
}

/// The audit record.
pub struct AuditApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Whose store it is in.
    pub operator: Operator,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl AuditApi {
    /// What happened, newest first.
    ///
    /// Everything that is given must match. Entries are only ever added, and forgotten by age
    /// alone.
    #[oai(path = "/audit", method = "get", operation_id = "list_audit")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// Who did it, as a whole.
        actor: Query<Option<String>>,
        /// What was done, as a whole, such as `login`.
        action: Query<Option<String>>,
        /// To whom or what, as a whole.
        subject: Query<Option<String>>,
        /// `done` or `refused`.
        outcome: Query<Option<String>>,
        /// A part of anything that is told of it, in any case.
        q: Query<Option<String>>,
        /// `at`, or `-at` from the last to the first, as when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page in the same order.
        cursor: Query<Option<String>>,
        /// How many rows a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<AuditPage>, Refused<AuditProblems>> {
        self.guard.require_token(&token)?;
        only(
            request,
            &[
                "actor", "action", "subject", "outcome", "q", "sort", "back", "cursor", "limit",
            ],
        )?;
        let sort = sort.0.as_deref();
        let paging = Paging::read(&["at"], sort, back.0, cursor.0.as_deref(), limit.0)?;
        let words = [Outcome::Done.word(), Outcome::Refused.word()];
        let outcome = outcome.0.as_deref();
        let filter = audit::Filter {
            actor: actor.0,
            action: action.0,
            subject: subject.0,
            outcome: one_of("outcome", outcome, Outcome::from_word, &words)?,
            q: q.0,
        };
        let ask = paging.ask.clone();
        // Without a filter as well: how many there are is counted.
        let store = &self.operator.store;
        let page = store.search(move |read| audit::list(read, &filter, &ask));
        Ok(AuditPage::answer(
            page.await?,
            &paging,
            request,
            Entry::from,
        ))
    }
}
