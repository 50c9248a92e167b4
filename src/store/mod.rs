//! Transactions over typed tables. The domain is written once, above this interface; below it
//! stands an [`Engine`], an ordered key-value store with transactions (today [`redb`](RedbEngine)).
//!
//! - [`Store::write`] runs a synchronous closure over a [`Tx`] and returns after the commit is
//!   durable. The closure may be run more than once, so it does no I/O and draws neither time nor
//!   chance: those come in from outside.
//! - [`Store::read`] sees one snapshot and is for a handful of look-ups: it runs on the caller's
//!   thread. [`Store::scan`] is for lists and runs beside the async threads.
//!
//! ```
//! use gatepost::store::{Error, Read, Store, Table};
//!
//! const GREETINGS: Table<(String, u64), String> = Table::new("doc.greeting");
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let store = Store::open(&folder.path().join("store.redb"), Default::default())?;
//! store
//!     .write(|tx| {
//!         tx.put(&GREETINGS, &("en".to_owned(), 1), &"hello".to_owned());
//!         Ok::<_, Error>(())
//!     })
//!     .await?;
//! let first = store
//!     .read(|snapshot| snapshot.scan(GREETINGS.under(&"en".to_owned()))?.next().transpose())
//!     .await?;
//! assert_eq!(first.unwrap().1, "hello");
//! # Ok(())
//! # }
//! ```

mod engine;
mod key;
pub mod page;
mod redb;
mod table;
mod transaction;

use std::path::Path;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::sync::oneshot;

use crate::events::Events;

pub use engine::{Engine, Job, RawRow, RawRows, Reader};
pub use key::Key;
pub use redb::{FileOpener, RedbEngine};
pub use table::{Scan, Table};
pub use transaction::{Read, Rows, Snapshot, Tx};

/// Why a transaction failed, beside the reasons of the domain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The disk refused (full, gone, read-only). Nothing of the transaction was kept, except where
    /// the sync itself failed: then nobody can know before the file is read again, which the store
    /// does at once by opening it anew.
    #[error("the store cannot be read or written now: {0}")]
    Unavailable(Arc<str>),
    /// What is stored does not decode: a newer gatepost wrote it, or the file is damaged.
    #[error("a record of {table:?} does not decode: {reason}")]
    Malformed {
        /// The table's name.
        table: &'static str,
        /// What the decoder said.
        reason: Arc<str>,
    },
    /// The closure panicked; its changes are dropped, and nobody else's.
    #[error("the transaction panicked")]
    Panicked,
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("another gatepost is running on this data folder (its store is open)")]
    InUse,
    /// Written by a version of gatepost that this one does not know.
    #[error("the store has format {found}, this gatepost knows {known}: use a newer gatepost")]
    Newer {
        /// The format that stands in the file.
        found: u64,
        /// The newest format that this build reads.
        known: u64,
    },
    /// Anything else: permissions, damage, a full disk.
    #[error("the store cannot be opened: {0}")]
    Failed(String),
}

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How many bytes of the file are kept in memory at most.
    pub cache_bytes: usize,
    /// Whom to wake after a commit that asked for it.
    pub events: Events,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_bytes: 16 << 20,
            events: Events::default(),
        }
    }
}

/// A handle on the store. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
    searches: Arc<Semaphore>,
}

/// How many searches run at once.
const SEARCHES: usize = 2;

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Store")
    }
}

impl Store {
    /// Opens the store in the file at `path`, which is made when it is not there.
    pub fn open(path: &Path, options: Options) -> Result<Store, OpenError> {
        Ok(Store::over(RedbEngine::open(path, options)?))
    }

    /// A store over any engine.
    pub fn over(engine: impl Engine) -> Store {
        Store {
            engine: Arc::new(engine),
            searches: Arc::new(Semaphore::new(SEARCHES)),
        }
    }

    /// Runs `work` in a transaction and returns once it is durable. An error of `work` leaves no
    /// trace of it. When the caller goes away meanwhile, the transaction is completed all the same.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: Fn(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let (reply, outcome) = oneshot::channel();
        let pending = Pending {
            work,
            outcome: None,
            reply,
        };
        self.engine.submit(Box::new(pending)).await;
        outcome.await.unwrap_or_else(|_| Err(Error::Closed.into()))
    }

    /// Runs `work` over a snapshot, on this very thread: for a handful of look-ups.
    ///
    /// It is `async` although today's engine never waits, since one across a network will.
    #[expect(clippy::unused_async, reason = "an engine across a network will wait")]
    pub async fn read<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Snapshot<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        self.read_now(work)
    }

    /// Runs `work` over a snapshot, beside the async threads: for lists and searches.
    pub async fn scan<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.read_now(work))
            .await
            .unwrap_or_else(|_| Err(Error::Panicked.into()))
    }

    /// The same for what may look at a great many rows: at most two of them run at once, whoever
    /// asked for them. One that waits is given up with its future; one that runs, runs to its end.
    pub async fn search<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Snapshot<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let turn = self.searches.clone().acquire_owned().await;
        self.scan(move |read| {
            let found = work(read);
            drop(turn);
            found
        })
        .await
    }

    fn read_now<T, E, F>(&self, work: F) -> Result<T, E>
    where
        F: FnOnce(&Snapshot<'_>) -> Result<T, E>,
        E: From<Error>,
    {
        let mut work = Some(work);
        let mut outcome = None;
        self.engine.read(&mut |reader| {
            if let Some(work) = work.take() {
                outcome = Some(work(&Snapshot::new(reader)));
            }
        })?;
        outcome.unwrap_or_else(|| Err(Error::Closed.into()))
    }

    /// Completes what was submitted, then closes the file. Everything after it answers
    /// [`Error::Closed`].
    pub async fn close(&self) {
        self.engine.close().await;
    }
}

/// A closure on its way through the engine.
struct Pending<T, E, F> {
    work: F,
    outcome: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

impl<T, E, F> Job for Pending<T, E, F>
where
    F: Fn(&mut Tx<'_>) -> Result<T, E> + Send,
    T: Send,
    E: From<Error> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let work = std::panic::AssertUnwindSafe(|| (self.work)(tx));
        let outcome =
            std::panic::catch_unwind(work).unwrap_or_else(|_| Err(Error::Panicked.into()));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn finish(self: Box<Self>, committed: Result<(), Error>) {
        let outcome = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            // A refusal may rest on what a neighbour wrote, and that is lost as well.
            (Err(error), _) => Err(error.into()),
            (Ok(()), None) => Err(Error::Closed.into()),
        };
        // Nobody listens when the caller went away: the work is done all the same.
        let _ = self.reply.send(outcome);
    }
}
