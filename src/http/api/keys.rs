//! The API keys of the team's other programs: made, listed and revoked by the operator. What is
//! done with one is `mail`'s.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::body::Unread;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::FieldProblem;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::operator;
use crate::operator::KeyError;
use crate::operator::Operator;

/// Makes an API key.
#[derive(Object)]
#[oai(example)]
pub struct CreateKey {
    /// What the key is called: which program has it. 1 to 64 visible characters, no two keys alike.
    name: String,
}

impl Example for CreateKey {
    fn example() -> CreateKey {
        CreateKey {
            name: "billing".to_owned(),
        }
    }
}

/// An API key, without the key itself.
#[derive(Debug, Object, Serialize)]
pub struct ApiKey {
    /// Which. It gives no access.
    id: String,
    /// What it is called.
    name: String,
    /// When it was made (RFC 3339).
    created_at: String,
    /// When it was last used, give or take an hour (RFC 3339).
    last_used_at: Option<String>,
}

/// An API key that was just made.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct NewApiKey {
    /// Which. It gives no access.
    id: String,
    /// What it is called.
    name: String,
    /// When it was made (RFC 3339).
    created_at: String,
    /// The key. It is shown this once: only its hash is kept.
    key: String,
}

impl Example for NewApiKey {
    fn example() -> NewApiKey {
        NewApiKey {
            id: "ak_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
            name: "billing".to_owned(),
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
            key: "gpk_…".to_owned(),
        }
    }
}

/// All API keys.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct ApiKeys {
    /// The keys, oldest first.
    items: Vec<ApiKey>,
}

impl Example for ApiKeys {
    fn example() -> ApiKeys {
        ApiKeys {
            items: vec![ApiKey {
                id: "ak_01KDX0A9R7V8W6Z5Y4X3T2S1Q0".to_owned(),
                name: "billing".to_owned(),
                created_at: "2026-01-01T00:00:00.000Z".to_owned(),
                last_used_at: Some("2026-01-02T09:30:00.000Z".to_owned()),
            }],
        }
    }
}

impl From<operator::ApiKey> for ApiKey {
    fn from(key: operator::ApiKey) -> ApiKey {
        ApiKey {
            id: key.id.to_string(),
            name: key.name,
            created_at: key.created_at.to_string(),
            last_used_at: key.last_used_at.map(|at| at.to_string()),
        }
    }
}

problems! {
    /// Of the list.
    ListProblems: AdminRequired, Unavailable
}
problems! {
    /// Of making one.
    CreateProblems: MalformedBody, BodyTimeout, BodyTooLarge, UnsupportedMediaType,
        InvalidFields, AdminRequired, BadParameter, TooManyKeys, Unavailable
}
problems! {
    /// Of revoking one.
    RevokeProblems: AdminRequired, BadParameter, NotFound, Unavailable
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Problem {
        let name = |code: &'static str| {
            Problem::fields(vec![FieldProblem {
                pointer: "/name".to_owned(),
                code: code.into(),
                detail: error.to_string(),
            }])
        };
        match error {
            KeyError::Name => name("malformed"),
            KeyError::NameTaken => name("taken"),
            KeyError::TooMany => Problem::new(Kind::TooManyKeys).detail(error.to_string()),
            KeyError::NotFound => Problem::new(Kind::NotFound),
            KeyError::Refused => {
                Problem::new(Kind::ApiKeyRequired).detail("The key is unknown or was revoked.")
            }
            KeyError::Store(error) => error.into(),
        }
    }
}

/// API keys.
pub struct KeysApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Does it.
    pub operator: Operator,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl KeysApi {
    /// All API keys, oldest first.
    #[oai(path = "/keys", method = "get", operation_id = "list_keys")]
    async fn list(
        &self,
        token: AdminToken,
    ) -> Result<reply::Reply<ApiKeys>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        let keys = self.operator.keys().await?;
        Ok(reply::Reply(ApiKeys {
            items: keys.into_iter().map(ApiKey::from).collect(),
        }))
    }

    /// Make an API key.
    ///
    /// With it one of the team's other programs may have mail sent. The key is shown this once.
    #[oai(path = "/keys", method = "post", operation_id = "create_key")]
    async fn create(
        &self,
        request: &Request,
        token: AdminToken,
        form: Unread<CreateKey>,
    ) -> Result<reply::Created<NewApiKey>, Refused<CreateProblems>> {
        let allowed = self.guard.require_token(&token);
        let ((), form) = form.behind(request, allowed).await?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let (made, key) = self.operator.create_key(&form.name, &by).await?;
        Ok(reply::Created(NewApiKey {
            id: made.id.to_string(),
            name: made.name,
            created_at: made.created_at.to_string(),
            key: key.expose().to_owned(),
        }))
    }

    /// Revoke an API key.
    ///
    /// From now on nobody is let in by it. Mail that it ordered still goes out; what is still
    /// queued can be discarded in the outbox.
    #[oai(path = "/keys/:id", method = "delete", operation_id = "revoke_key")]
    async fn revoke(
        &self,
        request: &Request,
        token: AdminToken,
        /// The key's id.
        id: Path<String>,
    ) -> Result<reply::NoContent, Refused<RevokeProblems>> {
        self.guard.require_token(&token)?;
        let id = id.0.parse().map_err(|_| Problem::new(Kind::NotFound))?;
        let by = caller::operator(request, self.trusted_proxies)?;
        self.operator.revoke_key(id, &by).await?;
        Ok(reply::NoContent)
    }
}
