//! `gatepost outbox` and `gatepost key` end to end: the real binary talks to the real binary.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use serde_json::Value;
use serde_json::json;

use crate::cli_terminal::run;
use crate::cli_terminal::run_on_a_terminal;
use crate::process;
use crate::process::Process;
use crate::relay_script::Act;
use crate::relay_script::Server;
use crate::relay_script::fine;

fn gatepost(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = process::command(folder);
    command.args(arguments);
    command
}

/// What a program gets of a command that goes well.
fn told(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = run(&mut gatepost(folder, arguments));
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    serde_json::from_str(&out).unwrap()
}

/// What people are shown of a command that goes well.
fn shown(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run_on_a_terminal(&mut gatepost(folder, arguments), 120);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    assert!(!out.contains('\u{1b}'), "{arguments:?}: {out:?}");
    out
}

/// How a command fails that ends with 1.
fn complaint(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run(&mut gatepost(folder, arguments));
    assert_eq!((code, out.as_str()), (1, ""), "{arguments:?}: {err}");
    err
}

/// Asks until it is so.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let so = process::patiently(|| is_so().then_some(()));
    assert!(so.is_some(), "never: {what}");
}

fn until_in_state(running: &Process, id: &str, state: &str) {
    until(&format!("{id} is {state}"), || {
        running.admin(&format!("/outbox/{id}"))["state"] == state
    });
}

#[test]
fn a_mail_is_looked_at_and_looked_after() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let moved_in = Arc::new(AtomicBool::new(false));
    let known = moved_in.clone();
    let relay = runtime.block_on(Server::start(move |_, line| match line {
        line if line.starts_with("RCPT") && line.contains("later") => {
            Act::Say(b"451 4.7.1 greylisted\r\n")
        }
        line if line.starts_with("RCPT") && line.contains("nobody") => {
            match known.load(Ordering::SeqCst) {
                true => fine(line),
                false => Act::Say(b"550 5.1.1 no \x1b[2J such user\r\n"),
            }
        }
        line => fine(line),
    }));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let port = relay.port.to_string();
    let relay_of = [
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &port),
        ("EMAIL_USE_TLS", "0"),
    ];
    let running = Process::start("serve", folder, &relay_of);

    // The story of a test mail: which steps went well, and where one failed, the relay's words.
    let story = |address: &str| run(&mut gatepost(folder, &["send-test-mail", address]));
    let (code, out, err) = story("ann@example.com");
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    for words in ["sent", "ok  connected", "220 test ready", "took it: 250 ok"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let (code, out, err) = story("nobody@example.com");
    assert_eq!((code, out.as_str()), (1, ""));
    for words in [
        "dead now",
        "FAILED  naming the recipient (RCPT TO)",
        "550 5.1.1 no \\u{1b}[2J such user",
        "What to do",
    ] {
        assert!(err.contains(words), "{words}: {err}");
    }
    let (code, _, err) = story("later@example.com");
    assert_eq!(code, 1);
    assert!(
        err.contains("queued now") && err.contains("Next try"),
        "{err}"
    );

    // The list.
    let all = told(folder, &["outbox", "list"]);
    assert_eq!(all["total"], 3);
    assert_eq!(all["counts"]["dead"], 1);
    let id_of = |state: &str| {
        let some = told(
            folder,
            &["outbox", "list", "--state", state, "--kind", "test"],
        );
        assert_eq!(some["items"].as_array().unwrap().len(), 1, "{some}");
        some["items"][0]["id"].as_str().unwrap().to_owned()
    };
    let (sent, dead, queued) = (id_of("sent"), id_of("dead"), id_of("queued"));
    let table = shown(folder, &["outbox", "list"]);
    for words in [
        &sent,
        &dead,
        &queued,
        "nobody@example.com",
        "3 of 3 mails",
        "1 dead",
    ] {
        assert!(table.contains(words), "{words}: {table}");
    }
    let to = told(folder, &["outbox", "list", "--to", "ann@example.com"]);
    assert_eq!(to["items"][0]["id"], *sent);

    // One of them.
    let page = shown(folder, &["outbox", "show", &dead]);
    for words in [
        "RCPT TO",
        "\\u{1b}[2J",
        "What to do",
        "> MAIL FROM:<",
        "Attempt 1",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let mail = told(folder, &["outbox", "show", &dead]);
    assert_eq!(mail["attempts"][0]["code"], 550);

    // What cannot be done says why, and what can be done is done.
    let err = complaint(folder, &["outbox", "requeue", &sent]);
    assert!(err.contains(&sent) && err.contains("sent"), "{err}");
    moved_in.store(true, Ordering::SeqCst);
    assert_eq!(told(folder, &["outbox", "requeue", &dead])["id"], *dead);
    until_in_state(&running, &dead, "sent");

    let said = shown(folder, &["outbox", "discard", &queued]);
    assert!(said.contains(&format!("outbox undo {queued}")), "{said}");
    assert_eq!(
        told(folder, &["outbox", "show", &queued])["state"],
        "discarded"
    );
    assert_eq!(
        told(folder, &["outbox", "undo", &queued])["state"],
        "queued"
    );
    complaint(folder, &["outbox", "undo", &queued]);
    let tries = || {
        let mail = running.admin(&format!("/outbox/{queued}"));
        mail["attempts"].as_array().unwrap().len()
    };
    let before = tries();
    told(folder, &["outbox", "retry", &queued]);
    until("it is tried again", || tries() > before);

    let err = complaint(folder, &["outbox", "show", "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE"]);
    assert!(err.contains("no such mail"), "{err}");
}

#[test]
fn advice_comes_in_the_language_of_the_site() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let relay = runtime.block_on(Server::start(|_, line| match line {
        line if line.starts_with("RCPT") => Act::Say(b"550 5.1.1 no such user\r\n"),
        line => fine(line),
    }));
    let folder = tempfile::tempdir().unwrap();
    let port = relay.port.to_string();
    // No gatepost runs: one is started for this one mail.
    let mut command = gatepost(folder.path(), &["send-test-mail", "nobody@example.com"]);
    command.envs([
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &port),
        ("EMAIL_USE_TLS", "0"),
        ("LANGUAGE_CODE", "zh-hant"),
    ]);
    let (code, _, err) = run(&mut command);
    assert_eq!(code, 1);
    for words in ["收件信箱", "失敗", "處理方法", "已放棄"] {
        assert!(err.contains(words), "{words}: {err}");
    }
    assert!(!err.contains("What to do"), "{err}");
}

#[test]
fn without_a_gatepost_a_command_says_how_to_start_one_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["outbox", "list"][..], &["key", "create", "billing"]] {
        let err = complaint(folder.path(), arguments);
        assert!(err.contains("gatepost serve --data data"), "{err}");
        assert!(err.contains("--url"), "{err}");
    }
    // What is suggested can be typed.
    let err = complaint(folder.path(), &["outbox", "list", "--data", "Ann's data"]);
    assert!(
        err.contains(r"gatepost serve --data 'Ann'\''s data'"),
        "{err}"
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn of_two_servers_the_one_that_is_named_answers() {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| folder.path().join(name));
    for folder in [&here, &there] {
        std::fs::create_dir(folder).unwrap();
    }
    let _here = Process::start("dev", &here, &[]);
    let elsewhere = Process::start("dev", &there, &[]);
    let (code, _, err) = run(&mut gatepost(
        &there,
        &["send-test-mail", "ann@example.com"],
    ));
    assert_eq!(code, 0, "{err}");

    let total = |arguments: &[&str]| {
        let all = [&["outbox", "list"], arguments].concat();
        told(&here, &all)["total"].clone()
    };
    assert_eq!(total(&[]), 0);
    assert_eq!(total(&["--data", "../there/data"]), 1);
    let url = format!("http://{}/", elsewhere.http);
    let token = "../there/data/admin.token";
    assert_eq!(total(&["--url", &url, "--token-file", token]), 1);

    // Each has a token of its own.
    let own = "data/admin.token";
    let wrong = ["outbox", "list", "--url", &url, "--token-file", own];
    let err = complaint(&here, &wrong);
    assert!(
        err.contains(own) && err.contains("does not accept"),
        "{err}"
    );
    let token = std::fs::read_to_string(here.join(own)).unwrap();
    assert!(!err.contains(token.trim()), "{err}");
    // Whoever does not know us is not asked about the next mail.
    let two = [
        "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE",
        "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGF",
    ];
    let wrong = [&["outbox", "retry"], &two[..], &wrong[2..]].concat();
    let err = complaint(&here, &wrong);
    assert!(err.contains(two[0]) && !err.contains(two[1]), "{err}");
    // A file that is not there, or holds something else.
    std::fs::write(here.join("empty"), "\n").unwrap();
    for file in ["gone", "empty"] {
        let arguments = ["outbox", "list", "--url", &url, "--token-file", file];
        let (code, _, err) = run(&mut gatepost(&here, &arguments));
        assert_eq!(code, 2);
        assert!(err.contains(file), "{err}");
    }
}

#[test]
fn one_that_was_killed_is_not_mistaken_for_whoever_listens_there_now() {
    let folder = tempfile::tempdir().unwrap();
    let running = Process::start("dev", folder.path(), &[]);
    let http = running.http;
    running.kill();
    assert!(folder.path().join("data/running.json").exists());
    // Whoever of the other tests took the port meanwhile does as well.
    let other = TcpListener::bind(http).ok();
    let err = complaint(folder.path(), &["outbox", "list"]);
    assert!(err.contains("has ended"), "{err}");
    assert!(err.contains("gatepost serve --data data"), "{err}");
    // The token of the operator is not for it.
    if let Some(other) = other {
        other.set_nonblocking(true).unwrap();
        let asked = other.accept().map(drop);
        assert_eq!(asked.unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    }
}

#[test]
fn keys_are_made_listed_and_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = Process::start("dev", folder, &[]);
    let (code, key, said) = run(&mut gatepost(folder, &["key", "create", "billing"]));
    assert_eq!(code, 0, "{said}");
    // The key alone, so that it can be piped into a file.
    assert_eq!(key.lines().count(), 1, "{key}");
    assert!(key.starts_with("gpk_"), "{key}");
    assert!(
        said.contains("billing") && !said.contains(key.trim()),
        "{said}"
    );

    // It orders mail.
    let order = |key: &str| {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        let order = json!({"to": "ann@example.com", "subject": "Hello", "text": "Hello."});
        agent
            .post(format!("http://{}/api/v1/mail/send", running.http))
            .header("Authorization", format!("Bearer {}", key.trim()))
            .send_json(order)
            .unwrap()
            .status()
            .as_u16()
    };
    assert_eq!(order(&key), 202);

    let listed = told(folder, &["key", "list"]);
    assert_eq!(listed["items"][0]["name"], "billing");
    assert!(!listed.to_string().contains(key.trim()), "{listed}");
    let id = listed["items"][0]["id"].as_str().unwrap().to_owned();
    let table = shown(folder, &["key", "list"]);
    assert!(table.contains(&id) && table.contains("billing"), "{table}");
    let ordered = told(folder, &["outbox", "list", "--kind", "message"]);
    assert_eq!(ordered["items"][0]["ordered_by"], *id);

    let err = complaint(folder, &["key", "create", "billing"]);
    assert!(err.contains("name"), "{err}");

    let (code, out, err) = run(&mut gatepost(folder, &["key", "revoke", &id]));
    assert_eq!((code, out.as_str()), (0, ""));
    assert!(err.contains("revoked"), "{err}");
    assert_eq!(order(&key), 401);
    let err = complaint(folder, &["key", "revoke", &id]);
    assert!(err.contains("no such key"), "{err}");
    assert_eq!(told(folder, &["key", "list"])["items"], json!([]));
}

#[test]
fn a_route_is_paused_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let running = Process::start("dev", folder, &[]);
    let paused = shown(folder, &["outbox", "pause"]);
    assert!(paused.contains("State        paused"), "{paused}");
    assert!(
        paused.contains("gatepost outbox resume primary"),
        "{paused}"
    );

    // A test mail does not wait for nobody.
    let err = complaint(folder, &["send-test-mail", "ann@example.com"]);
    assert!(
        err.contains("queued now") && err.contains("paused"),
        "{err}"
    );
    let listed = told(folder, &["outbox", "list"]);
    let mail = &listed["items"][0];
    assert_eq!(mail["why"]["code"], "route_paused", "{mail}");
    let routes = told(folder, &["outbox", "routes"]);
    assert_eq!(routes["items"][0]["state"], "paused", "{routes}");

    assert_ne!(told(folder, &["outbox", "resume"])["state"], "paused");
    until_in_state(&running, mail["id"].as_str().unwrap(), "sent");
    // The board is a moment behind the store.
    until("the route tells that it sent", || {
        running.admin("/routes")["items"][0]["last_success_at"].is_string()
    });
    let routes = shown(folder, &["outbox", "routes"]);
    assert!(
        routes.contains("working") && routes.contains("Last sent"),
        "{routes}"
    );

    // Only one is set up.
    let err = complaint(folder, &["outbox", "pause", "fallback"]);
    assert!(err.contains("fallback"), "{err}");
}

#[test]
fn a_route_that_rests_says_why_and_a_resume_tries_it_at_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let let_in = Arc::new(AtomicBool::new(false));
    let known = let_in.clone();
    let relay = runtime.block_on(Server::start(move |_, line| match line {
        line if line.starts_with("AUTH") && !known.load(Ordering::SeqCst) => {
            Act::Say(b"535 5.7.8 Username and Password not accepted\r\n")
        }
        line => fine(line),
    }));
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let port = relay.port.to_string();
    let account = [
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &port),
        ("EMAIL_USE_TLS", "0"),
        ("EMAIL_HOST_USER", "ann@example.com"),
        ("EMAIL_HOST_PASSWORD", "hunter2hunter2"),
    ];
    let running = Process::start("serve", folder, &account);
    let err = complaint(folder, &["send-test-mail", "ben@example.com"]);
    for words in ["FAILED  logging in", "535 5.7.8", "What to do"] {
        assert!(err.contains(words), "{words}: {err}");
    }
    let routes = shown(folder, &["outbox", "routes"]);
    for words in [
        "State        resting\n",
        "Tried next",
        "535 5.7.8",
        "What to do",
    ] {
        assert!(routes.contains(words), "{words}: {routes}");
    }
    let listed = told(folder, &["outbox", "list"]);
    let id = listed["items"][0]["id"].as_str().unwrap();
    assert_eq!(listed["items"][0]["tries"], 0, "{listed}");
    let_in.store(true, Ordering::SeqCst);
    told(folder, &["outbox", "resume"]);
    until_in_state(&running, id, "sent");
}
