//! `gatepost token`.

use clap::Subcommand;

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Named;
use crate::cli::listing::Rows;
use crate::client::Client;
use crate::client::Token;

use super::away;

/// What can be done with codes, links and verification tokens.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Codes, reset links and verification tokens, newest first; never their secrets
    #[command(after_help = "\
Examples:
  gatepost token list --state live
  gatepost token list --email ann@example.com --kind reset_link

Fields to sort by: created_at, expires_at, email, kind.")]
    List {
        /// Only those of this kind, such as reset_code, address_code or reset_link
        #[arg(long)]
        kind: Option<String>,
        /// Only those in this state: live, lapsed, spent, overtaken
        #[arg(long, value_parser = ["live", "lapsed", "spent", "overtaken"])]
        state: Option<String>,
        /// Only those of this address
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        #[command(flatten)]
        rows: Rows,
    },
    /// Make them good for nothing
    #[command(after_help = "\
Example:
  gatepost token revoke tk_AmFubkBleGFtcGxlLmNvbQAAgAABm3Z5gAAA")]
    Revoke(Named),
    /// Tell the code or the link, in gatepost dev alone; it is recorded who asked
    #[command(after_help = "\
Example:
  gatepost token reveal --as amy tk_AmFubkBleGFtcGxlLmNvbQAAgAABm3Z5gAAA")]
    Reveal(Named),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List {
            kind,
            state,
            email,
            rows,
        } => listing::list(
            rows,
            &[("kind", kind), ("state", state), ("email", email)],
            Client::tokens,
            &[
                "column_id",
                "column_kind",
                "column_email",
                "column_state",
                "column_made",
                "column_lapses",
            ],
            &[1, 3],
            |voice, token: &Token| {
                vec![
                    token.id.clone(),
                    token.kind.clone(),
                    token.email.clone(),
                    voice.standing(&token.state),
                    away(voice, &token.created_at),
                    away(voice, &token.expires_at),
                ]
            },
        ),
        Command::Revoke(tokens) => listing::each(&tokens, |client, voice, id| {
            let json = client.revoke_token(id)?;
            Ok((voice.say("did_revoke_token", &[("id", &id)]), json))
        }),
        Command::Reveal(tokens) => listing::each(&tokens, |client, _, id| {
            let answer = client.reveal_token(id)?;
            Ok((answer.value.secret, answer.json))
        }),
    }
}
