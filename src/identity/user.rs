//! People with an account: their rows, and how one is found. How they prove who they are is in
//! `login` and `session`.

use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::id::identifier;
use crate::language::Language;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::form::Fields;
use super::form::Profile;
use super::session::Authenticated;

identifier!(
    /// A person with an account.
    UserId,
    "us"
);

/// A person, as they and others may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: UserId,
    /// Where their mail goes.
    pub email: EmailAddress,
    /// How they want to be called.
    pub display_name: Option<String>,
    /// The language of their mails.
    pub language: Language,
    /// When the account was made.
    pub created_at: Timestamp,
}

/// The row of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Account {
    pub(super) email: EmailAddress,
    /// PHC text, or a hash in one of Django's formats.
    pub(super) password: String,
    pub(super) display_name: Option<String>,
    pub(super) language: Language,
    pub(super) created_at: Timestamp,
    /// Grows with each login, change of the password and change of the address. Whatever was
    /// mailed to get back into the account names the epoch in which it was, and dies with it.
    #[serde(default)]
    pub(super) recovery_epoch: u64,
    /// Grows when all sessions are ended; older ones are dead at once, however many there are.
    #[serde(default)]
    pub(super) session_epoch: u64,
    /// When its owner last began a session.
    #[serde(default)]
    pub(super) last_login_at: Option<Timestamp>,
    /// Since when the operator keeps it locked: nobody is let in, and to whoever tries it looks
    /// like a wrong password.
    #[serde(default)]
    pub(super) locked_at: Option<Timestamp>,
}

impl Account {
    pub(super) fn view(self, id: UserId) -> User {
        User {
            id,
            email: self.email,
            display_name: self.display_name,
            language: self.language,
            created_at: self.created_at,
        }
    }
}

pub(super) const ACCOUNTS: Table<UserId, Account> = Table::new("identity.account");
const BY_ADDRESS: Table<LookupAddress, UserId> = Table::new("identity.address");

/// The account of `id`.
pub(super) fn get(read: &impl Read, id: UserId) -> Result<Option<Account>, store::Error> {
    read.get(&ACCOUNTS, &id)
}

/// The account that goes by `address`. Looks twice whether there is one or not.
pub(super) fn find(
    read: &impl Read,
    address: &LookupAddress,
) -> Result<Option<(UserId, Account)>, store::Error> {
    let known = read.get(&BY_ADDRESS, address)?;
    let id = known.unwrap_or(UserId::from_bytes([0; 16]));
    Ok(get(read, id)?.map(|account| (id, account)))
}

/// Whether an account goes by `address`.
pub(super) fn is_taken(read: &impl Read, address: &LookupAddress) -> Result<bool, store::Error> {
    Ok(read.get(&BY_ADDRESS, address)?.is_some())
}

/// Writes the row of an account back.
pub(super) fn put(tx: &mut Tx<'_>, id: UserId, account: &Account) {
    tx.put(&ACCOUNTS, &id, account);
}

/// Writes a new account and its address.
pub(super) fn insert(tx: &mut Tx<'_>, id: UserId, account: &Account) {
    tx.put(&BY_ADDRESS, &account.email.lookup(), &id);
    put(tx, id, account);
}

/// Gives the account another address, in both places; the caller saw that it is free.
pub(super) fn rename(tx: &mut Tx<'_>, id: UserId, account: &mut Account, email: EmailAddress) {
    tx.delete(&BY_ADDRESS, &account.email.lookup());
    account.email = email;
    insert(tx, id, account);
}

/// Removes an account and its address.
pub(super) fn remove(tx: &mut Tx<'_>, id: UserId, account: &Account) {
    tx.delete(&BY_ADDRESS, &account.email.lookup());
    tx.delete(&ACCOUNTS, &id);
}

impl Accounts {
    /// Changes one's own profile and answers the new one.
    ///
    /// # Errors
    /// `Invalid` with all fields that cannot be accepted; `Unauthenticated` when the account is
    /// gone meanwhile.
    pub async fn update_profile(
        &self,
        client: &Client,
        who: &Authenticated,
        form: Profile,
    ) -> Result<User, Error> {
        let mut fields = Fields::default();
        let name = match &form.display_name {
            Some(name) => fields.display_name(Some(name)).map(Some),
            None => Some(None),
        };
        let language = fields.language(form.language.as_deref());
        let (name, language) = fields.finish(name.zip(language))?;
        let id = who.user.id;
        let entry = audit::Entry::new(
            &self.world,
            &id.to_string(),
            "update_profile",
            &id.to_string(),
        )
        .from(client.ip);
        self.store
            .write(move |tx| {
                let mut account = get(tx, id)?.ok_or(Error::Unauthenticated)?;
                let before = account.clone();
                if let Some(name) = &name {
                    account.display_name.clone_from(name);
                }
                account.language = language.unwrap_or(account.language);
                if account != before {
                    put(tx, id, &account);
                    audit::record(tx, &entry);
                }
                Ok(account.view(id))
            })
            .await
    }
}
