//! The operations, one file a resource, and what they share: their groups, the refusal of
//! parameters that none of them has, and the mapping from the domain's errors to problems.

pub mod admin;
pub mod auth;
pub mod inbox;
pub mod keys;
pub mod mail;
pub mod message;
pub mod profile;
pub mod service;
pub mod sessions;

use poem::Request;
use poem_openapi::Tags;

use crate::http::front::STORE_PAUSE;
use crate::http::problem::FieldProblem;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity;
use crate::store;

/// The groups of operations.
#[derive(Tags)]
pub enum Group {
    /// Signing up, logging in, getting back in.
    #[oai(rename = "auth")]
    Auth,
    /// The captured mail.
    #[oai(rename = "inbox")]
    Inbox,
    /// Mail for the team's other programs.
    #[oai(rename = "mail")]
    Mail,
    /// The operator's part.
    #[oai(rename = "admin")]
    Admin,
    /// The service itself.
    #[oai(rename = "service")]
    Service,
}

/// The groups with their descriptions, in the order of the document.
pub const GROUPS: &[(&str, &str)] = &[
    (
        "auth",
        "Accounts: signing up with a code by mail, logging in, getting back in, sessions.",
    ),
    (
        "inbox",
        "Captured mail, newest first. A test asks `wait` for the mail that it expects.",
    ),
    (
        "mail",
        "Mail for the team's other programs, each with an API key of its own.",
    ),
    (
        "admin",
        "The operator's part. It needs the token of `data/admin.token`, also in `dev`. Who acts may \
         say who they are in the header `Gatepost-Operator` (1 to 64 visible characters, \
         percent-encoded UTF-8): the audit record then names `operator:NAME` and not `operator`.",
    ),
    (
        "service",
        "The service itself: is it alive, is it ready, what has it counted.",
    ),
];

/// Refuses query parameters that the operation does not have: a misspelt filter would otherwise
/// match everything.
pub fn only(request: &Request, known: &[&str]) -> Result<(), Problem> {
    let query = request.uri().query().unwrap_or_default();
    for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
        if !known.contains(&name.as_ref()) {
            let reason = match known {
                [] => "this operation has no parameters".to_owned(),
                known => format!("unknown; known are {}", known.join(", ")),
            };
            return Err(Problem::parameter(&name, &reason));
        }
    }
    Ok(())
}

/// A store that refuses is the operator's to mend: the log says what, the client only when to
/// try again.
impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Problem {
        tracing::error!(%error, "the store failed");
        match error {
            store::Error::Unavailable(_) | store::Error::Closed => {
                Problem::new(Kind::Unavailable).retry_after(STORE_PAUSE)
            }
            store::Error::Malformed { .. } | store::Error::Panicked => Problem::new(Kind::Internal),
        }
    }
}

impl From<identity::Error> for Problem {
    fn from(error: identity::Error) -> Problem {
        use identity::Error;
        match error {
            Error::Invalid(fields) => Problem::fields(
                fields
                    .into_iter()
                    .map(|field| FieldProblem {
                        pointer: format!("/{}", field.field),
                        code: field.code.into(),
                        detail: field.message,
                    })
                    .collect(),
            ),
            Error::CodeRefused { attempts_left } => {
                Problem::new(Kind::CodeRefused).attempts_left(attempts_left)
            }
            Error::TokenRefused => Problem::new(Kind::TokenRefused),
            Error::LinkRefused => Problem::new(Kind::LinkRefused),
            Error::AddressTaken => Problem::new(Kind::AddressTaken),
            Error::CredentialsRefused => Problem::new(Kind::CredentialsRefused),
            Error::Unauthenticated => Problem::new(Kind::Unauthenticated),
            Error::NotFound => Problem::new(Kind::NotFound),
            Error::Limited(limited) => Problem::limited(
                limited.name,
                limited.quota,
                limited.window,
                limited.retry_after,
            ),
            Error::Busy { retry_after } => Problem::new(Kind::Busy).retry_after(retry_after),
            Error::Store(error) => error.into(),
            Error::Mail(error) => {
                tracing::error!(%error, "a mail could not be composed");
                Problem::new(Kind::Internal)
            }
            Error::BrokenOff => Problem::new(Kind::Internal),
        }
    }
}
