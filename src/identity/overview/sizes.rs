//! How much there is of everything.

use crate::identity::code;
use crate::identity::recover::LINKS;
use crate::identity::session::SESSIONS;
use crate::identity::user::ACCOUNTS;
use crate::store::Error;
use crate::store::Read;

use super::tokens;

/// How many there are of each; `None` where they are too many to be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Accounts.
    pub users: Option<u64>,
    /// Sessions, live or not yet cleared away.
    pub sessions: Option<u64>,
    /// Codes, links and verification tokens.
    pub tokens: Option<u64>,
}

/// How many rows of a table are counted.
const COUNTED: u64 = 100_000;

/// Counts them.
///
/// # Errors
/// Those of the store.
pub fn sizes(read: &impl Read) -> Result<Sizes, Error> {
    let tokens = [
        tokens::count_codes(read, COUNTED)?,
        read.count(LINKS.all(), COUNTED)?,
        read.count(code::TOKENS.all(), COUNTED)?,
    ];
    Ok(Sizes {
        users: read.count(ACCOUNTS.all(), COUNTED)?,
        sessions: read.count(SESSIONS.all(), COUNTED)?,
        tokens: tokens.into_iter().sum(),
    })
}
