//! The rulebook row by row: every example leads to its rule, and no look-alike does.

use std::collections::HashSet;

use super::*;
use crate::mail::provider;

/// Characters that only the one or the other script has.
const SIMPLIFIED: [char; 16] = [
    '这', '务', '户', '码', '设', '邮', '发', '启', '线', '连', '试', '录', '权', '认', '证', '个',
];
const TRADITIONAL: [char; 16] = [
    '這', '務', '戶', '碼', '設', '郵', '發', '啟', '線', '連', '試', '錄', '權', '認', '證', '個',
];

fn ruling(example: &Example) -> Ruling {
    let provider = example
        .provider
        .as_deref()
        .map(|name| provider::by_name(name).unwrap_or_else(|| panic!("no provider {name}")));
    judge(example.stage, example.code(), &example.bytes(), provider)
}

#[test]
fn every_rule_is_whole() {
    let mut ids = HashSet::new();
    for rule in rules() {
        assert!(ids.insert(&rule.id), "{} twice", rule.id);
        assert_eq!(super::rule(&rule.id), Some(rule));
        for words in [&rule.meaning, &rule.advice] {
            for language in Language::ALL {
                let text = words.of(language);
                assert!(text.ends_with(['.', '。']), "{}: {text}", rule.id);
            }
            // Each in its own script, lest one was copied and forgotten.
            assert!(
                words.en.is_ascii() || words.en.contains(['’', '…', '授']),
                "{}",
                rule.id
            );
            assert_ne!(words.zh_hant, words.en, "{}", rule.id);
            assert!(!words.zh_hant.contains(SIMPLIFIED), "{}", words.zh_hant);
            assert!(!words.zh_hans.contains(TRADITIONAL), "{}", words.zh_hans);
        }
        assert!(rule.is_of_replies() || rule.is_of_symptoms(), "{}", rule.id);
        assert_eq!(
            rule.is_of_replies(),
            !rule.examples().is_empty(),
            "{}",
            rule.id
        );
        if let Some(page) = &rule.page {
            assert!(page.starts_with("https://"), "{}: {page}", rule.id);
        }
        rule.check();
    }
}

#[test]
fn every_example_leads_to_its_rule_and_its_verdict() {
    let mut wrong = Vec::new();
    for rule in rules() {
        for example in rule.examples() {
            let ruling = ruling(example);
            let found = ruling.rule.map(|rule| rule.id.as_str());
            let expected = rule
                .verdict
                .unwrap_or_else(|| by_code(example.stage, example.code()));
            if found != Some(&rule.id) || ruling.verdict != expected {
                wrong.push(format!(
                    "{}: {example:?} met {found:?}, {:?}",
                    rule.id, ruling.verdict
                ));
            }
        }
        for example in rule.unlike() {
            let found = ruling(example).rule;
            if found == Some(rule) {
                wrong.push(format!("{}: {example:?} is unlike it", rule.id));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Whoever borrows a provider's sentences is not taken for it.
#[test]
fn no_provider_is_named_where_none_is_known() {
    let names = [
        "gmail",
        "google",
        "qq",
        "exmail",
        "tencent",
        "netease",
        "163",
        "126",
        "microsoft",
        "365",
        "aliyun",
        "amazon",
        " ses ",
        "sendgrid",
        "mailgun",
        "騰訊",
        "腾讯",
        "網易",
        "网易",
        "阿里",
    ];
    let mut count = 0;
    for example in rules().iter().flat_map(Rule::examples) {
        let ruling = judge(example.stage, example.code(), &example.bytes(), None);
        let Some(rule) = ruling.rule else { continue };
        for language in Language::ALL {
            let meaning = rule.meaning.of(language).to_lowercase();
            let named = names.iter().find(|name| meaning.contains(*name));
            assert_eq!(named, None, "{}: {example:?}", rule.id);
            count += 1;
        }
    }
    assert!(count > 300, "{count}");
    let said = b"550 5.4.5 Daily user sending quota exceeded\r\n";
    for stage in [Stage::MailFrom, Stage::FinalReply] {
        let rest = |provider| judge(stage, 550, said, provider).rest();
        let hours = |count: u64| Some(Rest::For(Duration::from_secs(count * 3600)));
        assert_eq!(rest(None), hours(1), "{stage:?}");
        assert_eq!(rest(provider::by_name("gmail")), hours(4), "{stage:?}");
    }
    let blocked = judge(
        Stage::Greeting,
        554,
        b"554 your IP 192.0.2.4 is blocked\r\n",
        None,
    );
    assert_eq!(blocked.rule.unwrap().page, None);
}

#[test]
fn every_refusal_is_explained_and_no_welcome_is() {
    for stage in [
        Stage::Greeting,
        Stage::Tls,
        Stage::Auth,
        Stage::MailFrom,
        Stage::RcptTo,
        Stage::Data,
        Stage::FinalReply,
    ] {
        for code in [420, 421, 451, 500, 550, 571, 599] {
            let ruling = judge(stage, code, b"", None);
            assert!(ruling.rule.is_some(), "{stage:?} {code}");
        }
        let welcome = if stage == Stage::Data { 354 } else { 250 };
        let said = b"250 daily sending quota exceeded\r\n";
        let ruling = judge(stage, welcome, said, None);
        assert_eq!((ruling.verdict, ruling.rule), (Verdict::Accepted, None));
    }
}

#[test]
fn every_symptom_is_explained_at_every_stage() {
    use Symptom::*;
    for symptom in [
        NameNotFound,
        ConnectionRefused,
        Unreachable,
        TimedOut,
        Closed,
        NotTls,
        NoStartTls,
        UnknownIssuer,
        WrongName,
        CertificateTime,
        TlsFailed,
        NoAuth,
        PlainRefused,
        NoSmtpUtf8,
        Unreadable,
    ] {
        for stage in [
            Stage::Connect,
            Stage::Greeting,
            Stage::Tls,
            Stage::Auth,
            Stage::RcptTo,
        ] {
            let rule = explain(stage, symptom, Outcome::Connection, None);
            assert!(rule.is_some(), "{symptom:?} {stage:?}");
        }
    }
    let id = |stage, symptom, outcome, provider: Option<&str>| {
        let provider = provider.and_then(provider::by_name);
        explain(stage, symptom, outcome, provider).map(|rule| rule.id.as_str())
    };
    let connection = Outcome::Connection;
    assert_eq!(
        id(Stage::Auth, Closed, connection, Some("qq")),
        Some("qq_closed_at_login")
    );
    assert_eq!(
        id(Stage::Auth, Closed, connection, None),
        Some("closed_at_login")
    );
    assert_eq!(
        id(Stage::Greeting, TimedOut, connection, None),
        Some("no_greeting")
    );
    assert_eq!(
        id(Stage::Connect, TimedOut, connection, None),
        Some("connect_timeout")
    );
    assert_eq!(
        id(Stage::FinalReply, Closed, Outcome::Uncertain, None),
        Some("uncertain")
    );
    assert_eq!(
        id(Stage::FinalReply, TimedOut, Outcome::Uncertain, Some("qq")),
        Some("uncertain")
    );
}

#[test]
fn where_the_from_must_be_the_account_the_remedy_names_it() {
    let rule = rule("qq_from").unwrap();
    let remedy = rule.remedy(Language::En, Some("ann@example.com"));
    assert!(
        remedy.ends_with("DEFAULT_FROM_EMAIL=ann@example.com"),
        "{remedy}"
    );
    assert_eq!(rule.remedy(Language::En, None), rule.advice.en);
    assert_eq!(rule.remedy(Language::En, Some("apikey")), rule.advice.en);
}

#[test]
fn the_stage_decides_what_a_refusal_is_about() {
    for (stage, code, verdict) in [
        (Stage::FinalReply, 250, Verdict::Accepted),
        (Stage::FinalReply, 354, Verdict::Temporary),
        (Stage::Data, 354, Verdict::Accepted),
        (Stage::Data, 250, Verdict::Temporary),
        (Stage::RcptTo, 451, Verdict::Temporary),
        (Stage::RcptTo, 421, Verdict::Connection),
        (Stage::RcptTo, 550, Verdict::Permanent),
        (Stage::Auth, 535, Verdict::Configuration),
        (Stage::MailFrom, 553, Verdict::Configuration),
        (Stage::MailFrom, 552, Verdict::Permanent),
    ] {
        assert_eq!(
            judge(stage, code, b"", None).verdict,
            verdict,
            "{stage:?} {code}"
        );
    }
}
