//! Drawing the model. Nothing is changed here, and where things stand follows from the model
//! alone, so that the mouse finds what was drawn.

mod cells;
mod crumbs;
mod dialogs;
mod facts;
mod footer;
mod header;
mod layout;
mod overview;
mod paint;
mod pane;
mod table;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::layout::Rect;

use super::columns::Column;
use super::model::Model;
use super::model::View;
use super::theme::Role;

use layout::Areas;

/// Draws everything.
pub fn view(model: &Model, frame: &mut Frame) {
    let area = frame.area();
    draw(model, area, frame.buffer_mut());
}

/// Draws everything into `area` of `buffer`.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    let area = area.intersection(*buffer.area());
    if area.is_empty() {
        return;
    }
    buffer.set_style(area, model.settings.theme.style(Role::Text));
    let areas = Areas::new(model, area);
    header::draw(model, areas.header, buffer);
    header::tabs(model, areas.tabs, buffer);
    crumbs::banner(model, areas.banner, buffer);
    crumbs::draw(model, areas.crumbs, buffer);
    paint::rule(model, areas.top_rule, buffer);
    let place = model.place();
    if place.reads() {
        pane::reader(model, areas.alone, buffer);
    } else if place.looks() {
        pane::alone(model, areas.alone, buffer);
    } else {
        overview::draw(model, areas.figures, buffer);
        table::draw(model, areas.head, areas.table, buffer);
        pane::draw(model, areas.pane_rule, areas.pane, buffer);
    }
    footer::draw(model, areas.bottom_rule, areas.footer, buffer);
    dialogs::draw(model, area, buffer);
}

fn areas(model: &Model) -> Areas {
    let (width, height) = model.size;
    Areas::new(model, Rect::new(0, 0, width, height))
}

/// How many rows of a table are on the screen; of what is shown alone, how many lines.
pub fn table_height(model: &Model) -> usize {
    let areas = areas(model);
    let area = match model.place().alone {
        true => areas.alone,
        false => areas.table,
    };
    usize::from(area.height)
}

/// How high the pane below the table is.
pub fn pane_height(model: &Model) -> u16 {
    areas(model).pane.height
}

/// Where a captured mail is read; empty where none is shown.
pub fn reader_area(model: &Model) -> Rect {
    let areas = areas(model);
    match model.place().alone {
        true => areas.alone,
        false => areas.pane,
    }
}

/// How far what is looked at alone can be scrolled.
pub fn detail_scroll(model: &Model) -> u16 {
    pane::most_scroll(model, areas(model).alone)
}

/// The tab that stands there.
pub fn tab_at(model: &Model, at: Position) -> Option<View> {
    let area = areas(model).tabs;
    let tabs = header::spans(model, area.width);
    let x = at.x.checked_sub(area.x).filter(|_| area.contains(at))?;
    let mut found = tabs.into_iter();
    let found = found.find(|tab| (tab.x..tab.x + tab.width).contains(&x))?;
    Some(found.view)
}

/// The column whose head stands there.
pub fn column_at(model: &Model, at: Position) -> Option<&'static Column> {
    let area = areas(model).head;
    if model.place().alone || !area.contains(at) {
        return None;
    }
    let mut x = area.x + table::MARGIN;
    for (column, width) in table::fitted(model, area.width) {
        if (x..x + width + 1).contains(&at.x) {
            return Some(column);
        }
        x += width + table::GAP;
    }
    None
}

/// The row of the window that stands there.
pub fn row_at(model: &Model, at: Position) -> Option<usize> {
    let area = areas(model).table;
    if model.place().alone || !area.contains(at) {
        return None;
    }
    let list = &model.place().list;
    let row = list.top + usize::from(at.y - area.y);
    (row < list.rows.len()).then_some(row)
}
