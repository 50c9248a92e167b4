//! Windows of long lists, marks, filters, and changes that come while somebody reads.

use gatepost::tui::effect::Effect;
use gatepost::tui::effect::Load;
use gatepost::tui::model::View;
use gatepost::tui::msg::Msg;
use gatepost::tui::msg::Topic;

use super::data;
use super::desk::Desk;

fn loads(desk: &mut Desk) -> usize {
    let wanted = desk.wanted();
    let pages = wanted.iter();
    pages
        .filter(|effect| matches!(effect, Effect::Load(_, Load::Page(..))))
        .count()
}

#[test]
fn a_long_list_is_walked_through_in_a_small_window() {
    let mut desk = Desk::new();
    for _ in 0..60 {
        desk.press("pagedown");
        assert!(desk.model.place().list.rows.len() <= 300);
    }
    let list = &desk.model.place().list;
    let at = list.offset.unwrap() as usize + list.selected;
    assert_eq!(desk.selected(), data::rows(View::Mail)[at].id());
    assert!(at > 300, "{at}");
    for _ in 0..60 {
        desk.press("pageup");
        assert!(desk.model.place().list.rows.len() <= 300);
    }
    assert_eq!(desk.selected(), "1204");
    assert_eq!(desk.model.place().list.offset, Some(0));
}

#[test]
fn the_last_page_and_the_first_are_one_key_away() {
    let mut desk = Desk::new();
    desk.press("G");
    assert_eq!(desk.selected(), "1");
    assert!(desk.screen().contains("1204 of 1204"), "{}", desk.screen());
    desk.press("k k");
    assert_eq!(desk.selected(), "3");
    desk.press("g");
    assert_eq!(desk.selected(), "1204");
    assert!(desk.screen().contains("1 of 1204"));
}

#[test]
fn new_rows_come_in_at_the_top_and_wait_elsewhere() {
    let mut desk = Desk::new();
    desk.press("j");
    assert_eq!(desk.selected(), "1203");
    let new = data::message(1205, "new@example.com", "New", 0);
    desk.server(View::Mail).insert(0, new);
    desk.send(Msg::Event(Topic::Inbox));
    desk.pass(500);
    assert_eq!(desk.selected(), "1203", "the same row stays selected");
    assert_eq!(desk.model.place().list.rows[0].id(), "1205");

    for _ in 0..4 {
        desk.press("pagedown");
    }
    let before = desk.selected();
    for id in [1206, 1207] {
        let new = data::message(id, "new@example.com", "New", 0);
        desk.server(View::Mail).insert(0, new);
    }
    desk.send(Msg::Event(Topic::Inbox));
    desk.pass(500);
    assert_eq!(desk.selected(), before);
    assert_eq!(desk.model.place().list.waiting, 2);
    assert!(
        desk.screen().contains("2 new, g shows them"),
        "{}",
        desk.screen()
    );
    desk.press("g");
    assert_eq!(desk.selected(), "1207");
    assert_eq!(desk.model.place().list.waiting, 0);
}

#[test]
fn what_changed_or_is_gone_does_so_where_it_stands() {
    let mut desk = Desk::new();
    for _ in 0..4 {
        desk.press("pagedown");
    }
    desk.press("space");
    let before = desk.selected();
    let gone = desk.model.place().list.rows[2].id();
    desk.server(View::Mail).retain(|row| row.id() != gone);
    desk.send(Msg::Event(Topic::Inbox));
    desk.pass(500);
    assert_eq!(desk.selected(), before);
    assert!(
        desk.model
            .place()
            .list
            .rows
            .iter()
            .all(|row| row.id() != gone)
    );
    assert_eq!(desk.model.place().list.marks.len(), 1);
}

#[test]
fn a_thousand_events_a_second_are_two_reloads() {
    let mut desk = Desk::new();
    desk.pass(2000);
    desk.wanted();
    for _ in 0..1000 {
        desk.send(Msg::Event(Topic::Inbox));
        desk.pass(1);
    }
    let loads = loads(&mut desk);
    assert!((2..=3).contains(&loads), "{loads}");
}

#[test]
fn a_filter_is_asked_for_once_the_typing_rests() {
    let mut desk = Desk::new();
    desk.press("space");
    desk.wanted();
    desk.press("/");
    for c in "mei".chars() {
        desk.typed(&c.to_string());
        desk.pass(20);
    }
    assert_eq!(loads(&mut desk), 0);
    assert!(desk.model.place().list.marks.is_empty());
    desk.pass(200);
    let wanted = desk.wanted();
    let asked = wanted.iter().find_map(|effect| match effect {
        Effect::Load(_, Load::Page(View::Mail, query)) => query.q.clone(),
        _ => None,
    });
    assert_eq!(asked.as_deref(), Some("mei"));
    desk.press("enter");
    assert_eq!(desk.selected(), "1204");
    assert_eq!(desk.model.place().list.total, Some(1));
    desk.press("esc");
    desk.pass(600);
    assert_eq!(desk.model.place().list.total, Some(1204));
}

#[test]
fn an_answer_that_is_overtaken_is_dropped() {
    let mut desk = Desk::new();
    desk.answers = false;
    desk.wanted();
    desk.press("/");
    desk.typed("me");
    desk.pass(200);
    let late = desk.wanted();
    desk.typed("i");
    desk.pass(200);
    let right = desk.wanted();
    let page = |effects: &[Effect]| {
        let mut found = effects.iter();
        found
            .find(|e| matches!(e, Effect::Load(_, Load::Page(..))))
            .cloned()
            .unwrap()
    };
    let answer = desk.answer(&page(&right)).unwrap();
    desk.send(answer);
    let total = desk.model.place().list.total;
    let answer = desk.answer(&page(&late)).unwrap();
    desk.send(answer);
    assert_eq!(desk.model.place().list.total, total);
    assert_eq!(total, Some(1));
}

#[test]
fn sorting_by_key_and_by_a_click_on_the_head() {
    let mut desk = Desk::new();
    desk.press("<");
    let sort = |desk: &Desk| desk.model.place().list.sort.clone();
    assert_eq!(sort(&desk).as_deref(), Some("-size"));
    desk.press("=");
    assert_eq!(sort(&desk).as_deref(), Some("size"));
    let screen = desk.screen();
    let (y, line) = screen
        .lines()
        .enumerate()
        .find(|(_, l)| l.contains("SUBJECT"))
        .unwrap();
    let x = line.find("SUBJECT").unwrap();
    let click = ratatui::crossterm::event::MouseEvent {
        kind: ratatui::crossterm::event::MouseEventKind::Down(
            ratatui::crossterm::event::MouseButton::Left,
        ),
        column: u16::try_from(x).unwrap(),
        row: u16::try_from(y).unwrap(),
        modifiers: ratatui::crossterm::event::KeyModifiers::NONE,
    };
    desk.send(Msg::Mouse(click));
    assert_eq!(sort(&desk).as_deref(), Some("subject"));
    desk.send(Msg::Mouse(click));
    assert_eq!(sort(&desk).as_deref(), Some("-subject"));
}

#[test]
fn how_a_view_was_looked_at_is_remembered() {
    let mut desk = Desk::new();
    desk.press("2 f / b o enter q");
    let wanted = desk.wanted();
    let remembered = wanted.iter().find_map(|effect| match effect {
        Effect::Remember(remembered) => Some(remembered.clone()),
        _ => None,
    });
    let remembered = remembered.unwrap();
    assert!(wanted.contains(&Effect::Quit));
    let text = serde_json::to_string(&remembered).unwrap();
    let mut settings = super::desk::settings(
        gatepost::tui::theme::Scheme::Dark,
        false,
        gatepost::language::Language::En,
    );
    settings.remembered = serde_json::from_str(&text).unwrap();
    let desk = Desk::with(settings, "dev", (100, 30));
    assert_eq!(desk.model.place().view, View::Outbox);
    assert_eq!(desk.model.place().list.q, "bo");
    assert_eq!(desk.model.place().list.state.as_deref(), Some("failing"));
}
