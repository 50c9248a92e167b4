//! A mail's MIME tree, flattened to its leaves.
//!
//! The walk over the boundaries is our own, with a limit on levels and parts and one linear pass
//! a level; mail-parser reads the fields and decodes the bodies. Its own walk has no such limits:
//! 25 MB of nested `message/rfc822` end in a stack overflow when the tree is dropped, and of
//! multiparts whose boundary never comes in work that grows with the square of the size.

use std::borrow::Cow;

use mail_parser::decoders::base64::base64_decode;
use mail_parser::decoders::charsets::map::charset_decoder;
use mail_parser::decoders::quoted_printable::quoted_printable_decode;
use mail_parser::{HeaderName, HeaderValue, MessageParser};
use memchr::memmem;

/// Levels of multiparts that are opened; what lies deeper is shown as an attachment.
const DEPTH: usize = 16;

/// Leaves that are shown.
const PARTS: usize = 500;

/// Octets of a part's header that are read.
const HEADER: usize = 32 << 10;

/// One leaf.
#[derive(Debug)]
pub(super) struct Part<'a> {
    /// Lower case, such as `text/plain`.
    pub(super) media_type: String,
    pub(super) filename: Option<String>,
    pub(super) content_id: Option<String>,
    /// `Content-Disposition: attachment`.
    pub(super) attached: bool,
    /// `Content-Disposition: inline`, or a Content-ID for the HTML to refer to.
    pub(super) inline: bool,
    charset: Option<String>,
    encoding: Encoding,
    body: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Base64,
    QuotedPrintable,
}

/// All leaves, in order.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub(super) list: Vec<Part<'a>>,
    /// There are more parts or levels than are shown.
    pub(super) truncated: bool,
    /// A multipart has no boundary, or it never comes.
    pub(super) broken: bool,
}

/// The leaves of `mail`.
pub(super) fn split(mail: &[u8]) -> Parts<'_> {
    let mut parts = Parts::default();
    // Only what a part needs; the fields for people are read line by line (see `header`).
    let parser = MessageParser::new()
        .with_mime_headers()
        .default_header_ignore();
    parts.add(&parser, mail, "text/plain", 0);
    parts
}

impl<'a> Parts<'a> {
    fn add(&mut self, parser: &MessageParser, entity: &'a [u8], default_type: &str, depth: usize) {
        if self.list.len() >= PARTS {
            self.truncated = true;
            return;
        }
        let (header, body) = split_header(entity);
        let (mut part, boundary) = read_header(parser, header, default_type);
        part.body = body;
        if !part.media_type.starts_with("multipart/") {
            self.list.push(part);
            return;
        }
        if depth >= DEPTH {
            self.truncated = true;
            self.list.push(part);
            return;
        }
        let inner = if part.media_type == "multipart/digest" {
            "message/rfc822"
        } else {
            "text/plain"
        };
        let mut children = Children::new(body, boundary.as_deref().unwrap_or_default());
        let before = self.list.len();
        for child in &mut children {
            if self.list.len() >= PARTS {
                self.truncated = true;
                return;
            }
            self.add(parser, child, inner, depth + 1);
        }
        if self.list.len() == before {
            self.broken = true;
            part.media_type = "text/plain".to_owned();
            self.list.push(part);
        }
    }
}

/// The header (its last line end included) and what follows the blank line.
fn split_header(entity: &[u8]) -> (&[u8], &[u8]) {
    let mut start = 0;
    loop {
        let rest = &entity[start..];
        if rest.starts_with(b"\r\n") {
            return (&entity[..start], &rest[2..]);
        }
        if rest.starts_with(b"\n") {
            return (&entity[..start], &rest[1..]);
        }
        match memchr::memchr(b'\n', rest) {
            Some(end) => start += end + 1,
            // No blank line: all of it is header, as long as it begins like one.
            None if super::header::fields(entity).next().is_some() => return (entity, b""),
            None => return (b"", entity),
        }
    }
}

/// What the header says, with an empty body, and the boundary of a multipart.
fn read_header<'a>(
    parser: &MessageParser,
    header: &[u8],
    default_type: &str,
) -> (Part<'a>, Option<String>) {
    let mut part = Part {
        media_type: default_type.to_owned(),
        filename: None,
        content_id: None,
        attached: false,
        inline: false,
        charset: None,
        encoding: Encoding::Identity,
        body: b"",
    };
    let mut boundary = None;
    let mut name = None;
    let message = parser.parse_headers(&header[..header.len().min(HEADER)]);
    let fields = message.iter().flat_map(mail_parser::Message::headers);
    for field in fields {
        match (&field.name, &field.value) {
            (HeaderName::ContentType, HeaderValue::ContentType(value)) => {
                let subtype = value.subtype().unwrap_or("plain");
                part.media_type = format!("{}/{subtype}", value.ctype()).to_ascii_lowercase();
                part.charset = value.attribute("charset").map(str::to_owned);
                boundary = value.attribute("boundary").map(str::to_owned);
                name = value.attribute("name").map(str::to_owned);
            }
            (HeaderName::ContentDisposition, HeaderValue::ContentType(value)) => {
                part.attached = value.is_attachment();
                part.inline |= value.is_inline();
                part.filename = value.attribute("filename").map(str::to_owned);
            }
            (HeaderName::ContentId, HeaderValue::Text(id)) => {
                part.inline = !part.attached;
                part.content_id = Some(id.clone().into_owned());
            }
            (HeaderName::ContentTransferEncoding, HeaderValue::Text(encoding)) => {
                let encoding = encoding.trim();
                part.encoding = if encoding.eq_ignore_ascii_case("base64") {
                    Encoding::Base64
                } else if encoding.eq_ignore_ascii_case("quoted-printable") {
                    Encoding::QuotedPrintable
                } else {
                    Encoding::Identity
                };
            }
            _ => {}
        }
    }
    part.filename = part.filename.or(name);
    (part, boundary)
}

/// The entities between the delimiters of a multipart (RFC 2046, 5.1.1).
struct Children<'a> {
    body: &'a [u8],
    delimiter: Vec<u8>,
    /// Where the next child begins; `None` before the first delimiter and after the last.
    next: Option<usize>,
}

impl<'a> Children<'a> {
    fn new(body: &'a [u8], boundary: &str) -> Children<'a> {
        let mut children = Children {
            body,
            delimiter: format!("--{boundary}").into_bytes(),
            next: None,
        };
        if !boundary.is_empty()
            && let Some((_, after, false)) = children.find_delimiter(0)
        {
            children.next = Some(after);
        }
        children
    }

    /// The next delimiter at or after `from`: where it begins, where its line ends, and whether
    /// it is the closing one.
    fn find_delimiter(&self, from: usize) -> Option<(usize, usize, bool)> {
        memmem::find_iter(&self.body[from..], &self.delimiter)
            .map(|at| from + at)
            .filter(|&at| at == 0 || self.body[at - 1] == b'\n')
            .find_map(|at| {
                let rest = &self.body[at + self.delimiter.len()..];
                let line = match memchr::memchr(b'\n', rest) {
                    Some(end) => &rest[..=end],
                    None => rest,
                };
                let (closing, padding) = match line.strip_prefix(b"--") {
                    Some(padding) => (true, padding),
                    None => (false, line),
                };
                // Anything else behind it: the boundary of another level that begins the same.
                let is_delimiter = closing || padding.trim_ascii().is_empty();
                let after = at + self.delimiter.len() + line.len();
                is_delimiter.then_some((at, after, closing))
            })
    }
}

impl<'a> Iterator for Children<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.next.take()?;
        // The line end before a delimiter belongs to the delimiter.
        let Some((end, after, closing)) = self.find_delimiter(start) else {
            return Some(&self.body[start..]);
        };
        if !closing {
            self.next = Some(after);
        }
        let child = &self.body[start..end];
        let child = child.strip_suffix(b"\n").unwrap_or(child);
        Some(child.strip_suffix(b"\r").unwrap_or(child))
    }
}

impl<'a> Part<'a> {
    /// The decoded bytes, and whether they could be decoded; if not, they are as they came.
    pub(super) fn bytes(&self) -> (Cow<'a, [u8]>, bool) {
        let decoded = match self.encoding {
            Encoding::Identity => return (Cow::Borrowed(self.body), true),
            Encoding::Base64 => base64_decode(self.body),
            Encoding::QuotedPrintable => quoted_printable_decode(self.body),
        };
        match decoded {
            Some(bytes) => (Cow::Owned(bytes), true),
            None => (Cow::Borrowed(self.body), false),
        }
    }

    /// The decoded bytes as text, and whether they could be decoded.
    pub(super) fn text(&self) -> (String, bool) {
        let (bytes, decoded) = self.bytes();
        let decoder = self
            .charset
            .as_ref()
            .and_then(|charset| charset_decoder(charset.as_bytes()));
        let text = match decoder {
            Some(decoder) => decoder(&bytes),
            None => String::from_utf8_lossy(&bytes).into_owned(),
        };
        (text, decoded)
    }

    /// Whether it belongs to what the reader sees at once, rather than to the attachments.
    pub(super) fn is_body(&self) -> bool {
        matches!(self.media_type.as_str(), "text/plain" | "text/html")
            && !self.attached
            && self.filename.is_none()
    }
}
