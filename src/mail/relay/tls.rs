//! The handshake, and what is said of one that failed. Whom the relay trusts is in `trust`.

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls;
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};

use tokio::net::TcpStream;

use super::{Failure, Shared};
use crate::mail::attempt::{Stage, Symptom};

/// The handshake, with the certificate checked against the host of the settings.
pub async fn handshake(
    shared: &Shared,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    let host = shared.settings.host.as_str();
    let has_file = shared.settings.ca_file.is_some();
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        let problem = format!("{host:?} is no name that a certificate could be for");
        Failure::seen(Stage::Tls, Symptom::WrongName, problem)
    })?;
    let connector = TlsConnector::from(shared.tls.clone());
    connector.connect(name, stream).await.map_err(|error| {
        // rustls speaks of certificates and protocols; everything else is the network.
        let said = error.get_ref().and_then(|inner| inner.downcast_ref());
        match said {
            Some(said) => {
                let problem = format!("TLS with {host}: {}", in_words(said, has_file));
                Failure::seen(Stage::Tls, symptom_of(said), problem)
            }
            None => {
                let mut failure = Failure::broken(Stage::Tls, &error);
                failure.reply = format!("TLS with {host}: {error}").into_bytes();
                failure
            }
        }
    })
}

fn symptom_of(error: &rustls::Error) -> Symptom {
    use rustls::CertificateError::{
        Expired, ExpiredContext, NotValidForName, NotValidForNameContext, NotValidYet,
        NotValidYetContext, Other, UnknownIssuer,
    };
    match error {
        rustls::Error::InvalidMessage(_) => Symptom::NotTls,
        rustls::Error::InvalidCertificate(fault) => match fault {
            // `Other` is what rustls has no word for, but the library below it: a server that
            // shows the certificate of an authority of its own, or a chain of authorities that
            // may not be one. None of it leads to somebody trusted.
            UnknownIssuer | Other(_) => Symptom::UnknownIssuer,
            NotValidForName | NotValidForNameContext { .. } => Symptom::WrongName,
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. } => {
                Symptom::CertificateTime
            }
            _ => Symptom::TlsFailed,
        },
        _ => Symptom::TlsFailed,
    }
}

/// What rustls says, with times that a person can read.
fn in_words(error: &rustls::Error, has_file: bool) -> String {
    use rustls::CertificateError::{ExpiredContext, NotValidYetContext, Other, UnknownIssuer};
    let untrusted = match has_file {
        true => "nobody trusted vouches for it, and it does not lead to what stands in ca_file",
        false => "nobody trusted vouches for it",
    };
    let moment = |time: &UnixTime| {
        let seconds = i64::try_from(time.as_secs()).ok();
        let moment = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
        moment.map_or_else(|| "?".to_owned(), |moment| moment.to_string())
    };
    match error {
        rustls::Error::InvalidMessage(_) => format!("the server does not speak TLS here ({error})"),
        rustls::Error::InvalidCertificate(ExpiredContext { time, not_after }) => format!(
            "the certificate was valid until {}, and it is {} here",
            moment(not_after),
            moment(time)
        ),
        rustls::Error::InvalidCertificate(NotValidYetContext { time, not_before }) => format!(
            "the certificate is valid from {} on, and it is {} here",
            moment(not_before),
            moment(time)
        ),
        rustls::Error::InvalidCertificate(UnknownIssuer) => {
            format!("the server's certificate is not trusted: {untrusted}")
        }
        // Mostly the certificate of an authority (CA:TRUE) that the server uses as its own.
        rustls::Error::InvalidCertificate(Other(_)) => format!(
            "the server's certificate, or one of its chain, may not be what it is used as, such \
             as an authority's own (CA:TRUE) for the server (make one with CA:FALSE): {untrusted}"
        ),
        error => error.to_string(),
    }
}
