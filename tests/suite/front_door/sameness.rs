//! An address that has an account and one that has none get the same answers, in the same time.

use std::time::Duration;
use std::time::Instant;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

/// What an observer can compare: everything but what is drawn or dated.
fn observable(answer: &Answer) -> (u16, Vec<String>, Vec<String>) {
    let mut headers: Vec<_> = answer
        .headers
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    headers.sort_unstable();
    let body = answer.json();
    let keys = body
        .as_object()
        .map(|object| object.keys().cloned().collect());
    (answer.status, headers, keys.unwrap_or_default())
}

fn requests(address: &str) -> [(&'static str, Value); 5] {
    [
        (
            "send_verification_code",
            json!({"email": address, "verification_type": "register"}),
        ),
        (
            "send_verification_code",
            json!({"email": address, "verification_type": "reset_password"}),
        ),
        (
            "verify_code",
            json!({"email": address, "verification_type": "reset_password", "code": "123456"}),
        ),
        ("password_reset", json!({"email": address})),
        (
            "login",
            json!({"email": address, "password": "wrong wrong wrong"}),
        ),
    ]
}

#[test]
fn a_known_and_an_unknown_address_get_the_same_answers_also_at_their_limits() {
    let gatepost = Gatepost::with(&[("GATEPOST_CODE_RESEND", "1s")]);
    gatepost.register("known@example.com", "correct horse battery");
    // The registration used up part of the known address's limit; a day later nothing is left of it.
    gatepost.clock.advance(Duration::from_secs(2 * 24 * 3600));
    for round in 0..8 {
        let known = requests("known@example.com");
        let unknown = requests("unknown@example.com");
        for ((path, to_known), (_, to_unknown)) in known.iter().zip(&unknown) {
            let path = format!("/api/v1/auth/{path}");
            let known = observable(&gatepost.post(&path, to_known));
            let unknown = observable(&gatepost.post(&path, to_unknown));
            assert_eq!(known, unknown, "{path}, round {round}");
        }
        gatepost.clock.advance(Duration::from_secs(2));
    }
}

/// The middle half of both distributions must overlap well; a mean would drown in outliers.
#[test]
fn the_times_of_known_and_unknown_addresses_cannot_be_told_apart() {
    let off = [
        "CODE_PER_ADDRESS",
        "CODE_PER_IP",
        "WRONG_CODE_PER_IP",
        "WRONG_LOGIN_PER_IP",
    ]
    .map(|name| (format!("GATEPOST_LIMITS_{name}"), "off".to_owned()));
    let mut environment: Vec<(&str, &str)> =
        off.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    environment.push(("GATEPOST_CODE_RESEND", "1s"));
    let gatepost = Gatepost::with(&environment);
    gatepost.register("known@example.com", "correct horse battery");
    for index in [0, 1, 3, 4] {
        let mut times = [Vec::new(), Vec::new()];
        let rounds = if index == 4 { 12 } else { 40 };
        for round in 0..rounds {
            gatepost.clock.advance(Duration::from_secs(2 * 3600));
            let unknown = format!("unknown{index}x{round}@example.com");
            // Who goes first alternates: being second is itself an advantage.
            let mut order = [(0, "known@example.com"), (1, unknown.as_str())];
            if round % 2 == 1 {
                order.reverse();
            }
            for (which, address) in order {
                let (path, body) = requests(address)[index].clone();
                let path = format!("/api/v1/auth/{path}");
                #[expect(
                    clippy::disallowed_methods,
                    reason = "a real duration is what is measured"
                )]
                let start = Instant::now();
                let answer = gatepost.post(&path, &body);
                times[which].push(start.elapsed());
                assert!(matches!(answer.status, 202 | 401), "{answer:?}");
            }
        }
        for sample in &mut times {
            sample.sort_unstable();
        }
        let quartile = |sample: &[Duration], quarter: usize| sample[sample.len() * quarter / 4];
        let [known, unknown] = &times;
        assert!(
            quartile(known, 1) <= quartile(unknown, 3)
                && quartile(unknown, 1) <= quartile(known, 3),
            "{}: known {:?}, unknown {:?}",
            requests("")[index].0,
            (quartile(known, 1), quartile(known, 3)),
            (quartile(unknown, 1), quartile(unknown, 3)),
        );
    }
}
