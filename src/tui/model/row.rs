//! The views, and the rows that they show.

use serde::Deserialize;
use serde::Serialize;

use crate::client::Entry;
use crate::client::Line;
use crate::client::Mail;
use crate::client::MessageSummary;
use crate::client::Moment;
use crate::client::Page;
use crate::client::Route;
use crate::client::Session;
use crate::client::Token;
use crate::client::User;

/// What can be looked at.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(rename_all = "snake_case")]
pub enum View {
    /// The figures, and what failed.
    Overview,
    /// Captured mail.
    #[default]
    Mail,
    /// Mail that goes out.
    Outbox,
    /// Codes, links and verification tokens.
    Tokens,
    /// Accounts.
    Users,
    /// Sessions.
    Sessions,
    /// What happened.
    Audit,
    /// Ways that mail takes out.
    Routes,
    /// The log.
    Log,
    /// One person's story.
    Timeline,
}

impl View {
    /// Those that have a tab, in its order.
    pub const TABS: [View; 9] = [
        View::Overview,
        View::Mail,
        View::Outbox,
        View::Tokens,
        View::Users,
        View::Sessions,
        View::Audit,
        View::Routes,
        View::Log,
    ];

    /// Its name in settings and among the texts.
    pub const fn word(self) -> &'static str {
        match self {
            View::Overview => "overview",
            View::Mail => "mail",
            View::Outbox => "outbox",
            View::Tokens => "tokens",
            View::Users => "users",
            View::Sessions => "sessions",
            View::Audit => "audit",
            View::Routes => "routes",
            View::Log => "log",
            View::Timeline => "timeline",
        }
    }

    /// The list that is loaded for it: the overview shows mails of the outbox.
    pub const fn source(self) -> View {
        match self {
            View::Overview => View::Outbox,
            view => view,
        }
    }
}

/// One row of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Captured.
    Message(Box<MessageSummary>),
    /// Goes out.
    Mail(Box<Mail>),
    /// A code, a link, a verification token.
    Token(Box<Token>),
    /// An account.
    User(Box<User>),
    /// A session.
    Session(Box<Session>),
    /// An entry of the audit record.
    Entry(Box<Entry>),
    /// A route.
    Route(Box<Route>),
    /// A line of the log.
    Line(Box<Line>),
    /// Something in a person's story.
    Moment(Box<Moment>),
}

impl Row {
    /// What tells it apart from the others of its list.
    pub fn id(&self) -> String {
        match self {
            Row::Message(row) => row.id.clone(),
            Row::Mail(row) => row.id.clone(),
            Row::Token(row) => row.id.clone(),
            Row::User(row) => row.id.clone(),
            Row::Session(row) => row.id.clone(),
            Row::Entry(row) => row.id.clone(),
            Row::Route(row) => row.name.clone(),
            Row::Line(row) => row.id.clone(),
            // Two moments may be of one thing.
            Row::Moment(row) => format!("{} {} {}", row.at, row.kind, row.id),
        }
    }

    /// What people call it: an address, a subject, a name.
    pub fn name(&self) -> String {
        match self {
            Row::Message(row) => match row.subject.as_deref() {
                Some(subject) if !subject.is_empty() => subject.to_owned(),
                _ => row.id.clone(),
            },
            Row::Mail(row) => row.to.clone(),
            Row::Token(row) => row.email.clone(),
            Row::User(row) => row.email.clone(),
            Row::Session(row) => row.email.clone(),
            Row::Entry(row) => row.subject.clone(),
            Row::Route(row) => row.name.clone(),
            Row::Line(row) => row.id.clone(),
            Row::Moment(row) => row.title.clone(),
        }
    }

    /// The person that it is about.
    pub fn person(&self) -> Option<&str> {
        let person = match self {
            Row::Message(row) => row.envelope.to.first()?.as_str(),
            Row::Mail(row) => &row.to,
            Row::Token(row) => &row.email,
            Row::User(row) => &row.email,
            Row::Session(row) => &row.email,
            Row::Entry(row) => &row.subject,
            Row::Route(_) | Row::Line(_) | Row::Moment(_) => return None,
        };
        person.contains('@').then_some(person)
    }

    /// Its state as the API says it, if it has one.
    pub fn state(&self) -> &str {
        match self {
            Row::Mail(row) => &row.state,
            Row::Token(row) => &row.state,
            Row::User(row) => &row.state,
            Row::Session(row) => &row.state,
            Row::Entry(row) => &row.outcome,
            Row::Route(row) => &row.state,
            Row::Line(row) => &row.level,
            Row::Moment(row) => &row.state,
            Row::Message(_) => "",
        }
    }
}

macro_rules! rows {
    ($($of:ident => $row:ident),*) => {$(
        impl From<$of> for Row {
            fn from(row: $of) -> Row {
                Row::$row(Box::new(row))
            }
        }
    )*};
}

rows!(MessageSummary => Message, Mail => Mail, Token => Token, User => User, Session => Session,
    Entry => Entry, Route => Route, Line => Line, Moment => Moment);

/// `page` as a page of rows.
pub fn rows<T: Into<Row>>(page: Page<T>) -> Page<Row> {
    Page {
        items: page.items.into_iter().map(Into::into).collect(),
        next_cursor: page.next_cursor,
        prev_cursor: page.prev_cursor,
        total: page.total,
        counts: page.counts,
    }
}
