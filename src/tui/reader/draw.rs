//! The reader on the screen: what the mail is, the tabs, the page, and where in it one is. On a
//! small area the head shrinks before the page does.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::super::theme::Role;
use super::super::theme::Theme;
use super::super::words::Words;
use super::Reader;
use super::cells;
use super::pages;

/// A line of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Head {
    Subject,
    From,
    To,
    When,
    Warnings,
    Codes,
}

/// What the head has room for, in the order in which it is drawn.
fn head(reader: &Reader, height: u16) -> Vec<Head> {
    let message = reader.message();
    let room = match height {
        0..=2 => 0,
        height => usize::from(height / 3),
    };
    // What matters most comes first and is left out last.
    let mut lines = vec![Head::Subject];
    if !message.codes.is_empty() {
        lines.push(Head::Codes);
    }
    lines.extend([Head::From, Head::To]);
    if !message.summary.warnings.is_empty() {
        lines.push(Head::Warnings);
    }
    lines.push(Head::When);
    lines.truncate(room);
    lines.sort_unstable();
    lines
}

/// How many rows there are for the page in an area of `size`.
pub fn body_height(reader: &Reader, (_, height): (u16, u16)) -> usize {
    let head = head(reader, height).len();
    let rest = usize::from(height).saturating_sub(head);
    rest.saturating_sub(usize::from(height >= 2))
        .saturating_sub(usize::from(height >= 6))
}

impl Reader {
    /// Draws the mail into `area`, which has the size that [`super::Step::Resize`] told last.
    pub fn draw(&self, area: Rect, buf: &mut Buffer, theme: &Theme, words: &Words) {
        let area = area.intersection(buf.area);
        if area.is_empty() {
            return;
        }
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                buf[(x, y)].reset();
                buf[(x, y)].set_style(theme.style(Role::Text));
            }
        }
        let mut y = area.top();
        for line in head(self, area.height) {
            self.draw_head(line, row(area, y), buf, theme, words);
            y += 1;
        }
        if area.height >= 2 {
            self.draw_tabs(row(area, y), buf, theme, words);
            y += 1;
        }
        let height = body_height(self, (area.width, area.height)) as u16;
        let body = Rect { y, height, ..area };
        self.draw_page(body, buf, theme);
        if area.height >= 6 {
            self.draw_status(row(area, area.bottom() - 1), height, buf, theme, words);
        }
    }

    fn draw_head(&self, line: Head, area: Rect, buf: &mut Buffer, theme: &Theme, words: &Words) {
        let summary = &self.message().summary;
        let (label, value, role) = match line {
            Head::Subject => {
                let dots = theme.glyph("…", "..");
                let title = cells::fitted(self.title(), area.width.into(), dots);
                let style = theme.style(Role::Title);
                cells::put(buf, area, area.x, area.y, &title, style);
                return;
            }
            Head::From => {
                let from = summary
                    .from
                    .as_deref()
                    .filter(|from| !from.trim().is_empty());
                let from = from.unwrap_or(match summary.envelope.from.as_str() {
                    "" => "<>",
                    from => from,
                });
                ("reader_from", from.to_owned(), Role::Text)
            }
            Head::To => {
                let few: Vec<&str> = summary
                    .envelope
                    .to
                    .iter()
                    .take(20)
                    .map(String::as_str)
                    .collect();
                ("reader_to", few.join(", "), Role::Text)
            }
            Head::When => {
                let when = pages::moment(&summary.received_at);
                let dot = theme.glyph("·", "-");
                let mut text = format!("{when} {dot} {}", pages::size(summary.size));
                if summary.tls {
                    text.push_str(&format!(" {dot} TLS"));
                }
                ("reader_when", text, Role::Text)
            }
            Head::Warnings => {
                let few: Vec<&str> = summary
                    .warnings
                    .iter()
                    .take(20)
                    .map(String::as_str)
                    .collect();
                ("reader_warnings", few.join("; "), Role::Warn)
            }
            Head::Codes => {
                let few: Vec<&str> = self.codes().iter().take(5).map(String::as_str).collect();
                ("reader_codes", few.join("  "), Role::Found)
            }
        };
        // The labels of a language are about as wide as one another; the column fits them all.
        let labels = [
            "reader_from",
            "reader_to",
            "reader_when",
            "reader_warnings",
            "reader_codes",
        ];
        let column = labels
            .iter()
            .map(|key| words.say(key).width())
            .max()
            .unwrap_or(0) as u16
            + 2;
        let column = if area.width < 30 { 0 } else { column };
        if column > 0 {
            let style = theme.style(Role::Dim);
            cells::put(buf, area, area.x, area.y, words.say(label), style);
        }
        let room = usize::from(area.width.saturating_sub(column));
        let value = cells::fitted(&value, room, theme.glyph("…", ".."));
        cells::put(
            buf,
            area,
            area.x + column,
            area.y,
            &value,
            theme.style(role),
        );
    }

    fn draw_tabs(&self, area: Rect, buf: &mut Buffer, theme: &Theme, words: &Words) {
        let rule = theme.glyph("─", "-");
        let dim = theme.style(Role::Dim);
        for x in area.left()..area.right() {
            cells::put_one(buf, area, x, area.y, rule, dim);
        }
        let names: Vec<String> = self
            .tabs()
            .iter()
            .map(|tab| self.tab_name(*tab, words))
            .collect();
        let whole: usize = names.iter().map(|name| name.width() + 3).sum();
        let fits = whole + 2 <= usize::from(area.width);
        let mut x = area.x;
        if fits {
            x = cells::put(buf, area, x, area.y, rule, dim);
        }
        for (tab, name) in self.tabs().iter().zip(&names) {
            let current = *tab == self.tab();
            if !fits && !current {
                continue;
            }
            let style = match current {
                true => theme.style(Role::Selected),
                false => theme.style(Role::Text),
            };
            let (left, right) = match (fits, current) {
                (true, true) => ("[", "]"),
                (true, false) => (" ", " "),
                (false, _) => (theme.glyph("‹ ", "< "), theme.glyph(" ›", " >")),
            };
            x = cells::put(buf, area, x, area.y, left, style);
            x = cells::put(buf, area, x, area.y, name, style);
            if !fits {
                // How many there are is told where they cannot be seen.
                let at = self
                    .tabs()
                    .iter()
                    .position(|known| known == tab)
                    .unwrap_or(0);
                let of = format!(" {}/{}", at + 1, self.tabs().len());
                x = cells::put(buf, area, x, area.y, &of, style);
            }
            x = cells::put(buf, area, x, area.y, right, style);
            if fits {
                x = x.saturating_add(1);
            }
        }
        let id = format!(" {} ", self.id());
        let room = usize::from(area.right().saturating_sub(x));
        if id.width() + 2 <= room {
            let start = area.right() - id.width() as u16 - 1;
            cells::put(buf, area, start, area.y, &id, dim);
        }
    }

    fn tab_name(&self, tab: super::Tab, words: &Words) -> String {
        match (tab, self.attachments().len()) {
            (super::Tab::Parts, count @ 1..) => format!("{} {count}", words.say(tab.key())),
            _ => words.say(tab.key()).to_owned(),
        }
    }

    fn draw_page(&self, area: Rect, buf: &mut Buffer, theme: &Theme) {
        let page = self.page();
        let chosen = self.places[self.tab as usize].anchor;
        let no_hits: &[_] = &[];
        let (hits, current) = match &self.search {
            Some(search) => (search.hits.as_slice(), search.current),
            None => (no_hits, 0),
        };
        let text = theme.style(Role::Text);
        let rows = page.rows().iter().skip(self.scroll());
        for (y, row) in (area.top()..area.bottom()).zip(rows) {
            let range = row.range();
            let marks = page.marks();
            let mut mark = marks.partition_point(|mark| mark.range.end <= range.start);
            let mut hit = hits.partition_point(|hit| hit.end <= range.start);
            let mut x = area.x.saturating_add(row.indent);
            for (offset, grapheme) in page.text()[range.clone()].grapheme_indices(true) {
                let at = range.start + offset;
                while marks.get(mark).is_some_and(|mark| mark.range.end <= at) {
                    mark += 1;
                }
                while hits.get(hit).is_some_and(|hit| hit.end <= at) {
                    hit += 1;
                }
                let mut style = text;
                if let Some(mark) = marks.get(mark).filter(|mark| mark.range.start <= at) {
                    let selected = mark.anchor.is_some() && mark.anchor == chosen;
                    style = styled(theme, mark.role, mark.add, selected);
                }
                if hits.get(hit).is_some_and(|hit| hit.start <= at) {
                    let add = match hit == current {
                        true => Modifier::UNDERLINED,
                        false => Modifier::empty(),
                    };
                    style = theme.style(Role::Found).add_modifier(add);
                }
                match cells::put_one(buf, area, x, y, grapheme, style) {
                    Some(next) => x = next,
                    None => break,
                }
            }
        }
    }

    fn draw_status(&self, area: Rect, height: u16, buf: &mut Buffer, theme: &Theme, words: &Words) {
        let dim = theme.style(Role::Dim);
        let rows = self.page().rows().len();
        let last = (self.scroll() + usize::from(height)).min(rows);
        let first = (self.scroll() + 1).min(rows);
        let place = format!("{first}-{last}/{rows}");
        let room = usize::from(area.width);
        if place.len() < room {
            let start = area.right() - place.len() as u16;
            cells::put(buf, area, start, area.y, &place, dim);
        }
        let room = room.saturating_sub(place.len() + 1);
        let dots = theme.glyph("…", "..");
        let mut x = area.x;
        if let (Some(search), Some((at, count))) = (&self.search, self.found()) {
            let (text, role) = match count {
                0 => (
                    words.fill("reader_not_found", &[("text", &search.needle)]),
                    Role::Warn,
                ),
                _ => (format!("/{} {at}/{count}", search.needle), Role::Key),
            };
            let text = cells::fitted(&text, room, dots);
            cells::put(buf, area, x, area.y, &text, theme.style(role));
            return;
        }
        if self.page().is_cut() {
            let text = cells::fitted(words.say("reader_cut"), room, dots);
            x = cells::put(buf, area, x, area.y, &text, theme.style(Role::Warn)) + 2;
        }
        let room = room.saturating_sub(usize::from(x - area.x));
        if let Some(link) = self.selected_link() {
            // The whole address is seen before it is opened, and what cannot be opened is told.
            let role = if link.openable { Role::Link } else { Role::Bad };
            let text = cells::fitted(&link.url, room, dots);
            cells::put(buf, area, x, area.y, &text, theme.style(role));
        }
    }
}

fn row(area: Rect, y: u16) -> Rect {
    let row = Rect {
        y,
        height: 1,
        ..area
    };
    row.intersection(area)
}

fn styled(theme: &Theme, role: Role, add: Modifier, selected: bool) -> Style {
    match selected {
        true => theme
            .style(Role::Selected)
            .add_modifier(add | Modifier::BOLD),
        false => theme.style(role).add_modifier(add),
    }
}
