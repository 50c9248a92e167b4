//! The choice of a language, on every page.

use std::sync::Arc;
use std::time::Duration;

use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::cookies;
use crate::http::pages::cookies::Name;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::language::Language;

/// A year: longer is kept by no browser anyway (RFC 6265bis, 5.5).
const KEPT: Duration = Duration::from_secs(365 * 24 * 3600);

/// Keeps the choice, and leads back to where it was made.
pub async fn choose(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let place = form.text("place");
    let place = if is_ours(&place) {
        place.as_str()
    } else {
        "users/"
    };
    let mut response = answer::go(&visit.visitor, place);
    if let Ok(language) = form.text("language").parse::<Language>() {
        cookies::set(
            &mut response,
            Name::Language,
            language.tag(),
            Some(KEPT),
            site.https,
        );
    }
    Ok(response)
}

/// Whether it is a place of ours, and nothing that a browser takes for another host.
fn is_ours(place: &str) -> bool {
    let (path, query) = place.split_once('?').unwrap_or((place, ""));
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let ours = !path.starts_with('/') && path.chars().all(plain) && !path.contains("..");
    ours && query.chars().all(|c| c.is_ascii_graphic())
}
