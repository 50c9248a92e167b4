//! What lies over the screen: questions, the help, the palette, a QR code, a text.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::Clear;
use ratatui::widgets::Widget as _;

use crate::tui::effect::Act;
use crate::tui::model::Ask;
use crate::tui::model::Confirm;
use crate::tui::model::Dialog;
use crate::tui::model::Model;
use crate::tui::model::Pick;
use crate::tui::model::Purpose;
use crate::tui::qr;
use crate::tui::theme::Role;
use crate::tui::update::Item;
use crate::tui::update::picks;
use crate::tui::update::why_not;

use super::crumbs;
use super::paint;

/// How many targets are named.
const NAMED: usize = 4;

pub fn draw(model: &Model, screen: Rect, buffer: &mut Buffer) {
    match &model.dialog {
        None => {}
        Some(Dialog::Confirm(confirm)) => confirmation(model, confirm, screen, buffer),
        Some(Dialog::Ask(ask)) if ask.purpose == Purpose::TestMail => {
            test_mail(model, ask, screen, buffer);
        }
        // Typed where the way here stands.
        Some(Dialog::Ask(ask)) if screen.height < 5 => {
            let (line, _) = paint::split(screen);
            Clear.render(line, buffer);
            crumbs::typed(model, ask, line, buffer);
        }
        Some(Dialog::Ask(_)) => {}
        Some(Dialog::Help(pick)) => picker(model, pick, false, screen, buffer),
        Some(Dialog::Palette(pick)) => picker(model, pick, true, screen, buffer),
        Some(Dialog::Qr(url)) => code(model, url, screen, buffer),
        Some(Dialog::Text {
            title,
            text,
            scroll,
        }) => reading(model, title, text, *scroll, screen, buffer),
    }
}

/// A frame in the middle of the screen with room for so much; without one where there is little
/// room. What is inside is handed back.
fn frame(
    model: &Model,
    title: &str,
    role: Role,
    (width, height): (u16, u16),
    screen: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let theme = &model.settings.theme;
    let framed = screen.width >= 16 && screen.height >= 6;
    let rim = if framed { 2 } else { 0 };
    let width = width.saturating_add(rim * 2).min(screen.width);
    let height = height.saturating_add(rim).min(screen.height);
    let area = Rect {
        x: screen.x + (screen.width - width) / 2,
        y: screen.y + (screen.height - height) / 2,
        width,
        height,
    };
    // A wide character that reaches into the frame would hide its rim.
    if area.x > screen.x {
        for y in area.top()..area.bottom() {
            let cell = &mut buffer[(area.x - 1, y)];
            if paint::width(cell.symbol()) > 1 {
                cell.set_symbol(" ");
            }
        }
    }
    Clear.render(area, buffer);
    buffer.set_style(area, theme.style(Role::Text));
    if !framed {
        return area;
    }
    let style = theme.style(role);
    let line = theme.glyph("─", "-").repeat((width - 2).into());
    let corners = match theme.ascii() {
        true => ["+", "+", "+", "+", "|"],
        false => ["╭", "╮", "╰", "╯", "│"],
    };
    let top = Rect { height: 1, ..area };
    let bottom = Rect {
        y: area.bottom() - 1,
        ..top
    };
    let [nw, ne, sw, se, side] = corners;
    paint::left(buffer, top, &format!("{nw}{line}{ne}"), style, theme);
    paint::left(buffer, bottom, &format!("{sw}{line}{se}"), style, theme);
    for y in area.y + 1..area.bottom() - 1 {
        let row = Rect { y, ..top };
        paint::left(buffer, Rect { width: 1, ..row }, side, style, theme);
        paint::right(buffer, row, side, style, theme);
    }
    if !title.is_empty() {
        let room = Rect {
            x: top.x + 2,
            width: top.width - 4,
            ..top
        };
        paint::left(buffer, room, &format!(" {title} "), style, theme);
    }
    Rect {
        x: area.x + 2,
        y: area.y + 1,
        width: area.width - 4,
        height: area.height - 2,
    }
}

/// Lines below one another; says what is left below them.
fn put(model: &Model, lines: &[(String, Role)], area: Rect, buffer: &mut Buffer) -> Rect {
    let theme = &model.settings.theme;
    let mut rest = area;
    for (text, role) in lines {
        let (line, below) = paint::split(rest);
        paint::left(buffer, line, text, theme.style(*role), theme);
        rest = below;
    }
    rest
}

/// What is asked, in words.
const fn question(act: Act) -> &'static str {
    match act {
        Act::Retry => "ask_retry",
        Act::Requeue => "ask_requeue",
        Act::Discard => "ask_discard",
        Act::Undo => "ask_undo",
        Act::Revoke => "ask_revoke",
        Act::Reveal => "ask_reveal",
        Act::EndSession => "ask_end_session",
        Act::Lock => "ask_lock",
        Act::Unlock => "ask_unlock",
        Act::SendReset => "ask_send_reset",
        Act::EndSessions => "ask_end_sessions",
        Act::Pause => "ask_pause",
        Act::Resume => "ask_resume",
        Act::SendTest => "ask_send_test",
        Act::Delete => "ask_delete",
    }
}

fn confirmation(model: &Model, confirm: &Confirm, screen: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let width = screen.width.saturating_sub(8).min(64);
    let count = confirm.ids.len().to_string();
    let asked = words.fill(question(confirm.act), &[("n", &count)]);
    let mut lines: Vec<(String, Role)> = Vec::new();
    let production = model.production();
    if production {
        let about = model.about.as_ref();
        let site = about.map_or("", |about| about.site_name.as_str());
        let values = [("site", site), ("url", model.settings.url.as_str())];
        let text = words.fill("ask_in_production", &values);
        lines.extend(
            paint::wrap(&text, width)
                .into_iter()
                .map(|line| (line, Role::Bad)),
        );
    }
    lines.extend(
        paint::wrap(&asked, width)
            .into_iter()
            .map(|line| (line, Role::Title)),
    );
    for name in confirm.names.iter().take(NAMED) {
        lines.push((format!("  {name}"), Role::Text));
    }
    if confirm.names.len() > NAMED {
        let more = (confirm.names.len() - NAMED).to_string();
        lines.push((
            format!("  {}", words.fill("and_more", &[("n", &more)])),
            Role::Dim,
        ));
    }
    let note = match confirm.act {
        Act::Discard => Some("note_discard"),
        Act::Delete | Act::Revoke => Some("note_for_good"),
        Act::Reveal => Some("note_reveal"),
        _ => None,
    };
    if let Some(note) = note {
        lines.extend(
            paint::wrap(words.say(note), width)
                .into_iter()
                .map(|l| (l, Role::Dim)),
        );
    }
    lines.push((String::new(), Role::Text));
    lines.push((confirm.twin.clone(), Role::Dim));
    let role = match (production, confirm.destroys) {
        (true, _) => Role::Bad,
        (false, _) => Role::Dialog,
    };
    let height = u16::try_from(lines.len())
        .unwrap_or(u16::MAX)
        .saturating_add(2);
    let inner = frame(
        model,
        words.say("dialog_sure"),
        role,
        (width, height),
        screen,
        buffer,
    );
    // The buttons are always there: what there is no room for is what stands above them.
    let buttons = Rect {
        y: inner.bottom().saturating_sub(1).max(inner.y),
        height: inner.height.min(1),
        ..inner
    };
    let above = Rect {
        height: inner.height.saturating_sub(1),
        ..inner
    };
    put(model, &lines, above, buffer);
    let button = |label: &str, chosen: bool| match chosen {
        true => (format!("[{label}]"), Role::Selected),
        false => (format!(" {label} "), Role::Text),
    };
    let yes = button(words.say("button_yes"), confirm.yes);
    let no = button(words.say("button_no"), !confirm.yes);
    Clear.render(buttons, buffer);
    buffer.set_style(buttons, theme.style(Role::Text));
    let gap = ("  ".to_owned(), Role::Text);
    paint::pieces(model, buffer, buttons, &[yes, gap, no]);
}

fn test_mail(model: &Model, ask: &Ask, screen: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let width = screen.width.saturating_sub(8).min(60);
    let title = words.say("do_send_test");
    let inner = frame(model, title, Role::Dialog, (width, 4), screen, buffer);
    let (line, rest) = paint::split(inner);
    crumbs::typed(model, ask, line, buffer);
    let (_, rest) = paint::split(rest);
    let hint = match ask.problem {
        Some(problem) => (words.say(problem).to_owned(), Role::Bad),
        None => (words.say("hint_test_mail").to_owned(), Role::Dim),
    };
    let twin = ("gatepost send-test-mail".to_owned(), Role::Dim);
    put(model, &[hint, twin], rest, buffer);
}

fn picker(model: &Model, pick: &Pick, palette: bool, screen: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let items = picks(model, pick, palette);
    let width = screen.width.saturating_sub(8).min(76);
    let height = match palette {
        true => 13,
        false => screen.height.saturating_sub(4),
    };
    let title = match palette {
        true => words.say("do_palette"),
        false => words.say("do_help"),
    };
    let inner = frame(model, title, Role::Dialog, (width, height), screen, buffer);
    let (line, rest) = paint::split(inner);
    let sign = if palette { ": " } else { "/ " };
    let used = paint::left(buffer, line, sign, theme.style(Role::Key), theme);
    let typed = Rect {
        x: line.x + used,
        width: line.width - used,
        ..line
    };
    crumbs::input(model, &pick.input, typed, buffer);
    let room = usize::from(rest.height);
    let selected = pick.selected.min(items.len().saturating_sub(1));
    let top = (selected + 1).saturating_sub(room);
    if items.is_empty() {
        let text = words.say("nothing_matches");
        paint::left(buffer, rest, text, theme.style(Role::Dim), theme);
    }
    for (line, (at, item)) in (0..rest.height).zip(items.iter().enumerate().skip(top)) {
        let area = Rect {
            y: rest.y + line,
            height: 1,
            ..rest
        };
        entry(model, item, at == selected, palette, area, buffer);
    }
}

/// One line of the help or of the palette.
fn entry(
    model: &Model,
    item: &Item,
    selected: bool,
    palette: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let theme = &model.settings.theme;
    let (keys, twin, can) = match item {
        Item::Do(action) => {
            let keys = model.settings.keymap.keys(action.what);
            let keys: Vec<String> = keys.iter().map(|key| key.shown(theme.ascii())).collect();
            let can = why_not(model, action.what).is_none();
            let twin = action.twin.unwrap_or_default().replace("{ids}", "ID");
            (keys.join(" "), twin, can)
        }
        Item::Sort(_) | Item::State(_) | Item::Timeline(_) => (String::new(), String::new(), true),
    };
    let role = |role: Role| match (selected, can) {
        (true, _) => theme.style(Role::Selected),
        (false, true) => theme.style(role),
        (false, false) => theme.style(Role::Dim),
    };
    if selected {
        buffer.set_style(area, theme.style(Role::Selected));
    }
    let sign = if selected { "> " } else { "  " };
    let used = paint::left(buffer, area, sign, role(Role::Text), theme);
    let mut rest = Rect {
        x: area.x + used,
        width: area.width - used,
        ..area
    };
    let first = match palette {
        true => (item.name(), 18),
        false => (keys.clone(), 14),
    };
    let cell = Rect {
        width: rest.width.min(first.1),
        ..rest
    };
    paint::left(buffer, cell, &first.0, role(Role::Key), theme);
    rest.x += cell.width;
    rest.width -= cell.width;
    let used = paint::left(buffer, rest, &item.label(model), role(Role::Text), theme);
    rest.x += used;
    rest.width -= used;
    let last = match palette {
        true => keys.as_str(),
        false => twin.as_str(),
    };
    if paint::width(last) + 2 <= rest.width {
        paint::right(buffer, rest, last, role(Role::Dim), theme);
    }
}

/// A link as a QR code.
fn code(model: &Model, url: &str, screen: Rect, buffer: &mut Buffer) {
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let room = (
        screen.width.saturating_sub(4),
        screen.height.saturating_sub(3),
    );
    let title = words.say("do_qr");
    let Some(lines) = qr::lines(url, room.0, room.1, theme.ascii()) else {
        let text = format!("{}\n\n{url}", words.say("no_room_for_qr"));
        return reading(model, title, &text, 0, screen, buffer);
    };
    let wide = lines
        .iter()
        .map(|line| paint::width(line))
        .max()
        .unwrap_or(0);
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let size = (wide, height.saturating_add(1));
    let inner = frame(model, title, Role::Dialog, size, screen, buffer);
    let mut rest = inner;
    for line in &lines {
        let (row, below) = paint::split(rest);
        paint::left(buffer, row, line, qr::STYLE, theme);
        rest = below;
    }
    paint::left(
        buffer,
        paint::split(rest).0,
        url,
        theme.style(Role::Link),
        theme,
    );
}

/// A text in a frame.
fn reading(model: &Model, title: &str, text: &str, scroll: u16, screen: Rect, buffer: &mut Buffer) {
    let width = screen.width.saturating_sub(8).min(90);
    let lines: Vec<(String, Role)> = paint::wrap(text, width)
        .into_iter()
        .map(|line| (line, Role::Text))
        .collect();
    let count = u16::try_from(lines.len()).unwrap_or(u16::MAX);
    let height = count.min(screen.height.saturating_sub(4)).max(1);
    let inner = frame(model, title, Role::Dialog, (width, height), screen, buffer);
    let scroll = scroll.min(count.saturating_sub(inner.height.max(1)));
    put(
        model,
        &lines[usize::from(scroll).min(lines.len())..],
        inner,
        buffer,
    );
}
