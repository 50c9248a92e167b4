//! What can be typed behind `gatepost outbox`.

use clap::Subcommand;

use crate::address::EmailAddress;
use crate::cli::server::Server;
use crate::mail::Kind;
use crate::mail::OutboxId;
use crate::mail::outbox::FAILING;
use crate::mail::outbox::State;
use crate::mail::route::RouteName;

/// What can be done with the outbox.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// The mails, newest first, and how many are in each state
    #[command(after_help = "\
Examples:
  gatepost outbox list
  gatepost outbox list --state failing --sort -tries
  gatepost outbox list --state dead --to ann@example.com
  gatepost outbox list --all --json | jq '.items[].why.text'")]
    List {
        /// Only those in this state: queued, sending, sent, uncertain, dead, expired, discarded;
        /// or failing: those that need somebody
        #[arg(long, value_parser = state)]
        state: Option<&'static str>,
        /// Only those of this kind, such as registration_code or message
        #[arg(long, value_parser = kind)]
        kind: Option<Kind>,
        /// Only those to this address
        #[arg(long, value_name = "ADDRESS")]
        to: Option<EmailAddress>,
        /// Only those with this in anything that is shown, in any case
        #[arg(long, alias = "q", value_name = "TEXT")]
        search: Option<String>,
        /// By what they are sorted: created_at, to, kind, state, tries, next_at; with - before it
        /// from the last to the first
        #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
        sort: Option<String>,
        /// How many
        #[arg(long, value_name = "N", default_value_t = 50, conflicts_with = "all")]
        #[arg(value_parser = clap::value_parser!(u32).range(1..))]
        limit: u32,
        /// Go on behind this cursor, which the page before named
        #[arg(long)]
        cursor: Option<String>,
        /// All of them
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        common: Common,
    },
    /// One mail: why it is where it is, what to do, and every attempt with its transcript
    #[command(after_help = "\
Example:
  gatepost outbox show ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE")]
    Show {
        /// Its name
        #[arg(value_parser = id)]
        id: OutboxId,
        #[command(flatten)]
        common: Common,
    },
    /// Try mails that wait at once, however long they would have waited
    #[command(after_help = "\
Example:
  gatepost outbox retry ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE

A route that is paused or rests is not tried for it: see gatepost outbox resume.")]
    Retry(Mails),
    /// Put dead mails back into the queue
    #[command(after_help = "\
Example:
  gatepost outbox requeue ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE

The same bytes are sent. For a code or a link that has lapsed a new one is made, and the new mail
is named.")]
    Requeue(Mails),
    /// Never send mails that wait; for 30 seconds this can be undone
    #[command(after_help = "\
Example:
  gatepost outbox discard ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE")]
    Discard(Mails),
    /// Take a discard back, within 30 seconds
    #[command(after_help = "\
Example:
  gatepost outbox undo ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE")]
    Undo(Mails),
    /// Send nothing over a route until it is resumed, also after a restart
    #[command(after_help = "\
Examples:
  gatepost outbox pause
  gatepost outbox pause fallback

Mail waits; codes lapse meanwhile.")]
    Pause(OneRoute),
    /// Send over a route again; one that rests after a failure is tried at once
    #[command(after_help = "\
Examples:
  gatepost outbox resume
  gatepost outbox resume fallback")]
    Resume(OneRoute),
    /// The routes: whether they are tried, what they may send, what went wrong and what to do
    #[command(after_help = "\
Example:
  gatepost outbox routes")]
    Routes {
        #[command(flatten)]
        common: Common,
    },
}

/// Mails to do something to.
#[derive(Debug, clap::Args)]
pub struct Mails {
    /// Their names
    #[arg(value_name = "ID", required = true, value_parser = id)]
    pub ids: Vec<OutboxId>,
    #[command(flatten)]
    pub common: Common,
}

/// A route to do something to.
#[derive(Debug, clap::Args)]
pub struct OneRoute {
    /// Which: primary or fallback
    #[arg(default_value = "primary", value_parser = route)]
    pub route: RouteName,
    #[command(flatten)]
    pub common: Common,
}

/// What all of them take.
#[derive(Debug, clap::Args)]
pub struct Common {
    #[command(flatten)]
    pub server: Server,
    /// Print JSON, as without a terminal: what the API answered
    #[arg(long)]
    pub json: bool,
}

fn id(text: &str) -> Result<OutboxId, String> {
    text.parse().map_err(|_| {
        "not the whole name of a mail: ob_ and 26 letters and digits, as `gatepost outbox list` shows it".to_owned()
    })
}

fn route(text: &str) -> Result<RouteName, String> {
    RouteName::from_word(text).ok_or_else(|| known(&RouteName::ALL.map(RouteName::word)))
}

fn state(text: &str) -> Result<&'static str, String> {
    let words: Vec<&str> = State::ALL
        .map(State::word)
        .into_iter()
        .chain([FAILING])
        .collect();
    let found = words.iter().find(|word| **word == text).copied();
    found.ok_or_else(|| known(&words))
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::from_word(text).ok_or_else(|| known(&Kind::ALL.map(Kind::word)))
}

fn known(words: &[&str]) -> String {
    format!("there are {}", words.join(", "))
}
