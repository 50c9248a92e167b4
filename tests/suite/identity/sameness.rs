//! A known and an unknown address cost the same work: the same tables grow by the same number of
//! rows, the same number of letters is composed, and the answers have the same shape.

use std::collections::BTreeMap;

use gatepost::identity::{Error, RequestReset, Sent};

use super::desk::{Desk, MINUTE, client};
use crate::refused;

const ANN: &str = "ann@example.com";
const EVE: &str = "eve@example.com";

/// How many rows each table grew by.
async fn grown<F: AsyncFnOnce()>(desk: &Desk, action: F) -> BTreeMap<String, usize> {
    let before = desk.rows().await;
    action().await;
    let mut after = desk.rows().await;
    for (table, rows) in &mut after {
        *rows -= before.get(table).copied().unwrap_or(0);
    }
    // A shelved letter has no body and is filed by its state and not by its times; these
    // rows of the outbox differ by design. Its row is there all the same.
    let filed = [
        "outbox.body",
        "outbox.due",
        "outbox.expires",
        "outbox.by_state",
    ];
    after.retain(|table, rows| *rows > 0 && !filed.contains(&table.as_str()));
    after
}

async fn prepared() -> Desk {
    let desk = Desk::open();
    desk.join(ANN).await;
    // Both have had a mail of the kind before.
    desk.send(EVE, "register").await.unwrap();
    desk.advance(25 * 60 * MINUTE);
    desk.sweep().await;
    desk
}

fn shape(desk: &Desk, sent: &Sent) -> (u64, u64, u32) {
    let now = desk.simulated.world().now();
    (
        sent.expires_at.since(now).as_secs(),
        sent.resend_at.since(now).as_secs(),
        sent.attempts_left,
    )
}

#[tokio::test]
async fn asking_for_a_code_or_a_link_writes_as_much_for_nobody_as_for_somebody() {
    for purpose in ["register", "reset_password", "link"] {
        let desk = prepared().await;
        // The second time there is a mail that the new one takes the place of.
        for again in [false, true] {
            let mut work = Vec::new();
            for email in [ANN, EVE] {
                let mut answer = None;
                let mut grown = grown(&desk, async || {
                    let sent = if purpose == "link" {
                        let form = RequestReset {
                            email: email.to_owned(),
                            ..RequestReset::default()
                        };
                        desk.accounts.request_reset(&client("::1"), form).await
                    } else {
                        desk.send(email, purpose).await
                    };
                    answer = Some(shape(&desk, &sent.unwrap()));
                })
                .await;
                assert_eq!(grown["outbox.row"], 1);
                let entries = grown.remove("audit.entry").unwrap();
                assert_eq!(grown.remove("audit.concerns"), Some(entries));
                // That a mail will not be sent is told where it would have been; for nobody it
                // was told at once.
                assert_eq!(entries, 1 + usize::from(again && sends(purpose, email)));
                work.push((grown, answer));
            }
            assert_eq!(work[0], work[1], "{purpose}");
            desk.advance(MINUTE);
        }
    }
}

/// Whether a mail goes out at all.
fn sends(purpose: &str, email: &str) -> bool {
    purpose == "register" || email == ANN
}

#[tokio::test]
async fn a_wrong_code_and_a_wrong_password_write_as_much_for_nobody_as_for_somebody() {
    let desk = prepared().await;
    desk.send(ANN, "reset_password").await.unwrap();
    desk.send(EVE, "reset_password").await.unwrap();
    let mut work = Vec::new();
    for email in [ANN, EVE] {
        work.push(
            grown(&desk, async || {
                let code = "00000000".replace('0', "B");
                let refusal = desk.verify(email, "reset_password", &code).await;
                refused!(refusal, Error::CodeRefused { attempts_left: 4 });
                refused!(
                    desk.login(email, "wrong one").await,
                    Error::CredentialsRefused
                );
            })
            .await,
        );
    }
    assert_eq!(work[0], work[1]);
    assert_eq!(work[0]["audit.entry"], 2);
}

#[tokio::test]
async fn no_secret_is_in_the_store_or_in_what_debug_shows() {
    let desk = Desk::open();
    let (_, session) = desk.join(ANN).await;
    desk.advance(MINUTE);
    let token = desk.token(ANN, "reset_password").await;
    let form = RequestReset {
        email: ANN.to_owned(),
        ..RequestReset::default()
    };
    desk.accounts
        .request_reset(&client("::1"), form)
        .await
        .unwrap();
    let (_, link) = desk.link(ANN).await;
    desk.advance(MINUTE);
    desk.send(ANN, "reset_password").await.unwrap();
    let code = desk.code(ANN).await;
    let bytes = desk.everything().await;
    for secret in [&session, &token, &link, super::desk::PASSWORD] {
        let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
        assert!(!found, "{secret}");
    }
    // Six digits may stand in a time by chance; as a text of their own they may not.
    let mut as_text = vec![0xa6];
    as_text.extend_from_slice(code.as_bytes());
    assert!(!bytes.windows(7).any(|w| w == as_text));
    let who = desk.who(&session).await.unwrap();
    assert!(!format!("{who:?}").contains(&session[4..]));
}
