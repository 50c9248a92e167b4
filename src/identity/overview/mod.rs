//! What an operator sees of accounts, sessions, codes and links, and does to them. No secret and
//! no hash of one is in any answer. Who the operator is and what is recorded of it is told by
//! whoever calls: each change takes the audit entry that is written with it.
//!
//! Lists that the store has in their order are walked; all others are sorted out of one scan of at
//! most [`LOOK`](crate::store::page::LOOK) rows. A session or a token is found by its name in such
//! a scan as well: that is done by hand and seldom, and an index would cost every login.

mod sessions;
mod sizes;
mod token;
mod tokens;
mod users;

use std::collections::HashMap;

use crate::store;
use crate::store::Read;
use crate::store::Snapshot;

use super::Accounts;
use super::error::Error;
use super::user;
use super::user::Account;
use super::user::UserId;

pub use sessions::SessionFilter;
pub use sessions::SessionRecord;
pub use sessions::SessionSort;
pub use sessions::SessionState;
pub use sizes::Sizes;
pub use sizes::sizes;
pub use token::TokenFilter;
pub use token::TokenKind;
pub use token::TokenName;
pub use token::TokenRecord;
pub use token::TokenSort;
pub use token::TokenState;
pub use users::UserFilter;
pub use users::UserRecord;
pub use users::UserSort;
pub use users::UserState;

impl Accounts {
    /// Runs `work` over a snapshot, when its turn comes, to its end.
    async fn look<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Accounts, &Snapshot<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<store::Error> + Send + 'static,
    {
        let accounts = self.clone();
        self.store.search(move |read| work(&accounts, read)).await
    }
}

/// Accounts that were read once for a list.
struct Known<'a, R> {
    read: &'a R,
    accounts: HashMap<UserId, Option<Account>>,
}

impl<'a, R: Read> Known<'a, R> {
    fn new(read: &'a R) -> Known<'a, R> {
        Known {
            read,
            accounts: HashMap::new(),
        }
    }

    fn get(&mut self, id: UserId) -> Result<Option<&Account>, store::Error> {
        let known = match self.accounts.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(user::get(self.read, id)?)
            }
        };
        Ok(known.as_ref())
    }
}

/// Whether one of the texts has `part` in it, which is in small letters.
fn has(part: Option<&String>, texts: &[&str]) -> bool {
    part.is_none_or(|part| texts.iter().any(|text| text.to_lowercase().contains(part)))
}
