//! Typed tables over the one ordered map, and the ranges that are read from them.

use std::marker::PhantomData;
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Error, Key};

/// A table: its name in the map, the type of its keys and that of its values. Values are
/// MessagePack with named fields, so that a field can be added without a migration: give it
/// `#[serde(default)]`.
#[derive(Debug)]
pub struct Table<K, V> {
    name: &'static str,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: Serialize + DeserializeOwned> Table<K, V> {
    /// The table called `name`; names are unique in the whole program (a test looks).
    pub const fn new(name: &'static str) -> Table<K, V> {
        Table {
            name,
            types: PhantomData,
        }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// All rows.
    pub fn all(&self) -> Scan<K, V> {
        self.under(&())
    }

    /// The rows whose key begins with `prefix`: the first part of a tuple, or the first few.
    pub fn under(&self, prefix: &impl Key) -> Scan<K, V> {
        let mut from = self.prefix();
        prefix.encode(&mut from);
        Scan {
            table: self.name,
            to: successor(&from),
            from: Bound::Included(from),
            backwards: false,
            types: PhantomData,
        }
    }

    fn prefix(&self) -> Vec<u8> {
        let mut prefix = Vec::with_capacity(48);
        prefix.extend_from_slice(self.name.as_bytes());
        prefix.push(0);
        prefix
    }

    pub(super) fn key_bytes(&self, key: &K) -> Vec<u8> {
        let mut bytes = self.prefix();
        key.encode(&mut bytes);
        bytes
    }

    pub(super) fn encode_value(value: &V) -> Vec<u8> {
        rmp_serde::to_vec_named(value).expect("a record is made of what MessagePack can hold")
    }

    pub(super) fn decode_value(&self, bytes: &[u8]) -> Result<V, Error> {
        rmp_serde::from_slice(bytes).map_err(|error| Error::Malformed {
            table: self.name,
            reason: error.to_string().into(),
        })
    }
}

/// The least key above all that begin with `prefix`.
fn successor(prefix: &[u8]) -> Bound<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < 0xff {
            end.push(last + 1);
            return Bound::Excluded(end);
        }
    }
    Bound::Unbounded
}

/// A range of a table, in one direction. Made by [`Table::all`] and [`Table::under`].
#[derive(Debug)]
pub struct Scan<K, V> {
    pub(super) table: &'static str,
    pub(super) from: Bound<Vec<u8>>,
    pub(super) to: Bound<Vec<u8>>,
    pub(super) backwards: bool,
    types: PhantomData<fn() -> (K, V)>,
}

impl<K: Key, V: Serialize + DeserializeOwned> Scan<K, V> {
    fn bound(&self, key: &impl Key) -> Vec<u8> {
        let mut bytes = Table::<K, V>::new(self.table).prefix();
        key.encode(&mut bytes);
        bytes
    }

    /// Only rows above `key` (or a prefix of one: then above all that begin with it).
    #[must_use]
    pub fn after(mut self, key: &impl Key) -> Scan<K, V> {
        self.from = match successor(&self.bound(key)) {
            Bound::Excluded(next) => Bound::Included(next),
            other => other,
        };
        self
    }

    /// Only rows below `key` (or a prefix of one).
    #[must_use]
    pub fn before(mut self, key: &impl Key) -> Scan<K, V> {
        self.to = Bound::Excluded(self.bound(key));
        self
    }

    /// Only rows at or below `key` (or a prefix of one: then up to all that begin with it).
    #[must_use]
    pub fn up_to(mut self, key: &impl Key) -> Scan<K, V> {
        self.to = successor(&self.bound(key));
        self
    }

    /// From the last row to the first.
    #[must_use]
    pub fn backwards(mut self) -> Scan<K, V> {
        self.backwards = true;
        self
    }

    pub(super) fn decode(&self, key: &[u8], value: &[u8]) -> Result<(K, V), Error> {
        let table = Table::<K, V>::new(self.table);
        let mut rest = &key[self.table.len() + 1..];
        let key = K::decode(&mut rest).map_err(|_| Error::Malformed {
            table: self.table,
            reason: "a key is not of the table's type".into(),
        })?;
        Ok((key, table.decode_value(value)?))
    }
}
