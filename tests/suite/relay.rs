//! The relay against servers that behave, misbehave, fall silent and break off.

use std::sync::LazyLock;
use std::time::Duration;

use gatepost::mail::Parcel;
use gatepost::mail::attempt::{Outcome, Stage, Symptom};
use gatepost::mail::relay::{Deadlines, Failure, Relay, Security, Settings};
use gatepost::secret::SecretText;
use gatepost::world::{Simulated, World};

use crate::relay_script::{Act, Server, fine};

pub const DEADLINES: Deadlines = Deadlines {
    connect: Duration::from_secs(10),
    greeting: Duration::from_secs(30),
    envelope: Duration::from_secs(60),
    content: Duration::from_secs(120),
    final_reply: Duration::from_secs(600),
};

pub fn settings(port: u16) -> Settings {
    Settings {
        provider: None,
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        user: None,
        password: None,
        ca_file: None,
        hello_name: "gatepost.test".to_owned(),
        allow_plaintext: false,
        deadlines: DEADLINES,
    }
}

pub fn parcel() -> Parcel {
    Parcel {
        from: "no-reply@example.com".to_owned(),
        to: "ann@example.org".to_owned(),
        hide: vec!["314159".to_owned()],
        message: b"Subject: x\r\n\r\n.dot\r\nyour code is 314159".to_vec(),
    }
}

/// Connects and delivers one mail.
pub async fn deliver(settings: Settings, simulated: &Simulated) -> Result<u16, Failure> {
    let relay = Relay::new(settings, simulated.world()).unwrap();
    let mut connection = relay.connect().await?;
    connection
        .deliver(&parcel(), || true)
        .await
        .map(|accepted| accepted.code)
}

/// A server that answers `line` with `act`, everything else well, and what a delivery to it ends
/// with.
pub async fn meets(line: &'static str, act: impl Fn() -> Act + Send + Sync + 'static) -> Failure {
    let server = Server::start(move |_, said| {
        if said.starts_with(line) && said.is_empty() == line.is_empty() {
            act()
        } else {
            fine(said)
        }
    })
    .await;
    deliver(settings(server.port), &Simulated::new(1))
        .await
        .unwrap_err()
}

#[tokio::test]
async fn a_mail_arrives_to_the_byte() {
    let server = Server::start(|_, line| fine(line)).await;
    let code = deliver(settings(server.port), &Simulated::new(1)).await;
    assert_eq!(code.unwrap(), 250);
    let heard = server.heard();
    assert_eq!(
        heard.lines[..5],
        [
            "EHLO gatepost.test",
            "MAIL FROM:<no-reply@example.com>",
            "RCPT TO:<ann@example.org>",
            "DATA",
            "."
        ]
    );
    assert_eq!(
        heard.messages,
        ["Subject: x\r\n\r\n..dot\r\nyour code is 314159\r\n.\r\n"]
    );
}

#[tokio::test]
async fn refusals_are_judged_by_stage_even_where_the_client_cannot_read_them() {
    for (line, act, stage, outcome, code) in [
        (
            "RCPT",
            (|| Act::Say(b"550 5.1.1 no such user\r\n")) as fn() -> Act,
            Stage::RcptTo,
            Outcome::Permanent,
            Some(550),
        ),
        (
            "RCPT",
            || Act::Say(b"451 4.7.1 greylisted\r\n"),
            Stage::RcptTo,
            Outcome::Temporary,
            Some(451),
        ),
        (
            "RCPT",
            || Act::Say(b"571 not wanted\r\n"),
            Stage::RcptTo,
            Outcome::Permanent,
            Some(571),
        ),
        (
            "RCPT",
            || Act::Say(b"550\r\n"),
            Stage::RcptTo,
            Outcome::Permanent,
            Some(550),
        ),
        (
            "RCPT",
            || Act::Say(b"550 \xc3\xdc\xc2\xeb\r\n"),
            Stage::RcptTo,
            Outcome::Permanent,
            Some(550),
        ),
        (
            "RCPT",
            || Act::Say(b"250 ok\r\n250 ok\r\n"),
            Stage::RcptTo,
            Outcome::Temporary,
            Some(250),
        ),
        (
            "MAIL",
            || Act::Say(b"553 mail from must equal the user\r\n"),
            Stage::MailFrom,
            Outcome::Configuration,
            Some(553),
        ),
        (
            "DATA",
            || Act::Say(b"250 ok\r\n"),
            Stage::Data,
            Outcome::Temporary,
            Some(250),
        ),
        (
            ".",
            || Act::Say(b"554 spam\r\n"),
            Stage::FinalReply,
            Outcome::Permanent,
            Some(554),
        ),
        (
            ".",
            || Act::Say(b"354 go on\r\n"),
            Stage::FinalReply,
            Outcome::Uncertain,
            None,
        ),
        (
            ".",
            || Act::Leave(b""),
            Stage::FinalReply,
            Outcome::Uncertain,
            None,
        ),
        (
            "DATA",
            || Act::Leave(b""),
            Stage::Data,
            Outcome::Connection,
            None,
        ),
        (
            "EHLO",
            || Act::Say(b"554 go away\r\n"),
            Stage::Greeting,
            Outcome::Configuration,
            Some(554),
        ),
        (
            "",
            || Act::Say(b"421 busy\r\n"),
            Stage::Greeting,
            Outcome::Connection,
            Some(421),
        ),
        (
            "",
            || Act::Say(b"220 ready\n\x00\xff\r\n"),
            Stage::Greeting,
            Outcome::Connection,
            None,
        ),
    ] {
        let failure = meets(line, act).await;
        let met = (failure.stage, failure.outcome, failure.code);
        assert_eq!(met, (stage, outcome, code), "{line}: {failure}");
    }
}

#[tokio::test]
async fn a_line_without_an_end_is_given_up_before_it_fills_the_memory() {
    static ENDLESS: LazyLock<Vec<u8>> = LazyLock::new(|| [b"250 ", &[b'x'; 70_000][..]].concat());
    for line in ["", "EHLO", "MAIL", "RCPT", "."] {
        // The server falls silent, and the client's clock stands still: no deadline ends it.
        let meeting = meets(line, || Act::Say(&ENDLESS));
        let patience = Duration::from_secs(20);
        let failure = World::system().timeout(patience, meeting).await;
        let failure = failure.expect("it waits for the end of the line");
        // After the final dot it may have been taken.
        let outcome = match line {
            "." => Outcome::Uncertain,
            _ => Outcome::Connection,
        };
        assert_eq!(failure.outcome, outcome, "{line}: {failure}");
        assert_eq!(failure.symptom, Some(Symptom::Unreadable), "{line}");
        assert!(failure.reply.len() <= 4096, "{line}");
    }
}

#[tokio::test]
async fn a_gbk_reply_is_kept_and_shown() {
    let failure = meets("RCPT", || {
        Act::Say(b"550 \xc3\xdc\xc2\xeb\xb4\xed\xce\xf3\r\n")
    })
    .await;
    assert_eq!(failure.to_string(), "at RCPT TO: 550 密码错误");
}

#[tokio::test]
async fn silence_at_any_stage_ends_with_its_deadline() {
    for (line, stage, outcome, seconds) in [
        ("", Stage::Greeting, Outcome::Connection, 30),
        ("EHLO", Stage::Greeting, Outcome::Connection, 30),
        ("MAIL", Stage::MailFrom, Outcome::Connection, 60),
        ("RCPT", Stage::RcptTo, Outcome::Connection, 60),
        ("DATA", Stage::Data, Outcome::Connection, 60),
        (".", Stage::FinalReply, Outcome::Uncertain, 600),
    ] {
        let simulated = Simulated::new(1);
        let server = Server::start(move |_, said| match (line, said) {
            ("", "") => Act::Hang,
            (line, said) if !line.is_empty() && said.starts_with(line) => Act::Hang,
            (_, said) => fine(said),
        })
        .await;
        let delivery = deliver(settings(server.port), &simulated);
        tokio::pin!(delivery);
        // Up to the silence …
        if !line.is_empty() {
            tokio::select! {
                biased;
                outcome = &mut delivery => panic!("{line}: {outcome:?}"),
                () = server.until(line) => {}
            }
        }
        // … and there, a second before the deadline, nothing has happened.
        while simulated.sleeping() == 0 || (line.is_empty() && server.heard().connections == 0) {
            tokio::select! {
                biased;
                outcome = &mut delivery => panic!("{line}: {outcome:?}"),
                () = tokio::task::yield_now() => {}
            }
        }
        for _ in 0..50 {
            assert!(futures_util::poll!(&mut delivery).is_pending());
            tokio::task::yield_now().await;
        }
        simulated.advance(Duration::from_secs(seconds - 1));
        assert!(futures_util::poll!(&mut delivery).is_pending(), "{line}");
        simulated.advance(Duration::from_secs(1));
        let failure = delivery.await.unwrap_err();
        assert_eq!((failure.stage, failure.outcome), (stage, outcome), "{line}");
        assert_eq!(failure.symptom, Some(Symptom::TimedOut), "{line}");
        let rule = match stage {
            Stage::Greeting => "no_greeting",
            Stage::FinalReply => "uncertain",
            _ => "silence",
        };
        assert_eq!(failure.rule.unwrap().id, rule, "{line}");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_after_a_refusal_and_never_after_a_doubt() {
    let server = Server::start(|_, line| match line {
        "RCPT TO:<ann@example.org>" => Act::Say(b"550 no\r\n"),
        "RCPT TO:<bob@example.org>" => Act::Say(b"571 odd\r\n"),
        line => fine(line),
    })
    .await;
    let relay = Relay::new(settings(server.port), Simulated::new(1).world()).unwrap();
    let mut connection = relay.connect().await.unwrap();
    assert!(connection.deliver(&parcel(), || true).await.is_err());
    assert!(connection.is_usable());
    let mut other = parcel();
    other.to = "cleo@example.org".to_owned();
    assert_eq!(connection.deliver(&other, || true).await.unwrap().code, 250);
    other.to = "bob@example.org".to_owned();
    assert!(connection.deliver(&other, || true).await.is_err());
    assert!(!connection.is_usable());
    assert_eq!(
        server.heard().lines.iter().filter(|l| *l == "RSET").count(),
        1
    );
}

#[tokio::test]
async fn nothing_secret_is_kept_even_if_the_server_repeats_it() {
    let server = Server::start(|_, line| match line {
        "." => Act::Say(b"554 spam: 314159, hunter2, aHVudGVyMg==\r\n"),
        line => fine(line),
    })
    .await;
    let mut settings = settings(server.port);
    settings.user = Some("ann".to_owned());
    settings.password = Some(SecretText::from("hunter2".to_owned()));
    let failure = deliver(settings, &Simulated::new(1)).await.unwrap_err();
    assert!(server.heard().lines[1].starts_with("AUTH PLAIN "));
    let kept = String::from_utf8([failure.reply, failure.transcript].concat()).unwrap();
    assert!(kept.contains("554 spam: ***, ***, ***"), "{kept}");
    assert!(kept.contains("(credentials)"), "{kept}");
    for secret in ["hunter2", "314159", "AGFubgBodW50ZXIy", "aHVudGVyMg"] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}

#[tokio::test]
async fn login_is_used_where_plain_is_not_offered_and_a_refusal_is_the_routes() {
    for (mechanisms, last, outcome) in [
        (
            &b"250-test\r\n250 AUTH LOGIN\r\n"[..],
            &b"235 ok\r\n"[..],
            None,
        ),
        (
            b"250-test\r\n250 AUTH PLAIN\r\n",
            b"535 Login Fail\r\n",
            Some(Outcome::Configuration),
        ),
        (
            b"250-test\r\n250 AUTH PLAIN\r\n",
            b"454 later\r\n",
            Some(Outcome::Temporary),
        ),
        (
            b"250-test\r\n250 AUTH CRAM-MD5\r\n",
            b"",
            Some(Outcome::Configuration),
        ),
    ] {
        let server = Server::start(move |_, line| match line {
            "EHLO gatepost.test" => Act::Say(mechanisms),
            "AUTH LOGIN" => Act::Say(b"334 VXNlcm5hbWU6\r\n"),
            "YW5u" => Act::Say(b"334 UGFzc3dvcmQ6\r\n"),
            "aHVudGVyMg==" => Act::Say(last),
            line if line.starts_with("AUTH PLAIN") => Act::Say(last),
            line => fine(line),
        })
        .await;
        let mut settings = settings(server.port);
        settings.user = Some("ann".to_owned());
        settings.password = Some(SecretText::from("hunter2".to_owned()));
        let failure = deliver(settings, &Simulated::new(1)).await.err();
        assert_eq!(failure.as_ref().map(|f| f.outcome), outcome, "{failure:?}");
        if let Some(failure) = failure {
            assert_eq!(failure.stage, Stage::Auth);
        }
    }
}

#[tokio::test]
async fn an_address_beyond_ascii_needs_a_server_that_takes_it() {
    let mut smtputf8 = parcel();
    smtputf8.to = "小明@example.org".to_owned();
    for (offer, taken) in [
        (&b"250-test\r\n250 SMTPUTF8\r\n"[..], true),
        (b"250 test\r\n", false),
    ] {
        let server = Server::start(move |_, line| match line {
            "EHLO gatepost.test" => Act::Say(offer),
            line => fine(line),
        })
        .await;
        let relay = Relay::new(settings(server.port), Simulated::new(1).world()).unwrap();
        let mut connection = relay.connect().await.unwrap();
        let outcome = connection.deliver(&smtputf8, || true).await;
        assert_eq!(outcome.is_ok(), taken);
        if let Err(failure) = outcome {
            assert_eq!(failure.outcome, Outcome::Permanent);
            assert!(failure.to_string().contains("SMTPUTF8"), "{failure}");
            assert!(connection.is_usable());
        } else {
            let from = "MAIL FROM:<no-reply@example.com> SMTPUTF8";
            assert!(server.heard().lines.contains(&from.to_owned()));
        }
    }
}

#[tokio::test]
async fn starttls_that_is_not_offered_or_not_clean_is_never_skipped() {
    for (offer, start) in [
        (&b"250-test\r\n250 8BITMIME\r\n"[..], &b"220 go\r\n"[..]),
        (b"250-test\r\n250 STARTTLS\r\n", b"454 not now\r\n"),
        // Plain text smuggled in behind the answer (CVE-2011-0411).
        (b"250-test\r\n250 STARTTLS\r\n", b"220 go\r\n250 x\r\n"),
        (b"250-test\r\n250 STARTTLS\r\n", b"220 go\r\n"),
    ] {
        let server = Server::start(move |_, line| match line {
            "EHLO gatepost.test" => Act::Say(offer),
            "STARTTLS" => Act::Leave(start),
            line => fine(line),
        })
        .await;
        let mut settings = settings(server.port);
        settings.security = Security::StartTls;
        let failure = deliver(settings, &Simulated::new(1)).await.unwrap_err();
        assert_eq!(failure.stage, Stage::Tls, "{failure}");
        let lines = server.heard().lines;
        assert!(
            !lines.iter().any(|line| line.starts_with("MAIL")),
            "{lines:?}"
        );
    }
}

#[tokio::test]
async fn nobody_listening_is_a_connection_that_failed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let failure = deliver(settings(port), &Simulated::new(1))
        .await
        .unwrap_err();
    assert_eq!(
        (failure.stage, failure.outcome, failure.symptom),
        (
            Stage::Connect,
            Outcome::Connection,
            Some(Symptom::ConnectionRefused)
        )
    );
    assert_eq!(failure.rule.unwrap().id, "connection_refused");
    let mut nowhere = settings(25);
    nowhere.host = "no-such-host.invalid".to_owned();
    let failure = deliver(nowhere, &Simulated::new(1)).await.unwrap_err();
    assert!(
        failure.to_string().contains("no-such-host.invalid"),
        "{failure}"
    );
    assert_eq!(failure.symptom, Some(Symptom::NameNotFound));
    assert_eq!(failure.rule.unwrap().id, "name_not_found");
}
