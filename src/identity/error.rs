//! Why an account operation was refused, in the domain's words. HTTP has no place here.

use std::time::Duration;

use crate::mail;
use crate::store;

use super::limits::Limited;
use super::password::Busy;

/// One field of a form that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's name, as the form spells it.
    pub field: &'static str,
    /// A stable word for programs: `required`, `malformed`, `too_short`, `too_long`, `too_common`,
    /// `like_address`, `unknown`, `same`.
    pub code: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

/// Why an account operation did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Fields of the form cannot be accepted; all of them are named.
    #[error("some fields of the form cannot be accepted")]
    Invalid(Vec<FieldError>),
    /// The code is wrong, lapsed, used or somebody else's.
    #[error("the code is wrong or no longer good")]
    CodeRefused {
        /// How many tries are left before a new code must be asked for.
        attempts_left: u32,
    },
    /// The verification token is wrong, lapsed, used or for something else.
    #[error("the verification token is wrong or no longer good")]
    TokenRefused,
    /// The reset link is wrong, lapsed, used or overtaken by a login.
    #[error("the link is wrong or no longer good")]
    LinkRefused,
    /// An account with this address exists. Only said to who proved that the mailbox is theirs.
    #[error("an account with this address exists already")]
    AddressTaken,
    /// No account has this address and this password.
    #[error("the address or the password is wrong")]
    CredentialsRefused,
    /// No live session belongs to the token.
    #[error("not logged in, or the session has ended")]
    Unauthenticated,
    /// There is no such thing of yours.
    #[error("there is no such thing")]
    NotFound,
    /// Too often, too fast.
    #[error("{0}")]
    Limited(#[from] Limited),
    /// All hashing slots are taken, with as much waiting as may wait.
    #[error("too busy now, try again in {} s", .retry_after.as_secs())]
    Busy {
        /// When a new attempt is worth it.
        retry_after: Duration,
    },
    /// The mail could not be composed: the operator's template fails on this value.
    #[error("the mail could not be composed: {0}")]
    Mail(#[from] mail::ComposeError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// A task of our own died. The log has more.
    #[error("the operation was broken off")]
    BrokenOff,
}

impl From<Busy> for Error {
    fn from(busy: Busy) -> Error {
        Error::Busy {
            retry_after: busy.retry_after,
        }
    }
}
