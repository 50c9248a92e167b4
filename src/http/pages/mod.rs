//! The pages: accounts for people whose team has no front end of its own, and the API browser.
//! They call what the API calls, so limits and sameness are those of the domain. What must not
//! live here: rules about accounts (`identity`), status codes of errors (`problem`).
//!
//! A request becomes a [`visit::Visit`] (language, cookies, form), a handler decides, and an
//! answer is drawn from a template ([`template`]) with texts from [`words`]. What goes wrong is a
//! [`Problem`], which the front has drawn as a page by [`Site::trouble`].
//!
//! All addresses within pages are relative to where the browser stands, so a proxy may put them
//! below any path.

mod account;
mod answer;
mod assets;
mod browser;
mod color;
mod cookies;
mod csrf;
mod device;
pub mod docs;
mod form;
pub mod inbox;
pub mod look;
mod return_to;
pub mod site;
mod template;
mod visit;
mod words;

use std::collections::HashMap;
use std::future::Future;
use std::sync::Arc;

use poem::endpoint::BoxEndpoint;
use poem::endpoint::make;
use poem::http::Method;
use poem::{EndpointExt as _, Request, Response};
use poem_openapi::OpenApi;
use poem_openapi::registry::{MetaApi, Registry};

use crate::http::problem::Problem;

pub use color::Color;
pub use look::Look;
pub use look::LookError;
pub use site::Site;
pub use visit::Visitor;

use visit::Visit;

/// One page at one path.
pub struct Route {
    /// The path, with parameters as `:name`.
    pub path: &'static str,
    /// GET or POST; HEAD comes with GET.
    pub method: Method,
    /// What answers.
    pub endpoint: BoxEndpoint<'static>,
}

impl Route {
    /// The path with parameters as the document writes them: `{name}`.
    pub fn documented(&self) -> String {
        let parts = self
            .path
            .split('/')
            .map(|part| match part.strip_prefix(':') {
                Some(name) => format!("{{{name}}}"),
                None => part.to_owned(),
            });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// All pages of `site`.
pub fn routes(site: &Arc<Site>) -> Vec<Route> {
    let mut routes = account::routes(site);
    routes.extend(inbox::routes(site));
    routes.extend(assets::routes(site));
    routes
}

/// The route of a page of `site`.
fn page<H, F>(site: &Arc<Site>, method: Method, path: &'static str, handler: H) -> Route
where
    H: Fn(Arc<Site>, Visit) -> F + Send + Sync + 'static,
    F: Future<Output = Result<Response, Problem>> + Send + 'static,
{
    let site = site.clone();
    let endpoint = make(move |request: Request| {
        let answer = Visit::new(&site, request).map(|visit| handler(site.clone(), visit));
        async move { Ok::<_, poem::Error>(answer?.await?) }
    });
    Route {
        path,
        method,
        endpoint: endpoint.boxed(),
    }
}

/// Pages as the HTTP library takes them: beside the operations, outside of the document.
pub struct Undocumented(pub Vec<Route>);

impl OpenApi for Undocumented {
    fn meta() -> Vec<MetaApi> {
        Vec::new()
    }

    fn register(_: &mut Registry) {}

    fn add_routes(self, routes: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {
        for route in self.0 {
            let methods = routes.entry(route.path.to_owned()).or_default();
            methods.insert(route.method, route.endpoint);
        }
    }
}
