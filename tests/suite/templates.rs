//! What people get to read, and what an operator reads who broke a template.

use std::path::Path;
use std::time::Duration;

use gatepost::language::Language;
use gatepost::mail::{Kind, Letter, Mailer, Occasion, Parcel, Settings, TemplateError};
use gatepost::secret::{Code, Keys};
use gatepost::store::{Options, Store};
use gatepost::world::{Simulated, Timestamp};

fn settings(templates: Option<&Path>) -> Settings {
    Settings {
        from: "小門房 <no-reply@example.com>".parse().unwrap(),
        site_name: "Tea & Cake".to_owned(),
        base_url: "https://example.com".to_owned(),
        templates: templates.map(Path::to_owned),
    }
}

fn keys() -> Keys {
    Keys::from_root(&[1; 32])
}

fn mailer() -> Mailer {
    Mailer::new(settings(None), keys(), Simulated::new(1).world()).unwrap()
}

const URL: &str = "https://example.com/users/reset/MQ/0123456789abcdef0123456789abcdef0123456789a/";

fn occasion(kind: Kind, code: &Code) -> Occasion<'_> {
    match kind {
        Kind::RegistrationCode => Occasion::RegistrationCode {
            code,
            lifetime: Duration::from_secs(600),
        },
        Kind::ResetCode => Occasion::ResetCode {
            code,
            lifetime: Duration::from_secs(600),
        },
        Kind::ResetLink => Occasion::ResetLink {
            url: URL,
            lifetime: Duration::from_secs(3600),
        },
        Kind::PasswordChanged => Occasion::PasswordChanged {
            at: Timestamp::from_millis(1_767_225_600_000),
        },
        Kind::AlreadyRegistered => Occasion::AlreadyRegistered,
        Kind::AddressCode => Occasion::AddressCode {
            code,
            lifetime: Duration::from_secs(600),
        },
        Kind::AddressInUse => Occasion::AddressInUse,
        Kind::AddressChanged => Occasion::AddressChanged {
            at: Timestamp::from_millis(1_767_225_600_000),
        },
        Kind::AccountDeleted => Occasion::AccountDeleted {
            at: Timestamp::from_millis(1_767_225_600_000),
        },
        Kind::Test => Occasion::Test,
        Kind::Message => unreachable!("it has no built-in template"),
    }
}

/// The bytes of a letter, by the road that the courier takes.
async fn bytes_of(letter: Letter) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("store.redb"), Options::default()).unwrap();
    let id = letter.id;
    store
        .write(move |tx| gatepost::mail::outbox::enqueue(tx, &letter))
        .await
        .unwrap();
    let sealed = store
        .read(|read| gatepost::mail::outbox::body(read, id))
        .await
        .unwrap()
        .unwrap();
    store.close().await;
    Parcel::open(&keys(), id, &sealed).unwrap().message
}

#[tokio::test]
async fn every_mail_in_every_language_as_it_is_read() {
    let code = Code::typed("314159").unwrap();
    let mailer = mailer();
    for language in Language::ALL {
        let mut all = String::new();
        for kind in Kind::TEMPLATED {
            let to = "ann@example.org".parse().unwrap();
            let letter = mailer
                .compose(&occasion(kind, &code), &to, language)
                .unwrap();
            let bytes = bytes_of(letter).await;
            assert!(bytes.is_ascii() && !bytes.contains(&0));
            assert!(bytes.split(|b| *b == b'\n').all(|line| line.len() <= 998));
            let mail = mail_parser::MessageParser::default().parse(&bytes).unwrap();
            let subject = mail.subject().unwrap();
            let text = mail.body_text(0).unwrap().replace("\r\n", "\n");
            let html = mail.body_html(0).unwrap();
            assert!(!subject.contains("314159"), "{subject}");
            assert!(
                html.len() <= 2048 + 200,
                "{language} {kind}: {} bytes",
                html.len()
            );
            assert!(html.contains("Tea &amp; Cake"), "escaped");
            assert!(html.contains(&format!("lang=\"{language}\"")));
            assert_eq!(text.contains("314159"), html.contains("314159"));
            assert_eq!(
                mail.header_raw("Auto-Submitted").map(str::trim),
                Some("auto-generated")
            );
            all += &format!("=== {kind}\nSubject: {subject}\n\n{text}\n");
        }
        insta::assert_snapshot!(format!("mails_{language}"), all);
    }
}

#[tokio::test]
async fn a_whole_letter_as_it_is_sent() {
    let code = Code::typed("314159").unwrap();
    let to = "ann@example.org".parse().unwrap();
    let letter = mailer()
        .compose(&occasion(Kind::ResetCode, &code), &to, Language::ZhHant)
        .unwrap();
    assert_eq!(
        letter.expires_at.since(letter.created_at),
        Duration::from_secs(600)
    );
    let bytes = bytes_of(letter).await;
    insta::assert_snapshot!(
        "letter",
        String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
    );
}

/// What a folder with this one file is met with.
fn with_file(name: &str, content: &str) -> Result<(), TemplateError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, content).unwrap();
    let world = Simulated::new(1).world();
    let outcome = Mailer::new(settings(Some(folder.path())), keys(), world);
    if let Err(error) = &outcome {
        assert!(error.file.starts_with(folder.path()), "{error}");
    }
    outcome.map(drop)
}

#[test]
fn a_broken_template_is_named_with_file_line_and_fault() {
    for (name, content, line, says) in [
        (
            "mail/en/test.txt",
            "hello\n{% if %}",
            Some(2),
            "syntax error",
        ),
        ("mail/en/test.txt", "one\ntwo\n{{ code }}", Some(3), "code"),
        ("mail/zh-hans/reset_code.html", "{{ cod }}", Some(1), "cod"),
        (
            "mail/base.html",
            "\n{{ nothing }}{% block body %}{% endblock %}",
            Some(2),
            "nothing",
        ),
        (
            "mail/en/test.html",
            "{% extends 'mail/bas.html' %}",
            Some(1),
            "bas.html",
        ),
        ("mail/en/test.subject.txt", " \n", Some(1), "empty"),
        (
            "mail/en/reset_code.subject.txt",
            "{{ code }}",
            Some(1),
            "locked screens",
        ),
        (
            "mail/en/tset.txt",
            "x",
            None,
            "did you mean mail/en/test.txt?",
        ),
        ("en/test.txt", "x", None, "did you mean mail/en/test.txt?"),
        (
            "mail/fr/anything_at_all.md",
            "x",
            None,
            "mail/LANGUAGE/KIND",
        ),
    ] {
        let error = with_file(name, content).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.file.ends_with(name), "{error}");
        assert!(error.problem.contains(says), "{error}");
    }
}

#[test]
fn a_good_file_replaces_its_template_and_others_stay() {
    assert_eq!(with_file("mail/en/test.txt", "Hi {{ address }}"), Ok(()));
    assert_eq!(with_file(".git/HEAD", "x"), Ok(()));
    let missing = settings(Some(Path::new("/nonexistent/templates")));
    let error = Mailer::new(missing, keys(), Simulated::new(1).world()).unwrap_err();
    assert!(
        error.to_string().contains("/nonexistent/templates"),
        "{error}"
    );
}
