//! What all lists of the operator's part share: which order and page was asked for, and cursors.
//! How pages are made is the store's (`store::page`).

use crate::http::problem::Problem;
use crate::store::page::Ask;
use crate::store::page::Cursor;
use crate::store::page::LOOK;
use crate::store::page::Page;
use crate::store::page::PageError;

/// Rows of a page when the client does not say.
pub const PAGE: usize = 50;

/// Which page of a list was asked for, and in which order.
#[derive(Debug, Clone)]
pub struct Paging {
    /// The field that it is sorted by.
    pub field: &'static str,
    /// What the store's pages need to know.
    pub ask: Ask,
    sort: String,
}

impl Paging {
    /// Reads the parameters `sort`, `back`, `cursor` and `limit`. `fields` are those that the list
    /// is sorted by; when the client does not say, by the first one, from the last to the first.
    ///
    /// # Errors
    /// An unknown field, or a cursor that is none of this list in this order.
    pub fn read(
        fields: &[&'static str],
        sort: Option<&str>,
        back: Option<bool>,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Paging, Problem> {
        let newest = format!("-{}", fields[0]);
        let sort = sort.unwrap_or(&newest);
        let (descending, name) = match sort.strip_prefix('-') {
            Some(name) => (true, name),
            None => (false, sort),
        };
        let field = fields.iter().find(|field| **field == name);
        let field = *field.ok_or_else(|| {
            let known = fields.join(", ");
            let reason = format!("known are {known}; with - before it from the last to the first");
            Problem::parameter("sort", &reason)
        })?;
        let cursor = cursor.map(|text| {
            let read = Cursor::read(text).filter(|cursor| cursor.sort == sort);
            read.ok_or_else(|| {
                let reason = "expected the next_cursor or prev_cursor of a page in this order";
                Problem::parameter("cursor", reason)
            })
        });
        Ok(Paging {
            field,
            ask: Ask {
                descending,
                back: back.unwrap_or(false),
                cursor: cursor.transpose()?.map(|cursor| cursor.place),
                limit: limit.map_or(PAGE, |limit| limit as usize),
            },
            sort: sort.to_owned(),
        })
    }

    /// `next_cursor` and `prev_cursor` of a page.
    pub fn cursors<T>(&self, page: &Page<T>) -> (Option<String>, Option<String>) {
        let text = |place: &Option<Vec<u8>>| {
            let place = place.as_ref()?;
            Some(Cursor::text(&self.sort, place))
        };
        (text(&page.next), text(&page.prev))
    }
}

impl From<PageError> for Problem {
    fn from(error: PageError) -> Problem {
        match error {
            PageError::TooMany => Problem::parameter(
                "sort",
                &format!("more than {LOOK} rows would have to be sorted: filter the list"),
            ),
            PageError::NoPlace => Problem::parameter(
                "cursor",
                "expected the next_cursor or prev_cursor of a page in this order",
            ),
            PageError::Store(error) => error.into(),
        }
    }
}

/// The value of a parameter that takes one of a few words.
///
/// # Errors
/// It is none of them.
pub fn one_of<T>(
    parameter: &str,
    text: Option<&str>,
    parse: impl Fn(&str) -> Option<T>,
    words: &[&str],
) -> Result<Option<T>, Problem> {
    let unknown = || Problem::parameter(parameter, &format!("known are {}", words.join(", ")));
    text.map(|text| parse(text).ok_or_else(unknown)).transpose()
}

/// Declares a page of a list: `paged! { /// Doc. Name of Item, "NameInTheDocument" }`.
macro_rules! paged {
    ($(#[$doc:meta])* $name:ident of $item:ty, $shown:literal) => {
        $(#[$doc])*
        #[derive(Debug, poem_openapi::Object, serde::Serialize)]
        #[oai(rename = $shown, example)]
        pub struct $name {
            /// The rows, in the order that was asked for.
            pub items: Vec<$item>,
            /// Pass it as `cursor` for the page behind this one; null at the end.
            pub next_cursor: Option<String>,
            /// Pass it as `cursor`, with `back`, for the page before this one; null at the
            /// beginning.
            pub prev_cursor: Option<String>,
            /// How many rows match in all; null when that is too much to count.
            pub total: Option<u64>,
        }

        impl poem_openapi::types::Example for $name {
            fn example() -> $name {
                $name {
                    items: vec![<$item as poem_openapi::types::Example>::example()],
                    next_cursor: None,
                    prev_cursor: None,
                    total: Some(1),
                }
            }
        }

        impl $name {
            /// The answer to `request`, each row told by `tell`.
            fn answer<T>(
                page: $crate::store::page::Page<T>,
                paging: &$crate::http::api::admin::paging::Paging,
                request: &poem::Request,
                tell: impl FnMut(T) -> $item,
            ) -> $crate::http::reply::Page<$name> {
                let (next_cursor, prev_cursor) = paging.cursors(&page);
                let next = next_cursor.clone();
                let page = $name {
                    items: page.items.into_iter().map(tell).collect(),
                    next_cursor,
                    prev_cursor,
                    total: page.total,
                };
                $crate::http::reply::Page::of(page, request, next.as_deref())
            }
        }
    };
}
pub(crate) use paged;
