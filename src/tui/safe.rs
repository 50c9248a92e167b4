//! The one gate between what the server answered, which may be a stranger's bytes, and the
//! screen. What the reader shows raw takes the other way through it, [`visible`].

use serde_json::Value;

/// Whether `c` would do something to a terminal or hide from the eye.
fn is_banned(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t')
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe0f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// `text` without what would do something to a terminal; line ends become `\n`, tabs spaces.
pub fn text(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push_str("    "),
            c if is_banned(c) => {}
            c => safe.push(c),
        }
    }
    safe
}

/// The same on one line.
pub fn line(line: &str) -> String {
    text(line).replace('\n', " ")
}

/// `text` with what would do something made visible: `^[` for ESC, `<U+202E>` for an override.
pub fn visible(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => safe.push_str("    "),
            '\r' => {}
            c if !is_banned(c) => safe.push(c),
            '\u{7f}' => safe.push_str("^?"),
            c if (c as u32) < 0x20 => {
                safe.push('^');
                safe.push(char::from(c as u8 + 0x40));
            }
            c => safe.push_str(&format!("<U+{:04X}>", c as u32)),
        }
    }
    safe
}

/// Cleans every text in `json`, the names of fields too.
pub fn clean(json: &mut Value) {
    match json {
        Value::String(value) => {
            if value.chars().any(|c| is_banned(c) || c == '\t') {
                *value = text(value);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(clean),
        Value::Object(fields) => {
            let names = fields.keys().any(|name| name.chars().any(is_banned));
            if names {
                let taken = std::mem::take(fields);
                fields.extend(taken.into_iter().map(|(name, value)| (line(&name), value)));
            }
            fields.values_mut().for_each(clean);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_a_terminal_passes() {
        let hostile = "a\u{1b}[2Jb\u{9b}31mc\r\nd\u{202e}e\u{200b}f\tg\u{7}\u{7f}\u{e0041}字";
        assert_eq!(text(hostile), "a[2Jb31mc\ndef    g字");
        assert_eq!(line("a\nb"), "a b");
        assert_eq!(
            visible("a\u{1b}[2J\r\n\u{202e}\u{9b}\u{7f}"),
            "a^[[2J\n<U+202E><U+009B>^?"
        );
    }

    #[test]
    fn every_text_of_an_answer_is_cleaned() {
        let mut json = serde_json::json!({"a\u{1b}": ["\u{1b}x", {"b": "\u{202e}y"}], "n": 1});
        clean(&mut json);
        assert_eq!(json, serde_json::json!({"a": ["x", {"b": "y"}], "n": 1}));
    }
}
