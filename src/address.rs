//! E-mail addresses: parsed once, at the edge. Past it a malformed one cannot be written down.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::text::hides;

/// An address that a mail can be sent to, in the form in which it is stored and mailed: trimmed,
/// its domain in lower-case ASCII (IDNA), its local part as the person wrote it.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct EmailAddress {
    text: String,
    at: usize,
}

/// Why a text is not an [`EmailAddress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MalformedAddress {
    /// Nothing was given.
    #[error("an e-mail address is required")]
    Empty,
    /// No `@`, or nothing before or after it.
    #[error("an e-mail address has the form name@example.com")]
    Form,
    /// Longer than 254 octets, or the part before the `@` longer than 64 (RFC 5321, 4.5.3.1).
    #[error("an e-mail address has at most 254 characters, 64 of them before the @")]
    TooLong,
    /// The part before the `@` is neither a dot-atom nor a quoted string (RFC 5321, 4.1.2).
    #[error("the part before the @ holds a character that is not allowed there")]
    Local,
    /// The part after the `@` is not a host name.
    #[error("the part after the @ is not a domain name")]
    Domain,
}

impl EmailAddress {
    /// The whole address, as it is stored and mailed.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.text[..self.at]
    }

    /// The part after the `@`: lower-case ASCII.
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// What two spellings of one mailbox have in common: NFKC and case folding over the local
    /// part, so that neither a capital nor a look-alike form makes a second account of it
    /// (CVE-2019-19844). For finding an account, never for mailing to.
    pub fn lookup(&self) -> LookupAddress {
        let nfkc = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc();
        let folded = icu_casemap::CaseMapper::new()
            .fold_string(&nfkc.normalize(self.local()))
            .into_owned();
        // Folding may denormalise: once more, so that the key is one.
        LookupAddress(format!("{}@{}", nfkc.normalize(&folded), self.domain()))
    }
}

impl FromStr for EmailAddress {
    type Err = MalformedAddress;

    fn from_str(text: &str) -> Result<EmailAddress, MalformedAddress> {
        let address = EmailAddress::read(text)?;
        if address.local().chars().any(hides) {
            return Err(MalformedAddress::Local);
        }
        Ok(address)
    }
}

impl EmailAddress {
    /// Reads it as all builds ever did, since what is in a store must stay readable. What is
    /// typed now is held to more: see [`EmailAddress::from_str`].
    fn read(text: &str) -> Result<EmailAddress, MalformedAddress> {
        let text = text.trim();
        if text.is_empty() {
            return Err(MalformedAddress::Empty);
        }
        // Checked before any work is done on it; the limit on octets follows below.
        if text.len() > 1024 {
            return Err(MalformedAddress::TooLong);
        }
        let (local, domain) = text.rsplit_once('@').ok_or(MalformedAddress::Form)?;
        if local.is_empty() || domain.is_empty() {
            return Err(MalformedAddress::Form);
        }
        if !is_dot_atom(local) && !is_quoted_string(local) {
            return Err(MalformedAddress::Local);
        }
        let domain = parse_domain(domain)?;
        if local.len() > 64 || local.len() + 1 + domain.len() > 254 {
            return Err(MalformedAddress::TooLong);
        }
        Ok(EmailAddress {
            at: local.len(),
            text: format!("{local}@{domain}"),
        })
    }
}

/// Letters, digits and the symbols of RFC 5322's `atext`, in runs joined by single dots; beyond
/// ASCII letters and digits of every script (RFC 6531), but nothing that hides or reorders text.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom.chars().all(|c| {
                c.is_ascii_alphanumeric()
                    || "!#$%&'*+-/=?^_`{|}~".contains(c)
                    || (!c.is_ascii() && is_word(c))
            })
    })
}

fn is_word(c: char) -> bool {
    // Combining marks are not alphanumeric, yet many scripts cannot be written without them.
    c.is_alphanumeric() || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{dff}')
}

fn is_quoted_string(local: &str) -> bool {
    let Some(inner) = local
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return false;
    };
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return false,
            '\\' if !chars.next().is_some_and(|c| (' '..='~').contains(&c)) => return false,
            ' '..='~' => {}
            c if is_word(c) => {}
            _ => return false,
        }
    }
    local.len() > 2
}

fn parse_domain(domain: &str) -> Result<String, MalformedAddress> {
    let ascii = idna::domain_to_ascii_cow(domain.as_bytes(), idna::AsciiDenyList::STD3)
        .map_err(|_| MalformedAddress::Domain)?;
    let labels_fit = ascii.split('.').all(|label| {
        (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-')
    });
    // A last label of digits would make it an IP address, which is no mail domain.
    let named = ascii
        .rsplit('.')
        .next()
        .is_some_and(|last| !last.bytes().all(|b| b.is_ascii_digit()));
    if labels_fit && named && ascii.len() <= 253 {
        Ok(ascii.into_owned())
    } else {
        Err(MalformedAddress::Domain)
    }
}

impl TryFrom<String> for EmailAddress {
    type Error = MalformedAddress;

    fn try_from(text: String) -> Result<EmailAddress, MalformedAddress> {
        EmailAddress::read(&text)
    }
}

impl From<EmailAddress> for String {
    fn from(address: EmailAddress) -> String {
        address.text
    }
}

impl fmt::Display for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for EmailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The form of an address under which an account is found. See [`EmailAddress::lookup`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LookupAddress(String);

impl LookupAddress {
    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A lookup address as it was read back from a key of the store.
    pub(crate) fn from_stored(text: String) -> LookupAddress {
        LookupAddress(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, MalformedAddress> {
        text.parse().map(|a: EmailAddress| a.to_string())
    }

    #[test]
    fn what_people_write_is_accepted_and_tidied() {
        for (text, stored) in [
            ("  Ann.Lee+x@Example.COM ", "Ann.Lee+x@example.com"),
            ("小明@例子.test", "小明@xn--fsqu00a.test"),
            ("\"a b\"@example.org", "\"a b\"@example.org"),
            ("root@localhost", "root@localhost"),
            ("o'hara@example.com", "o'hara@example.com"),
        ] {
            assert_eq!(parse(text).as_deref(), Ok(stored), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        use MalformedAddress::{Domain, Empty, Form, Local, TooLong};
        let long = format!("{}@example.com", "a".repeat(65));
        let longer = format!("a@{}.test", "b.".repeat(130));
        for (text, reason) in [
            (" ", Empty),
            ("ann", Form),
            ("@example.com", Form),
            ("ann@", Form),
            ("a b@example.com", Local),
            (".a@example.com", Local),
            ("a..b@example.com", Local),
            ("a@b@example.com", Local),
            ("a\r\nRCPT TO:<x@example.org>@example.com", Local),
            ("a<b>@example.com", Local),
            ("\"a\"b\"@example.com", Local),
            ("a\u{202e}b@example.com", Local),
            ("a\u{200b}b@example.com", Local),
            ("a\u{3164}@example.com", Local),
            ("\u{115f}@example.com", Local),
            ("a\u{1160}\u{ffa0}b@example.com", Local),
            ("a\u{34f}b@example.com", Local),
            ("\"a\u{3164}\"@example.com", Local),
            ("a@exa mple.com", Domain),
            ("a@-example.com", Domain),
            ("a@example..com", Domain),
            ("a@127.0.0.1", Domain),
            ("a@[127.0.0.1]", Domain),
            ("a@example_x.com", Domain),
            (long.as_str(), TooLong),
            (longer.as_str(), Domain),
        ] {
            assert_eq!(parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn spellings_of_one_mailbox_meet_and_different_ones_do_not() {
        let lookup = |text: &str| text.parse::<EmailAddress>().unwrap().lookup();
        assert_eq!(lookup("ANN@example.com"), lookup("ann@EXAMPLE.com"));
        assert_eq!(lookup("ｍｉｋｅ@example.com"), lookup("mike@example.com"));
        assert_eq!(lookup("straße@example.com"), lookup("STRASSE@example.com"));
        assert_ne!(lookup("ann@example.com"), lookup("ann@example.org"));
        assert_ne!(lookup("a.nn@example.com"), lookup("ann@example.com"));
    }

    proptest::proptest! {
        #[test]
        fn the_short_way_in_leads_where_the_long_one_does(
            text in "[a-zA-Z.+\\- é\"]{0,6}@?[a-zA-Z0-9.\\-_é]{0,12}(xn--fsqu00a)?(\\.test|\\.1|)"
        ) {
            let short = EmailAddress::try_from(text.clone());
            proptest::prop_assert_eq!(short, text.parse());
        }
    }

    #[test]
    fn the_stored_form_parses_to_itself() {
        let address: EmailAddress = "小明@例子.test".parse().unwrap();
        assert_eq!(address.as_str().parse(), Ok(address.clone()));
        // Also one that is no longer accepted.
        assert!(EmailAddress::try_from("a\u{3164}@example.com".to_owned()).is_ok());
    }
}
