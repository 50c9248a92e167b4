//! Where everything stands. The lower the terminal, the more of what only pleases is left out.

use ratatui::layout::Rect;

use crate::tui::model::Link;
use crate::tui::model::Model;
use crate::tui::model::View;

/// The areas of the screen; those for which there is no room are empty.
#[derive(Debug, Clone, Copy)]
pub struct Areas {
    pub header: Rect,
    pub tabs: Rect,
    pub banner: Rect,
    pub crumbs: Rect,
    pub top_rule: Rect,
    pub figures: Rect,
    pub head: Rect,
    pub table: Rect,
    pub pane_rule: Rect,
    pub pane: Rect,
    pub alone: Rect,
    pub bottom_rule: Rect,
    pub footer: Rect,
}

/// How many rows the figures of the overview take.
const FIGURES: u16 = 8;

impl Areas {
    /// The areas within `area`.
    pub fn new(model: &Model, area: Rect) -> Areas {
        let height = area.height;
        let lost = matches!(model.link, Link::Lost { .. });
        let airy = height >= 18;
        let mut top = area;
        let header = take(&mut top, u16::from(height >= 2));
        let tabs = take(&mut top, u16::from(height >= 6));
        let banner = take(&mut top, u16::from(lost && height >= 4));
        let crumbs = take(&mut top, u16::from(height >= 5));
        let top_rule = take(&mut top, u16::from(airy));
        let below = u16::from(height >= 3) + u16::from(airy);
        let body = top.height.saturating_sub(below);
        let whole = take(&mut top, body);
        let bottom_rule = take(&mut top, u16::from(airy));
        let footer = take(&mut top, u16::from(height >= 3));

        let mut rest = whole;
        let place = model.place();
        let figures = match place.view {
            View::Overview if body >= FIGURES + 4 => FIGURES,
            View::Overview if body >= 6 => body - 4,
            _ => 0,
        };
        let figures = take(&mut rest, figures);
        let left = body - figures.height;
        let pane = match place.view {
            _ if !model.pane || place.alone || left < 12 => 0,
            View::Mail => left / 2,
            View::Log => 0,
            _ => (left * 2 / 5).clamp(5, 11),
        };
        let head = take(&mut rest, u16::from(left >= 3));
        let table = take(&mut rest, left.saturating_sub(head.height + pane));
        let pane_rule = take(&mut rest, u16::from(pane > 0));
        let pane = take(&mut rest, pane.saturating_sub(1));
        Areas {
            header,
            tabs,
            banner,
            crumbs,
            top_rule,
            figures,
            head,
            table,
            pane_rule,
            pane,
            alone: whole,
            bottom_rule,
            footer,
        }
    }
}

/// The first rows of `area`, which is left without them.
fn take(area: &mut Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    let taken = Rect {
        height: rows,
        ..*area
    };
    area.y += rows;
    area.height -= rows;
    taken
}
