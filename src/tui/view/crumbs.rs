//! Where the reader is: the way here, the filter, the place in the list; and above it, when the
//! connection is lost, that it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::ages;
use crate::tui::keymap::Do;
use crate::tui::model::Ask;
use crate::tui::model::Dialog;
use crate::tui::model::Link;
use crate::tui::model::Model;
use crate::tui::model::Place;
use crate::tui::model::Purpose;
use crate::tui::theme::Role;

use super::header;
use super::paint;

/// That the connection is lost, and when it is tried again.
pub fn banner(model: &Model, area: Rect, buffer: &mut Buffer) {
    let Link::Lost { problem, again, .. } = &model.link else {
        return;
    };
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let key = model.settings.keymap.shown(Do::Reconnect, theme.ascii());
    let when = match again {
        None => words.say("banner_trying").to_owned(),
        Some(again) => {
            let away = again.as_millis().saturating_sub(model.now.as_millis());
            let time = ages::length(away.saturating_add(999), words);
            words.fill("banner_again", &[("time", &time), ("key", &key)])
        }
    };
    let style = theme.style(Role::Production);
    buffer.set_style(area, style);
    let text = format!(" {when} ");
    let used = paint::width(&text).min(area.width);
    paint::right(buffer, area, &text, style, theme);
    let rest = Rect {
        width: area.width - used,
        ..area
    };
    // Whoever sits here knows best what it means that nobody answers; all else is told as it came.
    let why = match problem.unreachable {
        true => words.fill("banner_unreachable", &[("url", &model.settings.url)]),
        false => problem.text.clone(),
    };
    paint::left(buffer, rest, &format!(" {why}"), style, theme);
}

/// The way here.
fn way(model: &Model) -> String {
    let words = model.settings.words;
    let mark = model.settings.theme.glyph(" › ", " > ");
    let name = |place: &Place| {
        let view = words.say(header::name(place.view));
        match place.subject.as_deref() {
            None => view.to_owned(),
            Some("failing") => format!("{view}{mark}{}", words.say("state_failing")),
            Some(subject) => format!("{view}{mark}{subject}"),
        }
    };
    let mut parts: Vec<String> = model.places.iter().map(name).collect();
    let place = model.place();
    if let (true, Some(looking)) = (place.alone, &place.looking) {
        parts.push(looking.id.clone());
    } else if let (true, Some(reading)) = (place.alone, &place.reading) {
        let title = reading
            .reader
            .as_ref()
            .map(|reader| reader.title().to_owned());
        parts.push(title.unwrap_or_else(|| reading.id.clone()));
    }
    parts.join(mark)
}

/// How the list is looked at, and where in it the selection is.
fn state(model: &Model) -> Vec<(String, Role)> {
    let words = model.settings.words;
    let place = model.place();
    let list = &place.list;
    let mut parts = Vec::new();
    if place.alone {
        return parts;
    }
    if list.waiting > 0 {
        let key = model
            .settings
            .keymap
            .shown(Do::Top, model.settings.theme.ascii());
        let count = list.waiting.to_string();
        let text = words.fill("new_rows", &[("n", &count), ("key", &key)]);
        parts.push((text, Role::Good));
    }
    if !list.q.is_empty() {
        parts.push((format!("/{}", list.q), Role::Found));
    }
    if let Some(state) = &list.state {
        let known = format!("state_{state}");
        let state = words.find(&known).unwrap_or(state);
        parts.push((state.to_owned(), Role::Found));
    }
    if !list.marks.is_empty() {
        let count = list.marks.len().to_string();
        parts.push((words.fill("marked", &[("n", &count)]), Role::Marked));
    }
    if list.loading.is_some() && !list.loaded {
        parts.push((words.say("loading").to_owned(), Role::Dim));
    } else if !list.rows.is_empty() {
        let at = list
            .offset
            .map(|offset| (offset + list.selected as u64 + 1).to_string());
        let total = list.total.map(|total| total.to_string());
        let text = match (at, total) {
            (Some(at), Some(total)) => words.fill("at_of", &[("at", &at), ("total", &total)]),
            (Some(at), None) => at,
            (None, Some(total)) => words.fill("of", &[("total", &total)]),
            (None, None) => String::new(),
        };
        parts.push((text, Role::Dim));
    }
    parts
}

/// The line, or the text that is being typed.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    if let Some(Dialog::Ask(ask)) = &model.dialog
        && ask.purpose != Purpose::TestMail
    {
        return typed(model, ask, area, buffer);
    }
    let mut room = paint::inset(area, 1);
    let parts = state(model);
    for (text, role) in parts.iter().rev() {
        let wide = paint::width(text);
        if wide + 2 > room.width || text.is_empty() {
            continue;
        }
        paint::right(buffer, room, text, theme.style(*role), theme);
        room.width -= wide + 2;
    }
    paint::left(buffer, room, &way(model), theme.style(Role::Title), theme);
}

/// A text that is typed, with the place where the next character goes.
pub fn typed(model: &Model, ask: &Ask, area: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let label = match ask.purpose {
        Purpose::Filter => words.say("ask_filter"),
        Purpose::Find => words.say("ask_find"),
        Purpose::TestMail => words.say("ask_test_mail"),
    };
    let room = paint::inset(area, 1);
    let used = paint::left(
        buffer,
        room,
        &format!("{label} "),
        theme.style(Role::Key),
        theme,
    );
    let rest = Rect {
        x: room.x + used,
        width: room.width.saturating_sub(used),
        ..room
    };
    input(model, &ask.input, rest, buffer);
}

/// A text that is typed, scrolled to where the cursor is.
pub fn input(model: &Model, input: &tui_input::Input, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let scroll = input.visual_scroll(usize::from(area.width.saturating_sub(1)));
    let mut skipped = 0;
    let text: String = input
        .value()
        .chars()
        .skip_while(|c| {
            let skip = skipped < scroll;
            skipped += unicode_width::UnicodeWidthChar::width(*c).unwrap_or(0);
            skip
        })
        .collect();
    let (end, _) = buffer.set_stringn(
        area.x,
        area.y,
        crate::tui::safe::line(&text),
        area.width.into(),
        theme.style(Role::Text),
    );
    let at = input.visual_cursor().saturating_sub(scroll);
    let x = area.x.saturating_add(u16::try_from(at).unwrap_or(u16::MAX));
    let x = x.min(end).min(area.right() - 1);
    buffer[(x, area.y)].set_style(theme.style(Role::Selected));
}
