//! The operations on what the operator looks at beside the mail that goes out: captured mail,
//! users, sessions, tokens, the audit record, the log.

use serde_json::Value;

use super::About;
use super::Answer;
use super::Client;
use super::Entry;
use super::Error;
use super::Line;
use super::Message;
use super::MessageSummary;
use super::Method;
use super::Moment;
use super::PATIENCE;
use super::Page;
use super::Query;
use super::Revealed;
use super::Session;
use super::Stats;
use super::Token;
use super::User;
use super::encode;

/// What can be done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAction {
    /// Let nobody log in, and end all sessions.
    Lock,
    /// Let its owner log in again.
    Unlock,
    /// Mail its owner a link for a new password.
    SendReset,
    /// End all its sessions.
    EndSessions,
}

impl UserAction {
    const fn word(self) -> &'static str {
        match self {
            UserAction::Lock => "lock",
            UserAction::Unlock => "unlock",
            UserAction::SendReset => "send_reset",
            UserAction::EndSessions => "end_sessions",
        }
    }
}

impl Client {
    /// Who answers there.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn about(&self) -> Result<Answer<About>, Error> {
        self.get("/about")
    }

    /// The figures of now and of the last hour.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn stats(&self) -> Result<Answer<Stats>, Error> {
        self.get("/stats")
    }

    /// A page of the accounts. Filters: `state`. Sorted by `created_at`, `email`, `display_name`
    /// or `last_login_at`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn users(&self, query: &Query) -> Result<Answer<Page<User>>, Error> {
        self.get(&format!("/users{}", query.suffix()))
    }

    /// One account.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn user(&self, id: &str) -> Result<Answer<User>, Error> {
        self.get(&format!("/users/{}", encode(id)))
    }

    /// Does something to an account; the answer is the account afterwards.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn act_on_user(&self, action: UserAction, id: &str) -> Result<Answer<User>, Error> {
        let path = format!("/users/{}/{}", encode(id), action.word());
        self.post(&path, None, PATIENCE)
    }

    /// A page of everybody's sessions. Filters: `user` (an id), `state`. Sorted by `created_at`,
    /// `last_used_at`, `email` or `ip`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn sessions(&self, query: &Query) -> Result<Answer<Page<Session>>, Error> {
        self.get(&format!("/sessions{}", query.suffix()))
    }

    /// Ends a session.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn end_session(&self, id: &str) -> Result<Value, Error> {
        self.delete(&format!("/sessions/{}", encode(id)))
    }

    /// A page of the codes, links and verification tokens. Filters: `kind`, `state`, `email`.
    /// Sorted by `created_at`, `expires_at`, `email` or `kind`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn tokens(&self, query: &Query) -> Result<Answer<Page<Token>>, Error> {
        self.get(&format!("/tokens{}", query.suffix()))
    }

    /// Makes a code, a link or a verification token good for nothing.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn revoke_token(&self, id: &str) -> Result<Value, Error> {
        self.delete(&format!("/tokens/{}", encode(id)))
    }

    /// Tells the secret of a code or a link, in `dev` alone.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`, `not_revealable`.
    pub fn reveal_token(&self, id: &str) -> Result<Answer<Revealed>, Error> {
        self.post(&format!("/tokens/{}/reveal", encode(id)), None, PATIENCE)
    }

    /// A page of the audit record. Filters: `actor`, `action`, `subject`, `outcome`. Sorted by
    /// `at`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn audit(&self, query: &Query) -> Result<Answer<Page<Entry>>, Error> {
        self.get(&format!("/audit{}", query.suffix()))
    }

    /// What happened to and around one address, newest first. The filter `email` is needed.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn timeline(&self, query: &Query) -> Result<Answer<Page<Moment>>, Error> {
        self.get(&format!("/timeline{}", query.suffix()))
    }

    /// The last lines of the log that the server remembers, newest first. Filters: `level` (that
    /// and worse).
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn log(&self, query: &Query) -> Result<Answer<Page<Line>>, Error> {
        self.get(&format!("/log{}", query.suffix()))
    }

    /// A page of the captured mail. Filters: `to`, `from`, `subject`. Sorted by `received_at`,
    /// `from`, `to`, `subject` or `size`.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn messages(&self, query: &Query) -> Result<Answer<Page<MessageSummary>>, Error> {
        let path = format!("{MESSAGES}{}", query.suffix());
        self.read(self.call(Method::Get, &path, None, PATIENCE)?)
    }

    /// A captured mail.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn message(&self, id: &str) -> Result<Answer<Message>, Error> {
        let path = format!("{MESSAGES}/{}", encode(id));
        self.read(self.call(Method::Get, &path, None, PATIENCE)?)
    }

    /// The bytes of a captured mail.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn raw_message(&self, id: &str) -> Result<Vec<u8>, Error> {
        self.download(&format!("{MESSAGES}/{}/raw", encode(id)))
    }

    /// The bytes of an attachment of a captured mail.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn attachment(&self, id: &str, index: usize) -> Result<Vec<u8>, Error> {
        self.download(&format!("{MESSAGES}/{}/attachments/{index}", encode(id)))
    }

    /// Deletes a captured mail.
    ///
    /// # Errors
    /// Those of [`Error`]; `not_found`.
    pub fn delete_message(&self, id: &str) -> Result<Value, Error> {
        let path = format!("{MESSAGES}/{}", encode(id));
        self.call(Method::Delete, &path, None, PATIENCE)
    }
}

const MESSAGES: &str = "/api/v1/inbox/messages";
