//! Every row of the rulebook as a relay meets it: the reply comes over a socket, at its stage, from
//! a server that is well behaved otherwise.

use std::time::Duration;

use gatepost::mail::attempt::Stage;
use gatepost::mail::provider;
use gatepost::mail::relay::{Failure, Security, Settings};
use gatepost::mail::rulebook::{Example, Rest, Verdict, rules};
use gatepost::secret::SecretText;
use gatepost::world::{Simulated, World};

use crate::relay::{deliver, settings};
use crate::relay_script::{Act, Server, fine};

/// What the relay makes of `example`.
async fn met(example: &Example) -> Failure {
    let line = match example.stage {
        Stage::Greeting => "",
        Stage::Tls => "STARTTLS",
        Stage::Auth => "AUTH PLAIN",
        Stage::MailFrom => "MAIL",
        Stage::RcptTo => "RCPT",
        Stage::Data => "DATA",
        Stage::FinalReply => ".",
        stage => panic!("no reply is given at {stage:?}"),
    };
    let said: &'static [u8] = example.bytes().leak();
    let server = Server::start(move |_, heard| {
        let here = heard.starts_with(line) && heard.is_empty() == line.is_empty();
        match heard {
            _ if here => Act::Say(said),
            "EHLO gatepost.test" => Act::Say(b"250-test\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n"),
            heard => fine(heard),
        }
    })
    .await;
    let settings = Settings {
        provider: example.provider.as_deref().and_then(provider::by_name),
        security: match example.stage {
            Stage::Tls => Security::StartTls,
            _ => Security::None,
        },
        user: Some("ann@example.com".to_owned()),
        password: Some(SecretText::from("hunter2".to_owned())),
        ..settings(server.port)
    };
    deliver(settings, &Simulated::new(1)).await.unwrap_err()
}

#[tokio::test]
async fn every_row_is_recognised_over_the_wire() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for rule in rules() {
        for example in rule.examples() {
            // After the final dot such a reply is none: the mail may have been taken.
            if example.stage == Stage::FinalReply && example.code() < 400 {
                continue;
            }
            count += 1;
            // The client's clock stands still: no deadline of its own ends a row that hangs.
            let patience = Duration::from_secs(5);
            let meeting = World::system().timeout(patience, met(example)).await;
            let Ok(failure) = meeting else {
                wrong.push(format!("{}: {example:?} hangs", rule.id));
                continue;
            };
            let rest = match rule.verdict {
                Some(Verdict::Limited(rest)) => Some(rest),
                _ => None,
            };
            let outcome = rule.verdict.map_or(failure.outcome, Verdict::outcome);
            let found = failure.rule.map(|rule| rule.id.as_str());
            if found != Some(&rule.id)
                || (failure.stage, failure.code) != (example.stage, Some(example.code()))
                || (failure.outcome, failure.rest) != (outcome, rest)
                || failure.reply != example.bytes()
            {
                wrong.push(format!("{}: {example:?} met {failure:?}", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 100, "{count}");
}

#[test]
fn every_row_of_the_reference_has_the_action_that_it_wants() {
    let hour = Verdict::Limited(Rest::For(Duration::from_secs(3600)));
    let day = Verdict::Limited(Rest::UntilMidnight(8));
    for (stage, provider, reply, verdict) in [
        (
            Stage::Auth,
            "qq",
            "535 Login Fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy.",
            Verdict::Configuration,
        ),
        (
            Stage::Auth,
            "gmail",
            "535-5.7.8 Username and Password not accepted",
            Verdict::Configuration,
        ),
        (
            Stage::Auth,
            "gmail",
            "534-5.7.9 Application-specific password required",
            Verdict::Configuration,
        ),
        (
            Stage::Auth,
            "qq",
            "454 please open smtp flag first",
            Verdict::Configuration,
        ),
        (
            Stage::MailFrom,
            "qq",
            "501 mail from address must be same as authorization user",
            Verdict::Configuration,
        ),
        (
            Stage::MailFrom,
            "163",
            "553 Mail from must equal authorized user",
            Verdict::Configuration,
        ),
        (
            Stage::MailFrom,
            "aliyun",
            "440 mail from account doesn't conform with authentication",
            Verdict::Configuration,
        ),
        (Stage::MailFrom, "qq", "550 Sender frequency limited", hour),
        (Stage::RcptTo, "qq", "550 IP frequency limited", hour),
        (
            Stage::FinalReply,
            "qq",
            "550 Connection frequency limited",
            hour,
        ),
        (
            Stage::FinalReply,
            "qq",
            "550 Domain frequency limited",
            hour,
        ),
        (
            Stage::FinalReply,
            "qq",
            "550 The \"From\" header is missing or invalid",
            Verdict::Permanent,
        ),
        (
            Stage::FinalReply,
            "qq",
            "550 The mail may contain inappropriate words or content",
            Verdict::Permanent,
        ),
        (Stage::MailFrom, "163", "550 RP:ORQ", day),
        (Stage::Greeting, "163", "421 HL:ITC", day),
        (
            Stage::FinalReply,
            "gmail",
            "552-5.2.3 Your message exceeded Google's message size limits",
            Verdict::Permanent,
        ),
        (
            Stage::FinalReply,
            "gmail",
            "550-5.7.26 Unauthenticated email",
            Verdict::Permanent,
        ),
        (
            Stage::RcptTo,
            "gmail",
            "550 5.1.1 no such user",
            Verdict::Permanent,
        ),
        (
            Stage::RcptTo,
            "gmail",
            "451 4.7.1 greylisted",
            Verdict::Temporary,
        ),
        (
            Stage::MailFrom,
            "gmail",
            "421 4.4.2 idle",
            Verdict::Connection,
        ),
    ] {
        let code = reply[..3].parse().unwrap();
        let provider = provider::by_name(provider);
        let ruling = gatepost::mail::rulebook::judge(stage, code, reply.as_bytes(), provider);
        assert_eq!(ruling.verdict, verdict, "{reply}");
    }
    // These rest as well; for how long is the rulebook's own choice, within a day.
    for (stage, provider, reply) in [
        (Stage::Auth, "gmail", "454 4.7.0 Too many login attempts"),
        (
            Stage::FinalReply,
            "gmail",
            "550-5.4.5 Daily sending quota exceeded",
        ),
        (
            Stage::FinalReply,
            "ses",
            "454 Throttling failure: Daily message quota exceeded",
        ),
    ] {
        let provider = provider::by_name(provider);
        let code = reply[..3].parse().unwrap();
        let ruling = gatepost::mail::rulebook::judge(stage, code, reply.as_bytes(), provider);
        let Some(Rest::For(rest)) = ruling.rest() else {
            panic!("{reply}: {ruling:?}");
        };
        assert!(rest.as_secs() >= 600 && rest.as_secs() <= 86_400, "{reply}");
    }
}
