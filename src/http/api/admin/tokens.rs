//! Codes, links and verification tokens: listed without their secrets, revoked, and, in `dev`
//! alone, revealed.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::{Path, Query};
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::address::EmailAddress;
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
use crate::identity::overview::TokenFilter;
use crate::identity::overview::TokenKind;
use crate::identity::overview::TokenName;
use crate::identity::overview::TokenSort;
use crate::identity::overview::TokenState;
use crate::operator::Operator;
use crate::operator::RevealError;
use crate::operator::Told;

/// A code, a link or a verification token, without its secret.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "TokenRecord", example)]
pub struct Token {
    /// Its name for gatepost. It gives no access.
    id: String,
    /// `registration_code`, `reset_code`, `address_code`, `reset_link`, `registration_token` or
    /// `reset_token`.
    kind: String,
    /// Whose mailbox it was sent to, or would have been.
    email: String,
    /// Whose account, where there is one.
    user_id: Option<String>,
    /// `live`, `lapsed`, `spent` (no try is left) or `overtaken` (by a login or a new password).
    state: String,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it lapses (RFC 3339).
    expires_at: String,
    /// How many wrong tries are left, where tries are counted.
    attempts_left: Option<u32>,
    /// The mail in the outbox that carries it, where that is known.
    outbox_id: Option<String>,
    /// Whether it can be revealed: in `dev`, while its mail is there.
    revealable: bool,
}

paged! {
    /// A page of the codes, links and verification tokens.
    TokenPage of Token, "TokenRecordPage"
}

/// A secret that was asked for.
#[derive(Object, Serialize)]
#[oai(rename = "RevealedToken", example)]
pub struct Revealed {
    /// The code or the link.
    secret: String,
}

impl Example for Revealed {
    fn example() -> Revealed {
        Revealed {
            secret: "042117".to_owned(),
        }
    }
}

impl From<Told> for Token {
    fn from(told: Told) -> Token {
        let token = told.token;
        Token {
            id: token.name.to_string(),
            kind: token.kind.word().to_owned(),
            email: token.email,
            user_id: token.user.map(|user| user.to_string()),
            state: token.state.word().to_owned(),
            created_at: token.created_at.to_string(),
            expires_at: token.expires_at.to_string(),
            attempts_left: token.attempts_left,
            outbox_id: token.mail.map(|mail| mail.to_string()),
            revealable: told.revealable,
        }
    }
}

impl Example for Token {
    fn example() -> Token {
        Token {
            id: "tk_AmFubkBleGFtcGxlLmNvbQAAgAABm3Z5gAAA".to_owned(),
            kind: "reset_code".to_owned(),
            email: "ann@example.com".to_owned(),
            user_id: Some("us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned()),
            state: "live".to_owned(),
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
            expires_at: "2026-01-01T00:10:00.000Z".to_owned(),
            attempts_left: Some(5),
            outbox_id: Some("ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE".to_owned()),
            revealable: false,
        }
    }
}

problems! {
    /// Of the list.
    ListProblems: AdminRequired, BadParameter, Unavailable
}
problems! {
    /// Of revoking one.
    RevokeProblems: AdminRequired, BadParameter, NotFound, Unavailable
}
problems! {
    /// Of revealing one.
    RevealProblems: AdminRequired, BadParameter, NotFound, NotRevealable, Unavailable
}

impl From<RevealError> for Problem {
    fn from(error: RevealError) -> Problem {
        match error {
            RevealError::NotRevealable(why) => Problem::new(Kind::NotRevealable).detail(why),
            RevealError::Identity(error) => error.into(),
        }
    }
}

/// Codes, links and verification tokens.
pub struct TokensApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who does it.
    pub operator: Operator,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

const FIELDS: [&str; 4] = ["created_at", "expires_at", "email", "kind"];

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl TokensApi {
    /// Codes, links and verification tokens, newest first.
    ///
    /// What they are is shown to nobody. Everything that is given must match.
    #[oai(path = "/tokens", method = "get", operation_id = "list_tokens")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// `registration_code`, `reset_code`, `address_code`, `reset_link`, `registration_token` or
        /// `reset_token`.
        kind: Query<Option<String>>,
        /// `live`, `lapsed`, `spent` or `overtaken`.
        state: Query<Option<String>>,
        /// The whole address of a mailbox.
        email: Query<Option<String>>,
        /// A part of an id, an address or a kind, in any case.
        q: Query<Option<String>>,
        /// `created_at`, `expires_at`, `email` or `kind`; with `-` before it from the last to the
        /// first. `-created_at` when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page.
        cursor: Query<Option<String>>,
        /// How many rows a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<TokenPage>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        let known = [
            "kind", "state", "email", "q", "sort", "back", "cursor", "limit",
        ];
        only(request, &known)?;
        let paging = Paging::read(
            &FIELDS,
            sort.0.as_deref(),
            back.0,
            cursor.0.as_deref(),
            limit.0,
        )?;
        let kinds = TokenKind::ALL.map(TokenKind::word);
        let states = TokenState::ALL.map(TokenState::word);
        let email = email.0.map(|email| email.parse::<EmailAddress>());
        let filter = TokenFilter {
            kind: one_of("kind", kind.0.as_deref(), TokenKind::from_word, &kinds)?,
            state: one_of("state", state.0.as_deref(), TokenState::from_word, &states)?,
            email: email
                .transpose()
                .map_err(|error| Problem::parameter("email", &error.to_string()))?,
            q: q.0,
        };
        let sort = match paging.field {
            "expires_at" => TokenSort::ExpiresAt,
            "email" => TokenSort::Email,
            "kind" => TokenSort::Kind,
            _ => TokenSort::CreatedAt,
        };
        let page = self.operator.list_tokens(filter, sort, paging.ask.clone());
        let page = page.await?;
        Ok(TokenPage::answer(page, &paging, request, Token::from))
    }

    /// Make a code, a link or a verification token good for nothing.
    #[oai(path = "/tokens/:id", method = "delete", operation_id = "revoke_token")]
    async fn revoke(
        &self,
        request: &Request,
        token: AdminToken,
        /// The token's id.
        id: Path<String>,
    ) -> Result<reply::NoContent, Refused<RevokeProblems>> {
        self.guard.require_token(&token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        self.operator.revoke_token(name(&id)?, &by).await?;
        Ok(reply::NoContent)
    }

    /// Reveal a code or a link, in `dev` alone.
    ///
    /// It is read out of its mail, and who asked is on record before the answer. A verification
    /// token is never revealed: only its hash is kept.
    #[oai(
        path = "/tokens/:id/reveal",
        method = "post",
        operation_id = "reveal_token"
    )]
    async fn reveal(
        &self,
        request: &Request,
        token: AdminToken,
        /// The token's id.
        id: Path<String>,
    ) -> Result<reply::Reply<Revealed>, Refused<RevealProblems>> {
        self.guard.require_token(&token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let secret = self.operator.reveal_token(name(&id)?, &by).await?;
        Ok(reply::Reply(Revealed { secret }))
    }
}

fn name(id: &Path<String>) -> Result<TokenName, Problem> {
    TokenName::read(&id.0).ok_or(Problem::new(Kind::NotFound))
}
