//! Getting back in: asking for the link, following it, choosing a new password. Following uses
//! nothing up, so that a program which opens the links of mails harms nobody.

use std::sync::Arc;

use minijinja::Value;
use minijinja::context;
use poem::Response;

use crate::address::EmailAddress;
use crate::http::pages::answer;
use crate::http::pages::cookies;
use crate::http::pages::cookies::Name;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::pages::visit::Visitor;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity;
use crate::identity::Error;

use super::course::Course;
use super::course::Errand;
use super::person;
use super::refusal::refused;

/// Asks for the address.
pub async fn ask(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    // Whoever is logged in and forgot the password need not type the address.
    let known = person::person(&site, &mut visit).await?;
    let email = known.map(|who| who.user.email.to_string());
    let form = Shown::default().with("email", email.unwrap_or_default());
    let values = context! { form => form.to_value() };
    Ok(site.show(&visit.visitor, "password_reset.html", values))
}

/// Mails the link.
pub async fn send(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let email = form.text("email");
    let asked = identity::RequestReset {
        email: email.clone(),
        language: Some(visit.visitor.language.tag().to_owned()),
    };
    match site.accounts.request_reset(&visit.client(), asked).await {
        Ok(sent) => {
            let mut response = answer::go(&visit.visitor, "users/password_reset_done/");
            Course::begin(Errand::Reset, &email, &sent, None).keep(&site, &mut response);
            Ok(response)
        }
        Err(error) => {
            let shown = Shown::default().with("email", email);
            refused(&site, &visit.visitor, error, "email", shown, |form| {
                let values = context! { form => form.to_value() };
                ("password_reset.html", values)
            })
        }
    }
}

/// Says that the mail is on its way, if there is an account.
pub async fn sent(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let course = Course::of(&visit, Errand::Reset);
    let values = context! {
        email => course.as_ref().map(|course| course.email.clone()),
        resend_in => course.as_ref().map_or(0, |course| course.resend_in(&site)),
    };
    Ok(site.show(&visit.visitor, "password_reset_done.html", values))
}

/// Puts what the link says into a cookie and leads to an address without it, so that it stands
/// in no history and no Referer.
pub async fn follow(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let (uid, token) = (visit.parameter("uid"), visit.parameter("token"));
    let plain = |text: &str| {
        text.len() <= 200
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    let mut response = answer::go(&visit.visitor, "users/reset/");
    let link = match plain(uid) && plain(token) {
        true => format!("{uid}.{token}"),
        // No link of ours; what an earlier one left must not stand in for it.
        false => ".".to_owned(),
    };
    let kept = site.accounts.settings().codes.link_lifetime;
    cookies::set(&mut response, Name::Link, &link, Some(kept), site.https);
    Ok(response)
}

fn link(visit: &Visit) -> Option<(String, String)> {
    let link = visit.cookie(Name::Link)?;
    let (uid, token) = link.split_once('.')?;
    Some((uid.to_owned(), token.to_owned()))
}

/// Asks for the new password, if the link is good.
pub async fn choose(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let Some((uid, token)) = link(&visit) else {
        return Ok(no_good(&site, &visit.visitor));
    };
    match site.accounts.look_at_reset_link(&uid, &token).await {
        Ok(email) => {
            let values = form_page(&site, &Shown::default(), &email);
            Ok(site.show(&visit.visitor, "reset.html", values))
        }
        Err(Error::LinkRefused | Error::Invalid(_)) => Ok(no_good(&site, &visit.visitor)),
        Err(error) => Err(error.into()),
    }
}

fn form_page(site: &Site, form: &Shown, email: &EmailAddress) -> Value {
    let least = site.accounts.settings().passwords.min_chars;
    context! { form => form.to_value(), least, email => email.to_string() }
}

fn no_good(site: &Site, visitor: &Visitor) -> Response {
    let status = Kind::LinkRefused.status_code();
    let mut response = site.show_as(status, visitor, "reset_refused.html", context! {});
    cookies::clear(&mut response, Name::Link, site.https);
    response
}

/// Sets the new password.
pub async fn finish(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let Some((uid, token)) = link(&visit) else {
        return Ok(no_good(&site, &visit.visitor));
    };
    // Known before it is used up: the form is shown again with whose it is.
    let email = match site.accounts.look_at_reset_link(&uid, &token).await {
        Ok(email) => email,
        Err(Error::LinkRefused) => return Ok(no_good(&site, &visit.visitor)),
        Err(error) => return Err(error.into()),
    };
    let asked = identity::ConfirmReset {
        uid: Some(uid),
        token: Some(token.into()),
        new_password: form.secret("new_password"),
        ..identity::ConfirmReset::default()
    };
    match site.accounts.confirm_reset(&visit.client(), asked).await {
        Ok(()) => {
            let mut response = answer::go(&visit.visitor, "users/reset_done/");
            cookies::clear(&mut response, Name::Link, site.https);
            Course::end(&site, &mut response);
            // All sessions have ended.
            person::forget(&site, &mut response);
            Ok(response)
        }
        Err(Error::LinkRefused) => Ok(no_good(&site, &visit.visitor)),
        Err(error) => {
            let shown = Shown::default();
            let about = "new_password";
            refused(&site, &visit.visitor, error, about, shown, |form| {
                ("reset.html", form_page(&site, &form, &email))
            })
        }
    }
}

/// Says that the password was changed.
pub async fn done(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    Ok(site.show(&visit.visitor, "reset_done.html", context! {}))
}
