//! Answers that went well, one type a status. What must not live here: problems.

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use poem::http::{HeaderName, HeaderValue, StatusCode, header};
use poem::{Body, IntoResponse, Request, Response};
use poem_openapi::registry::{
    MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry,
};
use poem_openapi::types::Type;
use poem_openapi::{ApiResponse, Object};
use serde::Serialize;

use crate::text::hides;

const JSON: &str = "application/json";

fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let mut body = Vec::with_capacity(512);
    serde_json::to_writer(&mut body, value).expect("answers are plain data with text keys");
    let mut response = Response::default();
    response.set_status(status);
    response.set_body(body);
    let kind = HeaderValue::from_static(JSON);
    let headers = response.headers_mut();
    // Room for what the front adds, and for Date and Content-Length, in one go.
    headers.reserve(10);
    headers.insert(header::CONTENT_TYPE, kind);
    response
}

fn meta(
    status: StatusCode,
    description: &'static str,
    content: Option<(&'static str, MetaSchemaRef)>,
    headers: Vec<MetaHeader>,
) -> MetaResponses {
    MetaResponses {
        responses: vec![MetaResponse {
            description,
            status: Some(status.as_u16()),
            status_range: None,
            content: content
                .into_iter()
                .map(|(content_type, schema)| MetaMediaType {
                    content_type,
                    schema,
                })
                .collect(),
            headers,
        }],
    }
}

fn text_header(name: &str, description: &str) -> MetaHeader {
    MetaHeader {
        name: name.to_owned(),
        description: Some(description.to_owned()),
        required: false,
        deprecated: false,
        schema: String::schema_ref(),
    }
}

macro_rules! answer {
    ($(#[$doc:meta])* $name:ident, $status:ident, $description:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<T>(pub T);

        impl<T: Serialize + Send> IntoResponse for $name<T> {
            fn into_response(self) -> Response {
                json(StatusCode::$status, &self.0)
            }
        }

        impl<T: Type> ApiResponse for $name<T> {
            fn meta() -> MetaResponses {
                meta(StatusCode::$status, $description, Some((JSON, T::schema_ref())), Vec::new())
            }

            fn register(registry: &mut Registry) {
                T::register(registry);
            }
        }
    };
}

answer!(
    /// 200 with a JSON body.
    Reply, OK, "Done."
);
answer!(
    /// 201 with a JSON body.
    Created, CREATED, "Made."
);
answer!(
    /// 202 with a JSON body: what was asked for happens outside of this request.
    Accepted, ACCEPTED, "Accepted. The answer is the same for every address, known or not."
);

/// 202 with a mail that was ordered, and where it is looked after.
#[derive(Debug)]
pub struct Ordered<T> {
    /// The mail.
    pub body: T,
    /// Its path.
    pub location: String,
    /// Whether it had been ordered before.
    pub repeated: bool,
}

impl<T: Serialize + Send> IntoResponse for Ordered<T> {
    fn into_response(self) -> Response {
        let mut response = json(StatusCode::ACCEPTED, &self.body);
        let headers = response.headers_mut();
        if let Ok(location) = HeaderValue::try_from(self.location) {
            headers.insert(header::LOCATION, location);
        }
        if self.repeated {
            let name = HeaderName::from_static("idempotency-replayed");
            headers.insert(name, HeaderValue::from_static("true"));
        }
        response
    }
}

impl<T: Type> ApiResponse for Ordered<T> {
    fn meta() -> MetaResponses {
        let headers = vec![
            text_header("Location", "Where the mail is looked after."),
            text_header(
                "Idempotency-Replayed",
                "`true` where the same order came before; absent otherwise.",
            ),
        ];
        let content = Some((JSON, T::schema_ref()));
        let description = "Ordered: the mail is in the outbox.";
        meta(StatusCode::ACCEPTED, description, content, headers)
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 204: done, and there is nothing to say.
#[derive(Debug)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}

impl ApiResponse for NoContent {
    fn meta() -> MetaResponses {
        meta(
            StatusCode::NO_CONTENT,
            "Done; the answer has no body.",
            None,
            Vec::new(),
        )
    }

    fn register(_: &mut Registry) {}
}

/// 200 with what was waited for, or 204 when it did not come in time.
#[derive(Debug)]
pub enum Awaited<T> {
    /// It is there.
    Came(T),
    /// The time is up.
    TimeUp,
}

impl<T: Serialize + Send> IntoResponse for Awaited<T> {
    fn into_response(self) -> Response {
        match self {
            Awaited::Came(value) => json(StatusCode::OK, &value),
            Awaited::TimeUp => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

impl<T: Type> ApiResponse for Awaited<T> {
    fn meta() -> MetaResponses {
        let came = Some((JSON, T::schema_ref()));
        let mut all = meta(StatusCode::OK, "It is there.", came, Vec::new());
        let late = meta(
            StatusCode::NO_CONTENT,
            "The time is up; ask again.",
            None,
            Vec::new(),
        );
        all.responses.extend(late.responses);
        all
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// 200 with a page of a list, and a `Link` to the next one (RFC 8288).
#[derive(Debug)]
pub struct Page<T> {
    page: T,
    /// The path and query of the next page.
    next: Option<String>,
}

impl<T> Page<T> {
    /// The answer to `request`. The next page is asked for as this one was, with another cursor.
    pub fn of(page: T, request: &Request, next_cursor: Option<&str>) -> Page<T> {
        let next = next_cursor.map(|cursor| {
            let query = request.uri().query().unwrap_or_default();
            let mut next = url::form_urlencoded::Serializer::new(String::new());
            for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
                if name != "cursor" {
                    next.append_pair(&name, &value);
                }
            }
            next.append_pair("cursor", cursor);
            format!("{}?{}", request.uri().path(), next.finish())
        });
        Page { page, next }
    }
}

impl<T: Serialize + Send> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let mut response = json(StatusCode::OK, &self.page);
        let link = self
            .next
            .and_then(|next| HeaderValue::try_from(format!("<{next}>; rel=\"next\"")).ok());
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}

impl<T: Type> ApiResponse for Page<T> {
    fn meta() -> MetaResponses {
        let link = text_header(
            "Link",
            "The next page, as rel=\"next\"; absent on the last one.",
        );
        let content = Some((JSON, T::schema_ref()));
        meta(StatusCode::OK, "A page of the list.", content, vec![link])
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

/// How many were there.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct Deleted {
    /// How many were deleted or ended.
    pub deleted: u64,
}

impl poem_openapi::types::Example for Deleted {
    fn example() -> Deleted {
        Deleted { deleted: 3 }
    }
}

/// 200 with bytes that came from outside: always a download, never shown or run by a browser.
#[derive(Debug)]
pub struct Download {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// The media type to declare.
    pub media_type: &'static str,
    /// The file name to propose.
    pub filename: String,
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.set_body(Body::from(self.bytes));
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static(self.media_type),
        );
        if let Ok(value) = HeaderValue::try_from(disposition(&self.filename)) {
            headers.insert(header::CONTENT_DISPOSITION, value);
        }
        // For browsers that would open the download in their own window.
        let sandbox = HeaderValue::from_static("default-src 'none'; sandbox");
        headers.insert(HeaderName::from_static("content-security-policy"), sandbox);
        response
    }
}

/// What stands for itself in an extended parameter (RFC 8187, 3.2.1), as far as names need it.
const UNRESERVED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'-')
    .remove(b'_');

/// `attachment` with a name in ASCII and, where that is not the whole name, in UTF-8 (RFC 6266).
fn disposition(filename: &str) -> String {
    let safe: String = filename
        .chars()
        .map(|c| match c {
            '/' | '\\' | '"' | '<' | '>' | ':' | '|' | '?' | '*' => '_',
            // So that `exe.txt` is not `txt.exe`.
            c if hides(c) => '_',
            c => c,
        })
        .take(120)
        .collect();
    let safe = safe.trim_matches(['.', ' ']);
    let safe = if safe.is_empty() { "attachment" } else { safe };
    let ascii: String = safe
        .chars()
        .map(|c| if c.is_ascii() { c } else { '_' })
        .collect();
    if ascii == safe {
        return format!("attachment; filename=\"{ascii}\"");
    }
    let utf8 = percent_encoding::utf8_percent_encode(safe, UNRESERVED);
    format!("attachment; filename=\"{ascii}\"; filename*=UTF-8''{utf8}")
}

macro_rules! download {
    ($(#[$doc:meta])* $name:ident, $media:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(pub Download);

        impl IntoResponse for $name {
            fn into_response(self) -> Response {
                self.0.into_response()
            }
        }

        impl ApiResponse for $name {
            fn meta() -> MetaResponses {
                let named = text_header("Content-Disposition", "Always an attachment.");
                let schema = MetaSchemaRef::Inline(Box::new(
                    MetaSchema::new_with_format("string", "binary"),
                ));
                meta(StatusCode::OK, "The bytes.", Some(($media, schema)), vec![named])
            }

            fn register(_: &mut Registry) {}
        }
    };
}

download!(
    /// A mail as it came.
    RawMail, "message/rfc822"
);
download!(
    /// A part of a mail.
    RawPart, "application/octet-stream"
);

/// 200 with plain text in the format of Prometheus.
#[derive(Debug)]
pub struct Exposition(pub String);

/// The media type of [`Exposition`].
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

impl IntoResponse for Exposition {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        response.set_body(self.0);
        let kind = HeaderValue::from_static(OPENMETRICS);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        response
    }
}

impl ApiResponse for Exposition {
    fn meta() -> MetaResponses {
        let content = Some((OPENMETRICS, String::schema_ref()));
        meta(StatusCode::OK, "The metrics.", content, Vec::new())
    }

    fn register(_: &mut Registry) {}
}

/// 200 with events as they happen, for as long as the client listens (WHATWG HTML, 9.2).
pub struct EventStream(pub BoxStream<'static, Bytes>);

/// The media type of [`EventStream`].
pub const EVENT_STREAM: &str = "text/event-stream";

impl IntoResponse for EventStream {
    fn into_response(self) -> Response {
        let mut response = Response::default();
        let chunks = self.0.map(Ok::<_, std::io::Error>);
        response.set_body(Body::from_bytes_stream(chunks));
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static(EVENT_STREAM);
        headers.insert(header::CONTENT_TYPE, kind);
        // Or nginx would hold events back until a buffer is full.
        let unbuffered = HeaderName::from_static("x-accel-buffering");
        headers.insert(unbuffered, HeaderValue::from_static("no"));
        response
    }
}

impl ApiResponse for EventStream {
    fn meta() -> MetaResponses {
        let example = "id: 9f3c-4-17-1\nevent: inbox\ndata: {\"total\":3}\n\n";
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema {
            example: Some(example.into()),
            ..MetaSchema::new("string")
        }));
        let description = "Events, until one side has enough.";
        meta(
            StatusCode::OK,
            description,
            Some((EVENT_STREAM, schema)),
            Vec::new(),
        )
    }

    fn register(_: &mut Registry) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_file_name_becomes_a_harmless_one() {
        for (name, header) in [
            ("plan.pdf", "attachment; filename=\"plan.pdf\""),
            (
                "../../etc/passwd",
                "attachment; filename=\"_.._etc_passwd\"",
            ),
            (
                "a\"\r\nSet-Cookie: x",
                "attachment; filename=\"a___Set-Cookie_ x\"",
            ),
            ("", "attachment; filename=\"attachment\""),
            ("..", "attachment; filename=\"attachment\""),
            (
                "計畫.pdf",
                "attachment; filename=\"__.pdf\"; filename*=UTF-8''%E8%A8%88%E7%95%AB.pdf",
            ),
            ("gp\u{202e}fdp.exe", "attachment; filename=\"gp_fdp.exe\""),
        ] {
            assert_eq!(disposition(name), header, "{name:?}");
        }
    }
}
