//! Doing something to things on the server: what can be done to what, the question before it, and
//! what became of it.

use crate::text;
use crate::tui::effect::Act;
use crate::tui::effect::Effect;
use crate::tui::keymap;
use crate::tui::keymap::Do;
use crate::tui::model::Confirm;
use crate::tui::model::Dialog;
use crate::tui::model::Model;
use crate::tui::model::Pending;
use crate::tui::model::Reading;
use crate::tui::model::Row;
use crate::tui::model::UNDO;
use crate::tui::model::Undo;
use crate::tui::msg::Acted;
use crate::tui::msg::Note;
use crate::tui::reader::Reader;
use crate::tui::safe;

/// What `what` does on the server, if it does anything there.
fn act_of(what: Do) -> Option<Act> {
    Some(match what {
        Do::Retry => Act::Retry,
        Do::Requeue => Act::Requeue,
        Do::Discard => Act::Discard,
        Do::Revoke => Act::Revoke,
        Do::Reveal => Act::Reveal,
        Do::Lock => Act::Lock,
        Do::Unlock => Act::Unlock,
        Do::SendReset => Act::SendReset,
        Do::EndSessions => Act::EndSessions,
        Do::EndSession => Act::EndSession,
        Do::Pause => Act::Pause,
        Do::Resume => Act::Resume,
        Do::Delete => Act::Delete,
        _ => return None,
    })
}

/// Whether something is lost by it.
const fn destroys(act: Act) -> bool {
    matches!(
        act,
        Act::Discard | Act::Revoke | Act::Lock | Act::EndSessions | Act::EndSession | Act::Delete
    )
}

/// Whether `act` can be done to `row`.
fn fits(act: Act, row: &Row) -> bool {
    let state = row.state();
    match (act, row) {
        (Act::Retry | Act::Discard, Row::Mail(_)) => state == "queued",
        (Act::Requeue, Row::Mail(_)) => state == "dead",
        (Act::Undo, Row::Mail(_)) => state == "discarded",
        (Act::Revoke, Row::Token(_)) => state == "live",
        (Act::Reveal, Row::Token(token)) => token.revealable,
        (Act::Lock, Row::User(_)) => state != "locked",
        (Act::Unlock, Row::User(_)) => state != "active",
        (Act::SendReset, Row::User(_)) => state != "locked",
        (Act::EndSessions, Row::User(user)) => user.sessions != Some(0),
        (Act::EndSession, Row::Session(_)) => state == "live",
        (Act::Pause, Row::Route(_)) => state != "paused",
        (Act::Resume, Row::Route(_)) => state == "paused" || state == "open",
        (Act::Delete, Row::Message(_)) => true,
        _ => false,
    }
}

/// The rows that `act` is for: what is read, what is marked, or what is selected.
fn targets(model: &Model, act: Act) -> Vec<(String, String)> {
    let place = model.place();
    let named = |row: &Row| (row.id(), safe::line(&row.name()));
    if place.alone {
        if let Some(looking) = &place.looking {
            let row = looking
                .mail
                .as_ref()
                .map(|detail| Row::from(detail.mail.clone()));
            return row.filter(|row| fits(act, row)).iter().map(named).collect();
        }
        let read = place.reading.as_ref().filter(|_| act == Act::Delete);
        let title = |reading: &Reading| {
            let title = reading.reader.as_ref().map(Reader::title);
            safe::line(title.unwrap_or(&reading.id))
        };
        return read
            .iter()
            .map(|reading| (reading.id.clone(), title(reading)))
            .collect();
    }
    let rows = match act {
        // One secret is shown at a time, where it can be seen: that of the selected row.
        Act::Reveal => place.list.row().into_iter().collect(),
        _ => place.list.targets(),
    };
    let fitting = rows.into_iter().filter(|row| fits(act, row));
    fitting.map(named).collect()
}

/// The text that says why `what` cannot be done now, if it cannot.
pub fn why_not(model: &Model, what: Do) -> Option<&'static str> {
    let action = keymap::about(what);
    let server = action.writes
        || matches!(
            what,
            Do::Undo | Do::Code | Do::Browse | Do::Export | Do::Save | Do::Reload
        );
    if (action.writes || what == Do::Undo) && model.settings.read_only {
        return Some("no_read_only");
    }
    if server && !model.link.live() {
        return Some("no_connection");
    }
    match (what, act_of(what)) {
        (Do::Undo, _) => model.undo.is_empty().then_some("no_undo"),
        (Do::Reveal, _) if model.about.as_ref().is_some_and(|about| !about.reveals) => {
            Some("no_reveals")
        }
        (_, Some(act)) if targets(model, act).is_empty() => Some(match act {
            _ if !model.place().alone && !model.place().list.is_current() => "no_loading",
            _ if model.place().list.rows.is_empty() || model.place().reads() => "no_rows",
            Act::Retry => "no_retry",
            Act::Requeue => "no_requeue",
            Act::Discard => "no_discard",
            Act::Revoke | Act::EndSession => "no_live",
            Act::Reveal => "no_revealable",
            Act::Lock | Act::SendReset => "no_locked",
            Act::Unlock => "no_unlock",
            Act::EndSessions => "no_sessions",
            Act::Pause => "no_paused",
            Act::Resume => "no_resume",
            _ => "no_rows",
        }),
        _ => None,
    }
}

/// Asks whether `what` is to be done.
pub(super) fn ask(model: &mut Model, what: Do) {
    let Some(act) = act_of(what) else {
        return;
    };
    let (ids, names): (Vec<String>, Vec<String>) = targets(model, act).into_iter().unzip();
    let twin = twin(model, what, &ids);
    // Enter alone destroys nothing that cannot be taken back, and nothing where it is real.
    let yes = match act {
        Act::Discard => !model.production(),
        act => !destroys(act),
    };
    model.dialog = Some(Dialog::Confirm(Confirm {
        act,
        ids,
        names,
        twin,
        destroys: destroys(act),
        yes,
    }));
    model.dirty = true;
}

/// The command line that does `what` to `ids`.
pub(super) fn twin(model: &Model, what: Do, ids: &[String]) -> String {
    let Some(twin) = keymap::about(what).twin else {
        return String::new();
    };
    let ids: Vec<String> = ids.iter().map(|id| text::quoted(&safe::line(id))).collect();
    let mut twin = twin.replace("{ids}", &ids.join(" "));
    if !model.settings.twin.is_empty() {
        twin.push(' ');
        twin.push_str(&model.settings.twin);
    }
    safe::line(twin.trim())
}

/// It was confirmed.
pub(super) fn begin(model: &mut Model, act: Act, ids: Vec<String>, effects: &mut Vec<Effect>) {
    if model.settings.read_only || !model.link.live() || ids.is_empty() {
        let key = match model.settings.read_only {
            true => "no_read_only",
            false => "no_connection",
        };
        model.tell(Some(false), key);
        return;
    }
    let request = model.number();
    model
        .pending
        .insert(request, Pending::Act(act, ids.clone()));
    if act == Act::SendTest {
        model.tell(None, "test_mail_on_its_way");
    }
    effects.push(Effect::Act(request, act, ids));
}

/// Takes back the last discard: that one was confirmed.
pub(super) fn undo(model: &mut Model, effects: &mut Vec<Effect>) {
    if let Some(undo) = model.undo.pop() {
        begin(model, Act::Undo, undo.ids, effects);
    }
}

/// What became of it.
pub(super) fn acted(model: &mut Model, act: Act, acted: Vec<Acted>) {
    let mut done = Vec::new();
    let mut problems = Vec::new();
    for one in acted {
        match one.outcome {
            Ok(_) => done.push(one.id),
            Err(problem) => problems.push(safe::line(&problem.text)),
        }
    }
    let words = model.settings.words;
    let count = done.len().to_string();
    let said = words.fill(done_key(act), &[("n", &count)]);
    let note = match problems.first() {
        None => Note::good(said),
        Some(problem) if done.is_empty() => Note::bad(problem.clone()),
        Some(problem) => {
            let failed = problems.len().to_string();
            let values = [("done", &*said), ("n", &failed), ("problem", problem)];
            Note::bad(words.fill("done_in_part", &values))
        }
    };
    model.say(note);
    let place = model.place_mut();
    place.list.marks.clear();
    let gone = place.reads()
        && act == Act::Delete
        && place
            .reading
            .as_ref()
            .is_some_and(|reading| done.contains(&reading.id));
    if gone {
        place.alone = false;
        place.reading = None;
    }
    if act == Act::Discard && !done.is_empty() {
        let until = model.now + UNDO;
        model.undo.push(Undo { ids: done, until });
    }
    for place in model.all_places() {
        place.list.stale = true;
        place.list.asked = None;
        if let Some(looking) = &mut place.looking {
            looking.stale = true;
        }
    }
    model.stats_stale = true;
}

const fn done_key(act: Act) -> &'static str {
    match act {
        Act::Retry => "done_retry",
        Act::Requeue => "done_requeue",
        Act::Discard => "done_discard",
        Act::Undo => "done_undo",
        Act::Revoke => "done_revoke",
        Act::Reveal => "done_reveal",
        Act::EndSession => "done_end_session",
        Act::Lock => "done_lock",
        Act::Unlock => "done_unlock",
        Act::SendReset => "done_send_reset",
        Act::EndSessions => "done_end_sessions",
        Act::Pause => "done_pause",
        Act::Resume => "done_resume",
        Act::SendTest => "done_send_test",
        Act::Delete => "done_delete",
    }
}
