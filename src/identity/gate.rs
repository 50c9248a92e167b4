//! Guesses under way. A wrong password is counted when its hash is known, some 20 ms after it
//! came in; whoever sends a thousand at once must not have them all judged by a count that is
//! still zero. So each guess draws a ticket first, and those ahead of it count as wrong until it
//! is known that they are not. How many may be under way is not decided here.

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tokio::sync::Notify;

use super::limits::Subject;

/// The tickets that are out. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Gate {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    drawn: u64,
    lines: HashMap<Subject, Line>,
}

#[derive(Default)]
struct Line {
    /// Ascending.
    tickets: Vec<u64>,
    moved: Arc<Notify>,
}

/// A place for one guess in the lines of an account and of a client; given up when it is dropped,
/// which must be after the guess was counted.
pub(super) struct Place {
    gate: Gate,
    ticket: u64,
    subjects: [Subject; 2],
}

impl Gate {
    /// Joins both lines at once: if everybody is ordered alike in all lines, nobody waits in a
    /// circle.
    pub(super) fn enter(&self, subjects: [Subject; 2]) -> Place {
        let mut state = self.lock();
        state.drawn += 1;
        let ticket = state.drawn;
        for subject in &subjects {
            let line = state.lines.entry(subject.clone()).or_default();
            line.tickets.push(ticket);
        }
        Place {
            gate: self.clone(),
            ticket,
            subjects,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// How many are ahead in each line. All others that ever were have been counted by now: look
    /// at the counters after this, not before.
    pub(super) fn ahead(&self) -> [usize; 2] {
        let state = self.gate.lock();
        self.subjects.each_ref().map(|subject| {
            let line = state.lines.get(subject);
            line.map_or(0, |line| line.tickets.partition_point(|t| *t < self.ticket))
        })
    }

    /// Completes when somebody leaves either line after this call.
    pub(super) fn moved(&self) -> impl Future<Output = ()> + Send + use<> {
        let state = self.gate.lock();
        let [a, b] = self.subjects.each_ref().map(|subject| {
            let line = state.lines.get(subject);
            let moved = line.map(|line| line.moved.clone()).unwrap_or_default();
            moved.notified_owned()
        });
        async move {
            tokio::select! {
                () = a => {}
                () = b => {}
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.lock();
        for subject in &self.subjects {
            if let Some(line) = state.lines.get_mut(subject) {
                line.tickets.retain(|ticket| *ticket != self.ticket);
                line.moved.notify_waiters();
                if line.tickets.is_empty() {
                    state.lines.remove(subject);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn subjects(address: &str, ip: &str) -> [Subject; 2] {
        let address: crate::address::EmailAddress = address.parse().unwrap();
        let client = Subject::client(ip.parse().unwrap());
        [Subject::Address(address.lookup()), client]
    }

    #[test]
    fn places_know_who_is_ahead_and_leave_nothing_behind() {
        let gate = Gate::default();
        let first = gate.enter(subjects("ann@example.com", "192.0.2.1"));
        let second = gate.enter(subjects("ann@example.com", "192.0.2.2"));
        let third = gate.enter(subjects("bob@example.com", "192.0.2.2"));
        assert_eq!(first.ahead(), [0, 0]);
        assert_eq!(second.ahead(), [1, 0]);
        assert_eq!(third.ahead(), [0, 1]);
        let mut moved = Box::pin(second.moved());
        assert_eq!(moved.as_mut().now_or_never(), None);
        drop(first);
        assert_eq!(moved.now_or_never(), Some(()));
        assert_eq!(second.ahead(), [0, 0]);
        drop((second, third));
        assert!(gate.lock().lines.is_empty());
    }
}
