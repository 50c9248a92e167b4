//! `gatepost dev` and `gatepost serve`: from the settings to the last line of the log. SIGTERM
//! and Ctrl-C stop it gracefully; a second one stops it at once.

use std::time::Duration;

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

/// How long the threads that still work at the end are waited for.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(1);

/// Runs until it is told to stop.
pub fn run(settings: Settings, ready_file: args::ReadyFile) -> Result<(), Exit> {
    log::start(&settings.log);
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    block_on(serve_until_told(settings, ready_file))?
}

/// Does `work` on threads of its own, and leaves behind what still blocks one of them when it is
/// done: a name server that does not answer would be waited for half a minute.
pub fn block_on<F: Future>(work: F) -> Result<F::Output, Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            output::complain(&format!("error: no threads to run on: {error}"));
            Exit(FAILED)
        })?;
    let outcome = runtime.block_on(work);
    runtime.shutdown_timeout(LEFT_BEHIND_AFTER);
    Ok(outcome)
}

async fn serve_until_told(settings: Settings, ready_file: args::ReadyFile) -> Result<(), Exit> {
    let failed = |what: &dyn std::fmt::Display| {
        output::complain(&format!("error: {what}"));
        Exit(FAILED)
    };
    // Before anything is started: a signal that comes early must not kill it half-way.
    let mut told = Told::new().map_err(|error| failed(&error))?;
    if let Some(path) = &ready_file.path {
        ReadyFile::remove_stale(path);
    }
    let banner = settings.clone();
    let mut running = tokio::select! {
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
        // A full disk behind it is no reason not to serve; that it could not be shown is said.
        let _ = output::print(&banner::lines(&banner, running.http, running.smtp));
    }
    tracing::info!(http = %running.http, smtp = %running.smtp, "listening");
    let broken = tokio::select! {
        () = told.asked() => None,
        part = running.ended() => Some(part),
    };
    match broken {
        None => tracing::info!("stopping; once more to stop at once"),
        // Whoever watches over it starts it again, whole.
        Some(part) => tracing::error!("{part} has ended by itself, a defect: stopping the rest"),
    }
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
    match broken {
        None => Ok(()),
        Some(_) => Err(Exit(FAILED)),
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering;
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_thread_that_blocks_is_not_waited_for() {
        let (started, start) = mpsc::channel::<()>();
        let (_held, release) = mpsc::channel::<()>();
        let waited = Arc::new(AtomicBool::new(false));
        let seen = waited.clone();
        let done = block_on(async move {
            tokio::task::spawn_blocking(move || {
                started.send(()).unwrap();
                // It ends with the time or with the test.
                let _ = release.recv_timeout(Duration::from_secs(15));
                seen.store(true, Ordering::SeqCst);
            });
            start.recv().unwrap();
        });
        assert!(done.is_ok());
        assert!(!waited.load(Ordering::SeqCst));
    }
}
