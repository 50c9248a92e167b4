//! What the doctor says: a report of steps. What must not live here: how a step is made, and how
//! it is shown.

use std::time::Duration;

use serde::Serialize;
use serde::Serializer;

use crate::language::Language;

/// How a step went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// All is well.
    Ok,
    /// Mail goes out, and something is not as it should be.
    Warning,
    /// Mail does not go out, or not for long.
    Failure,
    /// There was nothing to look at, or a step before it failed.
    Skipped,
}

impl Status {
    /// All of them.
    pub const ALL: [Status; 4] = [
        Status::Ok,
        Status::Warning,
        Status::Failure,
        Status::Skipped,
    ];

    /// Its stable word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Failure => "failure",
            Status::Skipped => "skipped",
        }
    }
}

/// One thing that was looked at. Its texts are in the report's language and hold words of servers
/// and files: whoever shows them on a terminal makes control characters visible.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its stable name: `tls`, or `fallback_tls` of the fallback.
    pub id: String,
    /// What was looked at.
    pub title: String,
    /// How it went.
    pub status: Status,
    /// How long it took; whole milliseconds in JSON.
    #[serde(rename = "took_ms", serialize_with = "millis")]
    pub took: Duration,
    /// What was found, a line each.
    pub detail: Vec<String>,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The page on which it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
    /// The rule of the [rulebook](crate::mail::rulebook) that explains it, by its stable name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
}

fn millis<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

/// All steps, in the order in which they were taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether no step is a failure.
    pub ok: bool,
    /// The language of its texts.
    pub language: Language,
    /// The steps.
    pub steps: Vec<Step>,
}

impl Report {
    pub(super) fn of(language: Language, steps: Vec<Step>) -> Report {
        let ok = steps.iter().all(|step| step.status != Status::Failure);
        Report {
            ok,
            language,
            steps,
        }
    }

    /// How many steps went this way.
    pub fn count(&self, status: Status) -> usize {
        let steps = self.steps.iter();
        steps.filter(|step| step.status == status).count()
    }

    /// The step of this name.
    pub fn step(&self, id: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == id)
    }
}

/// What a step found, before it has a name and a time.
#[derive(Debug, Clone)]
pub(super) struct Finding {
    pub status: Status,
    pub detail: Vec<String>,
    pub remedy: Vec<String>,
    pub page: Option<String>,
    pub rule: Option<String>,
}

impl Finding {
    pub fn new(status: Status) -> Finding {
        Finding {
            status,
            detail: Vec::new(),
            remedy: Vec::new(),
            page: None,
            rule: None,
        }
    }

    pub fn ok(line: impl Into<String>) -> Finding {
        Finding::new(Status::Ok).and(line)
    }

    pub fn warning(line: impl Into<String>) -> Finding {
        Finding::new(Status::Warning).and(line)
    }

    pub fn failure(line: impl Into<String>) -> Finding {
        Finding::new(Status::Failure).and(line)
    }

    pub fn skipped(reason: impl Into<String>) -> Finding {
        Finding::new(Status::Skipped).and(reason)
    }

    /// One more line of what was found.
    pub fn and(mut self, line: impl Into<String>) -> Finding {
        self.detail.push(line.into());
        self
    }

    /// One more line of what to do.
    pub fn remedy(mut self, line: impl Into<String>) -> Finding {
        self.remedy.push(line.into());
        self
    }

    /// The page on which it is done.
    pub fn on(mut self, page: Option<&str>) -> Finding {
        self.page = page.map(str::to_owned).or(self.page);
        self
    }

    /// At least as bad as `status`.
    pub fn at_least(mut self, status: Status) -> Finding {
        let weight = |status| match status {
            Status::Skipped => 0,
            Status::Ok => 1,
            Status::Warning => 2,
            Status::Failure => 3,
        };
        if weight(status) > weight(self.status) {
            self.status = status;
        }
        self
    }
}
