//! One conversation with the server, stage by stage, with the very code that delivers mail, and
//! without a mail: for whoever wants to know how far it comes. What must not live here: what a
//! stage's failure means, and words for people.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use lettre::transport::smtp::commands::{Mail, Rcpt, Rset};
use tokio::net::TcpStream;
use tokio_rustls::rustls::client::danger::HandshakeSignatureValid;
use tokio_rustls::rustls::client::danger::ServerCertVerified;
use tokio_rustls::rustls::client::danger::ServerCertVerifier;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::connection::{self, Connection};
use super::reply::Reply;
use super::trust::Trust;
use super::wire::{Stream, Tape, Wire};
use super::{Failure, Secrets, Settings, SetupError, Shared, dial, opening, trust};
use crate::mail::attempt::{Outcome, Stage, text_of};
use crate::mail::letter::Parcel;
use crate::world::World;

/// See the [module](self). The stages are called in their order, each after the one before it
/// went well: [`connect`](Probe::connect), [`protect`](Probe::protect), [`greet`](Probe::greet),
/// [`log_in`](Probe::log_in), [`mail_from`](Probe::mail_from), [`rcpt_to`](Probe::rcpt_to),
/// [`leave`](Probe::leave).
pub struct Probe {
    shared: Arc<Shared>,
    shown: Arc<Mutex<Option<Vec<u8>>>>,
    tape: Arc<Tape>,
    state: State,
}

enum State {
    Nowhere,
    Connected(TcpStream),
    Protected(Box<Wire>),
    Greeted(Box<Connection>),
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}

impl Probe {
    /// A probe that is connected to nothing yet.
    ///
    /// # Errors
    /// The certificate file cannot be read or holds none.
    pub fn new(settings: Settings, world: World) -> Result<Probe, SetupError> {
        let shown = Arc::new(Mutex::new(None));
        let inner = Trust::of(settings.ca_file.as_deref())?;
        let noting = Arc::new(Noting {
            inner,
            shown: shown.clone(),
        });
        let shared = Arc::new(Shared {
            tls: trust::config(noting),
            secrets: Secrets::of(&settings),
            settings,
            world,
        });
        Ok(Probe {
            shared,
            shown,
            tape: Arc::default(),
            state: State::Nowhere,
        })
    }

    /// Connects to one address of the server's.
    ///
    /// # Errors
    /// Why it could not be reached.
    pub async fn connect(&mut self, address: SocketAddr) -> Result<(), Failure> {
        self.state = State::Nowhere;
        let dialled = dial::dial_one(&self.shared.settings, &self.shared.world, address).await;
        self.state = State::Connected(self.told(dialled)?);
        Ok(())
    }

    /// TLS, in the way that the settings want; with STARTTLS the greeting and a first EHLO before
    /// it, so that a failure may be of [`Stage::Greeting`]. The answer is the version of TLS;
    /// `None` where there is none.
    ///
    /// # Errors
    /// Why there is no connection to trust.
    pub async fn protect(&mut self) -> Result<Option<&'static str>, Failure> {
        let State::Connected(stream) = std::mem::replace(&mut self.state, State::Nowhere) else {
            return Err(out_of_order(Stage::Tls));
        };
        let protected = opening::protect(&self.shared, stream, &self.tape).await;
        let wire = self.told(protected)?;
        let version = wire.tls_version();
        self.state = State::Protected(Box::new(wire));
        Ok(version)
    }

    /// The certificate (DER) that the server showed, trusted or not.
    pub fn certificate(&self) -> Option<Vec<u8>> {
        let shown = self.shown.lock();
        shown.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The greeting and EHLO; the answer is what the server offers, a line each.
    ///
    /// # Errors
    /// What the server said instead.
    pub async fn greet(&mut self) -> Result<Vec<String>, Failure> {
        let State::Protected(wire) = std::mem::replace(&mut self.state, State::Nowhere) else {
            return Err(out_of_order(Stage::Greeting));
        };
        let greeted = Connection::greet(&self.shared, *wire, &self.tape).await;
        let connection = self.told(greeted)?;
        self.state = State::Greeted(Box::new(connection));
        let (replies, _) = Reply::all(&self.tape.reply());
        let hello = replies.into_iter().next_back();
        let lines = hello.map_or_else(String::new, |hello| text_of(&hello.bytes));
        let lines = lines.lines().skip(1).filter_map(|line| line.get(4..));
        Ok(lines.map(|line| line.trim().to_owned()).collect())
    }

    /// AUTH, where there are credentials.
    ///
    /// # Errors
    /// What the server said instead of welcome.
    pub async fn log_in(&mut self) -> Result<(), Failure> {
        let outcome = match &mut self.state {
            State::Greeted(connection) => connection.log_in().await,
            _ => Err(out_of_order(Stage::Auth)),
        };
        self.told(outcome)
    }

    /// MAIL FROM, for a mail to `to`.
    ///
    /// # Errors
    /// What the server has against the sender.
    pub async fn mail_from(&mut self, from: &str, to: &str) -> Result<String, Failure> {
        let parcel = Parcel {
            from: from.to_owned(),
            to: to.to_owned(),
            hide: Vec::new(),
            message: Vec::new(),
        };
        let limit = self.shared.settings.deadlines.envelope;
        let outcome = match &mut self.state {
            State::Greeted(connection) => match connection.parameters(&parcel) {
                Ok(parameters) => {
                    let mail = Mail::new(Some(connection::address(from)), parameters);
                    connection.command(Stage::MailFrom, mail, limit).await
                }
                Err(failure) => Err(failure),
            },
            _ => Err(out_of_order(Stage::MailFrom)),
        };
        self.answer(outcome)
    }

    /// RCPT TO.
    ///
    /// # Errors
    /// What the server has against the recipient.
    pub async fn rcpt_to(&mut self, to: &str) -> Result<String, Failure> {
        let limit = self.shared.settings.deadlines.envelope;
        let rcpt = Rcpt::new(connection::address(to), Vec::new());
        let outcome = match &mut self.state {
            State::Greeted(connection) => connection.command(Stage::RcptTo, rcpt, limit).await,
            _ => Err(out_of_order(Stage::RcptTo)),
        };
        self.answer(outcome)
    }

    /// RSET and QUIT: what was begun is forgotten, and nothing is sent.
    ///
    /// # Errors
    /// What the server said to RSET.
    pub async fn leave(&mut self) -> Result<(), Failure> {
        let limit = self.shared.settings.deadlines.envelope;
        let State::Greeted(mut connection) = std::mem::replace(&mut self.state, State::Nowhere)
        else {
            return Err(out_of_order(Stage::Data));
        };
        let reset = connection.command(Stage::MailFrom, Rset, limit).await;
        connection.quit().await;
        self.answer(reset).map(drop)
    }

    fn answer(&self, outcome: Result<Reply, Failure>) -> Result<String, Failure> {
        let reply = self.told(outcome)?;
        let bytes = self.shared.secrets.mask(reply.bytes, &[]);
        Ok(text_of(&bytes).trim().to_owned())
    }

    /// A failure carries the conversation up to it, and no secret.
    fn told<T>(&self, outcome: Result<T, Failure>) -> Result<T, Failure> {
        outcome.map_err(|mut failure| {
            failure.transcript = self.tape.take_transcript();
            connection::masked(&self.shared, failure, &[])
        })
    }
}

fn out_of_order(stage: Stage) -> Failure {
    Failure::of(stage, Outcome::Connection, "there is no connection")
}

impl Wire {
    fn tls_version(&self) -> Option<&'static str> {
        use tokio_rustls::rustls::ProtocolVersion;
        let Stream::Tls(stream) = self.stream() else {
            return None;
        };
        Some(match stream.get_ref().1.protocol_version() {
            Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => "TLS",
        })
    }
}

/// Verifies as every delivery does, and keeps the certificate that was shown, so that one that is
/// not trusted can be told about.
#[derive(Debug)]
struct Noting {
    inner: Arc<Trust>,
    shown: Arc<Mutex<Option<Vec<u8>>>>,
}

impl ServerCertVerifier for Noting {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(end_entity.to_vec());
        drop(shown);
        let inner = &self.inner;
        inner.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}
