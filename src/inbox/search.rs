//! Which mails match, and pages of them. Work is bounded: a call looks at a limited number of
//! rows and says where to go on.

use super::record::{MessageId, Summary};
use super::shelf::{COUNTER, MAILS, SUMMARIES, SummaryRow};
use super::{content, shelf};
use crate::store::page::{Ask, LOOK, Page, PageError, place, sorted, walk_while};
use crate::store::{Error, Read};

/// Rows that one call looks at when it counts, or waits for a mail.
const LOOKS: usize = 10_000;

/// Octets of mails that one call reads for the sake of [`Filter::q`].
const READS: usize = 64 << 20;

/// Which mails are wanted. Everything that is given must match; case never counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// A recipient of the envelope. With something on both sides of an `@` it is a whole address
    /// and must be equal (`amy@example.com` does not find `tamy@example.com`); otherwise a part
    /// of one is enough (`@example.com`, `amy`).
    pub to: Option<String>,
    /// The sender of the envelope, as with `to`, or a part of the `From` header.
    pub from: Option<String>,
    /// A part of the subject.
    pub subject: Option<String>,
    /// A part of anything: an address, the subject, the text or the HTML.
    pub q: Option<String>,
}

/// By how many characters of a text mails are sorted.
const SORTED_BY: usize = 200;

/// By what mails are sorted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sort {
    /// When they came in, which is the order of their numbers.
    #[default]
    ReceivedAt,
    /// The author, or else the sender of the envelope.
    From,
    /// The first recipient of the envelope.
    To,
    /// The subject.
    Subject,
    /// Their length.
    Size,
}

impl Sort {
    fn place(self, id: MessageId, row: &SummaryRow) -> Vec<u8> {
        // A place travels as a cursor, and a subject may be as long as its sender liked.
        let text = |text: &str| {
            let text: String = text.to_lowercase().chars().take(SORTED_BY).collect();
            place(&(text, id))
        };
        match self {
            Sort::ReceivedAt => place(&id),
            Sort::From => text(row.author.as_ref().unwrap_or(&row.from)),
            Sort::To => text(row.to.first().map_or("", String::as_str)),
            Sort::Subject => text(row.subject.as_deref().unwrap_or_default()),
            Sort::Size => place(&(row.size(), id)),
        }
    }
}

/// A [`Filter`] made ready to be asked many times.
#[derive(Debug, Clone)]
pub(super) struct Matcher {
    to: Option<Needle>,
    from: Option<Needle>,
    subject: Option<String>,
    q: Option<String>,
}

#[derive(Debug, Clone)]
struct Needle {
    text: String,
    whole: bool,
}

impl Needle {
    fn new(text: &str) -> Needle {
        let text = text.trim().to_lowercase();
        let whole = matches!(text.split_once('@'), Some((local, domain)) if !local.is_empty() && !domain.is_empty());
        Needle { text, whole }
    }

    fn finds(&self, address: &str) -> bool {
        let address = address.to_lowercase();
        if self.whole {
            address == self.text
        } else {
            address.contains(&self.text)
        }
    }
}

impl Matcher {
    pub(super) fn new(filter: &Filter) -> Matcher {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        Matcher {
            to: given(&filter.to).map(|text| Needle::new(&text)),
            from: given(&filter.from).map(|text| Needle::new(&text)),
            subject: given(&filter.subject).map(|text| text.trim().to_lowercase()),
            q: given(&filter.q).map(|text| text.trim().to_lowercase()),
        }
    }

    pub(super) fn takes_all(&self) -> bool {
        self.to.is_none() && self.from.is_none() && self.subject.is_none() && self.q.is_none()
    }

    /// Whether anything must match.
    pub(super) fn is_given(&self) -> bool {
        self.reads_mails() || self.to.is_some() || self.from.is_some() || self.subject.is_some()
    }

    /// Whether it takes more than the rows of lists to say what matches.
    pub(super) fn reads_mails(&self) -> bool {
        self.q.is_some()
    }

    /// Whether the mail matches. `budget` is what may still be read of raw mails; when it does
    /// not suffice the answer is `None`.
    pub(super) fn takes(
        &self,
        read: &impl Read,
        id: MessageId,
        row: &SummaryRow,
        budget: &mut Budget,
    ) -> Result<Option<bool>, Error> {
        let contains = |text: &Option<String>, needle: &str| {
            text.as_ref()
                .is_some_and(|text| text.to_lowercase().contains(needle))
        };
        if let Some(to) = &self.to
            && !row.to.iter().any(|address| to.finds(address))
        {
            return Ok(Some(false));
        }
        if let Some(from) = &self.from
            && !from.finds(&row.from)
            && !contains(&row.author, &from.text)
        {
            return Ok(Some(false));
        }
        if let Some(subject) = &self.subject
            && !contains(&row.subject, subject)
        {
            return Ok(Some(false));
        }
        let Some(q) = &self.q else {
            return Ok(Some(true));
        };
        let in_row = contains(&row.subject, q)
            || contains(&row.author, q)
            || row.from.to_lowercase().contains(q)
            || row
                .to
                .iter()
                .any(|address| address.to_lowercase().contains(q));
        if in_row {
            return Ok(Some(true));
        }
        if !budget.affords(row.size()) {
            return Ok(None);
        }
        let Some(mail) = read.get(&MAILS, &id)? else {
            return Ok(Some(false));
        };
        let content = content::read(&mail.raw);
        Ok(Some(
            contains(&content.text, q) || contains(&content.html, q),
        ))
    }
}

/// How much work a call may still do.
pub(super) struct Budget {
    looks: usize,
    reads: usize,
    untouched: bool,
}

impl Budget {
    fn new() -> Budget {
        Budget::of(LOOKS)
    }

    fn of(looks: usize) -> Budget {
        Budget {
            looks,
            reads: READS,
            untouched: true,
        }
    }

    /// Takes one row's look off; `false` when none is left.
    fn look(&mut self) -> bool {
        match self.looks.checked_sub(1) {
            Some(rest) => {
                self.looks = rest;
                true
            }
            None => false,
        }
    }

    /// Takes a mail's octets off. The first mail is always affordable: otherwise one that is
    /// larger than the whole budget would end every search.
    fn affords(&mut self, size: u64) -> bool {
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let affordable = size <= self.reads || self.untouched;
        if affordable {
            self.reads = self.reads.saturating_sub(size);
            self.untouched = false;
        }
        affordable
    }
}

/// A page of the mails that match, and how many match in all.
pub(super) fn page(
    read: &impl Read,
    matcher: &Matcher,
    sort: Sort,
    ask: &Ask,
) -> Result<Page<Summary>, PageError> {
    if sort != Sort::ReceivedAt {
        return in_order(read, matcher, sort, ask);
    }
    let at = ask.at()?;
    let rows = read.scan(ask.part(SUMMARIES.all(), at.as_ref()))?;
    let rows = rows.map(|row| row.map(|row| (place(&row.0), row)));
    let mut budget = Budget::of(LOOK);
    let mut page = walk_while(rows, ask, None, |(id, row): (MessageId, SummaryRow)| {
        if !budget.look() {
            return Ok(None);
        }
        let taken = matcher.takes(read, id, &row, &mut budget)?;
        Ok(taken.map(|taken| taken.then(|| row.into_summary(id))))
    })?;
    page.total = if matcher.takes_all() {
        Some(read.get(&COUNTER, &())?.unwrap_or_default().count)
    } else if page.next.is_none() && page.prev.is_none() {
        Some(page.items.len() as u64)
    } else if let Some(first) = newest(read)? {
        // The count of all is taken from the top, within a budget of its own.
        count_from(read, matcher, first)?
    } else {
        None
    };
    Ok(page)
}

/// A page of those in another order than that of their numbers.
fn in_order(
    read: &impl Read,
    matcher: &Matcher,
    sort: Sort,
    ask: &Ask,
) -> Result<Page<Summary>, PageError> {
    let mut budget = Budget::of(LOOK);
    let mut spent = false;
    let rows = read.scan(SUMMARIES.all())?;
    let page = sorted(rows, ask, LOOK, |(id, row)| {
        let taken = matcher.takes(read, id, &row, &mut budget)?;
        spent |= taken.is_none();
        let taken = taken.unwrap_or(false);
        Ok(taken.then(|| (sort.place(id, &row), row.into_summary(id))))
    })?;
    match spent {
        true => Err(PageError::TooMany),
        false => Ok(page),
    }
}

fn newest(read: &impl Read) -> Result<Option<MessageId>, Error> {
    let first = read.scan(SUMMARIES.all().backwards())?.next().transpose()?;
    Ok(first.map(|(id, _)| id))
}

fn count_from(
    read: &impl Read,
    matcher: &Matcher,
    newest: MessageId,
) -> Result<Option<u64>, Error> {
    let mut budget = Budget::new();
    let mut matches = 0;
    for row in read.scan(SUMMARIES.all().up_to(&newest).backwards())? {
        let (id, row) = row?;
        if !budget.look() {
            return Ok(None);
        }
        match matcher.takes(read, id, &row, &mut budget)? {
            None => return Ok(None),
            Some(found) => matches += u64::from(found),
        }
    }
    Ok(Some(matches))
}

/// What a look for one mail came to.
pub(super) enum Look {
    /// This one.
    Found(MessageId),
    /// None up to here; everything at or below was looked at.
    Nothing { seen: u64 },
    /// The budget is used up; go on above here.
    More { seen: u64 },
}

/// The newest mail that matches.
pub(super) fn find_newest(read: &impl Read, matcher: &Matcher) -> Result<Look, Error> {
    let seen = last_number(read)?;
    let mut budget = Budget::new();
    for row in read.scan(SUMMARIES.all().backwards())? {
        let (id, row) = row?;
        if !budget.look() {
            break;
        }
        match matcher.takes(read, id, &row, &mut budget)? {
            Some(true) => return Ok(Look::Found(id)),
            Some(false) => {}
            None => break,
        }
    }
    Ok(Look::Nothing { seen })
}

/// The oldest mail above `after` that matches.
pub(super) fn find_after(read: &impl Read, matcher: &Matcher, after: u64) -> Result<Look, Error> {
    let mut seen = after;
    let mut budget = Budget::new();
    for row in read.scan(SUMMARIES.all().after(&MessageId::from_number(after)))? {
        let (id, row) = row?;
        if !budget.look() {
            return Ok(Look::More { seen });
        }
        match matcher.takes(read, id, &row, &mut budget)? {
            Some(true) => return Ok(Look::Found(id)),
            Some(false) => seen = id.number(),
            None => return Ok(Look::More { seen }),
        }
    }
    Ok(Look::Nothing {
        seen: seen.max(last_number(read)?),
    })
}

fn last_number(read: &impl Read) -> Result<u64, Error> {
    let counter: shelf::Counter = read.get(&COUNTER, &())?.unwrap_or_default();
    Ok(counter.last)
}
