//! `gatepost dev` and `gatepost serve`: from the settings to the last line of the log. SIGTERM
//! and Ctrl-C stop it gracefully; a second one stops it at once.

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

use crate::config::LogFormat;
use crate::config::Settings;
use crate::serve;
use crate::world::World;

use super::Exit;
use super::FAILED;
use super::args;
use super::banner;
use super::log;
use super::output;
use super::ready::ReadyFile;

/// Runs until it is told to stop.
pub fn run(settings: Settings, ready_file: args::ReadyFile) -> Result<(), Exit> {
    log::start(&settings.log);
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    runtime()?.block_on(serve_until_told(settings, ready_file))
}

/// The async threads that everything runs on.
pub fn runtime() -> Result<tokio::runtime::Runtime, Exit> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            output::complain(&format!("error: no threads to run on: {error}"));
            Exit(FAILED)
        })
}

async fn serve_until_told(settings: Settings, ready_file: args::ReadyFile) -> Result<(), Exit> {
    let failed = |what: &dyn std::fmt::Display| {
        output::complain(&format!("error: {what}"));
        Exit(FAILED)
    };
    // Before anything is started: a signal that comes early must not kill it half-way.
    let mut told = Told::new().map_err(|error| failed(&error))?;
    let banner = settings.clone();
    let running = tokio::select! {
        started = serve::start(settings, World::system()) => {
            started.map_err(|error| failed(&error))?
        }
        () = told.asked() => return Ok(()),
    };
    let ready = match &ready_file.path {
        None => None,
        Some(path) => match ReadyFile::write(path, running.http, running.smtp) {
            Ok(ready) => Some(ready),
            Err(error) => {
                running.stop().await;
                return Err(failed(&format_args!(
                    "--ready-file {}: {error}",
                    path.display()
                )));
            }
        },
    };
    if banner.log.format == LogFormat::Human {
        output::print(&banner::lines(&banner, running.http, running.smtp));
    }
    tracing::info!(http = %running.http, smtp = %running.smtp, "listening");
    told.asked().await;
    tracing::info!("stopping; once more to stop at once");
    let stopped = tokio::select! {
        () = running.stop() => true,
        () = told.asked() => false,
    };
    drop(ready);
    if !stopped {
        tracing::warn!("stopped at once: what ran was broken off");
        // The threads that still work would be waited for on any other way out.
        std::process::exit(i32::from(FAILED));
    }
    tracing::info!("stopped");
    Ok(())
}

/// The signals that ask gatepost to stop.
struct Told {
    terminate: Signal,
    interrupt: Signal,
}

impl Told {
    fn new() -> std::io::Result<Told> {
        Ok(Told {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    async fn asked(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
