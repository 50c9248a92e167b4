//! What the mouse does: the wheel moves, a click selects, a second one opens; tabs and the heads
//! of columns are there to be clicked. A click never answers a dialog.

use ratatui::crossterm::event::MouseButton;
use ratatui::crossterm::event::MouseEvent;
use ratatui::crossterm::event::MouseEventKind;
use ratatui::layout::Position;

use crate::tui::effect::Effect;
use crate::tui::keymap::Do;
use crate::tui::model::Dialog;
use crate::tui::model::Model;
use crate::tui::view;

use super::go;
use super::keys;

/// How many rows the wheel moves.
const WHEEL: usize = 3;

pub(super) fn mouse(model: &mut Model, event: MouseEvent, effects: &mut Vec<Effect>) {
    if !model.mouse {
        return;
    }
    let wheel = match event.kind {
        MouseEventKind::ScrollUp => Some(Do::Up),
        MouseEventKind::ScrollDown => Some(Do::Down),
        MouseEventKind::Down(MouseButton::Left) => None,
        _ => return,
    };
    model.dirty = true;
    match (&mut model.dialog, wheel) {
        (Some(Dialog::Help(pick) | Dialog::Palette(pick)), Some(Do::Up)) => {
            pick.selected = pick.selected.saturating_sub(WHEEL);
        }
        (Some(Dialog::Help(pick) | Dialog::Palette(pick)), Some(_)) => pick.selected += WHEEL,
        (Some(_), _) => {}
        (None, Some(what)) => {
            for _ in 0..WHEEL {
                keys::perform(model, what, effects);
            }
        }
        (None, None) => click(model, Position::new(event.column, event.row), effects),
    }
}

fn click(model: &mut Model, at: Position, effects: &mut Vec<Effect>) {
    if let Some(view) = view::tab_at(model, at) {
        go::view(model, view);
    } else if let Some(column) = view::column_at(model, at) {
        go::sort(model, column);
    } else if let Some(row) = view::row_at(model, at) {
        match model.place().list.selected == row {
            true => keys::perform(model, Do::Open, effects),
            false => {
                model.revealed = None;
                model.place_mut().list.selected = row;
            }
        }
    }
}
