//! The signals that a command listens to while it runs.

use std::io;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

/// SIGTSTP, by its number here.
const SUSPEND: i32 = rustix::process::Signal::TSTP.as_raw();

/// SIGCONT, by its number here.
const CONTINUE: i32 = rustix::process::Signal::CONT.as_raw();

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// To end.
    Stop,
    /// To leave the terminal for a while.
    Suspend,
    /// To take it again: the process was stopped, and goes on.
    Continue,
}

/// The signals; from the moment that this is made they do nothing by themselves.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Those that come from a terminal that is drawn on: SIGHUP, SIGTSTP, SIGCONT.
    terminal: Option<[Signal; 3]>,
}

impl Signals {
    /// Listens to SIGTERM and SIGINT, and where a picture is `drawn` on the terminal, to SIGHUP,
    /// SIGTSTP and SIGCONT as well: what they do by themselves would leave the terminal as the
    /// picture needs it, or the picture on a terminal that is not its own.
    ///
    /// # Errors
    /// The system refuses.
    pub fn new(drawn: bool) -> io::Result<Signals> {
        let of_terminal = || {
            Ok::<_, io::Error>([
                signal(SignalKind::hangup())?,
                signal(SignalKind::from_raw(SUSPEND))?,
                signal(SignalKind::from_raw(CONTINUE))?,
            ])
        };
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            terminal: drawn.then(of_terminal).transpose()?,
        })
    }

    /// The next one. Nothing is lost when it is not waited for to its end.
    pub async fn next(&mut self) -> Asked {
        let of_terminal = async {
            match &mut self.terminal {
                None => std::future::pending().await,
                Some([hang_up, suspend, go_on]) => tokio::select! {
                    _ = hang_up.recv() => Asked::Stop,
                    _ = suspend.recv() => Asked::Suspend,
                    _ = go_on.recv() => Asked::Continue,
                },
            }
        };
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            asked = of_terminal => asked,
        }
    }

    /// Completes when it is asked to end.
    pub async fn stop(&mut self) {
        while self.next().await != Asked::Stop {}
    }
}
