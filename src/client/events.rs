//! Listening to the server's events: the stream of `GET /admin/events` (server-sent events, as the
//! HTML standard defines them in section 9.2), read by a thread that blocks.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Read;
use std::time::Duration;

use serde_json::Value;

use super::Client;
use super::Error;
use super::Problem;
use super::error;

/// How long one request listens before the next one takes its place. A connection that broke
/// without a word is noticed then.
const ROUND: Duration = Duration::from_secs(60);

/// The longest line that is read, and about the longest data of an event, in bytes: more than any
/// has.
const LONGEST_LINE: u64 = 4 * 1024 * 1024;

/// Something changed on the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// With this a later request hears only what came after it.
    pub id: Option<String>,
    /// What kind: `outbox`, `inbox`, `routes`, `audit`, `log`, or what a newer server adds.
    pub event: String,
    /// How things are now.
    pub data: Value,
}

/// A request that listens.
pub struct Listener {
    lines: BufReader<Box<dyn Read + Send>>,
    filter: Option<fn(&mut Value)>,
    url: String,
}

impl Client {
    /// Listens to events: to those after the one called `last`, or first of all how everything is.
    ///
    /// # Errors
    /// Those of [`Error`].
    pub fn listen(&self, last: Option<&str>) -> Result<Listener, Error> {
        let url = format!("{}/api/v1/admin/events", self.base);
        let unreachable = |error: &ureq::Error| Error::Unreachable {
            url: self.base.clone(),
            problem: error::unreachable(error),
            absence: self.absence.clone(),
        };
        let mut request = self
            .agent
            .get(&url)
            .config()
            .timeout_global(Some(ROUND))
            .build()
            .header("Authorization", format!("Bearer {}", self.token.expose()))
            .header("Accept", "text/event-stream, application/problem+json");
        if let Some(language) = self.language {
            request = request.header("Accept-Language", language.tag());
        }
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let mut answer = request.call().map_err(|error| unreachable(&error))?;
        let status = answer.status().as_u16();
        let media_type = answer.headers().get("content-type");
        let media_type = media_type.and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        if status == 200 && media_type.starts_with("text/event-stream") {
            return Ok(Listener {
                lines: BufReader::new(Box::new(answer.into_body().into_reader())),
                filter: self.filter,
                url: self.base.clone(),
            });
        }
        let body = answer.body_mut().with_config().limit(super::LONGEST);
        let bytes = body.read_to_vec().map_err(|error| unreachable(&error))?;
        Err(match self.json(&bytes).and_then(Problem::of) {
            Some(problem) => self.refused(status, problem),
            None => self.foreign(status, &media_type, &bytes),
        })
    }
}

impl Listener {
    /// The next event; `None` when this request has listened for long enough, or the server ended
    /// it: then another one goes on.
    ///
    /// # Errors
    /// The connection broke, or what came is no event.
    pub fn hear(&mut self) -> Result<Option<Event>, Error> {
        let event = read_event(&mut self.lines);
        let mut event = event.map_err(|problem| Error::Unreachable {
            url: self.url.clone(),
            problem,
            absence: None,
        })?;
        if let (Some(filter), Some(event)) = (self.filter, &mut event) {
            filter(&mut event.data);
        }
        Ok(event)
    }
}

/// Reads up to the end of the next event that has data.
fn read_event(lines: &mut impl io::BufRead) -> Result<Option<Event>, String> {
    let mut event = Event {
        id: None,
        event: "message".to_owned(),
        data: Value::Null,
    };
    let mut data: Option<String> = None;
    loop {
        let mut line = String::new();
        match lines.by_ref().take(LONGEST_LINE).read_line(&mut line) {
            // An event that is cut off was not said.
            Ok(0) => return Ok(None),
            Ok(_) if !line.ends_with('\n') && line.len() as u64 == LONGEST_LINE => {
                return Err("an event that does not end".to_owned());
            }
            Ok(_) => {}
            Err(error) if is_time_up(&error) => return Ok(None),
            Err(error) => return Err(error.to_string()),
        }
        let line = line.trim_end_matches(['\n', '\r']);
        if line.is_empty() {
            let Some(data) = data.take() else {
                continue;
            };
            event.data = serde_json::from_str(&data)
                .map_err(|error| format!("an event that is not JSON: {error}"))?;
            return Ok(Some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut event.event),
            "id" => event.id = Some(value.to_owned()),
            "data" => match &mut data {
                Some(data) if data.len() as u64 > LONGEST_LINE => {
                    return Err("an event that does not end".to_owned());
                }
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => data = Some(value.to_owned()),
            },
            // A comment (an empty field), how long to wait, what is not known.
            _ => {}
        }
    }
}

/// Whether the request was over by itself.
fn is_time_up(error: &io::Error) -> bool {
    let inside = error
        .get_ref()
        .and_then(|inside| inside.downcast_ref::<ureq::Error>());
    error.kind() == io::ErrorKind::TimedOut || matches!(inside, Some(ureq::Error::Timeout(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Event>, String> {
        let mut lines = BufReader::new(text.as_bytes());
        let mut events = Vec::new();
        while let Some(event) = read_event(&mut lines)? {
            events.push(event);
        }
        Ok(events)
    }

    #[test]
    fn events_are_read_as_the_standard_has_them() {
        let text = "retry: 2000\n\n:\n\nid: b-1\nevent: inbox\ndata: {\"total\":\ndata: 3}\n\n\
                    event:log\r\ndata:{}\r\n\r\nid: b-2\nevent: cut off\ndata: {}\n";
        let events = all(text).unwrap();
        assert_eq!(
            events,
            [
                Event {
                    id: Some("b-1".to_owned()),
                    event: "inbox".to_owned(),
                    data: serde_json::json!({"total": 3}),
                },
                Event {
                    id: None,
                    event: "log".to_owned(),
                    data: serde_json::json!({}),
                },
            ]
        );
    }

    #[test]
    fn what_is_no_event_is_an_error() {
        let said = all("data: {\n\n").unwrap_err();
        assert!(said.contains("not JSON"), "{said}");
        let endless = "x".repeat(LONGEST_LINE as usize + 1);
        let said = all(&endless).unwrap_err();
        assert!(said.contains("does not end"), "{said}");
    }
}
