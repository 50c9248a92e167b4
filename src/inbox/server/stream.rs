//! A client's connection, plain or under TLS.

use std::io;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// See the [module](self).
pub(super) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    /// Reads what is there into the free room of `into`; 0 at the end.
    pub(super) async fn read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        match self {
            Stream::Plain(stream) => stream.read_buf(into).await,
            Stream::Tls(stream) => stream.read_buf(into).await,
        }
    }

    /// Sends all of `bytes`.
    pub(super) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.write_all(bytes).await,
            Stream::Tls(stream) => {
                stream.write_all(bytes).await?;
                stream.flush().await
            }
        }
    }

    /// Takes the client's handshake. A stream that is under TLS already stays as it is.
    pub(super) async fn secure(self, config: Arc<ServerConfig>) -> io::Result<Stream> {
        match self {
            Stream::Plain(stream) => {
                let stream = TlsAcceptor::from(config).accept(stream).await?;
                Ok(Stream::Tls(Box::new(stream)))
            }
            secured @ Stream::Tls(_) => Ok(secured),
        }
    }

    /// Says goodbye on the transport.
    pub(super) async fn close(&mut self) -> io::Result<()> {
        match self {
            Stream::Plain(stream) => stream.shutdown().await,
            Stream::Tls(stream) => stream.shutdown().await,
        }
    }
}
