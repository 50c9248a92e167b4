//! Accounts: who people are and how they prove it. Everything that must hold about them is
//! decided here, on raw forms as they came in; how it is asked for and answered (HTTP, status
//! codes, pages) is not known.
//!
//! - [`Accounts`] is the door; each of its operations stands in the file of its noun.
//! - One operation is one transaction: the change, the mail that tells of it, the counters that
//!   limit it and the audit entry stand or fall together. Letters are composed and passwords are
//!   hashed before it begins.
//! - A known and an unknown address cost the same work: the same reads, a letter composed, the
//!   same rows written (the letter for nobody is shelved), the same hash computed.
//! - Time that went backwards neither keeps anything alive for much longer than its term nor
//!   locks anybody out for longer than the rule says: see [`lives`].

mod code;
mod email;
mod erase;
mod error;
mod flow;
mod form;
mod gate;
pub mod limits;
mod login;
pub mod overview;
mod own_sessions;
pub mod password;
mod recover;
mod register;
mod renew;
mod request;
pub mod session;
mod sweep;
mod user;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::language::Language;
use crate::mail::Mailer;
use crate::secret::CodeStyle;
use crate::secret::Keys;
use crate::store::Store;
use crate::world::Timestamp;
use crate::world::World;

pub use code::Verified;
pub use error::Error;
pub use error::FieldError;
pub use flow::FlowId;
pub use form::ChangeEmail;
pub use form::ChangePassword;
pub use form::ConfirmEmail;
pub use form::ConfirmReset;
pub use form::DeleteAccount;
pub use form::Login;
pub use form::Profile;
pub use form::Purpose;
pub use form::Register;
pub use form::RequestReset;
pub use form::SendCode;
pub use form::VerifyCode;
pub use limits::Limited;
pub use limits::Policy;
pub use login::Lockout;
pub use renew::Renewal;
pub use request::Sent;
pub use session::Authenticated;
pub use session::NewSession;
pub use session::Session;
pub use session::SessionId;
pub use user::User;
pub use user::UserId;

/// Everything about accounts that an operator can choose.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the service is found, without a slash at the end: `https://example.com`. Links in
    /// mails are built from it and never from what a request claims.
    pub base_url: String,
    /// The language of mails to people who chose none.
    pub language: Language,
    /// Codes and links by mail.
    pub codes: Codes,
    /// Passwords and their hashes.
    pub passwords: password::Settings,
    /// How long sessions last.
    pub sessions: session::Settings,
    /// What wrong passwords do to an account.
    pub lockout: Lockout,
    /// How often things may be done.
    pub limits: Limits,
    /// How long the audit record is kept; `None`: for ever.
    pub audit_kept: Option<Duration>,
}

/// Terms of codes, tokens and links.
#[derive(Debug, Clone)]
pub struct Codes {
    /// How long a code is good.
    pub lifetime: Duration,
    /// How many wrong tries all codes of one flow share.
    pub attempts: u32,
    /// How long until another mail of the same kind may be asked for; zero: at once.
    pub resend: Duration,
    /// How codes are written when the form does not say.
    pub style: CodeStyle,
    /// How long the token is good that a right code is exchanged for.
    pub token_lifetime: Duration,
    /// How long a reset link is good.
    pub link_lifetime: Duration,
}

/// How often something may be done.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// Codes and links to one address.
    pub code_per_address: Policy,
    /// Codes and links asked for by one client.
    pub code_per_ip: Policy,
    /// Accounts made by one client.
    pub registration_per_ip: Policy,
    /// Wrong codes from one client.
    pub wrong_code_per_ip: Policy,
    /// Wrong passwords from one client.
    pub wrong_login_per_ip: Policy,
    /// Changes of one account's password by knowing the old one, each of which is told of by mail.
    pub password_change_per_user: Policy,
    /// Mails that one of the team's other programs orders with its API key.
    pub mail_per_key: Policy,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// Their address, with trusted proxies already seen through.
    pub ip: IpAddr,
    /// What their program calls itself, if it does.
    pub user_agent: Option<String>,
}

/// The accounts of this installation. Cheap to clone.
#[derive(Clone)]
pub struct Accounts {
    shared: Arc<Shared>,
}

/// What all clones share; reached through [`Accounts`] itself.
pub struct Shared {
    settings: Settings,
    store: Store,
    mailer: Mailer,
    keys: Keys,
    world: World,
    hasher: password::Hasher,
    gate: gate::Gate,
    touching: AtomicUsize,
}

impl std::ops::Deref for Accounts {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.shared
    }
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts")
    }
}

impl Accounts {
    /// The accounts in `store`. Starts the threads that hash passwords; they end when the last
    /// clone is dropped.
    ///
    /// # Errors
    /// The price of a hash is outside of what argon2 knows.
    pub fn new(
        settings: Settings,
        store: Store,
        mailer: Mailer,
        keys: Keys,
        world: World,
    ) -> Result<Accounts, password::MalformedPrice> {
        let hasher = password::Hasher::start(&settings.passwords, world.clone())?;
        Ok(Accounts {
            shared: Arc::new(Shared {
                settings,
                store,
                mailer,
                keys,
                world,
                hasher,
                gate: gate::Gate::default(),
                touching: AtomicUsize::new(0),
            }),
        })
    }

    /// How many passwords were hashed or compared since the start.
    pub fn hashes_begun(&self) -> u64 {
        self.hasher.begun()
    }

    /// How many passwords wait for their turn to be hashed or compared.
    pub fn hashes_waiting(&self) -> usize {
        self.hasher.waiting()
    }

    /// The settings that are in force.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// Whether what began at `from` and lasts `lifetime` is still good. What lies further in the
/// future than it lasts was made before the clock was set back; without that it would outlive its
/// term by as much as the clock jumped.
fn lives(from: Timestamp, lifetime: Duration, now: Timestamp) -> bool {
    now < from + lifetime && from <= now + lifetime
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_ends_and_a_clock_set_back_does_not_make_it_endless() {
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let term = Duration::from_secs(600);
        assert!(lives(at(1000), term, at(1000)));
        assert!(lives(at(1000), term, at(1599)));
        assert!(!lives(at(1000), term, at(1600)));
        assert!(lives(at(1000), term, at(990)));
        assert!(!lives(at(1000), term, at(399)));
    }
}
