//! Connections: taken from the listener, at most so many, each with deadlines against clients
//! that never finish what they began, and let go of within a grace period at the end. What must
//! not live here: anything about what the requests mean.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::Acceptor;
use poem::web::{LocalAddr, RemoteAddr};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::App;
use crate::world::Pause;
use crate::world::World;

/// How long a client may take.
#[derive(Debug, Clone)]
pub struct Patience {
    /// From the first byte of a request's head to its last.
    pub head: Duration,
    /// Between two requests on one connection; also without a byte taken of an answer.
    pub idle: Duration,
}

/// Answers requests from `listener` until `shutdown` completes, then stops accepting, ends the
/// waits, finishes what runs within `grace` and returns.
///
/// # Errors
/// When the listener has no address any more.
pub async fn serve(
    listener: TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send,
    grace: Duration,
) -> io::Result<()> {
    let settings = app.settings();
    let door = Door {
        local: LocalAddr(listener.local_addr()?.into()),
        listener,
        places: Arc::new(Semaphore::new(settings.connections)),
        patience: Patience {
            head: settings.head_timeout,
            idle: settings.idle_timeout,
        },
        world: app.world().clone(),
    };
    let closing = app.clone();
    let shutdown = async move {
        shutdown.await;
        closing.close();
    };
    poem::Server::new_with_acceptor(door)
        .name("http")
        .http2_max_concurrent_streams(STREAMS)
        .run_with_graceful_shutdown(app, shutdown, Some(grace))
        .await
}

/// Requests at once on one connection of HTTP/2; each holds memory, and `connections` counts none
/// of them.
const STREAMS: u32 = 64;

struct Door {
    listener: TcpListener,
    local: LocalAddr,
    places: Arc<Semaphore>,
    patience: Patience,
    world: World,
}

impl Acceptor for Door {
    type Io = Connection;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Connection, LocalAddr, RemoteAddr, Scheme)> {
        // Whoever finds no place waits in the backlog of the listener.
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(io::Error::other)?;
        let (stream, remote) = loop {
            match self.listener.accept().await {
                Ok(accepted) => break accepted,
                Err(error) => {
                    // Out of descriptors, most likely: at once again would only burn the CPU.
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.world.sleep(Duration::from_millis(100)).await;
                }
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let local = stream
            .local_addr()
            .map_or(self.local.clone(), |own| LocalAddr(own.into()));
        let connection = Connection {
            stream,
            reading: Reading::Between,
            deadline: self.world.elapsed() + self.patience.head,
            alarm: None,
            patience: self.patience.clone(),
            world: self.world.clone(),
            _place: place,
        };
        Ok((connection, local, RemoteAddr(remote.into()), Scheme::HTTP))
    }
}

/// Where the client is in what it sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Nothing of the next request has come.
    Between,
    /// A part of a head has come; so many bytes of the empty line that ends it stood at the end.
    Head(usize),
    /// The head is complete: the body has its own deadline, the answer is being worked on.
    Beyond,
    /// HTTP/2, which has no such phases on a connection.
    Frames,
}

/// A connection that gives up on a client which stops in the middle.
struct Connection {
    stream: TcpStream,
    reading: Reading,
    /// On the growing clock.
    deadline: Duration,
    /// Set for the deadline of some time ago, which has only moved on since: looking at it when it
    /// rings is cheaper than setting it anew for every request.
    alarm: Option<Pause>,
    patience: Patience,
    world: World,
    _place: OwnedSemaphorePermit,
}

const END_OF_HEAD: &[u8] = b"\r\n\r\n";

impl Connection {
    fn set_deadline(&mut self, after: Duration) {
        let deadline = self.world.elapsed() + after;
        if deadline < self.deadline {
            self.alarm = None;
        }
        self.deadline = deadline;
    }

    /// Notes what has come. Only the end of a head is looked for: parsing is not done here.
    fn note(&mut self, bytes: &[u8]) {
        let seen = match self.reading {
            Reading::Between if bytes.starts_with(b"PRI * HTTP/2") => {
                self.reading = Reading::Frames;
                return;
            }
            Reading::Between => {
                // In one piece, as nearly always: nothing to time.
                if ends_head(bytes, &mut 0) {
                    self.reading = Reading::Beyond;
                    return;
                }
                self.set_deadline(self.patience.head);
                0
            }
            Reading::Head(seen) => seen,
            Reading::Beyond => return,
            Reading::Frames => return self.set_deadline(self.patience.idle),
        };
        let mut seen = seen;
        self.reading = if ends_head(bytes, &mut seen) {
            Reading::Beyond
        } else {
            Reading::Head(seen)
        };
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let alarm = match &mut self.alarm {
                Some(alarm) => alarm,
                none => {
                    let left = self.deadline.saturating_sub(self.world.elapsed());
                    if left.is_zero() {
                        return Poll::Ready(());
                    }
                    none.insert(self.world.sleep(left))
                }
            };
            ready!(alarm.as_mut().poll(cx));
            self.alarm = None;
        }
    }
}

/// Whether the empty line that ends a head is in `bytes`; `seen` bytes of it came before.
fn ends_head(bytes: &[u8], seen: &mut usize) -> bool {
    if bytes.ends_with(END_OF_HEAD) {
        return true;
    }
    for byte in bytes {
        *seen = match (*byte, *seen) {
            (b, at) if b == END_OF_HEAD[at] => at + 1,
            (b'\r', _) => 1,
            _ => 0,
        };
        if *seen == END_OF_HEAD.len() {
            return true;
        }
    }
    false
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        match Pin::new(&mut this.stream).poll_read(cx, buffer) {
            Poll::Ready(outcome) => {
                this.note(&buffer.filled()[before..]);
                Poll::Ready(outcome)
            }
            // The answer is being worked on: nobody waits for the client.
            Poll::Pending if this.reading == Reading::Beyond => Poll::Pending,
            Poll::Pending => {
                ready!(this.poll_deadline(cx));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl Connection {
    fn wrote(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if outcome.is_ready() {
            self.set_deadline(self.patience.idle);
            if self.reading != Reading::Frames {
                self.reading = Reading::Between;
            }
            // The HTTP library asks for no more bytes if it was told before that there are none;
            // without an alarm set here an idle connection would sleep for ever.
            if self.poll_deadline(cx).is_pending() {
                return outcome;
            }
        }
        ready!(self.poll_deadline(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write(cx, bytes);
        this.wrote(cx, outcome)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let outcome = Pin::new(&mut this.stream).poll_write_vectored(cx, slices);
        this.wrote(cx, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_head_is_found_however_it_is_split() {
        let head = b"GET / HTTP/1.1\r\nHost: a\r\r\n\r\nbody";
        for split in 0..=head.len() {
            let mut seen = 0;
            let found =
                ends_head(&head[..split], &mut seen) || ends_head(&head[split..], &mut seen);
            assert!(found, "{split}");
        }
        assert!(!ends_head(b"GET / HTTP/1.1\r\nHost: a\r\n", &mut 0));
    }
}
