//! Changing one's address: the new one and the password, then the code that was mailed there.

use std::sync::Arc;

use minijinja::context;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::identity;
use crate::identity::Error;
use crate::secret::CodeStyle;

use super::course::Course;
use super::course::Errand;
use super::person;
use super::refusal::refused;

/// Asks for the new address.
pub async fn ask(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let email = who.user.email.to_string();
    let taken = visit.query("done").as_deref() == Some("taken");
    let values = context! { form => Shown::default().to_value(), email, taken };
    Ok(site.show(&visit.visitor, "email.html", values))
}

/// Mails the code to the new address.
pub async fn send(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let new_email = form.text("new_email");
    let asked = identity::ChangeEmail {
        new_email: new_email.clone(),
        current_password: form.secret("current_password"),
        language: Some(visit.visitor.language.tag().to_owned()),
    };
    let client = visit.client();
    let sent = site.accounts.request_email_change(&client, &who, asked);
    match sent.await {
        Ok(sent) => {
            let mut response = answer::go(&visit.visitor, "users/email/code/");
            Course::begin(Errand::Move, &new_email, &sent, None).keep(&site, &mut response);
            Ok(response)
        }
        Err(error) => {
            let shown = Shown::default().with("new_email", new_email);
            let email = who.user.email.to_string();
            let about = match error {
                Error::CredentialsRefused => "current_password",
                _ => "new_email",
            };
            refused(&site, &visit.visitor, error, about, shown, |form| {
                let values = context! { form => form.to_value(), email };
                ("email.html", values)
            })
        }
    }
}

/// Asks for the code.
pub async fn ask_code(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    if let Err(login) = person::required(&site, &mut visit).await? {
        return Ok(login);
    }
    let Some(course) = Course::of(&visit, Errand::Move) else {
        return Ok(answer::go(&visit.visitor, "users/email/"));
    };
    let values = code_page(&site, &course, &Shown::default());
    Ok(site.show(&visit.visitor, "email_code.html", values))
}

fn code_page(site: &Site, course: &Course, form: &Shown) -> minijinja::Value {
    let letters = site.accounts.settings().codes.style == CodeStyle::Letters;
    context! { form => form.to_value(), email => course.email.as_str(), letters }
}

/// Looks at the code, and changes the address.
pub async fn finish(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let Some(course) = Course::of(&visit, Errand::Move) else {
        return Ok(answer::go(&visit.visitor, "users/email/"));
    };
    let asked = identity::ConfirmEmail {
        new_email: course.email.clone(),
        code: form.secret("code"),
    };
    let client = visit.client();
    let changed = site.accounts.confirm_email_change(&client, &who, asked);
    let mut response = match changed.await {
        Ok(_) => answer::go(&visit.visitor, "users/?done=email"),
        // Only whoever reads the mail of that address is told.
        Err(Error::AddressTaken) => answer::go(&visit.visitor, "users/email/?done=taken"),
        Err(error) => {
            return refused(
                &site,
                &visit.visitor,
                error,
                "code",
                Shown::default(),
                |form| ("email_code.html", code_page(&site, &course, &form)),
            );
        }
    };
    Course::end(&site, &mut response);
    Ok(response)
}
