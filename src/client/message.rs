//! Captured mail as the API tells it. All of it is the sender's: hostile until it is filtered.

use serde::Deserialize;
use serde::Serialize;

/// Whom the SMTP commands named.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// The sender; empty for the null sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
}

/// A captured mail as lists show it: `GET /inbox/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MessageSummary {
    /// Its number.
    pub id: String,
    /// When its last byte arrived.
    pub received_at: String,
    /// In octets.
    pub size: u64,
    /// Whom the SMTP commands named.
    pub envelope: Envelope,
    /// The From header.
    pub from: Option<String>,
    /// The Subject header.
    pub subject: Option<String>,
    /// The Message-ID header.
    pub message_id: Option<String>,
    /// Our own mail in the outbox that this is.
    pub outbox_id: Option<String>,
    /// The user name of a successful AUTH.
    pub authenticated: Option<String>,
    /// Whether it came over TLS.
    pub tls: bool,
    /// What other servers would refuse about it.
    pub warnings: Vec<String>,
}

/// A header field.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Header {
    /// Its name.
    pub name: String,
    /// Its value, decoded.
    pub value: String,
}

/// A part that is neither the text nor the HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Attachment {
    /// Its place, from 0.
    pub index: usize,
    /// The name the sender gave it: never a path here.
    pub filename: Option<String>,
    /// The media type the sender gave it.
    pub content_type: String,
    /// Its Content-ID.
    pub content_id: Option<String>,
    /// Whether it was meant to be shown within the text.
    pub inline: bool,
    /// Decoded, in octets.
    pub size: u64,
}

/// A captured mail with everything in it: `GET /inbox/messages/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Message {
    /// What lists show of it.
    #[serde(flatten)]
    pub summary: MessageSummary,
    /// The client's address and port.
    pub peer: Option<String>,
    /// The name that the client gave.
    pub hello: Option<String>,
    /// The header fields, in order.
    pub headers: Vec<Header>,
    /// The plain text.
    pub text: Option<String>,
    /// The HTML as the sender wrote it.
    pub html: Option<String>,
    /// The other parts.
    pub attachments: Vec<Attachment>,
    /// What looks like a verification code, most likely first.
    pub codes: Vec<String>,
    /// The http and https links.
    pub links: Vec<String>,
    /// The SMTP conversation that brought it.
    pub transcript: String,
}
