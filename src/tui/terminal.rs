//! The terminal: taken over when the dashboard begins, and given back whole however it ends: at
//! quitting, at a panic, at a signal, and while it is suspended. What must not live here: what is
//! drawn, and what a key means.

use std::io;
use std::io::IsTerminal as _;
use std::io::Write as _;
use std::sync::Mutex;
use std::sync::Once;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread::ThreadId;

use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::Hide;
use ratatui::crossterm::cursor::Show;
use ratatui::crossterm::event::DisableBracketedPaste;
use ratatui::crossterm::event::DisableMouseCapture;
use ratatui::crossterm::event::EnableBracketedPaste;
use ratatui::crossterm::event::EnableMouseCapture;
use ratatui::crossterm::execute;
use ratatui::crossterm::queue;
use ratatui::crossterm::terminal::BeginSynchronizedUpdate;
use ratatui::crossterm::terminal::Clear;
use ratatui::crossterm::terminal::ClearType;
use ratatui::crossterm::terminal::EndSynchronizedUpdate;
use ratatui::crossterm::terminal::EnterAlternateScreen;
use ratatui::crossterm::terminal::LeaveAlternateScreen;
use ratatui::crossterm::terminal::disable_raw_mode;
use ratatui::crossterm::terminal::enable_raw_mode;

/// Whether the terminal is ours now. One process has one terminal, and a panic has no other way
/// to know.
static TAKEN: AtomicBool = AtomicBool::new(false);

/// The thread that draws.
static DRAWS: Mutex<Option<ThreadId>> = Mutex::new(None);

/// Whether the picture goes on without the thread that panics: all others than the one that draws
/// and the process's first. What it said goes into the log, since the picture has the terminal.
fn goes_on() -> bool {
    let thread = std::thread::current();
    let draws = *DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
    draws != Some(thread.id()) && thread.name() != Some("main")
}

/// Whether both ends of the dashboard are a terminal.
pub fn is_there() -> bool {
    io::stdin().is_terminal() && io::stdout().is_terminal()
}

/// The terminal while the dashboard has it. Dropping it gives it back.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<io::Stdout>>,
    mouse: bool,
}

impl Screen {
    /// Takes the terminal over. The panic hook gives it back before it writes.
    ///
    /// # Errors
    /// The terminal cannot be set up; then it is as it was.
    pub fn take(mouse: bool) -> io::Result<Screen> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                if TAKEN.load(Ordering::SeqCst) && goes_on() {
                    // Not what it says: a text that was being looked at may stand in it.
                    let place = panic
                        .location()
                        .map(ToString::to_string)
                        .unwrap_or_default();
                    tracing::error!(place, "a defect");
                    return;
                }
                give_back();
                before(panic);
            }));
        });
        take(mouse)?;
        let terminal = Terminal::new(CrosstermBackend::new(io::stdout()));
        let terminal = terminal.inspect_err(|_| give_back())?;
        let screen = Screen { terminal, mouse };
        screen.own();
        Ok(screen)
    }

    /// From now on this thread draws: a panic in it is the end of the picture.
    pub fn own(&self) {
        let mut draws = DRAWS.lock().unwrap_or_else(PoisonError::into_inner);
        *draws = Some(std::thread::current().id());
    }

    /// Draws a frame.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, view: impl FnOnce(&mut ratatui::Frame<'_>)) -> io::Result<()> {
        // A terminal that knows this shows a frame whole or not yet; the others let it pass.
        queue!(io::stdout(), BeginSynchronizedUpdate)?;
        self.terminal.draw(view)?;
        execute!(io::stdout(), EndSynchronizedUpdate)
    }

    /// Takes the mouse, or gives it to the terminal, which selects text with it.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn mouse(&mut self, ours: bool) -> io::Result<()> {
        self.mouse = ours;
        match ours {
            true => execute!(io::stdout(), EnableMouseCapture),
            false => execute!(io::stdout(), DisableMouseCapture),
        }
    }

    /// Writes bytes that are for the terminal itself, such as a text for its clipboard.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn tell(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout();
        stdout.write_all(bytes)?;
        stdout.flush()
    }

    /// Gives the terminal back and stops this process. What comes after it may run before the
    /// process stands still: [`Screen::take_again`] belongs behind SIGCONT.
    ///
    /// # Errors
    /// The system refuses.
    pub fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The whole group, as the terminal itself would: `cargo run` waits for it, and a shell
        // waits for cargo.
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        Ok(())
    }

    /// Takes the terminal after somebody else had it, and draws all of the next frame anew.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn take_again(&mut self) -> io::Result<()> {
        // Raw mode is remembered as on where the process was stopped from outside.
        give_back();
        take(self.mouse)?;
        // Not `clear`, which asks the terminal where its cursor is, and would have to read the
        // answer from under the thread that reads the keys.
        self.terminal = Terminal::new(CrosstermBackend::new(io::stdout()))?;
        execute!(io::stdout(), Clear(ClearType::All))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn take(mouse: bool) -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let begin = || {
        enable_raw_mode()?;
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            Hide
        )?;
        if mouse {
            execute!(io::stdout(), EnableMouseCapture)?;
        }
        Ok(())
    };
    begin().inspect_err(|_| give_back())
}

/// Undoes all of [`take`]; does nothing when there is nothing to undo. What cannot be written to
/// a terminal that is gone need not be.
pub fn give_back() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        DisableMouseCapture,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        Show
    );
    let _ = disable_raw_mode();
}
