//! How the text of a setting becomes its value. Every reader answers a malformed text with what
//! would be right, as the end of the sentence "… is not"; none repeats the text, since it may be
//! a secret. What must not live here: names of settings.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::path::PathBuf;
use std::time::Duration;

use crate::identity::Policy;
use crate::language::Language;
use crate::mail::Sender;
use crate::mail::relay::Security;
use crate::secret::{CodeStyle, SecretText};

/// Where the mail goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailMode {
    /// Into the inbox of this very process.
    Capture,
    /// Out, through the relay.
    Relay,
}

/// The scheme of the links in mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// `http`
    Http,
    /// `https`
    Https,
}

impl Protocol {
    /// As it stands in a URL.
    pub const fn scheme(self) -> &'static str {
        match self {
            Protocol::Http => "http",
            Protocol::Https => "https",
        }
    }
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.scheme())
    }
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people, coloured on a terminal.
    Human,
    /// One JSON object a line.
    Json,
}

/// Whether the log is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Any text.
pub fn text(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// A text that may be left out.
pub fn optional(text: &str) -> Result<Option<String>, String> {
    Ok((!text.is_empty()).then(|| text.to_owned()))
}

/// A secret that may be left out.
pub fn secret(text: &str) -> Result<Option<SecretText>, String> {
    Ok((!text.is_empty()).then(|| SecretText::from(text.to_owned())))
}

/// A file or folder.
pub fn path(text: &str) -> Result<PathBuf, String> {
    match text {
        "" => Err("a path".to_owned()),
        text => Ok(text.into()),
    }
}

/// A file or folder that may be left out.
pub fn optional_path(text: &str) -> Result<Option<PathBuf>, String> {
    Ok((!text.is_empty()).then(|| text.into()))
}

/// What Django, shells and people write for yes and no.
pub fn flag(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "y" | "on" | "t" => Ok(true),
        "false" | "0" | "no" | "n" | "off" | "f" | "none" => Ok(false),
        _ => Err("true or false (also 1, 0, yes, no, on, off)".to_owned()),
    }
}

pub(super) fn number(text: &str, least: u64, most: u64) -> Result<u64, String> {
    text.replace('_', "")
        .parse()
        .ok()
        .filter(|number| (least..=most).contains(number))
        .ok_or_else(|| format!("a whole number from {least} to {most}"))
}

/// A whole number that may be 0.
pub fn count(text: &str) -> Result<usize, String> {
    number(text, 0, 1_000_000_000).map(|number| number as usize)
}

/// A whole number from 1 up.
pub fn positive(text: &str) -> Result<usize, String> {
    number(text, 1, 1_000_000_000).map(|number| number as usize)
}

/// [`positive`], where less room is needed.
pub fn positive_u32(text: &str) -> Result<u32, String> {
    number(text, 1, 1_000_000_000).map(|number| number as u32)
}

/// A whole number from 1 up, or `auto`.
pub fn positive_or_auto(text: &str) -> Result<Option<usize>, String> {
    match text {
        "auto" => Ok(None),
        text => number(text, 1, 1024)
            .map(|number| Some(number as usize))
            .map_err(|right| format!("{right}, or auto")),
    }
}

/// A TCP port.
pub fn port(text: &str) -> Result<u16, String> {
    number(text, 1, 65_535).map(|number| number as u16)
}

const DURATION: &str = "a duration such as 90s, 10m, 2h or 14d";

/// A number with ms, s, m, h or d behind it; several may follow one another (`1h30m`).
pub fn duration(text: &str) -> Result<Duration, String> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(DURATION.to_owned());
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (amount, tail) = rest.split_at(digits);
        let letters = tail.bytes().take_while(u8::is_ascii_alphabetic).count();
        let (unit, tail) = tail.split_at(letters);
        let millis = match unit.to_ascii_lowercase().as_str() {
            "ms" => 1,
            "s" | "sec" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(DURATION.to_owned()),
        };
        // Ten thousand days are more than anything here can mean, and far from any overflow.
        let amount = amount
            .parse::<u64>()
            .ok()
            .and_then(|amount| amount.checked_mul(millis))
            .filter(|millis| *millis <= 10_000 * 86_400_000)
            .ok_or(DURATION)?;
        total += Duration::from_millis(amount);
        rest = tail.trim_start();
    }
    Ok(total)
}

/// A [`duration`] that is not nothing.
pub fn some_duration(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|duration| {
        if duration.is_zero() {
            Err(format!("{DURATION}, and more than 0"))
        } else {
            Ok(duration)
        }
    })
}

/// A whole number from 1 up, or `off`.
pub fn most_or_off(text: &str) -> Result<Option<u32>, String> {
    match text {
        "off" => Ok(None),
        text => positive_u32(text)
            .map(Some)
            .map_err(|right| format!("{right}, or off")),
    }
}

/// A lease: shorter ones run out while a mail is being handed over.
pub fn lease(text: &str) -> Result<Duration, String> {
    const LEAST: Duration = Duration::from_secs(5);
    duration(text)
        .ok()
        .filter(|lease| *lease >= LEAST)
        .ok_or_else(|| format!("{DURATION}, and at least {}s", LEAST.as_secs()))
}

/// A [`some_duration`], or `off`.
pub fn duration_or_off(text: &str) -> Result<Option<Duration>, String> {
    match text {
        "off" => Ok(None),
        text => some_duration(text)
            .map(Some)
            .map_err(|right| format!("{right}, or off")),
    }
}

/// A size in bytes: a number with KB, MB, GB (thousands), KiB, MiB, GiB (1024) or B behind it.
pub fn size(text: &str) -> Result<usize, String> {
    let right = || "a size such as 512KiB, 25MB or 1GiB".to_owned();
    let text = text.trim();
    let digits = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'_')
        .count();
    let (amount, unit) = text.split_at(digits);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1000,
        "mb" | "m" => 1_000_000,
        "gb" | "g" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err(right()),
    };
    amount
        .replace('_', "")
        .parse::<u64>()
        .ok()
        .and_then(|amount| amount.checked_mul(factor))
        .filter(|bytes| (1..=1 << 40).contains(bytes))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(right)
}

/// The longest line: RFC 5321, 4.5.3.1.4 wants 512 bytes, and each connection may hold one.
pub fn line_size(text: &str) -> Result<usize, String> {
    size(text)
        .ok()
        .filter(|bytes| (512..=1 << 20).contains(bytes))
        .ok_or_else(|| "a size such as 4KiB, from 512 bytes to 1MiB".to_owned())
}

/// The largest message, which is held in memory.
pub fn message_size(text: &str) -> Result<usize, String> {
    size(text)
        .ok()
        .filter(|bytes| *bytes <= 1 << 30)
        .ok_or_else(|| "a size such as 512KiB or 25MB, at most 1GiB".to_owned())
}

/// The address of a listener: an IP address or `localhost`, and a port (0: any that is free).
pub fn listener(text: &str) -> Result<SocketAddr, String> {
    let right =
        || "an address such as 127.0.0.1:8000, [::1]:8000 or 0.0.0.0:0 (port 0: any)".to_owned();
    let text = match text.strip_prefix(':') {
        Some(_) => return Err(right()),
        None => text.replacen("localhost:", "127.0.0.1:", 1),
    };
    // Only literal addresses: a listener that hangs on a name server is no good start.
    text.parse::<SocketAddr>()
        .ok()
        .or_else(|| {
            let (host, port) = text.rsplit_once(':')?;
            let host: IpAddr = host.parse().ok()?;
            (host, port.parse::<u16>().ok()?)
                .to_socket_addrs()
                .ok()?
                .next()
        })
        .ok_or_else(right)
}

/// A [`listener`], or `off`.
pub fn listener_or_off(text: &str) -> Result<Option<SocketAddr>, String> {
    match text {
        "off" | "" => Ok(None),
        text => listener(text)
            .map(Some)
            .map_err(|right| format!("{right}, or off")),
    }
}

/// A host name as it is looked up, in ASCII, or an IP address without brackets.
fn host_name(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return inner.parse::<Ipv6Addr>().ok().map(|ip| ip.to_string());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Some(text.to_owned());
    }
    let host = idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::URL).ok()?;
    let labels = host.strip_suffix('.').unwrap_or(&host).split('.');
    let fits = |label: &str| (1..=63).contains(&label.len());
    (labels.into_iter().all(fits) && host.len() <= 253).then(|| host.into_owned())
}

/// A host name or IP address.
pub fn host(text: &str) -> Result<String, String> {
    host_name(text)
        .ok_or_else(|| "a host name such as smtp.example.com, without a scheme or port".to_owned())
}

/// A [`host`] that may be left out.
pub fn optional_host(text: &str) -> Result<Option<String>, String> {
    match text {
        "" => Ok(None),
        text => host(text).map(Some),
    }
}

/// A [`host`] as EHLO names it: an IP address in the brackets of RFC 5321, 4.1.3.
pub fn optional_hello(text: &str) -> Result<Option<String>, String> {
    let host = optional_host(text)?;
    Ok(host.map(|host| match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(ip)) => format!("[{ip}]"),
        Ok(IpAddr::V6(ip)) => format!("[IPv6:{ip}]"),
        Err(_) => host,
    }))
}

/// A host name, with or without a port, as links need it; it may be left out.
pub fn optional_domain(text: &str) -> Result<Option<String>, String> {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, digits)) if !host.contains(':') || host.ends_with(']') => {
            (host, digits.parse::<u16>().is_ok())
        }
        _ => (text, true),
    };
    match text {
        "" => Ok(None),
        _ if port && host_name(host).is_some() => Ok(Some(text.to_owned())),
        _ => Err("a domain such as example.com or localhost:3000, without http://".to_owned()),
    }
}

/// Texts with commas between them.
pub fn list(text: &str) -> Result<Vec<String>, String> {
    Ok(text
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect())
}

/// `NAME:PASSWORD` with commas between them.
pub fn users(text: &str) -> Result<Vec<(String, SecretText)>, String> {
    list(text)?
        .into_iter()
        .map(|user| match user.split_once(':') {
            Some((name, password)) if !name.is_empty() && !password.is_empty() => {
                Ok((name.to_owned(), SecretText::from(password.to_owned())))
            }
            _ => Err("a list such as ann:her-password,bob:his-password".to_owned()),
        })
        .collect()
}

/// A language.
pub fn language(text: &str) -> Result<Language, String> {
    text.parse()
        .map_err(|_| "one of zh-hant, zh-hans and en".to_owned())
}

/// Who mails come from.
pub fn sender(text: &str) -> Result<Sender, String> {
    text.parse().map_err(|_| {
        "an address, or Name <address>, such as Example <hello@example.com>".to_owned()
    })
}

/// [`MailMode`].
pub fn mail_mode(text: &str) -> Result<MailMode, String> {
    match text {
        "capture" => Ok(MailMode::Capture),
        "relay" => Ok(MailMode::Relay),
        _ => Err("capture or relay".to_owned()),
    }
}

/// [`Security`].
pub fn security(text: &str) -> Result<Security, String> {
    match text.to_ascii_lowercase().as_str() {
        "starttls" => Ok(Security::StartTls),
        "implicit" | "tls" | "ssl" => Ok(Security::Implicit),
        "none" => Ok(Security::None),
        _ => Err("starttls, implicit or none".to_owned()),
    }
}

/// [`Protocol`].
pub fn protocol(text: &str) -> Result<Protocol, String> {
    match text.trim_end_matches("://").to_ascii_lowercase().as_str() {
        "http" => Ok(Protocol::Http),
        "https" => Ok(Protocol::Https),
        _ => Err("http or https".to_owned()),
    }
}

/// [`CodeStyle`].
pub fn code_style(text: &str) -> Result<CodeStyle, String> {
    match text {
        "digits" => Ok(CodeStyle::Digits),
        "letters" => Ok(CodeStyle::Letters),
        _ => Err("digits or letters".to_owned()),
    }
}

/// [`LogFormat`].
pub fn log_format(text: &str) -> Result<LogFormat, String> {
    match text {
        "human" => Ok(LogFormat::Human),
        "json" => Ok(LogFormat::Json),
        _ => Err("human or json".to_owned()),
    }
}

/// [`Color`].
pub fn color(text: &str) -> Result<Color, String> {
    match text {
        "auto" => Ok(Color::Auto),
        "always" => Ok(Color::Always),
        "never" => Ok(Color::Never),
        _ => Err("auto, always or never".to_owned()),
    }
}

/// NO_COLOR as a [`color`]: any value but the empty one counts (<https://no-color.org>).
pub fn no_color(_: &str) -> Result<String, String> {
    Ok("never".to_owned())
}

/// A filter for the log, as `tracing` writes them.
pub fn log_level(text: &str) -> Result<String, String> {
    match text.parse::<tracing_subscriber::EnvFilter>() {
        Ok(_) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(
            "error, warn, info, debug or trace, or a filter such as info,gatepost::mail=debug"
                .to_owned(),
        ),
    }
}

/// How often something may be done.
pub fn policy(text: &str) -> Result<Policy, String> {
    text.parse()
        .map_err(|_| "a limit such as 30/hour, 30/10min or 5/hour, 20/day; or off".to_owned())
}

/// Django's USE_REAL_EMAIL as a [`mail_mode`].
pub fn real_email(text: &str) -> Result<String, String> {
    flag(text).map(|real| if real { "relay" } else { "capture" }.to_owned())
}
