//! Writing to the terminal, or to whatever stands in its place. A reader that has gone (`gatepost
//! openapi | head`) is no error; an answer that could not be written (a full disk) is one.

use std::io;
use std::io::Write as _;

use crate::text;

use super::Exit;
use super::FAILED;

/// Writes a line to the standard output. An answer that got lost is said, and ends with
/// [`FAILED`].
pub fn print(text: &str) -> Result<(), Exit> {
    written(try_print(text))
}

/// Writes these bytes and nothing else to the standard output, which is no terminal.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Exit> {
    let mut stdout = io::stdout().lock();
    written(stdout.write_all(bytes).and_then(|()| stdout.flush()))
}

fn written(outcome: io::Result<()>) -> Result<(), Exit> {
    match outcome {
        // Whoever stops reading wants no more.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain(&format!("error: the standard output: {error}"));
            Err(Exit(FAILED))
        }
        _ => Ok(()),
    }
}

/// The same for what must not get lost, a reader that has gone included: the error is the
/// caller's to tell.
pub fn try_print(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{text}")?;
    stdout.flush()
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
