//! The rest of a route that is set up wrongly or has sent too much, kept so that a restart does not
//! end it: a process that is started again and again must not log in with a wrong password each
//! time. Where the route was set up differently since, there is nothing to rest for.

use serde::{Deserialize, Serialize};

use super::{LastError, RouteName};
use crate::store::{Error, Read, Table, Tx};
use crate::world::Timestamp;

const RESTS: Table<u8, Rest> = Table::new("route.rest");

/// See the [module](self).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rest {
    /// By what the settings are known again under which it failed.
    #[serde(with = "serde_bytes")]
    pub settings: [u8; 32],
    /// Since when it has been open.
    pub since: Timestamp,
    /// When one mail may try it.
    pub probe_at: Timestamp,
    /// How many probes have failed.
    #[serde(default)]
    pub probes: u32,
    /// Whether it has sent too much.
    #[serde(default)]
    pub limited: bool,
    /// Why it rests.
    #[serde(default)]
    pub error: Option<LastError>,
}

/// The rest that is kept of the route.
///
/// # Errors
/// Those of the store.
pub fn kept(read: &impl Read, route: RouteName) -> Result<Option<Rest>, Error> {
    read.get(&RESTS, &(route as u8))
}

/// Keeps `rest`; `None`: the route does not rest.
pub fn keep(tx: &mut Tx<'_>, route: RouteName, rest: Option<&Rest>) {
    let key = route as u8;
    match rest {
        Some(rest) => tx.put(&RESTS, &key, rest),
        None => tx.delete(&RESTS, &key),
    }
}
