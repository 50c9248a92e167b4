//! What is known of mail providers: their servers, what they log in with, what they refuse. It is
//! data (`presets.toml`), compiled in. What their replies mean is the
//! [`rulebook`](super::rulebook)'s business, what is done with a preset the settings'.

use std::sync::LazyLock;

use serde::Deserialize;

use super::relay::Security;
use super::rulebook::Words;

/// A provider. Two are the same when their names are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// How it is called in settings: `gmail`.
    pub name: String,
    /// How it calls itself.
    pub title: String,
    /// Its servers; a `*` stands for one label or a part of one.
    hosts: Vec<String>,
    /// The server when none is named; `None`: it has to be.
    pub host: Option<String>,
    /// The port to take.
    pub port: u16,
    /// How that port is protected.
    pub security: Security,
    /// Further ports that work.
    #[serde(default)]
    other: Vec<Endpoint>,
    /// Ports of its that know no TLS.
    #[serde(default)]
    pub plain_ports: Vec<u16>,
    /// The user name, where it is the same for everybody.
    pub user: Option<String>,
    /// How many mails a day a usual account may send, where that is known.
    pub per_day: Option<u32>,
    /// How many small letters a password has that it gives out.
    password_letters: Option<usize>,
    /// What a password begins with that it gives out.
    password_prefix: Option<String>,
    /// Whether it refuses mail whose From is not the account itself.
    #[serde(default)]
    pub from_is_user: bool,
    /// The page where the password is made.
    pub page: String,
    /// What the user name is.
    pub user_hint: Words,
    /// What the password is, and what it is called there.
    pub password: Words,
    /// What else is worth knowing.
    pub note: Words,
}

/// A port and how it is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// The port.
    pub port: u16,
    /// How it is protected.
    pub security: Security,
}

impl PartialEq for Provider {
    fn eq(&self, other: &Provider) -> bool {
        self.name == other.name
    }
}

impl Eq for Provider {}

impl Provider {
    /// Every port that works, the one to take first.
    pub fn endpoints(&self) -> impl Iterator<Item = Endpoint> {
        let first = Endpoint {
            port: self.port,
            security: self.security,
        };
        std::iter::once(first).chain(self.other.iter().copied())
    }

    /// Whether `password` looks like one that it gives out; `true` where that cannot be told.
    pub fn password_fits(&self, password: &str) -> bool {
        let bare: String = password.split_whitespace().collect();
        let prefix = self.password_prefix.as_deref().unwrap_or_default();
        bare.starts_with(prefix)
            && self.password_letters.is_none_or(|count| {
                bare.len() == count && bare.bytes().all(|byte| byte.is_ascii_lowercase())
            })
    }

    /// Whether `host` is one of its servers.
    pub fn serves(&self, host: &str) -> bool {
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        self.hosts
            .iter()
            .any(|pattern| match pattern.split_once('*') {
                None => *pattern == host,
                Some((start, end)) => host
                    .strip_prefix(start)
                    .and_then(|rest| rest.strip_suffix(end))
                    .is_some_and(|label| !label.is_empty() && !label.contains('.')),
            })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Presets {
    provider: Vec<Provider>,
}

static PRESETS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    let presets: Presets = toml::from_str(include_str!("presets.toml"))
        .expect("the file is compiled in, and a test reads it");
    presets.provider
});

/// All of them.
pub fn all() -> &'static [Provider] {
    &PRESETS
}

/// The provider of this name.
pub fn by_name(name: &str) -> Option<&'static Provider> {
    all()
        .iter()
        .find(|provider| provider.name.eq_ignore_ascii_case(name.trim()))
}

/// The provider whose server `host` is.
pub fn by_host(host: &str) -> Option<&'static Provider> {
    all().iter().find(|provider| provider.serves(host))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn every_preset_is_whole_and_finds_itself() {
        let names: Vec<_> = all().iter().map(|p| p.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "gmail",
                "qq",
                "exmail",
                "163",
                "126",
                "office365",
                "aliyun",
                "ses",
                "sendgrid",
                "mailgun"
            ]
        );
        for provider in all() {
            assert_eq!(by_name(&provider.name.to_uppercase()), Some(provider));
            if let Some(host) = &provider.host {
                assert_eq!(by_host(host), Some(provider), "{host}");
            }
            for endpoint in provider.endpoints() {
                assert_ne!(endpoint.security, Security::None, "{}", provider.name);
            }
            assert!(provider.page.starts_with("https://"), "{}", provider.name);
            for words in [&provider.user_hint, &provider.password, &provider.note] {
                for language in Language::ALL {
                    assert!(!words.of(language).is_empty(), "{}", provider.name);
                }
            }
        }
    }

    #[test]
    fn hosts_are_recognised_and_look_alikes_are_not() {
        for (host, name) in [
            ("SMTP.Gmail.com", Some("gmail")),
            ("smtp.qq.com.", Some("qq")),
            ("smtp.exmail.qq.com", Some("exmail")),
            ("email-smtp.eu-west-1.amazonaws.com", Some("ses")),
            ("email-smtp.cn-north-1.amazonaws.com.cn", Some("ses")),
            ("smtpdm-ap-southeast-1.aliyun.com", Some("aliyun")),
            ("email-smtp..amazonaws.com", None),
            ("email-smtp.a.b.amazonaws.com", None),
            ("smtp.gmail.com.example.com", None),
            ("xsmtp.qq.com", None),
            ("smtp.example.com", None),
        ] {
            let found = by_host(host).map(|provider| provider.name.as_str());
            assert_eq!(found, name, "{host}");
        }
    }
}
