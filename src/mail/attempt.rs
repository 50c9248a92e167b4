//! What happened when a mail was tried: how far it came, how it ended and what the server said.
//! What a reply means is decided by the [`rulebook`](super::rulebook).

use serde::{Deserialize, Serialize};

use super::route::RouteName;
use crate::world::Timestamp;

/// How far a delivery came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The courier had it, and it had not begun.
    Claim,
    /// Finding the host and connecting to it.
    Connect,
    /// The server's greeting and its answer to EHLO.
    Greeting,
    /// STARTTLS and the handshake.
    Tls,
    /// AUTH.
    Auth,
    /// MAIL FROM.
    MailFrom,
    /// RCPT TO.
    RcptTo,
    /// DATA, before any of the message was sent.
    Data,
    /// The message, up to its final dot.
    Content,
    /// After the final dot, before the reply to it.
    FinalReply,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server took it: a final 2xx.
    Accepted,
    /// Refused for now.
    Temporary,
    /// Refused for good.
    Permanent,
    /// No connection, or it broke, or a deadline went by, before the final dot.
    Connection,
    /// The route is set up wrongly: credentials, TLS, the sender. No fault of this mail.
    Configuration,
    /// The route has sent too much for its provider: a rate or a quota. No fault of this mail.
    Limited,
    /// The connection broke between the final dot and the reply: it may have been taken
    /// (RFC 1047).
    Uncertain,
    /// Its time went by before DATA.
    Lapsed,
    /// Whoever tried it went away without a word, and its lease ran out.
    Lost,
}

/// What a failure looked like from here, where no reply of the server's tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Symptom {
    /// The host's name has no address.
    NameNotFound,
    /// Nobody listens there, or a firewall says no.
    ConnectionRefused,
    /// No way there: the network has no route to the address.
    Unreachable,
    /// Nothing came within the stage's deadline.
    TimedOut,
    /// The connection was closed or broke.
    Closed,
    /// The server spoke something else where TLS was expected: a port for STARTTLS, mostly.
    NotTls,
    /// The server does not offer STARTTLS.
    NoStartTls,
    /// The certificate's issuer is not trusted.
    UnknownIssuer,
    /// The certificate is for another name.
    WrongName,
    /// The certificate has lapsed or is not valid yet, or our clock is wrong.
    CertificateTime,
    /// The handshake failed in another way.
    TlsFailed,
    /// The server offers no way to log in that we know.
    NoAuth,
    /// The connection would be plain and leave this machine.
    PlainRefused,
    /// The address needs SMTPUTF8 (RFC 6531), which the server lacks.
    NoSmtpUtf8,
    /// The server said what no reply is.
    Unreadable,
}

/// One attempt, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// How far it came.
    pub stage: Stage,
    /// How it ended.
    pub outcome: Outcome,
    /// The reply's code, where there was one.
    #[serde(default)]
    pub code: Option<u16>,
    /// The deciding reply as the server sent it, or in our words what went wrong.
    #[serde(with = "serde_bytes", default)]
    pub reply: Vec<u8>,
    /// The conversation, secrets masked, cut to a few kilobytes.
    #[serde(with = "serde_bytes", default)]
    pub transcript: Vec<u8>,
    /// Which way it went.
    #[serde(default)]
    pub route: Option<RouteName>,
    /// The rule of the [`rulebook`](super::rulebook) that explains the failure, by its stable name.
    #[serde(default)]
    pub rule: Option<String>,
}

impl Attempt {
    /// The reply as text: UTF-8 if it is that, otherwise GBK, which some Chinese relays send.
    pub fn reply_text(&self) -> String {
        text_of(&self.reply)
    }
}

/// Bytes of a server as text: UTF-8 if it is that, otherwise GBK.
pub fn text_of(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::GBK.decode(bytes).0.into_owned(),
    }
}
