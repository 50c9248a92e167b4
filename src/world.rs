//! Time and chance. The only door through which either enters gatepost.
//!
//! Everything that needs the hour, a pause, a deadline or a random byte asks a [`World`], so a
//! test can hand in a [`Simulated`] one, move its clock by hand and repeat its draws. What must
//! not live here: anything that knows what the time or the bytes are for.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

/// A moment on the wall clock, in whole milliseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the epoch.
    pub const fn from_millis(millis: i64) -> Timestamp {
        Timestamp(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// How long after `earlier` this is; zero when it is not after it (a clock may jump back).
    pub fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// This moment, `by` earlier.
    pub fn minus(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(millis(by)))
    }
}

impl std::ops::Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, by: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(millis(by)))
    }
}

/// RFC 3339 in UTC with milliseconds, such as `2026-11-22T06:46:35.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(at) => write!(f, "{at:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// A future that owns what it needs, as trait objects must return it.
pub type Pause = Pin<Box<dyn Future<Output = ()> + Send + 'static>>;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock. It may jump in either direction; compare, never subtract blindly.
    fn now(&self) -> Timestamp;

    /// Time that only grows, from an arbitrary start: for measuring how long something took.
    fn elapsed(&self) -> Duration;

    /// Completes once `pause` has gone by.
    fn sleep(&self, pause: Duration) -> Pause;
}

/// Where chance comes from.
pub trait Rng: Send + Sync + 'static {
    /// Fills `into` with unpredictable bytes.
    fn fill(&self, into: &mut [u8]);
}

/// The deadline of [`World::timeout`] went by first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the deadline went by")]
pub struct Elapsed;

/// A clock and a source of chance, handed to everything that needs one. Cheap to clone.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    /// The last identifier that was drawn: its time and its chance.
    last: Arc<Mutex<(u64, u128)>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    /// The machine's clock and the operating system's random generator.
    pub fn system() -> World {
        World::new(Arc::new(SystemClock::start()), Arc::new(SystemRng))
    }

    /// A world of the given parts.
    pub fn new(clock: Arc<dyn Clock>, rng: Arc<dyn Rng>) -> World {
        World {
            clock,
            rng,
            last: Arc::default(),
        }
    }

    /// The wall clock. See [`Clock::now`].
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Time that only grows. See [`Clock::elapsed`].
    pub fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    /// Completes once `pause` has gone by.
    pub fn sleep(&self, pause: Duration) -> Pause {
        self.clock.sleep(pause)
    }

    /// Runs `work` until it is done or `limit` has gone by, whichever is first. On [`Elapsed`]
    /// the work is dropped where it stood.
    pub async fn timeout<F: Future>(&self, limit: Duration, work: F) -> Result<F::Output, Elapsed> {
        tokio::select! {
            biased;
            done = work => Ok(done),
            () = self.clock.sleep(limit) => Err(Elapsed),
        }
    }

    /// Fills `into` with unpredictable bytes.
    pub fn fill(&self, into: &mut [u8]) {
        self.rng.fill(into);
    }

    /// `N` unpredictable bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.rng.fill(&mut bytes);
        bytes
    }

    /// A number below `bound` (which must not be zero), every one as likely as the next.
    pub fn below(&self, bound: u32) -> u32 {
        assert!(bound > 0, "no number is below zero");
        // Rejection keeps it uniform: draws from the incomplete last block are thrown away.
        let usable = u32::MAX - (u32::MAX % bound + 1) % bound;
        loop {
            let draw = u32::from_le_bytes(self.bytes());
            if draw <= usable {
                return draw % bound;
            }
        }
    }

    /// A new identifier that sorts by the time it was drawn; those that one world and its clones
    /// draw in the same millisecond sort in the order of the drawing.
    pub fn ulid(&self) -> ulid::Ulid {
        let at = u64::try_from(self.now().as_millis()).unwrap_or(0);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let next = match *last {
            // A step that nobody can guess: one identifier does not tell the next.
            (then, chance) if then == at => {
                chance + 1 + u128::from(u64::from_le_bytes(self.bytes()) >> STEP)
            }
            _ => self.chance(),
        };
        // Past the end of its range, which 80 bits do not see in a lifetime: drawn anew.
        let chance = if next >> 80 == 0 { next } else { self.chance() };
        *last = (at, chance);
        ulid::Ulid::from_parts(at, chance)
    }

    /// 80 bits, as an identifier has.
    fn chance(&self) -> u128 {
        let mut random = [0; 16];
        self.rng.fill(&mut random[..10]);
        u128::from_le_bytes(random)
    }
}

/// So many bits fewer than 64 has the step between two identifiers of one millisecond.
const STEP: u32 = 16;

struct SystemClock {
    start: tokio::time::Instant,
}

impl SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
    fn start() -> SystemClock {
        SystemClock {
            start: tokio::time::Instant::now(),
        }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(millis(since))
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
    fn sleep(&self, pause: Duration) -> Pause {
        Box::pin(tokio::time::sleep(pause))
    }
}

struct SystemRng;

impl Rng for SystemRng {
    fn fill(&self, into: &mut [u8]) {
        use ring::rand::SecureRandom as _;
        ring::rand::SystemRandom::new()
            .fill(into)
            .expect("the operating system has a random generator");
    }
}

/// A clock that stands still until it is moved, and chance that repeats: for tests.
///
/// ```
/// use std::time::Duration;
/// let simulated = gatepost::world::Simulated::new(7);
/// let world = simulated.world();
/// let before = world.now();
/// simulated.advance(Duration::from_secs(600));
/// assert_eq!(world.now().since(before), Duration::from_secs(600));
/// ```
#[derive(Clone)]
pub struct Simulated {
    state: Arc<SimulatedState>,
}

struct SimulatedState {
    start: i64,
    now: AtomicI64,
    elapsed: AtomicI64,
    seed: u64,
    drawn: AtomicU64,
    sleepers: Mutex<BTreeMap<(i64, u64), oneshot::Sender<()>>>,
}

impl Simulated {
    /// A world that starts at 2026-01-01T00:00:00Z; equal seeds draw equal bytes.
    pub fn new(seed: u64) -> Simulated {
        let start = 1_767_225_600_000;
        Simulated {
            state: Arc::new(SimulatedState {
                start,
                now: AtomicI64::new(start),
                elapsed: AtomicI64::new(0),
                seed,
                drawn: AtomicU64::new(0),
                sleepers: Mutex::default(),
            }),
        }
    }

    /// The world to hand to what is tested.
    pub fn world(&self) -> World {
        World::new(self.state.clone(), self.state.clone())
    }

    /// Moves both clocks on by `by` and wakes every sleeper whose time has come.
    pub fn advance(&self, by: Duration) {
        self.state.now.fetch_add(millis(by), Ordering::SeqCst);
        let elapsed = self.state.elapsed.fetch_add(millis(by), Ordering::SeqCst) + millis(by);
        let mut sleepers = self.sleepers();
        while let Some(entry) = sleepers.first_entry() {
            if entry.key().0 > elapsed {
                break;
            }
            // The sleeper may have been dropped meanwhile: then nobody needs waking.
            let _ = entry.remove().send(());
        }
    }

    /// Sets the wall clock alone, as an administrator or NTP does: nobody is woken.
    pub fn jump(&self, to: Timestamp) {
        self.state.now.store(to.as_millis(), Ordering::SeqCst);
    }

    fn sleepers(&self) -> std::sync::MutexGuard<'_, BTreeMap<(i64, u64), oneshot::Sender<()>>> {
        self.state.lock()
    }

    /// How many sleepers wait for the clock to be moved (dropped ones do not count).
    pub fn sleeping(&self) -> usize {
        self.sleepers().values().filter(|s| !s.is_closed()).count()
    }

    /// Moves the clock to the moment at which the next sleeper wakes and says how far that was;
    /// `None` when nobody sleeps.
    pub fn advance_to_next(&self) -> Option<Duration> {
        let elapsed = self.state.elapsed.load(Ordering::SeqCst);
        let next = {
            let mut sleepers = self.sleepers();
            sleepers.retain(|_, sleeper| !sleeper.is_closed());
            sleepers.keys().next().map(|key| key.0)
        }?;
        let by = Duration::from_millis(u64::try_from(next - elapsed).unwrap_or(0));
        self.advance(by);
        Some(by)
    }
}

impl SimulatedState {
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<(i64, u64), oneshot::Sender<()>>> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for SimulatedState {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(u64::try_from(self.elapsed.load(Ordering::SeqCst)).unwrap_or(0))
    }

    fn sleep(&self, pause: Duration) -> Pause {
        if pause.is_zero() {
            return Box::pin(std::future::ready(()));
        }
        let (wake, woken) = oneshot::channel();
        let mut sleepers = self.lock();
        // Whoever gave up waiting leaves a closed channel behind; sweep before the map grows.
        if sleepers.len() > 1024 {
            sleepers.retain(|_, sleeper| !sleeper.is_closed());
        }
        let at = self
            .elapsed
            .load(Ordering::SeqCst)
            .saturating_add(millis(pause));
        let unique = self.drawn.fetch_add(1, Ordering::SeqCst);
        sleepers.insert((at, unique), wake);
        Box::pin(async move {
            // An error means that the clock itself is gone: then nothing is left to wait for.
            let _ = woken.await;
        })
    }
}

impl Rng for SimulatedState {
    fn fill(&self, into: &mut [u8]) {
        for chunk in into.chunks_mut(32) {
            let draw = self.drawn.fetch_add(1, Ordering::SeqCst);
            let mut input = [0; 24];
            input[..8].copy_from_slice(&self.seed.to_le_bytes());
            input[8..16].copy_from_slice(&draw.to_le_bytes());
            input[16..].copy_from_slice(&self.start.to_le_bytes());
            let digest = ring::digest::digest(&ring::digest::SHA256, &input);
            chunk.copy_from_slice(&digest.as_ref()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_shown_as_rfc_3339_and_survive_extremes() {
        assert_eq!(
            Timestamp::from_millis(1_767_225_600_123).to_string(),
            "2026-01-01T00:00:00.123Z"
        );
        let end = Timestamp::from_millis(i64::MAX) + Duration::MAX;
        assert_eq!(end.as_millis(), i64::MAX);
        assert_eq!(Timestamp::from_millis(5).since(end), Duration::ZERO);
    }

    #[test]
    fn below_is_within_its_bound_and_reaches_every_number() {
        let world = Simulated::new(1).world();
        let mut seen = [false; 10];
        for _ in 0..500 {
            seen[world.below(10) as usize] = true;
        }
        assert_eq!(seen, [true; 10]);
        assert_eq!(world.below(1), 0);
    }

    #[tokio::test]
    async fn a_simulated_sleep_ends_when_the_clock_is_moved() {
        let simulated = Simulated::new(1);
        let world = simulated.world();
        let sleep = tokio::spawn(world.sleep(Duration::from_secs(3600)));
        assert_eq!(simulated.advance_to_next(), Some(Duration::from_secs(3600)));
        sleep.await.unwrap();
        let never = world.timeout(Duration::from_secs(1), std::future::pending::<()>());
        let (outcome, ()) =
            tokio::join!(never, async { simulated.advance(Duration::from_secs(1)) });
        assert_eq!(outcome, Err(Elapsed));
    }

    #[test]
    fn identifiers_of_one_millisecond_sort_as_they_were_drawn() {
        let world = Simulated::new(1).world();
        let drawn: Vec<_> = (0..1000).map(|_| world.clone().ulid()).collect();
        assert!(drawn.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn equal_seeds_draw_equal_bytes() {
        let draw = |seed| Simulated::new(seed).world().bytes::<40>();
        assert_eq!(draw(3), draw(3));
        assert_ne!(draw(3), draw(4));
    }
}
