//! Deleting: one mail, or all.

use std::sync::Arc;

use poem::Response;

use crate::http::caller;
use crate::http::pages::answer;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;

/// Deletes the mail called `id`, or all if `all` says so. One that is gone already is gone.
pub async fn delete(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    if let Err(login) = site.desk.require(&visit)? {
        return Ok(login);
    }
    let by = caller::operator(visit.request(), site.trusted_proxies)?;
    let operator = site.desk.operator();
    match form.given("id") {
        Some(id) => {
            let id = id.parse();
            let id = id.map_err(|_| Problem::parameter("id", "expected the number of a mail"))?;
            operator.delete_captured(id, &by).await?;
        }
        None if form.text("all") == "1" => {
            operator.clear_captured(&by).await?;
        }
        None => {}
    }
    Ok(answer::go(&visit.visitor, "inbox/"))
}
