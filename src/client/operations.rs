//! The operations of the operator's API, one method each.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::json;

use super::Answer;
use super::Client;
use super::Error;
use super::Mail;
use super::MailDetail;
use super::Method;
use super::PATIENCE;
use super::Page;
use super::Query;
use super::Route;
use super::Routes;
use super::encode;

/// How long the server itself waits for the outcome of a test mail, and then some.
const TRIAL: Duration = Duration::from_secs(135);

/// What can be done to a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailAction {
    /// Try it now.
    Retry,
    /// Bring a dead one back.
    Requeue,
    /// Never send it.
    Discard,
    /// Take the discard back.
    Undo,
}

impl MailAction {
    const fn word(self) -> &'static str {
        match self {
            MailAction::Retry => "retry",
            MailAction::Requeue => "requeue",
            MailAction::Discard => "discard",
            MailAction::Undo => "undo",
        }
    }
}

/// What can be done to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteAction {
    /// Send nothing over it.
    Pause,
    /// Send over it again.
    Resume,
}

impl RouteAction {
    const fn word(self) -> &'static str {
        match self {
            RouteAction::Pause => "pause",
            RouteAction::Resume => "resume",
        }
    }
}

/// What became of a test mail; [`Client::mail`] tells the whole story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TestMail {
    /// Its name in the outbox.
    pub id: String,
    /// Where it stands.
    pub state: String,
    /// Whether mail is captured there and does not go out.
    #[serde(default)]
    pub captured: bool,
}

/// An API key of another program, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    /// Its name for gatepost.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// When it was made.
    #[serde(default)]
    pub created_at: String,
    /// When it was last used.
    #[serde(default)]
    pub last_used_at: Option<String>,
}

/// All API keys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// The keys.
    pub items: Vec<Key>,
}

/// An API key that was just made. Its Debug shows the secret to nobody: it has none.
#[derive(Deserialize)]
pub struct NewKey {
    /// What is known of it from now on.
    #[serde(flatten)]
    pub about: Key,
    /// The secret, told this once.
    pub key: String,
}

impl Client {
    /// A page of the outbox. Filters: `state` (also `failing`), `kind`, `to`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn mails(&self, query: &Query) -> Result<Answer<Page<Mail>>, Error> {
        self.get(&format!("/outbox{}", query.suffix()))
    }

    /// One mail with its attempts.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn mail(&self, id: &str) -> Result<Answer<MailDetail>, Error> {
        self.get(&format!("/outbox/{}", encode(id)))
    }

    /// Does something to a mail; the answer is the mail afterwards, or the one that was made in
    /// its place.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`, `outbox_conflict`.
    pub fn act_on_mail(&self, action: MailAction, id: &str) -> Result<Answer<Mail>, Error> {
        let path = format!("/outbox/{}/{}", encode(id), action.word());
        self.post(&path, None, PATIENCE)
    }

    /// The routes.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn routes(&self) -> Result<Answer<Routes>, Error> {
        self.get("/routes")
    }

    /// Pauses a route or resumes it; the answer is the route afterwards.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn act_on_route(&self, action: RouteAction, name: &str) -> Result<Answer<Route>, Error> {
        let path = format!("/routes/{}/{}", encode(name), action.word());
        self.post(&path, None, PATIENCE)
    }

    /// The API keys.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn keys(&self) -> Result<Answer<Keys>, Error> {
        self.get("/keys")
    }

    /// Makes an API key; the answer holds its secret.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn create_key(&self, name: &str) -> Result<Answer<NewKey>, Error> {
        self.post("/keys", Some(&json!({ "name": name })), PATIENCE)
    }

    /// Takes an API key away: whoever uses it is refused from now on.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn revoke_key(&self, id: &str) -> Result<Value, Error> {
        self.delete(&format!("/keys/{}", encode(id)))
    }

    /// Sends a test mail to `to` and waits until the relay took it or the first try failed, at
    /// most for about two minutes.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn send_test_mail(&self, to: &str) -> Result<Answer<TestMail>, Error> {
        self.post("/test_mail", Some(&json!({ "email": to })), TRIAL)
    }

    pub(super) fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Answer<T>, Error> {
        self.read(self.call(Method::Get, &admin(path), None, PATIENCE)?)
    }

    pub(super) fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Answer<T>, Error> {
        self.read(self.call(Method::Post, &admin(path), body, patience)?)
    }

    pub(super) fn delete(&self, path: &str) -> Result<Value, Error> {
        self.call(Method::Delete, &admin(path), None, PATIENCE)
    }

    pub(super) fn read<T: DeserializeOwned>(&self, json: Value) -> Result<Answer<T>, Error> {
        Answer::read(json).map_err(|error| Error::Misread {
            url: self.base.clone(),
            problem: error.to_string(),
        })
    }
}

fn admin(path: &str) -> String {
    format!("/api/v1/admin{path}")
}
