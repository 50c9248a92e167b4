//! One's own account on one page: name and language, password, sessions, and the way to what is
//! done more rarely.

use std::sync::Arc;

use minijinja::Value;
use minijinja::context;
use poem::Response;
use poem::http::StatusCode;

use crate::http::pages::answer;
use crate::http::pages::device;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::identity;
use crate::identity::Authenticated;
use crate::identity::Session;

use super::person;
use super::refusal::refused;

/// What may have led here.
const DONE: [&str; 5] = ["registered", "profile", "password", "sessions", "email"];

/// How many sessions are shown; who has more sees the newest.
const SESSIONS: usize = 50;

/// Leads to the account: for those who ask again for where a form was sent.
pub async fn back(_: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    Ok(answer::go(&visit.visitor, "users/"))
}

/// The account.
pub async fn show(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let done = visit.query("done");
    let done = done.filter(|done| DONE.contains(&done.as_str()));
    let rest = rest(&site, &who).await?;
    let values = context! {
        profile => profile_of(&who).to_value(),
        password => Shown::default().to_value(),
        done,
        ..rest
    };
    Ok(site.show_as(StatusCode::OK, &visit.visitor, "account.html", values))
}

fn profile_of(who: &Authenticated) -> Shown {
    let name = who.user.display_name.clone();
    Shown::default()
        .with("display_name", name.unwrap_or_default())
        .with("language", who.user.language.tag())
}

/// What the page shows beside its forms.
async fn rest(site: &Site, who: &Authenticated) -> Result<Value, Problem> {
    let page = site.accounts.sessions(who, None, SESSIONS).await?;
    let more = page.next.is_some();
    let sessions: Vec<Value> = page.items.iter().map(session).collect();
    Ok(context! {
        email => who.user.email.to_string(),
        sessions,
        more,
        least => site.accounts.settings().passwords.min_chars,
    })
}

fn session(session: &Session) -> Value {
    context! {
        id => session.id.to_string(),
        device => session.user_agent.as_deref().and_then(device::name),
        ip => session.last_ip.to_string(),
        last_used_at => session.last_used_at.to_string(),
        created_at => session.created_at.to_string(),
        current => session.current,
    }
}

/// Changes name and language.
pub async fn change_profile(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let (name, language) = (form.text("display_name"), form.text("language"));
    let asked = identity::Profile {
        display_name: Some(name.clone()),
        language: Some(language.clone()),
    };
    let client = visit.client();
    let changed = site.accounts.update_profile(&client, &who, asked);
    match changed.await {
        Ok(_) => Ok(answer::go(&visit.visitor, "users/?done=profile")),
        Err(error) => {
            let rest = rest(&site, &who).await?;
            let shown = Shown::default()
                .with("display_name", name)
                .with("language", language);
            refused(
                &site,
                &visit.visitor,
                error,
                "display_name",
                shown,
                |form| {
                    let profile = form.to_value();
                    let password = Shown::default().to_value();
                    ("account.html", context! { profile, password, ..rest })
                },
            )
        }
    }
}

/// Sets another password.
pub async fn change_password(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let who = match person::required(&site, &mut visit).await? {
        Ok(who) => who,
        Err(login) => return Ok(login),
    };
    let asked = identity::ChangePassword {
        current_password: form.secret("current_password"),
        new_password: form.secret("new_password"),
    };
    let client = visit.client();
    let changed = site.accounts.change_password(&client, &who, asked);
    match changed.await {
        Ok(()) => Ok(answer::go(&visit.visitor, "users/?done=password")),
        Err(error) => {
            let rest = rest(&site, &who).await?;
            let shown = Shown::default();
            let about = "current_password";
            refused(&site, &visit.visitor, error, about, shown, |form| {
                let profile = profile_of(&who).to_value();
                let password = form.to_value();
                ("account.html", context! { profile, password, ..rest })
            })
        }
    }
}
