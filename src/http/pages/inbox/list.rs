//! The captured mails, newest first, page by page, all or those that a search finds.

use std::sync::Arc;

use minijinja::Value;
use minijinja::context;
use poem::Response;

use crate::events::Topic;
use crate::http::api::admin::paging::Paging;
use crate::http::pages::cookies::Name;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::inbox::Filter;
use crate::inbox::Sort;
use crate::inbox::Summary;

use super::plain;

/// How much is searched for, in characters.
const SEARCH: usize = 200;

/// The list.
pub async fn show(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    if let Err(login) = site.desk.require(&visit)? {
        return Ok(login);
    }
    let q = visit.query("q").unwrap_or_default();
    let q: String = q.trim().chars().take(SEARCH).collect();
    let back = visit.query("back").is_some();
    let cursor = visit.query("cursor");
    let paging = Paging::read(&["received_at"], None, Some(back), cursor.as_deref(), None)?;
    let filter = Filter {
        q: (!q.is_empty()).then(|| q.clone()),
        ..Filter::default()
    };
    // Counted before it is read: what comes in between is told to who listens.
    let count = site.desk.parts.events.watch(Topic::Inbox).count();
    let inbox = &site.desk.operator().inbox;
    let page = inbox.page(filter, Sort::ReceivedAt, paging.ask.clone());
    let page = page.await?;
    let (next, prev) = paging.cursors(&page);
    let mails: Vec<Value> = page.items.iter().map(row).collect();
    let smtp = site.desk.parts.smtp;
    let values = context! {
        // Without anything that hides: it is shown again.
        q => plain::line(&q),
        mails,
        count,
        total => page.total,
        next,
        prev,
        first => cursor.is_none(),
        smtp_host => smtp.ip().to_string(),
        smtp_port => smtp.port().to_string(),
        leaves => visit.cookie(Name::Operator).is_some(),
    };
    Ok(site.show(&visit.visitor, "inbox.html", values))
}

/// What a row shows.
fn row(mail: &Summary) -> Value {
    let (to, more) = recipients(mail);
    context! {
        id => mail.id.to_string(),
        from => author(mail),
        to,
        more,
        subject => mail.subject.as_deref().map(plain::line),
        received_at => mail.received_at.to_string(),
        size => plain::size(mail.size),
        warnings => mail.warnings.len(),
    }
}

/// Who says that it is theirs; the sender of the envelope where nobody does.
pub fn author(mail: &Summary) -> String {
    let said = mail.author.as_deref().map(plain::line);
    let said = said.filter(|said| !said.trim().is_empty());
    said.unwrap_or_else(|| plain::line(&mail.envelope.from))
}

/// The first recipient, and how many more there are.
pub fn recipients(mail: &Summary) -> (String, usize) {
    let to = &mail.envelope.to;
    let first = to.first().map(|first| plain::line(first));
    (first.unwrap_or_default(), to.len().saturating_sub(1))
}
