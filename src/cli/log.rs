//! The log: lines for people or one JSON object a line, on the standard error, and the last ones in
//! memory for the dashboard.
//!
//! Only events of `tracing` are written: the libraries below that could repeat a password
//! (lettre) are built without it, and records of the `log` crate are not taken in.

use std::io;
use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::config::Color;
use crate::config::LogFormat;
use crate::config::settings;
use crate::journal::Journal;
use crate::journal::Recorder;
use crate::world::World;

/// The log of this process.
pub struct Log {
    /// Its last lines.
    pub journal: Journal,
    quiet: Arc<AtomicBool>,
}

impl Log {
    /// Whether nothing is written on the standard error for now, if that is a terminal: there it
    /// would stand in the middle of a picture. The journal goes on.
    pub fn set_quiet(&self, quiet: bool) {
        let quiet = quiet && io::stderr().is_terminal();
        self.quiet.store(quiet, Ordering::SeqCst);
    }
}

/// The standard error, or nothing.
struct Out(Arc<AtomicBool>);

impl<'a> MakeWriter<'a> for Out {
    type Writer = Box<dyn io::Write + 'a>;

    fn make_writer(&'a self) -> Self::Writer {
        match self.0.load(Ordering::SeqCst) {
            true => Box::new(io::sink()),
            false => Box::new(io::stderr()),
        }
    }
}

/// Starts writing. Once a process; a second call changes nothing.
pub fn start(settings: &settings::Log) -> Log {
    let filter = EnvFilter::try_new(&settings.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let log = Log {
        journal: Journal::default(),
        quiet: Arc::default(),
    };
    let out = tracing_subscriber::fmt::layer().with_writer(Out(log.quiet.clone()));
    let out = match settings.format {
        LogFormat::Human => {
            let color = match settings.color {
                Color::Auto => io::stderr().is_terminal(),
                Color::Always => true,
                Color::Never => false,
            };
            out.with_ansi(color).boxed()
        }
        LogFormat::Json => out.json().flatten_event(true).with_ansi(false).boxed(),
    };
    let recorder = Recorder::new(log.journal.clone(), World::system());
    let subscriber = tracing_subscriber::registry()
        .with(filter)
        .with(recorder)
        .with(out);
    // Only a second call can fail, and the first log goes on.
    drop(tracing::subscriber::set_global_default(subscriber));
    log
}
