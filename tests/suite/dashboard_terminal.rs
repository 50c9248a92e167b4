//! A gatepost on a pseudo-terminal that keeps running: keys go in, and what a person would see
//! comes out.

use std::fs::File;
use std::io::Read as _;
use std::io::Write as _;
use std::num::NonZero;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use rustix::process::Pid;
use rustix::process::Signal;
use rustix::pty::OpenptFlags;
use rustix::termios::LocalModes;
use rustix::termios::Winsize;

use crate::process::patiently;

/// What the terminal shows, and every byte that it was sent.
struct Shown {
    parser: vt100::Parser,
    bytes: Vec<u8>,
}

fn cells(count: u16) -> NonZero<u16> {
    NonZero::new(count).expect("a terminal has rows and columns")
}

/// A program on a terminal of its own. Killed when dropped.
pub struct Terminal {
    child: Child,
    ours: File,
    theirs: File,
    shown: Arc<Mutex<Shown>>,
}

impl Terminal {
    /// Runs `gatepost` with `arguments` in `folder` on a terminal of so many columns and rows.
    pub fn start(
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        size: (u16, u16),
    ) -> Terminal {
        let gatepost = Path::new(env!("CARGO_BIN_EXE_gatepost"));
        Terminal::start_program(gatepost, folder, arguments, environment, size)
    }

    /// The same for any program.
    pub fn start_program(
        program: &Path,
        folder: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
        (columns, rows): (u16, u16),
    ) -> Terminal {
        let ours = rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        rustix::pty::grantpt(&ours).unwrap();
        rustix::pty::unlockpt(&ours).unwrap();
        let name = rustix::pty::ptsname(&ours, Vec::new()).unwrap();
        let name = name.into_string().unwrap();
        let theirs = File::options().read(true).write(true).open(name).unwrap();
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&theirs, size).unwrap();
        // A session of its own, which has this terminal: so signals reach it as a shell's would.
        let child = Command::new("/usr/bin/setsid")
            .arg("--ctty")
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("XDG_STATE_HOME", folder.join("state"))
            .envs(environment.iter().copied())
            .stdin(theirs.try_clone().unwrap())
            .stdout(theirs.try_clone().unwrap())
            .stderr(theirs.try_clone().unwrap())
            .spawn()
            .unwrap();
        let shown = Arc::new(Mutex::new(Shown {
            parser: vt100::Parser::new(cells(rows), cells(columns), 0),
            bytes: Vec::new(),
        }));
        let ours = File::from(ours);
        let mut reading = ours.try_clone().unwrap();
        let into = shown.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            // It ends with EIO, once nobody is left on the other side.
            while let Ok(count @ 1..) = reading.read(&mut bytes) {
                let mut shown = into.lock().unwrap();
                shown.parser.process(&bytes[..count]);
                shown.bytes.extend_from_slice(&bytes[..count]);
            }
        });
        Terminal {
            child,
            ours,
            theirs,
            shown,
        }
    }

    /// Types `keys`, as bytes of a terminal.
    pub fn press(&mut self, keys: &str) {
        self.ours.write_all(keys.as_bytes()).unwrap();
    }

    /// What it shows now, line by line.
    pub fn screen(&self) -> String {
        self.shown.lock().unwrap().parser.screen().contents()
    }

    /// Every byte that was written to it, as far as it is text.
    pub fn written(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().unwrap().bytes).into_owned()
    }

    /// Waits until what it shows is as `wanted`.
    #[track_caller]
    pub fn shows(&mut self, wanted: &str) {
        self.shows_that(wanted, |screen| screen.contains(wanted));
    }

    /// The same for anything that can be said about the screen.
    #[track_caller]
    pub fn shows_that(&mut self, what: &str, wanted: impl Fn(&str) -> bool) {
        let seen = patiently(|| {
            let ended = self.child.try_wait().unwrap();
            (wanted(&self.screen()) || ended.is_some()).then_some(())
        });
        let screen = self.screen();
        assert!(
            seen.is_some() && wanted(&screen),
            "never shown: {what}\n{screen}"
        );
    }

    /// Changes its size.
    pub fn resize(&self, columns: u16, rows: u16) {
        let mut shown = self.shown.lock().unwrap();
        shown
            .parser
            .screen_mut()
            .set_size(cells(rows), cells(columns));
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        rustix::termios::tcsetwinsize(&self.theirs, size).unwrap();
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        rustix::process::kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until the terminal is as a shell wants it: lines are edited, typing is echoed, no
    /// alternate screen, no mouse, no bracketed paste, and the cursor is seen.
    #[track_caller]
    pub fn is_given_back(&self) {
        let whole = patiently(|| self.is_whole().then_some(()));
        assert!(whole.is_some(), "{}\n{:?}", self.screen(), self.written());
    }

    fn is_whole(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.theirs)
            .unwrap()
            .local_modes;
        let shown = self.shown.lock().unwrap();
        let screen = shown.parser.screen();
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
            && !screen.alternate_screen()
            && !screen.hide_cursor()
            && !screen.bracketed_paste()
            && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }

    /// Whether the dashboard has the terminal.
    pub fn is_taken(&self) -> bool {
        self.shown
            .lock()
            .unwrap()
            .parser
            .screen()
            .alternate_screen()
    }

    /// Waits until the program has ended, and tells its exit code (or minus the signal).
    #[track_caller]
    pub fn ended(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt as _;
        let status = patiently(|| self.child.try_wait().unwrap());
        let status = status.unwrap_or_else(|| panic!("it does not end\n{}", self.screen()));
        status
            .code()
            .unwrap_or_else(|| -status.signal().unwrap_or_default())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
