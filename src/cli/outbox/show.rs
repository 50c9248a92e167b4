//! `gatepost outbox show`: all that is known of one mail. What the relay said is hostile: every
//! line of it is made visible.

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words;
use crate::client::Attempt;
use crate::client::Mail;
use crate::client::MailDetail;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::waits;

/// Prints it.
pub fn show(id: &str, common: &Common) -> Result<(), Exit> {
    let client = common.server.client()?;
    let answer = client.mail(id).map_err(|error| match error.code() {
        Some("not_found") => failed(&format_args!(
            "{id}: there is no such mail in the outbox (mails that are done with are forgotten after outbox.retention)"
        )),
        _ => failed(&format_args!("{id}: {error}")),
    })?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let lines = lines(&answer.value, width, World::system().now());
            output::print(&lines.join("\n"))
        }
    }
}

fn lines(detail: &MailDetail, width: u16, now: Timestamp) -> Vec<String> {
    let mut lines = about(&detail.mail, now).lines(0, width);
    if detail.attempts.is_empty() {
        lines.push(String::new());
        lines.push("It was not tried yet.".to_owned());
    }
    if detail.attempts_left_out > 0 {
        lines.push(String::new());
        lines.push(format!(
            "Of its attempts the first and the last are kept; {} between them are not.",
            detail.attempts_left_out
        ));
    }
    for attempt in &detail.attempts {
        lines.push(String::new());
        lines.extend(tried(attempt, width));
    }
    lines
}

fn about(mail: &Mail, now: Timestamp) -> Facts {
    let moment = |at: &Option<String>| at.as_ref().map(|at| screen::moment(at, now));
    let mut facts = Facts::default();
    facts.add("Mail", &mail.id);
    facts.add("To", &mail.to);
    facts.add(
        "Kind",
        match &mail.template {
            Some(template) => format!("{}, template {template}", mail.kind),
            None => mail.kind.clone(),
        },
    );
    facts.add(
        "State",
        match mail.doubtful && mail.state != "sent" {
            true => format!("{}; one attempt may have reached the recipient", mail.state),
            false => mail.state.clone(),
        },
    );
    if let Some(why) = &mail.why {
        facts.add("Why", &why.text);
        facts.add_some("What to do", why.advice.as_deref());
        facts.add_some("Page", why.page.as_deref());
    }
    match &mail.next_at {
        Some(at) => facts.add("Next try", screen::coming_moment(at, now)),
        None if waits(mail) => facts.add("Next try", "nobody knows yet"),
        None => {}
    }
    facts.add("Composed", screen::moment(&mail.created_at, now));
    facts.add_some("Done", moment(&mail.finished_at));
    if mail.finished_at.is_none() {
        facts.add_some("Expires", moment(&mail.expires_at));
    }
    facts.add("Tries", mail.tries.to_string());
    facts.add("Lane", &mail.lane);
    facts.add_some("Route", mail.route.as_deref());
    facts.add_some("Ordered by", mail.ordered_by.as_deref());
    facts.add("Language", &mail.language);
    facts.add("Size", format!("{} bytes", mail.size));
    facts.add("Message-ID", &mail.message_id);
    facts
}

fn tried(attempt: &Attempt, width: u16) -> Vec<String> {
    let over = attempt.route.as_deref();
    let over = over.map_or_else(String::new, |route| format!(" over {route}"));
    let head = format!(
        "Attempt {}{over}: {}",
        attempt.number,
        words::outcome(&attempt.outcome)
    );
    let mut lines = vec![output::visible(&head)];
    let mut facts = Facts::default();
    facts.add(
        "When",
        format!("{} to {}", attempt.started_at, attempt.ended_at),
    );
    facts.add("Came to", words::stage(&attempt.stage));
    facts.add("Reply", &attempt.reply);
    facts.add_some("Meaning", attempt.meaning.as_deref());
    facts.add_some("What to do", attempt.advice.as_deref());
    facts.add_some("Page", attempt.page.as_deref());
    lines.extend(facts.lines(2, width));
    if !attempt.transcript.is_empty() {
        lines.push("  Transcript (> is gatepost)".to_owned());
        // Not wrapped: it is a record.
        let record = attempt.transcript.lines();
        lines.extend(record.map(|line| format!("    {}", output::visible(line))));
    }
    lines
}
