//! The domain's limits as sentences for the document, rendered from the settings in force. What
//! must not live here: keeping anybody to them (identity does).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::identity::Policy;
use crate::identity::Settings;

/// What to add to the descriptions, by `operationId`.
pub fn notes(accounts: &Settings, body_limit: usize) -> BTreeMap<&'static str, String> {
    let Settings {
        codes,
        passwords,
        sessions,
        lockout,
        limits,
        ..
    } = accounts;
    let mails = format!(
        "Codes and links together: one every {} and {} for one address, {} from one IP \
             address.",
        time(codes.resend),
        policy(&limits.code_per_address),
        policy(&limits.code_per_ip)
    );
    let password = format!(
        "A password has {} to {} characters and is none of the most common ones.",
        passwords.min_chars, passwords.max_chars
    );
    let logins = format!(
        "From one IP address {} wrong passwords are taken. On one account {} wrong ones in a \
             row cost nothing; then each costs a wait, from {} up to {}; after {} only a reset \
             helps.",
        policy(&limits.wrong_login_per_ip),
        lockout.free,
        time(lockout.first_wait),
        time(lockout.longest_wait),
        lockout.failures
    );
    let session = format!(
        "A session ends after {} without use, and after {} in any case.",
        time(sessions.idle),
        time(sessions.lifetime)
    );
    let body = format!("A body has at most {body_limit} bytes.");
    let notes = [
        (
            "send_verification_code",
            vec![
                mails.clone(),
                format!(
                    "A code is good for {}, for {} wrong tries in all; older codes of the \
                         flow stay good until they lapse.",
                    time(codes.lifetime),
                    codes.attempts
                ),
            ],
        ),
        (
            "verify_code",
            vec![
                format!(
                    "From one IP address {} wrong codes are taken.",
                    policy(&limits.wrong_code_per_ip)
                ),
                format!(
                    "The token is good once, for {}.",
                    time(codes.token_lifetime)
                ),
            ],
        ),
        (
            "register",
            vec![
                format!(
                    "From one IP address {} accounts are made.",
                    policy(&limits.registration_per_ip)
                ),
                password.clone(),
                session.clone(),
            ],
        ),
        ("login", vec![logins.clone(), session]),
        (
            "request_password_reset",
            vec![
                mails,
                format!(
                    "A link is good once, for {}, and dies with a login or a change of the \
                         password.",
                    time(codes.link_lifetime)
                ),
            ],
        ),
        ("confirm_password_reset", vec![password.clone()]),
        ("change_password", vec![logins, password]),
        ("update_me", Vec::new()),
    ];
    notes
        .into_iter()
        .map(|(id, mut lines)| {
            lines.push(body.clone());
            (id, format!("**Limits.** {}", lines.join(" ")))
        })
        .collect()
}

/// As it is written in the settings, for the middle of a sentence.
fn policy(policy: &Policy) -> String {
    match policy.to_string().as_str() {
        "off" => "any number of".to_owned(),
        policy => policy.replace(", ", " and "),
    }
}

fn time(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (number, unit) = match seconds {
        s if s > 0 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s > 0 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s > 0 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
    };
    match number {
        1 => format!("1 {unit}"),
        number => format!("{number} {unit}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_policies_read_as_people_say_them() {
        assert_eq!(time(Duration::from_secs(60)), "1 minute");
        assert_eq!(time(Duration::from_secs(90)), "90 seconds");
        assert_eq!(time(Duration::from_secs(14 * 86_400)), "14 days");
        assert_eq!(time(Duration::ZERO), "0 seconds");
        let told = |written: &str| policy(&written.parse().unwrap());
        assert_eq!(told("5/hour, 20/day"), "5/hour and 20/day");
        assert_eq!(told("off"), "any number of");
    }
}
