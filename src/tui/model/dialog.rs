//! What lies over the screen and takes the keys until it is answered.

use tui_input::Input;

use crate::tui::effect::Act;

/// Something that wants an answer.
#[derive(Debug)]
pub enum Dialog {
    /// Whether to do it.
    Confirm(Confirm),
    /// A text is typed.
    Ask(Ask),
    /// What the keys do, searchable.
    Help(Pick),
    /// Something to do by its name.
    Palette(Pick),
    /// A QR code of this.
    Qr(String),
    /// Something to read.
    Text {
        /// What it is.
        title: String,
        /// In whole.
        text: String,
        /// How far it is scrolled.
        scroll: u16,
    },
}

/// Whether to do something, to what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirm {
    /// What is done.
    pub act: Act,
    /// To which things.
    pub ids: Vec<String>,
    /// What people call them.
    pub names: Vec<String>,
    /// The command line that does the same.
    pub twin: String,
    /// Whether something is lost by it.
    pub destroys: bool,
    /// Whether "yes" is the button that Enter presses.
    pub yes: bool,
}

/// What a text is typed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To filter the list.
    Filter,
    /// To be found in the mail.
    Find,
    /// The address of a test mail.
    TestMail,
}

/// A text that is typed.
#[derive(Debug)]
pub struct Ask {
    /// For what.
    pub purpose: Purpose,
    /// As far as it is typed.
    pub input: Input,
    /// What it was before.
    pub before: String,
    /// What is wrong with it.
    pub problem: Option<&'static str>,
}

/// A list out of which something is picked, narrowed by what is typed.
#[derive(Debug, Default)]
pub struct Pick {
    /// What is typed.
    pub input: Input,
    /// Which one of those that match.
    pub selected: usize,
}
