//! AUTH PLAIN and LOGIN (RFC 4954, RFC 4616): from base64 to a user name, or a refusal, and how
//! the conversation goes on with it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Replies, Rules, Session, State, User};
use crate::secret::TokenHash;

/// What the client is to send next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Exchange {
    /// All of PLAIN.
    Plain,
    /// LOGIN's user name.
    LoginName,
    /// LOGIN's password, for this name.
    LoginPassword(String),
}

/// How an exchange went on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Ask for this (in base64 already), then go on so.
    Ask(&'static str, Exchange),
    /// This user is logged in.
    Passed(String),
    /// The credentials are wrong.
    Refused,
    /// Not base64, or not of the mechanism's form.
    Malformed,
}

/// `Username:` and `Password:`
pub(super) const ASK_NAME: &str = "VXNlcm5hbWU6";
const ASK_PASSWORD: &str = "UGFzc3dvcmQ6";

/// Octets of a name that are kept.
const NAME_LIMIT: usize = 256;

impl Exchange {
    /// Goes on with the client's `response`, still in base64.
    pub(super) fn go_on(self, response: &str, rules: &Rules) -> Outcome {
        // A lone `=` stands for the empty response (RFC 4954, 4).
        let response = response.trim();
        let response = if response == "=" { "" } else { response };
        let Ok(bytes) = STANDARD.decode(response) else {
            return Outcome::Malformed;
        };
        match self {
            Exchange::Plain => {
                let mut fields = bytes.split(|&byte| byte == 0);
                match (fields.next(), fields.next(), fields.next(), fields.next()) {
                    (Some(_), Some(name), Some(password), None) => check(rules, name, password),
                    _ => Outcome::Malformed,
                }
            }
            Exchange::LoginName => Outcome::Ask(
                ASK_PASSWORD,
                Exchange::LoginPassword(String::from_utf8_lossy(&bytes).into_owned()),
            ),
            Exchange::LoginPassword(name) => check(rules, name.as_bytes(), &bytes),
        }
    }
}

fn check(rules: &Rules, name: &[u8], password: &[u8]) -> Outcome {
    let name = String::from_utf8_lossy(name);
    let passed = match &rules.users {
        None => true,
        Some(users) => users.iter().any(|user| is(user, &name, password)),
    };
    if passed {
        Outcome::Passed(name.chars().take(NAME_LIMIT).collect())
    } else {
        Outcome::Refused
    }
}

/// Compares digests, so that the time says nothing about how much of the password is right.
fn is(user: &User, name: &str, password: &[u8]) -> bool {
    let given = TokenHash::of(&String::from_utf8_lossy(password));
    given.matches(&TokenHash::of(user.password.expose())) && user.name == name
}

impl Session {
    pub(super) fn begin_auth(
        &mut self,
        exchange: Exchange,
        ask: &str,
        initial: &str,
        replies: &mut Replies,
    ) {
        if self.user.is_some() || self.mail.is_some() {
            return self.refuse(
                replies,
                "503 5.5.1 not now: logged in already, or a mail is under way",
            );
        }
        if initial.is_empty() {
            self.reply(replies, &format!("334 {ask}"));
            self.state = State::Auth(exchange);
        } else {
            self.go_on_auth(exchange, initial, replies);
        }
    }

    pub(super) fn go_on_auth(&mut self, exchange: Exchange, response: &str, replies: &mut Replies) {
        if response == "*" {
            return self.refuse(replies, "501 5.7.0 AUTH was cancelled");
        }
        match exchange.go_on(response, &self.rules) {
            Outcome::Ask(question, next) => {
                self.reply(replies, &format!("334 {question}"));
                self.state = State::Auth(next);
            }
            Outcome::Passed(user) => {
                self.user = Some(user);
                self.reply(replies, "235 2.7.0 logged in");
            }
            Outcome::Refused => self.refuse(replies, "535 5.7.8 wrong user name or password"),
            Outcome::Malformed => self.refuse(replies, "501 5.5.2 the credentials are malformed"),
        }
    }
}
