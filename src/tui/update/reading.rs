//! What is done while a mail is read, or a row is looked at alone.

use crate::tui::effect::Effect;
use crate::tui::effect::Load;
use crate::tui::keymap::Do;
use crate::tui::model::Dialog;
use crate::tui::model::Model;
use crate::tui::model::Pending;
use crate::tui::model::Purpose;
use crate::tui::model::Reading;
use crate::tui::msg::Answer;
use crate::tui::msg::Problem;
use crate::tui::reader::Need;
use crate::tui::reader::Reader;
use crate::tui::reader::Step;
use crate::tui::safe;
use crate::tui::view;

use super::go;
use super::keys;

/// Does `what` there; `false` when it is nothing special there.
pub(super) fn perform(model: &mut Model, what: Do, effects: &mut Vec<Effect>) -> bool {
    match what {
        Do::Next => go::step(model, 1),
        Do::Previous => go::step(model, -1),
        _ if model.place().looks() => return look(model, what, effects),
        Do::Find => keys::ask(model, Purpose::Find, String::new()),
        Do::Code => copy(model, effects, "no_code_here", |reader| {
            let code = reader.codes().first().cloned();
            code.map(|code| (code, "the_code_here"))
        }),
        Do::Link => copy(model, effects, "no_link", |reader| {
            link(reader).map(|(url, _)| (url, "the_link"))
        }),
        Do::Copy => copy(model, effects, "no_person", |reader| {
            let summary = &reader.message().summary;
            let to = summary.envelope.to.first().map(|to| safe::line(to));
            to.map(|to| (to, "the_address"))
        }),
        Do::CopyTwin => copy(model, effects, "no_rows", |reader| {
            Some((reader.twin(), "the_command"))
        }),
        Do::Qr => match reader(model).and_then(link) {
            Some((url, _)) => model.dialog = Some(Dialog::Qr(url)),
            None => model.tell(Some(false), "no_link"),
        },
        Do::OpenLink => match reader(model).and_then(link) {
            Some((url, true)) => effects.push(Effect::OpenUrl(url)),
            Some((_, false)) => model.tell(Some(false), "no_openable"),
            None => model.tell(Some(false), "no_link"),
        },
        Do::Save => {
            let part = reader(model).and_then(|reader| {
                let part = reader.selected_attachment()?;
                Some((reader.id().to_owned(), part.index, part.filename.clone()))
            });
            match part {
                Some((id, index, name)) => effects.push(Effect::Save { id, index, name }),
                None => model.tell(Some(false), "no_part"),
            }
        }
        what => {
            let Some(step) = step(what) else {
                return false;
            };
            if let Some(reader) = reader_mut(model) {
                reader.update(step);
            }
        }
    }
    true
}

fn step(what: Do) -> Option<Step> {
    Some(match what {
        Do::Up => Step::Up,
        Do::Down => Step::Down,
        Do::PageUp | Do::HalfUp => Step::PageUp,
        Do::PageDown | Do::HalfDown => Step::PageDown,
        Do::Top => Step::Top,
        Do::Bottom => Step::Bottom,
        Do::Left => Step::PrevTab,
        Do::Right => Step::NextTab,
        Do::FindNext => Step::FindNext,
        Do::FindPrevious => Step::FindPrev,
        Do::NextLink => Step::NextLink,
        Do::PreviousLink => Step::PrevLink,
        _ => return None,
    })
}

/// A mail of the outbox that is looked at alone scrolls.
fn look(model: &mut Model, what: Do, effects: &mut Vec<Effect>) -> bool {
    let page = i16::try_from(view::table_height(model))
        .unwrap_or(i16::MAX)
        .max(2);
    let Some(looking) = &mut model.place_mut().looking else {
        return false;
    };
    let by = match what {
        Do::Up => -1,
        Do::Down => 1,
        Do::PageUp => -page,
        Do::PageDown => page,
        Do::HalfUp => -(page / 2),
        Do::HalfDown => page / 2,
        Do::Top => i16::MIN,
        Do::Bottom => i16::MAX,
        Do::Copy => {
            let text = looking
                .mail
                .as_ref()
                .map(|detail| safe::line(&detail.mail.to));
            if let Some(text) = text {
                let what = text.clone();
                effects.push(Effect::Copy { text, what });
            }
            return true;
        }
        _ => return false,
    };
    let scroll = looking.scroll.saturating_add_signed(by);
    let most = view::detail_scroll(model);
    if let Some(looking) = &mut model.place_mut().looking {
        looking.scroll = scroll.min(most);
    }
    true
}

fn reader(model: &Model) -> Option<&Reader> {
    model.place().reading.as_ref()?.reader.as_ref()
}

fn reader_mut(model: &mut Model) -> Option<&mut Reader> {
    model.place_mut().reading.as_mut()?.reader.as_mut()
}

/// The link that was chosen, or else the first that may be opened, and whether it may be.
fn link(reader: &Reader) -> Option<(String, bool)> {
    let links = reader.links();
    let first = links.iter().find(|link| link.openable).or(links.first());
    let link = reader.selected_link().or(first)?;
    Some((link.url.clone(), link.openable))
}

fn copy(
    model: &mut Model,
    effects: &mut Vec<Effect>,
    without: &'static str,
    find: impl FnOnce(&Reader) -> Option<(String, &'static str)>,
) {
    match reader(model).and_then(find) {
        Some((text, what)) => {
            let what = model.settings.words.say(what).to_owned();
            effects.push(Effect::Copy { text, what });
        }
        None => model.tell(Some(false), without),
    }
}

/// Looks for a text in the mail.
pub(super) fn find(model: &mut Model, text: &str) {
    let step = match text.trim().is_empty() {
        true => Step::ClearFind,
        false => Step::Find(text.to_owned()),
    };
    if let Some(reader) = reader_mut(model) {
        reader.update(step);
    }
}

/// Asks for what the mail that is shown lacks.
pub(super) fn needs(model: &mut Model, effects: &mut Vec<Effect>) {
    let area = view::reader_area(model);
    let Some(reading) = &mut model.place_mut().reading else {
        return;
    };
    reading.resize((area.width, area.height));
    let (Some(reader), true) = (&reading.reader, area.width > 0) else {
        return;
    };
    let id = reading.id.clone();
    for need in reader.needs(area.width) {
        let pending = match &need {
            Need::Raw => Pending::Raw(id.clone()),
            Need::Attempts(_) => Pending::Attempts(id.clone()),
            Need::Html { width, .. } => Pending::Html(id.clone(), *width),
        };
        if model.pending.values().any(|known| *known == pending) {
            continue;
        }
        let effect = match need {
            Need::Raw => model.ask(Load::Raw(id.clone()), Pending::Raw(id.clone())),
            Need::Attempts(outbox) => model.ask(Load::Mail(outbox), Pending::Attempts(id.clone())),
            Need::Html { html, width } => {
                let request = model.number();
                model
                    .pending
                    .insert(request, Pending::Html(id.clone(), width));
                Effect::LayOut {
                    request,
                    html,
                    width,
                }
            }
        };
        effects.push(effect);
    }
}

/// What came for the mail that is shown.
pub(super) fn answer(model: &mut Model, answer: Answer, pending: Pending) {
    let words = model.settings.words;
    let shown = |model: &mut Model, id: &str| -> Option<usize> {
        let mut places = model.places.iter();
        places.position(|place| place.reading.as_ref().is_some_and(|r| r.id == id))
    };
    let id = match &pending {
        Pending::Message(id) | Pending::Raw(id) | Pending::Attempts(id) => id.clone(),
        Pending::Html(id, _) => id.clone(),
        _ => return,
    };
    let Some(at) = shown(model, &id) else {
        return;
    };
    let Some(reading) = &mut model.places[at].reading else {
        return;
    };
    match (answer, pending) {
        (Answer::Message(Some(message)), Pending::Message(_)) => reading.take(*message, words),
        (answer, _) => {
            let Some(reader) = &mut reading.reader else {
                return;
            };
            match answer {
                Answer::Raw(raw) => reader.set_raw(&raw),
                Answer::Mail(detail) => reader.set_attempts(&detail),
                Answer::Html { width, rendered } => reader.set_html(width, *rendered),
                _ => return,
            }
        }
    }
    model.dirty = true;
}

/// What did not come; `false` when nothing of the mail that is shown was meant.
pub(super) fn failed(model: &mut Model, pending: &Pending, problem: &Problem) -> bool {
    if let Pending::Message(id) = pending {
        let readings = model
            .places
            .iter_mut()
            .filter_map(|place| place.reading.as_mut());
        for reading in readings.filter(|reading| reading.id == *id) {
            reading.problem = Some(problem.text.clone());
        }
        return true;
    }
    let (id, need) = match pending {
        Pending::Raw(id) => (id, Need::Raw),
        Pending::Attempts(id) => (id, Need::Attempts(String::new())),
        Pending::Html(id, width) => {
            let html = "".into();
            let width = *width;
            (id, Need::Html { html, width })
        }
        _ => return false,
    };
    let mut readings = model
        .places
        .iter_mut()
        .filter_map(|place| place.reading.as_mut());
    let reading: Option<&mut Reading> = readings.find(|reading| reading.id == *id);
    if let Some(reader) = reading.and_then(|reading| reading.reader.as_mut()) {
        reader.set_failed(&need, &problem.text);
    }
    true
}
