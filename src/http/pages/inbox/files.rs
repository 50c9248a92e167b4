//! What a mail brings, as downloads: never shown or run by the browser, whatever it claims to be.

use std::sync::Arc;

use poem::IntoResponse as _;
use poem::Response;

use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply::Download;

use super::desk::named;

/// The mail exactly as it came.
pub async fn raw(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    site.desk.require_for_part(&visit)?;
    let id = named(&visit)?;
    let bytes = site.desk.operator().inbox.raw(id).await?;
    let download = Download {
        bytes: bytes.ok_or(Problem::new(Kind::NotFound))?,
        media_type: "message/rfc822",
        filename: format!("{id}.eml"),
    };
    Ok(download.into_response())
}

/// A part of it.
pub async fn part(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    site.desk.require_for_part(&visit)?;
    let index = visit.parameter("index").parse();
    let index = index.map_err(|_| Problem::new(Kind::NotFound))?;
    let inbox = &site.desk.operator().inbox;
    let found = inbox.attachment(named(&visit)?, index).await?;
    let found = found.ok_or(Problem::new(Kind::NotFound))?;
    let download = Download {
        filename: found.attachment.filename.unwrap_or_default(),
        media_type: "application/octet-stream",
        bytes: found.bytes,
    };
    Ok(download.into_response())
}
