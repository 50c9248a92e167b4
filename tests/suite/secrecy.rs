//! No secret is in a log, whatever its level, nor in the store in the clear: one gatepost sends
//! through a second one, which plays the team's provider, and everything that the first one
//! logged at TRACE and keeps in its folder is searched for every secret that went through it.

use std::path::Path;
use std::time::Duration;

use crate::process::Process;
use serde_json::Value;
use serde_json::json;

const PASSWORDS: [&str; 3] = [
    "correct horse battery",
    "another staple gun",
    "third time is a charm",
];
const RELAY_PASSWORD: &str = "relay-authorization-code";
const SENTENCE: &str = "the merger is on the ninth of May";
const IDEMPOTENCY_KEY: &str = "invoice-for-the-merger";

struct Browser {
    agent: ureq::Agent,
    /// The gatepost that people use, and the one that plays the provider.
    site: String,
    provider: String,
    secrets: Vec<String>,
    newest: String,
}

impl Browser {
    fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let answer = self
            .agent
            .post(format!("{}/api/v1/auth/{path}", self.site))
            .header("Authorization", format!("Bearer {token}"))
            .content_type("application/json")
            .send(body.to_string());
        let mut answer = answer.unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        assert!(answer.status().is_success(), "{path}: {text}");
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// The next mail that the provider got.
    fn mail(&mut self) -> Value {
        let url = format!(
            "{}/api/v1/inbox/wait?to=ann@example.com&timeout=30{}",
            self.provider, self.newest
        );
        let text = self
            .agent
            .get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap();
        let mail: Value = serde_json::from_str(&text).expect("the mail arrives");
        self.newest = format!("&after={}", mail["id"].as_str().unwrap());
        mail
    }

    fn secret(&mut self, value: &Value) -> String {
        let secret = value
            .as_str()
            .unwrap_or_else(|| panic!("{value}"))
            .to_owned();
        self.secrets.push(secret.clone());
        secret
    }

    fn verified(&mut self, purpose: &str) -> String {
        let ask = json!({"email": "ann@example.com", "verification_type": purpose});
        self.post("send_verification_code", "", &ask);
        let code = self.mail()["codes"][0].clone();
        let code = self.secret(&code);
        let verify =
            json!({"email": "ann@example.com", "verification_type": purpose, "code": code});
        let token = self.post("verify_code", "", &verify)["verification_token"].clone();
        self.secret(&token)
    }
}

#[test]
fn no_secret_is_logged_at_any_level_or_stored_in_the_clear() {
    let provider_folder = tempfile::tempdir().unwrap();
    let users = format!("gatepost:{RELAY_PASSWORD}");
    let provider = Process::start(
        "dev",
        provider_folder.path(),
        &[("GATEPOST_SMTP_USERS", &users)],
    );
    let folder = tempfile::tempdir().unwrap();
    let port = provider.smtp.port().to_string();
    let site = Process::start(
        "serve",
        folder.path(),
        &[
            ("USE_REAL_EMAIL", "1"),
            ("EMAIL_HOST", "127.0.0.1"),
            ("EMAIL_PORT", &port),
            ("GATEPOST_RELAY_SECURITY", "none"),
            ("EMAIL_HOST_USER", "gatepost"),
            ("EMAIL_HOST_PASSWORD", RELAY_PASSWORD),
            ("DEFAULT_FROM_EMAIL", "Team <team@example.com>"),
            ("DEFAULT_DOMAIN", "team.example.com"),
            ("GATEPOST_LOG_LEVEL", "trace"),
        ],
    );
    let mut browser = Browser {
        agent: ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(60)))
            .build()
            .into(),
        site: format!("http://{}", site.http),
        provider: format!("http://{}", provider.http),
        secrets: PASSWORDS.iter().map(|p| (*p).to_owned()).collect(),
        newest: String::new(),
    };
    browser.secrets.push(RELAY_PASSWORD.to_owned());
    let admin = std::fs::read_to_string(folder.path().join("data/admin.token")).unwrap();
    let admin = admin.trim();

    let token = browser.verified("register");
    let registered = browser.post(
        "register",
        "",
        &json!({"email": "ann@example.com", "password": PASSWORDS[0], "verification_token": token}),
    );
    let session = browser.secret(&registered["session"]["token"]);
    let change = json!({"current_password": PASSWORDS[0], "new_password": PASSWORDS[1]});
    browser.post("change_password", &session, &change);
    browser.mail();
    browser.post("password_reset", "", &json!({"email": "ann@example.com"}));
    let link = browser.mail()["links"][0].clone();
    let link = link.as_str().unwrap().trim_end_matches('/').to_owned();
    let mut parts = link.rsplit('/');
    let (token, uid) = (parts.next().unwrap(), parts.next().unwrap());
    let token = browser.secret(&json!(token));
    // What a click on the link does to somebody who keeps no cookies: it stays good.
    for way in ["/", "", "/?x=1"] {
        let clicked = format!("{}/users/reset/{uid}/{token}{way}", browser.site);
        assert_eq!(browser.agent.get(clicked).call().unwrap().status(), 400);
    }
    let reset = json!({"uid": uid, "token": token, "new_password": PASSWORDS[2]});
    browser.post("password_reset/confirm", "", &reset);
    browser.mail();
    let login = json!({"email": "ann@example.com", "password": PASSWORDS[2]});
    let session = browser.post("login", "", &login)["session"]["token"].clone();
    let session = browser.secret(&session);
    let token = browser.verified("reset_password");
    let reset = json!({"email": "ann@example.com", "verification_token": token, "new_password": PASSWORDS[1]});
    browser.post("password_reset/confirm", "", &reset);
    browser.mail();
    // What is refused is logged as well.
    for (path, body) in [
        (
            "login",
            json!({"email": "ann@example.com", "password": PASSWORDS[0]}),
        ),
        (
            "verify_code",
            json!({"email": "ann@example.com", "verification_type": "register", "code": "000000"}),
        ),
    ] {
        let url = format!("{}/api/v1/auth/{path}", browser.site);
        let refused = browser
            .agent
            .post(url)
            .content_type("application/json")
            .send(body.to_string());
        assert!(refused.unwrap().status().is_client_error());
    }
    let me = browser
        .agent
        .get(format!("{}/api/v1/auth/me", browser.site));
    let ended = me
        .header("Authorization", format!("Bearer {session}"))
        .call()
        .unwrap();
    assert_eq!(ended.status(), 401);
    let metrics = browser.agent.get(format!("{}/metrics", browser.site));
    let open = metrics
        .header("Authorization", format!("Bearer {admin}"))
        .call()
        .unwrap();
    assert_eq!(open.status(), 200);

    // One of the team's other programs has mail sent.
    let order = |path: &str, token: &str, body: &Value| {
        let request = browser
            .agent
            .post(format!("{}/api/v1/{path}", browser.site));
        let request = request.header("Authorization", format!("Bearer {token}"));
        let request = request.header("Idempotency-Key", IDEMPOTENCY_KEY);
        let answer = request.content_type("application/json");
        let mut answer = answer.send(body.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), text)
    };
    let (status, made) = order("admin/keys", admin, &json!({"name": "billing"}));
    assert_eq!(status, 201, "{made}");
    let key: Value = serde_json::from_str(&made).unwrap();
    let key = key["key"].as_str().unwrap().to_owned();
    let mail = json!({"to": "ann@example.com", "subject": "Invoice", "text": SENTENCE});
    assert_eq!(order("mail/send", &key, &mail).0, 202);
    assert_eq!(order("mail/send", &key, &mail).0, 202);
    let wrong = json!({"to": "ann", "subject": "Invoice", "text": SENTENCE, "values": {}});
    assert_eq!(order("mail/send", &key, &wrong).0, 409);
    assert_eq!(order("mail/send", &format!("{key}x"), &mail).0, 401);
    browser.mail();
    browser
        .secrets
        .extend([key, SENTENCE.to_owned(), IDEMPOTENCY_KEY.to_owned()]);

    site.stop();
    let log = std::fs::read(folder.path().join("log")).unwrap();
    assert!(holds(&log, "DEBUG"), "the log tells all that there is");
    // The provider's own log is searched too: it saw the mails and the relay's password.
    provider.stop();
    let providers_log = std::fs::read(provider_folder.path().join("log")).unwrap();
    let store = std::fs::read(folder.path().join("data/store.redb")).unwrap();
    assert!(
        holds(&store, "ann@example.com"),
        "the store is searched as it is on the disk"
    );
    assert_eq!(
        browser.secrets.len(),
        14,
        "every secret of the run is searched for"
    );
    for secret in &browser.secrets {
        assert!(!holds(&log, secret), "{secret} is in the log");
        assert!(
            !holds(&providers_log, secret),
            "{secret} is in the provider's log"
        );
        // Six digits occur by chance in a file of hundreds of kilobytes of identifiers.
        if secret.len() > 6 {
            assert!(!holds(&store, secret), "{secret} is in the store");
        }
    }
    assert!(!holds(&log, admin), "the admin token is in the log");
    assert!(only_owner_reads(&folder.path().join("data/secret.key")));
}

fn holds(bytes: &[u8], text: &str) -> bool {
    memchr::memmem::find(bytes, text.as_bytes()).is_some()
}

fn only_owner_reads(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o077 == 0
}
