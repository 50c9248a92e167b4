//! Pages of lists in any order, forwards and back. Where the store has the order, a page is a
//! [`walk`] along a range; where it has not, it is [`sorted`] out of one bounded scan that keeps no
//! more than a page. What a list holds and by what it is sorted is not known here.
//!
//! A place in a list is the bytes of its sort value and its id ([`place`]), which sort as the list
//! does. As a text that travels it is a [`Cursor`], which also names the order it belongs to.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Error;
use super::Key;
use super::Scan;

/// How many rows one page looks at, at most.
pub const LOOK: usize = 200_000;

/// The longest cursor that is read.
const CURSOR_BYTES: usize = 4096;

/// Which page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ask {
    /// From the last to the first.
    pub descending: bool,
    /// The page that ends just before `cursor` (or the last one), in the place of the one that
    /// begins just behind it (or the first).
    pub back: bool,
    /// A place in the list.
    pub cursor: Option<Vec<u8>>,
    /// How many rows a page has.
    pub limit: usize,
}

impl Ask {
    /// The first `limit` rows of a list that begins with the last.
    pub fn newest(limit: usize) -> Ask {
        Ask {
            descending: true,
            limit,
            ..Ask::default()
        }
    }

    /// Whether a range of ascending keys is to be read from its end for this page.
    pub fn backwards(&self) -> bool {
        self.descending != self.back
    }

    /// The cursor where the places of a list are nothing but keys.
    ///
    /// # Errors
    /// It is none.
    pub fn at<K: Key>(&self) -> Result<Option<K>, PageError> {
        let Some(cursor) = &self.cursor else {
            return Ok(None);
        };
        let mut rest = cursor.as_slice();
        let key = K::decode(&mut rest).map_err(|_| PageError::NoPlace)?;
        rest.is_empty()
            .then_some(Some(key))
            .ok_or(PageError::NoPlace)
    }

    /// `range` as far as it is to be read for this page, from the cursor `at` on.
    pub fn part<K, V>(&self, range: Scan<K, V>, at: Option<&K>) -> Scan<K, V>
    where
        K: Key,
        V: Serialize + DeserializeOwned,
    {
        match (self.backwards(), at) {
            (true, Some(at)) => range.before(at).backwards(),
            (true, None) => range.backwards(),
            (false, Some(at)) => range.after(at),
            (false, None) => range,
        }
    }

    /// How two places follow each other on the way from the cursor.
    fn order(&self, a: &[u8], b: &[u8]) -> Ordering {
        if self.backwards() { b.cmp(a) } else { a.cmp(b) }
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The rows, in the order of the list.
    pub items: Vec<T>,
    /// The place behind which the next page begins; `None` at the end.
    pub next: Option<Vec<u8>>,
    /// The place before which the page before ends; `None` at the beginning.
    pub prev: Option<Vec<u8>>,
    /// How many rows match in all; `None` where only reading all would tell.
    pub total: Option<u64>,
}

/// Why there is no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// There are more rows than are sorted for one page.
    #[error("more than {LOOK} rows would have to be sorted")]
    TooMany,
    /// The cursor names no place in the list.
    #[error("the cursor is none of this list")]
    NoPlace,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] Error),
}

/// The place of a row: its sort value and its id, as bytes that sort as they do.
pub fn place(key: &impl Key) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(48);
    key.encode(&mut bytes);
    bytes
}

/// A row on its way into a page, the one furthest from the cursor on top of the heap.
struct Held<T> {
    place: Vec<u8>,
    backwards: bool,
    item: T,
}

impl<T> Ord for Held<T> {
    fn cmp(&self, other: &Held<T>) -> Ordering {
        let order = self.place.cmp(&other.place);
        if self.backwards {
            order.reverse()
        } else {
            order
        }
    }
}

impl<T> PartialOrd for Held<T> {
    fn partial_cmp(&self, other: &Held<T>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Held<T> {
    fn eq(&self, other: &Held<T>) -> bool {
        self.place == other.place
    }
}

impl<T> Eq for Held<T> {}

/// A page out of `rows` in whatever order they come. `take` answers the place of a row and what is
/// told of it; `None` for one that does not match. The total is exact.
///
/// # Errors
/// There are more than `look` rows, or those of `rows` and `take`.
pub fn sorted<R, T>(
    rows: impl Iterator<Item = Result<R, Error>>,
    ask: &Ask,
    look: usize,
    mut take: impl FnMut(R) -> Result<Option<(Vec<u8>, T)>, Error>,
) -> Result<Page<T>, PageError> {
    let mut heap: BinaryHeap<Held<T>> = BinaryHeap::new();
    let (mut total, mut behind, mut more) = (0, false, false);
    for (looked, row) in rows.enumerate() {
        if looked >= look {
            return Err(PageError::TooMany);
        }
        let Some((place, item)) = take(row?)? else {
            continue;
        };
        total += 1;
        if let Some(cursor) = &ask.cursor
            && ask.order(&place, cursor) != Ordering::Greater
        {
            behind = true;
            continue;
        }
        let full = heap.len() >= ask.limit;
        more |= full;
        let nearest = heap
            .peek()
            .is_none_or(|far| ask.order(&place, &far.place).is_lt());
        if full && !nearest {
            continue;
        }
        heap.push(Held {
            place,
            backwards: ask.backwards(),
            item,
        });
        if full {
            heap.pop();
        }
    }
    let held = heap.into_sorted_vec();
    let rows = held.into_iter().map(|held| (held.place, held.item));
    let mut page = Walked {
        rows: rows.collect(),
        ahead: None,
        behind,
    };
    page.ahead = page
        .rows
        .last()
        .map(|(place, _)| place.clone())
        .filter(|_| more);
    Ok(page.page(ask, Some(total)))
}

/// A page out of `rows` that come in the order of travel: from just past the cursor on, towards
/// the beginning of the list when it is asked for `back` ([`Ask::backwards`] says from which end a
/// range is to be read). Each comes with its place. Ends early where more than `look` rows would
/// have to be looked at; the page then says where to go on.
///
/// # Errors
/// Those of `rows` and `take`.
pub fn walk<R, T>(
    rows: impl Iterator<Item = Result<(Vec<u8>, R), Error>>,
    ask: &Ask,
    look: usize,
    total: Option<u64>,
    mut take: impl FnMut(R) -> Result<Option<T>, Error>,
) -> Result<Page<T>, Error> {
    let mut left = look;
    walk_while(rows, ask, total, |row| match left.checked_sub(1) {
        Some(rest) => {
            left = rest;
            take(row).map(Some)
        }
        None => Ok(None),
    })
}

/// The same, which goes on until `take` answers `None`: that row was not looked at, and neither
/// are those behind it. The first one has to be.
///
/// # Errors
/// Those of `rows` and `take`.
pub fn walk_while<R, T>(
    rows: impl Iterator<Item = Result<(Vec<u8>, R), Error>>,
    ask: &Ask,
    total: Option<u64>,
    mut take: impl FnMut(R) -> Result<Option<Option<T>>, Error>,
) -> Result<Page<T>, Error> {
    let mut walked = Walked {
        rows: Vec::new(),
        ahead: None,
        behind: ask.cursor.is_some(),
    };
    let mut last = None;
    for row in rows {
        let (place, row) = row?;
        let Some(taken) = take(row)? else {
            walked.ahead = last;
            break;
        };
        if let Some(item) = taken {
            if walked.rows.len() >= ask.limit {
                walked.ahead = walked.rows.last().map(|(place, _)| place.clone());
                break;
            }
            walked.rows.push((place.clone(), item));
        }
        last = Some(place);
    }
    Ok(walked.page(ask, total))
}

/// Rows in the order of travel.
struct Walked<T> {
    rows: Vec<(Vec<u8>, T)>,
    /// Where the next page on the way begins.
    ahead: Option<Vec<u8>>,
    /// Whether there is something on the other side of the cursor.
    behind: bool,
}

impl<T> Walked<T> {
    fn page(self, ask: &Ask, total: Option<u64>) -> Page<T> {
        let first = self.rows.first().map(|(place, _)| place.clone());
        let back = first.or_else(|| ask.cursor.clone()).filter(|_| self.behind);
        let mut items: Vec<T> = self.rows.into_iter().map(|(_, item)| item).collect();
        let (next, prev) = if ask.back {
            items.reverse();
            (back, self.ahead)
        } else {
            (self.ahead, back)
        };
        Page {
            items,
            next,
            prev,
            total,
        }
    }
}

/// A place in a list as it travels: opaque to everybody else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The order that it belongs to, as it was asked for.
    pub sort: String,
    /// The place.
    pub place: Vec<u8>,
}

impl Cursor {
    /// The cursor of `place` in the list sorted by `sort`, as a text.
    pub fn text(sort: &str, place: &[u8]) -> String {
        let mut bytes = sort.as_bytes().to_vec();
        bytes.push(0);
        bytes.extend_from_slice(place);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads one; `None` when it is none.
    pub fn read(text: &str) -> Option<Cursor> {
        if text.len() > CURSOR_BYTES {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let end = bytes.iter().position(|byte| *byte == 0)?;
        Some(Cursor {
            sort: std::str::from_utf8(&bytes[..end]).ok()?.to_owned(),
            place: bytes[end + 1..].to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ask(descending: bool, back: bool, cursor: Option<Vec<u8>>) -> Ask {
        Ask {
            descending,
            back,
            cursor,
            limit: 3,
        }
    }

    /// All rows of the list, page by page, in either way of making a page.
    fn read(values: &[u64], descending: bool, back: bool, by_range: bool) -> Vec<Vec<u64>> {
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let ask = ask(descending, back, cursor.take());
            let page = if by_range {
                let mut rows: Vec<_> = values.iter().map(|n| (place(n), *n)).collect();
                rows.sort();
                if ask.backwards() {
                    rows.reverse();
                }
                let past = |place: &Vec<u8>| {
                    let cursor = ask.cursor.as_ref();
                    cursor.is_none_or(|cursor| ask.order(place, cursor).is_gt())
                };
                let rows = rows.into_iter().filter(|(place, _)| past(place)).map(Ok);
                walk(rows, &ask, LOOK, None, |n| Ok(Some(n))).unwrap()
            } else {
                let rows = values.iter().map(|n| Ok(*n));
                let page = sorted(rows, &ask, LOOK, |n: u64| Ok(Some((place(&n), n)))).unwrap();
                assert_eq!(page.total, Some(values.len() as u64));
                page
            };
            assert!(page.items.len() <= 3);
            let (on, other) = match back {
                true => (page.prev, page.next),
                false => (page.next, page.prev),
            };
            assert_eq!(other.is_some(), !pages.is_empty());
            pages.push(page.items);
            cursor = on;
            if cursor.is_none() {
                return pages;
            }
        }
    }

    proptest! {
        #[test]
        fn pages_in_a_row_are_the_whole_list_once_in_either_direction(
            values in prop::collection::btree_set(any::<u64>(), 0..20),
            descending: bool,
            by_range: bool,
        ) {
            let values: Vec<u64> = values.into_iter().collect();
            let mut whole = values.clone();
            if descending {
                whole.reverse();
            }
            let forwards = read(&values, descending, false, by_range).concat();
            prop_assert_eq!(&forwards, &whole);
            let mut back = read(&values, descending, true, by_range);
            back.reverse();
            prop_assert_eq!(&back.concat(), &whole);
        }

        #[test]
        fn a_cursor_comes_back_and_noise_is_none(place: Vec<u8>, noise: String) {
            let text = Cursor::text("-email", &place);
            let sort = "-email".to_owned();
            prop_assert_eq!(Cursor::read(&text), Some(Cursor { sort, place }));
            let _ = Cursor::read(&noise);
        }
    }

    #[test]
    fn a_scan_is_bounded() {
        let rows = || (0..10_u64).map(Ok);
        let ask = ask(false, false, None);
        let many = sorted(rows(), &ask, 9, |n| Ok(Some((place(&n), n))));
        assert_eq!(many, Err(PageError::TooMany));
        let rows = rows().map(|row| row.map(|n| (place(&n), n)));
        let page = walk(rows, &ask, 5, None, |n| Ok((n == 8).then_some(n))).unwrap();
        assert_eq!((page.items, page.next), (vec![], Some(place(&4_u64))));
    }
}
