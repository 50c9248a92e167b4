//! The doctor and the name servers: the relay's name, the records of the From's domain and the
//! recipient's, asked of a name server of this test's own.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use gatepost::doctor::Names;
use gatepost::doctor::Report;
use gatepost::doctor::Status;
use hickory_resolver::proto::op::Message;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::Name;
use hickory_resolver::proto::rr::RData;
use hickory_resolver::proto::rr::Record;
use hickory_resolver::proto::rr::RecordType;
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::rdata::TXT;
use tokio::net::UdpSocket;

use crate::doctor::Patient;
use crate::doctor::expect;
use crate::doctor::step;
use crate::relay_script::Server;
use crate::relay_script::fine;

/// What a name server knows, by name.
type Zone = BTreeMap<String, Vec<RData>>;

fn text(text: &str) -> RData {
    // In two parts, as long ones are.
    let (a, b) = text.split_at(text.len() / 2);
    RData::TXT(TXT::new(vec![a.to_owned(), b.to_owned()]))
}

fn exchange(name: &str) -> RData {
    RData::MX(MX::new(10, Name::from_ascii(name).unwrap()))
}

fn address() -> RData {
    RData::A(A::new(127, 0, 0, 1))
}

/// Whether a name server fails at a question about this name.
type Fails = fn(&str, RecordType) -> bool;

/// It answers everything.
fn never(_: &str, _: RecordType) -> bool {
    false
}

/// A name server that knows `zone` and that there is nothing else; where it `fails`, it says so.
async fn name_server(zone: &[(&str, RData)], fails: Fails) -> Names {
    let mut known = Zone::new();
    for (name, data) in zone {
        known
            .entry(format!("{name}."))
            .or_default()
            .push(data.clone());
    }
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server: SocketAddr = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let asked = Message::from_vec(&packet[..length]).unwrap();
            let query = asked.queries[0].clone();
            let name = query.name().to_lowercase().to_ascii();
            let mut answer = Message::response(asked.metadata.id, asked.metadata.op_code);
            answer.add_query(query.clone());
            answer.metadata.response_code = match known.get(&name) {
                _ if fails(&name, query.query_type()) => ResponseCode::ServFail,
                None => ResponseCode::NXDomain,
                Some(records) => {
                    let records = records
                        .iter()
                        .filter(|r| r.record_type() == query.query_type());
                    for data in records {
                        answer.add_answer(Record::from_rdata(
                            query.name().clone(),
                            60,
                            data.clone(),
                        ));
                    }
                    ResponseCode::NoError
                }
            };
            socket
                .send_to(&answer.to_vec().unwrap(), from)
                .await
                .unwrap();
        }
    });
    Names::of_server(server)
}

/// A patient whose From is of `domain`, with a relay that is well, before this name server.
async fn examined(domain: &str, provider: &str, names: &Names) -> Report {
    let server = Server::start(|_, line| fine(line)).await;
    let from = format!("hello@{domain}");
    let user = match provider {
        // Its user is the same for everybody, and another is an error of the settings.
        "sendgrid" => "apikey",
        _ => &from,
    };
    let patient = Patient::sending_to(
        server.port,
        &[
            ("EMAIL_PROVIDER", provider),
            ("DEFAULT_FROM_EMAIL", &from),
            ("EMAIL_HOST_USER", user),
        ],
    );
    patient.examine_with(names).await
}

#[tokio::test]
async fn records_that_are_there_are_shown() {
    let zone = [
        ("team.test", text("google-site-verification=x")),
        ("team.test", text("v=spf1 include:all.team.test -all")),
        ("all.team.test", text("v=spf1 include:_spf.google.com ~all")),
        (
            "google._domainkey.team.test",
            text("v=DKIM1; k=rsa; p=MIIBIjANBg"),
        ),
        ("_dmarc.team.test", text("v=DMARC1; p=quarantine")),
    ];
    let names = name_server(&zone, never).await;
    let report = examined("team.test", "gmail", &names).await;
    assert!(report.ok);
    expect(&report, "spf", Status::Ok, &["include:all.team.test"]);
    expect(&report, "dkim", Status::Ok, &["google"]);
    expect(&report, "dmarc", Status::Ok, &["p=quarantine"]);
    // A domain above speaks for the one below it.
    let report = examined("mail.team.test", "gmail", &names).await;
    expect(&report, "dmarc", Status::Ok, &["_dmarc.team.test"]);
    expect(
        &report,
        "spf",
        Status::Warning,
        &["TXT record at mail.team.test"],
    );
}

#[tokio::test]
async fn records_that_are_missing_are_told_to_the_letter() {
    let names = name_server(&[], never).await;
    for (provider, include) in [
        ("gmail", "_spf.google.com"),
        ("exmail", "spf.mail.qq.com"),
        ("163", "spf.163.com"),
        ("mailgun", "mailgun.org"),
        ("aliyun", "spf1.dm.aliyun.com"),
        ("office365", "spf.protection.outlook.com"),
    ] {
        let report = examined("team.test", provider, &names).await;
        let record = format!("team.test: v=spf1 include:{include} ~all");
        expect(&report, "spf", Status::Warning, &[&record]);
        expect(&report, "dkim", Status::Warning, &["https://"]);
        expect(
            &report,
            "dmarc",
            Status::Warning,
            &["_dmarc.team.test: v=DMARC1; p=none"],
        );
        assert!(report.ok, "what is missing keeps no mail back: {report:#?}");
    }
    let report = examined("team.test", "none", &names).await;
    expect(&report, "spf", Status::Warning, &["ip4:"]);
}

#[tokio::test]
async fn records_that_are_wrong_are_told_what_would_be_right() {
    let zone = [
        ("team.test", text("v=spf1 mx -all")),
        ("two.test", text("v=spf1 mx -all")),
        ("two.test", text("v=spf1 include:mailgun.org -all")),
        ("open.test", text("v=spf1 include:mailgun.org +all")),
        ("k1._domainkey.team.test", text("v=DKIM1; p=")),
        ("_dmarc.team.test", text("v=DMARC1; rua=mailto:x")),
    ];
    let names = name_server(&zone, never).await;
    let report = examined("team.test", "mailgun", &names).await;
    let right = "v=spf1 mx include:mailgun.org -all";
    expect(&report, "spf", Status::Warning, &[right]);
    expect(&report, "dkim", Status::Warning, &["revoked", "k1"]);
    expect(&report, "dmarc", Status::Warning, &["p=none"]);
    let report = examined("two.test", "mailgun", &names).await;
    expect(&report, "spf", Status::Warning, &["several"]);
    let report = examined("open.test", "mailgun", &names).await;
    expect(&report, "spf", Status::Warning, &["everybody"]);
}

#[tokio::test]
async fn a_provider_with_an_envelope_sender_of_its_own_needs_no_spf_here() {
    let zone = [
        ("there.test", text("v=spf1 mx -all")),
        ("open.test", text("v=spf1 +all")),
    ];
    let names = name_server(&zone, never).await;
    for provider in ["ses", "sendgrid"] {
        for domain in ["there.test", "none.test"] {
            let report = examined(domain, provider, &names).await;
            expect(&report, "spf", Status::Ok, &["custom MAIL FROM", "DKIM"]);
            assert!(step(&report, "spf").remedy.is_none());
            expect(&report, "dkim", Status::Warning, &["https://"]);
        }
        // What is wrong with it is told all the same.
        let report = examined("open.test", provider, &names).await;
        expect(&report, "spf", Status::Warning, &["everybody"]);
    }
}

#[tokio::test]
async fn spf_is_read_as_receivers_read_it() {
    let google = "_spf.google.com";
    let zone = [
        // Each of these takes two look-ups.
        ("two.test", text("v=spf1 a mx -all")),
        ("_spf.google.com", text("v=spf1 include:a.google.test ~all")),
        ("soft.test", text("v=spf1 ~include:_spf.google.com -all")),
        (
            "behind.test",
            text("v=spf1 mx -all include:_spf.google.com"),
        ),
        ("under.test", text("v=spf1 -include:below.test -all")),
        ("below.test", text("v=spf1 include:_spf.google.com -all")),
        ("moved.test", text("v=spf1 redirect=below.test")),
        ("stays.test", text("v=spf1 mx redirect=below.test -all")),
        (
            "full.test",
            text("v=spf1 a mx ptr exists:a.test a:b.test a:c.test include:two.test -all"),
        ),
        (
            "room.test",
            text("v=spf1 a mx ptr exists:a.test include:two.test -all"),
        ),
        (
            "over.test",
            text(
                "v=spf1 include:_spf.google.com a mx ptr a:b.test a:c.test a:d.test a:e.test a:f.test a:g.test -all",
            ),
        ),
        ("loop.test", text("v=spf1 include:loop.test -all")),
    ];
    let names = name_server(&zone, never).await;
    let lacks = "does not include";
    let added = "include:_spf.google.com -all";
    for (domain, status, words, not) in [
        ("below.test", Status::Ok, &[google][..], lacks),
        ("moved.test", Status::Ok, &["redirect"], lacks),
        ("soft.test", Status::Warning, &[lacks, added], "break"),
        (
            "behind.test",
            Status::Warning,
            &[lacks, "mx include:"],
            "break",
        ),
        ("under.test", Status::Warning, &[lacks, added], "break"),
        ("stays.test", Status::Warning, &[lacks], "break"),
        // Seven and the two within, and two more would be too many.
        (
            "full.test",
            Status::Warning,
            &[lacks, "more than 10"],
            "Change",
        ),
        (
            "room.test",
            Status::Warning,
            &[lacks, added],
            "more than 10",
        ),
        (
            "over.test",
            Status::Warning,
            &["more than 10", "broken"],
            lacks,
        ),
        ("loop.test", Status::Warning, &["broken"], lacks),
    ] {
        let report = examined(domain, "gmail", &names).await;
        expect(&report, "spf", status, words);
        let said = format!("{:?}", step(&report, "spf"));
        assert!(!said.contains(not), "{domain}: {not}: {said}");
    }
    // Too long is too long, whoever the relay is.
    let report = examined("over.test", "none", &names).await;
    expect(&report, "spf", Status::Warning, &["broken"]);
}

#[tokio::test]
async fn a_key_of_somebody_else_is_none_of_the_providers() {
    let key = || text("v=DKIM1; k=rsa; p=MIIBIjANBg");
    let zone = [
        ("s1._domainkey.other.test", key()),
        ("google._domainkey.both.test", key()),
        ("s1._domainkey.both.test", key()),
        ("google._domainkey.gone.test", text("v=DKIM1; p=")),
        ("s1._domainkey.gone.test", key()),
    ];
    let names = name_server(&zone, never).await;
    let of_another = ["another sender (selector: s1)", "under google", "Gmail"];
    for (domain, status, words) in [
        ("other.test", Status::Warning, &of_another[..]),
        ("both.test", Status::Ok, &["selector: google\""]),
        (
            "gone.test",
            Status::Warning,
            &["revoked; selector: google\""],
        ),
    ] {
        let report = examined(domain, "gmail", &names).await;
        expect(&report, "dkim", status, words);
    }
    // Where each account has selectors of its own, nobody can tell from here.
    let report = examined("other.test", "ses", &names).await;
    expect(&report, "dkim", Status::Ok, &["s1", "its console tells"]);
    let report = examined("other.test", "none", &names).await;
    expect(&report, "dkim", Status::Ok, &["s1"]);
}

#[tokio::test]
async fn a_providers_own_domain_is_left_alone_and_a_silent_name_server_is_named() {
    let names = name_server(&[], |name, _| name.ends_with("team.test.")).await;
    // Put together here: nobody shall be written to by a test.
    let gmail = ["gmail", "com"].join(".");
    let report = examined(&gmail, "gmail", &names).await;
    for id in ["spf", "dkim", "dmarc"] {
        expect(&report, id, Status::Skipped, &[&gmail]);
    }
    let report = examined("team.test", "gmail", &names).await;
    let server = names.servers();
    for id in ["spf", "dkim", "dmarc"] {
        expect(&report, id, Status::Warning, &[&server]);
    }
    assert!(report.ok);
}

#[tokio::test]
async fn a_relay_whose_name_is_not_found_is_told_with_whom_was_asked() {
    let names = name_server(&[("smtp.team.test", address())], never).await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let typo = [("EMAIL_HOST", "smpt.team.test"), ("EMAIL_USE_TLS", "True")];
    let report = Patient::sending_to(port, &typo).examine_with(&names).await;
    let server = names.servers();
    let words = ["smpt.team.test", &server, "EMAIL_HOST"];
    expect(&report, "dns", Status::Failure, &words);
    expect(&report, "tcp_v4", Status::Skipped, &[]);
    let right = [("EMAIL_HOST", "smtp.team.test"), ("EMAIL_USE_TLS", "True")];
    let report = Patient::sending_to(port, &right).examine_with(&names).await;
    expect(&report, "dns", Status::Ok, &["127.0.0.1", &server]);
    expect(&report, "tcp_v4", Status::Failure, &[]);
}

#[tokio::test]
async fn without_credentials_it_says_where_they_are_made() {
    let names = name_server(&[], never).await;
    let patient = Patient::with([
        ("USE_REAL_EMAIL", "1"),
        ("EMAIL_HOST", "smtp.gmail.com"),
        ("DEFAULT_FROM_EMAIL", "ann@example.com"),
    ]);
    let report = patient.examine_with(&names).await;
    assert!(!report.ok);
    let words = [
        "https://myaccount.google.com/apppasswords",
        "EMAIL_HOST_USER",
    ];
    expect(&report, "credentials", Status::Failure, &words);
}

#[tokio::test]
async fn one_real_mail_goes_out_and_the_recipients_domain_is_looked_at() {
    let zone = [
        ("there.test", exchange("mx.there.test.")),
        ("null.test", exchange(".")),
        ("bare.test", address()),
    ];
    let names = name_server(&zone, |name, kind| {
        name == "mute.test." && matches!(kind, RecordType::A | RecordType::AAAA)
    })
    .await;
    let server = Server::start(|_, line| fine(line)).await;
    let mut patient = Patient::sending_to(server.port, &[]);
    for (domain, status, words) in [
        ("there.test", Status::Ok, "mx.there.test"),
        ("null.test", Status::Failure, "null MX"),
        ("bare.test", Status::Warning, "no MX"),
        ("gone.test", Status::Failure, "neither"),
        ("mute.test", Status::Warning, "No answer about mute.test"),
    ] {
        patient.order.send_to = Some(format!("bob@{domain}").parse().unwrap());
        let report = patient.examine_with(&names).await;
        expect(&report, "mx", status, &[words]);
        // The relay took it all the same.
        expect(&report, "send", Status::Ok, &["ob_", domain]);
    }
    assert_eq!(server.heard().messages.len(), 5);
}
