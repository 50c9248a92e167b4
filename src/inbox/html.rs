//! What a reader sees of HTML, and where its links lead: a scan for finding codes and links.
//! Nothing here makes HTML safe to show.

/// The text and the links of a piece of HTML.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Page {
    /// The text, one line a block.
    pub(super) text: String,
    /// The values of `href`, entities decoded, in order.
    pub(super) hrefs: Vec<String>,
}

/// Links that are collected.
const HREFS: usize = 1_000;

/// Octets of one tag.
const TAG: usize = 16 << 10;

/// Elements that do not interrupt a word: `<b>12</b>3456` is one number.
const WITHIN_WORDS: &[&str] = &[
    "abbr", "b", "big", "bdi", "bdo", "code", "em", "font", "i", "ins", "kbd", "mark", "s", "samp",
    "small", "span", "strong", "sub", "sup", "tt", "u", "var", "wbr",
];

/// Elements whose content is not text for a reader.
const NOT_SHOWN: &[&str] = &["script", "style", "template", "title"];

/// Reads `html` in one pass.
pub(super) fn read(html: &str) -> Page {
    let mut page = Page::default();
    let mut rest = html;
    while let Some(open) = rest.find('<') {
        add_text(&mut page.text, &rest[..open]);
        rest = &rest[open..];
        if let Some(comment) = rest.strip_prefix("<!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let begins_tag =
            rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        if !begins_tag {
            page.text.push('<');
            rest = &rest[1..];
            continue;
        }
        let (tag, after) = split_tag(rest);
        rest = after;
        let name_end = tag
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(tag.len());
        let name = tag[..name_end].to_ascii_lowercase();
        if NOT_SHOWN.contains(&name.as_str()) {
            rest = after_end_tag(rest, &name);
        } else if matches!(name.as_str(), "a" | "area")
            && page.hrefs.len() < HREFS
            && let Some(href) = attribute(&tag[name_end..], "href")
        {
            page.hrefs.push(decode_entities(href));
        }
        let bare = tag.strip_prefix('/').unwrap_or(&tag[..name_end]).trim_end();
        let is_one_of = |names: &[&str]| names.iter().any(|n| bare.eq_ignore_ascii_case(n));
        if is_one_of(&["a", "td", "th"]) {
            page.text.push(' ');
        } else if !is_one_of(WITHIN_WORDS) {
            page.text.push('\n');
        }
    }
    add_text(&mut page.text, rest);
    page
}

/// `rest` begins with `<`: what stands between it and its `>`, and what follows. A `>` within a
/// quoted value does not end the tag. Only a window is looked at, and a tag that does not end in
/// it swallows it, so that no byte is looked at more than a few times.
fn split_tag(rest: &str) -> (&str, &str) {
    let inner = &rest[1..];
    let mut window = inner.len().min(TAG);
    while !inner.is_char_boundary(window) {
        window -= 1;
    }
    let mut quote = None;
    // A value begins at `=`; a quotation mark elsewhere is a slip and quotes nothing.
    let mut last = b' ';
    for (at, byte) in inner[..window].bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return (&inner[..at], &inner[at + 1..]),
            (None, b'"' | b'\'') if last == b'=' => quote = Some(byte),
            (Some(open), byte) if byte == open => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
    }
    match inner[..window].find('>') {
        Some(at) => (&inner[..at], &inner[at + 1..]),
        None => inner.split_at(window),
    }
}

/// What follows the end tag of `name`; nothing when there is none.
fn after_end_tag<'a>(rest: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = rest[from..].find("</") {
        let tag = &rest[from + at + 2..];
        if tag
            .get(..name.len())
            .is_some_and(|n| n.eq_ignore_ascii_case(name))
        {
            return tag.split_once('>').map_or("", |(_, after)| after);
        }
        from += at + 2;
    }
    ""
}

/// The value of an attribute, entities not yet decoded.
fn attribute<'a>(tag: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if rest.is_empty() {
            return None;
        }
        let end = rest
            .find(|c: char| c.is_ascii_whitespace() || c == '=')
            .unwrap_or(rest.len());
        let name = &rest[..end];
        rest = rest[end..].trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start();
        let (value, after) = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value[1..].split_once(quote).unwrap_or((&value[1..], "")),
            _ => value.split_at(
                value
                    .find(|c: char| c.is_ascii_whitespace())
                    .unwrap_or(value.len()),
            ),
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

fn add_text(text: &mut String, piece: &str) {
    if piece.contains('&') {
        text.push_str(&decode_entities(piece));
    } else {
        text.push_str(piece);
    }
}

/// `text` with its character references replaced: all numeric ones, and the named ones that mails
/// use around codes and in links. Others stay as they are.
pub(super) fn decode_entities(text: &str) -> String {
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        decoded.push_str(&rest[..at]);
        rest = &rest[at..];
        let semicolon = rest.bytes().take(12).position(|byte| byte == b';');
        match semicolon.and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((character, end)) => {
                // A soft hyphen or a joiner is invisible: it must not split a code.
                if !matches!(character, '\u{ad}' | '\u{200b}'..='\u{200d}') {
                    decoded.push(character);
                }
                rest = &rest[end + 1..];
            }
            None => {
                decoded.push('&');
                rest = &rest[1..];
            }
        }
    }
    decoded.push_str(rest);
    decoded
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" | "ensp" | "emsp" | "thinsp" => ' ',
        "shy" => '\u{ad}',
        "zwnj" => '\u{200c}',
        "zwj" => '\u{200d}',
        "colon" => ':',
        "sol" => '/',
        "equals" => '=',
        "num" => '#',
        "quest" => '?',
        "copy" => '©',
        "reg" => '®',
        "middot" => '·',
        "bull" => '•',
        "hellip" => '…',
        "ndash" => '–',
        "mdash" => '—',
        "laquo" => '«',
        "raquo" => '»',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_what_a_reader_sees() {
        let html = "<head><title>No</title><style>p{color:#123456}</style></head><body>\
            <p>Your code is <b>48</b><b>2913</b></p><!-- 999999 --><script>var x = 777777 < 3;</script>\
            <table><tr><td>a</td><td>b</td></tr></table>1 < 2 &amp; &#x33;&#52; &nope; 12&zwnj;34</body>";
        let text = read(html).text;
        assert!(text.contains("Your code is 482913\n"), "{text:?}");
        assert!(text.contains("a  b") || text.contains("a b"), "{text:?}");
        assert!(text.contains("1 < 2 & 34 &nope; 1234"), "{text:?}");
        for hidden in ["No", "123456", "999999", "777777"] {
            assert!(!text.contains(hidden), "{hidden} in {text:?}");
        }
    }

    #[test]
    fn links_are_found_however_the_attribute_is_written() {
        let html = "<a href=\"https://example.com/?a=1&amp;b=2\">x</a>\
            <A class=c HREF='https://example.com/2'>y</A><a title=\"1 > 0\" href = https://example.com/3>z</a>\
            <a name=x>no</a><area href=https://example.com/4 /><a data-href=\"https://example.com/5\">";
        let hrefs = read(html).hrefs;
        assert_eq!(
            hrefs,
            [
                "https://example.com/?a=1&b=2",
                "https://example.com/2",
                "https://example.com/3",
                "https://example.com/4"
            ]
        );
    }

    #[test]
    fn broken_html_is_read_to_its_end() {
        for html in [
            "<",
            "<a",
            "<a href=\"x",
            "<!--",
            "<script>",
            "&",
            "&#;",
            "&#xffffffff;",
            "</",
            "<p\u{e9}>\u{e9}",
        ] {
            read(html);
        }
        assert_eq!(read("a < b").text, "a < b");
    }
}
