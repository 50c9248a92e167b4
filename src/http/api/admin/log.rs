//! The last lines of the log.

use std::collections::VecDeque;
use std::sync::Arc;

use poem::Request;
use poem_openapi::Object;
use poem_openapi::OpenApi;
use poem_openapi::param::Query;
use poem_openapi::types::Example;
use serde::Serialize;

use crate::http::api::Group;
use crate::http::api::admin::paging::Paging;
use crate::http::api::admin::paging::paged;
use crate::http::api::only;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::journal;
use crate::journal::Journal;
use crate::store::page;
use crate::store::page::LOOK;

problems! {
    /// Of the list.
    LogProblems: AdminRequired, BadParameter, Unavailable
}

/// A line of the log.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "LogLine", example)]
pub struct Line {
    /// Its number, as text, from 1; the next line has the next one, until the server stops.
    id: String,
    /// When (RFC 3339).
    at: String,
    /// `error`, `warn`, `info`, `debug` or `trace`.
    level: String,
    /// Which part of gatepost.
    target: String,
    /// What it says, with its fields.
    text: String,
}

impl Example for Line {
    fn example() -> Line {
        Line {
            id: "7".to_owned(),
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            level: "info".to_owned(),
            target: "gatepost::cli::run".to_owned(),
            text: "listening http=127.0.0.1:8000 smtp=127.0.0.1:1025".to_owned(),
        }
    }
}

paged! {
    /// A page of the log.
    LogPage of Line, "LogPage"
}

/// The levels, the worst first.
const LEVELS: [(&str, tracing::Level); 5] = [
    ("error", tracing::Level::ERROR),
    ("warn", tracing::Level::WARN),
    ("info", tracing::Level::INFO),
    ("debug", tracing::Level::DEBUG),
    ("trace", tracing::Level::TRACE),
];

/// What a list of lines is sorted by.
const FIELDS: [&str; 1] = ["at"];

/// The log.
pub struct LogApi {
    /// Who may ask.
    pub guard: Arc<Guard>,
    /// Where the lines are.
    pub journal: Journal,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl LogApi {
    /// The last lines of the log, newest first.
    ///
    /// The server remembers 2 000 lines in memory, since it was started.
    #[oai(path = "/log", method = "get", operation_id = "list_log_lines")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// Only lines of this level and worse ones: `error`, `warn`, `info`, `debug` or `trace`.
        level: Query<Option<String>>,
        /// A part of the text or of the target, in any case.
        q: Query<Option<String>>,
        /// `at` for the oldest first, `-at` for the newest first.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, or the last one.
        back: Query<Option<bool>>,
        /// `next_cursor` or, with `back`, `prev_cursor` of another page.
        cursor: Query<Option<String>>,
        /// How many lines a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<LogPage>, Refused<LogProblems>> {
        self.guard.require_token(&token)?;
        only(request, &["level", "q", "sort", "back", "cursor", "limit"])?;
        let level = level.0.map(|level| worst(&level)).transpose()?;
        let q = q.0.map(|q| q.to_lowercase());
        let (sort, cursor) = (sort.0, cursor.0);
        let paging = Paging::read(&FIELDS, sort.as_deref(), back.0, cursor.as_deref(), limit.0)?;
        let wanted = |line: &journal::Line| {
            level.is_none_or(|level| line.level <= level)
                && q.as_deref()
                    .is_none_or(|q| line.text.to_lowercase().contains(q) || line.target.contains(q))
        };
        let found = self.journal.look(|lines: &VecDeque<journal::Line>| {
            page::sorted(lines.iter().map(Ok), &paging.ask, LOOK, |line| {
                Ok(wanted(line).then(|| (page::place(&line.number), line.clone())))
            })
        });
        let found = found.map_err(Problem::from)?;
        Ok(LogPage::answer(found, &paging, request, told))
    }
}

fn worst(word: &str) -> Result<tracing::Level, Problem> {
    let found = LEVELS.iter().find(|(name, _)| *name == word);
    let known = "error, warn, info, debug or trace";
    found
        .map(|(_, level)| *level)
        .ok_or_else(|| Problem::parameter("level", &format!("expected {known}")))
}

fn told(line: journal::Line) -> Line {
    let level = LEVELS.iter().find(|(_, level)| *level == line.level);
    Line {
        id: line.number.to_string(),
        at: line.at.to_string(),
        level: level
            .map(|(name, _)| (*name).to_owned())
            .unwrap_or_default(),
        target: line.target,
        text: line.text,
    }
}
