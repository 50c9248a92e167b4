//! Reading a mail in the dashboard: what is seen at each size and in each language, and what keys
//! do there. What hostile mail does is in `hostile`.

mod hostile;

use gatepost::client::Attachment;
use gatepost::client::Attempt;
use gatepost::client::Header;
use gatepost::client::MailDetail;
use gatepost::client::Message;
use gatepost::language::Language;
use gatepost::tui::reader::Need;
use gatepost::tui::reader::Reader;
use gatepost::tui::reader::Step;
use gatepost::tui::reader::Tab;
use gatepost::tui::reader::html;
use gatepost::tui::theme::Role;
use gatepost::tui::theme::Scheme;
use gatepost::tui::theme::Theme;
use gatepost::tui::words::Words;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

fn is_banned(c: char) -> bool {
    c.is_control()
        || matches!(c as u32,
            0xad | 0x61c | 0x200b | 0x200e..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0xfe0f
            | 0xfeff | 0xfff9..=0xfffb | 0xe0000..=0xe007f)
}

fn theme() -> Theme {
    Theme::new(Scheme::Dark, false)
}

/// Does what the reader needs, as the threads of the dashboard would.
fn serve(reader: &mut Reader, width: u16, raw: &[u8], detail: &MailDetail) {
    for need in reader.needs(width) {
        match need {
            Need::Raw => reader.set_raw(raw),
            Need::Attempts(_) => reader.set_attempts(detail),
            Need::Html { html, width } => reader.set_html(width, html::render(&html, width)),
        }
    }
    assert_eq!(reader.needs(width), []);
}

/// What stands on a screen of that size, row by row; every cell is looked into.
fn screen(reader: &Reader, width: u16, height: u16, theme: &Theme, words: &Words) -> String {
    // It is drawn into the middle of something larger, which has to stay as it was.
    let outer = Rect::new(0, 0, width + 2, height + 2);
    let mut buf = Buffer::empty(outer);
    for cell in &mut buf.content {
        cell.set_symbol("@");
    }
    let area = Rect::new(1, 1, width, height);
    reader.draw(area, &mut buf, theme, words);
    let mut shown = String::new();
    for y in 0..outer.height {
        let mut covered = 0;
        for x in 0..outer.width {
            let symbol = buf[(x, y)].symbol();
            assert!(!symbol.chars().any(is_banned), "{symbol:?} at {x},{y}");
            if !area.contains((x, y).into()) {
                assert_eq!(symbol, "@", "drawn outside at {x},{y}");
                continue;
            }
            let columns = unicode_width::UnicodeWidthStr::width(symbol) as u16;
            assert!(
                columns >= 1 && x + columns <= area.right(),
                "{symbol:?} at {x},{y}"
            );
            assert!(symbol.chars().count() <= 16, "a heap at {x},{y}");
            if covered > 0 {
                assert_eq!(symbol, " ", "behind a wide character at {x},{y}");
                covered -= 1;
                continue;
            }
            shown.push_str(symbol);
            covered = columns - 1;
        }
        if (1..=height).contains(&y) {
            shown.truncate(shown.trim_end_matches(' ').len());
            shown.push('\n');
        }
    }
    shown
}

fn message(text: &str, html: &str) -> Message {
    let mut message = Message {
        text: Some(text.to_owned()).filter(|text| !text.is_empty()),
        html: Some(html.to_owned()).filter(|html| !html.is_empty()),
        ..Message::default()
    };
    message.summary.id = "412".to_owned();
    message.summary.outbox_id = Some("ob_01J8ZC4T".to_owned());
    message.summary.subject = Some("A subject".to_owned());
    message
}

/// A mail as gatepost writes them, with everything that can be shown of one.
fn nice() -> Message {
    let mut mail = message(
        "Hello Mei,\n\nyour code is 482913. It is good for ten minutes.\n\
         您的驗證碼是 482913，十分鐘內有效，請勿將此驗證碼告訴任何人。\n\n\
         Reset your password: https://example.com/reset?token=abc\n\
         Help: <https://example.org/help>\n\nThe example team\n",
        "<style>p{color:red}</style><h1>Your code</h1><p>Hello <b>Mei</b>, your code is \
         <code>482913</code>.</p><img src=//x/y alt=Logo><ul><li>one<li>two <i>or</i> so</ul>\
         <table><tr><th>Plan</th><th>Price</th></tr><tr><td>Team</td><td>12 €</td></tr></table>\
         <p><a href=\"https://example.com/reset?token=abc\">Reset your password</a> or \
         <a href='javascript:alert(1)'>do not</a>.</p><blockquote>您好，歡迎</blockquote>",
    );
    mail.summary.received_at = "2026-11-27T11:53:10.250Z".to_owned();
    mail.summary.size = 4_321;
    mail.summary.tls = true;
    mail.summary.envelope.from = "noreply@example.com".to_owned();
    mail.summary.envelope.to = vec!["mei@example.org".to_owned()];
    mail.summary.from = Some("Example <noreply@example.com>".to_owned());
    mail.summary.subject = Some("Your code 482913 您的驗證碼".to_owned());
    mail.summary.warnings = vec!["there is no Date".to_owned()];
    mail.codes = vec!["482913".to_owned()];
    mail.links = vec![
        "https://example.org/help".to_owned(),
        "https://example.com/x".to_owned(),
    ];
    mail.peer = Some("127.0.0.1:50234".to_owned());
    mail.hello = Some("app.example.com".to_owned());
    mail.transcript = "S: 220 gatepost\nC: EHLO app.example.com\nS: 250 ok".to_owned();
    for (name, value) in [
        ("From", "Example <noreply@example.com>"),
        ("Subject", "Your code"),
    ] {
        mail.headers.push(Header {
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }
    for (index, name) in [Some("發票.pdf"), None].into_iter().enumerate() {
        mail.attachments.push(Attachment {
            index,
            filename: name.map(str::to_owned),
            content_type: "application/pdf".to_owned(),
            size: 12_345,
            ..Attachment::default()
        });
    }
    mail
}

fn detail() -> MailDetail {
    let mut detail: MailDetail = serde_json::from_value(serde_json::json!({
        "id": "ob_01J8ZC4T", "kind": "code", "state": "dead", "to": "mei@example.org",
        "created_at": "2026-11-27T11:40:00Z",
        "why": {"code": "refused", "text": "The mailbox does not exist.",
                "advice": "Ask for another address.", "page": "https://example.com/help"},
        "attempts_left_out": 3,
    }))
    .unwrap();
    for (number, reply) in [(1, "greylisted, try again"), (8, "5.1.1 user unknown")] {
        detail.attempts.push(Attempt {
            number,
            route: Some("main".to_owned()),
            started_at: format!("2026-11-27T11:5{number}:10Z"),
            stage: "rcpt_to".to_owned(),
            outcome: if number == 1 {
                "temporary"
            } else {
                "permanent"
            }
            .to_owned(),
            code: Some(if number == 1 { 451 } else { 550 }),
            reply: reply.to_owned(),
            meaning: Some(match number {
                1 => "The server wants to be asked again.".to_owned(),
                _ => "The mailbox does not exist.".to_owned(),
            }),
            ..Attempt::default()
        });
    }
    detail
}

fn opened(mail: Message, width: u16, height: u16, words: Words) -> Reader {
    let mut reader = Reader::new(mail, words);
    reader.update(Step::Resize(width, height));
    reader
}

#[test]
fn a_mail_is_shown_in_three_languages_at_three_sizes() {
    for language in Language::ALL {
        let words = Words(language);
        let mut all = String::new();
        for (width, height) in [(100, 30), (80, 24), (40, 12)] {
            let mut reader = opened(nice(), width, height, words);
            for tab in Tab::ALL {
                reader.update(Step::Tab(tab));
                serve(
                    &mut reader,
                    width,
                    b"Subject: x\r\n\r\n\x1b[2Jbody\r\n",
                    &detail(),
                );
                all.push_str(&format!("==== {tab:?} {width}x{height}\n"));
                all.push_str(&screen(&reader, width, height, &theme(), &words));
            }
        }
        insta::assert_snapshot!(format!("reader_{}", language.tag()), all);
    }
}

#[test]
fn html_keeps_its_links_and_looks() {
    let rendered = html::render(nice().html.as_deref().unwrap(), 60);
    let links: Vec<_> = rendered
        .links()
        .iter()
        .map(|link| (&*link.url, link.openable))
        .collect();
    assert_eq!(
        links,
        [
            ("https://example.com/reset?token=abc", true),
            ("javascript:alert(1)", false)
        ]
    );
    let text = rendered.text();
    for part in [
        "[image: Logo]",
        "* one",
        "Reset your password[1]",
        "do not[2]",
        "> 您好",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    assert!(!text.contains("color") && !rendered.is_cut());
}

/// The style with which `text` stands on the screen, at its first letter.
fn style_of(reader: &Reader, text: &str) -> ratatui::style::Style {
    let area = Rect::new(0, 0, 100, 30);
    let mut buf = Buffer::empty(area);
    reader.draw(area, &mut buf, &theme(), &Words(Language::En));
    // The head shows codes of its own.
    for y in 7..area.height {
        let row: String = (0..area.width).map(|x| buf[(x, y)].symbol()).collect();
        if let Some(at) = row.find(text) {
            let x = row[..at].chars().count() as u16;
            return buf[(x, y)].style();
        }
    }
    panic!("{text} is not on the screen");
}

#[test]
fn a_search_walks_through_what_it_found() {
    let words = Words(Language::En);
    let mut reader = opened(nice(), 100, 30, words);
    let found = theme().style(Role::Found);
    assert_eq!(reader.found(), None);
    reader.update(Step::Find("YOUR".to_owned()));
    assert_eq!(reader.found(), Some((1, 2)));
    assert_eq!(
        style_of(&reader, "your code").bg,
        found.bg.or(Some(ratatui::style::Color::Reset))
    );
    assert!(
        style_of(&reader, "your code")
            .add_modifier
            .contains(found.add_modifier)
    );
    assert!(
        !style_of(&reader, "Hello")
            .add_modifier
            .contains(found.add_modifier)
    );
    reader.update(Step::FindPrev);
    assert_eq!(reader.found(), Some((2, 2)));
    reader.update(Step::FindNext);
    assert_eq!(reader.found(), Some((1, 2)));
    assert!(screen(&reader, 100, 30, &theme(), &words).contains("/YOUR 1/2"));
    reader.update(Step::Find("nowhere\u{1b}".to_owned()));
    assert_eq!(reader.found(), Some((0, 0)));
    reader.update(Step::ClearFind);
    assert_eq!(reader.found(), None);

    // What is far down comes into view.
    let text = "line\n".repeat(5_000) + "needle\n" + &"line\n".repeat(5_000);
    let mut reader = opened(message(&text, ""), 80, 24, words);
    reader.update(Step::Find("needle".to_owned()));
    assert!(screen(&reader, 80, 24, &theme(), &words).contains("\nneedle\n"));
    reader.update(Step::Bottom);
    assert!(!screen(&reader, 80, 24, &theme(), &words).contains("\nneedle\n"));
    reader.update(Step::FindNext);
    assert!(screen(&reader, 80, 24, &theme(), &words).contains("\nneedle\n"));
}

#[test]
fn links_and_parts_are_walked_through_and_round() {
    let words = Words(Language::En);
    let mut reader = opened(nice(), 100, 30, words);
    let links: Vec<String> = reader.links().iter().map(|link| link.url.clone()).collect();
    assert_eq!(
        links,
        [
            "https://example.com/reset?token=abc",
            "https://example.org/help",
            "https://example.com/x"
        ]
    );
    assert_eq!(reader.selected_link(), None);
    let link = |reader: &Reader| reader.selected_link().map(|link| link.url.clone());
    reader.update(Step::NextLink);
    assert_eq!(link(&reader).as_ref(), Some(&links[0]));
    assert_ne!(
        style_of(&reader, "https://example.com"),
        style_of(&reader, "https://example.org")
    );
    reader.update(Step::NextLink);
    assert_eq!(link(&reader).as_ref(), Some(&links[1]));
    reader.update(Step::NextLink);
    reader.update(Step::PrevLink);
    assert_eq!(link(&reader).as_ref(), Some(&links[1]));

    reader.update(Step::Tab(Tab::Html));
    serve(&mut reader, 100, b"", &detail());
    reader.update(Step::PrevLink);
    assert!(!reader.selected_link().unwrap().openable);

    reader.update(Step::Tab(Tab::Parts));
    reader.update(Step::NextLink);
    reader.update(Step::NextLink);
    assert_eq!(reader.selected_attachment().unwrap().index, 1);
    assert_eq!(
        reader.addresses(),
        ["noreply@example.com", "mei@example.org"]
    );
    assert_eq!(reader.codes(), ["482913"]);
}

#[test]
fn each_tab_has_its_twin_and_attempts_are_of_our_own_mail_alone() {
    let mut reader = opened(nice(), 80, 24, Words(Language::En));
    assert_eq!(reader.twin(), "gatepost inbox show 412");
    reader.update(Step::Tab(Tab::Raw));
    assert_eq!(reader.needs(80), [Need::Raw]);
    assert_eq!(reader.twin(), "gatepost inbox raw 412");
    reader.update(Step::PrevTab);
    assert_eq!((reader.tab(), reader.needs(80)), (Tab::Headers, Vec::new()));
    reader.update(Step::Tab(Tab::Attempts));
    assert_eq!(reader.needs(80), [Need::Attempts("ob_01J8ZC4T".to_owned())]);
    assert_eq!(reader.twin(), "gatepost outbox show ob_01J8ZC4T");
    reader.update(Step::NextTab);
    assert_eq!(reader.tab(), Tab::Text);

    let mut foreign = nice();
    foreign.summary.outbox_id = None;
    foreign.text = None;
    let mut reader = opened(foreign, 80, 24, Words(Language::En));
    assert_eq!(reader.tab(), Tab::Html, "what there is is shown first");
    reader.update(Step::Tab(Tab::Attempts));
    assert_eq!(reader.tab(), Tab::Html);
    assert!(!reader.tabs().contains(&Tab::Attempts));
}

#[test]
fn a_narrower_window_shows_what_was_shown() {
    let words = Words(Language::En);
    let text: String = (0..2_000)
        .map(|n| format!("paragraph {n} {}\n", "word ".repeat(30)))
        .collect();
    let mut reader = opened(message(&text, ""), 100, 30, words);
    for _ in 0..40 {
        reader.update(Step::PageDown);
    }
    let top = |reader: &Reader, width| {
        let shown = screen(reader, width, 30, &theme(), &words);
        let number = shown.split("paragraph ").nth(1).unwrap();
        number.split(' ').next().unwrap().parse::<u32>().unwrap()
    };
    let before = top(&reader, 100);
    reader.update(Step::Resize(37, 30));
    assert!(before > 100 && top(&reader, 37).abs_diff(before) <= 1);
}
