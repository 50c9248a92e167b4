//! A mail of the outbox as the API tells it. Words that may grow (states, kinds, stages) are
//! texts here: an older command line still shows what a newer server says.

use serde::Deserialize;
use serde::Serialize;

use super::Failure;

/// A mail of the outbox. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Its name, `ob_…`.
    pub id: String,
    /// What it is for.
    pub kind: String,
    /// The template of a mail that another program ordered.
    #[serde(default)]
    pub template: Option<String>,
    /// `queued`, `sending`, `sent`, `uncertain`, `dead`, `expired` or `discarded`.
    pub state: String,
    /// `prompt`, `high` or `ordinary`.
    #[serde(default)]
    pub lane: String,
    /// Whom it goes to.
    pub to: String,
    /// The language it is written in.
    #[serde(default)]
    pub language: String,
    /// With its angle brackets.
    #[serde(default)]
    pub message_id: String,
    /// How many bytes are sent.
    #[serde(default)]
    pub size: u64,
    /// When it was composed.
    pub created_at: String,
    /// When it is tried next.
    #[serde(default)]
    pub next_at: Option<String>,
    /// From when on it is not sent any more.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// When it reached its final state.
    #[serde(default)]
    pub finished_at: Option<String>,
    /// How many tries were charged to it.
    #[serde(default)]
    pub tries: u32,
    /// Whether some try may have reached the recipient.
    #[serde(default)]
    pub doubtful: bool,
    /// Which way it went.
    #[serde(default)]
    pub route: Option<String>,
    /// The API key of the program that ordered it.
    #[serde(default)]
    pub ordered_by: Option<String>,
    /// Why it is where it is.
    #[serde(default)]
    pub why: Option<Why>,
    /// What kept it from being sent last time.
    #[serde(default)]
    pub last_error: Option<Failure>,
}

/// Why a mail is not sent yet, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Why {
    /// A stable word.
    pub code: String,
    /// A sentence.
    pub text: String,
    /// What to do.
    pub advice: Option<String>,
    /// The provider's page where it is done.
    pub page: Option<String>,
    /// When something happens next.
    pub next_at: Option<String>,
}

/// A mail with its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailDetail {
    /// The mail.
    #[serde(flatten)]
    pub mail: Mail,
    /// What was tried, the first one first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
    /// How many between those are not kept any more.
    #[serde(default)]
    pub attempts_left_out: u32,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attempt {
    /// Which, from 1.
    pub number: u32,
    /// Which way it went.
    pub route: Option<String>,
    /// When it began.
    pub started_at: String,
    /// When it ended.
    pub ended_at: String,
    /// How far it came.
    pub stage: String,
    /// How it ended.
    pub outcome: String,
    /// The reply's code.
    pub code: Option<u16>,
    /// The deciding reply.
    pub reply: String,
    /// The conversation, secrets masked.
    pub transcript: String,
    /// The rule that explains it.
    pub rule: Option<String>,
    /// What it means.
    pub meaning: Option<String>,
    /// What to do.
    pub advice: Option<String>,
    /// The provider's page where it is done.
    pub page: Option<String>,
}
