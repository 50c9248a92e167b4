//! What can go wrong between here and the server, in words that say what would be right. The
//! server's own words are in it: whoever shows one on a terminal makes control characters
//! visible.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;
use tokio_rustls::rustls;

/// How many characters of a foreign answer are shown.
const EXCERPT: usize = 200;

/// Why an operation did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The URL cannot be a server's.
    #[error("{url:?}: {problem}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong, and what would be right.
        problem: &'static str,
    },
    /// The token cannot be one.
    #[error(
        "{token_source} holds no token: one line of letters and digits was expected, as in admin.token of a data folder"
    )]
    Token {
        /// Where it is from.
        token_source: String,
    },
    /// No answer came.
    #[error("{url}: {problem}{absence}", absence = semicolon(.absence.as_deref()))]
    Unreachable {
        /// Where the server was expected.
        url: String,
        /// What happened.
        problem: String,
        /// What that may mean.
        absence: Option<String>,
    },
    /// The server does not know the token.
    #[error(
        "the gatepost at {url} does not accept the token of {token_source}: {problem}; the right one stands in admin.token in that server's data folder"
    )]
    Refused {
        /// The server.
        url: String,
        /// Where the token is from.
        token_source: String,
        /// What the server said.
        problem: Box<Problem>,
    },
    /// The server said no.
    #[error("{0}")]
    Problem(Box<Problem>),
    /// Whoever answers there is no gatepost.
    #[error(
        "{url} answers, but not as gatepost does ({status}{media_type}{excerpt}); is it the right address?",
        media_type = comma(.media_type),
        excerpt = said(.excerpt),
    )]
    Foreign {
        /// Where.
        url: String,
        /// The status of the answer.
        status: u16,
        /// Its media type.
        media_type: String,
        /// How it begins.
        excerpt: String,
    },
    /// The answer lacks what it should have.
    #[error(
        "{url}: an answer that this gatepost {version} does not understand ({problem}); is the server another version?",
        version = env!("CARGO_PKG_VERSION"),
    )]
    Misread {
        /// Where.
        url: String,
        /// What is missing.
        problem: String,
    },
}

impl Error {
    /// The stable word of the problem that the server told, if it told one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Error::Problem(problem) | Error::Refused { problem, .. } => Some(&problem.code),
            _ => None,
        }
    }
}

fn comma(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(", {text}"),
    }
}

fn semicolon(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("; {text}"))
}

fn said(text: &str) -> String {
    match text {
        "" => String::new(),
        text => format!(": {text}"),
    }
}

/// A problem document (RFC 9457) as gatepost writes it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Problem {
    /// What this kind of problem is called.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened this time.
    #[serde(default)]
    pub detail: Option<String>,
    /// The stable word for machines.
    #[serde(default)]
    pub code: String,
    /// The fields that are not right.
    #[serde(default)]
    pub errors: Vec<FieldProblem>,
    /// After how many seconds trying again is worthwhile.
    #[serde(default)]
    pub retry_after: Option<u64>,
}

/// What is wrong with one field or parameter.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body, or the parameter's name.
    #[serde(default)]
    pub pointer: String,
    /// What would be right.
    #[serde(default)]
    pub detail: String,
}

impl Problem {
    /// The problem that `json` describes, if it describes one.
    pub(super) fn of(json: Value) -> Option<Problem> {
        serde_json::from_value(json).ok()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.title.trim_end_matches('.'))?;
        if let Some(detail) = &self.detail {
            write!(f, ": {}", detail.trim_end_matches('.'))?;
        }
        for field in &self.errors {
            let pointer = field.pointer.trim_start_matches('/');
            write!(f, "\n  {pointer}: {}", field.detail)?;
        }
        if let Some(pause) = self.retry_after {
            write!(f, " (try again in {pause} s)")?;
        }
        Ok(())
    }
}

/// What it means that no answer came.
pub(super) fn unreachable(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => {
            "nobody answers there (connection refused)".to_owned()
        }
        ureq::Error::HostNotFound => "no such host".to_owned(),
        ureq::Error::Timeout(step) => format!("no answer in time ({step})"),
        ureq::Error::Protocol(error) => {
            format!("whoever answers there does not speak HTTP as gatepost does: {error}")
        }
        ureq::Error::Io(error) => in_tls(error).unwrap_or_else(|| error.to_string()),
        error => error.to_string(),
    }
}

/// What went wrong with TLS, if it was that.
fn in_tls(error: &std::io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref::<rustls::Error>()? {
        rustls::Error::InvalidMessage(_) => {
            Some("it does not speak TLS there; the address may be one for http://".to_owned())
        }
        rustls::Error::InvalidCertificate(problem) => Some(format!(
            "its certificate is not to be trusted ({problem:?}); it takes one of a public authority for this very name"
        )),
        error => Some(format!("TLS: {error}")),
    }
}

/// How a body begins, on one line.
pub(super) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_with_its_fields() {
        let json = serde_json::json!({
            "type": "urn:gatepost:problem:invalid_fields", "title": "The fields are not right.",
            "status": 422, "detail": "Two are wrong.", "code": "invalid_fields", "new": [1],
            "errors": [{"pointer": "/name", "code": "required", "detail": "give it a name"}],
        });
        let problem = Problem::of(json).unwrap();
        assert_eq!(
            problem.to_string(),
            "The fields are not right: Two are wrong\n  name: give it a name"
        );
        assert_eq!(
            Error::Problem(Box::new(problem)).code(),
            Some("invalid_fields")
        );
        assert_eq!(Problem::of(serde_json::json!({"error": "no"})), None);
    }

    #[test]
    fn an_excerpt_is_short_and_on_one_line() {
        assert_eq!(excerpt(b" <html>\r\n\t<body>"), "<html> <body>");
        assert_eq!(excerpt("例".repeat(300).as_bytes()).chars().count(), 201);
    }
}
