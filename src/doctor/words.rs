//! The doctor's texts in every language: data (`words.toml`), compiled in. What must not live
//! here: which text is said when.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::language::Language;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    zh_hant: String,
    zh_hans: String,
    en: String,
}

/// Texts in every language, by their keys.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Texts(BTreeMap<String, Text>);

impl Texts {
    /// Reads a file that is compiled in; a test has to read it too, since one that is none of
    /// texts cannot be told of.
    pub fn compiled_in(file: &str) -> Texts {
        toml::from_str(file).expect("the file is compiled in, and a test reads it")
    }

    /// Whether there is a text of this key.
    pub fn has(&self, key: &str) -> bool {
        self.0.contains_key(key)
    }

    /// The text called `key`, with `{name}` replaced by its value.
    pub fn say(&self, language: Language, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let Some(text) = self.0.get(key) else {
            // A test finds every key that is said; whoever comes here sees what is missing.
            return key.to_owned();
        };
        let text = match language {
            Language::ZhHant => &text.zh_hant,
            Language::ZhHans => &text.zh_hans,
            Language::En => &text.en,
        };
        fill(text, values)
    }

    /// All keys, and in a test the texts, which have the same places in every language.
    #[cfg(test)]
    pub fn checked(&self) -> Vec<&str> {
        for (key, text) in &self.0 {
            for one in [&text.zh_hant, &text.zh_hans, &text.en] {
                assert!(!one.trim().is_empty(), "{key}");
                assert_eq!(tests::places(one), tests::places(&text.en), "{key}");
            }
        }
        self.0.keys().map(String::as_str).collect()
    }
}

static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::compiled_in(include_str!("words.toml")));

/// Says things in one language.
#[derive(Debug, Clone, Copy)]
pub struct Voice(pub Language);

impl Voice {
    /// The text called `key`, with `{name}` replaced by its value.
    pub fn say(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        TEXTS.say(self.0, key, values)
    }
}

/// How a route is, in the same words wherever it is said; a newer server's word as it is.
pub fn route_state(language: Language, word: &str) -> String {
    let key = format!("route_state_{word}");
    match TEXTS.has(&key) {
        true => TEXTS.say(language, &key, &[]),
        false => word.to_owned(),
    }
}

/// How a mail is, likewise.
pub fn mail_state(language: Language, word: &str) -> String {
    let key = format!("state_{word}");
    match TEXTS.has(&key) {
        true => TEXTS.say(language, &key, &[]),
        false => word.to_owned(),
    }
}

/// One pass over the text: what a value holds is never taken for a place of another.
fn fill(text: &str, values: &[(&str, &dyn Display)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            filled.push('{');
            rest = after;
            continue;
        };
        match values.iter().find(|(known, _)| *known == name) {
            Some((_, value)) => filled.push_str(&value.to_string()),
            None => {
                filled.push('{');
                filled.push_str(name);
                filled.push('}');
            }
        }
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    pub fn places(text: &str) -> Vec<&str> {
        let after = text.split('{').skip(1);
        let mut names: Vec<&str> = after.filter_map(|part| part.split('}').next()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn every_text_is_there_in_three_languages_with_the_same_places() {
        assert!(!TEXTS.checked().is_empty());
    }

    #[test]
    fn what_is_said_exists_and_what_exists_is_said() {
        let sources = [
            include_str!("mod.rs"),
            include_str!("account.rs"),
            include_str!("settings.rs"),
            include_str!("files.rs"),
            include_str!("folder.rs"),
            include_str!("names.rs"),
            include_str!("route.rs"),
            include_str!("tls.rs"),
            include_str!("failure.rs"),
            include_str!("domain.rs"),
            include_str!("spf.rs"),
            include_str!("records.rs"),
            include_str!("post.rs"),
            include_str!("../cli/doctor.rs"),
        ]
        .concat();
        let mut missing = Vec::new();
        for part in sources.split("say(").skip(1) {
            let part = part.trim_start();
            let Some(quoted) = part.strip_prefix('"') else {
                continue;
            };
            let key = quoted.split('"').next().unwrap_or_default();
            if !TEXTS.has(key) {
                missing.push(key.to_owned());
            }
        }
        assert!(missing.is_empty(), "said and not there: {missing:?}");
        let idle: Vec<&str> = TEXTS
            .checked()
            .into_iter()
            .filter(|key| !key.starts_with("title_") && !key.starts_with("status_"))
            .filter(|key| !key.starts_with("state_") && !key.starts_with("route_state_"))
            .filter(|key| !sources.contains(&format!("\"{key}\"")))
            .collect();
        assert!(idle.is_empty(), "there and never said: {idle:?}");
    }

    #[test]
    fn a_value_is_never_taken_for_a_place() {
        let said = fill("{a} and {b} {", &[("a", &"{b}"), ("b", &1)]);
        assert_eq!(said, "{b} and 1 {");
    }
}
