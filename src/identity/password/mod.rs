//! Passwords: which ones are accepted, and how they become something that can be stored. Whose
//! password it is, and what follows from a wrong one, is not known here.

mod argon;
mod blocklist;
mod django;
mod hasher;

use std::time::Duration;

use crate::address::EmailAddress;
use crate::secret::SecretText;

use super::form::Fields;

pub use hasher::Busy;
pub use hasher::Hasher;
pub use hasher::Verdict;

/// Rules for passwords and the price of their hash.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The least number of characters.
    pub min_chars: usize,
    /// The greatest number of characters.
    pub max_chars: usize,
    /// argon2id's memory in KiB.
    pub memory_kib: u32,
    /// argon2id's passes over that memory.
    pub passes: u32,
    /// argon2id's lanes.
    pub lanes: u32,
    /// How many hashes are computed at once, on as many threads of their own.
    pub threads: usize,
    /// How many may wait for a thread; more are turned away.
    pub queue: usize,
    /// How long one may wait for its hash.
    pub patience: Duration,
}

/// The settings ask for a hash that argon2 does not know (RFC 9106, section 3.1).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no argon2id hash has {memory_kib} KiB, {passes} passes and {lanes} lanes: {reason}")]
pub struct MalformedPrice {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    reason: String,
}

/// A password on its way to the hash, overwritten when it is dropped.
#[derive(Clone)]
pub struct Plain(Vec<u8>);

impl std::fmt::Debug for Plain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.0.fill(0);
        // Without this the compiler may see that nobody reads what was just written.
        std::hint::black_box(&self.0);
    }
}

/// Nothing longer is even looked at; an imported password may be longer than one made here.
const LONGEST_TYPED: usize = 4096;

/// A password as somebody typed it, to be compared with a stored one.
#[derive(Debug, Clone)]
pub struct Typed {
    /// In NFC, as our own hashes take it.
    normal: Plain,
    /// As it came, as Django's take it.
    raw: Plain,
}

/// The password in NFC, so that one typed on a Mac is the one typed on a telephone.
fn normalized(text: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc()
        .normalize(text)
        .into_owned()
}

impl Fields {
    /// A password to compare with a stored one: no rule but that there is one.
    pub(super) fn typed_password(
        &mut self,
        field: &'static str,
        text: &SecretText,
    ) -> Option<Typed> {
        let text = text.expose();
        if text.is_empty() {
            self.refuse(field, "required", "a password is required");
            return None;
        }
        if text.len() > LONGEST_TYPED {
            self.refuse(field, "too_long", "no password is as long as that");
            return None;
        }
        Some(Typed {
            normal: Plain(normalized(text).into_bytes()),
            raw: Plain(text.as_bytes().to_vec()),
        })
    }

    /// A password to be set: NIST SP 800-63B-4, section 3.1.1.2.
    pub(super) fn new_password(
        &mut self,
        field: &'static str,
        text: &SecretText,
        address: Option<&EmailAddress>,
        settings: &Settings,
    ) -> Option<Plain> {
        let text = text.expose();
        if text.is_empty() {
            self.refuse(field, "required", "a password is required");
            return None;
        }
        let longest = settings.max_chars;
        if text.len() > longest.saturating_mul(16) {
            self.refuse(field, "too_long", format!("at most {longest} characters"));
            return None;
        }
        let normal = Plain(normalized(text).into_bytes());
        let shown = std::str::from_utf8(&normal.0).unwrap_or_default();
        let chars = shown.chars().count();
        if chars < settings.min_chars {
            let message = format!("at least {} characters", settings.min_chars);
            self.refuse(field, "too_short", message);
        } else if chars > longest {
            self.refuse(field, "too_long", format!("at most {longest} characters"));
        } else if blocklist::is_common(shown) {
            self.refuse(
                field,
                "too_common",
                "it is among the first that are guessed",
            );
        } else if address.is_some_and(|address| blocklist::is_like(shown, address)) {
            self.refuse(
                field,
                "like_address",
                "it is the e-mail address, or part of it",
            );
        } else {
            return Some(normal);
        }
        None
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::identity::error::Error;

    /// Cheap enough for tests without optimisation.
    pub(in crate::identity) fn settings() -> Settings {
        Settings {
            min_chars: 8,
            max_chars: 256,
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            threads: 2,
            queue: 8,
            patience: Duration::from_secs(10),
        }
    }

    fn refused(text: &str) -> Option<&'static str> {
        let mut fields = Fields::default();
        let address = "ann.lee.1985@example.com".parse().unwrap();
        let text = SecretText::from(text.to_owned());
        let password = fields.new_password("password", &text, Some(&address), &settings());
        match fields.finish(password) {
            Ok(_) => None,
            Err(Error::Invalid(errors)) => Some(errors[0].code),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn length_is_counted_in_characters_of_the_normal_form() {
        assert_eq!(refused("café-été"), None);
        // Eight bytes, four characters.
        assert_eq!(refused("éééé"), Some("too_short"));
        // "e" and a combining accent are one character.
        assert_eq!(refused(&"e\u{301}".repeat(7)), Some("too_short"));
        assert_eq!(refused(&"正確馬電池訂書釘".repeat(32)), None);
        assert_eq!(refused(&"正確馬電池訂書釘".repeat(33)), Some("too_long"));
        assert_eq!(refused(&"x".repeat(10_000)), Some("too_long"));
        assert_eq!(refused(""), Some("required"));
    }

    #[test]
    fn what_is_guessed_first_is_refused_and_no_composition_is_asked_for() {
        assert_eq!(refused("Password123"), Some("too_common"));
        assert_eq!(refused("ANN.LEE.1985@example.com"), Some("like_address"));
        assert_eq!(refused("ann.lee.1985"), Some("like_address"));
        assert_eq!(refused("correct horse battery staple"), None);
        assert_eq!(refused("wvtkzmqh"), None);
    }
}
