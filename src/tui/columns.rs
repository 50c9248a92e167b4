//! The columns of every table: what each is called, how wide it may be, what it is sorted by, and
//! which go first when there is little room.

use super::model::View;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Its name in settings; its head is the text `col_NAME`.
    pub name: &'static str,
    /// The text at its head.
    pub label: &'static str,
    /// The API's field that it is sorted by, and whether it is so from the last to the first at
    /// first.
    pub sort: Option<(&'static str, bool)>,
    /// The fewest cells that it takes.
    pub least: u16,
    /// The most; what is left over is shared out by those that take more.
    pub most: u16,
    /// Whether it stands to the right.
    pub right: bool,
    /// How dear it is: the cheapest go first when there is little room.
    pub worth: u8,
}

const fn text(
    name: &'static str,
    label: &'static str,
    sort: Option<(&'static str, bool)>,
    least: u16,
    most: u16,
    worth: u8,
) -> Column {
    Column {
        name,
        label,
        sort,
        least,
        most,
        right: false,
        worth,
    }
}

const fn right(column: Column) -> Column {
    Column {
        right: true,
        ..column
    }
}

const WIDE: u16 = 200;

const fn age(label: &'static str, field: &'static str, worth: u8) -> Column {
    right(text("age", label, Some((field, true)), 5, 6, worth))
}

/// The columns of captured mail.
const MAIL: &[Column] = &[
    text("from", "col_from", Some(("from", false)), 14, 24, 30),
    text("to", "col_to", Some(("to", false)), 18, 28, 70),
    text(
        "subject",
        "col_subject",
        Some(("subject", false)),
        16,
        WIDE,
        90,
    ),
    right(text("size", "col_size", Some(("size", true)), 6, 6, 20)),
    age("col_age", "received_at", 80),
];

const OUTBOX: &[Column] = &[
    text("state", "col_state", Some(("state", false)), 9, 10, 95),
    text("to", "col_to", Some(("to", false)), 18, 36, 90),
    text("kind", "col_kind", Some(("kind", false)), 13, 16, 60),
    text("why", "col_why", None, 16, WIDE, 42),
    right(text("tries", "col_tries", Some(("tries", true)), 5, 5, 40)),
    right(text("next", "col_next", Some(("next_at", false)), 7, 8, 45)),
    text("route", "col_route", None, 12, 12, 15),
    age("col_age", "created_at", 80),
];

const TOKENS: &[Column] = &[
    text("state", "col_state", None, 8, 10, 85),
    text("kind", "col_kind", Some(("kind", false)), 10, 20, 80),
    text("email", "col_email", Some(("email", false)), 16, WIDE, 90),
    right(text("tries-left", "col_tries_left", None, 5, 8, 40)),
    right(text(
        "expires",
        "col_expires",
        Some(("expires_at", false)),
        7,
        8,
        50,
    )),
    age("col_age", "created_at", 70),
];

const USERS: &[Column] = &[
    text("state", "col_state", None, 8, 10, 85),
    text("email", "col_email", Some(("email", false)), 16, 40, 90),
    text(
        "name",
        "col_name",
        Some(("display_name", false)),
        10,
        WIDE,
        60,
    ),
    text("language", "col_language", None, 7, 8, 20),
    right(text("sessions", "col_sessions", None, 8, 8, 40)),
    right(text(
        "login",
        "col_login",
        Some(("last_login_at", true)),
        6,
        8,
        50,
    )),
    age("col_age", "created_at", 70),
];

const SESSIONS: &[Column] = &[
    text("state", "col_state", None, 6, 10, 80),
    text("email", "col_email", Some(("email", false)), 16, 40, 90),
    text("ip", "col_ip", Some(("ip", false)), 9, 16, 50),
    text("agent", "col_agent", None, 12, WIDE, 30),
    right(text(
        "used",
        "col_used",
        Some(("last_used_at", true)),
        6,
        8,
        60,
    )),
    age("col_age", "created_at", 70),
];

const AUDIT: &[Column] = &[
    text("outcome", "col_outcome", None, 7, 9, 60),
    text("action", "col_action", None, 14, 22, 90),
    text("subject", "col_about", None, 16, 40, 85),
    text("actor", "col_actor", None, 10, 24, 50),
    text("ip", "col_ip", None, 9, 16, 20),
    text("detail", "col_detail", None, 10, WIDE, 30),
    age("col_age", "at", 80),
];

const ROUTES: &[Column] = &[
    text("name", "col_name", None, 8, 12, 95),
    text("state", "col_state", None, 8, 10, 90),
    text("host", "col_host", None, 14, 40, 60),
    text("error", "col_error", None, 14, WIDE, 40),
    right(text("budget", "col_budget", None, 7, 12, 70)),
    right(text("next", "col_next", None, 7, 8, 50)),
];

const LOG: &[Column] = &[
    text("time", "col_time", Some(("at", true)), 8, 8, 80),
    text("level", "col_level", None, 5, 6, 85),
    text("target", "col_target", None, 12, 24, 20),
    text("text", "col_text", None, 20, WIDE, 90),
];

const TIMELINE: &[Column] = &[
    age("col_age", "at", 80),
    text("kind", "col_kind", None, 8, 10, 60),
    text("title", "col_title", None, 16, WIDE, 90),
    text("state", "col_state", None, 8, 11, 70),
    text("detail", "col_detail", None, 10, WIDE, 30),
];

/// All columns of the table of `view`, in the order in which they stand.
pub const fn columns(view: View) -> &'static [Column] {
    match view.source() {
        View::Mail => MAIL,
        View::Tokens => TOKENS,
        View::Users => USERS,
        View::Sessions => SESSIONS,
        View::Audit => AUDIT,
        View::Routes => ROUTES,
        View::Log => LOG,
        View::Timeline => TIMELINE,
        View::Outbox | View::Overview => OUTBOX,
    }
}

/// The columns out of `chosen` that fit into `width` cells with a cell between them, each with
/// its width. The dearest is always there, however little room it has.
pub fn fit<'a>(chosen: &[&'a Column], width: u16) -> Vec<(&'a Column, u16)> {
    let mut kept: Vec<&Column> = chosen.to_vec();
    let least = |kept: &[&Column]| -> u16 {
        let cells: u16 = kept.iter().map(|column| column.least).sum();
        cells + u16::try_from(kept.len().saturating_sub(1)).unwrap_or(u16::MAX) * 2
    };
    while kept.len() > 1 && least(&kept) > width {
        let cheapest = kept
            .iter()
            .enumerate()
            .min_by_key(|(_, column)| column.worth);
        let Some((at, _)) = cheapest else {
            break;
        };
        kept.remove(at);
    }
    let mut widths: Vec<u16> = kept.iter().map(|column| column.least).collect();
    let mut left = width.saturating_sub(least(&kept));
    // Cell by cell, so that each gets its share and none more than it can use.
    while left > 0 {
        let mut grown = false;
        for (at, column) in kept.iter().enumerate() {
            if left > 0 && widths[at] < column.most {
                widths[at] += 1;
                left -= 1;
                grown = true;
            }
        }
        if !grown {
            break;
        }
    }
    if let [only] = widths.as_mut_slice() {
        *only = (*only).min(width);
    }
    kept.into_iter().zip(widths).collect()
}
