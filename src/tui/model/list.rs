//! A list of which only a window is here: at most three pages around the row that is looked at.
//! Which pages are wanted is decided here; asking for them is an effect.

use std::collections::BTreeSet;
use std::collections::VecDeque;
use std::time::Duration;

use crate::client::Page;
use crate::client::Query;
use crate::world::Timestamp;

use crate::tui::msg::Problem;

use super::Looked;
use super::Row;
use super::View;

/// How many rows are asked for at once.
pub const PAGE: u32 = 100;

/// How many rows are kept.
const KEPT: usize = 300;

/// How near to the end of the window the selection comes before more is asked for.
const NEAR: usize = 30;

/// The shortest time between two reloads that events bring about.
pub const PACE: Duration = Duration::from_millis(500);

/// Which rows a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetch {
    /// The first page; the first row is selected.
    First,
    /// The last page; the last row is selected.
    Last,
    /// The first page; the same row stays selected, unless that is the first.
    Reload,
    /// What the rows of the window are now, and whether there are new ones before them.
    Peek,
    /// The page behind the window.
    Forward,
    /// The page before it.
    Backward,
}

/// A request on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loading {
    /// Its number.
    pub request: u64,
    /// What it is for.
    pub fetch: Fetch,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Seam {
    rows: usize,
    prev: Option<String>,
    next: Option<String>,
}

/// A list, as far as it is known.
#[derive(Debug, Clone)]
pub struct List {
    /// What it is a list of.
    pub source: View,
    /// What the way here laid down.
    pub fixed: Vec<(String, String)>,
    /// The text that is looked for.
    pub q: String,
    /// The state that is looked for.
    pub state: Option<String>,
    /// The order, as the API writes it; newest first when absent.
    pub sort: Option<String>,
    /// The window.
    pub rows: Vec<Row>,
    seams: VecDeque<Seam>,
    /// How many rows there are before the window, where that is known.
    pub offset: Option<u64>,
    /// How many rows match.
    pub total: Option<u64>,
    /// The selected row of the window.
    pub selected: usize,
    /// The first row of the window that is on the screen.
    pub top: usize,
    /// The rows that are marked.
    pub marks: BTreeSet<String>,
    /// The request that is on its way.
    pub loading: Option<Loading>,
    /// Whether it changed on the server.
    pub stale: bool,
    /// How many new rows wait before the window.
    pub waiting: usize,
    /// When it was last asked for.
    pub asked: Option<Timestamp>,
    /// When the text that was just typed is looked for.
    pub due: Option<Timestamp>,
    /// Why there are no rows, or no newer ones.
    pub problem: Option<Problem>,
    /// Whether anything came yet.
    pub loaded: bool,
}

impl List {
    /// A list of which nothing is known yet.
    pub fn new(source: View) -> List {
        List {
            source,
            fixed: Vec::new(),
            q: String::new(),
            state: None,
            sort: None,
            rows: Vec::new(),
            seams: VecDeque::new(),
            offset: None,
            total: None,
            selected: 0,
            top: 0,
            marks: BTreeSet::new(),
            loading: None,
            stale: true,
            waiting: 0,
            asked: None,
            due: None,
            problem: None,
            loaded: false,
        }
    }

    /// The same, looked at as it was.
    #[must_use]
    pub fn looked(mut self, looked: &Looked) -> List {
        self.q.clone_from(&looked.q);
        self.state.clone_from(&looked.state);
        self.sort.clone_from(&looked.sort);
        self
    }

    /// How it is looked at.
    pub fn look(&self) -> Looked {
        Looked {
            sort: self.sort.clone(),
            q: self.q.clone(),
            state: self.state.clone(),
        }
    }

    /// The query without a page.
    pub fn filter(&self) -> Query {
        let mut query = Query {
            filters: self.fixed.clone(),
            q: Some(self.q.trim().to_owned()).filter(|q| !q.is_empty()),
            sort: self.sort.clone(),
            limit: Some(PAGE),
            ..Query::default()
        };
        if let (Some(state), Some((name, _))) = (&self.state, super::states(self.source)) {
            query = query.with(name, state);
        }
        query
    }

    /// The query for `fetch`.
    pub fn query(&self, fetch: Fetch) -> Query {
        let query = self.filter();
        let before = self.seams.front().and_then(|seam| seam.prev.clone());
        match fetch {
            Fetch::First | Fetch::Reload => query,
            Fetch::Last => Query {
                back: true,
                ..query
            },
            Fetch::Peek => Query {
                cursor: before,
                limit: Some(200),
                ..query
            },
            Fetch::Forward => Query {
                cursor: self.seams.back().and_then(|seam| seam.next.clone()),
                ..query
            },
            Fetch::Backward => Query {
                cursor: before,
                back: true,
                ..query
            },
        }
    }

    /// Whether the window begins where the list begins.
    pub fn at_start(&self) -> bool {
        self.seams.front().is_none_or(|seam| seam.prev.is_none())
    }

    /// Whether the window ends where the list ends.
    pub fn at_end(&self) -> bool {
        self.seams.back().is_none_or(|seam| seam.next.is_none())
    }

    /// Whether the first row of the list is before the reader's eyes, so that new ones may come in.
    pub fn follows(&self) -> bool {
        // Marks further down would be lost with the rows.
        let unmarked = self.marks.is_empty() || self.rows.len() <= PAGE as usize;
        self.at_start() && self.top == 0 && unmarked
    }

    /// The selected row.
    pub fn row(&self) -> Option<&Row> {
        self.rows.get(self.selected)
    }

    /// Whether the rows are those of the filter and the order that are looked at. Until the answer
    /// is there, those before it are still shown, and nothing is done to them.
    pub fn is_current(&self) -> bool {
        self.loaded && self.due.is_none()
    }

    /// The request that is on its way came to nothing. Rows of another filter than the one that
    /// is looked at are no substitute for those that did not come.
    pub fn fail(&mut self, problem: Problem) {
        let fetch = self.loading.take().map(|loading| loading.fetch);
        if matches!(fetch, Some(Fetch::First | Fetch::Last)) {
            self.rows.clear();
            self.seams.clear();
            self.marks.clear();
            (self.selected, self.top) = (0, 0);
            (self.offset, self.total) = (None, None);
        }
        self.loaded = true;
        self.problem = Some(problem);
    }

    /// The rows that an action is for: those that are marked, or else the selected one.
    pub fn targets(&self) -> Vec<&Row> {
        if !self.is_current() {
            return Vec::new();
        }
        if self.marks.is_empty() {
            return self.row().into_iter().collect();
        }
        let marked = self.rows.iter();
        marked
            .filter(|row| self.marks.contains(&row.id()))
            .collect()
    }

    /// The page that is wanted for where the selection is.
    pub fn wanted(&self) -> Option<Fetch> {
        if self.loading.is_some() || self.problem.is_some() || !self.loaded {
            return None;
        }
        if !self.at_end() && self.selected + NEAR >= self.rows.len() {
            return Some(Fetch::Forward);
        }
        (!self.at_start() && self.selected < NEAR).then_some(Fetch::Backward)
    }

    /// Forgets the rows and the marks, because another filter or order is looked at.
    pub fn reset(&mut self) {
        self.marks.clear();
        self.waiting = 0;
        self.loading = None;
        self.problem = None;
        self.stale = true;
        self.asked = None;
        self.loaded = false;
        self.selected = 0;
        self.top = 0;
    }

    /// Moves the selection by so many rows, as far as there are any.
    pub fn go(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// Keeps the selection among the `height` rows on the screen.
    pub fn scroll(&mut self, height: usize) {
        self.selected = self.selected.min(self.rows.len().saturating_sub(1));
        let height = height.max(1);
        self.top = self.top.min(self.selected);
        if self.selected >= self.top + height {
            self.top = self.selected + 1 - height;
        }
        self.top = self.top.min(self.rows.len().saturating_sub(height));
    }

    /// Takes in what the request `request` brought; `false` when it is not waited for any more.
    pub fn take(&mut self, request: u64, page: Page<Row>) -> bool {
        let Some(loading) = self.loading.filter(|loading| loading.request == request) else {
            return false;
        };
        self.loading = None;
        self.problem = None;
        self.loaded = true;
        if loading.fetch != Fetch::Peek || self.at_start() {
            self.total = page.total;
        }
        match loading.fetch {
            Fetch::First => {
                self.replace(page, Some(0));
                (self.selected, self.top) = (0, 0);
            }
            Fetch::Last => {
                let before = page
                    .total
                    .map(|total| total.saturating_sub(page.items.len() as u64));
                self.replace(page, before);
                self.selected = self.rows.len().saturating_sub(1);
                self.top = self.selected;
            }
            // Whoever is at the very top wants to see what comes, and has chosen no row.
            Fetch::Reload if (self.selected, self.top) == (0, 0) && self.marks.is_empty() => {
                self.replace(page, Some(0));
            }
            Fetch::Reload => self.keep(|list| list.replace(page, Some(0))),
            Fetch::Peek => self.keep(|list| list.merge(page)),
            Fetch::Forward => self.keep(|list| list.append(page)),
            Fetch::Backward => self.keep(|list| list.prepend(page)),
        }
        true
    }

    /// Changes the rows; the same one stays selected, at the same height on the screen where that
    /// is possible.
    fn keep(&mut self, change: impl FnOnce(&mut List)) {
        let id = self.row().map(Row::id);
        let below = self.selected - self.top.min(self.selected);
        let at_top = self.top == 0 && self.at_start();
        change(self);
        let found = id.and_then(|id| self.rows.iter().position(|row| row.id() == id));
        let last = self.rows.len().saturating_sub(1);
        self.selected = found.unwrap_or_else(|| self.selected.min(last));
        self.top = match at_top && self.at_start() {
            true => 0,
            false => self.selected.saturating_sub(below),
        };
    }

    fn replace(&mut self, page: Page<Row>, offset: Option<u64>) {
        self.waiting = 0;
        self.offset = offset;
        self.seams = VecDeque::from([Seam {
            rows: page.items.len(),
            prev: page.prev_cursor,
            next: page.next_cursor,
        }]);
        self.rows = page.items;
        if !self.marks.is_empty() {
            let here: BTreeSet<String> = self.rows.iter().map(Row::id).collect();
            self.marks.retain(|id| here.contains(id));
        }
    }

    fn append(&mut self, page: Page<Row>) {
        self.seams.push_back(Seam {
            rows: page.items.len(),
            prev: page.prev_cursor,
            next: page.next_cursor,
        });
        self.rows.extend(page.items);
        while self.rows.len() > KEPT && self.seams.len() > 1 {
            let Some(first) = self.seams.pop_front() else {
                break;
            };
            self.rows.drain(..first.rows);
            self.offset = self.offset.map(|offset| offset + first.rows as u64);
            self.selected = self.selected.saturating_sub(first.rows);
        }
    }

    fn prepend(&mut self, page: Page<Row>) {
        let rows = page.items.len();
        self.offset = match page.prev_cursor {
            None => Some(0),
            Some(_) => self.offset.map(|offset| offset.saturating_sub(rows as u64)),
        };
        self.seams.push_front(Seam {
            rows,
            prev: page.prev_cursor,
            next: page.next_cursor,
        });
        self.rows.splice(..0, page.items);
        self.selected += rows;
        while self.rows.len() > KEPT && self.seams.len() > 1 {
            let Some(last) = self.seams.pop_back() else {
                break;
            };
            self.rows.truncate(self.rows.len() - last.rows);
        }
    }

    /// Takes over what the rows that are here are now, leaves out those that are gone, and counts
    /// the new ones.
    fn merge(&mut self, page: Page<Row>) {
        let mut known: std::collections::BTreeMap<String, usize> = self
            .rows
            .iter()
            .enumerate()
            .map(|(at, row)| (row.id(), at))
            .collect();
        let mut last = None;
        let whole = page.next_cursor.is_none();
        self.waiting = 0;
        for row in page.items {
            match known.remove(&row.id()) {
                Some(at) => {
                    self.rows[at] = row;
                    last = last.max(Some(at));
                }
                // What comes behind the rows that are here is not new: it was not asked for yet.
                None if last.is_none_or(|last| last + 1 < self.rows.len()) => self.waiting += 1,
                None => {}
            }
        }
        // A page that begins behind the window's first row says nothing of that one.
        let first = usize::from(!self.at_start());
        let reach = match (whole, last) {
            (true, _) => self.rows.len(),
            (false, Some(last)) => last,
            (false, None) => 0,
        };
        let mut gone: Vec<usize> = known.into_values().collect();
        gone.retain(|at| (first..reach).contains(at));
        gone.sort_unstable_by(|one, other| other.cmp(one));
        for at in gone {
            let row = self.rows.remove(at);
            self.marks.remove(&row.id());
            if at < self.selected {
                self.selected -= 1;
            }
            let mut before = 0;
            for seam in &mut self.seams {
                before += seam.rows;
                if at < before {
                    seam.rows -= 1;
                    break;
                }
            }
        }
    }
}
