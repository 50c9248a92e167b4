//! The certificate of the SMTP server: made on the first start, or whatever lies in its place.

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificate's file in the data folder.
pub const CERTIFICATE: &str = "tls.crt";

/// The private key's file in the data folder.
pub const KEY: &str = "tls.key";

/// Why there is no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read or written.
    #[error("{file}: {error}")]
    File {
        /// Its path.
        file: String,
        /// What the system said.
        error: std::io::Error,
    },
    /// A file holds something else than it should.
    #[error("{file} is not what it should be: {reason}")]
    Malformed {
        /// Its path.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// There is a certificate, but no key for it.
    #[error(
        "{missing} is missing beside the certificate; give both, or remove the certificate to have both made"
    )]
    Half {
        /// The path of the key.
        missing: String,
    },
    /// The certificate could not be made.
    #[error("the certificate could not be made: {0}")]
    Generate(#[from] rcgen::Error),
    /// The key does not belong to the certificate, or is of no use.
    #[error("certificate and key do not work together: {0}")]
    Refused(#[from] rustls::Error),
}

/// The TLS configuration out of `tls.crt` and `tls.key` in `folder`; when neither is there, both
/// are made first (self-signed for `hostname` and localhost; the key readable by its owner only).
/// A key that is alone is given its certificate; no file is ever overwritten.
pub fn load_or_create(folder: &Path, hostname: &str) -> Result<Arc<ServerConfig>, TlsError> {
    let certificate = folder.join(CERTIFICATE);
    let key = folder.join(KEY);
    match (certificate.exists(), key.exists()) {
        (true, true) => {}
        (false, false) => {
            let made = rcgen::KeyPair::generate()?;
            write(&key, made.serialize_pem().as_bytes(), 0o600)?;
            sign(&certificate, &made, hostname)?;
        }
        // So it is after a start that was cut off between the two files.
        (false, true) => sign(&certificate, &read_key(&key)?, hostname)?,
        (true, false) => return Err(half(&key)),
    }
    load(&certificate, &key)
}

/// The TLS configuration out of the two given PEM files.
pub fn load(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| malformed(certificate, &error))?;
    if chain.is_empty() {
        return Err(malformed(certificate, &"it holds no certificate"));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|error| malformed(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

fn read_key(path: &Path) -> Result<rcgen::KeyPair, TlsError> {
    let pem = std::fs::read_to_string(path).map_err(|error| TlsError::File {
        file: path.display().to_string(),
        error,
    })?;
    rcgen::KeyPair::from_pem(&pem).map_err(|error| malformed(path, &error))
}

/// Writes a certificate that `key` signs for itself.
fn sign(certificate: &Path, key: &rcgen::KeyPair, hostname: &str) -> Result<(), TlsError> {
    let mut names = vec![
        "localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "::1".to_owned(),
    ];
    // A name that cannot stand in a certificate is no reason to be without TLS.
    if hostname.is_ascii() && !names.iter().any(|name| name == hostname) {
        names.insert(0, hostname.to_owned());
    }
    let made = rcgen::CertificateParams::new(names)?.self_signed(key)?;
    write(certificate, made.pem().as_bytes(), 0o644)
}

/// Writes a new file under another name first: a start that is cut off leaves no half of one.
fn write(path: &Path, bytes: &[u8], mode: u32) -> Result<(), TlsError> {
    use std::os::unix::fs::OpenOptionsExt as _;

    let fail = |error| TlsError::File {
        file: path.display().to_string(),
        error,
    };
    let draft = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&draft)
        .map_err(fail)?;
    file.write_all(bytes).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    std::fs::rename(&draft, path).map_err(fail)
}

fn half(missing: &Path) -> TlsError {
    TlsError::Half {
        missing: missing.display().to_string(),
    }
}

fn malformed(file: &Path, reason: &impl std::fmt::Display) -> TlsError {
    TlsError::Malformed {
        file: file.display().to_string(),
        reason: reason.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_certificate_is_made_once_and_its_key_is_private() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        load_or_create(folder.path(), "mail.example.com").unwrap();
        let key = folder.path().join(KEY);
        let made = std::fs::read(&key).unwrap();
        let mode = std::fs::metadata(&key).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        load_or_create(folder.path(), "mail.example.com").unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), made);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn a_key_that_is_alone_is_given_a_certificate_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        load_or_create(folder.path(), "mail.example.com").unwrap();
        let (certificate, key) = (folder.path().join(CERTIFICATE), folder.path().join(KEY));
        let made = std::fs::read(&key).unwrap();
        std::fs::remove_file(&certificate).unwrap();
        load_or_create(folder.path(), "mail.example.com").unwrap();
        assert_eq!(std::fs::read(&key).unwrap(), made);
        std::fs::remove_file(&certificate).unwrap();
        std::fs::write(&key, "nonsense").unwrap();
        let error = load_or_create(folder.path(), "x").unwrap_err().to_string();
        assert!(error.contains(KEY), "{error}");
        assert_eq!(std::fs::read(&key).unwrap(), b"nonsense");
        assert!(!certificate.exists());
    }

    #[test]
    fn half_of_a_pair_and_nonsense_are_errors_that_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = folder.path().join(CERTIFICATE);
        std::fs::write(&certificate, "nonsense").unwrap();
        let error = load_or_create(folder.path(), "x").unwrap_err().to_string();
        assert!(error.contains(KEY), "{error}");
        std::fs::write(folder.path().join(KEY), "nonsense").unwrap();
        let error = load_or_create(folder.path(), "x").unwrap_err().to_string();
        assert!(error.contains(CERTIFICATE), "{error}");
    }
}
