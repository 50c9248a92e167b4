//! A JSON value as YAML in block style: the document for people who prefer to read that. What
//! must not live here: anything that knows what the value is.

use std::fmt::Write as _;

use serde_json::Value;

/// `value` as a YAML 1.2 document.
pub fn to_yaml(value: &Value) -> String {
    let mut text = String::new();
    write(&mut text, value, 0);
    text
}

fn write(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (name, value) in fields {
                indent(text, depth);
                text.push_str(&scalar(name));
                text.push(':');
                write_nested(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                indent(text, depth);
                text.push('-');
                write_nested(text, item, depth);
            }
        }
        leaf => {
            indent(text, depth);
            write_leaf(text, leaf);
        }
    }
}

fn write_nested(text: &mut String, value: &Value, depth: usize) {
    let is_block = match value {
        Value::Object(fields) => !fields.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    };
    if is_block {
        text.push('\n');
        write(text, value, depth + 1);
    } else {
        text.push(' ');
        write_leaf(text, value);
    }
}

fn write_leaf(text: &mut String, leaf: &Value) {
    match leaf {
        Value::String(string) => text.push_str(&scalar(string)),
        // A number, a word or an empty `{}` or `[]` is YAML as it stands.
        // Infallible: a String takes whatever is written.
        other => {
            let _ = write!(text, "{other}");
        }
    }
    text.push('\n');
}

fn indent(text: &mut String, depth: usize) {
    for _ in 0..depth {
        text.push_str("  ");
    }
}

/// Plain where nobody could take it for anything else, else as a JSON string, which YAML reads.
fn scalar(string: &str) -> String {
    let starts = |c: char| c.is_ascii_alphabetic() || matches!(c, '/' | '$' | '_');
    let plain = string.starts_with(starts)
        && string
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/_.-$".contains(c));
    let word = string.to_ascii_lowercase();
    let taken = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    if plain && !taken.contains(&word.as_str()) {
        string.to_owned()
    } else {
        Value::from(string).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nesting_is_indentation_and_doubtful_words_are_quoted() {
        let yaml = to_yaml(&json!({
            "openapi": "3.0.3",
            "200": {"a": [1, true, "no", {"b": null, "c": "x: y"}], "empty": {}, "none": []},
        }));
        let expected = "openapi: \"3.0.3\"\n\"200\":\n  a:\n    - 1\n    - true\n    - \"no\"\n    \
            -\n      b: null\n      c: \"x: y\"\n  empty: {}\n  none: []\n";
        assert_eq!(yaml, expected);
    }
}
