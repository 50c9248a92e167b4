//! The real binary as a process of its own, for what only a process can show: being killed.

use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

/// How long [`patiently`] rests between two questions, and how many it asks.
const PAUSE: Duration = Duration::from_millis(5);
const TURNS: usize = 12_000;

/// A running gatepost on free ports. Killed when dropped.
pub struct Process {
    child: Child,
    folder: PathBuf,
    agent: ureq::Agent,
    pub http: SocketAddr,
    pub smtp: SocketAddr,
}

#[derive(Deserialize)]
struct Ready {
    http: SocketAddr,
    smtp: SocketAddr,
    pid: u32,
}

/// `gatepost` in a clean environment and a folder of its own.
pub fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gatepost"));
    command
        .current_dir(folder)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .stdin(Stdio::null());
    command
}

/// Asks again and again until there is an answer, for a minute at most.
///
/// Tests wait for events and move the time themselves. This is the exception, and the only one:
/// another process tells nobody when it has come so far, so it is asked. Nothing is measured by the
/// pause, which leaves the machine to whoever is waited for.
pub fn patiently<T>(mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    (0..TURNS).find_map(|_| {
        let answer = ask();
        if answer.is_none() {
            #[expect(clippy::disallowed_methods, reason = "see above")]
            std::thread::park_timeout(PAUSE);
        }
        answer
    })
}

impl Process {
    /// Starts it as `mode` (`dev` or `serve`) in `folder` and waits until it listens.
    pub fn start(mode: &str, folder: &Path, environment: &[(&str, &str)]) -> Process {
        Process::start_at("127.0.0.1:0", mode, folder, environment)
    }

    /// The same with HTTP at `http`: where a killed predecessor was.
    pub fn start_at(
        http: &str,
        mode: &str,
        folder: &Path,
        environment: &[(&str, &str)],
    ) -> Process {
        let ready = folder.join("ready.json");
        // One that a killed predecessor left behind says nothing about this one.
        if ready.exists() {
            std::fs::remove_file(&ready).unwrap();
        }
        let log = std::fs::File::create(folder.join("log")).unwrap();
        let mut child = command(folder)
            .args([
                mode,
                "--http",
                http,
                "--smtp",
                "127.0.0.1:0",
                "--data",
                "data",
            ])
            .args(["--ready-file", "ready.json"])
            .envs(environment.iter().copied())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let told = patiently(|| {
            if let Some(status) = child.try_wait().unwrap() {
                let log = std::fs::read_to_string(folder.join("log")).unwrap();
                panic!("gatepost ended before it listened ({status}):\n{log}");
            }
            std::fs::read_to_string(&ready).ok()
        });
        let told = told.expect("gatepost listens within a minute");
        let ready: Ready = serde_json::from_str(&told).unwrap();
        assert_eq!(ready.pid, child.id());
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build();
        Process {
            child,
            folder: folder.to_owned(),
            agent: agent.into(),
            http: ready.http,
            smtp: ready.smtp,
        }
    }

    /// POSTs `form` to `path` of the API; its status and its body.
    pub fn post(&self, path: &str, form: &Value) -> (u16, Value) {
        let url = format!("http://{}/api/v1{path}", self.http);
        answered(self.agent.post(url).send_json(form).unwrap())
    }

    /// The operator's token.
    pub fn token(&self) -> String {
        let token = std::fs::read_to_string(self.folder.join("data/admin.token")).unwrap();
        token.trim().to_owned()
    }

    /// GETs `path` of the API as the operator.
    pub fn admin(&self, path: &str) -> Value {
        let url = format!("http://{}/api/v1/admin{path}", self.http);
        let request = self.agent.get(url);
        let request = request.header("Authorization", format!("Bearer {}", self.token()));
        let (status, body) = answered(request.call().unwrap());
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// `kill -TERM`, and waits for it to end by itself, in order.
    pub fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status}");
    }
}

fn answered(mut answer: ureq::http::Response<ureq::Body>) -> (u16, Value) {
    let text = answer.body_mut().read_to_string().unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (answer.status().as_u16(), body)
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
