//! Accounts, as the operator sees them, and what is done to one.

use crate::address::LookupAddress;
use crate::audit;
use crate::identity::flow::Wanted;
use crate::identity::limits;
use crate::identity::limits::Subject;
use crate::identity::login::forgive;
use crate::identity::request::Ask;
use crate::identity::request::Sent;
use crate::identity::session;
use crate::identity::session::OF_USER;
use crate::identity::session::SESSIONS;
use crate::identity::user;
use crate::identity::user::ACCOUNTS;
use crate::identity::user::Account;
use crate::identity::user::User;
use crate::identity::user::UserId;
use crate::store;
use crate::store::Read;
use crate::store::page;
use crate::store::page::Ask as Asked;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;
use crate::store::page::place;
use crate::world::Timestamp;

use super::Accounts;
use super::Error;
use super::has;

/// How many sessions of one account are counted for a list.
const COUNTED: usize = 100;

/// How many accounts are counted for a list.
const TOTAL: usize = 20_000;

/// How an account stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserState {
    /// Its owner can log in.
    Active,
    /// The operator keeps it locked.
    Locked,
    /// Logins are refused for a while, after too many wrong passwords.
    Waiting,
}

impl UserState {
    /// All of them.
    pub const ALL: [UserState; 3] = [UserState::Active, UserState::Locked, UserState::Waiting];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            UserState::Active => "active",
            UserState::Locked => "locked",
            UserState::Waiting => "waiting",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<UserState> {
        UserState::ALL
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// An account with how it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Who.
    pub user: User,
    /// How it stands.
    pub state: UserState,
    /// When its owner last began a session.
    pub last_login_at: Option<Timestamp>,
    /// Since when the operator keeps it locked.
    pub locked_at: Option<Timestamp>,
    /// Until when logins are refused after wrong passwords.
    pub waits_until: Option<Timestamp>,
    /// How many sessions are live; `None`: a hundred, or more.
    pub sessions: Option<u64>,
}

/// Which accounts to list.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Only those that stand so.
    pub state: Option<UserState>,
    /// Only those with this in what a list shows, in any case.
    pub q: Option<String>,
}

/// By what accounts are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserSort {
    /// When they were made.
    CreatedAt,
    /// The address.
    Email,
    /// How their owner wants to be called; those without a name first.
    DisplayName,
    /// When their owner last logged in; those who never did first.
    LastLoginAt,
}

impl UserSort {
    fn place(self, id: UserId, account: &Account) -> Vec<u8> {
        let text = |text: &str| text.to_lowercase();
        match self {
            UserSort::CreatedAt => place(&id),
            UserSort::Email => place(&(text(account.email.as_str()), id)),
            UserSort::DisplayName => {
                let name = account.display_name.as_deref().unwrap_or_default();
                place(&(text(name), id))
            }
            UserSort::LastLoginAt => {
                let at = account.last_login_at;
                place(&(u8::from(at.is_some()), at.unwrap_or_default(), id))
            }
        }
    }
}

impl Accounts {
    /// A page of all accounts.
    ///
    /// # Errors
    /// Too many to be sorted, or the store.
    pub async fn list_users(
        &self,
        filter: UserFilter,
        sort: UserSort,
        ask: Asked,
    ) -> Result<Page<UserRecord>, PageError> {
        let now = self.world.now();
        self.look(move |accounts, read| {
            let q = filter.q.map(|q| q.to_lowercase());
            let take = |(id, account): (UserId, Account)| {
                let name = account.display_name.as_deref().unwrap_or_default();
                let texts = [&id.to_string(), account.email.as_str(), name];
                let found = has(q.as_ref(), &texts)
                    && match filter.state {
                        Some(state) => accounts.stands(read, &account, now)?.0 == state,
                        None => true,
                    };
                Ok::<_, store::Error>(found.then_some((id, account)))
            };
            let page = if sort == UserSort::CreatedAt {
                let at = ask.at()?;
                let range = ask.part(ACCOUNTS.all(), at.as_ref());
                let rows = read
                    .scan(range)?
                    .map(|row| row.map(|row| (place(&row.0), row)));
                let mut total = Some(0);
                for (nth, row) in read.scan(ACCOUNTS.all())?.enumerate() {
                    if nth >= TOTAL {
                        total = None;
                        break;
                    }
                    let counts = take(row?)?.is_some();
                    total = total.map(|total| total + u64::from(counts));
                }
                page::walk(rows, &ask, LOOK, total, take)?
            } else {
                let rows = read.scan(ACCOUNTS.all())?;
                page::sorted(rows, &ask, LOOK, |row| {
                    let found = take(row)?;
                    Ok(found.map(|(id, account)| (sort.place(id, &account), (id, account))))
                })?
            };
            let told = page.items.into_iter();
            let told = told.map(|(id, account)| accounts.record(read, id, account, now));
            Ok(Page {
                items: told.collect::<Result<_, store::Error>>()?,
                next: page.next,
                prev: page.prev,
                total: page.total,
            })
        })
        .await
    }

    /// One account.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn user_record(&self, id: UserId) -> Result<UserRecord, Error> {
        let now = self.world.now();
        self.store
            .read(|read| {
                let account = user::get(read, id)?.ok_or(Error::NotFound)?;
                Ok(self.record(read, id, account, now)?)
            })
            .await
    }

    /// The account that goes by `address`, if there is one.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn record_of(
        &self,
        address: &LookupAddress,
    ) -> Result<Option<UserRecord>, store::Error> {
        let now = self.world.now();
        self.store
            .read(|read| {
                let found = user::find(read, address)?;
                let told = found.map(|(id, account)| self.record(read, id, account, now));
                told.transpose()
            })
            .await
    }

    fn stands(
        &self,
        read: &impl Read,
        account: &Account,
        now: Timestamp,
    ) -> Result<(UserState, Option<Timestamp>), store::Error> {
        let counters = limits::load(read, &Subject::Address(account.email.lookup()))?;
        let waits_until = self.settings.lockout.waits_until(&counters, now);
        let state = match (account.locked_at, waits_until) {
            (Some(_), _) => UserState::Locked,
            (None, Some(_)) => UserState::Waiting,
            (None, None) => UserState::Active,
        };
        Ok((state, waits_until))
    }

    pub(super) fn record(
        &self,
        read: &impl Read,
        id: UserId,
        account: Account,
        now: Timestamp,
    ) -> Result<UserRecord, store::Error> {
        let (state, waits_until) = self.stands(read, &account, now)?;
        let mut sessions = Some(0);
        for (nth, row) in read.scan(OF_USER.under(&id))?.enumerate() {
            if nth >= COUNTED {
                sessions = None;
                break;
            }
            let row = read.get(&SESSIONS, &row?.1)?;
            let settings = &self.settings.sessions;
            let live = row.is_some_and(|row| row.is_live(account.session_epoch, settings, now));
            sessions = sessions.map(|sessions| sessions + u64::from(live));
        }
        Ok(UserRecord {
            state,
            last_login_at: account.last_login_at,
            locked_at: account.locked_at,
            waits_until,
            sessions,
            user: account.view(id),
        })
    }

    /// Locks an account: its sessions end, and nobody is let in before it is unlocked. To whoever
    /// tries, it looks like a wrong password. One that is locked stays as it is.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn lock(&self, id: UserId, entry: audit::Entry) -> Result<UserRecord, Error> {
        self.change(id, move |accounts, tx, account, now| {
            if account.locked_at.is_some() {
                return Ok(());
            }
            let settings = &accounts.settings.sessions;
            session::end_all(tx, id, account, None, settings, now)?;
            account.locked_at = Some(now);
            audit::record(tx, &entry);
            Ok(())
        })
        .await
    }

    /// Lets the owner of an account in again: after it was locked as after wrong passwords.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn unlock(&self, id: UserId, entry: audit::Entry) -> Result<UserRecord, Error> {
        self.change(id, move |_, tx, account, now| {
            account.locked_at = None;
            forgive(tx, &Subject::Address(account.email.lookup()), now)?;
            forgive(tx, &Subject::User(id), now)?;
            audit::record(tx, &entry);
            Ok(())
        })
        .await
    }

    /// Ends all sessions of an account.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn end_sessions_of(
        &self,
        id: UserId,
        entry: audit::Entry,
    ) -> Result<UserRecord, Error> {
        self.change(id, move |accounts, tx, account, now| {
            let settings = &accounts.settings.sessions;
            let ended = session::end_all(tx, id, account, None, settings, now)?;
            audit::record(tx, &entry.clone().detail(&format!("{ended} ended")));
            Ok(())
        })
        .await
    }

    async fn change<F>(&self, id: UserId, change: F) -> Result<UserRecord, Error>
    where
        F: Fn(&Accounts, &mut store::Tx<'_>, &mut Account, Timestamp) -> Result<(), Error>
            + Send
            + 'static,
    {
        let now = self.world.now();
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let mut account = user::get(tx, id)?.ok_or(Error::NotFound)?;
                change(&accounts, tx, &mut account, now)?;
                user::put(tx, id, &account);
                Ok(accounts.record(tx, id, account, now)?)
            })
            .await
    }

    /// Mails the owner of an account a link for a new password, as if they had asked for it
    /// themselves. The limits of their address hold; those of clients do not.
    ///
    /// # Errors
    /// `NotFound`, `Limited`, `Mail`, `Store`.
    pub async fn send_reset(&self, id: UserId, entry: audit::Entry) -> Result<Sent, Error> {
        let account = self.store.read(|read| user::get(read, id)).await?;
        let account = account.ok_or(Error::NotFound)?;
        let ask = Ask {
            wanted: Wanted::ResetLink,
            address: account.email,
            language: None,
            style: self.settings.codes.style,
            asker: None,
        };
        self.ask_as(None, ask, entry).await
    }
}
