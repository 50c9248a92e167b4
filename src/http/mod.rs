//! The HTTP room: the API that people, tests and other services talk to. It knows the domain's
//! modules and nothing knows it but `serve`.
//!
//! A request comes in through [`server`] (connections, deadlines), goes through `front` (ids,
//! limits, headers, problems) to an operation of [`api`], which parses nothing itself: bodies come
//! through `body`, and the domain takes texts. What goes wrong becomes a [`problem`]; which ones
//! an operation may answer stands in its signature (`declared`), and so in the `document`.

pub mod api;
mod body;
mod caller;
mod declared;
mod document;
mod front;
mod guard;
mod limits;
mod meter;
pub mod pages;
mod paths;
pub mod problem;
mod reply;
mod server;
mod shape;
mod yaml;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use poem::{Endpoint, IntoEndpoint as _, Request, Response};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::Value;
use tokio::sync::watch;

use crate::events::Events;
use crate::http::api::admin;
use crate::http::api::admin::about::AboutApi;
use crate::http::api::admin::about::Facts;
use crate::http::api::admin::audit::AuditApi;
use crate::http::api::admin::events::EventsApi;
use crate::http::api::admin::log::LogApi;
use crate::http::api::admin::outbox::OutboxApi;
use crate::http::api::admin::routes::RoutesApi;
use crate::http::api::admin::sessions::AllSessionsApi;
use crate::http::api::admin::test_mail::TestMailApi;
use crate::http::api::admin::timeline::TimelineApi;
use crate::http::api::admin::tokens::TokensApi;
use crate::http::api::admin::users::UsersApi;
use crate::http::api::auth::AuthApi;
use crate::http::api::inbox::InboxApi;
use crate::http::api::keys::KeysApi;
use crate::http::api::mail::MailApi;
use crate::http::api::profile::ProfileApi;
use crate::http::api::service::ServiceApi;
use crate::http::api::sessions::SessionsApi;
use crate::http::body::Intake;
use crate::http::front::Front;
use crate::http::front::RequestIds;
use crate::http::guard::Guard;
use crate::http::meter::Documented;
use crate::http::meter::Meter;
use crate::http::pages::Look;
use crate::http::pages::Site;
use crate::http::pages::Undocumented;
use crate::http::paths::Paths;
use crate::identity;
use crate::identity::Accounts;
use crate::inbox::Inbox;
use crate::journal::Journal;
use crate::language::Language;
use crate::mail::Mailer;
use crate::mail::route::Board;
use crate::operator::Bench;
use crate::operator::Operator;
use crate::secret::TokenHash;
use crate::store::Store;
use crate::world::World;

pub use server::serve;

/// How the HTTP service behaves.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the service is found from outside, without a slash at the end.
    pub base_url: String,
    /// Whether requests from this machine may read the inbox without a token (`dev`).
    pub open_on_loopback: bool,
    /// Whether it runs on a developer's machine (`dev`): codes and links may be revealed there.
    pub development: bool,
    /// Host names beside loopback that such requests may name.
    pub allowed_hosts: Vec<String>,
    /// Whether /metrics needs no token.
    pub open_metrics: bool,
    /// The hash of the operator's token.
    pub admin_token: TokenHash,
    /// Whether mail is captured here and does not go out.
    pub captures: bool,
    /// The language of mails to people who chose none.
    pub language: Language,
    /// How many proxies in front may tell the client's address (X-Forwarded-For).
    pub trusted_proxies: usize,
    /// The longest body, in bytes.
    pub body_limit: usize,
    /// How long a body may take to arrive.
    pub body_timeout: Duration,
    /// How long a request's head may take to arrive, from its first byte.
    pub head_timeout: Duration,
    /// How long a connection may lie idle between requests.
    pub idle_timeout: Duration,
    /// How many connections at once.
    pub connections: usize,
    /// Where mail is sent to be captured.
    pub smtp: SocketAddr,
    /// How the pages look; `None` where nobody looks at any.
    pub look: Option<Arc<Look>>,
    /// Whose limits the document tells.
    pub accounts: identity::Settings,
}

/// What the operations call.
#[derive(Clone)]
pub struct Services {
    /// Accounts.
    pub accounts: Accounts,
    /// Captured mail.
    pub inbox: Inbox,
    /// Composes the test mail.
    pub mailer: Mailer,
    /// For the outbox, and for readiness.
    pub store: Store,
    /// Those that the store wakes.
    pub events: Events,
    /// How the routes of outgoing mail are.
    pub routes: Board,
    /// The last lines of the log.
    pub journal: Journal,
    /// Time and chance.
    pub world: World,
}

type Apis = (
    AuthApi,
    ProfileApi,
    SessionsApi,
    InboxApi,
    MailApi,
    KeysApi,
    TestMailApi,
    OutboxApi,
    RoutesApi,
    (UsersApi, AllSessionsApi, TokensApi, TimelineApi),
    (AboutApi, AuditApi),
    EventsApi,
    LogApi,
    ServiceApi,
);

/// The whole service as an endpoint. Cheap to clone.
#[derive(Clone)]
pub struct App {
    front: Arc<Front>,
    settings: Arc<Settings>,
    closing: Arc<watch::Sender<bool>>,
}

/// Puts the service together. Call it within a runtime.
pub fn app(services: Services, settings: Settings) -> App {
    let document = completed(&settings);
    let closing = watch::Sender::new(false);
    let meter = Arc::new(Meter::new(documented(&document)));
    let guard = Arc::new(Guard {
        token: settings.admin_token,
        open_on_loopback: settings.open_on_loopback,
        allowed_hosts: settings.allowed_hosts.clone(),
    });
    let trusted_proxies = settings.trusted_proxies;
    let Services {
        accounts,
        inbox,
        mailer,
        store,
        events,
        routes,
        journal,
        world,
    } = services;
    let operator = Operator {
        store: store.clone(),
        world: world.clone(),
        mailer,
        accounts: accounts.clone(),
        inbox: inbox.clone(),
        // What is captured there is no secret from whoever sits before it.
        reveals: settings.development,
        routes,
        bench: Bench::default(),
    };
    let site = settings.look.clone().map(|look| {
        Site::new(pages::site::Parts {
            look,
            accounts: accounts.clone(),
            base_url: settings.base_url.clone(),
            language: settings.language,
            development: settings.development,
            trusted_proxies,
            desk: pages::inbox::Desk::new(pages::inbox::Parts {
                guard: guard.clone(),
                operator: operator.clone(),
                events: events.clone(),
                closing: closing.subscribe(),
                silence: settings.idle_timeout,
                smtp: settings.smtp,
            }),
            world: world.clone(),
        })
    });
    let profile = ProfileApi {
        accounts: accounts.clone(),
        trusted_proxies,
    };
    let apis: Apis = (
        AuthApi {
            accounts: accounts.clone(),
            trusted_proxies,
        },
        profile.clone(),
        SessionsApi {
            accounts: accounts.clone(),
            trusted_proxies,
        },
        InboxApi {
            inbox: inbox.clone(),
            store,
            operator: operator.clone(),
            trusted_proxies,
            guard: guard.clone(),
            closing: closing.subscribe(),
        },
        MailApi {
            operator: operator.clone(),
            language: settings.language,
            trusted_proxies,
        },
        KeysApi {
            guard: guard.clone(),
            operator: operator.clone(),
            trusted_proxies,
        },
        TestMailApi {
            guard: guard.clone(),
            operator: operator.clone(),
            events: events.clone(),
            language: settings.language,
            captures: settings.captures,
            trusted_proxies,
            closing: closing.subscribe(),
        },
        OutboxApi {
            guard: guard.clone(),
            operator: operator.clone(),
            language: settings.language,
            trusted_proxies,
        },
        RoutesApi {
            guard: guard.clone(),
            operator: operator.clone(),
            language: settings.language,
            trusted_proxies,
        },
        (
            UsersApi {
                guard: guard.clone(),
                operator: operator.clone(),
                trusted_proxies,
            },
            AllSessionsApi {
                guard: guard.clone(),
                operator: operator.clone(),
                trusted_proxies,
            },
            TokensApi {
                guard: guard.clone(),
                operator: operator.clone(),
                trusted_proxies,
            },
            TimelineApi {
                guard: guard.clone(),
                operator: operator.clone(),
                language: settings.language,
            },
        ),
        (
            AboutApi {
                guard: guard.clone(),
                operator: operator.clone(),
                meter: meter.clone(),
                facts: Facts {
                    development: settings.development,
                    captures: settings.captures,
                    base_url: settings.base_url.clone(),
                    language: settings.language,
                    started_at: world.now(),
                },
            },
            AuditApi {
                guard: guard.clone(),
                operator: operator.clone(),
            },
        ),
        EventsApi::new(
            guard.clone(),
            admin::events::Sources {
                operator: operator.clone(),
                inbox: inbox.clone(),
                journal: journal.clone(),
                events: events.clone(),
                closing: closing.subscribe(),
                silence: settings.idle_timeout,
                language: settings.language,
            },
        ),
        LogApi {
            guard: guard.clone(),
            journal,
        },
        ServiceApi {
            accounts,
            inbox,
            operator,
            meter: meter.clone(),
            guard,
            open_metrics: settings.open_metrics,
        },
    );
    let mut paths = Paths::default();
    for operation in documented(&document) {
        paths.add(&operation.route, &operation.method);
    }
    let mut undocumented = pages::docs::routes(document);
    undocumented.extend(site.iter().flat_map(pages::routes));
    for page in &undocumented {
        paths.add(&page.documented(), page.method.as_str());
    }
    let service = OpenApiService::new((apis, Undocumented(undocumented)), TITLE, VERSION);
    let front = Front {
        routes: poem::EndpointExt::boxed(service.into_endpoint()),
        short_cut: Some(profile),
        site,
        paths,
        meter,
        intake: Arc::new(Intake {
            limit: settings.body_limit,
            patience: settings.body_timeout,
            world: world.clone(),
        }),
        ids: RequestIds::new(&world),
        world,
    };
    App {
        front: Arc::new(front),
        settings: Arc::new(settings),
        closing: Arc::new(closing),
    }
}

impl App {
    /// Ends the waits: each answers that the service is being stopped.
    pub fn close(&self) {
        self.closing.send_replace(true);
    }

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn world(&self) -> &World {
        &self.front.world
    }
}

impl Endpoint for App {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(self.front.answer(request).await)
    }
}

const TITLE: &str = "gatepost";
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The OpenAPI document as JSON.
pub fn document(settings: &Settings) -> String {
    pages::docs::pretty(&completed(settings))
}

/// The OpenAPI document as YAML.
pub fn document_yaml(settings: &Settings) -> String {
    yaml::to_yaml(&completed(settings))
}

fn completed(settings: &Settings) -> Value {
    let frame = document::Frame {
        base_url: settings.base_url.clone(),
        tags: api::GROUPS,
        open_on_loopback: settings.open_on_loopback,
        public: match settings.open_metrics {
            true => &[api::service::GET_METRICS],
            false => &[],
        },
        notes: limits::notes(&settings.accounts, settings.body_limit),
    };
    document::complete(pages::docs::library_document::<Apis>(), &frame)
}

/// The operations of a completed document.
fn documented(document: &Value) -> Vec<Documented> {
    let ids = <Apis as OpenApi>::meta()
        .into_iter()
        .flat_map(|api| api.paths);
    let operations = ids.flat_map(|path| {
        let route = path.path;
        path.operations
            .into_iter()
            .map(move |operation| (route.clone(), operation))
    });
    operations
        .filter_map(|(route, operation)| {
            let method = operation.method.to_string();
            let responses = &document["paths"][&route][method.to_ascii_lowercase()]["responses"];
            let statuses = responses.as_object().into_iter().flatten();
            Some(Documented {
                id: operation.operation_id?,
                statuses: statuses
                    .filter_map(|(status, _)| status.parse().ok())
                    .collect(),
                method,
                route,
            })
        })
        .collect()
}
