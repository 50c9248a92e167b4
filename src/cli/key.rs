//! `gatepost key`: the keys with which the team's other programs order mail.

use std::io::IsTerminal as _;

use clap::Subcommand;

use crate::language::Language;
use crate::world::World;

use super::Exit;
use super::output;
use super::screen;
use super::screen::Screen;
use super::server::Server;
use super::server::failed;
use super::words::Voice;

/// What can be done with API keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key; it is printed once, alone on the standard output
    #[command(after_help = "\
Examples:
  gatepost key create billing
  (umask 077; gatepost key create billing > billing.key)

A program sends it with its mail:
  curl http://127.0.0.1:8000/api/v1/mail/send -H \"Authorization: Bearer $(cat billing.key)\" \\
    --json '{\"to\": \"ann@example.com\", \"subject\": \"Hello\", \"text\": \"Hello.\"}'")]
    Create {
        /// What it is called: the program that has it
        name: String,
        #[command(flatten)]
        server: Server,
        /// Print JSON: the key and what is known of it
        #[arg(long)]
        json: bool,
    },
    /// The keys: which programs have one, and when each was last used
    #[command(after_help = "\
Example:
  gatepost key list")]
    List {
        #[command(flatten)]
        server: Server,
        /// Print JSON, as without a terminal
        #[arg(long)]
        json: bool,
    },
    /// Take a key away: whoever has it is refused from now on
    #[command(after_help = "\
Example:
  gatepost key revoke ak_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Revoke {
        /// Which, as `gatepost key list` shows it
        id: String,
        #[command(flatten)]
        server: Server,
    },
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::Create { name, server, json } => create(&name, &server, json),
        Command::List { server, json } => list(&server, json),
        Command::Revoke { id, server } => revoke(&id, &server),
    }
}

fn create(name: &str, server: &Server, json: bool) -> Result<(), Exit> {
    let client = server.client()?;
    let answer = client.create_key(name).map_err(|error| failed(&error))?;
    let made = answer.value;
    let (id, name) = (
        output::visible(&made.about.id),
        output::visible(&made.about.name),
    );
    let (url, again) = (client.url(), server.again());
    let text = match json {
        true => screen::written(&answer.json, std::io::stdout().is_terminal()),
        false => output::visible(&made.key),
    };
    output::try_print(&text).map_err(|error| {
        failed(&format_args!(
            "the key of {name} was made and could not be written ({error}): it is lost; take it away with gatepost key revoke{again} {id}"
        ))
    })?;
    if json {
        return Ok(());
    }
    output::complain(&format!(
        "This is the key of {name}.\n\
         It is shown this once: gatepost keeps only its hash.\n\
         A program sends it as Authorization: Bearer …\n\
         to {url}/api/v1/mail/send\n\
         To take it away:\n\
         gatepost key revoke{again} {id}"
    ));
    Ok(())
}

fn list(server: &Server, json: bool) -> Result<(), Exit> {
    let answer = server.client()?.keys().map_err(|error| failed(&error))?;
    let width = match Screen::new(json) {
        Screen::Program { indented } => {
            return screen::print_json(&answer.json, indented);
        }
        Screen::People { width } => width,
    };
    if answer.value.items.is_empty() {
        return output::print("There is no API key yet; gatepost key create NAME makes one.");
    }
    // A key's words are English, as those of the settings are.
    let voice = Voice(Language::En);
    let now = World::system().now();
    let rows = answer.value.items.into_iter().map(|key| {
        let used = key.last_used_at.map(|at| screen::away(voice, &at, now));
        vec![
            key.id,
            key.name,
            screen::away(voice, &key.created_at, now),
            used.unwrap_or_else(|| "never".to_owned()),
        ]
    });
    let header = ["ID", "NAME", "MADE", "LAST USED"];
    output::print(&screen::table(width, &header, rows.collect(), &[2, 3]))
}

fn revoke(id: &str, server: &Server) -> Result<(), Exit> {
    let client = server.client()?;
    client.revoke_key(id).map_err(|error| match error.code() {
        Some("not_found") => failed(&format_args!(
            "{id}: there is no such key; gatepost key list{} shows them",
            server.again()
        )),
        _ => failed(&format_args!("{id}: {error}")),
    })?;
    let id = output::visible(id);
    output::complain(&format!(
        "{id}: revoked; whoever has it is refused from now on"
    ));
    Ok(())
}
