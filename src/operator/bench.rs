//! Where templates are rendered for programs: off the threads that answer requests, few at a time,
//! with a bounded number that wait. What is rendered is not known here.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

/// As many orders are being rendered and waiting as may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many templates are being rendered now")]
pub struct Busy {
    /// When a new attempt is worth it.
    pub retry_after: Duration,
}

/// The bench. Cheap to clone; all clones share its places.
#[derive(Debug, Clone)]
pub struct Bench {
    places: Arc<Semaphore>,
    hands: Arc<Semaphore>,
}

/// How many are rendered at once.
const HANDS: usize = 2;
/// How many are rendered or wait: each of them holds its order in memory.
const PLACES: usize = 64;

impl Default for Bench {
    fn default() -> Bench {
        Bench {
            places: Arc::new(Semaphore::new(PLACES)),
            hands: Arc::new(Semaphore::new(HANDS)),
        }
    }
}

impl Bench {
    /// Does `work` when its turn comes. Once begun it is done to its end, and keeps its place so
    /// long, also when nobody waits for it any more.
    ///
    /// # Errors
    /// Too many are there, or the service is being stopped.
    pub(super) async fn render<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let busy = Busy {
            retry_after: Duration::from_secs(1),
        };
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| busy)?;
        let hand = self.hands.clone().acquire_owned().await.map_err(|_| busy)?;
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop((place, hand));
            done
        });
        match done.await {
            Ok(done) => Ok(done),
            Err(broken) => match broken.try_into_panic() {
                // The front makes a problem of it, as of every panic.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(_) => Err(busy),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn whoever_finds_no_place_is_told_so_and_a_panic_gives_its_place_back() {
        let bench = Bench::default();
        let (go, wait) = mpsc::channel::<()>();
        let wait = Arc::new(std::sync::Mutex::new(wait));
        let mut there: Vec<_> = (0..PLACES)
            .map(|_| {
                let (bench, wait) = (bench.clone(), wait.clone());
                tokio::spawn(async move {
                    let work = move || wait.lock().unwrap().recv().is_ok();
                    bench.render(work).await
                })
            })
            .collect();
        while bench.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(bench.render(|| ()).await.is_err());
        for _ in &there {
            go.send(()).unwrap();
        }
        for one in there.drain(..) {
            assert_eq!(one.await.unwrap(), Ok(true));
        }
        let broken = bench.clone();
        let broken = tokio::spawn(async move { broken.render(|| panic!("on purpose")).await });
        assert!(broken.await.is_err());
        assert_eq!(bench.render(|| 7).await, Ok(7));
        assert_eq!(bench.places.available_permits(), PLACES);
        assert_eq!(bench.hands.available_permits(), HANDS);
    }
}
