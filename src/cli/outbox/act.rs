//! `gatepost outbox retry`, `requeue`, `discard` and `undo`.

use std::fmt::Display;

use crate::cli::Exit;
use crate::cli::FAILED;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Error;
use crate::client::Mail;
use crate::client::MailAction;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Mails;

/// Does it to each of the mails and says what came of it; one that fails does not keep the others
/// from their turn.
pub fn act(action: MailAction, mails: &Mails) -> Result<(), Exit> {
    let server = &mails.common.server;
    let (client, voice) = server.open()?;
    let screen = Screen::new(mails.common.json);
    let mut done = Ok(());
    for id in &mails.ids {
        let id = id.to_string();
        match client.act_on_mail(action, &id) {
            Ok(answer) => match screen {
                Screen::Program { indented } => screen::print_json(&answer.json, indented)?,
                Screen::People { width } => {
                    let now = World::system().now();
                    let again = server.again();
                    let said = told(voice, action, &id, &answer.value, &again, now);
                    let lines = said.lines().flat_map(|line| folded(line, width));
                    output::print(&lines.collect::<Vec<_>>().join("\n"))?;
                }
            },
            Err(error) => {
                failed(&format_args!("{id}: {}", why_not(&error)));
                done = Err(Exit(FAILED));
                // Whoever is not there or does not know us will not say otherwise to the next one.
                if !matches!(error, Error::Problem(_)) {
                    break;
                }
            }
        }
    }
    done
}

/// A line on as many as it takes; a command stays whole.
fn folded(line: &str, width: u16) -> Vec<String> {
    let shown = output::visible(line);
    let text = shown.trim_start();
    if text.starts_with("gatepost ") {
        return vec![shown];
    }
    let margin = shown.len() - text.len();
    let parts = screen::wrap(text, usize::from(width).saturating_sub(margin));
    parts
        .into_iter()
        .map(|part| format!("{:margin$}{part}", ""))
        .collect()
}

/// Why it could not be done. The title of the problem says no more than that.
fn why_not(error: &Error) -> String {
    match error {
        Error::Problem(problem) if problem.code == "outbox_conflict" => {
            let detail = problem.detail.clone();
            detail.unwrap_or_else(|| error.to_string())
        }
        _ => error.to_string(),
    }
}

fn told(
    voice: Voice,
    action: MailAction,
    id: &str,
    mail: &Mail,
    server: &str,
    now: Timestamp,
) -> String {
    if action == MailAction::Discard {
        let said = voice.say("did_discard", &[("id", &id)]);
        // On a line of its own, so that it can be copied.
        return format!("{said}\n  gatepost outbox undo{server} {id}");
    }
    let state = voice.mail_state(&mail.state);
    let done = match action == MailAction::Requeue && mail.id != id {
        true => {
            let values: [(&str, &dyn Display); 3] =
                [("id", &id), ("new", &mail.id), ("state", &state)];
            voice.say("did_renew", &values)
        }
        false => voice.say("did", &[("id", &id), ("state", &state)]),
    };
    // Whoever has it tried should know that the route keeps it from that.
    if let Some(why) = mail.why.as_ref().filter(|why| holds(&why.code)) {
        let mut said = voice.say("held", &[("said", &done)]);
        for more in [Some(&why.text), why.advice.as_ref()].into_iter().flatten() {
            said.push_str("\n  ");
            said.push_str(more.trim_end());
        }
        return said;
    }
    match &mail.next_at {
        Some(at) => {
            let when = screen::coming(voice, at, now);
            voice.say("due", &[("said", &done), ("when", &when)])
        }
        None => done,
    }
}

/// Whether nothing is sent at present, whatever is done to the mail.
fn holds(why: &str) -> bool {
    matches!(why, "route_paused" | "route_resting" | "route_budget")
}
