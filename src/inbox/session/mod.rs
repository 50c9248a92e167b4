//! The SMTP conversation without I/O: bytes in, replies and steps out, the time as an argument.
//!
//! [`Session::advance`] takes bytes in whatever pieces they come and writes its replies into a
//! buffer; when it needs the outside (bytes, a commit, a handshake, the end) it says so with a
//! [`Step`]. No reply ever holds a byte of the client, and no byte behind STARTTLS survives it.

mod auth;
mod command;
mod data;
mod path;
mod transaction;
mod transcript;

use std::sync::Arc;

use memchr::memchr;

use super::record::{Captured, Envelope, MessageId, Warning};
use crate::secret::SecretText;
use crate::world::Timestamp;

use auth::Exchange;
use command::Command;
use data::Incoming;
use transcript::Transcript;

/// What a session allows.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The name the server greets with.
    pub hostname: String,
    /// The largest mail, in octets.
    pub message_limit: usize,
    /// The longest command line, in octets, its end included.
    pub line_limit: usize,
    /// The most recipients of one mail.
    pub recipients: usize,
    /// Refuse what the standard does not allow, instead of taking it with a warning.
    pub strict: bool,
    /// Who may log in. `None`: any credentials pass, and none are needed. Otherwise a mail is
    /// taken only after a login.
    pub users: Option<Arc<[User]>>,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
}

/// Somebody who may log in.
#[derive(Debug, Clone)]
pub struct User {
    /// The name.
    pub name: String,
    /// The password.
    pub password: SecretText,
}

/// What [`Session::advance`] needs next. The replies written so far may be sent in any case, and
/// must be before waiting for the client.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// All bytes are taken: send the replies and read more.
    Read,
    /// The mail that comes in is a large one: set aside memory for so many octets more, or not,
    /// and say so with [`Session::reserved`] before going on.
    Reserve(usize),
    /// Keep this mail, then say how it went with [`Session::delivered`] before going on.
    Deliver(Box<Captured>),
    /// Send the replies, do the handshake, then call [`Session::secured`].
    StartTls,
    /// Send the replies and close the connection.
    Close,
}

/// What a client is expected to do now; each has its own deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// To send a command.
    Command,
    /// To send a mail.
    Data,
}

/// Refused commands after which the client is sent away: by then it is lost or malicious.
const FAILURES: u32 = 50;

/// Octets of a name given with EHLO that are kept.
const NAME_LIMIT: usize = 255;

/// One conversation.
#[derive(Debug)]
pub struct Session {
    rules: Arc<Rules>,
    peer: Option<String>,
    tls: bool,
    state: State,
    /// The beginning of a line whose end has not come.
    line: Vec<u8>,
    /// Room for the parser.
    scratch: Vec<u8>,
    hello: Option<String>,
    user: Option<String>,
    mail: Option<Mail>,
    /// Seen outside of any mail: they go with the next one, and what says that somebody may stand
    /// in the middle goes with all.
    warnings: Vec<Warning>,
    transcript: Transcript,
    failures: u32,
    turns: u64,
}

#[derive(Debug)]
enum State {
    Command,
    /// The line is too long: skip to its end.
    SkipLine,
    /// Behind a BDAT that was refused: so many octets are no commands.
    SkipOctets(usize),
    Auth(Exchange),
    Data(Incoming),
    Delivering,
    Handshake,
    Closed,
}

/// A mail under way, since its MAIL command.
#[derive(Debug)]
struct Mail {
    envelope: Envelope,
    announced: usize,
    warnings: Vec<Warning>,
}

/// The replies to what is under way, and the transcript they are noted in.
type Replies = Vec<u8>;

impl Session {
    /// A conversation with `peer`; `tls` when the connection is encrypted from its first byte.
    pub fn new(rules: Arc<Rules>, peer: Option<String>, tls: bool) -> Session {
        Session {
            rules,
            peer,
            tls,
            state: State::Command,
            line: Vec::new(),
            scratch: Vec::new(),
            hello: None,
            user: None,
            mail: None,
            warnings: Vec::new(),
            transcript: Transcript::default(),
            failures: 0,
            turns: 0,
        }
    }

    /// The greeting, which the server sends first.
    pub fn greet(&mut self, replies: &mut Replies) {
        replies.extend_from_slice(b"220 ");
        replies.extend_from_slice(self.rules.hostname.as_bytes());
        replies.extend_from_slice(b" ESMTP gatepost\r\n");
    }

    /// What the client is expected to do now.
    pub fn stage(&self) -> Stage {
        match self.state {
            State::Data(_) => Stage::Data,
            _ => Stage::Command,
        }
    }

    /// How many commands and mails were completed: a deadline starts anew with each, not with
    /// each byte.
    pub fn turns(&self) -> u64 {
        self.turns
    }

    /// Whether closing the connection now cuts off neither a line nor the bytes of a mail. A mail
    /// whose DATA has not come has cost the client nothing yet: it begins anew elsewhere.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Command | State::Auth(_)) && self.line.is_empty()
    }

    /// Ends the conversation because the client took too long.
    pub fn time_out(&mut self, replies: &mut Replies) {
        self.reply(replies, "421 4.4.2 you took too long");
        self.state = State::Closed;
    }

    /// Ends the conversation because the server stops.
    pub fn shut_down(&mut self, replies: &mut Replies) {
        self.reply(replies, "421 4.3.2 the server is shutting down");
        self.state = State::Closed;
    }

    /// How the mail of [`Step::Deliver`] was kept: its number, or `None` when it was not.
    pub fn delivered(&mut self, kept: Option<MessageId>, replies: &mut Replies) {
        match kept {
            Some(id) => {
                self.failures = 0;
                self.reply(replies, &format!("250 2.0.0 kept as {id}"));
            }
            None => self.reply(
                replies,
                "451 4.3.0 the mail could not be stored, try again later",
            ),
        }
        self.state = State::Command;
    }

    /// Whether there is memory for the octets of [`Step::Reserve`]. Without, the rest of the mail
    /// is skipped and the client told to try again; what was set aside is free once
    /// [`Session::stage`] is no longer [`Stage::Data`] and nothing is being kept.
    pub fn reserved(&mut self, granted: bool) {
        if let State::Data(incoming) = &mut self.state {
            incoming.grant(granted);
        }
    }

    /// The handshake is done: the conversation begins again (RFC 3207, 4.2).
    pub fn secured(&mut self) {
        self.tls = true;
        self.hello = None;
        self.user = None;
        self.mail = None;
        self.line.clear();
        self.state = State::Command;
    }

    /// Takes bytes off `input` and writes replies, up to the next [`Step`]. While a mail is being
    /// kept ([`Step::Deliver`]) nothing is taken.
    pub fn advance(&mut self, input: &mut &[u8], replies: &mut Replies, now: Timestamp) -> Step {
        loop {
            match &mut self.state {
                State::Closed => {
                    *input = &[];
                    return Step::Close;
                }
                State::Handshake => {
                    // Whoever stands in the middle may have put commands behind STARTTLS, to be
                    // run as if they had come under TLS (RFC 3207, 6): none survives.
                    if !std::mem::take(input).is_empty() {
                        warn(&mut self.warnings, Warning::BytesBehindStartTls);
                    }
                    return Step::StartTls;
                }
                State::Delivering => return Step::Read,
                State::Data(incoming) => {
                    if !incoming.take(input) {
                        return incoming.lacks().map_or(Step::Read, Step::Reserve);
                    }
                    self.turns += 1;
                    if let Some(captured) = self.end_data(replies, now) {
                        return Step::Deliver(captured);
                    }
                }
                State::SkipOctets(left) => {
                    let skipped = input.len().min(*left);
                    *input = &input[skipped..];
                    *left -= skipped;
                    if *left > 0 {
                        return Step::Read;
                    }
                    self.state = State::Command;
                }
                State::SkipLine => match memchr(b'\n', input) {
                    None => {
                        *input = &[];
                        return Step::Read;
                    }
                    Some(end) => {
                        *input = &input[end + 1..];
                        self.state = State::Command;
                        self.turns += 1;
                        self.refuse(replies, "500 5.5.2 the line is too long");
                    }
                },
                State::Command | State::Auth(_) => {
                    if !self.take_line(input, replies) {
                        return Step::Read;
                    }
                }
            }
        }
    }

    /// Takes one line and acts on it; `false` when its end has not come.
    fn take_line(&mut self, input: &mut &[u8], replies: &mut Replies) -> bool {
        let limit = self.rules.line_limit;
        let Some(end) = memchr(b'\n', input) else {
            if self.line.len() + input.len() >= limit {
                // Memory stays flat however long the line is.
                self.line = Vec::new();
                self.state = State::SkipLine;
            } else {
                self.line.extend_from_slice(input);
            }
            *input = &[];
            return false;
        };
        let (line, rest) = input.split_at(end + 1);
        *input = rest;
        self.turns += 1;
        if self.line.len() + line.len() > limit {
            self.line = Vec::new();
            self.state = State::Command;
            self.refuse(replies, "500 5.5.2 the line is too long");
        } else if self.line.is_empty() {
            self.act_on(line, replies);
        } else {
            let mut whole = std::mem::take(&mut self.line);
            whole.extend_from_slice(line);
            self.act_on(&whole, replies);
            whole.clear();
            self.line = whole;
        }
        true
    }

    /// Acts on a line, which ends in LF.
    fn act_on(&mut self, line: &[u8], replies: &mut Replies) {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let (line, bare_lf) = match line.strip_suffix(b"\r") {
            Some(line) => (line, false),
            None => (line, true),
        };
        let exchange = match std::mem::replace(&mut self.state, State::Command) {
            State::Auth(exchange) => Some(exchange),
            _ => None,
        };
        // A control character has no business in a command, and a CR or NUL in an address would
        // reach whatever reads it later.
        let text = std::str::from_utf8(line)
            .ok()
            .filter(|text| !text.bytes().any(|b| b.is_ascii_control() && b != b'\t'));
        let Some(text) = text else {
            self.transcript.client("(octets that are no text)");
            self.refuse(
                replies,
                "500 5.5.2 the line holds octets that no command has",
            );
            return;
        };
        match exchange {
            Some(exchange) => {
                self.transcript.client("***");
                self.go_on_auth(exchange, text, replies);
            }
            None => self.run(text, replies),
        }
        if bare_lf {
            self.note(Warning::BareLfInCommand);
        }
    }

    fn run(&mut self, line: &str, replies: &mut Replies) {
        let command = command::read(line, &mut self.scratch);
        match &command {
            Command::AuthPlain { .. } => self.transcript.client("AUTH PLAIN ***"),
            Command::AuthLogin { .. } => self.transcript.client("AUTH LOGIN ***"),
            // Credentials, it may be, of a mechanism that is not known or in the wrong place.
            Command::AuthOther => self.transcript.client("AUTH ***"),
            Command::Unknown => self.transcript.client("(an unknown command)"),
            Command::Mail => {
                if self.mail.is_none() {
                    self.transcript.begin_mail();
                }
                self.transcript.client(line);
            }
            _ => self.transcript.client(line),
        }
        match command {
            Command::Hello { host, extended } => self.hello(&host, extended, replies),
            Command::Mail => self.begin_mail(line, replies),
            Command::Rcpt => self.add_recipient(line, replies),
            Command::Data => self.begin_data(replies),
            Command::AuthPlain { initial } => {
                self.begin_auth(Exchange::Plain, "", &initial, replies);
            }
            Command::AuthLogin { initial } => {
                self.begin_auth(Exchange::LoginName, auth::ASK_NAME, &initial, replies);
            }
            Command::AuthOther => self.refuse(replies, "504 5.5.4 AUTH PLAIN and LOGIN are known"),
            Command::StartTls => self.start_tls(replies),
            Command::Reset => {
                self.mail = None;
                self.reply(replies, "250 2.0.0 reset");
            }
            Command::Noop => self.reply(replies, "250 2.0.0 ok"),
            Command::Verify => {
                self.reply(
                    replies,
                    "252 2.5.0 nothing is verified, every address is taken",
                );
            }
            Command::Help => self.reply(
                replies,
                "214 2.0.0 EHLO HELO MAIL RCPT DATA RSET NOOP VRFY AUTH STARTTLS QUIT",
            ),
            Command::Quit => {
                self.reply(replies, "221 2.0.0 bye");
                self.state = State::Closed;
            }
            Command::Bdat { octets } => {
                self.refuse(replies, "502 5.5.1 BDAT is not offered");
                if !matches!(self.state, State::Closed) {
                    self.state = State::SkipOctets(octets);
                }
            }
            Command::NotImplemented => self.refuse(replies, "502 5.5.1 not implemented"),
            Command::Http => {
                self.reply(replies, "421 5.5.1 this is SMTP, not HTTP");
                self.state = State::Closed;
            }
            Command::Unknown => self.refuse(replies, "500 5.5.1 unknown command"),
            Command::Malformed(form) => self.refuse(replies, &format!("501 5.5.4 {form}")),
        }
    }

    fn hello(&mut self, host: &str, extended: bool, replies: &mut Replies) {
        self.mail = None;
        self.hello = Some(host.chars().take(NAME_LIMIT).collect());
        if !extended {
            let greeting = format!("250 {}", self.rules.hostname);
            self.reply(replies, &greeting);
            return;
        }
        let size = self.rules.message_limit;
        let starttls = if self.rules.starttls && !self.tls {
            "250-STARTTLS\r\n"
        } else {
            ""
        };
        let extensions = format!(
            "250-{}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
             250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n{starttls}250-AUTH PLAIN LOGIN\r\n250 HELP\r\n",
            self.rules.hostname
        );
        replies.extend_from_slice(extensions.as_bytes());
        self.transcript.server("250 (the extensions)");
    }

    fn start_tls(&mut self, replies: &mut Replies) {
        if self.tls {
            self.refuse(replies, "503 5.5.1 TLS is on already");
        } else if self.rules.starttls {
            self.reply(replies, "220 2.0.0 go on with TLS");
            self.state = State::Handshake;
        } else {
            self.refuse(replies, "502 5.5.1 TLS is not offered");
        }
    }

    /// Notes something odd about the mail under way, or about the next one.
    fn note(&mut self, warning: Warning) {
        match &mut self.mail {
            Some(mail) => warn(&mut mail.warnings, warning),
            None => warn(&mut self.warnings, warning),
        }
    }

    fn reply(&mut self, replies: &mut Replies, text: &str) {
        replies.extend_from_slice(text.as_bytes());
        replies.extend_from_slice(b"\r\n");
        self.transcript.server(text);
    }

    /// A reply that refuses; too many of them end the conversation.
    fn refuse(&mut self, replies: &mut Replies, text: &str) {
        self.reply(replies, text);
        self.failures += 1;
        if self.failures >= FAILURES {
            self.reply(replies, "421 4.7.0 too many refused commands");
            self.state = State::Closed;
        }
    }
}

fn warn(warnings: &mut Vec<Warning>, warning: Warning) {
    if !warnings.contains(&warning) {
        warnings.push(warning);
    }
}
