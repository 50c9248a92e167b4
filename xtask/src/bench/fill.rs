//! The rest of `bench capture`: memory, lists and restarts with many mails in the inbox.

use std::time::Duration;

use super::api::Api;
use super::postfix::Mails;
use super::report::{BUDGET, Cell, Report, Table, median};
use super::server::{Gatepost, size_of};
use super::{Effort, Result};

/// Fills one gatepost with 1 KB mails and looks at it at 100 000, and with `--large` at 1 000 000.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let mut table = Table::new(
        "An inbox of many mails of 1 KB",
        &["mails", "what", "figure", BUDGET],
    );
    let mut filled = 0;
    let mut gatepost = Gatepost::start(folder.path(), "dev", &[])?;
    let steps = if effort.large {
        vec![100_000, 1_000_000]
    } else {
        vec![100_000]
    };
    for step in steps {
        let target = effort.scaled(step);
        report.progress(format_args!("filling the inbox to {target} mails"));
        let mails = Mails {
            count: target - filled,
            bytes: 1000,
            sessions: 50,
            kept: true,
        };
        let took = mails.send(&gatepost.smtp)?;
        filled = target;
        let api = Api::new(&gatepost.http);
        let counted = api.captured()?;
        if counted != target {
            return Err(format!("{target} mails were sent, {counted} are in the inbox").into());
        }
        let mut row = |what: &str, figure: Cell, budget: Cell| {
            table.row([Cell::count(target), Cell::text(what), figure, budget]);
        };
        let rate = mails.count as f64 / took.as_secs_f64();
        row(
            "mails a second while filling",
            Cell::rate(rate),
            Cell::none(),
        );
        let at_100_000 = step == 100_000;
        let memory = gatepost.memory()?;
        let megabytes = memory.peak as f64 / 1e6;
        let budget = at_100_000.then(|| Cell::at_most(megabytes, 60.0, "60 MB"));
        row(
            "peak memory",
            Cell::bytes(memory.peak),
            budget.unwrap_or(Cell::none()),
        );
        row(
            "resident memory",
            Cell::bytes(memory.resident),
            Cell::none(),
        );
        let disk = size_of(&folder.path().join("data"))?;
        row("store on disk", Cell::bytes(disk), Cell::none());
        row(
            "store over mail bytes",
            Cell::ratio(disk as f64 / (target * 1000) as f64),
            Cell::none(),
        );
        api.list(3)?; // connection and cache
        let mut times = api.list(51)?;
        times.sort();
        let newest = median(&times).as_secs_f64() * 1e3;
        row(
            "newest page, median of 51",
            Cell::time(median(&times)),
            Cell::at_most(newest, 5.0, "5 ms, at 1 000 000"),
        );
        row(
            "newest page, slowest of 51",
            Cell::time(times[50]),
            Cell::none(),
        );
        row(
            "peak memory after the lists",
            Cell::bytes(gatepost.memory()?.peak),
            Cell::none(),
        );
        let stop = gatepost.stop()?;
        row("orderly stop", Cell::time(stop), Cell::none());
        gatepost = Gatepost::start(folder.path(), "dev", &[])?;
        // 300 ms is promised for 1 GB, which is less than a million mails take up.
        let budget =
            |start: Duration| Cell::at_most(start.as_secs_f64() * 1e3, 300.0, "300 ms, at 1 GB");
        let start = gatepost.started_in;
        row("start after a stop", Cell::time(start), budget(start));
        gatepost.kill()?;
        gatepost = Gatepost::start(folder.path(), "dev", &[])?;
        let start = gatepost.started_in;
        row("start after a kill", Cell::time(start), budget(start));
        let counted = Api::new(&gatepost.http).captured()?;
        if counted != target {
            return Err(format!("{target} mails before a kill, {counted} after it").into());
        }
    }
    report.add(&table);
    Ok(())
}
