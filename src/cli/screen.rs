//! How an answer is written: in tables and sentences on a terminal, as wide as it is, or as JSON
//! for a program. What must not live here: what is written.

use std::io::IsTerminal as _;

use comfy_table::Cell;
use comfy_table::ColumnConstraint;
use comfy_table::ContentArrangement;
use comfy_table::Row;
use comfy_table::Table;
use comfy_table::presets;
use serde_json::Value;
use unicode_width::UnicodeWidthChar as _;
use unicode_width::UnicodeWidthStr as _;

use crate::text;
use crate::world::Timestamp;

use super::Exit;
use super::output;
use super::words::Voice;

/// Columns of a terminal that does not tell, and the fewest that are laid out for.
const COLUMNS: u16 = 80;

/// What no visible text holds.
const NO_SPACE: char = '\u{1}';

/// Where an answer is written to.
#[derive(Debug, Clone, Copy)]
pub enum Screen {
    /// A terminal of so many columns, with somebody before it.
    People {
        /// How many characters fit side by side.
        width: u16,
    },
    /// A program, or somebody who wants what a program gets.
    Program {
        /// Whether it is laid out on several lines.
        indented: bool,
    },
}

impl Screen {
    /// The standard output.
    pub fn new(json: bool) -> Screen {
        let stdout = std::io::stdout();
        let terminal = stdout.is_terminal();
        if json || !terminal {
            return Screen::Program { indented: terminal };
        }
        let size = rustix::termios::tcgetwinsize(&stdout);
        let width = size.map_or(COLUMNS, |size| size.ws_col);
        Screen::People {
            width: if width < 40 { COLUMNS } else { width },
        }
    }
}

/// Prints JSON; what would act on a terminal is escaped, which says the same.
pub fn print_json(json: &Value, indented: bool) -> Result<(), Exit> {
    output::print(&written(json, indented))
}

/// JSON as it is printed.
pub fn written(json: &Value, indented: bool) -> String {
    let text = match indented {
        true => serde_json::to_string_pretty(json),
        false => serde_json::to_string(json),
    };
    escape(&text.expect("a JSON value is JSON"))
}

/// Outside ASCII there is nothing in JSON but the insides of texts.
fn escape(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c >= '\u{7f}' && text::hides(c) && !text::shapes(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A table of one line a row; what does not fit is cut off with an ellipsis. The first column
/// and those in `whole` are never cut.
pub fn table(width: u16, header: &[&str], rows: Vec<Vec<String>>, whole: &[usize]) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        // What does not fit is cut where the room ends, not at the last space before it: the
        // next word may be half a sentence, in scripts without spaces.
        .set_delimiter(NO_SPACE)
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width)
        .set_header(header.iter().map(|name| Cell::new(*name)));
    for row in rows {
        let cells = row
            .iter()
            .map(|text| Cell::new(output::visible(&one_line(text))));
        let mut row = Row::from(cells.collect::<Vec<_>>());
        row.max_height(1);
        table.add_row(row);
    }
    for (index, column) in table.column_iter_mut().enumerate() {
        column.set_padding((0, 2));
        if index == 0 || whole.contains(&index) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    table.trim_fmt()
}

/// A reply of several lines, and the end of its last one, take one line.
pub fn one_line(text: &str) -> String {
    text.lines().map(str::trim).collect::<Vec<_>>().join(" ")
}

/// Names and their values below one another; long values go on below themselves.
#[derive(Debug, Default)]
pub struct Facts {
    rows: Vec<(String, String)>,
}

impl Facts {
    /// Adds one.
    pub fn add(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.rows.push((name.into(), value.into()));
    }

    /// Adds one that there may not be.
    pub fn add_some(&mut self, name: impl Into<String>, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.add(name, value.as_ref());
        }
    }

    /// The lines, each behind `indent` spaces. The values come from outside.
    pub fn lines(&self, indent: usize, width: u16) -> Vec<String> {
        let names = self.rows.iter().map(|(name, _)| name.width());
        let names = names.max().unwrap_or(0);
        let margin = indent + names + 2;
        let room = usize::from(width).saturating_sub(margin).max(20);
        let mut lines = Vec::new();
        for (name, value) in &self.rows {
            let mut name = name.as_str();
            for line in value.trim_end().lines() {
                for part in wrap(&output::visible(line), room) {
                    let gap = margin - indent - name.width();
                    let line = format!("{:indent$}{name}{:gap$}{part}", "", "");
                    lines.push(line.trim_end().to_owned());
                    name = "";
                }
            }
        }
        lines
    }
}

/// Breaks a line at spaces and beside ideographs, which need none. A word that is too long, such
/// as an address of a page, stays whole.
pub fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let (mut start, mut taken) = (0, 0);
    // Where the line could end, how wide the text up to there is.
    let mut end: Option<(usize, usize)> = None;
    let mut last = ' ';
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        let ideographs = (wide == 2 || last.width() == Some(2)) && !hangs(c);
        if at > start && (last == ' ' || ideographs) {
            end = Some((at, taken));
        }
        if taken + wide > room
            && c != ' '
            && let Some((stop, width)) = end.take()
        {
            lines.push(text[start..stop].trim_end().to_owned());
            start = stop;
            taken -= width;
        }
        taken += wide;
        last = c;
    }
    lines.push(text[start..].trim_end().to_owned());
    lines
}

/// Punctuation that no line begins with.
fn hangs(c: char) -> bool {
    "，。、；：！？）」』】》”’…,.;:!?)".contains(c)
}

/// How many columns a text takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// A text of one line that is no wider than `room`: what does not fit ends before a word, with an
/// ellipsis; a word that does not fit by itself, such as an address, is cut.
pub fn cut(text: &str, room: usize) -> String {
    let line = one_line(text);
    if line.width() <= room {
        return line;
    }
    let room = room.saturating_sub(1);
    let first = wrap(&line, room).into_iter().next().unwrap_or_default();
    let mut shown = String::new();
    for c in first.chars() {
        if shown.width() + c.width().unwrap_or(0) > room {
            break;
        }
        shown.push(c);
    }
    shown + "…"
}

/// A moment as it is told to people: how far away it is.
pub fn away(voice: Voice, at: &str, now: Timestamp) -> String {
    let Ok(moment) = at.parse::<jiff::Timestamp>() else {
        return at.to_owned();
    };
    let seconds = moment.as_millisecond() - now.as_millis();
    let (amount, unit) = match seconds.unsigned_abs() / 1000 {
        0 => return voice.say("now", &[]),
        s @ 1..=119 => (s, "seconds"),
        s @ 120..=7199 => (s / 60, "minutes"),
        s @ 7200..=172_799 => (s / 3600, "hours"),
        s => (s / 86_400, "days"),
    };
    let time = voice.say(unit, &[("n", &amount)]);
    match seconds < 0 {
        true => voice.say("ago", &[("time", &time)]),
        false => voice.say("ahead", &[("time", &time)]),
    }
}

/// A moment at which something is to happen: one that is over already waits its turn.
pub fn coming(voice: Voice, at: &str, now: Timestamp) -> String {
    match is_over(at, now) {
        true => voice.say("now", &[]),
        false => away(voice, at, now),
    }
}

/// The same with the moment itself, where it is not over.
pub fn coming_moment(voice: Voice, at: &str, now: Timestamp) -> String {
    match is_over(at, now) {
        true => voice.say("now", &[]),
        false => moment(voice, at, now),
    }
}

/// Whether that moment is not to come.
pub fn is_over(at: &str, now: Timestamp) -> bool {
    let at = at.parse::<jiff::Timestamp>();
    at.is_ok_and(|at| at.as_millisecond() <= now.as_millis())
}

/// A moment with its distance.
pub fn moment(voice: Voice, at: &str, now: Timestamp) -> String {
    let away = away(voice, at, now);
    voice.say("moment", &[("at", &at), ("away", &away)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_table_keeps_to_its_width_in_any_script_and_never_cuts_the_first_column() {
        let rows = vec![
            vec!["ob_1".to_owned(), "a\u{1b}[2J".to_owned(), "例".repeat(60)],
            vec!["ob_22".to_owned(), "b".to_owned(), "word ".repeat(40)],
            vec![
                "ob_3".to_owned(),
                "c".to_owned(),
                format!("x {}", "例".repeat(60)),
            ],
        ];
        let shown = table(40, &["ID", "WHO", "WHY"], rows, &[]);
        assert_eq!(shown.lines().count(), 4, "{shown}");
        for line in shown.lines() {
            assert!(line.width() <= 40, "{}: {line}", line.width());
        }
        assert!(
            shown.contains("ob_22 ") && shown.matches('…').count() == 3,
            "{shown}"
        );
        assert!(
            !shown.contains('\u{1b}') && shown.contains("x 例"),
            "{shown}"
        );
    }

    #[test]
    fn lines_are_broken_at_spaces_and_beside_ideographs() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(
            wrap("see https://example.com/a/long/one", 10)[1],
            "https://example.com/a/long/one"
        );
        assert_eq!(
            wrap("郵件等待重試，請稍候。", 10),
            ["郵件等待重", "試，請稍", "候。"]
        );
        assert_eq!(wrap("", 10), [""]);
    }

    #[test]
    fn facts_go_on_below_themselves() {
        let mut facts = Facts::default();
        facts.add("Why", "a b\r\nc\u{1b}");
        facts.add("State", "dead");
        assert_eq!(
            facts.lines(2, 80),
            ["  Why    a b", "         c\\u{1b}", "  State  dead"]
        );
    }

    #[test]
    fn a_moment_is_told_by_its_distance() {
        let now = Timestamp::from_millis(1_000_000);
        let en = Voice(Language::En);
        let hans = Voice(Language::ZhHans);
        assert_eq!(away(hans, "1970-01-01T00:18:10Z", now), "90 秒后");
        assert_eq!(away(en, "1970-01-01T00:16:40.000Z", now), "now");
        assert_eq!(away(en, "1970-01-01T00:18:10Z", now), "in 90 s");
        assert_eq!(away(en, "1970-01-01T00:00:00Z", now), "16 min ago");
        assert_eq!(away(en, "1970-02-01T00:00:00Z", now), "in 30 days");
        assert_eq!(away(en, "later", now), "later");
        // What is due and waits its turn.
        assert_eq!(coming(en, "1970-01-01T00:16:38Z", now), "now");
        assert_eq!(coming_moment(en, "1970-01-01T00:16:38Z", now), "now");
        assert_eq!(coming(en, "1970-01-01T00:18:10Z", now), "in 90 s");
        assert_eq!(
            coming_moment(en, "1970-01-01T00:18:10Z", now),
            "1970-01-01T00:18:10Z (in 90 s)"
        );
    }

    #[test]
    fn a_text_is_cut_before_a_word_or_in_one_that_does_not_fit_by_itself() {
        assert_eq!(cut("one two three", 13), "one two three");
        assert_eq!(cut("one two three", 12), "one two…");
        assert_eq!(cut("one@example.com", 8), "one@exa…");
        assert_eq!(cut("郵件等待重試", 8), "郵件等…");
    }

    #[test]
    fn json_for_a_terminal_says_the_same_without_acting_on_it() {
        let json = serde_json::json!({"a": "\u{9b}2J\u{202e}\u{1b}例\u{e0001}"});
        let escaped = escape(&json.to_string());
        assert!(
            !escaped.contains(['\u{9b}', '\u{202e}', '\u{1b}', '\u{e0001}']),
            "{escaped}"
        );
        assert!(escaped.contains('例'));
        assert_eq!(serde_json::from_str::<Value>(&escaped).unwrap(), json);
    }
}
