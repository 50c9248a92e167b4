//! `gatepost outbox`: what waits, why, and what the operator does about it, through the API of the
//! gatepost that runs. What must not live here: what may be done to a mail; the server knows.

mod act;
pub mod args;
mod list;
mod routes;
mod short;
mod show;

use crate::client::Mail;
use crate::client::MailAction;
use crate::client::RouteAction;
use crate::mail::outbox::State;

use super::Exit;

use args::Command;

/// Whether it waits to be tried, known when or not.
fn waits(mail: &Mail) -> bool {
    mail.finished_at.is_none() && mail.state != State::Sending.word()
}

/// Does it.
pub fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List {
            state,
            kind,
            to,
            search,
            sort,
            limit,
            cursor,
            all,
            common,
        } => list::list(
            list::Wanted {
                state,
                kind,
                to,
                search,
                sort,
                cursor,
                most: (!all).then_some(limit),
            },
            &common,
        ),
        Command::Show { id, common } => show::show(&id.to_string(), &common),
        Command::Retry(mails) => act::act(MailAction::Retry, &mails),
        Command::Requeue(mails) => act::act(MailAction::Requeue, &mails),
        Command::Discard(mails) => act::act(MailAction::Discard, &mails),
        Command::Undo(mails) => act::act(MailAction::Undo, &mails),
        Command::Pause(route) => routes::switch(RouteAction::Pause, &route),
        Command::Resume(route) => routes::switch(RouteAction::Resume, &route),
        Command::Routes { common } => routes::list(&common),
    }
}
