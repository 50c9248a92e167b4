//! What is known about a captured mail: as it came in ([`Captured`]), as a row of a list
//! ([`Summary`]) and as it is read ([`Message`]). No store and no protocol here.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::store;
use crate::world::Timestamp;

/// The number of a captured mail: strictly increasing in the order of the commits, and never
/// given twice, not even after the inbox was cleared. Its text form is decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(u64);

impl MessageId {
    /// The identifier with this number.
    pub const fn from_number(number: u64) -> MessageId {
        MessageId(number)
    }

    /// Its number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The text is not the number of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a captured mail is named by a decimal number")]
pub struct MalformedMessageId;

impl FromStr for MessageId {
    type Err = MalformedMessageId;

    fn from_str(text: &str) -> Result<MessageId, MalformedMessageId> {
        // `parse` alone would let `+5` through: one mail, one name.
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MalformedMessageId);
        }
        text.parse().map(MessageId).map_err(|_| MalformedMessageId)
    }
}

impl store::Key for MessageId {
    fn encode(&self, into: &mut Vec<u8>) {
        self.0.encode(into);
    }

    fn decode(from: &mut &[u8]) -> Result<MessageId, store::Error> {
        u64::decode(from).map(MessageId)
    }
}

/// Whom the SMTP commands named, whatever the headers say. Addresses are kept as the client
/// wrote them between the angle brackets: a capture server also shows the malformed ones.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Envelope {
    /// The sender of `MAIL FROM`; empty for the null sender `<>`.
    pub from: String,
    /// The recipients of `RCPT TO`, in order.
    pub to: Vec<String>,
}

/// Something about a mail, or about the session that brought it, that other servers would refuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// A command ended in LF alone.
    BareLfInCommand,
    /// A line of the mail ended in LF alone: some servers end the mail there (SMTP smuggling).
    BareLfInMail,
    /// The mail holds a CR without its LF.
    BareCrInMail,
    /// The mail holds a zero byte.
    NulInMail,
    /// A line of the mail is longer than 998 octets (RFC 5321, 4.5.3.1.6).
    LongLineInMail,
    /// An address came without its angle brackets.
    MissingBrackets,
    /// The client sent `MAIL` without `EHLO` or `HELO` before it.
    NoGreeting,
    /// The client sent bytes behind `STARTTLS` without waiting; they were dropped (RFC 3207, 6).
    BytesBehindStartTls,
    /// The headers, or a part, could not be read; the raw mail is complete.
    Unreadable,
    /// The mail has more headers, parts or levels than are shown; the raw mail is complete.
    Truncated,
}

impl Warning {
    /// The stable word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Warning::BareLfInCommand => "bare_lf_in_command",
            Warning::BareLfInMail => "bare_lf_in_mail",
            Warning::BareCrInMail => "bare_cr_in_mail",
            Warning::NulInMail => "nul_in_mail",
            Warning::LongLineInMail => "long_line_in_mail",
            Warning::MissingBrackets => "missing_brackets",
            Warning::NoGreeting => "no_greeting",
            Warning::BytesBehindStartTls => "bytes_behind_start_tls",
            Warning::Unreadable => "unreadable",
            Warning::Truncated => "truncated",
        }
    }
}

/// A sentence for people.
impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Warning::BareLfInCommand => "a command ended in LF without CR",
            Warning::BareLfInMail => "a line of the mail ends in LF without CR",
            Warning::BareCrInMail => "the mail holds a CR without LF",
            Warning::NulInMail => "the mail holds a zero byte",
            Warning::LongLineInMail => "a line of the mail is longer than 998 octets",
            Warning::MissingBrackets => "an address came without angle brackets",
            Warning::NoGreeting => "the client sent MAIL without EHLO or HELO",
            Warning::BytesBehindStartTls => "bytes sent behind STARTTLS were dropped",
            Warning::Unreadable => "a part of the mail could not be read",
            Warning::Truncated => "the mail has more parts or headers than are shown",
        })
    }
}

/// A mail as the SMTP session hands it over.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Captured {
    /// When its last byte arrived.
    pub received_at: Timestamp,
    /// Whom the commands named.
    pub envelope: Envelope,
    /// Its bytes, exactly as the client meant them (dots unstuffed, nothing added).
    pub raw: Vec<u8>,
    /// The client's address and port.
    pub peer: Option<String>,
    /// The name that the client gave with `EHLO` or `HELO`.
    pub hello: Option<String>,
    /// Whether it came over TLS.
    pub tls: bool,
    /// The user name of a successful `AUTH`.
    pub authenticated: Option<String>,
    /// What was odd.
    pub warnings: Vec<Warning>,
    /// The conversation without the mail itself, one line each way; credentials are masked.
    pub transcript: String,
}

/// A captured mail as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub id: MessageId,
    /// When its last byte arrived.
    pub received_at: Timestamp,
    /// Length of the raw mail in octets.
    pub size: u64,
    /// Whom the SMTP commands named.
    pub envelope: Envelope,
    /// The `From` header, decoded.
    pub author: Option<String>,
    /// The `Subject` header, decoded.
    pub subject: Option<String>,
    /// The `Message-ID` header, without its angle brackets.
    pub message_id: Option<String>,
    /// The user name of a successful `AUTH`.
    pub authenticated: Option<String>,
    /// Whether it came over TLS.
    pub tls: bool,
    /// What was odd.
    pub warnings: Vec<Warning>,
}

/// A captured mail with everything that can be read from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// As in lists; `warnings` may hold more here.
    pub summary: Summary,
    /// The client's address and port.
    pub peer: Option<String>,
    /// The name that the client gave with `EHLO` or `HELO`.
    pub hello: Option<String>,
    /// The conversation that brought it. See [`Captured::transcript`].
    pub transcript: String,
    /// Name and decoded value of every header, in order.
    pub headers: Vec<(String, String)>,
    /// The plain text, if the mail has one.
    pub text: Option<String>,
    /// The HTML as the sender wrote it: hostile until it was sanitised.
    pub html: Option<String>,
    /// Every part that is not the text or the HTML.
    pub attachments: Vec<Attachment>,
    /// What looks like a verification code, most likely first.
    pub codes: Vec<String>,
    /// The http and https links, in order, each once.
    pub links: Vec<String>,
}

/// A part of a mail that is not its text or HTML. Its bytes: [`Inbox::attachment`](super::Inbox::attachment).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its place among the attachments, from 0.
    pub index: usize,
    /// The name the sender gave it. Never to be used as a path.
    pub filename: Option<String>,
    /// Its media type in lower case, such as `image/png`.
    pub content_type: String,
    /// Its `Content-ID` without angle brackets, by which the HTML may refer to it.
    pub content_id: Option<String>,
    /// Whether the sender meant it to be shown within the text.
    pub inline: bool,
    /// Its decoded length in octets.
    pub size: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_id_has_one_text_form() {
        assert_eq!("42".parse(), Ok(MessageId(42)));
        assert_eq!(MessageId(42).to_string(), "42");
        for text in ["", "+5", "-1", "4x", "99999999999999999999"] {
            assert_eq!(text.parse::<MessageId>(), Err(MalformedMessageId), "{text}");
        }
    }

    #[test]
    fn the_stable_word_of_a_warning_is_the_stored_one() {
        for warning in [
            Warning::BareLfInCommand,
            Warning::BytesBehindStartTls,
            Warning::NulInMail,
        ] {
            let stored = serde_json::to_string(&warning).unwrap();
            assert_eq!(stored, format!("{:?}", warning.as_str()));
        }
    }
}
