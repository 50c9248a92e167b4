//! Mails for which a server blamed the route at RCPT TO or later, when it knew whose they were.
//! Such a verdict is only a suspicion: an internal relay that denies one recipient says the same as
//! one that denies everybody. What settles it is another mail: once one was accepted after that,
//! the next verdict of that kind is the mail's own.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::mail::letter::OutboxId;

/// For how long a mail goes behind the others after the first suspicion, the second, …; the last
/// is repeated. Others need not wait for it, and while there are none it is the one that finds
/// out whether the route works again.
const BEHIND: [Duration; 6] = [
    Duration::from_secs(5),
    Duration::from_secs(15),
    Duration::from_secs(60),
    Duration::from_secs(5 * 60),
    Duration::from_secs(15 * 60),
    Duration::from_secs(60 * 60),
];

/// More are not remembered: forgetting one costs it a try that is not charged.
const MOST: usize = 10_000;

/// What another verdict on a mail means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// Others were accepted since the last one: it is the mail.
    TheMail,
    /// It may be the route.
    Unclear {
        /// Whether this mail, or another one to the same recipient, is under suspicion already:
        /// it says nothing new.
        again: bool,
        /// For how long the mail goes behind the others.
        behind: Duration,
    },
}

/// Those of one route. Not kept over a restart: each of them is then tried once more at no charge.
#[derive(Debug, Default)]
pub struct Suspects {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    /// How many mails were accepted.
    accepted: u64,
    mails: HashMap<OutboxId, Suspect>,
}

#[derive(Debug)]
struct Suspect {
    to: String,
    /// How many had been accepted at the last verdict.
    accepted: u64,
    /// How many verdicts there were.
    verdicts: usize,
}

impl Suspects {
    /// The mail was accepted.
    pub fn accepted(&self, id: OutboxId) {
        let mut known = self.lock();
        known.accepted += 1;
        known.mails.remove(&id);
    }

    /// The server blamed the route for the mail to `to`.
    pub fn blamed(&self, id: OutboxId, to: &str) -> Finding {
        let mut known = self.lock();
        let accepted = known.accepted;
        let before = known.mails.remove(&id);
        if before
            .as_ref()
            .is_some_and(|before| before.accepted < accepted)
        {
            return Finding::TheMail;
        }
        if known.mails.len() >= MOST {
            known.mails.clear();
        }
        let same = |other: &Suspect| other.accepted == accepted && other.to == to;
        let again = before.is_some() || known.mails.values().any(same);
        let verdicts = before.map_or(0, |before| before.verdicts);
        let suspect = Suspect {
            to: to.to_owned(),
            accepted,
            verdicts: verdicts + 1,
        };
        known.mails.insert(id, suspect);
        Finding::Unclear {
            again,
            behind: BEHIND[verdicts.min(BEHIND.len() - 1)],
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[test]
    fn a_mail_is_found_guilty_once_another_one_was_accepted_after_it() {
        let world = Simulated::new(1).world();
        let [culprit, other, third] = [(); 3].map(|()| OutboxId::draw(&world));
        let suspects = Suspects::default();
        let unclear = |again, seconds| Finding::Unclear {
            again,
            behind: Duration::from_secs(seconds),
        };
        // What was accepted before says nothing about now.
        suspects.accepted(other);
        assert_eq!(suspects.blamed(culprit, "ann"), unclear(false, 5));
        assert_eq!(suspects.blamed(other, "bob"), unclear(false, 5));
        assert_eq!(suspects.blamed(culprit, "ann"), unclear(true, 15));
        assert_eq!(suspects.blamed(third, "ann"), unclear(true, 5));
        suspects.accepted(other);
        assert_eq!(suspects.blamed(culprit, "ann"), Finding::TheMail);
        // It is settled; the next verdict is judged by itself.
        assert_eq!(suspects.blamed(culprit, "ann"), unclear(false, 5));
    }
}
