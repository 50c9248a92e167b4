//! What the time brings: notes and offers that are over, and the next try to connect.

use crate::tui::effect::Effect;
use crate::tui::model::Link;
use crate::tui::model::Model;
use crate::world::Timestamp;

pub(super) fn tick(model: &mut Model, now: Timestamp, effects: &mut Vec<Effect>) {
    let before = model.now;
    model.now = now;
    let minute = before.as_seconds().div_euclid(60) != now.as_seconds().div_euclid(60);
    let second = before.as_seconds() != now.as_seconds();
    if minute {
        model.dirty = true;
        model.stats_stale = true;
    }
    let lost = matches!(model.link, Link::Lost { again: Some(_), .. });
    if second && (lost || !model.undo.is_empty() || model.seconds_on_screen()) {
        model.dirty = true;
    }
    if model.note.as_ref().is_some_and(|(_, until)| *until <= now) {
        model.note = None;
        model.dirty = true;
    }
    let offers = model.undo.len();
    model.undo.retain(|undo| undo.until > now);
    model.dirty |= model.undo.len() != offers;
    if let Link::Lost { again, .. } = &mut model.link
        && again.is_some_and(|at| at <= now)
    {
        *again = None;
        model.dirty = true;
        effects.push(Effect::Reconnect);
    }
}
