//! Captured mail as it travels: a page, a row of it, a mail with everything in it. The operations
//! on them are in `inbox`.

use poem_openapi::Object;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::inbox;

/// Whom the SMTP commands named, whatever the headers say.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Envelope")]
pub struct Envelope {
    /// The sender of MAIL FROM; empty for the null sender.
    from: String,
    /// The recipients of RCPT TO, in order.
    to: Vec<String>,
}

/// A captured mail as lists show it.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "MessageSummary")]
pub struct Summary {
    /// Its number, as text. Numbers only grow.
    id: String,
    /// When its last byte arrived (RFC 3339).
    received_at: String,
    /// Its length in octets.
    size: u64,
    /// Whom the SMTP commands named.
    envelope: Envelope,
    /// The From header, decoded.
    from: Option<String>,
    /// The Subject header, decoded.
    subject: Option<String>,
    /// The Message-ID header, without angle brackets.
    message_id: Option<String>,
    /// Our own mail in the outbox that this is, if it is one.
    outbox_id: Option<String>,
    /// The user name of a successful AUTH.
    authenticated: Option<String>,
    /// Whether it came over TLS.
    tls: bool,
    /// What other servers would refuse about it, as stable words.
    warnings: Vec<String>,
}

/// A page of captured mail.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "MessagePage", example)]
pub struct Page {
    /// The mails, in the order that was asked for.
    pub(super) items: Vec<Summary>,
    /// Pass it as `cursor` for the page behind this one; null at the end.
    pub(super) next_cursor: Option<String>,
    /// Pass it as `cursor`, with `back`, for the page before this one; null at the beginning.
    pub(super) prev_cursor: Option<String>,
    /// How many match in all; null when that was too much to count.
    pub(super) total: Option<u64>,
}

/// A header field.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "MessageHeader")]
pub struct Header {
    /// Its name, as the sender wrote it.
    name: String,
    /// Its value, decoded.
    value: String,
}

/// A part that is neither the text nor the HTML.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Attachment")]
pub struct Attachment {
    /// Its place, from 0; see the operation `download_attachment`.
    index: usize,
    /// The name the sender gave it.
    filename: Option<String>,
    /// The media type the sender gave it.
    content_type: String,
    /// Its Content-ID, by which the HTML may refer to it.
    content_id: Option<String>,
    /// Whether it was meant to be shown within the text.
    inline: bool,
    /// Its decoded length in octets.
    size: u64,
}

/// A captured mail with everything that can be read from it.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Message", example)]
pub struct Message {
    /// Its number, as text. Numbers only grow.
    id: String,
    /// When its last byte arrived (RFC 3339).
    received_at: String,
    /// Its length in octets.
    size: u64,
    /// Whom the SMTP commands named.
    envelope: Envelope,
    /// The From header, decoded.
    from: Option<String>,
    /// The Subject header, decoded.
    subject: Option<String>,
    /// The Message-ID header, without angle brackets.
    message_id: Option<String>,
    /// Our own mail in the outbox that this is, if it is one.
    outbox_id: Option<String>,
    /// The user name of a successful AUTH.
    authenticated: Option<String>,
    /// Whether it came over TLS.
    tls: bool,
    /// What other servers would refuse about it, as stable words.
    warnings: Vec<String>,
    /// The client's address and port.
    peer: Option<String>,
    /// The name that the client gave with EHLO or HELO.
    hello: Option<String>,
    /// The header fields, in order.
    headers: Vec<Header>,
    /// The plain text.
    text: Option<String>,
    /// The HTML as the sender wrote it: hostile until it is sanitised.
    html: Option<String>,
    /// The other parts.
    attachments: Vec<Attachment>,
    /// What looks like a verification code, most likely first.
    codes: Vec<String>,
    /// The http and https links, each once.
    links: Vec<String>,
    /// The SMTP conversation that brought it, credentials masked.
    transcript: String,
}

impl Example for Page {
    fn example() -> Page {
        let message = Message::example();
        Page {
            items: vec![Summary {
                id: message.id,
                received_at: message.received_at,
                size: message.size,
                envelope: message.envelope,
                from: message.from,
                subject: message.subject,
                message_id: message.message_id,
                outbox_id: message.outbox_id,
                authenticated: None,
                tls: false,
                warnings: Vec::new(),
            }],
            next_cursor: Some("LXJlY2VpdmVkX2F0AAAAAAAAAAAp".to_owned()),
            prev_cursor: None,
            total: Some(42),
        }
    }
}

impl Example for Message {
    fn example() -> Message {
        let text = |text: &str| text.to_owned();
        let outbox_id = "ob_01KDX0AB9MZ4T1W9GQ6Y3S5E7R";
        Message {
            id: text("42"),
            received_at: text("2026-01-01T00:00:00.000Z"),
            size: 1843,
            envelope: Envelope {
                from: text("accounts@example.com"),
                to: vec![text("ann@example.org")],
            },
            from: Some(text("Example <accounts@example.com>")),
            subject: Some(text("Your code is 482913")),
            message_id: Some(format!("{outbox_id}@example.com")),
            outbox_id: Some(text(outbox_id)),
            authenticated: None,
            tls: false,
            warnings: Vec::new(),
            peer: Some(text("127.0.0.1:50312")),
            hello: Some(text("localhost")),
            headers: vec![Header {
                name: text("Subject"),
                value: text("Your code is 482913"),
            }],
            text: Some(text("Your code is 482913. It is good for 10 minutes.\r\n")),
            html: Some(text("<p>Your code is <b>482913</b>.</p>")),
            attachments: Vec::new(),
            codes: vec![text("482913")],
            links: Vec::new(),
            transcript: text("S: 220 localhost ESMTP\nC: EHLO localhost\n"),
        }
    }
}

fn warnings(words: &[inbox::Warning]) -> Vec<String> {
    words.iter().map(|word| word.as_str().to_owned()).collect()
}

/// A row of a list.
pub fn wire_summary(summary: inbox::Summary, outbox_id: Option<String>) -> Summary {
    Summary {
        id: summary.id.to_string(),
        received_at: summary.received_at.to_string(),
        size: summary.size,
        envelope: Envelope {
            from: summary.envelope.from,
            to: summary.envelope.to,
        },
        from: summary.author,
        subject: summary.subject,
        message_id: summary.message_id,
        outbox_id,
        authenticated: summary.authenticated,
        tls: summary.tls,
        warnings: warnings(&summary.warnings),
    }
}

/// A mail with everything in it.
pub fn wire_message(message: inbox::Message, outbox_id: Option<String>) -> Message {
    let Summary {
        id,
        received_at,
        size,
        envelope,
        from,
        subject,
        message_id,
        outbox_id,
        authenticated,
        tls,
        warnings,
    } = wire_summary(message.summary, outbox_id);
    let headers = message.headers.into_iter();
    let attachments = message.attachments.into_iter();
    Message {
        id,
        received_at,
        size,
        envelope,
        from,
        subject,
        message_id,
        outbox_id,
        authenticated,
        tls,
        warnings,
        peer: message.peer,
        hello: message.hello,
        headers: headers
            .map(|(name, value)| Header { name, value })
            .collect(),
        text: message.text,
        html: message.html,
        attachments: attachments
            .map(|part| Attachment {
                index: part.index,
                filename: part.filename,
                content_type: part.content_type,
                content_id: part.content_id,
                inline: part.inline,
                size: part.size,
            })
            .collect(),
        codes: message.codes,
        links: message.links,
        transcript: message.transcript,
    }
}
