//! A row of the rulebook, as it stands in the data and as it is held against what happened. What
//! becomes of the row that fits is not known here.

use std::time::Duration;

use serde::Deserialize;

use super::text::Said;
use super::text::is_in;
use super::{Rest, Verdict, Words};
use crate::language::Language;
use crate::mail::attempt::{Outcome, Stage, Symptom};
use crate::mail::provider::Provider;

/// A row of the rulebook.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its stable name, such as `gmail_credentials`.
    pub id: String,
    /// What it means, in a sentence.
    pub meaning: Words,
    /// What to do about it, in a sentence or two.
    pub advice: Words,
    /// The provider's page on which it is done, where there is one.
    pub page: Option<String>,
    /// What to do; `None`: what the code alone says.
    pub verdict: Option<Verdict>,
    /// Whether the remedy is that the From becomes the account.
    #[serde(default)]
    from_is_user: bool,
    stages: Vec<Where>,
    /// The providers whose relay it must be; none: any.
    #[serde(default)]
    providers: Vec<String>,
    /// The providers it speaks of; none: nobody in particular.
    #[serde(default)]
    of: Vec<String>,
    /// The rule that speaks in its place where the relay is not known to be one of theirs.
    elsewhere: Option<String>,
    /// From RCPT on, what it says of the route counts from these providers' relays, too.
    #[serde(default)]
    late: Vec<String>,
    /// From RCPT on, what its text says of the route counts beside these enhanced codes, too.
    #[serde(default)]
    beside: Vec<String>,
    /// One of them must be in the text as whole words; ` .. ` stands for anything in between, a
    /// last `*` for the rest of the word.
    #[serde(default)]
    text: Vec<String>,
    /// One of them must be the enhanced code.
    #[serde(default)]
    enhanced: Vec<String>,
    /// One of them must be the code; `4xx` is any that begins so.
    #[serde(default)]
    codes: Vec<String>,
    #[serde(default)]
    symptoms: Vec<Symptom>,
    #[serde(default)]
    outcomes: Vec<Outcome>,
    /// Replies that it is the rule for.
    #[serde(default)]
    examples: Vec<Example>,
    /// Replies that look like it, and are not.
    #[serde(default)]
    unlike: Vec<Example>,
}

/// A reply for tests, as a server says it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    /// Where it is said.
    pub stage: Stage,
    /// Its lines, code and all, with `\n` between them.
    reply: String,
    /// Whether it is sent in GBK.
    #[serde(default)]
    gbk: bool,
    /// The provider whose relay says it, where that matters.
    pub provider: Option<String>,
}

impl Example {
    /// Its code.
    pub fn code(&self) -> u16 {
        self.reply
            .get(..3)
            .and_then(|code| code.parse().ok())
            .unwrap_or_default()
    }

    /// The bytes as they come from the server.
    pub fn bytes(&self) -> Vec<u8> {
        let reply = self.reply.replace('\n', "\r\n") + "\r\n";
        match self.gbk {
            true => encoding_rs::GBK.encode(&reply).0.into_owned(),
            false => reply.into_bytes(),
        }
    }
}

/// A stage, or several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Where {
    Group(Group),
    Stage(Stage),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Group {
    /// Everywhere.
    Any,
    /// Up to MAIL: a server that speaks there speaks of us.
    Early,
    /// From MAIL on.
    Mail,
    /// From RCPT on.
    Recipient,
}

impl Where {
    fn is(self, stage: Stage) -> bool {
        match self {
            Where::Group(Group::Any) => true,
            Where::Group(Group::Early) => stage <= Stage::MailFrom,
            Where::Group(Group::Mail) => stage >= Stage::MailFrom,
            Where::Group(Group::Recipient) => stage >= Stage::RcptTo,
            Where::Stage(one) => one == stage,
        }
    }
}

/// How well a rule fits; a greater one fits better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Fit {
    by: By,
    of_the_provider: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum By {
    /// `4xx`, or no more than the stage.
    Class,
    Code,
    Enhanced,
    Text,
}

impl Rule {
    /// What to do about it; where the From has to be the account, with the account's name.
    pub fn remedy(&self, language: Language, account: Option<&str>) -> String {
        let advice = self.advice.of(language);
        match account {
            Some(account) if self.from_is_user && account.contains('@') => {
                format!("{advice} DEFAULT_FROM_EMAIL={account}")
            }
            _ => advice.to_owned(),
        }
    }

    /// The name of the rule that speaks in its place, where `provider` is none that it speaks of.
    pub(super) fn elsewhere(&self, provider: Option<&Provider>) -> Option<&str> {
        let other = self.elsewhere.as_deref();
        other.filter(|_| !self.speaks_of(provider))
    }

    fn speaks_of(&self, provider: Option<&Provider>) -> bool {
        provider.is_some_and(|provider| self.of.contains(&provider.name))
    }

    /// Replies that it is the rule for.
    pub fn examples(&self) -> &[Example] {
        &self.examples
    }

    /// Replies that look like it, and are not.
    pub fn unlike(&self) -> &[Example] {
        &self.unlike
    }

    /// Whether it is about failures without a reply.
    pub fn is_of_symptoms(&self) -> bool {
        !self.symptoms.is_empty() || !self.outcomes.is_empty()
    }

    /// Whether it is about replies.
    pub fn is_of_replies(&self) -> bool {
        !(self.text.is_empty() && self.enhanced.is_empty() && self.codes.is_empty())
    }

    /// What is looked for in the text.
    #[cfg(test)]
    pub(super) fn patterns(&self) -> &[String] {
        &self.text
    }

    /// The enhanced codes that mean something to it.
    #[cfg(test)]
    pub(super) fn enhanced_codes(&self) -> impl Iterator<Item = &String> {
        self.enhanced.iter().chain(&self.beside)
    }

    /// What no reader of the data would notice: a pattern that can never be found, a provider or a
    /// code that does not exist.
    #[cfg(test)]
    pub(super) fn check(&self) {
        let id = &self.id;
        for pattern in &self.text {
            assert_eq!(pattern, &pattern.to_lowercase(), "{id}");
            let one_space = pattern.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(pattern, &one_space, "{id}");
        }
        for name in self.providers.iter().chain(&self.late).chain(&self.of) {
            assert!(
                crate::mail::provider::by_name(name).is_some(),
                "{id}: {name}"
            );
        }
        for code in &self.codes {
            let digits = code
                .strip_suffix("xx")
                .map_or(code.clone(), |one| format!("{one}00"));
            assert!(
                digits.parse().is_ok_and(|code| (200..600).contains(&code)),
                "{id}: {code}"
            );
        }
        assert_eq!(self.of.is_empty(), self.elsewhere.is_none(), "{id}");
        if let Some(other) = self.elsewhere.as_deref().map(super::rule) {
            assert!(other.is_some_and(|other| other.of.is_empty()), "{id}");
        }
        assert!(!self.stages.is_empty(), "{id}");
        let late = [
            Stage::RcptTo,
            Stage::Data,
            Stage::Content,
            Stage::FinalReply,
        ];
        let is_late = late
            .iter()
            .any(|at| self.stages.iter().any(|place| place.is(*at)));
        let is_bound = !(self.late.is_empty() && self.beside.is_empty());
        assert!(
            is_late && self.is_of_the_route() || !is_bound,
            "{id} is bound for nothing"
        );
        if self.text.is_empty() {
            assert!(self.beside.is_empty(), "{id}: beside what?");
        }
    }

    fn is_at(&self, stage: Stage, provider: Option<&Provider>) -> bool {
        self.stages.iter().any(|place| place.is(stage))
            && (self.providers.is_empty()
                || provider.is_some_and(|provider| self.providers.contains(&provider.name)))
    }

    fn fit(&self, by: By) -> Fit {
        Fit {
            by,
            of_the_provider: !self.providers.is_empty(),
        }
    }

    /// Whether its verdict is about more than the one mail.
    fn is_of_the_route(&self) -> bool {
        use Verdict::{Configuration, Connection, Limited};
        matches!(self.verdict, Some(Configuration | Limited(_) | Connection))
    }

    /// Whether what it says of the route can be believed from RCPT on, where a reply may repeat
    /// what a stranger wrote, or what the recipient's server said: it takes a provider whose words
    /// are known, or text and enhanced code together, or a code that means nothing else.
    fn is_certain(&self, by: By, said: &Said, provider: Option<&Provider>) -> bool {
        let known = |names: &[String]| provider.is_some_and(|at| names.contains(&at.name));
        let listed = self.enhanced.contains(&said.enhanced) || self.beside.contains(&said.enhanced);
        if said.is_of_a_mailbox() && !listed && self.verdict != Some(Verdict::Connection) {
            return false;
        }
        known(&self.providers)
            || known(&self.late)
            || (by == By::Text && listed)
            || (by == By::Code && self.text.is_empty())
    }

    /// The codes are a condition; the text or the enhanced code, where there are some, another.
    pub(super) fn matches(
        &self,
        stage: Stage,
        said: &Said,
        provider: Option<&Provider>,
    ) -> Option<Fit> {
        if !self.is_of_replies() || !self.is_at(stage, provider) {
            return None;
        }
        let code = said.code.to_string();
        let exactly = self.codes.contains(&code);
        let class = self
            .codes
            .iter()
            .any(|known| known.ends_with("xx") && known[..1] == code[..1]);
        if !(self.codes.is_empty() || exactly || class) {
            return None;
        }
        let by = if self.text.iter().any(|pattern| is_in(pattern, &said.text)) {
            By::Text
        } else if self.enhanced.contains(&said.enhanced) {
            By::Enhanced
        } else if !self.text.is_empty() || !self.enhanced.is_empty() {
            return None;
        } else if exactly {
            By::Code
        } else {
            By::Class
        };
        let is_late = stage >= Stage::RcptTo && self.is_of_the_route();
        (!is_late || self.is_certain(by, said, provider)).then(|| self.fit(by))
    }

    pub(super) fn explains(
        &self,
        stage: Stage,
        symptom: Symptom,
        outcome: Outcome,
        provider: Option<&Provider>,
    ) -> Option<Fit> {
        if !self.is_of_symptoms() || !self.is_at(stage, provider) {
            return None;
        }
        let by_outcome = self.outcomes.contains(&outcome);
        let of_outcome = self.outcomes.is_empty() || by_outcome;
        let of_symptom = self.symptoms.is_empty() || self.symptoms.contains(&symptom);
        let exact = self.stages.contains(&Where::Stage(stage));
        let by = match (by_outcome, exact) {
            (true, _) => By::Text,
            (_, true) => By::Code,
            _ => By::Class,
        };
        (of_outcome && of_symptom).then(|| self.fit(by))
    }
}

impl TryFrom<String> for Verdict {
    type Error = String;

    fn try_from(text: String) -> Result<Verdict, String> {
        let unknown = || format!("no verdict: {text}");
        Ok(match text.as_str() {
            "temporary" => Verdict::Temporary,
            "permanent" => Verdict::Permanent,
            "configuration" => Verdict::Configuration,
            "connection" => Verdict::Connection,
            _ => {
                let rest = text.strip_prefix("limited ").ok_or_else(unknown)?;
                Verdict::Limited(match rest.strip_prefix("until midnight ") {
                    Some(hours) => Rest::UntilMidnight(hours.parse().map_err(|_| unknown())?),
                    None => {
                        let minutes = rest.strip_suffix(" min").ok_or_else(unknown)?;
                        let minutes: u64 = minutes.parse().map_err(|_| unknown())?;
                        Rest::For(Duration::from_secs(60 * minutes))
                    }
                })
            }
        })
    }
}
