//! What people read of mails and routes on a terminal: in few words, in their language, and as it
//! is now.

use gatepost::http::problem::Kind;
use serde_json::Value;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::cli_scripted::FIRST;
use crate::cli_scripted::mail;
use crate::cli_server::Scripted;
use crate::cli_server::ok;
use crate::cli_server::problem;
use crate::cli_terminal::run;
use crate::cli_terminal::run_on_a_terminal;

#[test]
fn at_eighty_columns_each_row_is_one_line_and_answers_why() {
    let folder = tempfile::tempdir().unwrap();
    let of = |state: &str, why: Value, error: Value| {
        let mut mail = mail(FIRST);
        mail["to"] = json!("somebody.with.a.long.name@department.example.com");
        mail["state"] = json!(state);
        mail["next_at"] = Value::Null;
        mail["why"] = why;
        mail["why"]["text"] = json!("A long sentence that fits nowhere in eighty columns at all.");
        mail["last_error"] = error;
        mail
    };
    let ahead = "2999-01-01T00:00:00Z";
    let mails = json!([
        of(
            "dead",
            json!({"code": "refused"}),
            json!({"at": ahead, "stage": "rcpt_to", "code": 550,
            "outcome": "permanent", "rule": "no_such_user", "text": "550 5.1.1 x"})
        ),
        of("queued", json!({"code": "route_paused"}), Value::Null),
        of(
            "queued",
            json!({"code": "route_resting", "next_at": ahead}),
            Value::Null
        ),
        of("discarded", json!({"code": "replaced"}), Value::Null),
    ]);
    let answer = json!({"items": mails, "total": 4, "counts": {"queued": 4}});
    let server = Scripted::start(move |_| ok(&answer));
    let shown = |columns: u16| {
        let mut command = server.command(folder.path(), &["outbox", "list"]);
        run_on_a_terminal(&mut command, columns).1
    };
    let list = shown(80);
    let rows: Vec<&str> = list.lines().skip(1).take(4).collect();
    for (row, why) in rows.iter().zip([
        "550 no such mailbox",
        "route paused",
        "route rests",
        "a later one took over",
    ]) {
        assert!(row.starts_with(FIRST), "{list}");
        assert!(row.contains(&format!("  {why}")), "{why}: {list}");
        assert!(row.width() <= 80 && row.contains("somebod"), "{list}");
    }
    assert!(!list.contains("KIND") && shown(140).contains("WHEN"));
    // In the language of whoever sits here, the states and the labels as well.
    let mut command = server.command(folder.path(), &["outbox", "list"]);
    let (_, list, _) = run_on_a_terminal(command.env("LANGUAGE_CODE", "zh-hans"), 80);
    for words in ["状态", "线路已暂停", "已放弃", "550 没有这个邮箱"] {
        assert!(list.contains(words), "{words}: {list}");
    }
    for line in list.lines().take(5) {
        assert!(line.width() <= 80, "{line}");
    }
}

#[test]
fn a_retry_that_a_route_holds_back_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut held = mail(FIRST);
    held["why"] = json!({"code": "route_paused", "text": "The operator paused the primary route.",
        "advice": "To go on, resume the route (gatepost outbox resume primary)."});
    let server = Scripted::start(move |_| ok(&held));
    let mut command = server.command(folder.path(), &["outbox", "retry", FIRST]);
    let (code, out, err) = run_on_a_terminal(&mut command, 80);
    assert_eq!(code, 0, "{err}");
    for words in [
        "it is not tried now",
        "paused the primary",
        "outbox resume primary",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(!out.contains("due"), "{out}");
}

#[test]
fn a_resume_tells_how_the_route_is_then() {
    let folder = tempfile::tempdir().unwrap();
    let route = |state: &str, error: &str| {
        json!({"name": "primary", "host": "smtp.example.com", "port": 587, "state": state,
            "last_error": {"at": error, "stage": "auth", "text": "535 no"}})
    };
    for (then, said) in [
        (route("closed", "2026-01-01T00:00:00Z"), "Resumed.\n"),
        (route("open", "2999-01-01T00:00:00Z"), "it failed again"),
        (route("closed", "2999-01-01T00:00:00Z"), "it failed again"),
        (route("open", "2026-01-01T00:00:00Z"), "the next mail"),
        (
            route("probing", "2026-01-01T00:00:00Z"),
            "one mail tries it now",
        ),
    ] {
        let server = Scripted::start(move |asked| match asked {
            "GET /api/v1/admin/routes" => ok(&json!({"items": [then]})),
            _ => ok(&route("open", "2026-01-01T00:00:00Z")),
        });
        let mut command = server.command(folder.path(), &["outbox", "resume"]);
        let (code, out, err) = run_on_a_terminal(&mut command, 80);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(said), "{said}: {out}");
        // It is not said to work before a mail went out.
        assert!(!out.contains("works again"), "{out}");
    }
    let server = Scripted::start(|_| problem(Kind::NotFound, "no route of that name"));
    let mut command = server.command(folder.path(), &["outbox", "pause", "fallback"]);
    let (code, _, err) = run(&mut command);
    assert_eq!(code, 1);
    assert!(err.contains("fallback: this route is not set up"), "{err}");
    assert!(!err.contains("deleted"), "{err}");
}
