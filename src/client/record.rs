//! What the operator looks at beside the mail, as the API tells it: users, sessions, tokens, the
//! audit record, one person's timeline, the log, figures of the last hour. Times are RFC 3339 in
//! UTC. Words that may grow are texts: an older client still shows what a newer server says.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

/// The gatepost at the other end: `GET /admin/about`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct About {
    /// Its version.
    pub version: String,
    /// `dev` or `serve`.
    pub mode: String,
    /// Whether its mail goes into its own inbox and never out.
    pub captures: bool,
    /// What the site calls itself.
    pub site_name: String,
    /// The scheme and domain of the links in its mails.
    pub base_url: String,
    /// The site's language: `en`, `zh-hans` or `zh-hant`.
    pub language: String,
    /// When it was started.
    pub started_at: String,
    /// What its clock says.
    pub now: String,
    /// Whether codes and links may be revealed there (in `dev` alone).
    pub reveals: bool,
}

/// Figures: `GET /admin/stats`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Stats {
    /// What the server's clock says.
    pub now: String,
    /// How many mails of the outbox are in each state.
    pub outbox: BTreeMap<String, u64>,
    /// How many mails need somebody: dead, uncertain for good, or waiting after a failure. Capped
    /// where counting on would cost too much.
    pub failing: u64,
    /// Captured mails.
    pub inbox: u64,
    /// Accounts; absent where that was too much to count, as with those below.
    pub users: Option<u64>,
    /// Sessions, live or not yet cleared away.
    pub sessions: Option<u64>,
    /// Codes, links and verification tokens.
    pub tokens: Option<u64>,
    /// Entries of the audit record.
    pub audit: Option<u64>,
    /// The last 60 minutes, the oldest first; the last one is still running. Counted since the
    /// server's start.
    pub minutes: Vec<Minute>,
}

/// What happened in one minute.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Minute {
    /// When it began.
    pub at: String,
    /// Mails that went out (or into the own inbox).
    pub sent: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Mails that were captured.
    pub captured: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// Logins that succeeded.
    pub logins: u64,
    /// Logins that were refused.
    pub refused_logins: u64,
}

/// An account: `GET /admin/users`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Its name for gatepost, `us_…`.
    pub id: String,
    /// Where its mail goes.
    pub email: String,
    /// How the person wants to be called.
    pub display_name: Option<String>,
    /// The language of its mails.
    pub language: String,
    /// `active`, `locked` (by the operator) or `waiting` (after too many wrong passwords).
    pub state: String,
    /// When it was made.
    pub created_at: String,
    /// When its owner last logged in.
    pub last_login_at: Option<String>,
    /// Since when the operator keeps it locked.
    pub locked_at: Option<String>,
    /// Until when logins are refused after wrong passwords.
    pub waits_until: Option<String>,
    /// How many sessions are live; counted up to a limit.
    pub sessions: Option<u64>,
}

/// A session of anybody's: `GET /admin/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Session {
    /// Its name for gatepost, `se_…`. It gives no access.
    pub id: String,
    /// Whose.
    pub user_id: String,
    /// Whose.
    pub email: String,
    /// `live`, `lapsed` or `ended` (with all others of its owner, not yet cleared away).
    pub state: String,
    /// When it began.
    pub created_at: String,
    /// When it was last used, roughly.
    pub last_used_at: String,
    /// When it ends if it is not used.
    pub expires_at: String,
    /// From where it was begun.
    pub ip: String,
    /// From where it was last used, as far as that was noted.
    pub last_ip: String,
    /// What the program that began it calls itself.
    pub user_agent: Option<String>,
}

/// A code, a link or a verification token; never its secret: `GET /admin/tokens`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Token {
    /// Its name for gatepost, by which it is revoked. It gives no access.
    pub id: String,
    /// `registration_code`, `reset_code`, `address_code`, `reset_link`, `registration_token` or
    /// `reset_token`.
    pub kind: String,
    /// Whose mailbox it was sent to, or would have been.
    pub email: String,
    /// Whose account, where there is one.
    pub user_id: Option<String>,
    /// `live`, `lapsed`, `spent` (no try is left) or `overtaken` (by a login or a new password).
    pub state: String,
    /// When it was made.
    pub created_at: String,
    /// When it lapses.
    pub expires_at: String,
    /// How many wrong tries are left, where tries are counted.
    pub attempts_left: Option<u32>,
    /// The mail in the outbox that carries it, where that is known.
    pub outbox_id: Option<String>,
    /// Whether it can be revealed: in `dev`, while its mail is there.
    pub revealable: bool,
}

/// A secret that was asked for: `POST /admin/tokens/{id}/reveal`. It is in the audit record.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Revealed {
    /// The code or the link.
    pub secret: String,
}

impl std::fmt::Debug for Revealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Revealed(***)")
    }
}

/// An entry of the audit record: `GET /admin/audit`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// Its name, `au_…`.
    pub id: String,
    /// When.
    pub at: String,
    /// Who did it: a user's id, `anonymous`, `operator`, `operator:NAME` or `gatepost`.
    pub actor: String,
    /// What, as a stable word.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// `done` or `refused`.
    pub outcome: String,
    /// From where.
    pub ip: Option<String>,
    /// Anything else.
    pub detail: String,
}

/// Something in one person's story: `GET /admin/timeline?email=…`, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Moment {
    /// When.
    pub at: String,
    /// `account`, `mail`, `captured`, `token`, `session` or `audit`.
    pub kind: String,
    /// The name of that thing, where it can be looked at.
    pub id: String,
    /// What happened, in a few words of the language asked for.
    pub title: String,
    /// Its state now, or the outcome.
    pub state: String,
    /// Anything else.
    pub detail: String,
}

/// A line of the log: `GET /admin/log`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Line {
    /// Its number, from 1; they grow without gaps while the server runs.
    pub id: String,
    /// When.
    pub at: String,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Which part of gatepost.
    pub target: String,
    /// What it says, with its fields.
    pub text: String,
}
