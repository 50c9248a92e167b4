//! Settings: flags beat the environment, which beats `.env`, which beats `gatepost.toml`, which
//! beats the defaults of the table in [`settings`]. Whatever is malformed, unknown or unsafe is an
//! error that names the setting, its source and what would be right; all of them are told at once.
//!
//! Only `cli`, `serve` and `doctor` name this module. Every other one has settings of its own,
//! which `serve` fills from these.

mod dotenv;
mod error;
mod file;
mod origin;
mod outbound;
mod picture;
mod rules;
pub mod settings;
mod site;
mod sources;
mod surroundings;
mod table;
pub mod value;

use std::path::PathBuf;

pub use crate::mail::relay::Security;
pub use error::{Error, Errors};
pub use origin::{Origin, Source};
pub use outbound::Share;
pub use picture::Look;
pub use settings::{DEFINITIONS, Settings};
pub use surroundings::Surroundings;
pub use table::{Alias, Definition};
pub use value::{Color, LogFormat, MailMode, Protocol};

/// What gatepost was started for; some defaults depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On a developer's machine: all mail is captured, limits per IP address are off.
    Dev,
    /// In production.
    Serve,
}

/// A flag of the command line that sets a setting.
#[derive(Debug, Clone)]
pub struct Flag {
    /// The setting's name.
    pub setting: &'static str,
    /// The flag as it was typed, such as `--http`.
    pub flag: &'static str,
    /// What was typed behind it.
    pub value: String,
}

/// Where settings are read from.
#[derive(Debug, Clone)]
pub struct Request {
    /// What gatepost is started for.
    pub mode: Mode,
    /// The flags that set something.
    pub flags: Vec<Flag>,
    /// The process's environment.
    pub environment: Vec<(String, String)>,
    /// The folder in which `.env` and `gatepost.toml` are looked for.
    pub folder: PathBuf,
    /// Another file in the place of `gatepost.toml`; it must exist.
    pub file: Option<PathBuf>,
}

impl Request {
    /// A request that reads this process's environment and the folder it was started in.
    pub fn of_process(mode: Mode) -> Request {
        Request {
            mode,
            flags: Vec::new(),
            // A variable that is not UTF-8 can set nothing: it is read with what can be read of it.
            environment: std::env::vars_os()
                .map(|(name, value)| {
                    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
                    (text(name), text(value))
                })
                .collect(),
            folder: PathBuf::new(),
            file: None,
        }
    }
}

/// Reads, parses and checks all settings.
///
/// # Errors
/// Everything that is wrong with them.
pub fn load(request: &Request) -> Result<Settings, Errors> {
    let (settings, errors) = load_despite(request);
    match settings {
        Some(settings) if errors.0.is_empty() => Ok(settings),
        _ => Err(errors),
    }
}

/// As [`load`], for whoever explains what is wrong: settings that are each right and do not go
/// together are handed back all the same, beside what is wrong with them.
pub fn load_despite(request: &Request) -> (Option<Settings>, Errors) {
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    let mut chosen = sources::choose(request, &mut errors, &mut warnings);
    rules::derive(request.mode, &mut chosen);
    let mut values = std::collections::HashMap::new();
    for (definition, origin) in DEFINITIONS.iter().zip(&chosen) {
        match (definition.read)(&origin.text) {
            Ok(value) => {
                values.insert(definition.name, value);
            }
            Err(right) => errors.push(Error::malformed(definition, origin, &right)),
        }
    }
    if !errors.is_empty() {
        return (None, Errors(errors));
    }
    let mut settings = settings::assemble(
        &mut |name| values.remove(name),
        request.mode,
        chosen
            .into_iter()
            .map(origin::Chosen::into_origin)
            .collect(),
    );
    let (errors, doubts) = rules::check(&settings);
    warnings.extend(doubts);
    settings.warnings = warnings;
    (Some(settings), Errors(errors))
}
