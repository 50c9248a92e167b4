//! A route of outgoing mail as it travels. The operations on it are in `routes`.

use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::http::api::admin::mail::word;
use crate::language::Language;
use crate::mail::route::Breaker;
use crate::mail::route::Status;
use crate::mail::rulebook;

/// How much a route may send, and how much of it is used up.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "RouteBudget")]
pub struct Budget {
    /// Mails in any 24 hours; null: no limit is set.
    pub per_day: Option<u32>,
    /// How many of them are kept for codes and links.
    pub kept_for_codes: u32,
    /// How many were sent in the last 24 hours.
    pub spent: u32,
    /// Mails a minute; null: no limit is set.
    pub per_minute: Option<u32>,
    /// From when on another mail may be sent, where none may now (RFC 3339).
    pub resumes_at: Option<String>,
}

/// The last failure of a route. It stays after the route recovered.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "RouteError")]
pub struct LastError {
    /// When (RFC 3339).
    pub at: String,
    /// How far it came: `connect`, `greeting`, `tls`, `auth`, `mail_from`, `rcpt_to`, `data`,
    /// `content` or `final_reply`.
    pub stage: String,
    /// The code of the server's reply.
    pub code: Option<u16>,
    /// The reply, or in our words what went wrong. Secrets are masked.
    pub text: String,
    /// The rule that explains it, as a stable word.
    pub rule: Option<String>,
    /// What it means, in the language that was asked for (Accept-Language).
    pub meaning: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// The provider's page on which it is done.
    pub page: Option<String>,
}

/// A way that mail takes out.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "Route", example)]
pub struct Route {
    /// `primary` or `fallback`.
    pub name: String,
    /// The server's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account, where one logs in.
    pub user: Option<String>,
    /// `closed`: it is taken; `open`: it failed and rests; `probing`: one mail tries it just now;
    /// `paused`: by the operator.
    pub state: String,
    /// Since when it has been open (RFC 3339).
    pub since: Option<String>,
    /// When one mail tries it again (RFC 3339).
    pub next_probe_at: Option<String>,
    /// Since when it has been paused (RFC 3339).
    pub paused_at: Option<String>,
    /// What it may send.
    pub budget: Budget,
    /// Its last failure.
    pub last_error: Option<LastError>,
    /// When it last took a mail (RFC 3339).
    pub last_success_at: Option<String>,
    /// How many connections are open now.
    pub connections: u32,
}

/// The routes.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(example)]
pub struct Routes {
    /// Those that are set up, the primary first.
    pub items: Vec<Route>,
}

impl Routes {
    /// These, told in `language`.
    pub fn told(routes: Vec<Status>, language: Language) -> Routes {
        let routes = routes.into_iter();
        Routes {
            items: routes.map(|status| Route::told(status, language)).collect(),
        }
    }
}

impl Route {
    /// This one, told in `language`.
    pub fn told(status: Status, language: Language) -> Route {
        let (word_of_breaker, since, probe_at) = match status.breaker {
            Breaker::Closed => ("closed", None, None),
            Breaker::Open { since, probe_at } => ("open", Some(since), Some(probe_at)),
            Breaker::Probing { since } => ("probing", Some(since), None),
        };
        let state = match status.paused {
            Some(_) => "paused",
            None => word_of_breaker,
        };
        let account = status.user.clone();
        Route {
            name: status.name.word().to_owned(),
            host: status.host,
            port: status.port,
            user: status.user,
            state: state.to_owned(),
            since: since.map(|at| at.to_string()),
            next_probe_at: probe_at.map(|at| at.to_string()),
            paused_at: status.paused.map(|pause| pause.at.to_string()),
            budget: Budget {
                per_day: status.budget.per_day,
                kept_for_codes: status.budget.kept_for_codes,
                spent: status.budget.spent,
                per_minute: status.budget.per_minute,
                resumes_at: status.budget.resumes_at.map(|at| at.to_string()),
            },
            last_error: status.last_error.map(|error| {
                let rule = error.rule.as_deref().and_then(rulebook::rule);
                LastError {
                    at: error.at.to_string(),
                    stage: word(&error.stage),
                    code: error.code,
                    text: error.text,
                    meaning: rule.map(|rule| rule.meaning.of(language).to_owned()),
                    advice: rule.map(|rule| rule.remedy(language, account.as_deref())),
                    page: rule.and_then(|rule| rule.page.clone()),
                    rule: error.rule,
                }
            }),
            last_success_at: status.last_success_at.map(|at| at.to_string()),
            connections: u32::try_from(status.connections).unwrap_or(u32::MAX),
        }
    }
}

impl Example for Route {
    fn example() -> Route {
        Route {
            name: "primary".to_owned(),
            host: "smtp.example.com".to_owned(),
            port: 587,
            user: Some("team@example.com".to_owned()),
            state: "open".to_owned(),
            since: Some("2026-01-01T00:00:00.000Z".to_owned()),
            next_probe_at: Some("2026-01-01T00:05:00.000Z".to_owned()),
            paused_at: None,
            budget: Budget {
                per_day: Some(500),
                kept_for_codes: 100,
                spent: 41,
                per_minute: None,
                resumes_at: None,
            },
            last_error: Some(LastError {
                at: "2026-01-01T00:00:00.000Z".to_owned(),
                stage: "auth".to_owned(),
                code: Some(535),
                text: "535 5.7.8 Username and Password not accepted".to_owned(),
                rule: Some("credentials".to_owned()),
                meaning: Some("The server does not accept the password.".to_owned()),
                advice: Some(
                    "Make an app password and put it into EMAIL_HOST_PASSWORD.".to_owned(),
                ),
                page: None,
            }),
            last_success_at: None,
            connections: 0,
        }
    }
}

impl Example for Routes {
    fn example() -> Routes {
        Routes {
            items: vec![Route::example()],
        }
    }
}
