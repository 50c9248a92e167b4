//! How long ago, or how far ahead, in as few characters as possible.

use crate::world::Timestamp;

use super::model::Row;
use super::words::Words;

/// A time as the API writes it.
pub fn moment(text: &str) -> Option<Timestamp> {
    let parsed: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp::from_millis(parsed.as_millisecond()))
}

/// The times that a row shows.
pub fn moments(row: &Row) -> Vec<Timestamp> {
    let texts: [Option<&str>; 2] = match row {
        Row::Message(row) => [Some(&row.received_at), None],
        Row::Mail(row) => [Some(&row.created_at), row.next_at.as_deref()],
        Row::Token(row) => [Some(&row.created_at), Some(&row.expires_at)],
        Row::User(row) => [Some(&row.created_at), row.last_login_at.as_deref()],
        Row::Session(row) => [Some(&row.created_at), Some(&row.last_used_at)],
        Row::Entry(row) => [Some(&row.at), None],
        Row::Route(row) => [row.next_probe_at.as_deref(), None],
        // The log tells the time of day.
        Row::Line(_) => [None, None],
        Row::Moment(row) => [Some(&row.at), None],
    };
    texts.into_iter().flatten().filter_map(moment).collect()
}

/// A length of time: `42s`, `3m`, `5h`, `12d`.
pub fn length(millis: i64, words: Words) -> String {
    let seconds = millis.max(0) / 1000;
    let (count, unit) = match seconds {
        0..60 => (seconds, "unit_second"),
        60..3600 => (seconds / 60, "unit_minute"),
        3600..172_800 => (seconds / 3600, "unit_hour"),
        _ => ((seconds / 86_400).min(99_999), "unit_day"),
    };
    format!("{count}{}", words.say(unit))
}

/// How long ago `text` was.
pub fn age(text: &str, now: Timestamp, words: Words) -> String {
    moment(text).map_or_else(String::new, |at| {
        length(now.as_millis().saturating_sub(at.as_millis()), words)
    })
}

/// When `text` will be: `in 42s`, or how long ago it was.
pub fn ahead(text: &str, now: Timestamp, words: Words) -> String {
    let Some(at) = moment(text) else {
        return String::new();
    };
    let away = at.as_millis().saturating_sub(now.as_millis());
    match away {
        ..=0 => words.say("due_now").to_owned(),
        // Rounded up, so that it says "in 1s" until it is due.
        away => words.fill(
            "ahead",
            &[("time", &length(away.saturating_add(999), words))],
        ),
    }
}

/// The time of day: `12:04`, with seconds `12:04:09`.
pub fn clock(at: Timestamp, offset: i32, seconds: bool) -> String {
    let local = at.as_seconds().saturating_add(i64::from(offset));
    let of_day = local.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    match seconds {
        true => format!("{hour:02}:{minute:02}:{second:02}"),
        false => format!("{hour:02}:{minute:02}"),
    }
}
