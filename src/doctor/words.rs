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

static TEXTS: LazyLock<BTreeMap<String, Text>> = LazyLock::new(|| {
    toml::from_str(include_str!("words.toml"))
        .expect("the file is compiled in, and a test reads it")
});

/// Says things in one language.
#[derive(Debug, Clone, Copy)]
pub struct Voice(pub Language);

impl Voice {
    /// The text called `key`, with `{name}` replaced by its value.
    pub fn say(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        let Some(text) = TEXTS.get(key) else {
            // A test finds every key that is said; whoever comes here sees what is missing.
            return key.to_owned();
        };
        let text = match self.0 {
            Language::ZhHant => &text.zh_hant,
            Language::ZhHans => &text.zh_hans,
            Language::En => &text.en,
        };
        fill(text, values)
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

    fn places(text: &str) -> Vec<&str> {
        let after = text.split('{').skip(1);
        let mut names: Vec<&str> = after.filter_map(|part| part.split('}').next()).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    #[test]
    fn every_text_is_there_in_three_languages_with_the_same_places() {
        for (key, text) in TEXTS.iter() {
            for one in [&text.zh_hant, &text.zh_hans, &text.en] {
                assert!(!one.trim().is_empty(), "{key}");
                assert_eq!(places(one), places(&text.en), "{key}");
            }
        }
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
            if !TEXTS.contains_key(key) {
                missing.push(key.to_owned());
            }
        }
        assert!(missing.is_empty(), "said and not there: {missing:?}");
        let idle: Vec<&String> = TEXTS
            .keys()
            .filter(|key| !key.starts_with("title_") && !key.starts_with("status_"))
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
