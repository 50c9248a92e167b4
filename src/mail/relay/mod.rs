//! The relay: delivers one letter at a time over SMTP to the server that was configured. When to
//! try again is the courier's business, what a reply means the rulebook's.
//!
//! The SMTP client is lettre's, over a stream of our own, since three things cannot be left to
//! it: a deadline for every stage, what becomes of a connection that was given up in
//! mid-sentence (it is dropped and never used again), and replies that it cannot read.

mod connection;
mod dial;
mod failure;
mod mask;
mod opening;
mod probe;
mod reply;
mod tls;
mod trust;
mod wire;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::mail::provider::Provider;
use crate::secret::SecretText;
use crate::world::World;

pub use connection::{Accepted, Connection};
pub use failure::Failure;
pub use probe::Probe;
pub use trust::SetupError;

use mask::Secrets;
use trust::Trust;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// Not at all. To loopback only, unless [`Settings::allow_plaintext`] says otherwise.
    None,
    /// Plain at first, TLS before anything of value is said (RFC 3207). Never silently skipped.
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Implicit,
}

/// How long each stage may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Finding the host and connecting to it.
    pub connect: Duration,
    /// The greeting and the answer to EHLO together; then STARTTLS and the handshake; then AUTH.
    pub greeting: Duration,
    /// The answer to MAIL, RCPT, DATA or RSET, each.
    pub envelope: Duration,
    /// Sending the message.
    pub content: Duration,
    /// The answer to its final dot.
    pub final_reply: Duration,
}

impl Deadlines {
    /// How long a delivery takes at most, from connecting to the last reply.
    pub fn total(&self) -> Duration {
        self.connect + self.greeting * 3 + self.envelope * 4 + self.content + self.final_reply
    }
}

/// Where mail is delivered to.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose server it is, where that is known: some rules of the rulebook are a provider's own.
    pub provider: Option<&'static Provider>,
    /// A name or an IP address.
    pub host: String,
    /// 465, 587, …
    pub port: u16,
    /// How the connection is protected.
    pub security: Security,
    /// Who logs in; nobody does when either this or the password is missing.
    pub user: Option<String>,
    /// The password, or what the provider gives out in its place.
    pub password: Option<SecretText>,
    /// Certificates (PEM) that are trusted beside the public ones.
    pub ca_file: Option<PathBuf>,
    /// What the client calls itself in EHLO.
    pub hello_name: String,
    /// Whether mail and password may cross a network unprotected.
    pub allow_plaintext: bool,
    /// How long each stage may take.
    pub deadlines: Deadlines,
}

/// See the [module](self). Cheap to clone.
#[derive(Clone)]
pub struct Relay {
    shared: Arc<Shared>,
}

pub(super) struct Shared {
    pub settings: Settings,
    pub tls: Arc<tokio_rustls::rustls::ClientConfig>,
    pub secrets: Secrets,
    pub world: World,
}

impl std::fmt::Debug for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Relay")
            .field("settings", &self.shared.settings)
            .finish()
    }
}

impl Relay {
    /// A relay that connects to nothing yet.
    ///
    /// # Errors
    /// The certificate file cannot be read or holds none.
    pub fn new(settings: Settings, world: World) -> Result<Relay, SetupError> {
        Ok(Relay {
            shared: Arc::new(Shared {
                tls: trust::config(Trust::of(settings.ca_file.as_deref())?),
                secrets: Secrets::of(&settings),
                settings,
                world,
            }),
        })
    }

    /// Connects, greets, encrypts and logs in.
    ///
    /// # Errors
    /// The stage that failed, and how.
    pub async fn connect(&self) -> Result<Connection, Failure> {
        Connection::open(&self.shared).await
    }

    /// What it was made with.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }
}
