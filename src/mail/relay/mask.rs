//! Blotting out what must not stand in a reply or a transcript that is kept, should the server
//! repeat it: whole, in part, or over several lines. What was said by us is never kept in the
//! first place (see `wire`).

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use memchr::memmem;
use memchr::memmem::Finder;

use super::Settings;

/// From this length on a secret is recognised by its beginning, where what is kept was cut off.
const LEAST_CUT: usize = 4;

/// So much of a secret is recognised wherever in it that stands.
const LEAST_PART: usize = 12;

/// Every part of [`LEAST_PART`] bytes holds a whole block of the secret, where blocks of this
/// length lie end to end.
const BLOCK: usize = LEAST_PART / 2;

/// A password of fewer characters is looked for in the answers to AUTH alone: anywhere else it is
/// more likely a part of some word, and a conversation full of holes helps nobody.
const LEAST_EVERYWHERE: usize = 6;

/// What a conversation that is kept has in place of the credentials (see `wire`).
const CREDENTIALS: &[u8] = b"> (credentials)\r\n";

const BLOT: &[u8] = b"***";

/// The forms in which the password may come back.
#[derive(Default)]
pub struct Secrets {
    everywhere: Vec<Secret>,
    /// Too short to be told from a part of a word.
    at_login: Vec<Secret>,
}

/// Bytes that are looked for.
struct Secret {
    bytes: Vec<u8>,
    /// The shortest part of it that is blotted out.
    least: usize,
    /// Pieces of it, with where in it they begin: one of them is in every such part.
    blocks: Vec<(usize, Finder<'static>)>,
}

impl Secret {
    /// One that is recognised by its parts, if it is long enough to have some.
    fn new(bytes: &[u8]) -> Secret {
        if bytes.len() < LEAST_PART {
            return Secret::whole(bytes);
        }
        let blocks = bytes.chunks_exact(BLOCK).enumerate();
        Secret {
            bytes: bytes.to_vec(),
            least: LEAST_PART,
            blocks: blocks
                .map(|(index, block)| (index * BLOCK, Finder::new(block).into_owned()))
                .collect(),
        }
    }

    /// One whose parts are no secret.
    fn whole(bytes: &[u8]) -> Secret {
        Secret {
            bytes: bytes.to_vec(),
            least: bytes.len(),
            blocks: vec![(0, Finder::new(bytes).into_owned())],
        }
    }

    /// Calls `found` with the beginning and the end of every part of it that is in `text`.
    fn find(&self, text: &[u8], mut found: impl FnMut(usize, usize)) {
        for (offset, block) in &self.blocks {
            let mut from = 0;
            while let Some(at) = block.find(&text[from..]).map(|at| from + at) {
                let before = text[..at].iter().rev();
                let before = before.zip(self.bytes[..*offset].iter().rev());
                let start = at - before.take_while(|(a, b)| a == b).count();
                let after = text[at..].iter().zip(&self.bytes[*offset..]);
                let end = at + after.take_while(|(a, b)| a == b).count();
                if end - start >= self.least {
                    found(start, end);
                }
                from = at + 1;
            }
        }
    }

    /// How much of its beginning `text` ends with, if that is enough to be told.
    fn cut_off(&self, text: &[u8]) -> Option<usize> {
        let mut cut = (LEAST_CUT..self.bytes.len()).rev();
        cut.find(|length| text.ends_with(&self.bytes[..*length]))
    }
}

impl Secrets {
    pub fn of(settings: &Settings) -> Secrets {
        let (mut everywhere, mut at_login) = (Vec::new(), Vec::new());
        if let Some(password) = &settings.password {
            let password = password.expose();
            let user = settings.user.as_deref().unwrap_or_default();
            // Google shows app passwords in groups, and takes them without the spaces as well.
            let without_spaces: String = password.split_whitespace().collect();
            for password in [password, &without_spaces] {
                let (gbk, _, _) = encoding_rs::GBK.encode(password);
                let bare = match password.chars().count() < LEAST_EVERYWHERE {
                    true => &mut at_login,
                    false => &mut everywhere,
                };
                for bytes in [password.as_bytes(), gbk.as_ref()] {
                    bare.push(bytes.to_vec());
                    bare.extend(encoded(bytes));
                }
                // AUTH PLAIN, without and with an identity to act for.
                for plain in [
                    format!("\0{user}\0{password}"),
                    format!("{user}\0{user}\0{password}"),
                ] {
                    everywhere.extend(encoded(plain.as_bytes()));
                }
            }
        }
        let made = |mut secrets: Vec<Vec<u8>>| {
            secrets.retain(|secret| !secret.is_empty());
            secrets.sort();
            secrets.dedup();
            secrets.iter().map(|bytes| Secret::new(bytes)).collect()
        };
        Secrets {
            everywhere: made(everywhere),
            at_login: made(at_login),
        }
    }

    /// `bytes`, a conversation or a reply, with every secret, and every one of `more`, blotted out.
    /// Of a link the parts of its path and query are secrets by themselves.
    pub fn mask(&self, bytes: Vec<u8>, more: &[String]) -> Vec<u8> {
        let login = login(&bytes);
        self.blot(bytes, more, &login)
    }

    /// The same, for a reply to AUTH.
    pub fn mask_login(&self, bytes: Vec<u8>, more: &[String]) -> Vec<u8> {
        let all = 0..bytes.len();
        self.blot(bytes, more, &[all])
    }

    /// `login`: where the answers to AUTH stand.
    fn blot(&self, bytes: Vec<u8>, more: &[String], login: &[Range<usize>]) -> Vec<u8> {
        let more: Vec<Secret> = more.iter().flat_map(|text| secrets_of(text)).collect();
        let everywhere = self.everywhere.iter().chain(&more);
        let at_login = self.at_login.iter().filter(|_| !login.is_empty());
        let secrets: Vec<(&Secret, bool)> = everywhere
            .map(|secret| (secret, true))
            .chain(at_login.map(|secret| (secret, false)))
            .collect();
        if bytes.is_empty() || secrets.is_empty() {
            return bytes;
        }
        let mut hidden = Vec::new();
        for lines in [Lines::of(&bytes, false), Lines::of(&bytes, true)] {
            for (secret, everywhere) in &secrets {
                let mut hide = |start: usize, end: usize| {
                    let first = lines.places[start];
                    if !everywhere && !login.iter().any(|part| part.contains(&first)) {
                        return;
                    }
                    hidden.resize(bytes.len(), false);
                    for at in &lines.places[start..end] {
                        hidden[*at] = true;
                    }
                };
                secret.find(&lines.text, &mut hide);
                let end = lines.text.len();
                // A whole line was not cut off.
                let cut = match bytes.ends_with(b"\n") {
                    true => None,
                    false => secret.cut_off(&lines.text),
                };
                if let Some(cut) = cut {
                    hide(end - cut, end);
                }
            }
        }
        if hidden.is_empty() {
            return bytes;
        }
        let mut clean = Vec::with_capacity(bytes.len());
        for (at, byte) in bytes.iter().enumerate() {
            match hidden[at] {
                false => clean.push(*byte),
                true if at == 0 || !hidden[at - 1] => clean.extend_from_slice(BLOT),
                true => {}
            }
        }
        clean
    }
}

/// The forms of `bytes` in base 64.
fn encoded(bytes: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let forms = [STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD].map(|form| form.encode(bytes));
    forms.into_iter().map(String::into_bytes)
}

/// Where in a conversation the answers to AUTH stand: from the credentials to our next word.
fn login(conversation: &[u8]) -> Vec<Range<usize>> {
    let places = memmem::find_iter(conversation, CREDENTIALS);
    let answers = places.map(|at| {
        let start = at + CREDENTIALS.len();
        let rest = &conversation[start..];
        let next = match rest.starts_with(b"> ") {
            true => Some(0),
            false => memmem::find(rest, b"\n> "),
        };
        start..next.map_or(conversation.len(), |next| start + next)
    });
    answers.collect()
}

fn secrets_of(text: &str) -> Vec<Secret> {
    let Some((_, rest)) = text.split_once("://") else {
        return match text.is_empty() {
            true => vec![],
            false => vec![Secret::new(text.as_bytes())],
        };
    };
    // The host's name is in many a reply and no secret.
    let parts = rest.split(['/', '?', '&', '#', '=']).skip(1);
    let parts = parts.filter(|part| part.len() >= LEAST_PART);
    let parts = parts.map(|part| Secret::new(part.as_bytes()));
    std::iter::once(Secret::whole(text.as_bytes()))
        .chain(parts)
        .collect()
}

/// A text as it reads without the ends of its lines: a server folds a long reply wherever it
/// likes, and begins each line with the code.
struct Lines {
    text: Vec<u8>,
    /// Where each byte of the text came from.
    places: Vec<usize>,
}

impl Lines {
    /// `without_codes`: also without the codes in front of the lines and the `=` of a soft line
    /// break (RFC 2045) behind them. Either may be a part of a secret just as well.
    fn of(bytes: &[u8], without_codes: bool) -> Lines {
        let mut lines = Lines {
            text: Vec::with_capacity(bytes.len()),
            places: Vec::with_capacity(bytes.len()),
        };
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            let line = &bytes[start..end];
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let line = match without_codes {
                true => line.strip_suffix(b"=").unwrap_or(line),
                false => line,
            };
            lines.push(bytes, start, start + line.trim_ascii_end().len());
            let next = &bytes[end + 1..];
            let code = if without_codes { code(next) } else { 0 };
            let blank = next[code..].iter();
            let blank = blank
                .take_while(|byte| matches!(byte, b' ' | b'\t'))
                .count();
            start = end + 1 + code + blank;
        }
        lines.push(bytes, start, bytes.len());
        lines
    }

    fn push(&mut self, bytes: &[u8], start: usize, end: usize) {
        let end = end.max(start);
        self.text.extend_from_slice(&bytes[start..end]);
        self.places.extend(start..end);
    }
}

/// How long the code, and the enhanced code behind it, is that `line` begins with.
fn code(line: &[u8]) -> usize {
    let [a, b, c, b' ' | b'-', rest @ ..] = line else {
        return 0;
    };
    if ![a, b, c].into_iter().all(u8::is_ascii_digit) {
        return 0;
    }
    let blank = rest.iter().take_while(|byte| **byte == b' ').count();
    let rest = &rest[blank..];
    let enhanced = rest.iter();
    let enhanced = enhanced
        .take_while(|byte| byte.is_ascii_digit() || **byte == b'.')
        .count();
    let parts = rest[..enhanced].split(|byte| *byte == b'.');
    let is_code = parts.filter(|part| (1..=3).contains(&part.len())).count() == 3
        && rest.get(enhanced) == Some(&b' ');
    4 + blank + if is_code { enhanced } else { 0 }
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
                "\u{5bc6}\u{7801}\u{5bc6}\u{7801}\u{5bc6}\u{7801}",
                b"535 \xc3\xdc\xc2\xeb\xc3\xdc\xc2\xeb\xc3\xdc\xc2\xeb\r\n",
                "535 ***\r\n",
            ),
            ("hunter2", b"535 so far hunte", "535 so far ***"),
            ("hunter2", b"535 so far hun", "535 so far hun"),
            ("", b"535 no\r\n", "535 no\r\n"),
        ] {
            assert_eq!(masked(password, said), kept);
        }
        let more = ["314159".to_owned()];
        let masked = secrets("hunter2").mask(b"314159 hunter2".to_vec(), &more);
        assert_eq!(masked, b"*** ***");
    }

    #[test]
    fn a_short_password_is_blotted_out_of_the_answers_to_auth_alone() {
        let said = |credentials: &str, login: &str, plain: &str| {
            format!(
                "220 mx at example\r\n> EHLO a\r\n250 AUTH\r\n{credentials}535-no {login}\r\n\
                 535 {login}\r\n> MAIL FROM:<a@example.com>\r\n550 YQ== {plain}\r\n> QUIT\r\n221 a\r\n"
            )
        };
        let login = "> (credentials)\r\n> (credentials)\r\n";
        let full = "AGFubgBh";
        let masked =
            |text: String| String::from_utf8(secrets("a").mask(text.into_bytes(), &[])).unwrap();
        assert_eq!(
            masked(said(login, "a YQ==", full)),
            said(login, "*** ***", "***")
        );
        assert_eq!(masked(said("", "a YQ==", full)), said("", "a YQ==", "***"));
        let reply = secrets("a").mask_login(b"535 a YQ== no\r\n".to_vec(), &[]);
        assert_eq!(reply, b"535 *** *** no\r\n");
    }

    #[test]
    fn a_secret_is_blotted_out_over_several_lines_and_in_part() {
        const LINK: &str =
            "https://team.example.com/users/reset/MQ/gpr_0123456789abcdefghijklmnop/";
        for (said, kept) in [
            (
                "554 spam: https://team.example.com/users/reset/MQ/gpr_0123456789abcdefghijklmnop/\r\n",
                "554 spam: ***\r\n",
            ),
            (
                "554-spam: https://team.example.com/users/reset/MQ/gpr_012345\r\n554 6789abcdefghijklmnop/ no\r\n",
                "554-spam: ***\r\n554 *** no\r\n",
            ),
            (
                "554-5.7.1 see gpr_0123\r\n554-5.7.1 456789abc\r\n554 5.7.1  defghijklmnop\r\n",
                "554-5.7.1 see ***\r\n554-5.7.1 ***\r\n554 5.7.1  ***\r\n",
            ),
            (
                "554-see gpr_0123456789ab=\r\ncdefghijklmnop/\r\n",
                "554-see ***=\r\n***/\r\n",
            ),
            (
                "554 /users/reset/MQ/gpr_0123456789abcdefghijklmnop/\r\n",
                "554 /users/reset/MQ/***/\r\n",
            ),
            ("554 token 6789abcdefghi...\r\n", "554 token ***...\r\n"),
            ("554 token 456789abcdef\r\n", "554 token ***\r\n"),
            ("554 token 56789abcdef\r\n", "554 token 56789abcdef\r\n"),
            ("554 cut gpr_0", "554 cut ***"),
            (
                "554 code 314159, 314\r\n554 159\r\n",
                "554 code ***, ***\r\n554 ***\r\n",
            ),
            ("554 code 314\r\n159 no\r\n", "554 code ***\r\n*** no\r\n"),
            (
                "> MAIL FROM:<a@team.example.com>\r\n",
                "> MAIL FROM:<a@team.example.com>\r\n",
            ),
            (
                "535-abcdefghi\r\n535 jklmnop and efghijklmnop YWJjZGVmZ2hp\r\n",
                "535-***\r\n535 *** and *** ***\r\n",
            ),
        ] {
            let more = [LINK.to_owned(), "314159".to_owned()];
            let masked = secrets("abcdefghijklmnop").mask(said.as_bytes().to_vec(), &more);
            assert_eq!(String::from_utf8_lossy(&masked), kept);
        }
    }

    /// Every part of a secret that is long enough, folded anywhere.
    #[test]
    fn no_part_and_no_fold_escapes() {
        let token = "gpr_0123456789abcdefghijklmnopqrstuvwxyz";
        let more = [format!("https://example.com/reset/{token}/")];
        let nothing = secrets("");
        for start in 0..=token.len() - LEAST_PART {
            for end in start + LEAST_PART..=token.len() {
                for fold in start..=end {
                    let (before, after) = (&token[start..fold], &token[fold..end]);
                    let folded = |before: &str, after: &str| {
                        [
                            format!("550-! {before}\r\n550-{after} !\r\n550 !\r\n"),
                            format!("550-! {before}\r\n550 5.7.1 {after}\r\n"),
                        ]
                    };
                    let blot = |part: &str| if part.is_empty() { "" } else { "***" };
                    let kept = folded(blot(before), blot(after));
                    for (said, kept) in folded(before, after).into_iter().zip(kept) {
                        let masked = nothing.mask(said.into_bytes(), &more);
                        assert_eq!(String::from_utf8_lossy(&masked), kept);
                    }
                }
            }
        }
    }
}
