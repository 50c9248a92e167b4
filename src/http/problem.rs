//! What can go wrong at this door, as problem documents (RFC 9457). The one file that knows the
//! status codes of errors: everybody else names a [`Kind`]. What must not live here: the mapping
//! from the domain's errors (beside the operations) and anything that reads a request.

use std::time::Duration;

use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, Response};
use serde::Serialize;
use serde_json::{Value, json};

/// The media type of every error.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// Declares the table of problems: name, status, code, title and an example of `detail`.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal $code:literal $title:literal, $detail:literal;)*) => {
        /// A kind of problem. Its code is stable: clients may build on it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($(#[$doc])* $name,)* }

        impl Kind {
            /// All of them.
            pub const ALL: &'static [Kind] = &[$(Kind::$name),*];

            /// The HTTP status.
            pub const fn status(self) -> u16 {
                match self { $(Kind::$name => $status,)* }
            }

            /// The stable word for machines.
            pub const fn code(self) -> &'static str {
                match self { $(Kind::$name => $code,)* }
            }

            /// What people read, the same for every occurrence.
            pub const fn title(self) -> &'static str {
                match self { $(Kind::$name => $title,)* }
            }

            /// What `detail` may say, for the document.
            const fn sample(self) -> &'static str {
                match self { $(Kind::$name => $detail,)* }
            }
        }
    };
}

kinds! {
    /// The body is not JSON.
    MalformedBody = 400 "malformed_body" "The body is not valid JSON",
        "expected `,` or `}` at line 1 column 28";
    /// A path or query parameter is unknown or malformed.
    BadParameter = 400 "bad_parameter" "A parameter is not valid",
        "limit: expected a whole number from 1 to 200";
    /// A wrong, lapsed or used-up code.
    CodeRefused = 400 "code_refused" "The code is wrong or has lapsed",
        "Check the code, or ask for a new one.";
    /// A wrong, lapsed or used verification token.
    TokenRefused = 400 "token_refused" "The verification token is wrong, used or has lapsed",
        "Verify a new code to get another token.";
    /// A wrong, lapsed or used reset link.
    LinkRefused = 400 "link_refused" "The reset link is wrong, used or has lapsed",
        "Ask for a new link.";
    /// No session, or one that has ended.
    Unauthenticated = 401 "unauthenticated" "A valid session is required",
        "Send the token of a session: Authorization: Bearer gps_…";
    /// The operator's token is missing or wrong.
    AdminRequired = 401 "admin_token_required" "The operator's token is required",
        "Send the token of data/admin.token: Authorization: Bearer gpa_…";
    /// The API key is missing, wrong or revoked.
    ApiKeyRequired = 401 "api_key_required" "A valid API key is required",
        "Send a key made with gatepost key create: Authorization: Bearer gpk_…";
    /// Address and password do not belong together.
    CredentialsRefused = 401 "credentials_refused" "The address or the password is wrong",
        "Check both, or reset the password.";
    /// The current password is wrong.
    WrongPassword = 403 "wrong_password" "The current password is wrong",
        "Check it, or reset the password.";
    /// A Host header that this server does not answer to (DNS rebinding).
    HostRefused = 403 "host_refused" "This host name is not allowed here",
        "Use localhost, add the name to the allowed hosts, or send the operator's token.";
    /// A page of another origin asks.
    OriginRefused = 403 "origin_refused" "Requests from other origins are not allowed here",
        "Send the operator's token.";
    /// A form of a page without what proves that the page was ours.
    FormRefused = 403 "form_refused" "The form is out of date or not from this site",
        "Open the page again and fill it in once more; the browser must accept cookies.";
    /// The path has no operation.
    NoSuchPath = 404 "no_such_path" "There is nothing at this path",
        "See /docs for what there is.";
    /// The path is right, the thing is not there.
    NotFound = 404 "not_found" "There is no such thing",
        "Check the identifier; what it names may have been deleted.";
    /// The path has no such method; `Allow` lists the ones it has.
    MethodNotAllowed = 405 "method_not_allowed" "The path does not have this method",
        "Allowed here: GET, HEAD, DELETE.";
    /// The body did not arrive in time.
    BodyTimeout = 408 "body_timeout" "The body did not arrive in time",
        "The body must arrive within 20 seconds.";
    /// The address has an account already.
    AddressTaken = 409 "address_taken" "The address has an account already",
        "Log in, or reset the password.";
    /// An idempotency key that came with another body before.
    IdempotencyConflict = 409 "idempotency_conflict" "The idempotency key was used for another mail",
        "Take a new Idempotency-Key for a new mail, and the same body for a repetition.";
    /// As many API keys as there may be.
    TooManyKeys = 409 "too_many_keys" "There are too many API keys",
        "There are 1000 keys already; revoke one that nobody uses.";
    /// The mail's state forbids what was asked for.
    OutboxConflict = 409 "outbox_conflict" "This cannot be done to the mail as it stands",
        "It was sent already.";
    /// A secret that must not be told, or is not there any more.
    NotRevealable = 409 "not_revealable" "This cannot be revealed",
        "Codes and links are told by gatepost dev alone.";
    /// An order that is repeated, whose mail the outbox has forgotten.
    MailForgotten = 410 "mail_forgotten" "The mail was ordered before and is forgotten",
        "The outbox no longer knows what became of it. It is not made anew.";
    /// The body is over the limit.
    BodyTooLarge = 413 "body_too_large" "The body is over the limit",
        "A body has at most 65536 bytes.";
    /// The body is not declared as JSON.
    UnsupportedMediaType = 415 "unsupported_media_type" "The body must be JSON",
        "Send Content-Type: application/json.";
    /// Fields are missing or not valid: `errors` names them all.
    InvalidFields = 422 "invalid_fields" "Fields are missing or not valid",
        "1 field is not valid.";
    /// A rate limit.
    TooManyRequests = 429 "too_many_requests" "Too many requests",
        "Try again in 37 seconds.";
    /// A fault of ours.
    Internal = 500 "internal" "Something went wrong here",
        "The operator finds more in the log under the request id.";
    /// The store refuses.
    Unavailable = 503 "unavailable" "The service cannot reach its store",
        "Nothing was changed. Try again shortly.";
    /// Every slot for hashing is busy.
    Busy = 503 "busy" "The service is busy",
        "Try again shortly.";
    /// The service is being stopped.
    ShuttingDown = 503 "shutting_down" "The service is being stopped",
        "Try again shortly.";
}

impl Kind {
    /// The status as the HTTP library names it.
    pub fn status_code(self) -> StatusCode {
        StatusCode::from_u16(self.status()).expect("the table holds valid statuses")
    }

    /// The problem's type (RFC 9457, 3.1.1): a name, not a page.
    pub fn type_uri(self) -> String {
        format!("urn:gatepost:problem:{}", self.code())
    }

    /// Whether answers of this kind carry `Retry-After`.
    pub const fn has_retry_after(self) -> bool {
        matches!(
            self,
            Kind::TooManyRequests | Kind::Unavailable | Kind::Busy | Kind::ShuttingDown
        )
    }

    /// A document of this kind as the OpenAPI document shows it.
    pub fn example(self, instance: &str) -> Value {
        let mut problem = Problem::new(self);
        match self {
            Kind::InvalidFields => {
                problem.0.errors = vec![FieldProblem {
                    pointer: "/email".to_owned(),
                    code: "required".into(),
                    detail: "this field is required".to_owned(),
                }];
            }
            Kind::BadParameter => {
                problem.0.errors = vec![FieldProblem {
                    pointer: "limit".to_owned(),
                    code: "bad_parameter".into(),
                    detail: "expected a whole number from 1 to 200".to_owned(),
                }];
            }
            Kind::CodeRefused => problem.0.attempts_left = Some(4),
            Kind::TooManyRequests => problem.0.retry_after = Some(37),
            Kind::MalformedBody => problem.0.place = Some((1, 28)),
            _ if self.has_retry_after() => problem.0.retry_after = Some(2),
            _ => {}
        }
        problem.to_json("rq_2f1c9a7be05d-1a", instance)
    }
}

/// One field or parameter that is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldProblem {
    /// Where: a JSON pointer into the body (RFC 6901), or the name of a parameter.
    pub pointer: String,
    /// A stable word, such as `required`.
    pub code: std::borrow::Cow<'static, str>,
    /// What would be right.
    pub detail: String,
}

/// One occurrence of a problem, on its way to the client. The request's id and path are added
/// when it is rendered.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.kind.code())]
pub struct Problem(Box<Occurrence>);

/// Boxed: most requests go well, and need not carry room for what could be said if not.
#[derive(Debug, Clone)]
struct Occurrence {
    kind: Kind,
    detail: Option<String>,
    errors: Vec<FieldProblem>,
    attempts_left: Option<u32>,
    retry_after: Option<u64>,
    place: Option<(usize, usize)>,
    headers: Vec<(HeaderName, String)>,
}

impl Problem {
    /// A problem of this kind, with nothing more to say.
    pub fn new(kind: Kind) -> Problem {
        Problem(Box::new(Occurrence {
            kind,
            detail: None,
            errors: Vec::new(),
            attempts_left: None,
            retry_after: None,
            place: None,
            headers: Vec::new(),
        }))
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// What this very occurrence is about, for people. Never anything from inside.
    pub fn detail(mut self, detail: impl Into<String>) -> Problem {
        self.0.detail = Some(detail.into());
        self
    }

    /// How many tries are left.
    pub fn attempts_left(mut self, left: u32) -> Problem {
        self.0.attempts_left = Some(left);
        self
    }

    /// When it is worth trying again: whole seconds, rounded up, at least one.
    pub fn retry_after(mut self, pause: Duration) -> Problem {
        self.0.retry_after = Some(seconds(pause));
        self
    }

    /// A header that goes with it.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Problem {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Fields that are missing or not valid.
    pub fn fields(errors: Vec<FieldProblem>) -> Problem {
        let count = errors.len();
        let mut problem = Problem::new(Kind::InvalidFields).detail(match count {
            1 => "1 field is not valid.".to_owned(),
            _ => format!("{count} fields are not valid."),
        });
        problem.0.errors = errors;
        problem
    }

    /// A parameter of the path or the query that is not right.
    pub fn parameter(name: &str, reason: &str) -> Problem {
        let mut problem = Problem::new(Kind::BadParameter).detail(format!("{name}: {reason}"));
        problem.0.errors.push(FieldProblem {
            pointer: name.to_owned(),
            code: "bad_parameter".into(),
            detail: reason.to_owned(),
        });
        problem
    }

    /// A body that is not JSON, with the place (line and column, from 1) where that showed.
    pub fn malformed(reason: String, line: usize, column: usize) -> Problem {
        let mut problem = Problem::new(Kind::MalformedBody).detail(reason);
        problem.0.place = Some((line, column));
        problem
    }

    /// A rate limit called `name`, of `quota` in each `window`, with the header fields of
    /// draft-ietf-httpapi-ratelimit-headers-10.
    pub fn limited(name: &str, quota: u32, window: Duration, pause: Duration) -> Problem {
        let after = seconds(pause);
        Problem::new(Kind::TooManyRequests)
            .detail(format!("Try again in {after} seconds (limit {name})."))
            .retry_after(pause)
            .header(
                HeaderName::from_static("ratelimit"),
                format!("\"{name}\";r=0;t={after}"),
            )
            .header(
                HeaderName::from_static("ratelimit-policy"),
                format!("\"{name}\";q={quota};w={}", window.as_secs()),
            )
    }

    fn to_json(&self, request_id: &str, instance: &str) -> Value {
        let mut body = json!({
            "type": self.0.kind.type_uri(),
            "title": self.0.kind.title(),
            "status": self.0.kind.status(),
            "detail": self.0.detail.as_deref().unwrap_or(self.0.kind.sample()),
            "instance": instance,
            "code": self.0.kind.code(),
            "request_id": request_id,
        });
        let fields = body.as_object_mut().expect("made as an object above");
        if !self.0.errors.is_empty() {
            fields.insert("errors".to_owned(), json!(self.0.errors));
        }
        if let Some((line, column)) = self.0.place {
            fields.insert("line".to_owned(), json!(line));
            fields.insert("column".to_owned(), json!(column));
        }
        if let Some(left) = self.0.attempts_left {
            fields.insert("attempts_left".to_owned(), json!(left));
        }
        if let Some(pause) = self.0.retry_after {
            fields.insert("retry_after".to_owned(), json!(pause));
        }
        body
    }

    /// The answer. `instance` is the path that was asked for.
    pub fn into_response(self, request_id: &str, instance: &str) -> Response {
        let body = self.to_json(request_id, instance).to_string();
        let mut response = Response::builder()
            .status(self.0.kind.status_code())
            .content_type(MEDIA_TYPE)
            .body(Body::from(body));
        if self.0.kind.status() == 401 {
            let realm = match self.0.kind {
                Kind::AdminRequired => "Bearer realm=\"operator\"",
                Kind::ApiKeyRequired => "Bearer realm=\"mail\"",
                _ => "Bearer realm=\"account\"",
            };
            let headers = response.headers_mut();
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(realm));
        }
        for (name, value) in self.into_headers() {
            response.headers_mut().insert(name, value);
        }
        response
    }

    /// The headers that go with it, whatever the body is.
    pub fn into_headers(self) -> Vec<(HeaderName, HeaderValue)> {
        let pause = self.0.retry_after.map(HeaderValue::from);
        let pause = pause.map(|pause| (header::RETRY_AFTER, pause));
        let given = self.0.headers.into_iter();
        let given =
            given.filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?)));
        pause.into_iter().chain(given).collect()
    }
}

fn seconds(pause: Duration) -> u64 {
    let up = u64::from(pause.subsec_nanos() > 0);
    (pause.as_secs() + up).max(1)
}

/// The schema of a problem document, for the OpenAPI document.
pub fn schema() -> Value {
    let text = |description: &str| json!({"type": "string", "description": description});
    json!({
        "type": "object",
        "description": "A problem document (RFC 9457). `code` is stable: build on it.",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "properties": {
            "type": {"type": "string", "format": "uri-reference",
                "description": "The kind of problem, as a URI. A name, not a page."},
            "title": text("What this kind of problem is called."),
            "status": {"type": "integer", "format": "int32", "description": "The HTTP status."},
            "detail": text("What happened this time."),
            "instance": text("The path that was asked for."),
            "code": {"type": "string", "description": "A stable word for machines.",
                "enum": Kind::ALL.iter().map(|kind| kind.code()).collect::<Vec<_>>()},
            "request_id": text("Also in the header X-Request-Id and in the log."),
            "errors": {
                "type": "array",
                "description": "The fields or parameters that are not right, all of them.",
                "items": {
                    "type": "object",
                    "required": ["pointer", "code", "detail"],
                    "properties": {
                        "pointer": text("A JSON pointer into the body (RFC 6901), or the parameter's name."),
                        "code": text("A stable word, such as `required`."),
                        "detail": text("What would be right."),
                    },
                },
            },
            "line": {"type": "integer", "description": "Where the body stops being JSON, from 1."},
            "column": {"type": "integer", "description": "Where the body stops being JSON, from 1."},
            "attempts_left": {"type": "integer", "description": "How many tries are left."},
            "retry_after": {"type": "integer",
                "description": "After how many seconds trying again is worthwhile."},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_distinct_words_and_statuses_are_errors() {
        let mut seen = std::collections::HashSet::new();
        for kind in Kind::ALL {
            assert!(seen.insert(kind.code()), "{} twice", kind.code());
            assert!(
                kind.code()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_')
            );
            assert!((400..600).contains(&kind.status_code().as_u16()));
        }
    }

    #[test]
    fn a_pause_is_rounded_up_and_never_nothing() {
        assert_eq!(seconds(Duration::ZERO), 1);
        assert_eq!(seconds(Duration::from_millis(1001)), 2);
        assert_eq!(seconds(Duration::from_secs(3)), 3);
    }

    #[test]
    fn a_problem_says_all_it_knows() {
        let problem = Problem::new(Kind::CodeRefused).attempts_left(3);
        let body = problem.to_json("rq_1", "/x");
        assert_eq!(body["attempts_left"], 3);
        assert_eq!(body["type"], "urn:gatepost:problem:code_refused");
        assert_eq!(body["request_id"], "rq_1");
        assert!(body.get("errors").is_none());
    }
}
