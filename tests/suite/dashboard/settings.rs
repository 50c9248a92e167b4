//! Settings of keys, colours and columns: all that is wrong is told at once, and what would be
//! right.

use std::collections::BTreeMap;

use gatepost::language::Language;
use gatepost::tui::Settings;
use gatepost::tui::model::View;
use gatepost::tui::settings::Raw;
use gatepost::tui::theme::Scheme;

use super::desk::Desk;

fn lists(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
    let owned = |texts: &&[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let pairs = pairs.iter();
    pairs
        .map(|(name, texts)| ((*name).to_owned(), owned(texts)))
        .collect()
}

fn problems(raw: &Raw) -> Vec<String> {
    let read = Settings::new(raw, Scheme::Dark, false, Language::En);
    read.err().unwrap_or_default()
}

#[test]
fn a_key_that_is_taken_twice_names_both_actions() {
    let raw = Raw {
        keys: lists(&[("retry", &["d"])]),
        ..Raw::default()
    };
    let wrong = problems(&raw);
    assert_eq!(wrong, ["keys.retry and keys.discard: both are d"]);
    // In another place the same key may do something else.
    let raw = Raw {
        keys: lists(&[("retry", &["v"])]),
        ..Raw::default()
    };
    assert_eq!(problems(&raw), [""; 0]);
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let raw = Raw {
        keys: lists(&[("retyr", &["x"]), ("quit", &["entr"])]),
        columns: lists(&[("outbox", &["state", "sice"]), ("outbx", &["state"])]),
        colours: [("bad", "redd"), ("baad", "red")]
            .map(|(role, style)| (role.to_owned(), style.to_owned()))
            .into(),
    };
    let wrong = problems(&raw).join("\n");
    for part in [
        "keys.retyr: no action is called that; did you mean retry?",
        "keys.quit: \"entr\" is no key; did you mean enter",
        "columns.outbox: there is no column \"sice\"; there are state, to",
        "columns.outbx: no view is called that; did you mean outbox?",
        "colors.bad: \"redd\" is no colour",
        "colors.baad: nothing is called that; did you mean bad",
    ] {
        assert!(wrong.contains(part), "{part}\n{wrong}");
    }
}

#[test]
fn other_keys_and_columns_are_those_of_the_screen() {
    let raw = Raw {
        keys: lists(&[("discard", &["delete", "ctrl-x"])]),
        columns: lists(&[("outbox", &["to", "state"])]),
        colours: [("bad".to_owned(), "bold white on-red".to_owned())].into(),
    };
    let settings = Settings::new(&raw, Scheme::Dark, false, Language::En).unwrap();
    let columns: Vec<&str> = settings
        .columns(View::Outbox)
        .iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(columns, ["to", "state"]);
    let mut desk = Desk::with(settings, "dev", (100, 30));
    desk.press("2");
    let screen = desk.screen();
    assert!(screen.contains("Delete Discard"), "{screen}");
    assert!(!screen.contains("TRIES"), "{screen}");
    desk.press("ctrl-x");
    assert!(desk.screen().contains("Discard (1)"), "{}", desk.screen());
}
