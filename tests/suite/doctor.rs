//! The doctor before relays that are well and relays that are not: what it finds, and what it
//! says to do. No name is asked of the network.

use std::sync::Arc;

use gatepost::config::Mode;
use gatepost::config::Request;
use gatepost::doctor;
use gatepost::doctor::Names;
use gatepost::doctor::Order;
use gatepost::doctor::Report;
use gatepost::doctor::Status;
use gatepost::doctor::Step;
use gatepost::world::World;
use tempfile::TempDir;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::relay_script::Act;
use crate::relay_script::Server;
use crate::relay_script::fine;

/// Whom the doctor looks at: a folder, and the settings of an environment.
pub struct Patient {
    pub folder: TempDir,
    pub order: Order,
}

impl Patient {
    /// One that sends its mail to 127.0.0.1, in plain text, as `ann@example.com`.
    pub fn sending_to(port: u16, more: &[(&str, &str)]) -> Patient {
        let port = port.to_string();
        let usual = [
            ("USE_REAL_EMAIL", "1"),
            ("EMAIL_HOST", "127.0.0.1"),
            ("EMAIL_PORT", &port),
            ("EMAIL_USE_TLS", "False"),
            ("EMAIL_HOST_USER", "ann@example.com"),
            ("EMAIL_HOST_PASSWORD", "hunter2 hunter2"),
            ("DEFAULT_FROM_EMAIL", "安 <ann@example.com>"),
            ("DEFAULT_DOMAIN", "example.com"),
            ("PROTOCOL", "https"),
        ];
        let usual = usual.into_iter();
        let usual = usual.filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        Patient::with(usual.chain(more.iter().copied()))
    }

    /// One with this environment and nothing else.
    pub fn with<'a>(environment: impl IntoIterator<Item = (&'a str, &'a str)>) -> Patient {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data").display().to_string();
        let environment = environment
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain([("GATEPOST_DATA_DIR".to_owned(), data)]);
        let request = Request {
            mode: Mode::Serve,
            flags: Vec::new(),
            environment: environment.collect(),
            folder: folder.path().to_owned(),
            file: None,
        };
        Patient {
            order: Order {
                request,
                relay: false,
                send_to: None,
            },
            folder,
        }
    }

    pub async fn examine(&self) -> Report {
        self.examine_with(&Names::of_system()).await
    }

    pub async fn examine_with(&self, names: &Names) -> Report {
        let mut told = Vec::new();
        let world = World::system();
        let mut tell = |_, step: &Step| told.push(step.clone());
        let report = doctor::examine(&self.order, &world, names, &mut tell).await;
        assert_eq!(told, report.steps, "every step is told when it is done");
        for step in &report.steps {
            let said = format!("{step:?}");
            assert!(!said.contains("hunter2"), "{said}");
            for line in step.detail.iter().chain(&step.remedy).chain([&step.title]) {
                assert!(!line.is_empty() && !line.contains("{"), "{said}");
            }
        }
        report
    }
}

pub fn step<'a>(report: &'a Report, id: &str) -> &'a Step {
    report
        .step(id)
        .unwrap_or_else(|| panic!("{id}: {report:#?}"))
}

/// The step went so, and says all of these.
pub fn expect(report: &Report, id: &str, status: Status, words: &[&str]) {
    let step = step(report, id);
    let said = format!("{step:#?}");
    assert_eq!(step.status, status, "{said}");
    for word in words {
        assert!(said.contains(word), "{word}: {said}");
    }
}

fn all_of(report: &Report, ids: &[&str], status: Status) {
    for id in ids {
        expect(report, id, status, &[]);
    }
}

/// A server that speaks TLS from the first byte and has a certificate that nobody vouches for.
async fn tls_server() -> u16 {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A client that does not trust it breaks off.
            tokio::spawn(async move { acceptor.accept(stream).await.map(drop) });
        }
    });
    port
}

#[tokio::test]
async fn a_relay_that_is_well_is_seen_through_to_the_recipient_and_gets_no_mail() {
    let server = Server::start(|_, line| fine(line)).await;
    let patient = Patient::sending_to(server.port, &[]);
    let report = patient.examine().await;
    assert!(report.ok, "{report:#?}");
    let ok = [
        "settings",
        "clock",
        "data",
        "running",
        "credentials",
        "dns",
        "tcp_v4",
        "ehlo",
        "auth",
        "mail_from",
        "rcpt_to",
        "quit",
    ];
    all_of(&report, &ok, Status::Ok);
    all_of(
        &report,
        &["tcp_v6", "tls", "spf", "dkim", "dmarc"],
        Status::Skipped,
    );
    expect(
        &report,
        "settings",
        Status::Ok,
        &["EMAIL_HOST", ".env", "127.0.0.1"],
    );
    expect(
        &report,
        "ehlo",
        Status::Ok,
        &["8BITMIME", "AUTH PLAIN LOGIN"],
    );
    expect(&report, "spf", Status::Skipped, &["example.com"]);
    server.until("QUIT").await;
    let lines = server.heard().lines;
    let said: Vec<&str> = lines
        .iter()
        .filter_map(|l| l.split([' ', ':']).next())
        .collect();
    assert_eq!(said, ["EHLO", "AUTH", "MAIL", "RCPT", "RSET", "QUIT"]);
    assert!(lines[3].contains("<ann@example.com>"), "{lines:?}");
    assert!(
        !patient.folder.path().join("data").exists(),
        "nothing is made"
    );
}

#[tokio::test]
async fn a_port_where_nobody_listens_ends_the_steps_behind_it() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let report = Patient::sending_to(port, &[]).examine().await;
    assert!(!report.ok);
    expect(
        &report,
        "tcp_v4",
        Status::Failure,
        &["refused", "remedy: Some"],
    );
    let behind = ["tls", "ehlo", "auth", "mail_from", "rcpt_to", "quit"];
    all_of(&report, &behind, Status::Skipped);
}

#[tokio::test]
async fn a_port_that_wants_tls_at_once_is_told_from_one_for_starttls() {
    let port = tls_server().await;
    let starttls = [
        ("EMAIL_USE_TLS", "True"),
        ("GATEPOST_RELAY_HELLO_TIMEOUT", "300ms"),
    ];
    let report = Patient::sending_to(port, &starttls).examine().await;
    expect(&report, "ehlo", Status::Failure, &["EMAIL_USE_SSL=True"]);
    expect(&report, "tls", Status::Skipped, &[]);

    let server = Server::start(|_, line| fine(line)).await;
    let implicit = [("EMAIL_USE_TLS", "False"), ("EMAIL_USE_SSL", "True")];
    let report = Patient::sending_to(server.port, &implicit).examine().await;
    expect(&report, "tls", Status::Failure, &["EMAIL_USE_TLS=True"]);
    expect(&report, "ehlo", Status::Skipped, &[]);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_is_shown_with_its_issuer() {
    let port = tls_server().await;
    let implicit = [
        ("EMAIL_HOST", "localhost"),
        ("EMAIL_USE_TLS", "False"),
        ("EMAIL_USE_SSL", "True"),
    ];
    let report = Patient::sending_to(port, &implicit).examine().await;
    let words = [
        "rcgen self signed cert",
        "localhost",
        "4096-01-01",
        "ca_file",
    ];
    expect(&report, "tls", Status::Failure, &words);
}

/// A relay that answers `line` so, and everything else well, before the doctor.
async fn meets(line: &'static str, reply: &'static [u8], more: &[(&str, &str)]) -> Report {
    let server = Server::start(move |_, said| match said.starts_with(line) {
        true => Act::Say(reply),
        false => fine(said),
    })
    .await;
    Patient::sending_to(server.port, more).examine().await
}

#[tokio::test]
async fn a_refused_login_is_told_in_the_servers_words_even_in_gbk() {
    let (reply, _, _) = encoding_rs::GBK.encode("535 登录失败 hunter2 hunter2\r\n");
    let reply: &'static [u8] = Vec::leak(reply.into_owned());
    let report = meets("AUTH", reply, &[("EMAIL_PROVIDER", "qq")]).await;
    let words = ["登录失败", "https://", "remedy: Some"];
    expect(&report, "auth", Status::Failure, &words);
    all_of(&report, &["mail_from", "rcpt_to", "quit"], Status::Skipped);
}

#[tokio::test]
async fn a_from_that_is_not_the_account_is_told_what_would_be_right() {
    let from = [("DEFAULT_FROM_EMAIL", "安 <no-reply@example.com>")];
    let report = meets(
        "MAIL",
        b"553 Mail from must equal authorized user\r\n",
        &from,
    )
    .await;
    let words = ["must equal", "DEFAULT_FROM_EMAIL=安 <ann@example.com>"];
    expect(&report, "mail_from", Status::Failure, &words);

    // Known beforehand where the provider is known.
    let qq = [from[0], ("EMAIL_PROVIDER", "qq")];
    let report = meets("-", b"", &qq).await;
    expect(&report, "credentials", Status::Warning, &[words[1]]);
    assert!(report.ok);
}

#[tokio::test]
async fn a_recipient_that_is_refused_for_now_is_a_warning() {
    let report = meets("RCPT", b"451 4.7.1 greylisted, try again\r\n", &[]).await;
    expect(&report, "rcpt_to", Status::Warning, &["greylisted"]);
    expect(&report, "quit", Status::Ok, &[]);
    // A From without a mailbox is no obstacle either, where the account is no address.
    let user = [("EMAIL_HOST_USER", "apikey")];
    let report = meets("RCPT", b"550 5.1.1 no such user\r\n", &user).await;
    expect(&report, "rcpt_to", Status::Warning, &["no such user"]);
    let report = meets("RCPT", b"550 5.1.1 no such user\r\n", &[]).await;
    expect(&report, "rcpt_to", Status::Failure, &["no such user"]);
}

#[tokio::test]
async fn the_fallback_is_looked_at_as_well() {
    let server = Server::start(|_, line| fine(line)).await;
    let other = Server::start(|_, line| match line.starts_with("AUTH") {
        true => Act::Say(b"535 no\r\n"),
        false => fine(line),
    })
    .await;
    let port = other.port.to_string();
    let fallback = [
        ("GATEPOST_FALLBACK_HOST", "127.0.0.1"),
        ("GATEPOST_FALLBACK_PORT", port.as_str()),
        ("GATEPOST_FALLBACK_SECURITY", "none"),
        ("GATEPOST_FALLBACK_USER", "bob@example.com"),
        ("GATEPOST_FALLBACK_PASSWORD", "hunter2 hunter2"),
    ];
    let report = Patient::sending_to(server.port, &fallback).examine().await;
    expect(&report, "auth", Status::Ok, &[]);
    expect(
        &report,
        "fallback_auth",
        Status::Failure,
        &["Fallback: Login"],
    );
}

#[tokio::test]
async fn settings_that_do_not_load_are_told_and_not_repeated() {
    let patient = Patient::with([("EMAIL_PORT", "many"), ("LANGUAGE_CODE", "zh-hant")]);
    let report = patient.examine().await;
    assert!(!report.ok);
    expect(
        &report,
        "settings",
        Status::Failure,
        &["relay.port", "many", ".env"],
    );
    expect(&report, "relay", Status::Skipped, &[]);
    assert_eq!(step(&report, "settings").title, "設定");

    // Settings that are right one by one are looked at as far as they go.
    let server = Server::start(|_, line| fine(line)).await;
    let mut patient = Patient::sending_to(server.port, &[("EMAIL_HOST_PASSWORD", "")]);
    patient.order.send_to = Some("bob@example.com".parse().unwrap());
    let report = patient.examine().await;
    expect(
        &report,
        "settings",
        Status::Failure,
        &["EMAIL_HOST_PASSWORD"],
    );
    expect(
        &report,
        "credentials",
        Status::Failure,
        &["ann@example.com"],
    );
    expect(&report, "ehlo", Status::Ok, &[]);
    expect(&report, "auth", Status::Skipped, &[]);
    // No gatepost would start with them.
    expect(&report, "send", Status::Skipped, &["corrected"]);
}

#[tokio::test]
async fn a_look_at_a_relay_where_none_is_named_does_not_advise_to_capture_mail() {
    let mut patient = Patient::with([("DEFAULT_FROM_EMAIL", "ann@example.com")]);
    patient.order.relay = true;
    let report = patient.examine().await;
    let words = ["No relay is named", "set EMAIL_HOST"];
    expect(&report, "settings", Status::Failure, &words);
    let said = format!("{:?}", step(&report, "settings"));
    assert!(!said.contains("USE_REAL_EMAIL=0"), "{said}");
}

#[tokio::test]
async fn a_dotenv_in_the_wrong_place_or_under_a_wrong_name_is_found() {
    let mut patient = Patient::with([]);
    std::fs::write(patient.folder.path().join(".env.txt"), "USE_REAL_EMAIL=1\n").unwrap();
    std::fs::create_dir(patient.folder.path().join("backend")).unwrap();
    std::fs::write(patient.folder.path().join("backend/.env"), "").unwrap();
    let report = patient.examine().await;
    let words = ["not there", ".env.txt", "backend/.env", "exactly .env"];
    expect(&report, "settings", Status::Warning, &words);

    // A Python environment of that name is no file of settings.
    std::fs::create_dir(patient.folder.path().join(".env")).unwrap();
    let report = patient.examine().await;
    expect(&report, "settings", Status::Warning, &["a folder"]);
    std::fs::remove_dir(patient.folder.path().join(".env")).unwrap();

    std::fs::write(patient.folder.path().join(".env"), "SECRET=hunter2\n").unwrap();
    let report = patient.examine().await;
    expect(
        &report,
        "settings",
        Status::Warning,
        &["none of its lines", "EMAIL_HOST"],
    );

    patient.order.request.folder = patient.folder.path().join("backend/deeper");
    let report = patient.examine().await;
    expect(&report, "settings", Status::Warning, &["backend/.env"]);
}

#[tokio::test]
async fn capture_mode_says_how_to_send_and_looks_at_the_relay_when_asked() {
    let server = Server::start(|_, line| fine(line)).await;
    let mut patient = Patient::sending_to(server.port, &[("USE_REAL_EMAIL", "0")]);
    let report = patient.examine().await;
    assert!(report.ok);
    expect(
        &report,
        "relay",
        Status::Skipped,
        &["USE_REAL_EMAIL=1", "doctor --relay"],
    );
    expect(&report, "capture", Status::Skipped, &["127.0.0.1:1025"]);
    assert_eq!(server.heard().connections, 0);

    patient.order.relay = true;
    let report = patient.examine().await;
    expect(&report, "settings", Status::Ok, &["flag --relay"]);
    expect(&report, "rcpt_to", Status::Ok, &[]);
}

#[tokio::test]
async fn a_store_without_its_key_and_a_folder_that_is_none_are_failures() {
    let patient = Patient::with([]);
    let data = patient.folder.path().join("data");
    std::fs::write(&data, "no folder").unwrap();
    let report = patient.examine().await;
    expect(&report, "data", Status::Failure, &["--data"]);
    std::fs::remove_file(&data).unwrap();
    std::fs::create_dir(&data).unwrap();
    std::fs::write(data.join("store.redb"), "sealed").unwrap();
    let report = patient.examine().await;
    expect(&report, "data", Status::Failure, &["secret.key", "backup"]);
}

#[tokio::test]
async fn everything_is_said_in_three_languages() {
    for language in ["en", "zh-hans", "zh-hant"] {
        let server = Server::start(|_, line| fine(line)).await;
        let patient = Patient::sending_to(server.port, &[("LANGUAGE_CODE", language)]);
        let report = patient.examine().await;
        assert_eq!(report.language.tag(), language);
        for step in &report.steps {
            let title = format!("title_{}", step.id);
            assert!(!step.title.contains(&title), "{step:?}");
            let chinese = step.title.chars().any(|c| c > '\u{2e80}');
            let same = ["spf", "dkim", "dmarc"].contains(&step.id.as_str());
            assert!(same || chinese == (language != "en"), "{step:?}");
        }
        for status in Status::ALL {
            let word = doctor::status_words(report.language, status);
            assert!(!word.contains("status_"), "{word}");
        }
    }
}
