//! The one table of what can be done: it feeds the keys, the line at the foot, the help, the
//! palette and the documentation.

use crate::tui::model::View;

/// Something that can be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Do {
    /// Open a view.
    Go(View),
    /// To the next tab.
    NextTab,
    /// To the one before.
    PreviousTab,
    /// To what failed.
    Failures,
    /// Move.
    Up,
    /// Move.
    Down,
    /// Move.
    PageUp,
    /// Move.
    PageDown,
    /// Move.
    HalfUp,
    /// Move.
    HalfDown,
    /// To the first row.
    Top,
    /// To the last row.
    Bottom,
    /// Look into the row.
    Open,
    /// Out again.
    Back,
    /// Filter by a text.
    Filter,
    /// Filter by the next state.
    State,
    /// Sort by the column to the left.
    SortLeft,
    /// Sort by the column to the right.
    SortRight,
    /// Sort the other way round.
    SortReverse,
    /// Mark the row, or take the mark off.
    Mark,
    /// Mark all rows that are loaded, or take all marks off.
    MarkAll,
    /// The story of the row's person.
    Person,
    /// Copy what the row is about.
    Copy,
    /// Copy the command line's twin.
    CopyTwin,
    /// Show or hide the pane below the table.
    Pane,
    /// Copy the newest mail's code.
    Code,
    /// Copy the first link of the mail.
    Link,
    /// The link as a QR code.
    Qr,
    /// Open the link in the browser.
    OpenLink,
    /// The mail in the browser.
    Browse,
    /// Save the mail.
    Export,
    /// Save the attachment.
    Save,
    /// The tab to the left.
    Left,
    /// The tab to the right.
    Right,
    /// The next mail.
    Next,
    /// The one before.
    Previous,
    /// Look for a text in the mail.
    Find,
    /// Where it is found next.
    FindNext,
    /// Where it was found before.
    FindPrevious,
    /// To the next link or part.
    NextLink,
    /// To the one before.
    PreviousLink,
    /// Delete captured mail.
    Delete,
    /// Try it now.
    Retry,
    /// Bring it back.
    Requeue,
    /// Never send it.
    Discard,
    /// Take the discard back.
    Undo,
    /// Make a code or a link good for nothing.
    Revoke,
    /// Show its secret.
    Reveal,
    /// Lock the account.
    Lock,
    /// Unlock it.
    Unlock,
    /// Mail its owner a link for a new password.
    SendReset,
    /// End all its sessions.
    EndSessions,
    /// Its sessions.
    Sessions,
    /// End the session.
    EndSession,
    /// Send nothing over the route.
    Pause,
    /// Send over it again.
    Resume,
    /// Send a test mail.
    SendTest,
    /// Load again what is shown.
    Reload,
    /// Connect now.
    Reconnect,
    /// Catch the mouse or leave it.
    Mouse,
    /// What the keys do.
    Help,
    /// Do something by its name.
    Palette,
    /// Into the background.
    Suspend,
    /// End.
    Quit,
}

/// Where the keys go: one bit a place.
pub type Places = u16;

/// A table of captured mail.
pub const MAIL: Places = 1;
/// A table of mail that goes out; the overview, too.
pub const OUTBOX: Places = 1 << 1;
/// The table of codes and links.
pub const TOKENS: Places = 1 << 2;
/// The table of accounts.
pub const USERS: Places = 1 << 3;
/// The table of sessions.
pub const SESSIONS: Places = 1 << 4;
/// The audit record.
pub const AUDIT: Places = 1 << 5;
/// The routes.
pub const ROUTES: Places = 1 << 6;
/// The log.
pub const LOG: Places = 1 << 7;
/// One person's story.
pub const TIMELINE: Places = 1 << 8;
/// A captured mail that is read.
pub const READER: Places = 1 << 9;
/// A row that is looked at alone.
pub const DETAIL: Places = 1 << 10;
/// Every table.
pub const TABLES: Places = (1 << 9) - 1;
/// Everywhere.
pub const ALL: Places = (1 << 11) - 1;

/// A line of the table of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Action {
    /// What it is.
    pub what: Do,
    /// Its name in settings and in the palette; its label is the text `do_NAME` with `_` for `-`.
    pub name: &'static str,
    /// The text that names it.
    pub label: &'static str,
    /// Its keys, unless settings say otherwise.
    pub keys: &'static [&'static str],
    /// Where it can be done.
    pub places: Places,
    /// Whether it changes something on the server.
    pub writes: bool,
    /// What does the same on the command line; `{ids}` stands for what it is done to.
    pub twin: Option<&'static str>,
    /// How much it wants to be shown at the foot: the highest first, 0 never.
    pub weight: u8,
}

const fn at(
    what: Do,
    name: &'static str,
    label: &'static str,
    keys: &'static [&'static str],
    places: Places,
    weight: u8,
) -> Action {
    Action {
        what,
        name,
        label,
        keys,
        places,
        writes: false,
        twin: None,
        weight,
    }
}

const fn act(
    what: Do,
    name: &'static str,
    label: &'static str,
    keys: &'static [&'static str],
    places: Places,
    twin: &'static str,
) -> Action {
    Action {
        what,
        name,
        label,
        keys,
        places,
        writes: true,
        twin: Some(twin),
        weight: 90,
    }
}

const fn twin(action: Action, twin: &'static str) -> Action {
    Action {
        twin: Some(twin),
        ..action
    }
}

const FORWARD: Places = TABLES & !ROUTES;
const PEOPLE: Places = MAIL | OUTBOX | TOKENS | USERS | SESSIONS | AUDIT;

/// Everything that can be done, in the order of the help.
// One line an action: it is read as the table that it is.
#[rustfmt::skip]
pub const ACTIONS: &[Action] = &[
    act(Do::Retry, "retry", "do_retry", &["r"], OUTBOX | DETAIL, "gatepost outbox retry {ids}"),
    act(Do::Requeue, "requeue", "do_requeue", &["e"], OUTBOX | DETAIL, "gatepost outbox requeue {ids}"),
    act(Do::Discard, "discard", "do_discard", &["d"], OUTBOX | DETAIL, "gatepost outbox discard {ids}"),
    act(Do::Revoke, "revoke", "do_revoke", &["d"], TOKENS, "gatepost token revoke {ids}"),
    act(Do::Reveal, "reveal", "do_reveal", &["v"], TOKENS, "gatepost token reveal {ids}"),
    act(Do::Lock, "lock", "do_lock", &["L"], USERS, "gatepost user lock {ids}"),
    act(Do::Unlock, "unlock", "do_unlock", &["U"], USERS, "gatepost user unlock {ids}"),
    act(Do::SendReset, "send-reset", "do_send_reset", &["p"], USERS, "gatepost user send-reset {ids}"),
    act(Do::EndSessions, "end-sessions", "do_end_sessions", &["d"], USERS, "gatepost user end-sessions {ids}"),
    act(Do::EndSession, "end-session", "do_end_session", &["d"], SESSIONS, "gatepost session revoke {ids}"),
    act(Do::Pause, "pause", "do_pause", &["p"], ROUTES, "gatepost outbox pause {ids}"),
    act(Do::Resume, "resume", "do_resume", &["r"], ROUTES, "gatepost outbox resume {ids}"),
    twin(at(Do::Code, "code", "do_code", &["c"], MAIL | READER, 95), "gatepost inbox show {ids}"),
    act(Do::Delete, "delete", "do_delete", &["d"], MAIL | READER, "gatepost inbox delete {ids}"),
    at(Do::Sessions, "user-sessions", "do_user_sessions", &["s"], USERS, 80),
    at(Do::Link, "copy-link", "do_copy_link", &["L"], READER, 85),
    at(Do::Qr, "qr", "do_qr", &["Q"], READER, 84),
    at(Do::OpenLink, "open-link", "do_open_link", &["o"], READER, 83),
    at(Do::Save, "save", "do_save", &["s"], READER, 60),
    at(Do::Browse, "browser", "do_browser", &["b"], MAIL | READER, 70),
    twin(at(Do::Export, "export", "do_export", &["x"], MAIL | READER, 50), "gatepost inbox raw {ids}"),
    at(Do::Left, "left", "do_left", &["left", "h", "shift-tab"], READER, 42),
    at(Do::Right, "right", "do_right", &["right", "l", "tab"], READER, 43),
    at(Do::Next, "next", "do_next", &["]", "J"], READER | DETAIL, 40),
    at(Do::Previous, "previous", "do_previous", &["[", "K"], READER | DETAIL, 39),
    at(Do::Find, "find", "do_find", &["/"], READER, 45),
    at(Do::FindNext, "find-next", "do_find_next", &["n"], READER, 0),
    at(Do::FindPrevious, "find-previous", "do_find_previous", &["N"], READER, 0),
    at(Do::NextLink, "next-link", "do_next_link", &["."], READER, 0),
    at(Do::PreviousLink, "previous-link", "do_previous_link", &[","], READER, 0),
    at(Do::Undo, "undo", "do_undo", &["u"], ALL, 0),
    at(Do::Open, "open", "do_open", &["enter"], TABLES, 75),
    at(Do::Person, "person", "do_person", &["t"], PEOPLE | DETAIL, 55),
    at(Do::Filter, "filter", "do_filter", &["/"], FORWARD, 65),
    at(Do::State, "state", "do_state", &["f"], OUTBOX | TOKENS | USERS | SESSIONS | AUDIT | LOG, 48),
    at(Do::Mark, "mark", "do_mark", &["space"], TABLES, 52),
    at(Do::MarkAll, "mark-all", "do_mark_all", &["A"], TABLES, 0),
    at(Do::Copy, "copy", "do_copy", &["y"], ALL, 51),
    at(Do::CopyTwin, "copy-command", "do_copy_command", &["Y"], ALL, 0),
    at(Do::SortLeft, "sort-left", "do_sort_left", &["<"], FORWARD, 0),
    at(Do::SortRight, "sort-right", "do_sort_right", &[">"], FORWARD, 0),
    at(Do::SortReverse, "sort-reverse", "do_sort_reverse", &["="], FORWARD, 0),
    at(Do::Pane, "pane", "do_pane", &["i"], TABLES, 0),
    at(Do::Up, "up", "do_up", &["k", "up"], ALL, 0),
    at(Do::Down, "down", "do_down", &["j", "down"], ALL, 0),
    at(Do::PageUp, "page-up", "do_page_up", &["pageup", "ctrl-b"], ALL, 0),
    at(Do::PageDown, "page-down", "do_page_down", &["pagedown", "ctrl-f"], ALL, 0),
    at(Do::HalfUp, "half-up", "do_half_up", &["ctrl-u"], ALL, 0),
    at(Do::HalfDown, "half-down", "do_half_down", &["ctrl-d"], ALL, 0),
    at(Do::Top, "top", "do_top", &["g", "home"], ALL, 0),
    at(Do::Bottom, "bottom", "do_bottom", &["G", "end"], ALL, 0),
    at(Do::Back, "back", "do_back", &["esc", "backspace"], ALL, 30),
    at(Do::Failures, "failures", "do_failures", &["!"], ALL, 58),
    twin(at(Do::Go(View::Overview), "overview", "view_overview", &["0"], ALL, 0), "gatepost stats"),
    twin(at(Do::Go(View::Mail), "mail", "view_mail", &["1"], ALL, 0), "gatepost inbox list"),
    twin(at(Do::Go(View::Outbox), "outbox", "view_outbox", &["2"], ALL, 0), "gatepost outbox list"),
    twin(at(Do::Go(View::Tokens), "tokens", "view_tokens", &["3"], ALL, 0), "gatepost token list"),
    twin(at(Do::Go(View::Users), "users", "view_users", &["4"], ALL, 0), "gatepost user list"),
    twin(at(Do::Go(View::Sessions), "sessions", "view_sessions", &["5"], ALL, 0), "gatepost session list"),
    twin(at(Do::Go(View::Audit), "audit", "view_audit", &["6"], ALL, 0), "gatepost audit list"),
    twin(at(Do::Go(View::Routes), "routes", "view_routes", &["7"], ALL, 0), "gatepost outbox routes"),
    twin(at(Do::Go(View::Log), "log", "view_log", &["8"], ALL, 0), "gatepost log"),
    at(Do::Go(View::Timeline), "timeline", "view_timeline", &[], 0, 0),
    at(Do::NextTab, "next-tab", "do_next_tab", &["tab"], ALL & !READER, 0),
    at(Do::PreviousTab, "previous-tab", "do_previous_tab", &["shift-tab"], ALL & !READER, 0),
    Action { weight: 0, ..act(Do::SendTest, "send-test", "do_send_test", &["T"], ALL, "gatepost send-test-mail {ids}") },
    at(Do::Reload, "reload", "do_reload", &["ctrl-r", "f5"], ALL, 0),
    at(Do::Reconnect, "reconnect", "do_reconnect", &["R"], ALL, 0),
    at(Do::Mouse, "mouse", "do_mouse", &["m"], ALL, 0),
    at(Do::Palette, "palette", "do_palette", &[":"], ALL, 20),
    at(Do::Help, "help", "do_help", &["?"], ALL, 99),
    at(Do::Suspend, "suspend", "do_suspend", &["ctrl-z"], ALL, 0),
    at(Do::Quit, "quit", "do_quit", &["q", "ctrl-c"], ALL, 10),
];
