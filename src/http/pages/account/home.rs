//! The root: on a developer's machine it says what there is, elsewhere it leads to the account.

use std::sync::Arc;

use minijinja::context;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;

/// The root.
pub async fn root(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    match site.development {
        true => Ok(site.show(&visit.visitor, "home.html", context! {})),
        false => Ok(answer::go(&visit.visitor, "users/")),
    }
}
