//! A store, a mailer and a clock that stands still, for the tests of the courier.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use gatepost::address::EmailAddress;
use gatepost::events::{Events, Topic};
use gatepost::language::Language;
use gatepost::mail::attempt::Outcome;
use gatepost::mail::courier::{self, Courier, Route, Routes};
use gatepost::mail::outbox::{self, Row, State};
use gatepost::mail::relay::Relay;
use gatepost::mail::route::{Board, Limits};
use gatepost::mail::{self, Letter, Mailer, Occasion, OutboxId};
use gatepost::secret::{Code, CodeStyle, Keys};
use gatepost::store::{Options, Read, Store};
use gatepost::world::{Simulated, Timestamp, World};

use crate::relay::settings;

pub const LEASE: Duration = Duration::from_secs(60);
pub const LIFETIME: Duration = Duration::from_secs(600);

/// A store, a mailer and a clock that stands still.
pub struct Post {
    folder: tempfile::TempDir,
    pub simulated: Simulated,
    pub store: Store,
    pub events: Events,
    pub keys: Keys,
    pub mailer: Mailer,
    pub board: Board,
}

impl Post {
    pub fn new() -> Post {
        let folder = tempfile::tempdir().unwrap();
        let simulated = Simulated::new(1);
        let events = Events::default();
        let options = Options {
            events: events.clone(),
            ..Options::default()
        };
        let keys = Keys::from_root(&[1; 32]);
        let settings = mail::Settings {
            from: "小門房 <no-reply@example.com>".parse().unwrap(),
            site_name: "Example".to_owned(),
            base_url: "https://example.com".to_owned(),
            templates: None,
        };
        Post {
            store: Store::open(&folder.path().join("store.redb"), options).unwrap(),
            mailer: Mailer::new(settings, keys.clone(), simulated.world()).unwrap(),
            folder,
            simulated,
            events,
            keys,
            board: Board::default(),
        }
    }

    pub fn courier(&self, port: u16) -> Courier {
        self.courier_for(None, port)
    }

    /// A courier for one mail alone.
    pub fn courier_for(&self, only: Option<OutboxId>, port: u16) -> Courier {
        let routes = Routes {
            primary: self.route(port),
            fallback: None,
        };
        self.start(only, routes)
    }

    /// A way out to the server on this port.
    pub fn route(&self, port: u16) -> Route {
        Route {
            relay: Relay::new(settings(port), self.simulated.world()).unwrap(),
            connections: 4,
            idle: Duration::from_secs(5),
            mails_per_connection: 100,
            captures: false,
            limits: Limits::default(),
        }
    }

    pub fn start(&self, only: Option<OutboxId>, routes: Routes) -> Courier {
        self.start_as("no-reply@example.com", only, routes)
    }

    /// One that was started after the From was set to this.
    pub fn start_as(&self, sender: &str, only: Option<OutboxId>, routes: Routes) -> Courier {
        let sender = sender.parse().unwrap();
        Courier::start(
            courier::Settings {
                lease: LEASE,
                only,
                sender,
            },
            routes,
            self.board.clone(),
            self.store.clone(),
            self.events.clone(),
            self.keys.clone(),
            self.simulated.world(),
        )
    }

    pub fn code(&self, to: &str) -> (Letter, Code) {
        let code = Code::draw(&self.simulated.world(), CodeStyle::Digits);
        let occasion = Occasion::RegistrationCode {
            code: &code,
            lifetime: LIFETIME,
        };
        (self.letter(&occasion, to), code)
    }

    pub fn letter(&self, occasion: &Occasion<'_>, to: &str) -> Letter {
        let to: EmailAddress = to.parse().unwrap();
        self.mailer.compose(occasion, &to, Language::En).unwrap()
    }

    pub async fn enqueue(&self, letters: Vec<Letter>) {
        self.store
            .write(move |tx| {
                letters
                    .iter()
                    .try_for_each(|letter| outbox::enqueue(tx, letter))
            })
            .await
            .unwrap();
    }

    pub async fn row(&self, id: OutboxId) -> Row {
        let row = self.store.read(|read| outbox::get(read, id)).await;
        row.unwrap().unwrap()
    }

    pub async fn has_body(&self, id: OutboxId) -> bool {
        let body = self.store.read(|read| outbox::body(read, id)).await;
        body.unwrap().is_some()
    }

    /// A round of the outbox's own tidying, at most `limit` of each.
    pub async fn tidied(&self, older_than: Option<Timestamp>, limit: usize) -> usize {
        let now = self.simulated.world().now();
        outbox::tidy(&self.store, now, older_than, limit)
            .await
            .unwrap()
    }

    pub async fn outcomes(&self, id: OutboxId) -> Vec<Outcome> {
        let attempts = self.store.read(|read| outbox::attempts(read, id)).await;
        let attempts = attempts.unwrap();
        attempts.into_iter().map(|(_, a)| a.outcome).collect()
    }

    /// Waits until the row of `id` is as `wanted`, without the clock moving.
    pub async fn until(&self, id: OutboxId, wanted: impl Fn(&Row) -> bool) -> Row {
        let mut changes = self.events.watch(Topic::Outbox);
        let work = async {
            loop {
                let row = self.row(id).await;
                if wanted(&row) {
                    return row;
                }
                changes.changed().await;
            }
        };
        let patience = World::system().timeout(Duration::from_secs(30), work).await;
        match patience {
            Ok(row) => row,
            Err(_) => panic!("still {:?}", self.row(id).await),
        }
    }

    pub async fn until_state(&self, id: OutboxId, state: State) -> Row {
        self.until(id, |row| row.state == state).await
    }

    /// How many rows each table has.
    pub async fn tables(&self) -> BTreeMap<String, usize> {
        let count = self.store.read(|read| {
            let mut tables = BTreeMap::new();
            let all = read
                .reader()
                .range(Bound::Unbounded, Bound::Unbounded, false)?;
            for row in all {
                let (key, _) = row?;
                let name = key.split(|byte| *byte == 0).next().unwrap_or_default();
                let name = String::from_utf8_lossy(name).into_owned();
                *tables.entry(name).or_default() += 1;
            }
            Ok::<_, gatepost::store::Error>(tables)
        });
        count.await.unwrap()
    }

    /// Every byte that the store's file holds.
    pub async fn bytes_on_disk(self) -> Vec<u8> {
        self.store.close().await;
        std::fs::read(self.folder.path().join("store.redb")).unwrap()
    }
}
