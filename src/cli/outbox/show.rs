//! `gatepost outbox show`: all that is known of one mail. What the relay said is hostile: every
//! line of it is made visible.

use std::fmt::Display;

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Attempt;
use crate::client::Mail;
use crate::client::MailDetail;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::waits;

/// Prints it.
pub fn show(id: &str, common: &Common) -> Result<(), Exit> {
    let (client, voice) = common.server.open()?;
    let answer = client.mail(id).map_err(|error| match error.code() {
        Some("not_found") => failed(&format_args!(
            "{id}: there is no such mail in the outbox (mails that are done with are forgotten after outbox.retention)"
        )),
        _ => failed(&format_args!("{id}: {error}")),
    })?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let lines = lines(voice, &answer.value, width, World::system().now());
            output::print(&lines.join("\n"))
        }
    }
}

fn lines(voice: Voice, detail: &MailDetail, width: u16, now: Timestamp) -> Vec<String> {
    let mut lines = about(voice, &detail.mail, now).lines(0, width);
    if detail.attempts.is_empty() {
        lines.push(String::new());
        lines.push(voice.say("untried", &[]));
    }
    if detail.attempts_left_out > 0 {
        lines.push(String::new());
        lines.push(voice.say("attempts_left_out", &[("n", &detail.attempts_left_out)]));
    }
    for attempt in &detail.attempts {
        lines.push(String::new());
        lines.extend(tried(voice, attempt, width));
    }
    lines
}

fn about(voice: Voice, mail: &Mail, now: Timestamp) -> Facts {
    let moment = |at: &Option<String>| at.as_ref().map(|at| screen::moment(voice, at, now));
    let label = |key: &str| voice.label(key);
    let mut facts = Facts::default();
    facts.add(label("mail"), &mail.id);
    facts.add(label("to"), &mail.to);
    facts.add(
        label("kind"),
        match &mail.template {
            Some(template) => {
                let values: [(&str, &dyn Display); 2] =
                    [("kind", &mail.kind), ("template", template)];
                voice.say("kind_of_template", &values)
            }
            None => mail.kind.clone(),
        },
    );
    let state = voice.mail_state(&mail.state);
    facts.add(
        label("state"),
        match mail.doubtful && mail.state != "sent" {
            true => voice.say("state_doubtful", &[("state", &state)]),
            false => state,
        },
    );
    if let Some(why) = &mail.why {
        facts.add(label("why"), &why.text);
        facts.add_some(label("advice"), why.advice.as_deref());
        facts.add_some(label("page"), why.page.as_deref());
    }
    match &mail.next_at {
        Some(at) => facts.add(label("next_try"), screen::coming_moment(voice, at, now)),
        None if waits(mail) => facts.add(label("next_try"), voice.say("next_try_unknown", &[])),
        None => {}
    }
    facts.add(
        label("composed"),
        screen::moment(voice, &mail.created_at, now),
    );
    facts.add_some(label("done"), moment(&mail.finished_at));
    if mail.finished_at.is_none() {
        facts.add_some(label("expires"), moment(&mail.expires_at));
    }
    facts.add(label("tries"), mail.tries.to_string());
    facts.add(label("lane"), &mail.lane);
    facts.add_some(label("route"), mail.route.as_deref());
    facts.add_some(label("ordered_by"), mail.ordered_by.as_deref());
    facts.add(label("language"), &mail.language);
    facts.add(label("size"), voice.say("bytes", &[("n", &mail.size)]));
    facts.add("Message-ID", &mail.message_id);
    facts
}

fn tried(voice: Voice, attempt: &Attempt, width: u16) -> Vec<String> {
    let outcome = voice.outcome(&attempt.outcome);
    let head = match &attempt.route {
        Some(route) => {
            let values: [(&str, &dyn Display); 3] = [
                ("number", &attempt.number),
                ("route", route),
                ("outcome", &outcome),
            ];
            voice.say("attempt_over", &values)
        }
        None => voice.say(
            "attempt",
            &[("number", &attempt.number), ("outcome", &outcome)],
        ),
    };
    let mut lines = vec![output::visible(&head)];
    let label = |key: &str| voice.label(key);
    let mut facts = Facts::default();
    let values: [(&str, &dyn Display); 2] =
        [("from", &attempt.started_at), ("to", &attempt.ended_at)];
    facts.add(label("when"), voice.say("from_to", &values));
    facts.add(label("came_to"), voice.stage(&attempt.stage));
    facts.add(label("reply"), &attempt.reply);
    facts.add_some(label("meaning"), attempt.meaning.as_deref());
    facts.add_some(label("advice"), attempt.advice.as_deref());
    facts.add_some(label("page"), attempt.page.as_deref());
    lines.extend(facts.lines(2, width));
    if !attempt.transcript.is_empty() {
        lines.push(format!("  {}", voice.say("transcript", &[])));
        // Not wrapped: it is a record.
        let record = attempt.transcript.lines();
        lines.extend(record.map(|line| format!("    {}", output::visible(line))));
    }
    lines
}
