//! A client that holds every answer against the OpenAPI document, and the service that it talks
//! to: the whole HTTP room over a store in a folder of its own, on a port of its own, in a world
//! whose clock the test moves.

mod settings;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use gatepost::audit;
use gatepost::events::Events;
use gatepost::http;
use gatepost::identity::Accounts;
use gatepost::inbox::{Captured, Envelope, Inbox, MessageId};
use gatepost::mail;
use gatepost::mail::route::Board;
use gatepost::secret::Keys;
use gatepost::store::{Options, Read as _, Store, Table};
use gatepost::world::{Simulated, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

pub use settings::{ADMIN, settings};

/// A running service. Stopped and removed when dropped.
pub struct Service {
    pub address: SocketAddr,
    pub inbox: Inbox,
    pub store: Store,
    pub events: Events,
    pub routes: Board,
    pub mailer: mail::Mailer,
    pub simulated: Simulated,
    pub document: Value,
    keys: Keys,
    stop: Option<oneshot::Sender<()>>,
    _folder: tempfile::TempDir,
}

impl Service {
    /// A service as in `dev` on loopback.
    pub async fn start() -> Service {
        Service::start_with(settings()).await
    }

    /// A service with these settings.
    pub async fn start_with(settings: http::Settings) -> Service {
        let folder = tempfile::tempdir().unwrap();
        let events = Events::default();
        let options = Options {
            events: events.clone(),
            ..Options::default()
        };
        let store = Store::open(&folder.path().join("store.redb"), options).unwrap();
        let simulated = Simulated::new(1);
        let world = simulated.world();
        let keys = Keys::from_root(&[7; 32]);
        let inbox = Inbox::new(store.clone(), events.clone(), world.clone());
        let mailer = mailer(&keys, &world);
        let accounts = Accounts::new(
            settings.accounts.clone(),
            store.clone(),
            mailer.clone(),
            keys.clone(),
            world.clone(),
        )
        .unwrap();
        let routes = Board::default();
        let document = serde_json::from_str(&http::document(&settings)).unwrap();
        let services = http::Services {
            accounts,
            inbox: inbox.clone(),
            store: store.clone(),
            mailer: mailer.clone(),
            events: events.clone(),
            routes: routes.clone(),
            journal: gatepost::journal::Journal::default(),
            world,
        };
        let app = http::app(services, settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        tokio::spawn(async move {
            let stopped = async move { drop(stopped.await) };
            http::serve(listener, app, stopped, Duration::from_secs(5))
                .await
                .unwrap();
        });
        Service {
            address,
            inbox,
            store,
            events,
            routes,
            mailer,
            simulated,
            document,
            keys,
            stop: Some(stop),
            _folder: folder,
        }
    }

    /// Runs `work` to its end, moving the clock by `step` whenever all else stands still.
    pub async fn until<T>(&self, step: Duration, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased;
                done = &mut work => return done,
                () = settle() => self.simulated.advance(step),
            }
        }
    }

    /// Begins to stop the service.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// Puts a mail into the inbox.
    pub async fn capture(&self, to: &str, subject: &str, text: &str) -> MessageId {
        let raw = format!(
            "From: Shop <shop@example.com>\r\nTo: {to}\r\nSubject: {subject}\r\n\
             Message-ID: <x@example.com>\r\n\r\n{text}\r\n"
        );
        self.capture_raw(to, raw.into_bytes()).await
    }

    /// Puts these bytes into the inbox.
    pub async fn capture_raw(&self, to: &str, raw: Vec<u8>) -> MessageId {
        let captured = Captured {
            received_at: self.simulated.world().now(),
            envelope: Envelope {
                from: "shop@example.com".to_owned(),
                to: vec![to.to_owned()],
            },
            raw,
            ..Captured::default()
        };
        self.inbox.receive(captured).await.unwrap()
    }

    /// The code in the newest mail that waits in the outbox: no courier runs here.
    pub async fn newest_code(&self) -> String {
        let bodies: Table<mail::OutboxId, serde_bytes::ByteBuf> = Table::new("outbox.body");
        let newest = self
            .store
            .read(|read| read.scan(bodies.all().backwards())?.next().transpose());
        let (id, sealed) = newest.await.unwrap().expect("a mail waits");
        let parcel = mail::Parcel::open(&self.keys, id, &sealed).unwrap();
        let id = self.capture_raw(&parcel.to, parcel.message).await;
        let mail = self.inbox.get(id).await.unwrap().unwrap();
        let world = self.simulated.world();
        let said = audit::Entry::new(&world, "nobody", "inbox_delete", "1");
        self.inbox.delete(id, said).await.unwrap();
        mail.codes.first().expect("a code is in it").clone()
    }

    /// Makes an account and answers the token of its first session.
    pub async fn sign_up(&self, email: &str, password: &str) -> String {
        let ask = json!({"email": email, "verification_type": "register"});
        self.post("/api/v1/auth/send_verification_code", &ask)
            .await
            .expect(202);
        let code = self.newest_code().await;
        let verify = json!({"email": email, "verification_type": "register", "code": code});
        let verified = self
            .post("/api/v1/auth/verify_code", &verify)
            .await
            .expect(200);
        let form = json!({
            "email": email,
            "password": password,
            "verification_token": verified.json()["verification_token"],
            "display_name": "Ann",
        });
        let made = self.post("/api/v1/auth/register", &form).await.expect(201);
        made.json()["session"]["token"].as_str().unwrap().to_owned()
    }

    /// Sends a request and checks the answer against the document.
    pub async fn send(&self, request: Request) -> Answer {
        let answer = self.send_unchecked(&request.text()).await;
        self.check(&request, &answer);
        answer
    }

    /// Sends these bytes and reads until the server closes.
    pub async fn send_unchecked(&self, bytes: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(bytes).await.unwrap();
        Answer::read(&mut stream).await
    }

    /// What the operator asks for.
    pub async fn admin(&self, method: &str, path: &str, body: &Value) -> Answer {
        let path = format!("/api/v1/admin/{path}");
        let mut request = Request::new(method, &path).bearer(ADMIN);
        if !body.is_null() {
            request = request.json(body);
        }
        self.send(request).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Request::new("GET", path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Request::new("DELETE", path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Request::new("POST", path).json(body)).await
    }

    /// Every answer has the headers that all have; what the document knows, it knows wholly.
    fn check(&self, request: &Request, answer: &Answer) {
        let what = format!("{} {} -> {}", request.method, request.path, answer.status);
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{what}"
        );
        assert_eq!(
            answer.header("referrer-policy"),
            Some("no-referrer"),
            "{what}"
        );
        assert!(answer.header("content-security-policy").is_some(), "{what}");
        assert!(answer.header("cache-control").is_some(), "{what}");
        let id = answer
            .header("x-request-id")
            .expect("every answer has an id");
        if answer.status >= 400 && request.method != "HEAD" {
            let kind = answer.header("content-type");
            assert_eq!(kind, Some("application/problem+json"), "{what}");
            let problem = answer.json();
            assert_eq!(problem["status"], answer.status, "{what}");
            assert_eq!(problem["request_id"], id, "{what}");
            for member in ["type", "title", "detail", "instance", "code"] {
                assert!(problem[member].is_string(), "{what}: {member} in {problem}");
            }
        }
        let path = request.path.split('?').next().unwrap();
        let path = path.strip_suffix('/').unwrap_or(path);
        let method = match request.method.as_str() {
            "HEAD" => "get".to_owned(),
            method => method.to_ascii_lowercase(),
        };
        let paths = self.document["paths"].as_object().unwrap();
        let exact = paths.get(path);
        let item = exact.or_else(|| {
            paths
                .iter()
                .find(|(pattern, _)| matches(pattern, path))
                .map(|(_, item)| item)
        });
        let Some(operation) = item.and_then(|item| item.get(&method)) else {
            return;
        };
        let documented = &operation["responses"][answer.status.to_string()];
        assert!(documented.is_object(), "{what} is not documented");
        let kinds = documented["content"].as_object();
        match answer.header("content-type") {
            None => assert!(kinds.is_none(), "{what}: a body is documented"),
            Some(kind) => {
                let media = kinds.and_then(|kinds| kinds.get(kind));
                let media = media.unwrap_or_else(|| panic!("{what}: {kind} is not documented"));
                if answer.status >= 400 && request.method != "HEAD" {
                    let code = answer.json()["code"].as_str().unwrap().to_owned();
                    let example = media["examples"].get(&code);
                    assert!(example.is_some(), "{what}: no example of {code}");
                }
            }
        }
    }
}

/// Lets everything that is ready have its turn, sockets included: they are served in order, so
/// whoever was ready before these round trips began has been served when they end.
async fn settle() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    for _ in 0..5 {
        let (client, server) = tokio::join!(TcpStream::connect(address), listener.accept());
        let (mut client, mut server) = (client.unwrap(), server.unwrap().0);
        client.write_all(b"x").await.unwrap();
        server.read_exact(&mut [0]).await.unwrap();
        tokio::task::spawn_blocking(|| ()).await.unwrap();
    }
}

fn mailer(keys: &Keys, world: &World) -> mail::Mailer {
    let settings = mail::Settings {
        from: "Example <accounts@example.com>".parse().unwrap(),
        site_name: "Example".to_owned(),
        base_url: "https://example.com".to_owned(),
        templates: None,
    };
    mail::Mailer::new(settings, keys.clone(), world.clone()).unwrap()
}

fn matches(pattern: &str, path: &str) -> bool {
    let (pattern, path): (Vec<_>, Vec<_>) =
        (pattern.split('/').collect(), path.split('/').collect());
    let mut pairs = pattern.iter().zip(&path);
    pattern.len() == path.len() && pairs.all(|(a, b)| a == b || a.starts_with('{'))
}

/// A request to be sent.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn new(method: &str, path: &str) -> Request {
        Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("Host".to_owned(), "localhost".to_owned())],
            body: Vec::new(),
        }
    }

    /// Adds a header, or replaces it.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn bearer(self, token: &str) -> Request {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    pub fn json(self, body: &Value) -> Request {
        self.body("application/json", body.to_string().as_bytes())
    }

    pub fn body(mut self, media_type: &str, body: &[u8]) -> Request {
        self.body = body.to_vec();
        let length = body.len().to_string();
        self.header("Content-Type", media_type)
            .header("Content-Length", &length)
    }

    /// As it goes over the wire.
    pub fn text(&self) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nConnection: close\r\n",
            self.method, self.path
        );
        for (name, value) in &self.headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        text.push_str("\r\n");
        [text.into_bytes(), self.body.clone()].concat()
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Answer {
    /// Reads until the server closes.
    pub async fn read(stream: &mut TcpStream) -> Answer {
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).await.unwrap();
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end =
            end.unwrap_or_else(|| panic!("no answer in {:?}", String::from_utf8_lossy(&bytes)));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines
            .next()
            .unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse()
            .unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The status and the problem's code.
    pub fn problem(&self) -> (u16, String) {
        let code = self.json()["code"].as_str().unwrap_or_default().to_owned();
        (self.status, code)
    }

    /// Panics with the body unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Answer {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        self
    }
}

/// The pointers and codes of a problem's `errors`.
pub fn faults(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|e| (text(&e["pointer"]), text(&e["code"])))
        .collect()
}

/// A login that the domain accepts as a form.
pub fn login() -> Value {
    json!({"email": "ann@example.org", "password": "correct horse battery"})
}
