//! The last lines of the log, in memory: what the dashboard shows of it. A line is what went
//! through `tracing`, so nothing stands here that the log itself does not say. What must not live
//! here: writing it anywhere.

use std::collections::VecDeque;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use tracing::Event;
use tracing::Level;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

use crate::events::Events;
use crate::events::Topic;
use crate::world::Timestamp;
use crate::world::World;

/// How many lines are remembered.
const LINES: usize = 2_000;

/// How much of a line is, in characters.
const LONGEST: usize = 2_000;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Its number, from 1; the next line has the next one.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// How bad it is.
    pub level: Level,
    /// Which part of gatepost, such as `gatepost::mail::courier`.
    pub target: String,
    /// What it says, with its fields.
    pub text: String,
}

#[derive(Debug, Default)]
struct Lines {
    lines: VecDeque<Line>,
    last: u64,
    events: Option<Events>,
}

/// The last lines of the log. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    shared: Arc<Mutex<Lines>>,
}

impl Journal {
    /// From now on a new line wakes those who watch [`Topic::Log`], unless it is only for whoever
    /// looks for a fault (debug, trace): a request that reads the log would otherwise be told of
    /// itself for ever.
    pub fn wake(&self, events: Events) {
        self.lock().events = Some(events);
    }

    /// Adds a line.
    pub fn add(&self, at: Timestamp, level: Level, target: &str, text: &str) {
        let mut lines = self.lock();
        lines.last += 1;
        let line = Line {
            number: lines.last,
            at,
            level,
            target: target.to_owned(),
            text: text.chars().take(LONGEST).collect(),
        };
        if lines.lines.len() == LINES {
            lines.lines.pop_front();
        }
        lines.lines.push_back(line);
        if level <= Level::INFO
            && let Some(events) = &lines.events
        {
            events.wake(Topic::Log);
        }
    }

    /// The number of the newest line; 0 when there is none.
    pub fn newest(&self) -> u64 {
        self.lock().last
    }

    /// What `look` makes of the lines that are remembered, the oldest first. Nobody can add one
    /// meanwhile, so it had better be quick.
    pub fn look<T>(&self, look: impl FnOnce(&VecDeque<Line>) -> T) -> T {
        look(&self.lock().lines)
    }

    fn lock(&self) -> MutexGuard<'_, Lines> {
        // Whoever panicked left whole lines.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands the log's lines to a [`Journal`].
pub struct Recorder {
    journal: Journal,
    world: World,
}

impl Recorder {
    /// Writes into `journal`, with the time of `world`.
    pub fn new(journal: Journal, world: World) -> Recorder {
        Recorder { journal, world }
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        let metadata = event.metadata();
        let text = format!("{}{}", said.message, said.fields);
        let at = self.world.now();
        self.journal
            .add(at, *metadata.level(), metadata.target(), text.trim());
    }
}

/// A line's message, and its fields as ` name=value`.
#[derive(Default)]
struct Said {
    message: String,
    fields: String,
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message.push_str(value),
            _ => self.record_debug(field, &value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a String cannot fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.fields, " {name}={value:?}"),
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::world::Simulated;

    #[test]
    fn a_line_is_kept_as_it_was_said() {
        let journal = Journal::default();
        let world = Simulated::new(1).world();
        let recorder = Recorder::new(journal.clone(), world.clone());
        let subscriber = tracing_subscriber::registry().with(recorder);
        tracing::subscriber::with_default(subscriber, || {
            tracing::warn!(port = 25, who = "a b", "it {}", "rests");
        });
        let lines = journal.look(|lines| lines.iter().cloned().collect::<Vec<_>>());
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].text, "it rests port=25 who=\"a b\"");
        assert_eq!(lines[0].level, Level::WARN);
        assert_eq!(lines[0].at, world.now());
        assert!(lines[0].target.contains("journal"));
    }

    #[test]
    fn only_so_many_lines_are_remembered_and_their_numbers_grow() {
        let journal = Journal::default();
        let at = Timestamp::from_millis(0);
        for n in 0..LINES + 5 {
            journal.add(at, Level::INFO, "a", &format!("{n}"));
        }
        journal.add(at, Level::INFO, "a", &"é".repeat(LONGEST * 2));
        let (first, last, count) = journal.look(|lines| {
            let last = lines.back().unwrap();
            (lines[0].number, last.text.chars().count(), lines.len())
        });
        assert_eq!((first, last, count), (7, LONGEST, LINES));
        assert_eq!(journal.newest(), LINES as u64 + 6);
    }

    #[test]
    fn a_line_for_whoever_looks_for_a_fault_wakes_nobody() {
        let (journal, events) = (Journal::default(), Events::default());
        let mut watch = events.watch(Topic::Log);
        journal.wake(events);
        let at = Timestamp::from_millis(0);
        journal.add(at, Level::DEBUG, "a", "b");
        assert_eq!(watch.count(), 0);
        journal.add(at, Level::WARN, "a", "b");
        assert_eq!(watch.count(), 1);
    }
}
