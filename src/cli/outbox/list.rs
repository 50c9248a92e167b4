//! `gatepost outbox list`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::address::EmailAddress;
use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Client;
use crate::client::Error;
use crate::client::Mail;
use crate::client::Page;
use crate::client::Query;
use crate::mail::Kind;
use crate::mail::outbox::State;
use crate::text;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::short;
use super::waits;

/// The most that the API puts on a page.
const PAGE: u32 = 200;

/// From this width on the table tells what the mails are for.
const WIDE: u16 = 110;

/// From this width on it has all its columns.
const WIDEST: u16 = 130;

/// Between two columns.
const GAP: usize = 2;

/// What the column of the recipients has at the least, with its gap.
const TO: usize = 10 + GAP;

/// What the column of the reasons has at the least, and that of the kinds at the most.
const WHY: usize = 12;
const KIND: usize = 24;

/// What is to be listed.
pub struct Wanted {
    pub state: Option<&'static str>,
    pub kind: Option<Kind>,
    pub to: Option<EmailAddress>,
    pub search: Option<String>,
    pub sort: Option<String>,
    pub cursor: Option<String>,
    /// `None`: all of them.
    pub most: Option<u32>,
}

/// Prints them.
pub fn list(wanted: Wanted, common: &Common) -> Result<(), Exit> {
    let (client, voice) = common.server.open()?;
    let (page, json) = gather(&client, wanted).map_err(|error| failed(&error))?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&json, indented),
        Screen::People { width } => {
            let server = common.server.again();
            output::print(&told(voice, &page, width, &server, World::system().now()))
        }
    }
}

/// As many pages as it takes: with a filter a page may hold few, although more follow. The JSON is
/// that of the last page, with the mails of all.
fn gather(client: &Client, wanted: Wanted) -> Result<(Page<Mail>, Value), Error> {
    let filters = [
        ("state", wanted.state.map(str::to_owned)),
        ("kind", wanted.kind.map(|kind| kind.word().to_owned())),
        ("to", wanted.to.map(|to| to.to_string())),
    ];
    let mut query = Query {
        filters: filters
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), value?)))
            .collect(),
        q: wanted.search,
        sort: wanted.sort,
        cursor: wanted.cursor,
        ..Query::default()
    };
    let mut mails = Vec::new();
    let mut items = Vec::new();
    loop {
        let count = u32::try_from(mails.len()).unwrap_or(u32::MAX);
        let left = wanted.most.map_or(PAGE, |most| most.saturating_sub(count));
        query.limit = Some(left.min(PAGE));
        let answer = client.mails(&query)?;
        let (mut page, mut json) = (answer.value, answer.json);
        mails.append(&mut page.items);
        if let Some(Value::Array(found)) = json.get_mut("items") {
            items.append(found);
        }
        let full = wanted.most.is_some_and(|most| mails.len() >= most as usize);
        if full || page.next_cursor.is_none() || page.next_cursor == query.cursor {
            json["items"] = Value::Array(items);
            page.items = mails;
            return Ok((page, json));
        }
        query.cursor = page.next_cursor;
    }
}

fn told(voice: Voice, page: &Page<Mail>, width: u16, server: &str, now: Timestamp) -> String {
    let mut parts = Vec::new();
    if !page.items.is_empty() {
        parts.push(table(voice, &page.items, width, now));
        parts.push(String::new());
    }
    let shown = page.items.len();
    parts.push(match (shown, page.total) {
        (0, _) => voice.say("list_empty", &[]),
        (_, Some(total)) => voice.say("list_some", &[("shown", &shown), ("total", &total)]),
        (1, None) => voice.say("list_one", &[]),
        (_, None) => voice.say("list_shown", &[("shown", &shown)]),
    });
    let counts = counts(voice, &page.counts);
    parts.push(voice.say("list_counts", &[("counts", &counts)]));
    if let Some(cursor) = &page.next_cursor {
        let cursor = output::visible(&text::quoted(cursor));
        parts.push(voice.say("list_more", &[("cursor", &cursor)]));
    } else if shown > 0 {
        parts.push(voice.say("list_show", &[("server", &server)]));
    }
    parts.join("\n")
}

/// One line a mail. The name is never cut, since people copy it, and why the mail is where it is
/// comes before whom it is to; what it is for and when are shown where there is room.
fn table(voice: Voice, mails: &[Mail], width: u16, now: Timestamp) -> String {
    let of = |cell: &dyn Fn(&Mail) -> String| -> Vec<String> {
        mails
            .iter()
            .map(|mail| output::visible(&screen::one_line(&cell(mail))))
            .collect()
    };
    let mut columns = vec![
        ("ID".to_owned(), of(&|mail| mail.id.clone())),
        (
            voice.label("column_state"),
            of(&|mail| voice.mail_state(&mail.state)),
        ),
    ];
    if width >= WIDE {
        let kind = of(&|mail| match &mail.template {
            Some(template) => screen::cut(&format!("{} ({template})", mail.kind), KIND),
            None => mail.kind.clone(),
        });
        columns.push((voice.label("column_kind"), kind));
    }
    let when = (width >= WIDEST).then(|| {
        let when = of(&|mail| when(voice, mail, now));
        (voice.label("column_when"), when)
    });
    let taken: usize = columns.iter().chain(&when).map(wide).sum();
    let left = usize::from(width).saturating_sub(taken);
    let mut to = (
        voice.label("column_to"),
        of(&|mail| output::visible(&mail.to)),
    );
    // The last column has its gap as well.
    let room = left.saturating_sub(wide(&to).min(TO) + GAP).max(WHY);
    let why = (
        voice.label("column_why"),
        of(&|mail| short::why(voice, mail, room, now)),
    );
    let room = left.saturating_sub(wide(&why) + GAP);
    for to in &mut to.1 {
        *to = screen::cut(to, room.max(TO - GAP));
    }
    columns.push(to);
    columns.extend(when);
    columns.push(why);
    let header: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let row = |row: usize| {
        columns
            .iter()
            .map(|(_, cells)| cells[row].clone())
            .collect()
    };
    let rows = (0..mails.len()).map(row).collect();
    let whole: Vec<usize> = (0..columns.len() - 1).collect();
    screen::table(width, &header, rows, &whole)
}

/// How wide a column is, with the gap behind it.
fn wide((name, cells): &(String, Vec<String>)) -> usize {
    let widths = cells.iter().chain([name]).map(|cell| screen::width(cell));
    widths.max().unwrap_or(0) + GAP
}

fn when(voice: Voice, mail: &Mail, now: Timestamp) -> String {
    match (&mail.next_at, &mail.finished_at) {
        (Some(at), _) => screen::coming(voice, at, now),
        (None, Some(at)) => screen::away(voice, at, now),
        // Nobody knows; why that is stands behind it.
        (None, None) if waits(mail) => "-".to_owned(),
        (None, None) => screen::away(voice, &mail.created_at, now),
    }
}

/// In the order in which a mail passes through them; states of a newer server at the end.
fn counts(voice: Voice, counts: &BTreeMap<String, u64>) -> String {
    let known = State::ALL.map(State::word);
    let order = |word: &str| known.iter().position(|known| *known == word);
    let mut told: Vec<(&String, &u64)> = counts.iter().filter(|(_, count)| **count > 0).collect();
    told.sort_by_key(|(word, _)| order(word).unwrap_or(known.len()));
    let told = told.into_iter().map(|(word, count)| {
        let state = output::visible(&voice.mail_state(word));
        voice.say("list_count", &[("state", &state), ("count", count)])
    });
    let joined = told.reduce(|all, more| all + &voice.say("list_comma", &[("more", &more)]));
    joined.unwrap_or_else(|| voice.say("list_nothing", &[]))
}
