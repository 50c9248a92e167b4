//! The command line that shows the same as what is on the screen.

use crate::text;

use super::model::Model;
use super::model::Row;
use super::model::View;
use super::safe;

/// For what is looked at now.
pub fn of_place(model: &Model) -> String {
    let place = model.place();
    let looking = place.looking.as_ref().filter(|_| place.alone);
    let reading = place.reading.as_ref().filter(|_| place.alone);
    let command = match (looking, reading, place.list.row()) {
        (Some(looking), _, _) => format!("gatepost outbox show {}", word(&looking.id)),
        (_, Some(reading), _) => format!("gatepost inbox show {}", word(&reading.id)),
        (_, _, Some(Row::Moment(_))) => {
            format!(
                "gatepost timeline {}",
                word(place.subject.as_deref().unwrap_or_default())
            )
        }
        (_, _, Some(row)) => of_row(row),
        (_, _, None) => of_view(place.view).to_owned(),
    };
    let mut command = safe::line(&command);
    if !model.settings.twin.is_empty() {
        command.push(' ');
        command.push_str(&model.settings.twin);
    }
    command
}

/// A word of a command line. It may be a stranger's: an address can hold what a shell would run.
fn word(word: &str) -> String {
    text::quoted(&safe::line(word))
}

/// For one row.
pub fn of_row(row: &Row) -> String {
    let command = match row {
        Row::Message(row) => format!("gatepost inbox show {}", word(&row.id)),
        Row::Mail(row) => format!("gatepost outbox show {}", word(&row.id)),
        Row::Token(_) => "gatepost token list".to_owned(),
        Row::User(row) => format!("gatepost user show {}", word(&row.id)),
        Row::Session(_) => "gatepost session list".to_owned(),
        Row::Entry(_) => "gatepost audit list".to_owned(),
        Row::Route(_) => "gatepost outbox routes".to_owned(),
        Row::Line(_) => "gatepost log".to_owned(),
        Row::Moment(_) => "gatepost timeline".to_owned(),
    };
    safe::line(&command)
}

/// For a whole view.
const fn of_view(view: View) -> &'static str {
    match view {
        View::Overview => "gatepost stats",
        View::Mail => "gatepost inbox list",
        View::Outbox => "gatepost outbox list",
        View::Tokens => "gatepost token list",
        View::Users => "gatepost user list",
        View::Sessions => "gatepost session list",
        View::Audit => "gatepost audit list",
        View::Routes => "gatepost outbox routes",
        View::Log => "gatepost log",
        View::Timeline => "gatepost timeline",
    }
}
