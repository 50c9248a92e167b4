//! Which page stands on which tab.

use ratatui::style::Modifier;

use crate::client::MailDetail;
use crate::client::Message;

use super::super::safe;
use super::super::theme::Role;
use super::super::words::Words;
use super::links;
use super::links::Link;
use super::page::CAP;
use super::page::Page;

/// More than this of anything a mail has many of is not shown.
const MANY: usize = 2_000;

/// The message with every text of it clean, and its HTML apart, as it was sent.
pub fn cleaned(mut message: Message) -> (Message, Option<String>) {
    let one = |text: &mut String| *text = safe::line(text);
    let maybe = |text: &mut Option<String>| {
        if let Some(text) = text {
            *text = safe::line(text);
        }
    };
    let html = message.html.take();
    let summary = &mut message.summary;
    one(&mut summary.id);
    one(&mut summary.received_at);
    one(&mut summary.envelope.from);
    summary.envelope.to.iter_mut().for_each(one);
    summary.warnings.iter_mut().for_each(one);
    for text in [
        &mut summary.from,
        &mut summary.subject,
        &mut summary.message_id,
        &mut summary.outbox_id,
        &mut summary.authenticated,
        &mut message.peer,
        &mut message.hello,
    ] {
        maybe(text);
    }
    for part in &mut message.attachments {
        one(&mut part.content_type);
        maybe(&mut part.filename);
        maybe(&mut part.content_id);
    }
    message.codes.iter_mut().for_each(one);
    message.codes.retain(|code| !code.trim().is_empty());
    message.links.iter_mut().for_each(one);
    (message, html)
}

/// A page that says one thing.
pub fn note(text: &str) -> Page {
    let mut page = Page::default();
    page.push(text, Role::Dim);
    page
}

/// A page that says what went wrong.
pub fn failed(why: &str) -> Page {
    let mut page = Page::default();
    page.push(why, Role::Bad);
    page
}

/// The plain text with its links and codes marked. The links that stand in it come first, so that
/// a link's number on the page is its place in the list.
pub fn text(message: &Message, has_html: bool, words: Words) -> (Page, Vec<Link>) {
    let mut page = Page::default();
    let mut found: Vec<Link> = Vec::new();
    match message
        .text
        .as_deref()
        .filter(|text| !text.trim().is_empty())
    {
        Some(text) => {
            let kept = text.floor_char_boundary(CAP);
            // Cleaned before it is searched: a link may be hidden by what is not seen.
            let clean = safe::text(&text[..kept]);
            marked(&mut page, &clean, message, &mut found);
            if kept < text.len() {
                page.cut();
            }
        }
        None if has_html => page.push(words.say("reader_no_text"), Role::Dim),
        None => page.push(words.say("reader_empty"), Role::Dim),
    }
    for url in message.links.iter().take(MANY) {
        let link = Link::new(url);
        if !found.contains(&link) {
            found.push(link);
        }
    }
    (page, found)
}

/// Puts `text` on the page, its links and codes told apart.
fn marked(page: &mut Page, text: &str, message: &Message, found: &mut Vec<Link>) {
    let mut from = 0;
    for at in links::within(text).into_iter().take(MANY) {
        coded(page, &text[from..at.start], message);
        let link = Link::new(&text[at.clone()]);
        let number = found.iter().position(|known| *known == link);
        let number = number.unwrap_or_else(|| {
            found.push(link);
            found.len() - 1
        });
        page.push_with(
            &text[at.clone()],
            Role::Link,
            Modifier::empty(),
            Some(number),
        );
        from = at.end;
    }
    coded(page, &text[from..], message);
}

/// The same for codes, which stand alone in the text.
fn coded(page: &mut Page, text: &str, message: &Message) {
    let mut at: Vec<(usize, usize)> = Vec::new();
    for code in message.codes.iter().take(5) {
        let places = text.match_indices(code.as_str()).take(100);
        at.extend(places.map(|(start, code)| (start, start + code.len())));
    }
    at.sort_unstable();
    let mut from = 0;
    let part = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    for (start, end) in at {
        let lone = !part(text[..start].chars().next_back()) && !part(text[end..].chars().next());
        if start >= from && lone {
            page.push(&text[from..start], Role::Text);
            page.push(&text[start..end], Role::Found);
            from = end;
        }
    }
    page.push(&text[from..], Role::Text);
}

/// A name and its value on a line.
fn field(page: &mut Page, name: &str, value: &str) {
    page.push(&safe::line(name), Role::Key);
    page.push(": ", Role::Dim);
    page.push(&safe::line(value), Role::Text);
    page.end_line(4);
}

/// The header fields, then what was known of the one who brought it, then the conversation.
pub fn headers(message: &Message, words: Words) -> Page {
    let mut page = Page::default();
    for header in message.headers.iter().take(MANY) {
        field(&mut page, &header.name, &header.value);
    }
    if message.headers.len() > MANY {
        page.cut();
    }
    page.end_line(0);
    page.push(words.say("reader_envelope"), Role::Title);
    page.end_line(0);
    let summary = &message.summary;
    field(
        &mut page,
        "MAIL FROM",
        &format!("<{}>", summary.envelope.from),
    );
    for to in summary.envelope.to.iter().take(MANY) {
        field(&mut page, "RCPT TO", &format!("<{to}>"));
    }
    let tls = if summary.tls {
        "reader_yes"
    } else {
        "reader_no"
    };
    for (name, value) in [
        ("reader_peer", message.peer.as_deref()),
        ("reader_hello", message.hello.as_deref()),
        ("reader_authenticated", summary.authenticated.as_deref()),
        ("reader_tls", Some(words.say(tls))),
    ] {
        if let Some(value) = value {
            field(&mut page, words.say(name), value);
        }
    }
    if !message.transcript.trim().is_empty() {
        page.end_line(0);
        page.push(words.say("reader_conversation"), Role::Title);
        page.end_line(0);
        let kept = message.transcript.floor_char_boundary(CAP);
        page.push(&safe::visible(&message.transcript[..kept]), Role::Text);
    }
    page
}

/// The source, with what would do something to a terminal made visible.
pub fn raw(raw: &[u8]) -> Page {
    let mut page = Page::default();
    let text = String::from_utf8_lossy(&raw[..raw.len().min(CAP)]);
    page.push(&safe::visible(&text), Role::Text);
    if raw.len() > CAP {
        page.cut();
    }
    page
}

/// The attachments, each of which can be chosen.
pub fn parts(message: &Message, words: Words) -> Page {
    let mut page = Page::default();
    if message.attachments.is_empty() {
        return note(words.say("reader_no_parts"));
    }
    for (at, part) in message.attachments.iter().enumerate().take(MANY) {
        let name = part
            .filename
            .as_deref()
            .filter(|name| !name.trim().is_empty());
        let name = name.unwrap_or(words.say("reader_unnamed"));
        let number = format!("{:>3}  ", part.index + 1);
        page.push(&number, Role::Dim);
        page.push_with(name, Role::Link, Modifier::empty(), Some(at));
        page.push(&format!("  {}  ", part.content_type), Role::Text);
        page.push(&size(part.size), Role::Dim);
        if part.inline {
            page.push(&format!("  {}", words.say("reader_inline")), Role::Dim);
        }
        page.end_line(5);
    }
    if message.attachments.len() > MANY {
        page.cut();
    }
    page
}

/// What was tried, the last one first, and under each what it means and what to do.
pub fn attempts(detail: &MailDetail, words: Words) -> Page {
    let mut page = Page::default();
    let mail = &detail.mail;
    let role = match mail.state.as_str() {
        "sent" => Role::Good,
        "dead" | "uncertain" | "expired" => Role::Bad,
        _ => Role::Warn,
    };
    page.push(&format!("{}  ", words.say("reader_state")), Role::Dim);
    page.push(&word(words, "reader_state", &mail.state), role);
    page.end_line(0);
    let mut said = "";
    if let Some(why) = &mail.why {
        said = &why.text;
        advise(
            &mut page,
            words,
            Some(&why.text),
            why.advice.as_deref(),
            why.page.as_deref(),
        );
    }
    page.end_line(0);
    if detail.attempts.is_empty() {
        page.push(words.say("reader_no_attempts"), Role::Dim);
        page.end_line(0);
    }
    for attempt in detail.attempts.iter().rev().take(MANY) {
        let role = match attempt.outcome.as_str() {
            "accepted" => Role::Good,
            "temporary" | "limited" => Role::Warn,
            _ => Role::Bad,
        };
        page.push(&format!("{:>3}  ", attempt.number), Role::Dim);
        page.push(&format!("{}  ", moment(&attempt.started_at)), Role::Text);
        if let Some(route) = &attempt.route {
            page.push(&format!("{}  ", safe::line(route)), Role::Key);
        }
        page.push(&word(words, "reader_outcome", &attempt.outcome), role);
        if !attempt.stage.is_empty() {
            let stage = word(words, "reader_stage", &attempt.stage);
            page.push(&format!(" ({stage})"), Role::Dim);
        }
        page.end_line(5);
        let reply = safe::line(&attempt.reply);
        if !reply.trim().is_empty() {
            page.push("     ", Role::Text);
            // The reply mostly begins with its code.
            if let Some(code) = attempt.code.map(|code| code.to_string())
                && !reply.starts_with(&code)
            {
                page.push(&format!("{code} "), Role::Text);
            }
            page.push(&reply, Role::Text);
            page.end_line(5);
        }
        let meaning = attempt.meaning.as_deref().unwrap_or_default();
        if meaning != said {
            said = meaning;
            advise(
                &mut page,
                words,
                attempt.meaning.as_deref(),
                attempt.advice.as_deref(),
                attempt.page.as_deref(),
            );
        }
    }
    if detail.attempts_left_out > 0 {
        let count = detail.attempts_left_out.to_string();
        page.push(
            &words.fill("reader_left_out", &[("count", &count)]),
            Role::Dim,
        );
        page.end_line(0);
    }
    page
}

/// A word of the server's in the reader's language; one that is newer than we are as it is.
fn word(words: Words, kind: &str, word: &str) -> String {
    let known = words.find(&format!("{kind}_{word}"));
    known.map_or_else(|| safe::line(word), str::to_owned)
}

/// What it means, what to do, and where.
fn advise(
    page: &mut Page,
    words: Words,
    why: Option<&str>,
    advice: Option<&str>,
    place: Option<&str>,
) {
    for (label, text, role) in [
        ("reader_why", why, Role::Warn),
        ("reader_advice", advice, Role::Text),
        ("reader_page", place, Role::Link),
    ] {
        if let Some(text) = text.filter(|text| !text.trim().is_empty()) {
            page.push("     ", Role::Text);
            page.push(words.say(label), Role::Title);
            page.push("  ", Role::Text);
            page.push(&safe::line(text), role);
            page.end_line(7);
        }
    }
}

/// The addresses of the sender and the recipients, each once.
pub fn addresses(message: &Message) -> Vec<String> {
    let summary = &message.summary;
    let shown = summary.from.as_deref().unwrap_or_default();
    let shown = shown.rsplit_once('<').map_or(shown, |(_, behind)| behind);
    let shown = shown.split('>').next().unwrap_or_default().trim();
    let mut found: Vec<String> = Vec::new();
    let all = [shown, &summary.envelope.from]
        .into_iter()
        .chain(summary.envelope.to.iter().map(String::as_str));
    for address in all.filter(|address| address.contains('@')).take(MANY) {
        if !found.iter().any(|known| known == address) {
            found.push(address.to_owned());
        }
    }
    found
}

/// `2026-11-27T11:40:09.123Z` as people write it.
pub fn moment(time: &str) -> String {
    let time = safe::line(time);
    let Some((day, rest)) = time.split_once('T') else {
        return time;
    };
    match (rest.get(..8), rest.ends_with('Z')) {
        (Some(clock), true) => format!("{day} {clock} UTC"),
        _ => format!("{day} {rest}"),
    }
}

/// So many bytes, as people say it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{}.{} kB", bytes / 1_000, bytes % 1_000 / 100),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}
