//! The outbox: what waits, what went wrong and why, and what the operator does about it. What a
//! mail looks like on its way is in `mail`; what may be done to it is decided by the domain.

use std::sync::Arc;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};

use crate::address::EmailAddress;
use crate::http::api::Group;
use crate::http::api::admin::mail::Details;
use crate::http::api::admin::mail::OutboxMail;
use crate::http::api::admin::mail::Page;
use crate::http::api::admin::mail::Telling;
use crate::http::api::admin::paging::Paging;
use crate::http::api::admin::paging::one_of;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::language::Language;
use crate::mail;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::mail::outbox::Conflict;
use crate::mail::outbox::FAILING;
use crate::mail::outbox::Sort;
use crate::mail::outbox::State;
use crate::operator::Action;
use crate::operator::Operator;
use crate::operator::OutboxError;
use crate::store;
use crate::store::Snapshot;
use crate::store::page::PageError;

problems! {
    /// Of the list.
    ListProblems: AdminRequired, BadParameter, Unavailable
}
problems! {
    /// Of one mail.
    MailProblems: AdminRequired, NotFound, Unavailable
}
problems! {
    /// Of doing something to one.
    ActionProblems: AdminRequired, BadParameter, NotFound, OutboxConflict, Unavailable
}

/// The outbox.
pub struct OutboxApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who does it.
    pub operator: Operator,
    /// The language of texts for who asked for none.
    pub language: Language,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

const FIELDS: [&str; 6] = ["created_at", "to", "kind", "state", "tries", "next_at"];

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl OutboxApi {
    /// Mail that waits, is on its way or is done with, newest first.
    ///
    /// Everything that is given must match. What the mails say is shown to nobody.
    #[oai(path = "/outbox", method = "get", operation_id = "list_outbox")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// `queued`, `sending`, `sent`, `uncertain`, `dead`, `expired` or `discarded`; or `failing`:
        /// dead, uncertain for good, or waiting after a failure.
        state: Query<Option<String>>,
        /// `registration_code`, `reset_code`, `reset_link`, `password_changed`,
        /// `already_registered`, `address_code`, `address_in_use`, `address_changed`,
        /// `account_deleted`, `test` or `message`.
        kind: Query<Option<String>>,
        /// The whole address of a recipient.
        to: Query<Option<String>>,
        /// A part of the recipient, the kind, the template, the state, the id or what the server
        /// said last, in any case.
        q: Query<Option<String>>,
        /// `created_at`, `to`, `kind`, `state`, `tries` or `next_at`, with `-` before it from the
        /// last to the first; `-created_at` when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page in the same order.
        cursor: Query<Option<String>>,
        /// How many mails a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<Page>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        only(
            request,
            &[
                "state", "kind", "to", "q", "sort", "back", "cursor", "limit",
            ],
        )?;
        let sorted = sort.0.as_deref();
        let paging = Paging::read(&FIELDS, sorted, back.0, cursor.0.as_deref(), limit.0)?;
        let sort = match paging.field {
            "to" => Sort::To,
            "kind" => Sort::Kind,
            "state" => Sort::State,
            "tries" => Sort::Tries,
            "next_at" => Sort::NextAt,
            _ => Sort::CreatedAt,
        };
        let states: Vec<&str> = State::ALL
            .iter()
            .map(|state| state.word())
            .chain([FAILING])
            .collect();
        let asked = |word: &str| match word {
            FAILING => Some(None),
            word => State::from_word(word).map(Some),
        };
        let state = one_of("state", state.0.as_deref(), asked, &states)?;
        let filter = outbox::Filter {
            state: state.flatten(),
            failing: state == Some(None),
            kind: one_of(
                "kind",
                kind.0.as_deref(),
                mail::Kind::from_word,
                &mail::Kind::ALL.map(mail::Kind::word),
            )?,
            to: address(to.0)?,
            q: q.0,
        };
        let long = sort != Sort::CreatedAt || filter.searches();
        let ask = paging.ask.clone();
        let store = &self.operator.store;
        let look = move |read: &Snapshot<'_>| {
            let page = outbox::list(read, &filter, sort, &ask)?;
            Ok::<_, PageError>((page, outbox::counts(read)?))
        };
        let (page, counts) = match long {
            true => store.search(look).await?,
            false => store.scan(look).await?,
        };
        let telling = self.telling(request).await?;
        let (next_cursor, prev_cursor) = paging.cursors(&page);
        let page = Page {
            items: page
                .items
                .into_iter()
                .map(|item| telling.mail(item.id, item.row))
                .collect(),
            next_cursor: next_cursor.clone(),
            prev_cursor,
            total: page.total,
            counts: counts.into(),
        };
        Ok(reply::Page::of(page, request, next_cursor.as_deref()))
    }

    /// One mail, with all that was tried.
    ///
    /// Each attempt has the server's deciding reply and the conversation, secrets masked.
    #[oai(path = "/outbox/:id", method = "get", operation_id = "get_outbox_mail")]
    async fn get(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<Details>, Refused<MailProblems>> {
        self.guard.require_token(&token)?;
        let id = name(&id)?;
        let found = self.operator.store.read(|read| {
            let row = outbox::get(read, id)?;
            Ok::<_, store::Error>((row, outbox::attempts(read, id)?))
        });
        let (row, attempts) = found.await?;
        let row = row.ok_or(Problem::new(Kind::NotFound))?;
        let telling = self.telling(request).await?;
        let attempts = attempts.iter();
        Ok(reply::Reply(Details {
            attempts_left_out: row.left_out,
            mail: telling.mail(id, row),
            attempts: attempts
                .map(|(number, attempt)| telling.attempt(*number, attempt))
                .collect(),
        }))
    }

    /// Try a mail that waits at once.
    ///
    /// A route that is paused or rests is not tried for it.
    #[oai(
        path = "/outbox/:id/retry",
        method = "post",
        operation_id = "retry_outbox_mail"
    )]
    async fn retry(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<OutboxMail>, Refused<ActionProblems>> {
        self.act(request, &token, &id, Action::Retry).await
    }

    /// Put a mail that was given up back into the queue.
    ///
    /// The same bytes are sent. A code or a link that has lapsed is never sent again: a new one is
    /// made, and the answer is the new mail.
    #[oai(
        path = "/outbox/:id/requeue",
        method = "post",
        operation_id = "requeue_outbox_mail"
    )]
    async fn requeue(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<OutboxMail>, Refused<ActionProblems>> {
        self.act(request, &token, &id, Action::Requeue).await
    }

    /// Do not send a mail that waits.
    ///
    /// For 30 seconds this can be undone; then its text is wiped.
    #[oai(
        path = "/outbox/:id/discard",
        method = "post",
        operation_id = "discard_outbox_mail"
    )]
    async fn discard(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<OutboxMail>, Refused<ActionProblems>> {
        self.act(request, &token, &id, Action::Discard).await
    }

    /// Undo that a mail was discarded.
    #[oai(
        path = "/outbox/:id/undo",
        method = "post",
        operation_id = "undo_outbox_mail"
    )]
    async fn undo(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's name.
        id: Path<String>,
    ) -> Result<reply::Reply<OutboxMail>, Refused<ActionProblems>> {
        self.act(request, &token, &id, Action::Undo).await
    }

    async fn act(
        &self,
        request: &Request,
        token: &AdminToken,
        id: &Path<String>,
        action: Action,
    ) -> Result<reply::Reply<OutboxMail>, Refused<ActionProblems>> {
        self.guard.require_token(token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let item = self.operator.act(name(id)?, action, &by).await?;
        let telling = self.telling(request).await?;
        let told = telling.mail(item.id, item.row);
        Ok(reply::Reply(told))
    }

    async fn telling(&self, request: &Request) -> Result<Telling, store::Error> {
        Telling::of(&self.operator, request, self.language).await
    }
}

impl From<OutboxError> for Problem {
    fn from(error: OutboxError) -> Problem {
        match error {
            OutboxError::Conflict(Conflict::Unknown) => Problem::new(Kind::NotFound),
            OutboxError::Conflict(conflict) => {
                Problem::new(Kind::OutboxConflict).detail(conflict.to_string())
            }
            OutboxError::Renewal(error) => error.into(),
            OutboxError::Store(error) => error.into(),
        }
    }
}

fn address(text: Option<String>) -> Result<Option<EmailAddress>, Problem> {
    let parsed = text.map(|text| text.parse::<EmailAddress>()).transpose();
    parsed.map_err(|error| Problem::parameter("to", &error.to_string()))
}

/// A mail that cannot be is as little there as one that was forgotten.
fn name(id: &Path<String>) -> Result<OutboxId, Problem> {
    id.0.parse().map_err(|_| Problem::new(Kind::NotFound))
}
