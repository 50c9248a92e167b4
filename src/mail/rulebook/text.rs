//! How the text of a reply is read before it is held against the rules: decoded, its lines joined
//! to one, in small letters. What it means is not known here.

use crate::mail::attempt::text_of;

/// What a server said, ready to be held against the rules.
pub(super) struct Said {
    pub code: u16,
    /// The enhanced code (RFC 3463), such as `5.7.8`; empty where there is none.
    pub enhanced: String,
    /// All lines without their codes, joined by a space, in small letters.
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
            text: words.join(" "),
        }
    }
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
            (b"421 192.0.2.1 busy\r\n", "", "192.0.2.1 busy"),
            (b"535 \xc3\xdc\xc2\xeb\xb4\xed\xce\xf3\r\n", "", "密码错误"),
        ] {
            let said = Said::of(550, bytes);
            assert_eq!((said.enhanced.as_str(), said.text.as_str()), (enhanced, text));
        }
    }
}
