//! A mail of the outbox as it travels: a row of the list, a page, a mail with all that was tried.
//! The operations on them are in `outbox`; why a mail is not sent is known to the outbox itself.

use poem::Request;
use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::http::caller;
use crate::language::Language;
use crate::mail::OutboxId;
use crate::mail::attempt::Attempt;
use crate::mail::attempt::text_of;
use crate::mail::outbox;
use crate::mail::outbox::State;
use crate::mail::route::RouteName;
use crate::mail::route::Status;
use crate::mail::rulebook;
use crate::mail::rulebook::Rule;
use crate::operator::Operator;
use crate::store;
use crate::world::Timestamp;

/// Why a mail stands where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxWhy")]
pub struct Why {
    /// A stable word.
    pub code: String,
    /// A sentence, in the language that was asked for (Accept-Language).
    pub text: String,
    /// What to do about it.
    pub advice: Option<String>,
    /// The provider's page on which it is done.
    pub page: Option<String>,
    /// When it is tried next (RFC 3339).
    pub next_at: Option<String>,
}

/// What kept a mail from being sent the last time.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxError")]
pub struct LastError {
    /// When (RFC 3339).
    pub at: String,
    /// How far it came: `connect`, `greeting`, `tls`, `auth`, `mail_from`, `rcpt_to`, `data`,
    /// `content` or `final_reply`; `claim` before it began.
    pub stage: String,
    /// `temporary`, `permanent`, `connection`, `configuration`, `limited`, `uncertain`, `lapsed` or
    /// `lost`.
    pub outcome: String,
    /// The code of the server's reply.
    pub code: Option<u16>,
    /// The reply, or in our words what went wrong.
    pub text: String,
    /// The rule that explains it, as a stable word.
    pub rule: Option<String>,
    /// Which way it went.
    pub route: Option<String>,
}

/// A mail in the outbox. What it says is shown to nobody.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxMail", example)]
pub struct OutboxMail {
    /// Its name in the outbox.
    pub id: String,
    /// `registration_code`, `reset_code`, `reset_link`, `password_changed`, `already_registered`,
    /// `address_code`, `address_in_use`, `address_changed`, `account_deleted`, `test` or `message`.
    pub kind: String,
    /// The template of a `message`.
    pub template: Option<String>,
    /// `queued`, `sending`, `sent`, `uncertain`, `dead`, `expired` or `discarded`.
    pub state: String,
    /// Who is served first: `prompt` (codes and links), then `high`, then `ordinary`.
    pub lane: String,
    /// Whom it goes to.
    pub to: String,
    /// The language that it is written in.
    pub language: String,
    /// With its angle brackets. The same however often it is sent.
    pub message_id: String,
    /// Its length in octets.
    pub size: u32,
    /// When it was composed (RFC 3339).
    pub created_at: String,
    /// When it is tried next; while it is being sent, when that is given up (RFC 3339).
    pub next_at: Option<String>,
    /// From when on it is not sent any more (RFC 3339).
    pub expires_at: String,
    /// When it reached its end (RFC 3339).
    pub finished_at: Option<String>,
    /// How many tries were charged to it.
    pub tries: u32,
    /// Whether some attempt may have reached the recipient.
    pub doubtful: bool,
    /// Which way it went, once it was sent.
    pub route: Option<String>,
    /// The API key of the program that asked for it.
    pub ordered_by: Option<String>,
    /// Why it stands where it stands.
    pub why: Why,
    /// What kept it from being sent the last time.
    pub last_error: Option<LastError>,
}

/// How many mails are in each state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxCounts")]
pub struct Counts {
    /// Wait for their time.
    pub queued: u64,
    /// Are on their way.
    pub sending: u64,
    /// The server took them.
    pub sent: u64,
    /// May have been taken; nobody knows.
    pub uncertain: u64,
    /// Refused for good or given up.
    pub dead: u64,
    /// Their time went by.
    pub expired: u64,
    /// Not to be sent.
    pub discarded: u64,
}

/// A page of the outbox.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxPage", example)]
pub struct Page {
    /// The mails, in the order that was asked for. With a filter there may be few or none although
    /// more pages follow.
    pub items: Vec<OutboxMail>,
    /// Pass it as `cursor` for the page behind this one; null at the end.
    pub next_cursor: Option<String>,
    /// Pass it as `cursor`, with `back`, for the page before this one; null at the beginning.
    pub prev_cursor: Option<String>,
    /// How many match in all; null when only reading all would tell.
    pub total: Option<u64>,
    /// How many mails are in each state, whatever the filter.
    pub counts: Counts,
}

/// One attempt at a mail.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxAttempt")]
pub struct AttemptTold {
    /// Its number, from 1.
    pub number: u32,
    /// Which way it went.
    pub route: Option<String>,
    /// When it began (RFC 3339).
    pub started_at: String,
    /// When it ended (RFC 3339).
    pub ended_at: String,
    /// How far it came; see `last_error`.
    pub stage: String,
    /// `accepted`, or as in `last_error`.
    pub outcome: String,
    /// The code of the server's reply.
    pub code: Option<u16>,
    /// The deciding reply as the server sent it, or in our words what went wrong. Hostile text:
    /// it may hold control characters.
    pub reply: String,
    /// The conversation, secrets masked. Hostile text as well.
    pub transcript: String,
    /// The rule that explains it, as a stable word.
    pub rule: Option<String>,
    /// What that means.
    pub meaning: Option<String>,
    /// What to do about it.
    pub advice: Option<String>,
    /// The provider's page on which it is done.
    pub page: Option<String>,
}

/// A mail in the outbox with all that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "OutboxMailDetails", example)]
pub struct Details {
    /// The mail.
    #[oai(flatten)]
    #[serde(flatten)]
    pub mail: OutboxMail,
    /// What was tried, the first attempt first. Of very many the first and the last ones are kept.
    pub attempts: Vec<AttemptTold>,
    /// How many attempts between those are not kept any more.
    pub attempts_left_out: u32,
}

/// What telling of a mail depends on beside the mail.
pub struct Telling {
    /// In which language.
    pub language: Language,
    /// How the routes are.
    pub routes: Vec<Status>,
    /// What time it is.
    pub now: Timestamp,
}

impl Telling {
    /// How things are now, for whoever asks; in `otherwise` if it asks for no language of ours.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn of(
        operator: &Operator,
        request: &Request,
        otherwise: Language,
    ) -> Result<Telling, store::Error> {
        Ok(Telling {
            language: caller::language(request).unwrap_or(otherwise),
            routes: operator.statuses().await?,
            now: operator.world.now(),
        })
    }

    /// The mail called `id`.
    pub fn mail(&self, id: OutboxId, row: outbox::Row) -> OutboxMail {
        let why = self.why(&row);
        let next_at = next_at(&row, &why);
        OutboxMail {
            id: id.to_string(),
            kind: row.kind.word().to_owned(),
            state: row.state.word().to_owned(),
            lane: row.lane().word().to_owned(),
            template: row.template,
            to: row.to.to_string(),
            language: row.language.tag().to_owned(),
            message_id: row.message_id,
            size: row.size,
            created_at: row.created_at.to_string(),
            next_at,
            expires_at: row.expires_at.to_string(),
            finished_at: row.finished_at.map(|at| at.to_string()),
            tries: row.tries,
            doubtful: row.doubtful,
            route: row.route.map(|route| route.word().to_owned()),
            ordered_by: row.ordered_by,
            why,
            last_error: row.setback.map(LastError::from),
        }
    }

    /// An attempt at a mail.
    pub fn attempt(&self, number: u32, attempt: &Attempt) -> AttemptTold {
        let rule = attempt.rule.as_deref().and_then(rulebook::rule);
        AttemptTold {
            number,
            route: attempt.route.map(|route| route.word().to_owned()),
            started_at: attempt.started_at.to_string(),
            ended_at: attempt.ended_at.to_string(),
            stage: word(&attempt.stage),
            outcome: word(&attempt.outcome),
            code: attempt.code,
            reply: attempt.reply_text(),
            transcript: text_of(&attempt.transcript),
            meaning: rule.map(|rule| rule.meaning.of(self.language).to_owned()),
            advice: rule.map(|rule| self.remedy(rule, attempt.route)),
            page: rule.and_then(|rule| rule.page.clone()),
            rule: attempt.rule.clone(),
        }
    }

    /// What to do about a failure on `route`, with the name of its account where that matters.
    fn remedy(&self, rule: &Rule, route: Option<RouteName>) -> String {
        let name = route.unwrap_or(RouteName::Primary);
        let status = self.routes.iter().find(|status| status.name == name);
        rule.remedy(
            self.language,
            status.and_then(|status| status.user.as_deref()),
        )
    }

    /// Why a mail stands where it stands.
    pub fn why(&self, row: &outbox::Row) -> Why {
        let why = outbox::why(row, &self.routes, self.now);
        let route = row.setback.as_ref().and_then(|setback| setback.route);
        let advice = match why.rule {
            Some(rule) => Some(self.remedy(rule, route)),
            None => why.advice(self.language).map(str::to_owned),
        };
        Why {
            code: why.code.to_owned(),
            text: why.text(self.language),
            advice,
            page: why.page().map(str::to_owned),
            next_at: why.next_at.map(|at| at.to_string()),
        }
    }
}

/// When a mail that waits is tried next: its own time, or that of the route that keeps it waiting.
fn next_at(row: &outbox::Row, why: &Why) -> Option<String> {
    let waits = matches!(row.state, State::Queued | State::Uncertain);
    let own = || match why.code.as_str() {
        "waiting" => row.due_at.map(|at| at.to_string()),
        // Nobody knows before the operator resumes the route, or the mail that tries it is back.
        _ => None,
    };
    why.next_at.clone().or_else(own).filter(|_| waits)
}

/// The stable word of a stage or an outcome: the one it is stored under.
pub fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => unreachable!("an enumeration without values encodes as its word"),
    }
}

impl From<outbox::Setback> for LastError {
    fn from(setback: outbox::Setback) -> LastError {
        LastError {
            at: setback.at.to_string(),
            stage: word(&setback.stage),
            outcome: word(&setback.outcome),
            code: setback.code,
            text: setback.text,
            rule: setback.rule,
            route: setback.route.map(|route| route.word().to_owned()),
        }
    }
}

impl From<outbox::Counts> for Counts {
    fn from(counts: outbox::Counts) -> Counts {
        Counts {
            queued: counts.of(State::Queued),
            sending: counts.of(State::Sending),
            sent: counts.of(State::Sent),
            uncertain: counts.of(State::Uncertain),
            dead: counts.of(State::Dead),
            expired: counts.of(State::Expired),
            discarded: counts.of(State::Discarded),
        }
    }
}

impl Example for OutboxMail {
    fn example() -> OutboxMail {
        OutboxMail {
            id: "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE".to_owned(),
            kind: "password_changed".to_owned(),
            template: None,
            state: "queued".to_owned(),
            lane: "ordinary".to_owned(),
            to: "ann@example.com".to_owned(),
            language: "en".to_owned(),
            message_id: "<ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE@example.com>".to_owned(),
            size: 2048,
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
            next_at: Some("2026-01-01T00:02:00.000Z".to_owned()),
            expires_at: "2026-01-02T00:00:00.000Z".to_owned(),
            finished_at: None,
            tries: 1,
            doubtful: false,
            route: None,
            ordered_by: None,
            why: Why {
                code: "retry".to_owned(),
                text: "The server asked for patience.".to_owned(),
                advice: None,
                page: None,
                next_at: Some("2026-01-01T00:02:00.000Z".to_owned()),
            },
            last_error: Some(LastError {
                at: "2026-01-01T00:00:01.000Z".to_owned(),
                stage: "rcpt_to".to_owned(),
                outcome: "temporary".to_owned(),
                code: Some(451),
                text: "451 4.7.1 greylisted".to_owned(),
                rule: None,
                route: Some("primary".to_owned()),
            }),
        }
    }
}

impl Example for Page {
    fn example() -> Page {
        Page {
            items: vec![OutboxMail::example()],
            next_cursor: None,
            prev_cursor: None,
            total: Some(1),
            counts: Counts {
                queued: 1,
                sending: 0,
                sent: 41,
                uncertain: 0,
                dead: 0,
                expired: 0,
                discarded: 0,
            },
        }
    }
}

impl Example for Details {
    fn example() -> Details {
        Details {
            mail: OutboxMail::example(),
            attempts: vec![AttemptTold {
                number: 1,
                route: Some("primary".to_owned()),
                started_at: "2026-01-01T00:00:00.000Z".to_owned(),
                ended_at: "2026-01-01T00:00:01.000Z".to_owned(),
                stage: "rcpt_to".to_owned(),
                outcome: "temporary".to_owned(),
                code: Some(451),
                reply: "451 4.7.1 greylisted\r\n".to_owned(),
                transcript: "220 mx.example.org ESMTP\r\n> EHLO mail.example.com\r\n".to_owned(),
                rule: None,
                meaning: None,
                advice: None,
                page: None,
            }],
            attempts_left_out: 0,
        }
    }
}
