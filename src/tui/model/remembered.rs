//! What the dashboard remembers until the next time: which view was open, and how each one was
//! sorted and filtered.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::View;

/// How the dashboard was left.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Remembered {
    /// The view that was open.
    pub view: Option<View>,
    /// How each view was looked at.
    pub lists: BTreeMap<View, Looked>,
}

/// How a list was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Looked {
    /// The sort order, as the API writes it.
    pub sort: Option<String>,
    /// The text that was looked for.
    pub q: String,
    /// The filter by state.
    pub state: Option<String>,
}
