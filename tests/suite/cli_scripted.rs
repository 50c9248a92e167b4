//! The command line against servers that answer what no gatepost would, or would seldom: hostile
//! mails, many pages, redirects, refusals, strangers.

use std::net::TcpListener;
use std::process::Command;
use std::process::Stdio;

use gatepost::http::problem::Kind;
use serde_json::Value;
use serde_json::json;
use unicode_width::UnicodeWidthStr as _;

use crate::cli_server::Reply;
use crate::cli_server::Scripted;
use crate::cli_server::TOKEN;
use crate::cli_server::ok;
use crate::cli_server::problem;
use crate::cli_terminal::run;
use crate::cli_terminal::run_on_a_terminal;
use crate::process;

/// The name of a mail.
pub const FIRST: &str = "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE";
const SECOND: &str = "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGF";

/// A mail as the API tells it.
pub fn mail(id: &str) -> Value {
    json!({"id": id, "kind": "registration_code", "state": "queued", "lane": "prompt",
        "to": "ann@example.com", "language": "en", "message_id": "<a@example.com>", "size": 9,
        "created_at": "2026-01-01T00:00:00.000Z", "expires_at": "2026-01-01T00:10:00.000Z",
        "next_at": "2026-01-01T00:01:00.000Z", "tries": 1, "doubtful": false,
        "why": {"code": "retry", "text": "It waits for its next try.", "advice": "Wait."},
        "of_tomorrow": [1]})
}

/// What a relay can say.
const HOSTILE: &str = "550 \u{1b}[2Jno\u{9b}31m \u{202e}txt 例\r\nsecond";

#[test]
fn what_a_relay_said_does_not_act_on_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let mut hostile = mail(FIRST);
    hostile["why"]["text"] = json!(format!("{HOSTILE} {}", "例".repeat(200)));
    hostile["to"] = json!("\u{1b}]0;x\u{7}@example.com");
    hostile["attempts"] = json!([{"number": 1, "stage": "auth", "outcome": "configuration",
        "started_at": "2026-01-01T00:00:00.000Z", "ended_at": "2026-01-01T00:00:01.000Z",
        "code": 550, "reply": HOSTILE, "transcript": format!("220 hi\r\n> EHLO me\r\n{HOSTILE}"),
        "meaning": "The password is not right.", "advice": "Make a new one."}]);
    let server = Scripted::start(move |asked| match asked {
        asked if asked.starts_with("GET /api/v1/admin/outbox?") => ok(&json!({
            "items": [hostile], "next_cursor": null, "total": 1, "counts": {"queued": 1}})),
        _ => ok(&hostile),
    });
    for (arguments, words) in [
        (
            &["outbox", "list"][..],
            &["queued", FIRST, "retry 2 now"][..],
        ),
        (
            &["outbox", "show", FIRST],
            &["logging in", "Make a new one.", "> EHLO me", "second"],
        ),
        (&["outbox", "list", "--json"], &[FIRST]),
        (&["outbox", "show", FIRST, "--json"], &[FIRST]),
        (&["outbox", "retry", FIRST], &["queued"]),
    ] {
        let mut command = server.command(folder.path(), arguments);
        let (code, out, err) = run_on_a_terminal(&mut command, 100);
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        let acts = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!out.contains(acts), "{arguments:?}: {out:?}");
        for word in words {
            assert!(out.contains(word), "{arguments:?}: {word}: {out}");
        }
        if arguments == ["outbox", "list"] {
            for line in out.lines() {
                assert!(line.width() <= 100, "{line}");
            }
        }
        // The same for a program: JSON on one line, which says the same.
        let (code, out, _) = run(&mut server.command(folder.path(), arguments));
        assert_eq!(code, 0, "{arguments:?}");
        assert_eq!(out.lines().count(), 1, "{arguments:?}: {out}");
        assert!(!out.contains(acts), "{arguments:?}: {out:?}");
        let json: Value = serde_json::from_str(&out).unwrap();
        let mail = json.get("items").map_or(&json, |items| &items[0]);
        assert_eq!(mail["to"], "\u{1b}]0;x\u{7}@example.com");
        assert_eq!(mail["of_tomorrow"], json!([1]));
    }
}

#[test]
fn a_list_takes_as_many_pages_as_it_needs() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|asked| {
        let page = |items: Value, next: Value| {
            ok(&json!({"items": items, "next_cursor": next, "total": null, "counts": {}}))
        };
        // With a filter a page can be empty although more follow.
        match asked.split("cursor=").nth(1) {
            None => page(json!([]), json!("a b")),
            Some(rest) if rest.starts_with("a%20b") => page(json!([mail(FIRST)]), json!("c")),
            Some(_) => page(json!([mail(SECOND)]), Value::Null),
        }
    });
    let listed = |arguments: &[&str]| {
        let mut command = server.command(folder.path(), &["outbox", "list"]);
        let (code, out, err) = run(command.args(arguments));
        assert_eq!(code, 0, "{err}");
        let json: Value = serde_json::from_str(&out).unwrap();
        let names = json["items"].as_array().unwrap().iter();
        let names: Vec<String> = names
            .map(|mail| mail["id"].as_str().unwrap().to_owned())
            .collect();
        (names, json["next_cursor"].clone())
    };
    let to = ["--to", "ann+a@example.com"];
    assert_eq!(
        listed(&[&to[..], &["--limit", "1"]].concat()),
        (vec![FIRST.to_owned()], json!("c"))
    );
    assert!(server.heard()[0].contains("to=ann%2Ba%40example.com&limit=1 "));
    let both = vec![FIRST.to_owned(), SECOND.to_owned()];
    assert_eq!(listed(&[]), (both.clone(), Value::Null));
    assert_eq!(listed(&["--all"]), (both, Value::Null));
}

#[test]
fn one_mail_that_fails_does_not_keep_the_others_from_their_turn() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|asked| match asked.contains(FIRST) {
        true => problem(Kind::OutboxConflict, "It is sent already."),
        false => ok(&mail(SECOND)),
    });
    let arguments = ["outbox", "discard", FIRST, SECOND];
    let (code, out, err) = run_on_a_terminal(&mut server.command(folder.path(), &arguments), 80);
    assert_eq!(code, 1);
    assert!(err.contains(FIRST) && err.contains("sent already"), "{err}");
    // How it is taken back is told as it has to be typed.
    let undo = format!(
        "outbox undo --url {} --token-file token {SECOND}",
        server.url
    );
    assert!(out.contains("30 s") && out.contains(&undo), "{out}");
    assert_eq!(server.heard().len(), 2);
}

#[test]
fn a_mails_name_is_checked_before_anything_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| ok(&mail(FIRST)));
    for arguments in [
        &["outbox", "show", "ob_01KAQ0"][..],
        &["outbox", "discard", FIRST, "../keys"],
        &["outbox", "list", "--state", "asleep"],
        &["outbox", "list", "--kind", "parcel"],
        &["outbox", "pause", "tertiary"],
        &["outbox", "list", "--limit", "0"],
        &["outbox", "list", "--to", "nonsense"],
    ] {
        let (code, out, err) = run(&mut server.command(folder.path(), arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
    }
    let (_, _, err) = run(&mut server.command(folder.path(), &["outbox", "show", "ob_1"]));
    assert!(err.contains("26 letters and digits"), "{err}");
    assert!(server.heard().is_empty());
    // A URL without a token, and the other way round.
    for flags in [["--url", "http://127.0.0.1:1"], ["--token-file", "token"]] {
        let mut command = process::command(folder.path());
        let (code, _, err) = run(command.args(["outbox", "list"]).args(flags));
        assert_eq!(code, 2, "{err}");
    }
}

#[test]
fn the_token_goes_nowhere_but_to_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = Scripted::start(|_| ok(&json!({"items": []})));
    let to = format!("{}/api/v1/admin/routes", elsewhere.url);
    let server = Scripted::start(move |_| {
        Reply(
            307,
            "text/html",
            "<h1>moved</h1>".to_owned(),
            Some(to.clone()),
        )
    });
    for arguments in [&["outbox", "routes"][..], &["outbox", "pause"]] {
        let mut command = server.command(folder.path(), arguments);
        // Neither does a proxy see it.
        command
            .env("http_proxy", &elsewhere.url)
            .env("ALL_PROXY", &elsewhere.url);
        let (code, _, err) = run(&mut command);
        assert_eq!(code, 1);
        assert!(
            err.contains("not as gatepost does") && err.contains("307"),
            "{err}"
        );
        assert!(!err.contains(TOKEN));
    }
    assert_eq!(server.heard().len(), 2);
    let bearer = format!("authorization: bearer {TOKEN}");
    assert!(server.heard()[0].to_lowercase().contains(&bearer));
    assert!(elsewhere.heard().is_empty());
}

#[test]
fn no_token_goes_over_a_network_in_the_clear_unless_its_host_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::start(|_| ok(&json!({"items": []})));
    // This machine as well, and no loopback address.
    let url = server.url.replace("127.0.0.1", "0.0.0.0");
    let server = server.at(url);
    for (flags, code) in [
        (&[][..], 2),
        (&["--allow-plain", "0.0.0.1"], 2),
        (&["--allow-plain", "0.0.0.0"], 0),
    ] {
        let mut command = server.command(folder.path(), &["key", "list"]);
        let (ended, _, err) = run(command.args(flags));
        assert_eq!(ended, code, "{flags:?}: {err}");
        assert_eq!(server.heard().is_empty(), code == 2, "{flags:?}");
        assert_eq!(err.contains("--allow-plain 0.0.0.0"), code == 2, "{err}");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let key = json!({"id": "ak_01KDX0A9R7V8W6Z5Y4X3T2S1Q0", "name": "billing",
        "created_at": "2026-01-01T00:00:00.000Z", "key": "gpk_secret"});
    let made = key.clone();
    let server = Scripted::start(move |asked| match asked.starts_with("POST") {
        true => ok(&made),
        false => ok(&json!({"items": [], "counts": {}})),
    });
    let full = || std::fs::File::options().write(true).open("/dev/full");
    let ended = |command: &mut Command, stdout: Stdio| {
        let child = command.stdout(stdout).stderr(Stdio::piped()).spawn();
        let output = child.unwrap().wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        (output.status.code().unwrap_or(-1), err)
    };
    // The reader is gone before anything is written.
    let gone = || std::io::pipe().unwrap().1;
    for arguments in [
        &["outbox", "list"][..],
        &["outbox", "routes", "--json"],
        &["key", "list"],
        &["key", "create", "billing"],
        &["key", "create", "billing", "--json"],
    ] {
        let command = || server.command(folder.path(), arguments);
        let (code, err) = ended(&mut command(), full().unwrap().into());
        assert_eq!(code, 1, "{arguments:?}: {err}");
        assert!(err.contains("No space left"), "{arguments:?}: {err}");
        let lost = arguments[1] == "create";
        let (code, silent) = ended(&mut command(), gone().into());
        assert_eq!(code, i32::from(lost), "{arguments:?}: {silent}");
        // What nobody has is taken away again.
        for err in [err, silent] {
            let revoke = format!(
                "gatepost key revoke --url {} --token-file token {}",
                server.url,
                key["id"].as_str().unwrap()
            );
            assert_eq!(err.contains(&revoke), lost, "{arguments:?}: {err}");
            assert!(!err.contains("gpk_secret"), "{err}");
        }
    }
    for arguments in [
        &["--help"][..],
        &["openapi"],
        &["config"],
        &["doctor", "--json"],
    ] {
        let command = || {
            let mut command = process::command(folder.path());
            command.args(arguments);
            command
        };
        let (code, _) = ended(&mut command(), full().unwrap().into());
        assert_eq!(code, 1, "{arguments:?}");
        let (code, _) = ended(&mut command(), gone().into());
        assert_eq!(code, 0, "{arguments:?}");
    }
}

#[test]
fn a_mail_that_is_due_is_tried_now_and_what_nobody_knows_is_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut paused = mail(SECOND);
    paused["next_at"] = Value::Null;
    let server = Scripted::start(move |asked| match asked {
        asked if asked.contains(FIRST) => ok(&mail(FIRST)),
        asked if asked.contains(SECOND) => ok(&paused),
        _ => ok(&json!({"items": [mail(FIRST), paused], "counts": {"queued": 2}})),
    });
    let shown = |arguments: &[&str]| {
        let mut command = server.command(folder.path(), arguments);
        let (code, out, err) = run_on_a_terminal(&mut command, 100);
        assert_eq!(code, 0, "{err}");
        out
    };
    let list = shown(&["outbox", "list"]);
    let row = |id: &str| {
        let line = list.lines().find(|line| line.starts_with(id)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let queued = "queued ann@example.com";
    assert!(row(FIRST).ends_with(&format!("{queued} retry 2 now")));
    assert!(
        row(SECOND).ends_with(&format!("{queued} retry 2")),
        "{list}"
    );
    let next = |id: &str| {
        let page = shown(&["outbox", "show", id]);
        let line = page.lines().find(|line| line.starts_with("Next try"));
        line.unwrap_or_default()
            .replace("Next try", "")
            .trim()
            .to_owned()
    };
    assert_eq!(next(FIRST), "now");
    assert_eq!(next(SECOND), "nobody knows yet");
    let said = shown(&["outbox", "retry", FIRST]);
    assert!(said.contains("queued, due now"), "{said}");
}

#[test]
fn whoever_is_no_gatepost_or_says_no_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let said = |answer: fn(&str) -> Reply| {
        let server = Scripted::start(answer);
        let (code, out, err) = run(&mut server.command(folder.path(), &["outbox", "routes"]));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(!err.contains(TOKEN), "{err}");
        err
    };
    let err = said(|_| problem(Kind::AdminRequired, "The operator's token is needed."));
    assert!(err.contains("the token of token"), "{err}");
    assert!(err.contains("operator's token is needed"), "{err}");

    let err = said(|_| {
        Reply(
            502,
            "text/html",
            "<h1>Bad\u{1b} gateway</h1>".to_owned(),
            None,
        )
    });
    assert!(err.contains("502") && err.contains("gateway"), "{err}");
    assert!(!err.contains('\u{1b}'), "{err:?}");

    let err = said(|_| ok(&json!({"routes": []})));
    assert!(err.contains("another version"), "{err}");

    let err = said(|_| problem(Kind::Unavailable, "The store does not answer."));
    assert!(err.contains("The store does not answer"), "{err}");

    // It speaks no TLS.
    let server = Scripted::start(|_| ok(&json!({"items": []})));
    let url = server.url.replace("http://", "https://");
    let mut command = process::command(folder.path());
    command.args(["key", "list", "--token-file", "token", "--url", &url]);
    let (code, _, err) = run(&mut command);
    assert_eq!(code, 1);
    assert!(err.contains("one for http://"), "{err}");
    assert!(server.heard().is_empty(), "{:?}", server.heard());

    // Nobody listens.
    let gone = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    std::fs::write(folder.path().join("token"), TOKEN).unwrap();
    let mut command = process::command(folder.path());
    command.args(["key", "list", "--token-file", "token", "--url"]);
    let (code, _, err) = run(command.arg(format!("http://{gone}")));
    assert_eq!(code, 1);
    assert!(err.contains("nobody answers"), "{err}");
}

#[test]
fn a_route_tells_what_went_wrong_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let route = json!({"name": "primary", "host": "smtp.example.com", "port": 587,
        "user": "ann@example.com", "state": "open", "since": "2026-01-01T00:00:00.000Z",
        "next_probe_at": "2026-01-01T00:01:00.000Z", "connections": 0,
        "budget": {"per_day": 500, "kept_for_codes": 50, "spent": 12, "per_minute": 20},
        "last_error": {"at": "2026-01-01T00:00:00.000Z", "stage": "auth", "code": 535,
            "text": "535 5.7.8 no", "rule": "gmail_credentials", "meaning": "密碼不對。",
            "advice": "請建立應用程式密碼。", "page": "https://example.com/app"}});
    let server = Scripted::start(move |asked| match asked {
        "GET /api/v1/admin/routes" => ok(&json!({"items": [route]})),
        "POST /api/v1/admin/routes/primary/pause" | "POST /api/v1/admin/routes/fallback/resume" => {
            ok(&route)
        }
        _ => problem(Kind::NotFound, "No such thing."),
    });
    let shown = |arguments: &[&str]| {
        let mut command = server.command(folder.path(), arguments);
        let (code, out, err) = run_on_a_terminal(&mut command, 100);
        assert_eq!(code, 0, "{err}");
        out
    };
    let out = shown(&["outbox", "routes"]);
    for words in [
        "primary: smtp.example.com:587 as ann@example.com",
        "State        resting\n",
        "12 of 500 in the last 24 h, 50 of them kept for codes; 20 a minute",
        "logging in",
        "535 5.7.8 no",
        "請建立應用程式密碼。",
        "https://example.com/app",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(shown(&["outbox", "pause"]).contains("outbox resume"));
    shown(&["outbox", "resume", "fallback"]);
}
