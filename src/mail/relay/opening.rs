//! From a TCP connection to one over which something of worth may be said: the plain greeting,
//! STARTTLS, the handshake. What is said then is not known here.

use std::fmt::Display;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::failure::Failure;
use super::reply::Reply;
use super::wire::{Speaking, Stream, Tape, Wire};
use super::{Security, Shared, tls, wire};
use crate::mail::attempt::{Stage, Symptom};
use crate::mail::provider::Provider;
use crate::mail::rulebook::is_welcome;

/// A wire over `stream` that is protected as the settings want it.
pub(super) async fn protect(
    shared: &Arc<Shared>,
    stream: TcpStream,
    tape: &Arc<Tape>,
) -> Result<Wire, Failure> {
    let settings = &shared.settings;
    let limit = settings.deadlines.greeting;
    Ok(match settings.security {
        Security::None => Wire::new(Stream::Plain(stream), tape.clone(), b""),
        Security::Implicit => {
            let handshake = tls::handshake(shared, stream);
            let stream = within(shared, Stage::Tls, limit, handshake).await??;
            Wire::new(Stream::Tls(Box::new(stream)), tape.clone(), b"")
        }
        Security::StartTls => {
            let wire = Wire::new(Stream::Plain(stream), tape.clone(), b"");
            let stream = upgrade(shared, wire, tape).await?;
            // After STARTTLS the server does not greet again (RFC 3207, 4.2), but the client
            // waits for it.
            Wire::new(Stream::Tls(Box::new(stream)), tape.clone(), b"220 TLS\r\n")
        }
    })
}

/// EHLO, STARTTLS and the handshake. Read by our own eyes: bytes that came in plain text behind
/// the answer to STARTTLS must not be taken for encrypted ones (CVE-2011-0411).
async fn upgrade(
    shared: &Shared,
    mut wire: Wire,
    tape: &Tape,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, Failure> {
    let settings = &shared.settings;
    let limit = settings.deadlines.greeting;
    let provider = settings.provider;
    let hello = async {
        ask(&mut wire, tape, provider, Stage::Greeting, "").await?;
        let ehlo = format!("EHLO {}\r\n", settings.hello_name);
        ask(&mut wire, tape, provider, Stage::Greeting, &ehlo).await
    };
    let hello = within(shared, Stage::Greeting, limit, hello).await??;
    let offered = hello.bytes.split(|b| *b == b'\n').any(|line| {
        line.get(4..)
            .is_some_and(|word| word.trim_ascii().eq_ignore_ascii_case(b"STARTTLS"))
    });
    if !offered {
        return Err(Failure::seen(
            Stage::Tls,
            Symptom::NoStartTls,
            "the server does not offer STARTTLS, and nothing is sent without it",
        ));
    }
    let start = async {
        ask(&mut wire, tape, provider, Stage::Tls, "STARTTLS\r\n").await?;
        match wire.into_stream() {
            Stream::Plain(stream) => tls::handshake(shared, stream).await,
            Stream::Tls(stream) => Ok(*stream),
        }
    };
    within(shared, Stage::Tls, limit, start).await?
}

/// Says `line` and reads exactly one reply, which must be a 2xx.
async fn ask(
    wire: &mut Wire,
    tape: &Tape,
    provider: Option<&Provider>,
    stage: Stage,
    line: &str,
) -> Result<Reply, Failure> {
    let broken = |error: io::Error| Failure::broken(stage, &error);
    tape.speak(Speaking::Commands);
    wire.write_all(line.as_bytes()).await.map_err(broken)?;
    wire.flush().await.map_err(broken)?;
    let mut received = Vec::new();
    loop {
        if wire.read_buf(&mut received).await.map_err(broken)? == 0 {
            return Err(match Reply::cut_off(&received).filter(Reply::is_refusal) {
                Some(reply) => Failure::refused(stage, reply, provider),
                None => unanswered(stage, &received, "the server closed the connection"),
            });
        }
        let (mut replies, rest) = Reply::all(&received);
        if replies.len() == 1 && rest.is_empty() {
            let reply = replies.swap_remove(0);
            return match is_welcome(stage, reply.code) {
                true => Ok(reply),
                false => Err(Failure::refused(stage, reply, provider)),
            };
        }
        if !replies.is_empty() || is_no_reply(rest) || received.len() > 16 << 10 {
            let problem = "the server said more than one reply, or what is none";
            return Err(Failure::seen(stage, Symptom::Unreadable, problem));
        }
    }
}

/// Whether a whole line came that no reply begins with.
fn is_no_reply(rest: &[u8]) -> bool {
    memchr::memchr(b'\n', rest).is_some() && Reply::cut_off(rest).is_none()
}

/// The failure of a stage that ended without a reply that says why; `bytes` are what came.
pub(super) fn unanswered(stage: Stage, bytes: &[u8], problem: impl Display) -> Failure {
    let (_, rest) = Reply::all(bytes);
    let symptom = match is_no_reply(rest) || wire::is_endless(bytes) {
        true => Symptom::Unreadable,
        false => Symptom::Closed,
    };
    Failure::seen(stage, symptom, problem.to_string())
}

pub(super) async fn within<F: Future>(
    shared: &Shared,
    stage: Stage,
    limit: Duration,
    work: F,
) -> Result<F::Output, Failure> {
    let outcome = shared.world.timeout(limit, work).await;
    outcome.map_err(|_| Failure::silence(stage, limit))
}
