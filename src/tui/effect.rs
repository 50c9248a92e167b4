//! What is to be done outside of the model: requests, the clipboard, files, the terminal.

use std::sync::Arc;

use crate::client::Query;

use super::model::Remembered;
use super::model::View;

/// Something to be done. A request's number comes back with its [`super::msg::Msg::Answer`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Ask the server; the answer is tagged with the number.
    Load(u64, Load),
    /// Change something on the server: the answer is [`super::msg::Answer::Acted`], for
    /// [`Act::Reveal`] [`super::msg::Answer::Revealed`].
    Act(u64, Act, Vec<String>),
    /// Lay out a mail's HTML on another thread; the answer is [`super::msg::Answer::Html`].
    LayOut {
        /// The request's number.
        request: u64,
        /// As the sender wrote it.
        html: Arc<str>,
        /// In columns.
        width: u16,
    },
    /// Put `text` into the clipboard, and say with a note that `what` was copied.
    Copy {
        /// What is copied. It may be a secret: it is not to be logged.
        text: String,
        /// What that is, in the language of the interface.
        what: String,
    },
    /// Show a captured mail in the browser.
    Browse {
        /// The mail's number.
        id: String,
    },
    /// Show a page of the web in the browser.
    OpenUrl(String),
    /// Save an attachment of a captured mail, and say where with a note.
    Save {
        /// The mail's number.
        id: String,
        /// The attachment's.
        index: usize,
        /// What its sender calls it: not to be trusted.
        name: Option<String>,
    },
    /// Save a captured mail as it came.
    Export {
        /// The mail's number.
        id: String,
    },
    /// Catch the mouse, or leave it to the terminal.
    Mouse(bool),
    /// Go into the background, as Ctrl-Z does.
    Suspend,
    /// Connect (again), now: the answer is `Connected` or `Lost`.
    Reconnect,
    /// Keep this for the next time.
    Remember(Remembered),
    /// End.
    Quit,
}

impl Effect {
    /// Whether it changes something on the server.
    pub fn writes(&self) -> bool {
        matches!(self, Effect::Act(..))
    }
}

/// What to ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Load {
    /// A page of a list, as [`super::msg::Answer::Page`]; the routes come as one page.
    Page(View, Query),
    /// The figures.
    Stats,
    /// A mail of the outbox with its attempts.
    Mail(String),
    /// A captured mail.
    Message(String),
    /// The first captured mail that the query finds, with all that is in it.
    Newest(Query),
    /// The bytes of a captured mail.
    Raw(String),
}

/// What is done to things on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Try mails of the outbox now.
    Retry,
    /// Bring dead mails back.
    Requeue,
    /// Never send them.
    Discard,
    /// Take the discard back.
    Undo,
    /// Make codes, links and verification tokens good for nothing.
    Revoke,
    /// Tell the secret of one of them.
    Reveal,
    /// End sessions.
    EndSession,
    /// Lock accounts.
    Lock,
    /// Unlock them.
    Unlock,
    /// Mail their owners a link for a new password.
    SendReset,
    /// End all sessions of accounts.
    EndSessions,
    /// Send nothing over a route.
    Pause,
    /// Send over it again.
    Resume,
    /// Send a test mail to an address.
    SendTest,
    /// Delete captured mails.
    Delete,
}
