//! Copying: through the terminal, which works from far away too (OSC 52), or with a program of the
//! desktop. What a stranger wrote is cleaned before it gets there: it may be pasted into a shell.

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::Pid;
use rustix::process::Signal;

use super::safe;

/// The most that is copied, in bytes: terminals drop a longer sequence without a word.
pub const LONGEST: usize = 74_000;

/// What stands between us and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Through {
    /// Nothing.
    #[default]
    Nothing,
    /// tmux, which hands on what is wrapped for it.
    Tmux,
    /// screen, which does so in small pieces.
    Screen,
}

/// The bytes that put `text` into the clipboard of the terminal; none where it is too long.
pub fn osc52(text: &str, through: Through) -> Option<Vec<u8>> {
    let text = safe::text(text);
    if text.len() > LONGEST {
        return None;
    }
    let sequence = format!("\x1b]52;c;{}\x07", BASE64_STANDARD.encode(text));
    let bytes = match through {
        Through::Nothing => sequence.into_bytes(),
        Through::Tmux => {
            format!("\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b")).into_bytes()
        }
        // It holds 768 bytes at most; the sequence is ASCII.
        Through::Screen => {
            let mut bytes = Vec::new();
            for piece in sequence.as_bytes().chunks(200) {
                bytes.extend_from_slice(b"\x1bP");
                bytes.extend_from_slice(piece);
                bytes.extend_from_slice(b"\x1b\\");
            }
            bytes
        }
    };
    Some(bytes)
}

/// A program that copies what it reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// Of Wayland.
    WlCopy,
    /// Of X11.
    Xclip,
    /// Of X11.
    Xsel,
    /// Of macOS.
    Pbcopy,
    /// Of Windows, from within its Linux.
    Clip,
}

impl Tool {
    /// Its name and what it is told.
    pub fn command(self) -> (&'static str, &'static [&'static str]) {
        match self {
            Tool::WlCopy => ("wl-copy", &[]),
            Tool::Xclip => ("xclip", &["-selection", "clipboard", "-in"]),
            Tool::Xsel => ("xsel", &["--clipboard", "--input"]),
            Tool::Pbcopy => ("pbcopy", &[]),
            Tool::Clip => ("clip.exe", &[]),
        }
    }
}

/// Copies `text` with the first of `tools` that is there and works; each has `patience`. Hands
/// back which it was. It waits, so it is done on a thread.
pub fn local(text: &str, tools: &[Tool], patience: Duration) -> Option<Tool> {
    let text = safe::text(text);
    tools.iter().copied().find(|tool| {
        let bytes = match tool {
            // It takes anything else for the console's old code page.
            Tool::Clip => {
                let units = std::iter::once(0xfeff).chain(text.encode_utf16());
                units.flat_map(u16::to_le_bytes).collect()
            }
            _ => text.clone().into_bytes(),
        };
        let (program, arguments) = tool.command();
        let mut command = Command::new(program);
        command.args(arguments);
        fed(command, bytes, patience)
    })
}

/// Runs `command`, hands it `bytes`, and says whether it ended well in time.
fn fed(mut command: Command, bytes: Vec<u8>, patience: Duration) -> bool {
    let command = command
        // What serves the clipboard goes on when the dashboard is suspended.
        .process_group(0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let Ok(mut child) = command.spawn() else {
        return false;
    };
    let process = Pid::from_child(&child);
    let (ended, end) = mpsc::channel();
    std::thread::spawn(move || {
        let written = match child.stdin.take() {
            Some(mut stdin) => stdin.write_all(&bytes).is_ok(),
            None => false,
        };
        let well = child.wait().is_ok_and(|status| status.success());
        // Nobody listens any more when it took too long.
        let _ = ended.send(written && well);
    });
    end.recv_timeout(patience).unwrap_or_else(|_| {
        // The thread has not waited for it yet, so the number is still its own.
        let _ = rustix::process::kill_process(process, Signal::KILL);
        false
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_what_terminals_read() {
        let plain = osc52("482913", Through::Nothing).unwrap();
        assert_eq!(plain, b"\x1b]52;c;NDgyOTEz\x07");
        let tmux = osc52("482913", Through::Tmux).unwrap();
        assert_eq!(tmux, b"\x1bPtmux;\x1b\x1b]52;c;NDgyOTEz\x07\x1b\\");
        let screen = osc52(&"x".repeat(300), Through::Screen).unwrap();
        assert!(screen.starts_with(b"\x1bP\x1b]52;c;") && screen.ends_with(b"\x07\x1b\\"));
        assert_eq!(
            osc52("a\x1b[2Jb\u{202e}", Through::Nothing),
            osc52("a[2Jb", Through::Nothing)
        );
        assert_eq!(osc52(&"x".repeat(LONGEST + 1), Through::Nothing), None);
    }

    #[test]
    fn a_program_is_fed_and_not_waited_for_forever() {
        let patience = Duration::from_secs(30);
        assert!(fed(Command::new("cat"), vec![b'x'; 200_000], patience));
        assert!(!fed(Command::new("false"), Vec::new(), patience));
        assert!(!fed(Command::new("no-such-program"), Vec::new(), patience));
        let mut stuck = Command::new("sleep");
        stuck.arg("600");
        assert!(!fed(stuck, vec![b'x'; 200_000], Duration::from_millis(50)));
    }
}
