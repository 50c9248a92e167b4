//! `gatepost inbox show`: a captured mail with everything in it. Every line of it is made visible.

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::Server;
use crate::cli::words::Voice;
use crate::client::Message;
use crate::world::Timestamp;
use crate::world::World;

use super::inbox::missing;

/// Prints it.
pub fn show(id: &str, server: &Server, json: bool) -> Result<(), Exit> {
    let (client, voice) = server.open()?;
    let answer = client.message(id).map_err(|error| missing(id, &error))?;
    match Screen::new(json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let now = World::system().now();
            output::print(&lines(voice, &answer.value, width, now).join("\n"))
        }
    }
}

fn lines(voice: Voice, message: &Message, width: u16, now: Timestamp) -> Vec<String> {
    let mail = &message.summary;
    let mut facts = Facts::default();
    facts.add(voice.label("mail"), &mail.id);
    let received = screen::moment(voice, &mail.received_at, now);
    facts.add(voice.label("received"), received);
    facts.add_some(voice.label("from"), mail.from.as_deref());
    facts.add(voice.label("sent_by"), &mail.envelope.from);
    facts.add(voice.label("to"), mail.envelope.to.join(", "));
    facts.add_some(voice.label("mail_subject"), mail.subject.as_deref());
    facts.add(
        voice.label("size"),
        voice.say("bytes", &[("n", &mail.size)]),
    );
    facts.add_some("Message-ID", mail.message_id.as_deref());
    facts.add_some(voice.label("in_the_outbox"), mail.outbox_id.as_deref());
    let several = [
        ("warnings", &mail.warnings),
        ("codes", &message.codes),
        ("links", &message.links),
    ];
    for (key, values) in several {
        if !values.is_empty() {
            facts.add(voice.label(key), values.join("\n"));
        }
    }
    for part in &message.attachments {
        let name = part.filename.as_deref().unwrap_or("-");
        let size = voice.say("bytes", &[("n", &part.size)]);
        let told = format!("{}: {name}, {}, {size}", part.index, part.content_type);
        facts.add(voice.label("attachment"), screen::one_line(&told));
    }
    let mut lines = facts.lines(0, width);
    lines.push(String::new());
    match &message.text {
        // Not wrapped: its lines are its sender's.
        Some(text) => lines.extend(text.trim_end().lines().map(output::visible)),
        None => lines.push(voice.say("no_text", &[])),
    }
    lines
}
