//! One connection: reads, lets the session act, keeps the mails, writes the replies in one go.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_rustls::rustls::ServerConfig;

use super::Settings;
use super::memory::{Memory, Share};
use super::stream::Stream;
use crate::inbox::Inbox;
use crate::inbox::session::{Rules, Session, Stage, Step};
use crate::world::World;

/// Octets that are read at once. A page of it is in memory as long as commands are short.
const READ: usize = 16 << 10;

/// Replies are sent when so many octets wait, even while more commands are at hand.
const WRITE: usize = 32 << 10;

/// Everything a connection shares with the others.
pub(super) struct Shared {
    pub(super) rules: Arc<Rules>,
    pub(super) settings: Settings,
    pub(super) inbox: Inbox,
    pub(super) memory: Memory,
    pub(super) tls: Option<Arc<ServerConfig>>,
    pub(super) world: World,
}

/// Why a connection ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ended {
    /// The client is gone, or the transport failed.
    #[error(transparent)]
    Transport(#[from] io::Error),
    /// The client took too long.
    #[error("the client took too long")]
    TimedOut,
}

/// Serves `stream` to its end. `stopping` turns true when the server is told to stop.
pub(super) async fn serve(
    shared: &Shared,
    stream: Stream,
    peer: String,
    implicit: bool,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), Ended> {
    let patience = shared.settings.command_timeout;
    let mut stream = stream;
    if implicit && let Some(config) = &shared.tls {
        let handshake = stream.secure(config.clone());
        stream = shared.in_time(patience, handshake).await?;
    }
    let mut session = Session::new(shared.rules.clone(), Some(peer), implicit);
    let mut input = Vec::with_capacity(READ);
    let mut replies = Vec::with_capacity(512);
    let mut share = Share::new(shared.memory.clone());
    session.greet(&mut replies);
    let mut deadline = Deadline::start(shared, &session);
    loop {
        let mut unread = input.as_slice();
        loop {
            match session.advance(&mut unread, &mut replies, shared.world.now()) {
                Step::Read => break,
                Step::Reserve(octets) => {
                    // Nothing is read meanwhile, so the client feels it and waits as well. Half
                    // of its time is left for the rest, and for hearing that there was no room.
                    shared.send(&mut stream, &mut replies).await?;
                    let patience = deadline.left(&shared.world) / 2;
                    let granted = share.take(octets, patience, &shared.world).await;
                    session.reserved(granted);
                }
                Step::Deliver(captured) => {
                    let kept = shared.inbox.receive(*captured);
                    let kept = shared.world.timeout(shared.settings.data_timeout, kept);
                    let id = match kept.await {
                        Ok(Ok(id)) => Some(id),
                        Ok(Err(error)) => {
                            tracing::error!(%error, "a mail could not be kept; the client was told to try again");
                            None
                        }
                        Err(_) => {
                            tracing::error!(
                                "the store does not answer; the client was told to try again"
                            );
                            None
                        }
                    };
                    share.give_back();
                    session.delivered(id, &mut replies);
                }
                Step::StartTls => {
                    shared.send(&mut stream, &mut replies).await?;
                    let Some(config) = &shared.tls else {
                        return Ok(());
                    };
                    let handshake = stream.secure(config.clone());
                    stream = shared.in_time(patience, handshake).await?;
                    session.secured();
                }
                Step::Close => {
                    shared.send(&mut stream, &mut replies).await?;
                    return shared.in_time(patience, stream.close()).await;
                }
            }
            if replies.len() >= WRITE {
                shared.send(&mut stream, &mut replies).await?;
            }
        }
        input.clear();
        if session.stage() != Stage::Data {
            share.give_back();
        }
        if *stopping.borrow() && session.is_idle() {
            session.shut_down(&mut replies);
            continue;
        }
        shared.send(&mut stream, &mut replies).await?;
        deadline.follow(shared, &session);
        // Asked here as well: whoever floods has always something to read, and the clock below
        // would never have its turn.
        if deadline.left(&shared.world).is_zero() {
            session.time_out(&mut replies);
            continue;
        }
        let idle = session.is_idle() && !*stopping.borrow();
        tokio::select! {
            biased;
            read = stream.read(&mut input) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            // The next round sees that the server stops. An error means that it is gone.
            _ = stopping.changed(), if idle => {}
            () = shared.world.sleep(deadline.left(&shared.world)) => {
                session.time_out(&mut replies);
            }
        }
    }
}

impl Shared {
    /// Sends the replies, if there are any.
    async fn send(&self, stream: &mut Stream, replies: &mut Vec<u8>) -> Result<(), Ended> {
        if !replies.is_empty() {
            let sent = stream.write(replies);
            self.in_time(self.settings.command_timeout, sent).await?;
            replies.clear();
        }
        Ok(())
    }

    async fn in_time<T>(
        &self,
        limit: Duration,
        work: impl Future<Output = io::Result<T>>,
    ) -> Result<T, Ended> {
        match self.world.timeout(limit, work).await {
            Ok(done) => done.map_err(Ended::from),
            Err(_) => Err(Ended::TimedOut),
        }
    }
}

/// Until when the client must have completed its command or its mail. A client that sends one
/// byte a minute does not move it.
struct Deadline {
    turns: u64,
    stage: Stage,
    at: Duration,
}

impl Deadline {
    fn start(shared: &Shared, session: &Session) -> Deadline {
        let limit = match session.stage() {
            Stage::Command => shared.settings.command_timeout,
            Stage::Data => shared.settings.data_timeout,
        };
        Deadline {
            turns: session.turns(),
            stage: session.stage(),
            at: shared.world.elapsed().saturating_add(limit),
        }
    }

    fn follow(&mut self, shared: &Shared, session: &Session) {
        if self.turns != session.turns() || self.stage != session.stage() {
            *self = Deadline::start(shared, session);
        }
    }

    fn left(&self, world: &World) -> Duration {
        self.at.saturating_sub(world.elapsed())
    }
}
