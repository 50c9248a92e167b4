//! `gatepost outbox` and `gatepost key` end to end: the real binary against the real binary.

use serde_json::Value;

use crate::cli_terminal::run;
use crate::cli_terminal::run_on_a_terminal;
use crate::process;
use crate::process::Process;

#[test]
fn without_a_gatepost_a_command_says_how_to_start_one_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["outbox", "list"][..], &["key", "create", "billing"]] {
        let (code, out, err) = run(process::command(folder.path()).args(arguments));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.contains("gatepost serve --data data"), "{err}");
        assert!(err.contains("--url"), "{err}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let _running = Process::start("dev", folder.path(), &[]);
    let gatepost = |arguments: &[&str]| {
        let (code, out, err) = run(process::command(folder.path()).args(arguments));
        assert_eq!(code, 0, "{err}");
        (out, err)
    };
    let (key, said) = gatepost(&["key", "create", "billing"]);
    // The key alone, so that it can be piped into a file.
    assert_eq!(key.lines().count(), 1, "{key}");
    assert!(key.starts_with("gpk_"), "{key}");
    assert!(
        said.contains("billing") && !said.contains(key.trim()),
        "{said}"
    );

    let (listed, _) = gatepost(&["key", "list"]);
    assert!(!listed.contains(key.trim()), "{listed}");
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["items"][0]["name"], "billing");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let mut command = process::command(folder.path());
    let (code, out, _) = run_on_a_terminal(command.args(["key", "list"]), 80);
    assert_eq!(code, 0);
    assert!(out.contains(&id) && out.contains("never"), "{out}");

    gatepost(&["key", "revoke", &id]);
    let (code, _, err) = run(process::command(folder.path()).args(["key", "revoke", &id]));
    assert_eq!(code, 1);
    assert!(err.contains("no such key"), "{err}");
    let (out, _) = gatepost(&["key", "list"]);
    assert_eq!(
        serde_json::from_str::<Value>(&out).unwrap()["items"],
        serde_json::json!([])
    );
}
