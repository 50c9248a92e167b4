//! Lists of the API that are no mails: as many pages as it takes, as a table or as JSON; and doing
//! the same to several things by name.

use serde_json::Value;

use crate::client::Answer;
use crate::client::Client;
use crate::client::Error;
use crate::client::Page;
use crate::client::Query;
use crate::text;

use super::Exit;
use super::FAILED;
use super::output;
use super::screen;
use super::screen::Screen;
use super::server::Server;
use super::server::failed;
use super::words::Voice;

/// The most that the API puts on a page.
const PAGE: u32 = 200;

/// Which rows of a list, and how they are shown.
#[derive(Debug, clap::Args)]
pub struct Rows {
    /// Only those with this in anything that is shown, in any case
    #[arg(long, alias = "q", value_name = "TEXT")]
    search: Option<String>,
    /// By which field they are sorted; with - before it from the last to the first
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    sort: Option<String>,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "all")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Go on behind this cursor, which the page before named
    #[arg(long)]
    cursor: Option<String>,
    /// All of them
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    server: Server,
    /// Print JSON, as without a terminal: what the API answered
    #[arg(long)]
    json: bool,
}

/// Things to do something to, and who does it.
#[derive(Debug, clap::Args)]
pub struct Named {
    /// Their names
    #[arg(value_name = "ID", required = true)]
    ids: Vec<String>,
    /// What whoever does it is called in the audit record
    #[arg(long = "as", value_name = "NAME")]
    name: Option<String>,
    #[command(flatten)]
    server: Server,
    /// Print JSON, as without a terminal: what the API answered
    #[arg(long)]
    json: bool,
}

/// Prints the rows that match `filters` too: `header` names the columns by their texts, `row` tells
/// the cells, and the columns in `whole` are never cut.
pub fn list<T>(
    rows: Rows,
    filters: &[(&str, Option<String>)],
    fetch: impl Fn(&Client, &Query) -> Result<Answer<Page<T>>, Error>,
    header: &[&str],
    whole: &[usize],
    row: impl Fn(Voice, &T) -> Vec<String>,
) -> Result<(), Exit> {
    tell(rows, filters, fetch, |voice, items, width| {
        let header: Vec<String> = header.iter().map(|key| voice.label(key)).collect();
        let header: Vec<&str> = header.iter().map(String::as_str).collect();
        let cells = items.iter().map(|item| row(voice, item)).collect();
        screen::table(width, &header, cells, whole)
    })
}

/// The same, with `show` making what people read of the rows, of which there is at least one.
pub fn tell<T>(
    rows: Rows,
    filters: &[(&str, Option<String>)],
    fetch: impl Fn(&Client, &Query) -> Result<Answer<Page<T>>, Error>,
    show: impl Fn(Voice, &[T], u16) -> String,
) -> Result<(), Exit> {
    let (client, voice) = rows.server.open()?;
    let most = (!rows.all).then_some(rows.limit);
    let filters = filters.iter();
    let query = Query {
        filters: filters
            .filter_map(|(name, value)| Some(((*name).to_owned(), value.clone()?)))
            .collect(),
        q: rows.search,
        sort: rows.sort,
        cursor: rows.cursor,
        ..Query::default()
    };
    let gathered = gather(&client, query, most, fetch).map_err(|error| failed(&error));
    let (page, json) = gathered?;
    let width = match Screen::new(rows.json) {
        Screen::Program { indented } => return screen::print_json(&json, indented),
        Screen::People { width } => width,
    };
    let shown = page.items.len();
    let mut parts = Vec::new();
    if shown > 0 {
        parts.push(show(voice, &page.items, width));
        parts.push(String::new());
    }
    parts.push(match (shown, page.total) {
        (0, _) => voice.say("rows_none", &[]),
        (_, Some(total)) => voice.say("rows_some", &[("shown", &shown), ("total", &total)]),
        (_, None) => voice.say("rows_shown", &[("shown", &shown)]),
    });
    if let Some(cursor) = &page.next_cursor {
        let cursor = output::visible(&text::quoted(cursor));
        parts.push(voice.say("list_more", &[("cursor", &cursor)]));
    }
    output::print(&parts.join("\n"))
}

/// As many pages as it takes. The JSON is that of the last page, with the rows of all.
fn gather<T>(
    client: &Client,
    mut query: Query,
    most: Option<u32>,
    fetch: impl Fn(&Client, &Query) -> Result<Answer<Page<T>>, Error>,
) -> Result<(Page<T>, Value), Error> {
    let (mut rows, mut items) = (Vec::new(), Vec::new());
    loop {
        let count = u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let left = most.map_or(PAGE, |most| most.saturating_sub(count));
        query.limit = Some(left.min(PAGE));
        let answer = fetch(client, &query)?;
        let (mut page, mut json) = (answer.value, answer.json);
        rows.append(&mut page.items);
        if let Some(Value::Array(found)) = json.get_mut("items") {
            items.append(found);
        }
        let full = most.is_some_and(|most| rows.len() >= most as usize);
        if full || page.next_cursor.is_none() || page.next_cursor == query.cursor {
            json["items"] = Value::Array(items);
            page.items = rows;
            return Ok((page, json));
        }
        query.cursor = page.next_cursor;
    }
}

/// Does something to each of them and says what came of it; one that fails does not keep the others
/// from their turn. `act` answers what is said to people, and the JSON for a program if there is
/// any.
pub fn each(
    named: &Named,
    act: impl Fn(&Client, Voice, &str) -> Result<(String, Value), Error>,
) -> Result<(), Exit> {
    let (client, voice) = named.server.open()?;
    let client = match &named.name {
        Some(name) => client.acting_as(name),
        None => client,
    };
    let screen = Screen::new(named.json);
    let mut done = Ok(());
    for id in &named.ids {
        match act(&client, voice, id) {
            Ok((said, json)) => match screen {
                Screen::Program { .. } if json.is_null() => {}
                Screen::Program { indented } => screen::print_json(&json, indented)?,
                Screen::People { .. } => output::print(&output::visible(&said))?,
            },
            Err(error) => {
                let why = match &error {
                    Error::Problem(problem) => problem.detail.clone(),
                    _ => None,
                };
                let why = why.unwrap_or_else(|| error.to_string());
                failed(&format_args!("{id}: {why}"));
                done = Err(Exit(FAILED));
                // Whoever is not there or does not know us will not say otherwise to the next one.
                if !matches!(error, Error::Problem(_)) {
                    break;
                }
            }
        }
    }
    done
}
