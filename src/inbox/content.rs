//! What can be read from the bytes of a mail. Never fails: what cannot be read is shown as it
//! came, with a [`Warning`]. The work grows with the size of the mail and no faster.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::header::fields;
use super::parts::{Part, Parts, split};
use super::record::{Attachment, Message, Summary, Warning};
use super::safe_html::Carried;
use super::shelf::MailRow;
use super::{AttachmentBytes, codes, html, links};

/// Header fields that are shown.
const FIELDS: usize = 500;

/// Octets of one field that are shown, and of all together.
const FIELD_LIMIT: usize = 8 << 10;
const FIELDS_LIMIT: usize = 256 << 10;

/// The text of a mail.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) warnings: Vec<Warning>,
}

/// Runs a piece of parsing. mail-parser promises not to panic, but a mail is written by whoever
/// likes to try that promise, and a mail that breaks it must still be shown.
fn guarded<T>(read: impl FnOnce() -> T, otherwise: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        tracing::warn!("a mail made the parser panic; it is shown as it came");
        otherwise()
    })
}

/// The text and the HTML, for searching.
pub(super) fn read(mail: &[u8]) -> Content {
    guarded(|| read_parts(&split(mail)), || as_it_came(mail))
}

/// The mail with everything that can be read from it.
pub(super) fn message(mut summary: Summary, mail: MailRow) -> Message {
    let (content, attachments) = guarded(
        || {
            let parts = split(&mail.raw);
            let content = read_parts(&parts);
            let attachments = attached(&parts)
                .enumerate()
                .map(|(index, part)| describe(index, part, part.bytes().0.len()))
                .collect();
            (content, attachments)
        },
        || (as_it_came(&mail.raw), Vec::new()),
    );
    let (headers, complete) = guarded(|| read_headers(&mail.raw), || (Vec::new(), false));
    summary.warnings.extend(content.warnings);
    if !complete {
        summary.warnings.push(Warning::Truncated);
    }
    summary.warnings.sort_unstable();
    summary.warnings.dedup();
    let page = content.html.as_deref().map(html::read).unwrap_or_default();
    let subject = summary.subject.as_deref().unwrap_or_default();
    let text = content.text.as_deref().unwrap_or_default();
    Message {
        codes: codes::find(&[subject, text, &page.text]),
        links: links::find(text, &page),
        summary,
        peer: mail.peer,
        hello: mail.hello,
        transcript: mail.transcript,
        headers,
        text: content.text,
        html: content.html,
        attachments,
    }
}

/// The attachment at `index`.
pub(super) fn attachment(mail: &[u8], index: usize) -> Option<AttachmentBytes> {
    guarded(
        || {
            let parts = split(mail);
            let part = attached(&parts).nth(index)?;
            let bytes = part.bytes().0.into_owned();
            Some(AttachmentBytes {
                attachment: describe(index, part, bytes.len()),
                bytes,
            })
        },
        || None,
    )
}

/// Pictures that are taken along with the HTML, and their bytes together.
const PICTURES: usize = 100;
const PICTURE_BYTES: usize = 16 << 20;

/// The HTML, if there is any, and what it may refer to within the mail.
pub(super) fn html_and_pictures(mail: &[u8]) -> Option<(String, Vec<Carried>)> {
    guarded(
        || {
            let parts = split(mail);
            let html = read_parts(&parts).html?;
            let mut room = PICTURE_BYTES;
            let named = attached(&parts).filter_map(|part| Some((part.content_id.as_ref()?, part)));
            let pictures = named.take(PICTURES).map_while(|(content_id, part)| {
                let bytes = part.bytes().0.into_owned();
                room = room.checked_sub(bytes.len())?;
                Some(Carried {
                    content_id: content_id.clone(),
                    bytes,
                })
            });
            Some((html, pictures.collect()))
        },
        || None,
    )
}

fn read_parts(parts: &Parts<'_>) -> Content {
    let mut content = Content::default();
    let mut all_decoded = !parts.broken;
    for part in body_parts(parts) {
        let (text, decoded) = part.text();
        all_decoded &= decoded;
        let place = if part.media_type == "text/html" {
            &mut content.html
        } else {
            &mut content.text
        };
        match place {
            Some(before) => {
                before.push('\n');
                before.push_str(&text);
            }
            None => *place = Some(text),
        }
    }
    if !all_decoded {
        content.warnings.push(Warning::Unreadable);
    }
    if parts.truncated {
        content.warnings.push(Warning::Truncated);
    }
    content
}

/// A mail of one part of text is its own body, whatever name that part has.
fn shown_in_body(parts: &Parts<'_>, part: &Part<'_>) -> bool {
    part.is_body()
        || (parts.list.len() == 1 && part.media_type.starts_with("text/") && !part.attached)
}

fn body_parts<'p, 'a>(parts: &'p Parts<'a>) -> impl Iterator<Item = &'p Part<'a>> {
    let shown = |part: &&'p Part<'a>| shown_in_body(parts, part);
    parts.list.iter().filter(shown)
}

fn attached<'p, 'a>(parts: &'p Parts<'a>) -> impl Iterator<Item = &'p Part<'a>> {
    let kept = |part: &&'p Part<'a>| !shown_in_body(parts, part);
    parts.list.iter().filter(kept)
}

fn describe(index: usize, part: &Part<'_>, size: usize) -> Attachment {
    Attachment {
        index,
        filename: part.filename.clone(),
        content_type: part.media_type.clone(),
        content_id: part.content_id.clone(),
        inline: part.inline,
        size: size as u64,
    }
}

/// The fields, and whether all of them are there in full.
fn read_headers(mail: &[u8]) -> (Vec<(String, String)>, bool) {
    let mut headers = Vec::new();
    let mut left = FIELDS_LIMIT;
    let mut complete = true;
    for field in fields(mail) {
        if headers.len() >= FIELDS || left == 0 {
            complete = false;
            break;
        }
        let limit = FIELD_LIMIT.min(left);
        complete &= field.len() <= limit;
        left -= field.len().min(limit);
        let name = String::from_utf8_lossy(&field.name[..field.name.len().min(200)]).into_owned();
        headers.push((name, field.decode(limit)));
    }
    (headers, complete)
}

/// What is shown of a mail that the parser could not take.
fn as_it_came(mail: &[u8]) -> Content {
    Content {
        text: Some(String::from_utf8_lossy(mail).into_owned()),
        html: None,
        warnings: vec![Warning::Unreadable],
    }
}
