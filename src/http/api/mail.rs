//! Mail for the team's other programs: ordered with an API key, and looked after with the same.
//! What an order must be like is decided by the domain.

use std::collections::BTreeMap;

use poem::Request;
use poem_openapi::param::Header;
use poem_openapi::param::Path;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde_json::Value;
use serde_json::json;

use crate::http::api::Group;
use crate::http::api::admin::mail::OutboxMail;
use crate::http::api::admin::mail::Telling;
use crate::http::body::Unread;
use crate::http::caller;
use crate::http::caller::ApiKeyToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::problem::FieldProblem;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::language::Language;
use crate::mail::outbox::Item;
use crate::operator;
use crate::operator::Holder;
use crate::operator::IdempotencyKey;
use crate::operator::Operator;
use crate::operator::SendError;
use crate::store;

/// Orders a mail: either `template` with `values`, or `subject` and `text`.
#[derive(Object)]
#[oai(example)]
pub struct SendMail {
    /// Whom it goes to: one address.
    to: String,
    /// The name of one of the team's templates (`send/LANGUAGE/NAME` below `site.templates`).
    template: Option<String>,
    /// What the template is told: texts, numbers, booleans, lists and objects of these, by name.
    /// Values that it does not use are let be.
    values: Option<BTreeMap<String, Value>>,
    /// One line, at most 500 characters.
    subject: Option<String>,
    /// Plain text.
    text: Option<String>,
    /// HTML beside the text.
    html: Option<String>,
    /// `zh-hant`, `zh-hans` or `en`; that of the site when left out. A template that lacks it is
    /// taken in the site's language, or else in any that it has.
    language: Option<String>,
    /// `normal`; `high` goes out before those.
    priority: Option<String>,
    /// When it is to be sent (RFC 3339 with an offset), at most 30 days ahead; at once when left
    /// out.
    send_at: Option<String>,
    /// How many seconds after that it may still be sent, from 60 to 604800; a day when left out.
    expires_in: Option<i64>,
}

impl Example for SendMail {
    fn example() -> SendMail {
        let values = [
            ("name", json!("Ann")),
            ("total", json!(42.5)),
            ("lines", json!(["Tea", "Cake"])),
        ];
        let values = values.map(|(name, value)| (name.to_owned(), value));
        SendMail {
            to: "ann@example.com".to_owned(),
            template: Some("invoice".to_owned()),
            values: Some(values.into()),
            subject: None,
            text: None,
            html: None,
            language: Some("en".to_owned()),
            priority: None,
            send_at: Some("2026-01-31T09:00:00+08:00".to_owned()),
            expires_in: None,
        }
    }
}

impl From<SendMail> for operator::SendMail {
    fn from(form: SendMail) -> operator::SendMail {
        operator::SendMail {
            to: form.to,
            template: form.template,
            values: form.values,
            subject: form.subject,
            text: form.text,
            html: form.html,
            language: form.language,
            priority: form.priority,
            send_at: form.send_at,
            expires_in: form.expires_in,
        }
    }
}

problems! {
    /// Of an order.
    SendProblems: MalformedBody, BodyTimeout, BodyTooLarge, UnsupportedMediaType, InvalidFields,
        BadParameter, ApiKeyRequired, IdempotencyConflict, MailForgotten, TooManyRequests, Busy,
        Unavailable
}
problems! {
    /// Of looking after a mail.
    GetProblems: ApiKeyRequired, NotFound, Unavailable
}

impl From<SendError> for Problem {
    fn from(error: SendError) -> Problem {
        match error {
            SendError::Invalid(faults) => {
                let faults = faults.into_iter().map(|fault| FieldProblem {
                    pointer: fault.pointer,
                    code: fault.code.into(),
                    detail: fault.message,
                });
                Problem::fields(faults.collect())
            }
            SendError::Refused => Problem::new(Kind::ApiKeyRequired).detail("The key was revoked."),
            SendError::Conflict => Problem::new(Kind::IdempotencyConflict),
            SendError::Limited(limited) => Problem::limited(
                limited.name,
                limited.quota,
                limited.window,
                limited.retry_after,
            ),
            SendError::Forgotten => Problem::new(Kind::MailForgotten),
            SendError::Unsent(many) => Problem::new(Kind::TooManyRequests)
                .detail(format!("{many}. Wait until some are, or discard them."))
                .retry_after(many.retry_after),
            SendError::Busy(busy) => Problem::new(Kind::Busy).retry_after(busy.retry_after),
            SendError::TooLarge { .. } => {
                Problem::new(Kind::BodyTooLarge).detail(format!("{error}."))
            }
            SendError::Mail(error) => {
                tracing::error!(%error, "a program's mail could not be composed");
                Problem::new(Kind::Internal)
            }
            SendError::Store(error) => error.into(),
        }
    }
}

/// Mail for programs.
pub struct MailApi {
    /// Does it.
    pub operator: Operator,
    /// The language of texts for who asked for none.
    pub language: Language,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

#[OpenApi(prefix_path = "/api/v1/mail", tag = "Group::Mail")]
impl MailApi {
    /// Order a mail.
    ///
    /// It is in the outbox when this answers, and goes out as all mail does: tried again while it
    /// is worth sending, and looked after by `GET /api/v1/mail/{id}`. A field that there is not is
    /// refused: what it was meant to say would be lost.
    ///
    /// With an `Idempotency-Key` an order can be repeated for a day by who did not hear the
    /// answer: the same key and the same order make one mail, and a repetition answers that mail
    /// as it stands, with `Idempotency-Replayed: true`. The same key with another order is
    /// refused.
    ///
    /// A template may take only so many steps and its values be only so many; an order that was
    /// rendered counts towards the key's limit also when it is refused. A key may have 10000 mails
    /// that are not sent yet.
    #[oai(path = "/send", method = "post", operation_id = "send_mail")]
    async fn send(
        &self,
        request: &Request,
        token: ApiKeyToken,
        /// What the program calls this order: 1 to 255 printable characters of ASCII.
        #[oai(name = "Idempotency-Key")]
        idempotency_key: Header<Option<String>>,
        form: Unread<SendMail>,
    ) -> Result<reply::Ordered<OutboxMail>, Refused<SendProblems>> {
        // Read from the request itself below: the library passes over what is no text.
        drop(idempotency_key);
        let holder = self.holder(&token).await;
        let (holder, form) = form.behind(request, holder).await?;
        let key = key_of(request)?;
        let ip = caller::address(request, self.trusted_proxies);
        let ordered = self.operator.send(&holder, form.into(), key.as_ref(), ip);
        let ordered = ordered.await?;
        let told = self.tell(request, ordered.mail).await?;
        Ok(reply::Ordered {
            location: format!("/api/v1/mail/{}", told.id),
            body: told,
            repeated: ordered.repeated,
        })
    }

    /// One mail that was ordered with this key.
    #[oai(path = "/:id", method = "get", operation_id = "get_ordered_mail")]
    async fn get(
        &self,
        request: &Request,
        token: ApiKeyToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<OutboxMail>, Refused<GetProblems>> {
        let holder = self.holder(&token).await?;
        let id = id.0.parse().map_err(|_| Problem::new(Kind::NotFound))?;
        let found = self.operator.ordered(&holder, id).await?;
        let found = found.ok_or(Problem::new(Kind::NotFound))?;
        Ok(reply::Reply(self.tell(request, found).await?))
    }

    async fn holder(&self, token: &ApiKeyToken) -> Result<Holder, Problem> {
        Ok(self.operator.key_holder(token.required()?).await?)
    }

    async fn tell(&self, request: &Request, mail: Item) -> Result<OutboxMail, store::Error> {
        let telling = Telling::of(&self.operator, request, self.language).await?;
        Ok(telling.mail(mail.id, mail.row))
    }
}

/// The idempotency key of a request; a header that cannot be one is no reason to do without.
fn key_of(request: &Request) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = request.headers().get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(Problem::parameter(IDEMPOTENCY_KEY, "it stands there twice"));
    }
    let key = IdempotencyKey::parse(value.as_bytes());
    let key = key.map_err(|error| Problem::parameter(IDEMPOTENCY_KEY, &error.to_string()))?;
    Ok(Some(key))
}
