//! What a message changes, and what is to be done about it. Nothing is done here.

mod acts;
mod answers;
mod dialogs;
mod go;
mod keys;
mod mouse;
mod reading;
mod settle;
mod time;

use super::effect::Effect;
use super::model::Link;
use super::model::Model;
use super::model::Pending;
use super::model::View;
use super::msg::Msg;
use super::msg::Topic;

pub use acts::why_not;
pub use dialogs::Item;
pub use dialogs::matches as picks;
pub use go::default_sort;

/// Changes `model` by `msg`, and says what is to be done.
pub fn update(model: &mut Model, msg: Msg) -> Vec<Effect> {
    let mut effects = Vec::new();
    match msg {
        Msg::Key(event) => keys::key(model, event, &mut effects),
        Msg::Mouse(event) => mouse::mouse(model, event, &mut effects),
        Msg::Paste(text) => dialogs::paste(model, &text),
        Msg::Resize(columns, rows) => {
            model.size = (columns, rows);
            model.dirty = true;
        }
        Msg::Tick(now) => time::tick(model, now, &mut effects),
        Msg::Answer(request, answer) => answers::answer(model, request, answer, &mut effects),
        Msg::Event(topic) => event(model, topic),
        Msg::Connected { about, latency } => {
            model.about = Some(*about);
            model.link = Link::Live { latency };
            model.dirty = true;
            model.stats_stale = true;
            model.stats_asked = None;
            for place in model.all_places() {
                place.list.stale = true;
                place.list.asked = None;
                place.list.problem = None;
            }
        }
        Msg::Latency(latency) => {
            if let Link::Live { latency: known } = &mut model.link {
                *known = latency;
                model.dirty = true;
            }
        }
        Msg::Lost(problem) => lose(model, problem),
        Msg::Note(note) => model.say(note),
    }
    settle::settle(model, &mut effects);
    effects
}

/// The connection is lost: what was asked for does not come any more.
fn lose(model: &mut Model, problem: super::msg::Problem) {
    let now = model.now;
    model.link.lose(problem, now);
    // What was to be changed goes on, and its outcome is told when it comes.
    let acts = |pending: &Pending| matches!(pending, Pending::Act(..));
    model.pending.retain(|_, pending| acts(pending));
    for place in model.all_places() {
        place.list.stale |= place.list.loading.take().is_some();
        if let Some(looking) = &mut place.looking {
            looking.stale = true;
            looking.asked = None;
        }
    }
    model.dirty = true;
}

/// Marks what `topic` may have changed.
fn event(model: &mut Model, topic: Topic) {
    let touched: &[View] = match topic {
        Topic::Outbox => &[View::Outbox, View::Timeline],
        Topic::Inbox => &[View::Mail, View::Timeline],
        Topic::Routes => &[View::Routes, View::Outbox],
        Topic::Audit => &[
            View::Users,
            View::Sessions,
            View::Tokens,
            View::Audit,
            View::Timeline,
        ],
        Topic::Log => &[View::Log],
    };
    for place in model.all_places() {
        if touched.contains(&place.list.source) {
            place.list.stale = true;
        }
    }
    if topic != Topic::Log {
        model.stats_stale = true;
    }
    if let (Topic::Outbox, Some(looking)) = (topic, &mut model.place_mut().looking) {
        looking.stale = true;
    }
}
