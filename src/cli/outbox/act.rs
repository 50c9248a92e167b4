//! `gatepost outbox retry`, `requeue`, `discard` and `undo`.

use crate::cli::Exit;
use crate::cli::FAILED;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
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
    let client = server.client()?;
    let screen = Screen::new(mails.common.json);
    let mut done = Ok(());
    for id in &mails.ids {
        let id = id.to_string();
        match client.act_on_mail(action, &id) {
            Ok(answer) => match screen {
                Screen::Program { indented } => screen::print_json(&answer.json, indented)?,
                Screen::People { .. } => {
                    let now = World::system().now();
                    let said = told(action, &id, &answer.value, &server.again(), now);
                    output::print(&output::visible(&said))?;
                }
            },
            Err(error) => {
                failed(&format_args!("{id}: {error}"));
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

fn told(action: MailAction, id: &str, mail: &Mail, server: &str, now: Timestamp) -> String {
    let when = mail.next_at.as_ref();
    let when = when.map_or_else(String::new, |at| {
        format!(", due {}", screen::coming(at, now))
    });
    match action {
        MailAction::Discard => format!(
            "{id}: discarded; within 30 s it can be taken back: gatepost outbox undo{server} {id}"
        ),
        MailAction::Requeue if mail.id != id => format!(
            "{id}: it has lapsed; a new one was made: {}, {}{when}",
            mail.id, mail.state
        ),
        _ => format!("{id}: {}{when}", mail.state),
    }
}
