//! The command line: the only place that prints, and that decides on exit codes. What must not
//! live here: work. A command reads its settings, calls what does the work, and says what came
//! of it.
//!
//! Exit codes: 0 all went well, 1 it did not, 2 the command line or the settings are wrong.

mod args;
mod banner;
mod dashboard;
mod desk;
mod doctor;
mod key;
mod listing;
mod log;
mod outbox;
mod output;
mod people;
mod ready;
mod run;
mod screen;
mod server;
mod show;
mod signals;
mod test_mail;
mod words;

use std::process::ExitCode;

use clap::Parser as _;

use crate::config::Mode;
use crate::config::Request;
use crate::config::Settings;
use crate::serve;

use args::Args;
use args::Command;
use args::Common;

/// Something did not work.
const FAILED: u8 = 1;
/// The command line or the settings are wrong.
const MISUSED: u8 = 2;

/// Why a command ends with another code than 0. Its words are already said.
struct Exit(u8);

/// The binary's main function.
pub fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help goes to stdout with code 0, misuse to stderr with code 2.
            let code = u8::try_from(error.exit_code()).unwrap_or(MISUSED);
            return match error.print() {
                // A reader that is gone needs no help text.
                Err(lost) if lost.kind() != std::io::ErrorKind::BrokenPipe => {
                    ExitCode::from(code.max(FAILED))
                }
                _ => ExitCode::from(code),
            };
        }
    };
    let done = match args.command {
        Command::Dev {
            common,
            no_dashboard,
            ready_file,
        } => settings(Mode::Dev, &common)
            .and_then(|settings| run::run(settings, ready_file, !no_dashboard)),
        Command::Serve { common, ready_file } => settings(Mode::Serve, &common)
            .and_then(|settings| run::run(settings, ready_file, false)),
        Command::Tui(args) => dashboard::run(&args),
        Command::Config { common, dev, json } => {
            let mode = if dev { Mode::Dev } else { Mode::Serve };
            settings(mode, &common).and_then(|settings| show::show(&settings, json))
        }
        Command::Openapi { common, yaml } => settings(Mode::Serve, &common)
            .and_then(|settings| output::print(serve::document(&settings, yaml).trim_end())),
        Command::SendTestMail { common, address } => {
            settings(Mode::Serve, &common).and_then(|settings| test_mail::send(settings, &address))
        }
        Command::Doctor(args) => doctor::run(args),
        Command::Outbox { command } => outbox::run(command),
        Command::Key { command } => key::run(command),
        Command::User { command } => people::user(command),
        Command::Session { command } => people::session(command),
        Command::Token { command } => people::token(command),
        Command::Inbox { command } => desk::inbox(command),
        Command::Audit { command } => desk::audit(command),
        Command::Stats(args) => desk::stats(&args),
        Command::Log(args) => desk::log(args),
        Command::Timeline(args) => people::timeline(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Exit(code)) => ExitCode::from(code),
    }
}

/// All settings, or their errors said.
fn settings(mode: Mode, common: &Common) -> Result<Settings, Exit> {
    let request = Request {
        flags: common.flags(),
        file: common.config.clone(),
        ..Request::of_process(mode)
    };
    crate::config::load(&request).map_err(|errors| {
        let many = if errors.0.len() == 1 { "" } else { "s" };
        output::complain(&format!("error{many} in the settings:"));
        for error in &errors.0 {
            output::complain(&format!("  {error}"));
        }
        Exit(MISUSED)
    })
}
