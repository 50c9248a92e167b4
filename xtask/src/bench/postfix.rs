//! Postfix's own test programs: smtp-source sends mails as fast as they are taken, smtp-sink takes
//! them and throws them away.

use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
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
    count: Arc<Mutex<Count>>,
}

/// What a counting sink has counted, and when.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    mails: u64,
    /// When the first ones were seen, and how many those were.
    first: Option<(Instant, u64)>,
    /// When the last ones were seen.
    last: Option<Instant>,
}

impl Sink {
    /// Starts one.
    pub fn start() -> Result<Sink> {
        Sink::run(false)
    }

    /// Starts one that tells how many mails it took.
    pub fn counting() -> Result<Sink> {
        Sink::run(true)
    }

    fn run(counts: bool) -> Result<Sink> {
        let mut command = Command::new(SINK);
        if rustix::process::getuid().is_root() {
            command.args(["-u", "nobody"]); // it refuses to run as root
        }
        if counts {
            command.arg("-c");
        }
        let smtp = free_address()?;
        command
            .arg(&smtp)
            .arg("1024")
            .stdin(Stdio::null())
            .stdout(if counts {
                Stdio::piped()
            } else {
                Stdio::null()
            })
            .stderr(Stdio::null());
        let mut process = Background::start(&mut command)?;
        let count = Arc::new(Mutex::new(Count::default()));
        if let Some(told) = process.child().stdout.take() {
            let count = count.clone();
            // It ends with the sink.
            std::thread::spawn(move || read_counts(told, &count));
        }
        let start = Instant::now();
        while TcpStream::connect(&smtp).is_err() {
            process.check_running()?;
            if start.elapsed() > Duration::from_secs(10) {
                return Err("smtp-sink does not listen".into());
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(Sink {
            smtp,
            process,
            count,
        })
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        self.process.cpu()
    }

    /// Waits until a counting sink has taken `mails`, and tells how many a second those were
    /// between the first and the last: how long a sender took to start is its own affair.
    pub fn rate_of(&self, mails: u64, limit: Duration) -> Result<f64> {
        let start = Instant::now();
        loop {
            let count = self.counted();
            if let (true, Some((first, seen)), Some(last)) =
                (count.mails >= mails, count.first, count.last)
            {
                return Ok((count.mails - seen) as f64 / (last - first).as_secs_f64());
            }
            if start.elapsed() > limit {
                let counted = count.mails;
                return Err(format!("{counted} of {mails} mails came within {limit:?}").into());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// How many mails a counting sink has taken.
    pub fn mails(&self) -> u64 {
        self.counted().mails
    }

    fn counted(&self) -> Count {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes in what `smtp-sink -c` tells after every mail: `sess=1 quit=0 mesg=7` and a return.
fn read_counts(mut told: impl std::io::Read, count: &Mutex<Count>) {
    let mut chunk = vec![0; 1 << 16];
    let mut text = String::new();
    while let Ok(length @ 1..) = told.read(&mut chunk) {
        let now = Instant::now();
        text.push_str(&String::from_utf8_lossy(&chunk[..length]));
        let whole = text.rfind('\r').map_or(0, |end| end + 1);
        let newest = text[..whole].trim_end().rsplit("mesg=").next();
        if let Some(mails) = newest.and_then(|number| number.parse().ok()) {
            let mut count = count.lock().unwrap_or_else(PoisonError::into_inner);
            if mails > count.mails {
                count.mails = mails;
                count.first.get_or_insert((now, mails));
                count.last = Some(now);
            }
        }
        text.drain(..whole);
        // To be woken by every mail would cost what is measured; a pipe holds a thousand.
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// An address on loopback where nobody listens (and nobody is likely to, soon).
pub fn free_address() -> Result<String> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_whole_count_is_taken_in() {
        let count = Mutex::new(Count::default());
        let told = "sess=0 quit=0 mesg=1\rsess=1 quit=0 mesg=23\rsess=1 quit=1 mesg=2";
        read_counts(told.as_bytes(), &count);
        let count = count.into_inner().unwrap();
        assert_eq!(count.mails, 23);
        assert_eq!(count.first.map(|(_, seen)| seen), Some(23));
    }
}
