//! `gatepost doctor` as a process: exit codes, what a terminal and a program get, and a gatepost
//! that runs already.

use std::path::Path;

use serde_json::Value;

use crate::process::Process;
use crate::process::command;

fn doctor(
    folder: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> (i32, String, String) {
    let mut command = command(folder);
    command.arg("doctor").args(arguments);
    command.envs(environment.iter().copied());
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let code = output.status.code().unwrap_or(-1);
    (code, text(output.stdout), text(output.stderr))
}

fn step<'a>(report: &'a Value, id: &str) -> &'a Value {
    let steps = report["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == id);
    step.unwrap_or_else(|| panic!("{id}: {report:#}"))
}

#[test]
fn json_is_one_object_with_stable_names() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = doctor(folder.path(), &["--json"], &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(report["ok"], true);
    assert_eq!(report["language"], "en");
    let settings = step(&report, "settings");
    assert_eq!(settings["status"], "warning");
    assert!(settings["took_ms"].is_u64() && settings["detail"].is_array());
    assert_eq!(step(&report, "relay")["status"], "skipped");
    // Nothing was made by looking.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_failure_ends_with_1_and_says_what_to_do_in_the_sites_language() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(".env"),
        "EMAIL_PORT=\"5\u{1b}[2J87\"\nLANGUAGE_CODE=zh-hant\nEMAIL_HOST_PASSWORD=hunter2\n",
    )
    .unwrap();
    let (code, out, err) = doctor(folder.path(), &[], &[]);
    assert_eq!((code, err.as_str()), (1, ""));
    for words in ["失敗", "設定", "relay.port", "gatepost config"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(!out.contains('\u{1b}') && !out.contains("hunter2"), "{out}");
    for line in out.lines() {
        use unicode_width::UnicodeWidthStr as _;
        assert!(line.width() <= 100, "{line}");
    }
    let (code, out, _) = doctor(folder.path(), &["--json"], &[]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &report["ok"]), (1, &Value::Bool(false)));
    assert_eq!(step(&report, "settings")["status"], "failure");
}

#[test]
fn misuse_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&["--send-to", "nobody"][..], "name@example.com"),
        (&["--send-to"], "--send-to"),
        (&["--bogus"], "--bogus"),
    ] {
        let (code, out, err) = doctor(folder.path(), arguments, &[]);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(err.contains(words), "{err}");
    }
}

#[test]
fn a_gatepost_that_runs_is_found_and_sends_the_mail() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start("dev", folder.path(), &[]);
    let (code, out, err) = doctor(
        folder.path(),
        &["--json", "--data", "data", "--send-to", "ann@example.com"],
        &[],
    );
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    let report: Value = serde_json::from_str(&out).unwrap();
    let running = step(&report, "running");
    let url = format!("http://{}", process.http);
    assert_eq!(running["status"], "ok");
    assert!(running["detail"].to_string().contains(&url), "{running}");
    assert_eq!(step(&report, "routes")["status"], "ok", "{report:#}");
    assert_eq!(step(&report, "capture")["status"], "ok");
    assert_eq!(step(&report, "mx")["status"], "skipped");
    let send = step(&report, "send");
    assert_eq!(send["status"], "ok", "{send}");
    assert!(send["detail"].to_string().contains("captured"), "{send}");
    // It does not read its settings again: those of now send the mail elsewhere.
    let relay = [("USE_REAL_EMAIL", "1"), ("EMAIL_HOST", "127.0.0.1")];
    let more = [("EMAIL_USE_TLS", "False"), ("EMAIL_PORT", "1")];
    let from = [("DEFAULT_FROM_EMAIL", "ann@example.com")];
    let environment = [&relay[..], &more, &from].concat();
    let (code, out, _) = doctor(folder.path(), &["--json", "--data", "data"], &environment);
    let report: Value = serde_json::from_str(&out).unwrap();
    let routes = step(&report, "routes");
    assert_eq!((code, &routes["status"]), (1, &Value::from("warning")));
    assert!(
        routes["remedy"].to_string().contains("Start it again"),
        "{routes}"
    );
    process.kill();
    // What a killed one left behind is told from one that runs.
    let (code, out, _) = doctor(folder.path(), &["--json", "--data", "data"], &[]);
    let report: Value = serde_json::from_str(&out).unwrap();
    assert_eq!(code, 0);
    let running = step(&report, "running").to_string();
    assert!(running.contains("left behind"), "{running}");
}
