//! What must never be shown: passwords on their way to the hash, tokens, codes and the keys that
//! protect the rest. Debug prints `***` for all of them, and none has a Display.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{aead, digest, hkdf, hmac};
use serde::{Deserialize, Serialize};

use crate::world::World;

macro_rules! hidden {
    ($name:ident) => {
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("***")
            }
        }
    };
}

/// A text that must not be shown: a password, a relay's password, an application's key.
#[derive(Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

hidden!(SecretText);

impl SecretText {
    /// The text itself. The name is there to be searched for in a review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> SecretText {
        SecretText(text)
    }
}

/// What a [`Token`] is for; it shows in its first letters, so that a leaked one is recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A person who is logged in.
    Session,
    /// Proof that a code was entered rightly.
    Verification,
    /// The link of a reset mail. It stands in a path of its own and has no prefix.
    ResetLink,
    /// The operator.
    Admin,
    /// One of the team's other programs.
    ApiKey,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            TokenKind::Session => "gps_",
            TokenKind::Verification => "gpv_",
            TokenKind::ResetLink => "",
            TokenKind::Admin => "gpa_",
            TokenKind::ApiKey => "gpk_",
        }
    }
}

/// 256 unguessable bits, given to somebody as proof. Only its [`TokenHash`] is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

hidden!(Token);

impl Token {
    /// A new one.
    pub fn draw(world: &World, kind: TokenKind) -> Token {
        let bits: [u8; 32] = world.bytes();
        Token(kind.prefix().to_owned() + &URL_SAFE_NO_PAD.encode(bits))
    }

    /// The text to hand out.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What to store and to look it up by.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

/// SHA-256 of a token's text. A fast hash is right here: 256 random bits cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenHash([u8; 32]);

hidden!(TokenHash);

impl TokenHash {
    /// The hash of a token as somebody presents it; of any text whatever.
    pub fn of(presented: &str) -> TokenHash {
        let hash = digest::digest(&digest::SHA256, presented.as_bytes());
        TokenHash(hash.as_ref().try_into().expect("SHA-256 has 32 bytes"))
    }

    /// Its bytes, as a key of the store.
    pub fn to_bytes(self) -> [u8; 32] {
        self.0
    }

    /// The hash of these bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> TokenHash {
        TokenHash(bytes)
    }

    /// A name by which its row can be told from others. Nobody gets from it to the hash, nor
    /// anywhere with it.
    pub fn name(&self) -> [u8; 16] {
        let named = [b"gatepost: the name of a token".as_slice(), &self.0].concat();
        let hash = digest::digest(&digest::SHA256, &named);
        hash.as_ref()[..16]
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }

    /// Whether both are the same, in a time that does not tell where they differ.
    pub fn matches(&self, other: &TokenHash) -> bool {
        self.0
            .iter()
            .zip(other.0)
            .fold(0, |differing, (a, b)| differing | (a ^ b))
            == 0
    }
}

/// A code that a person reads in a mail and types.
#[derive(Clone, PartialEq, Eq)]
pub struct Code(String);

hidden!(Code);

/// How a [`Code`] is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeStyle {
    /// Six digits.
    #[default]
    Digits,
    /// Eight of `BCDFGHJKLMNPQRSTVWXZ`: no vowel, so no word, and nothing that looks like a digit.
    Letters,
}

impl Code {
    const LETTERS: &'static [u8] = b"BCDFGHJKLMNPQRSTVWXZ";

    /// A new one.
    pub fn draw(world: &World, style: CodeStyle) -> Code {
        Code(match style {
            CodeStyle::Digits => format!("{:06}", world.below(1_000_000)),
            CodeStyle::Letters => (0..8)
                .map(|_| char::from(Code::LETTERS[world.below(20) as usize]))
                .collect(),
        })
    }

    /// A code as a person typed it: spaces and hyphens do not count, full-width digits and
    /// small letters are as good as any. `None` when it cannot be one.
    pub fn typed(text: &str) -> Option<Code> {
        if text.len() > 128 {
            return None;
        }
        let code: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}'..='\u{2015}'))
            .map(|c| match c {
                '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
                c => c,
            })
            .map(|c| c.to_ascii_uppercase())
            .collect();
        let digits = code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit());
        let letters = code.len() == 8 && code.bytes().all(|b| Code::LETTERS.contains(&b));
        (digits || letters).then_some(Code(code))
    }

    /// The text to put into the mail.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The keys of this installation, all derived from 32 bytes in a file beside the store: whoever
/// has the store alone can neither guess a code nor read a queued mail.
#[derive(Clone)]
pub struct Keys {
    codes: hmac::Key,
    orders: hmac::Key,
    bodies: hkdf::Prk,
}

hidden!(Keys);

/// The bytes were not sealed by these keys, or were changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, or changed since (was secret.key replaced?)")]
pub struct BrokenSeal;

const NONCE: usize = aead::NONCE_LEN;

impl Keys {
    /// The keys derived from `root`.
    pub fn from_root(root: &[u8; 32]) -> Keys {
        let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, b"gatepost").extract(root);
        let derive = |info: &[u8]| {
            let mut key = [0; 32];
            prk.expand(&[info], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(&mut key))
                .expect("32 bytes are within HKDF's reach");
            key
        };
        Keys {
            codes: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"codes")),
            orders: hmac::Key::new(hmac::HMAC_SHA256, &derive(b"orders")),
            bodies: hkdf::Salt::new(hkdf::HKDF_SHA256, b"bodies").extract(&derive(b"bodies")),
        }
    }

    /// The form in which a code is stored: HMAC-SHA-256 over it and what it is bound to. A slow
    /// hash would be a lever for denial of service; the key outside the store does the work.
    pub fn mac(&self, code: &Code, bound_to: &[&str]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.codes);
        for part in bound_to.iter().chain([&code.expose()]) {
            // Lengths in front keep ("ab", "c") apart from ("a", "bc").
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part.as_bytes());
        }
        context
            .sign()
            .as_ref()
            .try_into()
            .expect("SHA-256 has 32 bytes")
    }

    /// By what an order for a mail, or the settings of a route, are known again: HMAC-SHA-256, since what is ordered may hold
    /// little that cannot be guessed.
    pub fn fingerprint(&self, order: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&self.orders, order);
        tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
    }

    /// Encrypts `plain` (ChaCha20-Poly1305, RFC 8439) under a key of its own for `name`, which
    /// must be given again to open it.
    pub fn seal(&self, world: &World, name: &[u8], plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE] = world.bytes();
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + aead::MAX_TAG_LEN);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let tag = self
            .body_key(name)
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::empty(),
                &mut sealed[NONCE..],
            )
            .expect("a mail is shorter than the cipher's limit");
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// Opens what [`Keys::seal`] made for the same `name`.
    pub fn open(&self, name: &[u8], sealed: &[u8]) -> Result<Vec<u8>, BrokenSeal> {
        let (nonce, rest) = sealed.split_at_checked(NONCE).ok_or(BrokenSeal)?;
        let nonce = aead::Nonce::try_assume_unique_for_key(nonce).map_err(|_| BrokenSeal)?;
        let mut buffer = rest.to_vec();
        let plain = self
            .body_key(name)
            .open_in_place(nonce, aead::Aad::empty(), &mut buffer)
            .map_err(|_| BrokenSeal)?
            .len();
        buffer.truncate(plain);
        Ok(buffer)
    }

    fn body_key(&self, name: &[u8]) -> aead::LessSafeKey {
        let info = [name];
        let okm = self
            .bodies
            .expand(&info, &aead::CHACHA20_POLY1305)
            .expect("a cipher's key is within HKDF's reach");
        aead::LessSafeKey::new(okm.into())
    }
}

/// Whether two stored MACs are the same, in a time that does not tell where they differ.
pub fn same_mac(a: &[u8; 32], b: &[u8; 32]) -> bool {
    TokenHash(*a).matches(&TokenHash(*b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[test]
    fn nothing_secret_is_shown_by_debug() {
        let world = Simulated::new(1).world();
        let token = Token::draw(&world, TokenKind::Session);
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?}",
            token,
            token.hash(),
            Code::draw(&world, CodeStyle::Digits),
            SecretText::from("hunter2".to_owned()),
            Keys::from_root(&[1; 32]),
        );
        assert_eq!(shown, "*** *** *** *** ***");
    }

    #[test]
    fn a_token_has_256_bits_behind_its_prefix() {
        let token = Token::draw(&Simulated::new(1).world(), TokenKind::Session);
        let bits = token.expose().strip_prefix("gps_").unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(bits).unwrap().len(), 32);
        assert!(token.hash().matches(&TokenHash::of(token.expose())));
        assert!(!token.hash().matches(&TokenHash::of("gps_")));
    }

    #[test]
    fn a_code_is_read_as_people_type_it() {
        let typed = |text| Code::typed(text).map(|code| code.0);
        assert_eq!(typed(" 123 456\n").as_deref(), Some("123456"));
        assert_eq!(typed("１２３-４５６").as_deref(), Some("123456"));
        assert_eq!(typed("bcdf-ghjk").as_deref(), Some("BCDFGHJK"));
        for wrong in [
            "",
            "12345",
            "1234567",
            "12345a",
            "BCDFGHJA",
            "１２３４５",
            "🦀",
        ] {
            assert_eq!(typed(wrong), None, "{wrong}");
        }
        let world = Simulated::new(1).world();
        for style in [CodeStyle::Digits, CodeStyle::Letters] {
            let code = Code::draw(&world, style);
            assert_eq!(Code::typed(code.expose()), Some(code));
        }
    }

    #[test]
    fn a_mac_is_bound_to_its_key_code_and_context() {
        let keys = Keys::from_root(&[1; 32]);
        let code = Code::typed("123456").unwrap();
        let mac = keys.mac(&code, &["register", "ann@example.com"]);
        assert!(same_mac(
            &mac,
            &keys.mac(&code, &["register", "ann@example.com"])
        ));
        assert!(!same_mac(
            &mac,
            &keys.mac(&code, &["reset", "ann@example.com"])
        ));
        assert!(!same_mac(
            &mac,
            &keys.mac(&code, &["registera", "nn@example.com"])
        ));
        assert!(!same_mac(
            &mac,
            &Keys::from_root(&[2; 32]).mac(&code, &["register", "ann@example.com"])
        ));
    }

    #[test]
    fn a_sealed_body_opens_under_its_own_name_and_key_alone() {
        let world = Simulated::new(1).world();
        let keys = Keys::from_root(&[1; 32]);
        let sealed = keys.seal(&world, b"ob_1", b"Subject: 123456");
        assert_eq!(keys.open(b"ob_1", &sealed).unwrap(), b"Subject: 123456");
        assert!(!sealed.windows(6).any(|w| w == b"123456"));
        assert_eq!(keys.open(b"ob_2", &sealed), Err(BrokenSeal));
        assert_eq!(
            Keys::from_root(&[2; 32]).open(b"ob_1", &sealed),
            Err(BrokenSeal)
        );
        assert_eq!(keys.open(b"ob_1", &sealed[..20]), Err(BrokenSeal));
        assert_eq!(keys.open(b"ob_1", b""), Err(BrokenSeal));
    }
}
