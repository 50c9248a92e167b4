//! Silence at every stage: nothing happens until the stage's deadline in simulated time, and then
//! the failure names the stage.

use std::time::Duration;

use gatepost::mail::attempt::{Outcome, Stage, Symptom};
use gatepost::mail::relay::{Failure, Relay, Security, Settings};
use gatepost::secret::SecretText;
use gatepost::world::Simulated;

use crate::relay::{parcel, settings};
use crate::relay_script::{Act, Server, fine};

struct Case {
    /// Where the server falls silent; nothing: before its greeting.
    line: &'static str,
    act: fn() -> Act,
    security: Security,
    stage: Stage,
    outcome: Outcome,
    rule: &'static str,
    seconds: u64,
}

impl Case {
    fn of(line: &'static str, stage: Stage, rule: &'static str, seconds: u64) -> Case {
        Case {
            line,
            act: || Act::Hang,
            security: Security::None,
            stage,
            outcome: Outcome::Connection,
            rule,
            seconds,
        }
    }
}

async fn deliver(settings: Settings, simulated: &Simulated, size: usize) -> Result<u16, Failure> {
    let relay = Relay::new(settings, simulated.world()).unwrap();
    let mut connection = relay.connect().await?;
    let mut parcel = parcel();
    parcel.message.extend(b"\r\nmore".repeat(size / 6));
    let accepted = connection.deliver(&parcel, || true).await?;
    Ok(accepted.code)
}

async fn silence(case: &Case) -> Failure {
    let simulated = Simulated::new(1);
    let (line, act) = (case.line, case.act);
    let server = Server::start(move |_, said| {
        let here = said.starts_with(line) && said.is_empty() == line.is_empty();
        match said {
            _ if here => act(),
            "EHLO gatepost.test" => Act::Say(b"250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n"),
            said => fine(said),
        }
    })
    .await;
    let settings = Settings {
        security: case.security,
        user: Some("ann@example.com".to_owned()),
        password: Some(SecretText::from("hunter2".to_owned())),
        ..settings(server.port)
    };
    let size = if case.stage == Stage::Content {
        32 << 20
    } else {
        0
    };
    let delivery = deliver(settings, &simulated, size);
    tokio::pin!(delivery);
    if !line.is_empty() {
        tokio::select! {
            biased;
            outcome = &mut delivery => panic!("{line}: {outcome:?}"),
            () = server.until(line) => {}
        }
    }
    // Until the client waits, and nothing else is under way.
    let mut calm = 0;
    while calm < 200 {
        tokio::select! {
            biased;
            outcome = &mut delivery => panic!("{line}: {outcome:?}"),
            () = tokio::task::yield_now() => {}
        }
        let waits = simulated.sleeping() > 0 && server.heard().connections > 0;
        calm = if waits { calm + 1 } else { 0 };
    }
    simulated.advance(Duration::from_secs(case.seconds - 1));
    assert!(futures_util::poll!(&mut delivery).is_pending(), "{line}");
    simulated.advance(Duration::from_secs(1));
    delivery.await.unwrap_err()
}

#[tokio::test]
async fn silence_ends_with_the_stages_deadline_and_names_it() {
    let start_tls = Security::StartTls;
    for case in [
        Case::of("", Stage::Greeting, "no_greeting", 30),
        Case {
            security: start_tls,
            ..Case::of("", Stage::Greeting, "no_greeting", 30)
        },
        Case::of("EHLO", Stage::Greeting, "no_greeting", 30),
        Case {
            security: start_tls,
            ..Case::of("EHLO", Stage::Greeting, "no_greeting", 30)
        },
        Case {
            security: start_tls,
            ..Case::of("STARTTLS", Stage::Tls, "tls_timeout", 30)
        },
        // It agrees to TLS, and then the handshake is met with silence.
        Case {
            security: start_tls,
            act: || Act::Deafen(b"220 go\r\n"),
            ..Case::of("STARTTLS", Stage::Tls, "tls_timeout", 30)
        },
        // A server that waits for a client's TLS, and one that never answers it.
        Case {
            security: Security::Implicit,
            ..Case::of("", Stage::Tls, "tls_timeout", 30)
        },
        Case::of("AUTH", Stage::Auth, "silence", 30),
        Case::of("MAIL", Stage::MailFrom, "silence", 60),
        Case::of("RCPT", Stage::RcptTo, "silence", 60),
        Case::of("DATA", Stage::Data, "silence", 60),
        Case {
            act: || Act::Deafen(b"354 go on\r\n"),
            ..Case::of("DATA", Stage::Content, "silence", 120)
        },
        Case {
            outcome: Outcome::Uncertain,
            ..Case::of(".", Stage::FinalReply, "uncertain", 600)
        },
        // The beginning of a reply is no reply, and one that goes on and on is none either.
        Case {
            act: || Act::Deafen(b"25"),
            ..Case::of("MAIL", Stage::MailFrom, "silence", 60)
        },
        Case {
            act: || Act::Deafen(b"250-and\r\n250-so\r\n"),
            ..Case::of("RCPT", Stage::RcptTo, "silence", 60)
        },
        Case {
            act: || Act::Deafen(b"250 que"),
            outcome: Outcome::Uncertain,
            ..Case::of(".", Stage::FinalReply, "uncertain", 600)
        },
    ] {
        let failure = silence(&case).await;
        let line = case.line;
        assert_eq!(
            (failure.stage, failure.outcome),
            (case.stage, case.outcome),
            "{line}: {failure}"
        );
        assert_eq!(
            (failure.symptom, failure.code),
            (Some(Symptom::TimedOut), None),
            "{line}: {failure}"
        );
        assert_eq!(failure.rule.unwrap().id, case.rule, "{line}: {failure}");
    }
}

#[tokio::test]
async fn a_refusal_whose_end_never_comes_is_a_refusal_all_the_same() {
    let failure = silence(&Case {
        act: || Act::Deafen(b"550-5.7.1 it is\r\n550-5.7.1 spam\r\n"),
        ..Case::of(".", Stage::FinalReply, "", 600)
    })
    .await;
    assert_eq!(
        (failure.outcome, failure.code),
        (Outcome::Permanent, Some(550))
    );
}
