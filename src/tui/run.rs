//! The loop: messages in, effects out, a frame when something changed. It alone touches the
//! terminal. What must not live here: what a message means.

use std::io;
use std::path::Path;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::mpsc::RecvTimeoutError;
use std::thread::JoinHandle;
use std::time::Duration;

use ratatui::crossterm::event;
use ratatui::crossterm::event::Event;
use ratatui::crossterm::event::KeyEventKind;

use crate::client::Client;
use crate::world::World;

use super::Settings;
use super::clipboard;
use super::effect::Effect;
use super::model::Model;
use super::model::Remembered;
use super::msg::Msg;
use super::msg::Note;
use super::safe;
use super::stream::Stream;
use super::terminal::Screen;
use super::update::update;
use super::view::view;
use super::worker::Tools;
use super::worker::Worker;

/// Between two frames: at most thirty a second.
const FRAME: Duration = Duration::from_millis(1000 / 30);

/// Columns and rows before the terminal has told its own.
const SIZE: (u16, u16) = (80, 24);

/// How many messages are taken in before the next look at the clock.
const BATCH: usize = 1000;

/// What the dashboard needs beside the model's settings.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Everything that the model is told.
    pub settings: Settings,
    /// What the workers have.
    pub tools: Tools,
    /// Through what a text for the clipboard has to pass on its way to the terminal.
    pub between: clipboard::Through,
    /// Whether the mouse is caught.
    pub mouse: bool,
    /// Where it is kept how the dashboard was left.
    pub state_file: Option<PathBuf>,
}

/// What the loop waits for.
enum Happening {
    Input(Event),
    Told(Msg),
    Suspend,
    /// The process was stopped, and goes on.
    Continue,
    Quit,
    /// The terminal is gone.
    Gone(io::Error),
}

/// A dashboard that runs, from outside.
pub struct Dashboard {
    happenings: mpsc::Sender<Happening>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Dashboard {
    /// Opens the dashboard on this process's terminal. `ended` is called once, when it is over and
    /// the terminal was given back.
    ///
    /// # Errors
    /// The terminal cannot be taken; it is as it was.
    pub fn open(
        client: Client,
        setup: Setup,
        ended: impl FnOnce() + Send + 'static,
    ) -> io::Result<Dashboard> {
        let screen = Screen::take(setup.mouse)?;
        let (happenings, queue) = mpsc::channel();
        let tell = happenings.clone();
        let thread = std::thread::Builder::new().name("dashboard".to_owned());
        let thread = thread.spawn(move || {
            // Also when it panics: whoever waits for the end must not wait for ever.
            let _ended = OnDrop(Some(ended));
            screen.own();
            Loop::new(client, setup, screen, tell).run(&queue)
        })?;
        Ok(Dashboard {
            happenings,
            thread: Some(thread),
        })
    }

    /// Ends it, from outside.
    pub fn quit(&self) {
        // If nobody listens, it has ended.
        let _ = self.happenings.send(Happening::Quit);
    }

    /// Puts the process into the background, as SIGTSTP would.
    pub fn suspend(&self) {
        let _ = self.happenings.send(Happening::Suspend);
    }

    /// Takes the terminal again and draws all of it: the process was stopped and goes on.
    pub fn go_on(&self) {
        let _ = self.happenings.send(Happening::Continue);
    }

    /// Waits until it has ended.
    ///
    /// # Errors
    /// The terminal failed, or a defect was met.
    pub fn join(mut self) -> io::Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(outcome)) => outcome,
            Some(Err(_)) => Err(io::Error::other("the dashboard has a defect and ended")),
            None => Ok(()),
        }
    }
}

struct OnDrop<F: FnOnce()>(Option<F>);

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            work();
        }
    }
}

struct Loop {
    model: Model,
    screen: Screen,
    worker: Worker,
    stream: Stream,
    setup: Setup,
    world: World,
    /// When the last frame was drawn, on the growing clock.
    drawn: Option<Duration>,
    /// Whether the terminal is somebody else's for now.
    suspended: bool,
    over: bool,
}

impl Loop {
    fn new(client: Client, setup: Setup, screen: Screen, tell: mpsc::Sender<Happening>) -> Loop {
        let client = client.through(safe::clean);
        let world = setup.tools.world.clone();
        let told = {
            let tell = tell.clone();
            // If nobody listens, it is over.
            move |msg| drop(tell.send(Happening::Told(msg)))
        };
        std::thread::spawn(move || read_input(&tell));
        let mut model = Model::new(setup.settings.clone(), world.now(), SIZE);
        model.mouse = setup.mouse;
        Loop {
            worker: Worker::start(&client, &setup.tools, told.clone()),
            stream: Stream::start(client, world.clone(), told),
            model,
            screen,
            setup,
            world,
            drawn: None,
            suspended: false,
            over: false,
        }
    }

    fn run(mut self, queue: &mpsc::Receiver<Happening>) -> io::Result<()> {
        let (columns, rows) = ratatui::crossterm::terminal::size()?;
        let start = self.model.start();
        self.perform(start)?;
        self.take_in(Msg::Resize(columns, rows))?;
        while !self.over {
            self.draw()?;
            let happening = match self.patience() {
                None => queue.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => queue.recv_timeout(patience),
            };
            self.take_in(Msg::Tick(self.world.now()))?;
            match happening {
                Ok(happening) => self.happened(happening)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            // What else is there already is taken in before anything is drawn.
            for happening in queue.try_iter().take(BATCH) {
                if self.over {
                    break;
                }
                self.happened(happening)?;
            }
        }
        Ok(())
    }

    /// Draws if something changed and the last frame is long enough ago.
    fn draw(&mut self) -> io::Result<()> {
        if self.suspended || !self.model.dirty || !self.until_next_frame().is_zero() {
            return Ok(());
        }
        let model = &self.model;
        self.screen.draw(|frame| view(model, frame))?;
        self.model.dirty = false;
        self.drawn = Some(self.world.elapsed());
        Ok(())
    }

    fn until_next_frame(&self) -> Duration {
        self.drawn.map_or(Duration::ZERO, |drawn| {
            (drawn + FRAME).saturating_sub(self.world.elapsed())
        })
    }

    /// How long to wait for something to happen; `None`: as long as it takes.
    fn patience(&self) -> Option<Duration> {
        if self.suspended {
            return None;
        }
        if self.model.dirty {
            return Some(self.until_next_frame());
        }
        let now = self.world.now();
        let next = self.model.next_tick()?;
        let millis = next.as_millis().saturating_sub(now.as_millis());
        Some(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
    }

    fn happened(&mut self, happening: Happening) -> io::Result<()> {
        match happening {
            Happening::Input(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                self.take_in(Msg::Key(key))
            }
            Happening::Input(Event::Mouse(mouse)) => self.take_in(Msg::Mouse(mouse)),
            Happening::Input(Event::Paste(text)) => self.take_in(Msg::Paste(text)),
            Happening::Input(Event::Resize(columns, rows)) => {
                self.take_in(Msg::Resize(columns, rows))
            }
            Happening::Input(_) => Ok(()),
            Happening::Told(msg) => self.take_in(msg),
            Happening::Suspend => self.perform(vec![Effect::Suspend]),
            Happening::Continue => self.take_again(),
            Happening::Quit => {
                self.remember(&self.model.remembered());
                self.over = true;
                Ok(())
            }
            Happening::Gone(error) => Err(error),
        }
    }

    /// Whoever stopped the process had the terminal meanwhile, and left it as they like.
    fn take_again(&mut self) -> io::Result<()> {
        self.suspended = false;
        self.screen.take_again()?;
        let (columns, rows) = ratatui::crossterm::terminal::size()?;
        self.take_in(Msg::Tick(self.world.now()))?;
        self.take_in(Msg::Resize(columns, rows))
    }

    fn take_in(&mut self, msg: Msg) -> io::Result<()> {
        let effects = update(&mut self.model, msg);
        self.perform(effects)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        for effect in effects {
            match effect {
                Effect::Mouse(ours) => self.screen.mouse(ours)?,
                // The first process of a container cannot be stopped from within, nor gone on with.
                Effect::Suspend if rustix::process::getpid().is_init() => {
                    let note = Note::bad(self.setup.tools.words.say("note_no_suspend"));
                    self.take_in(Msg::Note(note))?;
                }
                Effect::Suspend => {
                    // The rest follows when the process goes on, which is told by a signal: this
                    // very thread may run a little further before it is stopped with the others.
                    self.suspended = true;
                    self.screen.suspend()?;
                }
                Effect::Reconnect => self.stream.connect(),
                Effect::Remember(remembered) => self.remember(&remembered),
                Effect::Quit => self.over = true,
                Effect::Copy { text, what } => {
                    // On one line: what is pasted into a shell is not to run by itself.
                    let text = safe::line(&text);
                    match clipboard::osc52(&text, self.setup.between) {
                        Some(bytes) => {
                            self.screen.tell(&bytes)?;
                            self.worker.work(Effect::Copy { text, what });
                        }
                        None => {
                            let words = self.setup.tools.words;
                            let note = Note::bad(words.say("note_too_long_to_copy"));
                            self.take_in(Msg::Note(note))?;
                        }
                    }
                }
                effect => self.worker.work(effect),
            }
        }
        Ok(())
    }

    /// It is convenient and no loss: what cannot be written is not.
    fn remember(&self, remembered: &Remembered) {
        let Some(file) = &self.setup.state_file else {
            return;
        };
        if let (Some(folder), Ok(json)) = (file.parent(), serde_json::to_string(remembered)) {
            let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(file, json));
            if let Err(error) = written {
                tracing::debug!(%error, "how the dashboard was left could not be kept");
            }
        }
    }
}

/// How the dashboard was left, from the file of its state. What cannot be read was not left.
pub fn recall(file: Option<&Path>) -> Remembered {
    let text = file.and_then(|file| std::fs::read_to_string(file).ok());
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// Reads the terminal until nobody wants to know, or it is gone.
fn read_input(tell: &mpsc::Sender<Happening>) {
    loop {
        let happening = match event::read() {
            Ok(event) => Happening::Input(event),
            Err(error) => Happening::Gone(error),
        };
        let gone = matches!(happening, Happening::Gone(_));
        if tell.send(happening).is_err() || gone {
            return;
        }
    }
}
