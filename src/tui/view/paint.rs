//! Putting texts into cells: never wider than there is room, wide characters whole, and nothing
//! that would act on a terminal.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use crate::tui::model::Model;
use crate::tui::safe;
use crate::tui::theme::Role;
use crate::tui::theme::Theme;

/// How many cells `text` takes.
pub fn width(text: &str) -> u16 {
    u16::try_from(text.width()).unwrap_or(u16::MAX)
}

/// `text` in at most `room` cells; what is left out is told by dots.
pub fn cut(text: &str, room: u16, theme: &Theme) -> String {
    let text = safe::line(text);
    let room = usize::from(room);
    if text.width() <= room {
        return text;
    }
    let dots = theme.glyph("…", "..");
    let left = room.saturating_sub(dots.width());
    let mut cut = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        used += grapheme.width();
        if used > left {
            break;
        }
        cut.push_str(grapheme);
    }
    if dots.width() <= room {
        cut.push_str(dots);
    }
    cut
}

/// `text` on lines of at most `room` cells, broken at spaces where there are any.
pub fn wrap(text: &str, room: u16) -> Vec<String> {
    let room = usize::from(room.max(2));
    let mut lines = Vec::new();
    for paragraph in safe::text(text).lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_word_bounds() {
            let wide = word.width();
            if used + wide > room && !line.is_empty() && !word.trim().is_empty() {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if used == 0 && word.trim().is_empty() && !lines.is_empty() {
                continue;
            }
            for grapheme in word.graphemes(true) {
                let wide = grapheme.width();
                if used + wide > room {
                    lines.push(std::mem::take(&mut line).trim_end().to_owned());
                    used = 0;
                }
                line.push_str(grapheme);
                used += wide;
            }
        }
        lines.push(line.trim_end().to_owned());
    }
    lines
}

/// Puts `text` at the left of `area` and says how many cells it took.
pub fn left(buffer: &mut Buffer, area: Rect, text: &str, style: Style, theme: &Theme) -> u16 {
    if area.is_empty() {
        return 0;
    }
    let text = cut(text, area.width, theme);
    let (end, _) = buffer.set_stringn(area.x, area.y, &text, area.width.into(), style);
    end.saturating_sub(area.x)
}

/// Puts `text` at the right of `area`.
pub fn right(buffer: &mut Buffer, area: Rect, text: &str, style: Style, theme: &Theme) -> u16 {
    let text = cut(text, area.width, theme);
    let used = width(&text).min(area.width);
    let area = Rect {
        x: area.x + area.width - used,
        width: used,
        ..area
    };
    left(buffer, area, &text, style, theme)
}

/// Puts pieces side by side; the first one for which there is no room is cut, the rest left out.
/// Says how many cells they took.
pub fn pieces(model: &Model, buffer: &mut Buffer, area: Rect, pieces: &[(String, Role)]) -> u16 {
    let theme = &model.settings.theme;
    let mut rest = area;
    for (text, role) in pieces {
        let used = left(buffer, rest, text, theme.style(*role), theme);
        rest.x += used;
        rest.width = rest.width.saturating_sub(used);
    }
    area.width - rest.width
}

/// A line across.
pub fn rule(model: &Model, area: Rect, buffer: &mut Buffer) {
    titled(model, area, "", "", buffer);
}

/// A line across with a title at its left and one at its right.
pub fn titled(model: &Model, area: Rect, title: &str, end: &str, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let line = theme.glyph("─", "-").repeat(area.width.into());
    left(buffer, area, &line, theme.style(Role::Dim), theme);
    if !title.is_empty() && area.width > 8 {
        let room = Rect {
            x: area.x + 2,
            width: area.width - 4,
            ..area
        };
        let used = left(
            buffer,
            room,
            &format!(" {title} "),
            theme.style(Role::Title),
            theme,
        );
        let rest = Rect {
            x: room.x + used + 1,
            width: room.width.saturating_sub(used + 1),
            ..area
        };
        if !end.is_empty() && width(end) + 2 <= rest.width {
            right(
                buffer,
                rest,
                &format!(" {end} "),
                theme.style(Role::Dim),
                theme,
            );
        }
    }
}

/// The first row of `area`, if it has one, and the area without it.
pub fn split(area: Rect) -> (Rect, Rect) {
    let height = area.height.min(1);
    let first = Rect { height, ..area };
    let rest = Rect {
        y: area.y + height,
        height: area.height - height,
        ..area
    };
    (first, rest)
}

/// `area` without so many columns at its left and one at its right.
pub fn inset(area: Rect, by: u16) -> Rect {
    let by = by.min(area.width);
    Rect {
        x: area.x + by,
        width: area.width.saturating_sub(by + 1),
        ..area
    }
}

/// A line of bars, one for each of the last `room` values.
pub fn spark(values: &[u64], room: usize, theme: &Theme) -> String {
    let bars: [char; 8] = match theme.ascii() {
        true => ['.', ':', '-', '=', '+', '*', '%', '#'],
        false => ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
    };
    let shown = &values[values.len().saturating_sub(room)..];
    let most = shown.iter().copied().max().unwrap_or(0).max(1);
    shown
        .iter()
        .map(|value| {
            let height = (u128::from(*value) * 7).div_ceil(u128::from(most));
            bars[usize::try_from(height).unwrap_or(7).min(7)]
        })
        .collect()
}
