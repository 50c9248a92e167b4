//! Why a mail is where it is, in a few words made for a column: the fact first, and of what the
//! server said as much as fits. Whole sentences are the API's.

use crate::cli::screen;
use crate::cli::words::Voice;
use crate::client::Failure;
use crate::client::Mail;
use crate::client::Why;
use crate::world::Timestamp;

/// What fits of it into `room` columns.
pub fn why(voice: Voice, mail: &Mail, room: usize, now: Timestamp) -> String {
    let Some(why) = &mail.why else {
        return String::new();
    };
    let error = mail.last_error.as_ref();
    let forms = match why.code.as_str() {
        "refused" => vec![
            error
                .and_then(|error| said(voice, error))
                .unwrap_or(voice.say("why_refused", &[])),
        ],
        "given_up" | "expired" => with(fact(voice, mail, why, now), error, voice),
        // What the mail met is why it is tried again; a route's rest is not its own.
        "retry" => with(fact(voice, mail, why, now), error, voice),
        "route_resting" => vec![
            fact(voice, mail, why, now),
            voice.say("why_route_resting_short", &[]),
        ],
        _ => vec![fact(voice, mail, why, now)],
    };
    let whole = forms.iter().find(|form| screen::width(form) <= room);
    match (whole, forms.last()) {
        (Some(form), _) => form.clone(),
        (None, Some(shortest)) => screen::cut(shortest, room),
        (None, None) => String::new(),
    }
}

/// The fact with what was said, and by itself.
fn with(fact: String, error: Option<&Failure>, voice: Voice) -> Vec<String> {
    let said = error.and_then(|error| said(voice, error));
    let both = said.map(|said| voice.say("step", &[("step", &fact), ("said", &said)]));
    both.into_iter().chain([fact]).collect()
}

fn fact(voice: Voice, mail: &Mail, why: &Why, now: Timestamp) -> String {
    let next = why.next_at.as_ref().or(mail.next_at.as_ref());
    let coming = next.map(|at| screen::coming(voice, at, now));
    let coming = coming.unwrap_or_default();
    let done = mail.finished_at.as_ref();
    let done = done.map(|at| screen::away(voice, at, now));
    let done = done.unwrap_or_default();
    let next_try = mail.tries.saturating_add(1);
    let key = match why.code.as_str() {
        "route_budget" if next.is_none() => "why_route_budget_for_good".to_owned(),
        "given_up" if mail.tries == 0 => "why_given_up_untried".to_owned(),
        "given_up" if mail.tries == 1 => "why_given_up_once".to_owned(),
        code => format!("why_{code}"),
    };
    let when = match why.code.as_str() {
        "sent" | "sent_maybe_twice" => done,
        _ => coming,
    };
    match voice.has(&key) {
        true => voice.say(
            &key,
            &[("when", &when), ("try", &next_try), ("tries", &mail.tries)],
        ),
        // A newer server's.
        false => screen::one_line(&why.text),
    }
    .trim()
    .to_owned()
}

/// What the server said: the code, and what that means in a word or two, or its own first words.
fn said(voice: Voice, error: &Failure) -> Option<String> {
    let gist = error.rule.as_deref().and_then(|rule| voice.gist(rule));
    let gist = gist.unwrap_or_else(|| bare(&error.text).to_owned());
    let code = error.code.map(|code| format!("{code} "));
    let said = format!("{}{}", code.unwrap_or_default(), gist);
    let said = said.trim().to_owned();
    (!said.is_empty()).then_some(said)
}

/// The first line of a reply without its numbers.
fn bare(reply: &str) -> &str {
    let line = reply.lines().next().unwrap_or_default();
    let number = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | ' ');
    line.trim_start_matches(number).trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    fn mail(json: &serde_json::Value) -> Mail {
        let mut mail = serde_json::json!({"id": "ob_1", "kind": "test", "state": "queued",
            "to": "ann@example.com", "created_at": "1970-01-01T00:00:00Z", "tries": 2});
        for (name, value) in json.as_object().expect("an object") {
            mail[name] = value.clone();
        }
        serde_json::from_value(mail).unwrap()
    }

    #[test]
    fn the_fact_comes_first_and_what_does_not_fit_is_left_out_word_by_word() {
        let now = Timestamp::from_millis(0);
        let told =
            |json: serde_json::Value, room| why(Voice(Language::En), &mail(&json), room, now);
        let retry = || {
            serde_json::json!({"next_at": "1970-01-01T00:04:00Z", "why": {"code": "retry"},
            "last_error": {"code": 451, "text": "451-4.7.1 please\r\n451 wait a little"}})
        };
        assert_eq!(told(retry(), 40), "retry 3 in 4 min: 451 please");
        assert_eq!(told(retry(), 20), "retry 3 in 4 min");
        let refused = |rule: Option<&str>| {
            serde_json::json!({"why": {"code": "refused"}, "last_error": {"code": 550,
            "rule": rule, "text": "550 5.1.1 <ann@example.com> nobody of that name"}})
        };
        assert_eq!(
            told(refused(Some("no_such_user")), 20),
            "550 no such mailbox"
        );
        assert_eq!(told(refused(None), 34), "550 <ann@example.com> nobody of…");
        let resting = serde_json::json!({"why": {"code": "route_resting",
            "next_at": "1970-01-01T00:00:54Z"}});
        assert_eq!(told(resting.clone(), 26), "route rests, try in 54 s");
        assert_eq!(told(resting, 12), "route rests");
        let tomorrow = serde_json::json!({"why": {"code": "moon", "text": "The moon is full."}});
        assert_eq!(told(tomorrow, 12), "The moon is…");
    }
}
