//! The engine over redb: one file, one writer thread, group commit.
//!
//! Transactions that wait are run one after another into one redb transaction, each against its
//! own overlay, so one that fails leaves no trace and harms no other; one fsync makes all of them
//! durable, and nobody is answered before it.

mod file;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::Database;
use tokio::sync::{mpsc, oneshot};

use self::file::{Base, FORMAT, File, MAP, Opened, format_of, prepare, unavailable};
use super::engine::{Engine, Job, Reader};
use super::{Error, OpenError, Options, Tx};
use crate::events::{Events, Topic};

/// Enough that the fsync is shared by all who wait, few enough that nobody waits for long.
const MOST_IN_A_COMMIT: usize = 512;

/// A commit ends with the transaction that takes it over this many bytes: the others need not wait
/// for the disk to take them all.
const BYTES_IN_A_COMMIT: usize = 16 << 20;

/// An attempt to open the file that takes less may be made with every write.
const CHEAP: Duration = Duration::from_millis(100);

/// However slow the disk was, the door is held no longer than this.
const LONGEST_WAIT: Duration = Duration::from_millis(2);

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
        let patience = (self.commit / 8).min(LONGEST_WAIT);
        while here < self.usual && opened.elapsed() < patience {
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
    while !batch.is_empty() {
        let (done, outcome) = match shared.run(batch) {
            Err(error) if error.storage_failed() => {
                // redb refuses everything after an I/O error until its file is opened anew.
                tracing::error!(%error, "the store's disk failed; opening the file again");
                shared.reopen();
                (batch.len(), Err(error.into()))
            }
            Err(error) => (batch.len(), Err(error.into())),
            Ok((done, woken)) => {
                for topic in woken {
                    shared.events.wake(topic);
                }
                (done, Ok(()))
            }
        };
        for job in batch.drain(..done) {
            job.finish(outcome.clone());
        }
    }
}

impl Shared {
    /// Says how many of the batch were run and committed, and whom to wake.
    fn run(&self, batch: &mut [Box<dyn Job>]) -> Result<(usize, Vec<Topic>), Failure> {
        let again = match &*self.lock_read() {
            File::Failed { again } => now() >= *again,
            _ => false,
        };
        if again {
            self.reopen();
        }
        let file = self.lock_read();
        let File::Open(opened) = &*file else {
            return Err(Failure::NotOpen);
        };
        let write = opened.database.begin_write().map_err(redb::Error::from)?;
        let mut woken = Vec::new();
        let (mut done, mut bytes) = (0, 0);
        {
            let mut map = write.open_table(MAP).map_err(redb::Error::from)?;
            for job in batch {
                if bytes > BYTES_IN_A_COMMIT {
                    break;
                }
                done += 1;
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
                    bytes += key.len() + value.as_ref().map_or(0, Vec::len);
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
        Ok((done, woken))
    }

    fn lock_read(&self) -> std::sync::RwLockReadGuard<'_, File> {
        self.file.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for all readers.
    fn lock_file(&self) -> std::sync::RwLockWriteGuard<'_, File> {
        self.file.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the file anew. Readers are refused meanwhile and not held up: the repair of a large
    /// file takes a while.
    fn reopen(&self) {
        let begun = now();
        // The old one must let go of the file's lock first.
        *self.lock_file() = File::Failed { again: begun };
        match self.open_again() {
            Ok(database) => *self.lock_file() = File::Open(Opened::new(database)),
            Err(error) => {
                tracing::error!(error, "the store does not open; a later write tries again");
                // Not with every write, where trying takes long.
                let took = begun.elapsed();
                let rest = if took < CHEAP {
                    Duration::ZERO
                } else {
                    took * 9
                };
                let again = now() + rest;
                *self.lock_file() = File::Failed { again };
            }
        }
    }

    fn open_again(&self) -> Result<Database, String> {
        let database = (self.open)().map_err(|error| error.to_string())?;
        match format_of(&database) {
            Ok(Some(FORMAT)) => Ok(database),
            // An empty file in its place would make every account vanish without a word.
            Ok(_) => Err("another file lies in its place".to_owned()),
            Err(error) => Err(error.to_string()),
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
            File::Failed { .. } => return Err(unavailable("its file is being opened again")),
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
