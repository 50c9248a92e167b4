//! Ending one's own sessions, one or all the others.

use std::sync::Arc;

use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::identity::Error;

use super::person;

/// Ends the session called `end`, or all others.
pub async fn end(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let client = visit.client();
    match form.given("end") {
        Some(id) if id == who.session.id.to_string() => {
            site.accounts.logout(&client, &who).await?;
            let mut response = answer::go(&visit.visitor, "users/login/?done=logout");
            person::forget(&site, &mut response);
            return Ok(response);
        }
        Some(id) => match site.accounts.revoke_session(&client, &who, &id).await {
            // It ended by itself meanwhile.
            Ok(()) | Err(Error::NotFound) => {}
            Err(error) => return Err(error.into()),
        },
        None => {
            site.accounts.revoke_others(&client, &who).await?;
        }
    }
    Ok(answer::go(&visit.visitor, "users/?done=sessions"))
}
