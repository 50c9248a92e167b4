//! One's own sessions as a list, and ending them. What a session is stands in `session`.

use crate::audit;
use crate::store;
use crate::store::Read;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::session;
use super::session::Authenticated;
use super::session::MOST_LOOKED_AT;
use super::session::OF_USER;
use super::session::Page;
use super::session::Row;
use super::session::SESSIONS;
use super::session::SessionId;
use super::user;

/// How many rows are read at most to fill a page of a list.
const MOST_SCANNED: usize = 20 * MOST_LOOKED_AT;

impl Accounts {
    /// One's own live sessions, newest first: `limit` of them, older than `cursor`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn sessions(
        &self,
        who: &Authenticated,
        cursor: Option<SessionId>,
        limit: usize,
    ) -> Result<Page, Error> {
        let (user, current) = (who.user.id, who.session.id);
        let now = self.world.now();
        let settings = self.settings.sessions.clone();
        self.store
            .scan(move |read| {
                let account = user::get(read, user)?.ok_or(Error::Unauthenticated)?;
                let all = || OF_USER.under(&user).backwards();
                let live = |hash| {
                    let row = read.get(&SESSIONS, &hash)?;
                    let is_live = |row: &Row| row.is_live(account.session_epoch, &settings, now);
                    Ok::<_, store::Error>(row.filter(is_live))
                };
                let mut page = Page {
                    items: Vec::new(),
                    next: None,
                    total: Some(0),
                };
                for (nth, entry) in read.scan(all())?.enumerate() {
                    if nth >= MOST_LOOKED_AT {
                        page.total = None;
                        break;
                    }
                    if live(entry?.1)?.is_some() {
                        page.total = page.total.map(|total| total + 1);
                    }
                }
                let from = match &cursor {
                    Some(cursor) => all().before(&(user, *cursor)),
                    None => all(),
                };
                for (nth, entry) in read.scan(from)?.enumerate() {
                    let ((_, id), hash) = entry?;
                    let Some(row) = live(hash)? else {
                        // Dead rows wait for the sweep; nobody waits for all of them to be read,
                        // but the next page begins behind those that were.
                        if nth >= MOST_SCANNED {
                            page.next = Some(id);
                            break;
                        }
                        continue;
                    };
                    if page.items.len() == limit {
                        page.next = page.items.last().map(|last| last.id);
                        break;
                    }
                    page.items.push(row.view(&settings, Some(current)));
                }
                Ok(page)
            })
            .await
    }

    /// Ends the session that asks.
    ///
    /// # Errors
    /// `Unauthenticated` when it has ended meanwhile, as by another logout.
    pub async fn logout(&self, client: &Client, who: &Authenticated) -> Result<(), Error> {
        let ended = self.end(client, who, who.session.id, "logout").await;
        ended.map_err(|error| match error {
            Error::NotFound => Error::Unauthenticated,
            error => error,
        })
    }

    /// Ends one of one's own sessions.
    ///
    /// # Errors
    /// `NotFound` when there is no such session, or it is somebody else's.
    pub async fn revoke_session(
        &self,
        client: &Client,
        who: &Authenticated,
        id: &str,
    ) -> Result<(), Error> {
        let id = id.parse().map_err(|_| Error::NotFound)?;
        self.end(client, who, id, "revoke_session").await
    }

    async fn end(
        &self,
        client: &Client,
        who: &Authenticated,
        id: SessionId,
        action: &str,
    ) -> Result<(), Error> {
        let user = who.user.id;
        let (actor, subject) = (user.to_string(), id.to_string());
        let entry = audit::Entry::new(&self.world, &actor, action, &subject).from(client.ip);
        let now = self.world.now();
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let settings = &accounts.settings.sessions;
                let hash = tx.get(&OF_USER, &(user, id))?.ok_or(Error::NotFound)?;
                let row = tx.get(&SESSIONS, &hash)?.ok_or(Error::NotFound)?;
                let account = user::get(tx, user)?.ok_or(Error::Unauthenticated)?;
                if !row.is_live(account.session_epoch, settings, now) {
                    return Err(Error::NotFound);
                }
                session::remove(tx, user, id, &hash);
                session::tidy(tx, user, &account, settings, now)?;
                audit::record(tx, &entry);
                Ok(())
            })
            .await
    }

    /// Ends all of one's own sessions but the one that asks; answers how many.
    ///
    /// # Errors
    /// `Unauthenticated` when the one that asks has ended meanwhile.
    pub async fn revoke_others(&self, client: &Client, who: &Authenticated) -> Result<u64, Error> {
        let (user, kept) = (who.user.id, who.hash);
        let actor = user.to_string();
        let entry =
            audit::Entry::new(&self.world, &actor, "revoke_other_sessions", &actor).from(client.ip);
        let now = self.world.now();
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let settings = &accounts.settings.sessions;
                let mut account = user::get(tx, user)?.ok_or(Error::Unauthenticated)?;
                let ended = session::end_all(tx, user, &mut account, Some(&kept), settings, now)?;
                user::put(tx, user, &account);
                audit::record(tx, &entry);
                Ok(ended)
            })
            .await
    }
}
