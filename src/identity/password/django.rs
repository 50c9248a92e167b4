//! Hashes as Django stores them, so that people keep their passwords when a project moves here.
//! They are only ever verified; a login replaces them with our own.

use std::num::NonZeroU32;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest;
use ring::pbkdf2;

use super::argon::Bench;
use super::argon::Stored;

/// Bounds on what a stored hash may ask for, so that a damaged row cannot hold a thread for ever.
const MOST_ITERATIONS: u32 = 20_000_000;
const MOST_BCRYPT_COST: u32 = 16;
/// In bytes; scrypt holds `128 * n * r` of them.
const MOST_SCRYPT_MEMORY: u64 = 1 << 30;

/// Whether both are the same, in a time that does not tell where they differ.
pub(super) fn same(a: &[u8], b: &[u8]) -> bool {
    let differing = a.iter().zip(b).fold(0, |all, (a, b)| all | (a ^ b));
    differing == 0 && a.len() == b.len() && !a.is_empty()
}

/// Whether `stored`, in any of Django's formats, is a hash of `password`. An unknown format (and
/// Django's "unusable password", which begins with `!`) matches nothing.
pub(super) fn verify(bench: &mut Bench, password: &[u8], stored: &str) -> bool {
    let Some((algorithm, rest)) = stored.split_once('$') else {
        return false;
    };
    match algorithm {
        "pbkdf2_sha256" => pbkdf2_sha256(password, rest).unwrap_or(false),
        "argon2" => {
            // `argon2$argon2id$v=19$…`: our own text but for the first dollar.
            let stored = Stored::parse(&format!("${rest}"));
            stored.is_some_and(|stored| bench.verify(password, &stored))
        }
        "bcrypt" => bcrypt(password, rest),
        "bcrypt_sha256" => {
            let digest = digest::digest(&digest::SHA256, password);
            bcrypt(hex(digest.as_ref()).as_bytes(), rest)
        }
        "scrypt" => scrypt(password, rest).unwrap_or(false),
        _ => false,
    }
}

/// `$2b$cost$salt and hash`.
fn bcrypt(password: &[u8], stored: &str) -> bool {
    bcrypt_fits(stored) && bcrypt::verify(password, stored).unwrap_or(false)
}

fn bcrypt_fits(stored: &str) -> bool {
    let parts = stored.parse::<bcrypt::HashParts>();
    parts.is_ok_and(|parts| parts.get_cost() <= MOST_BCRYPT_COST)
}

/// `iterations$salt$hash`; the salt is used as the text that it is.
fn pbkdf2_sha256(password: &[u8], rest: &str) -> Option<bool> {
    let mut parts = rest.split('$');
    let iterations: NonZeroU32 = parts.next()?.parse().ok()?;
    let (salt, hash) = (parts.next()?, parts.next()?);
    let hash = STANDARD.decode(hash).ok()?;
    if iterations.get() > MOST_ITERATIONS || hash.is_empty() {
        return None;
    }
    let (algorithm, salt) = (pbkdf2::PBKDF2_HMAC_SHA256, salt.as_bytes());
    Some(pbkdf2::verify(algorithm, iterations, salt, password, &hash).is_ok())
}

/// What scrypt may be asked for, unless it is more than a check may cost.
fn scrypt_params(n: u64, r: u32, p: u32) -> Option<scrypt::Params> {
    let memory = n.checked_mul(128)?.checked_mul(r.into())?;
    if !n.is_power_of_two() || memory > MOST_SCRYPT_MEMORY || r > 64 || p > 64 {
        return None;
    }
    scrypt::Params::new(u8::try_from(n.trailing_zeros()).ok()?, r, p).ok()
}

/// `n$salt$r$p$hash`.
fn scrypt(password: &[u8], rest: &str) -> Option<bool> {
    let mut parts = rest.split('$');
    let n: u64 = parts.next()?.parse().ok()?;
    let salt = parts.next()?;
    let r: u32 = parts.next()?.parse().ok()?;
    let p: u32 = parts.next()?.parse().ok()?;
    let hash = STANDARD.decode(parts.next()?).ok()?;
    let params = scrypt_params(n, r, p)?;
    let mut computed = vec![0; hash.len()];
    scrypt::scrypt(password, salt.as_bytes(), &params, &mut computed).ok()?;
    Some(same(&computed, &hash))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Django 5.2 (`make_password`), at a lower price where the hasher allows it.
    const VECTORS: &str = include_str!("django_vectors.txt");

    #[test]
    fn every_format_of_django_is_verified() {
        let mut bench = Bench::new(argon2::Params::new(64, 1, 1, Some(32)).unwrap());
        let mut algorithms = Vec::new();
        for line in VECTORS.lines().filter(|line| !line.starts_with('#')) {
            let (password, stored) = line.split_once('\t').unwrap();
            assert!(verify(&mut bench, password.as_bytes(), stored), "{stored}");
            assert!(!verify(&mut bench, b"another one", stored), "{stored}");
            algorithms.push(stored.split('$').next().unwrap());
        }
        algorithms.sort_unstable();
        algorithms.dedup();
        let all = [
            "argon2",
            "bcrypt",
            "bcrypt_sha256",
            "pbkdf2_sha256",
            "scrypt",
        ];
        assert_eq!(algorithms, all);
    }

    #[test]
    fn no_stored_hash_costs_more_than_a_check_may() {
        let bcrypt =
            |cost: u32| format!("$2b${cost}$Ro0CUfOqk6cXEKf3dyaM7OhSCvnwM9s4wIX9JeLapehKK5YdLxKcm");
        assert!(bcrypt_fits(&bcrypt(16)));
        // From 17 on a single one would take seconds, and 31 a day.
        assert!((17..=31).all(|cost| !bcrypt_fits(&bcrypt(cost))));
        assert!(!super::bcrypt(b"x", &bcrypt(31)));
        assert!(scrypt_params(1 << 20, 8, 1).is_some());
        assert!(scrypt_params(1 << 20, 9, 1).is_none());
        assert!(scrypt_params(1 << 62, 64, 1).is_none());
    }

    #[test]
    fn what_is_damaged_or_unusable_matches_nothing() {
        let mut bench = Bench::new(argon2::Params::new(64, 1, 1, Some(32)).unwrap());
        for stored in [
            "",
            "!",
            "!4yQk",
            "md5$salt$hash",
            "pbkdf2_sha256$0$salt$AAAA",
            "pbkdf2_sha256$10$salt$",
            "pbkdf2_sha256$4294967295$salt$AAAA",
            "argon2$argon2id",
            "bcrypt$$2b$12$short",
            "scrypt$16384$salt$8$1$",
            "scrypt$16383$salt$8$1$AAAA",
            "scrypt$16384$salt$0$1$AAAA",
            "scrypt$1048576$salt$16$1$AAAA",
        ] {
            assert!(!verify(&mut bench, b"", stored), "{stored}");
        }
    }
}
