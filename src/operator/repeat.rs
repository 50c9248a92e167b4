//! Orders that are repeated: a program that did not hear the answer asks again with the same
//! idempotency key, and gets the mail that it ordered the first time, within a day.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use serde_bytes::ByteArray;

use super::keys::KeyId;
use super::send::SendError;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::secret::TokenHash;
use crate::store;
use crate::store::Read;
use crate::store::Store;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

/// What a program calls an order, so that a repetition is known: 1 to 255 printable characters of
/// ASCII. Only its hash is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

/// Not an [`IdempotencyKey`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("1 to 255 printable characters of ASCII")]
pub struct MalformedIdempotencyKey;

impl std::fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl IdempotencyKey {
    /// The key that these bytes of a header are.
    ///
    /// # Errors
    /// They are too many, too few, or not all printable ASCII.
    pub fn parse(bytes: &[u8]) -> Result<IdempotencyKey, MalformedIdempotencyKey> {
        let text = std::str::from_utf8(bytes).map_err(|_| MalformedIdempotencyKey)?;
        let printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        match printable && (1..=255).contains(&text.len()) {
            true => Ok(IdempotencyKey(text.to_owned())),
            false => Err(MalformedIdempotencyKey),
        }
    }

    pub(super) fn hash(&self) -> [u8; 32] {
        TokenHash::of(&self.0).to_bytes()
    }
}

/// An order that may be one that came before.
pub(super) struct Repeat {
    /// With which API key.
    pub holder: KeyId,
    /// The idempotency key's hash.
    pub key: [u8; 32],
    /// What is ordered, as a fingerprint.
    pub order: [u8; 32],
    /// When.
    pub at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "m")]
    mail: OutboxId,
    #[serde(rename = "o")]
    order: ByteArray<32>,
    #[serde(rename = "t")]
    at: Timestamp,
}

const ORDERS: Table<(KeyId, [u8; 32]), Row> = Table::new("operator.order");
const BY_AGE: Table<(Timestamp, KeyId, [u8; 32]), ()> = Table::new("operator.order.age");

/// How long a repetition is known.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The mail that was ordered the first time, if this is a repetition.
///
/// # Errors
/// The key came with another order, the outbox has forgotten the mail, or the store.
pub(super) fn found(read: &impl Read, repeat: &Repeat) -> Result<Option<outbox::Item>, SendError> {
    let row = read.get(&ORDERS, &(repeat.holder, repeat.key))?;
    let Some(row) = row.filter(|row| repeat.at < row.at + KEPT) else {
        return Ok(None);
    };
    if *row.order != repeat.order {
        return Err(SendError::Conflict);
    }
    // A mail that was done with and forgotten was sent all the same: it is not made anew.
    let mail = outbox::get(read, row.mail)?.ok_or(SendError::Forgotten)?;
    Ok(Some(outbox::Item {
        id: row.mail,
        row: mail,
    }))
}

/// Notes that `mail` was ordered, in the transaction that puts it into the outbox.
///
/// # Errors
/// Those of the store.
pub(super) fn note(tx: &mut Tx<'_>, repeat: &Repeat, mail: OutboxId) -> Result<(), store::Error> {
    let key = (repeat.holder, repeat.key);
    if let Some(before) = tx.get(&ORDERS, &key)? {
        tx.delete(&BY_AGE, &(before.at, repeat.holder, repeat.key));
    }
    let row = Row {
        mail,
        order: ByteArray::new(repeat.order),
        at: repeat.at,
    };
    tx.put(&ORDERS, &key, &row);
    tx.put(&BY_AGE, &(repeat.at, repeat.holder, repeat.key), &());
    Ok(())
}

/// Forgets up to `limit` idempotency keys that are a day old at `now`. Says how many.
///
/// # Errors
/// Those of the store.
pub async fn sweep(store: &Store, now: Timestamp, limit: usize) -> Result<usize, store::Error> {
    let before = now.minus(KEPT);
    let any = store
        .read(|read| {
            let first = read.scan(BY_AGE.all().up_to(&before))?.next().transpose()?;
            Ok::<_, store::Error>(first.is_some())
        })
        .await?;
    if !any {
        return Ok(0);
    }
    store
        .write(move |tx| {
            let old: Vec<_> = tx
                .scan(BY_AGE.all().up_to(&before))?
                .take(limit)
                .collect::<Result<_, _>>()?;
            for ((at, holder, key), ()) in &old {
                tx.delete(&BY_AGE, &(*at, *holder, *key));
                tx.delete(&ORDERS, &(*holder, *key));
            }
            Ok::<_, store::Error>(old.len())
        })
        .await
}
