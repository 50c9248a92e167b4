//! Pages of the outbox, in any order. In that in which mails were composed a page costs the same
//! however long the outbox is; in any other one all mails that match are looked at.

use std::iter::Peekable;

use super::counts;
use super::ledger::{BY_ADDRESS, BY_STATE, ROWS};
use super::row::{Row, State};
use crate::address::EmailAddress;
use crate::mail::kind::Kind;
use crate::mail::letter::OutboxId;
use crate::store::page::{Ask, LOOK, Page, PageError, place, sorted, walk};
use crate::store::{Error, Read};
use crate::world::Timestamp;

/// Which mails to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those that need somebody: see [`Row::fails`].
    pub failing: bool,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those to this address (by its lookup form).
    pub to: Option<EmailAddress>,
    /// Only those with this in what a list shows, in any case.
    pub q: Option<String>,
}

/// What stands in the place of a state for mails that need somebody.
pub const FAILING: &str = "failing";

/// By what mails are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// When they were composed.
    #[default]
    CreatedAt,
    /// Whom they go to.
    To,
    /// What they are for.
    Kind,
    /// Where they stand, by its word.
    State,
    /// How many tries were charged to them.
    Tries,
    /// When they are tried next; those that are not come last.
    NextAt,
}

impl Sort {
    fn place(self, id: OutboxId, row: &Row) -> Vec<u8> {
        match self {
            Sort::CreatedAt => place(&id),
            Sort::To => place(&(row.to.as_str().to_lowercase(), id)),
            Sort::Kind => {
                let template = row.template.clone().unwrap_or_default();
                place(&(row.kind.word().to_owned(), template, id))
            }
            Sort::State => place(&(row.state.word().to_owned(), id)),
            Sort::Tries => place(&(row.tries, id)),
            Sort::NextAt => {
                let at = row.due_at;
                place(&(u8::from(at.is_none()), at.unwrap_or_default(), id))
            }
        }
    }
}

/// A mail of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub id: OutboxId,
    /// What is known of it.
    pub row: Row,
}

impl Filter {
    /// Whether nothing but the state narrows the list.
    fn by_state_alone(&self) -> bool {
        self.kind.is_none() && self.to.is_none() && self.q.is_none()
    }

    /// Whether a page may take a long look: not one that an index leads to.
    pub fn searches(&self) -> bool {
        self.failing || self.kind.is_some() || self.q.is_some()
    }

    fn takes(&self, id: OutboxId, row: &Row, q: Option<&String>) -> bool {
        self.state.is_none_or(|state| state == row.state)
            && (!self.failing || row.fails())
            && self.kind.is_none_or(|kind| kind == row.kind)
            && q.is_none_or(|q| {
                let texts = [
                    row.to.as_str(),
                    row.kind.word(),
                    row.state.word(),
                    row.template.as_deref().unwrap_or_default(),
                    row.setback.as_ref().map_or("", |setback| &setback.text),
                    &id.to_string(),
                ];
                texts.iter().any(|text| text.to_lowercase().contains(q))
            })
    }
}

/// A page of the mails that match `filter`.
///
/// # Errors
/// Too many to be sorted, or the store.
pub fn list(
    read: &impl Read,
    filter: &Filter,
    sort: Sort,
    ask: &Ask,
) -> Result<Page<Item>, PageError> {
    let q = filter.q.as_ref().map(|q| q.trim().to_lowercase());
    let q = q.filter(|q| !q.is_empty());
    let takes = |id, row: &Row| filter.takes(id, row, q.as_ref());
    if sort != Sort::CreatedAt {
        let rows = rows(read, filter, &Ask::default(), None)?;
        return sorted(rows, ask, LOOK, |(id, row)| {
            Ok(takes(id, &row).then(|| (sort.place(id, &row), Item { id, row })))
        });
    }
    let counts = counts(read)?;
    let total = match filter.state {
        _ if !filter.by_state_alone() => None,
        _ if filter.failing => failing(read, COUNTED)?,
        Some(state) => Some(counts.of(state)),
        None => Some(counts.total()),
    };
    let rows = rows(read, filter, ask, ask.at()?)?;
    let rows = rows.map(|row| row.map(|row| (place(&row.0), row)));
    let page = walk(rows, ask, LOOK, total, |(id, row)| {
        Ok(takes(id, &row).then_some(Item { id, row }))
    })?;
    Ok(page)
}

/// How many failing mails are counted for the sake of a page's total.
const COUNTED: u64 = 10_000;

/// How many mails need somebody; `None` when they are more than `most`, or hard to find among
/// others that wait.
///
/// # Errors
/// Those of the store.
pub fn failing(read: &impl Read, most: u64) -> Result<Option<u64>, Error> {
    let mut count = counts(read)?.of(State::Dead);
    let mut looked = 0;
    for state in [State::Uncertain, State::Queued] {
        for row in read.scan(BY_STATE.under(&(state as u8)))? {
            let ((_, id), ()) = row?;
            looked += 1;
            if looked > most || count > most {
                return Ok(None);
            }
            let row = read.get(&ROWS, &id)?;
            count += u64::from(row.is_some_and(|row| row.fails()));
        }
    }
    Ok(Some(count).filter(|count| *count <= most))
}

type Found = Result<(OutboxId, Row), Error>;

/// The mails among which those that match `filter` are, in the order of their names, from `at` on
/// in the direction of `ask`.
fn rows<'a>(
    read: &'a impl Read,
    filter: &Filter,
    ask: &Ask,
    at: Option<OutboxId>,
) -> Result<Box<dyn Iterator<Item = Found> + 'a>, Error> {
    let whole = |id: Result<OutboxId, Error>| match id {
        Ok(id) => read.get(&ROWS, &id).map(|row| Some((id, row?))).transpose(),
        Err(error) => Some(Err(error)),
    };
    if let Some(to) = &filter.to {
        let to = to.lookup();
        let at = at.map(|at| (to.clone(), at));
        let ids = read.scan(ask.part(BY_ADDRESS.under(&to), at.as_ref()))?;
        let ids = ids.map(|row| row.map(|((_, id), ())| id));
        return Ok(Box::new(ids.filter_map(whole)));
    }
    let of_state = |state: State| {
        let at = at.map(|at| (state as u8, at));
        let ids = read.scan(ask.part(BY_STATE.under(&(state as u8)), at.as_ref()))?;
        let ids = ids.map(|row| row.map(|((_, id), ())| id));
        Ok::<_, Error>(ids.peekable())
    };
    match filter.state {
        Some(state) if state.indexed() => Ok(Box::new(of_state(state)?.filter_map(whole))),
        None if filter.failing => {
            let states = [
                of_state(State::Queued)?,
                of_state(State::Uncertain)?,
                of_state(State::Dead)?,
            ];
            let merged = merged(states, ask.backwards());
            Ok(Box::new(merged.filter_map(whole)))
        }
        _ => Ok(Box::new(read.scan(ask.part(ROWS.all(), at.as_ref()))?)),
    }
}

/// Names out of several sorted lists, sorted.
fn merged<I, const N: usize>(
    mut lists: [Peekable<I>; N],
    backwards: bool,
) -> impl Iterator<Item = Result<OutboxId, Error>>
where
    I: Iterator<Item = Result<OutboxId, Error>>,
{
    std::iter::from_fn(move || {
        let mut next: Option<(usize, OutboxId)> = None;
        for (nth, ids) in lists.iter_mut().enumerate() {
            match ids.peek() {
                None => {}
                Some(Err(_)) => return ids.next(),
                Some(Ok(id)) => {
                    let nearer = next.is_none_or(|(_, nearest)| match backwards {
                        true => *id > nearest,
                        false => *id < nearest,
                    });
                    if nearer {
                        next = Some((nth, *id));
                    }
                }
            }
        }
        next.and_then(|(nth, _)| lists[nth].next())
    })
}

/// How many mails that are to be sent later are looked past for one that is not.
const LOOK_PAST: usize = 1000;

/// Since when the mail has waited that has waited longest, whether or not it is due again.
///
/// # Errors
/// Those of the store.
pub fn oldest(read: &impl Read) -> Result<Option<Timestamp>, Error> {
    let mut oldest: Option<Timestamp> = None;
    for state in [State::Queued, State::Sending, State::Uncertain] {
        // Identifiers sort by when they were drawn.
        for entry in read.scan(BY_STATE.under(&(state as u8)))?.take(LOOK_PAST) {
            let ((_, id), ()) = entry?;
            // One that is uncertain for good waits for nothing.
            let row = read.get(&ROWS, &id)?.filter(|row| !row.is_final());
            let Some(row) = row else {
                continue;
            };
            let since = row.since();
            oldest = Some(oldest.map_or(since, |oldest| oldest.min(since)));
            if since == row.created_at {
                break;
            }
        }
    }
    Ok(oldest)
}
