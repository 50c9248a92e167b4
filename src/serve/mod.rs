//! The composition root: it opens the data folder, hands each room its settings, connects them
//! and starts what listens. No rule of the domain lives here, and no printing.

mod folder;
mod found;
mod rooms;
mod running;
mod test_mail;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::address::EmailAddress;
use crate::config::MailMode;
use crate::config::Settings;
use crate::events::Events;
use crate::http;
use crate::http::pages::Look;
use crate::identity::Accounts;
use crate::identity::password;
use crate::inbox;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::mail;
use crate::mail::Letter;
use crate::mail::Mailer;
use crate::mail::courier::Courier;
use crate::mail::relay::Relay;
use crate::mail::route::Board;
use crate::mail::route::RouteName;
use crate::operator;
use crate::secret::TokenHash;
use crate::store;
use crate::store::Store;
use crate::world::World;

pub use folder::Address;
pub use folder::Folder;
pub use folder::FolderError;
pub use found::FindError;
pub use found::Found;
pub use found::find;
pub use running::Running;
pub use test_mail::Outcome;
pub use test_mail::TestMailError;
pub use test_mail::send_test_mail;

use running::CAPTURE;
use running::Stop;

/// Between two rounds of clearing away what has lapsed.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// How many lapsed rows one transaction clears away, so that it stays short.
const SWEEP_AT_ONCE: usize = 500;

/// How often the store's lock is asked for again when nobody runs who could hold it, and how long
/// between.
const LOCK_TRIES: usize = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

/// Why gatepost could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("data folder: {0}")]
    Folder(#[from] FolderError),
    /// Another gatepost runs on the data folder.
    #[error(
        "another gatepost{who} is running on the data folder {folder}; stop it, or give this one a folder of its own with --data",
        who = who(.running.as_ref()),
        folder = .folder.display(),
    )]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// Who runs there, where it said so.
        running: Option<Address>,
    },
    /// The store does not open.
    #[error("{}: {source}", .path.display())]
    Store {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: store::OpenError,
    },
    /// An address cannot be listened on.
    #[error(
        "{setting} = {address}: {source}; choose another address or port (port 0 takes a free one)"
    )]
    Listen {
        /// The setting that names it.
        setting: &'static str,
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The pages cannot be shown as the operator wants them.
    #[error(transparent)]
    Look(#[from] http::pages::LookError),
    /// A mail template is broken.
    #[error(transparent)]
    Template(#[from] mail::TemplateError),
    /// The certificate of the capture server.
    #[error("the certificate of the SMTP service: {0}")]
    Certificate(#[from] inbox::tls::TlsError),
    /// The price of a password hash.
    #[error("password settings: {0}")]
    Price(#[from] password::MalformedPrice),
    /// The relay's settings.
    #[error("relay settings: {0}")]
    Relay(#[from] mail::relay::SetupError),
    /// The mail that it was started for.
    #[error(transparent)]
    Compose(#[from] mail::ComposeError),
    /// Settings that are each right and do not go together.
    #[error("{0}")]
    Setting(String),
}

fn who(running: Option<&Address>) -> String {
    running.map_or_else(String::new, |running| {
        format!(" (process {}, http://{})", running.pid, running.http)
    })
}

/// Opens everything and starts to listen. When it returns, all listeners take connections.
pub async fn start(settings: Settings, world: World) -> Result<Running, StartError> {
    start_with(settings, world, Journal::default()).await
}

/// The same, which shows the lines of `journal` as its log. It is the process's, as the log is.
///
/// # Errors
/// Those of [`start`].
pub async fn start_with(
    settings: Settings,
    world: World,
    journal: Journal,
) -> Result<Running, StartError> {
    Ok(open(settings, world, journal, None).await?.0)
}

/// The OpenAPI document of a gatepost with these settings, as JSON or YAML. Nothing is opened.
pub fn document(settings: &Settings, yaml: bool) -> String {
    let base_url = rooms::base_url(settings, settings.http.listen);
    // The document does not tell the operator's token; there need not be one.
    let nobody = TokenHash::of("");
    let settings = rooms::http(
        settings,
        &base_url,
        settings.http.listen,
        settings.smtp.listen,
        nobody,
        None,
    );
    match yaml {
        true => http::document_yaml(&settings),
        false => http::document(&settings),
    }
}

/// The ways out that these settings name, the primary first, whatever `mail.mode` says.
pub fn ways_out(settings: &Settings) -> Vec<(RouteName, mail::relay::Settings)> {
    let mut sending = settings.clone();
    sending.mail.mode = MailMode::Relay;
    // Without a host there is none; nothing else is asked of the listener's address.
    let primary = rooms::relay(&sending, settings.smtp.listen).ok();
    let fallback = rooms::fallback(settings);
    let primary = primary.map(|relay| (RouteName::Primary, relay));
    let fallback = fallback.map(|relay| (RouteName::Fallback, relay));
    primary.into_iter().chain(fallback).collect()
}

/// The parts that [`send_test_mail`] needs beside the running service.
struct Parts {
    /// The one mail that will be sent.
    letter: Option<Letter>,
    store: Store,
    events: Events,
    routes: Board,
    world: World,
}

/// Opens everything. With a `trial` it sends the test mail to that address and no other mail,
/// whoever waits in the outbox, and does not announce itself.
async fn open(
    settings: Settings,
    world: World,
    journal: Journal,
    trial: Option<&EmailAddress>,
) -> Result<(Running, Parts), StartError> {
    let folder = Folder::open(&settings.data.dir)?;
    let events = Events::default();
    journal.wake(events.clone());
    // The store's lock is what keeps a second process out: it comes before anything is written.
    let store = open_store(&folder, &settings, &events, &world).await?;
    // One that was killed left its address behind, where anybody may listen by now.
    folder.withdraw();
    let keys = folder.keys(&world)?;
    let admin_token = folder.admin_token(&world)?;
    let tls = inbox::tls::load_or_create(folder.path(), &settings.smtp.hostname)?;

    let (http_listener, http) = listen("http.listen", settings.http.listen)?;
    let (smtp_listener, smtp) = listen("smtp.listen", settings.smtp.listen)?;
    let implicit = settings.smtp.listen_tls;
    let implicit = implicit
        .map(|address| listen("smtp.listen_tls", address))
        .transpose()?;
    let (smtp_tls_listener, smtp_tls) = implicit.unzip();

    let base_url = rooms::base_url(&settings, http);
    let mailer = Mailer::new(
        rooms::mail(&settings, &base_url),
        keys.clone(),
        world.clone(),
    )?;
    let look = Look::load(rooms::look(&settings))?;
    let letter = trial
        .map(|to| mail::trial::compose(&mailer, to, settings.site.language))
        .transpose()?;
    let accounts = Accounts::new(
        rooms::identity(&settings, &base_url),
        store.clone(),
        mailer.clone(),
        keys.clone(),
        world.clone(),
    )?;
    let inbox = Inbox::new(store.clone(), events.clone(), world.clone());
    let relay = Relay::new(rooms::relay(&settings, smtp)?, world.clone())?;
    let fallback = match settings.mail.mode {
        MailMode::Capture => None,
        MailMode::Relay => rooms::fallback(&settings),
    };
    let fallback = fallback
        .map(|fallback| Relay::new(fallback, world.clone()))
        .transpose()?;

    let (stop, stopping) = watch::channel(Stop::No);
    let stopped = move |asked: Stop| {
        let mut stopping = stopping.clone();
        async move {
            // An error means that nobody is left who could stop it: then it stops as well.
            let _ = stopping.wait_for(|stop| *stop >= asked).await;
        }
    };
    let routes = Board::default();
    let grace = settings.http.grace;
    // What the courier is handing over goes to the capture server, unless there is a relay.
    let capture_stops = match settings.mail.mode {
        MailMode::Capture => Stop::Everything,
        MailMode::Relay => Stop::Requests,
    };
    let app = http::app(
        http::Services {
            accounts: accounts.clone(),
            inbox: inbox.clone(),
            mailer,
            store: store.clone(),
            events: events.clone(),
            routes: routes.clone(),
            journal,
            world: world.clone(),
        },
        rooms::http(
            &settings,
            &base_url,
            http,
            rooms::reachable(smtp),
            TokenHash::of(admin_token.expose()),
            Some(Arc::new(look)),
        ),
    );
    let listeners = inbox::server::Listeners {
        plain: smtp_listener,
        implicit: smtp_tls_listener,
    };
    let capture = inbox::server::serve(
        listeners,
        rooms::capture(&settings),
        inbox,
        Some(tls),
        world.clone(),
        stopped(capture_stops),
    );
    let pages = http::serve(http_listener, app, stopped(Stop::Requests), grace);
    let pages = async {
        if let Err(error) = pages.await {
            tracing::error!(%error, "the HTTP service ended");
        }
    };
    let sweep = sweep(
        accounts,
        store.clone(),
        settings.outbox.retention,
        world.clone(),
        stopped(Stop::Requests),
    );
    let tasks = vec![
        (CAPTURE, tokio::spawn(capture)),
        ("the HTTP service", tokio::spawn(pages)),
        ("clearing away what has lapsed", tokio::spawn(sweep)),
    ];
    let courier = Courier::start(
        rooms::courier(&settings, letter.as_ref().map(|letter| letter.id)),
        rooms::routes(&settings, relay, fallback),
        routes.clone(),
        store.clone(),
        events.clone(),
        keys,
        world.clone(),
    );
    if letter.is_none() {
        folder.announce(&Address {
            http: rooms::reachable(http),
            smtp: rooms::reachable(smtp),
            pid: std::process::id(),
        })?;
    }
    let running = Running {
        http,
        smtp,
        smtp_tls,
        admin_token_file: folder.admin_token_file(),
        base_url,
        stop,
        tasks,
        courier,
        grace,
        world: world.clone(),
        store: store.clone(),
        folder,
    };
    let parts = Parts {
        letter,
        store,
        events,
        routes,
        world,
    };
    Ok((running, parts))
}

async fn open_store(
    folder: &Folder,
    settings: &Settings,
    events: &Events,
    world: &World,
) -> Result<Store, StartError> {
    folder.guard_store()?;
    let path = folder.store();
    let open = || {
        let options = store::Options {
            cache_bytes: settings.store.cache,
            events: events.clone(),
        };
        Store::open(&path, options)
    };
    let mut opened = open();
    for _ in 0..LOCK_TRIES {
        match opened {
            // A command that looks who runs here has the lock for a moment, and no longer.
            Err(store::OpenError::InUse) if !found::in_use(&path) => world.sleep(LOCK_PAUSE).await,
            _ => break,
        }
        opened = open();
    }
    opened.map_err(|error| match error {
        store::OpenError::InUse => StartError::InUse {
            folder: folder.path().to_owned(),
            running: folder.running(),
        },
        source => StartError::Store {
            path: folder.store(),
            source,
        },
    })
}

fn listen(
    setting: &'static str,
    address: SocketAddr,
) -> Result<(TcpListener, SocketAddr), StartError> {
    let bound = inbox::server::bind(address)
        .and_then(|listener| listener.local_addr().map(|bound| (listener, bound)));
    bound.map_err(|source| StartError::Listen {
        setting,
        address,
        source,
    })
}

/// Clears away what has lapsed, a little at a time.
async fn sweep(
    accounts: Accounts,
    store: Store,
    mails_kept: Option<Duration>,
    world: World,
    stopped: impl Future<Output = ()>,
) {
    let failed = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "clearing away what has lapsed failed");
        0
    };
    let rounds = async {
        loop {
            let swept = accounts.sweep(SWEEP_AT_ONCE).await;
            let mut most = swept.unwrap_or_else(|error| failed(&error));
            let now = world.now();
            let oldest = mails_kept.map(|kept| now.minus(kept));
            let tidied = mail::outbox::tidy(&store, now, oldest, SWEEP_AT_ONCE).await;
            most = most.max(tidied.unwrap_or_else(|error| failed(&error)));
            let swept = operator::sweep_orders(&store, now, SWEEP_AT_ONCE).await;
            most = most.max(swept.unwrap_or_else(|error| failed(&error)));
            if most < SWEEP_AT_ONCE {
                world.sleep(SWEEP_EVERY).await;
            }
        }
    };
    tokio::select! {
        () = rounds => {}
        () = stopped => {}
    }
}
