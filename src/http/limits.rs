//! The domain's limits as sentences for the document, rendered from the settings in force. What
//! must not live here: keeping anybody to them (identity does).

use std::collections::BTreeMap;
use std::time::Duration;

use crate::identity::Codes;
use crate::identity::Limits;
use crate::identity::Lockout;
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
    let mails = mails(codes, limits);
    let password = format!(
        "A password has {} to {} characters and is none of the most common ones.",
        passwords.min_chars, passwords.max_chars
    );
    let mut logins = vec![guesses(lockout)];
    logins.extend(policy(
        "Wrong passwords from one IP address",
        &limits.wrong_login_per_ip,
    ));
    let changes = policy(
        "Changes of one account's password",
        &limits.password_change_per_user,
    );
    let ordered = policy("Mails ordered with one API key", &limits.mail_per_key);
    let session = format!(
        "A session ends after {} without use, and after {} in any case.",
        time(sessions.idle),
        time(sessions.lifetime)
    );
    let body = format!("A body has at most {body_limit} bytes.");
    let code = format!(
        "A code is good for {}; all codes of a flow together take {}. Older codes of the flow stay \
         good until they lapse.",
        time(codes.lifetime),
        many(u64::from(codes.attempts), "wrong try", "wrong tries"),
    );
    let token = format!(
        "The token is good once, for {}.",
        time(codes.token_lifetime)
    );
    let link = format!(
        "A link is good once, for {}, and dies with a login or a change of the password.",
        time(codes.link_lifetime)
    );
    let wrong_codes = policy("Wrong codes from one IP address", &limits.wrong_code_per_ip);
    let accounts = policy(
        "New accounts from one IP address",
        &limits.registration_per_ip,
    );
    let notes: [(_, Vec<String>); 10] = [
        (
            "send_verification_code",
            mails.iter().cloned().chain([code]).collect(),
        ),
        (
            "verify_code",
            wrong_codes.into_iter().chain([token]).collect(),
        ),
        (
            "register",
            accounts
                .into_iter()
                .chain([password.clone(), session.clone()])
                .collect(),
        ),
        ("login", logins.iter().cloned().chain([session]).collect()),
        (
            "request_password_reset",
            mails.into_iter().chain([link]).collect(),
        ),
        ("confirm_password_reset", vec![password.clone()]),
        (
            "change_password",
            logins
                .into_iter()
                .chain(["Those on the account are counted apart from wrong logins.".to_owned()])
                .chain(changes)
                .chain([password])
                .collect(),
        ),
        ("update_me", Vec::new()),
        ("send_mail", ordered.into_iter().collect()),
        ("create_key", Vec::new()),
    ];
    notes
        .into_iter()
        .map(|(id, mut lines)| {
            lines.push(body.clone());
            (id, format!("**Limits.** {}", lines.join(" ")))
        })
        .collect()
}

/// How often mail may be asked for.
fn mails(codes: &Codes, limits: &Limits) -> Vec<String> {
    let pause = (!codes.resend.is_zero()).then(|| {
        format!(
            "The same kind of mail goes to one address at most once {}.",
            each(codes.resend)
        )
    });
    let address = policy(
        "Codes and links of all kinds together to one address",
        &limits.code_per_address,
    );
    let client = policy(
        "Codes and links of all kinds together asked for from one IP address",
        &limits.code_per_ip,
    );
    pause.into_iter().chain(address).chain(client).collect()
}

/// What wrong passwords do to an account.
fn guesses(lockout: &Lockout) -> String {
    let (first, longest) = (
        lockout.first_wait.min(lockout.longest_wait),
        lockout.longest_wait,
    );
    let end = format!(
        "after {} in a row only a reset of the password helps.",
        many(
            u64::from(lockout.failures),
            "wrong password",
            "wrong passwords"
        )
    );
    if longest.is_zero() || first.is_zero() {
        return format!("On one account, {end}");
    }
    let free = match lockout.free {
        0 => "every wrong password costs a wait".to_owned(),
        1 => "the first wrong password costs no wait; then each costs one".to_owned(),
        free => format!("{free} wrong passwords in a row cost no wait; then each costs one"),
    };
    let wait = match first == longest {
        true => format!("of {}", time(first)),
        false => format!("from {} up to {}", time(first), time(longest)),
    };
    format!("On one account {free}, {wait}; {end}")
}

/// A sentence for a policy that is on.
fn policy(of: &str, policy: &Policy) -> Option<String> {
    let quotas = policy.quotas().iter();
    let quotas: Vec<String> = quotas
        .map(|quota| format!("{} {}", quota.count, each(quota.window)))
        .collect();
    let (last, before) = quotas.split_last()?;
    Some(match before {
        [] => format!("{of}: at most {last}."),
        before => format!("{of}: at most {} and {last}.", before.join(", ")),
    })
}

/// `an hour`, `in 10 minutes`: after a number of times.
fn each(window: Duration) -> String {
    match unit(window) {
        (1, unit @ "hour") => format!("an {unit}"),
        (1, unit) => format!("a {unit}"),
        (number, unit) => format!("in {number} {unit}s"),
    }
}

fn time(duration: Duration) -> String {
    let (number, unit) = unit(duration);
    many(number, unit, &format!("{unit}s"))
}

fn many(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {more}"),
    }
}

/// In the largest unit that it is a whole number of.
fn unit(duration: Duration) -> (u64, &'static str) {
    match duration.as_secs() {
        s if s > 0 && s % 86_400 == 0 => (s / 86_400, "day"),
        s if s > 0 && s % 3600 == 0 => (s / 3600, "hour"),
        s if s > 0 && s % 60 == 0 => (s / 60, "minute"),
        s => (s, "second"),
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
        for (written, told) in [
            ("off", None),
            ("30/hour", Some("Tries: at most 30 an hour.")),
            ("1/min", Some("Tries: at most 1 a minute.")),
            ("30/10min", Some("Tries: at most 30 in 10 minutes.")),
            (
                "5/hour, 20/day",
                Some("Tries: at most 5 an hour and 20 a day."),
            ),
            (
                "2/s, 5/hour, 20/week",
                Some("Tries: at most 2 a second, 5 an hour and 20 in 7 days."),
            ),
        ] {
            assert_eq!(policy("Tries", &written.parse().unwrap()).as_deref(), told);
        }
    }

    #[test]
    fn only_limits_that_are_on_are_told() {
        let mut codes = Codes {
            lifetime: Duration::from_secs(600),
            attempts: 5,
            resend: Duration::from_secs(60),
            style: crate::secret::CodeStyle::Digits,
            token_lifetime: Duration::from_secs(900),
            link_lifetime: Duration::from_secs(3600),
        };
        let mut limits = Limits {
            code_per_address: "5/hour, 20/day".parse().unwrap(),
            ..Limits::default()
        };
        assert_eq!(
            mails(&codes, &limits),
            [
                "The same kind of mail goes to one address at most once a minute.",
                "Codes and links of all kinds together to one address: at most 5 an hour and \
                 20 a day.",
            ]
        );
        codes.resend = Duration::from_secs(90);
        limits.code_per_address = Policy::OFF;
        assert_eq!(
            mails(&codes, &limits),
            ["The same kind of mail goes to one address at most once in 90 seconds."]
        );
        codes.resend = Duration::ZERO;
        assert!(mails(&codes, &limits).is_empty());
    }

    #[test]
    fn waits_read_well_whatever_they_are() {
        let told = |free, first, longest| {
            guesses(&Lockout {
                failures: 100,
                free,
                first_wait: Duration::from_secs(first),
                longest_wait: Duration::from_secs(longest),
            })
        };
        assert_eq!(
            told(5, 1, 900),
            "On one account 5 wrong passwords in a row cost no wait; then each costs one, from 1 \
             second up to 15 minutes; after 100 wrong passwords in a row only a reset of the \
             password helps."
        );
        assert!(told(1, 1, 900).contains("account the first wrong password costs no wait; then"));
        assert_eq!(
            told(5, 0, 900),
            "On one account, after 100 wrong passwords in a row only a reset of the password helps."
        );
        // No wait is longer than the longest.
        assert!(told(5, 900, 60).contains("each costs one, of 1 minute;"));
        assert_eq!(
            told(0, 60, 60),
            "On one account every wrong password costs a wait, of 1 minute; after 100 wrong passwords in a row \
             only a reset of the password helps."
        );
    }
}
