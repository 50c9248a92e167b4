//! HTTP load by wrk: what it is told by a Lua script, and what it tells through one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::process::{Background, run};
use super::{Result, process};

/// Makes wrk tell its findings as one line of JSON, times in microseconds.
const DONE: &str = r#"
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format(
    '\nFOUND {"requests":%d,"micros":%d,"refused":%d,"broken":%d,"p50":%d,"p99":%d}\n',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write + e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"#;

/// One load.
#[derive(Clone)]
pub struct Load {
    /// `http://…`
    pub url: String,
    /// Connections that ask again as soon as they are answered.
    pub connections: u32,
    /// For how long, in whole seconds.
    pub seconds: u64,
    /// What each request is.
    pub request: Request,
}

/// What each request of a load is.
#[derive(Clone)]
pub enum Request {
    /// A GET, with a bearer token where there is one.
    Get { bearer: Option<String> },
    /// A POST of this JSON.
    Post { json: String },
    /// A POST of `{"email": …, "verification_type": "register"}`, each with an address that was
    /// not used before; `round` tells one load from another.
    AskForCode { round: String },
}

/// What wrk found.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Found {
    /// Answers a second.
    pub rate: f64,
    pub p50: Duration,
    pub p99: Duration,
    pub requests: u64,
    /// Answers of status 400 and above.
    pub refused: u64,
    /// Connections that failed, and answers that did not come.
    pub broken: u64,
}

impl Found {
    /// Itself, or an error when a request was refused or went unanswered.
    pub fn without_errors(self, what: &str) -> Result<Found> {
        if self.refused + self.broken > 0 {
            return Err(format!("{what}: not every request succeeded: {self:?}").into());
        }
        Ok(self)
    }
}

impl Load {
    fn script(&self) -> String {
        let request = match &self.request {
            Request::Get { bearer: None } => String::new(),
            Request::Get {
                bearer: Some(token),
            } => {
                format!("wrk.headers[\"Authorization\"] = \"Bearer {token}\"\n")
            }
            Request::Post { json } => format!(
                "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
                 wrk.body = [[{json}]]\n"
            ),
            Request::AskForCode { round } => format!(
                "wrk.method = \"POST\"\nwrk.headers[\"Content-Type\"] = \"application/json\"\n\
                 local asked = 0\n\
                 request = function()\n\
                 \x20 asked = asked + 1\n\
                 \x20 return wrk.format(nil, nil, nil, '{{\"email\":\"{round}-' .. asked .. \
                 '@example.com\",\"verification_type\":\"register\"}}')\n\
                 end\n"
            ),
        };
        request + DONE
    }

    fn command(&self, script: &Path) -> Result<Command> {
        std::fs::write(script, self.script())?;
        let mut command = Command::new("wrk");
        command
            // One thread: the script's counter is a thread's own, and there are few cores.
            .args(["--threads", "1", "--timeout", "10"])
            .args(["--connections", &self.connections.to_string()])
            .args(["--duration", &self.seconds.to_string()])
            .arg("--script")
            .arg(script)
            .arg(&self.url);
        Ok(command)
    }

    /// Runs it to its end; the script goes to `folder`.
    pub fn run(&self, folder: &Path) -> Result<Found> {
        let mut command = self.command(&folder.join("load.lua"))?;
        let limit = Duration::from_secs(self.seconds + 20);
        let (_, output) = run(&mut command, limit)?;
        let line = output.lines().find_map(|line| line.strip_prefix("FOUND "));
        let line = line.ok_or_else(|| format!("wrk found nothing:\n{output}"))?;
        let found: Value = serde_json::from_str(line)?;
        let number = |name: &str| found[name].as_u64().unwrap_or(0);
        Ok(Found {
            rate: number("requests") as f64 / (number("micros").max(1) as f64 / 1e6),
            p50: Duration::from_micros(number("p50")),
            p99: Duration::from_micros(number("p99")),
            requests: number("requests"),
            refused: number("refused"),
            broken: number("broken"),
        })
    }

    /// Starts it in the background; it ends when that is dropped, or by itself.
    pub fn start(&self, folder: &Path) -> Result<Background> {
        let mut command = self.command(&folder.join("background.lua"))?;
        command.stdout(std::process::Stdio::null());
        process::Background::start(&mut command)
    }
}

/// An error that says how to get it, when wrk is not there.
pub fn installed() -> Result<()> {
    Command::new("wrk")
        .arg("--version")
        .output()
        .map(drop)
        .map_err(|_| "wrk is needed: apt-get install wrk".into())
}
