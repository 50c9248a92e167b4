//! What the server's answers change. One that nobody waits for any more is dropped.

use crate::tui::effect::Act;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::model::Pending;
use crate::tui::model::Place;
use crate::tui::model::Row;
use crate::tui::msg::Answer;
use crate::tui::msg::Note;
use crate::tui::msg::Problem;
use crate::tui::safe;

use super::acts;
use super::reading;

pub(super) fn answer(model: &mut Model, request: u64, answer: Answer, effects: &mut Vec<Effect>) {
    let pending = model.pending.remove(&request);
    match (answer, pending) {
        (Answer::Page(page), _) => {
            let waits = |place: &&mut Place| {
                place
                    .list
                    .loading
                    .is_some_and(|loading| loading.request == request)
            };
            if let Some(place) = model.all_places().find(waits) {
                place.list.take(request, page);
            }
            model.dirty = true;
        }
        (Answer::Stats(stats), Some(Pending::Stats)) => {
            model.stats = Some(*stats);
            model.dirty = true;
        }
        (Answer::Mail(mail), Some(Pending::Detail(id))) => {
            // It may have been left for another place meanwhile, and be come back to.
            for place in model.all_places() {
                let looking = place.looking.as_mut().filter(|looking| looking.id == id);
                if let Some(looking) = looking {
                    looking.mail = Some(mail.clone());
                }
            }
            model.dirty = true;
        }
        (Answer::Message(message), Some(Pending::Newest)) => {
            let codes = message.as_ref().map(|message| message.codes.as_slice());
            let to = message.as_ref().and_then(|m| m.summary.envelope.to.first());
            match codes {
                None => model.tell(Some(false), "no_mail"),
                Some(codes) => match codes.first() {
                    None => model.tell(None, "no_code"),
                    Some(code) => {
                        let to = safe::line(to.map_or("", String::as_str));
                        let what = model.settings.words.fill("the_code", &[("to", &to)]);
                        let text = code.clone();
                        effects.push(Effect::Copy { text, what });
                    }
                },
            }
        }
        (Answer::Revealed(secret), Some(Pending::Act(Act::Reveal, ids))) => {
            // Whoever went on to another row meanwhile is not to come upon it unmasked later.
            let here = model.place().list.row().map(Row::id);
            model.revealed = ids.into_iter().next().map(|id| (id, secret));
            model.revealed = model
                .revealed
                .take()
                .filter(|(id, _)| Some(id) == here.as_ref());
            model.pane = true;
            model.dirty = true;
        }
        (Answer::Acted(acted), Some(Pending::Act(act, _))) => acts::acted(model, act, acted),
        (Answer::Failed(problem), pending) => failed(model, request, pending, &problem),
        (answer, Some(pending)) => reading::answer(model, answer, pending),
        (_, None) => {}
    }
}

fn failed(model: &mut Model, request: u64, pending: Option<Pending>, problem: &Problem) {
    model.dirty = true;
    // Whether the connection stands is the stream's to say: one request that took too long says
    // nothing about the next. What it was for is asked for again.
    let again = problem.unreachable;
    let mut listed = false;
    for place in model.all_places() {
        if place
            .list
            .loading
            .is_some_and(|loading| loading.request == request)
        {
            place.list.fail(problem.clone());
            place.list.stale |= again;
            listed = true;
        }
    }
    if listed {
        let unseen = !again && !model.place().list.rows.is_empty();
        if unseen {
            model.say(Note::bad(safe::line(&problem.text)));
        }
        return;
    }
    match pending {
        Some(pending) if reading::failed(model, &pending, problem) => {}
        // The figures come again with the next event; a banner would say nothing new.
        None => {}
        Some(Pending::Stats) => model.stats_stale |= again,
        Some(Pending::Detail(id)) if again => {
            for place in model.all_places() {
                let looking = place.looking.as_mut().filter(|looking| looking.id == id);
                if let Some(looking) = looking {
                    looking.stale = true;
                }
            }
        }
        Some(_) => model.say(Note::bad(safe::line(&problem.text))),
    }
}
