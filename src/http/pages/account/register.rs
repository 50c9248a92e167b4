//! Making an account in three steps: the address, the code that was mailed to it, the password.

use std::sync::Arc;

use minijinja::Value;
use minijinja::context;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::pages::visit::Visitor;
use crate::http::problem::Problem;
use crate::identity;
use crate::identity::Error;
use crate::secret::CodeStyle;

use super::course::Course;
use super::course::Errand;
use super::person;
use super::refusal::refused;

const PURPOSE: &str = "register";

/// Asks for the address.
pub async fn begin(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    if person::person(&site, &mut visit).await?.is_some() {
        return Ok(answer::go(&visit.visitor, "users/"));
    }
    let next = visit.query("next");
    let next = next.and_then(|next| site.look.return_to.check(&next));
    let email = Course::of(&visit, Errand::Register).map(|course| course.email);
    let underway = email.is_some();
    let form = Shown::default().with("email", email.unwrap_or_default());
    let lapsed = visit.query("done").as_deref() == Some("lapsed");
    let values = context! { form => form.to_value(), next, underway, lapsed };
    Ok(site.show(&visit.visitor, "register.html", values))
}

/// Mails the code.
pub async fn send(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let email = form.text("email");
    let next = site.look.return_to.check(&form.text("next"));
    match mail(&site, &visit, &email).await {
        Ok(sent) => {
            let mut response = answer::go(&visit.visitor, "users/register/code/");
            Course::begin(Errand::Register, &email, &sent, next).keep(&site, &mut response);
            Ok(response)
        }
        Err(error) => {
            let underway = Course::of(&visit, Errand::Register);
            let underway = underway.is_some_and(|course| course.email == email.trim());
            let shown = Shown::default().with("email", &email);
            refused(&site, &visit.visitor, error, "email", shown, |form| {
                let values = context! { form => form.to_value(), next, underway };
                ("register.html", values)
            })
        }
    }
}

async fn mail(site: &Site, visit: &Visit, email: &str) -> Result<identity::Sent, Error> {
    let form = identity::SendCode {
        email: email.to_owned(),
        verification_type: PURPOSE.to_owned(),
        language: Some(visit.visitor.language.tag().to_owned()),
        style: None,
    };
    site.accounts.send_code(&visit.client(), form).await
}

/// Asks for the code.
pub async fn ask_code(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let Some(course) = Course::of(&visit, Errand::Register) else {
        return Ok(answer::go(&visit.visitor, "users/register/"));
    };
    let again = visit.query("done").as_deref() == Some("again");
    let values = code_page(&site, &course, &Shown::default(), again);
    Ok(site.show(&visit.visitor, "register_code.html", values))
}

fn code_page(site: &Site, course: &Course, form: &Shown, again: bool) -> Value {
    let letters = site.accounts.settings().codes.style == CodeStyle::Letters;
    context! {
        form => form.to_value(),
        email => course.email.as_str(),
        resend_in => course.resend_in(site),
        letters,
        again,
    }
}

/// Mails another code.
pub async fn send_again(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    visit.form().await?;
    let Some(course) = Course::of(&visit, Errand::Register) else {
        return Ok(answer::go(&visit.visitor, "users/register/"));
    };
    match mail(&site, &visit, &course.email).await {
        Ok(sent) => {
            let mut response = answer::go(&visit.visitor, "users/register/code/?done=again");
            let next = course.next.clone();
            Course::begin(Errand::Register, &course.email, &sent, next).keep(&site, &mut response);
            Ok(response)
        }
        Err(error) => again(&site, &visit.visitor, &course, error),
    }
}

fn again(
    site: &Site,
    visitor: &Visitor,
    course: &Course,
    error: Error,
) -> Result<Response, Problem> {
    refused(site, visitor, error, "code", Shown::default(), |form| {
        ("register_code.html", code_page(site, course, &form, false))
    })
}

/// Looks at the code.
pub async fn check_code(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let Some(mut course) = Course::of(&visit, Errand::Register) else {
        return Ok(answer::go(&visit.visitor, "users/register/"));
    };
    // That of the page: another one may have been begun beside it, in another tab.
    course.email = form.given("email").unwrap_or(course.email);
    let asked = identity::VerifyCode {
        email: course.email.clone(),
        verification_type: PURPOSE.to_owned(),
        code: form.secret("code"),
    };
    match site.accounts.verify_code(&visit.client(), asked).await {
        Ok(verified) => {
            course.token = Some(verified.verification_token.expose().to_owned());
            let mut response = answer::go(&visit.visitor, "users/register/password/");
            course.keep(&site, &mut response);
            Ok(response)
        }
        Err(error) => again(&site, &visit.visitor, &course, error),
    }
}

/// Asks for the password.
pub async fn ask_password(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    let course = Course::of(&visit, Errand::Register);
    let Some(course) = course.filter(|course| course.token.is_some()) else {
        return Ok(answer::go(&visit.visitor, "users/register/"));
    };
    let values = password_page(&site, &course, &Shown::default());
    Ok(site.show(&visit.visitor, "register_password.html", values))
}

fn password_page(site: &Site, course: &Course, form: &Shown) -> Value {
    context! {
        form => form.to_value(),
        email => course.email.as_str(),
        least => site.accounts.settings().passwords.min_chars,
    }
}

/// Makes the account, and logs in.
pub async fn finish(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let Some(course) = Course::of(&visit, Errand::Register) else {
        return Ok(answer::go(&visit.visitor, "users/register/"));
    };
    let name = form.text("display_name");
    let asked = identity::Register {
        email: course.email.clone(),
        password: form.secret("password"),
        verification_token: course.token.clone().unwrap_or_default().into(),
        display_name: Some(name.clone()),
        language: Some(visit.visitor.language.tag().to_owned()),
    };
    let mut response = match site.accounts.register(&visit.client(), asked).await {
        Ok((_, session)) => {
            let mut response = match &course.next {
                Some(next) => answer::go_to(next),
                None => answer::go(&visit.visitor, "users/?done=registered"),
            };
            person::remember(&site, &mut response, &session);
            response
        }
        // What was proved has lapsed meanwhile, or somebody was faster: from the beginning.
        Err(Error::TokenRefused) => answer::go(&visit.visitor, "users/register/?done=lapsed"),
        Err(Error::AddressTaken) => answer::go(&visit.visitor, "users/login/?done=taken"),
        Err(error) => {
            let shown = Shown::default().with("display_name", name);
            return refused(&site, &visit.visitor, error, "password", shown, |form| {
                (
                    "register_password.html",
                    password_page(&site, &course, &form),
                )
            });
        }
    };
    Course::end(&site, &mut response);
    Ok(response)
}
