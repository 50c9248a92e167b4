//! A reply repeats what strangers chose: whatever it quotes, it means what it would mean without.

use super::*;
use crate::mail::provider;

/// The providers, and a relay of nobody's.
fn relays() -> impl Iterator<Item = Option<&'static Provider>> {
    let known = [
        "gmail",
        "qq",
        "exmail",
        "163",
        "126",
        "office365",
        "aliyun",
        "ses",
        "sendgrid",
        "mailgun",
    ];
    let known = known.into_iter().map(|name| {
        let provider = provider::by_name(name);
        assert!(provider.is_some(), "{name}");
        provider
    });
    std::iter::once(None).chain(known)
}

/// A reply's text that quotes `phrase` in an address, a link and an identifier.
fn quoting(phrase: &str) -> String {
    let escaped = phrase.replace('\\', "\\\\").replace('"', "\\\"");
    let sign = |c: char| !c.is_alphanumeric();
    let dotted = phrase.split(sign).collect::<Vec<_>>().join(".");
    let dashed = phrase.split(sign).collect::<Vec<_>>().join("-");
    let plus = phrase.replace(' ', "+");
    // Chinese has no edges of words; but identifiers are ASCII, and so are domains on the wire.
    let id = match phrase.is_ascii() {
        true => phrase.replace(sign, ""),
        false => "x".to_owned(),
    };
    format!(
        "<\"{escaped}\"@example.org>: no; \"{escaped}\"@example.org <{dotted}@example.org> \
         ({dashed}@example.org) <bob@{dashed}.example> <bob@mx.{dotted}.example>, see \
         https://{dotted}.example/{plus}?{plus}#{dashed} <http://example.org/{phrase}> \
         {id}.example/{id} mx.{id}.example 4X{id}7 4x-{id}-7 id={id}7 7.{id}.7"
    )
}

#[test]
fn no_pattern_of_any_rule_works_where_it_is_only_quoted() {
    let mut wrong = Vec::new();
    let mut count = 0;
    let plain = quoting("x");
    let judged = |stage, code: u16, said: &str, relay| {
        judge(stage, code, format!("{code} {said}\r\n").as_bytes(), relay)
    };
    for stage in [Stage::MailFrom, Stage::RcptTo, Stage::FinalReply] {
        for code in [421, 451, 550] {
            for relay in relays() {
                let expected = judged(stage, code, &plain, relay);
                for pattern in rules().iter().flat_map(Rule::patterns) {
                    count += 1;
                    let said = quoting(&pattern.replace(" .. ", " ").replace('*', ""));
                    let ruling = judged(stage, code, &said, relay);
                    if ruling != expected {
                        let id = ruling.rule.map(|rule| &rule.id);
                        wrong.push(format!("{stage:?} {code} {pattern}: {id:?}"));
                    }
                }
            }
            for enhanced in rules().iter().flat_map(Rule::enhanced_codes) {
                let ruling = judged(stage, code, &format!("from [4{enhanced}.7] no"), None);
                let expected = judged(stage, code, "from [192.0.2.1] no", None);
                assert_eq!(ruling, expected, "{stage:?} {code} {enhanced}");
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(count > 20_000, "{count}");
}

#[test]
fn a_stranger_does_not_close_the_route() {
    let long = "a".repeat(40);
    let folded =
        format!("550-5.1.1 <{long}@example.org>: throttled\r\n550 5.1.1 sender throttled\r\n");
    for (stage, reply) in [
        (
            Stage::RcptTo,
            "550 5.1.1 <a5.1.90@example.org>: Recipient address rejected: User unknown",
        ),
        (
            Stage::RcptTo,
            "550 5.1.1 <submissionquotaexceeded@example.org>: User unknown",
        ),
        (
            Stage::RcptTo,
            "550 <submissionquotaexceeded@example.org>: User unknown",
        ),
        (
            Stage::RcptTo,
            "451 4.7.1 Greylisted, connection from [45.1.90.7]",
        ),
        (Stage::RcptTo, "550 <throttled@example.org>: User unknown"),
        (Stage::RcptTo, "550 5.1.1 throttled: User unknown"),
        (
            Stage::RcptTo,
            "550 <sendasdenied@example.org>: User unknown",
        ),
        (
            Stage::RcptTo,
            "450 4.1.1 <spamhaus@example.org>: Recipient address rejected: unverified address",
        ),
        (
            Stage::RcptTo,
            "450 4.1.1 <ann@example.org>: unverified address: host mx.example.org said: 550 Relay access denied",
        ),
        (
            Stage::RcptTo,
            "550 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour",
        ),
        (
            Stage::RcptTo,
            "452 4.5.3 Too many messages for this recipient",
        ),
        (
            Stage::RcptTo,
            "550 5.7.1 <ann@example.org>: recipient's hourly limit reached",
        ),
        (
            Stage::FinalReply,
            "550 5.7.1 Message rejected, see https://www.spamhaus.org/query",
        ),
        (
            Stage::FinalReply,
            "550 5.7.1 A link in the message is listed by Spamhaus",
        ),
        (
            Stage::RcptTo,
            "550 5.7.1 sender is not allowed to send mail",
        ),
        (
            Stage::RcptTo,
            "451 4.3.0 <bob@fidle.example>: Temporary lookup failure",
        ),
        (
            Stage::RcptTo,
            "550-5.1.1 <sendas\r\n550 denied@example.org>: User unknown",
        ),
        (Stage::RcptTo, &folded),
        (
            Stage::RcptTo,
            "550 5.7.1 <\"x> relay access denied <\"@example.org>: User unknown",
        ),
    ] {
        let code = reply[..3].parse().unwrap();
        let ruling = judge(stage, code, reply.as_bytes(), None);
        let of_the_mail = matches!(ruling.verdict, Verdict::Temporary | Verdict::Permanent);
        assert!(of_the_mail, "{reply}: {ruling:?}");
        assert_eq!(ruling.rest(), None, "{reply}");
    }
}

/// Whether a mailbox is full or gone is never the route's fault, whatever else is said.
#[test]
fn the_state_of_a_mailbox_says_nothing_of_the_route() {
    let mut count = 0;
    for stage in [Stage::RcptTo, Stage::Data, Stage::FinalReply] {
        for relay in relays() {
            for pattern in rules().iter().flat_map(Rule::patterns) {
                let said = pattern.replace(" .. ", " ").replace('*', "");
                for enhanced in ["5.1.1", "5.2.1", "5.2.2"] {
                    let reply = format!("550 {enhanced} {said}\r\n");
                    let verdict = judge(stage, 550, reply.as_bytes(), relay).verdict;
                    let limited = matches!(verdict, Verdict::Limited(_) | Verdict::Configuration);
                    assert!(!limited, "{stage:?} {reply}");
                    count += 1;
                }
            }
        }
    }
    assert!(count > 20_000, "{count}");
}

#[test]
fn from_the_recipient_on_text_alone_is_no_proof_against_the_route() {
    for rule in rules() {
        for pattern in rule.patterns() {
            let said = pattern.replace(" .. ", " ").replace('*', "");
            for code in [450, 451, 550, 554] {
                let reply = format!("{code} {said}\r\n");
                for stage in [Stage::RcptTo, Stage::FinalReply] {
                    let verdict = judge(stage, code, reply.as_bytes(), None).verdict;
                    let of_the_mail = matches!(verdict, Verdict::Temporary | Verdict::Permanent);
                    assert!(of_the_mail, "{stage:?} {reply}");
                }
            }
        }
    }
}
