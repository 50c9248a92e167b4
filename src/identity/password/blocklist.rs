//! Passwords that are guessed first. A guesser tries the best-known ones, words with digits at
//! the end, rows of the keyboard and the address itself; those are refused, and nothing else is:
//! no rule asks for capitals or symbols (NIST SP 800-63B-4, section 3.1.1.2).

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::address::EmailAddress;

/// One a line, in small letters; lines that begin with `#` are about the list.
static COMMON: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("common.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
});

/// What fingers run along without a thought, in either direction.
const ROWS: [&str; 10] = [
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiop[]asdfghjkl;'zxcvbnm,./",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()_+",
];

/// Whether `password` is among the first that are guessed.
pub(super) fn is_common(password: &str) -> bool {
    let folded: String = password.to_lowercase();
    let plain = undisguised(&folded);
    COMMON.contains(folded.as_str())
        || COMMON.contains(plain.as_str())
        || is_word_with_trimmings(&folded)
        || is_word_with_trimmings(&plain)
        || is_repetition(&folded)
        || is_row(&folded)
}

/// Whether `password` is the address or one of its two sides, digits at the end aside.
pub(super) fn is_like(password: &str, address: &EmailAddress) -> bool {
    let folded = password.to_lowercase();
    let trimmed = folded.trim_end_matches(|c: char| c.is_ascii_digit() || c == '!');
    [address.as_str(), address.local(), address.domain()]
        .iter()
        .map(|part| part.to_lowercase())
        .any(|part| part == folded || (part.chars().count() >= 5 && part == trimmed))
}

/// Letters in the place of the digits and symbols that stand for them: `p@ssw0rd`.
fn undisguised(folded: &str) -> String {
    folded
        .chars()
        .map(|c| match c {
            '@' | '4' => 'a',
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '$' | '5' => 's',
            '7' => 't',
            c => c,
        })
        .collect()
}

/// A listed word with at most four digits or symbols around it, or a listed password of any kind
/// with as many after it.
fn is_word_with_trimmings(folded: &str) -> bool {
    let word = folded.trim_matches(|c: char| !c.is_alphabetic());
    let trimmings = folded.chars().count() - word.chars().count();
    let after = |c: char| !c.is_alphabetic();
    ((1..=4).contains(&trimmings) && COMMON.contains(word))
        || folded
            .char_indices()
            .rev()
            .take(4)
            .take_while(|(_, c)| after(*c))
            .any(|(at, _)| COMMON.contains(&folded[..at]))
}

/// Up to four characters, over and over.
fn is_repetition(folded: &str) -> bool {
    let chars: Vec<char> = folded.chars().collect();
    (1..=4).any(|period| {
        chars.len() >= 2 * period && chars.iter().zip(&chars[period..]).all(|(a, b)| a == b)
    })
}

/// One run along a row of the keyboard or the alphabet, or two of at least four characters.
fn is_row(folded: &str) -> bool {
    let runs = |part: &str| {
        let reversed: String = part.chars().rev().collect();
        ROWS.iter()
            .any(|row| row.contains(part) || row.contains(&reversed))
    };
    let halves = folded.char_indices().map(|(at, _)| folded.split_at(at));
    runs(folded)
        || halves
            .filter(|(a, b)| a.len() >= 4 && b.len() >= 4)
            .any(|(a, b)| runs(a) && runs(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_guessed_first_is_found_in_its_usual_disguises() {
        for common in [
            "password",
            "PassWord",
            "p@ssw0rd",
            "password1",
            "Password2024",
            "!password!",
            "12345678",
            "87654321",
            "qwertyuiop",
            "asdfghjkl",
            "1qaz2wsx",
            "qwer1234",
            "aaaaaaaa",
            "abcabcabc",
            "abababab",
            "iloveyou",
            "woaini1314",
            "5201314520",
            "letmein123",
            "abcd1234",
            "zxcvbnm,./",
            "administrator",
            "1q2w3e4r",
        ] {
            assert!(is_common(common), "{common}");
        }
    }

    #[test]
    fn other_passwords_are_left_alone() {
        for fine in [
            "correct horse",
            "gatepost-lamp",
            "wvtkzmqh",
            "正確馬電池訂書釘",
            "k7#mQ2!x",
            "password manager",
            "12345678 sheep",
            "qwerty is a row",
        ] {
            assert!(!is_common(fine), "{fine}");
        }
    }

    #[test]
    fn the_list_is_tidy() {
        for word in COMMON.iter() {
            assert_eq!(word.trim(), *word);
            assert_eq!(word.to_lowercase(), *word);
            assert!(word.chars().count() >= 5, "{word} is too short to matter");
        }
        assert!(COMMON.len() >= 300);
    }

    #[test]
    fn the_address_and_its_parts_are_seen() {
        let address: EmailAddress = "Annelie@example.com".parse().unwrap();
        for like in [
            "annelie@example.com",
            "ANNELIE1",
            "annelie2024!",
            "Example.com",
        ] {
            assert!(is_like(like, &address), "{like}");
        }
        for unlike in ["annelies-lamp", "example lamp"] {
            assert!(!is_like(unlike, &address), "{unlike}");
        }
    }
}
