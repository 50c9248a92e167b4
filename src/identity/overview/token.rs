//! What a token is called and what is told of it.
//!
//! Its name says where its row is and gives no access: a code's is its flow's key (kind and
//! address), when it was issued, and which of those of that moment; a link's and a verification
//! token's is a digest of the stored hash, from which nobody gets back to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::identity::user::UserId;
use crate::mail::OutboxId;
use crate::store::Key;
use crate::store::page::place;
use crate::world::Timestamp;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$of])* $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: [$name; [$($word),*].len()] = [$($name::$variant),*];

            /// Its stable word.
            pub const fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            /// The one of this word.
            pub fn from_word(word: &str) -> Option<$name> {
                $name::ALL.into_iter().find(|one| one.word() == word)
            }
        }
    };
}

words! {
    /// What a token is.
    TokenKind {
        /// A code to prove an address before an account is made for it.
        RegistrationCode = "registration_code",
        /// A code to choose a new password.
        ResetCode = "reset_code",
        /// A code to prove a new address.
        AddressCode = "address_code",
        /// A link to choose a new password.
        ResetLink = "reset_link",
        /// What a registration code was exchanged for.
        RegistrationToken = "registration_token",
        /// What a reset code was exchanged for.
        ResetToken = "reset_token",
    }
}

words! {
    /// How a token stands.
    TokenState {
        /// It is good.
        Live = "live",
        /// Its time is over.
        Lapsed = "lapsed",
        /// No try is left.
        Spent = "spent",
        /// A login or a new password came after it, or the account it was to make is there.
        Overtaken = "overtaken",
    }
}

/// The name of a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenName {
    /// Of a code.
    Code {
        /// The number of the kind of its flow.
        wanted: u8,
        /// The address of its flow.
        address: LookupAddress,
        /// When it was issued.
        at: Timestamp,
        /// Which of those that were issued then.
        nth: u8,
    },
    /// Of a link or a verification token.
    Hashed {
        /// Which of the two.
        link: bool,
        /// See [`TokenHash::name`](crate::secret::TokenHash::name).
        digest: [u8; 16],
    },
}

/// In front of every name.
const PREFIX: &str = "tk_";
/// The first bytes of names that are no code's.
const LINK: u8 = 3;
const PROOF: u8 = 4;

impl std::fmt::Display for TokenName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = match self {
            TokenName::Code {
                wanted,
                address,
                at,
                nth,
            } => place(&(*wanted, address.clone(), *at, *nth)),
            TokenName::Hashed { link, digest } => {
                place(&(if *link { LINK } else { PROOF }, *digest))
            }
        };
        write!(f, "{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl TokenName {
    /// Reads one; `None` when it is none.
    pub fn read(text: &str) -> Option<TokenName> {
        let bytes = URL_SAFE_NO_PAD.decode(text.strip_prefix(PREFIX)?).ok()?;
        let mut rest = bytes.as_slice();
        let name = match u8::decode(&mut rest).ok()? {
            kind @ (LINK | PROOF) => TokenName::Hashed {
                link: kind == LINK,
                digest: Key::decode(&mut rest).ok()?,
            },
            wanted @ (1 | 2 | 5) => {
                let (address, at, nth) = Key::decode(&mut rest).ok()?;
                TokenName::Code {
                    wanted,
                    address,
                    at,
                    nth,
                }
            }
            _ => return None,
        };
        rest.is_empty().then_some(name)
    }
}

/// A code, a link or a verification token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its name.
    pub name: TokenName,
    /// What it is.
    pub kind: TokenKind,
    /// Whose mailbox it was sent to, or would have been.
    pub email: String,
    /// Whose account, where there is one.
    pub user: Option<UserId>,
    /// How it stands.
    pub state: TokenState,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it lapses.
    pub expires_at: Timestamp,
    /// How many wrong tries are left, where tries are counted.
    pub attempts_left: Option<u32>,
    /// The mail that carries it, where that is known.
    pub mail: Option<OutboxId>,
}

impl TokenRecord {
    /// What the audit record says of it.
    pub(super) fn detail(&self) -> String {
        format!("{} {}", self.kind.word(), self.name)
    }

    /// The address by which it is found.
    pub(super) fn lookup(&self) -> Option<LookupAddress> {
        self.email
            .parse()
            .ok()
            .map(|email: EmailAddress| email.lookup())
    }
}

/// Which tokens to list.
#[derive(Debug, Clone, Default)]
pub struct TokenFilter {
    /// Only those of this kind.
    pub kind: Option<TokenKind>,
    /// Only those that stand so.
    pub state: Option<TokenState>,
    /// Only those of this address.
    pub email: Option<EmailAddress>,
    /// Only those with this in what a list shows, in any case.
    pub q: Option<String>,
}

/// By what tokens are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenSort {
    /// When they were made.
    CreatedAt,
    /// When they lapse.
    ExpiresAt,
    /// Whose they are.
    Email,
    /// What they are.
    Kind,
}

impl TokenSort {
    pub(super) fn place(self, token: &TokenRecord) -> Vec<u8> {
        let name = token.name.to_string();
        match self {
            TokenSort::CreatedAt => place(&(token.created_at, name)),
            TokenSort::ExpiresAt => place(&(token.expires_at, name)),
            TokenSort::Email => place(&(token.email.to_lowercase(), name)),
            TokenSort::Kind => place(&(token.kind.word().to_owned(), name)),
        }
    }
}
