//! Settings of the relay and the fallback: what follows from a provider, and what is said about
//! settings that do not go with it.

use gatepost::config::Security;
use gatepost::config::Settings;

use crate::config::Project;

fn relay(variables: &[(&str, &str)]) -> Project {
    let set = [
        ("USE_REAL_EMAIL", "1"),
        ("DEFAULT_DOMAIN", "example.com"),
        ("PROTOCOL", "https"),
    ];
    set.iter()
        .chain(variables)
        .fold(Project::new(), |project, (name, value)| {
            project.env(name, value)
        })
}

fn shown(settings: &Settings, name: &str) -> (String, String) {
    let origin = settings.origins.iter().find(|o| o.name == name).unwrap();
    (origin.shown.clone(), origin.source.to_string())
}

const GMAIL_PASSWORD: &str = "abcd efgh ijkl mnop";

#[test]
fn a_providers_name_or_host_fills_in_the_rest() {
    for (provider, host, port, security) in [
        ("gmail", "smtp.gmail.com", 587, Security::StartTls),
        ("qq", "smtp.qq.com", 465, Security::Implicit),
        ("exmail", "smtp.exmail.qq.com", 465, Security::Implicit),
        ("163", "smtp.163.com", 465, Security::Implicit),
        ("126", "smtp.126.com", 465, Security::Implicit),
        ("office365", "smtp.office365.com", 587, Security::StartTls),
        ("aliyun", "smtpdm.aliyun.com", 465, Security::Implicit),
        ("sendgrid", "smtp.sendgrid.net", 587, Security::StartTls),
        ("mailgun", "smtp.mailgun.org", 587, Security::StartTls),
    ] {
        let by_name = relay(&[
            ("EMAIL_PROVIDER", provider),
            ("DEFAULT_FROM_EMAIL", "a@example.com"),
            ("EMAIL_HOST_PASSWORD", "x"),
            (
                "EMAIL_HOST_USER",
                if provider == "sendgrid" {
                    "apikey"
                } else {
                    "a@example.com"
                },
            ),
        ]);
        let by_host = relay(&[
            ("EMAIL_HOST", host),
            ("DEFAULT_FROM_EMAIL", "a@example.com"),
        ]);
        let by_host = match provider {
            // Its user is filled in, and so a password is wanted.
            "sendgrid" => by_host.env("EMAIL_HOST_PASSWORD", "SG.x"),
            _ => by_host,
        };
        for (project, named) in [(by_name, true), (by_host, false)] {
            let settings = project.load().unwrap_or_else(|errors| panic!("{errors}"));
            let met = &settings.relay;
            assert_eq!(met.host.as_deref(), Some(host));
            assert_eq!((met.port, met.security), (port, security), "{provider}");
            assert_eq!(met.provider.unwrap().name, provider);
            let whence = match named {
                true => "environment EMAIL_PROVIDER",
                false => "default recognised by relay.host",
            };
            assert_eq!(
                shown(&settings, "relay.provider"),
                (provider.to_owned(), whence.to_owned())
            );
            let why = format!("default of the provider {provider}");
            assert_eq!(shown(&settings, "relay.port"), (port.to_string(), why));
        }
    }
    let sendgrid = relay(&[
        ("EMAIL_PROVIDER", "sendgrid"),
        ("EMAIL_HOST_PASSWORD", "SG.x"),
        ("DEFAULT_FROM_EMAIL", "a@example.com"),
    ]);
    let sendgrid = sendgrid.load().unwrap();
    assert_eq!(sendgrid.relay.user.as_deref(), Some("apikey"));
    assert_eq!(sendgrid.relay.per_day, None);
}

#[test]
fn what_is_set_counts_more_than_what_the_provider_has() {
    let gmail = |variables: &[(&str, &str)]| {
        let mut all = vec![
            ("EMAIL_PROVIDER", "gmail"),
            ("DEFAULT_FROM_EMAIL", "a@example.com"),
        ];
        all.extend(variables);
        let settings = relay(&all)
            .load()
            .unwrap_or_else(|errors| panic!("{errors}"));
        let relay = settings.relay;
        (
            relay.host.unwrap(),
            relay.port,
            relay.security,
            relay.per_day,
        )
    };
    let host = "smtp.gmail.com".to_owned();
    let (tls, ssl) = (Security::StartTls, Security::Implicit);
    assert_eq!(gmail(&[]), (host.clone(), 587, tls, Some(500)));
    assert_eq!(
        gmail(&[("EMAIL_PORT", "465")]),
        (host.clone(), 465, ssl, Some(500))
    );
    assert_eq!(
        gmail(&[("EMAIL_USE_SSL", "1")]),
        (host.clone(), 465, ssl, Some(500))
    );
    assert_eq!(
        gmail(&[("GATEPOST_RELAY_PER_DAY", "2000")]),
        (host.clone(), 587, tls, Some(2000))
    );
    assert_eq!(
        gmail(&[("GATEPOST_RELAY_PER_DAY", "off")]),
        (host, 587, tls, None)
    );
    // A tunnel to it has a port of its own.
    let tunnel = [("EMAIL_HOST", "localhost"), ("EMAIL_PORT", "5587")];
    assert_eq!(
        gmail(&tunnel),
        ("localhost".to_owned(), 5587, tls, Some(500))
    );
    let none = relay(&[
        ("EMAIL_PROVIDER", "none"),
        ("EMAIL_HOST", "smtp.gmail.com"),
        ("DEFAULT_FROM_EMAIL", "a@example.com"),
    ]);
    let none = none.load().unwrap();
    assert_eq!((none.relay.provider, none.relay.per_day), (None, None));
}

#[test]
fn what_does_not_go_with_the_provider_is_said_with_what_would() {
    let account = |provider: &'static str, user: &'static str, password: &'static str| {
        relay(&[
            ("EMAIL_PROVIDER", provider),
            ("EMAIL_HOST_USER", user),
            ("EMAIL_HOST_PASSWORD", password),
        ])
    };
    let gmail = || account("gmail", "ann@example.com", GMAIL_PASSWORD);
    let qq = || account("qq", "ann@example.com", "abcdefghijklmnop");
    let cases = [
        ("an unknown provider", relay(&[("EMAIL_PROVIDER", "gmial")])),
        (
            "SES without its region",
            relay(&[
                ("EMAIL_PROVIDER", "ses"),
                ("DEFAULT_FROM_EMAIL", "a@example.com"),
            ]),
        ),
        ("Gmail, port 25", gmail().env("EMAIL_PORT", "25")),
        (
            "Gmail, port 80 in the clear",
            gmail()
                .env("EMAIL_PORT", "80")
                .env("EMAIL_USE_TLS", "False"),
        ),
        (
            "Gmail, STARTTLS on 465",
            gmail()
                .env("EMAIL_PORT", "465")
                .env("EMAIL_USE_TLS", "True"),
        ),
        (
            "Gmail, TLS from the start on 587",
            gmail()
                .env("EMAIL_PORT", "587")
                .env("EMAIL_USE_SSL", "True"),
        ),
        (
            "Gmail, the account's own password",
            account("gmail", "ann@example.com", "hunter2"),
        ),
        (
            "QQ, another From",
            qq().env("DEFAULT_FROM_EMAIL", "Ann <post@example.com>"),
        ),
        (
            "QQ, the number alone",
            account("qq", "123456", "abcdefghijklmnop").env("DEFAULT_FROM_EMAIL", "a@example.com"),
        ),
        (
            "QQ, its password",
            account("qq", "ann@example.com", "hunter2"),
        ),
        (
            "one provider's name and another's host",
            gmail().env("EMAIL_HOST", "smtp.qq.com"),
        ),
        (
            "Gmail without an account",
            relay(&[
                ("EMAIL_PROVIDER", "gmail"),
                ("DEFAULT_FROM_EMAIL", "a@example.com"),
            ]),
        ),
        (
            "Aliyun, port 80",
            account("aliyun", "ann@example.com", "hunter2").env("EMAIL_PORT", "80"),
        ),
        (
            "Aliyun, port 80 in the clear",
            account("aliyun", "ann@example.com", "hunter2")
                .env("EMAIL_PORT", "80")
                .env("EMAIL_USE_TLS", "0"),
        ),
        (
            "SendGrid with an address",
            account("sendgrid", "ann@example.com", "SG.hunter2")
                .env("DEFAULT_FROM_EMAIL", "a@example.com"),
        ),
        (
            "SendGrid with something else",
            account("sendgrid", "apikey", "hunter2").env("DEFAULT_FROM_EMAIL", "a@example.com"),
        ),
        (
            "a fallback without a host",
            gmail().env("GATEPOST_FALLBACK_USER", "bob@example.com"),
        ),
        (
            "a fallback without a region",
            gmail().env("GATEPOST_FALLBACK_PROVIDER", "ses"),
        ),
        (
            "a fallback in the clear",
            gmail()
                .env("GATEPOST_FALLBACK_HOST", "mail.example.com")
                .env("GATEPOST_FALLBACK_SECURITY", "none"),
        ),
        (
            "a fallback of another From",
            gmail()
                .env("GATEPOST_FALLBACK_PROVIDER", "qq")
                .env("GATEPOST_FALLBACK_USER", "bob@example.com")
                .env("GATEPOST_FALLBACK_PASSWORD", "abcdefghijklmnop"),
        ),
        (
            "a share that is none",
            gmail().env("GATEPOST_RELAY_KEPT_FOR_CODES", "20"),
        ),
        (
            "no number of mails",
            gmail().env("GATEPOST_RELAY_PER_DAY", "0"),
        ),
    ];
    let said: String = cases
        .iter()
        .map(|(case, project)| {
            let said = match project.load() {
                Ok(settings) => format!("warning: {}", settings.warnings.join("\nwarning: ")),
                Err(errors) => errors.to_string(),
            };
            format!("# {case}\n{said}\n\n")
        })
        .collect();
    assert!(
        !said.contains("hunter2") && !said.contains("warning: \n"),
        "{said}"
    );
    insta::assert_snapshot!("config_provider", said);
}

#[test]
fn what_goes_together_is_not_warned_of() {
    for variables in [
        &[
            ("EMAIL_PROVIDER", "gmail"),
            ("EMAIL_HOST_USER", "a@example.com"),
            ("EMAIL_HOST_PASSWORD", GMAIL_PASSWORD),
        ][..],
        &[
            ("EMAIL_HOST", "smtp.qq.com"),
            ("EMAIL_PORT", "465"),
            ("EMAIL_USE_SSL", "True"),
            ("EMAIL_HOST_USER", "a@example.com"),
            ("EMAIL_HOST_PASSWORD", "abcdefghijklmnop"),
            ("DEFAULT_FROM_EMAIL", "\u{4f8b}\u{5b50} <a@example.com>"),
        ],
        &[
            ("EMAIL_HOST", "email-smtp.eu-west-1.amazonaws.com"),
            ("EMAIL_PORT", "2587"),
            ("EMAIL_HOST_USER", "AKIA1"),
            ("EMAIL_HOST_PASSWORD", "x"),
            ("DEFAULT_FROM_EMAIL", "a@example.com"),
        ],
        &[
            ("EMAIL_PROVIDER", "sendgrid"),
            ("EMAIL_HOST_PASSWORD", "SG.x"),
            ("DEFAULT_FROM_EMAIL", "a@example.com"),
            ("GATEPOST_FALLBACK_PROVIDER", "gmail"),
            ("GATEPOST_FALLBACK_USER", "b@example.com"),
            ("GATEPOST_FALLBACK_PASSWORD", GMAIL_PASSWORD),
        ],
    ] {
        let settings = relay(variables)
            .load()
            .unwrap_or_else(|errors| panic!("{errors}"));
        assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
    }
}
