//! Postfix's own test programs: smtp-source sends mails as fast as they are taken, smtp-sink takes
//! them and throws them away.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::Result;
use super::process::{Background, run};

const SOURCE: &str = "/usr/sbin/smtp-source";
const SINK: &str = "/usr/sbin/smtp-sink";

/// An error that says how to get them, when they are not there.
pub fn installed() -> Result<()> {
    for program in [SOURCE, SINK] {
        if !std::path::Path::new(program).exists() {
            return Err(format!(
                "{program} is needed: apt-get install --no-install-recommends postfix \
                 (its daemon need not run)"
            )
            .into());
        }
    }
    Ok(())
}

/// Mails that smtp-source sends.
#[derive(Debug, Clone, Copy)]
pub struct Mails {
    pub count: u64,
    /// Bytes of each, headers included.
    pub bytes: u64,
    /// Connections at once.
    pub sessions: u32,
    /// Whether a connection is kept for the next mail.
    pub kept: bool,
}

impl Mails {
    /// Sends them to `address` and tells how long that took. An error when one is refused.
    pub fn send(&self, address: &str) -> Result<Duration> {
        let mut command = Command::new(SOURCE);
        command
            .args(["-f", "sender@example.com", "-t", "recipient@example.org"])
            .args(["-M", "bench.example.com", "-S", "Measured"])
            .args(["-s", &self.sessions.to_string()])
            .args(["-m", &self.count.to_string()])
            .args(["-l", &self.bytes.to_string()]);
        if self.kept {
            command.arg("-d");
        }
        command.arg(address);
        let (took, _) = run(&mut command, Duration::from_secs(600))?;
        Ok(took)
    }
}

/// An smtp-sink that runs.
pub struct Sink {
    /// Where it is.
    pub smtp: String,
    process: Background,
}

impl Sink {
    /// Starts one.
    pub fn start() -> Result<Sink> {
        let mut command = Command::new(SINK);
        if rustix::process::getuid().is_root() {
            command.args(["-u", "nobody"]); // it refuses to run as root
        }
        let smtp = free_address()?;
        command
            .arg(&smtp)
            .arg("1024")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut process = Background::start(&mut command)?;
        let start = Instant::now();
        while TcpStream::connect(&smtp).is_err() {
            process.check_running()?;
            if start.elapsed() > Duration::from_secs(10) {
                return Err("smtp-sink does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Sink { smtp, process })
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        self.process.cpu()
    }
}

/// An address on loopback where nobody listens (and nobody is likely to, soon).
pub fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}
