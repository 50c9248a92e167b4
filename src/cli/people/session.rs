//! `gatepost session`.

use clap::Subcommand;

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Named;
use crate::cli::listing::Rows;
use crate::client::Client;
use crate::client::Session;

use super::away;

/// What can be done with sessions.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Everybody's sessions, newest first
    #[command(after_help = "\
Examples:
  gatepost session list --state live
  gatepost session list --user us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0 --sort -last_used_at

Fields to sort by: created_at, last_used_at, email, ip.")]
    List {
        /// Only those of this account
        #[arg(long, value_name = "ID")]
        user: Option<String>,
        /// Only those in this state: live, lapsed, ended
        #[arg(long, value_parser = ["live", "lapsed", "ended"])]
        state: Option<String>,
        #[command(flatten)]
        rows: Rows,
    },
    /// End sessions: who has one must log in again
    #[command(after_help = "\
Example:
  gatepost session revoke se_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Revoke(Named),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List { user, state, rows } => listing::list(
            rows,
            &[("user", user), ("state", state)],
            Client::sessions,
            &[
                "column_id",
                "column_email",
                "column_state",
                "column_began",
                "column_used",
                "column_from",
            ],
            &[2],
            |voice, session: &Session| {
                vec![
                    session.id.clone(),
                    session.email.clone(),
                    voice.standing(&session.state),
                    away(voice, &session.created_at),
                    away(voice, &session.last_used_at),
                    session.ip.clone(),
                ]
            },
        ),
        Command::Revoke(sessions) => listing::each(&sessions, |client, voice, id| {
            let json = client.end_session(id)?;
            Ok((voice.say("did_end_session", &[("id", &id)]), json))
        }),
    }
}
