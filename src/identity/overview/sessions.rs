//! Everybody's sessions, as the operator sees them.

use std::net::IpAddr;

use crate::address::EmailAddress;
use crate::audit;
use crate::identity::lives;
use crate::identity::session::OF_USER;
use crate::identity::session::Row;
use crate::identity::session::SESSIONS;
use crate::identity::session::SessionId;
use crate::identity::session::remove;
use crate::identity::user::UserId;
use crate::store;
use crate::store::Read;
use crate::store::page;
use crate::store::page::Ask;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;
use crate::store::page::place;
use crate::world::Timestamp;

use super::Accounts;
use super::Error;
use super::Known;
use super::has;

/// How a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// Its owner is logged in by it.
    Live,
    /// It was not used for too long, or is too old.
    Lapsed,
    /// It ended with all others of its owner, and is not yet cleared away.
    Ended,
}

impl SessionState {
    /// All of them.
    pub const ALL: [SessionState; 3] = [
        SessionState::Live,
        SessionState::Lapsed,
        SessionState::Ended,
    ];

    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            SessionState::Live => "live",
            SessionState::Lapsed => "lapsed",
            SessionState::Ended => "ended",
        }
    }

    /// The state of this word.
    pub fn from_word(word: &str) -> Option<SessionState> {
        SessionState::ALL
            .into_iter()
            .find(|state| state.word() == word)
    }
}

/// A session of anybody's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// Whose; `None` where the account is gone.
    pub email: Option<EmailAddress>,
    /// How it stands.
    pub state: SessionState,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, roughly.
    pub last_used_at: Timestamp,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
    /// From where it was begun.
    pub ip: IpAddr,
    /// From where it was last used, as far as that was noted.
    pub last_ip: IpAddr,
    /// What the program that began it calls itself.
    pub user_agent: Option<String>,
}

/// Which sessions to list.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only those of this person.
    pub user: Option<UserId>,
    /// Only those that stand so.
    pub state: Option<SessionState>,
    /// Only those with this in what a list shows, in any case.
    pub q: Option<String>,
}

/// By what sessions are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionSort {
    /// When they began.
    CreatedAt,
    /// When they were last used.
    LastUsedAt,
    /// Whose they are.
    Email,
    /// From where they were begun.
    Ip,
}

impl SessionSort {
    fn place(self, session: &SessionRecord) -> Vec<u8> {
        let id = session.id;
        match self {
            SessionSort::CreatedAt => place(&(session.created_at, id)),
            SessionSort::LastUsedAt => place(&(session.last_used_at, id)),
            SessionSort::Email => {
                let email = session.email.as_ref().map(EmailAddress::as_str);
                place(&(email.unwrap_or_default().to_lowercase(), id))
            }
            SessionSort::Ip => match session.ip {
                IpAddr::V4(ip) => place(&(4_u8, ip.octets(), id)),
                IpAddr::V6(ip) => place(&(6_u8, ip.octets(), id)),
            },
        }
    }
}

impl Accounts {
    /// A page of everybody's sessions.
    ///
    /// # Errors
    /// Too many to be sorted, or the store.
    pub async fn list_sessions(
        &self,
        filter: SessionFilter,
        sort: SessionSort,
        ask: Ask,
    ) -> Result<Page<SessionRecord>, PageError> {
        let now = self.world.now();
        self.look(move |accounts, read| {
            let q = filter.q.map(|q| q.to_lowercase());
            let mut known = Known::new(read);
            let take = |row: Row| {
                let session = accounts.session_record(&mut known, row, now)?;
                let (id, user) = (session.id.to_string(), session.user.to_string());
                let texts = [
                    id.as_str(),
                    &user,
                    session.email.as_ref().map_or("", EmailAddress::as_str),
                    &session.ip.to_string(),
                    &session.last_ip.to_string(),
                    session.user_agent.as_deref().unwrap_or_default(),
                ];
                let found = filter.state.is_none_or(|state| state == session.state)
                    && has(q.as_ref(), &texts);
                Ok(found.then(|| (sort.place(&session), session)))
            };
            match filter.user {
                Some(user) => {
                    let rows = read.scan(OF_USER.under(&user))?;
                    let rows = rows.filter_map(|row| match row {
                        Ok((_, hash)) => read.get(&SESSIONS, &hash).transpose(),
                        Err(error) => Some(Err(error)),
                    });
                    page::sorted(rows, &ask, LOOK, take)
                }
                None => {
                    let rows = read.scan(SESSIONS.all())?;
                    page::sorted(rows.map(|row| row.map(|(_, row)| row)), &ask, LOOK, take)
                }
            }
        })
        .await
    }

    fn session_record(
        &self,
        known: &mut Known<'_, impl Read>,
        row: Row,
        now: Timestamp,
    ) -> Result<SessionRecord, store::Error> {
        let settings = &self.settings.sessions;
        let account = known.get(row.user)?;
        let state = match account {
            Some(account) if account.session_epoch == row.epoch => {
                let live = lives(row.used, settings.idle, now)
                    && lives(row.created, settings.lifetime, now);
                match live {
                    true => SessionState::Live,
                    false => SessionState::Lapsed,
                }
            }
            _ => SessionState::Ended,
        };
        Ok(SessionRecord {
            id: row.id,
            user: row.user,
            email: account.map(|account| account.email.clone()),
            state,
            created_at: row.created,
            last_used_at: row.used,
            expires_at: row.expires(settings),
            ip: row.ip,
            last_ip: row.last_ip.unwrap_or(row.ip),
            user_agent: row.agent,
        })
    }

    /// Ends one session, whosever it is. `entry` becomes one about its owner.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn end_session(&self, id: SessionId, entry: audit::Entry) -> Result<(), Error> {
        let user = self
            .look(move |_, read| {
                for row in read.scan(OF_USER.all())?.take(LOOK) {
                    let ((user, session), _) = row?;
                    if session == id {
                        return Ok(Some(user));
                    }
                }
                Ok::<_, Error>(None)
            })
            .await?;
        let user = user.ok_or(Error::NotFound)?;
        let entry = audit::Entry {
            subject: user.to_string(),
            ..entry
        };
        let entry = entry.detail(&id.to_string());
        self.store
            .write(move |tx| {
                let hash = tx.get(&OF_USER, &(user, id))?.ok_or(Error::NotFound)?;
                remove(tx, user, id, &hash);
                audit::record(tx, &entry);
                Ok(())
            })
            .await
    }
}
