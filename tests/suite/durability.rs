//! Killed with -9 under load, again and again: whatever was acknowledged is there.

use std::collections::BTreeSet;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::mpsc;
use std::time::Duration;

use crate::process::Process;
use serde_json::Value;
use serde_json::json;

const ROUNDS: usize = 8;
const SENDERS: usize = 4;
/// How many acknowledgements a round waits for before it kills.
const ACKNOWLEDGED_A_ROUND: usize = 120;

/// Sends mails over one connection until it breaks, and tells each acknowledged subject.
fn send_mails(
    smtp: SocketAddr,
    name: &str,
    acknowledged: &mpsc::Sender<String>,
) -> std::io::Result<()> {
    let stream = TcpStream::connect(smtp)?;
    let mut replies = BufReader::new(stream.try_clone()?).lines();
    let mut stream = stream;
    let mut reply = |code: &str| {
        let line = replies.next().ok_or(std::io::ErrorKind::UnexpectedEof)??;
        match line.starts_with(code) {
            true => Ok(()),
            false => Err(std::io::Error::other(line)),
        }
    };
    reply("220 ")?;
    stream.write_all(b"HELO client.test\r\n")?;
    reply("250 ")?;
    for number in 0.. {
        let subject = format!("{name}-{number}");
        let mail = format!(
            "Subject: {subject}\r\n\r\n{}\r\n.\r\n",
            "x".repeat(number * 37 % 9000)
        );
        stream.write_all(b"MAIL FROM:<a@example.com>\r\n")?;
        reply("250 ")?;
        stream.write_all(b"RCPT TO:<smtp@example.com>\r\n")?;
        reply("250 ")?;
        stream.write_all(b"DATA\r\n")?;
        reply("354 ")?;
        stream.write_all(mail.as_bytes())?;
        reply("250 ")?;
        if acknowledged.send(subject).is_err() {
            break;
        }
    }
    Ok(())
}

/// Asks for codes until the service is gone, and tells each address that was answered 202.
fn ask_for_codes(
    agent: &ureq::Agent,
    http: SocketAddr,
    name: &str,
    acknowledged: &mpsc::Sender<String>,
) {
    for number in 0.. {
        let address = format!("{name}-{number}@example.com");
        let body = json!({"email": address, "verification_type": "register"}).to_string();
        let answer = agent
            .post(format!("http://{http}/api/v1/auth/send_verification_code"))
            .content_type("application/json")
            .send(body);
        match answer {
            Ok(answer) if answer.status() == 202 => {
                if acknowledged.send(address).is_err() {
                    break;
                }
            }
            Ok(answer) => panic!("{}", answer.status()),
            Err(_) => break,
        }
    }
}

fn get(agent: &ureq::Agent, http: SocketAddr, path: &str) -> Option<Value> {
    let mut answer = agent.get(format!("http://{http}{path}")).call().unwrap();
    assert!(
        matches!(answer.status().as_u16(), 200 | 204),
        "{path}: {answer:?}"
    );
    let text = answer.body_mut().read_to_string().unwrap();
    serde_json::from_str(&text).ok()
}

fn captured_subjects(agent: &ureq::Agent, http: SocketAddr) -> BTreeSet<String> {
    let mut subjects = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/api/v1/inbox/messages?to=smtp@example.com&limit=100{cursor}");
        let page = get(agent, http, &path).unwrap();
        for item in page["items"].as_array().unwrap() {
            subjects.insert(item["subject"].as_str().unwrap().to_owned());
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return subjects,
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_killed_under_load() {
    let folder = tempfile::tempdir().unwrap();
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into();
    let all_mails = Mutex::new(BTreeSet::new());
    let all_codes = Mutex::new(BTreeSet::new());
    for round in 0..ROUNDS {
        let process = Process::start("dev", folder.path(), &[]);
        let (http, smtp) = (process.http, process.smtp);
        std::thread::scope(|scope| {
            let (mail, mails) = mpsc::channel();
            let (code, codes) = mpsc::channel();
            for sender in 0..SENDERS {
                let (mail, code, agent) = (mail.clone(), code.clone(), agent.clone());
                scope.spawn(move || {
                    // It ends with the connection, which ends with the process.
                    send_mails(smtp, &format!("mail-{round}-{sender}"), &mail).unwrap_err();
                });
                scope.spawn(move || {
                    ask_for_codes(&agent, http, &format!("code-{round}-{sender}"), &code);
                });
            }
            drop((mail, code));
            for _ in 0..ACKNOWLEDGED_A_ROUND {
                all_mails.lock().unwrap().insert(mails.recv().unwrap());
                all_codes.lock().unwrap().insert(codes.recv().unwrap());
            }
            process.kill();
            // What was acknowledged up to the kill counts as well.
            all_mails.lock().unwrap().extend(mails.iter());
            all_codes.lock().unwrap().extend(codes.iter());
        });
    }
    let process = Process::start("dev", folder.path(), &[]);
    let found = captured_subjects(&agent, process.http);
    let all_mails = all_mails.into_inner().unwrap();
    let missing: Vec<_> = all_mails.difference(&found).collect();
    assert!(
        missing.is_empty(),
        "{} of {} mails are gone: {missing:?}",
        missing.len(),
        all_mails.len()
    );
    // A code that was promised arrives, also when the process died between the promise and the mail.
    let all_codes = all_codes.into_inner().unwrap();
    for address in all_codes {
        let mail = get(
            &agent,
            process.http,
            &format!("/api/v1/inbox/wait?to={address}&timeout=60"),
        );
        assert!(mail.is_some(), "the code for {address} never came");
    }
}
