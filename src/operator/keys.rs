//! API keys: who of the team's other programs may have mail sent. A key is an opaque token of
//! which only the hash is stored; what may be done with one is in `send`.

use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;

use super::By;
use super::Operator;
use crate::audit;
use crate::id::identifier;
use crate::secret::Token;
use crate::secret::TokenHash;
use crate::secret::TokenKind;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::text::hides;
use crate::text::is_visible;
use crate::text::shapes;
use crate::world::Timestamp;

identifier!(
    /// An API key, as lists and records name it. It gives no access.
    KeyId,
    "ak"
);

/// An API key, without the key itself, which is seen once, when it is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its name in lists and records.
    pub id: KeyId,
    /// What it is called by people: which program has it.
    pub name: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, give or take an hour; `None`: never.
    pub last_used_at: Option<Timestamp>,
}

/// A key that was presented and is good.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Which.
    pub id: KeyId,
    pub(super) hash: TokenHash,
}

/// Why a key was not made, taken away or accepted.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The name is empty, too long, or not what it looks like.
    #[error("a name has 1 to {NAME_CHARS} characters, all of them visible")]
    Name,
    /// Another key has the name.
    #[error("another key has this name")]
    NameTaken,
    /// There are as many as there may be.
    #[error("there are {MOST} keys already; revoke one that nobody uses")]
    TooMany,
    /// No key has this identifier.
    #[error("there is no such key")]
    NotFound,
    /// What was presented is no key, or it was revoked.
    #[error("a valid API key is required")]
    Refused,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    #[serde(rename = "i")]
    id: KeyId,
    #[serde(rename = "n")]
    name: String,
    #[serde(rename = "c")]
    created: Timestamp,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    used: Option<Timestamp>,
}

/// By the hash, so that checking one is a single look-up.
const KEYS: Table<TokenHash, Row> = Table::new("operator.key");
const HASHES: Table<KeyId, TokenHash> = Table::new("operator.key.id");

/// The longest name, in characters.
const NAME_CHARS: usize = 64;
/// More than a small team's programs need; all of them are read to make or list one.
const MOST: usize = 1000;
/// How often the last use is written down.
const NOTED_EVERY: Duration = Duration::from_secs(3600);

impl Row {
    fn view(self) -> ApiKey {
        ApiKey {
            id: self.id,
            name: self.name,
            created_at: self.created,
            last_used_at: self.used,
        }
    }
}

/// Every key with its hash, oldest first.
fn all(read: &impl Read) -> Result<Vec<Row>, store::Error> {
    let mut rows = Vec::new();
    for entry in read.scan(HASHES.all())? {
        let (_, hash) = entry?;
        rows.extend(read.get(&KEYS, &hash)?);
    }
    Ok(rows)
}

/// Whether the key of this hash is good.
pub(super) fn is_good(read: &impl Read, hash: &TokenHash) -> Result<bool, store::Error> {
    Ok(read.get(&KEYS, hash)?.is_some())
}

impl Operator {
    /// Makes a key called `name`, for `by`. The token that is answered is not seen again.
    ///
    /// # Errors
    /// The name, too many keys, or the store.
    pub async fn create_key(&self, name: &str, by: &By) -> Result<(ApiKey, Token), KeyError> {
        let name = name.trim();
        let odd = name.chars().any(|c| hides(c) && !shapes(c));
        if odd || !is_visible(name) || name.chars().count() > NAME_CHARS {
            return Err(KeyError::Name);
        }
        let token = Token::draw(&self.world, TokenKind::ApiKey);
        let hash = token.hash();
        let row = Row {
            id: KeyId::draw(&self.world),
            name: name.to_owned(),
            created: self.world.now(),
            used: None,
        };
        let entry = self
            .entry("key_create", &row.id.to_string(), by)
            .detail(name);
        let made = self
            .store
            .write(move |tx| {
                let others = all(tx)?;
                if others.len() >= MOST {
                    return Err(KeyError::TooMany);
                }
                if others.iter().any(|other| other.name == row.name) {
                    return Err(KeyError::NameTaken);
                }
                tx.put(&KEYS, &hash, &row);
                tx.put(&HASHES, &row.id, &hash);
                audit::record(tx, &entry);
                Ok(row.clone().view())
            })
            .await?;
        Ok((made, token))
    }

    /// All keys, oldest first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn keys(&self) -> Result<Vec<ApiKey>, store::Error> {
        let rows = self.store.scan(|read| all(read)).await?;
        Ok(rows.into_iter().map(Row::view).collect())
    }

    /// Takes the key away, for `by`: from now on nobody is let in by it. Mail that it ordered
    /// still goes out.
    ///
    /// # Errors
    /// No such key, or the store.
    pub async fn revoke_key(&self, id: KeyId, by: &By) -> Result<(), KeyError> {
        let entry = self.entry("key_revoke", &id.to_string(), by);
        self.store
            .write(move |tx| {
                let hash = tx.get(&HASHES, &id)?.ok_or(KeyError::NotFound)?;
                let row = tx.get(&KEYS, &hash)?;
                let name = row.map(|row| row.name).unwrap_or_default();
                tx.delete(&KEYS, &hash);
                tx.delete(&HASHES, &id);
                audit::record(tx, &entry.clone().detail(&name));
                Ok(())
            })
            .await
    }

    /// Who presents this text as a key.
    ///
    /// # Errors
    /// It is no key or was revoked, or the store.
    pub async fn key_holder(&self, presented: &str) -> Result<Holder, KeyError> {
        // No other text was ever given out; it is not worth a hash.
        if !presented.starts_with("gpk_") || presented.len() > 64 {
            return Err(KeyError::Refused);
        }
        let hash = TokenHash::of(presented);
        let found = self.store.read(|read| read.get(&KEYS, &hash)).await?;
        let row = found.ok_or(KeyError::Refused)?;
        let now = self.world.now();
        if row.used.is_none_or(|used| used + NOTED_EVERY <= now) {
            self.note_use(hash, now).await;
        }
        Ok(Holder { id: row.id, hash })
    }

    async fn note_use(&self, hash: TokenHash, now: Timestamp) {
        let noted = self
            .store
            .write(move |tx| {
                if let Some(mut row) = tx.get(&KEYS, &hash)?
                    && row.used.is_none_or(|used| used + NOTED_EVERY <= now)
                {
                    row.used = Some(now);
                    tx.put(&KEYS, &hash, &row);
                }
                Ok::<_, store::Error>(())
            })
            .await;
        if let Err(error) = noted {
            // Whoever asks is let in all the same; what they ask for meets the store by itself.
            tracing::warn!(%error, "the last use of an API key was not written down");
        }
    }
}
