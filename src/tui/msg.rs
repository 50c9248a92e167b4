//! What happens to the dashboard: keys, time, answers and events. Texts of the server's answers
//! were cleaned ([`super::safe::clean`]) before they came here.

use std::time::Duration;

use ratatui::crossterm::event::KeyEvent;
use ratatui::crossterm::event::MouseEvent;

use crate::client::About;
use crate::client::MailDetail;
use crate::client::Message;
use crate::client::Page;
use crate::client::Stats;
use crate::world::Timestamp;

use super::model::Row;
use super::reader::html::Rendered;

/// Something that happened. Only a tick tells the time: whoever hands over messages sends one
/// before each batch of them.
#[derive(Debug, Clone)]
pub enum Msg {
    /// A key went down.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// A text was pasted.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
    /// It is this time now.
    Tick(Timestamp),
    /// A request ended; its number is the effect's.
    Answer(u64, Answer),
    /// Something of this kind changed on the server.
    Event(Topic),
    /// The stream of events stands; everything may have changed while it did not.
    Connected {
        /// Who answers there.
        about: Box<About>,
        /// How long a request takes.
        latency: Duration,
    },
    /// A request took so long.
    Latency(Duration),
    /// The stream of events broke, or could not be set up.
    Lost(Problem),
    /// Something to be said in the line at the foot.
    Note(Note),
}

/// Which things changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// The outbox.
    Outbox,
    /// Captured mail.
    Inbox,
    /// The routes.
    Routes,
    /// The audit record, and with it users, sessions and tokens.
    Audit,
    /// The log.
    Log,
}

/// What a request brought.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A page of a list.
    Page(Page<Row>),
    /// The figures.
    Stats(Box<Stats>),
    /// A mail of the outbox with its attempts.
    Mail(Box<MailDetail>),
    /// A captured mail, or nothing where the newest was asked for and there is none.
    Message(Option<Box<Message>>),
    /// The bytes of a captured mail.
    Raw(Vec<u8>),
    /// A mail's HTML, laid out for so many columns.
    Html {
        /// In columns.
        width: u16,
        /// By [`super::reader::html::render`].
        rendered: Box<Rendered>,
    },
    /// What became of each thing that was acted on, in the order of the effect's ids.
    Acted(Vec<Acted>),
    /// A secret that was revealed.
    Revealed(String),
    /// Nothing came of it.
    Failed(Problem),
}

/// What became of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acted {
    /// Its name.
    pub id: String,
    /// Its state afterwards (empty where it has none), or what was wrong.
    pub outcome: Result<String, Problem>,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problem {
    /// In words.
    pub text: String,
    /// The API's stable word, if it said one.
    pub code: Option<String>,
    /// Whether nobody answered at all.
    pub unreachable: bool,
}

/// Something to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Whether it is good news; `None` for neither.
    pub good: Option<bool>,
    /// On one line.
    pub text: String,
}

impl Note {
    /// Good news.
    pub fn good(text: impl Into<String>) -> Note {
        Note {
            good: Some(true),
            text: text.into(),
        }
    }

    /// Bad news.
    pub fn bad(text: impl Into<String>) -> Note {
        Note {
            good: Some(false),
            text: text.into(),
        }
    }

    /// News.
    pub fn plain(text: impl Into<String>) -> Note {
        Note {
            good: None,
            text: text.into(),
        }
    }
}
