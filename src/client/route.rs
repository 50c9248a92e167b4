//! A route as the API tells it.

use serde::Deserialize;
use serde::Serialize;

use super::Failure;

/// All routes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routes {
    /// The primary first.
    pub items: Vec<Route>,
}

/// A way that mail takes out. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub last_error: Option<Failure>,
    /// When it last took a mail.
    #[serde(default)]
    pub last_success_at: Option<String>,
    /// How many connections are open.
    #[serde(default)]
    pub connections: u64,
}

/// What a route may send, and how much of it is used up.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Budget {
    /// Mails in any 24 hours; no limit when absent.
    pub per_day: Option<u64>,
    /// How many of them are kept for codes and links.
    pub kept_for_codes: u64,
    /// How many went out in the last 24 hours.
    pub spent: u64,
    /// Mails a minute; no limit when absent.
    pub per_minute: Option<u64>,
    /// From when on another one may go out, where none may now.
    pub resumes_at: Option<String>,
}
