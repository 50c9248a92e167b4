//! The client's types and the API's document: what the one tells, the other reads. Neither is
//! made from the other, so that each can stand for itself; here they are held together.

use std::collections::BTreeSet;

use gatepost::client::Attempt;
use gatepost::client::Budget;
use gatepost::client::Failure;
use gatepost::client::Key;
use gatepost::client::Keys;
use gatepost::client::Mail;
use gatepost::client::MailDetail;
use gatepost::client::NewKey;
use gatepost::client::Page;
use gatepost::client::Problem;
use gatepost::client::Route;
use gatepost::client::Routes;
use gatepost::client::TestMail;
use gatepost::client::Why;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn document() -> Value {
    let document = gatepost::http::document(&crate::api_client::settings());
    serde_json::from_str(&document).unwrap()
}

fn schema<'a>(document: &'a Value, name: &str) -> &'a Value {
    let schema = &document["components"]["schemas"][name];
    assert!(schema.is_object(), "there is no {name}");
    schema
}

/// Whether all of `told` stands in `kept`.
fn keeps(kept: &Value, told: &Value) -> bool {
    match (kept, told) {
        (Value::Object(kept), Value::Object(told)) => told.iter().all(|(name, told)| {
            let kept = kept.get(name);
            kept.is_some_and(|kept| keeps(kept, told))
        }),
        (Value::Array(kept), Value::Array(told)) => {
            let mut pairs = kept.iter().zip(told);
            kept.len() == told.len() && pairs.all(|(kept, told)| keeps(kept, told))
        }
        _ => kept == told,
    }
}

/// The example of this schema, read; nothing of it is lost.
fn example<T: Serialize + DeserializeOwned>(document: &Value, name: &str) -> T {
    let told = &schema(document, name)["example"];
    assert!(told.is_object(), "{name} has no example");
    let read: T = serde_json::from_value(told.clone()).unwrap();
    let kept = serde_json::to_value(&read).unwrap();
    assert!(keeps(&kept, told), "{name}: {told:#} is read as {kept:#}");
    read
}

fn fields(value: &impl Serialize) -> BTreeSet<String> {
    let value = serde_json::to_value(value).unwrap();
    value.as_object().unwrap().keys().cloned().collect()
}

fn properties(document: &Value, name: &str) -> BTreeSet<String> {
    let properties = schema(document, name)["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

#[test]
fn the_client_reads_every_field_that_the_api_tells_and_no_other() {
    let document = document();
    let page: Page<Mail> = example(&document, "OutboxPage");
    let mail: Mail = example(&document, "OutboxMail");
    let detail: MailDetail = example(&document, "OutboxMailDetails");
    let routes: Routes = example(&document, "Routes");
    let route: Route = example(&document, "Route");
    let keys: Keys = example(&document, "ApiKeys");
    let key: &Key = &keys.items[0];
    for (known, schemas) in [
        (fields(&page), &["OutboxPage"][..]),
        (fields(&mail), &["OutboxMail"]),
        (fields(&detail), &["OutboxMailDetails"]),
        (fields(&Attempt::default()), &["OutboxAttempt"]),
        (fields(&Why::default()), &["OutboxWhy"]),
        (fields(&Failure::default()), &["OutboxError", "RouteError"]),
        (fields(&routes), &["Routes"]),
        (fields(&route), &["Route"]),
        (fields(&Budget::default()), &["RouteBudget"]),
        (fields(&keys), &["ApiKeys"]),
        (fields(key), &["ApiKey"]),
    ] {
        let told = schemas.iter().flat_map(|name| properties(&document, name));
        assert_eq!(known, told.collect(), "{schemas:?}");
    }
    assert!(mail.why.is_some() && mail.last_error.is_some());
    assert!(!detail.attempts.is_empty() && route.last_error.is_some());
}

#[test]
fn what_the_client_reads_only_in_part_is_there() {
    let document = document();
    let told = &schema(&document, "TestMail")["example"];
    let read: TestMail = serde_json::from_value(told.clone()).unwrap();
    assert!(keeps(told, &serde_json::to_value(&read).unwrap()), "{told}");

    let told = &schema(&document, "NewApiKey")["example"];
    let read: NewKey = serde_json::from_value(told.clone()).unwrap();
    assert_eq!(told["key"], read.key);
    assert_eq!(told["id"], read.about.id);

    let mut problems = 0;
    for operation in document["paths"].as_object().unwrap().values() {
        for operation in operation.as_object().unwrap().values() {
            for response in operation["responses"].as_object().unwrap().values() {
                let told = &response["content"]["application/problem+json"];
                let one = told.get("example").into_iter();
                let many = told["examples"].as_object().into_iter().flatten();
                for told in one.chain(many.map(|(_, example)| &example["value"])) {
                    let read: Problem = serde_json::from_value(told.clone()).unwrap();
                    assert_eq!(told["code"], read.code);
                    assert_eq!(told["detail"].as_str(), read.detail.as_deref());
                    problems += 1;
                }
            }
        }
    }
    assert!(problems > 50, "{problems}");
}
