//! `gatepost send-test-mail`: a mail through the outbox, and the story of what became of it: the
//! steps it reached, and where one failed, the relay's words, what they mean and what to do.

use std::io::IsTerminal as _;

use crate::address::EmailAddress;
use crate::client::Attempt;
use crate::config::Settings;
use crate::mail::outbox::State;
use crate::serve;
use crate::serve::Outcome;
use crate::world::Timestamp;
use crate::world::World;

use super::Exit;
use super::FAILED;
use super::MISUSED;
use super::log;
use super::output;
use super::run;
use super::screen;
use super::screen::Facts;
use super::screen::Screen;
use super::server::failed;
use super::words;

/// Lines of a story are not longer than this, however wide the terminal is or if it is none.
const WIDTH: u16 = 96;

/// The steps of a delivery in their order, and what in the transcript shows that one was taken.
const STEPS: [(&str, &[&str]); 8] = [
    ("connect", &["> EHLO", "> HELO"]),
    ("greeting", &["> EHLO", "> HELO"]),
    ("tls", &["> STARTTLS"]),
    ("auth", &["> AUTH", "> (credentials)"]),
    ("mail_from", &["> MAIL"]),
    ("rcpt_to", &["> RCPT"]),
    ("data", &["> DATA"]),
    ("content", &["bytes)"]),
];

/// Sends it, waits for the outcome and says it.
pub fn send(settings: Settings, address: &str) -> Result<(), Exit> {
    let address = match address.parse::<EmailAddress>() {
        Ok(address) => address,
        Err(error) => {
            output::complain(&format!("error: {address:?}: {error}"));
            return Err(Exit(MISUSED));
        }
    };
    log::start(&settings.log);
    let world = World::system();
    if std::io::stderr().is_terminal() {
        // A relay may take its time; whoever waits should know for what.
        output::complain("Sending; the outcome is waited for, at most for two minutes.");
    }
    let sending = serve::send_test_mail(settings, world.clone(), address);
    let outcome = run::block_on(sending)?.map_err(|error| failed(&error))?;
    let width = match Screen::new(false) {
        Screen::People { width } => width.min(WIDTH),
        Screen::Program { .. } => WIDTH,
    };
    let said = story(&outcome, width, world.now()).join("\n");
    if is_sent(&outcome) {
        output::print(&said)
    } else {
        output::complain(&said);
        Err(Exit(FAILED))
    }
}

fn is_sent(outcome: &Outcome) -> bool {
    outcome.mail.mail.state == State::Sent.word()
}

fn story(outcome: &Outcome, width: u16, now: Timestamp) -> Vec<String> {
    let mail = &outcome.mail.mail;
    let head = match is_sent(outcome) {
        true => format!("{} to {}: sent", mail.id, mail.to),
        false => format!(
            "{} to {}: not sent; it is {} now",
            mail.id, mail.to, mail.state
        ),
    };
    let mut lines = vec![output::visible(&head)];
    if let Some(attempt) = outcome.mail.attempts.last() {
        lines.extend(steps(attempt, width));
    }
    let end = ending(outcome, now).lines(0, width);
    if !end.is_empty() {
        lines.push(String::new());
        lines.extend(end);
    }
    lines
}

fn steps(attempt: &Attempt, width: u16) -> Vec<String> {
    let mut facts = Facts::default();
    let accepted = attempt.outcome == "accepted";
    let reached = |step: &str| step == attempt.stage && !accepted;
    let before = STEPS.iter().take_while(|(step, _)| !reached(step));
    let said = |mark: &str| {
        let mut lines = attempt.transcript.lines();
        lines.any(|line| match mark.starts_with("> ") {
            true => line
                .to_ascii_uppercase()
                .starts_with(&mark.to_ascii_uppercase()),
            false => line.starts_with("> (") && line.ends_with(mark),
        })
    };
    let taken: Vec<&str> = before
        .filter(|(_, marks)| marks.iter().any(|mark| said(mark)))
        .map(|(step, _)| *step)
        .collect();
    // One that sent mails before is used again, and what opened it was told then.
    if !taken.contains(&"connect") && taken.contains(&"mail_from") {
        facts.add("ok", "connected before; the connection is used again");
    }
    for step in taken {
        let passed = words::passed(step);
        facts.add(
            "ok",
            match attempt.transcript.lines().next() {
                // It names who answered.
                Some(greeting) if step == "greeting" => format!("{passed}: {greeting}"),
                _ => passed.to_owned(),
            },
        );
    }
    if accepted {
        facts.add(
            "ok",
            format!("the relay took it: {}", attempt.reply.trim_end()),
        );
    } else {
        let outcome = words::outcome(&attempt.outcome);
        facts.add(
            "FAILED",
            format!("{}: {outcome}", words::stage(&attempt.stage)),
        );
        facts.add("", attempt.reply.as_str());
    }
    facts.lines(2, width)
}

fn ending(outcome: &Outcome, now: Timestamp) -> Facts {
    let mail = &outcome.mail.mail;
    let mut facts = Facts::default();
    if is_sent(outcome) {
        facts.add(
            "Now",
            match outcome.captured {
                true => {
                    "It was captured in gatepost's own inbox (mail.mode is capture): nothing left this machine."
                }
                false => {
                    "It is the relay's business now. If it does not arrive, look into the spam folder; gatepost doctor checks the records of the sender's domain."
                }
            },
        );
        return facts;
    }
    let last = outcome.mail.attempts.last();
    let reply = last.map_or("", |attempt| attempt.reply.trim_end());
    facts.add_some(
        "Meaning",
        last.and_then(|attempt| attempt.meaning.as_deref()),
    );
    if let Some(why) = &mail.why {
        // The relay's own words are told already.
        if why.text.trim_end() != reply {
            facts.add("Why", why.text.as_str());
        }
        let advice = last.and_then(|attempt| attempt.advice.as_ref());
        let page = last.and_then(|attempt| attempt.page.as_ref());
        facts.add_some("What to do", why.advice.as_ref().or(advice));
        facts.add_some("Page", why.page.as_ref().or(page));
    }
    if let Some(at) = &mail.next_at {
        let runs = if outcome.runs {
            ""
        } else {
            ", if gatepost runs then"
        };
        facts.add(
            "Next try",
            format!("{}{runs}", screen::coming_moment(at, now)),
        );
    }
    facts
}
