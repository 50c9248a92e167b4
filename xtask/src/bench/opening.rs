//! The rest of `bench store`: how long a store takes to open, and gatepost to listen.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use gatepost::store::Store;

use super::process::Background;
use super::report::{BUDGET, Cell, Report, Table, median};
use super::server::{Gatepost, size_of};
use super::{Effort, Result};

/// Everything about opening and starting.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    let megabytes = match effort {
        Effort { large: true, .. } => 1000,
        Effort { quick: true, .. } => 10,
        _ => 100,
    };
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let file = folder.path().join("store.redb");
    let mut table = Table::new(
        "Opening a store (file in the page cache)",
        &["what", "time"],
    );
    let (mut killed, mut clean) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds() {
        report.progress(format_args!(
            "filling a store to {megabytes} MB and killing its process"
        ));
        fill_and_kill(&file, megabytes)?;
        killed.push(open_and_close(&file)?);
        clean.push(open_and_close(&file)?);
    }
    table.row([
        Cell::text(format!("{megabytes} MB, after a kill")),
        Cell::time(median(&killed)),
    ]);
    table.row([
        Cell::text(format!("{megabytes} MB, after a close")),
        Cell::time(median(&clean)),
    ]);
    report.add(&table);
    starting(effort, report, &file, megabytes)
}

fn fill_and_kill(file: &Path, megabytes: u64) -> Result<()> {
    let full = file.with_extension("full");
    if full.exists() {
        std::fs::remove_file(&full)?;
    }
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["bench", "fill-store"])
        .arg(file)
        .arg(megabytes.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut filler = Background::start(&mut command)?;
    filler.ready(&full, Duration::from_secs(300))?;
    // In the middle of its next commits.
    std::thread::sleep(Duration::from_millis(50));
    filler.kill()
}

fn open_and_close(file: &Path) -> Result<Duration> {
    let start = Instant::now();
    let store = Store::open(file, Default::default())?;
    let took = start.elapsed();
    tokio::runtime::Runtime::new()?.block_on(store.close());
    Ok(took)
}

fn starting(effort: Effort, report: &mut Report, full: &Path, megabytes: u64) -> Result<()> {
    report.progress("starting gatepost");
    let mut table = Table::new(
        "gatepost dev, from the start of the process to the ready file",
        &[
            "what",
            "time",
            "stop",
            "resident",
            "CPU of 2 s idle",
            BUDGET,
        ],
    );
    let mut rounds = Vec::new();
    let mut place = PathBuf::new();
    for _ in 0..effort.rounds() {
        let folder = tempfile::Builder::new()
            .prefix("gatepost-bench-")
            .tempdir()?;
        let round = start_and_stop(folder.path())?;
        place = store_file(&folder.path().join("data"))?
            .strip_prefix(folder.path())?
            .to_owned();
        rounds.push(round);
    }
    table.row(row("empty store", &rounds, 100));
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let moved = folder.path().join(place);
    std::fs::create_dir_all(moved.parent().ok_or("the store lies in a folder")?)?;
    std::fs::rename(full, moved)?;
    let megabytes_now = size_of(folder.path())? / 1_000_000;
    let rounds = (0..effort.rounds())
        .map(|_| start_and_stop(folder.path()))
        .collect::<Result<Vec<_>>>()?;
    let name = format!("store of {megabytes_now} MB");
    // The budget speaks of 1 GB: a smaller store says nothing about it when it is met.
    let mut cells = row(&name, &rounds, 300);
    if megabytes < 1000 {
        cells[5] = Cell::text("≤ 300 ms is for 1 GB: --large");
    }
    table.row(cells);
    report.add(&table);
    Ok(())
}

/// One start and stop.
struct Round {
    start: Duration,
    stop: Duration,
    resident: u64,
    idle: Duration,
}

fn start_and_stop(folder: &Path) -> Result<Round> {
    let gatepost = Gatepost::start(folder, "dev", &[])?;
    // What a start leaves to the background is not idling.
    std::thread::sleep(Duration::from_millis(500));
    let before = gatepost.cpu()?;
    std::thread::sleep(Duration::from_secs(2));
    let idle = gatepost.cpu()?.saturating_sub(before);
    Ok(Round {
        start: gatepost.started_in,
        resident: gatepost.memory()?.resident,
        idle,
        stop: gatepost.stop()?,
    })
}

fn row(name: &str, rounds: &[Round], budget: u64) -> Vec<Cell> {
    let middle = |of: fn(&Round) -> Duration| median(&rounds.iter().map(of).collect::<Vec<_>>());
    let start = middle(|round| round.start);
    vec![
        Cell::text(name),
        Cell::time(start),
        Cell::time(middle(|round| round.stop)),
        Cell::bytes(median(
            &rounds
                .iter()
                .map(|round| round.resident)
                .collect::<Vec<_>>(),
        )),
        Cell::time(middle(|round| round.idle)),
        Cell::at_most(
            start.as_secs_f64() * 1e3,
            budget as f64,
            &format!("{budget} ms"),
        ),
    ]
}

/// The file in the data folder that is the store.
fn store_file(data: &Path) -> Result<PathBuf> {
    for entry in std::fs::read_dir(data)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "redb")
        {
            return Ok(path);
        }
    }
    Err(format!("no store in {}", data.display()).into())
}
