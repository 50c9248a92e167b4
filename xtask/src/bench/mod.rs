//! `cargo xtask bench NAME`: speed and memory beside the budgets of the design.
//!
//! Absolute figures differ by a factor of two within an hour on a shared machine, so every figure
//! stands beside a yardstick that was measured in the same run, turn about, as medians. Everything
//! runs on loopback, in a temporary folder, for a bounded time, and is stopped at the end.
//!
//! A missed budget is reported, not punished: the exit code tells only whether the measurement
//! could be made and the counts agreed.

mod api;
mod asking;
mod bare;
mod capture;
mod dashboard;
mod django;
mod fill;
mod frames;
mod http;
mod load;
mod opening;
mod outbox;
mod postfix;
mod process;
mod queue;
mod relay;
mod report;
mod server;
mod store;
mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use report::Report;

const USAGE: &str = "\
Usage: cargo xtask bench NAME [--large] [--quick] [--json]

  capture   mails a second into the inbox against smtp-sink; memory and lists at 100 000 mails
  dashboard frames, memory and processor time before 100 000 mails and 1 000 events a second
  http      requests a second against a bare poem handler, and login against argon2 alone
  outbox    mails a second out of the outbox, against Postfix with the same queue and Django
  store     durable commits a second against redb alone; opening and starting

  --large   also 1 000 000 mails (capture), 1 GB in the place of 100 MB (store)
  --quick   one short round of everything: does it run at all?
  --json    one JSON object on stdout in the place of tables

Temporary files go to TMPDIR, which should lie on a real disk.";

/// Why a bench could not be run, or what did not add up.
type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T> = std::result::Result<T, Error>;

/// How much is measured.
#[derive(Debug, Clone, Copy, Default)]
struct Effort {
    large: bool,
    quick: bool,
    json: bool,
}

impl Effort {
    /// Rounds of which the median is taken.
    fn rounds(self) -> usize {
        if self.quick { 1 } else { 3 }
    }

    /// `count`, or a tenth of it.
    fn scaled(self, count: u64) -> u64 {
        if self.quick { count / 10 } else { count }
    }
}

/// The command's door.
pub fn run(arguments: &[String]) -> ExitCode {
    match attempt(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn attempt(arguments: &[String]) -> Result<ExitCode> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // What a bench starts in a process of its own: not for people, hence not in the usage.
    match words.as_slice() {
        ["bare-poem", ready_file] => return bare::serve(Path::new(ready_file)).map(finished),
        ["fill-store", file, megabytes] => {
            return store::fill(Path::new(file), megabytes.parse()?).map(finished);
        }
        _ => {}
    }
    let (names, flags): (Vec<&str>, Vec<&str>) =
        words.iter().partition(|word| !word.starts_with("--"));
    let mut effort = Effort::default();
    let mut built = false;
    for flag in flags {
        match flag {
            "--large" => effort.large = true,
            "--quick" => effort.quick = true,
            "--json" => effort.json = true,
            "--built" => built = true,
            _ => return Err(format!("there is no option {flag:?}\n\n{USAGE}").into()),
        }
    }
    let bench: fn(Effort, &mut Report) -> Result<()> = match names.as_slice() {
        ["capture"] => capture::measure,
        ["dashboard"] => dashboard::measure,
        ["http"] => http::measure,
        ["outbox"] => outbox::measure,
        ["store"] => store::measure,
        _ => return Err(USAGE.into()),
    };
    if !built {
        return in_release(arguments);
    }
    let mut report = Report::new(names[0], effort.json);
    bench(effort, &mut report)?;
    report.close();
    Ok(ExitCode::SUCCESS)
}

fn finished((): ()) -> ExitCode {
    ExitCode::SUCCESS
}

/// Builds gatepost and this very program optimised, and goes on in the latter.
fn in_release(arguments: &[String]) -> Result<ExitCode> {
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--package",
            "gatepost",
            "--package",
            "xtask",
        ])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()?;
    if !built.success() {
        return Err("gatepost does not build in release".into());
    }
    let status = Command::new(sibling("../release/xtask")?)
        .arg("bench")
        .args(arguments)
        .arg("--built")
        .status()?;
    Ok(ExitCode::from(
        u8::try_from(status.code().unwrap_or(1)).unwrap_or(1),
    ))
}

/// A file at `path` from the folder in which this program lies.
fn sibling(path: &str) -> Result<PathBuf> {
    let program = std::env::current_exe()?;
    let folder = program.parent().ok_or("this program lies nowhere")?;
    Ok(folder.join(path))
}
