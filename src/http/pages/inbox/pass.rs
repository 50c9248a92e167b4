//! What the operator's browser holds once the token was shown: until when, and a proof that
//! whoever knew the token's hash said so. The token itself is in no cookie, and another token
//! makes every pass worthless.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;

use crate::secret::TokenHash;
use crate::world::Timestamp;

/// How long it is good.
pub const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// A pass that is good from `now` on.
pub fn issue(token: &TokenHash, now: Timestamp) -> String {
    let until = now.as_seconds().saturating_add_unsigned(LIFETIME.as_secs());
    let proof = hmac::sign(&key(token), &said(until));
    format!("{until}.{}", URL_SAFE_NO_PAD.encode(proof))
}

/// Whether it is good.
pub fn is_good(pass: &str, token: &TokenHash, now: Timestamp) -> bool {
    let read = || {
        let (until, proof) = pass.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        Some((until, URL_SAFE_NO_PAD.decode(proof).ok()?))
    };
    read().is_some_and(|(until, proof)| {
        let proven = hmac::verify(&key(token), &said(until), &proof).is_ok();
        proven && now.as_seconds() < until
    })
}

fn key(token: &TokenHash) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &token.to_bytes())
}

fn said(until: i64) -> Vec<u8> {
    format!("gatepost: the operator may look until {until}").into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_good_for_its_time_and_its_token() {
        let token = TokenHash::of("gpa_right");
        let at = |seconds: i64| Timestamp::from_millis(seconds * 1000);
        let pass = issue(&token, at(1_000));
        let end = 1_000 + 12 * 60 * 60;
        assert!(is_good(&pass, &token, at(1_000)));
        assert!(is_good(&pass, &token, at(end - 1)));
        assert!(!is_good(&pass, &token, at(end)));
        assert!(!is_good(&pass, &TokenHash::of("gpa_other"), at(1_000)));
        let (until, proof) = pass.split_once('.').unwrap();
        for forged in [
            format!("{}.{proof}", end + 1),
            format!("{until}."),
            until.to_owned(),
            String::new(),
        ] {
            assert!(!is_good(&forged, &token, at(1_000)), "{forged}");
        }
    }
}
