//! A terminal for a command under test: a pseudo-terminal as its standard output.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;
use serde_json::Value;

use crate::process;

/// Runs `command` to its end, and hands back its exit code, its standard output and its standard
/// error, each as text.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap_or(-1), text(stdout), text(stderr))
}

/// The same on a terminal of so many columns; the standard error is not on it.
pub fn run_on_a_terminal(command: &mut Command, columns: u16) -> (i32, String, String) {
    let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&ours).unwrap();
    rustix::pty::unlockpt(&ours).unwrap();
    let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap();
    let name = name.into_string().unwrap();
    let theirs = File::options().read(true).write(true).open(name).unwrap();
    let size = Winsize {
        ws_row: 24,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(&theirs, size).unwrap();
    let mut child = command
        .stdout(theirs)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Ours must not be the last hand that holds the other end open.
    command.stdout(Stdio::null());
    let mut shown = Vec::new();
    // It ends with EIO, once nobody is left on the other side.
    let _ = File::from(ours).read_to_end(&mut shown);
    let mut complaints = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut complaints).unwrap();
    let status = child.wait().unwrap();
    let shown = String::from_utf8(shown).unwrap().replace("\r\n", "\n");
    (status.code().unwrap_or(-1), shown, complaints)
}

/// `gatepost` with `arguments` in `folder`.
pub fn gatepost(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = process::command(folder);
    command.args(arguments);
    command
}

/// What a program gets of a command that goes well.
pub fn told(folder: &Path, arguments: &[&str]) -> Value {
    let (code, out, err) = run(&mut gatepost(folder, arguments));
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    match out.is_empty() {
        true => Value::Null,
        false => serde_json::from_str(&out).unwrap(),
    }
}

/// What people are shown of a command that goes well.
pub fn shown(folder: &Path, arguments: &[&str]) -> String {
    let (code, out, err) = run_on_a_terminal(&mut gatepost(folder, arguments), 160);
    assert_eq!((code, err.as_str()), (0, ""), "{arguments:?}");
    assert!(!out.contains('\u{1b}'), "{arguments:?}: {out:?}");
    out
}
