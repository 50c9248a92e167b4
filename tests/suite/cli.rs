//! The real binary as people and scripts start it: output, exit codes, signals, files.

use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use serde_json::Value;

use crate::process::patiently;

/// `gatepost` in a folder, with nothing in its environment that this machine happens to have.
fn gatepost(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// A gatepost that runs until it is told to stop, or dropped.
struct Running {
    child: Child,
    ready: Value,
}

const ANY_PORT: [&str; 6] = [
    "--http",
    "127.0.0.1:0",
    "--smtp",
    "127.0.0.1:0",
    "--ready-file",
    "ready",
];

impl Running {
    fn start(folder: &Path, command: &str, more: &[&str]) -> Running {
        let mut arguments = vec![command];
        arguments.extend(ANY_PORT);
        arguments.extend(more);
        let mut child = gatepost(folder, &arguments).spawn().unwrap();
        let ready = patiently(|| {
            if let Ok(text) = std::fs::read_to_string(folder.join("ready")) {
                // It is renamed into place: whoever sees it sees all of it.
                return Some(serde_json::from_str::<Value>(&text).unwrap());
            }
            if let Some(status) = child.try_wait().unwrap() {
                let mut said = String::new();
                child
                    .stderr
                    .take()
                    .unwrap()
                    .read_to_string(&mut said)
                    .unwrap();
                panic!("it ended before it listened ({status}): {said}");
            }
            None
        });
        let ready = ready.expect("it listens within a minute");
        assert_eq!(ready["pid"], child.id());
        Running { child, ready }
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Waits until it has ended, and hands back its code and what it said.
    fn ended(mut self) -> (i32, String, String) {
        let mut said = [String::new(), String::new()];
        self.child
            .stdout
            .take()
            .unwrap()
            .read_to_string(&mut said[0])
            .unwrap();
        self.child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said[1])
            .unwrap();
        let code = self.child.wait().unwrap().code().unwrap_or(-1);
        let [out, err] = std::mem::take(&mut said);
        (code, out, err)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has mostly ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_command_line_explains_itself() {
    let folder = tempfile::tempdir().unwrap();
    let mut said = String::new();
    for arguments in [
        &["--help"][..],
        &["dev", "--help"],
        &["serve", "--help"],
        &["config", "--help"],
        &["openapi", "--help"],
        &["sendtestmail", "--help"],
        &["doctor", "--help"],
        &["outbox", "--help"],
        &["outbox", "list", "--help"],
        &["outbox", "show", "--help"],
        &["outbox", "retry", "--help"],
        &["outbox", "requeue", "--help"],
        &["outbox", "discard", "--help"],
        &["outbox", "undo", "--help"],
        &["outbox", "pause", "--help"],
        &["outbox", "resume", "--help"],
        &["outbox", "routes", "--help"],
        &["key", "--help"],
        &["key", "create", "--help"],
        &["key", "list", "--help"],
        &["key", "revoke", "--help"],
    ] {
        let (code, out, err) = run(&mut gatepost(folder.path(), arguments));
        assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
        said += &format!("$ gatepost {}\n{out}\n", arguments.join(" "));
    }
    insta::assert_snapshot!("cli_help", said);
}

#[test]
fn misuse_ends_with_2_and_says_how_it_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    for (arguments, words) in [
        (&[][..], "Usage: gatepost <COMMAND>"),
        (&["serv"], "'serve'"),
        (&["dev", "--bogus"], "--bogus"),
        (
            &["dev", "--http", "8000"],
            "http.listen: \"8000\" is not an address",
        ),
        (&["config", "--config", "gone.toml"], "gone.toml"),
        (&["openapi", "--config", "gone.toml"], "gone.toml"),
        (&["config", "--log", "xml"], "human or json"),
        (&["send-test-mail"], "<ADDRESS>"),
        (&["send-test-mail", "nobody"], "name@example.com"),
    ] {
        let (code, out, err) = run(&mut gatepost(folder.path(), arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    // None of it left anything behind.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn config_shows_every_setting_with_its_source_and_no_secret() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join(".env"),
        "EMAIL_HOST_PASSWORD=hunter2 hunter2\n",
    )
    .unwrap();
    std::fs::write(
        folder.path().join("gatepost.toml"),
        "site.name = \"a\\u001b[2Jb\"\n",
    )
    .unwrap();
    let shown = |arguments: &[&str]| {
        let mut command = gatepost(folder.path(), arguments);
        command.env("EMAIL_HOST", "smtp.example.com");
        let (code, out, err) = run(&mut command);
        assert_eq!(code, 0, "{err}");
        assert!(
            !out.contains("hunter2") && !err.contains("hunter2"),
            "{out}{err}"
        );
        assert!(!out.contains('\u{1b}'), "{out}");
        out
    };
    let table = shown(&["config", "--data", "elsewhere"]);
    let row = |name: &str| {
        let line = table.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        row("relay.password"),
        "relay.password *** .env:1 EMAIL_HOST_PASSWORD"
    );
    assert_eq!(
        row("relay.host"),
        "relay.host smtp.example.com environment EMAIL_HOST"
    );
    assert_eq!(row("data.dir"), "data.dir elsewhere flag --data");
    assert_eq!(row("relay.port"), "relay.port 587 default");
    assert_eq!(table.lines().count(), gatepost::config::DEFINITIONS.len());

    let json: Value = serde_json::from_str(&shown(&["config", "--json", "--dev"])).unwrap();
    assert_eq!(json["relay.password"]["value"], "***");
    assert_eq!(json["limits.code_per_ip"]["source"], "default in dev");
    assert!(!folder.path().join("elsewhere").exists());
}

#[test]
fn openapi_prints_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let (code, out, err) = run(&mut gatepost(folder.path(), &["openapi"]));
    assert_eq!((code, err.as_str()), (0, ""));
    let document: Value = serde_json::from_str(&out).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3."));
    assert!(document["paths"].as_object().unwrap().len() > 10);
    let (code, yaml, _) = run(&mut gatepost(folder.path(), &["openapi", "--yaml"]));
    assert_eq!(code, 0);
    assert!(
        yaml.lines().any(|line| line.starts_with("openapi: ")),
        "{yaml:.200}"
    );
}

#[test]
fn dev_says_where_it_is_and_sigterm_ends_it_cleanly() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), "dev", &[]);
    let http = running.ready["http"].as_str().unwrap().to_owned();
    assert!(!http.ends_with(":0"));
    let answer = ureq::get(format!("http://{http}/healthz")).call().unwrap();
    assert_eq!(answer.status(), 200);

    let token = folder.path().join("data/admin.token");
    let mode = std::fs::metadata(&token).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let token = std::fs::read_to_string(token).unwrap();

    running.signal(rustix::process::Signal::TERM);
    let (code, out, err) = running.ended();
    assert_eq!(code, 0, "{err}");
    for said in [http.as_str(), "/docs", "data/admin.token", "captured"] {
        assert!(out.contains(said), "{said}: {out}");
    }
    assert!(
        !out.contains('\u{1b}') && !err.contains('\u{1b}'),
        "colours without a terminal"
    );
    assert!(!out.contains(token.trim()) && !err.contains(token.trim()));
    assert!(!folder.path().join("ready").exists());
}

#[test]
fn a_store_in_a_folder_that_was_there_before_is_its_owners_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).unwrap();
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let store = data.join("store.redb");
    let mode = || std::fs::metadata(&store).unwrap().permissions().mode() & 0o777;
    drop(Running::start(folder.path(), "dev", &[]));
    assert_eq!(mode(), 0o600);
    // One that an older gatepost made is tightened.
    std::fs::set_permissions(&store, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::remove_file(folder.path().join("ready")).unwrap();
    drop(Running::start(folder.path(), "dev", &[]));
    assert_eq!(mode(), 0o600);
}

#[test]
fn every_file_in_the_data_folder_is_explained_in_its_readme() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), "dev", &[]);
    let readme = include_str!("../../data/README.md");
    for file in std::fs::read_dir(folder.path().join("data")).unwrap() {
        let name = file.unwrap().file_name().into_string().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name}");
    }
    drop(running);
}

#[test]
fn serve_without_a_relay_says_loudly_that_no_mail_goes_out() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), "serve", &[]);
    running.signal(rustix::process::Signal::INT);
    let (code, out, err) = running.ended();
    assert_eq!(code, 0, "{err}");
    let said = out + &err;
    assert_eq!(said.matches("NO MAIL GOES OUT").count(), 1, "{said}");

    let running = Running::start(folder.path(), "serve", &["--log", "json"]);
    running.signal(rustix::process::Signal::INT);
    let (_, _, err) = running.ended();
    let line = err.lines().find(|line| line.contains("NO MAIL GOES OUT"));
    let line: Value = serde_json::from_str(line.expect("it is logged")).unwrap();
    assert_eq!(line["level"], "WARN");
}

#[test]
fn a_ready_file_of_one_that_was_killed_is_gone_before_the_next_listens() {
    let folder = tempfile::tempdir().unwrap();
    drop(Running::start(folder.path(), "dev", &[]));
    assert!(folder.path().join("ready").exists());
    // It does not get as far as writing its own.
    let mut arguments = vec!["dev"];
    arguments.extend(ANY_PORT);
    arguments[4] = "192.0.2.1:0";
    let (code, _, err) = run(&mut gatepost(folder.path(), &arguments));
    assert_eq!(code, 1, "{err}");
    assert!(!folder.path().join("ready").exists());
}

#[test]
fn a_log_in_json_is_nothing_but_json() {
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), "dev", &["--log", "json"]);
    running.signal(rustix::process::Signal::TERM);
    let (code, out, err) = running.ended();
    assert_eq!((code, out.as_str()), (0, ""));
    let lines: Vec<Value> = err
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{line}: {e}")))
        .collect();
    assert!(
        lines.iter().any(|line| line["message"] == "listening"),
        "{err}"
    );
}

#[test]
fn a_second_process_on_one_data_folder_says_so_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(folder.path(), "dev", &[]);
    let mut arguments = vec!["dev"];
    arguments.extend(ANY_PORT);
    let (code, out, err) = run(&mut gatepost(folder.path(), &arguments));
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("another gatepost"), "{err}");
    // The ready file is still the first one's.
    let ready = std::fs::read_to_string(folder.path().join("ready")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&ready).unwrap(), first.ready);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let arguments = ["dev", "--http", "127.0.0.1:0", "--smtp", &address];
    let (code, _, err) = run(&mut gatepost(folder.path(), &arguments));
    assert_eq!(code, 1);
    assert!(
        err.contains(&address) && err.contains("smtp.listen"),
        "{err}"
    );
}

#[test]
fn a_ready_file_that_cannot_be_written_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let mut arguments = vec!["dev"];
    arguments.extend(ANY_PORT);
    *arguments.last_mut().unwrap() = "gone/ready";
    let (code, _, err) = run(&mut gatepost(folder.path(), &arguments));
    assert_eq!(code, 1);
    assert!(err.contains("gone/ready"), "{err}");
}

#[test]
fn a_test_mail_says_what_became_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mail = ["send-test-mail", "ann@example.com"];
    let (code, out, err) = run(&mut gatepost(folder.path(), &mail));
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("captured"), "{out}");
    // Beside a running gatepost it goes the same road.
    let running = Running::start(folder.path(), "dev", &[]);
    let (code, out, err) = run(&mut gatepost(folder.path(), &mail));
    assert_eq!(code, 0, "{out}{err}");
    drop(running);
}

#[test]
fn a_test_mail_that_reaches_somebody_else_says_so_without_moving_the_cursor() {
    use std::io::Write as _;
    let folder = tempfile::tempdir().unwrap();
    let running = Running::start(folder.path(), "dev", &[]);
    let pid = running.child.id();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let stale = format!("{{\"http\": \"{address}\", \"smtp\": \"{address}\", \"pid\": {pid}}}");
    std::fs::write(folder.path().join("data/running.json"), stale).unwrap();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = other.accept().unwrap();
        let mut request = [0; 4096];
        let mut seen = Vec::new();
        while !seen.ends_with(b"}") {
            let read = stream.read(&mut request).unwrap();
            assert!(read > 0);
            seen.extend_from_slice(&request[..read]);
        }
        stream
            .write_all(b"HTTP/1.1 500 No\r\nContent-Length: 9\r\n\r\n\x1b[2Jwrong")
            .unwrap();
    });
    let mail = ["send-test-mail", "ann@example.com"];
    let (code, out, err) = run(&mut gatepost(folder.path(), &mail));
    answering.join().unwrap();
    assert_eq!((code, out.as_str()), (1, ""));
    assert!(err.contains("wrong") && !err.contains('\u{1b}'), "{err}");
    // Now nobody listens there.
    let (code, _, err) = run(&mut gatepost(folder.path(), &mail));
    assert_eq!(code, 1);
    assert!(err.contains("running.json is out of date"), "{err}");
}

#[test]
fn a_test_mail_that_does_not_go_out_ends_with_1_and_the_relays_words() {
    let folder = tempfile::tempdir().unwrap();
    let relay = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = relay.local_addr().unwrap().port().to_string();
    let refusing = std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = relay.accept().unwrap();
        // An answer that no attempt can change.
        stream
            .write_all(b"554 5.7.1 no mail from here\r\n")
            .unwrap();
    });
    let mut command = gatepost(folder.path(), &["sendtestmail", "ann@example.com"]);
    command
        .env("USE_REAL_EMAIL", "1")
        .env("EMAIL_HOST", "127.0.0.1")
        .env("EMAIL_PORT", port)
        .env("EMAIL_USE_TLS", "0");
    let (code, out, err) = run(&mut command);
    refusing.join().unwrap();
    assert_eq!(code, 1, "{out}{err}");
    assert!((out + &err).contains("no mail from here"));
}
