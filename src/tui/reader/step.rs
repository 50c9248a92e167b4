//! What somebody does in the reader, which tabs there are, and what they wait for.

use std::sync::Arc;

/// What is shown of the mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tab {
    /// The plain text.
    Text,
    /// The HTML, laid out.
    Html,
    /// The header fields and the conversation that brought it.
    Headers,
    /// The source.
    Raw,
    /// The attachments.
    Parts,
    /// What was tried to deliver it.
    Attempts,
}

impl Tab {
    /// All of them, in order.
    pub const ALL: [Tab; 6] = [
        Tab::Text,
        Tab::Html,
        Tab::Headers,
        Tab::Raw,
        Tab::Parts,
        Tab::Attempts,
    ];

    /// The key of its name among the words.
    pub fn key(self) -> &'static str {
        match self {
            Tab::Text => "reader_tab_text",
            Tab::Html => "reader_tab_html",
            Tab::Headers => "reader_tab_headers",
            Tab::Raw => "reader_tab_raw",
            Tab::Parts => "reader_tab_parts",
            Tab::Attempts => "reader_tab_attempts",
        }
    }
}

/// What the tab that is shown waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// The source: `GET /inbox/messages/{id}/raw`.
    Raw,
    /// The outbox's mail of this name, with its attempts.
    Attempts(String),
    /// [`super::html::render`], off the draw loop.
    Html {
        /// What is to be laid out.
        html: Arc<str>,
        /// In how many columns.
        width: u16,
    },
}

/// What somebody does in the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The tab to the right.
    NextTab,
    /// The tab to the left.
    PrevTab,
    /// A tab; nothing where the mail has no such tab.
    Tab(Tab),
    /// A row up.
    Up,
    /// A row down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// Looks for a text; an empty one ends the search.
    Find(String),
    /// The next place where it stands.
    FindNext,
    /// The one before.
    FindPrev,
    /// Ends the search.
    ClearFind,
    /// The next link, on the tab of the parts the next part.
    NextLink,
    /// The one before.
    PrevLink,
    /// The area has so many columns and rows.
    Resize(u16, u16),
}
