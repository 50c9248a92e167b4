//! The SMTP conversation without I/O: bytes in, replies and steps out, the time as an argument.

use std::sync::Arc;

use crate::secret::SecretText;

/// What a session allows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The name the server greets with.
    pub hostname: String,
    /// The largest mail, in octets.
    pub message_limit: usize,
    /// The longest command line, in octets, its end included.
    pub line_limit: usize,
    /// The most recipients of one mail.
    pub recipients: usize,
    /// Refuse what the standard does not allow, instead of taking it with a warning.
    pub strict: bool,
    /// Who may log in. `None`: any credentials pass, and none are needed. Otherwise a mail is
    /// taken only after a login.
    pub users: Option<Arc<[User]>>,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
}

/// Somebody who may log in.
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: SecretText,
}
