//! Accounts, as the operator sees them, and what is done to one.

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
use crate::identity::UserId;
use crate::identity::overview;
use crate::identity::overview::UserFilter;
use crate::identity::overview::UserSort;
use crate::identity::overview::UserState;
use crate::operator::Operator;
use crate::operator::UserAction;

/// An account.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "UserRecord", example)]
pub struct User {
    /// Its name for gatepost.
    id: String,
    /// Where its mail goes.
    email: String,
    /// How the person wants to be called.
    display_name: Option<String>,
    /// The language of its mails.
    language: String,
    /// `active`, `locked` (by the operator) or `waiting` (after too many wrong passwords).
    state: String,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When its owner last began a session (RFC 3339).
    last_login_at: Option<String>,
    /// Since when the operator keeps it locked (RFC 3339).
    locked_at: Option<String>,
    /// Until when logins are refused after wrong passwords (RFC 3339).
    waits_until: Option<String>,
    /// How many sessions are live; null when they are a hundred or more.
    sessions: Option<u64>,
}

paged! {
    /// A page of the accounts.
    UserPage of User, "UserRecordPage"
}

impl From<overview::UserRecord> for User {
    fn from(record: overview::UserRecord) -> User {
        User {
            id: record.user.id.to_string(),
            email: record.user.email.to_string(),
            display_name: record.user.display_name,
            language: record.user.language.tag().to_owned(),
            state: record.state.word().to_owned(),
            created_at: record.user.created_at.to_string(),
            last_login_at: record.last_login_at.map(|at| at.to_string()),
            locked_at: record.locked_at.map(|at| at.to_string()),
            waits_until: record.waits_until.map(|at| at.to_string()),
            sessions: record.sessions,
        }
    }
}

impl Example for User {
    fn example() -> User {
        User {
            id: "us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
            email: "ann@example.com".to_owned(),
            display_name: Some("Ann".to_owned()),
            language: "en".to_owned(),
            state: "active".to_owned(),
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
            last_login_at: Some("2026-01-02T09:30:00.000Z".to_owned()),
            locked_at: None,
            waits_until: None,
            sessions: Some(2),
        }
    }
}

problems! {
    /// Of the list.
    ListProblems: AdminRequired, BadParameter, Unavailable
}
problems! {
    /// Of one account.
    UserProblems: AdminRequired, NotFound, Unavailable
}
problems! {
    /// Of doing something to one.
    ActionProblems: AdminRequired, BadParameter, NotFound, Unavailable
}
problems! {
    /// Of mailing a link.
    ResetProblems: AdminRequired, BadParameter, NotFound, TooManyRequests, Unavailable
}

/// Accounts.
pub struct UsersApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who does it.
    pub operator: Operator,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

const FIELDS: [&str; 4] = ["created_at", "email", "display_name", "last_login_at"];

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl UsersApi {
    /// The accounts, newest first.
    ///
    /// Everything that is given must match.
    #[oai(path = "/users", method = "get", operation_id = "list_users")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// `active`, `locked` or `waiting`.
        state: Query<Option<String>>,
        /// A part of an id, an address or a name, in any case.
        q: Query<Option<String>>,
        /// `created_at`, `email`, `display_name` or `last_login_at`; with `-` before it from the
        /// last to the first. `-created_at` when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page.
        cursor: Query<Option<String>>,
        /// How many rows a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<UserPage>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        only(request, &["state", "q", "sort", "back", "cursor", "limit"])?;
        let paging = Paging::read(
            &FIELDS,
            sort.0.as_deref(),
            back.0,
            cursor.0.as_deref(),
            limit.0,
        )?;
        let words = UserState::ALL.map(UserState::word);
        let filter = UserFilter {
            state: one_of("state", state.0.as_deref(), UserState::from_word, &words)?,
            q: q.0,
        };
        let sort = match paging.field {
            "email" => UserSort::Email,
            "display_name" => UserSort::DisplayName,
            "last_login_at" => UserSort::LastLoginAt,
            _ => UserSort::CreatedAt,
        };
        let accounts = &self.operator.accounts;
        let page = accounts
            .list_users(filter, sort, paging.ask.clone())
            .await?;
        Ok(UserPage::answer(page, &paging, request, User::from))
    }

    /// One account.
    #[oai(path = "/users/:id", method = "get", operation_id = "get_user")]
    async fn get(
        &self,
        token: AdminToken,
        /// The account's id.
        id: Path<String>,
    ) -> Result<reply::Reply<User>, Refused<UserProblems>> {
        self.guard.require_token(&token)?;
        let record = self.operator.accounts.user_record(name(&id)?).await?;
        Ok(reply::Reply(record.into()))
    }

    /// Lock an account.
    ///
    /// Its sessions end and nobody can log in; to whoever tries, it looks like a wrong password.
    /// A new password does not unlock it.
    #[oai(path = "/users/:id/lock", method = "post", operation_id = "lock_user")]
    async fn lock(
        &self,
        request: &Request,
        token: AdminToken,
        /// The account's id.
        id: Path<String>,
    ) -> Result<reply::Reply<User>, Refused<ActionProblems>> {
        let done = self.act(request, &token, &id, UserAction::Lock).await?;
        Ok(done)
    }

    /// Unlock an account.
    ///
    /// Wrong passwords are forgotten as well.
    #[oai(
        path = "/users/:id/unlock",
        method = "post",
        operation_id = "unlock_user"
    )]
    async fn unlock(
        &self,
        request: &Request,
        token: AdminToken,
        /// The account's id.
        id: Path<String>,
    ) -> Result<reply::Reply<User>, Refused<ActionProblems>> {
        let done = self.act(request, &token, &id, UserAction::Unlock).await?;
        Ok(done)
    }

    /// Mail the owner of an account a link for a new password.
    ///
    /// As if they had asked for it: the limits of their address hold, those of clients do not.
    #[oai(
        path = "/users/:id/send_reset",
        method = "post",
        operation_id = "send_reset_to_user"
    )]
    async fn send_reset(
        &self,
        request: &Request,
        token: AdminToken,
        /// The account's id.
        id: Path<String>,
    ) -> Result<reply::Reply<User>, Refused<ResetProblems>> {
        let done = self
            .act(request, &token, &id, UserAction::SendReset)
            .await?;
        Ok(done)
    }

    /// End all sessions of an account.
    #[oai(
        path = "/users/:id/end_sessions",
        method = "post",
        operation_id = "end_sessions_of_user"
    )]
    async fn end_sessions(
        &self,
        request: &Request,
        token: AdminToken,
        /// The account's id.
        id: Path<String>,
    ) -> Result<reply::Reply<User>, Refused<ActionProblems>> {
        let action = UserAction::EndSessions;
        Ok(self.act(request, &token, &id, action).await?)
    }

    async fn act(
        &self,
        request: &Request,
        token: &AdminToken,
        id: &Path<String>,
        action: UserAction,
    ) -> Result<reply::Reply<User>, Problem> {
        self.guard.require_token(token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let record = self.operator.act_on_user(name(id)?, action, &by).await?;
        Ok(reply::Reply(record.into()))
    }
}

fn name(id: &Path<String>) -> Result<UserId, Problem> {
    id.0.parse().map_err(|_| Problem::new(Kind::NotFound))
}
