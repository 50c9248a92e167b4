//! The database file: its tables and format, whether it is open, and the view of its last commit
//! that readers share. When it is written and opened again is the writer's business.

use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use redb::{Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable, TableDefinition};

use crate::store::engine::{RawRows, Reader};
use crate::store::{Error, OpenError};

pub(super) const MAP: TableDefinition<&[u8], &[u8]> = TableDefinition::new("map");
pub(super) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// The format of the map. It changes only when older builds could not read what newer ones
/// write; a new field or a new table is no such change.
pub(super) const FORMAT: u64 = 1;

pub(super) enum File {
    Open(Opened),
    /// The disk failed and the file is not open (again); a write from this moment on tries.
    Failed {
        again: Instant,
    },
    Closed,
}

/// An open file, with the view of its last commit that readers share: opening one costs more
/// than the look-up that most of them want.
pub(super) struct Opened {
    pub(super) database: Database,
    view: RwLock<View>,
}

/// The map as it was after one commit.
pub(super) type Map = ReadOnlyTable<&'static [u8], &'static [u8]>;

#[derive(Default)]
struct View {
    /// How many commits there were. A view that was begun before the last of them is not kept.
    commits: u64,
    map: Option<Arc<Map>>,
}

impl Opened {
    pub(super) fn new(database: Database) -> Opened {
        Opened {
            database,
            view: RwLock::default(),
        }
    }

    /// The state after the last commit that anybody was told of, or a later one.
    pub(super) fn view(&self) -> Result<Arc<Map>, Error> {
        let commits = {
            let view = self.view.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(map) = &view.map {
                return Ok(map.clone());
            }
            view.commits
        };
        let read = self.database.begin_read().map_err(unavailable)?;
        let map = Arc::new(read.open_table(MAP).map_err(unavailable)?);
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        if view.commits == commits {
            view.map = Some(map.clone());
        }
        Ok(map)
    }

    /// Lets go of the view. Called after a commit and before anybody is told of it.
    pub(super) fn committed(&self) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.commits += 1;
        view.map = None;
    }
}

/// Checks the format and makes the tables, so that readers find them.
pub(super) fn prepare(database: &Database) -> Result<(), OpenError> {
    let fail = |error: redb::Error| OpenError::Failed(error.to_string());
    match format_of(database).map_err(fail)? {
        Some(FORMAT) => Ok(()),
        Some(found) => Err(OpenError::Newer {
            found,
            known: FORMAT,
        }),
        None => (|| {
            let write = database.begin_write()?;
            write.open_table(META)?.insert("format", FORMAT)?;
            write.open_table(MAP)?;
            write.commit()?;
            Ok(())
        })()
        .map_err(fail),
    }
}

/// The format that the file says it has; `None` for a new one.
pub(super) fn format_of(database: &Database) -> Result<Option<u64>, redb::Error> {
    let meta = match database.begin_read()?.open_table(META) {
        Ok(meta) => meta,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let format = meta.get("format")?;
    Ok(format.map(|format| format.value()))
}

pub(super) fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string().into())
}

/// A redb table, of a snapshot or of the transaction under way, as the engine's interface.
pub(super) struct Base<T>(pub(super) T);

type Guard<'a> = redb::AccessGuard<'a, &'static [u8]>;

impl<T: std::ops::Deref> Reader for Base<T>
where
    T::Target: ReadableTable<&'static [u8], &'static [u8]>,
{
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.0.get(key).map_err(unavailable)?;
        Ok(value.map(|value| value.value().to_vec()))
    }

    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        backwards: bool,
    ) -> Result<RawRows<'_>, Error> {
        let rows = self.0.range::<&[u8]>((from, to)).map_err(unavailable)?;
        let owned = |row: Result<(Guard<'_>, Guard<'_>), redb::StorageError>| {
            let (key, value) = row.map_err(unavailable)?;
            Ok((key.value().to_vec(), value.value().to_vec()))
        };
        Ok(if backwards {
            Box::new(rows.rev().map(owned))
        } else {
            Box::new(rows.map(owned))
        })
    }
}
