//! The project's own commands: `cargo xtask NAME`. One file or folder a command; nothing here
//! knows how any of them works.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a development tool: it prints, and it measures real time"
)]

mod bench;
mod check;

use std::process::ExitCode;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  check                             formatting, lints and documentation, without running the tests
  bench capture|http|outbox|store   measure against the budgets of the design";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match command {
        "bench" => bench::run(rest),
        "check" => check::run(rest),
        "help" | "-h" | "--help" => {
            println!("{USAGE}");
            ExitCode::SUCCESS
        }
        unknown => {
            eprintln!("There is no command {unknown:?}.\n\n{USAGE}");
            ExitCode::FAILURE
        }
    }
}
