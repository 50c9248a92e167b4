//! A whole gatepost in this process: real sockets, a store of its own in a temporary folder, and
//! a clock that the test moves. Tests talk to it as users do.

use std::io::Read as _;
use std::io::Write as _;
use std::time::Duration;

use gatepost::config;
use gatepost::serve;
use gatepost::world::Simulated;
use serde_json::Value;
use serde_json::json;

/// A running gatepost. It stops when dropped, and its folder goes with it.
pub struct Gatepost {
    runtime: Option<tokio::runtime::Runtime>,
    running: Option<serve::Running>,
    environment: Vec<(String, String)>,
    http: String,
    folder: tempfile::TempDir,
    agent: ureq::Agent,
    /// The clock that everything in it goes by.
    pub clock: Simulated,
}

/// What the service answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub text: String,
}

impl Gatepost {
    /// As `gatepost dev` starts it, with every setting at its default.
    pub fn start() -> Gatepost {
        Gatepost::with(&[])
    }

    /// As `gatepost dev` starts it with these variables in its environment.
    pub fn with(environment: &[(&str, &str)]) -> Gatepost {
        Gatepost::over(tempfile::tempdir().unwrap(), environment)
    }

    /// The same on a folder whose `data` was prepared.
    pub fn over(folder: tempfile::TempDir, environment: &[(&str, &str)]) -> Gatepost {
        let clock = Simulated::new(u64::from(std::process::id()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            // A test that moves the clock lets idle connections lapse under the client.
            .max_idle_connections(0)
            .build()
            .new_agent();
        let mut gatepost = Gatepost {
            runtime: Some(runtime),
            running: None,
            environment: environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            http: String::new(),
            folder,
            agent,
            clock,
        };
        gatepost.run();
        gatepost
    }

    fn run(&mut self) {
        let settings = self.settings();
        let start = serve::start(settings, self.clock.world());
        let running = self.runtime().block_on(start).expect("gatepost starts");
        self.http = format!("http://{}", running.http);
        self.running = Some(running);
    }

    fn settings(&self) -> config::Settings {
        let flag = |setting, value: &str| config::Flag {
            setting,
            flag: "--test",
            value: value.to_owned(),
        };
        let request = config::Request {
            mode: config::Mode::Dev,
            flags: vec![
                flag("http.listen", "127.0.0.1:0"),
                flag("smtp.listen", "127.0.0.1:0"),
                flag("data.dir", &self.data().to_string_lossy()),
            ],
            environment: self.environment.clone(),
            folder: self.folder.path().to_owned(),
            file: None,
        };
        config::load(&request).unwrap_or_else(|errors| panic!("{errors}"))
    }

    /// Stops it and starts it again on the same data folder.
    pub fn restart(&mut self) {
        self.stop();
        self.run();
    }

    fn runtime(&self) -> &tokio::runtime::Runtime {
        self.runtime.as_ref().expect("it runs until it is dropped")
    }

    fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime().block_on(async {
                let stopping = running.stop();
                tokio::pin!(stopping);
                // Grace periods are measured by the clock that only we move.
                while futures_util::poll!(&mut stopping).is_pending() {
                    self.clock.advance(Duration::from_secs(1));
                    tokio::task::yield_now().await;
                }
            });
        }
    }

    /// Sends one mail to `to` over SMTP, exactly these bytes.
    pub fn deliver(&self, to: &str, mail: &[u8]) {
        let smtp = self.running.as_ref().expect("it runs").smtp;
        let mut stream = std::net::TcpStream::connect(smtp).unwrap();
        let begin =
            format!("HELO a.test\r\nMAIL FROM:<bob@example.com>\r\nRCPT TO:<{to}>\r\nDATA\r\n");
        stream.write_all(begin.as_bytes()).unwrap();
        stream.write_all(mail).unwrap();
        stream.write_all(b"\r\n.\r\nQUIT\r\n").unwrap();
        let mut replies = String::new();
        stream.read_to_string(&mut replies).unwrap();
        assert!(replies.contains("250 2.0.0"), "{replies}");
    }

    /// The operator's token.
    pub fn admin(&self) -> String {
        let token = std::fs::read_to_string(self.data().join("admin.token")).unwrap();
        token.trim().to_owned()
    }

    /// A new API key called `name`: its identifier and the key itself.
    pub fn api_key(&self, name: &str) -> (String, String) {
        let form = json!({"name": name});
        let made = self.send("POST", "/api/v1/admin/keys", &self.admin(), &form);
        let made = made.expect(201);
        let text = |field: &str| made[field].as_str().unwrap().to_owned();
        (text("id"), text("key"))
    }

    /// Where it listens for HTTP, as `host:port`.
    pub fn listens(&self) -> &str {
        self.http.strip_prefix("http://").expect("written so above")
    }

    /// Where it listens for mail.
    pub fn smtp(&self) -> std::net::SocketAddr {
        self.running.as_ref().expect("it runs").smtp
    }

    /// Its data folder.
    pub fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("data")
    }

    /// Sends a request; `body` as JSON unless it is null, `token` as a Bearer token unless empty.
    pub fn send(&self, method: &str, path: &str, token: &str, body: &Value) -> Answer {
        self.send_with(&[], method, path, token, body)
    }

    /// The same with headers beside the usual ones.
    pub fn send_with(
        &self,
        headers: &[(&str, &str)],
        method: &str,
        path: &str,
        token: &str,
        body: &Value,
    ) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.http));
        if !token.is_empty() {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = if body.is_null() {
            self.agent.run(request.body(()).unwrap())
        } else {
            let request = request.header("Content-Type", "application/json");
            self.agent.run(request.body(body.to_string()).unwrap())
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        Answer {
            status: answer.status().as_u16(),
            headers: answer
                .headers()
                .iter()
                .map(|(name, value)| {
                    (
                        name.to_string(),
                        String::from_utf8_lossy(value.as_bytes()).into_owned(),
                    )
                })
                .collect(),
            text: answer.body_mut().read_to_string().unwrap(),
        }
    }

    /// Asks as the operator, below `/api/v1/admin/`.
    pub fn operate(&self, method: &str, path: &str) -> Answer {
        let path = format!("/api/v1/admin/{path}");
        self.send(method, &path, &self.admin(), &Value::Null)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, "", &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, "", body)
    }

    /// The next mail to `address` after the message with the identifier `after` ("" for any).
    pub fn mail(&self, address: &str, after: &str) -> Value {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("to", address)
            .append_pair("timeout", "30");
        if !after.is_empty() {
            query.append_pair("after", after);
        }
        let answer = self.get(&format!("/api/v1/inbox/wait?{}", query.finish()));
        answer.expect(200)
    }

    /// Asks for a code and reads it out of the mail.
    pub fn code(&self, address: &str, purpose: &str) -> String {
        let before = self.newest();
        self.post(
            "/api/v1/auth/send_verification_code",
            &json!({"email": address, "verification_type": purpose}),
        )
        .expect(202);
        let mail = self.mail(address, &before);
        mail["codes"][0]
            .as_str()
            .expect("a code in the mail")
            .to_owned()
    }

    /// The identifier of the newest captured mail, "" when there is none.
    pub fn newest(&self) -> String {
        let page = self.get("/api/v1/inbox/messages?limit=1").expect(200);
        page["items"][0]["id"].as_str().unwrap_or("").to_owned()
    }

    /// Enters a code and returns the verification token.
    pub fn verified(&self, address: &str, purpose: &str) -> String {
        let code = self.code(address, purpose);
        let answer = self.post(
            "/api/v1/auth/verify_code",
            &json!({"email": address, "verification_type": purpose, "code": code}),
        );
        answer.expect(200)["verification_token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Registers `address` all the way; the answer holds `user` and `session`.
    pub fn register(&self, address: &str, password: &str) -> Value {
        let token = self.verified(address, "register");
        self.post(
            "/api/v1/auth/register",
            &json!({"email": address, "password": password, "verification_token": token}),
        )
        .expect(201)
    }

    pub fn login(&self, address: &str, password: &str) -> Answer {
        self.post(
            "/api/v1/auth/login",
            &json!({"email": address, "password": password}),
        )
    }
}

impl Drop for Gatepost {
    fn drop(&mut self) {
        self.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(5));
        }
    }
}

impl Answer {
    /// The body as JSON; fails loudly when the status is another.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// The body as JSON, null when there is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// Fails unless this is a problem of the given status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json"),
            "{problem}"
        );
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        problem
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(header, _)| header.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}
