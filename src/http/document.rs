//! The OpenAPI document: the library's own, completed where that falls short. Every status of
//! every operation gets a description and an example; problems get their media type; what may be
//! null says so. What must not live here: the operations themselves.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::http::body;
use crate::http::declared::PLACEHOLDER;
use crate::http::problem;
use crate::http::problem::Kind;

/// What the guard before the operator's part answers.
const GUARDS: [Kind; 3] = [Kind::AdminRequired, Kind::HostRefused, Kind::OriginRefused];

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// What the document says beside its operations.
pub struct Frame {
    /// Where the service is found from outside, without a slash at the end.
    pub base_url: String,
    /// Tags with their descriptions, in the order in which they are shown.
    pub tags: &'static [(&'static str, &'static str)],
    /// Whether the operator's operations need no token here (`dev` on loopback).
    pub open_on_loopback: bool,
    /// The operator's operations that anybody may ask for here, by their `operationId`.
    pub public: &'static [&'static str],
    /// What to add to an operation's description, by its `operationId`.
    pub notes: BTreeMap<&'static str, String>,
}

/// Completes the library's document.
pub fn complete(mut document: Value, frame: &Frame) -> Value {
    document["openapi"] = json!("3.0.3");
    document["info"]["description"] = json!(INTRODUCTION);
    document["info"]["license"] = json!({"name": "MIT OR Apache-2.0"});
    document["servers"] = json!([
        {"url": "/", "description": "The server that this document came from"},
        {"url": frame.base_url, "description": "Its public address"},
    ]);
    document["tags"] = frame
        .tags
        .iter()
        .map(|(name, description)| json!({"name": name, "description": description}))
        .collect();
    state_nulls(&mut document);
    let schemas = document["components"]["schemas"].clone();
    for (path, operation) in operations(&mut document) {
        complete_operation(&path, operation, &schemas, frame);
    }
    document["components"]["schemas"]["Problem"] = problem::schema();
    document["components"]["headers"] = json!({
        "RequestId": {
            "description": "The id of this request, as it stands in the log.",
            "schema": {"type": "string"},
            "example": "rq_2f1c9a7be05d-1a",
        },
        "RetryAfter": {
            "description": "After how many seconds trying again is worthwhile.",
            "schema": {"type": "integer"},
            "example": 37,
        },
        "RateLimit": {
            "description": "draft-ietf-httpapi-ratelimit-headers-10: what is left, and for how long.",
            "schema": {"type": "string"},
            "example": "\"resend\";r=0;t=37",
        },
        "RateLimitPolicy": {
            "description": "draft-ietf-httpapi-ratelimit-headers-10: the limit that was met.",
            "schema": {"type": "string"},
            "example": "\"resend\";q=1;w=60",
        },
        "WwwAuthenticate": {
            "description": "Which token is wanted.",
            "schema": {"type": "string"},
            "example": "Bearer realm=\"account\"",
        },
    });
    document
}

const INTRODUCTION: &str = "Accounts and mail in one binary.\n\n\
    Errors are problem documents (RFC 9457, `application/problem+json`) everywhere, with a stable \
    `code`; a body or parameters that are not right are told all at once in `errors`. An unknown \
    path answers 404 `no_such_path`, a wrong method 405 `method_not_allowed` with `Allow`. Every \
    answer carries `X-Request-Id`. A path may end in a slash or not. HEAD works where GET does.\n\n\
    What never becomes a request gets no problem document: a request line or headers that do not \
    parse and a head over the limit are answered by the HTTP library with a bare status (400, \
    414 or 431), a head that does not arrive in time by the end of the connection.\n\n\
    Lists answer `{items, next_cursor, total}`: pass `next_cursor` as `cursor`, or follow `Link`. \
    Times are RFC 3339 in UTC. A rate limit answers 429 with `Retry-After`, `RateLimit` and \
    `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).";

/// The operations of a document with their paths.
fn operations(document: &mut Value) -> impl Iterator<Item = (String, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        item.as_object_mut()
            .into_iter()
            .flatten()
            .filter(|(method, _)| METHODS.contains(&method.as_str()))
            .map(move |(_, operation)| (path.clone(), operation))
    })
}

fn complete_operation(path: &str, operation: &mut Value, schemas: &Value, frame: &Frame) {
    let id = operation["operationId"]
        .as_str()
        .unwrap_or_default()
        .to_owned();
    if let Some(note) = frame.notes.get(id.as_str()) {
        let description = operation["description"].as_str().unwrap_or_default();
        operation["description"] = json!(format!("{description}\n\n{note}").trim());
    }
    if let Some(request) = operation.get_mut("requestBody") {
        give_examples(request, schemas);
    }
    complete_parameters(operation);
    let mut kinds = kinds_of(operation);
    if frame.public.contains(&id.as_str()) {
        kinds.retain(|kind| !GUARDS.contains(kind));
        operation["security"] = json!([]);
    } else if frame.open_on_loopback && kinds.contains(&Kind::HostRefused) {
        // Only what can be refused for its host can be had without a token. An empty requirement:
        // no token is a choice as well.
        operation["security"] = json!([{"admin": []}, {}]);
    }
    let mut responses = BTreeMap::new();
    if let Some(listed) = operation["responses"].as_object_mut() {
        for (status, mut response) in std::mem::take(listed) {
            if status.starts_with(PLACEHOLDER) {
                continue;
            }
            give_examples(&mut response, schemas);
            add_header(&mut response, "X-Request-Id", "RequestId");
            responses.insert(status, response);
        }
    }
    for kind in kinds {
        add_problem(&mut responses, kind, path);
    }
    operation["responses"] = Value::Object(responses.into_iter().collect());
}

/// What the operation declares, and what its way in brings along.
fn kinds_of(operation: &Value) -> Vec<Kind> {
    let declared: BTreeSet<&str> = operation["responses"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(key, _)| key.strip_prefix(PLACEHOLDER))
        .collect();
    let has_body = operation.get("requestBody").is_some();
    let has_parameters = operation.get("parameters").is_some();
    Kind::ALL
        .iter()
        .copied()
        .filter(|kind| {
            declared.contains(kind.code())
                || *kind == Kind::Internal
                || (has_body && body::KINDS.contains(kind))
                || (has_parameters && *kind == Kind::BadParameter)
        })
        .collect()
}

fn add_problem(responses: &mut BTreeMap<String, Value>, kind: Kind, path: &str) {
    let status = kind.status().to_string();
    let response = responses.entry(status).or_insert_with(|| {
        json!({
            "description": "",
            "headers": {"X-Request-Id": {"$ref": "#/components/headers/RequestId"}},
            "content": {problem::MEDIA_TYPE: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {},
            }},
        })
    });
    let title = kind.title();
    let description = match response["description"].as_str() {
        None | Some("") => format!("{title} (`{}`).", kind.code()),
        Some(others) => format!("{others} {title} (`{}`).", kind.code()),
    };
    response["description"] = json!(description);
    response["content"][problem::MEDIA_TYPE]["examples"][kind.code()] =
        json!({"summary": title, "value": kind.example(path)});
    if kind.has_retry_after() {
        add_header(response, "Retry-After", "RetryAfter");
    }
    if kind == Kind::TooManyRequests {
        add_header(response, "RateLimit", "RateLimit");
        add_header(response, "RateLimit-Policy", "RateLimitPolicy");
    }
    if kind.status() == 401 {
        add_header(response, "WWW-Authenticate", "WwwAuthenticate");
    }
}

fn add_header(response: &mut Value, name: &str, component: &str) {
    response["headers"][name] = json!({"$ref": format!("#/components/headers/{component}")});
}

fn give_examples(of: &mut Value, schemas: &Value) {
    let content = of.get_mut("content").and_then(Value::as_object_mut);
    for media in content.into_iter().flat_map(Map::values_mut) {
        give_example(media, schemas);
    }
}

/// The example of the schema, beside the content, where readers and mock servers look for it.
fn give_example(media: &mut Value, schemas: &Value) {
    let schema = match reference(&media["schema"]) {
        Some(name) => &schemas[name],
        None => &media["schema"],
    };
    let example = match schema.get("example") {
        Some(example) => example.clone(),
        None if schema["format"] == "binary" => json!("(bytes)"),
        None => json!("# EOF"),
    };
    media["example"] = example;
}

/// Drops what says nothing.
fn complete_parameters(operation: &mut Value) {
    let parameters = operation
        .get_mut("parameters")
        .and_then(Value::as_array_mut);
    for parameter in parameters
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
    {
        parameter.remove("explode");
        if parameter.get("deprecated") == Some(&Value::Bool(false)) {
            parameter.remove("deprecated");
        }
    }
}

fn reference(schema: &Value) -> Option<&str> {
    schema["$ref"]
        .as_str()?
        .strip_prefix("#/components/schemas/")
}

/// The library calls an optional field simply not required. In what we answer such a field is
/// always there and may be null; in what we are sent it may be absent or null.
fn state_nulls(document: &mut Value) {
    let mut sent = BTreeSet::new();
    for (_, operation) in operations(document) {
        collect_references(&operation["requestBody"], &mut sent);
    }
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else {
        return;
    };
    for (name, schema) in schemas {
        let required: BTreeSet<String> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str().map(str::to_owned))
            .collect();
        let properties = schema.get_mut("properties").and_then(Value::as_object_mut);
        let Some(properties) = properties else {
            continue;
        };
        let mut all = Vec::new();
        for (property, inner) in properties {
            all.push(json!(property));
            if !required.contains(property) {
                *inner = nullable(inner.take());
            }
        }
        if !sent.contains(name) {
            schema["required"] = Value::Array(all);
        }
    }
}

fn nullable(schema: Value) -> Value {
    if schema.get("$ref").is_some() {
        // Whatever stands beside a reference does not count in OpenAPI 3.0.
        return json!({"allOf": [schema], "nullable": true});
    }
    let mut schema = match schema {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    schema.insert("nullable".to_owned(), json!(true));
    Value::Object(schema)
}

fn collect_references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = reference(value) {
                into.insert(name.to_owned());
            }
            fields
                .values()
                .for_each(|value| collect_references(value, into));
        }
        Value::Array(items) => items
            .iter()
            .for_each(|value| collect_references(value, into)),
        _ => {}
    }
}
