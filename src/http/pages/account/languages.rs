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
    // A place of ours, and nothing that a browser takes for another host.
    let fine = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    let ours = !place.starts_with('/') && place.chars().all(fine) && !place.contains("..");
    let place = if ours { place.as_str() } else { "users/" };
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
