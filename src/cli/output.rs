//! Writing to the terminal. A reader that has gone (`gatepost openapi | head`) is no error.

use std::io::Write as _;

use crate::text;

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

/// Text from outside, with what could move the terminal's cursor, turn the direction or hide
/// made visible instead.
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            visible.extend(c.escape_debug());
        } else if text::hides(c) && !text::shapes(c) {
            visible.extend(c.escape_unicode());
        } else {
            visible.push(c);
        }
    }
    visible
}
