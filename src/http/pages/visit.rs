//! A request for a page, with what every page has to know of it: the language, the way back to
//! the root, the cookies, and its form once it is known to be ours.

use poem::Request;

use crate::http::body;
use crate::http::caller;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity;
use crate::language::Language;

use super::cookies;
use super::cookies::Name;
use super::csrf;
use super::csrf::Csrf;
use super::form::Form;
use super::site::Site;
use super::words::Words;

/// Whoever looks at a page, and from where.
#[derive(Clone)]
pub struct Visitor {
    /// In what language.
    pub language: Language,
    /// Whether they chose it, here and for good.
    pub chose: bool,
    /// The way to the root from where the browser stands: `../../`. Relative, so that it is right
    /// below any path that a proxy puts before it.
    pub root: String,
    /// Where the browser stands, from the root: `users/login/?next=/x`.
    pub place: String,
    /// What proves that their forms are ours.
    pub csrf: Csrf,
}

impl Visitor {
    /// Whoever sent `request`.
    pub fn of(site: &Site, request: &Request) -> Visitor {
        let path = request.original_uri().path();
        let path = path.strip_prefix(site.look.path.as_str()).unwrap_or(path);
        let place = path.strip_prefix('/').unwrap_or(path);
        let depth = place.matches('/').count();
        let chosen = cookies::read(request, Name::Language, site.https);
        let chosen: Option<Language> = chosen.and_then(|tag| tag.parse().ok());
        let secret = cookies::read(request, Name::Csrf, site.https);
        Visitor {
            language: chosen
                .or_else(|| caller::language(request))
                .unwrap_or(site.language),
            chose: chosen.is_some(),
            root: match depth {
                // `/accounts` without a slash at its end: what is below it begins with its name.
                0 if path.is_empty() => {
                    let name = site.look.path.rsplit('/').next().unwrap_or_default();
                    format!("{name}/")
                }
                0 => "./".to_owned(),
                depth => "../".repeat(depth),
            },
            place: match request.original_uri().query() {
                Some(query) => format!("{place}?{query}"),
                None => place.to_owned(),
            },
            csrf: Csrf::of(secret.as_deref(), &site.world),
        }
    }

    /// The texts for them.
    pub fn words(&self) -> Words {
        Words(self.language)
    }
}

/// A request for a page.
pub struct Visit {
    request: Request,
    /// Who looks.
    pub visitor: Visitor,
    https: bool,
    origin: String,
    trusted_proxies: usize,
}

impl Visit {
    /// The request, with what is known of whoever sent it.
    pub fn new(site: &Site, request: Request) -> Result<Visit, Problem> {
        Ok(Visit {
            visitor: Visitor::of(site, &request),
            request,
            https: site.https,
            origin: site.origin.clone(),
            trusted_proxies: site.trusted_proxies,
        })
    }

    /// The request itself.
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// The client as identity wants it.
    pub fn client(&self) -> identity::Client {
        caller::client(&self.request, self.trusted_proxies)
    }

    /// A part of the path; empty when there is none of the name.
    pub fn parameter(&self, name: &str) -> &str {
        self.request.raw_path_param(name).unwrap_or_default()
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.request.uri().query().unwrap_or_default();
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let found = pairs.find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }

    /// A cookie that came along.
    pub fn cookie(&self, name: Name) -> Option<String> {
        cookies::read(&self.request, name, self.https).filter(|value| !value.is_empty())
    }

    /// The form that was sent, if a page of ours showed it.
    ///
    /// # Errors
    /// It is none of ours, too large, too slow, or no form at all.
    pub async fn form(&mut self) -> Result<Form, Problem> {
        if !csrf::is_same_site(&self.request, &self.origin) {
            return Err(Problem::new(Kind::OriginRefused));
        }
        let body = self.request.take_body();
        let form = Form::parse(&body::read_form(&self.request, body).await?);
        match self.visitor.csrf.matches(&form.text("csrf")) {
            true => Ok(form),
            false => Err(Problem::new(Kind::FormRefused)),
        }
    }
}
