//! No mail, however hostile, gets anything onto the screen that is not to be seen, or keeps the
//! one who reads it waiting.

use std::time::Duration;

use gatepost::client::Attachment;
use gatepost::client::Header;
use gatepost::client::Message;
use gatepost::language::Language;
use gatepost::tui::reader::Reader;
use gatepost::tui::reader::Step;
use gatepost::tui::reader::Tab;
use gatepost::tui::reader::html;
use gatepost::tui::theme::Scheme;
use gatepost::tui::theme::Theme;
use gatepost::tui::words::Words;
use gatepost::world::World;
use proptest::prelude::*;

use super::detail;
use super::is_banned;
use super::message;
use super::screen;
use super::serve;
use super::theme;

/// Everything that moves a terminal, hides, or turns the direction of what is beside it.
const HOSTILE: &str = "\u{1b}[2J\u{1b}]0;title\u{7}\u{1b}]52;c;eA==\u{1b}\\\u{9b}31m\u{90}q\u{9c}\
    a\u{8}\u{7f}\u{0}\r\tb\u{202e}gnp.exe\u{202c}\u{2066}x\u{2069}\u{200b}\u{200e}\u{200f}\u{2060}\
    \u{feff}\u{ad}\u{61c}\u{2028}\u{2029}\u{fff9}\u{e0041}\u{e007f}\n\
    👩\u{200d}👩\u{200d}👧\u{200d}👦 ❤\u{fe0f} 🇹🇼 字宽驗證碼ｆｕｌｌ\u{3000} e\u{301}\u{302}\u{303} \
    \u{301}lone กำ नि\u{94d} שלום 한\u{1100}\u{1161}";

fn hostile() -> Vec<(&'static str, Message)> {
    let entities: String = HOSTILE
        .chars()
        .map(|c| format!("&#{};", c as u32))
        .collect();
    let deep = "<div>".repeat(50_000) + "deep" + &"</div>".repeat(50_000);
    let big = format!(
        "<p>{}</p>",
        "<b>word</b> <a href=https://example.com/>l</a> ".repeat(110_000)
    );
    let formats: String = (0..40_000)
        .map(|n| format!("<p><b class=c{n}><i id=i{n}>x"))
        .collect();
    let tables = "<table><tr><td>".repeat(5_000) + "in";
    let mut everywhere = message(HOSTILE, &format!("<p title='{HOSTILE}'>{HOSTILE}</p>"));
    everywhere.summary.id = HOSTILE.to_owned();
    everywhere.summary.subject = Some(HOSTILE.repeat(20));
    everywhere.summary.from = Some(HOSTILE.to_owned());
    everywhere.summary.received_at = format!("{HOSTILE}T{HOSTILE}");
    everywhere.summary.envelope.to = vec![HOSTILE.to_owned(); 300];
    everywhere.summary.warnings = vec![HOSTILE.to_owned(); 3];
    everywhere.codes = vec![HOSTILE.to_owned(), String::new(), "\u{1b}".to_owned()];
    everywhere.links = vec![HOSTILE.to_owned(), format!("https://example.com/{HOSTILE}")];
    everywhere.transcript = HOSTILE.to_owned();
    everywhere.peer = Some(HOSTILE.to_owned());
    everywhere.headers = vec![Header {
        name: HOSTILE.to_owned(),
        value: HOSTILE.to_owned(),
    }];
    everywhere.attachments = vec![Attachment {
        filename: Some(HOSTILE.to_owned()),
        content_type: HOSTILE.to_owned(),
        ..Attachment::default()
    }];
    let hrefs = format!("<a href='{entities}'>{entities}</a><img alt='{entities}' src=x>");
    vec![
        ("everywhere", everywhere),
        (
            "entities",
            message("", &format!("<pre>{entities}</pre>{hrefs}")),
        ),
        ("deep", message("", &deep)),
        ("big", message("", &big)),
        ("formats", message("", &formats)),
        ("tables", message("", &tables)),
        (
            "cells",
            message(
                "",
                &("<table><tr>".to_owned() + &"<td colspan=999>x".repeat(5_000)),
            ),
        ),
        (
            "unclosed",
            message("", "<p <b <<a href='x <table><td>&amp<!-- <!"),
        ),
        ("angles", message("", &"<".repeat(2_000_000))),
        ("quotes", message("", &"<a b='".repeat(500_000))),
        ("comments", message("", &"<!--<script>".repeat(300_000))),
        ("lists", message("", &"<ul><li>".repeat(50_000))),
        (
            "accents",
            message(&("a".to_owned() + &"\u{301}".repeat(400_000)), ""),
        ),
        ("long", message(&"字".repeat(1_500_000), "")),
        ("lines", message(&"\n".repeat(3_000_000), "")),
        ("nothing", message("", "")),
        (
            "parens",
            message(&("http://x".to_owned() + &")".repeat(2_000_000)), ""),
        ),
    ]
}

#[test]
fn no_mail_gets_onto_the_screen_what_is_not_to_be_seen() {
    let world = World::system();
    let raw = HOSTILE.repeat(10) + "\n\n";
    let mut detail = detail();
    detail.mail.state = HOSTILE.to_owned();
    for attempt in &mut detail.attempts {
        attempt.reply = HOSTILE.to_owned();
        attempt.route = Some(HOSTILE.to_owned());
        attempt.started_at = HOSTILE.to_owned();
        attempt.advice = Some(HOSTILE.to_owned());
    }
    let words = Words(Language::ZhHant);
    for (name, mail) in hostile() {
        let began = world.elapsed();
        let mut reader = Reader::new(mail, words);
        for (width, height) in [(1, 1), (2, 3), (200, 60), (7, 6), (40, 12), (1, 40), (3, 9)] {
            reader.update(Step::Resize(width, height));
            for tab in Tab::ALL {
                reader.update(Step::Tab(tab));
                serve(&mut reader, width, raw.as_bytes(), &detail);
                let theme = Theme::new(Scheme::Plain, width == 7);
                for step in [
                    Step::Top,
                    Step::NextLink,
                    Step::Find("a".to_owned()),
                    Step::Bottom,
                ] {
                    reader.update(step);
                    screen(&reader, width, height, &theme, &words);
                }
                reader.update(Step::ClearFind);
            }
        }
        let took = world.elapsed() - began;
        // Unoptimised, and seven widths: what is quadratic takes minutes.
        assert!(took < Duration::from_secs(60), "{name} took {took:?}");
    }
}

#[test]
fn html_of_any_size_and_depth_is_laid_out_at_once_and_says_what_is_missing() {
    let world = World::system();
    for (name, mail) in hostile() {
        let Some(html) = mail.html else { continue };
        let began = world.elapsed();
        let rendered = html::render(&html, 100);
        let took = world.elapsed() - began;
        // Unoptimised; on its way to the user a tenth of it.
        assert!(took < Duration::from_secs(2), "{name} took {took:?}");
        if name == "big" || name == "formats" {
            assert!(rendered.is_cut(), "{name} is not shown whole");
        }
        if name == "deep" {
            assert!(rendered.text().contains("deep"));
        }
    }
}

/// Pieces of HTML that together are hardly any.
fn pieces() -> impl Strategy<Value = String> {
    let tags = "p|div|b|i|a href=\"x\"|table|tr|td|td colspan=3|th|li|ul|ol|pre|h1|blockquote|dl|dt|br|hr|img alt='k'";
    let piece = format!(
        "</?({tags})>|&#[0-9]{{1,4}};|&#x1f4[0-9a-f]{{2}};|[a-z]{{1,90}}|\\PC|[字驗，「]{{1,9}}| |\n|\t|<!--|<script>"
    );
    let piece = prop::string::string_regex(&piece).unwrap();
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn steps() -> impl Strategy<Value = Step> {
    let tab = prop::sample::select(Tab::ALL.to_vec());
    prop_oneof![
        prop::sample::select(vec![
            Step::NextTab,
            Step::PrevTab,
            Step::Up,
            Step::Down,
            Step::PageUp,
            Step::PageDown,
            Step::Top,
            Step::Bottom,
            Step::FindNext,
            Step::FindPrev,
            Step::ClearFind,
            Step::NextLink,
            Step::PrevLink,
        ]),
        tab.prop_map(Step::Tab),
        ".{0,3}".prop_map(Step::Find),
        (0..=200_u16, 0..=60_u16).prop_map(|(width, height)| Step::Resize(width, height)),
    ]
}

proptest! {
    #[test]
    fn any_html_is_laid_out_and_clean(html in pieces(), width in 1..=150_u16) {
        let rendered = html::render(&html, width);
        prop_assert!(!rendered.text().chars().any(|c| c != '\n' && is_banned(c)));
        for link in rendered.links() {
            prop_assert!(!link.url.chars().any(is_banned));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_on_any_mail_at_any_size(
        text in any::<String>(),
        html in pieces(),
        steps in prop::collection::vec(steps(), 0..25),
        (width, height) in (1..=200_u16, 1..=60_u16),
    ) {
        let words = Words(Language::ZhHans);
        let mut mail = message(&format!("{text}{HOSTILE}"), &html);
        mail.summary.subject = Some(text.clone());
        mail.codes = vec![text.chars().take(3).collect()];
        let mut reader = Reader::new(mail, words);
        let mut size = (width, height);
        reader.update(Step::Resize(width, height));
        for step in steps {
            if let Step::Resize(width, height) = step {
                size = (width, height);
            }
            reader.update(step);
            serve(&mut reader, size.0, text.as_bytes(), &detail());
            screen(&reader, size.0, size.1, &theme(), &words);
            // An area that is not the one that was told is no reason to break.
            screen(&reader, width, height, &theme(), &words);
        }
    }
}
