//! Lists as the API tells them: which rows to ask for, and a page of them.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use super::encode;

/// Which rows of a list, and which page of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Filters of that list by name, such as `state` or `kind`. All must match.
    pub filters: Vec<(String, String)>,
    /// A part of anything that the list shows, in any case.
    pub q: Option<String>,
    /// The field by which it is sorted, with a `-` before it from the last to the first.
    pub sort: Option<String>,
    /// The page that ends just before `cursor` (or the last one), in the place of the one that
    /// begins just behind it.
    pub back: bool,
    /// `next_cursor` or, with `back`, `prev_cursor` of another page.
    pub cursor: Option<String>,
    /// How many rows a page has.
    pub limit: Option<u32>,
}

impl Query {
    /// The same, only with rows in which `name` is `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Query {
        self.filters.push((name.to_owned(), value.to_owned()));
        self
    }

    /// What stands behind the path in the URL, with its `?` if there is anything.
    pub(super) fn suffix(&self) -> String {
        let limit = self.limit.map(|limit| limit.to_string());
        let back = self.back.then_some("true");
        let filters = self.filters.iter();
        let given: Vec<String> = filters
            .map(|(name, value)| (name.as_str(), Some(value.as_str())))
            .chain([
                ("q", self.q.as_deref()),
                ("sort", self.sort.as_deref()),
                ("back", back),
                ("cursor", self.cursor.as_deref()),
                ("limit", limit.as_deref()),
            ])
            .filter_map(|(name, value)| Some(format!("{name}={}", encode(value?))))
            .collect();
        let mark = if given.is_empty() { "" } else { "?" };
        format!("{mark}{}", given.join("&"))
    }
}

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// The rows, in the order that was asked for.
    pub items: Vec<T>,
    /// For the page behind this one; absent at the end.
    #[serde(default = "none")]
    pub next_cursor: Option<String>,
    /// For the page before this one, asked for with `back`; absent at the beginning.
    #[serde(default = "none")]
    pub prev_cursor: Option<String>,
    /// How many rows match; absent where that was too much to count.
    #[serde(default)]
    pub total: Option<u64>,
    /// How many of all mails are in each state; the outbox alone tells them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counts: BTreeMap<String, u64>,
}

fn none() -> Option<String> {
    None
}
