//! What people see, at three sizes, in three languages and in every scheme.

use gatepost::language::Language;
use gatepost::tui::msg::Msg;
use gatepost::tui::msg::Problem;
use gatepost::tui::theme::Role;
use gatepost::tui::theme::Scheme;
use gatepost::tui::theme::Theme;
use insta::assert_snapshot;

use super::desk::Desk;
use super::desk::settings;

const SIZES: [(u16, u16); 3] = [(100, 30), (80, 24), (40, 12)];

/// The views, by the keys that lead there.
const VIEWS: [(&str, &str); 10] = [
    ("overview", "0"),
    ("mail", "1"),
    ("outbox", "2 j"),
    ("tokens", "3"),
    ("users", "4"),
    ("sessions", "5"),
    ("audit", "6"),
    ("routes", "7"),
    ("log", "8"),
    ("timeline", "4 enter"),
];

fn desk(language: Language, size: (u16, u16)) -> Desk {
    Desk::with(settings(Scheme::Dark, false, language), "dev", size)
}

#[test]
fn every_view_at_every_size_in_every_language() {
    for language in [Language::En, Language::ZhHans, Language::ZhHant] {
        for size in SIZES {
            let mut screens = String::new();
            for (name, keys) in VIEWS {
                let mut desk = desk(language, size);
                desk.press(keys);
                desk.pass(600);
                desk.pass(600);
                screens.push_str(&format!("=== {name}\n{}\n", desk.screen()));
            }
            let name = format!("{}_{}x{}", language.tag(), size.0, size.1);
            assert_snapshot!(name, screens);
        }
    }
}

#[test]
fn dialogs_the_reader_and_what_is_looked_at_alone() {
    for size in SIZES {
        let mut screens = String::new();
        for (name, keys) in [
            ("reading", "1 enter"),
            ("outbox detail", "2 j enter"),
            ("discard two", "2 space j space d"),
            ("help", "?"),
            ("palette", ": r e t"),
            ("test mail", "T"),
            ("qr", "1 enter Q"),
            ("marks and a filter", "2 space / u s e r"),
            ("failures", "!"),
        ] {
            let mut desk = desk(Language::En, size);
            desk.press(keys);
            desk.pass(600);
            desk.pass(600);
            screens.push_str(&format!("=== {name}\n{}\n", desk.screen()));
        }
        assert_snapshot!(format!("dialogs_{}x{}", size.0, size.1), screens);
    }
}

#[test]
fn ascii_alone_is_drawn_where_it_is_wanted() {
    let mut screens = String::new();
    for keys in ["2 j", "0", "2 d"] {
        let settings = settings(Scheme::Plain, true, Language::En);
        let mut desk = Desk::with(settings, "dev", (80, 24));
        desk.press(keys);
        desk.pass(600);
        let screen = desk.screen();
        assert!(screen.is_ascii(), "{screen}");
        screens.push_str(&screen);
    }
    assert_snapshot!("ascii_80x24", screens);
}

#[test]
fn production_and_a_lost_connection_are_not_to_be_overlooked() {
    let mut settings = settings(Scheme::Dark, false, Language::En);
    settings.read_only = true;
    let mut desk = Desk::with(settings, "serve", (80, 24));
    desk.send(Msg::Lost(Problem {
        text: "nobody answers there (connection refused)".to_owned(),
        code: None,
        unreachable: true,
    }));
    assert_snapshot!("lost_80x24", desk.screen());
}

#[test]
fn the_selection_and_the_marks_have_styles_of_their_own() {
    for scheme in [Scheme::Dark, Scheme::Light, Scheme::Plain] {
        let mut desk = Desk::with(settings(scheme, false, Language::En), "dev", (80, 24));
        desk.press("2 space");
        let buffer = desk.buffer();
        let screen = desk.screen();
        let row = |sign: &str| {
            let found = screen.lines().position(|line| line.starts_with(sign));
            u16::try_from(found.unwrap_or_else(|| panic!("{sign}\n{screen}"))).unwrap()
        };
        let theme = Theme::new(scheme, false);
        let (selected, marked) = (row(">  "), row(" * "));
        for (y, role) in [(selected, Role::Selected), (marked, Role::Marked)] {
            let (cell, style) = (&buffer[(4, y)], theme.style(role));
            assert!(
                cell.modifier.contains(style.add_modifier),
                "{scheme:?} {role:?}"
            );
            if let Some(colour) = style.fg {
                assert_eq!(cell.fg, colour, "{scheme:?} {role:?}");
            }
        }
        if scheme == Scheme::Plain {
            let colourless = buffer.content.iter().all(|cell| {
                let none = ratatui::style::Color::Reset;
                (cell.fg, cell.bg) == (none, none)
            });
            assert!(colourless);
        }
    }
}
