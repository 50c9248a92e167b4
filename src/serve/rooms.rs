//! What each room is told of the settings. One function a room, nothing else.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::config;
use crate::config::MailMode;
use crate::config::Mode;
use crate::config::Settings;
use crate::http;
use crate::http::pages::Look;
use crate::identity;
use crate::inbox;
use crate::mail;
use crate::secret::TokenHash;

use super::StartError;

/// Scheme and domain of the links in mails, without a slash at the end.
pub(super) fn base_url(settings: &Settings, http: SocketAddr) -> String {
    let domain = match &settings.site.domain {
        Some(domain) => domain.clone(),
        None => reachable(http).to_string(),
    };
    let scheme = settings.site.protocol.scheme();
    format!("{scheme}://{domain}{}", settings.site.path)
}

/// Where a listener is reached from this very machine, also when it listens everywhere.
pub(super) fn reachable(listener: SocketAddr) -> SocketAddr {
    let ip = match listener.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, listener.port())
}

pub(super) fn mail(settings: &Settings, base_url: &str) -> mail::Settings {
    mail::Settings {
        from: settings.mail.from.clone(),
        site_name: settings.site.name.clone(),
        base_url: base_url.to_owned(),
        templates: settings.site.templates.clone(),
    }
}

pub(super) fn identity(settings: &Settings, base_url: &str) -> identity::Settings {
    let limits = &settings.limits;
    // One core is left for everything else, so that a crowd at the login slows down nobody who is
    // logged in already.
    let hashes = settings.password.concurrency.unwrap_or_else(|| {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        (cores - 1).max(1)
    });
    identity::Settings {
        base_url: base_url.to_owned(),
        language: settings.site.language,
        codes: identity::Codes {
            lifetime: settings.code.lifetime,
            attempts: settings.code.attempts,
            resend: settings.code.resend,
            style: settings.code.style,
            token_lifetime: settings.verification_token.lifetime,
            link_lifetime: settings.reset_link.lifetime,
        },
        passwords: identity::password::Settings {
            min_chars: settings.password.min_length,
            max_chars: settings.password.max_length,
            memory_kib: u32::try_from(settings.password.memory / 1024).unwrap_or(u32::MAX),
            passes: settings.password.iterations,
            lanes: settings.password.parallelism,
            threads: hashes,
            queue: settings.password.queue,
            patience: settings.password.patience,
        },
        sessions: identity::session::Settings {
            idle: settings.session.idle,
            lifetime: settings.session.lifetime,
        },
        lockout: identity::Lockout {
            failures: settings.lockout.failures,
            free: settings.lockout.free,
            first_wait: settings.lockout.first_wait,
            longest_wait: settings.lockout.longest_wait,
        },
        limits: identity::Limits {
            code_per_address: limits.code_per_address.clone(),
            code_per_ip: limits.code_per_ip.clone(),
            registration_per_ip: limits.registration_per_ip.clone(),
            wrong_code_per_ip: limits.wrong_code_per_ip.clone(),
            wrong_login_per_ip: limits.wrong_login_per_ip.clone(),
            password_change_per_user: limits.password_change_per_user.clone(),
            mail_per_key: limits.mail_per_key.clone(),
        },
        audit_kept: settings.audit.retention,
    }
}

/// The HTTP room as it answers at `listener`.
pub(super) fn http(
    settings: &Settings,
    base_url: &str,
    listener: SocketAddr,
    smtp: SocketAddr,
    admin_token: TokenHash,
    look: Option<Arc<Look>>,
) -> http::Settings {
    http::Settings {
        base_url: base_url.to_owned(),
        // Without a token the inbox is for this machine alone, and never in production.
        open_on_loopback: settings.mode == Mode::Dev && listener.ip().is_loopback(),
        development: settings.mode == Mode::Dev,
        allowed_hosts: settings
            .http
            .allowed_hosts
            .iter()
            .chain(&settings.site.domain)
            .cloned()
            .collect(),
        open_metrics: settings.http.metrics_open,
        admin_token,
        captures: settings.mail.mode == MailMode::Capture,
        language: settings.site.language,
        trusted_proxies: settings.http.trusted_proxies,
        body_limit: settings.http.body_limit,
        body_timeout: settings.http.timeout,
        head_timeout: settings.http.timeout,
        idle_timeout: settings.http.idle_timeout,
        connections: settings.http.connections,
        smtp,
        look,
        accounts: identity(settings, base_url),
    }
}

/// How the pages look.
pub(super) fn look(settings: &Settings) -> http::pages::look::Settings {
    let site = &settings.site;
    http::pages::look::Settings {
        site_name: site.name.clone(),
        path: site.path.clone(),
        logo: site.logo.clone(),
        color: site.color,
        return_to: site.return_to.clone(),
        templates: site.templates.clone(),
    }
}

pub(super) fn capture(settings: &Settings) -> inbox::server::Settings {
    let smtp = &settings.smtp;
    let users = smtp
        .users
        .iter()
        .map(|(name, password)| inbox::session::User {
            name: name.clone(),
            password: password.clone(),
        });
    let users: Arc<[inbox::session::User]> = users.collect();
    inbox::server::Settings {
        rules: inbox::session::Rules {
            hostname: smtp.hostname.clone(),
            message_limit: smtp.message_limit,
            line_limit: smtp.line_limit,
            recipients: smtp.recipients,
            strict: smtp.strict,
            users: (!users.is_empty()).then_some(users),
            starttls: smtp.starttls,
        },
        connections: smtp.connections,
        memory: smtp.memory,
        command_timeout: smtp.command_timeout,
        data_timeout: smtp.data_timeout,
        grace: settings.http.grace,
    }
}

/// The relay: the team's own, or in capture mode the embedded server that listens at `capture`.
pub(super) fn relay(
    settings: &Settings,
    capture: SocketAddr,
) -> Result<mail::relay::Settings, StartError> {
    let relay = &settings.relay;
    let deadlines = deadlines(relay);
    let hello_name = hello_name(settings);
    if settings.mail.mode == MailMode::Capture {
        let capture = reachable(capture);
        let user = settings.smtp.users.first();
        return Ok(mail::relay::Settings {
            provider: None,
            host: capture.ip().to_string(),
            port: capture.port(),
            security: mail::relay::Security::None,
            user: user.map(|(name, _)| name.clone()),
            password: user.map(|(_, password)| password.clone()),
            ca_file: None,
            hello_name,
            // It never leaves this machine: the address is its own.
            allow_plaintext: true,
            deadlines,
        });
    }
    let host = relay.host.clone().ok_or_else(|| {
        StartError::Setting("relay.host (EMAIL_HOST) is not set, and mail.mode is relay".to_owned())
    })?;
    Ok(mail::relay::Settings {
        provider: relay.provider,
        host,
        port: relay.port,
        security: relay.security,
        user: relay.user.clone(),
        password: relay.password.clone(),
        ca_file: relay.ca_file.clone(),
        hello_name,
        allow_plaintext: relay.allow_plain,
        deadlines,
    })
}

/// The fallback, where there is one; deadlines and name are the relay's.
pub(super) fn fallback(settings: &Settings) -> Option<mail::relay::Settings> {
    let fallback = &settings.fallback;
    let relay = &settings.relay;
    Some(mail::relay::Settings {
        provider: fallback.provider,
        host: fallback.host.clone()?,
        port: fallback.port,
        security: fallback.security,
        user: fallback.user.clone(),
        password: fallback.password.clone(),
        ca_file: fallback.ca_file.clone(),
        hello_name: hello_name(settings),
        allow_plaintext: fallback.allow_plain,
        deadlines: deadlines(relay),
    })
}

fn deadlines(relay: &config::settings::Relay) -> mail::relay::Deadlines {
    mail::relay::Deadlines {
        connect: relay.connect_timeout,
        greeting: relay.hello_timeout,
        envelope: relay.envelope_timeout,
        content: relay.data_timeout,
        final_reply: relay.reply_timeout,
    }
}

fn hello_name(settings: &Settings) -> String {
    let name = settings.relay.hello_name.clone();
    name.unwrap_or_else(|| "localhost".to_owned())
}

/// The ways out: `relay`, and the `fallback` where there is one.
pub(super) fn routes(
    settings: &Settings,
    relay: mail::relay::Relay,
    fallback: Option<mail::relay::Relay>,
) -> mail::courier::Routes {
    let route = |relay, limits, captures| mail::courier::Route {
        relay,
        connections: settings.relay.connections,
        idle: settings.relay.idle_timeout,
        mails_per_connection: settings.relay.mails_per_connection,
        limits,
        captures,
    };
    let captures = settings.mail.mode == MailMode::Capture;
    let primary = match settings.mail.mode {
        // A provider's limits are nothing to the own inbox.
        MailMode::Capture => mail::route::Limits::default(),
        MailMode::Relay => mail::route::Limits {
            per_day: settings.relay.per_day,
            kept_for_codes: settings
                .relay
                .per_day
                .map_or(0, |per_day| settings.relay.kept_for_codes.of(per_day)),
            per_minute: settings.relay.per_minute,
        },
    };
    let spare = mail::route::Limits {
        per_day: settings.fallback.per_day,
        // Nothing but codes and links goes there.
        kept_for_codes: 0,
        per_minute: settings.fallback.per_minute,
    };
    mail::courier::Routes {
        primary: route(relay, primary, captures),
        fallback: fallback.map(|relay| route(relay, spare, false)),
    }
}

pub(super) fn courier(
    settings: &Settings,
    only: Option<mail::OutboxId>,
) -> mail::courier::Settings {
    mail::courier::Settings {
        lease: settings.relay.lease,
        only,
        sender: settings.mail.from.address.clone(),
    }
}
