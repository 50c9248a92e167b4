//! Where the reader is: a view, its list, and what is open in it. Places lie on one another; Esc
//! leads back.

use crate::client::MailDetail;
use crate::world::Timestamp;

use super::List;
use super::Reading;
use super::View;

/// A view with all that belongs to how it is looked at.
#[derive(Debug)]
pub struct Place {
    /// Which one.
    pub view: View,
    /// Whose, when it was reached from a row.
    pub subject: Option<String>,
    /// Its rows.
    pub list: List,
    /// The captured mail that is shown, small below the table or alone.
    pub reading: Option<Reading>,
    /// The mail of the outbox, or the line, that is shown alone.
    pub looking: Option<Looking>,
    /// Whether what is read takes the whole height.
    pub alone: bool,
}

/// A row that is shown alone.
#[derive(Debug)]
pub struct Looking {
    /// Its name.
    pub id: String,
    /// All of it, once it is here.
    pub mail: Option<Box<MailDetail>>,
    /// How far it is scrolled.
    pub scroll: u16,
    /// Whether it changed on the server.
    pub stale: bool,
    /// When it was last asked for.
    pub asked: Option<Timestamp>,
}

impl Looking {
    /// A row of which nothing more is here yet.
    pub fn new(id: &str) -> Looking {
        Looking {
            id: id.to_owned(),
            mail: None,
            scroll: 0,
            stale: true,
            asked: None,
        }
    }
}

impl Place {
    /// A view as it is reached from everywhere.
    pub fn new(view: View) -> Place {
        let mut list = List::new(view.source());
        if view == View::Overview {
            list.fixed = vec![("state".to_owned(), "failing".to_owned())];
        }
        Place {
            view,
            subject: None,
            list,
            reading: None,
            looking: None,
            alone: false,
        }
    }

    /// A view of what has to do with `subject`, because `filter` is `value`.
    pub fn of(view: View, subject: &str, filter: &str, value: &str) -> Place {
        let mut place = Place::new(view);
        place.subject = Some(subject.to_owned());
        place.list.fixed = vec![(filter.to_owned(), value.to_owned())];
        place
    }

    /// Whether a captured mail is read.
    pub fn reads(&self) -> bool {
        self.alone && self.reading.is_some()
    }

    /// Whether a row is looked at alone.
    pub fn looks(&self) -> bool {
        self.alone && self.looking.is_some()
    }
}
