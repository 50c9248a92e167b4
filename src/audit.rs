//! What happened: rows that are only ever added, written in the transaction of what they tell of,
//! and forgotten by age alone. No secret belongs here, and nothing reads it to decide anything.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::events::Topic;
use crate::id::DRAWN_WITHIN;
use crate::id::identifier;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::store::page::Ask;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;
use crate::store::page::place;
use crate::store::page::walk;
use crate::world::Timestamp;
use crate::world::World;

identifier!(
    /// One entry of the audit record; they sort by the time at which they were made.
    AuditId,
    "au"
);

/// How an action ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused, for the reason in the entry's detail.
    Refused,
}

impl Outcome {
    /// Its stable word.
    pub const fn word(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        }
    }

    /// The outcome of this word.
    pub fn from_word(word: &str) -> Option<Outcome> {
        let all = [Outcome::Done, Outcome::Refused];
        all.into_iter().find(|outcome| outcome.word() == word)
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its identifier; also the key, so it is not stored twice.
    #[serde(skip, default = "no_id")]
    pub id: Option<AuditId>,
    /// When.
    #[serde(rename = "t")]
    pub at: Timestamp,
    /// Who did it: a user's id, `anonymous`, `operator`, `operator:NAME` or `gatepost`.
    #[serde(rename = "a")]
    pub actor: String,
    /// What was done, as a stable word such as `login`.
    #[serde(rename = "v")]
    pub action: String,
    /// To whom or what: an address, an id.
    #[serde(rename = "s")]
    pub subject: String,
    /// How it ended.
    #[serde(rename = "o")]
    pub outcome: Outcome,
    /// From where, when it came over the network.
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// Anything else worth knowing; never a secret.
    #[serde(rename = "d", default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

fn no_id() -> Option<AuditId> {
    None
}

const ENTRIES: Table<AuditId, Entry> = Table::new("audit.entry");

/// What concerns somebody: by the subject, and by the actor where that is one of many. What
/// everybody does as `anonymous` is found by its subject alone: that path is a hot one.
const CONCERNS: Table<(String, AuditId), ()> = Table::new("audit.concerns");

impl Entry {
    /// A new entry: `actor` did `action` to `subject` now.
    pub fn new(world: &World, actor: &str, action: &str, subject: &str) -> Entry {
        let derived = Entry::derived(world.now(), [0; 10], actor, action, subject);
        Entry {
            id: Some(AuditId::draw(world)),
            ..derived
        }
    }

    /// An entry of what a transaction finds out only while it runs, and therefore cannot draw a
    /// name for: one of `at` and of `chance`, which says the same whenever it is asked again.
    pub fn derived(
        at: Timestamp,
        chance: [u8; 10],
        actor: &str,
        action: &str,
        subject: &str,
    ) -> Entry {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        id[6..].copy_from_slice(&chance);
        Entry {
            id: Some(AuditId::from_bytes(id)),
            at,
            actor: actor.to_owned(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            outcome: Outcome::Done,
            ip: None,
            detail: String::new(),
        }
    }

    /// The same, from `ip`.
    #[must_use]
    pub fn from(mut self, ip: IpAddr) -> Entry {
        self.ip = Some(ip);
        self
    }

    /// The same, with something worth knowing.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Entry {
        detail.clone_into(&mut self.detail);
        self
    }

    /// Whom it concerns.
    fn concerns(&self) -> impl Iterator<Item = String> {
        let actor = Some(&self.actor)
            .filter(|actor| !matches!(actor.as_str(), "anonymous" | "gatepost" | "operator"))
            .filter(|actor| **actor != self.subject);
        [&self.subject]
            .into_iter()
            .chain(actor)
            .map(|who| filed(who))
    }

    /// The same, refused because of `reason`.
    #[must_use]
    pub fn refused(mut self, reason: &str) -> Entry {
        self.outcome = Outcome::Refused;
        self.detail(reason)
    }
}

/// Under which text somebody is found: an address is in whatever case.
fn filed(who: &str) -> String {
    match who.contains('@') {
        true => who.to_lowercase(),
        false => who.to_owned(),
    }
}

/// Adds `entry` to the record, with the transaction.
pub fn record(tx: &mut Tx<'_>, entry: &Entry) {
    if let Some(id) = entry.id {
        tx.put(&ENTRIES, &id, entry);
        for who in entry.concerns() {
            tx.put(&CONCERNS, &(who, id), &());
        }
        tx.wake(Topic::Audit);
    }
}

/// The newest entry, if there is any.
pub fn newest(read: &impl Read) -> Result<Option<AuditId>, store::Error> {
    let newest = read.scan(ENTRIES.all().backwards())?.next();
    Ok(newest.transpose()?.map(|(id, _)| id))
}

/// Which entries to list. All that is given must match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Who did it.
    pub actor: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// To whom or what.
    pub subject: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// A part of anything that is told of it, in any case.
    pub q: Option<String>,
}

/// How many entries are counted for the sake of a page's total.
const COUNTED: u64 = 10_000;

impl Filter {
    fn takes(&self, id: AuditId, entry: &Entry) -> bool {
        let same = |wanted: &Option<String>, is: &String| {
            let wanted = wanted.as_ref();
            wanted.is_none_or(|wanted| wanted == is)
        };
        same(&self.actor, &entry.actor)
            && same(&self.action, &entry.action)
            && same(&self.subject, &entry.subject)
            && self.outcome.is_none_or(|outcome| outcome == entry.outcome)
            && self.q.as_ref().is_none_or(|q| {
                let ip = entry.ip.map(|ip| ip.to_string()).unwrap_or_default();
                let texts = [
                    &entry.subject,
                    &entry.actor,
                    &entry.action,
                    &entry.detail,
                    &ip,
                    &id.to_string(),
                ];
                let outcome = entry.outcome.word().contains(q.as_str());
                outcome || texts.iter().any(|text| text.to_lowercase().contains(q))
            })
    }
}

/// A page of the entries that match, by the time at which they were made.
///
/// # Errors
/// A cursor that is none, or the store.
pub fn list(read: &impl Read, filter: &Filter, ask: &Ask) -> Result<Page<Entry>, PageError> {
    let q = filter.q.as_ref().map(|q| q.trim().to_lowercase());
    let filter = Filter {
        q: q.filter(|q| !q.is_empty()),
        ..filter.clone()
    };
    let at = ask.at()?;
    let rows = read.scan(ask.part(ENTRIES.all(), at.as_ref()))?;
    let rows = rows.map(|row| row.map(|row| (place(&row.0), row)));
    let take = |(id, entry): (AuditId, Entry)| {
        let found = filter.takes(id, &entry);
        Ok(found.then_some(Entry {
            id: Some(id),
            ..entry
        }))
    };
    let mut page = walk(rows, ask, LOOK, None, take)?;
    page.total = match filter == Filter::default() {
        true => count(read, LOOK as u64)?,
        false => match (&page.next, &page.prev, count(read, COUNTED)?) {
            (None, None, _) => Some(page.items.len() as u64),
            (_, _, None) => None,
            (_, _, Some(_)) => {
                let mut matching = 0;
                for row in read.scan(ENTRIES.all())? {
                    let (id, entry) = row?;
                    matching += u64::from(filter.takes(id, &entry));
                }
                Some(matching)
            }
        },
    };
    Ok(page)
}

/// How many entries there are; `None` when they are more than `most`.
///
/// # Errors
/// Those of the store.
pub fn count(read: &impl Read, most: u64) -> Result<Option<u64>, store::Error> {
    read.count(ENTRIES.all(), most)
}

/// The entries whose subject or actor is `who`, at most `limit` of them: the newest at or before
/// `from`, or, `upwards`, the oldest at or after it.
///
/// # Errors
/// Those of the store.
pub fn concerning(
    read: &impl Read,
    who: &str,
    from: Option<Timestamp>,
    upwards: bool,
    limit: usize,
) -> Result<Vec<Entry>, store::Error> {
    let who = filed(who);
    let edge = |chance: u8| {
        // A name may be drawn a moment after the time that the entry tells.
        let slack = if chance == 0 {
            Duration::ZERO
        } else {
            DRAWN_WITHIN
        };
        let at = from.unwrap_or_default() + slack;
        let id = Entry::derived(at, [chance; 10], "", "", "").id;
        (who.clone(), id.expect("it was just made"))
    };
    let mut range = CONCERNS.under(&who);
    range = match (from, upwards) {
        (None, false) => range.backwards(),
        (None, true) => range,
        (Some(_), false) => range.up_to(&edge(0xff)).backwards(),
        // `after` a key leaves it out; the least one of a moment is nobody's.
        (Some(_), true) => range.after(&edge(0)),
    };
    let mut entries = Vec::new();
    for row in read.scan(range)?.take(limit) {
        let ((_, id), ()) = row?;
        if let Some(entry) = read.get(&ENTRIES, &id)? {
            entries.push(Entry {
                id: Some(id),
                ..entry
            });
        }
    }
    Ok(entries)
}

/// Whether the oldest entry is older than `before`.
pub fn any_before(read: &impl Read, before: Timestamp) -> Result<bool, store::Error> {
    let oldest = read.scan(ENTRIES.all())?.next().transpose()?;
    Ok(oldest.is_some_and(|(_, entry)| entry.at < before))
}

/// Forgets entries older than `before`, the oldest first, at most `limit`; answers how many.
pub fn forget_before(
    tx: &mut Tx<'_>,
    before: Timestamp,
    limit: usize,
) -> Result<usize, store::Error> {
    let mut old = Vec::new();
    for row in tx.scan(ENTRIES.all())?.take(limit) {
        let (id, entry) = row?;
        if entry.at >= before {
            break;
        }
        old.push((id, entry));
    }
    for (id, entry) in &old {
        tx.delete(&ENTRIES, id);
        for who in entry.concerns() {
            tx.delete(&CONCERNS, &(who, *id));
        }
    }
    Ok(old.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Store;
    use crate::world::Simulated;

    #[tokio::test]
    async fn entries_are_listed_newest_first_and_forgotten_by_age() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("s"), Default::default()).unwrap();
        let simulated = Simulated::new(1);
        let world = simulated.world();
        for n in 0..5 {
            let entry = Entry::new(&world, "anonymous", "login", &n.to_string())
                .from("192.0.2.1".parse().unwrap())
                .refused("wrong password");
            let write = move |tx: &mut Tx<'_>| {
                record(tx, &entry);
                Ok::<_, store::Error>(())
            };
            store.write(write).await.unwrap();
            simulated.advance(Duration::from_secs(10));
        }
        let page = |filter: Filter, ask: Ask| {
            let store = store.clone();
            async move {
                let read = store.read(|read| list(read, &filter, &ask));
                read.await.unwrap()
            }
        };
        let subjects = |page: &Page<Entry>| -> Vec<String> {
            let entries = page.items.iter();
            entries.map(|entry| entry.subject.clone()).collect()
        };
        let all = Filter::default;
        let first = page(all(), Ask::newest(2)).await;
        assert_eq!(
            (subjects(&first), first.total),
            (vec!["4".into(), "3".into()], Some(5))
        );
        let more = |place: &Option<Vec<u8>>, back| Ask {
            cursor: Some(place.clone().unwrap()),
            back,
            ..Ask::newest(2)
        };
        let second = page(all(), more(&first.next, false)).await;
        assert_eq!(subjects(&second), ["2", "1"]);
        assert_eq!(page(all(), more(&second.prev, true)).await, first);
        let third = page(all(), more(&second.next, false)).await;
        assert_eq!((subjects(&third), third.next), (vec!["0".to_owned()], None));
        let wanted = Filter {
            outcome: Some(Outcome::Refused),
            q: Some(" WRONG".to_owned()),
            subject: Some("3".to_owned()),
            ..all()
        };
        let found = page(wanted, Ask::newest(2)).await;
        assert_eq!(
            (subjects(&found), found.total),
            (vec!["3".to_owned()], Some(1))
        );
        let before = world.now().minus(Duration::from_secs(20));
        let forget = move |tx: &mut Tx<'_>| forget_before(tx, before, 2);
        assert_eq!(store.write(forget).await, Ok(2));
        assert_eq!(store.write(forget).await, Ok(1));
        assert_eq!(store.write(forget).await, Ok(0));
        let about = |who: &'static str| {
            let store = store.clone();
            async move {
                let read = store.read(|read| concerning(read, who, None, false, 9));
                read.await.unwrap().len()
            }
        };
        assert_eq!((about("0").await, about("4").await), (0, 1));
        let left = page(all(), Ask::newest(9)).await;
        assert_eq!(left.items.len(), 2);
        assert_eq!(left.items[0].ip, Some("192.0.2.1".parse().unwrap()));
    }
}
