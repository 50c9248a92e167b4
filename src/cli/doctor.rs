//! `gatepost doctor`: what was looked at, a line each, with what was found and what to do.

use std::io::IsTerminal as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use crate::config::Mode;
use crate::config::Request;
use crate::doctor;
use crate::doctor::Names;
use crate::doctor::Order;
use crate::doctor::Report;
use crate::doctor::Status;
use crate::doctor::Step;
use crate::doctor::Voice;
use crate::language::Language;
use crate::world::World;

use super::Exit;
use super::FAILED;
use super::MISUSED;
use super::args::Common;
use super::output;
use super::run;
use super::screen;
use super::screen::Screen;

/// How far details stand from the edge.
const INDENT: usize = 4;

/// How wide the column of the status is.
const STATUS: usize = 8;

/// Lines that are wider than this are hard to read.
const WIDEST: u16 = 100;

/// What was asked for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Send one real mail to ADDR in the end, through the outbox
    #[arg(long, value_name = "ADDR")]
    send_to: Option<String>,
    /// Look at the relay, although mail is captured (mail.mode is capture)
    #[arg(long)]
    relay: bool,
    #[command(flatten)]
    common: Common,
}

/// Looks at everything and says it; the exit code is 0 when no step failed.
pub fn run(args: Args) -> Result<(), Exit> {
    let send_to = match args.send_to.map(|to| (to.parse(), to)) {
        None => None,
        Some((Ok(address), _)) => Some(address),
        Some((Err(error), to)) => {
            let error: crate::address::MalformedAddress = error;
            output::complain(&format!("error: --send-to {to:?}: {error}"));
            return Err(Exit(MISUSED));
        }
    };
    let request = Request {
        flags: args.common.flags(),
        file: args.common.config.clone(),
        ..Request::of_process(Mode::Serve)
    };
    let paper = Paper::new(&request, args.json);
    let order = Order {
        request,
        relay: args.relay,
        send_to,
    };
    let world = World::system();
    let report = run::block_on(async {
        let names = Names::of_system();
        let mut written = Ok(());
        let mut tell = |language: Language, step: &Step| {
            if !args.json && written.is_ok() {
                written = output::print(&paper.step(language, step));
            }
        };
        let report = doctor::examine(&order, &world, &names, &mut tell).await;
        written.map(|()| report)
    })??;
    if args.json {
        let json = serde_json::to_value(&report).expect("texts and numbers are JSON");
        screen::print_json(&json, true)?;
    } else {
        output::print(&paper.summary(&report))?;
    }
    match report.ok {
        true => Ok(()),
        false => Err(Exit(FAILED)),
    }
}

/// How it is written.
struct Paper {
    width: usize,
    color: bool,
}

impl Paper {
    fn new(request: &Request, json: bool) -> Paper {
        let set = |wanted: &str| {
            let mut variables = request.environment.iter();
            variables.any(|(name, value)| name == wanted && !value.is_empty())
        };
        let width = match Screen::new(json) {
            Screen::People { width } => width.min(WIDEST),
            Screen::Program { .. } => WIDEST,
        };
        Paper {
            width: usize::from(width),
            color: std::io::stdout().is_terminal() && !set("NO_COLOR"),
        }
    }

    /// A step: its line, what was found, and what to do.
    fn step(&self, language: Language, step: &Step) -> String {
        let word = doctor::status_words(language, step.status);
        let mut text = format!(
            "{} {}",
            self.colored(step.status, &padded(&word)),
            output::visible(&step.title)
        );
        if step.status != Status::Skipped {
            text += &format!("  ({})", took(step.took));
        }
        for line in &step.detail {
            self.put(&mut text, INDENT, line);
        }
        for line in step.remedy.iter().flat_map(|remedy| remedy.lines()) {
            self.put(&mut text, INDENT, &format!("→ {line}"));
        }
        if let Some(page) = &step.page {
            self.put(&mut text, INDENT, &format!("→ {page}"));
        }
        text
    }

    fn put(&self, text: &mut String, indent: usize, said: &str) {
        let room = self.width.saturating_sub(indent).max(20);
        for line in said.lines() {
            for part in screen::wrap(&output::visible(line), room) {
                text.push('\n');
                text.push_str(&" ".repeat(indent));
                text.push_str(&part);
            }
        }
    }

    fn summary(&self, report: &Report) -> String {
        let voice = Voice(report.language);
        let (failures, warnings) = (report.count(Status::Failure), report.count(Status::Warning));
        let text = match failures + warnings {
            0 => voice.say("summary_fine", &[]),
            _ => voice.say(
                "summary",
                &[("failures", &failures), ("warnings", &warnings)],
            ),
        };
        let status = match (failures, warnings) {
            (0, 0) => Status::Ok,
            (0, _) => Status::Warning,
            _ => Status::Failure,
        };
        format!("\n{}", self.colored(status, &text))
    }

    fn colored(&self, status: Status, text: &str) -> String {
        let code = match status {
            _ if !self.color => return text.to_owned(),
            Status::Ok => 32,
            Status::Warning => 33,
            Status::Failure => 31,
            Status::Skipped => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

/// The status in a column of its own.
fn padded(word: &str) -> String {
    let missing = STATUS.saturating_sub(word.width());
    word.to_owned() + &" ".repeat(missing)
}

fn took(took: Duration) -> String {
    match took.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}
