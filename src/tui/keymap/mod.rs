//! Which key does what, and where. What can be done stands in one table, [`ACTIONS`]; settings
//! may give it other keys, and a key that would do two things in one place is an error.

mod action;
mod key;

use std::collections::BTreeMap;

use super::words::Words;

pub use action::*;
pub use key::Key;

/// The keys as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: Vec<(usize, Vec<Key>)>,
}

impl Default for Keymap {
    fn default() -> Keymap {
        Keymap::new(&BTreeMap::new()).expect("the table's own keys do not clash")
    }
}

impl Keymap {
    /// The table with other keys for the actions named; an empty list takes an action's keys away.
    ///
    /// # Errors
    /// All that is wrong: actions and keys that are not known, with near ones, and keys that are
    /// taken twice in one place, with both actions.
    pub fn new(own: &BTreeMap<String, Vec<String>>) -> Result<Keymap, Vec<String>> {
        let mut wrong = Vec::new();
        for name in own.keys() {
            if ACTIONS.iter().all(|action| action.name != name) {
                let near = near(name, ACTIONS.iter().map(|action| action.name));
                let near = match near.is_empty() {
                    true => String::new(),
                    false => format!("; did you mean {}?", near.join(" or ")),
                };
                wrong.push(format!("keys.{name}: no action is called that{near}"));
            }
        }
        let mut keys = Vec::new();
        for (index, action) in ACTIONS.iter().enumerate() {
            let mut parsed: Vec<Key> = Vec::new();
            match own.get(action.name) {
                None => parsed.extend(action.keys.iter().filter_map(|key| key.parse::<Key>().ok())),
                Some(texts) => {
                    for text in texts {
                        match text.parse() {
                            Ok(key) => parsed.push(key),
                            Err(problem) => {
                                wrong.push(format!("keys.{}: {problem}", action.name));
                            }
                        }
                    }
                }
            }
            keys.push((index, parsed));
        }
        let map = Keymap { keys };
        wrong.extend(map.clashes());
        match wrong.is_empty() {
            true => Ok(map),
            false => Err(wrong),
        }
    }

    fn clashes(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let all: Vec<(&Action, Key)> = self.pairs().collect();
        for (at, (one, key)) in all.iter().enumerate() {
            for (other, same) in &all[at + 1..] {
                if key == same && one.places & other.places != 0 {
                    let (one, other) = (one.name, other.name);
                    wrong.push(match one == other {
                        true => format!("keys.{one}: {key} stands there twice"),
                        false => format!("keys.{one} and keys.{other}: both are {key}"),
                    });
                }
            }
        }
        wrong
    }

    fn pairs(&self) -> impl Iterator<Item = (&'static Action, Key)> {
        self.keys
            .iter()
            .flat_map(|(index, keys)| keys.iter().map(|key| (&ACTIONS[*index], *key)))
    }

    /// What `key` does at `place`.
    pub fn action(&self, key: Key, place: Places) -> Option<&'static Action> {
        let mut found = self.pairs();
        let found = found.find(|(action, known)| *known == key && action.places & place != 0);
        found.map(|(action, _)| action)
    }

    /// The keys of `what`.
    pub fn keys(&self, what: Do) -> &[Key] {
        let found = self.keys.iter().find(|(i, _)| ACTIONS[*i].what == what);
        found.map_or(&[], |(_, keys)| keys.as_slice())
    }

    /// The first key of `what` as it is shown.
    pub fn shown(&self, what: Do, ascii: bool) -> String {
        let first = self.keys(what).first();
        first.map_or_else(String::new, |key| key.shown(ascii))
    }

    /// The keys as a table in Markdown, for the documentation.
    pub fn documentation(&self, words: Words) -> String {
        let mut text =
            String::from("| action | keys | what it does | command line |\n|---|---|---|---|\n");
        for (index, keys) in &self.keys {
            let action = &ACTIONS[*index];
            let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
            let twin = action.twin.map(|twin| format!("`{twin}`"));
            text.push_str(&format!(
                "| `{}` | {} | {} | {} |\n",
                action.name,
                keys.join(" "),
                words.say(action.label),
                twin.unwrap_or_default()
            ));
        }
        text
    }
}

/// The action called `name`.
pub fn named(name: &str) -> Option<&'static Action> {
    ACTIONS.iter().find(|action| action.name == name)
}

/// The line of the table about `what`.
pub fn about(what: Do) -> &'static Action {
    let found = ACTIONS.iter().find(|action| action.what == what);
    found.expect("everything that can be done is in the table")
}

/// Those of `known` that `name` may have been meant for.
pub(super) fn near<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut near: Vec<(usize, &str)> = known
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4)
        .collect();
    near.sort_unstable();
    near.into_iter().take(3).map(|(_, known)| known).collect()
}
