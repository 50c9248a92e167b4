//! Everything that the pages say, in three languages. The texts stand in
//! `templates/pages/words/*.toml`, one file a language with the same keys in each, which a test
//! holds against one another.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::Value;
use minijinja::value::Kwargs;

use crate::language::Language;

type Texts = BTreeMap<String, String>;

fn read(parts: &[&str]) -> Texts {
    let mut texts = Texts::new();
    for part in parts {
        let part: Texts = toml::from_str(part).expect("the texts are tables of texts");
        texts.extend(part);
    }
    texts
}

macro_rules! texts {
    ($language:literal) => {
        LazyLock::new(|| {
            read(&[
                include_str!(concat!(
                    "../../../templates/pages/words/",
                    $language,
                    ".toml"
                )),
                include_str!(concat!(
                    "../../../templates/pages/words/inbox.",
                    $language,
                    ".toml"
                )),
            ])
        })
    };
}

static EN: LazyLock<Texts> = texts!("en");
static HANS: LazyLock<Texts> = texts!("zh-hans");
static HANT: LazyLock<Texts> = texts!("zh-hant");

/// The texts of one language.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words(pub Language);

impl Words {
    /// The text called `key`, if there is one.
    pub fn find(self, key: &str) -> Option<&'static str> {
        let texts: &'static Texts = match self.0 {
            Language::En => &EN,
            Language::ZhHans => &HANS,
            Language::ZhHant => &HANT,
        };
        texts.get(key).map(String::as_str)
    }

    /// The text called `key`; one that is missing is shown by its key, and a test finds it.
    pub fn say(self, key: &str) -> String {
        self.find(key).unwrap_or(key).to_owned()
    }

    /// The same with `{name}` replaced by its value.
    pub fn fill(self, key: &str, values: &[(&str, &str)]) -> String {
        fill(&self.say(key), values)
    }

    /// The function `t` of the templates: `t("key", name=value)`. The template escapes the text.
    pub fn function(self) -> Value {
        Value::from_function(move |key: &str, values: Kwargs| {
            let mut pairs = Vec::new();
            for name in values.args() {
                let value: Value = values.get(name)?;
                pairs.push((name, value.to_string()));
            }
            let pairs: Vec<(&str, &str)> = pairs
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .collect();
            Ok::<_, minijinja::Error>(self.fill(key, &pairs))
        })
    }
}

/// `text` with each `{name}` replaced once; what is put in is not looked at again.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let named = after.split_once('}').and_then(|(name, after)| {
            let value = values.iter().find(|(known, _)| *known == name)?;
            Some((value.1, after))
        });
        match named {
            Some((value, after)) => {
                filled.push_str(value);
                rest = after;
            }
            None => {
                filled.push('{');
                rest = after;
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str) -> Vec<&str> {
        let mut places: Vec<&str> = text
            .split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0))
            .collect();
        places.sort_unstable();
        places
    }

    #[test]
    fn the_languages_say_the_same() {
        let mut wrong = Vec::new();
        for (language, texts) in [("zh-hans", &*HANS), ("zh-hant", &*HANT)] {
            for (key, english) in EN.iter() {
                match texts.get(key) {
                    None => wrong.push(format!("{language} lacks {key}")),
                    Some(text) if text.trim().is_empty() => {
                        wrong.push(format!("{language}: {key} is empty"));
                    }
                    Some(text) if places(text) != places(english) => {
                        wrong.push(format!("{language}: {key} fills in other things"));
                    }
                    Some(_) => {}
                }
            }
            for key in texts.keys().filter(|key| !EN.contains_key(*key)) {
                wrong.push(format!("{language} has {key}, which English has not"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn what_is_filled_in_is_not_looked_at_again() {
        let values = [("a", "{b}"), ("b", "2")];
        assert_eq!(fill("{a} {b} {c} {", &values), "{b} 2 {c} {");
    }
}
