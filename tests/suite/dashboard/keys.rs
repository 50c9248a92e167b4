//! What keys lead to: confirmations, undo, failures, the connection, the palette.

use std::time::Duration;

use gatepost::language::Language;
use gatepost::tui::effect::Act;
use gatepost::tui::effect::Effect;
use gatepost::tui::keymap::ACTIONS;
use gatepost::tui::keymap::Keymap;
use gatepost::tui::model::Dialog;
use gatepost::tui::model::Link;
use gatepost::tui::model::View;
use gatepost::tui::msg::Msg;
use gatepost::tui::msg::Problem;
use gatepost::tui::theme::Scheme;
use gatepost::tui::words::Words;

use super::data;
use super::desk::Desk;
use super::desk::settings;

fn acts(desk: &mut Desk) -> Vec<(Act, Vec<String>)> {
    let wanted = desk.wanted().into_iter();
    let acts = wanted.filter_map(|effect| match effect {
        Effect::Act(_, act, ids) => Some((act, ids)),
        _ => None,
    });
    acts.collect()
}

fn lost() -> Msg {
    Msg::Lost(Problem {
        text: "connection refused".to_owned(),
        code: None,
        unreachable: true,
    })
}

#[test]
fn a_discard_asks_names_its_twin_and_can_be_taken_back() {
    let mut desk = Desk::new();
    desk.press("2 space j space d");
    let screen = desk.screen();
    assert!(
        screen.contains("gatepost outbox discard ob_01 ob_03"),
        "{screen}"
    );
    assert!(acts(&mut desk).is_empty());
    desk.press("n");
    assert!(acts(&mut desk).is_empty());
    desk.press("d y");
    let ids = vec!["ob_01".to_owned(), "ob_03".to_owned()];
    assert_eq!(acts(&mut desk), [(Act::Discard, ids.clone())]);
    assert!(
        desk.screen().contains("takes it back (30s)"),
        "{}",
        desk.screen()
    );
    desk.pass(12_000);
    assert!(
        desk.screen().contains("takes it back (18s)"),
        "{}",
        desk.screen()
    );
    desk.press("u");
    assert_eq!(acts(&mut desk), [(Act::Undo, ids)]);
    desk.press("u");
    assert!(acts(&mut desk).is_empty());
}

#[test]
fn the_offer_to_undo_ends_with_the_servers() {
    let mut desk = Desk::new();
    desk.press("2 d y");
    desk.pass(30_000);
    acts(&mut desk);
    desk.press("u");
    assert!(acts(&mut desk).is_empty());
    assert!(
        desk.screen().contains("no discard to take back"),
        "{}",
        desk.screen()
    );
}

#[test]
fn in_production_enter_alone_destroys_nothing() {
    let english = settings(Scheme::Dark, false, Language::En);
    let mut desk = Desk::with(english, "serve", (100, 30));
    desk.press("2 d");
    assert!(
        desk.screen().contains("PRODUCTION: this changes Tea House"),
        "{}",
        desk.screen()
    );
    desk.press("enter");
    assert!(acts(&mut desk).is_empty());
    desk.press("d tab enter");
    assert_eq!(acts(&mut desk).len(), 1);
}

#[test]
fn read_only_says_why_nothing_is_changed() {
    let mut english = settings(Scheme::Dark, false, Language::En);
    english.read_only = true;
    let mut desk = Desk::with(english, "dev", (100, 30));
    for keys in ["2 d y", "1 d y", "T", "3 v y"] {
        desk.press(keys);
        assert!(acts(&mut desk).is_empty(), "{keys}");
        assert!(desk.model.dialog.is_none(), "{keys}");
        desk.press(keys.split(' ').next().unwrap());
    }
    desk.press("2 d");
    assert!(desk.screen().contains("Read-only"), "{}", desk.screen());
}

#[test]
fn what_failed_is_one_key_away_and_esc_leads_back() {
    for view in ["0", "1", "3", "5", "7", "8", "4 enter"] {
        let mut desk = Desk::new();
        desk.press(view);
        let before = (desk.model.places.len(), desk.model.place().view);
        desk.press("!");
        desk.pass(600);
        let ids: Vec<String> = desk
            .model
            .place()
            .list
            .rows
            .iter()
            .map(gatepost::tui::model::Row::id)
            .collect();
        assert_eq!(ids, ["ob_01", "ob_02"], "{view}");
        assert!(desk.screen().contains("failed 3"));
        if view != "0" {
            desk.press("esc");
            assert_eq!((desk.model.places.len(), desk.model.place().view), before);
        }
    }
}

#[test]
fn one_key_copies_the_newest_mails_code() {
    let mut desk = Desk::new();
    desk.press("j j c");
    let copied = desk.wanted().into_iter().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text),
        _ => None,
    });
    assert_eq!(copied.as_deref(), Some("482913"));
}

#[test]
fn a_secret_is_masked_until_it_is_revealed_and_after_it_is_left() {
    let mut desk = Desk::new();
    desk.press("3");
    assert!(!desk.screen().contains("482913"));
    desk.press("v");
    assert!(desk.screen().contains("audit record"), "{}", desk.screen());
    desk.press("y");
    assert!(desk.screen().contains("482913"), "{}", desk.screen());
    desk.press("j");
    assert!(!desk.screen().contains("482913"));
    desk.press("k");
    assert!(!desk.screen().contains("482913"));
}

#[test]
fn a_lost_connection_is_tried_again_ever_more_rarely() {
    let mut desk = Desk::new();
    desk.wanted();
    for pause in [1, 2, 4, 8, 16, 30, 30] {
        desk.send(lost());
        assert!(
            desk.screen().contains(&format!("again in {pause}s, R now")),
            "{}",
            desk.screen()
        );
        desk.pass(pause * 1000 - 1);
        assert!(!desk.wanted().contains(&Effect::Reconnect));
        desk.pass(1);
        assert!(desk.wanted().contains(&Effect::Reconnect));
    }
    desk.send(lost());
    desk.press("j j");
    assert_eq!(desk.selected(), "1202", "keys work on what is loaded");
    desk.press("R");
    assert!(desk.wanted().contains(&Effect::Reconnect));
    desk.send(Msg::Connected {
        about: Box::new(data::about("dev")),
        latency: Duration::from_millis(3),
    });
    assert!(matches!(desk.model.link, Link::Live { .. }));
    assert_eq!(desk.selected(), "1202");
}

#[test]
fn the_time_is_told_no_more_often_than_the_screen_needs() {
    let mut desk = Desk::new();
    desk.pass(2000);
    // The newest mail is seconds old.
    let next = desk.model.next_tick().unwrap();
    assert!(next.as_millis() - desk.model.now.as_millis() <= 1000);
    desk.pass(120_000);
    desk.pass(1000);
    let now = desk.model.now;
    let next = desk.model.next_tick().unwrap();
    assert_eq!(next.as_millis().rem_euclid(60_000), 0);
    assert!(next > now);
    desk.model.dirty = false;
    desk.pass(1000);
    assert!(!desk.model.dirty, "a second that nobody sees draws nothing");
}

#[test]
fn the_palette_runs_what_is_meant() {
    let mut desk = Desk::new();
    desk.press(":");
    desk.typed("usr");
    desk.press("enter");
    assert_eq!(desk.model.place().view, View::Users);
    desk.press(":");
    desk.typed("sort email");
    desk.press("enter");
    assert_eq!(desk.model.place().list.sort.as_deref(), Some("email"));
    desk.press(":");
    desk.typed("timeline mei@example.com");
    desk.press("enter");
    assert_eq!(desk.model.place().view, View::Timeline);
    desk.press("?");
    desk.typed("test mail");
    desk.press("enter");
    assert!(matches!(desk.model.dialog, Some(Dialog::Ask(_))));
}

#[test]
fn a_test_mail_goes_to_an_address_that_is_one() {
    let mut desk = Desk::new();
    desk.press("T");
    desk.typed("nobody");
    desk.press("enter");
    assert!(acts(&mut desk).is_empty());
    desk.typed("@example.com");
    desk.press("enter");
    assert_eq!(
        acts(&mut desk),
        [(Act::SendTest, vec!["nobody@example.com".to_owned()])]
    );
}

#[test]
fn a_pasted_text_presses_no_keys() {
    let mut desk = Desk::new();
    desk.press("2");
    desk.send(Msg::Paste("dy\nq".to_owned()));
    assert!(desk.model.dialog.is_none());
    assert!(!desk.wanted().contains(&Effect::Quit));
    desk.press("/");
    desk.send(Msg::Paste("a\u{1b}[2Jb\n".to_owned()));
    desk.pass(200);
    assert_eq!(desk.model.place().list.q, "a[2Jb");
}

#[test]
fn every_action_has_words_and_is_documented() {
    for language in Language::ALL {
        let words = Words(language);
        let documentation = Keymap::default().documentation(words);
        for action in ACTIONS {
            assert!(words.find(action.label).is_some(), "{}", action.label);
            assert!(documentation.contains(action.name), "{}", action.name);
        }
    }
}

/// Every text in the sources that looks like a word's key is one.
#[test]
fn every_text_that_is_said_exists() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tui");
    let mut folders = vec![root];
    let mut seen = 0;
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let source = std::fs::read_to_string(&path).unwrap();
            let starts = [
                "do_", "view_", "col_", "fact_", "no_", "done_", "ask_", "note_", "figure_",
                "link_", "head_", "badge_", "banner_", "the_", "button_", "nothing_",
            ];
            let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
            for text in source.split('"').skip(1).step_by(2) {
                let word = text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
                if word && starts.iter().any(|start| text.starts_with(start)) {
                    seen += 1;
                    assert!(
                        Words(Language::En).find(text).is_some(),
                        "{text} in {path:?}"
                    );
                }
            }
        }
    }
    assert!(seen > 150, "only {seen} texts found: is this test blind?");
}
