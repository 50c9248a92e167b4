//! Everything that the dashboard says, in three languages. The texts stand in `words/*.toml`, one
//! file a language with the same keys in each, which a test holds against one another.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::language::Language;

type Texts = BTreeMap<String, String>;

fn read(parts: &[&str]) -> Texts {
    let mut texts = Texts::new();
    for part in parts {
        let part: Texts = toml::from_str(part).expect("the texts are tables of texts");
        for (key, text) in part {
            let twice = texts.insert(key.clone(), text);
            assert!(twice.is_none(), "{key} stands twice among the texts");
        }
    }
    texts
}

static EN: LazyLock<Texts> = LazyLock::new(|| {
    read(&[
        include_str!("words/en.toml"),
        include_str!("words/reader.en.toml"),
    ])
});
static HANS: LazyLock<Texts> = LazyLock::new(|| {
    read(&[
        include_str!("words/zh-hans.toml"),
        include_str!("words/reader.zh-hans.toml"),
    ])
});
static HANT: LazyLock<Texts> = LazyLock::new(|| {
    read(&[
        include_str!("words/zh-hant.toml"),
        include_str!("words/reader.zh-hant.toml"),
    ])
});

/// The texts of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(pub Language);

impl Words {
    /// The text called `key`; one that is missing is shown by its key, and a test finds it.
    pub fn say<'a>(&self, key: &'a str) -> &'a str {
        self.find(key).unwrap_or(key)
    }

    /// The text called `key`, if there is one.
    pub fn find(&self, key: &str) -> Option<&'static str> {
        let texts: &'static Texts = match self.0 {
            Language::En => &EN,
            Language::ZhHans => &HANS,
            Language::ZhHant => &HANT,
        };
        texts.get(key).map(String::as_str)
    }

    /// The text called `key` with each `{name}` replaced by its value. What is put in is not
    /// looked into again.
    pub fn fill(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut rest = self.say(key);
        let mut text = String::with_capacity(rest.len() + 16);
        while let Some(start) = rest.find('{') {
            let Some(length) = rest[start..].find('}') else {
                break;
            };
            let name = &rest[start + 1..start + length];
            text.push_str(&rest[..start]);
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => text.push_str(value),
                None => text.push_str(&rest[start..=start + length]),
            }
            rest = &rest[start + length + 1..];
        }
        text.push_str(rest);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gaps(text: &str) -> Vec<&str> {
        let mut gaps: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|part| part.split_once('}').map(|(name, _)| name))
            .collect();
        gaps.sort_unstable();
        gaps.dedup();
        gaps
    }

    #[test]
    fn the_three_languages_say_the_same_things() {
        for other in [&HANS, &HANT] {
            let keys = |texts: &Texts| texts.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(&EN), keys(other));
            for (key, text) in EN.iter() {
                assert_eq!(gaps(text), gaps(&other[key]), "{key}");
            }
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_again() {
        let words = Words(Language::En);
        assert_eq!(words.say("no such key"), "no such key");
        assert_eq!(
            words.fill("{a} and {b} and {c}", &[("a", "{b}"), ("b", "2")]),
            "{b} and 2 and {c}"
        );
    }
}
