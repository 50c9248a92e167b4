//! `gatepost send-test-mail`: a mail through the outbox, and the story of what became of it: the
//! steps it reached, and where one failed, the relay's words, what they mean and what to do.

use std::fmt::Display;
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
use super::words::Voice;

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
    let voice = Voice(settings.site.language);
    let world = World::system();
    if std::io::stderr().is_terminal() {
        // A relay may take its time; whoever waits should know for what.
        output::complain(&voice.say("sending", &[]));
    }
    let sending = serve::send_test_mail(settings, world.clone(), address);
    let outcome = run::block_on(sending)?.map_err(|error| failed(&error))?;
    let width = match Screen::new(false) {
        Screen::People { width } => width.min(WIDTH),
        Screen::Program { .. } => WIDTH,
    };
    let said = story(voice, &outcome, width, world.now()).join("\n");
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

fn story(voice: Voice, outcome: &Outcome, width: u16, now: Timestamp) -> Vec<String> {
    let mail = &outcome.mail.mail;
    let state = voice.mail_state(&mail.state);
    let values: [(&str, &dyn Display); 3] = [("id", &mail.id), ("to", &mail.to), ("state", &state)];
    let head = match is_sent(outcome) {
        true => voice.say("story_sent", &values),
        // Whoever reads "not sent" would send another.
        false if mail.doubtful || mail.state == State::Uncertain.word() => {
            voice.say("story_uncertain", &values)
        }
        false => voice.say("story_not_sent", &values),
    };
    let mut lines = vec![output::visible(&head)];
    if let Some(attempt) = outcome.mail.attempts.last() {
        lines.extend(steps(voice, attempt, width));
    }
    let end = ending(voice, outcome, now).lines(0, width);
    if !end.is_empty() {
        lines.push(String::new());
        lines.extend(end);
    }
    lines
}

fn steps(voice: Voice, attempt: &Attempt, width: u16) -> Vec<String> {
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
        facts.add(voice.label("ok"), voice.say("connected_before", &[]));
    }
    for step in taken {
        let passed = voice.passed(step);
        facts.add(
            voice.label("ok"),
            match attempt.transcript.lines().next() {
                // It names who answered.
                Some(greeting) if step == "greeting" => {
                    voice.say("step", &[("step", &passed), ("said", &greeting)])
                }
                _ => passed,
            },
        );
    }
    if accepted {
        let reply = attempt.reply.trim_end();
        facts.add(
            voice.label("ok"),
            voice.say("relay_took_it", &[("reply", &reply)]),
        );
    } else {
        let stage = voice.stage(&attempt.stage);
        let outcome = voice.outcome(&attempt.outcome);
        facts.add(
            voice.label("failed"),
            voice.say("step", &[("step", &stage), ("said", &outcome)]),
        );
        facts.add("", attempt.reply.as_str());
    }
    facts.lines(2, width)
}

fn ending(voice: Voice, outcome: &Outcome, now: Timestamp) -> Facts {
    let mail = &outcome.mail.mail;
    let mut facts = Facts::default();
    if is_sent(outcome) {
        facts.add(
            voice.label("then"),
            match outcome.captured {
                true => voice.say("then_captured", &[]),
                false => voice.say("then_sent", &[]),
            },
        );
        return facts;
    }
    let last = outcome.mail.attempts.last();
    let reply = last.map_or("", |attempt| attempt.reply.trim_end());
    facts.add_some(
        voice.label("meaning"),
        last.and_then(|attempt| attempt.meaning.as_deref()),
    );
    if let Some(why) = &mail.why {
        // The relay's own words are told already.
        if why.text.trim_end() != reply {
            facts.add(voice.label("why"), why.text.as_str());
        }
        let advice = last.and_then(|attempt| attempt.advice.as_ref());
        let page = last.and_then(|attempt| attempt.page.as_ref());
        facts.add_some(voice.label("advice"), why.advice.as_ref().or(advice));
        facts.add_some(voice.label("page"), why.page.as_ref().or(page));
    }
    if let Some(at) = &mail.next_at {
        let at = screen::coming_moment(voice, at, now);
        facts.add(
            voice.label("next_try"),
            match outcome.runs {
                true => at,
                false => voice.say("next_try_if_it_runs", &[("at", &at)]),
            },
        );
    }
    facts
}
