//! Texts of strangers on their way to a page: without what hides or turns around what stands
//! beside it, or with that made visible; and sizes for people.

use minijinja::Value;
use minijinja::context;

use crate::inbox::link_spans;
use crate::text::hides;
use crate::text::shapes;

/// One line, without what nobody sees.
pub fn line(text: &str) -> String {
    let shown = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if hides(c) && !shapes(c) => None,
        c => Some(c),
    });
    shown.collect()
}

/// A text, with what nobody sees made visible.
pub fn told(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' => told.push(c),
            '\r' => {}
            c if (c as u32) < 0x20 => told.extend(char::from_u32(0x2400 + c as u32)),
            '\u{7f}' => told.push('\u{2421}'),
            c if hides(c) && !shapes(c) => told.push_str(&format!("⟨U+{:04X}⟩", c as u32)),
            c => told.push(c),
        }
    }
    told
}

/// At most `limit` bytes of a text, and whether that is all of it.
pub fn beginning(text: &str, limit: usize) -> (&str, bool) {
    let end = text.floor_char_boundary(limit);
    (&text[..end], end == text.len())
}

/// A text cut into pieces for a template; those that are links have an `href`.
pub fn linked(text: &str) -> Vec<Value> {
    let text = told(text);
    let mut pieces = Vec::new();
    let mut from = 0;
    for (start, end) in link_spans(&text) {
        if start > from {
            pieces.push(context! { text => &text[from..start] });
        }
        let link = &text[start..end];
        let href = url::Url::parse(link).ok().map(String::from);
        pieces.push(context! { text => link, href });
        from = end;
    }
    if from < text.len() {
        pieces.push(context! { text => &text[from..] });
    }
    pieces
}

/// A length for people: `1.2 KB`.
pub fn size(octets: u64) -> String {
    let units = ["B", "KB", "MB", "GB"];
    let mut tenths = octets.saturating_mul(10);
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < units.len() {
        tenths /= 1_000;
        unit += 1;
    }
    match unit == 0 || tenths >= 100 {
        true => format!("{} {}", tenths / 10, units[unit]),
        false => format!("{}.{} {}", tenths / 10, tenths % 10, units[unit]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        let text = "a\u{202e}b\r\nc\td\u{1b}[31m\0字👩\u{200d}👧\u{2066}\u{7f}";
        assert_eq!(line(text), "ab  c d[31m字👩\u{200d}👧");
        assert_eq!(told(text), "a⟨U+202E⟩b\nc\td␛[31m␀字👩\u{200d}👧⟨U+2066⟩␡");
    }

    #[test]
    fn links_end_where_something_hides() {
        let pieces = linked("see https://example.com/\u{202e}x and javascript:alert(1)");
        let texts: Vec<String> = pieces
            .iter()
            .map(|piece| piece.get_attr("text").unwrap().to_string())
            .collect();
        assert_eq!(
            texts,
            [
                "see ",
                "https://example.com/",
                "⟨U+202E⟩x and javascript:alert(1)"
            ]
        );
        let hrefs = pieces.iter().filter(|piece| {
            let href = piece.get_attr("href").unwrap();
            !href.is_undefined()
        });
        assert_eq!(hrefs.count(), 1);
    }

    #[test]
    fn sizes_are_short() {
        for (octets, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 KB"),
            (1_240, "1.2 KB"),
            (99_900, "99 KB"),
            (25_000_000, "25 MB"),
            (u64::MAX, "1844674407 GB"),
        ] {
            assert_eq!(size(octets), text);
        }
    }
}
