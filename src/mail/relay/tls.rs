//! Whom the relay trusts: the public authorities, and those of a file beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use tokio::net::TcpStream;

use super::Failure;
use crate::mail::attempt::{Stage, Symptom};

/// A relay that cannot be set up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the certificates in {} cannot be used: {problem}", file.display())]
pub struct SetupError {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it.
    pub problem: String,
}

/// A client that verifies certificates.
pub fn config(ca_file: Option<&Path>) -> Result<Arc<ClientConfig>, SetupError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("ring supports the default versions of TLS")
        .with_root_certificates(roots(ca_file)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// The cryptography that all of it uses.
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

/// The public authorities, and those of the file.
pub fn roots(ca_file: Option<&Path>) -> Result<RootCertStore, SetupError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(file) = ca_file {
        let fault = |problem: String| SetupError {
            file: file.to_owned(),
            problem,
        };
        let mut found = 0;
        for certificate in
            CertificateDer::pem_file_iter(file).map_err(|error| fault(error.to_string()))?
        {
            let certificate = certificate.map_err(|error| fault(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| fault(error.to_string()))?;
            found += 1;
        }
        if found == 0 {
            return Err(fault("it holds no certificate in PEM form".to_owned()));
        }
    }
    Ok(roots)
}

/// The handshake, with the certificate checked against `host`.
pub async fn handshake(
    config: &Arc<ClientConfig>,
    host: &str,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| {
        let problem = format!("{host:?} is no name that a certificate could be for");
        Failure::seen(Stage::Tls, Symptom::WrongName, problem)
    })?;
    let connector = TlsConnector::from(config.clone());
    connector.connect(name, stream).await.map_err(|error| {
        // rustls speaks of certificates and protocols; everything else is the network.
        let said = error.get_ref().and_then(|inner| inner.downcast_ref());
        match said {
            Some(said) => {
                let problem = format!("TLS with {host}: {}", in_words(said));
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
fn in_words(error: &rustls::Error) -> String {
    use rustls::CertificateError::{ExpiredContext, NotValidYetContext};
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
        error => error.to_string(),
    }
}
