//! `gatepost outbox list`.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::address::EmailAddress;
use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::client::Client;
use crate::client::Error;
use crate::client::Mail;
use crate::client::MailPage;
use crate::client::MailQuery;
use crate::mail::Kind;
use crate::mail::outbox::State;
use crate::text;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::waits;

/// The most that the API puts on a page.
const PAGE: u32 = 200;

/// From this width on the table has all its columns.
const WIDE: u16 = 110;

/// What is to be listed.
pub struct Wanted {
    pub state: Option<State>,
    pub kind: Option<Kind>,
    pub to: Option<EmailAddress>,
    pub cursor: Option<String>,
    /// `None`: all of them.
    pub most: Option<u32>,
}

/// Prints them.
pub fn list(wanted: Wanted, common: &Common) -> Result<(), Exit> {
    let client = common.server.client()?;
    let (page, json) = gather(&client, wanted).map_err(|error| failed(&error))?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&json, indented),
        Screen::People { width } => {
            let server = common.server.again();
            output::print(&told(&page, width, &server, World::system().now()))
        }
    }
}

/// As many pages as it takes: with a filter a page may hold few, although more follow. The JSON is
/// that of the last page, with the mails of all.
fn gather(client: &Client, wanted: Wanted) -> Result<(MailPage, Value), Error> {
    let mut query = MailQuery {
        state: wanted.state.map(|state| state.word().to_owned()),
        kind: wanted.kind.map(|kind| kind.word().to_owned()),
        to: wanted.to.map(|to| to.to_string()),
        cursor: wanted.cursor,
        limit: None,
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

fn told(page: &MailPage, width: u16, server: &str, now: Timestamp) -> String {
    let mut parts = Vec::new();
    if !page.items.is_empty() {
        let wide = width >= WIDE;
        let header: &[&str] = match wide {
            true => &["ID", "STATE", "KIND", "TO", "WHEN", "WHY"],
            false => &["ID", "STATE", "TO", "WHEN", "WHY"],
        };
        let rows = page.items.iter().map(|mail| row(mail, wide, now));
        // The state and the time are short and never cut.
        let whole = if wide { [1, 4] } else { [1, 3] };
        parts.push(screen::table(width, header, rows.collect(), &whole));
        parts.push(String::new());
    }
    let shown = page.items.len();
    parts.push(match (shown, page.total) {
        (0, _) => "No mail to show.".to_owned(),
        (_, Some(total)) => format!("{shown} of {total} mails."),
        (1, None) => "1 mail.".to_owned(),
        (_, None) => format!("{shown} mails."),
    });
    parts.push(format!("In the outbox: {}.", counts(&page.counts)));
    if let Some(cursor) = &page.next_cursor {
        let cursor = output::visible(&text::quoted(cursor));
        parts.push(format!(
            "More: the same command with --cursor {cursor}, or --all."
        ));
    } else if shown > 0 {
        parts.push(format!("All about one: gatepost outbox show{server} ID"));
    }
    parts.join("\n")
}

fn row(mail: &Mail, wide: bool, now: Timestamp) -> Vec<String> {
    let when = match (&mail.next_at, &mail.finished_at) {
        (Some(at), _) => screen::coming(at, now),
        (None, Some(at)) => screen::away(at, now),
        // Nobody knows; why that is stands behind it.
        (None, None) if waits(mail) => "-".to_owned(),
        (None, None) => screen::away(&mail.created_at, now),
    };
    let why = mail.why.as_ref().map(|why| why.text.clone());
    let mut row = vec![mail.id.clone(), mail.state.clone()];
    if wide {
        row.push(match &mail.template {
            Some(template) => format!("{} ({template})", mail.kind),
            None => mail.kind.clone(),
        });
    }
    row.extend([mail.to.clone(), when, why.unwrap_or_default()]);
    row
}

/// In the order in which a mail passes through them; states of a newer server at the end.
fn counts(counts: &BTreeMap<String, u64>) -> String {
    let known = State::ALL.map(State::word);
    let order = |word: &str| known.iter().position(|known| *known == word);
    let mut told: Vec<(&String, &u64)> = counts.iter().filter(|(_, count)| **count > 0).collect();
    told.sort_by_key(|(word, _)| order(word).unwrap_or(known.len()));
    let told: Vec<String> = told
        .into_iter()
        .map(|(word, count)| format!("{count} {}", output::visible(word)))
        .collect();
    match told.is_empty() {
        true => "nothing".to_owned(),
        false => told.join(", "),
    }
}
