//! `gatepost dev` and `gatepost serve`: from the settings to the last line of the log, or to the
//! end of the dashboard beside it. SIGTERM and Ctrl-C stop it gracefully; a second one stops it at
//! once.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::client::Client;
use crate::config::LogFormat;
use crate::config::Request;
use crate::config::Settings;
use crate::config::Surroundings;
use crate::secret::SecretText;
use crate::serve;
use crate::serve::Running;
use crate::text;
use crate::tui::run::Dashboard;
use crate::tui::run::Setup;
use crate::world::World;

use super::Exit;
use super::FAILED;
use super::args;
use super::banner;
use super::dashboard;
use super::dashboard::Target;
use super::log;
use super::log::Log;
use super::output;
use super::ready::ReadyFile;
use super::server::failed;
use super::signals::Asked;
use super::signals::Signals;

/// How long the threads that still work at the end are waited for.
const LEFT_BEHIND_AFTER: Duration = Duration::from_secs(1);

/// Runs until it is told to stop; with `dashboard`, one is opened where there is a terminal, and
/// closing it is telling it to stop.
pub fn run(settings: Settings, ready_file: args::ReadyFile, dashboard: bool) -> Result<(), Exit> {
    let surroundings = Surroundings::of(&Request::of_process(settings.mode));
    let board = (dashboard && dashboard::is_possible(&surroundings))
        .then(|| {
            let target = Target {
                // Where it listens is known when it does.
                url: String::new(),
                flags: match settings.data.dir.as_os_str() == "data" {
                    true => String::new(),
                    false => {
                        let folder = settings.data.dir.display().to_string();
                        format!("--data {}", text::quoted(&folder))
                    }
                },
            };
            dashboard::setup(&settings, &surroundings, &target, false)
        })
        .transpose()?
        .map(|setup| Board {
            setup,
            surroundings,
        });
    let log = log::start(&settings.log);
    for warning in &settings.warnings {
        tracing::warn!("{warning}");
    }
    block_on(serve_until_told(settings, ready_file, board, &log))?
}

/// A dashboard to be opened.
struct Board {
    setup: Setup,
    surroundings: Surroundings,
}

impl Board {
    /// Opens it before the gatepost that is `running` in this process, by the road that one far
    /// away is looked at.
    fn open(mut self, running: &Running, log: &Log) -> Result<Open, Exit> {
        let file = &running.admin_token_file;
        let source = file.display().to_string();
        let token = std::fs::read_to_string(file)
            .map_err(|error| failed(&format_args!("{source}: {error}")))?;
        let token = SecretText::from(token.trim().to_owned());
        let client = Client::new(&running.local_url(), token, &source);
        let client = client.map_err(|error| failed(&error))?;
        let client = client.speaking(self.setup.tools.words.0);
        let client = dashboard::acting(client, &self.surroundings);
        client.url().clone_into(&mut self.setup.settings.url);
        // From here on a line of the log would stand in the middle of the picture.
        log.set_quiet(true);
        let opened = dashboard::open(client, self.setup);
        let (dashboard, closed) = opened.inspect_err(|_| log.set_quiet(false))?;
        Ok(Open { dashboard, closed })
    }
}

/// A dashboard that is open.
struct Open {
    dashboard: Dashboard,
    closed: oneshot::Receiver<()>,
}

impl Open {
    /// Completes when somebody has closed it.
    async fn closed(open: &mut Option<Open>) {
        match open {
            // An error means that it is gone, which is as good.
            Some(open) => drop((&mut open.closed).await),
            None => std::future::pending().await,
        }
    }
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

async fn serve_until_told(
    settings: Settings,
    ready_file: args::ReadyFile,
    board: Option<Board>,
    log: &Log,
) -> Result<(), Exit> {
    // Before anything is started: a signal that comes early must not kill it half-way.
    let mut signals = Signals::new(board.is_some()).map_err(|error| failed(&error))?;
    if let Some(path) = &ready_file.path {
        ReadyFile::remove_stale(path);
    }
    let banner = settings.clone();
    let mut running = tokio::select! {
        started = serve::start_with(settings, World::system(), log.journal.clone()) => {
            started.map_err(|error| failed(&error))?
        }
        () = signals.stop() => return Ok(()),
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
    if board.is_none() && banner.log.format == LogFormat::Human {
        // A full disk behind it is no reason not to serve; that it could not be shown is said.
        let _ = output::print(&banner::lines(&banner, running.http, running.smtp));
    }
    tracing::info!(http = %running.http, smtp = %running.smtp, "listening");
    let mut open = match board.map(|board| board.open(&running, log)).transpose() {
        Ok(open) => open,
        Err(exit) => {
            running.stop().await;
            return Err(exit);
        }
    };
    let broken = loop {
        tokio::select! {
            asked = signals.next() => match (asked, &open) {
                (Asked::Stop, _) => break None,
                (Asked::Suspend, Some(open)) => open.dashboard.suspend(),
                (Asked::Continue, Some(open)) => open.dashboard.go_on(),
                (Asked::Suspend | Asked::Continue, None) => {}
            },
            part = running.ended() => break Some(part),
            () = Open::closed(&mut open) => break None,
        }
    };
    // The terminal is given back before anything more is said on it.
    let picture = match open {
        None => Ok(()),
        Some(open) => dashboard::close(open.dashboard).await,
    };
    log.set_quiet(false);
    if let Err(error) = &picture {
        output::complain(&format!("error: the dashboard: {error}"));
    }
    match broken {
        None => tracing::info!("stopping; once more to stop at once"),
        // Whoever watches over it starts it again, whole.
        Some(part) => tracing::error!("{part} has ended by itself, a defect: stopping the rest"),
    }
    let stopped = tokio::select! {
        () = running.stop() => true,
        () = signals.stop() => false,
    };
    drop(ready);
    if !stopped {
        tracing::warn!("stopped at once: what ran was broken off");
        // The threads that still work would be waited for on any other way out.
        std::process::exit(i32::from(FAILED));
    }
    tracing::info!("stopped");
    match broken {
        None if picture.is_ok() => Ok(()),
        _ => Err(Exit(FAILED)),
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
