//! What stands in a cell of a table, and what that is.

use crate::client::Mail;
use crate::client::Route;
use crate::tui::ages;
use crate::tui::model::Model;
use crate::tui::model::Row;
use crate::tui::theme::Role;

type Cell = (String, Role);

/// The text called `kind_WORD`, or the word of the API where that is not known.
pub fn known(model: &Model, kind: &str, word: &str) -> String {
    let key = format!("{kind}_{word}");
    let text = model.settings.words.find(&key);
    text.map_or_else(|| word.to_owned(), str::to_owned)
}

/// A state, as good or bad as it is.
pub fn state(model: &Model, word: &str) -> Cell {
    let role = match word {
        "dead" | "refused" | "error" | "uncertain" | "locked" => Role::Bad,
        "open" | "paused" | "expired" | "waiting" | "warn" | "probing" | "sending" => Role::Warn,
        "sent" | "live" | "active" | "closed" | "done" => Role::Good,
        "discarded" | "lapsed" | "spent" | "overtaken" | "ended" | "debug" | "trace" => Role::Dim,
        _ => Role::Text,
    };
    (known(model, "state", word), role)
}

/// A mail's state: one that waits after a failure is not just queued.
pub fn mail_state(model: &Model, mail: &Mail) -> Cell {
    match mail.state.as_str() {
        "queued" if mail.last_error.is_some() => (known(model, "state", "retry"), Role::Warn),
        word => state(model, word),
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1000 => format!("{bytes}B"),
        1000..1_000_000 => format!("{}.{}K", bytes / 1000, bytes / 100 % 10),
        _ => format!("{}.{}M", bytes / 1_000_000, bytes / 100_000 % 10),
    }
}

fn some(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// What stands in the column called `column` of `row`.
pub fn cell(model: &Model, row: &Row, column: &str) -> Cell {
    let words = model.settings.words;
    let now = model.now;
    let age = |at: &str| (ages::age(at, now, words), Role::Dim);
    let some_age = |at: Option<&str>| match at {
        Some(at) => age(at),
        None => ("-".to_owned(), Role::Dim),
    };
    let text = |text: &str| (text.to_owned(), Role::Text);
    let dim = |text: &str| (text.to_owned(), Role::Dim);
    match (row, column) {
        (Row::Message(row), "from") => {
            let from = row.from.as_deref().filter(|from| !from.is_empty());
            text(from.unwrap_or(&row.envelope.from))
        }
        (Row::Message(row), "to") => match row.envelope.to.as_slice() {
            [] => text(""),
            [one] => text(one),
            [one, rest @ ..] => text(&format!("{one} +{}", rest.len())),
        },
        (Row::Message(row), "subject") => match row.subject.as_deref() {
            Some(subject) if !subject.is_empty() => text(subject),
            _ => dim(words.say("no_subject")),
        },
        (Row::Message(row), "size") => dim(&size(row.size)),
        (Row::Message(row), "age") => age(&row.received_at),

        (Row::Mail(row), "state") => mail_state(model, row),
        (Row::Mail(row), "to") => text(&row.to),
        (Row::Mail(row), "kind") => match &row.template {
            Some(template) => text(template),
            None => (known(model, "kind", &row.kind), Role::Text),
        },
        (Row::Mail(row), "why") => dim(row.why.as_ref().map_or("", |why| why.text.as_str())),
        (Row::Mail(row), "tries") => text(&row.tries.to_string()),
        (Row::Mail(row), "next") => match row.next_at.as_deref() {
            Some(at) if row.state == "queued" => (ages::ahead(at, now, words), Role::Text),
            _ => dim("-"),
        },
        (Row::Mail(row), "route") => dim(&some(row.route.as_deref())),
        (Row::Mail(row), "age") => age(&row.created_at),

        (Row::Token(row), "state") => state(model, &row.state),
        (Row::Token(row), "kind") => (known(model, "kind", &row.kind), Role::Text),
        (Row::Token(row), "email") => text(&row.email),
        (Row::Token(row), "tries-left") => match row.attempts_left {
            Some(left) => text(&left.to_string()),
            None => dim("-"),
        },
        (Row::Token(row), "expires") => dim(&when(model, &row.expires_at)),
        (Row::Token(row), "age") => age(&row.created_at),

        (Row::User(row), "state") => state(model, &row.state),
        (Row::User(row), "email") => text(&row.email),
        (Row::User(row), "name") => text(&some(row.display_name.as_deref())),
        (Row::User(row), "language") => dim(&row.language),
        (Row::User(row), "sessions") => match row.sessions {
            Some(count) => text(&count.to_string()),
            None => dim("-"),
        },
        (Row::User(row), "login") => some_age(row.last_login_at.as_deref()),
        (Row::User(row), "age") => age(&row.created_at),

        (Row::Session(row), "state") => state(model, &row.state),
        (Row::Session(row), "email") => text(&row.email),
        (Row::Session(row), "ip") => text(&row.ip),
        (Row::Session(row), "agent") => dim(&some(row.user_agent.as_deref())),
        (Row::Session(row), "used") => age(&row.last_used_at),
        (Row::Session(row), "age") => age(&row.created_at),

        (Row::Entry(row), "outcome") => state(model, &row.outcome),
        (Row::Entry(row), "action") => (known(model, "action", &row.action), Role::Text),
        (Row::Entry(row), "subject") => text(&row.subject),
        (Row::Entry(row), "actor") => dim(&row.actor),
        (Row::Entry(row), "ip") => dim(&some(row.ip.as_deref())),
        (Row::Entry(row), "detail") => dim(&row.detail),
        (Row::Entry(row), "age") => age(&row.at),

        (Row::Route(row), column) => route(model, row, column),

        (Row::Line(row), "time") => {
            let at = ages::moment(&row.at);
            let offset = model.settings.utc_offset;
            (
                at.map_or_else(String::new, |at| ages::clock(at, offset, true)),
                Role::Dim,
            )
        }
        (Row::Line(row), "level") => {
            let role = state(model, &row.level).1;
            (row.level.to_uppercase(), role)
        }
        (Row::Line(row), "target") => dim(&row.target),
        (Row::Line(row), "text") => match row.level.as_str() {
            "error" => (row.text.clone(), Role::Bad),
            "debug" | "trace" => dim(&row.text),
            _ => text(&row.text),
        },

        (Row::Moment(row), "kind") => (known(model, "moment", &row.kind), Role::Dim),
        (Row::Moment(row), "title") => text(&row.title),
        (Row::Moment(row), "state") => state(model, &row.state),
        (Row::Moment(row), "detail") => dim(&row.detail),
        (Row::Moment(row), "age") => age(&row.at),
        _ => dim(""),
    }
}

fn when(model: &Model, at: &str) -> String {
    let past = ages::moment(at).is_some_and(|at| at <= model.now);
    match past {
        true => "-".to_owned(),
        false => ages::ahead(at, model.now, model.settings.words),
    }
}

fn route(model: &Model, row: &Route, column: &str) -> Cell {
    match column {
        "name" => (known(model, "route", &row.name), Role::Text),
        "state" => (
            known(model, "breaker", &row.state),
            state(model, &row.state).1,
        ),
        "host" => (format!("{}:{}", row.host, row.port), Role::Text),
        "error" => match &row.last_error {
            Some(error) => (error.text.clone(), Role::Dim),
            None => ("-".to_owned(), Role::Dim),
        },
        "budget" => {
            let budget = &row.budget;
            match budget.per_day {
                None => (budget.spent.to_string(), Role::Text),
                Some(most) => {
                    let role = match budget.spent >= most {
                        true => Role::Bad,
                        false if budget.spent.saturating_mul(10) >= most.saturating_mul(9) => {
                            Role::Warn
                        }
                        false => Role::Text,
                    };
                    (format!("{}/{most}", budget.spent), role)
                }
            }
        }
        "next" => {
            let next = row
                .next_probe_at
                .as_deref()
                .or(row.budget.resumes_at.as_deref());
            let next = next.map(|at| ages::ahead(at, model.now, model.settings.words));
            (next.unwrap_or_else(|| "-".to_owned()), Role::Dim)
        }
        _ => (String::new(), Role::Dim),
    }
}
