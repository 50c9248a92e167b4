//! What is known of one row, as names and values below one another.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::client::Failure;
use crate::client::Mail;
use crate::client::MailDetail;
use crate::tui::ages;
use crate::tui::model::Model;
use crate::tui::model::Row;
use crate::tui::theme::Role;

use super::cells;
use super::paint;

/// A name among the texts, and a value.
type Fact = (&'static str, String, Role);

/// A line that is drawn: a name before it or none, and what it says.
pub type Line = (String, String, Role);

/// What is known of `row`, the weightiest first.
pub fn of_row(model: &Model, row: &Row) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut add = |name: &'static str, value: &str, role: Role| {
        if !value.is_empty() {
            facts.push((name, value.to_owned(), role));
        }
    };
    match row {
        Row::Mail(row) => return of_mail(model, row),
        Row::Message(row) => {
            add(
                "fact_subject",
                row.subject.as_deref().unwrap_or_default(),
                Role::Text,
            );
            add(
                "fact_from",
                row.from.as_deref().unwrap_or_default(),
                Role::Text,
            );
            add("fact_to", &row.envelope.to.join(", "), Role::Text);
            add("fact_warnings", &row.warnings.join("; "), Role::Warn);
        }
        Row::Token(row) => {
            let secret = model.revealed.as_ref().filter(|(id, _)| *id == row.id);
            match secret {
                Some((_, secret)) => add("fact_secret", secret, Role::Found),
                None => {
                    let mask = model.settings.theme.glyph("••••••", "******");
                    add("fact_secret", mask, Role::Dim);
                }
            }
            let what = cells::known(model, "kind", &row.kind);
            add("fact_what", &what, Role::Text);
            let (state, role) = cells::state(model, &row.state);
            add("fact_state", &state, role);
            add("fact_person", &row.email, Role::Text);
            add(
                "fact_mail",
                row.outbox_id.as_deref().unwrap_or_default(),
                Role::Link,
            );
            add("fact_expires", &moment(model, &row.expires_at), Role::Dim);
        }
        Row::User(row) => {
            let (state, role) = cells::state(model, &row.state);
            add("fact_state", &state, role);
            add(
                "fact_name",
                row.display_name.as_deref().unwrap_or_default(),
                Role::Text,
            );
            add("fact_id", &row.id, Role::Dim);
            add(
                "fact_locked",
                &some(model, row.locked_at.as_deref()),
                Role::Bad,
            );
            add(
                "fact_waits",
                &some(model, row.waits_until.as_deref()),
                Role::Warn,
            );
            add(
                "fact_login",
                &some(model, row.last_login_at.as_deref()),
                Role::Text,
            );
            add("fact_made", &moment(model, &row.created_at), Role::Dim);
        }
        Row::Session(row) => {
            let (state, role) = cells::state(model, &row.state);
            add("fact_state", &state, role);
            add(
                "fact_agent",
                row.user_agent.as_deref().unwrap_or_default(),
                Role::Text,
            );
            add("fact_ip", &row.ip, Role::Text);
            if row.last_ip != row.ip {
                add("fact_last_ip", &row.last_ip, Role::Text);
            }
            add("fact_used", &moment(model, &row.last_used_at), Role::Text);
            add("fact_expires", &moment(model, &row.expires_at), Role::Dim);
            add("fact_made", &moment(model, &row.created_at), Role::Dim);
        }
        Row::Entry(row) => {
            let what = cells::known(model, "action", &row.action);
            add("fact_what", &what, Role::Text);
            let (state, role) = cells::state(model, &row.outcome);
            add("fact_state", &state, role);
            add("fact_actor", &row.actor, Role::Text);
            add("fact_about", &row.subject, Role::Text);
            add("fact_detail", &row.detail, Role::Text);
            add("fact_ip", row.ip.as_deref().unwrap_or_default(), Role::Dim);
            add("fact_when", &moment(model, &row.at), Role::Dim);
        }
        Row::Route(row) => {
            let state = cells::known(model, "breaker", &row.state);
            add("fact_state", &state, cells::state(model, &row.state).1);
            add("fact_since", &some(model, row.since.as_deref()), Role::Warn);
            add(
                "fact_paused",
                &some(model, row.paused_at.as_deref()),
                Role::Warn,
            );
            add(
                "fact_next",
                &some(model, row.next_probe_at.as_deref()),
                Role::Text,
            );
            let words = model.settings.words;
            let budget = &row.budget;
            let spent = budget.spent.to_string();
            let budget = match budget.per_day {
                None => words.fill("budget_free", &[("spent", &spent)]),
                Some(most) => {
                    let (most, kept) = (most.to_string(), budget.kept_for_codes.to_string());
                    let values = [("spent", &*spent), ("most", &*most), ("kept", &*kept)];
                    words.fill("budget_of", &values)
                }
            };
            add("fact_budget", &budget, Role::Text);
            add(
                "fact_sent",
                &some(model, row.last_success_at.as_deref()),
                Role::Good,
            );
            if let Some(error) = &row.last_error {
                add("fact_error", &failure(model, error), Role::Bad);
                add(
                    "fact_meaning",
                    error.meaning.as_deref().unwrap_or_default(),
                    Role::Text,
                );
                add(
                    "fact_advice",
                    error.advice.as_deref().unwrap_or_default(),
                    Role::Text,
                );
                add(
                    "fact_page",
                    error.page.as_deref().unwrap_or_default(),
                    Role::Link,
                );
            }
        }
        Row::Line(row) => add("fact_text", &row.text, Role::Text),
        Row::Moment(row) => {
            add("fact_what", &row.title, Role::Text);
            let (state, role) = cells::state(model, &row.state);
            add("fact_state", &state, role);
            add("fact_detail", &row.detail, Role::Text);
            add("fact_when", &moment(model, &row.at), Role::Dim);
            add("fact_id", &row.id, Role::Dim);
        }
    }
    facts
}

fn of_mail(model: &Model, row: &Mail) -> Vec<Fact> {
    let mut facts: Vec<Fact> = Vec::new();
    let mut add = |name: &'static str, value: &str, role: Role| {
        if !value.is_empty() {
            facts.push((name, value.to_owned(), role));
        }
    };
    let why = row.why.clone().unwrap_or_default();
    let bad = cells::mail_state(model, row).1;
    add("fact_why", &why.text, bad);
    add(
        "fact_advice",
        why.advice.as_deref().unwrap_or_default(),
        Role::Text,
    );
    add(
        "fact_page",
        why.page.as_deref().unwrap_or_default(),
        Role::Link,
    );
    if let Some(error) = &row.last_error {
        add("fact_error", &failure(model, error), Role::Text);
    }
    let next = row.next_at.as_deref().filter(|_| row.state == "queued");
    add("fact_next", &some(model, next), Role::Text);
    facts
}

fn failure(model: &Model, error: &Failure) -> String {
    let code = error.code.map(|code| code.to_string());
    // The relay's own words mostly begin with the code.
    let code = code.filter(|code| !error.text.starts_with(code.as_str()));
    let age = ages::age(&error.at, model.now, model.settings.words);
    let age = model.settings.words.fill("ago", &[("time", &age)]);
    let parts = [code.as_deref(), Some(&error.text), Some(&age)];
    let parts: Vec<&str> = parts
        .into_iter()
        .flatten()
        .filter(|p| !p.is_empty())
        .collect();
    parts.join("  ")
}

fn some(model: &Model, at: Option<&str>) -> String {
    at.map_or_else(String::new, |at| moment(model, at))
}

/// A time, with how far away it is.
fn moment(model: &Model, text: &str) -> String {
    let words = model.settings.words;
    let Some(at) = ages::moment(text) else {
        return text.to_owned();
    };
    let away = match at > model.now {
        true => ages::ahead(text, model.now, words),
        false => words.fill("ago", &[("time", &ages::age(text, model.now, words))]),
    };
    let clock = ages::clock(at, model.settings.utc_offset, true);
    // Within a day the time of day says enough.
    let far = at.as_millis().abs_diff(model.now.as_millis()) > 86_400_000;
    match far {
        true => format!("{} {clock} ({away})", text.get(..10).unwrap_or_default()),
        false => format!("{clock} ({away})"),
    }
}

/// A mail of the outbox with its attempts, the newest first.
pub fn of_detail(model: &Model, detail: &MailDetail, width: u16) -> Vec<Line> {
    let words = model.settings.words;
    let mail = &detail.mail;
    let (state, role) = cells::mail_state(model, mail);
    let kind = cells::known(model, "kind", &mail.kind);
    let mut facts: Vec<Fact> = vec![
        ("fact_to", mail.to.clone(), Role::Text),
        ("fact_state", state, role),
        ("fact_what", kind, Role::Text),
    ];
    facts.extend(of_mail(model, mail));
    facts.push(("fact_made", moment(model, &mail.created_at), Role::Dim));
    let expires = some(model, mail.expires_at.as_deref());
    facts.push(("fact_expires", expires, Role::Dim));
    facts.push(("fact_message_id", mail.message_id.clone(), Role::Dim));
    facts.retain(|(_, value, _)| !value.is_empty());
    let mut lines = laid(model, &facts, width);
    lines.push((String::new(), String::new(), Role::Text));
    let heading = words.say("attempts").to_owned();
    lines.push((String::new(), heading, Role::Title));
    if detail.attempts.is_empty() {
        lines.push((
            String::new(),
            words.say("no_attempts").to_owned(),
            Role::Dim,
        ));
    }
    for attempt in detail.attempts.iter().rev() {
        let at = ages::moment(&attempt.started_at);
        let clock = at.map(|at| ages::clock(at, model.settings.utc_offset, true));
        let route = attempt.route.as_deref().unwrap_or_default();
        let outcome = cells::known(model, "attempt", &attempt.outcome);
        let role = match attempt.outcome.as_str() {
            "accepted" => Role::Good,
            "temporary" | "limited" | "connection" => Role::Warn,
            _ => Role::Bad,
        };
        let head = format!(
            "#{}  {}  {route}  {outcome}",
            attempt.number,
            clock.unwrap_or_default()
        );
        lines.push((String::new(), head, role));
        let said = [
            Some(&attempt.reply),
            attempt.meaning.as_ref(),
            attempt.advice.as_ref(),
        ];
        for text in said.into_iter().flatten().filter(|text| !text.is_empty()) {
            for line in paint::wrap(text, width.saturating_sub(4)) {
                lines.push((String::new(), format!("    {line}"), Role::Text));
            }
        }
    }
    lines
}

/// The facts on lines of so many cells.
pub fn laid(model: &Model, facts: &[Fact], width: u16) -> Vec<Line> {
    let words = model.settings.words;
    let names = facts
        .iter()
        .map(|(name, _, _)| paint::width(words.say(name)));
    let margin = names.max().unwrap_or(0) + 2;
    let narrow = margin.saturating_mul(2) > width;
    let room = match narrow {
        true => width,
        false => width - margin,
    };
    let mut lines = Vec::new();
    for (name, value, role) in facts {
        let name = words.say(name);
        if narrow {
            let text = format!("{name}: {value}");
            for line in paint::wrap(&text, room) {
                lines.push((String::new(), line, *role));
            }
            continue;
        }
        let blank = " ".repeat(usize::from(margin - paint::width(name)));
        let mut label = format!("{name}{blank}");
        for line in paint::wrap(value, room) {
            lines.push((
                std::mem::replace(&mut label, " ".repeat(margin.into())),
                line,
                *role,
            ));
        }
    }
    lines
}

/// Draws lines from the one that is `scroll` below the first.
pub fn draw(model: &Model, lines: &[Line], scroll: u16, area: Rect, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let seen = lines.iter().skip(scroll.into());
    for (y, (label, text, role)) in (area.y..area.bottom()).zip(seen) {
        let at = Rect {
            y,
            height: 1,
            ..area
        };
        let used = paint::left(buffer, at, label, theme.style(Role::Dim), theme);
        let rest = Rect {
            x: at.x + used,
            width: at.width.saturating_sub(used),
            ..at
        };
        paint::left(buffer, rest, text, theme.style(*role), theme);
    }
}
