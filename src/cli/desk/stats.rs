//! `gatepost stats`: how much there is of everything, and the last hour.

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::Server;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Minute;
use crate::client::Stats;
use crate::mail::outbox::State;

/// Of which gatepost.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    server: Server,
    /// Print JSON, as without a terminal: what the API answered
    #[arg(long)]
    json: bool,
}

/// Prints them.
pub fn run(args: &Args) -> Result<(), Exit> {
    let (client, voice) = args.server.open()?;
    let answer = client.stats().map_err(|error| failed(&error))?;
    match Screen::new(args.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => output::print(&lines(voice, &answer.value, width).join("\n")),
    }
}

/// One of the figures of a minute.
type Figure = fn(&Minute) -> u64;

fn lines(voice: Voice, stats: &Stats, width: u16) -> Vec<String> {
    let mut facts = Facts::default();
    let outbox = State::ALL.iter().filter_map(|state| {
        let count = stats.outbox.get(state.word()).filter(|count| **count > 0)?;
        let state = voice.mail_state(state.word());
        Some(voice.say("list_count", &[("state", &state), ("count", count)]))
    });
    let outbox = outbox.reduce(|all, more| all + &voice.say("list_comma", &[("more", &more)]));
    let outbox = outbox.unwrap_or_else(|| voice.say("list_nothing", &[]));
    facts.add(voice.label("outbox"), outbox);
    facts.add(voice.label("failing"), stats.failing.to_string());
    facts.add(voice.label("inbox"), stats.inbox.to_string());
    let counted = [
        ("users", stats.users),
        ("sessions", stats.sessions),
        ("tokens", stats.tokens),
        ("audit", stats.audit),
    ];
    for (key, count) in counted {
        let count = count.map(|count| count.to_string());
        let count = count.unwrap_or_else(|| voice.say("uncounted", &[]));
        facts.add(voice.label(key), count);
    }
    let mut lines = facts.lines(0, width);
    let mut facts = Facts::default();
    let hour: [(&str, Figure); 6] = [
        ("hour_sent", |minute| minute.sent),
        ("hour_failed", |minute| minute.failed),
        ("hour_captured", |minute| minute.captured),
        ("hour_requests", |minute| minute.requests),
        ("hour_logins", |minute| minute.logins),
        ("hour_refused_logins", |minute| minute.refused_logins),
    ];
    for (key, of) in hour {
        let sum: u64 = stats.minutes.iter().map(of).sum();
        facts.add(voice.label(key), sum.to_string());
    }
    lines.push(String::new());
    lines.push(voice.say("last_hour", &[]));
    lines.extend(facts.lines(2, width));
    lines
}
