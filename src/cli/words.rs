//! What is said of mails and routes, in the language of the site: data (`words.toml`), compiled
//! in. What must not live here: which text is said when.

use std::fmt::Display;
use std::sync::LazyLock;

use crate::doctor;
use crate::doctor::Texts;
use crate::language::Language;

static TEXTS: LazyLock<Texts> = LazyLock::new(|| Texts::compiled_in(include_str!("words.toml")));

/// Says things in one language.
#[derive(Debug, Clone, Copy)]
pub struct Voice(pub Language);

impl Voice {
    /// The text called `key`, with `{name}` replaced by its value.
    pub fn say(self, key: &str, values: &[(&str, &dyn Display)]) -> String {
        TEXTS.say(self.0, key, values)
    }

    /// Whether there is a text of this key.
    pub fn has(self, key: &str) -> bool {
        TEXTS.has(key)
    }

    /// What stands before a value.
    pub fn label(self, key: &str) -> String {
        self.say(key, &[])
    }

    /// How far a delivery came.
    pub fn stage(self, word: &str) -> String {
        self.known("stage", word).unwrap_or(word.to_owned())
    }

    /// What is said once the delivery is past it.
    pub fn passed(self, word: &str) -> String {
        self.known("passed", word).unwrap_or(word.to_owned())
    }

    /// How an attempt ended.
    pub fn outcome(self, word: &str) -> String {
        self.known("outcome", word).unwrap_or(word.to_owned())
    }

    /// How a mail is, in the doctor's words.
    pub fn mail_state(self, word: &str) -> String {
        doctor::mail_state(self.0, word)
    }

    /// How an account, a session or a token stands, or how something ended.
    pub fn standing(self, word: &str) -> String {
        self.known("standing", word).unwrap_or(word.to_owned())
    }

    /// What a rule of the rulebook says, in a few words, where they are worth it.
    pub fn gist(self, rule: &str) -> Option<String> {
        self.known("gist", rule)
    }

    /// Whether a route is tried, in the doctor's words.
    pub fn route_state(self, word: &str) -> String {
        doctor::route_state(self.0, word)
    }

    /// The text of a word of the API, unless it is one of a newer server.
    fn known(self, group: &str, word: &str) -> Option<String> {
        let key = format!("{group}_{word}");
        TEXTS.has(&key).then(|| TEXTS.say(self.0, &key, &[]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::outbox::State;
    use crate::mail::rulebook;

    #[test]
    fn what_is_said_exists_and_what_exists_is_said() {
        let sources = [
            include_str!("desk/audit.rs"),
            include_str!("desk/inbox.rs"),
            include_str!("desk/show.rs"),
            include_str!("desk/stats.rs"),
            include_str!("listing.rs"),
            include_str!("people/session.rs"),
            include_str!("people/timeline.rs"),
            include_str!("people/token.rs"),
            include_str!("people/user.rs"),
            include_str!("screen.rs"),
            include_str!("test_mail.rs"),
            include_str!("outbox/act.rs"),
            include_str!("outbox/list.rs"),
            include_str!("outbox/routes.rs"),
            include_str!("outbox/short.rs"),
            include_str!("outbox/show.rs"),
        ]
        .concat();
        let of_the_api = [
            "stage_",
            "passed_",
            "outcome_",
            "why_",
            "gist_",
            "standing_",
        ];
        for key in TEXTS.checked() {
            let dynamic = of_the_api.iter().any(|group| key.starts_with(group));
            assert!(dynamic || sources.contains(&format!("\"{key}\"")), "{key}");
        }
        for call in ["say(", "label("] {
            for part in sources.split(call).skip(1) {
                if let Some(quoted) = part.trim_start().strip_prefix('"') {
                    let key = quoted.split('"').next().unwrap_or_default();
                    assert!(TEXTS.has(key), "{key}");
                }
            }
        }
    }

    #[test]
    fn every_word_of_the_api_has_its_text_and_every_gist_its_rule() {
        for state in State::ALL {
            assert_ne!(
                Voice(Language::ZhHans).mail_state(state.word()),
                state.word()
            );
        }
        for code in crate::mail::outbox::CODES {
            assert!(TEXTS.has(&format!("why_{code}")), "{code}");
        }
        let keys = TEXTS.checked().into_iter();
        for rule in keys.filter_map(|key| key.strip_prefix("gist_")) {
            assert!(rulebook::rule(rule).is_some(), "{rule}");
        }
    }
}
