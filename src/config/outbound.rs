//! The settings of the relay and of the fallback: which provider is meant, what follows from that,
//! and what does not go together there. What must not live here: what is known of a provider (see
//! [`crate::mail::provider`]).

use crate::mail::provider;
use crate::mail::provider::Provider;

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
