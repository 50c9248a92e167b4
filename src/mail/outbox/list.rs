//! Pages of the outbox, newest first. A page costs the same however long the outbox is.

use super::counts;
use super::ledger::{BY_ADDRESS, BY_STATE, ROWS};
use super::row::{Row, State};
use crate::address::EmailAddress;
use crate::mail::kind::Kind;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read};
use crate::world::Timestamp;

/// Which mails to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only those in this state.
    pub state: Option<State>,
    /// Only those of this kind.
    pub kind: Option<Kind>,
    /// Only those to this address (by its lookup form).
    pub to: Option<EmailAddress>,
}

/// A mail of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub id: OutboxId,
    /// What is known of it.
    pub row: Row,
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The mails, newest first. A filter may leave few or none of the rows that were looked at.
    pub items: Vec<Item>,
    /// Where the next page begins; `None` at the end of the list.
    pub next: Option<OutboxId>,
    /// How many there are in the whole list; `None` where only reading all would tell.
    pub total: Option<u64>,
    more: bool,
}

/// How many rows one page looks at, at most.
const LOOK: usize = 10_000;

/// The mails that match `filter`, from just below `cursor` on, at most `limit` of them.
///
/// # Errors
/// Those of the store.
pub fn list(
    read: &impl Read,
    filter: &Filter,
    cursor: Option<OutboxId>,
    limit: usize,
) -> Result<Page, Error> {
    let counts = counts(read)?;
    let total = match filter.state {
        _ if filter.kind.is_some() || filter.to.is_some() => None,
        Some(state) => Some(counts.of(state)),
        None => Some(counts.total()),
    };
    let mut page = Page {
        items: Vec::new(),
        next: None,
        total,
        more: false,
    };
    let before = cursor.unwrap_or(OutboxId::from_bytes([0xff; 16]));
    match filter {
        Filter { to: Some(to), .. } => {
            let to = to.lookup();
            let mails = BY_ADDRESS.under(&to).before(&(to.clone(), before));
            let ids = read.scan(mails.backwards())?;
            let ids = ids.map(|row| row.map(|((_, id), ())| id));
            fill(read, filter, limit, ids, &mut page)?;
        }
        Filter {
            state: Some(state), ..
        } if state.indexed() => {
            let state = *state as u8;
            let rows = read.scan(BY_STATE.under(&state).before(&(state, before)).backwards())?;
            let ids = rows.map(|row| row.map(|((_, id), ())| id));
            fill(read, filter, limit, ids, &mut page)?;
        }
        _ => {
            let rows = read.scan(ROWS.all().before(&before).backwards())?;
            for (looked, row) in rows.enumerate() {
                let (id, row) = row?;
                if !take(filter, limit, looked, id, row, &mut page) {
                    break;
                }
            }
        }
    }
    page.next = page.next.filter(|_| page.more);
    Ok(page)
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

fn fill(
    read: &impl Read,
    filter: &Filter,
    limit: usize,
    ids: impl Iterator<Item = Result<OutboxId, Error>>,
    page: &mut Page,
) -> Result<(), Error> {
    for (looked, id) in ids.enumerate() {
        let id = id?;
        if let Some(row) = read.get(&ROWS, &id)?
            && !take(filter, limit, looked, id, row, page)
        {
            break;
        }
    }
    Ok(())
}

/// Puts the row on the page if it belongs there; `false` when the page ends before it.
fn take(
    filter: &Filter,
    limit: usize,
    looked: usize,
    id: OutboxId,
    row: Row,
    page: &mut Page,
) -> bool {
    if page.items.len() == limit || looked == LOOK {
        page.more = true;
        return false;
    }
    // The next page begins below the last row that was looked at.
    page.next = Some(id);
    let wanted = filter.state.is_none_or(|state| state == row.state)
        && filter.kind.is_none_or(|kind| kind == row.kind);
    if wanted {
        page.items.push(Item { id, row });
    }
    true
}
