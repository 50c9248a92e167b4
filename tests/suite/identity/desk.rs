//! Accounts over a store of their own and a simulated world, and a view of the mail they write.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use gatepost::identity::limits::Policy;
use gatepost::identity::password;
use gatepost::identity::session;
use gatepost::identity::{
    Accounts, Authenticated, Client, Codes, Error, Limits, Lockout, Login, NewSession, Register,
    SendCode, Sent, Settings, User, UserId, Verified, VerifyCode,
};
use gatepost::language::Language;
use gatepost::mail::{self, Kind, Mailer, OutboxId, Parcel, outbox};
use gatepost::secret::{CodeStyle, Keys, SecretText};
use gatepost::store::{Read, Store, Table};
use gatepost::world::Simulated;
use serde_bytes::ByteBuf;

pub const PASSWORD: &str = "gate lamp river";
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
pub const DAY: Duration = Duration::from_secs(86_400);

const ROWS: Table<OutboxId, outbox::Row> = Table::new("outbox.row");
const BODIES: Table<OutboxId, ByteBuf> = Table::new("outbox.body");

pub struct Desk {
    pub accounts: Accounts,
    pub store: Store,
    pub simulated: Simulated,
    keys: Keys,
    _folder: tempfile::TempDir,
}

/// A letter in the outbox; no text when it was shelved.
#[derive(Debug, Clone)]
pub struct Mail {
    pub row: outbox::Row,
    pub text: Option<String>,
}

pub fn secret(text: &str) -> SecretText {
    SecretText::from(text.to_owned())
}

pub fn client(ip: &str) -> Client {
    Client {
        ip: ip.parse().unwrap(),
        user_agent: Some("suite\r\n/1".to_owned()),
    }
}

/// The shipped defaults, but for the price of a hash and the limits by IP, which tests set.
pub fn settings() -> Settings {
    Settings {
        base_url: "https://example.com".to_owned(),
        language: Language::En,
        codes: Codes {
            lifetime: 10 * MINUTE,
            attempts: 5,
            resend: MINUTE,
            style: CodeStyle::Digits,
            token_lifetime: 15 * MINUTE,
            link_lifetime: HOUR,
        },
        passwords: password::Settings {
            min_chars: 8,
            max_chars: 256,
            memory_kib: 64,
            passes: 1,
            lanes: 1,
            threads: 2,
            queue: 64,
            patience: Duration::from_secs(10),
        },
        sessions: session::Settings {
            idle: 14 * DAY,
            lifetime: 30 * DAY,
        },
        lockout: Lockout {
            failures: 100,
            free: 5,
            first_wait: Duration::from_secs(30),
            longest_wait: HOUR,
        },
        limits: Limits {
            code_per_address: "5/hour, 20/day".parse().unwrap(),
            code_per_ip: Policy::OFF,
            registration_per_ip: Policy::OFF,
            wrong_code_per_ip: Policy::OFF,
            wrong_login_per_ip: Policy::OFF,
            password_change_per_user: "10/hour".parse().unwrap(),
            mail_per_key: "off".parse().unwrap(),
        },
        audit_kept: Some(90 * DAY),
    }
}

impl Desk {
    pub fn open() -> Desk {
        Desk::with(settings())
    }

    pub fn with(settings: Settings) -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store"), Default::default()).unwrap();
        Desk::over(settings, store, Simulated::new(1), folder)
    }

    /// The same store under other settings.
    pub fn reopened(self, settings: Settings) -> Desk {
        Desk::over(settings, self.store, self.simulated, self._folder)
    }

    fn over(
        settings: Settings,
        store: Store,
        simulated: Simulated,
        folder: tempfile::TempDir,
    ) -> Desk {
        let keys = Keys::from_root(&[3; 32]);
        let mailer = Mailer::new(
            mail::Settings {
                from: "Gatepost <no-reply@example.com>".parse().unwrap(),
                site_name: "Gatepost".to_owned(),
                base_url: settings.base_url.clone(),
                templates: None,
            },
            keys.clone(),
            simulated.world(),
        )
        .unwrap();
        let accounts = Accounts::new(
            settings,
            store.clone(),
            mailer,
            keys.clone(),
            simulated.world(),
        )
        .unwrap();
        Desk {
            accounts,
            store,
            simulated,
            keys,
            _folder: folder,
        }
    }

    pub fn advance(&self, by: Duration) {
        self.simulated.advance(by);
    }

    pub async fn send(&self, email: &str, purpose: &str) -> Result<Sent, Error> {
        self.send_from("192.0.2.1", email, purpose).await
    }

    pub async fn send_from(&self, ip: &str, email: &str, purpose: &str) -> Result<Sent, Error> {
        let form = SendCode {
            email: email.to_owned(),
            verification_type: purpose.to_owned(),
            ..SendCode::default()
        };
        self.accounts.send_code(&client(ip), form).await
    }

    pub async fn verify(&self, email: &str, purpose: &str, code: &str) -> Result<Verified, Error> {
        self.verify_from("192.0.2.1", email, purpose, code).await
    }

    pub async fn verify_from(
        &self,
        ip: &str,
        email: &str,
        purpose: &str,
        code: &str,
    ) -> Result<Verified, Error> {
        let form = VerifyCode {
            email: email.to_owned(),
            verification_type: purpose.to_owned(),
            code: secret(code),
        };
        self.accounts.verify_code(&client(ip), form).await
    }

    /// A token for `email`, by way of a mailed code.
    pub async fn token(&self, email: &str, purpose: &str) -> String {
        self.send(email, purpose).await.unwrap();
        let code = self.code(email).await;
        let verified = self.verify(email, purpose, &code).await.unwrap();
        verified.verification_token.expose().to_owned()
    }

    pub async fn register_with(
        &self,
        email: &str,
        token: &str,
    ) -> Result<(User, NewSession), Error> {
        let form = Register {
            email: email.to_owned(),
            password: secret(PASSWORD),
            verification_token: secret(token),
            ..Register::default()
        };
        self.accounts.register(&client("192.0.2.1"), form).await
    }

    /// Makes an account by the whole flow; answers the session's token.
    pub async fn join(&self, email: &str) -> (User, String) {
        let token = self.token(email, "register").await;
        let (user, session) = self.register_with(email, &token).await.unwrap();
        (user, session.token.expose().to_owned())
    }

    pub async fn login(&self, email: &str, password: &str) -> Result<(User, NewSession), Error> {
        self.login_from("192.0.2.1", email, password).await
    }

    pub async fn login_from(
        &self,
        ip: &str,
        email: &str,
        password: &str,
    ) -> Result<(User, NewSession), Error> {
        let form = Login {
            email: email.to_owned(),
            password: secret(password),
        };
        self.accounts.login(&client(ip), form).await
    }

    pub async fn who(&self, token: &str) -> Result<Authenticated, Error> {
        self.accounts.authenticate(token).await
    }

    /// All mail, the oldest first.
    pub async fn mail(&self) -> Vec<Mail> {
        let keys = &self.keys;
        let read = self.store.read(|read| {
            let mut all = Vec::new();
            for row in read.scan(ROWS.all())? {
                let (id, row) = row?;
                let text = read.get(&BODIES, &id)?.map(|sealed| {
                    let parcel = Parcel::open(keys, id, &sealed).unwrap();
                    let parser = mail_parser::MessageParser::default();
                    let message = parser.parse(&parcel.message).unwrap();
                    message.body_text(0).unwrap().into_owned()
                });
                all.push(Mail { row, text });
            }
            Ok::<_, gatepost::store::Error>(all)
        });
        let mut all = read.await.unwrap();
        all.sort_by_key(|mail| mail.row.created_at);
        all
    }

    /// The newest mail to `email`.
    pub async fn newest(&self, email: &str) -> Mail {
        let mut mail = self.mail().await;
        mail.retain(|mail| mail.row.to.as_str() == email);
        mail.pop().expect("there is mail")
    }

    /// The code of the newest mail with one to `email`.
    pub async fn code(&self, email: &str) -> String {
        let mut mail = self.mail().await;
        let kinds = [Kind::RegistrationCode, Kind::ResetCode];
        mail.retain(|mail| mail.row.to.as_str() == email && kinds.contains(&mail.row.kind));
        let text = mail
            .pop()
            .and_then(|mail| mail.text)
            .expect("there is a code");
        code_in(&text)
    }

    /// The code of the mail to `email` that was written at this very moment.
    pub async fn code_of_now(&self, email: &str) -> String {
        let now = self.simulated.world().now();
        let mut mail = self.mail().await;
        mail.retain(|mail| mail.row.to.as_str() == email && mail.row.created_at == now);
        let text = mail
            .pop()
            .and_then(|mail| mail.text)
            .expect("there is a code");
        code_in(&text)
    }

    /// uid and token of the newest reset link to `email`.
    pub async fn link(&self, email: &str) -> (String, String) {
        let mut mail = self.mail().await;
        mail.retain(|m| m.row.to.as_str() == email && m.row.kind == Kind::ResetLink);
        let text = mail
            .pop()
            .and_then(|mail| mail.text)
            .expect("there is a link");
        let start = text.find("https://example.com/users/reset/").unwrap();
        let link = text[start..].split_whitespace().next().unwrap();
        let path = link
            .strip_prefix("https://example.com/users/reset/")
            .unwrap();
        let (uid, token) = path.strip_suffix('/').unwrap().split_once('/').unwrap();
        (uid.to_owned(), token.to_owned())
    }

    /// The stored form of the only account's password.
    pub async fn stored_password(&self) -> String {
        const ACCOUNTS: Table<UserId, BTreeMap<String, serde_json::Value>> =
            Table::new("identity.account");
        let read = self.store.read(|read| {
            let row = read.scan(ACCOUNTS.all())?.next().expect("there is one")?;
            Ok::<_, gatepost::store::Error>(row.1["password"].as_str().unwrap().to_owned())
        });
        read.await.unwrap()
    }

    /// How many rows each table has.
    pub async fn rows(&self) -> BTreeMap<String, usize> {
        let count = self.store.read(|read| {
            let mut tables = BTreeMap::new();
            for row in read
                .reader()
                .range(Bound::Unbounded, Bound::Unbounded, false)?
            {
                let (key, _) = row?;
                let name = key.split(|byte| *byte == 0).next().unwrap();
                *tables
                    .entry(String::from_utf8_lossy(name).into_owned())
                    .or_default() += 1;
            }
            Ok::<_, gatepost::store::Error>(tables)
        });
        count.await.unwrap()
    }

    /// All bytes of the store, keys and values.
    pub async fn everything(&self) -> Vec<u8> {
        let read = self.store.read(|read| {
            let mut bytes = Vec::new();
            for row in read
                .reader()
                .range(Bound::Unbounded, Bound::Unbounded, false)?
            {
                let (key, value) = row?;
                bytes.extend(key);
                bytes.extend(value);
            }
            Ok::<_, gatepost::store::Error>(bytes)
        });
        read.await.unwrap()
    }

    /// Lets other tasks run until `done`; for what is done beside a request.
    pub async fn settled<F: AsyncFn() -> bool>(&self, done: F) {
        for _ in 0..1_000_000 {
            if done().await {
                return;
            }
            tokio::task::yield_now().await;
            std::thread::yield_now();
        }
        panic!("it never came to that");
    }

    /// Sweeps until nothing is due; answers how many rows were looked at.
    pub async fn sweep(&self) -> usize {
        let mut all = 0;
        loop {
            match self.accounts.sweep(100).await.unwrap() {
                0 => return all,
                some => all += some,
            }
        }
    }
}

/// The first run of exactly six digits, or eight letters of a code's alphabet.
pub fn code_in(text: &str) -> String {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            let digits = word.len() == 6 && word.bytes().all(|b| b.is_ascii_digit());
            let letters =
                word.len() == 8 && word.bytes().all(|b| b"BCDFGHJKLMNPQRSTVWXZ".contains(&b));
            digits || letters
        })
        .expect("there is a code in it")
        .to_owned()
}

/// A code that is not `right`.
pub fn wrong(right: &str) -> String {
    let number: u32 = right.parse().unwrap();
    format!("{:06}", (number + 1) % 1_000_000)
}

pub fn attempts_left<T: std::fmt::Debug>(outcome: Result<T, Error>) -> u32 {
    match outcome {
        Err(Error::CodeRefused { attempts_left }) => attempts_left,
        other => panic!("expected a refused code, not {other:?}"),
    }
}

pub fn limited<T: std::fmt::Debug>(outcome: Result<T, Error>) -> (&'static str, u64) {
    match outcome {
        Err(Error::Limited(limited)) => (limited.name, limited.retry_after.as_secs()),
        other => panic!("expected a limit, not {other:?}"),
    }
}

/// Asserts that an operation was refused in this way and no other.
#[macro_export]
macro_rules! refused {
    ($outcome:expr, $pattern:pat) => {
        match $outcome {
            Err($pattern) => {}
            other => panic!("expected {}, not {other:?}", stringify!($pattern)),
        }
    };
}
