//! The OpenAPI document: as a snapshot, whole, and valid in the eyes of an outside validator.

use std::io::Write as _;
use std::process::{Command, Stdio};

use gatepost::http;
use serde_json::Value;

use crate::api_client::settings;

fn document() -> Value {
    serde_json::from_str(&http::document(&settings())).unwrap()
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap();
            methods
                .iter()
                .map(move |(method, operation)| (format!("{method} {path}"), operation))
        })
        .collect()
}

#[test]
fn the_document_as_it_is_published() {
    insta::assert_snapshot!("openapi", http::document(&settings()));
}

#[test]
fn every_status_of_every_operation_has_an_example() {
    let document = document();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"]
            .as_str()
            .unwrap_or_else(|| panic!("{name} has no id"));
        assert!(
            id.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{id}"
        );
        assert!(operation["summary"].is_string(), "{name} has no summary");
        assert_eq!(
            operation["tags"].as_array().map(Vec::len),
            Some(1),
            "{name}"
        );
        for (status, response) in operation["responses"].as_object().unwrap() {
            let what = format!("{name} {status}");
            assert!(status.len() == 3 && status.parse::<u16>().is_ok(), "{what}");
            assert!(
                response["description"]
                    .as_str()
                    .is_some_and(|d| !d.is_empty()),
                "{what}"
            );
            let Some(content) = response.get("content") else {
                assert_eq!(status, "204", "{what} has no body");
                continue;
            };
            for (kind, media) in content.as_object().unwrap() {
                let many = media["examples"]
                    .as_object()
                    .map_or(0, serde_json::Map::len);
                let one = media
                    .get("example")
                    .is_some_and(|example| !example.is_null());
                assert!(many > 0 || one, "{what} {kind} has no example");
                if status.as_str() >= "400" {
                    assert_eq!(kind, "application/problem+json", "{what}");
                }
            }
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(
                body["content"]["application/json"]["example"].is_object(),
                "{name}"
            );
            for status in ["400", "408", "413", "415", "422"] {
                assert!(
                    operation["responses"][status].is_object(),
                    "{name} {status}"
                );
            }
        }
        assert!(operation["responses"]["500"].is_object(), "{name}");
    }
}

#[test]
fn the_limits_in_force_stand_in_the_descriptions() {
    let mut settings = settings();
    settings.accounts.limits.code_per_ip = "7/hour".parse().unwrap();
    let document: Value = serde_json::from_str(&http::document(&settings)).unwrap();
    let path = &document["paths"]["/api/v1/auth/send_verification_code"]["post"];
    let description = path["description"].as_str().unwrap();
    for told in [
        "from one IP address: at most 7 an hour.",
        "to one address: at most 5 an hour and 20 a day.",
        "at most once a minute.",
        "10 minutes",
        "4096 bytes",
    ] {
        assert!(description.contains(told), "{told} is not in {description}");
    }
}

#[test]
fn the_operators_operations_say_whether_they_need_the_token() {
    let security = |path: &str, method: &str, open: bool, metrics: bool| {
        let mut settings = settings();
        settings.open_on_loopback = open;
        settings.open_metrics = metrics;
        let document: Value = serde_json::from_str(&http::document(&settings)).unwrap();
        document["paths"][path][method]["security"].to_string()
    };
    let (needed, optional) = (r#"[{"admin":[]}]"#, r#"[{"admin":[]},{}]"#);
    let messages = "/api/v1/inbox/messages";
    assert_eq!(security(messages, "get", false, true), needed);
    assert_eq!(security(messages, "get", true, true), optional);
    // In `dev` it sends mail to whomever one likes as well.
    let test_mail = "/api/v1/admin/test_mail";
    for open in [false, true] {
        assert_eq!(security(test_mail, "post", open, true), needed);
        assert_eq!(security("/metrics", "get", open, true), "[]");
    }
    assert_eq!(security("/metrics", "get", false, false), needed);
    assert_eq!(security("/metrics", "get", true, false), optional);
}

#[test]
fn open_metrics_are_refused_to_nobody() {
    let mut settings = settings();
    settings.open_metrics = true;
    let document: Value = serde_json::from_str(&http::document(&settings)).unwrap();
    let responses = document["paths"]["/metrics"]["get"]["responses"].as_object();
    let statuses: Vec<&String> = responses.unwrap().keys().collect();
    assert_eq!(statuses, ["200", "500", "503"]);
}

#[test]
fn what_cannot_happen_is_not_listed() {
    let document = document();
    let confirm = "/api/v1/auth/password_reset/confirm";
    let sessions = "/api/v1/auth/sessions";
    for (path, method, status) in [(confirm, "post", "429"), (sessions, "delete", "400")] {
        let responses = &document["paths"][path][method]["responses"];
        assert!(responses[status].is_null(), "{method} {path} {status}");
    }
}

#[test]
fn an_outside_validator_finds_the_document_valid() {
    let mut child = Command::new("python3")
        .args(["-m", "openapi_spec_validator", "--schema", "3.0.0", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python3 is installed");
    let mut stdin = child.stdin.take().unwrap();
    // It may be gone already, when the module is missing: its exit tells.
    drop(stdin.write_all(http::document(&settings()).as_bytes()));
    drop(stdin);
    let done = child.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        !said.contains("No module named"),
        "install the validator: python3 -m pip install openapi-spec-validator (or put a venv that has it first in PATH)"
    );
    assert!(done.status.success(), "{said}");
}
