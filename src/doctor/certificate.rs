//! What a certificate says of itself: as much of X.509 (RFC 5280) as people are told. Nothing is
//! verified here; whoever trusts it has done that already, or has not.

use crate::world::Timestamp;

/// A certificate, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// The names it is for.
    pub names: Vec<String>,
    /// Who issued it.
    pub issuer: String,
    /// Whether that is the holder itself.
    pub self_signed: bool,
    /// From when on it is good.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OID: u8 = 0x06;
const OCTETS: u8 = 0x04;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const BMP_STRING: u8 = 0x1e;
/// The version and the extensions of a certificate, and a DNS name among its names.
const VERSION: u8 = 0xa0;
const EXTENSIONS: u8 = 0xa3;
const DNS_NAME: u8 = 0x82;

const COMMON_NAME: &[u8] = &[0x55, 4, 3];
const ORGANIZATION: &[u8] = &[0x55, 4, 10];
const ALTERNATIVE_NAMES: &[u8] = &[0x55, 0x1d, 17];

/// Bytes of DER, taken off from the front.
#[derive(Clone, Copy)]
struct Der<'a>(&'a [u8]);

impl<'a> Der<'a> {
    /// The next value with its tag.
    fn next(&mut self) -> Option<(u8, Der<'a>)> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, mut rest) = rest.split_first()?;
        let mut length = usize::from(first);
        if first & 0x80 != 0 {
            let digits = usize::from(first & 0x7f);
            if digits == 0 || digits > 4 {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(digits)?;
            length = bytes.iter().fold(0, |sum, b| sum << 8 | usize::from(*b));
            rest = after;
        }
        let (value, after) = rest.split_at_checked(length)?;
        self.0 = after;
        Some((tag, Der(value)))
    }

    /// The next value, which must have this tag.
    fn take(&mut self, tag: u8) -> Option<Der<'a>> {
        let (found, value) = self.next()?;
        (found == tag).then_some(value)
    }
}

impl Certificate {
    /// The certificate in these bytes (DER), as far as it is one.
    pub fn read(bytes: &[u8]) -> Option<Certificate> {
        let mut body = Der(bytes).take(SEQUENCE)?.take(SEQUENCE)?;
        let (tag, _) = body.next()?;
        if tag == VERSION {
            // Then the serial number is yet to come.
            body.next()?;
        }
        body.take(SEQUENCE)?; // the algorithm
        let issuer = body.take(SEQUENCE)?;
        let mut validity = body.take(SEQUENCE)?;
        let subject = body.take(SEQUENCE)?;
        body.take(SEQUENCE)?; // the key
        let mut names = Vec::new();
        while let Some((tag, value)) = body.next() {
            if tag == EXTENSIONS {
                names = alternative_names(value).unwrap_or_default();
            }
        }
        let self_signed = issuer.0 == subject.0;
        if names.is_empty() {
            names.extend(attribute(subject, COMMON_NAME));
        }
        let (organization, name) = (
            attribute(issuer, ORGANIZATION),
            attribute(issuer, COMMON_NAME),
        );
        let issuer = [organization, name].into_iter().flatten();
        Some(Certificate {
            names,
            issuer: issuer.collect::<Vec<_>>().join(", "),
            self_signed,
            from: time(&mut validity)?,
            until: time(&mut validity)?,
        })
    }
}

fn alternative_names(extensions: Der<'_>) -> Option<Vec<String>> {
    let mut extensions = { extensions }.take(SEQUENCE)?;
    while let Some(mut extension) = extensions.take(SEQUENCE) {
        if extension.take(OID)?.0 != ALTERNATIVE_NAMES {
            continue;
        }
        // Whether it is critical may stand before it.
        while let Some((tag, mut value)) = extension.next() {
            if tag != OCTETS {
                continue;
            }
            let mut list = value.take(SEQUENCE)?;
            let mut names = Vec::new();
            while let Some((tag, name)) = list.next() {
                if tag == DNS_NAME {
                    names.push(String::from_utf8_lossy(name.0).into_owned());
                }
            }
            return Some(names);
        }
    }
    None
}

/// The first value of this attribute in a distinguished name.
fn attribute(name: Der<'_>, wanted: &[u8]) -> Option<String> {
    let mut name = name;
    while let Some(mut set) = name.take(SET) {
        let mut pair = set.take(SEQUENCE)?;
        if pair.take(OID)?.0 != wanted {
            continue;
        }
        let (tag, text) = pair.next()?;
        return Some(match tag {
            BMP_STRING => {
                let units = text.0.chunks_exact(2);
                let units: Vec<u16> = units.map(|u| u16::from_be_bytes([u[0], u[1]])).collect();
                String::from_utf16_lossy(&units)
            }
            _ => String::from_utf8_lossy(text.0).into_owned(),
        });
    }
    None
}

/// RFC 5280, 4.1.2.5: two digits of the year mean 1950 to 2049.
fn time(der: &mut Der<'_>) -> Option<Timestamp> {
    let (tag, value) = der.next()?;
    let text = std::str::from_utf8(value.0).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<i8>().ok();
    let (month, day) = (part(0)?, part(2)?);
    let (hour, minute, second) = (part(4)?, part(6)?, part(8).unwrap_or(0));
    let at = jiff::civil::DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    let at = at.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Timestamp::from_millis(at.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_says_is_read_and_what_is_no_certificate_is_none() {
        let names = vec!["mail.example.com".to_owned(), "*.example.org".to_owned()];
        let made = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let der = made.cert.der();
        let read = Certificate::read(der).unwrap();
        assert_eq!(read.names, names);
        assert_eq!(read.issuer, "rcgen self signed cert");
        assert!(read.self_signed);
        assert_eq!(read.from.to_string(), "1975-01-01T00:00:00.000Z");
        assert_eq!(read.until.to_string(), "4096-01-01T00:00:00.000Z");
        for cut in 0..der.len().min(300) {
            // Whatever it is, it is not read beyond its end.
            let _ = Certificate::read(&der[..cut]);
        }
        assert_eq!(Certificate::read(b"hello"), None);
    }
}
