//! `bench dashboard`: the dashboard before a gatepost with many mails and much going on, as a
//! process on a pseudo-terminal.

use std::time::{Duration, Instant};

use super::outbox;
use super::postfix::{self, Mails};
use super::report::{BUDGET, Cell, Report, Table};
use super::server::Gatepost;
use super::terminal::Terminal;
use super::{Effort, Result};

/// Captured mails, and as many that wait in the outbox.
const MAILS: u64 = 100_000;

/// Events a second, each a mail that comes in, and for how long.
const EVENTS: u64 = 1_000;
const STORM: Duration = Duration::from_secs(10);

/// For how long nothing happens.
const IDLE: Duration = Duration::from_secs(20);

/// How long a first page may take to stand.
const OPENING: Duration = Duration::from_secs(30);

/// Of the terminal.
const SIZE: (u16, u16) = (120, 40);

/// Everything that this bench finds.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    postfix::installed()?;
    let mut table = Table::new(
        "The dashboard (a process of its own on a terminal of 120×40)",
        &["what", "figure", BUDGET],
    );
    let count = effort.scaled(MAILS);
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    report.progress(format_args!("{count} mails into the outbox"));
    outbox::fill(&folder.path().join("data"), count)?;
    // Nobody listens there: all of it stays queued.
    let nobody = postfix::free_address()?;
    let (host, port) = nobody.rsplit_once(':').ok_or("an address has a port")?;
    let gatepost = Gatepost::start(
        folder.path(),
        "serve",
        &[
            ("USE_REAL_EMAIL", "1"),
            ("EMAIL_HOST", host),
            ("EMAIL_PORT", port),
            ("GATEPOST_RELAY_SECURITY", "none"),
            ("DEFAULT_FROM_EMAIL", "Bench <bench@example.com>"),
        ],
    )?;
    report.progress(format_args!("{count} mails into the inbox"));
    let mails = |count| Mails {
        count,
        bytes: 1000,
        sessions: 10,
        kept: true,
    };
    mails(count).send(&gatepost.smtp)?;
    table.row([
        Cell::text("mails captured, and as many queued"),
        Cell::count(count),
        Cell::none(),
    ]);

    let start = Instant::now();
    let mut terminal = Terminal::start(folder.path(), &["tui", "--data", "data"], SIZE)?;
    terminal.quiet(Duration::from_millis(300), OPENING)?;
    let opened = start.elapsed().saturating_sub(Duration::from_millis(300));
    let mut row = |what: &str, figure: Cell, budget: Cell| {
        table.row([Cell::text(what), figure, budget]);
    };
    row(
        "from its start to a first page that stands",
        Cell::time(opened),
        Cell::none(),
    );

    report.progress("nothing happens");
    let (cpu, frames) = (terminal.cpu()?, terminal.frames());
    std::thread::sleep(IDLE);
    let share = share(terminal.cpu()?.saturating_sub(cpu), IDLE);
    row(
        "of one core while nothing happens, in %",
        Cell::ratio(share),
        Cell::at_most(share, 1.0, "1 %"),
    );
    row(
        "frames meanwhile",
        Cell::count(terminal.frames() - frames),
        Cell::none(),
    );

    for (view, key) in [("the inbox", "1"), ("the outbox", "2")] {
        terminal.press(key)?;
        terminal.quiet(Duration::from_millis(500), OPENING)?;
        report.progress(format_args!("{EVENTS} mails a second, before {view}"));
        let (cpu, frames, start) = (terminal.cpu()?, terminal.frames(), Instant::now());
        let mut sent = 0;
        while start.elapsed() < STORM {
            mails(EVENTS / 10).send(&gatepost.smtp)?;
            sent += EVENTS / 10;
            // At the pace of so many a second, or as fast as they go.
            let due = Duration::from_secs_f64(sent as f64 / EVENTS as f64);
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            // Somebody moves about in it meanwhile.
            terminal.press("jjjk")?;
        }
        let took = start.elapsed();
        let a_second = (terminal.frames() - frames) as f64 / took.as_secs_f64();
        let busy = terminal.cpu()?.saturating_sub(cpu);
        row(
            &format!("mails a second before {view}"),
            Cell::rate(sent as f64 / took.as_secs_f64()),
            Cell::none(),
        );
        row(
            &format!("frames a second before {view}"),
            Cell::rate(a_second),
            Cell::at_most(a_second, 30.5, "30"),
        );
        row(
            &format!("of one core before {view}, in %"),
            Cell::ratio(self::share(busy, took)),
            Cell::none(),
        );
    }

    report.progress("walking through it");
    for keys in ["G", "g", "2", "G", "g", "\x1b[6~\x1b[6~\x1b[6~\x1b[6~"] {
        terminal.press(keys)?;
        terminal.quiet(Duration::from_millis(300), OPENING)?;
    }
    let peak = terminal.memory()?.peak;
    row(
        "peak memory of the dashboard",
        Cell::bytes(peak),
        Cell::at_most(peak as f64 / 1e6, 80.0, "80 MB"),
    );
    row(
        "peak memory of the server beside it",
        Cell::bytes(gatepost.memory()?.peak),
        Cell::none(),
    );
    terminal.stop()?;
    gatepost.stop()?;
    report.add(&table);
    super::frames::measure(effort, report)
}

fn share(cpu: Duration, of: Duration) -> f64 {
    cpu.as_secs_f64() / of.as_secs_f64() * 100.0
}
