//! Server-sent events: what a listener is told, when, and when not.

use std::io::{Read as _, Write as _};
use std::time::Duration;

use gatepost::events::Topic;
use gatepost::mail::Occasion;
use gatepost::mail::outbox;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::api_client::{ADMIN, Request, Service};
use crate::harness::Gatepost;

/// An event as it came.
#[derive(Debug, Clone, PartialEq)]
struct Event {
    id: String,
    name: String,
    data: Value,
}

/// A client that listens.
struct Ear {
    stream: TcpStream,
    seen: Vec<u8>,
    told: usize,
}

impl Ear {
    async fn open(service: &Service, last: &str) -> Ear {
        let mut request = Request::new("GET", "/api/v1/admin/events").bearer(ADMIN);
        if !last.is_empty() {
            request = request.header("Last-Event-ID", last);
        }
        let mut stream = TcpStream::connect(service.address).await.unwrap();
        stream.write_all(&request.text()).await.unwrap();
        let mut ear = Ear {
            stream,
            seen: Vec::new(),
            told: 0,
        };
        ear.until(service, |text| text.contains("retry: 2000\n\n"))
            .await;
        ear
    }

    /// Everything as it came.
    fn text(&self) -> String {
        String::from_utf8(self.seen.clone()).unwrap()
    }

    /// All events so far. Each chunk holds whole events; the lines that frame them end in CR LF.
    fn events(&self) -> Vec<Event> {
        let text = self.text();
        let (_, body) = text.split_once("\r\n\r\n").expect("the head came");
        let lines = body.split('\n').filter(|line| !line.ends_with('\r'));
        let mut events = Vec::new();
        let mut event = ["", "", ""];
        for line in lines {
            match line.split_once(": ") {
                Some(("id", id)) => event[0] = id,
                Some(("event", name)) => event[1] = name,
                Some(("data", data)) => event[2] = data,
                _ if event[2].is_empty() => {}
                _ => {
                    events.push(Event {
                        id: event[0].to_owned(),
                        name: event[1].to_owned(),
                        data: serde_json::from_str(event[2]).unwrap(),
                    });
                    event = ["", "", ""];
                }
            }
        }
        events
    }

    /// Reads until `enough` of what came; `false` when the connection ended first.
    async fn until(&mut self, service: &Service, enough: impl Fn(&str) -> bool) -> bool {
        while !enough(&self.text()) {
            let mut some = [0; 4096];
            let read = self.stream.read(&mut some);
            let count = service.until(Duration::from_millis(20), read).await;
            match count {
                Ok(count) if count > 0 => self.seen.extend_from_slice(&some[..count]),
                _ => return false,
            }
        }
        true
    }

    /// The events that come next, once there are `count`.
    async fn next(&mut self, service: &Service, count: usize) -> Vec<Event> {
        loop {
            let events = self.events();
            if events.len() >= self.told + count {
                let new = events[self.told..].to_vec();
                self.told = events.len();
                return new;
            }
            let length = self.seen.len();
            let more = self.until(service, |text| text.len() > length).await;
            assert!(more, "it ended after {:?}", self.text());
        }
    }

    /// The first that comes next, which must be silence for a heartbeat.
    async fn silence(&mut self, service: &Service) {
        let length = self.seen.len();
        assert!(self.until(service, |text| text.len() > length).await);
        let new = String::from_utf8(self.seen[length..].to_vec()).unwrap();
        assert!(new.contains("\n:\n\n"), "{new:?}");
    }
}

async fn queue_a_mail(service: &Service) {
    let to = "ann@example.org".parse().unwrap();
    let language = gatepost::language::Language::En;
    let letter = service.mailer.compose(&Occasion::Test, &to, language);
    let letter = letter.unwrap();
    let write = service.store.write(move |tx| outbox::enqueue(tx, &letter));
    write.await.unwrap();
}

fn names(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.name.as_str()).collect()
}

#[tokio::test]
async fn everything_is_told_at_once_and_then_what_changes() {
    let service = Service::start().await;
    let mut ear = Ear::open(&service, "").await;
    let head = ear.text().to_ascii_lowercase();
    for header in [
        "http/1.1 200",
        "content-type: text/event-stream\r\n",
        "cache-control: no-store\r\n",
        "x-accel-buffering: no\r\n",
    ] {
        assert!(head.contains(header), "{header} is not in {head}");
    }
    let first = ear.next(&service, 5).await;
    assert_eq!(names(&first), ["inbox", "outbox", "routes", "audit", "log"]);
    assert_eq!(first[0].data["total"], 0);
    assert_eq!(first[1].data["queued"], 0);
    assert_eq!(first[2].data["items"], serde_json::json!([]));
    assert_eq!(first[3].data["newest"], serde_json::json!(null));

    queue_a_mail(&service).await;
    let next = ear.next(&service, 1).await;
    assert_eq!(names(&next), ["outbox"]);
    assert_eq!(next[0].data["queued"], 1);

    service.capture("ann@example.org", "Hello", "Hello").await;
    let next = ear.next(&service, 1).await;
    assert_eq!(names(&next), ["inbox"]);
    assert_eq!(next[0].data["total"], 1);
}

#[tokio::test]
async fn whoever_comes_back_is_told_what_changed_meanwhile_and_no_more() {
    let service = Service::start().await;
    let mut ear = Ear::open(&service, "").await;
    let first = ear.next(&service, 5).await;
    let last = first[4].id.clone();
    drop(ear);

    let mut again = Ear::open(&service, &last).await;
    again.silence(&service).await;
    assert_eq!(again.events(), []);
    drop(again);

    queue_a_mail(&service).await;
    let mut again = Ear::open(&service, &last).await;
    assert_eq!(names(&again.next(&service, 1).await), ["outbox"]);
    again.silence(&service).await;

    // Cut off after the first of five events: the others are told.
    let mut again = Ear::open(&service, &first[0].id).await;
    let told = again.next(&service, 4).await;
    assert_eq!(names(&told), ["outbox", "routes", "audit", "log"]);

    // The id of another process, and no id at all.
    for foreign in ["0123456789abcdef-1-1-1", "nonsense"] {
        let mut again = Ear::open(&service, foreign).await;
        assert_eq!(again.next(&service, 5).await.len(), 5, "{foreign}");
    }
}

#[tokio::test]
async fn many_changes_are_few_events_and_the_last_is_told() {
    let service = Service::start().await;
    let mut ear = Ear::open(&service, "").await;
    ear.next(&service, 5).await;
    let began = service.simulated.world().elapsed();
    for _ in 0..200 {
        queue_a_mail(&service).await;
        service.events.wake(Topic::Routes);
        service.simulated.advance(Duration::from_millis(10));
    }
    // Two seconds went by: at most twenty events, and those of the first moment.
    loop {
        let told = ear.next(&service, 1).await;
        let queued = told.iter().rfind(|event| event.name == "outbox");
        if queued.is_some_and(|event| event.data["queued"] == 200) {
            break;
        }
    }
    let took = service.simulated.world().elapsed() - began;
    let most = took.as_millis() / 100 + 6;
    let told = ear.events().len() - 5;
    assert!(told as u128 <= most, "{told} events in {took:?}");
}

#[tokio::test]
async fn a_silent_connection_is_kept_and_ends_with_the_service() {
    let mut service = Service::start().await;
    let mut ear = Ear::open(&service, "").await;
    ear.next(&service, 5).await;
    let began = service.simulated.world().elapsed();
    // Longer than a connection may lie idle.
    while service.simulated.world().elapsed() - began < Duration::from_secs(200) {
        ear.silence(&service).await;
    }
    queue_a_mail(&service).await;
    assert_eq!(names(&ear.next(&service, 1).await), ["outbox"]);
    service.stop();
    assert!(!ear.until(&service, |_| false).await);
    assert!(ear.text().ends_with("\r\n0\r\n\r\n"), "{}", ear.text());
}

#[tokio::test]
async fn there_is_room_for_so_many_listeners() {
    let service = Service::start().await;
    let mut ears = Vec::new();
    for _ in 0..64 {
        ears.push(Ear::open(&service, "").await);
    }
    let listen = || Request::new("GET", "/api/v1/admin/events").bearer(ADMIN);
    let refused = service.send(listen()).await;
    assert_eq!(refused.problem(), (503, "busy".to_owned()));
    assert!(refused.header("retry-after").is_some());
    ears.pop();
    // The server hears that it went away when it has something to tell.
    let came = async {
        loop {
            let mut stream = TcpStream::connect(service.address).await.unwrap();
            stream.write_all(&listen().text()).await.unwrap();
            let mut some = [0; 16];
            let count = stream.read(&mut some).await.unwrap();
            if some[..count].starts_with(b"HTTP/1.1 200") {
                return;
            }
            stream.read_to_end(&mut Vec::new()).await.unwrap();
        }
    };
    service.until(Duration::from_secs(1), came).await;
}

/// Reads on until an event of the routes tells that the primary is `state`.
fn hear_of_primary(gatepost: &Gatepost, stream: &mut std::net::TcpStream, state: &str) {
    let mut seen = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&seen);
        let told = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = told.filter_map(|data| serde_json::from_str::<Value>(data).ok());
        let primary = |event: &Value| {
            let items = event["items"].as_array().into_iter().flatten();
            let mut primary = items.filter(|route| route["name"] == "primary");
            primary.any(|route| route["state"] == state)
        };
        if events.into_iter().any(|event| primary(&event)) {
            return;
        }
        let mut some = [0; 4096];
        match stream.read(&mut some) {
            Ok(count) => {
                assert!(count > 0, "it ended after {text}");
                seen.extend_from_slice(&some[..count]);
            }
            // Nothing yet: events are held together for a moment of the clock that we move.
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}");
                gatepost.clock.advance(Duration::from_millis(100));
            }
        }
    }
}

#[test]
fn a_route_that_is_paused_and_resumed_is_told_as_the_courier_has_it() {
    let gatepost = Gatepost::start();
    let mut stream = std::net::TcpStream::connect(gatepost.listens()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let listen = Request::new("GET", "/api/v1/admin/events").bearer(&gatepost.admin());
    stream.write_all(&listen.text()).unwrap();
    hear_of_primary(&gatepost, &mut stream, "closed");
    for (action, state) in [("pause", "paused"), ("resume", "closed")] {
        let path = format!("routes/primary/{action}");
        gatepost.operate("POST", &path).expect(200);
        hear_of_primary(&gatepost, &mut stream, state);
    }
}

#[tokio::test]
async fn who_may_not_listen_is_told_so() {
    let service = Service::start().await;
    let path = "/api/v1/admin/events";
    let refused = service.get(path).await;
    assert_eq!(refused.problem(), (401, "admin_token_required".to_owned()));
    let refused = service.admin("GET", "events?since=1", &Value::Null).await;
    assert_eq!(refused.problem(), (400, "bad_parameter".to_owned()));
}
