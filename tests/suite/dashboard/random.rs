//! Whatever is pressed, pasted, clicked and answered, at whatever size: no panic, nothing in a
//! cell that acts on a terminal, and nothing is changed that was not asked about.

use gatepost::language::Language;
use gatepost::tui;
use gatepost::tui::Model;
use gatepost::tui::effect::Act;
use gatepost::tui::effect::Effect;
use gatepost::tui::keymap::ACTIONS;
use gatepost::tui::keymap::Key;
use gatepost::tui::model::Dialog;
use gatepost::tui::model::Row;
use gatepost::tui::model::View;
use gatepost::tui::msg::Msg;
use gatepost::tui::msg::Note;
use gatepost::tui::msg::Problem;
use gatepost::tui::msg::Topic;
use gatepost::tui::theme::Scheme;
use gatepost::world::Timestamp;
use proptest::prelude::*;
use ratatui::crossterm::event::KeyModifiers;
use ratatui::crossterm::event::MouseButton;
use ratatui::crossterm::event::MouseEvent;
use ratatui::crossterm::event::MouseEventKind;

use super::data;
use super::desk::Desk;
use super::desk::settings;

const HOSTILE: &str = "x\u{1b}[2J\u{9b}31m\u{202e}txt\u{200b}\u{7}\r\n\t字\u{e0041}👩\u{200d}💻é";

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Paste(String),
    Mouse(u8, u16, u16),
    Resize(u16, u16),
    Pass(i64),
    Event(u8),
    Lost,
    Connected,
    Note,
    Fail,
    Shuffle(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let keys: Vec<String> = ACTIONS
        .iter()
        .flat_map(|action| action.keys.iter().map(|&key| key.to_owned()))
        .filter(|key| !["q", "ctrl-c"].contains(&key.as_str()))
        .chain(
            [
                "y", "n", "enter", "enter", "esc", "x", "字", "delete", "ctrl-w",
            ]
            .map(str::to_owned),
        )
        .collect();
    prop_oneof![
        12 => proptest::sample::select(keys).prop_map(Step::Key),
        1 => any::<String>().prop_map(Step::Paste),
        2 => (0..4_u8, 0..200_u16, 0..60_u16).prop_map(|(k, x, y)| Step::Mouse(k, x, y)),
        1 => (1..=200_u16, 1..=60_u16).prop_map(|(w, h)| Step::Resize(w, h)),
        1 => (1..=16_u16, 1..=8_u16).prop_map(|(w, h)| Step::Resize(w, h)),
        3 => (0..40_000_i64).prop_map(Step::Pass),
        2 => (0..5_u8).prop_map(Step::Event),
        1 => Just(Step::Lost),
        1 => Just(Step::Connected),
        1 => Just(Step::Note),
        1 => Just(Step::Fail),
        1 => (0..9_u8).prop_map(Step::Shuffle),
    ]
}

/// The texts of a row made hostile; its name stays.
fn hostile(row: &Row) -> Row {
    match row.clone() {
        Row::Message(mut row) => {
            row.subject = Some(HOSTILE.to_owned());
            row.from = Some(HOSTILE.repeat(40));
            row.received_at = HOSTILE.to_owned();
            Row::Message(row)
        }
        Row::Mail(mut row) => {
            row.to = format!("{HOSTILE}@{HOSTILE}");
            row.kind = HOSTILE.to_owned();
            row.next_at = Some("9999-12-30T22:00:00Z".to_owned());
            row.why.get_or_insert_default().text = HOSTILE.repeat(30);
            Row::Mail(row)
        }
        Row::Token(mut row) => {
            row.kind = HOSTILE.to_owned();
            row.expires_at = "-009999-01-02T01:59:59Z".to_owned();
            Row::Token(row)
        }
        Row::User(mut row) => {
            row.display_name = Some(HOSTILE.to_owned());
            row.state = HOSTILE.to_owned();
            Row::User(row)
        }
        Row::Session(mut row) => {
            row.user_agent = Some(HOSTILE.to_owned());
            Row::Session(row)
        }
        Row::Entry(mut row) => {
            row.subject = format!("{HOSTILE}@");
            row.detail = HOSTILE.to_owned();
            Row::Entry(row)
        }
        Row::Route(mut row) => {
            row.host = HOSTILE.to_owned();
            row.budget.per_day = Some(u64::MAX);
            row.budget.spent = u64::MAX;
            Row::Route(row)
        }
        Row::Line(mut row) => {
            row.text = HOSTILE.repeat(9);
            row.level = HOSTILE.to_owned();
            Row::Line(row)
        }
        Row::Moment(mut row) => {
            row.title = HOSTILE.to_owned();
            row.kind = "captured".to_owned();
            row.id = "1204".to_owned();
            Row::Moment(row)
        }
    }
}

/// What was shown before it may be done.
fn asked(model: &Model) -> Option<(Act, Vec<String>)> {
    match &model.dialog {
        Some(Dialog::Confirm(confirm)) => Some((confirm.act, confirm.ids.clone())),
        Some(Dialog::Ask(ask)) => Some((Act::SendTest, vec![ask.input.value().trim().to_owned()])),
        _ => None,
    }
}

fn check(desk: &Desk) {
    let buffer = desk.buffer();
    for cell in &buffer.content {
        let symbol = cell.symbol();
        let safe = symbol.chars().all(|c| {
            !c.is_control()
                && !('\u{202a}'..='\u{202e}').contains(&c)
                && !('\u{e0000}'..='\u{e007f}').contains(&c)
                && c != '\u{200b}'
        });
        assert!(safe, "{symbol:?}");
    }
}

fn run(steps: &[Step], language: Language, production: bool) {
    let mode = if production { "serve" } else { "dev" };
    let settings = settings(Scheme::Dark, production, language);
    let mut desk = Desk::with(settings, mode, (80, 24));
    let mut undoable: Vec<String> = Vec::new();
    for step in steps {
        let before = asked(&desk.model);
        desk.wanted();
        match step {
            Step::Key(key) => {
                let key: Key = key.parse().unwrap();
                desk.send(Msg::Key(key.event()));
            }
            Step::Paste(text) => desk.send(Msg::Paste(format!("{text}{HOSTILE}"))),
            Step::Mouse(kind, column, row) => desk.send(Msg::Mouse(MouseEvent {
                kind: match kind {
                    0 => MouseEventKind::ScrollUp,
                    1 => MouseEventKind::ScrollDown,
                    2 => MouseEventKind::Moved,
                    _ => MouseEventKind::Down(MouseButton::Left),
                },
                column: *column,
                row: *row,
                modifiers: KeyModifiers::NONE,
            })),
            Step::Resize(width, height) => desk.send(Msg::Resize(*width, *height)),
            Step::Pass(millis) => desk.pass(*millis),
            Step::Event(at) => {
                let topics = [
                    Topic::Outbox,
                    Topic::Inbox,
                    Topic::Routes,
                    Topic::Audit,
                    Topic::Log,
                ];
                desk.send(Msg::Event(topics[usize::from(*at)]));
            }
            Step::Lost => desk.send(Msg::Lost(Problem {
                text: HOSTILE.to_owned(),
                code: None,
                unreachable: true,
            })),
            Step::Connected => desk.send(Msg::Connected {
                about: Box::new(gatepost::client::About {
                    site_name: HOSTILE.to_owned(),
                    ..data::about(mode)
                }),
                latency: std::time::Duration::MAX,
            }),
            Step::Note => desk.send(Msg::Note(Note::bad(HOSTILE))),
            Step::Fail => {
                desk.answers = !desk.answers;
            }
            Step::Shuffle(at) => {
                let view = View::TABS[usize::from(*at)].source();
                let rows = desk.server(view);
                if let Some(last) = rows.pop() {
                    rows.insert(0, hostile(&last));
                }
                rows.truncate(700);
            }
        }
        for effect in desk.wanted() {
            if let Effect::Act(_, act, ids) = effect {
                match act {
                    Act::Undo => assert!(ids.iter().all(|id| undoable.contains(id))),
                    _ => assert_eq!(before, Some((act, ids.clone()))),
                }
                if act == Act::Discard {
                    undoable.extend(ids);
                }
            }
        }
        let list = &desk.model.place().list;
        assert!(list.rows.len() <= 400, "{}", list.rows.len());
        assert!(list.selected < list.rows.len().max(1));
        let next = desk.model.next_tick();
        assert!(next.is_none_or(|at| at >= desk.model.now));
        check(&desk);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn nothing_breaks_it(
        steps in proptest::collection::vec(step(), 1..80),
        language in 0..3_usize,
        production: bool,
    ) {
        run(&steps, Language::ALL[language], production);
    }
}

#[test]
fn every_size_is_drawn() {
    for keys in [
        "0",
        "1",
        "2 d",
        "1 enter",
        "2 j enter",
        "?",
        ":",
        "1 enter Q",
        "T",
        "/ a",
    ] {
        let mut desk = Desk::new();
        desk.press(keys);
        for width in [1, 2, 3, 5, 9, 16, 17, 40, 200] {
            for height in [1, 2, 3, 4, 5, 6, 7, 12, 18, 60] {
                desk.send(Msg::Resize(width, height));
                check(&desk);
            }
        }
    }
}

#[test]
fn a_clock_that_is_far_off_breaks_nothing() {
    let mut desk = Desk::new();
    for at in [0, i64::MAX, i64::MIN, -1] {
        let effects = tui::update(&mut desk.model, Msg::Tick(Timestamp::from_millis(at)));
        assert!(effects.len() < 10);
        assert!(desk.model.next_tick().is_some());
        check(&desk);
    }
}
