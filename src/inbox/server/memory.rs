//! The memory that large mails share while they come in. Small ones never ask for any.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::world::World;

/// Octets that one permit stands for: a semaphore hands out no more than `u32::MAX` at once.
const UNIT: usize = 1 << 10;

/// What all connections may set aside together.
#[derive(Debug, Clone)]
pub(super) struct Memory(Arc<Semaphore>);

impl Memory {
    /// Memory for `octets`.
    pub(super) fn of(octets: usize) -> Memory {
        let permits = octets.div_ceil(UNIT).min(Semaphore::MAX_PERMITS);
        Memory(Arc::new(Semaphore::new(permits)))
    }
}

/// What one connection has set aside.
#[derive(Debug)]
pub(super) struct Share {
    memory: Memory,
    held: Option<OwnedSemaphorePermit>,
}

impl Share {
    pub(super) fn new(memory: Memory) -> Share {
        Share { memory, held: None }
    }

    /// Sets `octets` more aside; `false` when there were none within `patience`. Whoever holds
    /// some already does not wait: two that wait for what the other one holds would wait for ever.
    pub(super) async fn take(&mut self, octets: usize, patience: Duration, world: &World) -> bool {
        let Ok(permits) = u32::try_from(octets.div_ceil(UNIT)) else {
            return false;
        };
        let memory = self.memory.0.clone();
        match &mut self.held {
            Some(held) => match memory.try_acquire_many_owned(permits) {
                Ok(more) => held.merge(more),
                Err(_) => return false,
            },
            None => match world
                .timeout(patience, memory.acquire_many_owned(permits))
                .await
            {
                Ok(Ok(held)) => self.held = Some(held),
                // Never closed, so only the time can be over.
                Ok(Err(_)) | Err(_) => return false,
            },
        }
        true
    }

    /// Gives back what is set aside.
    pub(super) fn give_back(&mut self) {
        self.held = None;
    }
}
