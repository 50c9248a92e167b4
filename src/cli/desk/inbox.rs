//! `gatepost inbox`: captured mail. All of it is its sender's: nothing of it reaches a terminal
//! as it came.

use std::io::IsTerminal as _;

use clap::Subcommand;

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Named;
use crate::cli::listing::Rows;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::server::Server;
use crate::cli::server::failed;
use crate::client::Client;
use crate::client::Error;
use crate::client::MessageSummary;
use crate::world::World;

use super::show;

/// What can be done with captured mail.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Captured mails, newest first
    #[command(after_help = "\
Examples:
  gatepost inbox list --to ann@example.com
  gatepost inbox list --search invoice --sort -size
  gatepost inbox list --all --json | jq '.items[].subject'

Fields to sort by: received_at, from, to, subject, size.")]
    List {
        /// Only those to this address, or a part of one such as @example.com
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// Only those from this address, or a part of one
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// Only those with this in the subject
        #[arg(long, value_name = "TEXT")]
        subject: Option<String>,
        #[command(flatten)]
        rows: Rows,
    },
    /// One mail: its headers, its text, the codes and links in it
    #[command(after_help = "\
Examples:
  gatepost inbox show 42
  gatepost inbox show 42 --json | jq -r '.codes[0]'")]
    Show {
        /// Its number, as `gatepost inbox list` shows it
        id: String,
        #[command(flatten)]
        server: Server,
        /// Print JSON, as without a terminal: what the API answered
        #[arg(long)]
        json: bool,
    },
    /// The bytes of a mail, exactly as they came; on a terminal, what would act on it is escaped
    #[command(after_help = "\
Example:
  gatepost inbox raw 42 > 42.eml")]
    Raw {
        /// Its number
        id: String,
        #[command(flatten)]
        server: Server,
    },
    /// Delete mails; it is in the audit record
    #[command(after_help = "\
Example:
  gatepost inbox delete 41 42")]
    Delete(Named),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List {
            to,
            from,
            subject,
            rows,
        } => {
            let now = World::system().now();
            listing::list(
                rows,
                &[("to", to), ("from", from), ("subject", subject)],
                Client::messages,
                &[
                    "column_id",
                    "column_when",
                    "column_from",
                    "column_to",
                    "column_mail_subject",
                    "column_size",
                ],
                &[1, 5],
                |voice, mail: &MessageSummary| {
                    let from = mail.from.as_ref().unwrap_or(&mail.envelope.from);
                    vec![
                        mail.id.clone(),
                        screen::away(voice, &mail.received_at, now),
                        from.clone(),
                        mail.envelope.to.join(", "),
                        mail.subject.clone().unwrap_or_default(),
                        mail.size.to_string(),
                    ]
                },
            )
        }
        Command::Show { id, server, json } => show::show(&id, &server, json),
        Command::Raw { id, server } => raw(&id, &server),
        Command::Delete(mails) => listing::each(&mails, |client, voice, id| {
            let json = client.delete_message(id)?;
            Ok((voice.say("did_delete", &[("id", &id)]), json))
        }),
    }
}

fn raw(id: &str, server: &Server) -> Result<(), Exit> {
    let bytes = server
        .client()?
        .raw_message(id)
        .map_err(|error| missing(id, &error))?;
    if !std::io::stdout().is_terminal() {
        return output::print_bytes(&bytes);
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<String> = text.lines().map(output::visible).collect();
    output::print(&lines.join("\n"))
}

/// Says that it could not be had.
pub fn missing(id: &str, error: &Error) -> Exit {
    match error.code() {
        Some("not_found") => failed(&format_args!("{id}: there is no such mail in the inbox")),
        _ => failed(&format_args!("{id}: {error}")),
    }
}
