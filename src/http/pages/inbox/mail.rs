//! One mail: what a reader wants first at the top (who, what, codes, links), and below it the view
//! that was chosen.

use std::sync::Arc;

use minijinja::Value;
use minijinja::context;
use poem::Response;

use crate::http::pages::cookies::Name;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::inbox::Attachment;
use crate::inbox::Filter;
use crate::inbox::Inbox;
use crate::inbox::Message;
use crate::inbox::MessageId;
use crate::inbox::Sort;
use crate::store::page::Ask;
use crate::store::page::place;

use super::delivery;
use super::desk::named;
use super::list;
use super::plain;
use super::view::Chosen;

/// How much of a text is shown, in bytes; the rest is in the download.
const TEXT: usize = 256 << 10;

/// Links and recipients that are shown.
const LINKS: usize = 50;
const RECIPIENTS: usize = 100;

/// The mail.
pub async fn show(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    if let Err(login) = site.desk.require(&visit)? {
        return Ok(login);
    }
    let id = named(&visit)?;
    let operator = site.desk.operator();
    let mail = operator.inbox.get(id).await?;
    let mail = mail.ok_or(Problem::new(Kind::NotFound))?;
    let chosen = Chosen::of(&visit, &mail);
    let language = visit.visitor.language;
    let view = match chosen.view {
        "html" => {
            let safe = operator.inbox.safe_html(id, chosen.remote()).await?;
            let safe = safe.ok_or(Problem::new(Kind::NotFound))?;
            context! {
                pictures => safe.remote_pictures,
                never_fetched => safe.never_fetched,
                whole => safe.whole,
            }
        }
        "text" => {
            let text = mail.text.as_deref().unwrap_or_default();
            let (text, whole) = plain::beginning(text, TEXT);
            context! { pieces => plain::linked(text), whole }
        }
        "headers" => {
            let fields = mail.headers.iter();
            let fields = fields.map(|(name, value)| {
                context! { name => plain::line(name), value => plain::told(value) }
            });
            context! { fields => fields.collect::<Vec<_>>() }
        }
        "parts" => {
            let parts = mail.attachments.iter().map(part);
            context! { parts => parts.collect::<Vec<_>>() }
        }
        "attempts" => {
            let message_id = mail.summary.message_id.as_deref();
            let ours = match delivery::find(operator, message_id).await? {
                Some(id) => delivery::tell(operator, id, language).await?,
                None => None,
            };
            context! { ours, transcript => plain::told(mail.transcript.trim_end()) }
        }
        _ => {
            let raw = operator.inbox.raw(id).await?.unwrap_or_default();
            let whole = raw.len() <= TEXT;
            let raw = String::from_utf8_lossy(&raw[..raw.len().min(TEXT)]);
            context! { text => plain::told(&raw), whole }
        }
    };
    let (newer, older) = beside(&operator.inbox, id).await?;
    let values = context! {
        mail => about(&mail),
        chosen => chosen.to_value(&mail),
        newer,
        older,
        q => "",
        leaves => visit.cookie(Name::Operator).is_some(),
        ..view
    };
    Ok(site.show(&visit.visitor, "inbox_mail.html", values))
}

/// What stands at the top.
fn about(mail: &Message) -> Value {
    let summary = &mail.summary;
    let links = mail.links.iter().take(LINKS).map(|link| {
        // The links of a mail are http or https; what they lead to is read as a browser does.
        let href = url::Url::parse(link).ok();
        let host = href.as_ref().and_then(|href| href.host_str());
        context! {
            host => host.map(str::to_owned),
            href => href.map(String::from),
            text => plain::told(link),
        }
    });
    let to = summary.envelope.to.iter().take(RECIPIENTS);
    let warnings = summary.warnings.iter().map(|warning| warning.as_str());
    context! {
        id => summary.id.to_string(),
        subject => summary.subject.as_deref().map(plain::line),
        from => list::author(summary),
        envelope_from => plain::line(&summary.envelope.from),
        to => to.map(|to| plain::line(to)).collect::<Vec<_>>(),
        more => summary.envelope.to.len().saturating_sub(RECIPIENTS),
        received_at => summary.received_at.to_string(),
        size => plain::size(summary.size),
        tls => summary.tls,
        authenticated => summary.authenticated.as_deref().map(plain::line),
        peer => mail.peer.as_deref().map(plain::line),
        hello => mail.hello.as_deref().map(plain::line),
        warnings => warnings.collect::<Vec<_>>(),
        codes => mail.codes.iter().map(|code| plain::line(code)).collect::<Vec<_>>(),
        links => links.collect::<Vec<_>>(),
        more_links => mail.links.len().saturating_sub(LINKS),
    }
}

fn part(part: &Attachment) -> Value {
    context! {
        index => part.index,
        name => part.filename.as_deref().map(plain::line),
        kind => plain::line(&part.content_type),
        content_id => part.content_id.as_deref().map(plain::line),
        inline => part.inline,
        size => plain::size(part.size),
    }
}

/// The mails that came just after and just before this one.
async fn beside(inbox: &Inbox, id: MessageId) -> Result<(Option<String>, Option<String>), Problem> {
    let older = Ask {
        cursor: Some(place(&id)),
        ..Ask::newest(1)
    };
    let newer = Ask {
        back: true,
        ..older.clone()
    };
    let mut found = [None, None];
    for (ask, found) in [newer, older].into_iter().zip(&mut found) {
        let page = inbox.page(Filter::default(), Sort::ReceivedAt, ask).await?;
        *found = page.items.first().map(|mail| mail.id.to_string());
    }
    let [newer, older] = found;
    Ok((newer, older))
}
