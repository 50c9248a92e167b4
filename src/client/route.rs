//! A route as the API tells it.

use serde::Deserialize;

/// All routes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Routes {
    /// The primary first.
    pub items: Vec<Route>,
}

/// A way that mail takes out. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Route {
    /// `primary` or `fallback`.
    pub name: String,
    /// The relay's host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// The account there.
    #[serde(default)]
    pub user: Option<String>,
    /// `closed` (mail goes out), `open` (it rests after a failure), `probing` or `paused`.
    pub state: String,
    /// Since when it is open.
    #[serde(default)]
    pub since: Option<String>,
    /// When it is tried again.
    #[serde(default)]
    pub next_probe_at: Option<String>,
    /// Since when it is paused.
    #[serde(default)]
    pub paused_at: Option<String>,
    /// What it may send.
    #[serde(default)]
    pub budget: Budget,
    /// Its last failure; stays after it recovered.
    #[serde(default)]
    pub last_error: Option<RouteError>,
    /// When it last took a mail.
    #[serde(default)]
    pub last_success_at: Option<String>,
    /// How many connections are open.
    #[serde(default)]
    pub connections: u64,
}

/// What a route may send, and how much of it is used up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Budget {
    /// Mails in any 24 hours; no limit when absent.
    #[serde(default)]
    pub per_day: Option<u64>,
    /// How many of them are kept for codes and links.
    #[serde(default)]
    pub kept_for_codes: u64,
    /// How many went out in the last 24 hours.
    #[serde(default)]
    pub spent: u64,
    /// Mails a minute; no limit when absent.
    #[serde(default)]
    pub per_minute: Option<u64>,
    /// From when on another one may go out, where none may now.
    #[serde(default)]
    pub resumes_at: Option<String>,
}

/// The last failure of a route.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct RouteError {
    /// When.
    #[serde(default)]
    pub at: String,
    /// How far it came.
    #[serde(default)]
    pub stage: String,
    /// The reply's code.
    #[serde(default)]
    pub code: Option<u16>,
    /// The relay's words, or what went wrong in ours.
    #[serde(default)]
    pub text: String,
    /// The rule that explains it.
    #[serde(default)]
    pub rule: Option<String>,
    /// What it means.
    #[serde(default)]
    pub meaning: Option<String>,
    /// What to do.
    #[serde(default)]
    pub advice: Option<String>,
    /// The provider's page where it is done.
    #[serde(default)]
    pub page: Option<String>,
}
