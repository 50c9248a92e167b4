//! The pane below the table, and what takes the whole height when it is looked at alone.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::model::Model;
use crate::tui::model::Row;
use crate::tui::theme::Role;
use crate::tui::twin;

use super::facts;
use super::paint;

const MARGIN: u16 = 2;

/// The selected row, or the mail that it is.
pub fn draw(model: &Model, rule: Rect, area: Rect, buffer: &mut Buffer) {
    if rule.is_empty() {
        return;
    }
    let words = model.settings.words;
    let place = model.place();
    let Some(row) = place.list.row() else {
        return paint::rule(model, rule, buffer);
    };
    if matches!(row, Row::Message(_)) {
        paint::titled(model, rule, words.say("pane_mail"), &row.id(), buffer);
        return reader(model, area, buffer);
    }
    let id = match row {
        Row::Moment(moment) => moment.id.clone(),
        row => row.id(),
    };
    paint::titled(model, rule, &row.name(), &id, buffer);
    let inner = paint::inset(area, MARGIN);
    let mut known = facts::of_row(model, row);
    known.push(("fact_command", twin::of_place(model), Role::Dim));
    let mut lines = facts::laid(model, &known, inner.width);
    // The last line is the twin's, whatever else there is no room for.
    let room = usize::from(inner.height);
    if lines.len() > room {
        lines.drain(room.saturating_sub(1)..lines.len() - 1);
    }
    facts::draw(model, &lines, 0, inner, buffer);
}

/// The mail that is read.
pub fn reader(model: &Model, area: Rect, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let words = model.settings.words;
    let Some(reading) = &model.place().reading else {
        return;
    };
    match &reading.reader {
        Some(reader) => reader.draw(area, buffer, theme, &words),
        None => {
            let at = paint::inset(area, MARGIN);
            let (text, role) = match &reading.problem {
                Some(problem) => (problem.as_str(), Role::Bad),
                None => (words.say("loading"), Role::Dim),
            };
            paint::left(buffer, at, text, theme.style(role), theme);
        }
    }
}

fn lines(model: &Model, area: Rect) -> Vec<facts::Line> {
    let words = model.settings.words;
    let looking = model.place().looking.as_ref();
    let detail = looking.and_then(|looking| looking.mail.as_ref());
    let width = paint::inset(area, MARGIN).width;
    let Some(detail) = detail else {
        return vec![(String::new(), words.say("loading").to_owned(), Role::Dim)];
    };
    let mut lines = facts::of_detail(model, detail, width);
    lines.push((String::new(), String::new(), Role::Text));
    let label = format!("{}  ", words.say("fact_command"));
    lines.push((label, twin::of_place(model), Role::Dim));
    lines
}

/// How far it can be scrolled.
pub fn most_scroll(model: &Model, area: Rect) -> u16 {
    let lines = u16::try_from(lines(model, area).len()).unwrap_or(u16::MAX);
    lines.saturating_sub(area.height.max(1))
}

/// A mail of the outbox, alone.
pub fn alone(model: &Model, area: Rect, buffer: &mut Buffer) {
    let lines = lines(model, area);
    let scroll = model
        .place()
        .looking
        .as_ref()
        .map_or(0, |looking| looking.scroll);
    let scroll = scroll.min(most_scroll(model, area));
    facts::draw(model, &lines, scroll, paint::inset(area, MARGIN), buffer);
}
