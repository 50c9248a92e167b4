//! Sessions: a person who has proved who they are is remembered by an opaque token, of which only
//! the hash is stored. How they proved it is in `login`; how the token travels is HTTP's business.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::id::identifier;
use crate::secret::Token;
use crate::secret::TokenHash;
use crate::secret::TokenKind;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;
use crate::world::World;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::lives;
use super::sweep;
use super::user;
use super::user::Account;
use super::user::User;
use super::user::UserId;

identifier!(
    /// A session, as its owner sees it in a list. It gives no access.
    SessionId,
    "se"
);

/// How long sessions last.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Without use.
    pub idle: Duration,
    /// At most.
    pub lifetime: Duration,
}

/// One of a person's sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, give or take an hour (or a tenth of what it lasts without use).
    pub last_used_at: Timestamp,
    /// When it ends if it is not used again.
    pub expires_at: Timestamp,
    /// From where it was begun.
    pub ip: IpAddr,
    /// From where it was last used, as far as that was noted.
    pub last_ip: IpAddr,
    /// What the program that began it calls itself.
    pub user_agent: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// A session that was just begun: the only time that its token is seen.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// To be presented with each request.
    pub token: Token,
    /// When it ends if it is not used.
    pub expires_at: Timestamp,
}

/// A person with a live session.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who.
    pub user: User,
    /// By which session.
    pub session: Session,
    pub(super) hash: TokenHash,
}

/// Some of a person's sessions.
#[derive(Debug, Clone)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Session>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<SessionId>,
    /// How many there are; `None` when too many to count.
    pub total: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Row {
    #[serde(rename = "i")]
    pub(super) id: SessionId,
    #[serde(rename = "u")]
    pub(super) user: UserId,
    #[serde(rename = "c")]
    pub(super) created: Timestamp,
    #[serde(rename = "l")]
    pub(super) used: Timestamp,
    #[serde(rename = "e")]
    pub(super) epoch: u64,
    #[serde(rename = "p")]
    pub(super) ip: IpAddr,
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<String>,
    /// From where it was last used, when that is not where it began.
    #[serde(rename = "q", default, skip_serializing_if = "Option::is_none")]
    pub(super) last_ip: Option<IpAddr>,
}

pub(super) const SESSIONS: Table<TokenHash, Row> = Table::new("identity.session");
pub(super) const OF_USER: Table<(UserId, SessionId), TokenHash> =
    Table::new("identity.session.user");

/// How often the last use is written down; more often where sessions are short: see
/// [`Accounts::authenticate`].
const NOTED_EVERY: Duration = Duration::from_secs(3600);
/// How often at most a session that is used from elsewhere is written down again.
const MOVED_EVERY: Duration = Duration::from_secs(60);
/// How many notes of a last use may be on their way at once; more are left to the next request.
const MOST_TOUCHING: usize = 64;
/// How many rows one operation looks through at most, when somebody has that many sessions.
pub(super) const MOST_LOOKED_AT: usize = 1000;
/// How many of a person's oldest sessions are looked at when they begin another.
const TIDIED: usize = 4;
/// How much of a program's name for itself is kept, in characters.
const AGENT_CHARS: usize = 200;

impl Row {
    pub(super) fn is_live(&self, epoch: u64, settings: &Settings, now: Timestamp) -> bool {
        self.epoch == epoch
            && lives(self.used, settings.idle, now)
            && lives(self.created, settings.lifetime, now)
    }

    pub(super) fn expires(&self, settings: &Settings) -> Timestamp {
        (self.used + settings.idle).min(self.created + settings.lifetime)
    }

    pub(super) fn view(self, settings: &Settings, current: Option<SessionId>) -> Session {
        Session {
            expires_at: self.expires(settings),
            current: current == Some(self.id),
            id: self.id,
            created_at: self.created,
            last_used_at: self.used,
            ip: self.ip,
            last_ip: self.last_ip.unwrap_or(self.ip),
            user_agent: self.agent,
        }
    }
}

/// A session to be begun, with all chance already drawn.
pub(super) struct Fresh {
    token: Token,
    id: SessionId,
    now: Timestamp,
    ip: IpAddr,
    agent: Option<String>,
}

impl Fresh {
    pub(super) fn draw(world: &World, client: &Client) -> Fresh {
        let shown = |c: &char| !c.is_control();
        let agent = client.user_agent.as_ref();
        Fresh {
            token: Token::draw(world, TokenKind::Session),
            id: SessionId::draw(world),
            now: world.now(),
            ip: client.ip,
            agent: agent.map(|agent| agent.chars().filter(shown).take(AGENT_CHARS).collect()),
        }
    }

    /// Begins it, within the transaction that proved who it is for.
    pub(super) fn begin(
        &self,
        tx: &mut Tx<'_>,
        user: UserId,
        account: &Account,
        settings: &Settings,
    ) -> Result<NewSession, store::Error> {
        tidy(tx, user, account, settings, self.now)?;
        let row = Row {
            id: self.id,
            user,
            created: self.now,
            used: self.now,
            epoch: account.session_epoch,
            ip: self.ip,
            agent: self.agent.clone(),
            last_ip: None,
        };
        let hash = self.token.hash();
        tx.put(&SESSIONS, &hash, &row);
        tx.put(&OF_USER, &(user, self.id), &hash);
        let expires_at = row.expires(settings);
        sweep::note(tx, expires_at, &sweep::Doomed::Session(hash));
        Ok(NewSession {
            token: self.token.clone(),
            expires_at,
        })
    }
}

/// Removes dead ones among the oldest sessions of `user`.
pub(super) fn tidy(
    tx: &mut Tx<'_>,
    user: UserId,
    account: &Account,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), store::Error> {
    let oldest: Vec<_> = tx
        .scan(OF_USER.under(&user))?
        .take(TIDIED)
        .collect::<Result<_, _>>()?;
    for ((_, id), hash) in oldest {
        let row = tx.get(&SESSIONS, &hash)?;
        if !row.is_some_and(|row| row.is_live(account.session_epoch, settings, now)) {
            remove(tx, user, id, &hash);
        }
    }
    Ok(())
}

pub(super) fn remove(tx: &mut Tx<'_>, user: UserId, id: SessionId, hash: &TokenHash) {
    tx.delete(&SESSIONS, hash);
    tx.delete(&OF_USER, &(user, id));
}

/// Ends all sessions of `user` but `kept`, and answers how many it saw end; the caller writes
/// `account` back. Those beyond the first thousand are dead as well: their epoch is over.
///
/// # Errors
/// `Unauthenticated` when `kept` is dead: whoever asks by it has no say any more, and it must not
/// come back to life with the new epoch.
pub(super) fn end_all(
    tx: &mut Tx<'_>,
    user: UserId,
    account: &mut Account,
    kept: Option<&TokenHash>,
    settings: &Settings,
    now: Timestamp,
) -> Result<u64, Error> {
    let is_live = |row: &Row| row.is_live(account.session_epoch, settings, now);
    let kept = match kept {
        Some(hash) => {
            let row = tx.get(&SESSIONS, hash)?.filter(is_live);
            Some((hash, row.ok_or(Error::Unauthenticated)?))
        }
        None => None,
    };
    let rows: Vec<_> = tx
        .scan(OF_USER.under(&user).backwards())?
        .take(MOST_LOOKED_AT)
        .collect::<Result<_, _>>()?;
    let mut ended = 0;
    for ((_, id), hash) in rows {
        if kept.as_ref().is_some_and(|(kept, _)| **kept == hash) {
            continue;
        }
        if tx.get(&SESSIONS, &hash)?.as_ref().is_some_and(is_live) {
            ended += 1;
        }
        remove(tx, user, id, &hash);
    }
    account.session_epoch += 1;
    if let Some((hash, mut row)) = kept {
        row.epoch = account.session_epoch;
        tx.put(&SESSIONS, hash, &row);
    }
    Ok(ended)
}

/// Whether the session still counts by which somebody asks.
///
/// # Errors
/// `Unauthenticated` when it does not.
pub(super) fn must_live(
    read: &impl Read,
    hash: &TokenHash,
    account: &Account,
    settings: &Settings,
    now: Timestamp,
) -> Result<(), Error> {
    let row = read.get(&SESSIONS, hash)?;
    let lives = row.is_some_and(|row| row.is_live(account.session_epoch, settings, now));
    if lives {
        Ok(())
    } else {
        Err(Error::Unauthenticated)
    }
}

/// Removes the session when it is dead; otherwise says when to look again.
pub(super) fn sweep_one(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<Timestamp>, store::Error> {
    let Some(row) = tx.get(&SESSIONS, hash)? else {
        return Ok(None);
    };
    let account = user::get(tx, row.user)?;
    if account.is_some_and(|account| row.is_live(account.session_epoch, settings, now)) {
        return Ok(Some(row.expires(settings)));
    }
    remove(tx, row.user, row.id, hash);
    Ok(None)
}

impl Accounts {
    /// Who presents `bearer`, from wherever: two look-ups and no write.
    ///
    /// # Errors
    /// `Unauthenticated` when no live session belongs to it.
    pub async fn authenticate(&self, bearer: &str) -> Result<Authenticated, Error> {
        self.who(bearer, None).await
    }

    /// The same, where it is known that it comes from `ip`: its owner sees that as the place of
    /// last use.
    ///
    /// # Errors
    /// Those of [`Accounts::authenticate`].
    pub async fn authenticate_from(
        &self,
        ip: IpAddr,
        bearer: &str,
    ) -> Result<Authenticated, Error> {
        self.who(bearer, Some(ip)).await
    }

    async fn who(&self, bearer: &str, from: Option<IpAddr>) -> Result<Authenticated, Error> {
        // No other text was ever given out; it is not worth a hash.
        if !bearer.starts_with("gps_") || bearer.len() > 64 {
            return Err(Error::Unauthenticated);
        }
        let hash = TokenHash::of(bearer);
        let now = self.world.now();
        let settings = &self.settings.sessions;
        let found = self
            .store
            .read(|read| {
                let Some(row) = read.get(&SESSIONS, &hash)? else {
                    return Ok::<_, Error>(None);
                };
                let account = user::get(read, row.user)?;
                Ok(account.map(|account| (row, account)))
            })
            .await?;
        let (row, account) = found
            .filter(|(row, account)| row.is_live(account.session_epoch, settings, now))
            .ok_or(Error::Unauthenticated)?;
        // A short session must not lapse because its use was not written down yet.
        let moved = from.is_some_and(|from| from != row.last_ip.unwrap_or(row.ip));
        let pause = if moved { MOVED_EVERY } else { NOTED_EVERY };
        if row.used + pause.min(settings.idle / 10) <= now {
            self.touch(hash, from, now);
        }
        let id = row.id;
        Ok(Authenticated {
            user: account.view(row.user),
            session: row.view(settings, Some(id)),
            hash,
        })
    }

    /// Writes down that the session was used, beside the request.
    fn touch(&self, hash: TokenHash, from: Option<IpAddr>, now: Timestamp) {
        if self.touching.fetch_add(1, Ordering::Relaxed) >= MOST_TOUCHING {
            self.touching.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let accounts = self.clone();
        tokio::spawn(async move {
            let noted = accounts
                .store
                .write(move |tx| {
                    if let Some(mut row) = tx.get(&SESSIONS, &hash)?
                        && row.used < now
                    {
                        row.used = now;
                        row.last_ip = from.or(row.last_ip).filter(|ip| *ip != row.ip);
                        tx.put(&SESSIONS, &hash, &row);
                    }
                    Ok::<_, store::Error>(())
                })
                .await;
            accounts.touching.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = noted {
                tracing::warn!(%error, "the last use of a session was not written down");
            }
        });
    }
}
