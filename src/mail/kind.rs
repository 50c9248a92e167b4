//! What a mail is for: its kind, the values it needs and how urgent it is. Which words it uses
//! is the templates' business, when it is tried again the plan's.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::secret::Code;
use crate::world::Timestamp;

/// The kinds of mail that gatepost sends. The words are stable: they are stored and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A code to prove an address before an account is made for it.
    RegistrationCode,
    /// A code to choose a new password.
    ResetCode,
    /// A link to choose a new password.
    ResetLink,
    /// The notice that a password was changed.
    PasswordChanged,
    /// The answer to a registration under an address that has an account.
    AlreadyRegistered,
    /// A code to prove the address that an account is to have from now on.
    AddressCode,
    /// The answer to such a change where another account has the address.
    AddressInUse,
    /// The notice, to the old one, that the address of an account was changed.
    AddressChanged,
    /// The notice that an account was deleted.
    AccountDeleted,
    /// What `send-test-mail` sends.
    Test,
    /// A mail that one of the team's other programs asked for.
    Message,
}

/// Who is served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Somebody sits before the screen and waits for this mail. For codes, links and what stands
    /// in for them, and nothing else: what is kept for them in a budget, and the fallback, are
    /// theirs alone.
    Prompt = 0,
    /// Nobody waits.
    Ordinary = 1,
    /// Whoever ordered it wants it to go before the ordinary ones; otherwise it is one of them.
    // The numbers are stored: it came last.
    High = 2,
}

impl Lane {
    /// All of them, the first to be served first.
    pub const ALL: [Lane; 3] = [Lane::Prompt, Lane::High, Lane::Ordinary];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Lane::Prompt => "prompt",
            Lane::High => "high",
            Lane::Ordinary => "ordinary",
        }
    }
}

impl Kind {
    /// All of them.
    pub const ALL: [Kind; 11] = [
        Kind::RegistrationCode,
        Kind::ResetCode,
        Kind::ResetLink,
        Kind::PasswordChanged,
        Kind::AlreadyRegistered,
        Kind::AddressCode,
        Kind::AddressInUse,
        Kind::AddressChanged,
        Kind::AccountDeleted,
        Kind::Test,
        Kind::Message,
    ];

    /// Those with a built-in template: all but [`Kind::Message`].
    pub const TEMPLATED: [Kind; 10] = [
        Kind::RegistrationCode,
        Kind::ResetCode,
        Kind::ResetLink,
        Kind::PasswordChanged,
        Kind::AlreadyRegistered,
        Kind::AddressCode,
        Kind::AddressInUse,
        Kind::AddressChanged,
        Kind::AccountDeleted,
        Kind::Test,
    ];

    /// Its stable word, which is also the name of its templates.
    pub const fn word(self) -> &'static str {
        match self {
            Kind::RegistrationCode => "registration_code",
            Kind::ResetCode => "reset_code",
            Kind::ResetLink => "reset_link",
            Kind::PasswordChanged => "password_changed",
            Kind::AlreadyRegistered => "already_registered",
            Kind::AddressCode => "address_code",
            Kind::AddressInUse => "address_in_use",
            Kind::AddressChanged => "address_changed",
            Kind::AccountDeleted => "account_deleted",
            Kind::Test => "test",
            Kind::Message => "message",
        }
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }

    /// The lane of mails for which none was asked. Codes, links and what stands in for them go
    /// first: all of them answer a request for a code, and a difference here would tell whether
    /// an address has an account.
    pub const fn lane(self) -> Lane {
        match self {
            Kind::PasswordChanged | Kind::AddressChanged | Kind::AccountDeleted | Kind::Message => {
                Lane::Ordinary
            }
            Kind::RegistrationCode
            | Kind::ResetCode
            | Kind::ResetLink
            | Kind::AlreadyRegistered
            | Kind::AddressCode
            | Kind::AddressInUse
            | Kind::Test => Lane::Prompt,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())
    }
}

/// Why a mail is written, with the values that its templates need.
#[derive(Debug, Clone, Copy)]
pub enum Occasion<'a> {
    /// See [`Kind::RegistrationCode`].
    RegistrationCode {
        /// The code.
        code: &'a Code,
        /// How long it is good for, from now.
        lifetime: Duration,
    },
    /// See [`Kind::ResetCode`].
    ResetCode {
        /// The code.
        code: &'a Code,
        /// How long it is good for, from now.
        lifetime: Duration,
    },
    /// See [`Kind::ResetLink`].
    ResetLink {
        /// The whole link.
        url: &'a str,
        /// How long it is good for, from now.
        lifetime: Duration,
    },
    /// See [`Kind::PasswordChanged`].
    PasswordChanged {
        /// When.
        at: Timestamp,
    },
    /// See [`Kind::AlreadyRegistered`].
    AlreadyRegistered,
    /// See [`Kind::AddressCode`].
    AddressCode {
        /// The code.
        code: &'a Code,
        /// How long it is good for, from now.
        lifetime: Duration,
    },
    /// See [`Kind::AddressInUse`].
    AddressInUse,
    /// See [`Kind::AddressChanged`].
    AddressChanged {
        /// When.
        at: Timestamp,
    },
    /// See [`Kind::AccountDeleted`].
    AccountDeleted {
        /// When.
        at: Timestamp,
    },
    /// See [`Kind::Test`].
    Test,
}

/// A mail without a lifetime of its own is given up after a day: whoever reads of a changed
/// password later than that has better sources.
const DAY: Duration = Duration::from_secs(24 * 3600);
const HOUR: Duration = Duration::from_secs(3600);

impl Occasion<'_> {
    /// Its kind.
    pub const fn kind(&self) -> Kind {
        match self {
            Occasion::RegistrationCode { .. } => Kind::RegistrationCode,
            Occasion::ResetCode { .. } => Kind::ResetCode,
            Occasion::ResetLink { .. } => Kind::ResetLink,
            Occasion::PasswordChanged { .. } => Kind::PasswordChanged,
            Occasion::AlreadyRegistered => Kind::AlreadyRegistered,
            Occasion::AddressCode { .. } => Kind::AddressCode,
            Occasion::AddressInUse => Kind::AddressInUse,
            Occasion::AddressChanged { .. } => Kind::AddressChanged,
            Occasion::AccountDeleted { .. } => Kind::AccountDeleted,
            Occasion::Test => Kind::Test,
        }
    }

    /// For how long from now it makes sense to send it.
    pub fn worth_sending_for(&self) -> Duration {
        match *self {
            Occasion::RegistrationCode { lifetime, .. }
            | Occasion::ResetCode { lifetime, .. }
            | Occasion::AddressCode { lifetime, .. }
            | Occasion::ResetLink { lifetime, .. } => lifetime,
            Occasion::PasswordChanged { .. }
            | Occasion::AddressChanged { .. }
            | Occasion::AccountDeleted { .. } => DAY,
            Occasion::AlreadyRegistered | Occasion::AddressInUse | Occasion::Test => HOUR,
        }
    }

    /// What in it must be shown to nobody but the recipient.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Occasion::RegistrationCode { code, .. }
            | Occasion::ResetCode { code, .. }
            | Occasion::AddressCode { code, .. } => Some(code.expose()),
            Occasion::ResetLink { url, .. } => Some(url),
            _ => None,
        }
    }
}
