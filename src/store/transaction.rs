//! What a transaction sees: the snapshot it began with, under its own changes.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::iter::Peekable;
use std::ops::Bound;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::engine::{RawRow, RawRows, Reader};
use super::{Error, Key, Scan, Table};
use crate::events::Topic;

/// Reading, the same over a [`Snapshot`] and within a [`Tx`].
pub trait Read {
    /// The bytes below the typed interface.
    fn reader(&self) -> &dyn Reader;

    /// The row at `key`.
    fn get<K, V>(&self, table: &Table<K, V>, key: &K) -> Result<Option<V>, Error>
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        match self.reader().get(&table.key_bytes(key))? {
            Some(bytes) => table.decode_value(&bytes).map(Some),
            None => Ok(None),
        }
    }

    /// The rows of a range, one by one.
    fn scan<K, V>(&self, scan: Scan<K, V>) -> Result<Rows<'_, K, V>, Error>
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        let (from, to) = (scan.from.as_ref(), scan.to.as_ref());
        let (from, to) = (from.map(Vec::as_slice), to.map(Vec::as_slice));
        let rows = if empty(from, to) {
            Box::new(std::iter::empty())
        } else {
            self.reader().range(from, to, scan.backwards)?
        };
        Ok(Rows { rows, scan })
    }

    /// How many rows a range has, none of them being decoded; `None` when more than `most`.
    fn count<K, V>(&self, scan: Scan<K, V>, most: u64) -> Result<Option<u64>, Error>
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        let mut count = 0;
        for row in self.scan(scan)?.rows {
            row?;
            count += 1;
            if count > most {
                return Ok(None);
            }
        }
        Ok(Some(count))
    }
}

/// Whether no key lies between the bounds; engines may panic when asked for such a range.
fn empty(from: Bound<&[u8]>, to: Bound<&[u8]>) -> bool {
    match (from, to) {
        (Bound::Included(from), Bound::Excluded(to)) => from >= to,
        _ => false,
    }
}

/// The rows of a [`Scan`].
pub struct Rows<'a, K, V> {
    rows: RawRows<'a>,
    scan: Scan<K, V>,
}

impl<K: Key, V: Serialize + DeserializeOwned> Iterator for Rows<'_, K, V> {
    type Item = Result<(K, V), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        Some(match self.rows.next()? {
            Ok((key, value)) => self.scan.decode(&key, &value),
            Err(error) => Err(error),
        })
    }
}

/// One consistent view of the store.
pub struct Snapshot<'a> {
    reader: &'a dyn Reader,
}

impl<'a> Snapshot<'a> {
    pub(super) fn new(reader: &'a dyn Reader) -> Snapshot<'a> {
        Snapshot { reader }
    }
}

impl Read for Snapshot<'_> {
    fn reader(&self) -> &dyn Reader {
        self.reader
    }
}

/// A transaction: reads see its own changes at once, everybody else none before the commit.
pub struct Tx<'a> {
    overlay: Overlay<'a>,
    wakes: Cell<[bool; 8]>,
}

struct Overlay<'a> {
    base: &'a dyn Reader,
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
}

impl<'a> Tx<'a> {
    /// A transaction over `base`, for engines.
    pub fn new(base: &'a dyn Reader) -> Tx<'a> {
        Tx {
            overlay: Overlay {
                base,
                changes: BTreeMap::new(),
            },
            wakes: Cell::default(),
        }
    }

    /// Writes the row at `key`, in the place of any that is there.
    pub fn put<K, V>(&mut self, table: &Table<K, V>, key: &K, value: &V)
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        let bytes = Table::<K, V>::encode_value(value);
        self.overlay
            .changes
            .insert(table.key_bytes(key), Some(bytes));
    }

    /// Removes the row at `key`, if there is one.
    pub fn delete<K, V>(&mut self, table: &Table<K, V>, key: &K)
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        self.overlay.changes.insert(table.key_bytes(key), None);
    }

    /// Wakes those who watch `topic`, after the commit and not before.
    pub fn wake(&self, topic: Topic) {
        let mut wakes = self.wakes.get();
        wakes[topic as usize] = true;
        self.wakes.set(wakes);
    }

    /// Whether [`Tx::wake`] was called for `topic`, for engines.
    pub fn wakes(&self, topic: Topic) -> bool {
        self.wakes.get()[topic as usize]
    }

    /// What is to be written (`Some`) and removed (`None`), for engines.
    pub fn into_changes(self) -> BTreeMap<Vec<u8>, Option<Vec<u8>>> {
        self.overlay.changes
    }
}

impl Read for Tx<'_> {
    fn reader(&self) -> &dyn Reader {
        &self.overlay
    }
}

impl Reader for Overlay<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match self.changes.get(key) {
            Some(change) => Ok(change.clone()),
            None => self.base.get(key),
        }
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        backwards: bool,
    ) -> Result<RawRows<'_>, Error> {
        let base = self.base.range(from, to, backwards)?;
        if self.changes.is_empty() {
            return Ok(base);
        }
        let changes = self.changes.range::<[u8], _>((from, to));
        let changes: Changes<'_> = if backwards {
            Box::new(changes.rev())
        } else {
            Box::new(changes)
        };
        Ok(Box::new(Merge {
            base: base.peekable(),
            changes: changes.peekable(),
            backwards,
        }))
    }
}

type Changes<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

/// Two sorted streams as one; where both have a key, the change wins.
struct Merge<'a> {
    base: Peekable<RawRows<'a>>,
    changes: Peekable<Changes<'a>>,
    backwards: bool,
}

impl Iterator for Merge<'_> {
    type Item = RawRow;

    fn next(&mut self) -> Option<RawRow> {
        loop {
            let order = match (self.base.peek(), self.changes.peek()) {
                (None, None) => return None,
                (Some(Err(_)) | Some(Ok(_)), None) | (Some(Err(_)), Some(_)) => {
                    return self.base.next();
                }
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (Some(Ok((base, _))), Some((change, _))) => {
                    let order = base.cmp(change);
                    if self.backwards {
                        order.reverse()
                    } else {
                        order
                    }
                }
            };
            if order.is_lt() {
                return self.base.next();
            }
            if order.is_eq() {
                self.base.next();
            }
            if let Some((key, Some(value))) = self.changes.next() {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}
