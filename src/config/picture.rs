//! How the settings of the dashboard are read: its looks, and tables of pairs. Answers are those of
//! [`super::value`].

use std::collections::BTreeMap;

use super::value::flag;

/// Which colours the dashboard has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Those that suit the terminal's background, which is asked for it.
    Auto,
    /// Those for a light background.
    Light,
    /// Those for a dark background.
    Dark,
    /// None.
    Plain,
}

/// A [`flag`], or `None` for `auto`.
pub fn flag_or_auto(text: &str) -> Result<Option<bool>, String> {
    match text {
        "auto" => Ok(None),
        text => flag(text)
            .map(Some)
            .map_err(|right| format!("auto, {right}")),
    }
}

/// Pairs, written `name=value; name=value`. A `;` that is part of a value is written `semicolon`,
/// as keys of the keyboard are.
pub fn pairs(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut pairs = BTreeMap::new();
    for pair in text.split(';').map(str::trim) {
        if pair.is_empty() {
            continue;
        }
        let found = pair.split_once('=').ok_or("name=value; name=value")?;
        let (name, value) = (found.0.trim(), found.1.trim());
        if pairs.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(format!("each name once ({name} stands twice)"));
        }
    }
    Ok(pairs)
}

/// Which colours the dashboard has.
pub fn look(text: &str) -> Result<Look, String> {
    match text {
        "auto" => Ok(Look::Auto),
        "light" => Ok(Look::Light),
        "dark" => Ok(Look::Dark),
        "plain" => Ok(Look::Plain),
        _ => Err("auto, light, dark or plain".to_owned()),
    }
}
