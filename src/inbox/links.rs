//! The http and https links of a mail.

use super::html::Page;

/// Links that are reported.
const LINKS: usize = 500;

/// Octets of one link; a longer one is no link.
const LINK_LIMIT: usize = 8 << 10;

/// The links of the text, then those of the HTML, each once.
pub(super) fn find(text: &str, page: &Page) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    let in_text = spans(text).map(|(from, to)| &text[from..to]);
    let in_hrefs = page.hrefs.iter().filter_map(|href| whole(href));
    let in_page = spans(&page.text).map(|(from, to)| &page.text[from..to]);
    in_text
        .map(str::to_owned)
        .chain(in_hrefs)
        .chain(in_page.map(str::to_owned))
        .filter(|link| link.len() <= LINK_LIMIT && seen.insert(link.clone()))
        .take(LINKS)
        .collect()
}

/// The value of an `href` as a link; browsers ignore line breaks and tabs within it.
fn whole(href: &str) -> Option<String> {
    let link: String = href
        .trim()
        .chars()
        .filter(|c| !matches!(c, '\t' | '\r' | '\n'))
        .collect();
    scheme_len(&link)
        .is_some_and(|scheme| link.len() > scheme)
        .then_some(link)
}

/// Where the http and https links of `text` begin and end, in bytes.
pub fn spans(text: &str) -> impl Iterator<Item = (usize, usize)> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            // Every link has it, and hardly anything else does.
            let colon = from + text.get(from..)?.find("://")?;
            from = colon + 3;
            let start = [5, 4]
                .into_iter()
                .filter_map(|len| colon.checked_sub(len))
                .find(|&start| {
                    text.get(start..)
                        .and_then(scheme_len)
                        .is_some_and(|len| start + len == from)
                });
            let Some(start) = start else { continue };
            let end = from + end_of(&text[from..]);
            if end > from {
                from = end;
                return Some((start, end));
            }
        }
    })
}

fn scheme_len(text: &str) -> Option<usize> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let given = text.get(..scheme.len())?;
        given.eq_ignore_ascii_case(scheme).then_some(scheme.len())
    })
}

/// How much of `rest`, which follows the scheme, belongs to the link. A letter beyond ASCII ends
/// it: Chinese puts no space behind a link, and a browser copies such letters percent-encoded.
fn end_of(rest: &str) -> usize {
    let mut end = rest
        .bytes()
        .position(|b| {
            !b.is_ascii_graphic()
                || matches!(
                    b,
                    b'<' | b'>' | b'"' | b'`' | b'{' | b'}' | b'|' | b'\\' | b'^'
                )
        })
        .unwrap_or(rest.len());
    if end > LINK_LIMIT {
        return end;
    }
    let count = |wanted: u8| {
        rest.as_bytes()[..end]
            .iter()
            .filter(|b| **b == wanted)
            .count()
    };
    let mut round = count(b')').saturating_sub(count(b'('));
    let mut square = count(b']').saturating_sub(count(b'['));
    // Punctuation at the end belongs to the sentence, and a closing bracket to the one before it.
    while let Some(last) = rest.as_bytes()[..end].last() {
        match last {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'_' | b'~' => {}
            b')' if round > 0 => round -= 1,
            b']' if square > 0 => square -= 1,
            _ => break,
        }
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::super::html;
    use super::*;

    #[test]
    fn links_end_where_a_reader_would_end_them() {
        let text = "See https://example.com/a?b=c&d=e. (http://example.com/x_(y)) <HTTPS://EXAMPLE.COM/Z>, \
            請點 https://example.com/users/reset/MQ/abc-def/。謝謝 https:// ftp://example.com xhttp://example.org/1";
        let found = find(text, &Page::default());
        assert_eq!(
            found,
            [
                "https://example.com/a?b=c&d=e",
                "http://example.com/x_(y)",
                "HTTPS://EXAMPLE.COM/Z",
                "https://example.com/users/reset/MQ/abc-def/",
                "http://example.org/1",
            ]
        );
    }

    #[test]
    fn each_link_is_reported_once_text_first() {
        let page = html::read(
            "<a href='https://example.com/2'>https://example.com/3</a><a href=' https://example.com/1\n'>x</a><a href='mailto:a@example.com'>y</a>",
        );
        let found = find("https://example.com/1", &page);
        assert_eq!(
            found,
            [
                "https://example.com/1",
                "https://example.com/2",
                "https://example.com/3"
            ]
        );
    }
}
