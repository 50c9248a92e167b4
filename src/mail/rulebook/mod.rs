//! What a server's reply means for a mail and its route, and what the operator can do about it.
//! The rules are data (`rules.toml`), compiled in; a rule is found by the stage, then the text,
//! then the code, since the first digit lies. Where no rule speaks, the code decides. How replies
//! are read lives in `text`, how rows are in `rule`.

mod rule;
mod text;

use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

use super::attempt::{Outcome, Stage, Symptom};
use super::provider::Provider;
use crate::language::Language;

pub use rule::{Example, Rule};

use text::Said;

/// What to do about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Verdict {
    /// Go on; after the final dot: the mail is sent.
    Accepted,
    /// Try this mail again later.
    Temporary,
    /// Never try this mail again.
    Permanent,
    /// The route is set up wrongly; no fault of this mail, which waits.
    Configuration,
    /// The route has sent too much; no fault of this mail, which waits.
    Limited(Rest),
    /// The connection is of no use any more; no fault of this mail.
    Connection,
}

/// How long a route has to rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// This long.
    For(Duration),
    /// Until the day turns where the provider is: this many hours east of UTC.
    UntilMidnight(i8),
}

impl Verdict {
    /// The outcome of an attempt that ends with it.
    pub fn outcome(self) -> Outcome {
        match self {
            Verdict::Accepted => Outcome::Accepted,
            Verdict::Temporary => Outcome::Temporary,
            Verdict::Permanent => Outcome::Permanent,
            Verdict::Configuration => Outcome::Configuration,
            Verdict::Limited(_) => Outcome::Limited,
            Verdict::Connection => Outcome::Connection,
        }
    }

    /// How long the route has to rest, where the rule says so.
    pub fn rest(self) -> Option<Rest> {
        match self {
            Verdict::Limited(rest) => Some(rest),
            _ => None,
        }
    }
}

/// A text in every language that gatepost speaks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Chinese in traditional characters.
    pub zh_hant: String,
    /// Chinese in simplified characters.
    pub zh_hans: String,
    /// English.
    pub en: String,
}

impl Words {
    /// The text in `language`.
    pub fn of(&self, language: Language) -> &str {
        match language {
            Language::ZhHant => &self.zh_hant,
            Language::ZhHans => &self.zh_hans,
            Language::En => &self.en,
        }
    }
}

/// What the rulebook says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ruling {
    /// What to do.
    pub verdict: Verdict,
    /// The rule behind it; `None` where only the code spoke.
    pub rule: Option<&'static Rule>,
}

impl Ruling {
    /// How long the route has to rest, where the rule says so.
    pub fn rest(&self) -> Option<Rest> {
        self.verdict.rest()
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Book {
    rule: Vec<Rule>,
}

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let book: Book = toml::from_str(include_str!("rules.toml"))
        .expect("the file is compiled in, and a test reads it");
    book.rule
});

/// All of them.
pub fn rules() -> &'static [Rule] {
    &RULES
}

/// The rule called `id`; `None` for one of an older or newer gatepost.
pub fn rule(id: &str) -> Option<&'static Rule> {
    rules().iter().find(|rule| rule.id == id)
}

/// Whether `code` is what a server answers to go on; [`judge`] accepts such a reply.
pub fn is_welcome(stage: Stage, code: u16) -> bool {
    match stage {
        // RFC 5321, 4.3.2: 354 and nothing else.
        Stage::Data => code == 354,
        _ => (200..300).contains(&code),
    }
}

/// Judges the reply `code` with its `text` (the bytes as they came) at `stage`. A provider's own
/// rules count where the relay is known to be its. A welcome is told by its code alone.
pub fn judge(stage: Stage, code: u16, text: &[u8], provider: Option<&Provider>) -> Ruling {
    let by_code = by_code(stage, code);
    if by_code == Verdict::Accepted {
        return Ruling {
            verdict: by_code,
            rule: None,
        };
    }
    let said = Said::of(code, text);
    let rule = best(|rule| rule.matches(stage, &said, provider));
    // Many a server borrows a provider's sentences; nobody is told of an account there for that.
    let elsewhere = |rule: &Rule| rule.elsewhere(provider).and_then(self::rule);
    let rule = rule.map(|rule| elsewhere(rule).unwrap_or(rule));
    Ruling {
        verdict: rule.and_then(|rule| rule.verdict).unwrap_or(by_code),
        rule,
    }
}

/// The rule that explains a failure without a reply. Where it has a verdict, that counts more
/// than what the failure looked like.
pub fn explain(
    stage: Stage,
    symptom: Symptom,
    outcome: Outcome,
    provider: Option<&Provider>,
) -> Option<&'static Rule> {
    best(|rule| rule.explains(stage, symptom, outcome, provider))
}

/// The first of the rules that fit best.
fn best(fits: impl Fn(&Rule) -> Option<rule::Fit>) -> Option<&'static Rule> {
    let fitting = rules()
        .iter()
        .filter_map(|rule| fits(rule).map(|fit| (fit, rule)));
    // Of equals the first: `max_by_key` would take the last.
    let best = fitting.rev().max_by_key(|(fit, _)| *fit);
    best.map(|(_, rule)| rule)
}

fn by_code(stage: Stage, code: u16) -> Verdict {
    if is_welcome(stage, code) {
        return Verdict::Accepted;
    }
    if code == 421 {
        // RFC 5321, 3.8: the server closes the connection after it.
        return Verdict::Connection;
    }
    if code < 500 {
        // A 3xx where none belongs says that client and server are out of step.
        return Verdict::Temporary;
    }
    match stage {
        // Too large (RFC 1870) is about this mail; any other refusal of the sender about all.
        Stage::MailFrom if code == 552 => Verdict::Permanent,
        Stage::Claim
        | Stage::Connect
        | Stage::Greeting
        | Stage::Tls
        | Stage::Auth
        | Stage::MailFrom => Verdict::Configuration,
        Stage::RcptTo | Stage::Data | Stage::Content | Stage::FinalReply => Verdict::Permanent,
    }
}

#[cfg(test)]
mod echoes;
#[cfg(test)]
mod tests;
