//! How many mails of one API key wait in the outbox: a program that runs wild must not fill it. The
//! list may hold some that are done with; those are looked for when it counts.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use super::keys::KeyId;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

/// How many a key may have unsent.
pub(super) const MOST: u32 = 10_000;
/// How often a full list is looked through, and when it is worth to ask again.
const LOOKED_EVERY: Duration = Duration::from_secs(30);
/// How many are looked at with each new one: more than one, so that the list gets shorter.
const LOOKED_AT: usize = 3;

const MAILS: Table<(KeyId, OutboxId), ()> = Table::new("operator.unsent");
const COUNTS: Table<KeyId, Row> = Table::new("operator.unsent.count");

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "n")]
    count: u32,
    /// When all of them were looked through.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    looked: Option<Timestamp>,
}

/// There are as many as there may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{most} mails that this key ordered are not sent yet")]
pub struct TooManyUnsent {
    /// How many there may be.
    pub most: u32,
    /// When it is worth to ask again.
    pub retry_after: Duration,
}

impl Row {
    fn is_full(self, most: u32, now: Timestamp) -> bool {
        let lately = |looked| now < looked + LOOKED_EVERY && looked <= now + LOOKED_EVERY;
        self.count >= most && self.looked.is_some_and(lately)
    }
}

const fn refusal(most: u32) -> TooManyUnsent {
    TooManyUnsent {
        most,
        retry_after: LOOKED_EVERY,
    }
}

/// Whether `holder` is known to have as many as there may be.
///
/// # Errors
/// Those of the store.
pub(super) fn check(
    read: &impl Read,
    holder: KeyId,
    most: u32,
    now: Timestamp,
) -> Result<Result<(), TooManyUnsent>, store::Error> {
    let row = read.get(&COUNTS, &holder)?.unwrap_or_default();
    Ok(match row.is_full(most, now) {
        true => Err(refusal(most)),
        false => Ok(()),
    })
}

/// Notes that `holder` ordered `mail`, or says that there are too many already.
///
/// # Errors
/// Those of the store.
pub(super) fn note(
    tx: &mut Tx<'_>,
    holder: KeyId,
    mail: OutboxId,
    most: u32,
    now: Timestamp,
) -> Result<Result<(), TooManyUnsent>, store::Error> {
    let mut row = tx.get(&COUNTS, &holder)?.unwrap_or_default();
    if row.is_full(most, now) {
        return Ok(Err(refusal(most)));
    }
    let full = row.count >= most;
    row.count = row.count.saturating_sub(forget(
        tx,
        holder,
        match full {
            true => usize::MAX,
            false => LOOKED_AT,
        },
    )?);
    if full {
        row.looked = Some(now);
    }
    let room = row.count < most;
    if room {
        row.count += 1;
        tx.put(&MAILS, &(holder, mail), &());
    }
    tx.put(&COUNTS, &holder, &row);
    Ok(if room { Ok(()) } else { Err(refusal(most)) })
}

/// Takes those of the first `many` off the list that are done with. Says how many.
fn forget(tx: &mut Tx<'_>, holder: KeyId, many: usize) -> Result<u32, store::Error> {
    let first: Vec<_> = tx
        .scan(MAILS.under(&holder))?
        .take(many)
        .collect::<Result<_, _>>()?;
    let mut gone = 0;
    for (key, ()) in first {
        if outbox::get(tx, key.1)?.is_none_or(|row| row.is_final()) {
            tx.delete(&MAILS, &key);
            gone += 1;
        }
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::EmailAddress;
    use crate::mail::Content;
    use crate::mail::Lane;
    use crate::mail::Mailer;
    use crate::mail::Message;
    use crate::mail::Settings;
    use crate::secret::Keys;
    use crate::store::Options;
    use crate::store::Store;
    use crate::world::Simulated;

    fn set_up() -> (tempfile::TempDir, Store, Mailer, Timestamp) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store.redb"), Options::default()).unwrap();
        let world = Simulated::new(1).world();
        let now = world.now();
        let settings = Settings {
            from: "a@example.com".parse().unwrap(),
            site_name: "Example".to_owned(),
            base_url: "https://example.com".to_owned(),
            templates: None,
        };
        let mailer = Mailer::new(settings, Keys::from_root(&[1; 32]), world).unwrap();
        (folder, store, mailer, now)
    }

    /// Orders one mail of at most two; says its name, or that there are too many.
    async fn order(
        store: &Store,
        mailer: &Mailer,
        now: Timestamp,
    ) -> Result<OutboxId, TooManyUnsent> {
        let written = Content::Written {
            subject: "s",
            text: "x",
            html: None,
        };
        let to: EmailAddress = "ann@example.com".parse().unwrap();
        let languages = [crate::language::Language::En; 2];
        let draft = mailer.draft(written, languages, to.as_str()).unwrap();
        let message = Message {
            to: &to,
            lane: Lane::Ordinary,
            not_before: None,
            worth_sending_for: Duration::from_secs(3600),
            ordered_by: "ak_x",
        };
        let letter = mailer.letter(draft, &message).unwrap();
        let holder = KeyId::from_bytes([1; 16]);
        let noted = store.write(move |tx| {
            if let Err(many) = note(tx, holder, letter.id, 2, now)? {
                return Ok::<_, store::Error>(Err(many));
            }
            outbox::enqueue(tx, &letter)?;
            Ok(Ok(letter.id))
        });
        noted.await.unwrap()
    }

    #[tokio::test]
    async fn a_key_that_has_as_many_unsent_as_may_be_waits_until_some_are_done_with() {
        let (_folder, store, mailer, now) = set_up();
        let first = order(&store, &mailer, now).await.unwrap();
        order(&store, &mailer, now).await.unwrap();
        let many = order(&store, &mailer, now).await.unwrap_err();
        assert_eq!((many.most, many.retry_after), (2, LOOKED_EVERY));
        // One is done with; nobody looks before the half minute went by.
        let discard = store.write(move |tx| outbox::discard(tx, first, now).map(drop));
        discard.await.unwrap();
        assert!(order(&store, &mailer, now).await.is_err());
        let known = store.read(|read| check(read, KeyId::from_bytes([1; 16]), 2, now));
        assert!(known.await.unwrap().is_err());
        let later = now + LOOKED_EVERY;
        order(&store, &mailer, later).await.unwrap();
        assert!(order(&store, &mailer, later + LOOKED_EVERY).await.is_err());
        store.close().await;
    }

    #[tokio::test]
    async fn a_key_whose_mails_go_out_is_never_full() {
        let (_folder, store, mailer, now) = set_up();
        for _ in 0..20 {
            let id = order(&store, &mailer, now).await.unwrap();
            let discard = store.write(move |tx| outbox::discard(tx, id, now).map(drop));
            discard.await.unwrap();
        }
        store.close().await;
    }
}
