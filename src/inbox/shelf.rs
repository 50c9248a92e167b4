//! The tables in which captured mail lies: a small row for lists, a large one with the bytes,
//! and one counter. What is written here is all that an acknowledgement waits for.

use serde::{Deserialize, Serialize};

use super::header::fields;
use super::record::{Captured, Envelope, MessageId, Summary, Warning};
use crate::events::Topic;
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

/// What lists and filters need, and nothing else: a page reads only these.
pub(super) const SUMMARIES: Table<MessageId, SummaryRow> = Table::new("inbox.summary");

/// The bytes and what only a reader of the one mail wants.
pub(super) const MAILS: Table<MessageId, MailRow> = Table::new("inbox.mail");

/// One row: how far the numbers have come, and how many mails there are.
pub(super) const COUNTER: Table<(), Counter> = Table::new("inbox.counter");

/// See [`COUNTER`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Counter {
    /// The number given last; 0 when none was.
    #[serde(default)]
    pub(super) last: u64,
    /// Mails that are there now.
    #[serde(default)]
    pub(super) count: u64,
}

/// See [`SUMMARIES`]. Empty fields are left out, since this is written for every mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SummaryRow {
    at: Timestamp,
    size: u64,
    #[serde(default)]
    pub(super) from: String,
    #[serde(default)]
    pub(super) to: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) author: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    tls: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

/// See [`MAILS`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MailRow {
    #[serde(with = "serde_bytes")]
    pub(super) raw: Vec<u8>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) peer: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) hello: Option<String>,
    #[serde(default)]
    pub(super) transcript: String,
}

/// Octets of a header that a summary keeps.
const HEADER_LIMIT: usize = 2_000;

/// Octets of a mail in which the headers of its summary are looked for.
const SCAN_LIMIT: usize = 64 << 10;

/// The two rows of a mail, ready to be written. Made before the transaction, so that the one
/// writer thread only copies.
pub(super) fn rows_of(captured: Captured) -> (SummaryRow, MailRow) {
    let mut row = SummaryRow {
        at: captured.received_at,
        size: captured.raw.len() as u64,
        from: captured.envelope.from,
        to: captured.envelope.to,
        author: None,
        subject: None,
        message_id: None,
        user: captured.authenticated,
        tls: captured.tls,
        warnings: captured.warnings,
    };
    let head = &captured.raw[..captured.raw.len().min(SCAN_LIMIT)];
    for field in fields(head) {
        if row.author.is_none() && field.is("From") {
            row.author = Some(field.decode(HEADER_LIMIT));
        } else if row.subject.is_none() && field.is("Subject") {
            row.subject = Some(field.decode(HEADER_LIMIT));
        } else if row.message_id.is_none() && field.is("Message-ID") {
            row.message_id = field.decode_id();
        }
    }
    let mail = MailRow {
        raw: captured.raw,
        peer: captured.peer,
        hello: captured.hello,
        transcript: captured.transcript,
    };
    (row, mail)
}

/// Puts a mail on the shelf and gives it its number.
pub(super) fn put(tx: &mut Tx<'_>, row: &SummaryRow, mail: &MailRow) -> Result<MessageId, Error> {
    let mut counter = tx.get(&COUNTER, &())?.unwrap_or_default();
    counter.last += 1;
    counter.count += 1;
    let id = MessageId::from_number(counter.last);
    tx.put(&SUMMARIES, &id, row);
    tx.put(&MAILS, &id, mail);
    tx.put(&COUNTER, &(), &counter);
    tx.wake(Topic::Inbox);
    Ok(id)
}

/// Removes mails; says how many of them were there.
pub(super) fn remove(tx: &mut Tx<'_>, ids: &[MessageId]) -> Result<u64, Error> {
    let mut removed = 0;
    for id in ids {
        if tx.get(&SUMMARIES, id)?.is_some() {
            tx.delete(&SUMMARIES, id);
            tx.delete(&MAILS, id);
            removed += 1;
        }
    }
    if removed > 0 {
        let mut counter = tx.get(&COUNTER, &())?.unwrap_or_default();
        counter.count = counter.count.saturating_sub(removed);
        tx.put(&COUNTER, &(), &counter);
        tx.wake(Topic::Inbox);
    }
    Ok(removed)
}

impl SummaryRow {
    /// Octets of the raw mail.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn into_summary(self, id: MessageId) -> Summary {
        Summary {
            id,
            received_at: self.at,
            size: self.size,
            envelope: Envelope {
                from: self.from,
                to: self.to,
            },
            author: self.author,
            subject: self.subject,
            message_id: self.message_id,
            authenticated: self.user,
            tls: self.tls,
            warnings: self.warnings,
        }
    }
}
