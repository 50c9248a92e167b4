//! A command line, read. The verbs are smtp-proto's; for paths see [`path`].

use smtp_proto::{AUTH_LOGIN, AUTH_PLAIN, Error, Request};

use super::path::{self, Path, Side};

/// What the client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Hello {
        host: String,
        extended: bool,
    },
    Mail,
    Rcpt,
    Data,
    AuthPlain {
        initial: String,
    },
    AuthLogin {
        initial: String,
    },
    AuthOther,
    StartTls,
    Reset,
    Noop,
    Verify,
    Help,
    Quit,
    /// Not offered; a client that sends it all the same sends this many octets behind it.
    Bdat {
        octets: usize,
    },
    NotImplemented,
    /// Somebody speaks HTTP to the wrong port.
    Http,
    Unknown,
    /// A known verb with arguments that make no sense: how it should look.
    Malformed(&'static str),
}

/// The verbs of HTTP, which a browser can be made to send anywhere.
const HTTP: &[&str] = &[
    "GET", "POST", "PUT", "HEAD", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
];

/// Reads a line without its end. For MAIL and RCPT the path is read by [`path_of`].
pub(super) fn read(line: &str, buffer: &mut Vec<u8>) -> Command {
    let verb = line.split([' ', '\t']).next().unwrap_or(line);
    if verb.eq_ignore_ascii_case("MAIL") {
        return Command::Mail;
    }
    if verb.eq_ignore_ascii_case("RCPT") {
        return Command::Rcpt;
    }
    if HTTP.iter().any(|http| verb.eq_ignore_ascii_case(http)) && line.len() > verb.len() {
        return Command::Http;
    }
    // The parser wants a line with its LF, and a tab is no space to it.
    buffer.clear();
    buffer.extend_from_slice(line.as_bytes());
    buffer
        .iter_mut()
        .filter(|b| **b == b'\t')
        .for_each(|b| *b = b' ');
    buffer.push(b'\n');
    match Request::parse(&mut buffer.iter()) {
        Ok(request) => understand(request),
        Err(Error::UnknownCommand) => Command::Unknown,
        Err(_) if verb.eq_ignore_ascii_case("AUTH") && line.trim().len() > verb.len() => {
            Command::AuthOther
        }
        Err(Error::SyntaxError { syntax }) => Command::Malformed(syntax),
        Err(_) => Command::Malformed("see RFC 5321"),
    }
}

fn understand(request: Request<std::borrow::Cow<'_, str>>) -> Command {
    match request {
        Request::Ehlo { host } => Command::Hello {
            host: host.into_owned(),
            extended: true,
        },
        Request::Helo { host } => Command::Hello {
            host: host.into_owned(),
            extended: false,
        },
        Request::Mail { .. } => Command::Mail,
        Request::Rcpt { .. } => Command::Rcpt,
        Request::Data => Command::Data,
        Request::Auth {
            mechanism,
            initial_response,
        } => match mechanism {
            AUTH_PLAIN => Command::AuthPlain {
                initial: initial_response.into_owned(),
            },
            AUTH_LOGIN => Command::AuthLogin {
                initial: initial_response.into_owned(),
            },
            _ => Command::AuthOther,
        },
        Request::StartTls => Command::StartTls,
        Request::Rset => Command::Reset,
        Request::Noop { .. } => Command::Noop,
        Request::Vrfy { .. } => Command::Verify,
        Request::Help { .. } => Command::Help,
        Request::Quit => Command::Quit,
        Request::Bdat { chunk_size, .. } => Command::Bdat { octets: chunk_size },
        Request::Lhlo { .. }
        | Request::Expn { .. }
        | Request::Etrn { .. }
        | Request::Atrn { .. }
        | Request::Burl { .. } => Command::NotImplemented,
    }
}

/// The path of a MAIL or RCPT line.
pub(super) fn path_of(side: Side, line: &str, strict: bool) -> Result<Path<'_>, path::Refused> {
    // Both verbs have four letters.
    path::parse(side, line.get(4..).unwrap_or_default(), strict)
}
