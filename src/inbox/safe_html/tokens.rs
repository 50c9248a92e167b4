//! HTML cut into text and tags as a browser cuts it (WHATWG HTML, 13.2.5), in one linear pass.
//! What a tag means is not known here.

use memchr::memchr;

/// A piece of HTML.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// Text, character references not decoded.
    Text(&'a str),
    /// `<name …>`.
    Start(&'a str, Vec<(&'a str, &'a str)>),
    /// `</name …>`.
    End(&'a str),
    /// A comment, a doctype, or what a browser takes for one.
    Nothing,
}

/// Attributes of one tag that are looked at.
const ATTRIBUTES: usize = 64;

/// The first piece of `html`, which is not empty, and what follows it; `None` when what follows
/// is a tag without an end, which is no tag.
pub(super) fn next(html: &str) -> Option<(Piece<'_>, &str)> {
    let Some(after) = html.strip_prefix('<') else {
        let end = memchr(b'<', html.as_bytes()).unwrap_or(html.len());
        return Some((Piece::Text(&html[..end]), &html[end..]));
    };
    match after.as_bytes().first() {
        Some(b'!') if after.starts_with("!--") => Some((Piece::Nothing, behind_comment(after))),
        Some(b'!' | b'?') => Some((Piece::Nothing, behind(after, '>'))),
        Some(b'/') => match after.as_bytes().get(1) {
            Some(byte) if byte.is_ascii_alphabetic() => {
                let name = name(&after[1..]);
                let (_, rest) = attributes(&after[1 + name.len()..])?;
                Some((Piece::End(name), rest))
            }
            Some(_) => Some((Piece::Nothing, behind(after, '>'))),
            None => Some((Piece::Text(html), "")),
        },
        Some(byte) if byte.is_ascii_alphabetic() => {
            let name = name(after);
            let (attributes, rest) = attributes(&after[name.len()..])?;
            Some((Piece::Start(name, attributes), rest))
        }
        _ => Some((Piece::Text(&html[..1]), after)),
    }
}

/// `html` up to the end tag of `name`, and what follows that.
pub(super) fn raw_text<'a>(html: &'a str, name: &str) -> (&'a str, &'a str) {
    let mut from = 0;
    while let Some(at) = memchr::memmem::find(&html.as_bytes()[from..], b"</") {
        let start = from + at;
        let after = &html.as_bytes()[start + 2..];
        let ends = after.len() > name.len()
            && after[..name.len()].eq_ignore_ascii_case(name.as_bytes())
            && (after[name.len()].is_ascii_whitespace() || b"/>".contains(&after[name.len()]));
        if ends {
            return (&html[..start], behind(&html[start..], '>'));
        }
        from = start + 2;
    }
    (html, "")
}

fn name(html: &str) -> &str {
    let end = html.find(|c: char| is_space(c) || matches!(c, '/' | '>'));
    &html[..end.unwrap_or(html.len())]
}

fn is_space(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\x0c' | '\r' | ' ')
}

fn behind(html: &str, end: char) -> &str {
    html.split_once(end).map_or("", |(_, rest)| rest)
}

/// What follows a comment; `html` begins behind its `<`.
fn behind_comment(html: &str) -> &str {
    // The hyphens of the beginning may be those of the end: `<!-->`.
    let mut from = 1;
    while let Some(at) = memchr::memmem::find(&html.as_bytes()[from..], b"--") {
        let rest = &html[from + at + 2..];
        if let Some(rest) = rest.strip_prefix('>') {
            return rest;
        }
        if let Some(rest) = rest.strip_prefix("!>") {
            return rest;
        }
        from += at + 1;
    }
    ""
}

/// The attributes of a tag and what follows its `>`; none where there is no `>` any more.
fn attributes(html: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut found: Vec<(&str, &str)> = Vec::new();
    let mut rest = html;
    loop {
        rest = rest.trim_start_matches(|c: char| is_space(c) || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return Some((found, behind));
        }
        // An equals sign in the place of a name is a name's first letter.
        let from = usize::from(rest.starts_with('='));
        let end = rest[from..].find(|c: char| is_space(c) || matches!(c, '=' | '>' | '/'))?;
        let (name, behind) = rest.split_at(from + end);
        rest = behind.trim_start_matches(is_space);
        let value = match rest.strip_prefix('=') {
            None => "",
            Some(behind) => {
                let behind = behind.trim_start_matches(is_space);
                let (value, behind) = match behind.chars().next() {
                    Some(quote @ ('"' | '\'')) => behind[1..].split_once(quote)?,
                    _ => behind.split_at(behind.find(|c: char| is_space(c) || c == '>')?),
                };
                rest = behind;
                value
            }
        };
        // The first one of a name counts.
        let known = |(other, _): &(&str, &str)| other.eq_ignore_ascii_case(name);
        if found.len() < ATTRIBUTES && !found.iter().any(known) {
            found.push((name, value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(html: &str) -> Vec<Piece<'_>> {
        let mut rest = html;
        std::iter::from_fn(|| {
            let (piece, behind) = (!rest.is_empty()).then(|| next(rest)).flatten()?;
            rest = behind;
            Some(piece)
        })
        .collect()
    }

    #[test]
    fn html_is_cut_where_a_browser_cuts_it() {
        use Piece::{End, Nothing, Start, Text};
        assert_eq!(
            pieces("a<b x=1 X=2 y='>' z>c</b >"),
            [
                Text("a"),
                Start("b", vec![("x", "1"), ("y", ">"), ("z", "")]),
                Text("c"),
                End("b"),
            ]
        );
        assert_eq!(
            pieces("<img/src=\"x\"/onerror = a =b>"),
            [Start(
                "img",
                vec![("src", "x"), ("onerror", "a"), ("=b", "")]
            )]
        );
        assert_eq!(pieces("1 < 2"), [Text("1 "), Text("<"), Text(" 2")]);
        let hidden = pieces("<!-->a<!--->b<!-- --!>c<!-- -- >-->d<!x>e<?y>f</ >g<![CDATA[>h");
        let texts = hidden.iter().filter_map(|piece| match piece {
            Text(text) => Some(*text),
            other => {
                assert_eq!(*other, Nothing);
                None
            }
        });
        assert_eq!(texts.collect::<String>(), "abcdefgh");
        assert_eq!(pieces("a<b title=\"x>"), [Text("a")]);
        assert_eq!(raw_text("a</x></STYLE\n>b", "style"), ("a</x>", "b"));
        assert_eq!(raw_text("a</styles>b", "style"), ("a</styles>b", ""));
    }
}
