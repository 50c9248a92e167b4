//! Hostile HTML written anew: known elements and attributes only, closed in order, neither deep
//! nor many, in one linear pass. What parses it next is quadratic in depth and opens each
//! unclosed `<b>` again in each paragraph; it never gets to see what a stranger nested.

use super::elements::{Kind, attribute, element};
use super::tokens::{Piece, next, raw_text};

/// The most that is handed on, in bytes, without the pictures in it.
const BYTES: usize = 2 << 20;
/// The most that pictures written into the HTML may have, in bytes.
const PICTURES: usize = 8 << 20;
/// The most elements.
pub(super) const ELEMENTS: usize = 30_000;
/// The most tags that are looked at, those that are left out among them.
const TAGS: usize = 200_000;
/// How deep elements may be nested.
pub(super) const DEPTH: usize = 200;
/// How many tables in one another.
pub(super) const TABLES: usize = 30;
/// How many formatting elements in one another.
pub(super) const FORMATTING: usize = 24;
/// The longest value of an attribute, in bytes.
const VALUE: usize = 16 << 10;
/// The most that style sheets may have, in bytes.
const SHEETS: usize = 512 << 10;

/// What became of it. Attributes are written as they stand behind the name of an element.
#[derive(Debug, Default)]
pub(super) struct Rewritten {
    /// What stands in the body.
    pub(super) content: String,
    /// The attributes of `<html>`.
    pub(super) root: String,
    /// The attributes of `<body>`.
    pub(super) body: String,
    /// The style sheets, as hostile as they came.
    pub(super) sheets: Vec<String>,
    /// The colour schemes that it says it is made for.
    pub(super) schemes: String,
    /// How many things it would have fetched that are no pictures.
    pub(super) references: usize,
    /// Whether all of it is there.
    pub(super) whole: bool,
}

type Attributes<'a> = [(&'a str, &'a str)];

/// Writes `html` anew.
pub(super) fn rewrite(html: &str) -> Rewritten {
    let mut writer = Writer {
        out: Rewritten {
            whole: true,
            ..Rewritten::default()
        },
        open: Vec::new(),
        skipped: Vec::new(),
        elements: 0,
        tags: 0,
        pictures: 0,
        sheets: 0,
    };
    writer.read(html);
    while !writer.open.is_empty() {
        writer.close_last();
    }
    writer.out
}

struct Writer {
    out: Rewritten,
    /// What is open, outermost first.
    open: Vec<(&'static str, Kind)>,
    /// What was left out for its depth and will be closed some time.
    skipped: Vec<&'static str>,
    elements: usize,
    tags: usize,
    pictures: usize,
    sheets: usize,
}

impl Writer {
    fn read(&mut self, html: &str) {
        let mut rest = html;
        while !rest.is_empty() {
            let Some((piece, behind)) = next(rest) else {
                return;
            };
            rest = behind;
            if let Piece::Text(text) = piece {
                self.text(text);
            } else {
                self.tags += 1;
            }
            let written = self.out.content.len().saturating_sub(self.pictures);
            if written > BYTES || self.elements >= ELEMENTS || self.tags >= TAGS {
                self.out.whole &= rest.trim().is_empty();
                return;
            }
            match piece {
                Piece::Start(name, attributes) => rest = self.start(name, &attributes, rest),
                Piece::End(name) => self.end(name),
                Piece::Text(_) | Piece::Nothing => {}
            }
        }
    }

    fn text(&mut self, text: &str) {
        let room = (BYTES + 1).saturating_sub(self.out.content.len().saturating_sub(self.pictures));
        let fits = text.floor_char_boundary(room);
        self.out.whole &= fits == text.len();
        escape(&text[..fits], &mut self.out.content);
    }

    /// Hands back what stands behind the element, if it is left out with all that is in it.
    fn start<'a>(&mut self, name: &str, attributes: &Attributes<'_>, rest: &'a str) -> &'a str {
        match element(name) {
            Some((name, Kind::Hidden)) => {
                let (inner, behind) = raw_text(rest, name);
                if name == "style" {
                    self.sheet(inner, attributes);
                }
                return behind;
            }
            Some((name, kind)) => self.known(name, kind, attributes),
            None => self.unknown(name, attributes),
        }
        rest
    }

    fn unknown(&mut self, name: &str, attributes: &Attributes<'_>) {
        if name.eq_ignore_ascii_case("html") && self.out.root.is_empty() {
            self.out.root = self.attributes("html", attributes);
        } else if name.eq_ignore_ascii_case("body") && self.out.body.is_empty() {
            self.out.body = self.attributes("body", attributes);
        } else if name.eq_ignore_ascii_case("meta") {
            let named = value(attributes, "name").unwrap_or_default();
            if named.eq_ignore_ascii_case("color-scheme") {
                self.out.schemes = schemes(value(attributes, "content").unwrap_or_default());
            }
        } else if ["link", "embed", "frame", "source", "input"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(name))
        {
            let fetches = ["href", "src", "srcset"];
            let fetches = fetches.iter().any(|name| value(attributes, name).is_some());
            self.out.references += usize::from(fetches);
        }
    }

    fn sheet(&mut self, css: &str, attributes: &Attributes<'_>) {
        self.sheets += css.len();
        if self.sheets > SHEETS {
            self.out.whole = false;
            return;
        }
        let media = value(attributes, "media").filter(|media| !media.trim().is_empty());
        self.out.sheets.push(match media {
            Some(media) => format!("@media {media}{{{css}}}"),
            None => css.to_owned(),
        });
    }

    fn known(&mut self, name: &'static str, kind: Kind, attributes: &Attributes<'_>) {
        self.close_implied(name, kind);
        let table = self.open.iter().any(|open| open.1 == Kind::Table);
        let tabular = matches!(kind, Kind::Section | Kind::Row | Kind::Cell) || name == "col";
        let deep = self.open.len() >= DEPTH
            || (kind == Kind::Table && self.count(Kind::Table) >= TABLES)
            || (kind == Kind::Formatting && self.count(Kind::Formatting) >= FORMATTING);
        // Between the rows of a table that was left out, its rows and cells are left out, too.
        let lost = tabular && (!table || self.skipped.contains(&"table"));
        if deep || lost {
            if kind != Kind::Void && self.skipped.len() < DEPTH {
                self.skipped.push(name);
            }
            return self.out.content.push(' ');
        }
        self.elements += 1;
        let attributes = self.attributes(name, attributes);
        self.out.content.push('<');
        self.out.content.push_str(name);
        self.out.content.push_str(&attributes);
        self.out.content.push('>');
        if kind != Kind::Void {
            self.open.push((name, kind));
        }
    }

    /// Closes what a browser would close before this one.
    fn close_implied(&mut self, name: &str, kind: Kind) {
        let in_cell = |kind| matches!(kind, Kind::Cell | Kind::Table);
        match kind {
            Kind::Item => self.close_since(
                |open| open.1 == Kind::Item,
                |open| matches!(open.0, "ul" | "ol" | "dl") || in_cell(open.1),
            ),
            Kind::Section => {
                self.close_since(|open| open.1 == Kind::Section, |open| open.1 == Kind::Table);
            }
            Kind::Row => self.close_since(|open| open.1 == Kind::Row, |o| o.1 == Kind::Table),
            Kind::Cell => self.close_since(
                |open| open.1 == Kind::Cell,
                |open| matches!(open.1, Kind::Table | Kind::Row),
            ),
            Kind::Block | Kind::Table => {
                self.close_since(|open| open.0 == "p", |open| in_cell(open.1));
            }
            // A link in a link ends the first one.
            Kind::Formatting if name == "a" => {
                self.close_since(|open| open.0 == "a", |open| in_cell(open.1));
            }
            Kind::Formatting | Kind::Inline | Kind::Void | Kind::Hidden => {}
        }
    }

    fn attributes(&mut self, element: &str, given: &Attributes<'_>) -> String {
        let mut written = String::new();
        for (name, value) in given {
            if name.eq_ignore_ascii_case("background") || name.eq_ignore_ascii_case("srcset") {
                self.out.references += usize::from(!value.trim().is_empty());
            }
            let Some(name) = attribute(element, name) else {
                continue;
            };
            let picture = name == "src" && value.len() > VALUE;
            let fits = picture && self.pictures + value.len() <= PICTURES;
            if value.len() > VALUE && !fits {
                self.out.whole = false;
                continue;
            }
            written.push(' ');
            written.push_str(name);
            written.push_str("=\"");
            let before = written.len();
            escape(value, &mut written);
            if picture {
                // As many as were written, which is not as many as came.
                self.pictures += written.len() - before;
            }
            written.push('"');
        }
        written
    }

    fn end(&mut self, name: &str) {
        let Some((name, kind)) = element(name) else {
            return;
        };
        if self.skipped.last() == Some(&name) {
            self.skipped.pop();
            self.out.content.push(' ');
            return;
        }
        let tabular = matches!(kind, Kind::Table | Kind::Section | Kind::Row | Kind::Cell);
        self.close_since(
            |open| open.0 == name,
            |open| match tabular {
                true => open.1 == Kind::Table,
                false => matches!(open.1, Kind::Cell | Kind::Table),
            },
        );
    }

    /// Closes the innermost element that is `wanted` with all within, if no `wall` is before it.
    fn close_since(
        &mut self,
        wanted: impl Fn(&(&'static str, Kind)) -> bool,
        wall: impl Fn(&(&'static str, Kind)) -> bool,
    ) {
        for at in (0..self.open.len()).rev() {
            if wanted(&self.open[at]) {
                while self.open.len() > at {
                    self.close_last();
                }
                return;
            }
            if wall(&self.open[at]) {
                return;
            }
        }
    }

    fn close_last(&mut self) {
        if let Some((name, _)) = self.open.pop() {
            self.out.content.push_str("</");
            self.out.content.push_str(name);
            self.out.content.push('>');
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.open.iter().filter(|open| open.1 == kind).count()
    }
}

fn value<'a>(attributes: &Attributes<'a>, name: &str) -> Option<&'a str> {
    let mut found = attributes
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name));
    found.next().map(|(_, value)| *value)
}

/// The words of a `color-scheme` that are known.
fn schemes(content: &str) -> String {
    let words = content.split_ascii_whitespace();
    let known = words.filter(|word| matches!(*word, "light" | "dark" | "only" | "normal"));
    known.take(3).collect::<Vec<_>>().join(" ")
}

/// Character references are kept: they are decoded by whoever parses this.
fn escape(text: &str, into: &mut String) {
    for c in text.chars() {
        match c {
            '<' => into.push_str("&lt;"),
            '>' => into.push_str("&gt;"),
            '"' => into.push_str("&quot;"),
            '\0' => {}
            c => into.push(c),
        }
    }
}
