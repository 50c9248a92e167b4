//! Reading one captured mail: its text, its HTML, headers, source, parts, and for mail of our own
//! the attempts to deliver it. State only: what has to be fetched or laid out first is told by
//! [`Reader::needs`], done elsewhere and handed back.
//!
//! | file | what it is |
//! |---|---|
//! | `page` | a clean text, marks, rows, searching |
//! | `pages` | which page stands on which tab |
//! | `tidy`, `html` | hostile HTML made small; laid out |
//! | `step` | what somebody does, which tabs there are, what they wait for |
//! | `links` | which links there are, which may be opened |
//! | `draw`, `cells` | the whole; single characters |

mod cells;
mod draw;
pub mod html;
pub mod links;
pub mod page;
mod pages;
pub mod step;
mod tidy;

use std::ops::Range;
use std::sync::Arc;

use crate::client::Attachment;
use crate::client::MailDetail;
use crate::client::Message;
use crate::text;

use super::safe;
use super::words::Words;

use html::Rendered;
use links::Link;
use page::Page;

pub use step::Need;
pub use step::Step;
pub use step::Tab;

/// Where somebody is on a tab.
#[derive(Debug, Clone, Default)]
struct Place {
    scroll: usize,
    anchor: Option<usize>,
}

/// A search.
#[derive(Debug, Clone, Default)]
struct Search {
    needle: String,
    hits: Vec<Range<usize>>,
    current: usize,
}

/// A mail that is read.
#[derive(Debug, Clone)]
pub struct Reader {
    message: Message,
    words: Words,
    html: Option<Arc<str>>,
    tab: Tab,
    size: (u16, u16),
    pages: [Page; 6],
    places: [Place; 6],
    /// Which of the fetched and computed pages are there: the HTML's width, source, attempts.
    html_width: Option<u16>,
    has_raw: bool,
    has_attempts: bool,
    text_links: Vec<Link>,
    html_links: Vec<Link>,
    search: Option<Search>,
}

impl Reader {
    /// Opens `message`, whose labels are written in `words`.
    pub fn new(message: Message, words: Words) -> Reader {
        let (message, html) = pages::cleaned(message);
        let (text, text_links) = pages::text(&message, html.is_some(), words);
        let mut reader = Reader {
            html: html.map(Arc::from),
            tab: Tab::Text,
            size: (80, 24),
            pages: Default::default(),
            places: Default::default(),
            html_width: None,
            has_raw: false,
            has_attempts: false,
            text_links,
            html_links: Vec::new(),
            search: None,
            words,
            message,
        };
        reader.pages[Tab::Text as usize] = text;
        reader.pages[Tab::Headers as usize] = pages::headers(&reader.message, words);
        reader.pages[Tab::Parts as usize] = pages::parts(&reader.message, words);
        reader.pages[Tab::Raw as usize] = pages::note(words.say("reader_loading"));
        reader.pages[Tab::Attempts as usize] = pages::note(words.say("reader_loading"));
        reader.pages[Tab::Html as usize] = match reader.html {
            Some(_) => pages::note(words.say("reader_loading")),
            None => pages::note(words.say("reader_no_html")),
        };
        if reader
            .message
            .text
            .as_deref()
            .is_none_or(|text| text.trim().is_empty())
            && reader.html.is_some()
        {
            reader.tab = Tab::Html;
        }
        reader.settle();
        reader
    }

    /// The mail's number.
    pub fn id(&self) -> &str {
        &self.message.summary.id
    }

    /// The mail.
    pub fn message(&self) -> &Message {
        &self.message
    }

    /// The mail's HTML as it was sent, for the browser.
    pub fn html(&self) -> Option<Arc<str>> {
        self.html.clone()
    }

    /// The tab that is shown.
    pub fn tab(&self) -> Tab {
        self.tab
    }

    /// The tabs that this mail has.
    pub fn tabs(&self) -> &'static [Tab] {
        match self.message.summary.outbox_id {
            Some(_) => &Tab::ALL,
            None => &Tab::ALL[..5],
        }
    }

    /// What is to be fetched or laid out before the tab can be drawn in `width` columns. It is
    /// told again until it is there; who asks remembers what is under way.
    pub fn needs(&self, width: u16) -> Vec<Need> {
        match self.tab {
            Tab::Raw if !self.has_raw => vec![Need::Raw],
            Tab::Attempts if !self.has_attempts => {
                let id = self.message.summary.outbox_id.clone();
                id.map(Need::Attempts).into_iter().collect()
            }
            Tab::Html if self.html_width != Some(width) => {
                let html = self.html.clone();
                let need = html.map(|html| Need::Html { html, width });
                need.into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The source is there.
    pub fn set_raw(&mut self, raw: &[u8]) {
        self.has_raw = true;
        self.put(Tab::Raw, pages::raw(raw));
    }

    /// The attempts are there; they may be handed in again when they change.
    pub fn set_attempts(&mut self, detail: &MailDetail) {
        self.has_attempts = true;
        self.put(Tab::Attempts, pages::attempts(detail, self.words));
    }

    /// Something could not be fetched: `why` stands in its place, and it is not asked for again.
    pub fn set_failed(&mut self, need: &Need, why: &str) {
        let tab = match need {
            Need::Raw => Tab::Raw,
            Need::Attempts(_) => Tab::Attempts,
            Need::Html { .. } => Tab::Html,
        };
        self.has_raw |= tab == Tab::Raw;
        self.has_attempts |= tab == Tab::Attempts;
        if let Need::Html { width, .. } = need {
            self.html_width = Some(*width);
        }
        self.put(tab, pages::failed(why));
    }

    /// Forgets what was fetched or failed, so that it is asked for again.
    pub fn reload(&mut self) {
        self.has_raw = false;
        self.has_attempts = false;
        self.html_width = None;
    }

    /// The HTML is laid out in `width` columns.
    pub fn set_html(&mut self, width: u16, rendered: Rendered) {
        self.html_width = Some(width);
        self.html_links = rendered.links;
        self.put(Tab::Html, rendered.page);
    }

    fn put(&mut self, tab: Tab, page: Page) {
        self.pages[tab as usize] = page;
        if tab == self.tab {
            self.look_again();
            self.settle();
        }
    }

    /// Does `step`.
    pub fn update(&mut self, step: Step) {
        let page = self.body_height().saturating_sub(1).max(1);
        let scroll = &mut self.places[self.tab as usize].scroll;
        match step {
            Step::Up => *scroll = scroll.saturating_sub(1),
            Step::Down => *scroll += 1,
            Step::PageUp => *scroll = scroll.saturating_sub(page),
            Step::PageDown => *scroll += page,
            Step::Top => *scroll = 0,
            Step::Bottom => *scroll = usize::MAX / 2,
            Step::NextTab => self.turn(1),
            Step::PrevTab => self.turn(self.tabs().len() - 1),
            Step::Tab(tab) => self.show(tab),
            Step::Find(needle) => self.find(&needle),
            Step::FindNext => self.hop(true),
            Step::FindPrev => self.hop(false),
            Step::ClearFind => self.search = None,
            Step::NextLink => self.step_anchor(true),
            Step::PrevLink => self.step_anchor(false),
            Step::Resize(width, height) => self.resize(width, height),
        }
        self.settle();
    }

    fn turn(&mut self, by: usize) {
        let tabs = self.tabs();
        let at = tabs.iter().position(|tab| *tab == self.tab).unwrap_or(0);
        self.show(tabs[(at + by) % tabs.len()]);
    }

    fn show(&mut self, tab: Tab) {
        if self.tabs().contains(&tab) && tab != self.tab {
            self.tab = tab;
            self.look_again();
        }
    }

    /// Breaks the page again and keeps at its top what was there.
    fn resize(&mut self, width: u16, height: u16) {
        let old = self.scroll();
        let top = self
            .page()
            .rows()
            .get(old)
            .map_or(0, |row| row.range().start);
        self.size = (width, height);
        self.page_mut().wrap(width);
        if old > 0 {
            self.places[self.tab as usize].scroll = self.page().row_of(top);
        }
    }

    fn find(&mut self, needle: &str) {
        let needle = safe::line(needle);
        if needle.trim().is_empty() {
            self.search = None;
            return;
        }
        self.search = Some(Search {
            hits: self.page().find(&needle),
            needle,
            current: 0,
        });
        // The first one that is not above what is being read.
        let top = self.page().rows().get(self.scroll());
        let top = top.map_or(0, |row| row.range().start);
        if let Some(search) = &mut self.search {
            let above = search.hits.partition_point(|hit| hit.start < top);
            search.current = if above < search.hits.len() { above } else { 0 };
        }
        self.reveal_hit();
    }

    fn hop(&mut self, onwards: bool) {
        if let Some(search) = &mut self.search {
            search.current = around(Some(search.current), search.hits.len(), onwards).unwrap_or(0);
            self.reveal_hit();
        }
    }

    /// Searches on a page that is new; what is read stays where it is.
    fn look_again(&mut self) {
        if let Some(search) = self.search.take() {
            let hits = self.page().find(&search.needle);
            self.search = Some(Search {
                current: 0,
                hits,
                needle: search.needle,
            });
        }
    }

    fn reveal_hit(&mut self) {
        let width = self.size.0;
        self.page_mut().wrap(width);
        let hit = self.search.as_ref().and_then(|s| s.hits.get(s.current));
        if let Some(at) = hit.map(|hit| hit.start) {
            self.reveal(at);
        }
    }

    fn step_anchor(&mut self, onwards: bool) {
        let count = self.page().anchors();
        let place = &mut self.places[self.tab as usize];
        place.anchor = around(place.anchor, count, onwards);
        if let Some(at) = place.anchor.and_then(|anchor| self.page().anchor(anchor)) {
            self.reveal(at);
        }
    }

    /// Scrolls until the byte `at` of the page is in view, not quite at its edge.
    fn reveal(&mut self, at: usize) {
        let row = self.page().row_of(at);
        let height = self.body_height();
        let scroll = &mut self.places[self.tab as usize].scroll;
        if row < *scroll || row >= *scroll + height {
            *scroll = row.saturating_sub(height / 3);
        }
    }

    /// Makes what follows from the rest right again: rows, and the bounds of the scrolling.
    fn settle(&mut self) {
        let width = self.size.0;
        self.page_mut().wrap(width);
        let last = self
            .page()
            .rows()
            .len()
            .saturating_sub(self.body_height().max(1));
        let anchors = self.page().anchors();
        let place = &mut self.places[self.tab as usize];
        place.scroll = place.scroll.min(last);
        place.anchor = place.anchor.filter(|anchor| *anchor < anchors);
    }

    fn page(&self) -> &Page {
        &self.pages[self.tab as usize]
    }

    fn page_mut(&mut self) -> &mut Page {
        &mut self.pages[self.tab as usize]
    }

    fn scroll(&self) -> usize {
        self.places[self.tab as usize].scroll
    }

    fn body_height(&self) -> usize {
        draw::body_height(self, self.size)
    }

    /// Which place of how many the search is at, if there is a search.
    pub fn found(&self) -> Option<(usize, usize)> {
        let search = self.search.as_ref()?;
        let at = if search.hits.is_empty() {
            0
        } else {
            search.current + 1
        };
        Some((at, search.hits.len()))
    }

    /// What looks like a code, most likely first.
    pub fn codes(&self) -> &[String] {
        &self.message.codes
    }

    /// The links of the tab, or of the whole mail where the tab has none.
    pub fn links(&self) -> &[Link] {
        match self.tab {
            Tab::Html if !self.html_links.is_empty() => &self.html_links,
            _ => &self.text_links,
        }
    }

    /// The link that was chosen.
    pub fn selected_link(&self) -> Option<&Link> {
        let anchor = self.places[self.tab as usize].anchor?;
        match self.tab {
            Tab::Html => self.html_links.get(anchor),
            Tab::Text => self.text_links.get(anchor),
            _ => None,
        }
    }

    /// The parts that are neither the text nor the HTML.
    pub fn attachments(&self) -> &[Attachment] {
        &self.message.attachments
    }

    /// The part that was chosen, or the only one.
    pub fn selected_attachment(&self) -> Option<&Attachment> {
        match (self.tab, self.places[Tab::Parts as usize].anchor) {
            (Tab::Parts, Some(anchor)) => self.message.attachments.get(anchor),
            _ => self
                .message
                .attachments
                .first()
                .filter(|_| self.message.attachments.len() == 1),
        }
    }

    /// The addresses of the sender and the recipients, each once.
    pub fn addresses(&self) -> Vec<String> {
        pages::addresses(&self.message)
    }

    /// The command line that shows the same.
    pub fn twin(&self) -> String {
        let (what, id) = match (self.tab, &self.message.summary.outbox_id) {
            (Tab::Attempts, Some(id)) => ("outbox show", id),
            (Tab::Raw, _) => ("inbox raw", &self.message.summary.id),
            _ => ("inbox show", &self.message.summary.id),
        };
        format!("gatepost {what} {}", text::quoted(id))
    }

    /// The subject, or that there is none.
    pub fn title(&self) -> &str {
        match self.message.summary.subject.as_deref().map(str::trim) {
            None | Some("") => self.words.say("reader_no_subject"),
            Some(subject) => subject,
        }
    }
}

/// The next of `count`, or the one before, round and round.
fn around(at: Option<usize>, count: usize, onwards: bool) -> Option<usize> {
    match (at, count) {
        (_, 0) => None,
        (None, count) => Some(if onwards { 0 } else { count - 1 }),
        (Some(at), count) => Some((at + if onwards { 1 } else { count - 1 }) % count),
    }
}
