//! What the operator does to a route: pause it, resume it. Both are kept in the store and outlast
//! a restart; the courier reads them when it is woken.

use super::{Pause, RouteName};
use crate::events::Topic;
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

const PAUSES: Table<u8, Pause> = Table::new("route.pause");

/// How often a route was resumed: a number that the courier sees change.
const NUDGES: Table<u8, u64> = Table::new("route.nudge");

/// Pauses the route: nothing is sent over it until it is resumed, also after a restart; what is
/// under way is finished. `false` when it was paused already.
///
/// # Errors
/// Those of the store.
pub fn pause(tx: &mut Tx<'_>, name: RouteName, now: Timestamp) -> Result<bool, Error> {
    let key = name as u8;
    if tx.get(&PAUSES, &key)?.is_some() {
        return Ok(false);
    }
    tx.put(&PAUSES, &key, &Pause { at: now });
    tx.wake(Topic::Routes);
    Ok(true)
}

/// Ends the pause of the route, and has a route that rests after a failure tried at once, paused
/// or not. `false` when it was not paused.
///
/// # Errors
/// Those of the store.
pub fn resume(tx: &mut Tx<'_>, name: RouteName) -> Result<bool, Error> {
    let key = name as u8;
    let was_paused = tx.get(&PAUSES, &key)?.is_some();
    if was_paused {
        tx.delete(&PAUSES, &key);
    }
    let nudges = nudges(tx, name)?;
    tx.put(&NUDGES, &key, &nudges.wrapping_add(1));
    tx.wake(Topic::Routes);
    Ok(was_paused)
}

/// The operator's pause of the route.
///
/// # Errors
/// Those of the store.
pub fn paused(read: &impl Read, name: RouteName) -> Result<Option<Pause>, Error> {
    read.get(&PAUSES, &(name as u8))
}

/// How often the route was resumed. When that changes, a route that rests is tried at once.
///
/// # Errors
/// Those of the store.
pub fn nudges(read: &impl Read, name: RouteName) -> Result<u64, Error> {
    Ok(read.get(&NUDGES, &(name as u8))?.unwrap_or_default())
}
