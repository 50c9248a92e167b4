//! The step that looks at the account of a way out: whether its credentials are there, where they
//! are made, and whether the From fits. No password is shown.

use crate::address::EmailAddress;
use crate::mail::Sender;

use super::report::Finding;
use super::report::Status;
use super::route::Way;
use super::words::Voice;

/// The account and the password: whether they are there, and where they are made.
pub(super) fn credentials(voice: Voice, way: &Way<'_>) -> Finding {
    let settings = &way.settings;
    let section = way.section();
    let finding = match (&settings.user, &settings.password) {
        (Some(user), Some(_)) => Finding::ok(voice.say("credentials_set", &[("user", user)])),
        (Some(user), None) => Finding::failure(voice.say("password_missing", &[("user", user)])),
        (None, Some(_)) => Finding::failure(voice.say("user_missing", &[])),
        (None, None) if way.provider.is_some() => {
            Finding::failure(voice.say("credentials_missing", &[]))
        }
        (None, None) => return Finding::skipped(voice.say("no_credentials", &[])),
    };
    let Some(provider) = way.provider else {
        return match finding.status {
            Status::Ok => finding,
            _ => finding.remedy(voice.say("set_credentials", &[("section", &section)])),
        };
    };
    if finding.status == Status::Ok {
        let account = way.account();
        let from = &way.from.address;
        return match account {
            Some(account) if provider.from_is_user && account != *from => finding
                .and(voice.say("from_is_not_account", &[("title", &provider.title)]))
                .remedy(voice.say("right_from", &[("from", &corrected(way.from, &account))]))
                .at_least(Status::Warning),
            _ => finding,
        };
    }
    finding
        .remedy(voice.say("set_credentials", &[("section", &section)]))
        .remedy(voice.say(
            "user_is",
            &[
                ("title", &provider.title),
                ("user", &provider.user_hint.of(voice.0)),
            ],
        ))
        .remedy(voice.say(
            "password_is",
            &[
                ("title", &provider.title),
                ("password", &provider.password.of(voice.0)),
            ],
        ))
        .on(Some(&provider.page))
}

/// The sender with the account in the place of its address.
pub(super) fn corrected(from: &Sender, account: &EmailAddress) -> Sender {
    Sender {
        name: from.name.clone(),
        address: account.clone(),
    }
}
