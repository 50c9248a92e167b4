//! The figures of the last hour, as lines of bars.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::client::Minute;
use crate::tui::model::Model;
use crate::tui::theme::Role;

use super::paint;

/// A figure: its text, what it counts, and whether any of it is bad.
type Figure = (&'static str, fn(&Minute) -> u64, bool);

const FIGURES: [Figure; 6] = [
    ("figure_sent", |minute| minute.sent, false),
    ("figure_failed", |minute| minute.failed, true),
    ("figure_captured", |minute| minute.captured, false),
    ("figure_requests", |minute| minute.requests, false),
    ("figure_logins", |minute| minute.logins, false),
    ("figure_refused", |minute| minute.refused_logins, true),
];

/// Draws them; below them stands what failed.
pub fn draw(model: &Model, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let words = model.settings.words;
    let theme = &model.settings.theme;
    let empty = Vec::new();
    let minutes = model.stats.as_ref().map_or(&empty, |stats| &stats.minutes);
    let names = FIGURES
        .iter()
        .map(|(name, _, _)| paint::width(words.say(name)));
    let names = names.max().unwrap_or(0);
    let inner = paint::inset(area, 3);
    let count = 7;
    let room = inner.width.saturating_sub(names + 2 + count + 2).min(60);
    let (heading, mut rest) = paint::split(inner);
    let text = words.say("last_hour");
    paint::left(buffer, heading, text, theme.style(Role::Dim), theme);
    for (name, of, bad) in FIGURES {
        let (line, below) = paint::split(rest);
        rest = below;
        if line.is_empty() {
            break;
        }
        let values: Vec<u64> = minutes.iter().map(of).collect();
        let sum = values
            .iter()
            .fold(0, |sum: u64, value| sum.saturating_add(*value));
        let role = match (bad, sum) {
            (_, 0) => Role::Dim,
            (true, _) => Role::Bad,
            (false, _) => Role::Good,
        };
        paint::left(
            buffer,
            line,
            words.say(name),
            theme.style(Role::Text),
            theme,
        );
        let at = Rect {
            x: line.x + (names + 2).min(line.width),
            width: count.min(line.width.saturating_sub(names + 2)),
            ..line
        };
        paint::right(buffer, at, &sum.to_string(), theme.style(role), theme);
        let at = Rect {
            x: at.x + (at.width + 2).min(line.right().saturating_sub(at.x)),
            width: room,
            ..line
        }
        .intersection(line);
        let bars = paint::spark(&values, room.into(), theme);
        paint::left(buffer, at, &bars, theme.style(role), theme);
    }
    let (line, _) = paint::split(rest);
    paint::titled(
        model,
        Rect {
            x: area.x,
            width: area.width,
            ..line
        },
        words.say("what_failed"),
        "",
        buffer,
    );
}
