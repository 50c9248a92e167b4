//! The steps that are taken on request: the recipient's domain, and one real mail over the same
//! road that every mail takes.

use std::fmt::Display;
use std::time::Duration;

use crate::address::EmailAddress;
use crate::config::Settings;
use crate::mail::outbox::State;
use crate::serve;
use crate::serve::Outcome;

use super::Round;
use super::domain::unanswered;
use super::is_this_machine;
use super::names::Names;
use super::report::Finding;
use super::report::Status;
use super::words::Voice;
use super::words::mail_state;

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
        let failed_before = self.steps.iter().any(|step| step.status == Status::Failure);
        let sending = serve::send_test_mail(settings.clone(), self.world.clone(), to.clone());
        let work = async {
            let outcome = match sending.await {
                Ok(outcome) => outcome,
                Err(error) => {
                    return Finding::failure(error.to_string())
                        .remedy(advice(voice, failed_before));
                }
            };
            told(voice, &outcome, to, failed_before)
        };
        self.step("send", SENDING, work).await;
    }
}

/// What became of the mail. `failed_before`: some step before this one is a failure.
fn told(voice: Voice, outcome: &Outcome, to: &EmailAddress, failed_before: bool) -> Finding {
    let mail = &outcome.mail.mail;
    let id = &mail.id;
    let uncertain = mail.doubtful || mail.state == State::Uncertain.word();
    let mut finding = match (mail.state == State::Sent.word(), outcome.captured) {
        (true, true) => return Finding::ok(voice.say("mail_was_captured", &[("id", id)])),
        (true, false) => {
            return Finding::ok(voice.say("mail_was_sent", &[("id", id), ("to", to)]))
                .and(voice.say("mail_not_there", &[]));
        }
        (false, _) if uncertain => Finding::failure(voice.say("mail_is_uncertain", &[("id", id)])),
        (false, _) => {
            let state = mail_state(voice.0, &mail.state);
            let values: [(&str, &dyn Display); 2] = [("id", id), ("state", &state)];
            Finding::failure(voice.say("mail_was_not_sent", &values))
        }
    };
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
    finding
        .remedy(advice(voice, failed_before))
        .remedy(voice.say("send_shows", &[("id", id)]))
}

/// Where to look for the cause.
fn advice(voice: Voice, failed_before: bool) -> String {
    match failed_before {
        true => voice.say("send_advice", &[]),
        false => voice.say("send_advice_all_well", &[]),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_mail_that_may_have_arrived_is_not_said_to_be_unsent_nor_a_step_to_have_failed() {
        let to: EmailAddress = "ann@example.com".parse().unwrap();
        let said = |state: &str, failed_before: bool| {
            let mail = serde_json::json!({"id": "ob_1", "kind": "test", "state": state,
                "to": to.as_str(), "created_at": "2026-01-01T00:00:00Z"});
            let outcome = Outcome {
                mail: serde_json::from_value(mail).unwrap(),
                captured: false,
                runs: true,
            };
            let finding = told(Voice(Language::ZhHans), &outcome, &to, failed_before);
            let en = told(Voice(Language::En), &outcome, &to, failed_before);
            assert_eq!(en.status, Status::Failure);
            (format!("{en:?}"), format!("{finding:?}"))
        };
        let (en, hans) = said("uncertain", false);
        assert!(
            en.contains("may have arrived") && !en.contains("not sent"),
            "{en}"
        );
        assert!(
            !en.contains("that failed") && en.contains("outbox show ob_1"),
            "{en}"
        );
        assert!(!hans.contains("uncertain"), "{hans}");
        let (en, hans) = said("dead", true);
        assert!(
            en.contains("not sent; it is dead") && en.contains("that failed"),
            "{en}"
        );
        assert!(hans.contains("已放弃") && !hans.contains("dead"), "{hans}");
    }
}
