//! Whoever is logged in, by the cookie of their session; and what changes in the browser when
//! somebody comes or goes.

use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::cookies;
use crate::http::pages::cookies::Name;
use crate::http::pages::csrf::Csrf;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Problem;
use crate::identity::Authenticated;
use crate::identity::Error;
use crate::identity::NewSession;

/// Whoever is logged in, if anybody is. From then on they are spoken to in the language of their
/// account, unless they chose another here.
pub async fn person(site: &Site, visit: &mut Visit) -> Result<Option<Authenticated>, Problem> {
    let Some(token) = visit.cookie(Name::Session) else {
        return Ok(None);
    };
    match site
        .accounts
        .authenticate_from(visit.client().ip, &token)
        .await
    {
        Ok(person) => {
            if !visit.visitor.chose {
                visit.visitor.language = person.user.language;
            }
            Ok(Some(person))
        }
        Err(Error::Unauthenticated) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The same where there must be somebody: everybody else is led to the login, and back here
/// afterwards.
pub async fn required(
    site: &Site,
    visit: &mut Visit,
) -> Result<Result<Authenticated, Response>, Problem> {
    Ok(match person(site, visit).await? {
        Some(person) => Ok(person),
        None => {
            let mut response = answer::go(&visit.visitor, "users/login/?done=ended");
            cookies::clear(&mut response, Name::Session, site.https);
            // Who never was logged in has not been logged out.
            if visit.cookie(Name::Session).is_none() {
                response = answer::go(&visit.visitor, "users/login/");
            }
            Err(response)
        }
    })
}

/// Has the browser remember the session. What proved its forms before is forgotten: whoever knew
/// that from before the login must not be believed after it.
pub fn remember(site: &Site, response: &mut Response, session: &NewSession) {
    let kept = site.accounts.settings().sessions.lifetime;
    let token = session.token.expose();
    cookies::set(response, Name::Session, token, Some(kept), site.https);
    renew_csrf(site, response);
}

/// Has the browser forget the session.
pub fn forget(site: &Site, response: &mut Response) {
    cookies::clear(response, Name::Session, site.https);
    renew_csrf(site, response);
}

fn renew_csrf(site: &Site, response: &mut Response) {
    let csrf = Csrf::draw(&site.world).cookie();
    cookies::set(response, Name::Csrf, &csrf, None, site.https);
}
