//! `gatepost audit`.

use clap::Subcommand;

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Rows;
use crate::cli::screen;
use crate::client::Client;
use crate::client::Entry;
use crate::world::World;

/// What can be done with the audit record.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// What happened, newest first
    #[command(after_help = "\
Examples:
  gatepost audit list
  gatepost audit list --action login --outcome refused --all --json
  gatepost audit list --actor operator:Amy --search discard

It is sorted by at: --sort at begins with the oldest.")]
    List {
        /// Only what this one did: a user's id, anonymous, operator, operator:NAME, gatepost
        #[arg(long)]
        actor: Option<String>,
        /// Only this, such as login
        #[arg(long, value_name = "WORD")]
        action: Option<String>,
        /// Only what was done to this one: an address or an id
        #[arg(long)]
        subject: Option<String>,
        /// Only what ended so: done, refused
        #[arg(long, value_parser = ["done", "refused"])]
        outcome: Option<String>,
        #[command(flatten)]
        rows: Rows,
    },
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    let Command::List {
        actor,
        action,
        subject,
        outcome,
        rows,
    } = command;
    let now = World::system().now();
    listing::list(
        rows,
        &[
            ("actor", actor),
            ("action", action),
            ("subject", subject),
            ("outcome", outcome),
        ],
        Client::audit,
        &[
            "column_when",
            "column_actor",
            "column_action",
            "column_state",
            "column_subject",
            "column_from",
            "column_detail",
        ],
        &[2, 3],
        |voice, entry: &Entry| {
            vec![
                screen::away(voice, &entry.at, now),
                entry.actor.clone(),
                entry.action.clone(),
                voice.standing(&entry.outcome),
                entry.subject.clone(),
                entry.ip.clone().unwrap_or_else(|| "-".to_owned()),
                entry.detail.clone(),
            ]
        },
    )
}
