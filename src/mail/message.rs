//! Mail that the team's other programs order: from what they wrote, or a template of theirs and
//! its values, to a letter like all others. Whether they may, and when it goes out, is decided by
//! who orders it in their name.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Mailer;
use super::kind::Kind;
use super::kind::Lane;
use super::letter;
use super::letter::ComposeError;
use super::letter::Letter;
use super::letter::Order;
use super::template::Always;
use super::template::Refused;
use super::template::Rendered;
use crate::address::EmailAddress;
use crate::language::Language;
use crate::world::Timestamp;

/// What the mail says.
#[derive(Debug, Clone, Copy)]
pub enum Content<'a> {
    /// As the program wrote it.
    Written {
        /// One line.
        subject: &'a str,
        /// Plain text.
        text: &'a str,
        /// HTML beside the text.
        html: Option<&'a str>,
    },
    /// A template of the folder `send`, and its values.
    Template {
        /// Its name.
        name: &'a str,
        /// What it is told. Those that it does not use are let be.
        values: &'a BTreeMap<String, serde_json::Value>,
    },
}

/// Why there is no draft.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// No template has this name.
    #[error("there is no such template; {}", listed(.0))]
    UnknownTemplate(Vec<String>),
    /// The template needs values that were not given: a JSON pointer into the order to each.
    #[error("the template needs values that are not there: {}", .0.join(", "))]
    MissingValues(Vec<String>),
    /// The template fails with these values.
    #[error("{0}")]
    Template(String),
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "site.templates has none below send/".to_owned(),
        names => format!("there are {}", names.join(", ")),
    }
}

/// The texts of a mail, rendered and not yet frozen.
#[derive(Debug, Clone)]
pub struct Draft {
    rendered: Rendered,
    language: Language,
    template: Option<String>,
}

impl Draft {
    /// The subject as it will be read.
    pub fn subject(&self) -> &str {
        &self.rendered.subject
    }
}

/// What is ordered beside the texts.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// Whom it goes to.
    pub to: &'a EmailAddress,
    /// Who is served first.
    pub lane: Lane,
    /// Before when it must not be sent.
    pub not_before: Option<Timestamp>,
    /// How long after that it may still be sent.
    pub worth_sending_for: Duration,
    /// The identifier of the API key that it is ordered with.
    pub ordered_by: &'a str,
}

impl Mailer {
    /// Renders what a program wants said to `to`. A template that lacks the first of `languages`
    /// is taken in the second, or in any that it has.
    ///
    /// # Errors
    /// There is no such template, it needs more values, or it fails with these.
    pub fn draft(
        &self,
        content: Content<'_>,
        languages: [Language; 2],
        to: &str,
    ) -> Result<Draft, MessageError> {
        let (rendered, language, template) = match content {
            Content::Written {
                subject,
                text,
                html,
            } => {
                let rendered = Rendered {
                    subject: subject.to_owned(),
                    text: text.to_owned(),
                    html: html.map(str::to_owned),
                };
                (rendered, languages[0], None)
            }
            Content::Template { name, values } => {
                let settings = &self.shared.settings;
                let always = Always {
                    site_name: &settings.site_name,
                    url: &settings.base_url,
                    address: to,
                };
                let programs = &self.shared.templates.programs;
                let (rendered, language) = programs
                    .render(name, languages, always, values)
                    .map_err(|refused| match refused {
                        Refused::Unknown(known) => MessageError::UnknownTemplate(known),
                        Refused::Missing(values) => MessageError::MissingValues(values),
                        Refused::Failed(error) => MessageError::Template(error.to_string()),
                    })?;
                (rendered, language, Some(name.to_owned()))
            }
        };
        let rendered = Rendered {
            subject: rendered.subject,
            text: lines(&rendered.text),
            html: rendered.html.as_deref().map(lines),
        };
        Ok(Draft {
            rendered,
            language,
            template,
        })
    }

    /// Freezes a draft and seals it.
    ///
    /// # Errors
    /// The message builder refuses.
    pub fn letter(&self, draft: Draft, message: &Message<'_>) -> Result<Letter, ComposeError> {
        let order = Order {
            kind: Kind::Message,
            from: &self.shared.settings.from,
            to: message.to,
            language: draft.language,
            lane: message.lane,
            not_before: message.not_before,
            worth_sending_for: message.worth_sending_for,
            secret: None,
            template: draft.template.as_deref(),
            ordered_by: Some(message.ordered_by),
        };
        letter::freeze(
            &self.shared.world,
            &self.shared.keys,
            &order,
            draft.rendered,
        )
    }

    /// By what an order is known again when it is repeated; see
    /// [`Keys::fingerprint`](crate::secret::Keys::fingerprint).
    pub fn fingerprint(&self, order: &[u8]) -> [u8; 32] {
        self.shared.keys.fingerprint(order)
    }
}

/// With one kind of line end: a lone CR must not travel (RFC 5321, 2.3.8).
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}
