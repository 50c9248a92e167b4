//! Blotting out what must not stand in a reply or a transcript that is kept, should the server
//! repeat it. What was said by us is never kept in the first place (see `wire`).

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;

use super::Settings;

/// From this length on a secret is recognised by its beginning, where what is kept was cut off.
const LEAST_CUT: usize = 4;

/// The forms in which the password may come back.
#[derive(Default)]
pub struct Secrets(Vec<Vec<u8>>);

impl Secrets {
    pub fn of(settings: &Settings) -> Secrets {
        let mut secrets = Vec::new();
        if let Some(password) = &settings.password {
            let password = password.expose();
            let user = settings.user.as_deref().unwrap_or_default();
            // Google shows app passwords in groups, and takes them without the spaces as well.
            let without_spaces: String = password.split_whitespace().collect();
            for password in [password, &without_spaces] {
                let (gbk, _, _) = encoding_rs::GBK.encode(password);
                for bytes in [
                    password.as_bytes(),
                    gbk.as_ref(),
                    // AUTH PLAIN, without and with an identity to act for.
                    format!("\0{user}\0{password}").as_bytes(),
                    format!("{user}\0{user}\0{password}").as_bytes(),
                ] {
                    secrets.push(bytes.to_vec());
                    secrets.push(STANDARD.encode(bytes).into_bytes());
                    secrets.push(STANDARD_NO_PAD.encode(bytes).into_bytes());
                    secrets.push(URL_SAFE_NO_PAD.encode(bytes).into_bytes());
                }
            }
        }
        secrets.retain(|secret| !secret.is_empty());
        // The longest first: none may lose a part to another and be recognised no more.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
        secrets.dedup();
        Secrets(secrets)
    }

    /// `bytes` with every secret, and every one of `more`, blotted out.
    pub fn mask(&self, bytes: Vec<u8>, more: &[String]) -> Vec<u8> {
        let more = more.iter().map(String::as_bytes);
        let secrets = self.0.iter().map(Vec::as_slice).chain(more);
        secrets
            .filter(|secret| !secret.is_empty())
            .fold(bytes, |bytes, secret| blot(&bytes, secret))
    }
}

fn blot(bytes: &[u8], secret: &[u8]) -> Vec<u8> {
    let finder = memmem::Finder::new(secret);
    let mut clean = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = finder.find(rest) {
        clean.extend_from_slice(&rest[..at]);
        clean.extend_from_slice(b"***");
        rest = &rest[at + secret.len()..];
    }
    let cut = (LEAST_CUT..secret.len()).rev();
    let cut = cut
        .into_iter()
        .find(|length| rest.ends_with(&secret[..*length]));
    let whole = rest.len() - cut.unwrap_or(0);
    clean.extend_from_slice(&rest[..whole]);
    if cut.is_some() {
        clean.extend_from_slice(b"***");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::relay::{Deadlines, Security};
    use crate::secret::SecretText;
    use std::time::Duration;

    fn secrets(password: &str) -> Secrets {
        let second = Duration::from_secs(1);
        Secrets::of(&Settings {
            provider: None,
            host: "localhost".to_owned(),
            port: 25,
            security: Security::None,
            user: Some("ann".to_owned()),
            password: Some(SecretText::from(password.to_owned())),
            ca_file: None,
            hello_name: "localhost".to_owned(),
            allow_plaintext: false,
            deadlines: Deadlines {
                connect: second,
                greeting: second,
                envelope: second,
                content: second,
                final_reply: second,
            },
        })
    }

    #[test]
    fn the_password_is_blotted_out_in_every_form_and_where_it_was_cut_off() {
        let masked = |password: &str, said: &[u8]| {
            String::from_utf8_lossy(&secrets(password).mask(said.to_vec(), &[])).into_owned()
        };
        for (password, said, kept) in [
            (
                "hunter2",
                &b"535 hunter2, aHVudGVyMg==, aHVudGVyMg.\r\n"[..],
                "535 ***, ***, ***.\r\n",
            ),
            (
                "hunter2",
                b"535 AGFubgBodW50ZXIy YW5uAGFubgBodW50ZXIy\r\n",
                "535 *** ***\r\n",
            ),
            (
                "abcd efgh",
                b"535 abcdefgh YWJjZGVmZ2g=\r\n",
                "535 *** ***\r\n",
            ),
            (
                "\u{5bc6}\u{7801}",
                b"535 \xc3\xdc\xc2\xeb\r\n",
                "535 ***\r\n",
            ),
            ("hunter2", b"535 so far hunte", "535 so far ***"),
            ("hunter2", b"535 so far hun", "535 so far hun"),
            ("", b"535 no\r\n", "535 no\r\n"),
        ] {
            assert_eq!(masked(password, said), kept);
        }
        let more = ["314159".to_owned()];
        let masked = secrets("x1").mask(b"314159 x1".to_vec(), &more);
        assert_eq!(masked, b"*** ***");
    }
}
