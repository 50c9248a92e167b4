//! The log: lines for people or one JSON object a line, on the standard error.
//!
//! Only events of `tracing` are written: the libraries below that could repeat a password
//! (lettre) are built without it, and records of the `log` crate are not taken in.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::SubscriberBuilder;

use crate::config::Color;
use crate::config::LogFormat;
use crate::config::settings;

/// Starts writing. Once a process; a second call changes nothing.
pub fn start(settings: &settings::Log) {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = SubscriberBuilder::default()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let outcome = match settings.format {
        LogFormat::Human => {
            let color = match settings.color {
                Color::Auto => std::io::stderr().is_terminal(),
                Color::Always => true,
                Color::Never => false,
            };
            tracing::subscriber::set_global_default(builder.with_ansi(color).finish())
        }
        LogFormat::Json => tracing::subscriber::set_global_default(
            builder.json().flatten_event(true).with_ansi(false).finish(),
        ),
    };
    // Only a second call can fail, and the first log goes on.
    drop(outcome);
}
