//! A program on a pseudo-terminal: keys go in, and its frames are counted as they come out.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

use super::process::{Background, Memory};
use super::{Result, sibling};

/// With this every frame of the dashboard begins (the terminal shows it whole, or not yet).
const BEGIN: &[u8] = b"\x1b[?2026h";

/// A program that has a terminal.
pub struct Terminal {
    process: Background,
    ours: File,
    frames: Arc<AtomicU64>,
    bytes: Arc<AtomicU64>,
}

impl Terminal {
    /// Runs gatepost with `arguments` in `folder`, on a terminal of so many columns and rows.
    pub fn start(
        folder: &Path,
        arguments: &[&str],
        (columns, rows): (u16, u16),
    ) -> Result<Terminal> {
        let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
        rustix::pty::grantpt(&ours)?;
        rustix::pty::unlockpt(&ours)?;
        let name = rustix::pty::ptsname(&ours, Vec::new())?.into_string()?;
        let theirs = File::options().read(true).write(true).open(name)?;
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&theirs, size)?;
        let mut command = Command::new(sibling("../release/gatepost")?);
        command
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("GATEPOST_DASHBOARD_THEME", "dark")
            .stdin(theirs.try_clone()?)
            .stdout(theirs.try_clone()?)
            .stderr(theirs);
        let process = Background::start(&mut command)?;
        // The command holds the other end as well.
        drop(command);
        let ours = File::from(ours);
        let (frames, bytes) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let (seen, read, mut from) = (frames.clone(), bytes.clone(), ours.try_clone()?);
        std::thread::spawn(move || {
            let mut chunk = [0; 65_536];
            let mut matched = 0;
            while let Ok(count @ 1..) = from.read(&mut chunk) {
                read.fetch_add(count as u64, Ordering::Relaxed);
                for byte in &chunk[..count] {
                    matched = match (BEGIN[matched] == *byte, *byte == BEGIN[0]) {
                        (true, _) => matched + 1,
                        (false, true) => 1,
                        (false, false) => 0,
                    };
                    if matched == BEGIN.len() {
                        matched = 0;
                        seen.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        });
        Ok(Terminal {
            process,
            ours,
            frames,
            bytes,
        })
    }

    /// Types `keys`.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        self.ours.write_all(keys.as_bytes())?;
        Ok(())
    }

    /// How many frames it has begun to draw.
    pub fn frames(&self) -> u64 {
        self.frames.load(Ordering::Relaxed)
    }

    /// How many bytes it has written.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Waits until nothing was written for `pause`, at most for `limit`.
    pub fn quiet(&self, pause: Duration, limit: Duration) -> Result<()> {
        let start = Instant::now();
        let (mut last, mut since) = (self.bytes(), Instant::now());
        while since.elapsed() < pause || last == 0 {
            if start.elapsed() > limit {
                return Err(format!("the dashboard was not quiet within {limit:?}").into());
            }
            std::thread::sleep(Duration::from_millis(5));
            let now = self.bytes();
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(())
    }

    /// What it holds in memory.
    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        self.process.cpu()
    }

    /// Ends it in an orderly way.
    pub fn stop(self) -> Result<Duration> {
        self.process.stop(Duration::from_secs(10))
    }
}
