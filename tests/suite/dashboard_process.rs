//! The dashboard as a person has it: the binary on a terminal, before a server that runs, fails,
//! is killed and comes back.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use rustix::process::Signal;
use serde_json::Value;
use serde_json::json;

use crate::dashboard_terminal::Terminal;
use crate::process::Process;
use crate::process::patiently;
use crate::relay_script;
use crate::relay_script::Act;

const WIDE: (u16, u16) = (110, 34);

/// `gatepost dev` on a terminal, with free ports; where it listens.
fn dev(folder: &Path, more: &[&str]) -> (Terminal, SocketAddr) {
    let mut arguments = vec!["dev", "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"];
    arguments.extend(["--data", "data", "--ready-file", "ready.json"]);
    arguments.extend(more);
    let dark = [("GATEPOST_DASHBOARD_THEME", "dark")];
    let terminal = Terminal::start(folder, &arguments, &dark, WIDE);
    let ready = patiently(|| std::fs::read_to_string(folder.join("ready.json")).ok());
    let ready: Value = serde_json::from_str(&ready.expect("it listens")).unwrap();
    (terminal, ready["http"].as_str().unwrap().parse().unwrap())
}

fn ask_for_a_code(http: SocketAddr, email: &str) {
    let form = json!({"email": email, "verification_type": "register"});
    let url = format!("http://{http}/api/v1/auth/send_verification_code");
    let answer = ureq::post(url).send_json(form).unwrap();
    assert_eq!(answer.status().as_u16(), 202);
}

/// What the terminal was told to put into the clipboard (OSC 52).
fn clipboard(terminal: &Terminal) -> Vec<String> {
    use base64::Engine as _;
    let written = terminal.written();
    let parts = written.split("\u{1b}]52;c;").skip(1);
    parts
        .filter_map(|part| {
            let end = part.find(['\u{7}', '\u{1b}'])?;
            let bytes = base64::engine::general_purpose::STANDARD.decode(&part[..end]);
            String::from_utf8(bytes.ok()?).ok()
        })
        .collect()
}

#[test]
fn a_mail_appears_beside_dev_and_its_code_is_read_and_copied() {
    let folder = tempfile::tempdir().unwrap();
    let (mut terminal, http) = dev(folder.path(), &[]);
    terminal.shows("LIVE");
    terminal.press("1");
    ask_for_a_code(http, "ann@example.com");
    terminal.shows("ann@example.com");
    terminal.press("c");
    let code = patiently(|| clipboard(&terminal).into_iter().next()).expect("a code was copied");
    assert!(
        code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()),
        "{code}"
    );
    terminal.press("\r");
    terminal.shows(&code);
    // What it was about is in the log, which is in the dashboard and not on top of it.
    terminal.press("8");
    terminal.shows("listening");
    terminal.press("q");
    terminal.is_given_back();
    assert_eq!(terminal.ended(), 0);
    let after = terminal.screen();
    assert!(after.contains("stopped"), "{after}");
}

#[test]
fn without_the_dashboard_dev_says_where_it_listens_and_takes_no_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let (mut terminal, _) = dev(folder.path(), &["--no-dashboard"]);
    terminal.shows("API browser");
    assert!(!terminal.is_taken());
    terminal.press("\u{3}");
    assert_eq!(terminal.ended(), 0);
}

#[test]
fn a_terminal_is_whole_after_every_end() {
    for signal in [Signal::TERM, Signal::INT, Signal::HUP] {
        let folder = tempfile::tempdir().unwrap();
        let (mut terminal, _) = dev(folder.path(), &[]);
        terminal.shows("LIVE");
        assert!(terminal.is_taken());
        terminal.signal(signal);
        terminal.is_given_back();
        assert_eq!(terminal.ended(), 0, "{signal:?}");
    }
}

#[test]
fn a_terminal_is_whole_while_the_dashboard_is_suspended() {
    let folder = tempfile::tempdir().unwrap();
    let (mut terminal, _) = dev(folder.path(), &[]);
    terminal.shows("LIVE");
    // By its key, and by a signal from outside.
    let ways: [fn(&mut Terminal); 2] = [
        |terminal| terminal.press("\u{1a}"),
        |terminal| terminal.signal(Signal::TSTP),
    ];
    for way in ways {
        way(&mut terminal);
        terminal.is_given_back();
        terminal.signal(Signal::CONT);
        let back = patiently(|| terminal.is_taken().then_some(()));
        assert!(back.is_some(), "{}", terminal.screen());
        terminal.shows("LIVE");
    }
    terminal.resize(60, 20);
    terminal.shows_that("a picture that fits", |screen| {
        screen.contains("LIVE") && screen.lines().all(|line| line.chars().count() <= 60)
    });
    terminal.press("q");
    assert_eq!(terminal.ended(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_seen_with_its_why_and_the_mail_goes_out_when_it_is_tried_again() {
    let mended = Arc::new(AtomicBool::new(false));
    let works = mended.clone();
    let relay = relay_script::Server::start(move |_, line| match line {
        line if line.starts_with("RCPT") && !works.load(Ordering::SeqCst) => {
            Act::Say(b"451 4.7.1 greylisted, come back later\r\n")
        }
        line => relay_script::fine(line),
    })
    .await;
    let folder = tempfile::tempdir().unwrap();
    let settings = [
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "127.0.0.1"),
        ("EMAIL_PORT", &*relay.port.to_string()),
        ("GATEPOST_RELAY_SECURITY", "none"),
        ("DEFAULT_FROM_EMAIL", "Site <site@example.com>"),
    ];
    let server = Process::start("serve", folder.path(), &settings);
    let dark = [("GATEPOST_DASHBOARD_THEME", "dark")];
    let mut terminal = Terminal::start(folder.path(), &["tui"], &dark, WIDE);
    terminal.shows("LIVE");
    terminal.shows("PRODUCTION");
    ask_for_a_code(server.http, "ann@example.com");
    // One key leads to what failed, from wherever one is.
    terminal.press("6!");
    terminal.shows("ann@example.com");
    terminal.shows("greylist");
    mended.store(true, Ordering::SeqCst);
    terminal.press("r");
    // In production it asks before it writes.
    terminal.press("y");
    relay.until("QUIT").await;
    let sent = patiently(|| {
        let page = server.admin("/outbox?state=sent");
        (page["items"].as_array().unwrap().len() == 1).then_some(())
    });
    assert!(sent.is_some(), "{}", terminal.screen());
    // Who did it is in the record.
    let audit = server.admin("/audit?action=outbox_retry");
    assert!(
        audit["items"][0]["actor"]
            .as_str()
            .unwrap()
            .starts_with("operator"),
        "{audit}"
    );

    // The server is killed: the dashboard says so, keeps what it has, and recovers by itself.
    let http = server.http.to_string();
    server.kill();
    terminal.press("2");
    terminal.shows_that("a banner", |screen| !screen.contains("LIVE"));
    let again = Process::start_at(&http, "serve", folder.path(), &settings);
    terminal.press("R");
    terminal.shows("LIVE");
    ask_for_a_code(again.http, "bob@example.com");
    terminal.shows("bob@example.com");
    terminal.press("q");
    terminal.is_given_back();
    assert_eq!(terminal.ended(), 0);
}

/// The name under which the test below runs itself again, on a terminal.
const PANICS: &str = "GATEPOST_TEST_PANICS_ON_THE_TERMINAL";

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    #[expect(
        clippy::disallowed_methods,
        reason = "how this very test runs itself again"
    )]
    if std::env::var_os(PANICS).is_some() {
        let _screen = gatepost::tui::terminal::Screen::take(true).unwrap();
        panic!("a defect");
    }
    let folder = tempfile::tempdir().unwrap();
    let program = std::env::current_exe().unwrap();
    let name = "dashboard_process::a_panic_gives_the_terminal_back_before_it_speaks";
    let mut terminal = Terminal::start_program(
        &program,
        folder.path(),
        &["--exact", name, "--nocapture"],
        &[(PANICS, "1")],
        WIDE,
    );
    assert_ne!(terminal.ended(), 0);
    terminal.is_given_back();
    let written = terminal.written();
    let (before, after) = written.split_once("\u{1b}[?1049l").expect("it was taken");
    assert!(before.contains("\u{1b}[?1049h"));
    assert!(after.contains("a defect"), "{written:?}");
}
