//! Keys and pasted texts while a dialog is open.

use nucleo_matcher::Config;
use nucleo_matcher::Matcher;
use nucleo_matcher::Utf32Str;
use nucleo_matcher::pattern::CaseMatching;
use nucleo_matcher::pattern::Normalization;
use nucleo_matcher::pattern::Pattern;
use ratatui::crossterm::event::KeyCode;
use std::time::Duration;
use tui_input::Input;
use tui_input::InputRequest;

use crate::tui::columns::Column;
use crate::tui::effect::Act;
use crate::tui::effect::Effect;
use crate::tui::keymap::ACTIONS;
use crate::tui::keymap::Action;
use crate::tui::keymap::Key;
use crate::tui::model::Ask;
use crate::tui::model::Confirm;
use crate::tui::model::Dialog;
use crate::tui::model::Model;
use crate::tui::model::Pick;
use crate::tui::model::Purpose;
use crate::tui::model::states;
use crate::tui::safe;

use super::acts;
use super::go;
use super::keys;
use super::reading;

/// The longest text that is typed.
const LONGEST: usize = 254;

/// How long after the last key a filter is asked for.
const PAUSE: Duration = Duration::from_millis(150);

/// Something that the palette can do.
#[derive(Debug, Clone)]
pub enum Item {
    /// An action.
    Do(&'static Action),
    /// Sort by a column.
    Sort(&'static Column),
    /// Filter by a state, or by none.
    State(Option<&'static str>),
    /// One person's story.
    Timeline(String),
}

impl Item {
    /// What is typed for it.
    pub fn name(&self) -> String {
        match self {
            Item::Do(action) => action.name.to_owned(),
            Item::Sort(column) => format!("sort {}", column.name),
            Item::State(state) => format!("state {}", state.unwrap_or("all")),
            Item::Timeline(email) => format!("timeline {email}"),
        }
    }

    /// What it does.
    pub fn label(&self, model: &Model) -> String {
        let words = model.settings.words;
        match self {
            Item::Do(action) => words.say(action.label).to_owned(),
            Item::Sort(column) => {
                words.fill("palette_sort", &[("column", words.say(column.label))])
            }
            Item::State(None) => words.say("palette_all").to_owned(),
            Item::State(Some(state)) => {
                let key = format!("state_{state}");
                let state = words.find(&key).unwrap_or(state);
                words.fill("palette_state", &[("state", state)])
            }
            Item::Timeline(_) => words.say("view_timeline").to_owned(),
        }
    }
}

/// What matches what is typed, the best first.
pub fn matches(model: &Model, pick: &Pick, palette: bool) -> Vec<Item> {
    let spot = model.spot();
    let mut items: Vec<Item> = ACTIONS
        .iter()
        .filter(|action| action.places & spot != 0)
        .map(Item::Do)
        .collect();
    let typed = pick.input.value().trim();
    if palette {
        let place = model.place();
        if !place.alone {
            let sortable = model.settings.columns(place.view);
            let sortable = sortable.into_iter().filter(|column| column.sort.is_some());
            items.extend(sortable.map(Item::Sort));
            if let Some((_, states)) = states(place.list.source) {
                items.extend(states.iter().map(|state| Item::State(Some(state))));
                items.push(Item::State(None));
            }
        }
        if let Some(email) = typed.strip_prefix("timeline ") {
            items.insert(0, Item::Timeline(email.trim().to_owned()));
        }
    }
    if typed.is_empty() {
        return items;
    }
    let mut matcher = Matcher::new(Config::DEFAULT);
    let pattern = Pattern::parse(typed, CaseMatching::Ignore, Normalization::Smart);
    let mut buffer = Vec::new();
    let mut scored: Vec<(u32, usize)> = Vec::new();
    for (at, item) in items.iter().enumerate() {
        let name = item.name();
        // The name is what is typed, so it counts for more than the label.
        let by_name = pattern.score(Utf32Str::new(&name, &mut buffer), &mut matcher);
        let text = item.label(model);
        let by_label = pattern.score(Utf32Str::new(&text, &mut buffer), &mut matcher);
        let whole = u32::from(name == typed) * 10_000;
        if let Some(score) = by_name.map(|s| s * 2 + whole).max(by_label) {
            scored.push((score, at));
        }
    }
    scored.sort_by_key(|(score, at)| (std::cmp::Reverse(*score), *at));
    scored
        .into_iter()
        .map(|(_, at)| items[at].clone())
        .collect()
}

pub(super) fn key(model: &mut Model, key: Key, effects: &mut Vec<Effect>) {
    model.dirty = true;
    match model.dialog.take() {
        Some(Dialog::Confirm(confirm)) => confirm_key(model, confirm, key, effects),
        Some(Dialog::Ask(ask)) => ask_key(model, ask, key, effects),
        Some(Dialog::Help(pick)) => pick_key(model, pick, false, key, effects),
        Some(Dialog::Palette(pick)) => pick_key(model, pick, true, key, effects),
        Some(Dialog::Qr(_)) | None => {}
        Some(Dialog::Text {
            title,
            text,
            scroll,
        }) => {
            let by = match key.code() {
                KeyCode::Char('j') | KeyCode::Down => 1,
                KeyCode::Char('k') | KeyCode::Up => -1,
                KeyCode::PageDown | KeyCode::Char(' ') => 10,
                KeyCode::PageUp => -10,
                _ => return,
            };
            let scroll = scroll.saturating_add_signed(by);
            model.dialog = Some(Dialog::Text {
                title,
                text,
                scroll,
            });
        }
    }
}

fn confirm_key(model: &mut Model, mut confirm: Confirm, key: Key, effects: &mut Vec<Effect>) {
    // Esc and a letter that come in one go look like the letter with Alt: that confirms nothing.
    let plain = key == Key::plain(key.code());
    match key.code() {
        KeyCode::Char('y' | 'Y') if plain => {
            return acts::begin(model, confirm.act, confirm.ids, effects);
        }
        KeyCode::Enter if plain => {
            if confirm.yes {
                acts::begin(model, confirm.act, confirm.ids, effects);
            }
            return;
        }
        KeyCode::Esc | KeyCode::Char('n' | 'N' | 'q') => return,
        KeyCode::Left
        | KeyCode::Right
        | KeyCode::Tab
        | KeyCode::BackTab
        | KeyCode::Char('h' | 'l') => confirm.yes = !confirm.yes,
        _ => {}
    }
    model.dialog = Some(Dialog::Confirm(confirm));
}

fn ask_key(model: &mut Model, mut ask: Ask, key: Key, effects: &mut Vec<Effect>) {
    match key.code() {
        KeyCode::Esc => {
            if ask.purpose == Purpose::Filter {
                set_filter(model, &ask.before);
            }
            return;
        }
        KeyCode::Enter if key == Key::plain(KeyCode::Enter) => match ask.purpose {
            Purpose::Filter => {
                let now = model.now;
                let list = &mut model.place_mut().list;
                list.due = list.due.map(|_| now);
                return;
            }
            Purpose::Find => return reading::find(model, ask.input.value()),
            Purpose::TestMail => {
                let to = ask.input.value().trim().to_owned();
                if is_address(&to) {
                    return acts::begin(model, Act::SendTest, vec![to], effects);
                }
                ask.problem = Some("no_address");
            }
        },
        _ => {
            ask.problem = None;
            if edit(&mut ask.input, key) && ask.purpose == Purpose::Filter {
                set_filter(model, ask.input.value());
            }
        }
    }
    model.dialog = Some(Dialog::Ask(ask));
}

/// Roughly; the server looks closer.
fn is_address(text: &str) -> bool {
    let (local, domain) = text.split_once('@').unwrap_or_default();
    !local.is_empty() && !domain.is_empty() && !text.contains(char::is_whitespace)
}

fn set_filter(model: &mut Model, text: &str) {
    let due = model.now + PAUSE;
    let list = &mut model.place_mut().list;
    if list.q != text {
        text.clone_into(&mut list.q);
        list.marks.clear();
        list.due = Some(due);
    }
}

fn pick_key(model: &mut Model, mut pick: Pick, palette: bool, key: Key, effects: &mut Vec<Effect>) {
    let items = matches(model, &pick, palette);
    let last = items.len().saturating_sub(1);
    pick.selected = pick.selected.min(last);
    let up = key.code() == KeyCode::Up || key.is_ctrl('p');
    let down = key.code() == KeyCode::Down || key.is_ctrl('n');
    match key.code() {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            if let Some(item) = items.into_iter().nth(pick.selected) {
                run(model, item, effects);
            }
            return;
        }
        KeyCode::PageUp => pick.selected = pick.selected.saturating_sub(10),
        KeyCode::PageDown => pick.selected = (pick.selected + 10).min(last),
        KeyCode::Tab => {
            if let Some(item) = items.get(pick.selected) {
                pick.input = Input::new(item.name());
                pick.selected = 0;
            }
        }
        _ if up => pick.selected = pick.selected.saturating_sub(1),
        _ if down => pick.selected = (pick.selected + 1).min(last),
        _ => {
            if edit(&mut pick.input, key) {
                pick.selected = 0;
            }
        }
    }
    model.dialog = Some(match palette {
        true => Dialog::Palette(pick),
        false => Dialog::Help(pick),
    });
}

fn run(model: &mut Model, item: Item, effects: &mut Vec<Effect>) {
    match item {
        Item::Do(action) => keys::perform(model, action.what, effects),
        Item::Sort(column) => go::sort(model, column),
        Item::State(state) => go::set_state(model, state),
        Item::Timeline(email) => go::timeline(model, &email),
    }
}

/// Changes what is typed; `true` when the text is another one then.
fn edit(input: &mut Input, key: Key) -> bool {
    use InputRequest as To;
    let request = match key.code() {
        KeyCode::Char('a') if key.is_ctrl('a') => To::GoToStart,
        KeyCode::Char('e') if key.is_ctrl('e') => To::GoToEnd,
        KeyCode::Char('u') if key.is_ctrl('u') => To::DeleteFromStart,
        KeyCode::Char('k') if key.is_ctrl('k') => To::DeleteTillEnd,
        KeyCode::Char('w') if key.is_ctrl('w') => To::DeletePrevWord,
        KeyCode::Char('h') if key.is_ctrl('h') => To::DeletePrevChar,
        KeyCode::Backspace => To::DeletePrevChar,
        KeyCode::Delete => To::DeleteNextChar,
        KeyCode::Left => To::GoToPrevChar,
        KeyCode::Right => To::GoToNextChar,
        KeyCode::Home => To::GoToStart,
        KeyCode::End => To::GoToEnd,
        _ => {
            let Some(c) = key.character() else {
                return false;
            };
            // What would hide in the line, or move the terminal, is not typed.
            let clean = !safe::line(c.encode_utf8(&mut [0; 4])).is_empty();
            if !clean || input.value().chars().count() >= LONGEST {
                return false;
            }
            To::InsertChar(c)
        }
    };
    input.handle(request).is_some_and(|changed| changed.value)
}

pub(super) fn paste(model: &mut Model, text: &str) {
    let line = safe::line(text);
    let line = line.trim();
    let put = |input: &mut Input| {
        let room = LONGEST.saturating_sub(input.value().chars().count());
        for c in line.chars().take(room) {
            input.handle(InputRequest::InsertChar(c));
        }
        input.value().to_owned()
    };
    let mut filter = None;
    match &mut model.dialog {
        Some(Dialog::Ask(ask)) => {
            let text = put(&mut ask.input);
            ask.problem = None;
            filter = (ask.purpose == Purpose::Filter).then_some(text);
        }
        Some(Dialog::Help(pick) | Dialog::Palette(pick)) => {
            put(&mut pick.input);
            pick.selected = 0;
        }
        // A text that is pasted by mistake presses no keys.
        _ => return,
    }
    if let Some(text) = filter {
        set_filter(model, &text);
    }
    model.dirty = true;
}
