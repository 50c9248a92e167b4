//! The operator's part: the outbox and the routes, people with their sessions and tokens, the
//! record, the log, the figures, the events. It needs the operator's token everywhere, also in
//! `dev` on loopback.

pub mod about;
pub mod audit;
pub mod events;
pub mod log;
pub mod mail;
pub mod outbox;
pub mod paging;
pub mod route;
pub mod routes;
pub mod sessions;
pub mod test_mail;
pub mod timeline;
pub mod tokens;
pub mod users;
