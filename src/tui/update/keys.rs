//! What the keys do, by the table of actions.

use ratatui::crossterm::event::KeyEvent;
use tui_input::Input;

use crate::tui::effect::Effect;
use crate::tui::effect::Load;
use crate::tui::keymap;
use crate::tui::keymap::Do;
use crate::tui::keymap::Key;
use crate::tui::model::Ask;
use crate::tui::model::Dialog;
use crate::tui::model::Fetch;
use crate::tui::model::Model;
use crate::tui::model::Pending;
use crate::tui::model::Pick;
use crate::tui::model::Purpose;
use crate::tui::model::Row;
use crate::tui::model::View;
use crate::tui::safe;
use crate::tui::twin;
use crate::tui::view;

use super::acts;
use super::dialogs;
use super::go;
use super::reading;

pub(super) fn key(model: &mut Model, event: KeyEvent, effects: &mut Vec<Effect>) {
    let Some(key) = Key::pressed(event) else {
        return;
    };
    if model.dialog.is_some() {
        // Whoever is lost in a dialog gets out of the program as out of any other.
        match key.is_ctrl('c') {
            true => perform(model, Do::Quit, effects),
            false => dialogs::key(model, key, effects),
        }
        return;
    }
    if let Some(action) = model.settings.keymap.action(key, model.spot()) {
        perform(model, action.what, effects);
    }
}

/// Does `what`, or says why not.
pub(super) fn perform(model: &mut Model, what: Do, effects: &mut Vec<Effect>) {
    model.dirty = true;
    if let Some(reason) = acts::why_not(model, what) {
        model.tell(Some(false), reason);
        return;
    }
    let spot = model.spot();
    if matches!(spot, keymap::READER | keymap::DETAIL) && reading::perform(model, what, effects) {
        return;
    }
    let page = view::table_height(model).max(1).cast_signed();
    match what {
        Do::Go(view) => go::view(model, view),
        Do::NextTab => go::tab(model, 1),
        Do::PreviousTab => go::tab(model, -1),
        Do::Failures => go::failures(model),
        Do::Up => travel(model, -1),
        Do::Down => travel(model, 1),
        Do::PageUp => travel(model, -page),
        Do::PageDown => travel(model, page),
        Do::HalfUp => travel(model, -(page / 2).max(1)),
        Do::HalfDown => travel(model, (page / 2).max(1)),
        Do::Top => top(model, effects),
        Do::Bottom => bottom(model, effects),
        Do::Open => go::open(model),
        Do::Back => go::back(model),
        Do::Filter => {
            let before = model.place().list.q.clone();
            ask(model, Purpose::Filter, before);
        }
        Do::State => go::state(model),
        Do::SortLeft => go::sort_by(model, -1),
        Do::SortRight => go::sort_by(model, 1),
        Do::SortReverse => go::sort_by(model, 0),
        Do::Mark => mark(model),
        Do::MarkAll => mark_all(model),
        Do::Person => person(model),
        Do::Sessions => go::sessions(model),
        Do::Copy => copy(model, effects),
        Do::CopyTwin => {
            let text = twin::of_place(model);
            let what = model.settings.words.say("the_command").to_owned();
            effects.push(Effect::Copy { text, what });
        }
        Do::Pane => model.pane = !model.pane,
        Do::Code => newest(model, effects),
        Do::Browse => {
            if let Some(id) = captured(model) {
                effects.push(Effect::Browse { id });
            }
        }
        Do::Export => {
            if let Some(id) = captured(model) {
                effects.push(Effect::Export { id });
            }
        }
        Do::Undo => acts::undo(model, effects),
        Do::SendTest => ask(model, Purpose::TestMail, String::new()),
        Do::Reload => {
            let list = &mut model.place_mut().list;
            list.problem = None;
            list.loading = None;
            list.stale = false;
            model.stats_stale = true;
            if let Some(reading) = &mut model.place_mut().reading {
                reading.reload();
            }
            let fetch = match model.place().list.at_start() {
                true => Fetch::Reload,
                false => Fetch::Peek,
            };
            effects.push(model.fetch(fetch));
        }
        Do::Reconnect => {
            if !model.link.live() {
                if let crate::tui::model::Link::Lost { again, .. } = &mut model.link {
                    *again = None;
                }
                effects.push(Effect::Reconnect);
            }
        }
        Do::Mouse => {
            model.mouse = !model.mouse;
            let key = match model.mouse {
                true => "mouse_on",
                false => "mouse_off",
            };
            model.tell(None, key);
            effects.push(Effect::Mouse(model.mouse));
        }
        Do::Help => model.dialog = Some(Dialog::Help(Pick::default())),
        Do::Palette => model.dialog = Some(Dialog::Palette(Pick::default())),
        Do::Suspend => effects.push(Effect::Suspend),
        Do::Quit => effects.extend([Effect::Remember(model.remembered()), Effect::Quit]),
        what => acts::ask(model, what),
    }
}

fn travel(model: &mut Model, by: isize) {
    model.revealed = None;
    model.place_mut().list.go(by);
}

fn top(model: &mut Model, effects: &mut Vec<Effect>) {
    let live = model.link.live();
    let list = &mut model.place_mut().list;
    let here = list.at_start() && list.waiting == 0;
    (list.selected, list.top) = (0, 0);
    model.revealed = None;
    if !here && live {
        effects.push(model.fetch(Fetch::First));
    }
}

fn bottom(model: &mut Model, effects: &mut Vec<Effect>) {
    let live = model.link.live();
    let list = &mut model.place_mut().list;
    list.selected = list.rows.len().saturating_sub(1);
    let here = list.at_end();
    model.revealed = None;
    if !here && live {
        effects.push(model.fetch(Fetch::Last));
    }
}

fn mark(model: &mut Model) {
    if !model.place().list.is_current() {
        return model.tell(None, "no_loading");
    }
    let list = &mut model.place_mut().list;
    if let Some(id) = list.row().map(Row::id) {
        if !list.marks.remove(&id) {
            list.marks.insert(id);
        }
        list.go(1);
    }
}

fn mark_all(model: &mut Model) {
    if !model.place().list.is_current() {
        return model.tell(None, "no_loading");
    }
    let list = &mut model.place_mut().list;
    let all: std::collections::BTreeSet<String> = list.rows.iter().map(Row::id).collect();
    list.marks = match list.marks == all {
        true => std::collections::BTreeSet::new(),
        false => all,
    };
    let count = list.marks.len();
    if count > 0 && list.total.is_some_and(|total| total > count as u64) {
        let words = model.settings.words;
        let said = words.fill("marked_loaded", &[("n", &count.to_string())]);
        model.say(crate::tui::msg::Note::plain(said));
    }
}

fn person(model: &mut Model) {
    let place = model.place();
    let mail = place
        .looking
        .as_ref()
        .and_then(|looking| looking.mail.as_ref());
    let person = match mail {
        Some(detail) if place.alone => Some(detail.mail.to.clone()),
        _ => place.list.row().and_then(Row::person).map(str::to_owned),
    };
    match person {
        Some(email) => go::timeline(model, &email),
        None => model.tell(Some(false), "no_person"),
    }
}

/// Opens the line in which a text is typed.
pub(super) fn ask(model: &mut Model, purpose: Purpose, before: String) {
    model.dialog = Some(Dialog::Ask(Ask {
        purpose,
        input: Input::new(before.clone()),
        before,
        problem: None,
    }));
}

fn copy(model: &mut Model, effects: &mut Vec<Effect>) {
    let words = model.settings.words;
    let Some(row) = model.place().list.row() else {
        model.tell(Some(false), "no_rows");
        return;
    };
    let revealed = model.revealed.as_ref().filter(|(id, _)| *id == row.id());
    let (text, what) = match (revealed, row) {
        (Some((_, secret)), _) => (secret.clone(), words.say("the_secret").to_owned()),
        (None, Row::Line(line)) => (safe::text(&line.text), words.say("the_line").to_owned()),
        (None, row) => {
            let text = row.person().map_or_else(|| row.name(), str::to_owned);
            let text = safe::line(&text);
            (text.clone(), text)
        }
    };
    effects.push(Effect::Copy { text, what });
}

/// Copies the code of the newest mail of those that are looked at.
fn newest(model: &mut Model, effects: &mut Vec<Effect>) {
    let mut query = model.place().list.filter();
    query.sort = None;
    query.limit = Some(1);
    effects.push(model.ask(Load::Newest(query), Pending::Newest));
}

/// The captured mail that is read or selected.
fn captured(model: &Model) -> Option<String> {
    let place = model.place();
    if place.view != View::Mail {
        return None;
    }
    match &place.reading {
        Some(reading) if place.alone => Some(reading.id.clone()),
        _ => place.list.row().map(Row::id),
    }
}
