//! `bench http`: requests a second beside a bare poem handler, and login beside argon2 alone.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::api::{Api, Member};
use super::bare::Bare;
use super::load::{self, Found, Load, Request};
use super::report::{BUDGET, Cell, Report, Table, median};
use super::server::Gatepost;
use super::{Effort, Result, asking};

/// Everything that this bench finds.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    load::installed()?;
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let folder = folder.path();
    let settings = limits_off();
    let settings: Vec<(&str, &str)> = settings.iter().map(|(k, v)| (&**k, &**v)).collect();
    let bare = Bare::start(folder)?;
    let gatepost = Gatepost::start(folder, "dev", &settings)?;
    let member = Api::new(&gatepost.http).register("measured@example.com")?;
    let bench = Bench {
        effort,
        folder,
        bare,
        gatepost,
        member,
    };
    bench.beside_bare(report)?;
    bench.login(report)?;
    bench.while_busy(report)?;
    bench.gatepost.stop()?;
    asking::measure(effort, report, &bench.bare, &settings)
}

/// The environment that takes every limit away, and pins what a password hash costs.
fn limits_off() -> Vec<(String, String)> {
    let limits = gatepost::config::DEFINITIONS
        .iter()
        .filter(|definition| definition.name.starts_with("limits."))
        .map(|definition| (definition.variable(), "off".to_owned()));
    let cost = [
        ("GATEPOST_PASSWORD_MEMORY", format!("{ARGON2_KIB}KiB")),
        ("GATEPOST_PASSWORD_ITERATIONS", ARGON2_PASSES.to_string()),
        ("GATEPOST_PASSWORD_PARALLELISM", "1".to_owned()),
    ];
    limits
        .chain(cost.map(|(name, value)| (name.to_owned(), value)))
        .collect()
}

const ARGON2_KIB: u32 = 19_456;
const ARGON2_PASSES: u32 = 2;

struct Bench<'a> {
    effort: Effort,
    folder: &'a Path,
    bare: Bare,
    gatepost: Gatepost,
    member: Member,
}

impl Bench<'_> {
    fn seconds(&self) -> u64 {
        if self.effort.quick { 1 } else { 4 }
    }

    fn healthz(&self, connections: u32) -> Load {
        Load {
            url: format!("http://{}/healthz", self.gatepost.http),
            connections,
            seconds: self.seconds(),
            request: Request::Get { bearer: None },
        }
    }

    fn bare(&self, connections: u32) -> Load {
        Load {
            url: format!("http://{}/", self.bare.http),
            ..self.healthz(connections)
        }
    }

    fn session(&self, connections: u32) -> Load {
        Load {
            url: format!("http://{}/api/v1/auth/me", self.gatepost.http),
            request: Request::Get {
                bearer: Some(self.member.token.clone()),
            },
            ..self.healthz(connections)
        }
    }

    fn logins(&self, connections: u32) -> Load {
        let form = json!({ "email": self.member.email, "password": self.member.password });
        Load {
            url: format!("http://{}/api/v1/auth/login", self.gatepost.http),
            request: Request::Post {
                json: form.to_string(),
            },
            ..self.healthz(connections)
        }
    }

    fn beside_bare(&self, report: &mut Report) -> Result<()> {
        let mut table = Table::new(
            "Requests a second beside a bare poem handler",
            &[
                "what",
                "connections",
                "rate",
                "p50",
                "p99",
                "CPU a request",
                "ratio",
                BUDGET,
            ],
        );
        for connections in [1, 32] {
            let loads = [
                ("bare poem handler", self.bare(connections)),
                ("GET /healthz", self.healthz(connections)),
                ("checking a session", self.session(connections)),
            ];
            let mut found = [const { Vec::new() }; 3];
            let mut cpu = [const { Vec::new() }; 3];
            for round in 1..=self.effort.rounds() {
                report.progress(format_args!(
                    "requests over {connections} connections, round {round}"
                ));
                for (at, (what, load)) in loads.iter().enumerate() {
                    // Both servers: one of them is idle.
                    let before = self.bare.cpu()? + self.gatepost.cpu()?;
                    let done = load.run(self.folder)?.without_errors(what)?;
                    let used = self.bare.cpu()? + self.gatepost.cpu()? - before;
                    cpu[at].push(used.div_f64(done.requests.max(1) as f64));
                    found[at].push(done);
                }
            }
            let yardstick = middle(&found[0]).rate;
            for (at, (what, _)) in loads.iter().enumerate() {
                let found = middle(&found[at]);
                let ratio = found.rate / yardstick;
                let session = what.ends_with("session") && connections > 1;
                table.row([
                    Cell::text(*what),
                    Cell::count(connections.into()),
                    Cell::rate(found.rate),
                    Cell::time(found.p50),
                    Cell::time(found.p99),
                    Cell::time(median(&cpu[at])),
                    Cell::ratio(ratio),
                    if session {
                        Cell::at_least(ratio, 0.8)
                    } else {
                        Cell::none()
                    },
                ]);
            }
        }
        report.add(&table);
        Ok(())
    }

    fn login(&self, report: &mut Report) -> Result<()> {
        let cores = std::thread::available_parallelism()?.get();
        let mut table = Table::new(
            "Login beside argon2 alone (19 456 KiB, 2 passes, 1 lane)",
            &[
                "what",
                "at once",
                "rate",
                "p50",
                "p99",
                "ratio of p50",
                "ratio of rate",
                BUDGET,
            ],
        );
        for at_once in [1, cores * 4] {
            // As many hashes at once as there are cores: more would only wait.
            let threads = at_once.min(cores);
            let (mut alone, mut logins) = (Vec::new(), Vec::new());
            for round in 1..=self.effort.rounds() {
                report.progress(format_args!("{at_once} logins at once, round {round}"));
                alone.push(argon2_alone(threads, self.seconds())?);
                let load = self.logins(u32::try_from(at_once)?);
                logins.push(load.run(self.folder)?.without_errors("login")?);
            }
            let (alone, logins) = (middle(&alone), middle(&logins));
            let ratio = logins.p50.as_secs_f64() / alone.p50.as_secs_f64();
            table.row([
                Cell::text("argon2 alone"),
                Cell::count(threads as u64),
                Cell::rate(alone.rate),
                Cell::time(alone.p50),
                Cell::time(alone.p99),
                Cell::ratio(1.0),
                Cell::ratio(1.0),
                Cell::none(),
            ]);
            let one = at_once == 1;
            table.row([
                Cell::text("login"),
                Cell::count(at_once as u64),
                Cell::rate(logins.rate),
                Cell::time(logins.p50),
                Cell::time(logins.p99),
                if one {
                    Cell::ratio(ratio)
                } else {
                    Cell::none()
                },
                Cell::ratio(logins.rate / alone.rate),
                if one {
                    Cell::at_most(ratio, 1.1, "1.1 of p50")
                } else {
                    Cell::none()
                },
            ]);
        }
        report.add(&table);
        Ok(())
    }

    /// Checking a session while every thread that hashes passwords has something to do.
    fn while_busy(&self, report: &mut Report) -> Result<()> {
        let mut table = Table::new(
            "Checking a session while every login slot is busy",
            &[
                "connections",
                "idle p50",
                "idle p99",
                "busy p50",
                "busy p99",
                "ratio of p99",
                "rate kept",
                BUDGET,
            ],
        );
        for connections in [1, 8, 32] {
            let (mut idle, mut busy) = (Vec::new(), Vec::new());
            for round in 1..=self.effort.rounds() {
                report.progress(format_args!(
                    "{connections} connections beside logins, round {round}"
                ));
                let load = self.session(connections);
                idle.push(
                    load.run(self.folder)?
                        .without_errors("checking a session")?,
                );
                let mut logins = self.logins(16);
                logins.seconds += 5;
                let mut behind = logins.start(self.folder)?;
                std::thread::sleep(Duration::from_millis(500));
                busy.push(
                    load.run(self.folder)?
                        .without_errors("checking a session")?,
                );
                behind.check_running()?;
            }
            let (idle, busy) = (middle(&idle), middle(&busy));
            let ratio = busy.p99.as_secs_f64() / idle.p99.as_secs_f64();
            table.row([
                Cell::count(connections.into()),
                Cell::time(idle.p50),
                Cell::time(idle.p99),
                Cell::time(busy.p50),
                Cell::time(busy.p99),
                Cell::ratio(ratio),
                Cell::ratio(busy.rate / idle.rate),
                Cell::at_most(ratio, 3.0, "3 of p99"),
            ]);
        }
        report.add(&table);
        Ok(())
    }
}

/// Each figure's own median.
pub fn middle(rounds: &[Found]) -> Found {
    let time = |of: fn(&Found) -> Duration| median(&rounds.iter().map(of).collect::<Vec<_>>());
    let count = |of: fn(&Found) -> u64| median(&rounds.iter().map(of).collect::<Vec<_>>());
    Found {
        rate: median(&rounds.iter().map(|found| found.rate).collect::<Vec<_>>()),
        p50: time(|found| found.p50),
        p99: time(|found| found.p99),
        requests: count(|found| found.requests),
        refused: count(|found| found.refused),
        broken: count(|found| found.broken),
    }
}

/// Hashes a password again and again, on `threads` threads with memory of their own.
fn argon2_alone(threads: usize, seconds: u64) -> Result<Found> {
    let start = Instant::now();
    let limit = Duration::from_secs(seconds);
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            std::thread::spawn(move || {
                let params = argon2::Params::new(ARGON2_KIB, ARGON2_PASSES, 1, Some(32))?;
                let mut memory = vec![argon2::Block::default(); params.block_count()];
                let argon2 = argon2::Argon2::from(params);
                let mut times = Vec::new();
                while start.elapsed() < limit {
                    let begun = Instant::now();
                    let mut hash = [0; 32];
                    argon2.hash_password_into_with_memory(
                        b"correct horse battery staple 47",
                        b"sixteen bytes ok",
                        &mut hash,
                        &mut memory,
                    )?;
                    std::hint::black_box(hash);
                    times.push(begun.elapsed());
                }
                Ok::<_, argon2::Error>(times)
            })
        })
        .collect();
    let mut times = Vec::new();
    for worker in workers {
        let done = worker.join().map_err(|_| "a thread of argon2 panicked")?;
        times.extend(done.map_err(|error| error.to_string())?);
    }
    let rate = times.len() as f64 / start.elapsed().as_secs_f64();
    times.sort();
    Ok(Found {
        rate,
        p50: times[times.len() / 2],
        p99: times[times.len() * 99 / 100],
        requests: times.len() as u64,
        refused: 0,
        broken: 0,
    })
}
