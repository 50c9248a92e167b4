//! The steps that are taken on request: the recipient's domain, and one real mail over the same
//! road that every mail takes.

use std::time::Duration;

use crate::address::EmailAddress;
use crate::config::Settings;
use crate::mail::outbox::State;
use crate::serve;

use super::Round;
use super::domain::unanswered;
use super::is_this_machine;
use super::names::Names;
use super::report::Finding;
use super::words::Voice;

/// Sending waits for the relay's own deadlines; this is for when it hangs for good.
const SENDING: Duration = Duration::from_secs(180);

impl Round<'_> {
    /// Looks at the recipient's domain and sends a mail.
    pub(super) async fn send(&mut self, settings: &Settings, to: &EmailAddress, captures: bool) {
        let voice = self.voice;
        let stays_here = settings.relay.host.as_deref().is_none_or(is_this_machine);
        if captures || (stays_here && self.names.asks_the_world()) {
            self.skip("mx", voice.say("mx_not_needed", &[]));
        } else {
            let names = self.names.clone();
            self.ask("mx", exchanges(voice, &names, to.domain())).await;
        }
        let sending = serve::send_test_mail(settings.clone(), self.world.clone(), to.clone());
        let work = async {
            let outcome = match sending.await {
                Ok(outcome) => outcome,
                Err(error) => {
                    return Finding::failure(error.to_string())
                        .remedy(voice.say("send_advice", &[]));
                }
            };
            let mail = &outcome.mail.mail;
            let (id, state) = (&mail.id, &mail.state);
            let sent = *state == State::Sent.word();
            let mut finding = match (sent, outcome.captured) {
                (true, true) => Finding::ok(voice.say("mail_was_captured", &[("id", id)])),
                (true, false) => Finding::ok(voice.say("mail_was_sent", &[("id", id), ("to", to)]))
                    .and(voice.say("mail_not_there", &[])),
                (false, _) => Finding::failure(
                    voice.say("mail_was_not_sent", &[("id", id), ("state", state)]),
                ),
            };
            if sent {
                return finding;
            }
            if let Some(why) = &mail.why {
                finding = finding.and(&why.text).on(why.page.as_deref());
                if let Some(advice) = &why.advice {
                    finding = finding.remedy(advice);
                }
            }
            if let Some(error) = &mail.last_error {
                finding = finding.and(voice.say("the_server_said", &[("said", &error.text)]));
            }
            if let Some(next) = &mail.next_at {
                finding = finding.and(voice.say("mail_tried_again", &[("at", next)]));
            }
            finding = finding.remedy(voice.say("send_advice", &[]));
            finding
        };
        self.step("send", SENDING, work).await;
    }
}

/// Whether the domain takes mail.
async fn exchanges(voice: Voice, names: &Names, domain: &str) -> Finding {
    let servers = match names.exchanges(domain).await {
        Ok(servers) => servers,
        Err(error) => return unanswered(voice, names, domain, &error),
    };
    let nothing = |key: &str| {
        Finding::failure(voice.say(key, &[("domain", &domain)])).remedy(voice.say("mx_advice", &[]))
    };
    if servers.iter().all(String::is_empty) && !servers.is_empty() {
        return nothing("mx_is_null");
    }
    if !servers.is_empty() {
        let list = servers.join(", ");
        return Finding::ok(voice.say("mx_is", &[("list", &list)]));
    }
    // RFC 5321, 5.1: without MX the domain itself is the server.
    match names.addresses_of_domain(domain).await {
        Ok(addresses) if !addresses.is_empty() => {
            Finding::warning(voice.say("mx_is_missing", &[("domain", &domain)]))
        }
        Ok(_) => nothing("mx_is_nowhere"),
        Err(error) => unanswered(voice, names, domain, &error),
    }
}
