//! The table: only the rows that are seen are looked at.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::columns;
use crate::tui::columns::Column;
use crate::tui::model::Link;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::update::default_sort;

use super::cells;
use super::paint;

/// The cells before the first column: marks and the selection.
pub const MARGIN: u16 = 3;

/// The cells between two columns.
pub const GAP: u16 = 2;

/// The columns that fit, with their widths.
pub fn fitted(model: &Model, width: u16) -> Vec<(&'static Column, u16)> {
    let chosen = model.settings.columns(model.place().view);
    columns::fit(&chosen, width.saturating_sub(MARGIN + 1))
}

/// The heads of the columns and the rows.
pub fn draw(model: &Model, head: Rect, area: Rect, buffer: &mut Buffer) {
    let theme = &model.settings.theme;
    let list = &model.place().list;
    let columns = fitted(model, area.width);
    if !head.is_empty() {
        heads(model, &columns, head, buffer);
    }
    if list.rows.is_empty() {
        return empty(model, area, buffer);
    }
    let rows = list.rows.iter().enumerate().skip(list.top);
    for (line, (at, row)) in (0..area.height).zip(rows) {
        let area = Rect {
            y: area.y + line,
            height: 1,
            ..area
        };
        let selected = at == list.selected;
        let marked = !list.marks.is_empty() && list.marks.contains(&row.id());
        let sign = match (selected, marked) {
            (true, true) => ">* ",
            (true, false) => ">  ",
            (false, true) => " * ",
            (false, false) => "   ",
        };
        let of_row = match (selected, marked) {
            (true, _) => Some(Role::Selected),
            (false, true) => Some(Role::Marked),
            (false, false) => None,
        };
        if let Some(role) = of_row {
            buffer.set_style(area, theme.style(role));
        }
        let style = |role: Role| theme.style(of_row.unwrap_or(role));
        paint::left(buffer, area, sign, style(Role::Text), theme);
        let mut x = area.x.saturating_add(MARGIN);
        for (column, width) in &columns {
            let (text, role) = cells::cell(model, row, column.name);
            let cell = Rect {
                x,
                width: *width,
                ..area
            }
            .intersection(area);
            match column.right {
                true => paint::right(buffer, cell, &text, style(role), theme),
                false => paint::left(buffer, cell, &text, style(role), theme),
            };
            x = x.saturating_add(width + GAP);
        }
    }
}

fn heads(model: &Model, columns: &[(&Column, u16)], area: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let list = &model.place().list;
    let sort = list.sort.as_deref().unwrap_or(default_sort(list.source));
    let field = sort.trim_start_matches('-');
    let mut x = area.x.saturating_add(MARGIN);
    for (column, width) in columns {
        let sorted = column.sort.is_some_and(|(name, _)| name == field);
        let arrow = match (sorted, sort.starts_with('-')) {
            (false, _) => "",
            (true, true) => theme.glyph("↓", "v"),
            (true, false) => theme.glyph("↑", "^"),
        };
        let text = format!("{}{arrow}", words.say(column.label));
        let role = match sorted {
            true => Role::Title,
            false => Role::Dim,
        };
        let cell = Rect {
            x,
            width: *width,
            ..area
        }
        .intersection(area);
        match column.right {
            true => paint::right(buffer, cell, &text, theme.style(role), theme),
            false => paint::left(buffer, cell, &text, theme.style(role), theme),
        };
        x = x.saturating_add(width + GAP);
    }
}

/// Why there are no rows.
fn empty(model: &Model, area: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let place = model.place();
    let list = &place.list;
    let filtered = !list.q.is_empty() || list.state.is_some();
    let (text, role) = if let Some(problem) = &list.problem {
        (problem.text.clone(), Role::Bad)
    } else if !list.loaded {
        let key = match model.link {
            Link::Lost { .. } => "nothing_loaded",
            Link::Live { .. } | Link::Starting => "loading",
        };
        (words.say(key).to_owned(), Role::Dim)
    } else if filtered {
        (words.say("nothing_matches").to_owned(), Role::Dim)
    } else {
        let failing = list.fixed.iter().any(|(_, value)| value == "failing");
        match failing {
            true => (words.say("nothing_failed").to_owned(), Role::Good),
            false => (words.say("nothing_here").to_owned(), Role::Dim),
        }
    };
    let (_, below) = paint::split(area);
    let room = match below.height {
        0 => area,
        _ => below,
    };
    let room = paint::inset(room, MARGIN);
    for (line, text) in paint::wrap(&text, room.width).iter().enumerate() {
        let line = u16::try_from(line).unwrap_or(u16::MAX);
        if line >= room.height {
            break;
        }
        let at = Rect {
            y: room.y + line,
            height: 1,
            ..room
        };
        paint::left(buffer, at, text, theme.style(role), theme);
    }
}
