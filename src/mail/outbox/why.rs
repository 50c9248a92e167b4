//! Why a mail is not sent yet, and when it is tried next; or, once it is done with, what became of
//! it. The answer is decided here from the row and the routes; its sentences are in `wording`.

use super::row::{Row, Setback, Shelved, State};
use super::wording;
use crate::language::Language;
use crate::mail::attempt::Outcome;
use crate::mail::kind::Lane;
use crate::mail::letter::OutboxId;
use crate::mail::route::{Breaker, LastError, RouteName, Status};
use crate::mail::rulebook::{self, Rule, Words};
use crate::world::Timestamp;

/// How a mail stands, in a word for programs and in sentences for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// The stable word, one of [`CODES`].
    pub code: &'static str,
    /// The rule of the rulebook that explains what the server said.
    pub rule: Option<&'static Rule>,
    /// When something happens next, as far as that is known.
    pub next_at: Option<Timestamp>,
    text: Words,
    advice: Option<Words>,
}

impl Why {
    /// What the matter is, in one or more whole sentences.
    pub fn text(&self, language: Language) -> String {
        self.text.of(language).trim_end().to_owned()
    }

    /// What can be done about it, where anything can: the rule's advice or our own.
    pub fn advice(&self, language: Language) -> Option<&str> {
        let rule = self.rule.map(|rule| &rule.advice);
        rule.or(self.advice.as_ref())
            .map(|words| words.of(language))
    }

    /// The provider's page on which it is done, where there is one.
    pub fn page(&self) -> Option<&'static str> {
        self.rule.and_then(|rule| rule.page.as_deref())
    }
}

/// Every [`Why::code`].
pub const CODES: [&str; 21] = [
    "waiting",
    "scheduled",
    "retry",
    "doubtful_retry",
    "late",
    "sending",
    "route_paused",
    "route_resting",
    "route_probing",
    "route_budget",
    "route_pace",
    "sent",
    "sent_maybe_twice",
    "uncertain",
    "refused",
    "given_up",
    "expired",
    "discarded",
    "replaced",
    "unknown_address",
    "shelved",
];

/// How a mail stands, with what its sentences name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Situation<'a> {
    /// It is due, and others are before it.
    Waiting,
    /// It is not to be sent before then.
    Scheduled { at: Timestamp },
    /// It was set back and waits for its next try.
    Retry {
        at: Timestamp,
        tries: u32,
        setback: &'a Setback,
    },
    /// It may have arrived, and is sent again to be sure.
    DoubtfulRetry { at: Timestamp, lost: bool },
    /// Its time went by while it waited; nobody has noted that yet.
    Late { at: Timestamp },
    /// A courier has it.
    Sending,
    /// The operator paused its route.
    Paused { route: RouteName, since: Timestamp },
    /// Its route failed and rests.
    Resting {
        route: RouteName,
        until: Timestamp,
        error: Option<&'a LastError>,
    },
    /// Its route failed, and one mail tries it just now.
    Probing {
        route: RouteName,
        error: Option<&'a LastError>,
    },
    /// Its route has sent all that it may in a day.
    Budget {
        route: RouteName,
        resumes: Option<Timestamp>,
    },
    /// Its route sends evenly.
    Pace {
        route: RouteName,
        per_minute: Option<u32>,
        resumes: Timestamp,
    },
    /// The server took it: gatepost's own, where it `captures`.
    Sent {
        at: Timestamp,
        route: Option<RouteName>,
        captures: bool,
    },
    /// The server took it, and may have taken it before.
    MaybeTwice {
        at: Timestamp,
        route: Option<RouteName>,
    },
    /// Taken or not, nobody knows, and there is no more time or it was sent often enough.
    Uncertain { lost: bool, doubts: Option<u32> },
    /// Refused for good.
    Refused {
        setback: Option<&'a Setback>,
        doubtful: bool,
    },
    /// Tried until there was no more time.
    GivenUp {
        tries: u32,
        setback: Option<&'a Setback>,
    },
    /// A code or a link whose time went by.
    Expired {
        at: Timestamp,
        setback: Option<&'a Setback>,
    },
    /// By the operator.
    Discarded {
        at: Timestamp,
        undo_until: Option<Timestamp>,
        doubtful: bool,
    },
    /// By a later mail.
    Replaced { by: Option<OutboxId> },
    /// It was composed so that nobody can tell that there is no such account.
    UnknownAddress,
    /// Discarded, for a reason of an older or newer gatepost.
    Shelved,
}

impl Situation<'_> {
    fn code(&self) -> &'static str {
        match self {
            Situation::Waiting => "waiting",
            Situation::Scheduled { .. } => "scheduled",
            Situation::Retry { .. } => "retry",
            Situation::DoubtfulRetry { .. } => "doubtful_retry",
            Situation::Late { .. } => "late",
            Situation::Sending => "sending",
            Situation::Paused { .. } => "route_paused",
            Situation::Resting { .. } => "route_resting",
            Situation::Probing { .. } => "route_probing",
            Situation::Budget { .. } => "route_budget",
            Situation::Pace { .. } => "route_pace",
            Situation::Sent { .. } => "sent",
            Situation::MaybeTwice { .. } => "sent_maybe_twice",
            Situation::Uncertain { .. } => "uncertain",
            Situation::Refused { .. } => "refused",
            Situation::GivenUp { .. } => "given_up",
            Situation::Expired { .. } => "expired",
            Situation::Discarded { .. } => "discarded",
            Situation::Replaced { .. } => "replaced",
            Situation::UnknownAddress => "unknown_address",
            Situation::Shelved => "shelved",
        }
    }

    fn next_at(&self) -> Option<Timestamp> {
        match *self {
            Situation::Scheduled { at }
            | Situation::Retry { at, .. }
            | Situation::DoubtfulRetry { at, .. } => Some(at),
            Situation::Resting { until, .. } => Some(until),
            Situation::Budget { resumes, .. } => resumes,
            Situation::Pace { resumes, .. } => Some(resumes),
            _ => None,
        }
    }

    fn rule(&self) -> Option<&'static Rule> {
        let id = match self {
            Situation::Retry { setback, .. } => setback.rule.as_deref(),
            Situation::Refused { setback, .. }
            | Situation::GivenUp { setback, .. }
            | Situation::Expired { setback, .. } => {
                setback.and_then(|setback| setback.rule.as_deref())
            }
            Situation::Resting { error, .. } | Situation::Probing { error, .. } => {
                error.and_then(|error| error.rule.as_deref())
            }
            _ => None,
        };
        id.and_then(rulebook::rule)
    }
}

/// Why the mail in `row` stands as it does at `now`, with the routes as they are.
pub fn why(row: &Row, routes: &[Status], now: Timestamp) -> Why {
    let situation = situation(row, routes, now);
    let rule = situation.rule();
    Why {
        code: situation.code(),
        rule,
        next_at: situation.next_at(),
        text: wording::text(&situation, rule),
        advice: wording::advice(&situation),
    }
}

fn situation<'a>(row: &'a Row, routes: &'a [Status], now: Timestamp) -> Situation<'a> {
    let at = row.finished_at.unwrap_or(row.created_at);
    let setback = row.setback.as_ref();
    match (row.state, row.due_at) {
        (State::Queued | State::Uncertain, Some(due_at)) => waiting(row, due_at, routes, now),
        (State::Uncertain, None) => Situation::Uncertain {
            lost: row.is_lost(),
            doubts: row.is_doubted_enough().then_some(row.doubts),
        },
        // A final state without a time to wait for: of a store that something else wrote.
        (State::Queued, None) => Situation::Waiting,
        (State::Sending, _) => Situation::Sending,
        (State::Sent, _) if row.doubtful => Situation::MaybeTwice {
            at,
            route: row.route,
        },
        (State::Sent, _) => Situation::Sent {
            at,
            route: row.route,
            captures: routes
                .iter()
                .any(|status| status.captures && row.route.unwrap_or(status.name) == status.name),
        },
        (State::Dead, _) => match setback {
            Some(last) if last.outcome != Outcome::Permanent => Situation::GivenUp {
                tries: row.tries,
                setback,
            },
            None => Situation::GivenUp {
                tries: row.tries,
                setback,
            },
            _ => Situation::Refused {
                setback,
                doubtful: row.doubtful,
            },
        },
        (State::Expired, _) => Situation::Expired {
            at: row.expires_at,
            setback,
        },
        (State::Discarded, _) => match row.shelved {
            Some(Shelved::Operator) => Situation::Discarded {
                at,
                undo_until: row.undo_until().filter(|until| *until > now),
                doubtful: row.doubtful,
            },
            Some(Shelved::Replaced) => Situation::Replaced {
                by: row.replaced_by,
            },
            Some(Shelved::UnknownAddress) => Situation::UnknownAddress,
            None => Situation::Shelved,
        },
    }
}

fn waiting<'a>(
    row: &'a Row,
    due_at: Timestamp,
    routes: &'a [Status],
    now: Timestamp,
) -> Situation<'a> {
    if row.expires_at <= now {
        return Situation::Late { at: row.expires_at };
    }
    if row.send_at == Some(due_at) && due_at > now {
        return Situation::Scheduled { at: due_at };
    }
    if let Some(blocked) = blocked(row, routes, now) {
        // The mail's own wait may be the longer one.
        if blocked.next_at().is_none_or(|at| at > due_at) {
            return blocked;
        }
    }
    if due_at <= now {
        return Situation::Waiting;
    }
    match &row.setback {
        _ if row.doubtful => Situation::DoubtfulRetry {
            at: due_at,
            lost: row.is_lost(),
        },
        Some(setback) => Situation::Retry {
            at: due_at,
            tries: row.tries.max(1),
            setback,
        },
        None => Situation::Scheduled { at: due_at },
    }
}

/// What keeps every route from it that it could take: of several the one that is over first.
fn blocked<'a>(row: &Row, routes: &'a [Status], now: Timestamp) -> Option<Situation<'a>> {
    let prompt = row.lane() == Lane::Prompt;
    let takes = |status: &&Status| status.name == RouteName::Primary || (prompt && !row.doubtful);
    let mut first: Option<Situation<'a>> = None;
    for status in routes.iter().filter(takes) {
        let blocked = closed(status, prompt, now)?;
        let sooner = |other: &Situation<'_>| match (blocked.next_at(), other.next_at()) {
            (Some(at), Some(other)) => at < other,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if first.as_ref().is_none_or(sooner) {
            first = Some(blocked);
        }
    }
    first
}

/// Why nothing of this lane is sent over the route just now; `None` when it is.
fn closed(status: &Status, prompt: bool, now: Timestamp) -> Option<Situation<'_>> {
    let route = status.name;
    let error = status.last_error.as_ref();
    if let Some(pause) = &status.paused {
        return Some(Situation::Paused {
            route,
            since: pause.at,
        });
    }
    match status.breaker {
        Breaker::Closed => {}
        Breaker::Open { probe_at, .. } => {
            return Some(Situation::Resting {
                route,
                until: probe_at,
                error,
            });
        }
        Breaker::Probing { .. } => return Some(Situation::Probing { route, error }),
    }
    let budget = &status.budget;
    let (kept, resumes) = match prompt {
        true => (0, budget.resumes_at),
        false => (budget.kept_for_codes, budget.ordinary_resumes_at),
    };
    let resumes = resumes.filter(|at| *at > now);
    let spent = budget
        .per_day
        .is_some_and(|most| budget.spent >= most.saturating_sub(kept));
    match (spent, resumes) {
        (true, resumes) => Some(Situation::Budget { route, resumes }),
        (false, Some(resumes)) => Some(Situation::Pace {
            route,
            per_minute: budget.per_minute,
            resumes,
        }),
        (false, None) => None,
    }
}
