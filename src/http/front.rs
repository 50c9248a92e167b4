//! What happens to every request, in one place and one pass: its id, its path without a trailing
//! slash, the body's limits, panics and errors as problems, the security headers, the counting.
//! What must not live here: anything about one operation, but the short cut to the check of a session.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use poem::endpoint::BoxEndpoint;
use poem::error::{MethodNotAllowedError, NotFoundError};
use poem::http::uri::PathAndQuery;
use poem::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use poem::{Endpoint, IntoResponse, Request, Response};
use poem_openapi::OperationId;
use poem_openapi::error::{ParseParamError, ParsePathError};

use crate::http::api::profile;
use crate::http::api::profile::ProfileApi;
use crate::http::body::Intake;
use crate::http::caller;
use crate::http::meter::Meter;
use crate::http::pages::Site;
use crate::http::pages::Visitor;
use crate::http::paths::Paths;
use crate::http::paths::loggable;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::world::World;

/// The door itself: everything that is asked comes through here.
pub struct Front {
    /// The operations and pages.
    pub routes: BoxEndpoint<'static>,
    /// Checks sessions without the detour over `routes`. Other services ask for that with every
    /// request of theirs; routing and the library's extractors cost as much as the check itself.
    pub short_cut: Option<ProfileApi>,
    /// The pages, where there are any: they tell of problems to people.
    pub site: Option<Arc<Site>>,
    /// The methods that each path has.
    pub paths: Paths,
    /// What is counted.
    pub meter: Arc<Meter>,
    /// What a body may cost.
    pub intake: Arc<Intake>,
    /// Whose clock counts.
    pub world: World,
    /// Names for requests.
    pub ids: RequestIds,
}

impl Front {
    /// Answers a request, whatever happens.
    pub async fn answer(&self, mut request: Request) -> Response {
        let began = self.world.elapsed();
        let id = self.ids.next();
        // Cheap: a Uri is counted, not copied.
        let asked = request.uri().clone();
        let method = request.method().clone();
        if let Some(site) = &self.site {
            strip_path(request.uri_mut(), &site.look.path);
        }
        strip_slash(request.uri_mut());
        let reader = self.site.as_ref().filter(|_| Site::is_for_people(&request));
        let reader = reader.map(|site| (site, Visitor::of(site, &request)));
        let answered = |problem: Problem| match &reader {
            Some((site, visitor)) => site.trouble(visitor, problem, id.text()),
            None => problem.into_response(id.text(), asked.path()),
        };
        if !matches!(method, Method::GET | Method::HEAD | Method::DELETE) {
            request.extensions_mut().insert(self.intake.clone());
        }
        let outcome = AssertUnwindSafe(self.dispatch(request, &asked))
            .catch_unwind()
            .await;
        let (operation, mut response) = match outcome {
            Ok((operation, Ok(response))) => (operation, response),
            Ok((operation, Err(problem))) => {
                if problem.kind().status() >= 500 {
                    tracing::error!(request_id = id.text(), %method, path = loggable(asked.path()),
                        code = problem.kind().code(), "a request failed");
                }
                (operation, answered(problem))
            }
            Err(panic) => {
                let message = panic
                    .downcast_ref::<&str>()
                    .copied()
                    .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
                    .unwrap_or("no message");
                tracing::error!(request_id = id.text(), %method, path = loggable(asked.path()),
                    message, "a handler panicked");
                (None, answered(Problem::new(Kind::Internal)))
            }
        };
        protect(&mut response, id.header());
        let took = self.world.elapsed().saturating_sub(began);
        let status = response.status().as_u16();
        let name = operation.map(|id| id.0);
        self.meter.answered(name, status, took);
        self.meter.passed(self.world.now(), name, status);
        tracing::debug!(request_id = id.text(), %method, path = loggable(asked.path()), status,
            took = ?took, "answered");
        response
    }

    async fn dispatch(
        &self,
        request: Request,
        asked: &Uri,
    ) -> (Option<OperationId>, Result<Response, Problem>) {
        if let Some(profile) = &self.short_cut
            && request.method() == Method::GET
            && request.uri().path() == profile::ME
        {
            let shown = profile.show(&request, caller::bearer(&request)).await;
            let answer = shown.map(IntoResponse::into_response);
            return (Some(OperationId(profile::GET_ME)), answer);
        }
        match self.routes.call(request).await {
            Ok(response) => (response.data::<OperationId>().copied(), Ok(response)),
            Err(error) => {
                let operation = error.data::<OperationId>().copied();
                (operation, Err(self.problem_of(error, asked)))
            }
        }
    }

    fn problem_of(&self, error: poem::Error, asked: &Uri) -> Problem {
        let error = match error.downcast::<Problem>() {
            Ok(problem) => return problem,
            Err(error) => error,
        };
        if error.is::<NotFoundError>() {
            return Problem::new(Kind::NoSuchPath)
                .detail("See /docs and /openapi.json for what there is.");
        }
        if error.is::<MethodNotAllowedError>() {
            let allow = self.paths.allow(asked.path());
            return Problem::new(Kind::MethodNotAllowed)
                .detail(format!("Allowed here: {allow}."))
                .header(header::ALLOW, allow);
        }
        if let Some(error) = error.downcast_ref::<ParseParamError>() {
            return Problem::parameter(error.name, &reason(&error.reason));
        }
        if let Some(error) = error.downcast_ref::<ParsePathError>() {
            return Problem::parameter(error.name, &reason(&error.reason));
        }
        if error.status() == StatusCode::BAD_REQUEST {
            return Problem::new(Kind::BadParameter).detail("A part of the path does not decode.");
        }
        tracing::error!(%error, "an error of the HTTP library that has no problem of its own");
        Problem::new(Kind::Internal)
    }
}

/// What the library says about a parameter, without its names for types.
fn reason(library: &str) -> String {
    if let Some(rule) = library.strip_prefix("verification failed. ") {
        let bound = |name: &str| {
            let rest = rule.strip_prefix(name)?.strip_prefix('(')?;
            rest.split([',', ')']).next()
        };
        return match (bound("minimum"), bound("maximum")) {
            (Some(least), _) => format!("must be at least {least}"),
            (_, Some(most)) => format!("must be at most {most}"),
            _ => format!("must satisfy {}", rule.replace(", exclusive: false", "")),
        };
    }
    let wanted = ["integer", "number", "boolean"]
        .into_iter()
        .find(|kind| library.contains(kind));
    match wanted {
        Some("integer") => "expected a whole number".to_owned(),
        Some("number") => "expected a number".to_owned(),
        Some(_) => "expected true or false".to_owned(),
        None => library.to_owned(),
    }
}

/// `/accounts/x` is `/x` where a proxy shows gatepost below `/accounts` and does not say so.
fn strip_path(uri: &mut Uri, prefix: &str) {
    if prefix.is_empty() {
        return;
    }
    let rest = match uri.path().strip_prefix(prefix) {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => return,
    };
    replace_path(uri, &rest);
}

/// `/x/` is `/x`. The root stays.
fn strip_slash(uri: &mut Uri) {
    let path = uri.path();
    let bare = match path.strip_suffix('/') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => return,
    };
    replace_path(uri, &bare);
}

fn replace_path(uri: &mut Uri, path: &str) {
    let text = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = std::mem::take(uri).into_parts();
    // A part of a valid path is a valid path; were it not, the request would lead nowhere.
    parts.path_and_query = PathAndQuery::try_from(text).ok();
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

const NO_SNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const NO_REFERRER: HeaderValue = HeaderValue::from_static("no-referrer");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const NOTHING: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

fn protect(response: &mut Response, id: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, NO_SNIFF);
    headers.insert(header::REFERRER_POLICY, NO_REFERRER);
    // A page or a download brings its own.
    headers.entry(header::CACHE_CONTROL).or_insert(NO_STORE);
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(NOTHING);
}

/// Names for requests: a part drawn at the start and a count, so that naming one costs neither a
/// system call nor a lock. They are for finding a request again, not for proving anything.
pub struct RequestIds {
    prefix: String,
    count: AtomicU64,
}

impl RequestIds {
    /// Names that differ from those of other processes.
    pub fn new(world: &World) -> RequestIds {
        let drawn = u64::from_be_bytes(world.bytes());
        RequestIds {
            prefix: format!("rq_{:012x}-", drawn >> 16),
            count: AtomicU64::new(1),
        }
    }

    fn next(&self) -> RequestId {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        let digits = (64 - count.leading_zeros()).div_ceil(4).max(1);
        // Exactly as long as it gets: a header value of it then need not be copied.
        let mut text = String::with_capacity(self.prefix.len() + digits as usize);
        text.push_str(&self.prefix);
        for digit in (0..digits).rev() {
            let nibble = (count >> (digit * 4)) & 0xf;
            let nibble = u32::try_from(nibble).unwrap_or(0);
            text.push(char::from_digit(nibble, 16).unwrap_or('0'));
        }
        RequestId(HeaderValue::try_from(text).expect("letters, digits and hyphens"))
    }
}

struct RequestId(HeaderValue);

impl RequestId {
    fn text(&self) -> &str {
        self.0.to_str().expect("letters, digits and hyphens")
    }

    fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// How long a client is told to wait when the store is out of order.
pub const STORE_PAUSE: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[test]
    fn a_trailing_slash_does_not_matter() {
        for (from, to) in [
            ("/", "/"),
            ("/x/", "/x"),
            ("/x/?a=b/", "/x?a=b/"),
            ("/x?a=/", "/x?a=/"),
            ("/x", "/x"),
            ("//", "/"),
            ("http://a.test/x/", "http://a.test/x"),
        ] {
            let mut uri: Uri = from.parse().unwrap();
            strip_slash(&mut uri);
            assert_eq!(uri.to_string(), to, "{from}");
        }
    }

    #[test]
    fn request_ids_count_up() {
        let ids = RequestIds::new(&Simulated::new(1).world());
        let first = ids.next();
        assert!(first.text().ends_with("-1"), "{}", first.text());
        for _ in 0..0x19 {
            ids.next();
        }
        assert!(ids.next().text().ends_with("-1b"));
    }

    #[tokio::test]
    async fn a_panic_is_500_and_tells_nothing_but_the_request_id() {
        let world = Simulated::new(1).world();
        let panics = poem::endpoint::make_sync(|_| -> Response { panic!("secret of the house") });
        let front = Front {
            routes: poem::EndpointExt::boxed(panics),
            short_cut: None,
            site: None,
            paths: Paths::default(),
            meter: Arc::new(Meter::new([])),
            intake: Arc::new(Intake {
                limit: 1,
                patience: Duration::ZERO,
                world: world.clone(),
            }),
            ids: RequestIds::new(&world),
            world,
        };
        let response = front.answer(Request::default()).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let id = response.header("x-request-id").unwrap().to_owned();
        let body = response.into_body().into_string().await.unwrap();
        assert!(
            body.contains("\"code\":\"internal\"") && body.contains(&id),
            "{body}"
        );
        assert!(!body.contains("secret"), "{body}");
    }
}
