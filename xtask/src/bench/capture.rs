//! `bench capture`: mails a second into the inbox, beside smtp-sink, which throws them away.

use std::time::Duration;

use super::api::Api;
use super::postfix::{self, Mails, Sink};
use super::report::{BUDGET, Cell, Report, Table, median};
use super::server::Gatepost;
use super::{Effort, Result, fill};

/// Everything that this bench finds.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    postfix::installed()?;
    rates(effort, report)?;
    fill::measure(effort, report)
}

fn rates(effort: Effort, report: &mut Report) -> Result<()> {
    let mut table = Table::new(
        "Mails a second from smtp-source, every one durable before its 250",
        &[
            "mails",
            "sessions",
            "connection",
            "smtp-sink",
            "gatepost",
            "ratio",
            "CPU a mail, sink",
            "CPU a mail",
            "peak memory",
            "counted",
            BUDGET,
        ],
    );
    for bytes in [1000, 20_000] {
        for sessions in [1, 10, 50] {
            for kept in [false, true] {
                let count = effort.scaled(match (sessions, bytes, kept) {
                    (1, _, _) => 2_000,
                    (_, 1000, true) => 20_000,
                    _ => 6_000,
                });
                let mails = Mails {
                    count,
                    bytes,
                    sessions,
                    kept,
                };
                let name = format!("{} KB", bytes / 1000);
                let connection = if kept { "kept" } else { "new" };
                report.progress(format_args!(
                    "mails of {name}, {sessions} sessions, {connection}"
                ));
                let found = beside_sink(mails, effort)?;
                let ratio = found.gatepost.rate / found.sink.rate;
                // The budget is for 1 KB from 50 sessions; the rest informs.
                let budget = if bytes == 1000 && sessions == 50 {
                    Cell::at_least(ratio, 0.5)
                } else {
                    Cell::none()
                };
                table.row([
                    Cell::text(name),
                    Cell::count(sessions.into()),
                    Cell::text(connection),
                    Cell::rate(found.sink.rate),
                    Cell::rate(found.gatepost.rate),
                    Cell::ratio(ratio),
                    Cell::time(found.sink.cpu),
                    Cell::time(found.gatepost.cpu),
                    Cell::bytes(found.peak),
                    Cell::count(found.counted),
                    budget,
                ]);
            }
        }
    }
    report.add(&table);
    Ok(())
}

/// What one server did, by medians.
#[derive(Clone, Copy)]
struct Server {
    /// Mails a second.
    rate: f64,
    /// Processor time of the server a mail.
    cpu: Duration,
}

struct Found {
    sink: Server,
    gatepost: Server,
    /// The most memory that gatepost held.
    peak: u64,
    /// Mails that its inbox holds: as many as were sent.
    counted: u64,
}

fn beside_sink(mails: Mails, effort: Effort) -> Result<Found> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let gatepost = Gatepost::start(folder.path(), "dev", &[])?;
    let sink = Sink::start()?;
    let (mut to_sink, mut to_gatepost) = (Vec::new(), Vec::new());
    for _ in 0..effort.rounds() {
        to_sink.push(timed(mails, &sink.smtp, || sink.cpu())?);
        to_gatepost.push(timed(mails, &gatepost.smtp, || gatepost.cpu())?);
    }
    let counted = Api::new(&gatepost.http).captured()?;
    let sent = mails.count * effort.rounds() as u64;
    if counted != sent {
        return Err(format!("{sent} mails were acknowledged, {counted} are in the inbox").into());
    }
    let peak = gatepost.memory()?.peak;
    gatepost.stop()?;
    Ok(Found {
        sink: middle(&to_sink),
        gatepost: middle(&to_gatepost),
        peak,
        counted,
    })
}

fn timed(mails: Mails, address: &str, cpu: impl Fn() -> Result<Duration>) -> Result<Server> {
    let before = cpu()?;
    let took = mails.send(address)?;
    let used = cpu()?.saturating_sub(before);
    Ok(Server {
        rate: mails.count as f64 / took.as_secs_f64(),
        cpu: used / u32::try_from(mails.count).unwrap_or(u32::MAX),
    })
}

fn middle(rounds: &[Server]) -> Server {
    Server {
        rate: median(&rounds.iter().map(|round| round.rate).collect::<Vec<_>>()),
        cpu: median(&rounds.iter().map(|round| round.cpu).collect::<Vec<_>>()),
    }
}
