//! A mail's HTML as a document of its own. It is sanitised, but this is written as if it were not:
//! the document runs nothing, belongs to no origin, sends no form and loads nothing, but pictures
//! from elsewhere where somebody asked for those.

use std::sync::Arc;

use poem::Response;
use poem::http::{HeaderName, HeaderValue, header};

use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::inbox::safe_html::Remote;

use super::desk::named;

const ALONE: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
                     style-src 'unsafe-inline'; img-src data:; form-action 'none'; \
                     base-uri 'none'; frame-ancestors 'self'";

const WITH_PICTURES: &str = "sandbox allow-popups allow-popups-to-escape-sandbox; \
                     default-src 'none'; style-src 'unsafe-inline'; img-src data: http: https:; \
                     form-action 'none'; base-uri 'none'; frame-ancestors 'self'";

const PREFETCH: HeaderName = HeaderName::from_static("x-dns-prefetch-control");

/// Whether somebody asked for pictures from elsewhere.
pub fn remote(visit: &Visit) -> Remote {
    match visit.query("remote").as_deref() {
        Some("1") => Remote::Shown,
        _ => Remote::LeftOut,
    }
}

/// The document.
pub async fn show(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    site.desk.require_for_part(&visit)?;
    let remote = remote(&visit);
    let inbox = &site.desk.operator().inbox;
    let safe = inbox.safe_html(named(&visit)?, remote).await?;
    let safe = safe.ok_or(Problem::new(Kind::NotFound))?;
    let mut response = Response::default();
    response.set_body(safe.html);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    let policy = match remote {
        Remote::LeftOut => ALONE,
        Remote::Shown => WITH_PICTURES,
    };
    let policy = HeaderValue::from_static(policy);
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    headers.insert(PREFETCH, HeaderValue::from_static("off"));
    Ok(response)
}
