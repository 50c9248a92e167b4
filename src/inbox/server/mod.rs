//! The SMTP server: listeners, connections, limits and deadlines around a
//! [`Session`](super::session).

mod connection;
mod memory;
mod stream;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::rustls::ServerConfig;

use super::Inbox;
use super::session::Rules;
use crate::world::World;

use connection::Shared;
use memory::Memory;
use stream::Stream;

/// Connections that may wait to be accepted. The usual 128 drops some at 200 sessions.
const BACKLOG: i32 = 1024;

/// How long to wait when nothing can be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What each session allows.
    pub rules: Rules,
    /// Connections at once; the next one is told to come later.
    pub connections: usize,
    /// Octets that large mails may take up together while they come in. Beside them each
    /// connection has 256 KiB, which is more than most mails need. At least one mail of the
    /// largest size always fits.
    pub memory: usize,
    /// How long the client may take for one command, for reading one reply, or for the handshake.
    pub command_timeout: Duration,
    /// How long the client may take for one mail, from DATA to its end.
    pub data_timeout: Duration,
    /// How long the sessions under way may take to end when the server is told to stop.
    pub grace: Duration,
}

/// Where the server listens. Bound beforehand, so that a failure is an error of the start.
#[derive(Debug)]
pub struct Listeners {
    /// Plain, with STARTTLS.
    pub plain: TcpListener,
    /// TLS from the first byte.
    pub implicit: Option<TcpListener>,
}

/// Opens a listening socket with a backlog of 1 024. Must be called within a tokio runtime.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let domain = socket2::Domain::for_address(address);
    let socket = socket2::Socket::new(domain, socket2::Type::STREAM, Some(socket2::Protocol::TCP))?;
    // A restart must not wait until the old connections have left TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

/// Serves until `shutdown` completes, then lets the sessions under way end within the grace
/// period. Without `tls` neither STARTTLS nor the implicit listener is served.
pub async fn serve(
    listeners: Listeners,
    mut settings: Settings,
    inbox: Inbox,
    tls: Option<Arc<ServerConfig>>,
    world: World,
    shutdown: impl Future<Output = ()> + Send,
) {
    settings.rules.starttls &= tls.is_some();
    let Listeners { plain, implicit } = listeners;
    let implicit = implicit.filter(|_| tls.is_some());
    let grace = settings.grace;
    let slots = Arc::new(Semaphore::new(settings.connections));
    let shared = Arc::new(Shared {
        memory: Memory::of(settings.memory.max(settings.rules.message_limit)),
        rules: Arc::new(settings.rules.clone()),
        settings,
        inbox,
        tls,
        world: world.clone(),
    });
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    tokio::pin!(shutdown);
    loop {
        let (accepted, encrypted) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            // Those that ended make room in the set.
            Some(_) = connections.join_next(), if !connections.is_empty() => continue,
            accepted = plain.accept() => (accepted, false),
            accepted = accept(implicit.as_ref()) => (accepted, true),
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, mostly: trying again at once would only spin.
                tracing::warn!(%error, "a connection could not be accepted");
                world.sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(slot) = slots.clone().try_acquire_owned() else {
            turn_away(stream, encrypted);
            continue;
        };
        let (shared, stopping) = (shared.clone(), stopping.clone());
        connections.spawn(async move {
            // Replies are written in one go, so there is nothing to wait for.
            if let Err(error) = stream.set_nodelay(true) {
                tracing::debug!(%error, "TCP_NODELAY");
            }
            let peer = peer.to_string();
            let stream = Stream::Plain(stream);
            if let Err(ended) = connection::serve(&shared, stream, peer, encrypted, stopping).await
            {
                tracing::debug!(%ended, "an SMTP connection was cut off");
            }
            drop(slot);
        });
    }
    drop((plain, implicit));
    stop.send_replace(true);
    let finished = async { while connections.join_next().await.is_some() {} };
    if world.timeout(grace, finished).await.is_err() {
        tracing::warn!("SMTP sessions were cut off at the end of the grace period");
        connections.shutdown().await;
    }
}

async fn accept(listener: Option<&TcpListener>) -> std::io::Result<(TcpStream, SocketAddr)> {
    match listener {
        Some(listener) => listener.accept().await,
        None => std::future::pending().await,
    }
}

/// Says that there is no room, without waiting for anything: a new socket has room for a line.
fn turn_away(stream: TcpStream, encrypted: bool) {
    use std::io::Write as _;

    if encrypted {
        return;
    }
    if let Ok(mut stream) = stream.into_std() {
        // Whoever is gone already needs no answer.
        let _ = stream.write_all(b"421 4.3.2 too many connections, try again later\r\n");
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
}
