//! `gatepost user`.

use clap::Subcommand;

use crate::cli::Exit;
use crate::cli::listing;
use crate::cli::listing::Named;
use crate::cli::listing::Rows;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::Server;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Client;
use crate::client::User;
use crate::client::UserAction;

use super::away;
use super::away_if;

/// What can be done with accounts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The accounts, newest first
    #[command(after_help = "\
Examples:
  gatepost user list
  gatepost user list --state locked
  gatepost user list --search ann --sort email

Fields to sort by: created_at, email, display_name, last_login_at.")]
    List {
        /// Only those in this state: active, locked, waiting
        #[arg(long, value_parser = ["active", "locked", "waiting"])]
        state: Option<String>,
        #[command(flatten)]
        rows: Rows,
    },
    /// One account
    #[command(after_help = "\
Example:
  gatepost user show us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Show {
        /// Its name
        id: String,
        #[command(flatten)]
        server: Server,
        /// Print JSON, as without a terminal: what the API answered
        #[arg(long)]
        json: bool,
    },
    /// Let nobody log in, and end all sessions; it looks like a wrong password
    #[command(after_help = "\
Examples:
  gatepost user lock us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0
  gatepost user lock --as amy us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Lock(Named),
    /// Let the owner log in again, also after too many wrong passwords
    #[command(after_help = "\
Example:
  gatepost user unlock us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Unlock(Named),
    /// Mail the owner a link for a new password
    #[command(after_help = "\
Example:
  gatepost user send-reset us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    SendReset(Named),
    /// End all sessions
    #[command(after_help = "\
Example:
  gatepost user end-sessions us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    EndSessions(Named),
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List { state, rows } => listing::list(
            rows,
            &[("state", state)],
            Client::users,
            &[
                "column_id",
                "column_email",
                "column_name",
                "column_state",
                "column_made",
                "column_last_login",
                "column_sessions",
            ],
            &[3],
            |voice, user: &User| {
                let sessions = user.sessions.map(|count| count.to_string());
                vec![
                    user.id.clone(),
                    user.email.clone(),
                    user.display_name.clone().unwrap_or_default(),
                    voice.standing(&user.state),
                    away(voice, &user.created_at),
                    away_if(voice, user.last_login_at.as_ref()),
                    sessions.unwrap_or_else(|| "100+".to_owned()),
                ]
            },
        ),
        Command::Show { id, server, json } => show(&id, &server, json),
        Command::Lock(users) => act(UserAction::Lock, &users),
        Command::Unlock(users) => act(UserAction::Unlock, &users),
        Command::SendReset(users) => act(UserAction::SendReset, &users),
        Command::EndSessions(users) => act(UserAction::EndSessions, &users),
    }
}

fn show(id: &str, server: &Server, json: bool) -> Result<(), Exit> {
    let (client, voice) = server.open()?;
    let answer = client.user(id);
    let answer = answer.map_err(|error| failed(&format_args!("{id}: {error}")))?;
    match Screen::new(json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let lines = facts(voice, &answer.value).lines(0, width);
            output::print(&lines.join("\n"))
        }
    }
}

fn facts(voice: Voice, user: &User) -> Facts {
    let mut facts = Facts::default();
    facts.add(voice.label("column_id"), &user.id);
    facts.add(voice.label("column_email"), &user.email);
    facts.add_some(voice.label("column_name"), user.display_name.as_ref());
    facts.add(voice.label("column_state"), voice.standing(&user.state));
    facts.add(voice.label("column_made"), away(voice, &user.created_at));
    for (label, at) in [
        ("column_last_login", &user.last_login_at),
        ("user_locked", &user.locked_at),
        ("user_waits", &user.waits_until),
    ] {
        facts.add_some(voice.label(label), at.as_ref().map(|at| away(voice, at)));
    }
    let sessions = user.sessions.map(|count| count.to_string());
    let sessions = sessions.unwrap_or_else(|| "100+".to_owned());
    facts.add(voice.label("column_sessions"), sessions);
    facts
}

fn act(action: UserAction, users: &Named) -> Result<(), Exit> {
    listing::each(users, |client, voice, id| {
        let answer = client.act_on_user(action, id)?;
        let email = &answer.value.email;
        let said = match action {
            UserAction::Lock => voice.say("did_lock", &[("email", email)]),
            UserAction::Unlock => voice.say("did_unlock", &[("email", email)]),
            UserAction::SendReset => voice.say("did_send_reset", &[("email", email)]),
            UserAction::EndSessions => voice.say("did_end_sessions", &[("email", email)]),
        };
        Ok((said, answer.json))
    })
}
