//! Who acts for the operator, as the audit record names them.

use std::net::IpAddr;

use crate::text::hides;
use crate::text::is_visible;

/// The longest name, in characters.
const NAME_CHARS: usize = 64;

/// Whoever holds the operator's token. What they are called is what they claim: the token is the
/// same for all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// From where.
    pub ip: IpAddr,
    name: Option<String>,
}

/// No name that could stand in a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to {NAME_CHARS} characters, all of them visible")]
pub struct MalformedName;

impl By {
    /// Somebody at `ip` who does not say who they are.
    pub fn somebody(ip: IpAddr) -> By {
        By { ip, name: None }
    }

    /// The same, who says that they are called `name`.
    ///
    /// # Errors
    /// It is empty, too long, or not what it looks like.
    pub fn called(self, name: &str) -> Result<By, MalformedName> {
        let name = name.trim();
        if name.chars().any(hides) || !is_visible(name) || name.chars().count() > NAME_CHARS {
            return Err(MalformedName);
        }
        Ok(By {
            name: Some(name.to_owned()),
            ..self
        })
    }

    /// The actor of entries in the audit record.
    pub fn actor(&self) -> String {
        match &self.name {
            Some(name) => format!("operator:{name}"),
            None => "operator".to_owned(),
        }
    }
}
