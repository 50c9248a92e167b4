//! What an engine must offer: an ordered map of bytes, snapshots, and transactions that are
//! durable before anybody is told so. Every engine passes the one contract in `tests/suite/store.rs`.

use std::future::Future;
use std::ops::Bound;
use std::pin::Pin;

use super::{Error, Tx};

/// One entry: key and value.
pub type RawRow = Result<(Vec<u8>, Vec<u8>), Error>;

/// Entries in the order of their keys, or backwards.
pub type RawRows<'a> = Box<dyn Iterator<Item = RawRow> + 'a>;

/// One consistent view of the whole map.
pub trait Reader {
    /// The value at `key`.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// The entries between the bounds, ascending, or descending when `backwards`.
    fn range(
        &self,
        from: Bound<&[u8]>,
        to: Bound<&[u8]>,
        backwards: bool,
    ) -> Result<RawRows<'_>, Error>;
}

/// One transaction that waits for its turn.
pub trait Job: Send {
    /// Runs it; `true` when its changes are to be kept. May be called again after a conflict.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells the caller how it ended: `Ok` when everything kept is durable.
    fn finish(self: Box<Self>, committed: Result<(), Error>);
}

/// An ordered key-value store with transactions.
pub trait Engine: Send + Sync + 'static {
    /// Hands over a transaction; completes when it is queued, not when it is done.
    fn submit<'a>(
        &'a self,
        job: Box<dyn Job + 'static>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

    /// Calls `work` once with a snapshot.
    fn read(&self, work: &mut dyn FnMut(&dyn Reader)) -> Result<(), Error>;

    /// Completes what was submitted and releases the store.
    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>>;
}
