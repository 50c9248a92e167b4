//! Why a delivery failed: how far it came, what kind of failure it was and what was said.

use std::fmt;
use std::io;
use std::time::Duration;

use super::reply::Reply;
use crate::mail::attempt::{Outcome, Stage, Symptom, text_of};
use crate::mail::provider::Provider;
use crate::mail::rulebook::{self, Rest, Rule, Verdict};

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

    /// A failure that shows as `symptom`. What kind it is, the rulebook may say in
    /// [`explained`](Failure::explained).
    pub(super) fn seen(stage: Stage, symptom: Symptom, problem: impl Into<String>) -> Failure {
        Failure {
            symptom: Some(symptom),
            ..Failure::of(stage, Outcome::Connection, in_own_words(problem.into()))
        }
    }

    /// Nothing came within the stage's deadline.
    pub(super) fn silence(stage: Stage, limit: Duration) -> Failure {
        let problem = format!("no answer within {} s", limit.as_secs());
        Failure::seen(stage, Symptom::TimedOut, problem)
    }

    /// The connection broke.
    pub(super) fn broken(stage: Stage, error: &io::Error) -> Failure {
        let symptom = match error.kind() {
            io::ErrorKind::TimedOut => Symptom::TimedOut,
            io::ErrorKind::InvalidData => Symptom::Unreadable,
            _ => Symptom::Closed,
        };
        Failure::seen(stage, symptom, error.to_string())
    }

    /// The mail's time went by.
    pub(super) fn lapsed(stage: Stage) -> Failure {
        Failure::of(stage, Outcome::Lapsed, "its time went by")
    }

    /// What `reply` amounts to, where it is no welcome or could not be understood as one.
    pub(super) fn refused(stage: Stage, reply: Reply, provider: Option<&Provider>) -> Failure {
        let mut ruling = rulebook::judge(stage, reply.code, &reply.bytes, provider);
        if ruling.verdict == Verdict::Accepted {
            // A welcome that the client could not make sense of is not to be trusted.
            ruling.verdict = Verdict::Temporary;
            ruling.rule = rulebook::rule("out_of_step");
        }
        Failure {
            stage,
            outcome: ruling.verdict.outcome(),
            code: Some(reply.code),
            reply: reply.bytes,
            transcript: Vec::new(),
            symptom: None,
            rule: ruling.rule,
            rest: ruling.rest(),
        }
    }

    /// With the rule that explains it, and the outcome that the rule wants.
    pub(super) fn explained(mut self, provider: Option<&Provider>) -> Failure {
        let (None, Some(symptom)) = (self.rule, self.symptom) else {
            return self;
        };
        self.rule = rulebook::explain(self.stage, symptom, self.outcome, provider);
        let verdict = self.rule.and_then(|rule| rule.verdict);
        if let (Some(verdict), Outcome::Connection) = (verdict, self.outcome) {
            self.outcome = verdict.outcome();
            self.rest = verdict.rest();
        }
        self
    }

    /// Whether it says more about the route than about the mail: every other mail would meet it.
    pub fn is_of_the_route(&self) -> bool {
        self.stage <= Stage::Auth
            || matches!(self.outcome, Outcome::Configuration | Outcome::Limited)
    }
}

/// `problem`, unless a library points to its own manual with it: that is nobody's reading here.
fn in_own_words(problem: String) -> String {
    if problem.contains("close_notify") {
        return "the server closed the connection without ending TLS properly".to_owned();
    }
    match problem.find(": https://docs.rs/") {
        Some(at) => problem[..at].to_owned(),
        None => problem,
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
