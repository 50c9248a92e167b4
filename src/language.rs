//! The languages that people are addressed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A language that every text of gatepost exists in. Written as in BCP 47 (RFC 5646), lower-case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Language {
    /// Chinese in traditional characters.
    #[serde(rename = "zh-hant")]
    ZhHant,
    /// Chinese in simplified characters.
    #[serde(rename = "zh-hans")]
    ZhHans,
    /// English.
    #[default]
    #[serde(rename = "en")]
    En,
}

/// Not a language that gatepost has texts in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a supported language; use zh-hant, zh-hans or en")]
pub struct UnknownLanguage(pub String);

impl Language {
    /// All of them.
    pub const ALL: [Language; 3] = [Language::ZhHant, Language::ZhHans, Language::En];

    /// Its tag: `zh-hant`, `zh-hans` or `en`.
    pub const fn tag(self) -> &'static str {
        match self {
            Language::ZhHant => "zh-hant",
            Language::ZhHans => "zh-hans",
            Language::En => "en",
        }
    }
}

/// Accepts what Django, browsers and people write: `zh-hant`, `zh_Hant`, `zh-TW`, `en-GB`, …
impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Language, UnknownLanguage> {
        let tag = text.trim().to_ascii_lowercase().replace('_', "-");
        let mut subtags = tag.split('-');
        match subtags.next() {
            Some("en") => Ok(Language::En),
            Some("zh") => {
                let rest: Vec<&str> = subtags.collect();
                let traditional = rest.contains(&"hant")
                    || (!rest.contains(&"hans")
                        && rest.iter().any(|s| matches!(*s, "tw" | "hk" | "mo")));
                Ok(if traditional {
                    Language::ZhHant
                } else {
                    Language::ZhHans
                })
            }
            _ => Err(UnknownLanguage(text.to_owned())),
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.tag())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_people_write_are_understood() {
        for (text, language) in [
            ("zh-hant", Language::ZhHant),
            ("zh_Hant_HK", Language::ZhHant),
            ("zh-TW", Language::ZhHant),
            ("zh", Language::ZhHans),
            ("zh-Hans-HK", Language::ZhHans),
            ("zh-CN", Language::ZhHans),
            ("en-GB", Language::En),
        ] {
            assert_eq!(text.parse(), Ok(language), "{text}");
        }
        assert!("fr".parse::<Language>().is_err());
        assert!("".parse::<Language>().is_err());
    }
}
