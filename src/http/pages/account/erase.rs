//! Deleting one's account.

use std::sync::Arc;

use minijinja::context;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::identity;

use super::person;
use super::refusal::refused;

/// Asks for the password.
pub async fn ask(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let email = who.user.email.to_string();
    let values = context! { form => Shown::default().to_value(), email };
    Ok(site.show(&visit.visitor, "delete.html", values))
}

/// Deletes the account.
pub async fn finish(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let asked = identity::DeleteAccount {
        current_password: form.secret("current_password"),
    };
    match site
        .accounts
        .delete_account(&visit.client(), &who, asked)
        .await
    {
        Ok(()) => {
            let mut response = answer::go(&visit.visitor, "users/login/?done=deleted");
            person::forget(&site, &mut response);
            Ok(response)
        }
        Err(error) => {
            let email = who.user.email.to_string();
            let about = "current_password";
            refused(
                &site,
                &visit.visitor,
                error,
                about,
                Shown::default(),
                |form| {
                    let values = context! { form => form.to_value(), email };
                    ("delete.html", values)
                },
            )
        }
    }
}
