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
pub mod safe_html;
mod search;
pub mod server;
pub mod session;
mod shelf;
pub mod tls;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::audit;
use crate::events::{Events, Topic};
use crate::minutes::Minutes;
use crate::store::page::{Ask, Page, PageError, place};
use crate::store::{Error, Key, Read, Snapshot, Store};
use crate::world::{Timestamp, World};

pub use links::spans as link_spans;
pub use record::{
    Attachment, Captured, Envelope, MalformedMessageId, Message, MessageId, Summary, Warning,
};
pub use search::{Filter, Sort};

use safe_html::{Remote, SafeHtml};
use search::{Look, Matcher};
use shelf::{MAILS, MailRow, SUMMARIES, SummaryRow};

/// Mails that one transaction of [`Inbox::clear`] removes.
const CLEARED_AT_ONCE: usize = 1_000;

/// Mails from this size on (in octets) are read a few at a time: reading one takes several times
/// its size in memory.
const LARGE: u64 = 1 << 20;

/// Large mails that are read, and searches within mails that run, at once.
const READERS: usize = 4;

/// The captured mails. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Inbox {
    store: Store,
    events: Events,
    world: World,
    readers: Arc<Semaphore>,
    minutes: Arc<Minutes<1>>,
}

/// The newest mails that match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The mails, newest first. May be fewer than asked for although there are more: go by
    /// `next_cursor`.
    pub items: Vec<Summary>,
    /// Where the next page begins; `None` at the end.
    pub next_cursor: Option<MessageId>,
    /// How many match in all; `None` when that was too much to count.
    pub total: Option<u64>,
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
            readers: Arc::new(Semaphore::new(READERS)),
            minutes: Arc::default(),
        }
    }

    /// Keeps a mail. It is durable when this returns.
    pub async fn receive(&self, captured: Captured) -> Result<MessageId, Error> {
        let (row, mail) = shelf::rows_of(captured);
        let id = self.store.write(move |tx| shelf::put(tx, &row, &mail));
        let id = id.await?;
        self.minutes.count(self.world.now(), 0);
        Ok(id)
    }

    /// How many mails came in in the minute of `at`.
    pub fn minute(&self, at: Timestamp) -> u64 {
        self.minutes.of(at)[0]
    }

    /// The mails that match, newest first, those below `cursor` if one is given; at most `limit`
    /// of them. `total` as with [`Inbox::page`].
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(
        &self,
        filter: Filter,
        cursor: Option<MessageId>,
        limit: usize,
    ) -> Result<List, Error> {
        let ask = Ask {
            cursor: cursor.map(|cursor| place(&cursor)),
            ..Ask::newest(limit)
        };
        let page = match self.page(filter, Sort::ReceivedAt, ask).await {
            Ok(page) => page,
            Err(PageError::Store(error)) => return Err(error),
            Err(PageError::TooMany | PageError::NoPlace) => unreachable!("nothing is sorted"),
        };
        let next = page.next.as_ref();
        Ok(List {
            next_cursor: next
                .map(|next| MessageId::decode(&mut next.as_slice()))
                .transpose()?,
            items: page.items,
            total: page.total,
        })
    }

    /// A page of the mails that match. May hold fewer than asked for although there are more.
    /// `total` is exact without a filter, and with one while there are no more mails than are
    /// counted (10 000) or all were looked at anyway.
    ///
    /// # Errors
    /// Too many to be sorted, a cursor that is none, or the store.
    pub async fn page(
        &self,
        filter: Filter,
        sort: Sort,
        ask: Ask,
    ) -> Result<Page<Summary>, PageError> {
        let matcher = Matcher::new(&filter);
        let long = sort != Sort::ReceivedAt || matcher.is_given();
        let turn = self.turn_to_search(&matcher).await;
        let look = move |snapshot: &Snapshot<'_>| {
            let page = search::page(snapshot, &matcher, sort, &ask);
            drop(turn);
            page
        };
        match long {
            true => self.store.search(look).await,
            false => self.store.scan(look).await,
        }
    }

    /// The mail with everything that can be read from it.
    pub async fn get(&self, id: MessageId) -> Result<Option<Message>, Error> {
        self.read(id, move |row, mail| {
            content::message(row.into_summary(id), mail)
        })
        .await
    }

    /// The bytes of the mail, exactly as they came.
    pub async fn raw(&self, id: MessageId) -> Result<Option<Vec<u8>>, Error> {
        self.read(id, |_, mail| mail.raw).await
    }

    /// The attachment at `index` of [`Message::attachments`].
    pub async fn attachment(
        &self,
        id: MessageId,
        index: usize,
    ) -> Result<Option<AttachmentBytes>, Error> {
        let found = self
            .read(id, move |_, mail| content::attachment(&mail.raw, index))
            .await?;
        Ok(found.flatten())
    }

    /// The HTML of the mail, made safe to be shown in a frame; `None` when there is no such mail or
    /// it has no HTML.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn safe_html(
        &self,
        id: MessageId,
        remote: Remote,
    ) -> Result<Option<SafeHtml>, Error> {
        let found = self
            .read(id, |_, mail| content::html_and_pictures(&mail.raw))
            .await?;
        let Some((html, carried)) = found.flatten() else {
            return Ok(None);
        };
        // Not before: whoever reads a large mail takes a turn of its own.
        let turn = self.turn().await;
        let work = tokio::task::spawn_blocking(move || {
            let safe = safe_html::clean(&html, carried, remote);
            drop(turn);
            safe
        });
        work.await.map(Some).map_err(|_| Error::Panicked)
    }

    /// What `work` makes of the mail. A large one waits for its turn; no other one ever does.
    async fn read<T, F>(&self, id: MessageId, work: F) -> Result<Option<T>, Error>
    where
        F: Fn(SummaryRow, MailRow) -> T + Clone + Send + 'static,
        T: Send + 'static,
    {
        enum Seen<T> {
            Nothing,
            Large,
            Mail(T),
        }
        let mut turn = None;
        loop {
            let (work, held) = (work.clone(), turn.take());
            let seen = self.store.scan(move |snapshot| {
                let Some(row) = snapshot.get(&SUMMARIES, &id)? else {
                    return Ok(Seen::Nothing);
                };
                if held.is_none() && row.size() > LARGE {
                    return Ok(Seen::Large);
                }
                let mail = snapshot.get(&MAILS, &id)?;
                let seen = mail.map_or(Seen::Nothing, |mail| Seen::Mail(work(row, mail)));
                // Held in here, since this runs to its end also when nobody waits for it any more.
                drop(held);
                Ok::<_, Error>(seen)
            });
            match seen.await? {
                Seen::Nothing => return Ok(None),
                Seen::Mail(made) => return Ok(Some(made)),
                Seen::Large => turn = Some(self.turn().await),
            }
        }
    }

    async fn turn(&self) -> OwnedSemaphorePermit {
        let turn = self.readers.clone().acquire_owned().await;
        turn.expect("the semaphore is never closed")
    }

    /// A search that looks into mails takes its turn with those who read large ones.
    async fn turn_to_search(&self, matcher: &Matcher) -> Option<OwnedSemaphorePermit> {
        if matcher.reads_mails() {
            Some(self.turn().await)
        } else {
            None
        }
    }

    /// Removes the mail; `false` when it was not there. `entry` goes on record with it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn delete(&self, id: MessageId, entry: audit::Entry) -> Result<bool, Error> {
        let removed = self.store.write(move |tx| {
            let removed = shelf::remove(tx, &[id])?;
            if removed > 0 {
                audit::record(tx, &entry);
            }
            Ok::<_, Error>(removed)
        });
        Ok(removed.await? > 0)
    }

    /// Removes all mails that are there when it is called, in several transactions when they are
    /// many; says how many. What comes in meanwhile stays. Each transaction puts one of `entry` on
    /// record, with how many it removed.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn clear(&self, entry: impl Fn() -> audit::Entry) -> Result<u64, Error> {
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
            let entry = entry();
            let some = self
                .store
                .write(move |tx| {
                    let ids = tx
                        .scan(SUMMARIES.all().up_to(&last))?
                        .take(CLEARED_AT_ONCE)
                        .map(|row| row.map(|(id, _)| id))
                        .collect::<Result<Vec<_>, Error>>()?;
                    let removed = shelf::remove(tx, &ids)?;
                    if removed > 0 {
                        audit::record(tx, &entry.clone().detail(&removed.to_string()));
                    }
                    Ok::<_, Error>(removed)
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
    /// Without, the newest match that is there, else the first to come; looked for among the
    /// newest 10 000, and with [`Filter::q`] among the newest that make up 64 MiB besides.
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
            let turn = self.turn_to_search(&matcher).await;
            let look = self
                .store
                .scan(move |snapshot| {
                    let look = match from {
                        Some(after) => search::find_after(snapshot, &matcher, after),
                        None => search::find_newest(snapshot, &matcher),
                    };
                    drop(turn);
                    look
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Options;
    use crate::world::Simulated;
    use futures_util::FutureExt as _;

    #[tokio::test]
    async fn large_mails_and_searches_take_turns_and_small_mails_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb"), Options::default()).unwrap();
        let inbox = Inbox::new(store, Events::default(), Simulated::new(1).world());
        let mail = |octets: u64| Captured {
            raw: vec![b'x'; usize::try_from(octets).unwrap()],
            ..Captured::default()
        };
        let small = inbox.receive(mail(LARGE)).await.unwrap();
        let large = inbox.receive(mail(LARGE + 1)).await.unwrap();
        let others = u32::try_from(READERS).unwrap();
        let others = inbox.readers.clone().acquire_many_owned(others).await;
        let search = Filter {
            q: Some("xx".to_owned()),
            ..Filter::default()
        };
        let (mut raw, mut get, mut part, mut list, mut wait) = (
            Box::pin(inbox.raw(large)),
            Box::pin(inbox.get(large)),
            Box::pin(inbox.attachment(large, 0)),
            Box::pin(inbox.list(search.clone(), None, 1)),
            Box::pin(inbox.wait(search, None, Duration::from_secs(1))),
        );
        // Each time a small mail was read the others had their chance.
        for _ in 0..20 {
            assert!(inbox.raw(small).await.unwrap().is_some());
            assert!(inbox.get(small).await.unwrap().is_some());
            assert!((&mut raw).now_or_never().is_none());
            assert!((&mut get).now_or_never().is_none());
            assert!((&mut part).now_or_never().is_none());
            assert!((&mut list).now_or_never().is_none());
            assert!((&mut wait).now_or_never().is_none());
        }
        drop(others);
        assert_eq!(raw.await.unwrap().unwrap().len() as u64, LARGE + 1);
        assert!(get.await.unwrap().is_some());
        assert_eq!(part.await.unwrap(), None);
        assert_eq!(list.await.unwrap().items[0].id, large);
        assert_eq!(wait.await.unwrap().unwrap().summary.id, large);
    }
}
