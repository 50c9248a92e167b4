//! What people are told of a stage that failed: the rulebook's words where a rule explains it,
//! and the server's own in any case.

use crate::mail::attempt::Outcome;
use crate::mail::attempt::Stage;
use crate::mail::attempt::text_of;
use crate::mail::relay::Failure;
use crate::mail::rulebook::Rest;

use super::report::Finding;
use super::report::Status;
use super::words::Voice;

/// The finding that a failure amounts to.
pub(super) fn finding(voice: Voice, failure: &Failure) -> Finding {
    let for_now = failure.outcome == Outcome::Temporary && failure.stage > Stage::Auth;
    let mut finding = Finding::new(match for_now {
        true => Status::Warning,
        false => Status::Failure,
    });
    if let Some(rule) = failure.rule {
        finding = finding
            .and(rule.meaning.of(voice.0))
            .remedy(rule.advice.of(voice.0))
            .on(rule.page.as_deref());
        finding.rule = Some(rule.id.clone());
    }
    let said = text_of(&failure.reply);
    let said = said.trim();
    finding = match failure.code {
        Some(_) => finding.and(voice.say("the_server_said", &[("said", &said)])),
        None => finding.and(said),
    };
    if let Some(rest) = failure.rest {
        finding = finding.and(match rest {
            Rest::For(rest) => {
                let minutes = rest.as_secs().div_ceil(60);
                voice.say("rests_for", &[("minutes", &minutes)])
            }
            Rest::UntilMidnight(_) => voice.say("rests_until_midnight", &[]),
        });
    }
    if finding.remedy.is_empty() {
        finding = finding.remedy(match failure.stage {
            Stage::Claim | Stage::Connect => voice.say("advice_connect", &[]),
            Stage::Greeting => voice.say("advice_greeting", &[]),
            Stage::Tls => voice.say("advice_tls", &[]),
            Stage::Auth => voice.say("advice_auth", &[]),
            Stage::MailFrom => voice.say("advice_mail_from", &[]),
            _ => voice.say("advice_rcpt_to", &[]),
        });
    }
    finding
}
