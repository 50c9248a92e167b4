//! Who gatepost writes as: an address with a display name in any script.

use std::fmt;
use std::str::FromStr;

use crate::address::{EmailAddress, MalformedAddress};

/// The From of every mail. Parses `ann@example.com`, `Ann <ann@example.com>` and
/// `"Ann, of Example" <ann@example.com>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    /// What is shown beside the address.
    pub name: Option<String>,
    /// The address itself.
    pub address: EmailAddress,
}

/// Why a text is no [`Sender`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSender {
    /// The address in it.
    #[error("{0} (write `name@example.com` or `Name <name@example.com>`)")]
    Address(#[from] MalformedAddress),
    /// The display name holds a line break or another control character.
    #[error("a display name holds no control character")]
    Name,
}

impl FromStr for Sender {
    type Err = MalformedSender;

    fn from_str(text: &str) -> Result<Sender, MalformedSender> {
        let text = text.trim();
        let Some((name, address)) = text
            .strip_suffix('>')
            .and_then(|inner| inner.rsplit_once('<'))
        else {
            return Ok(Sender {
                name: None,
                address: text.parse()?,
            });
        };
        let name = unquoted(name.trim());
        if name.chars().any(char::is_control) {
            return Err(MalformedSender::Name);
        }
        Ok(Sender {
            name: (!name.is_empty()).then_some(name),
            address: address.parse()?,
        })
    }
}

/// The name without the quotes and backslashes of RFC 5322, 3.2.4, if it has them.
fn unquoted(name: &str) -> String {
    let Some(inner) = name
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    else {
        return name.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    plain.trim().to_owned()
}

impl fmt::Display for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_any_script_quoted_or_not() {
        for (text, name, address) in [
            ("ann@example.com", None, "ann@example.com"),
            ("<ann@example.com>", None, "ann@example.com"),
            (
                "小門房 <no-reply@例子.test>",
                Some("小門房"),
                "no-reply@xn--fsqu00a.test",
            ),
            (
                r#" "Ann \"A\", of <Example>" <ann@example.com> "#,
                Some(r#"Ann "A", of <Example>"#),
                "ann@example.com",
            ),
        ] {
            let sender: Sender = text.parse().unwrap();
            assert_eq!(sender.name.as_deref(), name, "{text}");
            assert_eq!(sender.address.as_str(), address, "{text}");
        }
        assert_eq!("Ann".parse::<Sender>(), Err(MalformedAddress::Form.into()));
        assert_eq!(
            "A\r\nBcc: x <ann@example.com>".parse::<Sender>(),
            Err(MalformedSender::Name)
        );
    }
}
