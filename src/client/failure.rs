//! What went wrong last, with a mail or with a route, as the API tells it.

use serde::Deserialize;
use serde::Serialize;

/// The last failure of a mail or of a route. Times are RFC 3339 in UTC. A mail's does not explain
/// itself (the mail's `why` does), and a route's names neither a route nor an outcome.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Failure {
    /// When.
    pub at: String,
    /// How far it had come.
    pub stage: String,
    /// What kind of failure.
    pub outcome: String,
    /// The reply's code.
    pub code: Option<u16>,
    /// The relay's words, or what went wrong in ours.
    pub text: String,
    /// Which way the mail went.
    pub route: Option<String>,
    /// The rule that explains it.
    pub rule: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// The provider's page where it is done.
    pub page: Option<String>,
}
