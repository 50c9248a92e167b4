//! Why a delivery failed: how far it came, what kind of failure it was and what was said.

use std::fmt;

use crate::mail::attempt::{Outcome, Stage, Symptom, text_of};
use crate::mail::rulebook::{Rest, Rule};

/// A delivery that did not end with a final 2xx. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// What kind of failure: never [`Outcome::Accepted`].
    pub outcome: Outcome,
    /// The code of the reply, where there was one.
    pub code: Option<u16>,
    /// The reply as it came, or in our words what went wrong.
    pub reply: Vec<u8>,
    /// The conversation.
    pub transcript: Vec<u8>,
    /// What it looked like, where no reply tells it.
    pub symptom: Option<Symptom>,
    /// The rule that explains it.
    pub rule: Option<&'static Rule>,
    /// How long the route has to rest, where the rule says so.
    pub rest: Option<Rest>,
}

impl Failure {
    /// A failure that no reply of the server's tells about.
    pub fn of(stage: Stage, outcome: Outcome, problem: impl Into<String>) -> Failure {
        Failure {
            stage,
            outcome,
            code: None,
            reply: problem.into().into_bytes(),
            transcript: Vec::new(),
            symptom: None,
            rule: None,
            rest: None,
        }
    }

    /// Whether it says more about the route than about the mail: every other mail would meet it.
    pub fn is_of_the_route(&self) -> bool {
        self.stage <= Stage::Auth
            || matches!(self.outcome, Outcome::Configuration | Outcome::Limited)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Claim => "before it began",
            Stage::Connect => "connecting",
            Stage::Greeting => "at the greeting",
            Stage::Tls => "starting TLS",
            Stage::Auth => "logging in",
            Stage::MailFrom => "at MAIL FROM",
            Stage::RcptTo => "at RCPT TO",
            Stage::Data => "at DATA",
            Stage::Content => "sending the message",
            Stage::FinalReply => "after the message",
        };
        write!(f, "{stage}: {}", text_of(&self.reply).trim_end())
    }
}

impl std::error::Error for Failure {}
