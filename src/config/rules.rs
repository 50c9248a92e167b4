//! What settings have to do with one another: defaults that follow from others, and combinations
//! that are refused or warned of. What must not live here: how a single value is read.

use std::borrow::Cow;

use crate::address::EmailAddress;

use super::Mode;
use super::error::Error;
use super::origin::{Chosen, Source};
use super::outbound;
use super::outbound::Way;
use super::settings::Settings;
use super::value::{MailMode, Protocol};

/// Fills in the defaults that follow from other settings and from the mode.
pub(super) fn derive(mode: Mode, chosen: &mut [Chosen]) {
    if mode == Mode::Dev {
        // Test suites run from one address.
        for limit in ["code", "registration", "wrong_code", "wrong_login"] {
            fall_back(chosen, &format!("limits.{limit}_per_ip"), "off", "in dev");
        }
        // Whatever the project's `.env` says: nobody's phone rings because of a test.
        if let Some(mode) = find(chosen, "mail.mode") {
            mode.text = "capture".to_owned();
            mode.source = Source::Derived("in dev, always".into());
        }
    }
    outbound::derive(chosen);
    let user = text(chosen, "relay.user");
    if text(chosen, "mail.mode") == "relay" && user.parse::<EmailAddress>().is_ok() {
        fall_back(chosen, "mail.from", &user, "from relay.user");
    }
}

pub(super) fn find<'a>(chosen: &'a mut [Chosen], name: &str) -> Option<&'a mut Chosen> {
    chosen.iter_mut().find(|c| c.definition.name == name)
}

pub(super) fn text(chosen: &mut [Chosen], name: &str) -> String {
    find(chosen, name).map_or_else(String::new, |chosen| chosen.text.clone())
}

pub(super) fn is_set(chosen: &mut [Chosen], name: &str) -> bool {
    find(chosen, name).is_some_and(|chosen| !chosen.is_default())
}

pub(super) fn fall_back(
    chosen: &mut [Chosen],
    name: &str,
    text: &str,
    why: impl Into<Cow<'static, str>>,
) {
    if let Some(chosen) = find(chosen, name).filter(|chosen| chosen.is_default()) {
        chosen.text = text.to_owned();
        chosen.source = Source::Derived(why.into());
    }
}

/// Where the value of a setting came from.
pub(super) fn source(settings: &Settings, name: &str) -> String {
    let origin = settings.origins.iter().find(|origin| origin.name == name);
    origin.map_or_else(String::new, |origin| origin.source.to_string())
}

/// What may not be together, and what is probably not meant.
pub(super) fn check(settings: &Settings) -> (Vec<Error>, Vec<String>) {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut refuse = |text: String| errors.push(Error(text));
    let from = |name: &str| source(settings, name);
    if settings.mode == Mode::Serve && settings.mail.mode == MailMode::Capture {
        warnings.push(format!(
            "mail.mode is capture ({}): NO MAIL GOES OUT, all of it is captured; set \
             USE_REAL_EMAIL=1 (or mail.mode = \"relay\") to send it through a relay",
            from("mail.mode")
        ));
    }
    if settings.mail.mode == MailMode::Relay {
        let mode = from("mail.mode");
        let relay = Way::relay(settings);
        if relay.host.is_none() {
            refuse(relay.without_host().unwrap_or_else(|| {
                format!(
                    "relay.host: mail.mode is relay ({mode}), but no relay is named; set \
                     EMAIL_HOST, such as smtp.gmail.com or smtp.qq.com, or USE_REAL_EMAIL=0 to \
                     capture the mail"
                )
            }));
        }
        for way in [Some(relay), Way::fallback(settings)].into_iter().flatten() {
            let (wrong, doubtful) = way.check(settings);
            wrong.into_iter().for_each(|Error(text)| refuse(text));
            warnings.extend(doubtful);
        }
        if let Some(per_day) = settings.relay.per_day
            && settings.relay.kept_for_codes.of(per_day) >= per_day
        {
            warnings.push(format!(
                "relay.kept_for_codes ({}) keeps all of relay.per_day ({per_day}, {}) for codes and \
                 links: NO OTHER MAIL GOES OUT; lower the one or raise the other",
                from("relay.kept_for_codes"),
                from("relay.per_day")
            ));
        }
        if from("mail.from") == "default" && !relay.is_local() {
            refuse(
                "mail.from: not set, and relay.user is no address to take in its place; set \
                 DEFAULT_FROM_EMAIL, such as Example <hello@example.com>"
                    .to_owned(),
            );
        }
        if settings.site.domain.is_none() {
            warnings.push(
                "site.domain is not set (DEFAULT_DOMAIN): links in mails lead to the address \
                 that HTTP listens on, which nobody else can open"
                    .to_owned(),
            );
        }
        if settings.site.protocol == Protocol::Http {
            warnings.push(
                "site.protocol is http (PROTOCOL): the links in mails carry their tokens \
                 unprotected; set it to https"
                    .to_owned(),
            );
        }
    }
    let smtp = &settings.smtp;
    if smtp.memory < smtp.message_limit {
        refuse(format!(
            "smtp.memory: {} bytes are too few for one message of smtp.message_limit, {} ({})",
            smtp.memory,
            smtp.message_limit,
            from("smtp.memory")
        ));
    }
    let password = &settings.password;
    if password.min_length > password.max_length {
        refuse(format!(
            "password.min_length: {} is more than password.max_length, {} ({})",
            password.min_length,
            password.max_length,
            from("password.min_length")
        ));
    }
    // RFC 9106, 3.1: at least 8 KiB a lane.
    if password.memory < 8 * 1024 * password.parallelism as usize {
        refuse(format!(
            "password.memory: {} bytes are too few for password.parallelism = {}; argon2 needs \
             8KiB for each ({})",
            password.memory,
            password.parallelism,
            from("password.memory")
        ));
    }
    if settings.session.idle > settings.session.lifetime {
        refuse(format!(
            "session.idle: longer than session.lifetime ({})",
            from("session.idle")
        ));
    }
    if settings.mode == Mode::Serve
        && settings.http.metrics_open
        && !settings.http.listen.ip().is_loopback()
    {
        warnings.push(format!(
            "http.metrics_open: /metrics answers everybody who reaches {}",
            settings.http.listen
        ));
    }
    (errors, warnings)
}
