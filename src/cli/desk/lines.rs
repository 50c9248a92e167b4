//! `gatepost log`: the last lines of the log that the server remembers. `--log` of the server and
//! how its lines are written is in `cli::log`.

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Rows;
use crate::cli::output;
use crate::client::Client;
use crate::client::Line;

/// Which lines.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only lines of this level and worse: error, warn, info, debug, trace
    #[arg(long, value_parser = ["error", "warn", "info", "debug", "trace"])]
    level: Option<String>,
    #[command(flatten)]
    rows: Rows,
}

/// Prints them, newest first. None is cut: what matters may stand at its end.
pub fn run(args: Args) -> Result<(), Exit> {
    listing::tell(
        args.rows,
        &[("level", args.level)],
        Client::log,
        |_, lines: &[Line], _| {
            let lines = lines.iter().map(|line| {
                let (at, level, target) = (&line.at, line.level.to_uppercase(), &line.target);
                let whole = format!("{at} {level:<5} {target}: {}", line.text);
                let parts: Vec<String> = whole.lines().map(output::visible).collect();
                parts.join("\n  ")
            });
            lines.collect::<Vec<_>>().join("\n")
        },
    )
}
