//! Header fields by a scan of the lines: cheap enough for the way to the acknowledgement, and
//! bounded however large the header is. The values are decoded by mail-parser.

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;
use memchr::{memchr, memchr_iter};

/// One field: its name and its raw value, folds included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    value: &'a [u8],
}

impl Field<'_> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// Octets of the raw value.
    pub(super) fn len(&self) -> usize {
        self.value.len()
    }

    /// The value as a person reads it: unfolded, encoded words decoded (RFC 2047), at most
    /// `limit` octets of the raw value looked at.
    pub(super) fn decode(&self, limit: usize) -> String {
        let value = &self.value[..self.value.len().min(limit)];
        let plain = value.is_ascii()
            && memchr::memchr3(b'=', b'\r', b'\n', value).is_none()
            && memchr(0, value).is_none();
        if plain {
            return String::from_utf8_lossy(value.trim_ascii()).into_owned();
        }
        // The decoder stops at the end of a line that is not folded, and wants to see one.
        let mut line = Vec::with_capacity(value.len() + 1);
        line.extend_from_slice(value);
        line.push(b'\n');
        match MessageStream::new(&line).parse_unstructured() {
            HeaderValue::Text(text) => text.trim().to_owned(),
            _ => String::new(),
        }
    }

    /// The identifier of a `Message-ID`, without its angle brackets and whatever stands around.
    pub(super) fn decode_id(&self) -> Option<String> {
        let text = self.decode(2_000);
        let id = match text.split_once('<') {
            Some((_, rest)) => rest.split('>').next().unwrap_or(rest),
            None => text.as_str(),
        };
        let id = id.trim();
        (!id.is_empty()).then(|| id.to_owned())
    }
}

/// The fields of the header that `mail` begins with. Lines that are no field are skipped.
pub(super) fn fields(mail: &[u8]) -> Fields<'_> {
    Fields { rest: mail }
}

/// See [`fields`].
pub(super) struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        loop {
            let field = self.take_folded()?;
            if let Some(colon) = memchr(b':', field) {
                let name = field[..colon].trim_ascii_end();
                // RFC 5322, 2.2: printable ASCII without colon and space.
                if !name.is_empty() && name.iter().all(|b| (b'!'..=b'~').contains(b)) {
                    return Some(Field {
                        name,
                        value: &field[colon + 1..],
                    });
                }
            }
        }
    }
}

impl<'a> Fields<'a> {
    /// The next line with all that continue it, without the last line's end; `None` at the end
    /// of the header.
    fn take_folded(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest;
        if rest.is_empty() || rest.starts_with(b"\n") || rest.starts_with(b"\r\n") {
            return None;
        }
        let end = memchr_iter(b'\n', rest)
            .find(|&at| !matches!(rest.get(at + 1), Some(b' ' | b'\t')))
            .unwrap_or(rest.len());
        self.rest = rest.get(end + 1..).unwrap_or_default();
        let field = &rest[..end];
        Some(field.strip_suffix(b"\r").unwrap_or(field))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(mail: &[u8]) -> Vec<(String, String)> {
        fields(mail)
            .map(|field| {
                let name = String::from_utf8_lossy(field.name).into_owned();
                (name, field.decode(10_000))
            })
            .collect()
    }

    #[test]
    fn fields_are_unfolded_and_decoded() {
        let mail = b"Subject: =?utf-8?B?6amX6K2J56K8?=\r\n =?utf-8?Q?_123456?=\r\nX-Plain:  a  b \r\nFrom: \"A\" <a@example.com>\n\r\nTo: not a header\r\n";
        let expected = [
            ("Subject", "驗證碼 123456"),
            ("X-Plain", "a  b"),
            ("From", "\"A\" <a@example.com>"),
        ];
        assert_eq!(
            read(mail),
            expected.map(|(n, v)| (n.to_owned(), v.to_owned()))
        );
    }

    #[test]
    fn what_is_no_field_is_skipped_and_the_end_needs_no_blank_line() {
        assert_eq!(read(b""), []);
        assert_eq!(read(b"\r\nA: b"), []);
        let odd = b"From x Sun\nbroken line\n: empty\nA b: c\nOk: \xff\x00\xfe";
        assert_eq!(
            read(odd),
            [("Ok".to_owned(), "\u{fffd}\0\u{fffd}".to_owned())]
        );
    }

    #[test]
    fn a_message_id_loses_its_brackets() {
        let id = |value: &str| {
            fields(format!("Message-ID:{value}").as_bytes())
                .next()?
                .decode_id()
        };
        assert_eq!(id(" <a@b>").as_deref(), Some("a@b"));
        assert_eq!(id(" (x) <a@b").as_deref(), Some("a@b"));
        assert_eq!(id("plain").as_deref(), Some("plain"));
        assert_eq!(id(" <>"), None);
    }
}
