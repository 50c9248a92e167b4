//! A mail of the outbox as the API tells it. Words that may grow (states, kinds, stages) are
//! texts here: an older command line still shows what a newer server says.

use std::collections::BTreeMap;

use serde::Deserialize;

/// A mail of the outbox. Times are RFC 3339 in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
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
    pub last_error: Option<LastError>,
}

/// Why a mail is not sent yet, or what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Why {
    /// A stable word.
    #[serde(default)]
    pub code: String,
    /// A sentence.
    #[serde(default)]
    pub text: String,
    /// What to do.
    #[serde(default)]
    pub advice: Option<String>,
    /// The provider's page where it is done.
    #[serde(default)]
    pub page: Option<String>,
    /// When something happens next.
    #[serde(default)]
    pub next_at: Option<String>,
}

/// The last failure of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct LastError {
    /// When.
    #[serde(default)]
    pub at: String,
    /// How far it had come.
    #[serde(default)]
    pub stage: String,
    /// What kind of failure.
    #[serde(default)]
    pub outcome: String,
    /// The reply's code.
    #[serde(default)]
    pub code: Option<u16>,
    /// The relay's words, or what went wrong in ours.
    #[serde(default)]
    pub text: String,
    /// The rule that explains it.
    #[serde(default)]
    pub rule: Option<String>,
    /// Which way it went.
    #[serde(default)]
    pub route: Option<String>,
}

/// A mail with its attempts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MailDetail {
    /// The mail.
    #[serde(flatten)]
    pub mail: Mail,
    /// What was tried, the first one first.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Attempt {
    /// Which, from 1.
    #[serde(default)]
    pub number: u32,
    /// Which way it went.
    #[serde(default)]
    pub route: Option<String>,
    /// When it began.
    #[serde(default)]
    pub started_at: String,
    /// When it ended.
    #[serde(default)]
    pub ended_at: String,
    /// How far it came.
    #[serde(default)]
    pub stage: String,
    /// How it ended.
    #[serde(default)]
    pub outcome: String,
    /// The reply's code.
    #[serde(default)]
    pub code: Option<u16>,
    /// The deciding reply.
    #[serde(default)]
    pub reply: String,
    /// The conversation, secrets masked.
    #[serde(default)]
    pub transcript: String,
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

/// A page of the outbox, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MailPage {
    /// The mails.
    pub items: Vec<Mail>,
    /// For the next page.
    #[serde(default)]
    pub next_cursor: Option<String>,
    /// How many match.
    #[serde(default)]
    pub total: Option<u64>,
    /// How many of all are in each state.
    #[serde(default)]
    pub counts: BTreeMap<String, u64>,
}
