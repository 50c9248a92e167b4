//! Killed with -9 at every stage of a delivery, again and again, and counted by the relay: no mail
//! is lost, and one comes twice only where the outbox says that it may have.

mod relay;

use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;

use crate::process;
use crate::process::Process;
use relay::Relay;
use relay::Stage;

/// How often each stage is met.
const TURNS: u32 = 6;

/// Mails that wait when the relay begins to greet.
const MAILS: u32 = 6;

/// A gatepost that keeps few mails on a connection, so that every round opens some.
struct Gatepost {
    process: Process,
}

impl Gatepost {
    fn start(folder: &Path, relay: &Relay) -> Gatepost {
        let port = relay.address.port().to_string();
        let process = Process::start(
            "serve",
            folder,
            &[
                ("USE_REAL_EMAIL", "1"),
                ("EMAIL_HOST", "127.0.0.1"),
                ("EMAIL_PORT", &port),
                ("EMAIL_USE_TLS", "False"),
                ("EMAIL_HOST_USER", "ann"),
                ("EMAIL_HOST_PASSWORD", "authorization-code"),
                ("DEFAULT_FROM_EMAIL", "no-reply@example.com"),
                ("GATEPOST_RELAY_CONNECTIONS", "2"),
                ("GATEPOST_RELAY_MAILS_PER_CONNECTION", "2"),
                ("GATEPOST_RELAY_IDLE_TIMEOUT", "1s"),
                ("GATEPOST_LIMITS_CODE_PER_IP", "off"),
            ],
        );
        Gatepost { process }
    }

    /// Asks for a code: from 202 on, its mail must not be lost.
    fn ask(&self, email: &str) {
        let form = json!({"email": email, "verification_type": "register"});
        let (status, body) = self.process.post("/auth/send_verification_code", &form);
        assert_eq!(status, 202, "{body}");
    }

    fn outbox(&self, rest: &str) -> Value {
        self.process.admin(&format!("/outbox{rest}"))
    }

    /// Waits until that many are sent, and nothing else is left.
    fn until_sent(&self, mails: u32) {
        let sent = process::patiently(|| {
            let page = self.outbox("?limit=1");
            let counts = &page["counts"];
            if counts["sent"] == mails {
                assert_eq!(page["total"], mails, "{page}");
                return Some(());
            }
            for gone in ["dead", "expired", "discarded"] {
                assert_eq!(counts[gone], 0, "{counts}");
            }
            None
        });
        assert!(sent.is_some(), "not all are sent: {}", self.outbox(""));
    }

    /// Every mail, with its attempts.
    fn mails(&self) -> Vec<Value> {
        let mut mails = Vec::new();
        let mut query = "?limit=200".to_owned();
        loop {
            let page = self.outbox(&query);
            for item in page["items"].as_array().unwrap() {
                mails.push(self.outbox(&format!("/{}", item["id"].as_str().unwrap())));
            }
            match page["next_cursor"].as_str() {
                Some(next) => query = format!("?limit=200&cursor={next}"),
                None => return mails,
            }
        }
    }
}

/// Every stage, each as often, in an order that follows no rule but is the same every time.
fn stages() -> Vec<(Stage, u32)> {
    let mut all: Vec<_> = (0..TURNS)
        .flat_map(|turn| Stage::ALL.map(|stage| (stage, turn)))
        .collect();
    let mut state = 0x2545_f491_u32;
    for at in (1..all.len()).rev() {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        all.swap(at, state as usize % (at + 1));
    }
    all
}

#[test]
fn killed_at_every_stage_no_mail_is_lost_and_a_repeated_one_is_known_as_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start();
    let mut gatepost = Gatepost::start(folder.path(), &relay);
    let mut asked = 0;
    for (stage, turn) in stages() {
        relay.shut();
        for _ in 0..MAILS {
            asked += 1;
            gatepost.ask(&format!("u{asked}@example.org"));
        }
        // One connection may be all that is opened, should the courier come late and find all
        // mails at once; of everything else there is one for each mail.
        let skip = match stage {
            Stage::Greeting | Stage::Hello | Stage::Auth => 0,
            _ => turn % MAILS,
        };
        relay.trap(stage, skip);
        relay.wait_held();
        gatepost.process.kill();
        relay.release();
        gatepost = Gatepost::start(folder.path(), &relay);
        gatepost.until_sent(asked);
    }
    let mut taken = relay.taken();
    let (mut repeats, mut doubted) = (0, 0);
    for mail in gatepost.mails() {
        let times = taken
            .remove(mail["message_id"].as_str().unwrap())
            .unwrap_or(0);
        assert!(times >= 1, "written down as sent, and never was: {mail:#}");
        let attempts = mail["attempts"].as_array().unwrap();
        let doubts = attempts
            .iter()
            .filter(|attempt| matches!(attempt["outcome"].as_str(), Some("lost" | "uncertain")))
            .count();
        assert!(times <= 1 + doubts, "came {times} times: {mail:#}");
        assert_eq!(mail["doubtful"], doubts > 0, "{mail:#}");
        repeats += times - 1;
        doubted += doubts;
    }
    assert!(taken.is_empty(), "nobody knows of these: {taken:?}");
    // Each time it was killed between the last dot and the answer, the relay had the mail.
    assert!(
        repeats >= TURNS as usize,
        "{repeats} repeats: the relay does not count"
    );
    // What was claimed for the two connections, two mails each, and no others.
    let kills = stages().len();
    assert!(doubted <= 4 * kills, "{doubted} doubts of {kills} kills");
    gatepost.process.stop();
}

#[test]
fn a_second_process_on_the_same_data_refuses_and_nothing_is_sent_twice() {
    let folder = tempfile::tempdir().unwrap();
    let relay = Relay::start();
    let gatepost = Gatepost::start(folder.path(), &relay);
    relay.trap(Stage::Dot, 0);
    gatepost.ask("ann@example.org");
    relay.wait_held();
    for command in ["serve", "dev"] {
        let mut second = process::command(folder.path())
            .args([command, "--http", "127.0.0.1:0", "--smtp", "127.0.0.1:0"])
            .args(["--data", "data"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        second
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(second.wait().unwrap().code(), Some(1), "{said}");
        assert!(said.contains("another gatepost"), "{said}");
        assert!(said.contains("is running on the data folder"), "{said}");
    }
    relay.release();
    gatepost.until_sent(1);
    let mail = &gatepost.mails()[0];
    assert_eq!(
        (&mail["tries"], &mail["doubtful"]),
        (&json!(1), &json!(false))
    );
    gatepost.process.stop();
    assert_eq!(relay.taken().into_values().collect::<Vec<_>>(), [1]);
}
