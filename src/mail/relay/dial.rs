//! Finding the server and connecting to it, over whichever of its addresses answers first.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use tokio::net::TcpStream;

use super::{Failure, Security, Settings};
use crate::mail::attempt::{Stage, Symptom};
use crate::world::World;

/// RFC 8305, 5: how long an address may be silent before the next one is tried beside it.
const HEAD_START: Duration = Duration::from_millis(250);

/// Resolves and connects within the deadline for it.
pub async fn dial(settings: &Settings, world: &World) -> Result<TcpStream, Failure> {
    let limit = settings.deadlines.connect;
    let (host, port) = (settings.host.as_str(), settings.port);
    let work = async {
        let addresses = tokio::net::lookup_host((host, port))
            .await
            .map_err(|error| not_found(host, &error.to_string()))?;
        let addresses: Vec<SocketAddr> = addresses.collect();
        if addresses.is_empty() {
            return Err(not_found(host, "it has no address"));
        }
        let stream = race(addresses, world)
            .await
            .map_err(|error| unconnected(settings, &error))?;
        ready(settings, stream)
    };
    let dialled = world.timeout(limit, work).await;
    dialled.unwrap_or_else(|_| Err(silent(settings)))
}

/// Connects to one of the server's addresses, within the same deadline.
pub async fn dial_one(
    settings: &Settings,
    world: &World,
    address: SocketAddr,
) -> Result<TcpStream, Failure> {
    let work = async {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|error| unconnected(settings, &error))?;
        ready(settings, stream)
    };
    let dialled = world.timeout(settings.deadlines.connect, work).await;
    dialled.unwrap_or_else(|_| Err(silent(settings)))
}

/// The connection, if it may be used.
fn ready(settings: &Settings, stream: TcpStream) -> Result<TcpStream, Failure> {
    check_plain(settings, &stream)?;
    stream
        .set_nodelay(true)
        .map_err(|error| unconnected(settings, &error))?;
    Ok(stream)
}

fn unconnected(settings: &Settings, error: &std::io::Error) -> Failure {
    let symptom = match error.kind() {
        // Some firewalls say so at once, whatever listens there.
        ErrorKind::ConnectionRefused | ErrorKind::PermissionDenied => Symptom::ConnectionRefused,
        ErrorKind::TimedOut => Symptom::TimedOut,
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Symptom::Closed,
        _ => Symptom::Unreachable,
    };
    let problem = format!("{}:{}: {error}", settings.host, settings.port);
    Failure::seen(Stage::Connect, symptom, problem)
}

fn silent(settings: &Settings) -> Failure {
    let (host, port) = (&settings.host, settings.port);
    let seconds = settings.deadlines.connect.as_secs();
    let problem = format!("no connection to {host}:{port} within {seconds} s");
    Failure::seen(Stage::Connect, Symptom::TimedOut, problem)
}

fn not_found(host: &str, problem: &str) -> Failure {
    let problem = format!("{host} was not found: {problem}");
    Failure::seen(Stage::Connect, Symptom::NameNotFound, problem)
}

/// Nothing is said on a plain connection that leaves this machine, unless it was allowed.
fn check_plain(settings: &Settings, stream: &TcpStream) -> Result<(), Failure> {
    let stays_here = stream
        .peer_addr()
        .is_ok_and(|peer| peer.ip().to_canonical().is_loopback());
    if settings.security == Security::None && !stays_here && !settings.allow_plaintext {
        return Err(Failure::seen(
            Stage::Connect,
            Symptom::PlainRefused,
            format!(
                "{} is not on this machine, and mail is not sent over a network without TLS: \
                 use STARTTLS (port 587) or TLS (port 465), or allow plain text by its setting",
                settings.host
            ),
        ));
    }
    Ok(())
}

/// Connects to the addresses one after another, each with a head start, and takes the first.
async fn race(addresses: Vec<SocketAddr>, world: &World) -> std::io::Result<TcpStream> {
    let mut waiting = VecDeque::from(addresses);
    let mut running = FuturesUnordered::new();
    let mut last = std::io::Error::other("it has no address");
    loop {
        match waiting.pop_front() {
            Some(address) => running.push(TcpStream::connect(address)),
            None if running.is_empty() => return Err(last),
            None => {}
        }
        let next = running.next();
        let outcome = if waiting.is_empty() {
            next.await
        } else {
            world.timeout(HEAD_START, next).await.unwrap_or(None)
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            // A refusal tells more than the lack of a way to an address of the other kind.
            Some(Err(error)) if last.kind() != ErrorKind::ConnectionRefused => last = error,
            Some(Err(_)) | None => {}
        }
    }
}
