//! One mail of a conversation: MAIL, RCPT, DATA and its end.

use memchr::memchr3_iter;

use super::data::{Incoming, Lost};
use super::path::{self, Side};
use super::{Mail, Replies, Session, State, command, warn};
use crate::inbox::record::{Captured, Envelope, Warning};
use crate::world::Timestamp;

impl Session {
    pub(super) fn begin_mail(&mut self, line: &str, replies: &mut Replies) {
        if self.mail.is_some() {
            return self.refuse(replies, "503 5.5.1 a mail is under way, RSET ends it");
        }
        if self.rules.strict && self.hello.is_none() {
            return self.refuse(replies, "503 5.5.1 EHLO comes first");
        }
        if self.rules.users.is_some() && self.user.is_none() {
            return self.refuse(replies, "530 5.7.0 AUTH comes first");
        }
        let strict = self.rules.strict;
        let path = match command::path_of(Side::From, line, strict) {
            Ok(path) => path,
            Err(path::Refused::Syntax) => {
                return self.refuse(replies, "501 5.5.4 MAIL FROM:<address>");
            }
            Err(path::Refused::Address) => {
                return self.refuse(replies, "501 5.1.7 that is no address");
            }
        };
        let mut announced = 0;
        for (name, value) in path::parameters(path.parameters) {
            if name.eq_ignore_ascii_case("SIZE") {
                let digits = value.unwrap_or_default();
                if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                    return self.refuse(replies, "501 5.5.4 SIZE= takes a number of octets");
                }
                // More digits than fit are over any limit.
                announced = digits.parse().unwrap_or(usize::MAX);
            } else if strict && !is_known(name, &["BODY", "SMTPUTF8", "AUTH", "RET", "ENVID"]) {
                return self.refuse(replies, "555 5.5.4 unknown parameter");
            }
        }
        if announced > self.rules.message_limit {
            return self.refuse(replies, "552 5.3.4 the mail is over the size limit");
        }
        let mut warnings = Vec::new();
        if path.bare {
            warnings.push(Warning::MissingBrackets);
        }
        if self.hello.is_none() {
            warnings.push(Warning::NoGreeting);
        }
        self.mail = Some(Mail {
            envelope: Envelope {
                from: path.address.to_owned(),
                to: Vec::new(),
            },
            announced,
            warnings,
        });
        self.reply(replies, "250 2.1.0 sender ok");
    }

    pub(super) fn add_recipient(&mut self, line: &str, replies: &mut Replies) {
        let (strict, most) = (self.rules.strict, self.rules.recipients);
        let Some(mail) = &mut self.mail else {
            return self.refuse(replies, "503 5.5.1 MAIL comes first");
        };
        let path = match command::path_of(Side::To, line, strict) {
            Ok(path) => path,
            Err(path::Refused::Syntax) => {
                return self.refuse(replies, "501 5.5.4 RCPT TO:<address>");
            }
            Err(path::Refused::Address) => {
                return self.refuse(replies, "501 5.1.3 that is no address");
            }
        };
        let mut names = path::parameters(path.parameters).map(|(name, _)| name);
        if strict && names.any(|name| !is_known(name, &["NOTIFY", "ORCPT"])) {
            return self.refuse(replies, "555 5.5.4 unknown parameter");
        }
        if mail.envelope.to.len() >= most {
            return self.reply(replies, "452 4.5.3 too many recipients");
        }
        mail.envelope.to.push(path.address.to_owned());
        if path.bare {
            warn(&mut mail.warnings, Warning::MissingBrackets);
        }
        self.reply(replies, "250 2.1.5 recipient ok");
    }

    pub(super) fn begin_data(&mut self, replies: &mut Replies) {
        match &self.mail {
            None => self.refuse(replies, "503 5.5.1 MAIL comes first"),
            Some(mail) if mail.envelope.to.is_empty() => {
                self.refuse(replies, "554 5.5.1 no recipient was accepted");
            }
            Some(mail) => {
                self.state = State::Data(Incoming::new(self.rules.message_limit, mail.announced));
                self.reply(replies, "354 end with a line of one dot");
            }
        }
    }

    /// The mail has ended: hands it out, or says why it is not taken.
    pub(super) fn end_data(
        &mut self,
        replies: &mut Replies,
        now: Timestamp,
    ) -> Option<Box<Captured>> {
        let State::Data(incoming) = std::mem::replace(&mut self.state, State::Command) else {
            return None;
        };
        let mail = self.mail.take()?;
        let raw = match incoming.into_raw() {
            Ok(raw) => raw,
            Err(lost) => {
                match lost {
                    Lost::TooLarge => {
                        self.refuse(replies, "552 5.3.4 the mail is over the size limit");
                    }
                    // No fault of the client's, so it does not count as one.
                    Lost::NoRoom => self.reply(
                        replies,
                        "452 4.3.1 too many large mails at once, try again later",
                    ),
                }
                self.transcript.end_mail();
                return None;
            }
        };
        let mut warnings = self.warnings.clone();
        self.warnings
            .retain(|warning| *warning == Warning::BytesBehindStartTls);
        for warning in mail.warnings {
            warn(&mut warnings, warning);
        }
        inspect(&raw, &mut warnings);
        self.state = State::Delivering;
        Some(Box::new(Captured {
            received_at: now,
            envelope: mail.envelope,
            raw,
            peer: self.peer.clone(),
            hello: self.hello.clone(),
            tls: self.tls,
            authenticated: self.user.clone(),
            warnings,
            transcript: self.transcript.end_mail(),
        }))
    }
}

fn is_known(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}

/// Looks for what other servers would refuse, or take for the end of the mail.
fn inspect(raw: &[u8], warnings: &mut Vec<Warning>) {
    let mut line_start = 0;
    for at in memchr3_iter(b'\n', b'\r', 0, raw) {
        match raw[at] {
            b'\n' => {
                if at == 0 || raw[at - 1] != b'\r' {
                    warn(warnings, Warning::BareLfInMail);
                }
                // 998 and the CR.
                if at - line_start > 999 {
                    warn(warnings, Warning::LongLineInMail);
                }
                line_start = at + 1;
            }
            b'\r' if raw.get(at + 1) != Some(&b'\n') => warn(warnings, Warning::BareCrInMail),
            b'\r' => {}
            _ => warn(warnings, Warning::NulInMail),
        }
    }
    if raw.len() - line_start > 998 {
        warn(warnings, Warning::LongLineInMail);
    }
}
