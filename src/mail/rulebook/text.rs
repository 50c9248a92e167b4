//! How the text of a reply is read before it is held against the rules: decoded, its lines joined
//! to one, in small letters, without what was only quoted: a server repeats addresses, and those
//! are chosen by whoever registers. What it means is not known here.

use std::net::IpAddr;

use crate::mail::attempt::text_of;

/// Stands where something quoted stood, so that no phrase closes over the gap.
const QUOTED: &str = "\u{2026}";

/// What a server said, ready to be held against the rules.
pub(super) struct Said {
    pub code: u16,
    /// The enhanced code (RFC 3463), such as `5.7.8`; empty where there is none.
    pub enhanced: String,
    /// All lines without their codes, joined by a space, in small letters; `…` for every address,
    /// link and IP address.
    pub text: String,
}

impl Said {
    pub fn of(code: u16, bytes: &[u8]) -> Said {
        let decoded = text_of(bytes).to_lowercase();
        let mut enhanced = String::new();
        let mut words: Vec<&str> = Vec::new();
        for line in decoded.lines() {
            let line = without_code(line);
            let (found, rest) = split_enhanced(line);
            if enhanced.is_empty() {
                enhanced.push_str(found);
            }
            words.extend(rest.split_whitespace());
        }
        Said {
            code,
            enhanced,
            text: without_quotes(&words.join(" ")),
        }
    }

    /// Whether it speaks of the state of a mailbox or its address (RFC 3463: x.1.x and x.2.x), and
    /// so not of the route.
    pub fn is_of_a_mailbox(&self) -> bool {
        matches!(self.enhanced.get(1..3), Some(".1" | ".2"))
            && self.enhanced.as_bytes().get(3) == Some(&b'.')
    }
}

/// Whether `pattern` stands in `text`: its parts (` .. ` between them) one after another, each as
/// whole words, a last `*` apart.
pub(super) fn is_in(pattern: &str, text: &str) -> bool {
    let mut from = 0;
    pattern
        .split(" .. ")
        .all(|part| match end_of(part, text, from) {
            Some(end) => {
                from = end;
                true
            }
            None => false,
        })
}

/// Where the first whole `part` in `text` at or after `from` ends.
fn end_of(part: &str, text: &str, from: usize) -> Option<usize> {
    let (word, open) = match part.strip_suffix('*') {
        Some(word) => (word, true),
        None => (part, false),
    };
    let mut finds = text[from..].match_indices(word);
    finds.find_map(|(at, _)| {
        let (start, end) = (from + at, from + at + word.len());
        let begins = !word.starts_with(is_letter) || !goes_on(text[..start].chars().rev());
        let after = match open {
            true => text[end..].trim_start_matches(|c: char| c.is_ascii_alphabetic()),
            false => &text[end..],
        };
        let ends = !word.ends_with(is_letter) || !goes_on(after.chars());
        (begins && ends).then_some(end)
    })
}

/// Chinese has no spaces: there any place is the edge of a word.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphanumeric()
}

/// Whether a word goes on here: with a letter, or with one behind a sign that joins the parts of
/// a name, a path or an identifier.
fn goes_on(mut next: impl Iterator<Item = char>) -> bool {
    match next.next() {
        Some(c) if is_letter(c) || c == '_' => true,
        Some('.' | '-' | '/' | '=' | '+' | '%' | '~' | '&' | '?') => {
            next.next().is_some_and(is_letter)
        }
        _ => false,
    }
}

/// `text` with every address, link, IP address and `<…>` taken out.
fn without_quotes(text: &str) -> String {
    let text = without_brackets(text);
    let words = text.split(' ').map(|word| {
        let mut parts = word.split(['[', ']', '(', ')', '=', ',', ';']);
        let quoted = word.contains('@') || parts.any(is_ip_address);
        match (quoted, word.find("://")) {
            (true, _) => QUOTED,
            // What stands before the link was said.
            (false, Some(at)) => {
                let scheme = word[..at].trim_end_matches(|c: char| is_letter(c) || c == '+');
                match scheme.is_empty() {
                    true => QUOTED,
                    false => scheme,
                }
            }
            (false, None) => word,
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

fn is_ip_address(part: &str) -> bool {
    let part = part.strip_prefix("ipv6:").unwrap_or(part);
    part.trim_end_matches(['.', ':']).parse::<IpAddr>().is_ok()
}

/// `text` without what stands in `<…>` and without the quoted part of `"…"@example.org`, which may
/// hold spaces.
fn without_brackets(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '"']) {
        kept.push_str(&rest[..at]);
        let here = &rest[at..];
        let length = match here.starts_with('<') {
            true => path(here),
            false => quoted_local(here),
        };
        match length {
            Some(length) => {
                kept.push_str(QUOTED);
                rest = &here[length..];
            }
            None => {
                kept.push_str(&here[..1]);
                rest = &here[1..];
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// How long the `<…>` is that `text` begins with. Without its end it is cut off, and all of it is
/// quoted, unless the sign stands alone.
fn path(text: &str) -> Option<usize> {
    if text[1..].starts_with(' ') {
        return None;
    }
    let mut at = 1;
    while let Some(next) = text[at..].find(['>', '"']) {
        at += next;
        if text[at..].starts_with('>') {
            return Some(at + 1);
        }
        at += quoted(&text[at..]).unwrap_or(1);
    }
    Some(text.len())
}

/// How long the `"…"` is that `text` begins with, where an `@` follows it.
fn quoted_local(text: &str) -> Option<usize> {
    quoted(text).filter(|end| text[*end..].starts_with('@'))
}

fn quoted(text: &str) -> Option<usize> {
    let mut escaped = false;
    let end = text[1..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|end| end + 2)
}

fn without_code(line: &str) -> &str {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    match digits {
        3 => line[3..].trim_start_matches(['-', ' ', '\t']),
        _ => line,
    }
}

/// `5.7.8 Sorry`: the code and what follows it. Some write a `#` in front.
fn split_enhanced(line: &str) -> (&str, &str) {
    let line = line.trim_start();
    let word = line.split_whitespace().next().unwrap_or_default();
    let bare = word
        .trim_start_matches('#')
        .trim_end_matches([':', ',', ';']);
    let mut parts = bare.split('.');
    let is_code = ["2", "4", "5"].contains(&parts.next().unwrap_or_default())
        && parts.clone().count() == 2
        && parts
            .all(|part| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()));
    match is_code {
        true => (bare, &line[word.len()..]),
        false => ("", line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_codes_told_apart() {
        for (bytes, enhanced, text) in [
            (
                &b"550-5.7.26 Unauthenticated email from\r\n550-5.7.26 example.com is\r\n550 5.7.26  not accepted\r\n"[..],
                "5.7.26",
                "unauthenticated email from example.com is not accepted",
            ),
            (b"550\r\n", "", ""),
            (b"550 #5.1.0: no\r\n", "5.1.0", "no"),
            (b"550 5.1 odd 1.2.3\r\n", "", "5.1 odd 1.2.3"),
            (b"421 192.0.2.1 busy\r\n", "", "… busy"),
            (b"550 from [192.0.2.1]: x[IPv6:2001:db8::5] no\r\n", "", "from … … no"),
            (b"550 5.1.1 <\"a> b\"@example.org>: no\r\n", "5.1.1", "…: no"),
            (b"550 \"a \\\" b\"@example.org \"From\" no\r\n", "", "… \"from\" no"),
            (b"550-see <https://a.test/b\r\n550 c> or https://a.test/b, (http://a.test)\r\n", "", "see … or … ("),
            (b"550 no <cut off\r\n", "", "no …"),
            (b"550 2 < 3 > 1\r\n", "", "2 < 3 > 1"),
            (b"535 \xc3\xdc\xc2\xeb\xb4\xed\xce\xf3\r\n", "", "密码错误"),
        ] {
            let said = Said::of(550, bytes);
            assert_eq!((said.enhanced.as_str(), said.text.as_str()), (enhanced, text));
        }
    }

    #[test]
    fn a_pattern_stands_in_a_text_as_whole_words() {
        for (pattern, text, stands) in [
            ("idle", "idle", true),
            ("idle", "too long idle.", true),
            ("idle", "(idle) bye", true),
            ("idle", "fidle", false),
            ("idle", "idles", false),
            ("idle", "fidle, and idle", true),
            ("idle", "mx.idle.example", false),
            ("idle", "a/idle and idle-1 and x=idle and idle_2", false),
            ("idle*", "idles", true),
            ("idle*", "idle7 idling idle.example", false),
            ("your ip .. blocked", "your ip … is blocked", true),
            ("your ip .. blocked", "blocked is your ip", false),
            ("failure[", "failure[0]", true),
            ("\u{9891}\u{7387}", "a\u{9891}\u{7387}b", true),
        ] {
            assert_eq!(is_in(pattern, text), stands, "{pattern}: {text}");
        }
    }

    #[test]
    fn codes_of_mailboxes_are_told_from_others() {
        for (code, is) in [
            ("5.1.90", true),
            ("4.2.1", true),
            ("5.7.1", false),
            ("5.11.1", false),
            ("", false),
        ] {
            let said = Said::of(550, format!("550 {code} x\r\n").as_bytes());
            assert_eq!(said.is_of_a_mailbox(), is, "{code}");
        }
    }
}
