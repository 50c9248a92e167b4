//! Relays as they are met: one that takes its time, and one that is down.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Result;

/// Connections that a slow relay serves at once; more are closed.
const CONNECTIONS: u64 = 256;

/// A relay that thinks for a while before it takes a mail. It ends when it is dropped.
pub struct SlowRelay {
    /// Where it is: host and port.
    pub address: std::net::SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    closed: AtomicBool,
    open: AtomicU64,
    taken: AtomicU64,
}

impl SlowRelay {
    /// Starts one that answers DATA after `pause`.
    pub fn start(pause: Duration) -> Result<SlowRelay> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let state = Arc::new(State::default());
        std::thread::spawn({
            let state = state.clone();
            move || {
                for stream in listener.incoming().flatten() {
                    if state.closed.load(Ordering::SeqCst) {
                        return;
                    }
                    if state.open.fetch_add(1, Ordering::SeqCst) >= CONNECTIONS {
                        state.open.fetch_sub(1, Ordering::SeqCst);
                        continue;
                    }
                    let state = state.clone();
                    std::thread::spawn(move || {
                        // A client that hangs up is its own affair.
                        let _ = converse(&stream, pause, &state);
                        state.open.fetch_sub(1, Ordering::SeqCst);
                    });
                }
            }
        });
        Ok(SlowRelay { address, state })
    }

    /// Mails that it took.
    pub fn taken(&self) -> u64 {
        self.state.taken.load(Ordering::SeqCst)
    }
}

impl Drop for SlowRelay {
    fn drop(&mut self) {
        self.state.closed.store(true, Ordering::SeqCst);
        // Only wakes the thread that accepts; it has ended when this fails.
        let _ = TcpStream::connect(self.address);
    }
}

fn converse(stream: &TcpStream, pause: Duration, state: &State) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    let mut lines = BufReader::new(stream);
    let mut answer = stream;
    answer.write_all(b"220 slow.example.com ESMTP\r\n")?;
    let mut line = Vec::new();
    let mut data = false;
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        if data {
            if line == b".\r\n" {
                data = false;
                std::thread::sleep(pause);
                state.taken.fetch_add(1, Ordering::SeqCst);
                answer.write_all(b"250 2.0.0 taken\r\n")?;
            }
            continue;
        }
        let verb: Vec<u8> = line.iter().take(4).map(u8::to_ascii_uppercase).collect();
        let reply: &[u8] = match verb.as_slice() {
            b"EHLO" => b"250-slow.example.com\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n",
            b"DATA" => {
                data = true;
                b"354 go on\r\n"
            }
            b"QUIT" => b"221 2.0.0 bye\r\n",
            _ => b"250 2.0.0 ok\r\n",
        };
        answer.write_all(reply)?;
        if verb == b"QUIT" {
            return Ok(());
        }
    }
}
