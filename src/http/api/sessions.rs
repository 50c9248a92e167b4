//! One's own sessions: where one is logged in, and ending that.

use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::SessionToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::identity;
use crate::identity::Accounts;

/// One of one's sessions.
#[derive(Debug, Object, Serialize)]
pub struct Session {
    /// Which. It gives no access.
    id: String,
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
    /// Whether it is the one that asks.
    current: bool,
}

/// A page of one's sessions.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct SessionPage {
    /// The sessions, newest first.
    items: Vec<Session>,
    /// Pass it as `cursor` for the next page; null on the last one.
    next_cursor: Option<String>,
    /// How many there are in all; null when too many to count.
    total: Option<u64>,
}

problems! {
    /// Of the list.
    ListProblems: Unauthenticated, BadParameter, Unavailable
}
problems! {
    /// Of ending the others.
    EndOthersProblems: Unauthenticated, Unavailable
}
problems! {
    /// Of ending one.
    EndProblems: Unauthenticated, NotFound, Unavailable
}

/// Sessions.
pub struct SessionsApi {
    /// The accounts.
    pub accounts: Accounts,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

/// Sessions of a page when the client does not say.
const PAGE: usize = 50;

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Group::Auth")]
impl SessionsApi {
    /// My sessions, newest first.
    #[oai(path = "/sessions", method = "get", operation_id = "list_sessions")]
    async fn list(
        &self,
        request: &Request,
        token: SessionToken,
        /// `next_cursor` of the page before.
        cursor: Query<Option<String>>,
        /// How many sessions a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<SessionPage>, Refused<ListProblems>> {
        let who = self.who(request, &token).await?;
        only(request, &["cursor", "limit"])?;
        let cursor = cursor.0.map(|cursor| cursor.parse()).transpose();
        let cursor = cursor
            .map_err(|_| Problem::parameter("cursor", "expected the next_cursor of a page"))?;
        let limit = limit.0.map_or(PAGE, |limit| limit as usize);
        let page = self.accounts.sessions(&who, cursor, limit).await?;
        let next_cursor = page.next.map(|next| next.to_string());
        let page = SessionPage {
            items: page.items.into_iter().map(Session::from).collect(),
            next_cursor: next_cursor.clone(),
            total: page.total,
        };
        Ok(reply::Page::of(page, request, next_cursor.as_deref()))
    }

    /// End one of my sessions.
    #[oai(
        path = "/sessions/:id",
        method = "delete",
        operation_id = "end_session"
    )]
    async fn end(
        &self,
        request: &Request,
        token: SessionToken,
        /// The session's id.
        id: Path<String>,
    ) -> Result<reply::NoContent, Refused<EndProblems>> {
        let who = self.who(request, &token).await?;
        let client = caller::client(request, self.trusted_proxies);
        self.accounts.revoke_session(&client, &who, &id.0).await?;
        Ok(reply::NoContent)
    }

    /// End all my other sessions.
    ///
    /// The one that asks stays.
    #[oai(
        path = "/sessions",
        method = "delete",
        operation_id = "end_other_sessions"
    )]
    async fn end_others(
        &self,
        request: &Request,
        token: SessionToken,
    ) -> Result<reply::Reply<reply::Deleted>, Refused<EndOthersProblems>> {
        let who = self.who(request, &token).await?;
        let client = caller::client(request, self.trusted_proxies);
        let deleted = self.accounts.revoke_others(&client, &who).await?;
        Ok(reply::Reply(reply::Deleted { deleted }))
    }

    async fn who(
        &self,
        request: &Request,
        token: &SessionToken,
    ) -> Result<identity::Authenticated, Problem> {
        let ip = caller::address(request, self.trusted_proxies);
        Ok(self
            .accounts
            .authenticate_from(ip, token.required()?)
            .await?)
    }
}

impl From<identity::Session> for Session {
    fn from(session: identity::Session) -> Session {
        Session {
            id: session.id.to_string(),
            created_at: session.created_at.to_string(),
            last_used_at: session.last_used_at.to_string(),
            expires_at: session.expires_at.to_string(),
            ip: session.ip.to_string(),
            last_ip: session.last_ip.to_string(),
            user_agent: session.user_agent,
            current: session.current,
        }
    }
}

impl Example for SessionPage {
    fn example() -> SessionPage {
        SessionPage {
            items: vec![Session {
                id: "se_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
                created_at: "2026-01-01T00:00:00.000Z".to_owned(),
                last_used_at: "2026-01-02T09:30:00.000Z".to_owned(),
                expires_at: "2026-01-16T09:30:00.000Z".to_owned(),
                ip: "203.0.113.7".to_owned(),
                last_ip: "203.0.113.7".to_owned(),
                user_agent: Some("Mozilla/5.0 (X11; Linux x86_64)".to_owned()),
                current: true,
            }],
            next_cursor: None,
            total: Some(1),
        }
    }
}
