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
use hickory_resolver::proto::rr::rdata::A;
use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::rdata::TXT;
use tokio::net::UdpSocket;

use crate::doctor::Patient;
use crate::doctor::expect;
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

/// A name server that knows `zone` and that there is nothing else; about names below `silent` it
/// says that it failed.
async fn name_server(zone: &[(&str, RData)], silent: &'static str) -> Names {
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
                _ if !silent.is_empty() && name.ends_with(silent) => ResponseCode::ServFail,
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
    let names = name_server(&zone, "").await;
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
    let names = name_server(&[], "").await;
    for (provider, include) in [
        ("gmail", "_spf.google.com"),
        ("exmail", "spf.mail.qq.com"),
        ("163", "spf.163.com"),
        ("ses", "amazonses.com"),
        ("sendgrid", "sendgrid.net"),
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
        ("two.test", text("v=spf1 include:sendgrid.net -all")),
        ("open.test", text("v=spf1 include:sendgrid.net +all")),
        ("s1._domainkey.team.test", text("v=DKIM1; p=")),
        ("_dmarc.team.test", text("v=DMARC1; rua=mailto:x")),
    ];
    let names = name_server(&zone, "").await;
    let report = examined("team.test", "sendgrid", &names).await;
    let right = "v=spf1 mx include:sendgrid.net -all";
    expect(&report, "spf", Status::Warning, &[right]);
    expect(&report, "dkim", Status::Warning, &["revoked", "s1"]);
    expect(&report, "dmarc", Status::Warning, &["p=none"]);
    let report = examined("two.test", "sendgrid", &names).await;
    expect(&report, "spf", Status::Warning, &["several"]);
    let report = examined("open.test", "sendgrid", &names).await;
    expect(&report, "spf", Status::Warning, &["everybody"]);
}

#[tokio::test]
async fn a_providers_own_domain_is_left_alone_and_a_silent_name_server_is_named() {
    let names = name_server(&[], "team.test.").await;
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
    let names = name_server(&[("smtp.team.test", address())], "").await;
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
    let names = name_server(&[], "").await;
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
    let names = name_server(&zone, "").await;
    let server = Server::start(|_, line| fine(line)).await;
    let mut patient = Patient::sending_to(server.port, &[]);
    for (domain, status, words) in [
        ("there.test", Status::Ok, "mx.there.test"),
        ("null.test", Status::Failure, "null MX"),
        ("bare.test", Status::Warning, "no MX"),
        ("gone.test", Status::Failure, "neither"),
    ] {
        patient.order.send_to = Some(format!("bob@{domain}").parse().unwrap());
        let report = patient.examine_with(&names).await;
        expect(&report, "mx", status, &[words]);
        // The relay took it all the same.
        expect(&report, "send", Status::Ok, &["ob_", domain]);
    }
    assert_eq!(server.heard().messages.len(), 4);
}
