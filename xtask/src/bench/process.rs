//! Child processes that never outlive their bench: started, measured, stopped.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::Result;

/// A process that runs in the background, and is killed when this is dropped.
pub struct Background {
    child: Child,
    name: String,
}

/// What a process holds in memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// The most it ever held.
    pub peak: u64,
    /// What it holds now.
    pub resident: u64,
}

impl Background {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Result<Background> {
        let name = name(command);
        let child = command
            .spawn()
            .map_err(|error| format!("{name} does not start: {error}"))?;
        Ok(Background { child, name })
    }

    /// The process itself, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Waits until the file at `path` is there and whole (one line), and returns it.
    pub fn ready(&mut self, path: &Path, limit: Duration) -> Result<String> {
        let start = Instant::now();
        loop {
            match std::fs::read_to_string(path) {
                Ok(text) if text.ends_with('\n') => return Ok(text),
                _ => {}
            }
            self.check_running()?;
            if start.elapsed() > limit {
                return Err(format!("{} was not ready within {limit:?}", self.name).into());
            }
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// An error when it ended by itself.
    pub fn check_running(&mut self) -> Result<()> {
        match self.child.try_wait()? {
            None => Ok(()),
            Some(status) => Err(format!("{} ended early: {status}", self.name).into()),
        }
    }

    /// What it holds in memory.
    pub fn memory(&self) -> Result<Memory> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
            kilobytes
                .map(|kilobytes: u64| kilobytes * 1024)
                .ok_or_else(|| format!("the kernel does not tell {name}"))
        };
        Ok(Memory {
            peak: field("VmHWM:")?,
            resident: field("VmRSS:")?,
        })
    }

    /// How much processor time it and its threads have used.
    pub fn cpu(&self) -> Result<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        // The name in parentheses may hold anything; utime and stime are fields 14 and 15.
        let (_, fields) = stat.rsplit_once(')').ok_or("the kernel tells no times")?;
        let ticks: u64 = fields
            .split_whitespace()
            .skip(11)
            .take(2)
            .filter_map(|ticks| ticks.parse::<u64>().ok())
            .sum();
        let a_second = rustix::param::clock_ticks_per_second();
        Ok(Duration::from_secs_f64(ticks as f64 / a_second as f64))
    }

    /// Asks it to end and waits until it did; an error when it does not within `grace`.
    pub fn stop(mut self, grace: Duration) -> Result<Duration> {
        self.check_running()?;
        let start = Instant::now();
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM)?;
        while start.elapsed() < grace {
            if self.child.try_wait()?.is_some() {
                return Ok(start.elapsed());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err(format!("{} did not end within {grace:?} of SIGTERM", self.name).into())
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // It may have ended already: then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `command` to its end, at most for `limit`; returns how long it took and its output.
pub fn run(command: &mut Command, limit: Duration) -> Result<(Duration, String)> {
    let name = name(command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let start = Instant::now();
    let mut running = Background::start(command)?;
    let status = loop {
        if let Some(status) = running.child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            return Err(format!("{name} was not done within {limit:?}").into());
        }
        std::thread::sleep(Duration::from_millis(1));
    };
    let took = start.elapsed();
    let output = read(running.child.stdout.take())?;
    if !status.success() {
        let errors = read(running.child.stderr.take())?;
        return Err(format!("{name}: {status}\n{output}{errors}").into());
    }
    Ok((took, output))
}

fn read(stream: Option<impl std::io::Read>) -> Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        stream.read_to_end(&mut bytes)?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn name(command: &Command) -> String {
    let program = Path::new(command.get_program());
    program
        .file_name()
        .unwrap_or(OsStr::new("?"))
        .to_string_lossy()
        .into_owned()
}
