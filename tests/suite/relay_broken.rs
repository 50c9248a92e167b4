//! The relay and servers that break off, drip, run ahead, hang up and quote, at every stage.

use gatepost::mail::Parcel;
use gatepost::mail::attempt::{Outcome, Stage, Symptom};
use gatepost::mail::provider;
use gatepost::mail::relay::{Relay, Security, Settings};
use gatepost::secret::SecretText;
use gatepost::world::Simulated;

use crate::relay::{deliver, meets, parcel, settings};
use crate::relay_script::{Act, Server, fine};

fn with_login(port: u16) -> Settings {
    Settings {
        user: Some("ann@example.com".to_owned()),
        password: Some(SecretText::from("hunter2".to_owned())),
        ..settings(port)
    }
}

#[tokio::test]
async fn a_reply_that_is_cut_off_is_believed_only_where_it_is_a_refusal() {
    let connection = (Outcome::Connection, None, "closed");
    let uncertain = (Outcome::Uncertain, None, "uncertain");
    for (line, said, stage, (outcome, code, rule)) in [
        (
            "",
            &b""[..],
            Stage::Greeting,
            (Outcome::Connection, None, "closed_at_greeting"),
        ),
        (
            "",
            b"22",
            Stage::Greeting,
            (Outcome::Connection, None, "closed_at_greeting"),
        ),
        (
            "EHLO",
            b"",
            Stage::Greeting,
            (Outcome::Connection, None, "closed_at_greeting"),
        ),
        (
            "EHLO",
            b"250-test\r\n250-8BIT",
            Stage::Greeting,
            (Outcome::Connection, None, "closed_at_greeting"),
        ),
        ("MAIL", b"", Stage::MailFrom, connection),
        ("MAIL", b"250", Stage::MailFrom, connection),
        (
            "MAIL",
            b"553",
            Stage::MailFrom,
            (Outcome::Configuration, Some(553), "sender_refused"),
        ),
        ("RCPT", b"", Stage::RcptTo, connection),
        ("RCPT", b"250 o", Stage::RcptTo, connection),
        ("DATA", b"354", Stage::Data, connection),
        ("DATA", b"", Stage::Data, connection),
        (".", b"", Stage::FinalReply, uncertain),
        (".", b"250", Stage::FinalReply, uncertain),
        (".", b"250 queued", Stage::FinalReply, uncertain),
        (".", b"250-queued\r\n250 as 1", Stage::FinalReply, uncertain),
        (".", b"550", Stage::FinalReply, uncertain),
        (".", b"what?\r\n", Stage::FinalReply, uncertain),
        (
            ".",
            b"550-5.7.1 no\r\n550 5",
            Stage::FinalReply,
            (Outcome::Permanent, Some(550), "refused"),
        ),
        (
            ".",
            b"451 later\r\n",
            Stage::FinalReply,
            (Outcome::Temporary, Some(451), "refused_for_now"),
        ),
        (
            ".",
            b"421 closing\r\n",
            Stage::FinalReply,
            (Outcome::Connection, Some(421), "closing"),
        ),
    ] {
        let failure = meets(line, move || Act::Leave(said)).await;
        let met = (failure.stage, failure.outcome, failure.code);
        let shown = format!("{line} {}: {failure}", String::from_utf8_lossy(said));
        assert_eq!(met, (stage, outcome, code), "{shown}");
        assert_eq!(failure.rule.unwrap().id, rule, "{shown}");
    }
}

#[tokio::test]
async fn what_was_taken_is_sent_whatever_follows_the_reply() {
    for said in [
        &b"250 queued\r\n250 twice\r\n"[..],
        b"250 \xd3\xca\xbc\xfe\xd2\xd1\xca\xd5\xb5\xbd\r\n",
        b"250-queued\r\n250 as 1\r\n",
        b"299 odd\r\n",
        b"250\r\n",
    ] {
        let server = Server::start(move |_, line| match line {
            "." => Act::Leave(said),
            line => fine(line),
        })
        .await;
        let code = deliver(settings(server.port), &Simulated::new(1)).await;
        assert!(code.is_ok(), "{}: {code:?}", String::from_utf8_lossy(said));
    }
}

#[tokio::test]
async fn bytes_that_drip_are_one_reply() {
    let server = Server::start(|_, line| match fine(line) {
        Act::Say(reply) if line != "DATA" => Act::Drip(reply),
        act => act,
    })
    .await;
    let code = deliver(with_login(server.port), &Simulated::new(1)).await;
    assert_eq!(code.unwrap(), 250);
    let failure = meets("RCPT", || {
        Act::Drip(b"550-5.1.1 no\r\n550 5.1.1 such user\r\n")
    })
    .await;
    assert_eq!(failure.rule.unwrap().id, "no_such_user");
}

#[tokio::test]
async fn hanging_up_at_the_login_is_about_credentials_where_the_provider_does_so() {
    for (name, outcome, rule) in [
        (Some("qq"), Outcome::Configuration, "qq_closed_at_login"),
        (Some("exmail"), Outcome::Configuration, "qq_closed_at_login"),
        (Some("gmail"), Outcome::Connection, "closed_at_login"),
        (None, Outcome::Connection, "closed_at_login"),
    ] {
        for offer in [&b"250 AUTH PLAIN\r\n"[..], b"250 AUTH LOGIN\r\n"] {
            let offer: &'static [u8] = [b"250-test\r\n", offer].concat().leak();
            let server = Server::start(move |_, line| match line {
                "EHLO gatepost.test" => Act::Say(offer),
                "AUTH LOGIN" => Act::Say(b"334 VXNlcm5hbWU6\r\n"),
                line if line.starts_with("AUTH PLAIN") => Act::Leave(b""),
                "YW5uQGV4YW1wbGUuY29t" => Act::Leave(b""),
                line => fine(line),
            })
            .await;
            let mut settings = with_login(server.port);
            settings.provider = name.and_then(provider::by_name);
            let failure = deliver(settings, &Simulated::new(1)).await.unwrap_err();
            assert_eq!(
                (failure.stage, failure.outcome),
                (Stage::Auth, outcome),
                "{name:?}"
            );
            assert_eq!(failure.symptom, Some(Symptom::Closed));
            assert_eq!(failure.rule.unwrap().id, rule);
        }
    }
}

#[tokio::test]
async fn an_idle_connection_that_the_server_gave_up_says_so_and_is_not_used_again() {
    let server = Server::start(|_, line| match line {
        "MAIL FROM:<no-reply@example.com>" => Act::Leave(b"421 4.4.2 idle for too long\r\n"),
        line => fine(line),
    })
    .await;
    let relay = Relay::new(settings(server.port), Simulated::new(1).world()).unwrap();
    let mut connection = relay.connect().await.unwrap();
    let failure = connection.deliver(&parcel(), || true).await.unwrap_err();
    assert_eq!(
        (failure.outcome, failure.code),
        (Outcome::Connection, Some(421))
    );
    assert_eq!(failure.rule.unwrap().id, "idle");
    assert!(!connection.is_usable());
}

#[tokio::test]
async fn what_cannot_be_done_on_this_connection_is_said_with_its_rule() {
    for (security, offer, symptom, rule) in [
        (
            Security::StartTls,
            &b"250 test\r\n"[..],
            Symptom::NoStartTls,
            "no_starttls",
        ),
        (
            Security::None,
            b"250 AUTH CRAM-MD5\r\n",
            Symptom::NoAuth,
            "no_auth",
        ),
    ] {
        let server = Server::start(move |_, line| match line {
            "EHLO gatepost.test" => Act::Say(offer),
            line => fine(line),
        })
        .await;
        let settings = Settings {
            security,
            ..with_login(server.port)
        };
        let failure = deliver(settings, &Simulated::new(1)).await.unwrap_err();
        assert_eq!(failure.outcome, Outcome::Configuration, "{failure}");
        assert_eq!(
            (failure.symptom, failure.rule.unwrap().id.as_str()),
            (Some(symptom), rule)
        );
    }
}

#[tokio::test]
async fn a_domain_beyond_ascii_goes_out_in_its_ascii_form() {
    let server = Server::start(|_, line| fine(line)).await;
    let to: gatepost::address::EmailAddress = "ann@\u{90ae}\u{4ef6}.example.com".parse().unwrap();
    let mut parcel = parcel();
    parcel.to = to.as_str().to_owned();
    let relay = Relay::new(settings(server.port), Simulated::new(1).world()).unwrap();
    let mut connection = relay.connect().await.unwrap();
    connection.deliver(&parcel, || true).await.unwrap();
    let rcpt = "RCPT TO:<ann@xn--5nq051n.example.com>".to_owned();
    let lines = server.heard().lines;
    assert!(lines.contains(&rcpt), "{lines:?}");
}

#[tokio::test]
async fn no_form_of_the_password_comes_back_into_what_is_kept() {
    for (offer, echo) in [
        (
            &b"250 AUTH PLAIN\r\n"[..],
            &b"535 AGFubkBleGFtcGxlLmNvbQBodW50ZXIy \xc3\xdc\xc2\xeb hunter2\r\n"[..],
        ),
        (
            b"250 AUTH LOGIN\r\n",
            b"535-YW5uQGV4YW1wbGUuY29t\r\n535 aHVudGVyMg== aHVudGVyMg\r\n",
        ),
    ] {
        let offer: &'static [u8] = [b"250-test\r\n", offer].concat().leak();
        let server = Server::start(move |_, line| match line {
            "EHLO gatepost.test" => Act::Say(offer),
            "AUTH LOGIN" => Act::Say(b"334 VXNlcm5hbWU6\r\n"),
            "YW5uQGV4YW1wbGUuY29t" => Act::Say(b"334 UGFzc3dvcmQ6\r\n"),
            "aHVudGVyMg==" => Act::Say(echo),
            line if line.starts_with("AUTH PLAIN") => Act::Say(echo),
            line => fine(line),
        })
        .await;
        let failure = deliver(with_login(server.port), &Simulated::new(1))
            .await
            .unwrap_err();
        assert_eq!((failure.stage, failure.code), (Stage::Auth, Some(535)));
        let kept = [failure.reply, failure.transcript].concat();
        let kept = String::from_utf8_lossy(&kept).into_owned();
        assert!(kept.contains("***"), "{kept}");
        for secret in ["hunter2", "aHVudGVyMg", "AGFubkBleGFtcGxlLmNvbQBodW50ZXIy"] {
            assert!(!kept.contains(secret), "{secret} in {kept}");
        }
    }
}

/// A filter that refuses a mail for its link says which, in lines of its own making; what is kept
/// of it opens no account.
#[tokio::test]
async fn a_link_that_the_server_quotes_is_kept_nowhere() {
    const TOKEN: &str = "gpr_0123456789abcdefghijklmnop";
    for (reply, kept) in [
        (
            &b"554-5.7.1 Blocked: https://example.com/users/reset/MQ/gpr_0123\r\n\
               554-5.7.1 456789abcdefghi\r\n554 5.7.1 jklmnop/ is listed\r\n"[..],
            "554-5.7.1 Blocked: ***\r\n554-5.7.1 ***\r\n554 5.7.1 *** is listed\r\n",
        ),
        (
            b"554 5.7.1 Blocked: /users/reset/MQ/gpr_0123456789abcdefghijklmnop/\r\n",
            "554 5.7.1 Blocked: /users/reset/MQ/***/\r\n",
        ),
        (b"554 ...89abcdefghijklm...\r\n", "554 ...***...\r\n"),
        (
            b"250-queued gpr_0123456789\r\n250 abcdefghijklmnop\r\n",
            "250-queued ***\r\n250 ***\r\n",
        ),
    ] {
        let server = Server::start(move |_, line| match line {
            "." => Act::Say(reply),
            line => fine(line),
        })
        .await;
        let simulated = Simulated::new(1);
        let relay = Relay::new(settings(server.port), simulated.world()).unwrap();
        let mut connection = relay.connect().await.unwrap();
        let parcel = Parcel {
            hide: vec![format!("https://example.com/users/reset/MQ/{TOKEN}/")],
            ..parcel()
        };
        let (reply, transcript) = match connection.deliver(&parcel, || true).await {
            Ok(accepted) => (accepted.reply, accepted.transcript),
            Err(failure) => (failure.reply, failure.transcript),
        };
        assert_eq!(String::from_utf8_lossy(&reply), kept);
        let transcript = String::from_utf8_lossy(&transcript);
        assert!(transcript.ends_with(kept), "{transcript}");
    }
}
