//! What is wrong with the settings, in words that say what would be right. No secret is repeated.

use std::fmt;

use super::origin::{Chosen, Source};
use super::table::Definition;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub(super) String);

impl Error {
    pub(super) fn malformed(definition: &Definition, chosen: &Chosen, right: &str) -> Error {
        Error::refused(definition, &chosen.source, &chosen.text, right)
    }

    /// `text`, read from `source`, cannot be a value of this setting.
    pub(super) fn refused(
        definition: &Definition,
        source: &Source,
        text: &str,
        right: &str,
    ) -> Error {
        let value = match definition.secret {
            true => "the value (not shown)".to_owned(),
            false => format!("{text:?}"),
        };
        Error(format!(
            "{}: {value} is not {right} ({source})",
            definition.name
        ))
    }

    /// A name that nobody knows; `known` are those that it may have meant.
    pub(super) fn unknown<'a>(
        what: &str,
        name: &str,
        place: &str,
        known: impl Iterator<Item = &'a str>,
    ) -> Error {
        let meant = known
            .map(|known| (strsim::damerau_levenshtein(known, name), known))
            .filter(|(distance, known)| *distance <= 3.max(known.len() / 5))
            .min_by_key(|(distance, _)| *distance);
        Error(match meant {
            Some((_, meant)) => {
                format!("{place}: {what} {name} is unknown; did you mean {meant}?")
            }
            None => {
                format!("{place}: {what} {name} is unknown; `gatepost config` lists all settings")
            }
        })
    }
}

/// Everything that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errors(pub Vec<Error>);

impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, error) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
