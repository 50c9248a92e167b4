//! A page of the reader: a text that is clean, what is marked in it, and how it is broken into
//! rows. Every tab is one, so scrolling, searching and links work alike in all of them.

use std::ops::Range;

use ratatui::style::Modifier;
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

use super::super::safe;
use super::super::theme::Role;

/// The most that is shown of a text, in bytes.
pub const CAP: usize = 1024 * 1024;

/// The most places that a search finds.
pub const HITS: usize = 9_999;

/// A stretch of the text that looks otherwise than the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Where in the text, in bytes.
    pub range: Range<usize>,
    /// What it is.
    pub role: Role,
    /// What its style has besides.
    pub add: Modifier,
    /// Which anchor it belongs to.
    pub anchor: Option<usize>,
}

/// A row on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    start: u32,
    end: u32,
    /// How many columns it stands in from the left.
    pub indent: u16,
}

impl Row {
    /// Where in the text.
    pub fn range(&self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A text with marks, broken into rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    text: String,
    marks: Vec<Mark>,
    /// The lines whose rows after the first one stand in: where they start, and how far.
    hangs: Vec<(usize, u16)>,
    rows: Vec<Row>,
    width: u16,
    anchors: usize,
    cut: bool,
}

impl Page {
    /// Adds `text`, cleaned, as `role`.
    pub fn push(&mut self, text: &str, role: Role) {
        self.push_with(text, role, Modifier::empty(), None);
    }

    /// The same with more to say about its looks.
    pub fn push_with(&mut self, text: &str, role: Role, add: Modifier, anchor: Option<usize>) {
        let start = self.text.len();
        let room = CAP.saturating_sub(start);
        let fits = text.floor_char_boundary(room);
        self.cut |= fits < text.len();
        self.text.push_str(&safe::text(&text[..fits]));
        let plain = role == Role::Text && add.is_empty() && anchor.is_none();
        if !plain && start < self.text.len() {
            self.mark(start..self.text.len(), role, add, anchor);
        }
    }

    /// Ends a line whose further rows stand in by `hang` columns.
    pub fn end_line(&mut self, hang: u16) {
        if self.text.len() < CAP {
            if hang > 0 {
                let start = self.text.rfind('\n').map_or(0, |at| at + 1);
                self.hangs.push((start, hang));
            }
            self.text.push('\n');
        }
    }

    /// Says that something is not shown.
    pub fn cut(&mut self) {
        self.cut = true;
    }

    /// Whether something is not shown.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Marks `range`; marks come in order and do not overlap.
    pub fn mark(&mut self, range: Range<usize>, role: Role, add: Modifier, anchor: Option<usize>) {
        if let Some(anchor) = anchor {
            self.anchors = self.anchors.max(anchor + 1);
        }
        self.marks.push(Mark {
            range,
            role,
            add,
            anchor,
        });
    }

    /// How many anchors there are.
    pub fn anchors(&self) -> usize {
        self.anchors
    }

    /// Where the anchor starts.
    pub fn anchor(&self, anchor: usize) -> Option<usize> {
        let mark = self.marks.iter().find(|mark| mark.anchor == Some(anchor));
        mark.map(|mark| mark.range.start)
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The marks, in order.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The rows at the width that was asked for last.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row in which the byte `at` stands.
    pub fn row_of(&self, at: usize) -> usize {
        let after = self.rows.partition_point(|row| row.start as usize <= at);
        after.saturating_sub(1)
    }

    /// Breaks the text into rows of `width` columns, unless it is.
    pub fn wrap(&mut self, width: u16) {
        let width = width.max(1);
        if self.width == width {
            return;
        }
        self.width = width;
        self.rows.clear();
        let mut hangs = self.hangs.iter().peekable();
        let mut start = 0;
        for line in self.text.split('\n') {
            let mut hang = 0;
            while let Some((at, columns)) = hangs.peek() {
                if *at > start {
                    break;
                }
                hang = (*columns).min(width / 2);
                hangs.next();
            }
            wrap_line(line, start, width, hang, &mut self.rows);
            start += line.len() + 1;
        }
        // The last line end opens no row of its own.
        while self.rows.last().is_some_and(|row| row.start == row.end) {
            self.rows.pop();
        }
    }

    /// Where `needle` stands, in whatever case; a space in it is any white space.
    pub fn find(&self, needle: &str) -> Vec<Range<usize>> {
        let needle: Vec<char> = needle.trim().chars().take(64).map(lower).collect();
        let mut hits = Vec::new();
        let Some(first) = needle.first() else {
            return hits;
        };
        let mut at = 0;
        while let Some(c) = self.text[at..].chars().next() {
            let mut next = at + c.len_utf8();
            if lower(c) == *first
                && let Some(length) = matched(&self.text[at..], &needle)
            {
                next = at + length;
                hits.push(at..next);
                if hits.len() == HITS {
                    break;
                }
            }
            at = next;
        }
        hits
    }
}

fn lower(c: char) -> char {
    c.to_lowercase().next().unwrap_or(c)
}

/// How many bytes at the start of `text` are the needle.
fn matched(text: &str, needle: &[char]) -> Option<usize> {
    let mut rest = text.chars();
    let mut wanted = needle.iter().peekable();
    while let Some(want) = wanted.next() {
        if want.is_whitespace() {
            while wanted.next_if(|c| c.is_whitespace()).is_some() {}
            rest.next().filter(|c| c.is_whitespace())?;
            let trimmed = rest.as_str().trim_start();
            rest = trimmed.chars();
        } else {
            rest.next().filter(|c| lower(*c) == *want)?;
        }
    }
    Some(text.len() - rest.as_str().len())
}

/// What must not begin a row.
pub fn closes(c: char) -> bool {
    "、。，！？：；）」』】》〉…".contains(c)
}

/// What must not end one.
pub fn opens(c: char) -> bool {
    "（「『【《〈".contains(c)
}

/// Breaks a line at spaces, between wide characters, and in a word only when it alone is too long.
fn wrap_line(line: &str, offset: usize, width: u16, hang: u16, rows: &mut Vec<Row>) {
    let width = usize::from(width);
    let first = rows.len();
    let mut start = 0;
    let mut push = |range: Range<usize>| {
        rows.push(Row {
            start: (offset + range.start) as u32,
            end: (offset + range.end) as u32,
            indent: if rows.len() > first { hang } else { 0 },
        });
    };
    let mut column = 0;
    // Where the row could end, and at which column.
    let mut fit: Option<(usize, usize)> = None;
    let mut before = ("", 0);
    for (at, grapheme) in line.grapheme_indices(true) {
        let columns = match grapheme.len() {
            1 => 1,
            _ => grapheme.width(),
        };
        if (columns > 1 || before.1 > 1)
            && at > start
            && !grapheme.starts_with(closes)
            && !before.0.starts_with(opens)
        {
            fit = Some((at, column));
        }
        if column + columns > width && at > start {
            if grapheme == " " {
                push(start..at);
                (start, column, fit) = (at + 1, usize::from(hang), None);
                before = (" ", 1);
                continue;
            }
            let (end, end_column) = fit.unwrap_or((at, column));
            push(start..end);
            column = usize::from(hang) + column - end_column;
            (start, fit) = (end, None);
        }
        column += columns;
        if grapheme == " " {
            fit = Some((at + 1, column));
        }
        before = (grapheme, columns);
    }
    push(start..line.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &str, width: u16) -> Vec<String> {
        let mut page = Page::default();
        page.push(text, Role::Text);
        page.wrap(width);
        let rows = page.rows().iter();
        rows.map(|row| page.text()[row.range()].trim_end().to_owned())
            .collect()
    }

    #[test]
    fn rows_end_at_spaces_and_between_wide_characters() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("onetwothree", 4), ["onet", "woth", "ree"]);
        assert_eq!(wrapped("您的驗證碼是，好", 6), ["您的驗", "證碼", "是，好"]);
        assert_eq!(wrapped("a\n\nb\n", 5), ["a", "", "b"]);
        assert_eq!(wrapped("👩\u{200d}👧e\u{301}e\u{301}e\u{301}", 2).len(), 3);
        assert_eq!(wrapped("字字", 1), ["字", "字"]);
    }

    #[test]
    fn a_search_looks_past_case_and_line_ends() {
        let mut page = Page::default();
        page.push("Reset your\n  PASSWORD and reset", Role::Text);
        assert_eq!(page.find("reset").len(), 2);
        assert_eq!(page.find("your password").first(), Some(&(6..21)));
        assert!(page.find(" ").is_empty() && page.find("nowhere").is_empty());
    }
}
