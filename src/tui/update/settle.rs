//! After every message: the selection is on the screen, and what is missing there is asked for.

use std::time::Duration;

use crate::tui::effect::Effect;
use crate::tui::effect::Load;
use crate::tui::model::Fetch;
use crate::tui::model::Model;
use crate::tui::model::PACE;
use crate::tui::model::Pending;
use crate::tui::model::Reading;
use crate::tui::model::Row;
use crate::tui::view;
use crate::world::Timestamp;

use super::reading;

/// The shortest time between two looks at the figures.
const FIGURES: Duration = Duration::from_secs(1);

/// How long the selection rests on a mail before it is asked for.
const REST: Duration = Duration::from_millis(120);

pub(super) fn settle(model: &mut Model, effects: &mut Vec<Effect>) {
    let height = view::table_height(model);
    model.place_mut().list.scroll(height);
    preview(model);
    missing(model);
    if !model.link.live() {
        return;
    }
    if let Some(fetch) = wanted(model) {
        effects.push(model.fetch(fetch));
    }
    if model.stats_stale && due(model.stats_asked, FIGURES, model.now) {
        model.stats_stale = false;
        model.stats_asked = Some(model.now);
        effects.push(model.ask(Load::Stats, Pending::Stats));
    }
    if model.preview.is_some_and(|due| due <= model.now) {
        model.preview = None;
        if let Some(id) = model
            .place()
            .reading
            .as_ref()
            .map(|reading| reading.id.clone())
        {
            let pending = Pending::Message(id.clone());
            effects.push(model.ask(Load::Message(id), pending));
        }
    }
    detail(model, effects);
    reading::needs(model, effects);
}

/// Whether what was asked for at `asked` may be asked for again; a clock may have jumped back.
fn due(asked: Option<Timestamp>, pace: Duration, now: Timestamp) -> bool {
    asked.is_none_or(|asked| asked > now || asked + pace <= now)
}

/// Which rows of the list are to be asked for now.
fn wanted(model: &mut Model) -> Option<Fetch> {
    let now = model.now;
    let list = &mut model.place_mut().list;
    if list.due.is_some_and(|due| due <= now) {
        list.due = None;
        list.reset();
        return Some(Fetch::First);
    }
    if list.loading.is_some() {
        return None;
    }
    if list.stale && due(list.asked, PACE, now) {
        return Some(match (list.loaded, list.follows()) {
            (false, _) => Fetch::First,
            (true, true) => Fetch::Reload,
            (true, false) => Fetch::Peek,
        });
    }
    list.wanted()
}

/// The mail below the table is the selected one, as soon as the selection rests.
fn preview(model: &mut Model) {
    let shown = view::pane_height(model) > 0;
    let due = model.now + REST;
    let place = model.place_mut();
    if place.alone {
        return;
    }
    place.looking = None;
    let wanted = match place.list.row() {
        Some(Row::Message(row)) if shown => Some(row.id.clone()),
        _ => None,
    };
    let has = place.reading.as_ref().map(|reading| &reading.id);
    if has != wanted.as_ref() {
        place.reading = wanted.as_deref().map(Reading::new);
        model.preview = wanted.map(|_| due);
    }
}

/// A mail that was left, or lost with the connection, before it came is asked for again.
fn missing(model: &mut Model) {
    let Some(reading) = &model.place().reading else {
        return;
    };
    let pending = Pending::Message(reading.id.clone());
    let missing = reading.reader.is_none() && reading.problem.is_none();
    let asked = model.preview.is_some() || model.pending.values().any(|p| *p == pending);
    if missing && !asked {
        model.preview = Some(model.now);
    }
}

fn detail(model: &mut Model, effects: &mut Vec<Effect>) {
    let waits = |pending: &Pending, id: &str| *pending == Pending::Detail(id.to_owned());
    let Some(looking) = &model.place().looking else {
        return;
    };
    let id = looking.id.clone();
    let due = looking.stale && due(looking.asked, PACE, model.now);
    if due && !model.pending.values().any(|pending| waits(pending, &id)) {
        let now = model.now;
        if let Some(looking) = &mut model.place_mut().looking {
            looking.stale = false;
            looking.asked = Some(now);
        }
        let pending = Pending::Detail(id.clone());
        effects.push(model.ask(Load::Mail(id), pending));
    }
}
