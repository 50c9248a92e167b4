//! The threads that hash. A hash takes some 20 ms of pure computing, so it gets threads of its
//! own, of a lower priority than those that answer requests, as many as the settings say, with a
//! bounded queue before them. What a right or wrong password means is decided elsewhere.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;

use argon2::Params;
use tokio::sync::oneshot;

use crate::world::World;

use super::MalformedPrice;
use super::Plain;
use super::Settings;
use super::Typed;
use super::argon::Bench;
use super::argon::Stored;
use super::argon::is_affordable;
use super::django;

/// As many hashes are under way and waiting as may be, or one waited too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked now")]
pub struct Busy {
    /// When a new attempt is worth it.
    pub retry_after: Duration,
}

/// What came of a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the password was the stored one.
    pub right: bool,
    /// A new hash to store in the place of one that was made at another price or by Django; only
    /// when the password was right.
    pub upgraded: Option<String>,
}

/// Hands passwords to the threads. Cheap to clone; the last one dropped ends the threads.
#[derive(Clone)]
pub struct Hasher {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
    world: World,
    patience: Duration,
    queue: usize,
    threads: usize,
}

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
    begun: AtomicU64,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    closed: bool,
}

struct Job {
    task: Task,
    salt: [u8; 16],
    reply: oneshot::Sender<Output>,
    caller: oneshot::Sender<()>,
}

enum Task {
    Hash(Plain),
    /// With whether a better hash is made of a right one.
    Check(Typed, Option<String>, bool),
    #[cfg(test)]
    Panic,
}

struct Output {
    verdict: Verdict,
    hash: Option<String>,
}

/// Held by whoever wants the result: a job whose lease was dropped before its turn is not done.
#[derive(Debug)]
pub struct Lease {
    _caller: oneshot::Receiver<()>,
}

impl Job {
    fn is_wanted(&self) -> bool {
        !self.reply.is_closed() && !self.caller.is_closed()
    }
}

/// After this long without work a thread gives its 19 MiB back.
const WARM: Duration = Duration::from_secs(10);

impl Hasher {
    /// Starts the threads.
    pub fn start(settings: &Settings, world: World) -> Result<Hasher, MalformedPrice> {
        let price = |reason: String| MalformedPrice {
            memory_kib: settings.memory_kib,
            passes: settings.passes,
            lanes: settings.lanes,
            reason,
        };
        let (memory, passes, lanes) = (settings.memory_kib, settings.passes, settings.lanes);
        let params = Params::new(memory, passes, lanes, Some(32))
            .map_err(|error| price(error.to_string()))?;
        if !is_affordable(memory, passes) {
            return Err(price("at most 1 GiB and 64 passes".to_owned()));
        }
        let shared = Arc::new(Shared::default());
        for n in 0..settings.threads.max(1) {
            let (shared, params) = (shared.clone(), params.clone());
            std::thread::Builder::new()
                .name(format!("hasher-{n}"))
                .spawn(move || work(&shared, Bench::new(params)))
                .map_err(|error| price(format!("no thread for it: {error}")))?;
        }
        Ok(Hasher {
            handle: Arc::new(Handle {
                shared,
                world,
                patience: settings.patience,
                queue: settings.queue,
                threads: settings.threads.max(1),
            }),
        })
    }

    /// A hash of `password` to be stored.
    pub async fn hash(&self, password: Plain) -> Result<String, Busy> {
        let (_lease, output) = self.submit(Task::Hash(password))?;
        let output = output.await?;
        Ok(output.hash.unwrap_or_default())
    }

    /// Compares `password` with `stored`. With nothing stored it does the same work and the
    /// verdict is wrong. The work is begun only while the [`Lease`] is held; once begun it is
    /// completed, so whoever awaits the verdict apart from its caller misses none.
    pub fn check(
        &self,
        password: Typed,
        stored: Option<String>,
        upgrade: bool,
    ) -> Result<(Lease, impl Future<Output = Result<Verdict, Busy>> + use<>), Busy> {
        let (lease, output) = self.submit(Task::Check(password, stored, upgrade))?;
        Ok((lease, async move { Ok(output.await?.verdict) }))
    }

    /// How many jobs were begun since the start, for those who watch.
    pub fn begun(&self) -> u64 {
        self.handle.shared.begun.load(Ordering::Relaxed)
    }

    /// How many jobs wait for their turn now, for those who watch.
    pub fn waiting(&self) -> usize {
        lock(&self.handle.shared).jobs.len()
    }

    fn submit(
        &self,
        task: Task,
    ) -> Result<(Lease, impl Future<Output = Result<Output, Busy>> + use<>), Busy> {
        let handle = self.handle.clone();
        let (reply, output) = oneshot::channel();
        let (caller, lease) = oneshot::channel();
        let job = Job {
            task,
            salt: handle.world.bytes(),
            reply,
            caller,
        };
        let busy = Busy {
            retry_after: Duration::from_millis(25 * (handle.queue / handle.threads) as u64)
                .max(Duration::from_secs(1)),
        };
        {
            let mut waiting = lock(&handle.shared);
            if waiting.jobs.len() >= handle.queue {
                // Those whose callers went away hold no place.
                waiting.jobs.retain(Job::is_wanted);
            }
            if waiting.jobs.len() >= handle.queue || waiting.closed {
                return Err(busy);
            }
            waiting.jobs.push_back(job);
        }
        handle.shared.arrived.notify_one();
        let patient = async move {
            let answered = handle.world.timeout(handle.patience, output).await;
            answered.map_err(|_| busy)?.map_err(|_| busy)
        };
        Ok((Lease { _caller: lease }, patient))
    }
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Hasher")
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut waiting = lock(&self.shared);
        waiting.closed = true;
        waiting.jobs.clear();
        drop(waiting);
        self.shared.arrived.notify_all();
    }
}

fn lock(shared: &Shared) -> MutexGuard<'_, Waiting> {
    shared
        .waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn work(shared: &Shared, mut bench: Bench) {
    step_back();
    while let Some(job) = next(shared, &mut bench) {
        if !job.is_wanted() {
            continue;
        }
        shared.begun.fetch_add(1, Ordering::Relaxed);
        let Job {
            task, salt, reply, ..
        } = job;
        // The bench may be in any state afterwards: it gets new memory.
        let done = catch_unwind(AssertUnwindSafe(|| perform(&mut bench, task, &salt)));
        let Ok(output) = done else {
            bench.rest();
            tracing::error!("checking a password panicked; its caller is told to try again");
            continue;
        };
        // Whoever asked may have gone meanwhile; then nobody wants to know.
        let _ = reply.send(output);
    }
}

fn perform(bench: &mut Bench, task: Task, salt: &[u8; 16]) -> Output {
    match task {
        Task::Hash(password) => Output {
            hash: Some(bench.hash(&password.0, salt)),
            verdict: Verdict {
                right: false,
                upgraded: None,
            },
        },
        Task::Check(password, stored, upgrade) => Output {
            verdict: check(bench, &password, stored.as_deref(), upgrade, salt),
            hash: None,
        },
        #[cfg(test)]
        Task::Panic => panic!("on purpose"),
    }
}

fn next(shared: &Shared, bench: &mut Bench) -> Option<Job> {
    let mut waiting = lock(shared);
    loop {
        if let Some(job) = waiting.jobs.pop_front() {
            return Some(job);
        }
        if waiting.closed {
            return None;
        }
        waiting = if bench.is_warm() {
            // Real time on purpose: this is about the machine's memory, not about the domain.
            let (guard, waited) = shared
                .arrived
                .wait_timeout(waiting, WARM)
                .unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() && guard.jobs.is_empty() {
                bench.rest();
            }
            guard
        } else {
            shared
                .arrived
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner)
        };
    }
}

fn check(
    bench: &mut Bench,
    password: &Typed,
    stored: Option<&str>,
    upgrade: bool,
    salt: &[u8; 16],
) -> Verdict {
    let Some(stored) = stored else {
        // The same work as for somebody who has an account here. Somebody whose hash came from
        // Django takes another time until their first login replaces it; nothing imports such
        // hashes yet, and whoever adds that must decide what the dummy costs until then.
        std::hint::black_box(bench.hash(&password.normal.0, salt));
        return Verdict {
            right: false,
            upgraded: None,
        };
    };
    let (right, current) = match Stored::parse(stored) {
        Some(own) => (
            bench.verify(&password.normal.0, &own),
            own.costs(bench.params()),
        ),
        None => (django::verify(bench, &password.raw.0, stored), false),
    };
    Verdict {
        right,
        upgraded: (right && upgrade && !current).then(|| bench.hash(&password.normal.0, salt)),
    }
}

/// Lowers this thread's priority: those that answer requests go first, so that checking a session
/// stays quick while every hashing thread is at work.
fn step_back() {
    // Elsewhere than on Linux the call is about the whole process.
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(10) {
        tracing::debug!(%error, "a hashing thread keeps its priority");
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::settings;
    use super::*;
    use crate::world::Simulated;

    fn typed(text: &str) -> Typed {
        Typed {
            normal: Plain(super::super::normalized(text).into_bytes()),
            raw: Plain(text.as_bytes().to_vec()),
        }
    }

    async fn verdict(hasher: &Hasher, text: &str, stored: Option<&str>) -> Verdict {
        let (_lease, verdict) = hasher
            .check(typed(text), stored.map(str::to_owned), true)
            .unwrap();
        verdict.await.unwrap()
    }

    #[tokio::test]
    async fn a_password_is_itself_in_any_normal_form_and_old_prices_are_upgraded() {
        let world = Simulated::new(1).world();
        let hasher = Hasher::start(&settings(), world.clone()).unwrap();
        let stored = hasher.hash(typed("caf\u{e9} crème").normal).await.unwrap();
        let right = verdict(&hasher, "cafe\u{301} crème", Some(&stored)).await;
        assert_eq!((right.right, right.upgraded), (true, None));
        let wrong = verdict(&hasher, "cafe creme", Some(&stored)).await;
        assert_eq!((wrong.right, wrong.upgraded), (false, None));
        assert!(!verdict(&hasher, "anything", None).await.right);
        let dearer = Settings {
            passes: 2,
            ..settings()
        };
        let dearer = Hasher::start(&dearer, world).unwrap();
        let upgraded = verdict(&dearer, "café crème", Some(&stored)).await.upgraded;
        assert!(upgraded.unwrap().contains("t=2"));
    }

    #[tokio::test]
    async fn a_full_queue_turns_away_and_a_caller_that_went_frees_its_place() {
        let none = Settings {
            queue: 2,
            threads: 1,
            // Dear enough that the one thread is still at the first while the others come.
            memory_kib: 60_000,
            passes: 8,
            ..settings()
        };
        let hasher = Hasher::start(&none, Simulated::new(1).world()).unwrap();
        let running = hasher.check(typed("a"), None, true).unwrap();
        // The thread may not have taken the first one yet: then one place fewer is free.
        let mut waiting = Vec::new();
        let busy = loop {
            match hasher.check(typed("b"), None, true) {
                Ok(job) => waiting.push(job),
                Err(busy) => break busy,
            }
            assert!(waiting.len() <= 3);
        };
        assert!(busy.retry_after >= Duration::from_secs(1));
        assert_eq!(hasher.waiting(), 2);
        waiting.clear();
        assert!(hasher.check(typed("c"), None, true).is_ok());
        drop(running);
    }

    #[tokio::test]
    async fn a_panic_ends_one_check_and_not_the_thread() {
        let one = Settings {
            threads: 1,
            ..settings()
        };
        let hasher = Hasher::start(&one, Simulated::new(1).world()).unwrap();
        let (_lease, output) = hasher.submit(Task::Panic).unwrap();
        assert!(output.await.is_err());
        let next = tokio::spawn(async move { hasher.hash(typed("a").normal).await });
        for _ in 0..1_000_000 {
            if next.is_finished() {
                break;
            }
            std::thread::yield_now();
            tokio::task::yield_now().await;
        }
        assert!(next.is_finished(), "nobody is left to hash");
        assert!(next.await.unwrap().is_ok());
    }

    #[test]
    fn an_impossible_price_is_an_error() {
        // Nor one that is not computed when somebody logs in.
        for (memory_kib, passes) in [(1, 1), (64, 65), ((1 << 20) + 8, 1)] {
            let impossible = Settings {
                memory_kib,
                passes,
                ..settings()
            };
            assert!(Hasher::start(&impossible, Simulated::new(1).world()).is_err());
        }
    }
}
