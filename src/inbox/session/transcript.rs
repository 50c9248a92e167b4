//! The conversation as a text that is kept with each mail: what came before the first mail, and
//! what belongs to this one. Bounded, and without credentials: those never get here.

/// Octets of what came before the first mail.
const PRELUDE: usize = 2 << 10;

/// Octets of all.
const LIMIT: usize = 16 << 10;

#[derive(Debug, Default)]
pub(super) struct Transcript {
    text: String,
    prelude: Option<usize>,
}

impl Transcript {
    /// A line of the client.
    pub(super) fn client(&mut self, line: &str) {
        self.add("C: ", line);
    }

    /// A line of the server.
    pub(super) fn server(&mut self, line: &str) {
        self.add("S: ", line);
    }

    fn add(&mut self, who: &str, line: &str) {
        if self.text.len() + line.len() > LIMIT {
            if !self.text.ends_with("…\n") {
                self.text.push_str("…\n");
            }
            return;
        }
        self.text.push_str(who);
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A mail begins with the next line.
    pub(super) fn begin_mail(&mut self) {
        if self.prelude.is_none() {
            if self.text.len() > PRELUDE {
                let end = (0..=PRELUDE)
                    .rev()
                    .find(|&at| self.text.is_char_boundary(at))
                    .unwrap_or(0);
                self.text.truncate(end);
                self.text.push_str("…\n");
            }
            self.prelude = Some(self.text.len());
        }
    }

    /// The text for the mail that ends here; what follows belongs to the next one.
    pub(super) fn end_mail(&mut self) -> String {
        let text = self.text.as_str().to_owned();
        self.text.truncate(self.prelude.unwrap_or(0));
        text
    }
}
