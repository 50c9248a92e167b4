//! The step of TLS: what is said of a certificate, and which way of TLS a port speaks when it is
//! not the one that was set.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;

use crate::mail::relay::Failure;
use crate::mail::relay::Probe;
use crate::mail::relay::Security;
use crate::mail::relay::Settings;
use crate::world::Timestamp;
use crate::world::World;

use super::certificate::Certificate;
use super::failure;
use super::report::Finding;
use super::words::Voice;

/// How long a port that was asked in the other way may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// A certificate that lapses sooner is told of.
const SOON: Duration = Duration::from_secs(7 * 24 * 3600);

/// A connection that stands.
pub(super) fn well(
    voice: Voice,
    version: &str,
    certificate: Option<&[u8]>,
    now: Timestamp,
) -> Finding {
    let finding = Finding::ok(voice.say("tls_stands", &[("version", &version)]));
    let Some(certificate) = certificate.and_then(Certificate::read) else {
        return finding;
    };
    let finding = told(voice, &certificate, finding);
    match certificate.until < now + SOON {
        true => finding
            .and(voice.say("certificate_lapses_soon", &[]))
            .at_least(super::report::Status::Warning),
        false => finding,
    }
}

/// A handshake that failed.
pub(super) fn failed(
    voice: Voice,
    failure: &Failure,
    certificate: Option<&[u8]>,
    now: Timestamp,
) -> Finding {
    let mut finding = failure::finding(voice, failure);
    let Some(certificate) = certificate.and_then(Certificate::read) else {
        return finding;
    };
    finding = told(voice, &certificate, finding);
    if certificate.self_signed {
        finding = finding.and(voice.say("certificate_self_signed", &[]));
    }
    if now < certificate.from || now > certificate.until {
        finding = finding.and(voice.say("certificate_and_clock", &[("now", &now)]));
    }
    finding
}

fn told(voice: Voice, certificate: &Certificate, finding: Finding) -> Finding {
    let names = certificate.names.join(", ");
    let day = |at: Timestamp| {
        at.to_string()
            .split('T')
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let (from, until) = (day(certificate.from), day(certificate.until));
    finding
        .and(voice.say("certificate_names", &[("names", &names)]))
        .and(voice.say(
            "certificate_issuer",
            &[
                ("issuer", &certificate.issuer),
                ("from", &from),
                ("until", &until),
            ],
        ))
}

/// Whether whoever listens there greets in plain text, as SMTP does. The caller limits the time.
pub(super) async fn greets(address: SocketAddr) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(address).await?;
    let mut start = [0; 3];
    stream.read_exact(&mut start).await?;
    Ok(&start == b"220")
}

/// Whether this port greets in plain text, as one for STARTTLS does.
pub(super) async fn greets_in_plain(address: SocketAddr, world: &World) -> bool {
    let greeting = world.timeout(PATIENCE, greets(address)).await;
    matches!(greeting, Ok(Ok(true)))
}

/// Whether this port speaks TLS from the first byte.
pub(super) async fn speaks_tls_at_once(
    address: SocketAddr,
    settings: &Settings,
    world: &World,
) -> bool {
    let settings = Settings {
        security: Security::Implicit,
        ..settings.clone()
    };
    let Ok(mut probe) = Probe::new(settings, world.clone()) else {
        return false;
    };
    let handshake = async {
        probe.connect(address).await?;
        probe.protect().await
    };
    // One whose certificate is not trusted speaks it as well.
    let stands = world.timeout(PATIENCE, handshake).await;
    matches!(stands, Ok(Ok(_))) || probe.certificate().is_some()
}
