//! Writing to the terminal. A reader that has gone (`gatepost openapi | head`) is no error.

use std::io::Write as _;

/// Writes a line to the standard output.
pub fn print(text: &str) {
    // See above: whoever stops reading wants no more.
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a line to the standard error.
pub fn complain(text: &str) {
    // With no standard error there is nobody left to tell.
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// Text from outside, with what could move the terminal's cursor made visible instead.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        match c.is_control() {
            true => visible.extend(c.escape_debug()),
            false => visible.push(c),
        }
    }
    visible
}
