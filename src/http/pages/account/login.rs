//! Logging in and out.

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

/// What may have led here.
const DONE: [&str; 4] = ["logout", "ended", "deleted", "taken"];

/// Asks for address and password.
pub async fn show(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let next = visit.query("next");
    let next = next.and_then(|next| site.look.return_to.check(&next));
    if person::person(&site, &mut visit).await?.is_some() {
        return Ok(onwards(&visit, next.as_deref()));
    }
    let done = visit.query("done");
    let done = done.filter(|done| DONE.contains(&done.as_str()));
    let form = Shown::default().to_value();
    let values = context! { form, next, done };
    Ok(site.show(&visit.visitor, "login.html", values))
}

fn onwards(visit: &Visit, next: Option<&str>) -> Response {
    match next {
        Some(next) => answer::go_to(next),
        None => answer::go(&visit.visitor, "users/"),
    }
}

/// Logs in.
pub async fn submit(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let email = form.text("email");
    let next = site.look.return_to.check(&form.text("next"));
    let asked = identity::Login {
        email: email.clone(),
        password: form.secret("password"),
    };
    match site.accounts.login(&visit.client(), asked).await {
        Ok((_, session)) => {
            let mut response = onwards(&visit, next.as_deref());
            person::remember(&site, &mut response, &session);
            Ok(response)
        }
        Err(error) => {
            let shown = Shown::default().with("email", email);
            refused(&site, &visit.visitor, error, "password", shown, |form| {
                ("login.html", context! { form => form.to_value(), next })
            })
        }
    }
}

/// Logs out. Whoever is logged out already has what they wanted.
pub async fn logout(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    visit.form().await?;
    if let Some(who) = person::person(&site, &mut visit).await? {
        match site.accounts.logout(&visit.client(), &who).await {
            Ok(()) | Err(identity::Error::Unauthenticated) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let mut response = answer::go(&visit.visitor, "users/login/?done=logout");
    person::forget(&site, &mut response);
    Ok(response)
}
