//! The engine over redb: one file, one writer thread, group commit.
//!
//! Transactions that wait are run one after another into one redb transaction, each against its
//! own overlay, so one that fails leaves no trace and harms no other; one fsync makes all of them
//! durable, and nobody is answered before it.

use std::future::Future;
use std::ops::Bound;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable, TableDefinition};
use tokio::sync::{mpsc, oneshot};

use super::engine::{Engine, Job, RawRows, Reader};
use super::{Error, OpenError, Options, Tx};
use crate::events::{Events, Topic};

const MAP: TableDefinition<&[u8], &[u8]> = TableDefinition::new("map");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// The format of the map. It changes only when older builds could not read what newer ones
/// write; a new field or a new table is no such change.
const FORMAT: u64 = 1;

/// Enough that the fsync is shared by all who wait, few enough that nobody waits for long.
const MOST_IN_A_COMMIT: usize = 512;

/// Transactions that may wait before their callers have to.
const QUEUE: usize = 1024;

/// How the database file is opened, and opened again after the disk failed.
pub type FileOpener = Box<dyn Fn() -> Result<Database, redb::DatabaseError> + Send + Sync>;

/// See the [module](self).
pub struct RedbEngine {
    queue: mpsc::Sender<Message>,
    shared: Arc<Shared>,
    writer: Mutex<Option<std::thread::JoinHandle<()>>>,
}

enum Message {
    Job(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

struct Shared {
    open: FileOpener,
    file: RwLock<File>,
    events: Events,
}

enum File {
    Open(Opened),
    /// The disk failed and the file did not open again; the next write tries once more.
    Failed,
    Closed,
}

/// An open file, with the view of its last commit that readers share: opening one costs more
/// than the look-up that most of them want.
struct Opened {
    database: Database,
    view: RwLock<View>,
}

/// The map as it was after one commit.
type Map = ReadOnlyTable<&'static [u8], &'static [u8]>;

#[derive(Default)]
struct View {
    /// How many commits there were. A view that was begun before the last of them is not kept.
    commits: u64,
    map: Option<Arc<Map>>,
}

impl Opened {
    fn new(database: Database) -> Opened {
        Opened {
            database,
            view: RwLock::default(),
        }
    }

    /// The state after the last commit that anybody was told of, or a later one.
    fn view(&self) -> Result<Arc<Map>, Error> {
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
    fn committed(&self) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.commits += 1;
        view.map = None;
    }
}

impl RedbEngine {
    /// Opens the file at `path`, which is made when it is not there.
    pub fn open(path: &Path, options: Options) -> Result<RedbEngine, OpenError> {
        let path = PathBuf::from(path);
        let cache_bytes = options.cache_bytes;
        let open = move || {
            redb::Builder::new()
                .set_cache_size(cache_bytes)
                .create(&path)
        };
        RedbEngine::open_with(Box::new(open), options.events)
    }

    /// Opens whatever `open` opens: for tests that let the disk fail.
    pub fn open_with(open: FileOpener, events: Events) -> Result<RedbEngine, OpenError> {
        let database = open().map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => OpenError::InUse,
            other => OpenError::Failed(other.to_string()),
        })?;
        prepare(&database)?;
        let shared = Arc::new(Shared {
            open,
            file: RwLock::new(File::Open(Opened::new(database))),
            events,
        });
        let (queue, jobs) = mpsc::channel(QUEUE);
        let writer = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn({
                let shared = shared.clone();
                move || write_all(&shared, jobs)
            })
            .map_err(|error| OpenError::Failed(error.to_string()))?;
        Ok(RedbEngine {
            queue,
            shared,
            writer: Mutex::new(Some(writer)),
        })
    }
}

/// Checks the format and makes the tables, so that readers find them.
fn prepare(database: &Database) -> Result<(), OpenError> {
    let fail = |error: redb::Error| OpenError::Failed(error.to_string());
    let found = {
        let read = database.begin_read().map_err(|e| fail(e.into()))?;
        match read.open_table(META) {
            Ok(meta) => {
                let format = meta.get("format").map_err(|e| fail(e.into()))?;
                format.map(|format| format.value())
            }
            Err(redb::TableError::TableDoesNotExist(_)) => None,
            Err(error) => return Err(fail(error.into())),
        }
    };
    match found {
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

fn write_all(shared: &Shared, mut jobs: mpsc::Receiver<Message>) {
    let mut batch = Vec::new();
    let mut company = Company::default();
    while let Some(first) = jobs.blocking_recv() {
        let mut closing = Vec::new();
        let mut next = Some(first);
        let opened = now();
        while let Some(message) = next {
            match message {
                Message::Job(job) => batch.push(job),
                Message::Close(done) => closing.push(done),
            }
            if batch.len() >= MOST_IN_A_COMMIT {
                break;
            }
            next = jobs.try_recv().ok();
            if next.is_none() && closing.is_empty() {
                next = company.await_more(batch.len(), opened, &mut jobs);
            }
        }
        if !batch.is_empty() {
            let size = batch.len();
            let start = now();
            commit(shared, &mut batch);
            company = Company {
                usual: size + jobs.len(),
                commit: start.elapsed(),
            };
        }
        if !closing.is_empty() {
            jobs.close();
            while let Some(message) = jobs.blocking_recv() {
                match message {
                    Message::Job(job) => batch.push(job),
                    Message::Close(done) => closing.push(done),
                }
            }
            if !batch.is_empty() {
                commit(shared, &mut batch);
            }
            *shared.lock_file() = File::Closed;
            for done in closing {
                // Whoever asked may have gone: the file is closed all the same.
                let _ = done.send(());
            }
        }
    }
}

/// Whoever was answered together tends to write again together, a moment later. The first of them
/// would start a commit alone and let the others wait for the next one: half the speed. So the
/// writer holds the door for a moment, in proportion to what a commit costs.
#[derive(Default)]
struct Company {
    /// How many wrote in the last commit or were waiting behind it.
    usual: usize,
    /// How long that commit took.
    commit: Duration,
}

impl Company {
    /// The next message, if it comes before an eighth of a commit's time has gone by since
    /// `opened`, when the batch got its first; `None` at once when the usual number is `here`.
    fn await_more(
        &self,
        here: usize,
        opened: Instant,
        jobs: &mut mpsc::Receiver<Message>,
    ) -> Option<Message> {
        while here < self.usual && opened.elapsed() < self.commit / 8 {
            // Lets them run who are to come, where cores are few.
            std::thread::yield_now();
            if let Ok(message) = jobs.try_recv() {
                return Some(message);
            }
        }
        None
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long the disk takes is no matter of the domain"
)]
fn now() -> Instant {
    Instant::now()
}

/// Runs the batch, makes it durable and tells everybody.
fn commit(shared: &Shared, batch: &mut Vec<Box<dyn Job>>) {
    let outcome = match shared.run(batch) {
        Err(error) if error.storage_failed() => {
            // redb refuses everything after an I/O error until its file is opened anew.
            tracing::error!(%error, "the store's disk failed; opening the file again");
            shared.reopen();
            Err(error.into())
        }
        Err(error) => Err(error.into()),
        Ok(woken) => {
            for topic in woken {
                shared.events.wake(topic);
            }
            Ok(())
        }
    };
    for job in batch.drain(..) {
        job.finish(outcome.clone());
    }
}

impl Shared {
    fn run(&self, batch: &mut [Box<dyn Job>]) -> Result<Vec<Topic>, Failure> {
        if matches!(*self.lock_read(), File::Failed) {
            self.reopen();
        }
        let file = self.lock_read();
        let File::Open(opened) = &*file else {
            return Err(Failure::NotOpen);
        };
        let write = opened.database.begin_write().map_err(redb::Error::from)?;
        let mut woken = Vec::new();
        {
            let mut map = write.open_table(MAP).map_err(redb::Error::from)?;
            for job in batch {
                let base = Base(&map);
                let mut tx = Tx::new(&base);
                if !job.run(&mut tx) {
                    continue;
                }
                for topic in Topic::ALL {
                    if tx.wakes(topic) && !woken.contains(&topic) {
                        woken.push(topic);
                    }
                }
                for (key, value) in tx.into_changes() {
                    match value {
                        Some(value) => map.insert(key.as_slice(), value.as_slice()).map(drop),
                        None => map.remove(key.as_slice()).map(drop),
                    }
                    .map_err(redb::Error::from)?;
                }
            }
        }
        write.commit().map_err(redb::Error::from)?;
        opened.committed();
        Ok(woken)
    }

    fn lock_read(&self) -> std::sync::RwLockReadGuard<'_, File> {
        self.file.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all readers.
    fn lock_file(&self) -> std::sync::RwLockWriteGuard<'_, File> {
        self.file.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn reopen(&self) {
        let mut file = self.lock_file();
        // The old one must let go of the file's lock first.
        *file = File::Failed;
        match (self.open)() {
            Ok(database) => *file = File::Open(Opened::new(database)),
            Err(error) => {
                tracing::error!(%error, "the store does not open; the next write tries again");
            }
        }
    }
}

enum Failure {
    NotOpen,
    Redb(Box<redb::Error>),
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Failure {
        Failure::Redb(Box::new(error))
    }
}

impl Failure {
    fn storage_failed(&self) -> bool {
        match self {
            Failure::NotOpen => false,
            Failure::Redb(error) => matches!(
                **error,
                redb::Error::Io(_) | redb::Error::PreviousIo | redb::Error::Corrupted(_)
            ),
        }
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::NotOpen => f.write_str("its file is not open"),
            Failure::Redb(error) => write!(f, "{error}"),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Error {
        Error::Unavailable(failure.to_string().into())
    }
}

fn unavailable(error: impl std::fmt::Display) -> Error {
    Error::Unavailable(error.to_string().into())
}

/// A redb table, of a snapshot or of the transaction under way, as the engine's interface.
struct Base<T>(T);

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

impl Engine for RedbEngine {
    fn submit<'a>(
        &'a self,
        job: Box<dyn Job + 'static>,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            if let Err(refused) = self.queue.send(Message::Job(job)).await
                && let Message::Job(job) = refused.0
            {
                job.finish(Err(Error::Closed));
            }
        })
    }

    fn read(&self, work: &mut dyn FnMut(&dyn Reader)) -> Result<(), Error> {
        let file = self.shared.lock_read();
        let opened = match &*file {
            File::Open(opened) => opened,
            File::Failed => return Err(unavailable("its file is not open")),
            File::Closed => return Err(Error::Closed),
        };
        let map = opened.view()?;
        work(&Base(&*map));
        Ok(())
    }

    fn close<'a>(&'a self) -> Pin<Box<dyn Future<Output = ()> + Send + 'a>> {
        Box::pin(async move {
            let (done, closed) = oneshot::channel();
            if self.queue.send(Message::Close(done)).await.is_ok() {
                // An error means that the writer had already closed the file.
                let _ = closed.await;
            }
            let writer = self
                .writer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            if let Some(writer) = writer {
                let _ = tokio::task::spawn_blocking(move || writer.join()).await;
            }
        })
    }
}
