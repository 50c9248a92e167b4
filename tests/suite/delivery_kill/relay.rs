//! A relay that stops in the middle of a conversation, where and for as long as a test wants, and
//! counts how often it got each mail to its last dot.

use std::collections::BTreeMap;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

/// How long anything here is waited for: far longer than it takes.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where a conversation can be stopped: before the answer to what it is named after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The connection.
    Greeting,
    Hello,
    Auth,
    Mail,
    Rcpt,
    Data,
    /// The first line of the message; the others are on their way, or not.
    Content,
    /// The final dot.
    Dot,
    /// Nothing: the answer to the final dot has just been written.
    Answered,
}

impl Stage {
    pub const ALL: [Stage; 9] = [
        Stage::Greeting,
        Stage::Hello,
        Stage::Auth,
        Stage::Mail,
        Stage::Rcpt,
        Stage::Data,
        Stage::Content,
        Stage::Dot,
        Stage::Answered,
    ];
}

/// The relay. It stops listening when this is dropped.
pub struct Relay {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    /// Whether new connections are not greeted yet.
    shut: bool,
    /// Where the next conversation but so many is stopped.
    trap: Option<(Stage, u32)>,
    /// Whether one is.
    held: bool,
    ended: bool,
    /// How often each Message-ID came whole.
    taken: BTreeMap<String, usize>,
}

impl Relay {
    pub fn start() -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State::default());
        std::thread::spawn({
            let state = state.clone();
            move || {
                for stream in listener.incoming() {
                    if state.lock().ended {
                        return;
                    }
                    let state = state.clone();
                    std::thread::spawn(move || {
                        // A client that was killed is what all of this is about.
                        let _ = converse(&stream.unwrap(), &state);
                    });
                }
            }
        });
        Relay { address, state }
    }

    /// Greets nobody until [`Relay::trap`].
    pub fn shut(&self) {
        self.state.lock().shut = true;
    }

    /// Greets again, and stops the conversation that comes to `stage` after `skip` others did.
    pub fn trap(&self, stage: Stage, skip: u32) {
        let mut inner = self.state.lock();
        inner.trap = Some((stage, skip));
        inner.shut = false;
        self.state.changed.notify_all();
    }

    /// Waits until a conversation stands in the trap.
    pub fn wait_held(&self) {
        self.state.wait_while(|inner| !inner.held);
    }

    /// Lets it go on.
    pub fn release(&self) {
        self.state.lock().held = false;
        self.state.changed.notify_all();
    }

    /// How often each Message-ID came whole.
    pub fn taken(&self) -> BTreeMap<String, usize> {
        self.state.lock().taken.clone()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        let mut inner = self.state.lock();
        (inner.ended, inner.shut, inner.held) = (true, false, false);
        drop(inner);
        self.state.changed.notify_all();
        // Only wakes the thread that accepts; when it fails, that one has ended.
        let _ = TcpStream::connect(self.address);
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while(&self, condition: impl Fn(&Inner) -> bool) {
        let inner = self.lock();
        let waited = self
            .changed
            .wait_timeout_while(inner, PATIENCE, |inner| condition(inner));
        let (inner, outcome) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(inner);
        assert!(!outcome.timed_out(), "what was waited for never came");
    }

    /// Stops here, if this is the place.
    fn pass(&self, stage: Stage) {
        let mut inner = self.lock();
        match &mut inner.trap {
            Some((trapped, skip)) if *trapped == stage && *skip > 0 => *skip -= 1,
            Some((trapped, _)) if *trapped == stage => {
                inner.trap = None;
                inner.held = true;
                self.changed.notify_all();
                drop(inner);
                self.wait_while(|inner| inner.held);
            }
            _ => {}
        }
    }
}

fn converse(stream: &TcpStream, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream);
    let say = |line: &str| {
        let mut stream = stream;
        stream.write_all(line.as_bytes())
    };
    state.wait_while(|inner| inner.shut);
    state.pass(Stage::Greeting);
    say("220 relay.test\r\n")?;
    let mut line = String::new();
    loop {
        line.clear();
        if lines.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let verb = line.split([' ', ':', '\r']).next().unwrap_or_default();
        let (stage, answer) = match verb {
            "EHLO" => (Stage::Hello, "250-relay.test\r\n250 AUTH PLAIN\r\n"),
            "AUTH" => (Stage::Auth, "235 welcome\r\n"),
            "MAIL" => (Stage::Mail, "250 ok\r\n"),
            "RCPT" => (Stage::Rcpt, "250 ok\r\n"),
            "DATA" => (Stage::Data, "354 go on\r\n"),
            "QUIT" => return say("221 bye\r\n"),
            _ => {
                say("250 ok\r\n")?;
                continue;
            }
        };
        state.pass(stage);
        say(answer)?;
        if stage == Stage::Data {
            let Some(message_id) = content(&mut lines, state)? else {
                return Ok(());
            };
            *state.lock().taken.entry(message_id).or_default() += 1;
            state.pass(Stage::Dot);
            say("250 taken\r\n")?;
            state.pass(Stage::Answered);
        }
    }
}

/// Reads a message and gives its Message-ID; `None` when it breaks off before its final dot.
fn content(lines: &mut impl std::io::BufRead, state: &State) -> std::io::Result<Option<String>> {
    let mut message_id = None;
    let mut line = Vec::new();
    for number in 0.. {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line == b".\r\n" {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        if let Some(id) = text.strip_prefix("Message-ID: ") {
            message_id.get_or_insert(id.trim().to_owned());
        }
        if number == 0 {
            state.pass(Stage::Content);
        }
    }
    Ok(Some(message_id.expect("our mails have a Message-ID")))
}
