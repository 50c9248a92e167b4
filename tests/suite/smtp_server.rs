//! The SMTP server through real sockets: limits, deadlines, TLS, shutting down, and clients that
//! are not ours.

mod load;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gatepost::events::Events;
use gatepost::inbox::server::{self, Listeners, Settings};
use gatepost::inbox::session::Rules;
use gatepost::inbox::{Filter, Inbox, Summary, tls};
use gatepost::store::{Options, Store};
use gatepost::world::{Simulated, World};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_rustls::rustls::{self, pki_types};

struct Server {
    plain: SocketAddr,
    implicit: SocketAddr,
    inbox: Inbox,
    store: Store,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<()>,
    folder: tempfile::TempDir,
}

fn settings() -> Settings {
    Settings {
        rules: Rules {
            hostname: "mail.example.com".to_owned(),
            message_limit: 100_000,
            line_limit: 4096,
            recipients: 100,
            strict: false,
            users: None,
            starttls: true,
        },
        connections: 4,
        memory: 100_000,
        command_timeout: Duration::from_secs(60),
        data_timeout: Duration::from_secs(120),
        grace: Duration::from_secs(10),
    }
}

fn start_in(world: World) -> Server {
    start_with(settings(), world)
}

fn start_with(settings: Settings, world: World) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let events = Events::default();
    let options = Options {
        events: events.clone(),
        ..Options::default()
    };
    let store = Store::open(&folder.path().join("store.redb"), options).unwrap();
    let inbox = Inbox::new(store.clone(), events, world.clone());
    let config = tls::load_or_create(folder.path(), "mail.example.com").unwrap();
    let loopback = SocketAddr::from(([127, 0, 0, 1], 0));
    let listeners = Listeners {
        plain: server::bind(loopback).unwrap(),
        implicit: Some(server::bind(loopback).unwrap()),
    };
    let (stop, stopped) = oneshot::channel();
    let address = |listener: &tokio::net::TcpListener| listener.local_addr().unwrap();
    Server {
        plain: address(&listeners.plain),
        implicit: address(listeners.implicit.as_ref().unwrap()),
        inbox: inbox.clone(),
        store,
        stop,
        serving: tokio::spawn(server::serve(
            listeners,
            settings,
            inbox,
            Some(config),
            world,
            async {
                // An error is the server's end as well.
                let _ = stopped.await;
            },
        )),
        folder,
    }
}

fn start() -> Server {
    start_in(World::system())
}

impl Server {
    async fn mails(&self) -> Vec<Summary> {
        let page = self.inbox.list(Filter::default(), None, 100).await.unwrap();
        page.items
    }
}

/// A client that says what it is told to say.
struct Client<S = TcpStream> {
    stream: S,
    heard: Vec<u8>,
}

impl Client {
    async fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).await.unwrap();
        Client {
            stream,
            heard: Vec::new(),
        }
    }
}

impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> Client<S> {
    async fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// Reads up to the end of `text`, and returns all that came before and with it.
    async fn hear(&mut self, text: &str) -> String {
        loop {
            let heard = String::from_utf8_lossy(&self.heard).into_owned();
            if let Some(at) = heard.find(text) {
                let end = at + text.len();
                self.heard.drain(..end);
                return heard[..end].to_owned();
            }
            let read = self.stream.read_buf(&mut self.heard).await.unwrap();
            assert!(read > 0, "closed before {text:?} came: {heard:?}");
        }
    }

    /// Reads to the end of the connection.
    async fn hear_end(&mut self) -> String {
        // A connection that was reset has ended as well.
        let _ = self.stream.read_to_end(&mut self.heard).await;
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}

const MAIL: &str = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n";

#[tokio::test]
async fn pipelined_commands_are_answered_in_order_also_behind_data() {
    let server = start();
    let mut client = Client::connect(server.plain).await;
    client.hear("220 mail.example.com ESMTP gatepost\r\n").await;
    let both = format!(
        "HELO c.test\r\n{MAIL}Subject: one\r\n\r\n..\r\n.\r\n{MAIL}Subject: two\r\n.\r\nQUIT\r\n"
    );
    client.say(&both).await;
    let one = "250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n354 end with a line of one dot\r\n250 2.0.0 kept as";
    assert_eq!(
        client.hear_end().await,
        format!("250 mail.example.com\r\n{one} 1\r\n{one} 2\r\n221 2.0.0 bye\r\n")
    );
    let mails = server.mails().await;
    assert_eq!(mails[1].subject.as_deref(), Some("one"));
    assert_eq!(
        server.inbox.raw(mails[1].id).await.unwrap().unwrap(),
        b"Subject: one\r\n\r\n.\r\n"
    );
}

/// Takes any certificate: the test made it a moment ago.
#[derive(Debug)]
struct AnyCertificate(Arc<rustls::crypto::CryptoProvider>);

impl rustls::client::danger::ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &pki_types::CertificateDer<'_>,
        _: &[pki_types::CertificateDer<'_>],
        _: &pki_types::ServerName<'_>,
        _: &[u8],
        _: pki_types::UnixTime,
    ) -> Result<rustls::client::danger::ServerCertVerified, rustls::Error> {
        Ok(rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &pki_types::CertificateDer<'_>,
        signature: &rustls::DigitallySignedStruct,
    ) -> Result<rustls::client::danger::HandshakeSignatureValid, rustls::Error> {
        let known = &self.0.signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, known)
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

async fn handshake(
    stream: TcpStream,
) -> io::Result<Client<tokio_rustls::client::TlsStream<TcpStream>>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    let name = pki_types::ServerName::try_from("mail.example.com").unwrap();
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
    Ok(Client {
        stream: connector.connect(name, stream).await?,
        heard: Vec::new(),
    })
}

#[tokio::test]
async fn tls_from_the_first_byte_and_by_starttls() {
    let server = start();
    let mut client = handshake(TcpStream::connect(server.implicit).await.unwrap())
        .await
        .unwrap();
    client.hear("220 ").await;
    client
        .say(&format!("EHLO c.test\r\n{MAIL}Subject: implicit\r\n.\r\n"))
        .await;
    let extensions = client.hear("250 HELP\r\n").await;
    assert!(!extensions.contains("STARTTLS"), "{extensions}");
    client.hear("kept as 1\r\n").await;

    let mut client = Client::connect(server.plain).await;
    client.hear("220 ").await;
    client.say("EHLO c.test\r\n").await;
    client.hear("250-STARTTLS\r\n").await;
    client.hear("250 HELP\r\n").await;
    client.say("STARTTLS\r\n").await;
    client.hear("220 2.0.0 go on with TLS\r\n").await;
    let mut client = handshake(client.stream).await.unwrap();
    client
        .say(&format!(
            "EHLO c.test\r\n{MAIL}Subject: starttls\r\n.\r\nQUIT\r\n"
        ))
        .await;
    assert!(
        client
            .hear_end()
            .await
            .ends_with("kept as 2\r\n221 2.0.0 bye\r\n")
    );
    assert!(server.mails().await.iter().all(|mail| mail.tls));
}

#[tokio::test]
async fn commands_injected_behind_starttls_are_not_run() {
    let server = start();
    let mut client = Client::connect(server.plain).await;
    client
        .say(&format!(
            "EHLO c.test\r\nSTARTTLS\r\n{MAIL}injected\r\n.\r\n"
        ))
        .await;
    client.hear("220 2.0.0 go on with TLS\r\n").await;
    assert_eq!(client.heard, b"");
    let mut client = handshake(client.stream).await.unwrap();
    client.say("NOOP\r\nQUIT\r\n").await;
    assert_eq!(client.hear_end().await, "250 2.0.0 ok\r\n221 2.0.0 bye\r\n");
    assert_eq!(server.mails().await, []);
}

#[tokio::test]
async fn one_connection_too_many_is_told_to_come_later() {
    let server = start();
    let mut clients = Vec::new();
    for _ in 0..4 {
        let mut client = Client::connect(server.plain).await;
        client.hear("220 ").await;
        clients.push(client);
    }
    let mut refused = Client::connect(server.plain).await;
    assert_eq!(
        refused.hear_end().await,
        "421 4.3.2 too many connections, try again later\r\n"
    );
    let mut first = clients.remove(0);
    first.say("QUIT\r\n").await;
    first.hear_end().await;
    // The place is free once the server has seen the end too.
    loop {
        let mut client = Client::connect(server.plain).await;
        client.stream.read_buf(&mut client.heard).await.unwrap();
        if client.heard.starts_with(b"220 ") {
            break;
        }
    }
}

/// Waits until a connection of the server waits for its client with a deadline.
async fn until_it_waits(simulated: &Simulated) {
    while simulated.sleeping() == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_client_that_takes_too_long_is_cut_off_at_each_stage() {
    let simulated = Simulated::new(1);
    let server = start_in(simulated.world());
    // A byte now and then does not move the deadline of a command.
    let mut client = Client::connect(server.plain).await;
    client.hear("220 ").await;
    for _ in 0..3 {
        until_it_waits(&simulated).await;
        simulated.advance(Duration::from_secs(15));
        client.say("N").await;
    }
    until_it_waits(&simulated).await;
    simulated.advance(Duration::from_secs(16));
    assert!(
        client
            .hear_end()
            .await
            .ends_with("421 4.4.2 you took too long\r\n")
    );
    // A mail may take longer, but not for ever; what came of it is dropped.
    let mut client = Client::connect(server.plain).await;
    client.say(&format!("HELO c.test\r\n{MAIL}begin")).await;
    client.hear("354 ").await;
    for _ in 0..10 {
        until_it_waits(&simulated).await;
        simulated.advance(Duration::from_secs(13));
        if client.stream.write_all(b"more\r\n").await.is_err() {
            break;
        }
    }
    assert!(
        client
            .hear_end()
            .await
            .ends_with("421 4.4.2 you took too long\r\n")
    );
    assert_eq!(server.mails().await, []);
}

#[tokio::test]
async fn shutting_down_finishes_what_runs_and_sends_the_idle_away() {
    let server = start();
    let mut idle = Client::connect(server.plain).await;
    idle.hear("220 ").await;
    // Nothing of these is lost either: no byte of a mail has come.
    let mut begun = Client::connect(server.plain).await;
    begun
        .say("HELO c.test\r\nMAIL FROM:<a@example.com>\r\n")
        .await;
    begun.hear("sender ok\r\n").await;
    let mut asked = Client::connect(server.plain).await;
    asked.say("AUTH LOGIN\r\n").await;
    asked.hear("334 ").await;
    let mut busy = Client::connect(server.plain).await;
    busy.say(&format!("HELO c.test\r\n{MAIL}Subject: under way\r\n"))
        .await;
    busy.hear("354 ").await;
    server.stop.send(()).unwrap();
    for mut client in [idle, begun, asked] {
        let heard = client.hear_end().await;
        assert!(
            heard.ends_with("421 4.3.2 the server is shutting down\r\n"),
            "{heard}"
        );
    }
    assert!(
        TcpStream::connect(server.plain).await.is_err(),
        "nobody listens any more"
    );
    busy.say(".\r\n").await;
    assert!(
        busy.hear_end()
            .await
            .ends_with("kept as 1\r\n421 4.3.2 the server is shutting down\r\n")
    );
    server.serving.await.unwrap();
}

#[tokio::test]
async fn shutting_down_waits_no_longer_than_the_grace_period() {
    let simulated = Simulated::new(1);
    let server = start_in(simulated.world());
    let mut busy = Client::connect(server.plain).await;
    busy.say(&format!("HELO c.test\r\n{MAIL}never ends")).await;
    busy.hear("354 ").await;
    server.stop.send(()).unwrap();
    // The client's deadline and the grace period.
    while simulated.sleeping() < 2 {
        tokio::task::yield_now().await;
    }
    simulated.advance(Duration::from_secs(10));
    server.serving.await.unwrap();
    busy.hear_end().await;
    assert!(server.folder.path().exists());
}

#[tokio::test]
async fn a_mail_that_cannot_be_stored_is_not_acknowledged() {
    let server = start();
    let mut client = Client::connect(server.plain).await;
    client.hear("220 ").await;
    server.store.close().await;
    client
        .say(&format!("HELO c.test\r\n{MAIL}x\r\n.\r\nQUIT\r\n"))
        .await;
    let heard = client.hear_end().await;
    assert!(heard.contains("451 4.3.0 "), "{heard}");
    assert!(heard.ends_with("221 2.0.0 bye\r\n"), "{heard}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn python_smtplib_is_served() {
    let server = start();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/suite/smtp_client.py");
    let port = server.plain.port().to_string();
    let ran = tokio::task::spawn_blocking(move || {
        std::process::Command::new("python3")
            .args([script, &port])
            .output()
    });
    let output = ran.await.unwrap().expect("this test needs python3");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let mails = server.mails().await;
    let subjects: Vec<_> = mails
        .iter()
        .map(|m| m.subject.as_deref().unwrap_or_default())
        .collect();
    assert_eq!(
        subjects,
        [
            "python after",
            "python tls",
            "python 驗證碼",
            "python plain"
        ]
    );
    let plain = server.inbox.get(mails[3].id).await.unwrap().unwrap();
    assert_eq!(plain.text.as_deref(), Some(".\r\n..\r\n.dot\r\n"));
    assert_eq!(plain.summary.authenticated.as_deref(), Some("amy"));
    let coded = server.inbox.get(mails[2].id).await.unwrap().unwrap();
    assert_eq!(coded.codes, ["482913"]);
    assert_eq!(mails[1].envelope.from, "");
    assert_eq!(mails[1].envelope.to, ["用戶@example.org"]);
    assert!(mails[1].tls);
}
