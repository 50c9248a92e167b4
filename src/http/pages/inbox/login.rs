//! Where the operator shows the token, once for half a day, and where that ends.

use std::sync::Arc;

use minijinja::context;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::cookies;
use crate::http::pages::cookies::Name;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::secret::TokenHash;

use super::pass;

/// Asks for the token.
pub async fn ask(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    if site.desk.knows(&visit)? {
        return Ok(answer::go(&visit.visitor, "inbox/"));
    }
    let form = Shown::default().to_value();
    Ok(site.show(&visit.visitor, "inbox_login.html", context! { form }))
}

/// Takes the token. Nobody guesses one, it has 256 bits by chance: tries are not counted.
pub async fn enter(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    let form = visit.form().await?;
    let token = &site.desk.parts.guard.token;
    let presented = form.secret("token");
    if !TokenHash::of(presented.expose().trim()).matches(token) {
        let why = visit.visitor.words().say("inbox_token_wrong");
        let form = Shown::default().refuse("token", why).to_value();
        return Ok(site.show_again(&visit.visitor, "inbox_login.html", context! { form }));
    }
    let mut response = answer::go(&visit.visitor, "inbox/");
    let pass = pass::issue(token, site.world.now());
    let kept = Some(pass::LIFETIME);
    cookies::set(&mut response, Name::Operator, &pass, kept, site.https);
    Ok(response)
}

/// Has the browser forget it.
pub async fn leave(site: Arc<Site>, mut visit: Visit) -> Result<Response, Problem> {
    visit.form().await?;
    let mut response = answer::go(&visit.visitor, "inbox/login/");
    cookies::clear(&mut response, Name::Operator, site.https);
    Ok(response)
}

/// Leads to the list: for those who ask again for where a form was sent.
pub async fn back(_: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    Ok(answer::go(&visit.visitor, "inbox/"))
}
