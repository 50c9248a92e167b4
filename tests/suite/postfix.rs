//! A real server on the other side: Postfix with Cyrus SASL and TLS, as Debian ships them, takes
//! our mail from the real binary, which is set up as a Django project's `.env` would.

mod server;

use std::path::Path;

use mail_parser::MessageParser;
use serde_json::Value;
use serde_json::json;

use crate::process;
use crate::process::Process;
use server::PASSWORD;
use server::Postfix;
use server::USER;

const FROM: &str = "小門房 <no-reply@example.com>";

/// What a project has in its `.env`, beside the way to encrypt.
fn environment<'a>(port: &'a str, password: &'a str, ca: &'a str) -> Vec<(&'a str, &'a str)> {
    let mut environment = vec![
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "localhost"),
        ("EMAIL_PORT", port),
        ("EMAIL_HOST_USER", USER),
        ("EMAIL_HOST_PASSWORD", password),
        ("DEFAULT_FROM_EMAIL", FROM),
    ];
    if !ca.is_empty() {
        environment.push(("GATEPOST_RELAY_CA_FILE", ca));
    }
    environment
}

/// The code in a mail: six digits that stand alone.
fn code_in(mail: &str) -> String {
    let message = MessageParser::default().parse(mail).unwrap();
    let text = message.body_text(0).unwrap();
    let code = text
        .split(|c: char| !c.is_ascii_digit())
        .find(|digits| digits.len() == 6);
    code.unwrap_or_else(|| panic!("no code in:\n{text}"))
        .to_owned()
}

/// Registers over a mail that Postfix delivered, and gives that mail back.
fn registers(postfix: &Postfix, port: u16, encryption: (&str, &str)) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (port, ca) = (port.to_string(), postfix.authority());
    let mut environment = environment(&port, PASSWORD, ca.to_str().unwrap());
    environment.push(encryption);
    let process = Process::start("serve", folder.path(), &environment);
    let email = format!("{}@example.org", encryption.0.to_lowercase());
    let asked = json!({"email": email, "verification_type": "register"});
    assert_eq!(process.post("/auth/send_verification_code", &asked).0, 202);
    let mail = postfix.mail(|mail| mail.contains(&format!("\nTo: {email}")));
    let code = code_in(&mail);
    let typed = json!({"email": email, "verification_type": "register", "code": code});
    let (status, verified) = process.post("/auth/verify_code", &typed);
    assert_eq!(status, 200, "{verified}");
    let form = json!({
        "email": email,
        "password": "correct horse battery staple 47",
        "verification_token": verified["verification_token"],
    });
    let (status, registered) = process.post("/auth/register", &form);
    assert_eq!(status, 201, "{registered}");
    process.stop();
    mail
}

#[test]
fn postfix_takes_our_mail_over_starttls_and_over_implicit_tls() {
    let Some(postfix) = Postfix::start("our mail through Postfix") else {
        return;
    };
    for (port, encryption) in [
        (postfix.submission, ("EMAIL_USE_TLS", "True")),
        (postfix.smtps, ("EMAIL_USE_SSL", "True")),
    ] {
        let mail = registers(&postfix, port, encryption);
        // RFC 3848: ESMTP with TLS (S) and a login (A). Postfix takes nothing without the latter.
        assert!(mail.contains("with ESMTPSA id"), "{mail}");
        assert!(mail.contains("(using TLSv1.3 "), "{mail}");
        assert!(
            mail.contains("(Authenticated sender: ann@mx.example.org)"),
            "{mail}"
        );
        assert!(
            mail.contains("Return-Path: <no-reply@example.com>"),
            "{mail}"
        );
        let message = MessageParser::default().parse(&mail).unwrap();
        let from = message.from().unwrap().first().unwrap();
        assert_eq!(from.name(), Some("小門房"), "{mail}");
    }
    // Each once, though Postfix had all the time to get more.
    assert_eq!(postfix.mails().len(), 2);
}

/// Asks for a code for `email`, and waits for its mail to be as it is wanted.
fn asked(process: &Process, email: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let form = json!({"email": email, "verification_type": "register", "language": "zh-hant"});
    let (status, body) = process.post("/auth/send_verification_code", &form);
    assert_eq!(status, 202, "{body}");
    waited(process, email, wanted)
}

fn waited(process: &Process, email: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    let query: String = email.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let found = process::patiently(|| {
        let page = process.admin(&format!("/outbox?to={query}"));
        Some(page["items"][0].clone()).filter(|mail| wanted(mail))
    });
    found.unwrap_or_else(|| panic!("{email}: {:#}", process.admin("/outbox")))
}

#[test]
fn what_postfix_refuses_is_dead_what_it_defers_waits_and_an_address_in_chinese_arrives() {
    let Some(postfix) = Postfix::start("what Postfix says to recipients") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let (port, ca) = (postfix.submission.to_string(), postfix.authority());
    let mut environment = environment(&port, PASSWORD, ca.to_str().unwrap());
    environment.push(("EMAIL_USE_TLS", "True"));
    let process = Process::start("serve", folder.path(), &environment);

    let mail = asked(&process, server::UNKNOWN, |mail| {
        mail["state"] == "dead" && mail["tries"] == 1
    });
    assert_eq!(mail["last_error"]["code"], 550, "{mail}");
    let text = mail["last_error"]["text"].as_str().unwrap();
    assert!(
        text.contains("User unknown in virtual mailbox table"),
        "{mail}"
    );
    assert_eq!(mail["next_at"], Value::Null, "{mail}");

    let mail = asked(&process, server::GREYLISTED, |mail| {
        mail["state"] == "queued" && mail["tries"] == 1
    });
    assert_eq!(mail["last_error"]["code"], 450, "{mail}");
    assert!(mail["next_at"].is_string(), "{mail}");

    let mail = asked(&process, "小明@example.org", |mail| {
        mail["state"] == "sent" && mail["tries"] == 1
    });
    assert_eq!(mail["last_error"], Value::Null, "{mail}");
    let arrived = postfix.mail(|mail| mail.contains("\nX-Original-To: 小明@example.org"));
    assert!(arrived.contains("with UTF8SMTPSA id"), "{arrived}");
    assert_eq!(code_in(&arrived).len(), 6);
    process.stop();
    assert_eq!(postfix.mails().len(), 1);
}

#[test]
fn what_is_wrong_with_the_route_costs_no_mail_and_once_it_is_right_the_mail_arrives() {
    let Some(postfix) = Postfix::start("a route that is put right") else {
        return;
    };
    let (port, ca) = (postfix.submission.to_string(), postfix.authority());
    let ca = ca.to_str().unwrap();
    let tls = ("EMAIL_USE_TLS", "True");
    let foreign = ("DEFAULT_FROM_EMAIL", "somebody.else@example.com");
    for (nth, (password, ca_then, more, stage, code, rule)) in [
        (
            "not-the-password",
            ca,
            tls,
            "auth",
            json!(535),
            json!("credentials"),
        ),
        (
            PASSWORD,
            ca,
            foreign,
            "rcpt_to",
            json!(553),
            json!("sender_refused_late"),
        ),
        (
            PASSWORD,
            "",
            tls,
            "tls",
            Value::Null,
            json!("unknown_issuer"),
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let folder = tempfile::tempdir().unwrap();
        let mut wrong = environment(&port, password, ca_then);
        wrong.extend([tls, more]);
        let process = Process::start("serve", folder.path(), &wrong);
        let email = format!("u{nth}@example.org");
        let mail = asked(&process, &email, |mail| mail["last_error"].is_object());
        assert_eq!(
            (&mail["state"], &mail["tries"]),
            (&json!("queued"), &json!(0)),
            "{mail:#}"
        );
        let error = &mail["last_error"];
        let found = (&error["stage"], &error["code"], &error["rule"]);
        assert_eq!(found, (&json!(stage), &code, &rule), "{mail:#}");
        process.stop();
        let mut right = environment(&port, PASSWORD, ca);
        right.push(tls);
        let process = Process::start("serve", folder.path(), &right);
        // What was written under the wrong From keeps it, and does not hold up the others.
        let outcome = if more == foreign { "dead" } else { "sent" };
        waited(&process, &email, |mail| mail["state"] == outcome);
        let next = format!("next{nth}@example.org");
        asked(&process, &next, |mail| mail["state"] == "sent");
        postfix.mail(|mail| mail.contains(&format!("\nX-Original-To: {next}")));
        process.stop();
    }
    assert_eq!(postfix.mails().len(), 5);
}

/// What `send-test-mail` says, and its exit code.
fn test_mail(folder: &Path, environment: &[(&str, &str)]) -> (Option<i32>, String) {
    let output = process::command(folder)
        .args(["send-test-mail", "bob@example.org", "--data", "data"])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_wrong_password_and_an_unknown_authority_are_told_apart_and_nothing_is_sent() {
    let Some(postfix) = Postfix::start("what Postfix refuses, and what we refuse of it") else {
        return;
    };
    let ca = postfix.authority();
    let ca = ca.to_str().unwrap();
    for (port, encryption) in [
        (postfix.submission, ("EMAIL_USE_TLS", "True")),
        (postfix.smtps, ("EMAIL_USE_SSL", "True")),
    ] {
        let port = port.to_string();
        let folder = tempfile::tempdir().unwrap();
        let mut wrong = environment(&port, "not-the-password", ca);
        wrong.push(encryption);
        let (exit, said) = test_mail(folder.path(), &wrong);
        assert_eq!(exit, Some(1), "{said}");
        assert!(said.contains("535 5.7.8"), "{said}");
        assert!(!said.contains("not-the-password"), "{said}");

        let folder = tempfile::tempdir().unwrap();
        let mut stranger = environment(&port, PASSWORD, "");
        stranger.push(encryption);
        let logins = postfix.log().matches("sasl").count();
        let (exit, said) = test_mail(folder.path(), &stranger);
        assert_eq!(exit, Some(1), "{said}");
        assert!(said.contains("certificate is not trusted"), "{said}");
        let log = postfix.log();
        assert_eq!(
            log.matches("sasl").count(),
            logins,
            "the password left us:\n{log}"
        );
    }
    assert_eq!(postfix.mails(), Vec::<String>::new());
}
