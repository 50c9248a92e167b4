//! The test mail: one mail the whole road, and the story of what became of it.

use std::sync::Arc;
use std::time::Duration;

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;
use tokio::sync::watch;

use crate::address::EmailAddress;
use crate::events::Events;
use crate::http::api::Group;
use crate::http::api::admin::mail::AttemptTold;
use crate::http::api::admin::mail::LastError;
use crate::http::api::admin::mail::Telling;
use crate::http::api::admin::mail::Why;
use crate::http::body::Unread;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::front::STORE_PAUSE;
use crate::http::guard::Guard;
use crate::http::problem::FieldProblem;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::language::Language;
use crate::mail::outbox;
use crate::mail::trial::TrialError;
use crate::operator::Operator;
use crate::store;

/// How long the outcome is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// Sends the test mail.
#[derive(Object)]
#[oai(example)]
pub struct SendTestMail {
    /// Where to.
    email: String,
    /// The language of the mail: `zh-hant`, `zh-hans` or `en`; the site's when left out.
    language: Option<String>,
}

impl Example for SendTestMail {
    fn example() -> SendTestMail {
        SendTestMail {
            email: "ann@example.com".to_owned(),
            language: None,
        }
    }
}

/// What became of the test mail.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct TestMail {
    /// Its name in the outbox.
    id: String,
    /// `sent`; `queued` or `sending` while it is on its way or waits for another try; `dead`,
    /// `expired` or `uncertain`.
    state: String,
    /// What kept it from being sent, with the relay's own words.
    setback: Option<String>,
    /// When it is tried again (RFC 3339).
    next_at: Option<String>,
    /// Whether mail is captured here and does not go out.
    captured: bool,
    /// Why it stands where it stands.
    why: Why,
    /// What kept it from being sent the last time, in its parts.
    last_error: Option<LastError>,
    /// What was tried the last time.
    attempt: Option<AttemptTold>,
}

impl Example for TestMail {
    fn example() -> TestMail {
        TestMail {
            id: "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE".to_owned(),
            state: "sent".to_owned(),
            setback: None,
            next_at: None,
            captured: false,
            why: Why {
                code: "sent".to_owned(),
                text: "The server took it at 2026-01-01T00:00:01.000Z.".to_owned(),
                advice: None,
                page: None,
                next_at: None,
            },
            last_error: None,
            attempt: None,
        }
    }
}

problems! {
    /// Of the test mail.
    TestMailProblems: MalformedBody, BodyTimeout, BodyTooLarge, UnsupportedMediaType,
        InvalidFields, AdminRequired, BadParameter, Unavailable, ShuttingDown
}

/// Sends the test mail.
pub struct TestMailApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who has it sent.
    pub operator: Operator,
    /// Tells when something happened to the outbox.
    pub events: Events,
    /// The language of who asked for none.
    pub language: Language,
    /// Whether mail is captured here and does not go out.
    pub captures: bool,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
    /// Turns true when the service is being stopped.
    pub closing: watch::Receiver<bool>,
}

impl From<TrialError> for Problem {
    fn from(error: TrialError) -> Problem {
        match error {
            TrialError::Store(error) => error.into(),
            TrialError::Compose(error) => {
                tracing::error!(%error, "the test mail could not be composed");
                Problem::new(Kind::Internal)
            }
        }
    }
}

#[OpenApi(tag = "Group::Admin")]
impl TestMailApi {
    /// Send a test mail and wait for its outcome.
    ///
    /// It goes the whole road: outbox, courier, relay. The answer comes when the relay took it or
    /// the first try failed, at the latest after two minutes.
    #[oai(
        path = "/api/v1/admin/test_mail",
        method = "post",
        operation_id = "send_test_mail"
    )]
    async fn send_test_mail(
        &self,
        request: &Request,
        token: AdminToken,
        form: Unread<SendTestMail>,
    ) -> Result<reply::Reply<TestMail>, Refused<TestMailProblems>> {
        let allowed = self.guard.require_token(&token);
        let ((), form) = form.behind(request, allowed).await?;
        let (to, language) = self.parse(&form)?;
        let mut closing = self.closing.clone();
        let by = caller::operator(request, self.trusted_proxies)?;
        let operator = &self.operator;
        let trial = operator.send_test_mail(&to, language, &by, &self.events, PATIENCE);
        let trial = tokio::select! {
            trial = trial => trial?,
            // The mail is in the outbox: it goes out, only nobody is told here.
            _ = closing.wait_for(|closing| *closing) => {
                return Err(Problem::new(Kind::ShuttingDown).retry_after(STORE_PAUSE).into());
            }
        };
        let tried = self.operator.store.read(|read| {
            let mut attempts = outbox::attempts(read, trial.id)?;
            Ok::<_, store::Error>(attempts.pop())
        });
        let tried = tried.await?;
        let telling = Telling::of(&self.operator, request, self.language).await?;
        Ok(reply::Reply(TestMail {
            id: trial.id.to_string(),
            state: trial.row.state.word().to_owned(),
            setback: trial.setback(),
            next_at: trial.row.due_at.map(|at| at.to_string()),
            captured: self.captures,
            why: telling.why(&trial.row),
            last_error: trial.row.setback.map(LastError::from),
            attempt: tried.map(|(number, attempt)| telling.attempt(number, &attempt)),
        }))
    }

    fn parse(&self, form: &SendTestMail) -> Result<(EmailAddress, Language), Problem> {
        let wrong = |pointer: &str, detail: String| FieldProblem {
            pointer: pointer.to_owned(),
            code: "malformed".into(),
            detail,
        };
        let to = form.email.parse::<EmailAddress>();
        let language = form
            .language
            .as_deref()
            .map_or(Ok(self.language), str::parse);
        match (to, language) {
            (Ok(to), Ok(language)) => Ok((to, language)),
            (to, language) => {
                let to = to.err().map(|error| wrong("/email", error.to_string()));
                let language = language
                    .err()
                    .map(|error| wrong("/language", error.to_string()));
                Err(Problem::fields(to.into_iter().chain(language).collect()))
            }
        }
    }
}
