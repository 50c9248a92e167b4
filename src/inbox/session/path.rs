//! The address and the parameters of MAIL and RCPT.
//!
//! smtp-proto parses these as well, but refuses an address without `<>`, one without a domain
//! and every unknown parameter, loses the quotation marks of a quoted local part, and makes
//! `<postmaster>` the null address. So this bit is parsed here, for both commands alike.

/// Octets of an address (RFC 5321, 4.5.3.1.3 allows 256).
const ADDRESS_LIMIT: usize = 320;

/// Which command the path belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    From,
    To,
}

/// What stood behind `MAIL FROM:` or `RCPT TO:`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Path<'a> {
    /// As it was written, without brackets and source route; empty for `<>`.
    pub(super) address: &'a str,
    /// It came without its brackets.
    pub(super) bare: bool,
    /// The rest of the line.
    pub(super) parameters: &'a str,
}

/// Why it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Not of the command's form at all.
    Syntax,
    /// The address is none.
    Address,
}

/// Reads what follows the verb.
pub(super) fn parse(side: Side, text: &str, strict: bool) -> Result<Path<'_>, Refused> {
    let keyword = match side {
        Side::From => "FROM",
        Side::To => "TO",
    };
    let text = text.trim_start();
    let rest = match text.get(..keyword.len()) {
        Some(given) if given.eq_ignore_ascii_case(keyword) => &text[keyword.len()..],
        _ => return Err(Refused::Syntax),
    };
    let rest = if strict { rest } else { rest.trim_start() };
    let rest = rest.strip_prefix(':').ok_or(Refused::Syntax)?;
    if strict && !rest.starts_with('<') {
        return Err(Refused::Syntax);
    }
    let rest = rest.trim_start();
    let (address, bare, parameters) = match rest.strip_prefix('<') {
        Some(inner) => {
            let end = find_unquoted(inner, |b| b == b'>').ok_or(Refused::Address)?;
            (inner[..end].trim(), false, &inner[end + 1..])
        }
        None if rest.is_empty() => return Err(Refused::Syntax),
        None => {
            let end = find_unquoted(rest, |b| b == b' ' || b == b'\t').unwrap_or(rest.len());
            (&rest[..end], true, &rest[end..])
        }
    };
    let address = without_route(address);
    let spaced = |b: u8| matches!(b, b' ' | b'\t' | b'<' | b'>');
    let null = address.is_empty() && !bare && side == Side::From;
    let complete = |address: &str| {
        address.eq_ignore_ascii_case("postmaster")
            || matches!(address.rsplit_once('@'), Some((local, domain)) if !local.is_empty() && !domain.is_empty())
    };
    if address.is_empty() && !null
        || address.len() > ADDRESS_LIMIT
        || find_unquoted(address, spaced).is_some()
        || strict && !null && !complete(address)
    {
        return Err(Refused::Address);
    }
    Ok(Path {
        address,
        bare,
        parameters: parameters.trim(),
    })
}

/// `@a,@b:c@d` names the mailbox `c@d`; the route before it is to be ignored (RFC 5321, 3.6.1).
fn without_route(address: &str) -> &str {
    match address.split_once(':') {
        Some((route, mailbox)) if route.starts_with('@') => mailbox,
        _ => address,
    }
}

/// The first octet that `wanted` takes outside a quoted string.
fn find_unquoted(text: &str, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if !quoted && wanted(byte) => return Some(at),
            _ => {}
        }
    }
    None
}

/// The parameters, name and value.
pub(super) fn parameters(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    text.split_ascii_whitespace()
        .map(|parameter| match parameter.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (parameter, None),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_all_kinds_are_read() {
        for (line, address, parameters) in [
            ("FROM:<a@example.com>", "a@example.com", ""),
            (
                "from: <a@example.com> SIZE=5 X",
                "a@example.com",
                "SIZE=5 X",
            ),
            (" FROM : < a@example.com >", "a@example.com", ""),
            ("FROM:<>", "", ""),
            ("FROM:<> BODY=8BITMIME", "", "BODY=8BITMIME"),
            ("FROM:a@example.com SIZE=5", "a@example.com", "SIZE=5"),
            (
                "FROM:<\"a >b\\\"\"@example.com>",
                "\"a >b\\\"\"@example.com",
                "",
            ),
            ("FROM:<@x.test,@y.test:a@example.com>", "a@example.com", ""),
            ("FROM:<postmaster>", "postmaster", ""),
            (
                "FROM:<用戶@example.com> SMTPUTF8",
                "用戶@example.com",
                "SMTPUTF8",
            ),
        ] {
            let path = parse(Side::From, line, false).unwrap();
            assert_eq!(
                (path.address, path.parameters),
                (address, parameters),
                "{line}"
            );
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        let long = format!("FROM:<{}@example.com>", "a".repeat(400));
        for line in [
            "",
            "FROM",
            "FROM:",
            "TO:<a@example.com>",
            "FROM <a@example.com>",
            "FROM:<a@example.com",
            "FROM:<a b@example.com>",
            "FROM:Amy<a@example.com>",
            "FROM:<\"a@example.com>",
            "FROM:<<a@b>>",
            &long,
        ] {
            assert!(parse(Side::From, line, false).is_err(), "{line}");
        }
        assert!(parse(Side::To, "TO:<>", false).is_err());
        for line in [
            "FROM: <a@example.com>",
            "FROM:a@example.com",
            "FROM:<a>",
            "FROM :<a@example.com>",
        ] {
            assert!(parse(Side::From, line, true).is_err(), "{line}");
        }
        assert!(parse(Side::To, "TO:<Postmaster>", true).is_ok());
    }
}
