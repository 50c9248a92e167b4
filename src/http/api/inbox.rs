//! Captured mail: lists, one mail with everything in it, its bytes, its attachments, and waiting
//! for one. For the operator, or for whoever sits at the machine in `dev`.

use std::sync::Arc;
use std::time::Duration;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::{Path, Query};
use tokio::sync::watch;

use crate::http::api::Group;
use crate::http::api::admin::paging::Paging;
use crate::http::api::message::Message;
use crate::http::api::message::Page;
use crate::http::api::message::wire_message;
use crate::http::api::message::wire_summary;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::front::STORE_PAUSE;
use crate::http::guard::Guard;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::inbox;
use crate::inbox::Inbox;
use crate::inbox::MessageId;
use crate::mail::outbox;
use crate::operator::Operator;
use crate::store;
use crate::store::Store;

problems! {
    /// Of lists and of deleting all.
    ListProblems: AdminRequired, HostRefused, OriginRefused, BadParameter, Unavailable
}
problems! {
    /// Of one mail.
    MailProblems: AdminRequired, HostRefused, OriginRefused, NotFound, Unavailable
}
problems! {
    /// Of deleting one.
    DeleteProblems: AdminRequired, HostRefused, OriginRefused, BadParameter, NotFound, Unavailable
}
problems! {
    /// Of waiting.
    WaitProblems: AdminRequired, HostRefused, OriginRefused, BadParameter, Unavailable, ShuttingDown
}

/// The inbox.
pub struct InboxApi {
    /// The captured mail.
    pub inbox: Inbox,
    /// Where a mail's row in the outbox is looked up.
    pub store: Store,
    /// Who deletes.
    pub operator: Operator,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
    /// Who may ask.
    pub guard: Arc<Guard>,
    /// Turns to `true` when the service is being stopped.
    pub closing: watch::Receiver<bool>,
}

const FIELDS: [&str; 5] = ["received_at", "from", "to", "subject", "size"];

/// Seconds of a wait when the client does not say.
const WAIT: f64 = 20.0;

#[OpenApi(prefix_path = "/api/v1/inbox", tag = "Group::Inbox")]
impl InboxApi {
    /// Captured mail, newest first.
    ///
    /// Everything that is given must match; case never counts.
    #[oai(path = "/messages", method = "get", operation_id = "list_messages")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
        /// A recipient of the envelope: a whole address, or a part of one such as `@example.com`.
        to: Query<Option<String>>,
        /// The sender of the envelope, as with `to`, or a part of the From header.
        from: Query<Option<String>>,
        /// A part of the subject.
        subject: Query<Option<String>>,
        /// A part of anything: an address, the subject, the text, the HTML.
        q: Query<Option<String>>,
        /// `received_at`, `from`, `to`, `subject` or `size`, with `-` before it from the last to
        /// the first; `-received_at` when absent.
        sort: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page in the same order.
        cursor: Query<Option<String>>,
        /// How many mails a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<Page>, Refused<ListProblems>> {
        self.guard.check(request, &token)?;
        only(
            request,
            &[
                "to", "from", "subject", "q", "sort", "back", "cursor", "limit",
            ],
        )?;
        let sorted = sort.0.as_deref();
        let paging = Paging::read(&FIELDS, sorted, back.0, cursor.0.as_deref(), limit.0)?;
        let sort = match paging.field {
            "from" => inbox::Sort::From,
            "to" => inbox::Sort::To,
            "subject" => inbox::Sort::Subject,
            "size" => inbox::Sort::Size,
            _ => inbox::Sort::ReceivedAt,
        };
        let filter = inbox::Filter {
            to: to.0,
            from: from.0,
            subject: subject.0,
            q: q.0,
        };
        let page = self.inbox.page(filter, sort, paging.ask.clone()).await?;
        let (next_cursor, prev_cursor) = paging.cursors(&page);
        let mut items = Vec::with_capacity(page.items.len());
        for summary in page.items {
            let outbox_id = self.outbox_id(summary.message_id.as_deref()).await?;
            items.push(wire_summary(summary, outbox_id));
        }
        let page = Page {
            items,
            next_cursor: next_cursor.clone(),
            prev_cursor,
            total: page.total,
        };
        Ok(reply::Page::of(page, request, next_cursor.as_deref()))
    }

    /// Delete all captured mail.
    ///
    /// What comes in meanwhile stays.
    #[oai(
        path = "/messages",
        method = "delete",
        operation_id = "delete_messages"
    )]
    async fn clear(
        &self,
        request: &Request,
        token: AdminToken,
    ) -> Result<reply::Reply<reply::Deleted>, Refused<ListProblems>> {
        self.guard.check(request, &token)?;
        // Somebody who filters means some of them; this would delete all.
        only(request, &[])?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let deleted = self.operator.clear_captured(&by).await?;
        Ok(reply::Reply(reply::Deleted { deleted }))
    }

    /// One captured mail.
    ///
    /// With its envelope, headers, text, HTML, attachments, and the codes and links found in it.
    #[oai(path = "/messages/:id", method = "get", operation_id = "get_message")]
    async fn get(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's number.
        id: Path<String>,
    ) -> Result<reply::Reply<Message>, Refused<MailProblems>> {
        self.guard.check(request, &token)?;
        let message = self.inbox.get(number(&id)?).await?;
        let message = message.ok_or(Problem::new(Kind::NotFound))?;
        Ok(reply::Reply(self.wire(message).await?))
    }

    /// The bytes of a captured mail.
    ///
    /// Exactly as they came.
    #[oai(
        path = "/messages/:id/raw",
        method = "get",
        operation_id = "get_raw_message"
    )]
    async fn raw(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's number.
        id: Path<String>,
    ) -> Result<reply::RawMail, Refused<MailProblems>> {
        self.guard.check(request, &token)?;
        let id = number(&id)?;
        let bytes = self.inbox.raw(id).await?;
        Ok(reply::RawMail(reply::Download {
            bytes: bytes.ok_or(Problem::new(Kind::NotFound))?,
            media_type: "message/rfc822",
            filename: format!("{id}.eml"),
        }))
    }

    /// The bytes of an attachment.
    ///
    /// Always as a download of unknown type: what a mail carries is not shown or run here.
    #[oai(
        path = "/messages/:id/attachments/:index",
        method = "get",
        operation_id = "download_attachment"
    )]
    async fn attachment(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's number.
        id: Path<String>,
        /// The attachment's place, from 0.
        index: Path<String>,
    ) -> Result<reply::RawPart, Refused<MailProblems>> {
        self.guard.check(request, &token)?;
        let index = index.0.parse().map_err(|_| Problem::new(Kind::NotFound))?;
        let found = self.inbox.attachment(number(&id)?, index).await?;
        let found = found.ok_or(Problem::new(Kind::NotFound))?;
        Ok(reply::RawPart(reply::Download {
            filename: found.attachment.filename.unwrap_or_default(),
            media_type: "application/octet-stream",
            bytes: found.bytes,
        }))
    }

    /// Delete one captured mail.
    #[oai(
        path = "/messages/:id",
        method = "delete",
        operation_id = "delete_message"
    )]
    async fn delete(
        &self,
        request: &Request,
        token: AdminToken,
        /// The mail's number.
        id: Path<String>,
    ) -> Result<reply::NoContent, Refused<DeleteProblems>> {
        self.guard.check(request, &token)?;
        let by = caller::operator(request, self.trusted_proxies)?;
        if self.operator.delete_captured(number(&id)?, &by).await? {
            Ok(reply::NoContent)
        } else {
            Err(Problem::new(Kind::NotFound).into())
        }
    }

    /// Wait for a mail.
    ///
    /// Answers at once when a mail that matches is there (the newest; with `after`, the oldest
    /// one after it), else as soon as one comes, or 204 when the time is up.
    #[oai(path = "/wait", method = "get", operation_id = "wait_for_message")]
    #[expect(clippy::too_many_arguments, reason = "one for each query parameter")]
    async fn wait(
        &self,
        request: &Request,
        token: AdminToken,
        /// A recipient of the envelope: a whole address, or a part of one such as `@example.com`.
        to: Query<Option<String>>,
        /// The sender of the envelope, as with `to`, or a part of the From header.
        from: Query<Option<String>>,
        /// A part of the subject.
        subject: Query<Option<String>>,
        /// The number of a mail: only later ones count.
        after: Query<Option<String>>,
        /// How many seconds to wait at most; 20 when absent.
        #[oai(validator(minimum(value = "0"), maximum(value = "60")))]
        timeout: Query<Option<f64>>,
    ) -> Result<reply::Awaited<Message>, Refused<WaitProblems>> {
        self.guard.check(request, &token)?;
        only(request, &["to", "from", "subject", "after", "timeout"])?;
        let after = position("after", after.0)?;
        let seconds = timeout.0.unwrap_or(WAIT);
        let patience = Duration::try_from_secs_f64(seconds)
            .map_err(|_| Problem::parameter("timeout", "expected a number from 0 to 60"))?;
        let filter = inbox::Filter {
            to: to.0,
            from: from.0,
            subject: subject.0,
            q: None,
        };
        let mut closing = self.closing.clone();
        tokio::select! {
            found = self.inbox.wait(filter, after, patience) => match found? {
                Some(message) => Ok(reply::Awaited::Came(self.wire(message).await?)),
                None => Ok(reply::Awaited::TimeUp),
            },
            () = closed(&mut closing) => {
                Err(Problem::new(Kind::ShuttingDown).retry_after(STORE_PAUSE).into())
            }
        }
    }

    async fn wire(&self, message: inbox::Message) -> Result<Message, store::Error> {
        let outbox_id = self
            .outbox_id(message.summary.message_id.as_deref())
            .await?;
        Ok(wire_message(message, outbox_id))
    }

    async fn outbox_id(&self, message_id: Option<&str>) -> Result<Option<String>, store::Error> {
        let Some(message_id) = message_id else {
            return Ok(None);
        };
        let found = self
            .store
            .read(|read| outbox::by_message_id(read, message_id))
            .await?;
        Ok(found.map(|id| id.to_string()))
    }
}

/// Completes when the service is being stopped.
async fn closed(closing: &mut watch::Receiver<bool>) {
    // An error means that the service is gone, which is as good.
    drop(closing.wait_for(|closing| *closing).await);
}

fn position(name: &str, text: Option<String>) -> Result<Option<MessageId>, Problem> {
    text.map(|text| text.parse())
        .transpose()
        .map_err(|_| Problem::parameter(name, "expected the number of a mail"))
}

/// A mail that cannot be is as little there as one that was deleted.
fn number(id: &Path<String>) -> Result<MessageId, Problem> {
    id.0.parse().map_err(|_| Problem::new(Kind::NotFound))
}
