//! What all pages share, and how one is drawn: the values that every template has, the headers
//! that every answer has.

use std::sync::Arc;

use minijinja::Value;
use poem::http::{HeaderValue, StatusCode, header};
use poem::{Request, Response};

use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity::Accounts;
use crate::language::Language;
use crate::world::World;

use super::answer;
use super::assets::Assets;
use super::cookies;
use super::cookies::Name;
use super::inbox::Desk;
use super::look::Look;
use super::visit::Visitor;

/// What all pages share.
pub struct Site {
    /// How they look.
    pub look: Arc<Look>,
    /// What they load.
    pub assets: Assets,
    /// Whom they serve.
    pub accounts: Accounts,
    /// The language of people who like none of ours.
    pub language: Language,
    /// Whether the site is reached by https.
    pub https: bool,
    /// Scheme and host of the site.
    pub origin: String,
    /// Whether it runs on a developer's machine.
    pub development: bool,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
    /// What the pages of the inbox go by.
    pub desk: Desk,
    /// Time and chance.
    pub world: World,
    policy: HeaderValue,
}

/// What a [`Site`] is made of.
pub struct Parts {
    /// See [`Site::look`].
    pub look: Arc<Look>,
    /// See [`Site::accounts`].
    pub accounts: Accounts,
    /// Where the service is found from outside.
    pub base_url: String,
    /// See [`Site::language`].
    pub language: Language,
    /// See [`Site::development`].
    pub development: bool,
    /// See [`Site::trusted_proxies`].
    pub trusted_proxies: usize,
    /// See [`Site::desk`].
    pub desk: Desk,
    /// See [`Site::world`].
    pub world: World,
}

impl Site {
    /// The pages of these parts.
    pub fn new(parts: Parts) -> Arc<Site> {
        let origin = url::Url::parse(&parts.base_url)
            .map(|url| url.origin().ascii_serialization())
            .unwrap_or_default();
        // A browser holds `form-action` against where a form's answer sends it as well.
        let elsewhere: String = parts
            .look
            .return_to
            .origins()
            .iter()
            .map(|origin| format!(" {origin}"))
            .collect();
        let policy = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
             connect-src 'self'; frame-src 'self'; form-action 'self'{elsewhere}; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        Arc::new(Site {
            assets: Assets::new(&parts.look),
            policy: HeaderValue::try_from(policy).expect("origins are printable ASCII"),
            https: parts.base_url.starts_with("https://"),
            origin,
            look: parts.look,
            accounts: parts.accounts,
            language: parts.language,
            development: parts.development,
            trusted_proxies: parts.trusted_proxies,
            desk: parts.desk,
            world: parts.world,
        })
    }

    /// The page that `template` makes of `values` for `visitor`.
    pub fn show(&self, visitor: &Visitor, template: &str, values: Value) -> Response {
        self.show_as(StatusCode::OK, visitor, template, values)
    }

    /// The same where the form on it was refused.
    pub fn show_again(&self, visitor: &Visitor, template: &str, values: Value) -> Response {
        let status = Kind::InvalidFields.status_code();
        self.show_as(status, visitor, template, values)
    }

    /// The same with another status.
    pub fn show_as(
        &self,
        status: StatusCode,
        visitor: &Visitor,
        template: &str,
        values: Value,
    ) -> Response {
        let csrf = visitor.csrf.field(&self.world);
        let languages: Vec<Value> = Language::ALL
            .into_iter()
            .map(|language| {
                minijinja::context! {
                    tag => language.tag(),
                    name => answer::own_name(language),
                    chosen => language == visitor.language,
                }
            })
            .collect();
        let everywhere = minijinja::context! {
            t => visitor.words().function(),
            csrf => Value::from_safe_string(format!(
                "<input type=\"hidden\" name=\"csrf\" value=\"{csrf}\">"
            )),
            root => Value::from_safe_string(visitor.root.clone()),
            place => visitor.place.as_str(),
            language => answer::html_tag(visitor.language),
            languages => languages,
            site_name => self.look.site_name.as_str(),
            has_logo => self.look.logo.is_some(),
            version => self.assets.version.as_str(),
            development => self.development,
        };
        let page = self
            .look
            .templates
            .render(template, &minijinja::context! { ..values, ..everywhere });
        let mut response = Response::default();
        response.set_status(status);
        response.set_body(page);
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        headers.insert(
            header::CONTENT_LANGUAGE,
            HeaderValue::from_static(answer::html_tag(visitor.language)),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("Accept-Language, Cookie"),
        );
        if visitor.csrf.fresh {
            cookies::set(
                &mut response,
                Name::Csrf,
                &visitor.csrf.cookie(),
                None,
                self.https,
            );
        }
        response
    }

    /// Whether whoever sent `request` would rather read a page than a problem document.
    pub fn is_for_people(request: &Request) -> bool {
        let accepts = request.headers().get(header::ACCEPT);
        !request.uri().path().starts_with("/api/")
            && accepts
                .and_then(|accepts| accepts.to_str().ok())
                .is_some_and(|accepts| accepts.contains("text/html"))
    }

    /// The page that tells of a problem.
    pub fn trouble(&self, visitor: &Visitor, problem: Problem, request_id: &str) -> Response {
        let words = visitor.words();
        let kind = problem.kind();
        let (title, text) = (
            format!("trouble_{}_title", kind.code()),
            format!("trouble_{}", kind.code()),
        );
        let known = words.find(&text).is_some();
        let values = minijinja::context! {
            heading => words.say(if known { &title } else { "trouble_title" }),
            explanation => words.say(if known { &text } else { "trouble" }),
            request_id => request_id,
            ours => kind.status() >= 500,
        };
        let status = kind.status_code();
        let mut response = self.show_as(status, visitor, "trouble.html", values);
        for (name, value) in problem.into_headers() {
            response.headers_mut().insert(name, value);
        }
        response
    }
}
