//! The stream below the SMTP client: it keeps what was said, except what must not be kept, and
//! sends a message in one piece. It knows nothing of what commands mean.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_rustls::client::TlsStream;

/// The longest reply and the longest transcript that are kept, in bytes.
const MOST_KEPT: usize = 4096;

/// How many bytes a server may say to one command; a reply has a few hundred. The client gathers
/// a line until its end comes, and a server that never ends one must not fill the memory.
const MOST_HEARD: usize = 64 << 10;

/// Whether these are the bytes of a reply that goes on and on.
pub fn is_endless(kept: &[u8]) -> bool {
    kept.len() >= MOST_KEPT
}

const END_OF_CONTENT: &[u8] = b"\r\n.\r\n";

/// What is written now, and so how it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speaking {
    /// Commands: kept.
    #[default]
    Commands,
    /// Credentials: only that there were some is kept.
    Credentials,
    /// A message: held until its final dot, only its size is kept.
    Content,
}

/// The record of a conversation, shared with whoever drives it.
#[derive(Default)]
pub struct Tape {
    state: Mutex<State>,
    dot: Notify,
}

#[derive(Default)]
struct State {
    speaking: Speaking,
    transcript: Vec<u8>,
    reply: Vec<u8>,
    /// How many bytes came since [`Tape::speak`], kept or not.
    heard: usize,
    dot_sent: bool,
}

impl Tape {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what will be written from now on; forgets the last reply.
    pub fn speak(&self, speaking: Speaking) {
        let mut state = self.lock();
        state.speaking = speaking;
        state.reply.clear();
        state.heard = 0;
        state.dot_sent = false;
    }

    /// The bytes that came since [`Tape::speak`].
    pub fn reply(&self) -> Vec<u8> {
        self.lock().reply.clone()
    }

    /// The conversation since the last call.
    pub fn take_transcript(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().transcript)
    }

    /// Whether the final dot left; from then on the server may have taken the message.
    pub fn dot_sent(&self) -> bool {
        self.lock().dot_sent
    }

    /// Completes when the final dot has left.
    pub async fn until_dot(&self) {
        while !self.dot_sent() {
            self.dot.notified().await;
        }
    }

    /// Fails when the server says more than any reply needs.
    fn heard(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.lock();
        keep(&mut state.reply, bytes);
        keep(&mut state.transcript, bytes);
        state.heard = state.heard.saturating_add(bytes.len());
        if state.heard > MOST_HEARD {
            let problem = "the server's reply does not end";
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(())
    }

    fn said(&self, bytes: &[u8]) {
        let mut state = self.lock();
        match state.speaking {
            Speaking::Commands => {
                keep(&mut state.transcript, b"> ");
                keep(&mut state.transcript, bytes);
            }
            Speaking::Credentials => keep(&mut state.transcript, b"> (credentials)\r\n"),
            Speaking::Content => {
                let line = format!("> ({} bytes)\r\n", bytes.len());
                keep(&mut state.transcript, line.as_bytes());
            }
        }
    }

    fn dot_left(&self) {
        self.lock().dot_sent = true;
        self.dot.notify_one();
    }
}

fn keep(into: &mut Vec<u8>, bytes: &[u8]) {
    let room = MOST_KEPT.saturating_sub(into.len());
    into.extend_from_slice(&bytes[..bytes.len().min(room)]);
}

/// A connection, encrypted or not.
pub enum Stream {
    /// Plain TCP.
    Plain(TcpStream),
    /// TLS over TCP.
    Tls(Box<TlsStream<TcpStream>>),
}

/// See the [module](self).
pub struct Wire {
    stream: Stream,
    tape: Arc<Tape>,
    /// Read before anything from the network: a greeting where the server gives no second one.
    primed: &'static [u8],
    held: Vec<u8>,
    sent: usize,
}

impl Wire {
    /// A wire over `stream`, kept on `tape`.
    pub fn new(stream: Stream, tape: Arc<Tape>, primed: &'static [u8]) -> Wire {
        Wire {
            stream,
            tape,
            primed,
            held: Vec::new(),
            sent: 0,
        }
    }

    /// What lies below.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The stream itself.
    pub fn into_stream(self) -> Stream {
        self.stream
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(stream) => stream.peer_addr(),
            Stream::Tls(stream) => stream.get_ref().0.peer_addr(),
        }
    }
}

impl Stream {
    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Stream::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Stream::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.primed.is_empty() {
            let count = self.primed.len().min(into.remaining());
            let (now, later) = self.primed.split_at(count);
            into.put_slice(now);
            self.primed = later;
            return Poll::Ready(Ok(()));
        }
        let before = into.filled().len();
        ready!(match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_read(cx, into),
            Stream::Tls(stream) => Pin::new(stream).poll_read(cx, into),
        })?;
        Poll::Ready(self.tape.heard(&into.filled()[before..]))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.tape.lock().speaking == Speaking::Content {
            // The client writes a message and its final dot apart; together they cost one
            // packet, and the dot cannot be waiting in a buffer while the rest is out.
            self.held.extend_from_slice(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        let count = ready!(self.stream.poll_write(cx, bytes))?;
        self.tape.said(&bytes[..count]);
        Poll::Ready(Ok(count))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let wire = &mut *self;
        if wire.held.ends_with(END_OF_CONTENT) {
            while wire.sent < wire.held.len() {
                let count = ready!(wire.stream.poll_write(cx, &wire.held[wire.sent..]))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                }
                wire.sent += count;
            }
            wire.tape.said(&wire.held);
            wire.held.clear();
            wire.sent = 0;
            wire.tape.dot_left();
        }
        wire.stream.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Stream::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
