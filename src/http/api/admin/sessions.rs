//! Everybody's sessions, as the operator sees them. One's own are in `api::sessions`.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::api::admin::paging::Paging;
use crate::http::api::admin::paging::one_of;
use crate::http::api::admin::paging::paged;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::identity::overview;
use crate::identity::overview::SessionFilter;
use crate::identity::overview::SessionSort;
use crate::identity::overview::SessionState;
use crate::operator::Operator;

/// A session of anybody's.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "SessionRecord", example)]
pub struct Session {
    /// Its name for gatepost. It gives no access.
    id: String,
    /// Whose: the account's id.
    user_id: String,
    /// Whose.
    email: String,
    /// `live`, `lapsed` or `ended` (with all others of its owner, not yet cleared away).
    state: String,
    /// When it began (RFC 3339).
    created_at: String,
    /// When it was last used, give or take an hour (RFC 3339).
    last_used_at: String,
    /// When it ends if it is not used (RFC 3339).
    expires_at: String,
    /// The address from which it was begun.
    ip: String,
    /// The address from which it was last used, as far as that was noted.
    last_ip: String,
    /// What the program that began it calls itself.
    user_agent: Option<String>,
}

paged! {
    /// A page of everybody's sessions.
    SessionPage of Session, "SessionRecordPage"
}

impl From<overview::SessionRecord> for Session {
    fn from(session: overview::SessionRecord) -> Session {
        Session {
            id: session.id.to_string(),
            user_id: session.user.to_string(),
            email: session
                .email
                .map(|email| email.to_string())
                .unwrap_or_default(),
            state: session.state.word().to_owned(),
            created_at: session.created_at.to_string(),
            last_used_at: session.last_used_at.to_string(),
            expires_at: session.expires_at.to_string(),
            ip: session.ip.to_string(),
            last_ip: session.last_ip.to_string(),
            user_agent: session.user_agent,
        }
    }
}

impl Example for Session {
    fn example() -> Session {
        Session {
            id: "se_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
            user_id: "us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
            email: "ann@example.com".to_owned(),
            state: "live".to_owned(),
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
            last_used_at: "2026-01-02T09:30:00.000Z".to_owned(),
            expires_at: "2026-01-16T09:30:00.000Z".to_owned(),
            ip: "203.0.113.7".to_owned(),
            last_ip: "203.0.113.7".to_owned(),
            user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)".to_owned()),
        }
    }
}

problems! {
    /// Of the list.
    ListProblems: AdminRequired, BadParameter, Unavailable
}
problems! {
    /// Of ending one.
    EndProblems: AdminRequired, BadParameter, NotFound, Unavailable
}

/// Everybody's sessions.
pub struct AllSessionsApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who does it.
    pub operator: Operator,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

const FIELDS: [&str; 4] = ["created_at", "last_used_at", "email", "ip"];

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl AllSessionsApi {
    /// Everybody's sessions, newest first.
    ///
    /// Everything that is given must match.
    #[oai(path = "/sessions", method = "get", operation_id = "list_all_sessions")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// The id of an account.
        user: Query<Option<String>>,
        /// `live`, `lapsed` or `ended`.
        state: Query<Option<String>>,
        /// A part of an id, an address or the program's name, in any case.
        q: Query<Option<String>>,
        /// `created_at`, `last_used_at`, `email` or `ip`; with `-` before it from the last to the
        /// first. `-created_at` when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page.
        cursor: Query<Option<String>>,
        /// How many rows a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<SessionPage>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        let known = ["user", "state", "q", "sort", "back", "cursor", "limit"];
        only(request, &known)?;
        let paging = Paging::read(
            &FIELDS,
            sort.0.as_deref(),
            back.0,
            cursor.0.as_deref(),
            limit.0,
        )?;
        let words = SessionState::ALL.map(SessionState::word);
        let user = user.0.map(|id| id.parse()).transpose();
        let user = user.map_err(|_| Problem::parameter("user", "expected the id of an account"))?;
        let filter = SessionFilter {
            user,
            state: one_of("state", state.0.as_deref(), SessionState::from_word, &words)?,
            q: q.0,
        };
        let sort = match paging.field {
            "last_used_at" => SessionSort::LastUsedAt,
            "email" => SessionSort::Email,
            "ip" => SessionSort::Ip,
            _ => SessionSort::CreatedAt,
        };
        let accounts = &self.operator.accounts;
        let page = accounts
            .list_sessions(filter, sort, paging.ask.clone())
            .await?;
        Ok(SessionPage::answer(page, &paging, request, Session::from))
    }

    /// End anybody's session.
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "end_any_session"
    )]
    async fn end(
        &self,
        request: &Request,
        token: AdminToken,
        /// The session's id.
        id: Path<String>,
    ) -> Result<reply::NoContent, Refused<EndProblems>> {
        self.guard.require_token(&token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let id = id.0.parse().map_err(|_| Problem::new(Kind::NotFound))?;
        self.operator.end_session(id, &by).await?;
        Ok(reply::NoContent)
    }
}
