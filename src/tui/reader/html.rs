//! A mail's HTML laid out for the terminal. It may take its tens of milliseconds, so a thread does
//! it and the reader is handed the result; see [`super::Need::Html`].

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use html2text::render::TaggedLineElement;
use html2text::render::TextDecorator;
use ratatui::style::Modifier;

use super::super::safe;
use super::super::theme::Role;
use super::links::Link;
use super::page::Page;
use super::tidy::tidy;

/// The most of a mail's HTML that is looked at, in bytes.
const CAP: usize = 6 * 1024 * 1024;

/// Wider than this nobody reads a line.
const WIDEST: u16 = 120;

/// HTML as it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rendered {
    pub(super) page: Page,
    pub(super) links: Vec<Link>,
    width: u16,
}

impl Rendered {
    /// The text, without its looks.
    pub fn text(&self) -> &str {
        self.page.text()
    }

    /// The links, in the order of their numbers.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// For how many columns it is laid out.
    pub fn width(&self) -> u16 {
        self.width
    }

    /// Whether it is shown in part only.
    pub fn is_cut(&self) -> bool {
        self.page.is_cut()
    }
}

/// Lays `html` out in `width` columns. What is too much of it is left out, and said to be.
pub fn render(html: &str, width: u16) -> Rendered {
    let columns = width.clamp(8, WIDEST);
    let kept = html.floor_char_boundary(CAP);
    let (tidied, whole) = tidy(&html[..kept]);
    let looks = Looks::default();
    let urls = Rc::clone(&looks.urls);
    let config = html2text::config::with_decorator(looks)
        .no_table_borders()
        .allow_width_overflow()
        .link_footnotes(false);
    let lines = config.lines_from_read(tidied.as_bytes(), columns.into());
    let mut page = Page::default();
    if !whole || kept < html.len() {
        page.cut();
    }
    match lines {
        Ok(lines) => {
            for line in lines {
                for element in line.iter() {
                    if let TaggedLineElement::Str(part) = element {
                        let (role, add, link) = look(&part.tag);
                        page.push_with(&safe::line(&part.s), role, add, link);
                    }
                }
                page.end_line(0);
            }
        }
        // Better its text without looks than nothing.
        Err(_) => page.push(&tidied, Role::Text),
    }
    let links: Vec<Link> = urls
        .borrow()
        .list
        .iter()
        .map(|url| Link::new(url))
        .collect();
    targets(&mut page, &links);
    page.wrap(width);
    Rendered { page, links, width }
}

/// How many links are told at the end of a mail.
const TOLD: usize = 200;

/// Where each link leads, by its number: a text that looks like an address may lead elsewhere.
fn targets(page: &mut Page, links: &[Link]) {
    if !links.is_empty() {
        page.end_line(0);
    }
    for (at, link) in links.iter().take(TOLD).enumerate() {
        let role = if link.openable { Role::Link } else { Role::Bad };
        page.push(&format!("[{}] ", at + 1), Role::Dim);
        page.push(&safe::line(&link.url), role);
        page.end_line(0);
    }
}

fn look(tags: &[Look]) -> (Role, Modifier, Option<usize>) {
    let (mut role, mut add, mut link) = (Role::Text, Modifier::empty(), None);
    for tag in tags {
        match tag {
            Look::Plain => {}
            Look::Link(at) => (role, link) = (Role::Link, Some(*at)),
            Look::Image => role = Role::Dim,
            Look::Emphasis => add |= Modifier::ITALIC,
            Look::Strong => add |= Modifier::BOLD,
            Look::Struck => add |= Modifier::CROSSED_OUT,
            Look::Code if role == Role::Text => role = Role::Key,
            Look::Code => {}
        }
    }
    (role, add, link)
}

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Look {
    #[default]
    Plain,
    Link(usize),
    Image,
    Emphasis,
    Strong,
    Struck,
    Code,
}

/// Addresses, and which number each has.
#[derive(Debug, Default)]
struct Urls {
    list: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// Tells the layout how each element looks, and numbers the links. A cell of a table may be laid
/// out twice, so an address keeps the number that it got first.
#[derive(Debug, Clone, Default)]
struct Looks {
    urls: Rc<RefCell<Urls>>,
    open: Vec<usize>,
}

impl TextDecorator for Looks {
    type Annotation = Look;

    fn decorate_link_start(&mut self, url: &str) -> (String, Look) {
        let Urls { list, numbers } = &mut *self.urls.borrow_mut();
        let at = *numbers.entry(url.to_owned()).or_insert_with(|| {
            list.push(url.to_owned());
            list.len() - 1
        });
        self.open.push(at);
        (String::new(), Look::Link(at))
    }

    fn decorate_link_end(&mut self) -> String {
        match self.open.pop() {
            Some(at) => format!("[{}]", at + 1),
            None => String::new(),
        }
    }

    fn decorate_em_start(&self) -> (String, Look) {
        (String::new(), Look::Emphasis)
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, Look) {
        (String::new(), Look::Strong)
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, Look) {
        (String::new(), Look::Struck)
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, Look) {
        (String::new(), Look::Code)
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) -> Look {
        Look::Plain
    }

    fn decorate_preformat_cont(&self) -> Look {
        Look::Plain
    }

    fn decorate_image(&mut self, _: &str, title: &str) -> (String, Look) {
        (title.to_owned(), Look::Image)
    }

    fn header_prefix(&self, _: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "* ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Looks {
        self.clone()
    }
}
