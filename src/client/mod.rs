//! A client of gatepost's HTTP API, for the programs that come with it: the command line
//! and the terminal dashboard. It blocks while it waits. What must not live here: finding out
//! where the server is and which token it wants, and printing.

mod answer;
mod desk;
mod error;
mod events;
mod failure;
mod list;
mod mail;
mod message;
mod operations;
mod record;
mod route;

use std::time::Duration;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use serde_json::Value;
use url::Url;

use crate::language::Language;
use crate::secret::SecretText;

pub use answer::Answer;
pub use desk::UserAction;
pub use error::Error;
pub use error::FieldProblem;
pub use error::Problem;
pub use events::Event;
pub use events::Listener;
pub use failure::Failure;
pub use list::Page;
pub use list::Query;
pub use mail::Attempt;
pub use mail::Mail;
pub use mail::MailDetail;
pub use mail::Why;
pub use message::Attachment;
pub use message::Envelope;
pub use message::Header;
pub use message::Message;
pub use message::MessageSummary;
pub use operations::Key;
pub use operations::Keys;
pub use operations::MailAction;
pub use operations::NewKey;
pub use operations::RouteAction;
pub use operations::TestMail;
pub use record::About;
pub use record::Entry;
pub use record::Line;
pub use record::Minute;
pub use record::Moment;
pub use record::Revealed;
pub use record::Session;
pub use record::Stats;
pub use record::Token;
pub use record::User;
pub use route::Budget;
pub use route::Route;
pub use route::Routes;

/// How long a connection may take to stand.
const CONNECT: Duration = Duration::from_secs(10);

/// How long an answer may take, when the operation does not wait for anything.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest answer that is read, in bytes. A page of the outbox has a few hundred kilobytes.
const LONGEST: u64 = 32 * 1024 * 1024;

/// All but what RFC 3986, 2.3 calls unreserved.
const RESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Talks to one gatepost as its operator. Cheap to clone; every call blocks its thread.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    /// Without a slash at its end.
    base: String,
    token: SecretText,
    token_source: String,
    language: Option<Language>,
    /// What every answer passes before it is read.
    filter: Option<fn(&mut Value)>,
    /// Who acts, percent-encoded.
    acting: Option<String>,
    /// What it may mean that nobody answers.
    absence: Option<String>,
}

/// The method of a request.
#[derive(Debug, Clone, Copy)]
enum Method {
    Get,
    Post,
    Delete,
}

impl Client {
    /// A client of the gatepost at `url` (`http://127.0.0.1:8000`, `https://example.com/mail`).
    /// `token_source` says where the token is from, for the error when it is not the right one.
    ///
    /// # Errors
    /// [`Error::Url`] when `url` is not the address of a server, [`Error::Token`] when the token
    /// cannot be one.
    pub fn new(url: &str, token: SecretText, token_source: &str) -> Result<Client, Error> {
        let base = base(url).map_err(|problem| Error::Url {
            url: url.to_owned(),
            problem,
        })?;
        let text = token.expose();
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::Token {
                token_source: token_source.to_owned(),
            });
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Whoever answers with a redirect would be handed the token's requests elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The token is for the server alone; a proxy of the environment would read it.
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("gatepost/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Client {
            agent: config.into(),
            base,
            token,
            token_source: token_source.to_owned(),
            language: None,
            filter: None,
            acting: None,
            absence: None,
        })
    }

    /// The same, which knows what it may mean that nobody answers, and says so in the error.
    #[must_use]
    pub fn absence_means(self, absence: &str) -> Client {
        Client {
            absence: Some(absence.to_owned()),
            ..self
        }
    }

    /// The same, which asks for advice in `language`.
    #[must_use]
    pub fn speaking(self, language: Language) -> Client {
        Client {
            language: Some(language),
            ..self
        }
    }

    /// The same, all of whose JSON passes `filter` before anybody sees it: answers, problems and
    /// events, but not downloads.
    #[must_use]
    pub fn through(self, filter: fn(&mut Value)) -> Client {
        Client {
            filter: Some(filter),
            ..self
        }
    }

    /// The same, which says that whoever acts is called `name`; the audit record names them.
    #[must_use]
    pub fn acting_as(self, name: &str) -> Client {
        Client {
            acting: Some(encode(name)),
            ..self
        }
    }

    /// Where the server is.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Sends the request and hands back the body of a 2xx as JSON.
    fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<Value, Error> {
        let (status, media_type, bytes) = self.success(method, path, body, patience)?;
        if bytes.is_empty() {
            return Ok(Value::Null);
        }
        self.json(&bytes)
            .ok_or_else(|| self.foreign(status, &media_type, &bytes))
    }

    /// The JSON of an answer, filtered.
    fn json(&self, bytes: &[u8]) -> Option<Value> {
        let mut json = serde_json::from_slice(bytes).ok()?;
        if let Some(filter) = self.filter {
            filter(&mut json);
        }
        Some(json)
    }

    /// The body of a 2xx, whatever it is.
    fn download(&self, path: &str) -> Result<Vec<u8>, Error> {
        let (_, _, bytes) = self.success(Method::Get, path, None, PATIENCE)?;
        Ok(bytes)
    }

    /// The status, the media type and the body of a 2xx.
    fn success(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<(u16, String, Vec<u8>), Error> {
        let url = format!("{}{path}", self.base);
        let (status, media_type, bytes) =
            self.exchange(method, &url, body, patience)
                .map_err(|error| Error::Unreachable {
                    url: self.base.clone(),
                    problem: error::unreachable(&error),
                    absence: self.absence.clone(),
                })?;
        if (200..300).contains(&status) {
            return Ok((status, media_type, bytes));
        }
        Err(match self.json(&bytes).and_then(Problem::of) {
            Some(problem) => self.refused(status, problem),
            None => self.foreign(status, &media_type, &bytes),
        })
    }

    /// The status, the media type and the body.
    fn exchange(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
        patience: Duration,
    ) -> Result<(u16, String, Vec<u8>), ureq::Error> {
        let bearer = format!("Bearer {}", self.token.expose());
        let mut request = ureq::http::Request::builder()
            .uri(url)
            .method(match method {
                Method::Get => "GET",
                Method::Post => "POST",
                Method::Delete => "DELETE",
            })
            .header("Authorization", bearer)
            .header("Accept", "application/json, application/problem+json");
        if let Some(language) = self.language {
            request = request.header("Accept-Language", language.tag());
        }
        if let Some(name) = &self.acting {
            request = request.header("Gatepost-Operator", name);
        }
        let mut answer = match body {
            Some(body) => {
                let request = request
                    .header("Content-Type", "application/json")
                    .body(body.to_string())?;
                let request = self.agent.configure_request(request);
                let request = request.timeout_global(Some(patience)).build();
                self.agent.run(request)
            }
            None => {
                let request = self.agent.configure_request(request.body(())?);
                let request = request.timeout_global(Some(patience)).build();
                self.agent.run(request)
            }
        }?;
        let media_type = answer.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(LONGEST);
        Ok((status, media_type, body.read_to_vec()?))
    }

    /// What the server said no with.
    fn refused(&self, status: u16, problem: Problem) -> Error {
        let problem = Box::new(problem);
        match status {
            401 => Error::Refused {
                url: self.base.clone(),
                token_source: self.token_source.clone(),
                problem,
            },
            _ => Error::Problem(problem),
        }
    }

    fn foreign(&self, status: u16, media_type: &str, body: &[u8]) -> Error {
        Error::Foreign {
            url: self.base.clone(),
            status,
            media_type: media_type.to_owned(),
            excerpt: error::excerpt(body),
        }
    }
}

/// The address of a server, checked and without the slash at its end.
fn base(url: &str) -> Result<String, &'static str> {
    let parsed = Url::parse(url)
        .map_err(|_| "not a URL; write it like http://127.0.0.1:8000 or https://example.com")?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("not the URL of an HTTP service; it starts with http:// or https://");
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err("it names no host");
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("no user and password belong into it: the token says who you are");
    }
    if parsed.query().is_some() || parsed.fragment().is_some() {
        return Err("it ends where the service begins: without ? and #");
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// One part of a path or one value of a query, as it is written in a URL.
fn encode(text: &str) -> String {
    utf8_percent_encode(text, &RESERVED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_no_servers_is_told_what_would_be_right() {
        assert_eq!(base("http://[::1]:80/"), Ok("http://[::1]".to_owned()));
        assert_eq!(
            base("https://example.com/mail/"),
            Ok("https://example.com/mail".to_owned())
        );
        for (url, words) in [
            ("127.0.0.1:8000", "http://"),
            ("localhost:8000", "http://"),
            ("ftp://example.com", "http://"),
            ("http://ann:secret@example.com", "token"),
            ("http://example.com/?a=1", "without ?"),
        ] {
            let problem = base(url).unwrap_err();
            assert!(problem.contains(words), "{url}: {problem}");
        }
    }

    #[test]
    fn a_token_that_no_header_can_carry_is_named_by_its_source_and_not_shown() {
        let token = SecretText::from("secret\r\nX: y".to_owned());
        let error = Client::new("http://127.0.0.1:1", token, "the file t").unwrap_err();
        let said = error.to_string();
        assert!(said.contains("the file t"), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }

    #[test]
    fn what_stands_in_a_url_is_escaped() {
        assert_eq!(encode("a b/../?#ü"), "a%20b%2F..%2F%3F%23%C3%BC");
    }
}
