//! What a server's reply means for a mail and its route, and what the operator can do about it.
//! The rules are data; a rule is found by the stage, then the text, then the code, since the first
//! digit lies. Where no rule speaks, the code decides.

use std::time::Duration;

use serde::Deserialize;

use super::attempt::{Outcome, Stage, Symptom};
use super::provider::Provider;
use crate::language::Language;

/// What to do about a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

/// A row of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its stable name, such as `gmail_credentials`.
    pub id: String,
    /// What it means, in a sentence.
    pub meaning: Words,
    /// What to do about it, in a sentence or two.
    pub advice: Words,
    /// The provider's page on which it is done, where there is one.
    pub page: Option<String>,
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
        match self.verdict {
            Verdict::Limited(rest) => Some(rest),
            _ => None,
        }
    }
}

/// Judges the reply `code` with its `text` (the bytes as they came) at `stage`. A provider's own
/// rules count where the relay is known to be its.
pub fn judge(stage: Stage, code: u16, _text: &[u8], _provider: Option<&Provider>) -> Ruling {
    Ruling {
        verdict: by_code(stage, code),
        rule: None,
    }
}

/// The rule that explains a failure without a reply.
pub fn explain(
    _stage: Stage,
    _symptom: Symptom,
    _outcome: Outcome,
    _provider: Option<&Provider>,
) -> Option<&'static Rule> {
    None
}

/// The rule called `id`; `None` for one of an older or newer gatepost.
pub fn rule(_id: &str) -> Option<&'static Rule> {
    None
}

fn by_code(stage: Stage, code: u16) -> Verdict {
    let welcome = match stage {
        // RFC 5321, 4.3.2: 354 and nothing else.
        Stage::Data => code == 354,
        _ => (200..300).contains(&code),
    };
    if welcome {
        return Verdict::Accepted;
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
mod tests {
    use super::*;

    #[test]
    fn the_stage_decides_what_a_refusal_is_about() {
        for (stage, code, verdict) in [
            (Stage::FinalReply, 250, Verdict::Accepted),
            (Stage::FinalReply, 354, Verdict::Temporary),
            (Stage::Data, 354, Verdict::Accepted),
            (Stage::Data, 250, Verdict::Temporary),
            (Stage::RcptTo, 451, Verdict::Temporary),
            (Stage::RcptTo, 550, Verdict::Permanent),
            (Stage::Auth, 535, Verdict::Configuration),
            (Stage::MailFrom, 553, Verdict::Configuration),
            (Stage::MailFrom, 552, Verdict::Permanent),
        ] {
            assert_eq!(
                judge(stage, code, b"", None).verdict,
                verdict,
                "{stage:?} {code}"
            );
        }
    }
}
