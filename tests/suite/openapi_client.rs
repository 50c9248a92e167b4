//! Whether gatepost's own client reads what the document promises: every field that an answer may
//! have, and none that it has not. The client leaves out what it does not find, so nothing else
//! would tell when the two drift apart.

use gatepost::client;
use gatepost::http;
use serde::de::DeserializeOwned;
use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::api_client::settings;

fn document() -> Value {
    serde_json::from_str(&http::document(&settings())).unwrap()
}

/// A value in which everything is there that `schema` speaks of.
fn sample(document: &Value, schema: &Value) -> Value {
    if let Some(reference) = schema["$ref"].as_str() {
        let pointer = reference.strip_prefix('#').unwrap();
        return sample(document, document.pointer(pointer).unwrap());
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let mut all = Map::new();
        for part in parts {
            all.extend(sample(document, part).as_object().unwrap().clone());
        }
        return all.into();
    }
    match schema["type"].as_str() {
        Some("string") => json!("a"),
        Some("integer") => json!(1),
        Some("boolean") => json!(false),
        Some("array") => json!([sample(document, &schema["items"])]),
        Some("object") => {
            let fields = schema["properties"].as_object();
            let fields = fields.into_iter().flatten();
            let filled = fields.map(|(name, field)| (name.clone(), sample(document, field)));
            filled.collect::<Map<_, _>>().into()
        }
        // What says something about a reference beside it.
        None if schema["description"].is_string() => json!({}),
        _ => panic!("no sample for {schema}"),
    }
}

/// Pointers to all that has nothing inside it.
fn leaves(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(name, value)| leaves(value, &format!("{at}/{name}"), into)),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .for_each(|(index, value)| leaves(value, &format!("{at}/{index}"), into)),
        _ => into.push(at.to_owned()),
    }
}

fn changed(value: &Value) -> Value {
    match value {
        Value::String(_) => json!("b"),
        Value::Number(_) => json!(2),
        Value::Bool(flag) => json!(!flag),
        _ => panic!("{value} is no leaf"),
    }
}

/// The client has one type for failures of mails and of routes. What a mail's means stands in its
/// `why`; a route's has no outcome, and is that of its route.
const OF_ONE_ALONE: [&str; 3] = [
    "meaning: None, advice: None, page: None",
    "outcome: \"\"",
    "route: None",
];

fn told<T: DeserializeOwned + std::fmt::Debug>(value: &Value) -> String {
    let read = format!("{:?}", serde_json::from_value::<T>(value.clone()).unwrap());
    let without = |read: String, other: &&str| read.replace(other, "");
    OF_ONE_ALONE.iter().fold(read, without)
}

/// A page of a list that tells no counts.
fn told_page<T: DeserializeOwned + std::fmt::Debug>(value: &Value) -> String {
    told::<client::Page<T>>(value).replace(", counts: {}", "")
}

/// Holds what `read` makes of the schema called `name` against that schema. What the client has
/// no use for is named in `unread`.
fn check(name: &str, unread: &[&str], read: impl Fn(&Value) -> String) {
    let document = document();
    let schema = &document["components"]["schemas"][name];
    if !schema["example"].is_null() {
        read(&schema["example"]);
    }
    let whole = sample(&document, schema);
    let of_whole = read(&whole);
    assert!(
        !of_whole.contains("None") && !of_whole.contains(": \"\"") && !of_whole.contains(": {}"),
        "the client of {name} looks for something that is not there: {of_whole}"
    );
    let mut pointers = Vec::new();
    leaves(&whole, "", &mut pointers);
    assert!(!pointers.is_empty());
    for pointer in pointers {
        let mut other = whole.clone();
        let leaf = other.pointer_mut(&pointer).unwrap();
        *leaf = changed(leaf);
        let meant = unread.iter().any(|field| pointer.starts_with(field));
        let seen = read(&other) != of_whole;
        assert_eq!(seen, !meant, "{pointer} of {name}: is it read?");
    }
}

#[test]
fn every_field_of_an_answer_is_read_and_nothing_else_is_looked_for() {
    check("OutboxMail", &[], told::<client::Mail>);
    check("OutboxMailDetails", &[], told::<client::MailDetail>);
    check("OutboxPage", &[], told::<client::Page<client::Mail>>);
    check("Route", &[], told::<client::Route>);
    check("Routes", &[], told::<client::Routes>);
    check("ApiKeys", &[], told::<client::Keys>);
    check("NewApiKey", &["/last_used_at"], |value| {
        let made: client::NewKey = serde_json::from_value(value.clone()).unwrap();
        // One that was just made was never used.
        let about = format!("{:?}", made.about).replace("last_used_at: None", "");
        format!("{about} {}", made.key)
    });
    let details = ["/setback", "/next_at", "/why", "/last_error", "/attempt"];
    check("TestMail", &details, told::<client::TestMail>);
}

#[test]
fn every_field_of_accounts_sessions_and_tokens_is_read() {
    check("About", &[], told::<client::About>);
    check("Stats", &[], told::<client::Stats>);
    check("AuditPage", &[], told_page::<client::Entry>);
    check("MessagePage", &[], told_page::<client::MessageSummary>);
    check("Message", &[], told::<client::Message>);
    check("UserRecordPage", &[], told_page::<client::User>);
    check("SessionRecordPage", &[], told_page::<client::Session>);
    check("TokenRecordPage", &[], told_page::<client::Token>);
    check("Timeline", &[], told_page::<client::Moment>);
    check("RevealedToken", &[], |value| {
        let told: client::Revealed = serde_json::from_value(value.clone()).unwrap();
        told.secret
    });
}
