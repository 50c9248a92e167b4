//! gatepost: one binary that gives a small team its accounts and its mail.
//!
//! People register with a code sent to their address, log in, and get back in by a mailed link or
//! code. The mail goes out through the mailbox that the team already has, or, in development,
//! into an inbox inside the same binary.
//!
//! # The layers
//!
//! Imports go downwards only; `tests/suite/layers.rs` reads them and fails on one that does not.
//!
//! | layer | what it is |
//! |---|---|
//! | [`cli`] | the commands; the only prints and exit codes |
//! | [`doctor`] · [`tui`] | looks at everything that a mail needs on its way out, and says what to do · the dashboard, a client of the HTTP API and of nothing else |
//! | [`serve`] · [`config`] · [`client`] | the composition root · settings and where each came from · a client of the HTTP API |
//! | [`http`] | the API and the [pages](http::pages); [`http::problem`] alone knows the status codes of errors |
//! | [`operator`] | what the operator and the team's programs do: the outbox, the routes, mail to be sent |
//! | [`identity`] | users, passwords, codes, sessions, recovery, limits |
//! | [`mail`] · [`inbox`] | outgoing mail · captured mail |
//! | [`audit`] | what happened |
//! | [`store`] · [`journal`] · [`events`] · [`minutes`] · [`id`] | transactions over typed tables · the last lines of the log · wake-ups, never the truth · counts of the last hour · identifiers |
//! | [`address`] · [`secret`] · [`language`] · [`text`] · [`world`] | values parsed once · what Debug prints as `***` · texts' languages · characters that nobody sees · time and chance |
//!
//! [`config`] is named by [`cli`], [`doctor`] and [`serve`] alone: each room has a plain `Settings` of its
//! own, which [`serve`] fills.
//!
//! # The road of a mail
//!
//! There is one road, in development as in production:
//!
//! 1. A use case of [`identity::Accounts`] asks [`mail::Mailer`] for a letter: a template and its
//!    values, rendered, frozen and sealed, outside any transaction.
//! 2. [`mail::outbox::enqueue`] puts it into the user's own transaction, next to the code, the
//!    counters and the [`audit`] record: they stand or fall together ([`store::Store::write`]).
//! 3. The commit wakes the [`mail::courier::Courier`], which claims the mail under a lease and
//!    hands it to the [`mail::relay::Relay`].
//! 4. The relay delivers over SMTP: to the team's provider, or to the capture server
//!    ([`inbox::server`]) on loopback, which answers 250 after its own durable commit.
//!
//! # What holds everywhere
//!
//! - Time and chance come from a [`world::World`]; tests move a [`world::Simulated`] one and
//!   sleep nowhere. clippy.toml bans the other doors.
//! - A transaction is a synchronous closure that may run twice: no I/O, no time, no chance in it.
//! - 250 and 2xx are said after the commit is durable; kill -9 loses nothing acknowledged.
//! - An answer, its time and its mails are the same for an address that exists and one that does
//!   not: the same letters are rendered and the same rows written for both.
//! - A mail's bytes are hostile. They are kept exactly as they came and filtered where they are
//!   shown: its HTML by [`inbox::safe_html`], and then in a frame that may do nothing.
//! - A GET changes nothing. Pages believe a form only if the browser that sends it was shown it.

pub mod address;
pub mod audit;
pub mod cli;
pub mod client;
pub mod config;
pub mod doctor;
pub mod events;
pub mod http;
pub mod id;
pub mod identity;
pub mod inbox;
pub mod journal;
pub mod language;
pub mod mail;
pub mod minutes;
pub mod operator;
pub mod secret;
pub mod serve;
pub mod store;
pub mod text;
pub mod tui;
pub mod world;
