//! A JSON body on its way in: declared as JSON, within the limit, in time, well-formed, and of
//! the shape that the operation asks for, or a problem that says what is wrong. What must not
//! live here: what a field means (the domain parses).

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::StreamExt as _;
use poem::http::{Version, header};
use poem::{Body, Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::{ParseFromJSON, Type};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};
use serde_json::Value;

use crate::http::problem::FieldProblem;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::shape::Shape;
use crate::world::World;

/// The kinds of problem that [`Form`] and [`Unread`] bring to an operation, for the document.
pub const KINDS: &[Kind] = &[
    Kind::MalformedBody,
    Kind::BodyTimeout,
    Kind::BodyTooLarge,
    Kind::UnsupportedMediaType,
    Kind::InvalidFields,
];

/// What a body may cost. The front puts it beside every request that may have one.
#[derive(Clone)]
pub struct Intake {
    /// The most bytes it may have.
    pub limit: usize,
    /// How long it may take to arrive.
    pub patience: Duration,
    /// Whose clock counts.
    pub world: World,
}

/// A JSON body of type `T`.
#[derive(Debug)]
pub struct Form<T>(pub T);

/// A JSON body of type `T` that is read when it is known who sends it: whoever may not ask learns
/// that, and nothing of what is wrong with the body. One of a program's, which hears at once of a
/// field that it misspelt.
pub struct Unread<T> {
    body: Body,
    kind: PhantomData<fn() -> T>,
}

macro_rules! extracted {
    ($name:ident, |$request:ident, $body:ident| $read:expr) => {
        impl<'a, T: ParseFromJSON + Type + 'static> ApiExtractor<'a> for $name<T> {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                T::register(registry);
            }

            fn request_meta() -> Option<MetaRequest> {
                Some(MetaRequest {
                    description: None,
                    content: vec![MetaMediaType {
                        content_type: "application/json",
                        schema: T::schema_ref(),
                    }],
                    required: true,
                })
            }

            async fn from_request(
                $request: &'a Request,
                body: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<$name<T>> {
                let $body = body.take().map_err(|_| Problem::new(Kind::Internal))?;
                Ok($read)
            }
        }
    };
}

extracted!(Form, |request, body| {
    Form(read(request, body, Strangers::Ignored).await?)
});
extracted!(Unread, |_request, body| {
    Unread {
        body,
        kind: PhantomData,
    }
});

impl<T: ParseFromJSON + Type + 'static> Unread<T> {
    /// Reads it if who sends it is `allowed`.
    pub async fn behind<A>(
        self,
        request: &Request,
        allowed: Result<A, Problem>,
    ) -> Result<(A, T), Problem> {
        match allowed {
            Ok(allowed) => {
                let form = read(request, self.body, Strangers::Refused).await?;
                Ok((allowed, form))
            }
            Err(problem) => {
                discard(request, self.body).await;
                Err(problem)
            }
        }
    }
}

/// What becomes of fields that the schema does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strangers {
    /// A newer client may talk to an older server.
    Ignored,
    /// What a program does not mean would be done: mail without its time goes out now.
    Refused,
}

fn intake(request: &Request) -> &Intake {
    request
        .data::<Arc<Intake>>()
        .expect("the front puts it beside every request that may have a body")
}

/// Lets a client that is still sending come to the end of it: it would otherwise see its
/// connection reset in place of the answer.
async fn discard(request: &Request, body: Body) {
    if request.version() == Version::HTTP_2 || request.headers().contains_key(header::EXPECT) {
        return;
    }
    let Intake {
        patience, world, ..
    } = intake(request);
    let all = async move {
        let mut chunks = body.into_bytes_stream();
        let mut seen = 0;
        while let Some(Ok(chunk)) = chunks.next().await {
            seen += chunk.len();
            if seen > DRAINED {
                break;
            }
        }
    };
    // Who is not through by then has had its chance.
    let _ = world.timeout(*patience, all).await;
}

async fn read<T: ParseFromJSON + Type + 'static>(
    request: &Request,
    body: Body,
    strangers: Strangers,
) -> Result<T, Problem> {
    if !request.content_type().is_some_and(is_json) {
        return Err(Problem::new(Kind::UnsupportedMediaType));
    }
    let data = receive(request, body).await?;
    let value: Value = serde_json::from_slice(&data)
        .map_err(|error| Problem::malformed(error.to_string(), error.line(), error.column()))?;
    let shape = Shape::of::<T>();
    let mut faults = shape.faults(&value);
    if strangers == Strangers::Refused {
        faults.extend(shape.strangers(&value));
    }
    if !faults.is_empty() {
        return Err(Problem::fields(faults));
    }
    T::parse_from_json(Some(value)).map_err(|error| {
        // What the shape cannot see, such as a word that is not one of an enumeration.
        Problem::fields(vec![FieldProblem {
            pointer: String::new(),
            code: "invalid".into(),
            detail: error.into_message(),
        }])
    })
}

/// The bytes of a body, within the limit and in time.
async fn receive(request: &Request, body: Body) -> Result<BytesMut, Problem> {
    let intake = intake(request);
    intake
        .world
        .timeout(intake.patience, collect(request, body, intake.limit))
        .await
        .unwrap_or_else(|_| {
            let seconds = intake.patience.as_secs();
            Err(Problem::new(Kind::BodyTimeout)
                .detail(format!("The body must arrive within {seconds} seconds.")))
        })
}

/// The bytes of a form that a page sent.
pub async fn read_form(request: &Request, body: Body) -> Result<BytesMut, Problem> {
    let essence = |kind: &str| {
        kind.split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase()
    };
    if request.content_type().map(essence).as_deref() != Some(FORM) {
        discard(request, body).await;
        return Err(Problem::new(Kind::UnsupportedMediaType).detail(format!("Send {FORM}.")));
    }
    receive(request, body).await
}

/// How browsers send forms.
const FORM: &str = "application/x-www-form-urlencoded";

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let Some((kind, subtype)) = essence.split_once('/') else {
        return false;
    };
    let subtype = subtype.to_ascii_lowercase();
    kind.eq_ignore_ascii_case("application") && (subtype == "json" || subtype.ends_with("+json"))
}

async fn collect(request: &Request, body: Body, limit: usize) -> Result<BytesMut, Problem> {
    let too_large =
        || Problem::new(Kind::BodyTooLarge).detail(format!("A body has at most {limit} bytes."));
    let cut = |_| Problem::malformed("the body ended early".to_owned(), 1, 1);
    let declared = request
        .headers()
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let waits = request.headers().contains_key(header::EXPECT);
    // Who waits for `100 Continue` has sent nothing yet and needs no draining.
    if waits && declared.is_some_and(|length| length > limit) {
        return Err(too_large());
    }
    let mut chunks = body.into_bytes_stream();
    let mut data = BytesMut::with_capacity(declared.unwrap_or(0).min(limit));
    let mut refused = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(cut)?;
        if refused > 0 || data.len() + chunk.len() > limit {
            // Read on a little: a client that is still sending would otherwise see its connection
            // reset in place of the answer.
            refused += chunk.len();
            if refused > DRAINED || request.version() == Version::HTTP_2 {
                break;
            }
        } else {
            data.extend_from_slice(&chunk);
        }
    }
    match refused {
        0 => Ok(data),
        _ => Err(too_large()),
    }
}

/// How many bytes over the limit are read and thrown away.
const DRAINED: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_as_json() {
        for yes in [
            "application/json",
            "Application/JSON; charset=utf-8",
            "application/ld+json",
        ] {
            assert!(is_json(yes), "{yes}");
        }
        for no in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "json",
            "",
            "text/json",
        ] {
            assert!(!is_json(no), "{no}");
        }
    }
}
