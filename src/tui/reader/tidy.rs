//! Hostile HTML made small and regular before it is laid out: known elements only, closed in
//! order, neither deep nor many, hardly an attribute. One linear pass over what may be megabytes.
//!
//! What lays it out is quadratic in depth, and the parser before it reopens each unclosed `<b>`
//! in each paragraph; neither may see what a stranger nested.

use memchr::memchr;

use super::page::closes;
use super::page::opens;

/// The most that is handed on, in bytes.
const BYTES: usize = 384 * 1024;
/// The most elements.
const ELEMENTS: usize = 12_000;
/// The most that are looked at, those that are left out among them.
const TAGS: usize = 150_000;
/// How deep they may be nested.
const DEPTH: usize = 100;
/// How many tables in one another.
const TABLES: usize = 10;
/// How many emphases in one another.
const INLINE: usize = 6;

/// What an element is to the one who lays it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Block,
    Heading,
    Inline,
    Item,
    Table,
    Row,
    Cell,
    Void,
    /// Its content is not text for people.
    Hidden,
}

/// Every element that is known, with what it becomes.
const KNOWN: &[(&str, &str, Kind)] = &[
    ("a", "a", Kind::Inline),
    ("address", "div", Kind::Block),
    ("article", "div", Kind::Block),
    ("aside", "div", Kind::Block),
    ("b", "strong", Kind::Inline),
    ("blockquote", "blockquote", Kind::Block),
    ("br", "br", Kind::Void),
    ("caption", "div", Kind::Block),
    ("center", "div", Kind::Block),
    ("code", "code", Kind::Inline),
    ("dd", "dd", Kind::Item),
    ("del", "del", Kind::Inline),
    ("div", "div", Kind::Block),
    ("dl", "dl", Kind::Block),
    ("dt", "dt", Kind::Item),
    ("em", "em", Kind::Inline),
    ("footer", "div", Kind::Block),
    ("h1", "h1", Kind::Heading),
    ("h2", "h2", Kind::Heading),
    ("h3", "h3", Kind::Heading),
    ("h4", "h4", Kind::Heading),
    ("h5", "h5", Kind::Heading),
    ("h6", "h6", Kind::Heading),
    ("header", "div", Kind::Block),
    ("hr", "hr", Kind::Void),
    ("i", "em", Kind::Inline),
    ("iframe", "", Kind::Hidden),
    ("img", "img", Kind::Void),
    ("kbd", "code", Kind::Inline),
    ("li", "li", Kind::Item),
    ("main", "div", Kind::Block),
    ("math", "", Kind::Hidden),
    ("nav", "div", Kind::Block),
    ("object", "", Kind::Hidden),
    ("ol", "ol", Kind::Block),
    ("p", "p", Kind::Block),
    ("pre", "pre", Kind::Block),
    ("s", "del", Kind::Inline),
    ("script", "", Kind::Hidden),
    ("section", "div", Kind::Block),
    ("select", "", Kind::Hidden),
    ("strike", "del", Kind::Inline),
    ("strong", "strong", Kind::Inline),
    ("style", "", Kind::Hidden),
    ("svg", "", Kind::Hidden),
    ("table", "table", Kind::Table),
    ("td", "td", Kind::Cell),
    ("template", "", Kind::Hidden),
    ("textarea", "", Kind::Hidden),
    ("th", "th", Kind::Cell),
    ("title", "", Kind::Hidden),
    ("tr", "tr", Kind::Row),
    ("tt", "code", Kind::Inline),
    ("u", "em", Kind::Inline),
    ("ul", "ul", Kind::Block),
];

/// HTML that may be laid out, and whether it is all of it.
pub fn tidy(html: &str) -> (String, bool) {
    let mut tidy = Tidy {
        out: String::with_capacity(html.len().min(BYTES)),
        open: Vec::new(),
        skipped: Vec::new(),
        elements: 0,
        tags: 0,
        whole: true,
    };
    tidy.read(html);
    while !tidy.open.is_empty() {
        tidy.close_last();
    }
    (tidy.out, tidy.whole)
}

struct Tidy {
    out: String,
    /// What is open, outermost first.
    open: Vec<(&'static str, Kind)>,
    /// What was left out for its depth and will be closed some time.
    skipped: Vec<&'static str>,
    elements: usize,
    tags: usize,
    whole: bool,
}

impl Tidy {
    fn read(&mut self, html: &str) {
        let mut rest = html;
        while let Some(at) = memchr(b'<', rest.as_bytes()) {
            self.text(&rest[..at]);
            if self.out.len() >= BYTES || self.elements >= ELEMENTS || self.tags >= TAGS {
                self.whole = false;
                return;
            }
            self.tags += 1;
            rest = self.tag(&rest[at..]);
        }
        self.text(rest);
    }

    fn text(&mut self, text: &str) {
        let fits = text.floor_char_boundary(BYTES.saturating_sub(self.out.len()));
        self.whole &= fits == text.len();
        let mut before = ' ';
        for c in text[..fits].chars() {
            // Who lays it out breaks at spaces alone; this one has no width, and it drops it.
            if breaks(before, c) {
                self.out.push('\u{200b}');
            }
            before = c;
            match c {
                '<' => self.out.push_str("&lt;"),
                '\0' => {}
                c => self.out.push(c),
            }
        }
    }

    /// Reads what begins with `<`, and hands back what stands behind it.
    fn tag<'a>(&mut self, html: &'a str) -> &'a str {
        let bytes = html.as_bytes();
        let behind = |end: &str, from: usize| match html[from..].find(end) {
            Some(at) => &html[from + at + end.len()..],
            None => "",
        };
        match bytes.get(1) {
            Some(b'!') if html.starts_with("<!--") => return behind("-->", 2),
            Some(b'!' | b'?') => return behind(">", 1),
            Some(b'/') if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                if let Some((name, kind)) = known(name(&html[2..])) {
                    self.end(name, kind);
                }
                return behind(">", 2);
            }
            Some(byte) if byte.is_ascii_alphabetic() => {}
            _ => {
                self.out.push_str("&lt;");
                return &html[1..];
            }
        }
        let written = name(&html[1..]);
        let Some((attributes, rest)) = attributes(&html[1 + written.len()..]) else {
            return "";
        };
        match known(written) {
            Some((_, Kind::Hidden)) => return behind_end(rest, written),
            Some((name, kind)) => self.start(name, kind, &attributes),
            None => {}
        }
        rest
    }

    fn start(&mut self, name: &'static str, kind: Kind, attributes: &Attributes) {
        match kind {
            Kind::Void => return self.void(name, attributes),
            Kind::Row | Kind::Cell if self.count(Kind::Table) == 0 => return self.out.push(' '),
            Kind::Item => self.close_since(
                |open| matches!(open.1, Kind::Item),
                |open| matches!(open.0, "ul" | "ol" | "dl") || matches!(open.1, Kind::Cell),
            ),
            Kind::Row => self.close_since(|open| open.1 == Kind::Row, |o| o.1 == Kind::Table),
            Kind::Cell => self.close_since(
                |open| open.1 == Kind::Cell,
                |open| matches!(open.1, Kind::Table | Kind::Row),
            ),
            Kind::Block | Kind::Heading | Kind::Table => {
                self.close_since(|open| open.0 == "p", |open| open.1 != Kind::Inline);
            }
            // A link in a link ends the first one.
            Kind::Inline if name == "a" => {
                self.close_since(|open| open.0 == "a", |open| open.1 != Kind::Inline);
            }
            Kind::Inline | Kind::Hidden => {}
        }
        let deep = self.open.len() >= DEPTH
            || (kind == Kind::Table && self.count(Kind::Table) >= TABLES)
            || (kind == Kind::Inline && self.count(Kind::Inline) >= INLINE);
        // Between the rows of a table that was left out, its rows and cells are left out, too.
        let lost = matches!(kind, Kind::Row | Kind::Cell) && self.skipped.contains(&"table");
        if deep || lost {
            if self.skipped.len() < DEPTH {
                self.skipped.push(name);
            }
            return self.out.push(' ');
        }
        self.elements += 1;
        self.open.push((name, kind));
        self.out.push('<');
        self.out
            .push_str(if kind == Kind::Heading { "p" } else { name });
        if name == "a"
            && let Some(href) = attributes.href
        {
            self.attribute("href", href);
        }
        if let (Kind::Cell, Some(span)) = (kind, attributes.colspan)
            && let Ok(1..=20) = span.trim().parse::<u8>()
        {
            self.attribute("colspan", span.trim());
        }
        self.out.push('>');
        if kind == Kind::Heading {
            self.out.push_str("<strong>");
        }
    }

    fn void(&mut self, name: &str, attributes: &Attributes) {
        self.elements += 1;
        match (name, attributes.alt.map(str::trim)) {
            // Pictures without a description are mostly there to be counted.
            ("img", None | Some("")) => {}
            ("img", Some(alt)) => {
                self.out.push_str("<img src=\"x\"");
                self.attribute("alt", &format!("[image: {alt}]"));
                self.out.push('>');
            }
            _ => {
                self.out.push('<');
                self.out.push_str(name);
                self.out.push('>');
            }
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        let fits = value.floor_char_boundary(4096);
        let value = value[..fits].replace('"', "&quot;").replace('\0', "");
        self.out.push_str(&format!(" {name}=\"{value}\""));
    }

    fn end(&mut self, name: &'static str, kind: Kind) {
        if self.skipped.last() == Some(&name) {
            self.skipped.pop();
            self.out.push(' ');
            return;
        }
        let tabular = matches!(kind, Kind::Table | Kind::Row | Kind::Cell);
        self.close_since(
            |open| open.0 == name,
            |open| !tabular && matches!(open.1, Kind::Cell | Kind::Table),
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
        if let Some((name, kind)) = self.open.pop() {
            let heading = kind == Kind::Heading;
            let end = if heading { "</strong></p>" } else { "" };
            self.out.push_str(end);
            if !heading {
                self.out.push_str("</");
                self.out.push_str(name);
                self.out.push('>');
            }
        }
    }

    fn count(&self, kind: Kind) -> usize {
        self.open.iter().filter(|open| open.1 == kind).count()
    }
}

/// Whether a row may end between two characters: ideographs are written without spaces.
fn breaks(before: char, c: char) -> bool {
    let wide = |c| matches!(c, '\u{2e80}'..='\u{a4cf}' | '\u{ff00}'..='\u{ff60}' | '\u{20000}'..='\u{3ffff}');
    (wide(before) || wide(c)) && before != ' ' && !closes(c) && !opens(before)
}

/// The attributes that are kept.
#[derive(Debug, Default)]
struct Attributes<'a> {
    href: Option<&'a str>,
    alt: Option<&'a str>,
    colspan: Option<&'a str>,
}

fn name(html: &str) -> &str {
    let end = html.find(|c: char| c.is_ascii_whitespace() || matches!(c, '/' | '>' | '<'));
    &html[..end.unwrap_or(html.len())]
}

fn known(name: &str) -> Option<(&'static str, Kind)> {
    let known = KNOWN
        .iter()
        .find(|known| known.0.eq_ignore_ascii_case(name));
    known.map(|(_, becomes, kind)| (*becomes, *kind))
}

/// Reads attributes to the `>`; none where there is no `>` any more.
fn attributes(html: &str) -> Option<(Attributes<'_>, &str)> {
    let mut found = Attributes::default();
    let mut rest = html;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == '/');
        if let Some(behind) = rest.strip_prefix('>') {
            return Some((found, behind));
        }
        let end = rest.find(|c: char| c.is_ascii_whitespace() || matches!(c, '=' | '>' | '/'))?;
        // A stray equals sign is a name's first letter.
        let end = end.max(rest.starts_with('=').into());
        let (name, behind) = rest.split_at(end);
        rest = behind.trim_start();
        let Some(value) = rest.strip_prefix('=') else {
            continue;
        };
        let value = value.trim_start();
        let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (value, behind) = match quote {
            Some(quote) => value[1..].split_once(quote)?,
            None => {
                let end = value.find(|c: char| c.is_ascii_whitespace() || c == '>')?;
                value.split_at(end)
            }
        };
        rest = behind;
        for (known, slot) in [
            ("href", &mut found.href),
            ("alt", &mut found.alt),
            ("colspan", &mut found.colspan),
        ] {
            if name.eq_ignore_ascii_case(known) && slot.is_none() {
                *slot = Some(value);
            }
        }
    }
}

/// What stands behind `</name …>`.
fn behind_end<'a>(html: &'a str, name: &str) -> &'a str {
    let mut from = 0;
    while let Some(at) = html[from..].find("</") {
        let start = from + at + 2;
        let found = html.as_bytes().get(start..start + name.len());
        if found.is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes())) {
            let behind = html[start..].split_once('>');
            return behind.map_or("", |(_, behind)| behind);
        }
        from = start;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_on_is_small_and_closed() {
        assert_eq!(tidy("<div><b>x").0, "<div><strong>x</strong></div>");
        assert_eq!(tidy("<p>a<p>b</div>").0, "<p>a</p><p>b</p>");
        assert_eq!(tidy("<SCRIPT>a<b></x></script >b").0, "b");
        assert_eq!(
            tidy("a < b <3 <!-- <b> --><!doctype x>c").0,
            "a &lt; b &lt;3 c"
        );
        assert_eq!(
            tidy("<a href='x\"y' onclick=z>l</a><img alt=k src=//e>").0,
            "<a href=\"x&quot;y\">l</a><img src=\"x\" alt=\"[image: k]\">"
        );
        assert_eq!(
            tidy("<td>x<ul><li>a<li>b</ul>").0,
            " x<ul><li>a</li><li>b</li></ul>"
        );
        assert_eq!(tidy("<h1>x</h1>").0, "<p><strong>x</strong></p>");
        assert_eq!(tidy("<a href=\"x").0, "");
        assert_eq!(
            tidy("您好，a「字」").0,
            "您\u{200b}好，\u{200b}a\u{200b}「字」"
        );
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let (html, whole) = tidy(&"<div>".repeat(50_000));
        assert_eq!((html.matches("<div>").count(), whole), (DEPTH, true));
        let (html, whole) = tidy(&"<table><tr><td>".repeat(50));
        assert_eq!((html.matches("<table>").count(), whole), (TABLES, true));
        assert!(tidy(&"x ".repeat(1_000_000)).0.len() <= BYTES);
    }
}
