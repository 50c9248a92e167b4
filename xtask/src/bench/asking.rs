//! The rest of `bench http`: asking for a code, whose mail is durable before the answer, with
//! relays of every mood.

use std::path::Path;
use std::time::{Duration, Instant};

use super::api::Api;
use super::bare::Bare;
use super::http::middle;
use super::load::{Found, Load, Request};
use super::postfix::free_address;
use super::relay::SlowRelay;
use super::report::{BUDGET, Cell, Report, Table};
use super::server::Gatepost;
use super::{Effort, Result};

/// What a Django view that sends inside the request reached on such a machine (its measurement is
/// told in the project's notes; it is not repeated here).
const DJANGO: f64 = 217.0;

const CONNECTIONS: u32 = 20;

/// How long a slow relay thinks before it takes a mail.
const SLOW: Duration = Duration::from_secs(1);

/// Asks for codes for addresses that were never used before, 20 at once.
pub fn measure(
    effort: Effort,
    report: &mut Report,
    bare: &Bare,
    settings: &[(&str, &str)],
) -> Result<()> {
    let seconds = if effort.quick { 1 } else { 5 };
    let (mut poem, mut captured, mut slow, mut down) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut drained = Vec::new();
    for round in 1..=effort.rounds() {
        report.progress(format_args!("asking for codes, round {round}"));
        let folder = tempfile::Builder::new()
            .prefix("gatepost-bench-")
            .tempdir()?;
        let load = Load {
            url: format!("http://{}/", bare.http),
            connections: CONNECTIONS,
            seconds,
            request: Request::AskForCode {
                round: "bare".to_owned(),
            },
        };
        poem.push(
            load.run(folder.path())?
                .without_errors("the bare handler")?,
        );
        let (found, drain) = into_inbox(&load, settings)?;
        captured.push(found);
        drained.push(drain);
        let relay = SlowRelay::start(SLOW)?;
        slow.push(through_relay(&load, settings, &relay.address.to_string())?);
        if relay.taken() == 0 {
            return Err("the slow relay was never given a mail".into());
        }
        down.push(through_relay(&load, settings, &free_address()?)?);
    }
    let mut table = Table::new(
        "Asking for a code, 20 connections, every address a new one",
        &[
            "relay",
            "rate",
            "p50",
            "p99",
            "of bare poem",
            "of Django",
            "of the first",
            BUDGET,
        ],
    );
    let (yardstick, first) = (middle(&poem).rate, middle(&captured).rate);
    for (what, rounds) in [
        ("(bare poem handler)", &poem),
        ("the inbox of the same process", &captured),
        ("takes a second for DATA", &slow),
        ("is down", &down),
    ] {
        let found = middle(rounds);
        let verdict = if what.starts_with('(') {
            Cell::none()
        } else if found.rate < 0.95 * first {
            // Within 5 % is the same: two runs of one binary differ by as much.
            Cell::at_least(found.rate / first, 0.95)
        } else {
            Cell::at_least(found.rate, 4000.0)
        };
        table.row([
            Cell::text(what),
            Cell::rate(found.rate),
            Cell::time(found.p50),
            Cell::time(found.p99),
            Cell::ratio(found.rate / yardstick),
            Cell::ratio(found.rate / DJANGO),
            Cell::ratio(found.rate / first),
            verdict,
        ]);
    }
    report.add(&table);
    let mut table = Table::new(
        "Delivery of those mails into the inbox of the same process",
        &[
            "round",
            "asked",
            "there when the asking ended",
            "the rest after",
            "delivered a second",
        ],
    );
    for (round, drain) in drained.iter().enumerate() {
        table.row([
            Cell::count(round as u64 + 1),
            Cell::count(drain.asked),
            Cell::count(drain.at_end),
            Cell::time(drain.rest_after),
            Cell::rate(drain.asked as f64 / (drain.rest_after.as_secs_f64() + seconds as f64)),
        ]);
    }
    report.add(&table);
    Ok(())
}

struct Drain {
    /// Requests that were answered.
    asked: u64,
    /// Mails that had arrived when the last request was answered.
    at_end: u64,
    /// How long after that the rest took.
    rest_after: Duration,
}

fn into_inbox(load: &Load, settings: &[(&str, &str)]) -> Result<(Found, Drain)> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let gatepost = Gatepost::start(folder.path(), "dev", settings)?;
    let found = ask(&gatepost, load, folder.path())?;
    let api = Api::new(&gatepost.http);
    let at_end = api.captured()?;
    let start = Instant::now();
    let mut arrived = at_end;
    // wrk does not count the requests that it broke off at its end.
    while arrived < found.requests {
        if start.elapsed() > Duration::from_secs(120) {
            let missing = found.requests - arrived;
            return Err(format!("{missing} mails of answered requests never arrived").into());
        }
        std::thread::sleep(Duration::from_millis(20));
        arrived = api.captured()?;
    }
    let rest_after = start.elapsed();
    gatepost.stop()?;
    let drain = Drain {
        asked: found.requests,
        at_end,
        rest_after,
    };
    Ok((found, drain))
}

fn through_relay(load: &Load, settings: &[(&str, &str)], relay: &str) -> Result<Found> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let (host, port) = relay.rsplit_once(':').ok_or("a relay has a port")?;
    let mut settings = settings.to_vec();
    settings.extend([
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", host),
        ("EMAIL_PORT", port),
        ("GATEPOST_RELAY_SECURITY", "none"),
        ("DEFAULT_FROM_EMAIL", "Bench <bench@example.com>"),
    ]);
    let gatepost = Gatepost::start(folder.path(), "serve", &settings)?;
    let found = ask(&gatepost, load, folder.path())?;
    // What waits for the relay is not waited for: a kill is the quickest end.
    gatepost.kill()?;
    Ok(found)
}

fn ask(gatepost: &Gatepost, load: &Load, folder: &Path) -> Result<Found> {
    let load = Load {
        url: format!(
            "http://{}/api/v1/auth/send_verification_code",
            gatepost.http
        ),
        request: Request::AskForCode {
            round: "asked".to_owned(),
        },
        ..load.clone()
    };
    load.run(folder)?.without_errors("asking for a code")
}
