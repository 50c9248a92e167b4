//! From a rendered mail to the frozen letter: headers and MIME, the bytes as they will be sent
//! however often it takes, sealed until they are. What it says is the templates' business.

use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::address::Envelope;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message, MultiPart, SinglePart};
use serde::{Deserialize, Serialize};

use super::kind::Kind;
use super::kind::Lane;
use super::sender::Sender;
use super::template::{Rendered, TemplateError};
use crate::address::EmailAddress;
use crate::id::identifier;
use crate::language::Language;
use crate::secret::{BrokenSeal, Keys};
use crate::world::{Timestamp, World};

identifier!(
    /// A mail in the outbox.
    OutboxId,
    "ob"
);

/// Why a mail could not be composed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// A replaced template fails with these values.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The message builder refused.
    #[error("the message cannot be built: {0}")]
    Message(String),
}

/// A mail, ready to be put into the outbox. Its body is sealed: neither Debug nor a store shows it.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Its name in the outbox.
    pub id: OutboxId,
    /// What it is for.
    pub kind: Kind,
    /// Who is served first.
    pub lane: Lane,
    /// The template of a [`Kind::Message`], where it has one.
    pub template: Option<String>,
    /// Which program asked for it: the identifier of its API key.
    pub ordered_by: Option<String>,
    /// Whom it goes to.
    pub to: EmailAddress,
    /// The language that it is written in.
    pub language: Language,
    /// With its angle brackets. The same however often it is sent.
    pub message_id: String,
    /// When it was composed.
    pub created_at: Timestamp,
    /// Before when it must not be sent: its Date.
    pub due_at: Timestamp,
    /// From when on it must not be sent any more.
    pub expires_at: Timestamp,
    /// How many bytes are sent.
    pub size: u32,
    /// SHA-256 of the bytes that are sent; they hold 128 random bits, so it tells nothing.
    pub digest: [u8; 32],
    pub(super) sealed: Vec<u8>,
}

/// What the relay is handed: envelope and bytes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Parcel {
    /// The envelope's sender.
    pub from: String,
    /// The envelope's recipient.
    pub to: String,
    /// What must not show in a reply or a transcript, should the server quote it: codes, and links,
    /// of which no part of the path may show either.
    #[serde(default)]
    pub hide: Vec<String>,
    /// The message, without a line end after its last line.
    #[serde(with = "serde_bytes")]
    pub message: Vec<u8>,
}

impl std::fmt::Debug for Parcel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Parcel {
    /// Opens the sealed body of the mail called `id`.
    ///
    /// # Errors
    /// It was sealed under other keys or another name, or was changed.
    pub fn open(keys: &Keys, id: OutboxId, sealed: &[u8]) -> Result<Parcel, BrokenSeal> {
        let plain = keys.open(&id.to_bytes(), sealed)?;
        rmp_serde::from_slice(&plain).map_err(|_| BrokenSeal)
    }

    /// Whether an address of the envelope needs SMTPUTF8 (RFC 6531): a local part beyond ASCII,
    /// which unlike a domain has no ASCII form.
    pub fn needs_smtputf8(&self) -> bool {
        !self.from.is_ascii() || !self.to.is_ascii()
    }
}

/// What [`freeze`] needs beside the texts.
pub(super) struct Order<'a> {
    pub kind: Kind,
    pub from: &'a Sender,
    pub to: &'a EmailAddress,
    pub language: Language,
    pub lane: Lane,
    /// Before when it must not be sent, should that be later than now: also its Date, since that
    /// is when its author lets go of it.
    pub not_before: Option<Timestamp>,
    /// From then on.
    pub worth_sending_for: Duration,
    pub secret: Option<&'a str>,
    pub template: Option<&'a str>,
    pub ordered_by: Option<&'a str>,
}

/// Builds the message and seals it.
pub(super) fn freeze(
    world: &World,
    keys: &Keys,
    order: &Order<'_>,
    rendered: Rendered,
) -> Result<Letter, ComposeError> {
    let id = OutboxId::draw(world);
    let created_at = world.now();
    let message_id = format!("<{id}@{}>", order.from.address.domain());
    // lettre would draw it from a generator of its own; equal worlds must give equal bytes.
    let boundary = format!("=_{:032x}", u128::from_be_bytes(world.bytes()));
    let due_at = order.not_before.map_or(created_at, |at| at.max(created_at));
    let sent = u64::try_from(due_at.as_millis()).unwrap_or(0);
    let envelope = Envelope::new(Some(bare(&order.from.address)), vec![bare(order.to)])
        .map_err(|error| ComposeError::Message(error.to_string()))?;
    let builder = Message::builder()
        // Given, or lettre would parse it back out of the headers by rules of its own, which
        // refuse quoted local parts.
        .envelope(envelope)
        .from(mailbox(order.from.name.clone(), &order.from.address))
        .to(mailbox(None, order.to))
        .subject(rendered.subject)
        .date(SystemTime::UNIX_EPOCH + Duration::from_millis(sent))
        .message_id(Some(message_id.clone()))
        // RFC 3834, 5: nobody's holiday notice answers this.
        .raw_header(header("Auto-Submitted", "auto-generated"));
    let text = part(ContentType::TEXT_PLAIN, rendered.text);
    let message = match rendered.html {
        Some(html) => builder.multipart(
            MultiPart::alternative()
                .boundary(boundary)
                .singlepart(text)
                .singlepart(part(ContentType::TEXT_HTML, html)),
        ),
        None => builder.singlepart(text),
    };
    let message = message.map_err(|error| ComposeError::Message(error.to_string()))?;
    let mut bytes = message.formatted();
    // The SMTP client ends the last line itself; with both there would be an empty one.
    if bytes.ends_with(b"\r\n") {
        bytes.truncate(bytes.len() - 2);
    }
    let digest = ring::digest::digest(&ring::digest::SHA256, &bytes);
    let parcel = Parcel {
        from: order.from.address.to_string(),
        to: order.to.to_string(),
        hide: order.secret.map(str::to_owned).into_iter().collect(),
        message: bytes,
    };
    let plain = rmp_serde::to_vec_named(&parcel).expect("texts and bytes always encode");
    Ok(Letter {
        id,
        kind: order.kind,
        lane: order.lane,
        template: order.template.map(str::to_owned),
        ordered_by: order.ordered_by.map(str::to_owned),
        to: order.to.clone(),
        language: order.language,
        message_id,
        created_at,
        due_at,
        expires_at: due_at + order.worth_sending_for,
        size: u32::try_from(parcel.message.len()).unwrap_or(u32::MAX),
        digest: digest.as_ref().try_into().expect("SHA-256 has 32 bytes"),
        sealed: keys.seal(world, &id.to_bytes(), &plain),
    })
}

/// Both halves were parsed by [`EmailAddress`] already, and by stricter rules in part.
fn mailbox(name: Option<String>, address: &EmailAddress) -> Mailbox {
    Mailbox::new(name, bare(address))
}

fn bare(address: &EmailAddress) -> Address {
    Address::new_dangerous(address.local(), address.domain())
}

fn part(content_type: ContentType, text: String) -> SinglePart {
    SinglePart::builder().content_type(content_type).body(text)
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}
