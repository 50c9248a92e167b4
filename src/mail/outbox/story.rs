//! The mails to one address, from a moment on.

use super::Item;
use super::ledger::{BY_ADDRESS, ROWS};
use crate::address::LookupAddress;
use crate::id::DRAWN_WITHIN;
use crate::mail::letter::OutboxId;
use crate::store::{Error, Read};
use crate::world::Timestamp;

/// The mails to `address`, at most `limit`: the newest that were composed at or before `from`, or,
/// `upwards`, the oldest at or after it.
///
/// # Errors
/// Those of the store.
pub fn to_address(
    read: &impl Read,
    address: &LookupAddress,
    from: Option<Timestamp>,
    upwards: bool,
    limit: usize,
) -> Result<Vec<Item>, Error> {
    // Names sort by when they were drawn, which is a moment after the mail was composed.
    let edge = |at: Timestamp, chance: u8| {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        let mut id = [chance; 16];
        id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        (address.clone(), OutboxId::from_bytes(id))
    };
    let range = BY_ADDRESS.under(address);
    let range = match (from, upwards) {
        (None, false) => range.backwards(),
        (None, true) => range,
        (Some(at), false) => range.up_to(&edge(at + DRAWN_WITHIN, 0xff)).backwards(),
        (Some(at), true) => range.after(&edge(at, 0)),
    };
    let mut mails = Vec::new();
    for row in read.scan(range)?.take(limit) {
        let ((_, id), ()) = row?;
        if let Some(row) = read.get(&ROWS, &id)? {
            mails.push(Item { id, row });
        }
    }
    Ok(mails)
}
