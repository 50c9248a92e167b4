//! One connection to the server: opened once, used for mail after mail, and given up at the
//! first doubt about where in the conversation it stands.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Quit, Rcpt, Rset};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};
use lettre::transport::smtp::response::Response;

use super::failure::Failure;
use super::opening::{protect, unanswered, within};
use super::reply::Reply;
use super::wire::{Speaking, Tape, Wire};
use super::{Shared, dial};
use crate::mail::attempt::{Outcome, Stage, Symptom, text_of};
use crate::mail::letter::Parcel;
use crate::mail::rulebook::is_welcome;

type SmtpResult = Result<Response, lettre::transport::smtp::Error>;

/// The server took the mail: a final 2xx.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// The code of the final reply.
    pub code: u16,
    /// The final reply as it came, secrets masked.
    pub reply: Vec<u8>,
    /// The conversation, secrets masked.
    pub transcript: Vec<u8>,
}

/// See the [module](self).
pub struct Connection {
    smtp: AsyncSmtpConnection,
    tape: Arc<Tape>,
    shared: Arc<Shared>,
    delivered: u32,
    broken: bool,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Connection")
    }
}

impl Connection {
    /// How many mails were delivered over it.
    pub fn delivered(&self) -> u32 {
        self.delivered
    }

    /// Whether another mail may be delivered over it.
    pub fn is_usable(&self) -> bool {
        !self.broken
    }

    /// Whether a message was sent to its final dot and not answered yet: whoever drops a
    /// delivery now does not know whether the server took it.
    pub fn is_uncertain(&self) -> bool {
        self.tape.dot_sent()
    }

    pub(super) async fn open(shared: &Arc<Shared>) -> Result<Connection, Failure> {
        let tape = Arc::new(Tape::default());
        let opened = Connection::open_on(shared, &tape).await;
        opened.map_err(|mut failure| {
            failure.transcript = tape.take_transcript();
            masked(shared, failure, &[])
        })
    }

    async fn open_on(shared: &Arc<Shared>, tape: &Arc<Tape>) -> Result<Connection, Failure> {
        let stream = dial::dial(&shared.settings, &shared.world).await?;
        let wire = protect(shared, stream, tape).await?;
        let mut connection = Connection::greet(shared, wire, tape).await?;
        connection.log_in().await?;
        Ok(connection)
    }

    /// The greeting and EHLO, over a wire that is protected already.
    pub(super) async fn greet(
        shared: &Arc<Shared>,
        wire: Wire,
        tape: &Arc<Tape>,
    ) -> Result<Connection, Failure> {
        let settings = &shared.settings;
        let limit = settings.deadlines.greeting;
        tape.speak(Speaking::Commands);
        let hello = ClientId::Domain(settings.hello_name.clone());
        let connecting = AsyncSmtpConnection::connect_with_transport(Box::new(wire), &hello);
        let smtp = match within(shared, Stage::Greeting, limit, connecting).await? {
            Ok(smtp) => smtp,
            Err(error) => return Err(undone(shared, Stage::Greeting, tape, &error)),
        };
        Ok(Connection {
            smtp,
            tape: tape.clone(),
            shared: shared.clone(),
            delivered: 0,
            broken: false,
        })
    }

    /// AUTH, where there are credentials.
    pub(super) async fn log_in(&mut self) -> Result<(), Failure> {
        let settings = &self.shared.settings;
        let (Some(user), Some(password)) = (&settings.user, &settings.password) else {
            return Ok(());
        };
        let mechanisms = [Mechanism::Plain, Mechanism::Login];
        if self
            .smtp
            .server_info()
            .get_auth_mechanism(&mechanisms)
            .is_none()
        {
            return Err(Failure::seen(
                Stage::Auth,
                Symptom::NoAuth,
                "the server offers neither AUTH PLAIN nor AUTH LOGIN on this connection",
            ));
        }
        let credentials = Credentials::new(user.clone(), password.expose().to_owned());
        let shared = self.shared.clone();
        self.tape.speak(Speaking::Credentials);
        let auth = self.smtp.auth(&mechanisms, &credentials);
        let result = within(&shared, Stage::Auth, settings.deadlines.greeting, auth).await?;
        let outcome = match result {
            Ok(response) if response.is_positive() => match refusal(&self.tape.reply()) {
                None => Ok(()),
                Some(reply) => Err(Failure::refused(Stage::Auth, reply, settings.provider)),
            },
            Ok(response) => Err(undone(&shared, Stage::Auth, &self.tape, &response.code())),
            Err(error) => Err(undone(&shared, Stage::Auth, &self.tape, &error)),
        };
        self.tape.speak(Speaking::Commands);
        outcome
    }

    /// Delivers one mail. `go_on` is asked before MAIL and again before DATA; when it says no,
    /// the mail is left alone and the failure is [`Outcome::Lapsed`].
    ///
    /// When the future is dropped on the way, the connection must be dropped as well.
    ///
    /// # Errors
    /// Everything but a final 2xx.
    pub async fn deliver(
        &mut self,
        parcel: &Parcel,
        go_on: impl Fn() -> bool,
    ) -> Result<Accepted, Failure> {
        // Until the mail is through, whoever looks must not use the connection for another.
        self.broken = true;
        let outcome = self.converse(parcel, go_on).await;
        let transcript = self.tape.take_transcript();
        match outcome {
            Ok(reply) => {
                self.delivered += 1;
                let secrets = &self.shared.secrets;
                Ok(Accepted {
                    code: reply.code,
                    reply: secrets.mask(reply.bytes, &parcel.hide),
                    transcript: secrets.mask(transcript, &parcel.hide),
                })
            }
            Err(mut failure) => {
                failure.transcript = transcript;
                Err(masked(&self.shared, failure, &parcel.hide))
            }
        }
    }

    async fn converse(
        &mut self,
        parcel: &Parcel,
        go_on: impl Fn() -> bool,
    ) -> Result<Reply, Failure> {
        let limit = self.shared.settings.deadlines.envelope;
        let parameters = match self.parameters(parcel) {
            Ok(parameters) => parameters,
            Err(failure) => {
                self.broken = false;
                return Err(failure);
            }
        };
        if !go_on() {
            self.broken = false;
            return Err(Failure::lapsed(Stage::MailFrom));
        }
        let from = Mail::new(Some(address(&parcel.from)), parameters);
        self.command(Stage::MailFrom, from, limit).await?;
        let to = Rcpt::new(address(&parcel.to), vec![]);
        if let Err(failure) = self.command(Stage::RcptTo, to, limit).await {
            return Err(self.reset(failure).await);
        }
        if !go_on() {
            return Err(self.reset(Failure::lapsed(Stage::Data)).await);
        }
        if let Err(failure) = self.command(Stage::Data, Data, limit).await {
            return Err(self.reset(failure).await);
        }
        self.content(&parcel.message).await
    }

    /// What MAIL FROM has to announce, if the server knows it.
    pub(super) fn parameters(&self, parcel: &Parcel) -> Result<Vec<MailParameter>, Failure> {
        let server = self.smtp.server_info();
        let mut parameters = Vec::new();
        if parcel.needs_smtputf8() {
            if !server.supports_feature(Extension::SmtpUtfEight) {
                let which = if parcel.to.is_ascii() {
                    &parcel.from
                } else {
                    &parcel.to
                };
                let problem = format!(
                    "{which} has letters beyond ASCII before its @; such an address needs a \
                     relay that offers SMTPUTF8 (RFC 6531), and this one does not"
                );
                return Err(Failure::seen(Stage::MailFrom, Symptom::NoSmtpUtf8, problem));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !parcel.message.is_ascii() && server.supports_feature(Extension::EightBitMime) {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        Ok(parameters)
    }

    /// Ends a transaction that did not come to DATA, so that the connection can be used again.
    async fn reset(&mut self, failure: Failure) -> Failure {
        if !self.broken {
            let limit = self.shared.settings.deadlines.envelope;
            // Whether it works shows in `broken`; the mail's own failure is what counts.
            let _ = self.command(Stage::Data, Rset, limit).await;
        }
        failure
    }

    /// Says one command and judges the reply to it.
    pub(super) async fn command(
        &mut self,
        stage: Stage,
        command: impl Display,
        limit: Duration,
    ) -> Result<Reply, Failure> {
        self.broken = true;
        self.tape.speak(Speaking::Commands);
        let shared = self.shared.clone();
        let result = within(&shared, stage, limit, self.smtp.command(command)).await?;
        self.settle(stage, result)
    }

    async fn content(&mut self, message: &[u8]) -> Result<Reply, Failure> {
        self.broken = true;
        self.tape.speak(Speaking::Content);
        let deadlines = self.shared.settings.deadlines;
        let world = &self.shared.world;
        let tape = self.tape.clone();
        let result = {
            let sending = self.smtp.message(message);
            tokio::pin!(sending);
            tokio::select! {
                biased;
                result = &mut sending => Ok(result),
                () = tape.until_dot() => {
                    let limit = deadlines.final_reply;
                    let reply = world.timeout(limit, &mut sending).await;
                    reply.map_err(|_| Failure::silence(Stage::FinalReply, limit))
                }
                () = world.sleep(deadlines.content) => {
                    Err(Failure::silence(Stage::Content, deadlines.content))
                }
            }
        };
        let sent = self.tape.dot_sent();
        let stage = if sent {
            Stage::FinalReply
        } else {
            Stage::Content
        };
        let outcome = match result {
            Ok(result) => self.settle(stage, result),
            Err(silence) => {
                let refusal = Reply::refusal(&self.tape.reply());
                let provider = self.shared.settings.provider;
                Err(refusal.map_or(silence, |reply| Failure::refused(stage, reply, provider)))
            }
        };
        self.tape.speak(Speaking::Commands);
        outcome.map_err(|mut failure| {
            // No reply after the dot, or none that can be read: it may have been taken
            // (RFC 1047).
            if sent && failure.code.is_none() {
                failure.stage = Stage::FinalReply;
                failure.outcome = Outcome::Uncertain;
            }
            failure
        })
    }

    /// Reads the reply from the bytes that came, and trusts the connection further only if the
    /// client read the same.
    fn settle(&mut self, stage: Stage, result: SmtpResult) -> Result<Reply, Failure> {
        let provider = self.shared.settings.provider;
        let last = stage == Stage::FinalReply;
        let bytes = self.tape.reply();
        let (mut replies, rest) = Reply::all(&bytes);
        let alone = replies.len() == 1 && rest.is_empty();
        let code_read = match &result {
            Ok(response) => Some(u16::from(response.code())),
            Err(error) => error.status().map(u16::from),
        };
        let reply = if !replies.is_empty() {
            Some(replies.swap_remove(0))
        } else if last {
            Reply::refusal(&bytes)
        } else {
            Reply::cut_off(&bytes).filter(Reply::is_refusal)
        };
        let Some(reply) = reply else {
            return Err(match result {
                Err(error) => unanswered(stage, &bytes, error),
                Ok(_) => Failure::seen(stage, Symptom::Unreadable, "an unreadable reply"),
            });
        };
        // 421: the server closes the channel after it (RFC 5321, 3.8).
        let misplaced = (300..400).contains(&reply.code) && stage != Stage::Data;
        self.broken = !alone || misplaced || code_read != Some(reply.code) || reply.code == 421;
        let welcome = is_welcome(stage, reply.code);
        // Replies that run ahead of the commands: the next one would be taken for another's.
        let ahead = !replies.is_empty();
        if welcome && (last || (result.is_ok() && !ahead)) {
            return Ok(reply);
        }
        if last && !reply.is_refusal() {
            let said = text_of(&reply.bytes);
            let problem = format!("no final reply, but {}", said.trim_end());
            return Err(Failure::seen(stage, Symptom::Unreadable, problem));
        }
        Err(Failure::refused(stage, reply, provider))
    }

    /// Says good-bye, and does not wait long for the answer.
    pub async fn quit(mut self) {
        if self.broken {
            return;
        }
        self.tape.speak(Speaking::Commands);
        let world = self.shared.world.clone();
        // Whatever comes of it, the connection is closed.
        let _ = world
            .timeout(Duration::from_secs(2), self.smtp.command(Quit))
            .await;
    }
}

/// The refusal that ended a stage of several commands: the first one, since behind it there may
/// be the answer to a QUIT.
fn refusal(bytes: &[u8]) -> Option<Reply> {
    let (mut replies, rest) = Reply::all(bytes);
    replies.extend(Reply::cut_off(rest));
    replies.into_iter().find(Reply::is_refusal)
}

/// The failure of a stage of several commands that the client gave up.
fn undone(shared: &Shared, stage: Stage, tape: &Tape, problem: &dyn Display) -> Failure {
    let bytes = tape.reply();
    match refusal(&bytes) {
        Some(reply) => Failure::refused(stage, reply, shared.settings.provider),
        None => unanswered(stage, &bytes, problem),
    }
}

/// The failure as it may be shown: explained, and without secrets.
pub(super) fn masked(shared: &Shared, mut failure: Failure, more: &[String]) -> Failure {
    failure.reply = match failure.stage {
        Stage::Auth => shared.secrets.mask_login(failure.reply, more),
        _ => shared.secrets.mask(failure.reply, more),
    };
    failure.transcript = shared.secrets.mask(failure.transcript, more);
    failure.explained(shared.settings.provider)
}

/// The address was an `EmailAddress` when the letter was composed.
pub(super) fn address(text: &str) -> Address {
    let (local, domain) = text.rsplit_once('@').unwrap_or((text, ""));
    Address::new_dangerous(local, domain)
}
