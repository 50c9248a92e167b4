//! What can be typed behind `gatepost`. What must not live here: what it does.

use std::path::PathBuf;

use clap::Parser;
use clap::Subcommand;
use clap::builder::styling::Styles;

use crate::config::Flag;

use super::dashboard;
use super::desk;
use super::doctor;
use super::key;
use super::outbox;
use super::people;

/// Accounts and mail for a small team, in one binary.
#[derive(Debug, Parser)]
#[command(name = "gatepost", version, arg_required_else_help = true, styles = Styles::plain())]
#[command(after_help = "\
Examples:
  gatepost dev                        HTTP on 127.0.0.1:8000, an SMTP inbox on 127.0.0.1:1025
  gatepost tui                        the dashboard of a gatepost that runs
  gatepost serve --http 0.0.0.0:8000  in production, behind a proxy that speaks TLS
  gatepost config                     every setting, its value and where it came from
  gatepost send-test-mail ann@example.com
  gatepost outbox list                what waits, what went wrong and why
  gatepost key create billing         a key for a program that sends mail through gatepost

Settings come from flags, the environment, .env, gatepost.toml and defaults, in this order.
The setting a.b_c of gatepost.toml is GATEPOST_A_B_C in the environment; EMAIL_HOST,
DEFAULT_FROM_EMAIL, USE_REAL_EMAIL and the other names of a Django project work unchanged.

Exit codes: 0 all went well, 1 it did not, 2 the command line or the settings are wrong.")]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What gatepost can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run on a developer's machine: every mail is captured, none goes out
    #[command(after_help = "\
Examples:
  gatepost dev
  gatepost dev --no-dashboard
  gatepost dev --http 127.0.0.1:0 --smtp 127.0.0.1:0 --data /tmp/gatepost --ready-file ready.json

Whatever USE_REAL_EMAIL says, mail is captured; limits per IP address are off unless set. On a
terminal the dashboard is opened beside it, and the log is in there.")]
    Dev {
        #[command(flatten)]
        common: Common,
        /// Print the log in the place of opening the dashboard
        #[arg(long)]
        no_dashboard: bool,
        #[command(flatten)]
        ready_file: ReadyFile,
    },
    /// Run in production: mail goes out through the relay with USE_REAL_EMAIL=1
    #[command(after_help = "\
Examples:
  gatepost serve --data /var/lib/gatepost
  USE_REAL_EMAIL=1 EMAIL_HOST=smtp.gmail.com EMAIL_USE_TLS=True gatepost serve

Without USE_REAL_EMAIL=1 (or mail.mode = \"relay\") mail is captured, and a line says so.")]
    Serve {
        #[command(flatten)]
        common: Common,
        #[command(flatten)]
        ready_file: ReadyFile,
    },
    /// Open the dashboard: every mail, token and failure of a gatepost that runs
    #[command(after_help = "\
Examples:
  gatepost tui
  gatepost tui --data /var/lib/gatepost --read-only
  gatepost tui --url https://example.com --token-file admin.token

It talks to the gatepost that runs on the data folder (--data), or to the one at --url. `?` shows
its keys. Where there is no terminal, it prints what its first page would say as JSON.")]
    Tui(dashboard::Args),
    /// Show every setting, its value and where it came from; secrets are masked
    Config {
        #[command(flatten)]
        common: Common,
        /// Show what `gatepost dev` would use instead of `gatepost serve`
        #[arg(long)]
        dev: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print the OpenAPI document of the HTTP API
    Openapi {
        #[command(flatten)]
        common: Common,
        /// Print YAML instead of JSON
        #[arg(long)]
        yaml: bool,
    },
    /// Send a mail through the outbox, wait for the outcome and say what happened
    #[command(
        alias = "sendtestmail",
        after_help = "\
Examples:
  gatepost send-test-mail ann@example.com
  USE_REAL_EMAIL=1 gatepost send-test-mail ann@example.com

It goes through the gatepost that runs on the data folder; when none does, one is started for this
one mail. What is told: the steps that were reached, and where one failed, the relay's words, what
they mean and what to do.

The exit code is 0 when the mail was sent (or captured), 1 when it was not, 2 when the address or
a setting is wrong."
    )]
    SendTestMail {
        /// Whom to send it to
        address: String,
        #[command(flatten)]
        common: Common,
    },
    /// Look at everything that a mail needs on its way out, and say what to do
    #[command(after_help = "\
Examples:
  gatepost doctor                            settings, DNS, TCP, TLS, login, From, recipient
  gatepost doctor --relay                    the relay too, although mail is captured
  gatepost doctor --send-to ann@example.com  and one real mail in the end
  gatepost doctor --json

Nothing is sent without --send-to. It may be run beside a gatepost that is running. The exit
code is 0 when no step failed, and 1 otherwise.")]
    Doctor(doctor::Args),
    /// See what waits in the outbox and why; retry, requeue, discard; pause and resume routes
    #[command(after_help = "\
Examples:
  gatepost outbox list --state dead
  gatepost outbox show ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE
  gatepost outbox routes
  gatepost outbox list --url https://example.com --token-file admin.token

They talk to the gatepost that runs on the data folder (--data), or to the one at --url. On a
terminal they print tables, otherwise JSON.")]
    Outbox {
        #[command(subcommand)]
        command: outbox::args::Command,
    },
    /// Make, list and revoke the API keys of the team's other programs
    #[command(after_help = "\
Examples:
  (umask 077; gatepost key create billing > billing.key)
  gatepost key list
  gatepost key revoke ak_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Key {
        #[command(subcommand)]
        command: key::Command,
    },
    /// List accounts; lock, unlock, mail a reset link, end sessions
    #[command(after_help = "\
Examples:
  gatepost user list --search ann
  gatepost user lock us_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    User {
        #[command(subcommand)]
        command: people::UserCommand,
    },
    /// List everybody's sessions, and end them
    #[command(after_help = "\
Examples:
  gatepost session list --state live
  gatepost session revoke se_01KDX0A9R7V8W6Z5Y4X3T2S1Q0")]
    Session {
        #[command(subcommand)]
        command: people::SessionCommand,
    },
    /// List codes, reset links and verification tokens, and revoke them; reveal them in dev
    #[command(after_help = "\
Examples:
  gatepost token list --email ann@example.com
  gatepost token revoke tk_AmFubkBleGFtcGxlLmNvbQAAgAABm3Z5gAAA")]
    Token {
        #[command(subcommand)]
        command: people::TokenCommand,
    },
    /// Look at captured mail: list, show, raw, delete
    #[command(after_help = "\
Examples:
  gatepost inbox list --to ann@example.com
  gatepost inbox show 42
  gatepost inbox raw 42 > 42.eml")]
    Inbox {
        #[command(subcommand)]
        command: desk::InboxCommand,
    },
    /// Read the audit record: who did what to whom
    #[command(after_help = "\
Examples:
  gatepost audit list --action login --outcome refused
  gatepost audit list --subject ann@example.com")]
    Audit {
        #[command(subcommand)]
        command: desk::AuditCommand,
    },
    /// How much there is of everything, and what happened in the last hour
    #[command(after_help = "\
Examples:
  gatepost stats
  gatepost stats --json | jq .failing")]
    Stats(desk::StatsArgs),
    /// The last lines of the log that the running gatepost remembers, newest first
    #[command(after_help = "\
Examples:
  gatepost log --level warn
  gatepost log --search relay --limit 200")]
    Log(desk::LogArgs),
    /// What happened to and around one address, newest first
    #[command(after_help = "\
Example:
  gatepost timeline ann@example.com")]
    Timeline(people::TimelineArgs),
}

/// Flags that most commands take.
#[derive(Debug, Default, clap::Args)]
pub struct Common {
    /// Where the HTTP service listens [http.listen, default 127.0.0.1:8000; port 0: any]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
    /// Where the SMTP inbox listens [smtp.listen, default 127.0.0.1:1025; port 0: any]
    #[arg(long, value_name = "ADDR")]
    smtp: Option<String>,
    /// The data folder: store, keys, admin token [data.dir, default data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// The file of settings, in the place of gatepost.toml
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How the log is written: human or json [log.format, default human]
    #[arg(long, value_name = "FORMAT")]
    log: Option<String>,
}

/// For whoever waits until gatepost listens.
#[derive(Debug, clap::Args)]
pub struct ReadyFile {
    /// Write {"http": "…", "smtp": "…", "pid": …} into FILE once all are listening; its reader
    /// compares the pid, since one that was killed leaves its file behind
    #[arg(long = "ready-file", value_name = "FILE")]
    pub path: Option<PathBuf>,
}

impl Common {
    /// Only what names the data folder.
    pub fn of_folder(data: Option<String>, config: Option<PathBuf>) -> Common {
        Common {
            data,
            config,
            ..Common::default()
        }
    }

    /// Those flags that set a setting.
    pub fn flags(&self) -> Vec<Flag> {
        [
            ("http.listen", "--http", &self.http),
            ("smtp.listen", "--smtp", &self.smtp),
            ("data.dir", "--data", &self.data),
            ("log.format", "--log", &self.log),
        ]
        .into_iter()
        .filter_map(|(setting, flag, value)| {
            Some(Flag {
                setting,
                flag,
                value: value.clone()?,
            })
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        super::Args::command().debug_assert();
    }
}
