//! A captured mail that is read, from the moment at which it is asked for.

use crate::client::Message;
use crate::tui::reader::Reader;
use crate::tui::reader::Step;
use crate::tui::words::Words;

/// A captured mail that is, or will be, shown.
#[derive(Debug)]
pub struct Reading {
    /// Its number.
    pub id: String,
    /// It, once it is here.
    pub reader: Option<Reader>,
    /// Why it does not come.
    pub problem: Option<String>,
    size: (u16, u16),
}

impl Reading {
    /// One that is still to come.
    pub fn new(id: &str) -> Reading {
        Reading {
            id: id.to_owned(),
            reader: None,
            problem: None,
            size: (0, 0),
        }
    }

    /// It is here.
    pub fn take(&mut self, message: Message, words: Words) {
        self.reader = Some(Reader::new(message, words));
        self.size = (0, 0);
    }

    /// What did not come, and what may have changed, is asked for again.
    pub fn reload(&mut self) {
        self.problem = None;
        if let Some(reader) = &mut self.reader {
            reader.reload();
        }
    }

    /// It is shown in so many columns and rows.
    pub fn resize(&mut self, size: (u16, u16)) {
        if let Some(reader) = self.reader.as_mut().filter(|_| size != self.size) {
            reader.update(Step::Resize(size.0, size.1));
            self.size = size;
        }
    }
}
