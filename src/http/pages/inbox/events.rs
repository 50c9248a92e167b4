//! That mail came or went, told to a browser as it happens: it asks for the list again then. An
//! event says nothing but that; one that is left out is made up for by the next.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream;
use poem::IntoResponse as _;
use poem::Response;
use tokio::sync::{OwnedSemaphorePermit, watch};

use crate::events::Topic;
use crate::events::Watch;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visit;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply::EventStream;
use crate::world::World;

/// Between two events to one listener.
const GAP: Duration = Duration::from_millis(400);

/// A comment goes out when nothing else did for so long: a proxy between would take silence for a
/// dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

struct Listener {
    watch: Watch,
    world: World,
    closing: watch::Receiver<bool>,
    heartbeat: Duration,
    /// What is sent before anything happens.
    greeting: Option<Bytes>,
    /// Whether an event was sent just now.
    told: bool,
    _place: OwnedSemaphorePermit,
}

/// Listens.
pub async fn listen(site: Arc<Site>, visit: Visit) -> Result<Response, Problem> {
    site.desk.require_for_part(&visit)?;
    let parts = &site.desk.parts;
    if *parts.closing.borrow() {
        return Err(Problem::new(Kind::ShuttingDown).retry_after(HEARTBEAT));
    }
    let place = site.desk.places.clone().try_acquire_owned();
    let place = place.map_err(|_| Problem::new(Kind::Busy).retry_after(HEARTBEAT))?;
    let mut watch = parts.events.watch(Topic::Inbox);
    // A browser that comes back may have missed some: it is told once at the beginning.
    let count = watch.count();
    let listener = Listener {
        watch,
        world: site.world.clone(),
        closing: parts.closing.clone(),
        heartbeat: HEARTBEAT.min(parts.silence / 3),
        greeting: Some(format!("retry: 2000\nevent: inbox\ndata: {count}\n\n").into()),
        told: false,
        _place: place,
    };
    let chunks = stream::unfold(listener, |mut listener| async {
        let chunk = listener.next().await?;
        Some((chunk, listener))
    });
    Ok(EventStream(chunks.boxed()).into_response())
}

impl Listener {
    /// The next bytes; `None` when the service is being stopped.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        let mut closing = self.closing.clone();
        tokio::select! {
            chunk = self.chunk() => Some(chunk),
            // An error means that the service is gone, which is as good.
            _ = closing.wait_for(|closing| *closing) => None,
        }
    }

    async fn chunk(&mut self) -> Bytes {
        if std::mem::take(&mut self.told) {
            self.world.sleep(GAP).await;
        }
        tokio::select! {
            () = self.watch.changed() => {}
            () = self.world.sleep(self.heartbeat) => return Bytes::from_static(b":\n\n"),
        }
        self.told = true;
        let count = self.watch.count();
        format!("event: inbox\ndata: {count}\n\n").into()
    }
}
