//! In-process wake-ups: "something of this kind was committed". Never the truth: whoever is
//! woken reads the store again, and a wake-up that comes twice or late does no harm.

use std::sync::Arc;

use tokio::sync::watch;

/// What a wake-up is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// A mail was captured or deleted.
    Inbox,
    /// The outbox has a new mail, or one changed its state.
    Outbox,
    /// A route of outgoing mail was paused, resumed, or failed or recovered.
    Routes,
    /// Something was written into the audit record: whatever people and operators do is.
    Audit,
    /// The log has a new line that somebody may want to see at once.
    Log,
}

impl Topic {
    /// All of them.
    pub const ALL: [Topic; 5] = [
        Topic::Inbox,
        Topic::Outbox,
        Topic::Routes,
        Topic::Audit,
        Topic::Log,
    ];
}

/// The switchboard. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Events {
    topics: Arc<[watch::Sender<u64>; Topic::ALL.len()]>,
}

impl Default for Events {
    fn default() -> Events {
        Events {
            topics: Arc::new(Topic::ALL.map(|_| watch::Sender::new(0))),
        }
    }
}

impl Events {
    /// Wakes everybody who watches `topic`. Inside a transaction use
    /// [`Tx::wake`](crate::store::Tx::wake), which does this after the durable commit.
    pub fn wake(&self, topic: Topic) {
        self.topics[topic as usize].send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A watch on `topic`. Take it before reading the store: what is committed in between then
    /// still wakes it.
    pub fn watch(&self, topic: Topic) -> Watch {
        Watch {
            receiver: self.topics[topic as usize].subscribe(),
        }
    }
}

/// See [`Events::watch`]. Beside waking it counts, so that whoever was away can tell whether
/// something happened meanwhile.
#[derive(Debug)]
pub struct Watch {
    receiver: watch::Receiver<u64>,
}

impl Watch {
    /// How often the topic was woken since the start of this process. What happens after this
    /// still completes [`Watch::changed`]: whoever reads the store now has seen all that was
    /// counted.
    pub fn count(&mut self) -> u64 {
        *self.receiver.borrow_and_update()
    }

    /// Completes when the topic was woken since the last call (or since the watch was taken).
    pub async fn changed(&mut self) {
        if self.receiver.changed().await.is_err() {
            // The switchboard is gone: nothing will ever happen again.
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_happens_after_the_watch_was_taken_wakes_it() {
        let events = Events::default();
        let mut inbox = events.watch(Topic::Inbox);
        events.wake(Topic::Outbox);
        events.wake(Topic::Inbox);
        events.wake(Topic::Inbox);
        inbox.changed().await;
        let again = futures_util::FutureExt::now_or_never(inbox.changed());
        assert_eq!(again, None, "two wake-ups in one go are one");
    }

    #[tokio::test]
    async fn a_count_has_seen_what_it_counts_and_nothing_else() {
        let events = Events::default();
        let mut inbox = events.watch(Topic::Inbox);
        events.wake(Topic::Inbox);
        events.wake(Topic::Inbox);
        assert_eq!(inbox.count(), 2);
        let seen = futures_util::FutureExt::now_or_never(inbox.changed());
        assert_eq!(seen, None, "what was counted wakes nobody any more");
        events.wake(Topic::Inbox);
        inbox.changed().await;
        assert_eq!(inbox.count(), 3);
    }
}
