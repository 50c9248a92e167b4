//! Whom the relay trusts: the public authorities, and those of a file beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

use tokio::net::TcpStream;

use super::Failure;
use crate::mail::attempt::{Outcome, Stage};

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
        Failure::of(Stage::Tls, Outcome::Configuration, problem)
    })?;
    let connector = TlsConnector::from(config.clone());
    connector.connect(name, stream).await.map_err(|error| {
        // rustls speaks of certificates and protocols; everything else is the network.
        let outcome = match error.get_ref() {
            Some(inner) if inner.is::<rustls::Error>() => Outcome::Configuration,
            _ => Outcome::Connection,
        };
        Failure::of(Stage::Tls, outcome, format!("TLS with {host}: {error}"))
    })
}
