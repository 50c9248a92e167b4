//! The foot: the keys that do something now, and above or in their place what is to be said.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::ages;
use crate::tui::keymap::ACTIONS;
use crate::tui::keymap::Action;
use crate::tui::keymap::Do;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::update::why_not;

use super::paint;

/// Draws the rule and the keys; a note takes the place of the rule, or else of the keys.
pub fn draw(model: &Model, rule: Rect, area: Rect, buffer: &mut Buffer) {
    let said = said(model);
    match (said.is_empty(), rule.is_empty()) {
        (true, _) => {
            paint::rule(model, rule, buffer);
            keys(model, area, buffer);
        }
        (false, false) => {
            note(model, &said, rule, buffer);
            keys(model, area, buffer);
        }
        (false, true) => note(model, &said, area, buffer),
    }
}

fn note(model: &Model, said: &[(String, Role)], area: Rect, buffer: &mut Buffer) {
    let inner = paint::inset(area, 1);
    paint::pieces(model, buffer, inner, said);
}

/// What is to be said, and what can be taken back for how long.
fn said(model: &Model) -> Vec<(String, Role)> {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let mut said = Vec::new();
    if let Some((note, _)) = &model.note {
        let (sign, role) = match note.good {
            Some(true) => (theme.glyph("✓ ", "+ "), Role::Good),
            Some(false) => (theme.glyph("✗ ", "! "), Role::Bad),
            None => ("", Role::Text),
        };
        said.push((format!("{sign}{}  ", note.text), role));
    }
    if let Some(undo) = model.undo.last() {
        let key = model.settings.keymap.shown(Do::Undo, theme.ascii());
        let left = undo.until.as_millis().saturating_sub(model.now.as_millis());
        let time = ages::length(left.saturating_add(999), words);
        let values = [("key", key.as_str()), ("time", &time)];
        said.push((words.fill("undo_offer", &values), Role::Key));
    }
    said
}

/// The keys, the weightiest first, as far as there is room.
fn keys(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let words = model.settings.words;
    let spot = model.spot();
    let mut shown: Vec<&Action> = ACTIONS
        .iter()
        .filter(|action| action.weight > 0 && action.places & spot != 0)
        .collect();
    shown.sort_by_key(|action| std::cmp::Reverse(action.weight));
    // The way to all the others stands at the end, whatever there is room for.
    let help = pieces(model, Do::Help, words.say("do_help_short"));
    let wide: u16 = help.iter().map(|(text, _)| paint::width(text)).sum();
    let mut room = paint::inset(area, 1);
    if wide <= room.width {
        let at = Rect {
            x: room.x + room.width - wide,
            width: wide,
            ..room
        };
        paint::pieces(model, buffer, at, &help);
        room.width -= wide;
    }
    let marks = model.place().list.marks.len();
    for action in shown {
        if action.what == Do::Help {
            continue;
        }
        let label = words.say(action.label);
        let label = match (action.writes, marks) {
            (true, 2..) if !model.place().alone => format!("{label} {marks}"),
            _ => label.to_owned(),
        };
        let parts = pieces(model, action.what, &label);
        let wide: u16 = parts.iter().map(|(text, _)| paint::width(text)).sum();
        if parts.is_empty() || wide > room.width {
            continue;
        }
        let used = paint::pieces(model, buffer, room, &parts);
        room.x += used;
        room.width -= used;
    }
}

fn pieces(model: &Model, what: Do, label: &str) -> Vec<(String, Role)> {
    let key = model
        .settings
        .keymap
        .shown(what, model.settings.theme.ascii());
    if key.is_empty() {
        return Vec::new();
    }
    let roles = match why_not(model, what) {
        None => (Role::Key, Role::Text),
        Some(_) => (Role::Dim, Role::Dim),
    };
    vec![
        (format!("{key} "), roles.0),
        (format!("{label}  "), roles.1),
    ]
}
