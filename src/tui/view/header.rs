//! The two lines at the top: which gatepost this is and how it is, and the views.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::tui::ages;
use crate::tui::model::Link;
use crate::tui::model::Model;
use crate::tui::model::View;
use crate::tui::theme::Role;

use super::paint;

type Piece = (String, Role);

/// The first line.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let clock = ages::clock(model.now, model.settings.utc_offset, false);
    let clock = match model.settings.utc_offset {
        0 => format!("{clock}Z"),
        _ => clock,
    };
    let mut start: Vec<Piece> = vec![(" gatepost ".to_owned(), Role::Title)];
    if let Some(about) = &model.about {
        let name = match about.site_name.as_str() {
            "" => String::new(),
            name => format!(" {name}"),
        };
        start.push((format!(" {}{name}", about.mode), Role::Text));
    }
    let url = model.settings.url.trim_start_matches("http://").to_owned();
    let live: Piece = match &model.link {
        Link::Starting => (words.say("link_starting").to_owned(), Role::Warn),
        Link::Live { latency } => {
            let dot = theme.glyph("●", "*");
            let millis = latency.as_millis();
            (
                format!("{dot} {} {millis}ms", words.say("link_live")),
                Role::Good,
            )
        }
        Link::Lost { .. } => {
            let cross = theme.glyph("✗", "x");
            (format!("{cross} {}", words.say("link_lost")), Role::Bad)
        }
    };
    let figures = figures(model);
    let end = paint::width(&clock) + 1;
    let need = |pieces: &[Piece]| {
        pieces
            .iter()
            .map(|(text, _)| paint::width(text))
            .sum::<u16>()
    };
    // What there is no room for is left out, the dearest last: failures are always told.
    let room = area.width;
    let mut middle: Vec<Piece> = vec![("  ".to_owned(), Role::Text), live];
    let at = (format!(" @ {url}"), Role::Dim);
    let mut figures = figures;
    let fits = |start: &[Piece], middle: &[Piece], figures: &[Piece]| {
        need(start) + need(middle) + need(figures) + end + 2 <= room
    };
    while figures.len() > 1 && !fits(&start[..1], &middle, &figures) {
        figures.remove(0);
    }
    if !fits(&start[..1], &middle, &figures) {
        middle.clear();
    }
    if start.len() > 1 && !fits(&start, &middle, &figures) {
        start.truncate(1);
    }
    if !url.is_empty() {
        let mut with = start.clone();
        with.push(at);
        if fits(&with, &middle, &figures) {
            start = with;
        }
    }
    let used = need(&start) + need(&middle);
    start.extend(middle);
    paint::pieces(model, buffer, area, &start);
    let rest = Rect {
        x: area.x + used.min(area.width),
        width: area.width.saturating_sub(used),
        ..area
    };
    let wide = need(&figures) + end;
    if wide <= rest.width {
        let at = Rect {
            x: rest.x + rest.width - wide,
            width: wide,
            ..rest
        };
        figures.push((clock, Role::Dim));
        paint::pieces(model, buffer, at, &figures);
    } else if let Some(last) = figures.last() {
        let room = Rect {
            width: rest.width.saturating_sub(1),
            ..rest
        };
        paint::right(buffer, room, last.0.trim(), theme.style(last.1), theme);
    }
}

/// Rates and counts, the cheapest first.
fn figures(model: &Model) -> Vec<Piece> {
    let Some(stats) = &model.stats else {
        return Vec::new();
    };
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let sent: Vec<u64> = stats.minutes.iter().map(|minute| minute.sent).collect();
    let now = sent.last().copied().unwrap_or(0).to_string();
    let spark = paint::spark(&sent, 12, theme);
    let queued = stats.outbox.get("queued").copied().unwrap_or(0);
    let queued = queued.saturating_add(stats.outbox.get("sending").copied().unwrap_or(0));
    let queued = words.fill("head_queued", &[("n", &queued.to_string())]);
    let failed = words.fill("head_failed", &[("n", &stats.failing.to_string())]);
    let role = match stats.failing {
        0 => Role::Dim,
        _ => Role::Bad,
    };
    vec![
        (
            format!("{} {spark} {now}  ", words.say("head_sent")),
            Role::Dim,
        ),
        (format!("{queued}  "), Role::Text),
        (format!("{failed}  "), role),
    ]
}

/// A tab, and where it stands.
#[derive(Debug, Clone)]
pub struct Tab {
    pub view: View,
    pub text: String,
    pub x: u16,
    pub width: u16,
}

/// The tabs in `room` cells: with counts, without, with names for the open one alone, or keys.
pub fn spans(model: &Model, room: u16) -> Vec<Tab> {
    let open = model.places.first().map(|place| place.view);
    let mode = paint::width(&badge(model)) + 1;
    for style in 0..4 {
        let mut x = 1;
        let tabs: Vec<Tab> = View::TABS
            .into_iter()
            .map(|view| {
                let text = tab(model, view, Some(view) == open, style);
                let width = paint::width(&text);
                let tab = Tab {
                    view,
                    text,
                    x,
                    width,
                };
                x += width;
                tab
            })
            .collect();
        if x + mode <= room || style == 3 {
            return tabs;
        }
    }
    Vec::new()
}

fn tab(model: &Model, view: View, open: bool, style: u8) -> String {
    let words = model.settings.words;
    let keymap = &model.settings.keymap;
    let action = crate::tui::keymap::Do::Go(view);
    let key = keymap.shown(action, model.settings.theme.ascii());
    let name = words.say(name(view));
    let count = count(model, view).filter(|_| style == 0);
    let count = count.map_or_else(String::new, |count| format!(" {count}"));
    match (style, open) {
        (3, false) => format!(" {key}"),
        (2, false) => format!(" {key} "),
        (3, true) => format!("[{key}]"),
        // The open one can be told without colours.
        (_, true) => format!("[{key} {name}{count}]"),
        (_, false) => format!(" {key} {name}{count} "),
    }
}

/// The text that names a view.
pub const fn name(view: View) -> &'static str {
    match view {
        View::Overview => "view_overview",
        View::Mail => "view_mail",
        View::Outbox => "view_outbox",
        View::Tokens => "view_tokens",
        View::Users => "view_users",
        View::Sessions => "view_sessions",
        View::Audit => "view_audit",
        View::Routes => "view_routes",
        View::Log => "view_log",
        View::Timeline => "view_timeline",
    }
}

fn count(model: &Model, view: View) -> Option<String> {
    let stats = model.stats.as_ref()?;
    let count = match view {
        View::Mail => stats.inbox,
        View::Outbox => stats
            .outbox
            .values()
            .fold(0, |sum: u64, n| sum.saturating_add(*n)),
        View::Tokens => stats.tokens?,
        View::Users => stats.users?,
        View::Sessions => stats.sessions?,
        View::Overview | View::Audit | View::Routes | View::Log | View::Timeline => return None,
    };
    Some(short(count))
}

/// A count in at most four characters or so.
fn short(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..1_000_000 => format!("{}k", count / 1000),
        _ => format!("{}M", count / 1_000_000),
    }
}

fn badge(model: &Model) -> String {
    let words = model.settings.words;
    let mode = match (&model.about, model.production()) {
        (None, _) => return String::new(),
        (_, true) => "badge_production",
        (_, false) => "badge_development",
    };
    match model.settings.read_only {
        true => format!(" {} {} ", words.say(mode), words.say("badge_read_only")),
        false => format!(" {} ", words.say(mode)),
    }
}

/// The second line.
pub fn tabs(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let theme = &model.settings.theme;
    let open = model.places.first().map(|place| place.view);
    for tab in spans(model, area.width) {
        let role = match Some(tab.view) == open {
            true => Role::Title,
            false => Role::Dim,
        };
        let at = Rect {
            x: area.x + tab.x.min(area.width),
            width: tab.width.min(area.width.saturating_sub(tab.x)),
            ..area
        };
        paint::left(buffer, at, &tab.text, theme.style(role), theme);
    }
    let badge = badge(model);
    let role = match model.production() {
        true => Role::Production,
        false => Role::Development,
    };
    if paint::width(&badge) < area.width / 2 {
        paint::right(buffer, area, &badge, theme.style(role), theme);
    }
}
