//! The states that a list can be filtered by.

use super::View;

/// The filter's name and its values, in the order in which a key goes through them.
pub const fn states(view: View) -> Option<(&'static str, &'static [&'static str])> {
    Some(match view {
        View::Outbox => (
            "state",
            &[
                "failing",
                "queued",
                "sending",
                "sent",
                "uncertain",
                "dead",
                "expired",
                "discarded",
            ],
        ),
        View::Tokens => ("state", &["live", "lapsed", "spent", "overtaken"]),
        View::Users => ("state", &["active", "locked", "waiting"]),
        View::Sessions => ("state", &["live", "lapsed", "ended"]),
        View::Audit => ("outcome", &["done", "refused"]),
        View::Log => ("level", &["error", "warn", "info", "debug"]),
        _ => return None,
    })
}
