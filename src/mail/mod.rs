//! Outgoing mail: from a template and its values to a frozen [`Letter`], which waits in the
//! [`outbox`], written in the user's own transaction. The road goes on through the [`courier`], who
//! claims it, and the [`relay`], who delivers it. Captured mail lives in `inbox`, not here.
//!
//! There is one road: in development the relay is the capture server on loopback.

pub mod attempt;
pub mod courier;
mod kind;
mod letter;
mod message;
pub mod outbox;
mod phrase;
mod plan;
pub mod provider;
pub mod relay;
pub mod route;
pub mod rulebook;
mod sender;
mod template;
pub mod trial;

use std::path::PathBuf;
use std::sync::Arc;

use crate::address::EmailAddress;
use crate::language::Language;
use crate::secret::Keys;
use crate::world::World;

pub use kind::{Kind, Lane, Occasion};
pub use letter::{ComposeError, Letter, OutboxId, Parcel};
pub use message::{Content, Draft, Message, MessageError};
pub use sender::{MalformedSender, Sender};
pub use template::TemplateError;

use letter::Order;
use template::{Templates, Values};

/// What the mails of this installation have in common.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who they come from.
    pub from: Sender,
    /// What the service calls itself in them.
    pub site_name: String,
    /// Where it is found, without a slash at the end: `https://example.com`.
    pub base_url: String,
    /// A folder whose files replace shipped templates.
    pub templates: Option<PathBuf>,
}

/// Composes letters. Cheap to clone.
#[derive(Clone)]
pub struct Mailer {
    shared: Arc<Shared>,
}

struct Shared {
    settings: Settings,
    templates: Templates,
    keys: Keys,
    world: World,
}

impl std::fmt::Debug for Mailer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mailer")
    }
}

impl Mailer {
    /// Compiles and tries all templates.
    ///
    /// # Errors
    /// The first template that is broken, with its file and line.
    pub fn new(settings: Settings, keys: Keys, world: World) -> Result<Mailer, TemplateError> {
        let templates = Templates::load(settings.templates.as_deref())?;
        Ok(Mailer {
            shared: Arc::new(Shared {
                settings,
                templates,
                keys,
                world,
            }),
        })
    }

    /// What the site calls itself.
    pub fn site_name(&self) -> &str {
        &self.shared.settings.site_name
    }

    /// The secrets in the sealed body of the mail called `id`: none where it does not open.
    pub fn secrets(&self, id: OutboxId, sealed: &[u8]) -> Vec<String> {
        let parcel = Parcel::open(&self.shared.keys, id, sealed);
        parcel.map(|parcel| parcel.hide).unwrap_or_default()
    }

    /// Renders the mail for `occasion`, freezes its bytes and seals them. No I/O.
    ///
    /// # Errors
    /// A replaced template fails with these very values.
    pub fn compose(
        &self,
        occasion: &Occasion<'_>,
        to: &EmailAddress,
        language: Language,
    ) -> Result<Letter, ComposeError> {
        let Shared {
            settings,
            templates,
            keys,
            world,
        } = &*self.shared;
        // Where the reader of a notice finds what it speaks of.
        let place = match occasion.kind() {
            Kind::PasswordChanged => "/users/password_reset/",
            Kind::AlreadyRegistered => "/users/login/",
            _ => "",
        };
        let place = format!("{}{place}", settings.base_url);
        let mut values = Values {
            site_name: &settings.site_name,
            language: language.tag(),
            address: to.as_str(),
            ..Values::default()
        };
        match *occasion {
            Occasion::RegistrationCode { code, lifetime }
            | Occasion::ResetCode { code, lifetime }
            | Occasion::AddressCode { code, lifetime } => {
                values.code = Some(code.expose());
                values.set_lifetime(lifetime, language);
            }
            Occasion::ResetLink { url, lifetime } => {
                values.url = Some(url);
                values.set_lifetime(lifetime, language);
            }
            Occasion::PasswordChanged { at }
            | Occasion::AddressChanged { at }
            | Occasion::AccountDeleted { at } => {
                values.url = Some(&place);
                values.at = Some(phrase::moment(at, language));
            }
            Occasion::AlreadyRegistered | Occasion::AddressInUse => {
                values.url = Some(&place);
            }
            Occasion::Test => values.at = Some(phrase::moment(world.now(), language)),
        }
        let rendered = templates.render(occasion.kind(), language, values)?;
        let order = Order {
            kind: occasion.kind(),
            from: &settings.from,
            to,
            language,
            lane: occasion.kind().lane(),
            not_before: None,
            worth_sending_for: occasion.worth_sending_for(),
            secret: occasion.secret(),
            template: None,
            ordered_by: None,
        };
        letter::freeze(world, keys, &order, rendered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{Code, CodeStyle};
    use crate::world::Simulated;

    fn mailer(seed: u64) -> Mailer {
        let settings = Settings {
            from: "小門房 <no-reply@example.com>".parse().unwrap(),
            site_name: "Exämple & Söhne".to_owned(),
            base_url: "https://example.com".to_owned(),
            templates: None,
        };
        let world = Simulated::new(seed).world();
        Mailer::new(settings, Keys::from_root(&[1; 32]), world).unwrap()
    }

    #[test]
    fn equal_worlds_give_equal_bytes() {
        let letter = |seed| {
            let mailer = mailer(seed);
            let code = Code::draw(&Simulated::new(1).world(), CodeStyle::Digits);
            let occasion = Occasion::RegistrationCode {
                code: &code,
                lifetime: std::time::Duration::from_secs(600),
            };
            let to = "小明@example.com".parse().unwrap();
            mailer.compose(&occasion, &to, Language::En).unwrap()
        };
        let (a, b, other) = (letter(1), letter(1), letter(2));
        assert_eq!((a.id, a.digest, &a.sealed), (b.id, b.digest, &b.sealed));
        assert_ne!(a.digest, other.digest);
        let parcel = Parcel::open(&Keys::from_root(&[1; 32]), a.id, &a.sealed).unwrap();
        assert!(parcel.needs_smtputf8());
        assert!(a.message_id.ends_with("@example.com>"));
    }

    proptest::proptest! {
        /// Otherwise an address would be an error of ours, uncounted by any limit.
        #[test]
        fn whatever_is_an_address_can_be_written_to(
            local in "([a-z.!'+=\\u{301}\\u{e9}\\u{5c0f}]{1,8}|\"[ -~]{1,8}\")",
            domain in "(example\\.com|\u{4f8b}\u{5b50}\\.test|localhost)",
        ) {
            if let Ok(to) = format!("{local}@{domain}").parse::<EmailAddress>() {
                let letter = mailer(1).compose(&Occasion::Test, &to, Language::En);
                proptest::prop_assert!(letter.is_ok(), "{to}: {letter:?}");
            }
        }
    }
}
