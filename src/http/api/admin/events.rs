//! What happens, told as it happens, so that nobody has to ask again and again. An event says how
//! things are now and not what changed: one that is left out harms nobody, and a client that was
//! away has missed nothing that the next one does not tell.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::future::select_all;
use futures_util::stream;
use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::Header;
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::audit;
use crate::events::Events;
use crate::events::Topic;
use crate::events::Watch;
use crate::http::api::Group;
use crate::http::api::admin::mail::Counts;
use crate::http::api::admin::route::Routes;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::inbox;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::language::Language;
use crate::mail::outbox;
use crate::operator::Operator;
use crate::store;
use crate::world::World;

problems! {
    /// Of listening.
    ListenProblems: AdminRequired, BadParameter, Busy, ShuttingDown
}

/// How many may listen at once; each holds a connection.
const LISTENERS: usize = 64;

/// Between two events to one listener, on average.
const GAP: Duration = Duration::from_millis(100);

/// A comment goes out when nothing else did for so long: a proxy between would take silence for a
/// dead connection.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// After how many milliseconds a client that lost the connection comes back.
const COME_BACK: u64 = 2000;

/// Where events come from and what is read for them.
#[derive(Clone)]
pub struct Sources {
    /// For the outbox and the routes.
    pub operator: Operator,
    /// The captured mail.
    pub inbox: Inbox,
    /// The log.
    pub journal: Journal,
    /// Those that the store wakes.
    pub events: Events,
    /// Turns to `true` when the service is being stopped.
    pub closing: watch::Receiver<bool>,
    /// For how long a connection may be silent.
    pub silence: Duration,
    /// The language of texts for who asked for none.
    pub language: Language,
}

/// The events.
pub struct EventsApi {
    guard: Arc<Guard>,
    sources: Sources,
    /// Tells the counters of this process from those of another.
    boot: Arc<str>,
    places: Arc<Semaphore>,
}

impl EventsApi {
    /// Events out of `sources`, for whom `guard` lets pass.
    pub fn new(guard: Arc<Guard>, sources: Sources) -> EventsApi {
        let drawn = u64::from_be_bytes(sources.operator.world.bytes());
        EventsApi {
            guard,
            sources,
            boot: format!("{drawn:016x}").into(),
            places: Arc::new(Semaphore::new(LISTENERS)),
        }
    }
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl EventsApi {
    /// Be told what happens.
    ///
    /// Server-sent events: `outbox` with the counts by state, `inbox` with `{total}`, `routes` with
    /// what `list_routes` answers, `audit` with `{newest}`, the id of the newest entry (users,
    /// sessions and tokens change with it), and `log` with `{newest}`, the number of the newest line
    /// that is no debug or trace. Each tells how things are now. All of them come at once when
    /// the connection is made; a client that sends the `id` of the last event it saw as
    /// `Last-Event-ID` is told only what has changed since. At most ten a second; what happens in
    /// between is told by the next one.
    #[oai(path = "/events", method = "get", operation_id = "listen_to_events")]
    async fn listen(
        &self,
        request: &Request,
        token: AdminToken,
        /// The `id` of the last event that was seen.
        #[oai(name = "Last-Event-ID")]
        last_event_id: Header<Option<String>>,
    ) -> Result<reply::EventStream, Refused<ListenProblems>> {
        self.guard.require_token(&token)?;
        only(request, &[])?;
        if *self.sources.closing.borrow() {
            let problem = Problem::new(Kind::ShuttingDown);
            return Err(problem.retry_after(HEARTBEAT).into());
        }
        let place = self.places.clone().try_acquire_owned().map_err(|_| {
            Problem::new(Kind::Busy)
                .detail(format!("There are {LISTENERS} listeners already."))
                .retry_after(HEARTBEAT)
        })?;
        let seen = last_event_id.0.and_then(|id| seen(&self.boot, &id));
        let events = &self.sources.events;
        let listener = Listener {
            watches: Topic::ALL.map(|topic| events.watch(topic)),
            told: seen.unwrap_or_default(),
            greeted: false,
            free_at: Duration::ZERO,
            // Well before the server takes the silence for a client that went away.
            heartbeat: HEARTBEAT.min(self.sources.silence / 3),
            language: caller::language(request).unwrap_or(self.sources.language),
            sources: self.sources.clone(),
            boot: self.boot.clone(),
            _place: place,
        };
        let chunks = stream::unfold(listener, |mut listener| async {
            let chunk = listener.next().await?;
            Some((chunk, listener))
        });
        Ok(reply::EventStream(chunks.boxed()))
    }
}

const TOPICS: usize = Topic::ALL.len();

/// The counter of each topic when it was last told.
type Told = [Option<u64>; TOPICS];

/// What the client was told that saw the event with this id, if this process wrote it.
fn seen(boot: &str, id: &str) -> Option<Told> {
    let counts = id.strip_prefix(boot)?.strip_prefix('-')?;
    let counts: Vec<Option<u64>> = counts
        .split('-')
        .map(|count| match count {
            NEW => Some(None),
            count => count.parse().ok().map(Some),
        })
        .collect::<Option<_>>()?;
    counts.try_into().ok()
}

/// In place of the counter of a topic that was not told yet.
const NEW: &str = "new";

/// Whoever listens.
struct Listener {
    sources: Sources,
    boot: Arc<str>,
    language: Language,
    watches: [Watch; TOPICS],
    told: Told,
    greeted: bool,
    heartbeat: Duration,
    /// From when on the next event may go out, on the growing clock.
    free_at: Duration,
    _place: OwnedSemaphorePermit,
}

/// What the inbox's event tells.
#[derive(Serialize)]
struct InboxTold {
    total: Option<u64>,
}

/// What the events of the audit record and of the log tell.
#[derive(Serialize)]
struct NewestTold {
    newest: Option<String>,
}

impl Listener {
    /// The next bytes to be sent; `None` when it is over. It is asked only when the client has
    /// taken what came before: one that reads slowly is told less often, and nothing piles up.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            // At once, so that the client knows that it is connected.
            return Some(format!("retry: {COME_BACK}\n\n").into());
        }
        let mut closing = self.sources.closing.clone();
        tokio::select! {
            chunk = self.chunk() => match chunk {
                Ok(chunk) => Some(chunk),
                Err(error) => {
                    // The client comes back, and the store may have, too.
                    tracing::error!(%error, "events cannot be told");
                    None
                }
            },
            // An error means that the service is gone, which is as good.
            _ = closing.wait_for(|closing| *closing) => None,
        }
    }

    async fn chunk(&mut self) -> Result<Bytes, store::Error> {
        let world = self.world().clone();
        loop {
            let busy = self.free_at.saturating_sub(world.elapsed());
            if !busy.is_zero() {
                world.sleep(busy).await;
            }
            let (text, count) = self.round().await?;
            if count > 0 {
                self.free_at = world.elapsed() + GAP * count;
                return Ok(text.into());
            }
            let changes = self.watches.iter_mut();
            let changed = select_all(changes.map(|watch| Box::pin(watch.changed())));
            tokio::select! {
                _ = changed => {}
                () = world.sleep(self.heartbeat) => return Ok(Bytes::from_static(b":\n\n")),
            }
        }
    }

    /// The events of all topics that changed since they were told, and how many they are.
    async fn round(&mut self) -> Result<(String, u32), store::Error> {
        let (mut text, mut events) = (String::new(), 0);
        for (place, topic) in Topic::ALL.into_iter().enumerate() {
            // Counted before it is read: what comes in between is told again.
            let count = self.watches[place].count();
            if self.told[place] == Some(count) {
                continue;
            }
            let (event, data) = self.read(topic).await?;
            self.told[place] = Some(count);
            let id = self.id();
            text.push_str(&format!("id: {id}\nevent: {event}\ndata: {data}\n\n"));
            events += 1;
        }
        Ok((text, events))
    }

    /// The counters of what was told.
    fn id(&self) -> String {
        let counts = self.told.map(|count| match count {
            Some(count) => count.to_string(),
            None => NEW.to_owned(),
        });
        format!("{}-{}", self.boot, counts.join("-"))
    }

    async fn read(&self, topic: Topic) -> Result<(&'static str, String), store::Error> {
        Ok(match topic {
            Topic::Inbox => {
                let none = inbox::Filter::default();
                let page = self.sources.inbox.list(none, None, 1).await?;
                ("inbox", json(&InboxTold { total: page.total }))
            }
            Topic::Outbox => {
                let counts = self
                    .sources
                    .operator
                    .store
                    .read(|read| outbox::counts(read));
                ("outbox", json(&Counts::from(counts.await?)))
            }
            Topic::Routes => {
                let routes = self.sources.operator.statuses().await?;
                ("routes", json(&Routes::told(routes, self.language)))
            }
            Topic::Audit => {
                let newest = self.sources.operator.store.read(|read| audit::newest(read));
                let newest = newest.await?.map(|id| id.to_string());
                ("audit", json(&NewestTold { newest }))
            }
            Topic::Log => {
                let newest = self.sources.journal.newest();
                let newest = (newest > 0).then(|| newest.to_string());
                ("log", json(&NewestTold { newest }))
            }
        })
    }

    fn world(&self) -> &World {
        &self.sources.operator.world
    }
}

/// One line: JSON has its line ends escaped.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("events are plain data with text keys")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_of_this_process_are_understood() {
        let all = [1, 2, 3, 4, 5].map(Some);
        assert_eq!(seen("b007", "b007-1-2-3-4-5"), Some(all));
        let some = [Some(1), None, Some(3), None, Some(5)];
        assert_eq!(seen("b007", "b007-1-new-3-new-5"), Some(some));
        for id in [
            "",
            "b007",
            "b008-1-2-3-4-5",
            "b007-1-2-3-4",
            "b007-1-2-3-4-5-6",
            "b007-1-x-3-4-5",
            "b0071-2-3-4-5",
        ] {
            assert_eq!(seen("b007", id), None, "{id}");
        }
    }
}
