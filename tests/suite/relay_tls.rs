//! The relay over TLS: against mailin-embedded, which asks AUTH over STARTTLS as Gmail and QQ do,
//! and against a server that speaks TLS from the first byte.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use gatepost::mail::Parcel;
use gatepost::mail::attempt::{Outcome, Stage, Symptom};
use gatepost::mail::relay::{Failure, Relay, Security, Settings};
use gatepost::secret::SecretText;
use gatepost::world::Simulated;
use mailin_embedded::response::{INVALID_CREDENTIALS, OK};
use mailin_embedded::{AuthMechanism, Handler, Response, SslConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::relay::settings;

/// A certificate for `name`, made for this test, and its key.
struct Certificate {
    folder: tempfile::TempDir,
}

impl Certificate {
    fn of(name: &str) -> Certificate {
        Certificate::until(name, 4096)
    }

    /// One that lapses with the beginning of that year.
    fn until(name: &str, year: i32) -> Certificate {
        Certificate::with(name, |parameters| {
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        })
    }

    fn with(name: &str, change: impl Fn(&mut rcgen::CertificateParams)) -> Certificate {
        let mut parameters = rcgen::CertificateParams::new([name.to_owned()]).unwrap();
        change(&mut parameters);
        let signing_key = rcgen::KeyPair::generate().unwrap();
        let cert = parameters.self_signed(&signing_key).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("tls.crt"), cert.pem()).unwrap();
        std::fs::write(folder.path().join("tls.key"), signing_key.serialize_pem()).unwrap();
        Certificate { folder }
    }

    fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("tls.key")
    }
}

#[derive(Clone, Default)]
struct Mailbox {
    data: Vec<u8>,
    received: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Handler for Mailbox {
    fn data_start(&mut self, _: &str, _: &str, _: bool, _: &[String]) -> Response {
        self.data.clear();
        OK
    }

    fn data(&mut self, line: &[u8]) -> io::Result<()> {
        self.data.extend_from_slice(line);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        self.received.lock().unwrap().push(self.data.clone());
        OK
    }

    fn mail(&mut self, _: IpAddr, _: &str, _: &str) -> Response {
        OK
    }

    fn auth_plain(&mut self, _: &str, user: &str, password: &str) -> Response {
        if (user, password) == ("ann", "authorization-code") {
            mailin_embedded::response::AUTH_OK
        } else {
            INVALID_CREDENTIALS
        }
    }
}

/// mailin-embedded on a port of its own. It cannot be stopped; its threads end with the test run.
fn mailin(certificate: &Certificate) -> (u16, Mailbox) {
    // It asks rustls for the process's provider. Whoever was first has installed the same.
    let _ = tokio_rustls::rustls::crypto::ring::default_provider().install_default();
    let mailbox = Mailbox::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut server = mailin_embedded::Server::new(mailbox.clone());
    server
        .with_name("localhost")
        .with_auth(AuthMechanism::Plain)
        .with_num_threads(1)
        .with_tcp_listener(listener)
        .with_ssl(SslConfig::SelfSigned {
            cert_path: certificate.certificate().display().to_string(),
            key_path: certificate.key().display().to_string(),
        })
        .unwrap();
    std::thread::spawn(move || server.serve().map_err(|error| error.to_string()));
    (port, mailbox)
}

fn server_config(certificate: &Certificate) -> ServerConfig {
    let chain = CertificateDer::pem_file_iter(certificate.certificate()).unwrap();
    let chain = chain.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(certificate.key()).unwrap();
    ServerConfig::builder_with_provider(Arc::new(
        tokio_rustls::rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(chain, key)
    .unwrap()
}

fn over_tls(port: u16, security: Security, trusted: Option<&Certificate>) -> Settings {
    Settings {
        host: "localhost".to_owned(),
        security,
        user: Some("ann".to_owned()),
        password: Some(SecretText::from("authorization-code".to_owned())),
        ca_file: trusted.map(Certificate::certificate),
        ..settings(port)
    }
}

async fn deliver(settings: Settings) -> Result<u16, Failure> {
    let parcel = Parcel {
        from: "no-reply@example.com".to_owned(),
        to: "ann@example.org".to_owned(),
        hide: vec![],
        message: b"Subject: x\r\n\r\nhello".to_vec(),
    };
    let relay = Relay::new(settings, Simulated::new(1).world()).unwrap();
    let mut connection = relay.connect().await?;
    connection.deliver(&parcel, || true).await?;
    let accepted = connection.deliver(&parcel, || true).await?;
    connection.quit().await;
    Ok(accepted.code)
}

#[tokio::test]
async fn login_over_starttls_as_with_gmail_and_qq() {
    let certificate = Certificate::of("localhost");
    let (port, mailbox) = mailin(&certificate);
    let settings = over_tls(port, Security::StartTls, Some(&certificate));
    assert_eq!(deliver(settings).await.unwrap(), 250);
    let received = mailbox.received.lock().unwrap().clone();
    assert_eq!(received.len(), 2);
    assert_eq!(received[0], b"Subject: x\r\n\r\nhello\r\n");
}

#[tokio::test]
async fn wrong_credentials_are_the_routes_fault() {
    let certificate = Certificate::of("localhost");
    let (port, _) = mailin(&certificate);
    let mut settings = over_tls(port, Security::StartTls, Some(&certificate));
    settings.password = Some(SecretText::from("wrong".to_owned()));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome),
        (Stage::Auth, Outcome::Configuration)
    );
    assert_eq!(failure.code, Some(535));
}

#[tokio::test]
async fn a_certificate_that_is_unknown_or_for_another_host_is_refused() {
    let certificate = Certificate::of("localhost");
    let (port, mailbox) = mailin(&certificate);
    let failure = deliver(over_tls(port, Security::StartTls, None))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome),
        (Stage::Tls, Outcome::Configuration)
    );
    let elsewhere = Certificate::of("mail.example.com");
    assert_eq!(failure.symptom, Some(Symptom::UnknownIssuer), "{failure}");
    assert_eq!(failure.rule.unwrap().id, "unknown_issuer");
    let (other_port, _) = mailin(&elsewhere);
    let settings = over_tls(other_port, Security::StartTls, Some(&elsewhere));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome),
        (Stage::Tls, Outcome::Configuration)
    );
    assert_eq!(failure.symptom, Some(Symptom::WrongName), "{failure}");
    assert_eq!(failure.rule.unwrap().id, "wrong_name");
    assert!(mailbox.received.lock().unwrap().is_empty());
}

#[tokio::test]
async fn an_authority_of_the_servers_own_is_an_unknown_issuer() {
    let authority = Certificate::with("localhost", |parameters| {
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    });
    let (port, _) = mailin(&authority);
    let settings = over_tls(port, Security::StartTls, None);
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(failure.symptom, Some(Symptom::UnknownIssuer), "{failure}");
    assert!(failure.to_string().contains("CA:FALSE"), "{failure}");
    assert!(!failure.to_string().contains("ca_file"), "{failure}");
    // With a file in which something else stands.
    let other = Certificate::of("localhost");
    let settings = over_tls(port, Security::StartTls, Some(&other));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(failure.symptom, Some(Symptom::UnknownIssuer), "{failure}");
    assert!(failure.to_string().contains("ca_file"), "{failure}");
}

/// What `openssl req -x509` makes says CA:TRUE.
#[tokio::test]
async fn a_certificate_that_stands_in_the_file_itself_is_the_servers_own() {
    let authority = |name: &str, year| {
        Certificate::with(name, |parameters| {
            parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            parameters.not_after = rcgen::date_time_ymd(year, 1, 1);
        })
    };
    for (name, year, symptom) in [
        ("localhost", 4096, None),
        ("mail.example.com", 4096, Some(Symptom::WrongName)),
        ("localhost", 2020, Some(Symptom::CertificateTime)),
    ] {
        let pinned = authority(name, year);
        let (port, mailbox) = mailin(&pinned);
        let met = deliver(over_tls(port, Security::StartTls, Some(&pinned))).await;
        let received = mailbox.received.lock().unwrap().len();
        match symptom {
            None => assert_eq!((met.unwrap(), received), (250, 2)),
            Some(_) => assert_eq!((met.unwrap_err().symptom, received), (symptom, 0)),
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_a_word_is_told_in_our_own() {
    let certificate = Certificate::of("localhost");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let config = server_config(&certificate);
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        // Dropped with no close_notify.
        drop(acceptor.accept(stream).await.unwrap());
    });
    let settings = over_tls(port, Security::Implicit, Some(&certificate));
    let failure = deliver(settings).await.unwrap_err();
    server.await.unwrap();
    let said = failure.to_string();
    assert!(said.ends_with("without ending TLS properly"), "{said}");
}

#[tokio::test]
async fn a_certificate_that_has_lapsed_is_refused_and_its_time_is_named() {
    let lapsed = Certificate::until("localhost", 2020);
    let (port, _) = mailin(&lapsed);
    let settings = over_tls(port, Security::StartTls, Some(&lapsed));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome, failure.symptom),
        (
            Stage::Tls,
            Outcome::Configuration,
            Some(Symptom::CertificateTime)
        )
    );
    assert_eq!(failure.rule.unwrap().id, "certificate_time");
    assert!(
        failure.to_string().contains("2020-01-01T00:00:00Z"),
        "{failure}"
    );
}

#[tokio::test]
async fn tls_from_the_first_byte() {
    let certificate = Certificate::of("localhost");
    let config = server_config(&certificate);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let mut stream = acceptor.accept(stream).await.unwrap();
        stream.write_all(b"220 ready\r\n").await.unwrap();
        let mut said = vec![0; 64];
        let count = stream.read(&mut said).await.unwrap();
        stream.write_all(b"554 enough\r\n").await.unwrap();
        String::from_utf8_lossy(&said[..count]).into_owned()
    });
    let settings = over_tls(port, Security::Implicit, Some(&certificate));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!((failure.stage, failure.code), (Stage::Greeting, Some(554)));
    assert_eq!(server.await.unwrap(), "EHLO gatepost.test\r\n");
    // The other way round: a port that does not speak TLS.
    let (plain_port, _) = mailin(&certificate);
    let settings = over_tls(plain_port, Security::Implicit, Some(&certificate));
    let failure = deliver(settings).await.unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome),
        (Stage::Tls, Outcome::Configuration)
    );
    assert_eq!(failure.symptom, Some(Symptom::NotTls), "{failure}");
    assert_eq!(failure.rule.unwrap().id, "not_tls");
}

#[test]
fn a_certificate_file_that_is_none_stops_the_start() {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in [("missing.pem", None), ("empty.pem", Some("hello"))] {
        let file = folder.path().join(name);
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let mut settings = settings(465);
        settings.ca_file = Some(file);
        let error = Relay::new(settings, Simulated::new(1).world()).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
    }
}
