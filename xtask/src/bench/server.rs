//! A gatepost of its own for each measurement: release build, clean environment, free ports.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::process::{Background, Memory};
use super::{Result, sibling};

/// What a start may take before it counts as failed.
const START: Duration = Duration::from_secs(60);

/// What a stop may take before it counts as failed.
const GRACE: Duration = Duration::from_secs(30);

/// A gatepost that runs.
pub struct Gatepost {
    process: Background,
    /// Where its API is, such as `127.0.0.1:40123`.
    pub http: String,
    /// Where its inbox is.
    pub smtp: String,
    /// From the start of the process to listening.
    pub started_in: Duration,
}

impl Gatepost {
    /// Starts one with its data, its log and its ready file in `folder`. `mode` is `dev` or
    /// `serve`; `settings` are the only environment that it sees.
    pub fn start(folder: &Path, mode: &str, settings: &[(&str, &str)]) -> Result<Gatepost> {
        let ready_file = folder.join("ready.json");
        if ready_file.exists() {
            std::fs::remove_file(&ready_file)?;
        }
        let log = std::fs::File::create(folder.join("gatepost.log"))?;
        let mut command = Command::new(sibling("../release/gatepost")?);
        command
            .arg(mode)
            .args(["--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--ready-file")
            .arg(&ready_file)
            .env_clear()
            .envs(settings.iter().copied())
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let start = Instant::now();
        let mut process = Background::start(&mut command)?;
        let line = process.ready(&ready_file, START).map_err(|error| {
            let said = std::fs::read_to_string(folder.join("gatepost.log")).unwrap_or_default();
            format!("{error}; it said:\n{said}")
        })?;
        let started_in = start.elapsed();
        let ready: Value = serde_json::from_str(&line)?;
        let address = |name: &str| {
            let address = ready[name].as_str().map(str::to_owned);
            address.ok_or_else(|| format!("the ready file has no {name:?}: {line}"))
        };
        Ok(Gatepost {
            http: address("http")?,
            smtp: address("smtp")?,
            process,
            started_in,
        })
    }

    /// What it holds in memory.
    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        self.process.cpu()
    }

    /// Ends it in an orderly way and tells how long that took.
    pub fn stop(self) -> Result<Duration> {
        self.process.stop(GRACE)
    }

    /// Ends it as a power cut would.
    pub fn kill(self) -> Result<()> {
        self.process.kill()
    }
}

/// How many bytes the files below `folder` take up on the disk.
pub fn size_of(folder: &Path) -> Result<u64> {
    use std::os::unix::fs::MetadataExt as _;
    let mut size = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        size += if metadata.is_dir() {
            size_of(&entry.path())?
        } else {
            metadata.blocks() * 512
        };
    }
    Ok(size)
}
