//! Going from view to view: by tabs, into a row, and back.

use crate::tui::columns::Column;
use crate::tui::model::Dialog;
use crate::tui::model::Looking;
use crate::tui::model::Model;
use crate::tui::model::Place;
use crate::tui::model::Reading;
use crate::tui::model::Row;
use crate::tui::model::View;
use crate::tui::model::states;
use crate::tui::safe;

/// How many places may lie on one another.
const DEEP: usize = 12;

/// Opens a view as it was left.
pub(super) fn view(model: &mut Model, view: View) {
    leave(model);
    if model.places.len() == 1 && model.place().view == view {
        let place = model.place_mut();
        place.alone = false;
        return;
    }
    let mut home = model.places.swap_remove(0);
    home.list.marks.clear();
    home.list.loading = None;
    home.list.stale = true;
    home.alone = false;
    model.homes.insert(home.view, home);
    model.places.clear();
    let mut place = model
        .homes
        .remove(&view)
        .unwrap_or_else(|| Place::new(view));
    place.list.asked = None;
    model.places.push(place);
}

/// To the tab that is so many further.
pub(super) fn tab(model: &mut Model, by: isize) {
    let root = model.places.first().map(|place| place.view);
    let at = View::TABS.iter().position(|view| Some(*view) == root);
    let count = View::TABS.len().cast_signed();
    let next = (at.unwrap_or(0).cast_signed() + by).rem_euclid(count);
    view(model, View::TABS[next.cast_unsigned()]);
}

/// Lays a place on the others.
pub(super) fn push(model: &mut Model, place: Place) {
    leave(model);
    let below = model.place_mut();
    below.list.marks.clear();
    below.list.stale |= below.list.loading.take().is_some();
    if model.places.len() >= DEEP {
        model.places.remove(1);
    }
    model.places.push(place);
}

/// To what failed.
pub(super) fn failures(model: &mut Model) {
    let place = model.place();
    let there = place.list.source == View::Outbox
        && place.list.fixed.iter().any(|(_, value)| value == "failing");
    if there {
        model.place_mut().alone = false;
        leave(model);
        return;
    }
    push(
        model,
        Place::of(View::Outbox, "failing", "state", "failing"),
    );
}

/// What was said and shown is over.
fn leave(model: &mut Model) {
    model.revealed = None;
    model.note = None;
    model.preview = None;
    model.dirty = true;
}

/// One step back: out of what is read, then the marks, then the filter, then the place.
pub(super) fn back(model: &mut Model) {
    leave(model);
    let place = model.place_mut();
    if place.alone {
        place.alone = false;
        place.looking = None;
    } else if !place.list.marks.is_empty() {
        place.list.marks.clear();
    } else if !place.list.q.is_empty() || place.list.state.is_some() {
        place.list.q.clear();
        place.list.state = None;
        place.list.due = None;
        place.list.reset();
    } else if model.places.len() > 1 {
        model.places.pop();
        let place = model.place_mut();
        place.list.asked = None;
    }
}

/// Into the row.
pub(super) fn open(model: &mut Model) {
    let Some(row) = model.place().list.row().cloned() else {
        return;
    };
    match row {
        Row::Message(message) => read(model, &message.id),
        Row::Mail(mail) => look(model, &mail.id),
        Row::Token(token) => match token.outbox_id {
            Some(id) => look(model, &id),
            None => timeline(model, &token.email),
        },
        Row::User(user) => timeline(model, &user.email),
        Row::Session(session) => timeline(model, &session.email),
        Row::Entry(entry) if entry.subject.contains('@') => timeline(model, &entry.subject),
        Row::Entry(entry) if entry.subject.starts_with("ob_") => look(model, &entry.subject),
        Row::Entry(entry) => text(model, &entry.action, &entry.detail),
        Row::Route(_) => failures(model),
        Row::Line(line) => text(model, &line.target, &line.text),
        Row::Moment(moment) => match moment.kind.as_str() {
            "mail" => look(model, &moment.id),
            "captured" => {
                push(model, Place::new(View::Mail));
                read(model, &moment.id);
            }
            _ => text(model, &moment.title, &moment.detail),
        },
    }
}

/// Reads a captured mail.
fn read(model: &mut Model, id: &str) {
    model.dirty = true;
    let now = model.now;
    let place = model.place_mut();
    place.alone = true;
    let here = place
        .reading
        .as_ref()
        .is_some_and(|reading| reading.id == id);
    if !here {
        place.reading = Some(Reading::new(id));
        model.preview = Some(now);
    } else if model.preview.is_some() {
        model.preview = Some(now);
    }
}

/// Looks at a mail of the outbox alone.
fn look(model: &mut Model, id: &str) {
    model.dirty = true;
    let place = model.place_mut();
    place.looking = Some(Looking::new(id));
    place.alone = true;
}

/// The next row, where one is looked at alone.
pub(super) fn step(model: &mut Model, by: isize) {
    let place = model.place_mut();
    if !place.alone {
        return;
    }
    place.list.go(by);
    match place.list.row().cloned() {
        Some(Row::Message(message)) => read(model, &message.id),
        Some(Row::Mail(mail)) => look(model, &mail.id),
        _ => {}
    }
}

/// One person's story.
pub(super) fn timeline(model: &mut Model, email: &str) {
    let email = email.trim();
    if email.is_empty() {
        return;
    }
    push(
        model,
        Place::of(View::Timeline, &safe::line(email), "email", email),
    );
}

/// The sessions of the selected user.
pub(super) fn sessions(model: &mut Model) {
    if let Some(Row::User(user)) = model.place().list.row().cloned() {
        let name = safe::line(&user.email);
        push(model, Place::of(View::Sessions, &name, "user", &user.id));
    }
}

fn text(model: &mut Model, title: &str, text: &str) {
    model.dialog = Some(Dialog::Text {
        title: safe::line(title),
        text: safe::text(text),
        scroll: 0,
    });
    model.dirty = true;
}

/// How a list is sorted when nothing is said.
pub fn default_sort(view: View) -> &'static str {
    match view.source() {
        View::Mail => "-received_at",
        View::Audit | View::Log | View::Timeline => "-at",
        _ => "-created_at",
    }
}

/// Sorts by `column`; by the same one again the other way round.
pub(super) fn sort(model: &mut Model, column: &Column) {
    let Some((field, down)) = column.sort else {
        return;
    };
    let list = &mut model.place_mut().list;
    let now = list.sort.as_deref().unwrap_or(default_sort(list.source));
    let down = match now.trim_start_matches('-') == field {
        true => !now.starts_with('-'),
        false => down,
    };
    let sort = format!("{}{field}", if down { "-" } else { "" });
    list.sort = Some(sort).filter(|sort| sort != default_sort(list.source));
    list.reset();
    model.dirty = true;
}

/// Sorts by the next column that can be sorted by, or by the same one the other way round.
pub(super) fn sort_by(model: &mut Model, by: isize) {
    let view = model.place().view;
    let columns: Vec<&Column> = model.settings.columns(view);
    let sortable: Vec<&Column> = columns.into_iter().filter(|c| c.sort.is_some()).collect();
    if sortable.is_empty() {
        return;
    }
    let list = &model.place().list;
    let now = list.sort.as_deref().unwrap_or(default_sort(list.source));
    let now = now.trim_start_matches('-');
    let at = sortable
        .iter()
        .position(|c| c.sort.is_some_and(|(field, _)| field == now));
    let count = sortable.len().cast_signed();
    let at = at.unwrap_or(0).cast_signed();
    let next = (at + by).rem_euclid(count).cast_unsigned();
    let column = sortable[next];
    sort(model, column);
}

/// Filters by the next state.
pub(super) fn state(model: &mut Model) {
    let list = &mut model.place_mut().list;
    let Some((name, all)) = states(list.source) else {
        return;
    };
    if list.fixed.iter().any(|(fixed, _)| fixed == name) {
        return;
    }
    let at = list
        .state
        .as_ref()
        .and_then(|state| all.iter().position(|known| known == state));
    let next = at.map_or(0, |at| at + 1);
    set_state(model, all.get(next).copied());
}

/// Filters by `state`.
pub(super) fn set_state(model: &mut Model, state: Option<&str>) {
    let list = &mut model.place_mut().list;
    list.state = state.map(str::to_owned);
    list.reset();
    model.dirty = true;
}
