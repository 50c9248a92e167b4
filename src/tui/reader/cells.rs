//! Single characters on the screen. Every cell that the reader fills is filled here, and what
//! would do something to a terminal stops here once more, whatever came before.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::super::safe;

/// More characters than this in one cell are a heap of accents that no language has.
const HEAP: usize = 16;

/// Writes `text` from column `x` of the row `y` on, within `area`; hands back the next column.
pub fn put(buf: &mut Buffer, area: Rect, x: u16, y: u16, text: &str, style: Style) -> u16 {
    let mut x = x;
    for grapheme in text.graphemes(true) {
        match put_one(buf, area, x, y, grapheme, style) {
            Some(next) => x = next,
            None => break,
        }
    }
    x
}

/// The same with one grapheme; none where there is no room for it.
pub fn put_one(
    buf: &mut Buffer,
    area: Rect,
    x: u16,
    y: u16,
    grapheme: &str,
    style: Style,
) -> Option<u16> {
    let area = area.intersection(buf.area);
    let held;
    let mut symbol = grapheme;
    // Plain ASCII, which nearly everything is, needs no second look.
    if !(grapheme.len() == 1 && matches!(grapheme.as_bytes()[0], b' '..=b'~')) {
        held = safe::line(&grapheme.chars().take(HEAP).collect::<String>());
        symbol = held.as_str();
    }
    let columns = symbol.width() as u16;
    if columns == 0 {
        return Some(x);
    }
    if y < area.top() || y >= area.bottom() || x < area.left() {
        return None;
    }
    if x.checked_add(columns).is_none_or(|end| end > area.right()) {
        return None;
    }
    buf[Position::new(x, y)].set_symbol(symbol).set_style(style);
    for covered in x + 1..x + columns {
        let cell = &mut buf[Position::new(covered, y)];
        cell.reset();
        cell.set_style(style);
    }
    Some(x + columns)
}

/// `text` in at most `columns`; `dots` tell that it goes on.
pub fn fitted(text: &str, columns: usize, dots: &str) -> String {
    if text.len() <= columns && text.is_ascii() {
        return text.to_owned();
    }
    let room = columns.saturating_sub(dots.width());
    let (mut fitted, mut width) = (String::new(), 0);
    let mut cut = 0;
    for grapheme in text.graphemes(true) {
        width += grapheme.width();
        if width > columns {
            fitted.truncate(cut);
            fitted.push_str(if columns >= dots.width() { dots } else { "" });
            return fitted;
        }
        fitted.push_str(grapheme);
        if width <= room {
            cut = fitted.len();
        }
    }
    fitted
}
