//! The settings of the relay and of the fallback: which provider is meant, what follows from that,
//! and what does not go together there. What must not live here: what is known of a provider (see
//! [`crate::mail::provider`]).

use crate::address::EmailAddress;
use crate::mail::provider;
use crate::mail::provider::Provider;
use crate::mail::relay::Security;
use crate::secret::SecretText;

use super::error::Error;
use super::origin::{Chosen, Source};
use super::rules::{fall_back, find, is_set, source, text};
use super::settings::Settings;
use super::value::number;

/// A part of a whole, in percent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// This part of `whole`, rounded up: a share that is not nothing leaves room for one.
    pub fn of(self, whole: u32) -> u32 {
        u64::from(whole)
            .saturating_mul(u64::from(self.0))
            .div_ceil(100) as u32
    }
}

/// A part of a whole: `20%`.
pub fn share(text: &str) -> Result<Share, String> {
    let percent = text.strip_suffix('%').map(str::trim_end);
    percent
        .and_then(|percent| number(percent, 0, 100).ok())
        .map(|percent| Share(percent as u8))
        .ok_or_else(|| "a share from 0% to 100%, such as 20%".to_owned())
}

/// A provider by its name; `auto` and `none`: no particular one.
pub fn provider(text: &str) -> Result<Option<&'static Provider>, String> {
    match text {
        "auto" | "none" => Ok(None),
        text => provider::by_name(text).map(Some).ok_or_else(|| {
            let names: Vec<&str> = provider::all().iter().map(|p| p.name.as_str()).collect();
            format!(
                "a provider that is known: {}; auto recognises one by its host, none takes any relay",
                names.join(", ")
            )
        }),
    }
}

/// Fills in what follows from the provider, and from port and protection for one another.
pub(super) fn derive(chosen: &mut [Chosen]) {
    for section in ["relay", "fallback"] {
        let name = |setting: &str| format!("{section}.{setting}");
        let preset = preset(chosen, section);
        if is_set(chosen, &name("port")) && text(chosen, &name("port")) == "465" {
            fall_back(chosen, &name("security"), "implicit", "for port 465");
        }
        match text(chosen, &name("security")).as_str() {
            "implicit" | "tls" | "ssl" => {
                fall_back(chosen, &name("port"), "465", "for implicit TLS");
            }
            "none" => fall_back(chosen, &name("port"), "25", "without TLS"),
            _ => {}
        }
        if let Some(preset) = preset {
            fill_in(chosen, section, preset);
        }
    }
}

/// The provider that was named, or whose host it is.
fn preset(chosen: &mut [Chosen], section: &str) -> Option<&'static Provider> {
    let name = format!("{section}.provider");
    let named = text(chosen, &name);
    if named != "auto" {
        return provider::by_name(&named);
    }
    let host = text(chosen, &format!("{section}.host"));
    let preset = provider::by_host(&host)?;
    if let Some(chosen) = find(chosen, &name) {
        chosen.text.clone_from(&preset.name);
        chosen.source = Source::Derived(format!("recognised by {section}.host").into());
    }
    Some(preset)
}

fn fill_in(chosen: &mut [Chosen], section: &str, preset: &'static Provider) {
    let name = |setting: &str| format!("{section}.{setting}");
    let why = || format!("of the provider {}", preset.name);
    if let Some(host) = &preset.host {
        fall_back(chosen, &name("host"), host, why());
    }
    if let Some(user) = &preset.user {
        fall_back(chosen, &name("user"), user, why());
    }
    if let Some(per_day) = preset.per_day {
        fall_back(chosen, &name("per_day"), &per_day.to_string(), why());
    }
    // Whichever of the two was set, the other follows from it.
    let port = text(chosen, &name("port")).parse::<u16>();
    let wanted = super::value::security(&text(chosen, &name("security")));
    let port = port.ok().filter(|_| is_set(chosen, &name("port")));
    let wanted = wanted.ok().filter(|_| is_set(chosen, &name("security")));
    let endpoint = preset.endpoints().find(|endpoint| {
        port.is_none_or(|port| port == endpoint.port)
            && wanted.is_none_or(|security| security == endpoint.security)
    });
    if let Some(endpoint) = endpoint {
        fall_back(chosen, &name("port"), &endpoint.port.to_string(), why());
        fall_back(chosen, &name("security"), word(endpoint.security), why());
    }
}

fn word(security: Security) -> &'static str {
    match security {
        Security::None => "none",
        Security::StartTls => "starttls",
        Security::Implicit => "implicit",
    }
}

/// The variables that people set for it.
fn variables(security: Security) -> &'static str {
    match security {
        Security::None => "EMAIL_USE_TLS=False",
        Security::StartTls => "EMAIL_USE_TLS=True",
        Security::Implicit => "EMAIL_USE_SSL=True",
    }
}

/// One way out: the relay or the fallback.
#[derive(Clone, Copy)]
pub(super) struct Way<'a> {
    section: &'static str,
    provider: Option<&'static Provider>,
    pub host: Option<&'a str>,
    port: u16,
    security: Security,
    user: Option<&'a str>,
    password: Option<&'a SecretText>,
    allow_plain: bool,
}

impl<'a> Way<'a> {
    pub fn relay(settings: &'a Settings) -> Way<'a> {
        let relay = &settings.relay;
        Way {
            section: "relay",
            provider: relay.provider,
            host: relay.host.as_deref(),
            port: relay.port,
            security: relay.security,
            user: relay.user.as_deref(),
            password: relay.password.as_ref(),
            allow_plain: relay.allow_plain,
        }
    }

    /// The fallback, if anything of it was set.
    pub fn fallback(settings: &'a Settings) -> Option<Way<'a>> {
        let fallback = &settings.fallback;
        let way = Way {
            section: "fallback",
            provider: fallback.provider,
            host: fallback.host.as_deref(),
            port: fallback.port,
            security: fallback.security,
            user: fallback.user.as_deref(),
            password: fallback.password.as_ref(),
            allow_plain: fallback.allow_plain,
        };
        let is_meant = way.host.is_some()
            || way.provider.is_some()
            || way.user.is_some()
            || way.password.is_some();
        is_meant.then_some(way)
    }

    /// Whether it stays on this machine.
    pub fn is_local(&self) -> bool {
        matches!(self.host, None | Some("localhost" | "127.0.0.1" | "::1"))
    }

    /// What is missing where a provider was named that has no one host.
    pub fn without_host(&self) -> Option<String> {
        let provider = self.provider.filter(|provider| provider.host.is_none())?;
        Some(format!(
            "{}.host: {} has a host of its own in every region; set {}, such as \
             email-smtp.eu-west-1.amazonaws.com",
            self.section,
            provider.title,
            self.called("host")
        ))
    }

    /// Whose server the host is, if it is not the named provider's but that of another one.
    fn of_another(&self) -> Option<&'static Provider> {
        let named = self.provider?;
        let host = self.host.filter(|host| !named.serves(host))?;
        provider::by_host(host)
    }

    /// What people call the setting: the name of a Django project, where there is one.
    fn called(&self, setting: &str) -> String {
        match (self.section, setting) {
            ("relay", "host") => "EMAIL_HOST".to_owned(),
            ("relay", "port") => "EMAIL_PORT".to_owned(),
            ("relay", "user") => "EMAIL_HOST_USER".to_owned(),
            ("relay", "password") => "EMAIL_HOST_PASSWORD".to_owned(),
            (section, setting) => format!("{section}.{setting}"),
        }
    }

    fn protected(&self, security: Security) -> String {
        match self.section {
            "relay" => variables(security).to_owned(),
            section => format!("{section}.security = \"{}\"", word(security)),
        }
    }

    /// What may not be together, and what is probably not meant.
    pub fn check(&self, settings: &Settings) -> (Vec<Error>, Vec<String>) {
        let mut errors = Vec::new();
        let mut warnings = Vec::new();
        let section = self.section;
        let from = |setting: &str| source(settings, &format!("{section}.{setting}"));
        let mut refuse = |text: String| errors.push(Error(text));
        if section == "fallback" && self.host.is_none() {
            refuse(self.without_host().unwrap_or_else(|| {
                "fallback.host: an account of a fallback is set, but no host; set fallback.host \
                 or fallback.provider"
                    .to_owned()
            }));
        }
        if self.user.is_some() != self.password.is_some() {
            let (has, lacks) = match self.user {
                Some(_) => ("user", "password"),
                None => ("password", "user"),
            };
            refuse(format!(
                "{section}.{has} is set ({}), but {} is not; the relay wants both or neither",
                from(has),
                self.called(lacks)
            ));
        }
        if self.security == Security::None && !self.is_local() && !self.allow_plain {
            let right = match self.provider {
                Some(provider) => format!(
                    "{} wants {} with port {}",
                    provider.title,
                    self.protected(provider.security),
                    provider.port
                ),
                None => format!(
                    "set {} (port 587) or {} (port 465), or {section}.allow_plain = true for a \
                     relay on your own network",
                    self.protected(Security::StartTls),
                    self.protected(Security::Implicit)
                ),
            };
            refuse(format!(
                "{section}.security is none ({}): password, codes and links would travel in the \
                 clear; {right}",
                from("security")
            ));
        }
        let served = self.provider.filter(|provider| {
            self.host.is_some_and(|host| provider.serves(host)) && self.security != Security::None
        });
        match served {
            Some(provider) => {
                self.check_port(provider, &from, &mut refuse, &mut warnings);
            }
            None => warnings.extend(self.odd_port(&from)),
        }
        if let Some(other) = self.of_another() {
            let named = self.provider.map_or("", |provider| &provider.title);
            refuse(format!(
                "{section}.provider is {named} ({}), but {section}.host ({}) is a server of {}; \
                 leave one of them out, or name the same provider with both",
                from("provider"),
                from("host"),
                other.title
            ));
        } else if let Some(provider) = self.provider {
            self.check_account(provider, settings, &from, &mut refuse, &mut warnings);
        }
        (errors, warnings)
    }

    fn check_port(
        &self,
        provider: &Provider,
        from: &dyn Fn(&str) -> String,
        refuse: &mut dyn FnMut(String),
        warnings: &mut Vec<String>,
    ) {
        let section = self.section;
        let mut there = provider.endpoints().filter(|e| e.port == self.port);
        let (first, title) = (self.protected(provider.security), &provider.title);
        match there.next() {
            Some(endpoint) if endpoint.security == self.security => {}
            Some(endpoint) => {
                let same = provider.endpoints().find(|e| e.security == self.security);
                let or = same.map_or_else(String::new, |same| {
                    format!(
                        ", or port {} with {}",
                        same.port,
                        self.protected(same.security)
                    )
                });
                refuse(format!(
                    "{section}.port {} ({}) does not go with {section}.security {} ({}): {title} \
                     wants {} there{or}",
                    self.port,
                    from("port"),
                    word(self.security),
                    from("security"),
                    self.protected(endpoint.security),
                ));
            }
            None if provider.plain_ports.contains(&self.port) => refuse(format!(
                "{section}.port {} ({}) of {title} knows no TLS; set {} to {} with {first}",
                self.port,
                from("port"),
                self.called("port"),
                provider.port,
            )),
            None => {
                let ports: Vec<String> = provider.endpoints().map(|e| e.port.to_string()).collect();
                warnings.push(format!(
                    "{section}.port {} ({}) is none that {title} names for sending, and clouds \
                     block some; its ports are {}; best is {} with {first}",
                    self.port,
                    from("port"),
                    ports.join(", "),
                    provider.port,
                ));
            }
        }
    }

    fn odd_port(&self, from: &dyn Fn(&str) -> String) -> Option<String> {
        let section = self.section;
        let other = match (self.port, self.security) {
            (465, Security::StartTls) => "EMAIL_USE_SSL=True, or port 587",
            (587, Security::Implicit) => "EMAIL_USE_TLS=True, or port 465",
            _ => return None,
        };
        Some(format!(
            "{section}.port {} ({}) does not go with {section}.security ({}); most relays want \
             {other}",
            self.port,
            from("port"),
            from("security")
        ))
    }

    fn check_account(
        &self,
        provider: &Provider,
        settings: &Settings,
        from: &dyn Fn(&str) -> String,
        refuse: &mut dyn FnMut(String),
        warnings: &mut Vec<String>,
    ) {
        let (section, title) = (self.section, &provider.title);
        let Some(user) = self.user else {
            if self.password.is_none() && !self.is_local() {
                warnings.push(format!(
                    "{section}.user and {section}.password are not set, and {title} takes mail only \
                     after a login; set {} ({}) and {} ({}, from {})",
                    self.called("user"),
                    provider.user_hint.en,
                    self.called("password"),
                    provider.password.en,
                    provider.page
                ));
            }
            return;
        };
        if let Some(only) = provider.user.as_deref().filter(|only| *only != user) {
            refuse(format!(
                "{section}.user ({}): the user of {title} is literally {only}; set {}={only}, and \
                 the password to {}",
                from("user"),
                self.called("user"),
                provider.password.en
            ));
        }
        if !provider.password_fits(self.password.map_or("", SecretText::expose)) {
            warnings.push(format!(
                "{section}.password ({}) does not look like what {title} wants there: {}; see {}",
                from("password"),
                provider.password.en,
                provider.page
            ));
        }
        let sender = &settings.mail.from.address;
        let account = user.parse::<EmailAddress>();
        match account {
            Ok(account) if provider.from_is_user && account != *sender => {
                let right = match section {
                    "relay" => format!("set DEFAULT_FROM_EMAIL to {account}"),
                    _ => format!("take a fallback that may send as {sender}"),
                };
                warnings.push(format!(
                    "mail.from ({}) is {sender}, and {title} sends only as the account that logs \
                     in ({section}.user); {right}",
                    source(settings, "mail.from"),
                ));
            }
            Err(_) if provider.from_is_user => warnings.push(format!(
                "{section}.user ({}) is no address; {title} wants {} there",
                from("user"),
                provider.user_hint.en
            )),
            _ => {}
        }
    }
}
