//! Reading an order for a mail: every field is looked at before any is complained about, the
//! values that its template needs included.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::send::SendMail;
use crate::address::EmailAddress;
use crate::address::MalformedAddress;
use crate::language::Language;
use crate::mail::Content;
use crate::mail::Draft;
use crate::mail::Lane;
use crate::mail::Mailer;
use crate::mail::MessageError;
use crate::text::is_visible;
use crate::world::Timestamp;

/// A field of an order that cannot be accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// A JSON pointer into the order (RFC 6901).
    pub pointer: String,
    /// A stable word: `required`, `malformed`, `unknown`, `too_long`, `out_of_range`, `conflict`,
    /// `failed`.
    pub code: &'static str,
    /// What is wrong and what would be right, for people.
    pub message: String,
}

/// An order that is in order.
pub(super) struct Wanted {
    pub to: EmailAddress,
    pub draft: Draft,
    pub lane: Lane,
    pub not_before: Option<Timestamp>,
    pub expires_in: Option<Duration>,
}

/// The longest subject, in characters.
const SUBJECT_CHARS: usize = 500;
/// The most values of one order: filters of a template may compare each with each.
const MOST_VALUES: usize = 10_000;
/// How far in the past a time to send at may lie: clocks differ, and a request takes its time.
const LATE: Duration = Duration::from_secs(60);
/// How far ahead a mail may be ordered.
const AHEAD: Duration = Duration::from_secs(30 * 24 * 3600);
/// For how long after its time a mail may be sent, in seconds.
const EXPIRES_IN: std::ops::RangeInclusive<i64> = 60..=7 * 24 * 3600;

/// The same bytes for orders that say the same, in whatever sequence they say it.
pub(super) fn canonical(order: &SendMail) -> Vec<u8> {
    let mut value = serde_json::to_value(order).expect("texts, numbers and JSON always encode");
    value.sort_all_objects();
    value.to_string().into_bytes()
}

/// Reads `order`, as it came in at `now`, and renders what it says.
pub(super) fn read(
    order: &SendMail,
    mailer: &Mailer,
    site: Language,
    now: Timestamp,
) -> Result<Wanted, Vec<FieldFault>> {
    let mut faults = Faults::default();
    let to = faults.address(&order.to);
    let language = faults.language(order.language.as_deref(), site);
    let lane = faults.priority(order.priority.as_deref());
    let not_before = faults.send_at(order.send_at.as_deref(), now);
    let expires_in = faults.expires_in(order.expires_in);
    let nothing = BTreeMap::new();
    let content = faults.content(order, &nothing);
    let draft = content.and_then(|content| {
        // What is said about a template must not depend on the rest being right.
        let address = to.as_ref().map_or("ann@example.com", EmailAddress::as_str);
        let drafted = mailer.draft(content, [language.unwrap_or(site), site], address);
        let draft = drafted.map_err(|error| faults.draft(error)).ok()?;
        faults.rendered(draft)
    });
    match (to, draft) {
        (Some(to), Some(draft)) if faults.0.is_empty() => Ok(Wanted {
            to,
            draft,
            lane,
            not_before,
            expires_in,
        }),
        _ => Err(faults.0),
    }
}

#[derive(Default)]
struct Faults(Vec<FieldFault>);

impl Faults {
    fn refuse(&mut self, pointer: &str, code: &'static str, message: impl Into<String>) {
        self.0.push(FieldFault {
            pointer: pointer.to_owned(),
            code,
            message: message.into(),
        });
    }

    fn address(&mut self, text: &str) -> Option<EmailAddress> {
        text.parse()
            .map_err(|error: MalformedAddress| {
                if text.contains([',', ';']) {
                    let message = "one address; order a mail of its own for each recipient";
                    return self.refuse("/to", "malformed", message);
                }
                let empty = error == MalformedAddress::Empty;
                let code = if empty { "required" } else { "malformed" };
                self.refuse("/to", code, error.to_string());
            })
            .ok()
    }

    fn language(&mut self, text: Option<&str>, site: Language) -> Option<Language> {
        let language = text.map_or(Ok(site), str::parse);
        if language.is_err() {
            self.refuse("/language", "unknown", "use zh-hant, zh-hans or en");
        }
        language.ok()
    }

    fn priority(&mut self, text: Option<&str>) -> Lane {
        match text {
            None | Some("normal") => Lane::Ordinary,
            Some("high") => Lane::High,
            Some(_) => {
                self.refuse("/priority", "unknown", "use normal or high");
                Lane::Ordinary
            }
        }
    }

    fn send_at(&mut self, text: Option<&str>, now: Timestamp) -> Option<Timestamp> {
        let at = match text?.parse::<jiff::Timestamp>() {
            Ok(at) => Timestamp::from_millis(at.as_millisecond()),
            Err(_) => {
                let right = "write it as RFC 3339, with an offset: 2026-01-31T09:00:00+08:00";
                self.refuse("/send_at", "malformed", right);
                return None;
            }
        };
        if at < now.minus(LATE) {
            self.refuse("/send_at", "out_of_range", "it lies in the past");
        } else if at > now + AHEAD {
            let message = "it lies more than 30 days ahead";
            self.refuse("/send_at", "out_of_range", message);
        }
        Some(at)
    }

    fn expires_in(&mut self, seconds: Option<i64>) -> Option<Duration> {
        let seconds = seconds?;
        if !EXPIRES_IN.contains(&seconds) {
            let (least, most) = EXPIRES_IN.into_inner();
            let message = format!("a number of seconds from {least} to {most}");
            self.refuse("/expires_in", "out_of_range", message);
        }
        Some(Duration::from_secs(seconds.unsigned_abs()))
    }

    /// What the mail says; `None` when that cannot be accepted.
    fn content<'a>(
        &mut self,
        order: &'a SendMail,
        nothing: &'a BTreeMap<String, Value>,
    ) -> Option<Content<'a>> {
        let before = self.0.len();
        let texts = [
            ("/subject", &order.subject),
            ("/text", &order.text),
            ("/html", &order.html),
        ];
        if let Some(name) = &order.template {
            for (pointer, text) in texts {
                if text.is_some() {
                    let message = "the template brings its own: leave this out, or the template";
                    self.refuse(pointer, "conflict", message);
                }
            }
            let values = order.values.as_ref().unwrap_or(nothing);
            if values.values().map(count).sum::<usize>() > MOST_VALUES {
                let message =
                    format!("at most {MOST_VALUES} values, all those inside them counted");
                self.refuse("/values", "too_long", message);
                return None;
            }
            for (name, value) in values {
                self.value(name, value);
            }
            return (self.0.len() == before).then_some(Content::Template { name, values });
        }
        if order.values.is_some() {
            let message = "values go with a template, and none is named";
            self.refuse("/values", "conflict", message);
        }
        let subject = self.subject(order.subject.as_deref());
        let text = match &order.text {
            None if order.html.is_some() => {
                let message = "a mail needs a text beside its HTML, for who does not see that";
                self.refuse("/text", "required", message);
                None
            }
            None => {
                self.refuse("/text", "required", "say a text, or name a template");
                None
            }
            Some(text) => self.body("/text", text),
        };
        let html = order.html.as_deref();
        let html = html.and_then(|html| self.body("/html", html));
        let written = Content::Written {
            subject: subject?,
            text: text?,
            html,
        };
        (self.0.len() == before).then_some(written)
    }

    fn subject<'a>(&mut self, text: Option<&'a str>) -> Option<&'a str> {
        let Some(text) = text else {
            self.refuse("/subject", "required", "say a subject, or name a template");
            return None;
        };
        let text = text.trim();
        // A second line would be another header.
        let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
        if text.contains(breaks) {
            let message = "a subject is one line without control characters";
            self.refuse("/subject", "malformed", message);
        } else if !is_visible(text) {
            self.refuse("/subject", "required", "there is nothing to be seen in it");
        } else if text.chars().count() > SUBJECT_CHARS {
            let message = format!("at most {SUBJECT_CHARS} characters");
            self.refuse("/subject", "too_long", message);
        } else {
            return Some(text);
        }
        None
    }

    fn body<'a>(&mut self, pointer: &str, text: &'a str) -> Option<&'a str> {
        if !is_visible(text) {
            self.refuse(pointer, "required", "there is nothing to be seen in it");
        } else if text.contains(is_odd) {
            self.refuse(pointer, "malformed", "it holds a control character");
        } else {
            return Some(text);
        }
        None
    }

    fn value(&mut self, name: &str, value: &Value) {
        let pointer = format!("/values/{}", name.replace('~', "~0").replace('/', "~1"));
        if holds(value, &|value| value.is_null()) {
            let message = "null is no value; leave it out";
            self.refuse(&pointer, "malformed", message);
        } else if holds(value, &|value| {
            value.as_str().is_some_and(|text| text.contains(is_odd))
        }) {
            self.refuse(&pointer, "malformed", "it holds a control character");
        }
    }

    /// A draft whose subject, which may be made of values, is no longer than a written one.
    fn rendered(&mut self, draft: Draft) -> Option<Draft> {
        if draft.subject().chars().count() <= SUBJECT_CHARS {
            return Some(draft);
        }
        let message =
            format!("with these values its subject has more than {SUBJECT_CHARS} characters");
        self.refuse("/template", "failed", message);
        None
    }

    fn draft(&mut self, error: MessageError) {
        match error {
            MessageError::MissingValues(pointers) => {
                for pointer in pointers {
                    self.refuse(&pointer, "required", "the template needs this value");
                }
            }
            MessageError::UnknownTemplate(_) => {
                self.refuse("/template", "unknown", error.to_string());
            }
            MessageError::Template(_) => self.refuse("/template", "failed", error.to_string()),
        }
    }
}

/// Whether `c` is no part of a text that people read.
fn is_odd(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// How many values `value` is, with those inside it.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

/// Whether `is` holds for `value` or for anything in it.
fn holds(value: &Value, is: &dyn Fn(&Value) -> bool) -> bool {
    is(value)
        || match value {
            Value::Array(items) => items.iter().any(|item| holds(item, is)),
            Value::Object(fields) => fields.values().any(|field| holds(field, is)),
            _ => false,
        }
}
