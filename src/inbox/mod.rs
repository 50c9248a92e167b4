//! Captured mail: the SMTP server that takes it ([`session`], [`server`], [`tls`]), the shelf on
//! which it lies, and what can be read from it.
//!
//! A mail is acknowledged when its bytes and a small summary are durable, and not before. All
//! else (text, HTML, attachments, codes, links) is read from the bytes when somebody asks, so a
//! mail that cannot be parsed is kept and shown like any other. Nothing here sends mail, knows
//! HTTP, or fetches anything on a mail's behalf.

mod codes;
mod content;
mod header;
mod html;
mod links;
mod parts;
mod record;
mod search;
pub mod server;
pub mod session;
mod shelf;
pub mod tls;

use std::time::Duration;

use crate::events::{Events, Topic};
use crate::store::{Error, Read, Store};
use crate::world::World;

pub use record::{
    Attachment, Captured, Envelope, MalformedMessageId, Message, MessageId, Summary, Warning,
};
pub use search::{Filter, Page};

use search::{Look, Matcher};
use shelf::{MAILS, SUMMARIES};

/// Mails that one transaction of [`Inbox::clear`] removes.
const CLEARED_AT_ONCE: usize = 1_000;

/// The captured mails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inbox {
    store: Store,
    events: Events,
    world: World,
}

/// The bytes of an attachment with what is known about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttachmentBytes {
    /// As in [`Message::attachments`].
    pub attachment: Attachment,
    /// The decoded bytes.
    pub bytes: Vec<u8>,
}

impl Inbox {
    /// The inbox in `store`; `events` must be the ones that the store wakes.
    pub fn new(store: Store, events: Events, world: World) -> Inbox {
        Inbox {
            store,
            events,
            world,
        }
    }

    /// Keeps a mail. It is durable when this returns.
    pub async fn receive(&self, captured: Captured) -> Result<MessageId, Error> {
        let (row, mail) = shelf::rows_of(captured);
        self.store
            .write(move |tx| shelf::put(tx, &row, &mail))
            .await
    }

    /// The mails that match, newest first, those below `cursor` if one is given; at most `limit`
    /// of them. `total` is exact without a filter, and with one while there are no more mails
    /// than one call looks at (10 000).
    pub async fn list(
        &self,
        filter: Filter,
        cursor: Option<MessageId>,
        limit: usize,
    ) -> Result<Page, Error> {
        let matcher = Matcher::new(&filter);
        self.store
            .scan(move |snapshot| search::page(snapshot, &matcher, cursor, limit))
            .await
    }

    /// The mail with everything that can be read from it.
    pub async fn get(&self, id: MessageId) -> Result<Option<Message>, Error> {
        self.store
            .scan(move |snapshot| {
                let row = snapshot.get(&SUMMARIES, &id)?;
                let mail = snapshot.get(&MAILS, &id)?;
                Ok(row
                    .zip(mail)
                    .map(|(row, mail)| content::message(row.into_summary(id), mail)))
            })
            .await
    }

    /// The bytes of the mail, exactly as they came.
    pub async fn raw(&self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        let mail = self
            .store
            .scan(move |snapshot| snapshot.get(&MAILS, &id))
            .await?;
        Ok(mail.map(|mail| mail.raw))
    }

    /// The attachment at `index` of [`Message::attachments`].
    pub async fn attachment(
        &self,
        id: MessageId,
        index: usize,
    ) -> Result<Option<AttachmentBytes>, Error> {
        self.store
            .scan(move |snapshot| {
                let mail = snapshot.get(&MAILS, &id)?;
                Ok(mail.and_then(|mail| content::attachment(&mail.raw, index)))
            })
            .await
    }

    /// Removes the mail; `false` when it was not there.
    pub async fn delete(&self, id: MessageId) -> Result<bool, Error> {
        let removed = self.store.write(move |tx| shelf::remove(tx, &[id])).await?;
        Ok(removed > 0)
    }

    /// Removes all mails that are there when it is called, in several transactions when they are
    /// many; says how many. What comes in meanwhile stays.
    pub async fn clear(&self) -> Result<u64, Error> {
        let last = self
            .store
            .read(|snapshot| {
                let newest = snapshot.scan(SUMMARIES.all().backwards())?.next();
                newest.transpose().map(|row| row.map(|(id, _)| id))
            })
            .await?;
        let Some(last) = last else { return Ok(0) };
        let mut removed = 0;
        loop {
            let some = self
                .store
                .write(move |tx| {
                    let ids = tx
                        .scan(SUMMARIES.all().up_to(&last))?
                        .take(CLEARED_AT_ONCE)
                        .map(|row| row.map(|(id, _)| id))
                        .collect::<Result<Vec<_>, Error>>()?;
                    shelf::remove(tx, &ids)
                })
                .await?;
            if some == 0 {
                return Ok(removed);
            }
            removed += some;
        }
    }

    /// Waits for a mail that matches and returns it; `None` when `timeout` went by.
    ///
    /// With `after`, the oldest match above it: whoever goes on from the last one misses none.
    /// Without, the newest match that is there (among the newest 10 000), else the first to come.
    pub async fn wait(
        &self,
        filter: Filter,
        after: Option<MessageId>,
        timeout: Duration,
    ) -> Result<Option<Message>, Error> {
        match self.world.timeout(timeout, self.find(&filter, after)).await {
            Ok(found) => found.map(Some),
            Err(_) => Ok(None),
        }
    }

    async fn find(&self, filter: &Filter, after: Option<MessageId>) -> Result<Message, Error> {
        // The watch is taken before the first look: what is committed in between wakes it.
        let mut watch = self.events.watch(Topic::Inbox);
        let matcher = Matcher::new(filter);
        let mut from = after.map(MessageId::number);
        loop {
            let matcher = matcher.clone();
            let look = self
                .store
                .scan(move |snapshot| match from {
                    Some(after) => search::find_after(snapshot, &matcher, after),
                    None => search::find_newest(snapshot, &matcher),
                })
                .await?;
            match look {
                Look::Found(id) => {
                    if let Some(message) = self.get(id).await? {
                        return Ok(message);
                    }
                    // Deleted since: the search goes on, and comes to the next one.
                }
                Look::More { seen } => from = Some(seen),
                Look::Nothing { seen } => {
                    from = Some(seen);
                    watch.changed().await;
                }
            }
        }
    }
}
