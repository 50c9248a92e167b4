//! How things look: a style for each role that something on the screen can have. Colours are the
//! sixteen of the terminal, so that they fit its own scheme; without colours every role that
//! carries meaning is still told apart by weight or by a sign.

use std::collections::BTreeMap;

use ratatui::style::Color;
use ratatui::style::Modifier;
use ratatui::style::Style;

/// What something on the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Ordinary text.
    Text,
    /// What matters less: labels, rules, hints.
    Dim,
    /// Headings and the names of columns.
    Title,
    /// The row or button that keys act on.
    Selected,
    /// A row that was marked.
    Marked,
    /// A key that can be pressed.
    Key,
    /// It went well.
    Good,
    /// It waits, or wants a look.
    Warn,
    /// It failed.
    Bad,
    /// A link, an address.
    Link,
    /// A code, or what a search found.
    Found,
    /// The bar that says that it is production that is being changed.
    Production,
    /// The bar of development.
    Development,
    /// A dialog's frame.
    Dialog,
}

impl Role {
    /// All of them, by the names under which a settings file sets their colours.
    pub const ALL: [(&'static str, Role); 14] = [
        ("text", Role::Text),
        ("dim", Role::Dim),
        ("title", Role::Title),
        ("selected", Role::Selected),
        ("marked", Role::Marked),
        ("key", Role::Key),
        ("good", Role::Good),
        ("warn", Role::Warn),
        ("bad", Role::Bad),
        ("link", Role::Link),
        ("found", Role::Found),
        ("production", Role::Production),
        ("development", Role::Development),
        ("dialog", Role::Dialog),
    ];
}

/// Which colours there are to choose from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// For a light background.
    Light,
    /// For a dark one.
    Dark,
    /// None at all: <https://no-color.org>.
    Plain,
}

/// How things look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    scheme: Scheme,
    ascii: bool,
    own: BTreeMap<Role, Style>,
}

impl Theme {
    /// The looks of `scheme`; with `ascii` nothing is drawn that a terminal without Unicode lacks.
    pub fn new(scheme: Scheme, ascii: bool) -> Theme {
        Theme {
            scheme,
            ascii,
            own: BTreeMap::new(),
        }
    }

    /// The same, in which `role` has a style of its own. Without colours it is as it was.
    #[must_use]
    pub fn with(mut self, role: Role, style: Style) -> Theme {
        if self.scheme != Scheme::Plain {
            self.own.insert(role, style);
        }
        self
    }

    /// Whether only ASCII is drawn (but for what mails and people are called).
    pub fn ascii(&self) -> bool {
        self.ascii
    }

    /// `unicode`, or `ascii` where there is nothing else.
    pub fn glyph<'a>(&self, unicode: &'a str, ascii: &'a str) -> &'a str {
        if self.ascii { ascii } else { unicode }
    }

    /// The style of `role`.
    pub fn style(&self, role: Role) -> Style {
        if let Some(style) = self.own.get(&role) {
            return *style;
        }
        let plain = Style::new();
        let light = self.scheme == Scheme::Light;
        let weight = match role {
            Role::Text | Role::Link | Role::Good => plain,
            Role::Dim if self.scheme == Scheme::Plain => plain,
            Role::Dim => plain.add_modifier(Modifier::DIM),
            Role::Title | Role::Warn | Role::Key | Role::Dialog => {
                plain.add_modifier(Modifier::BOLD)
            }
            Role::Bad => plain.add_modifier(Modifier::BOLD),
            Role::Selected => plain.add_modifier(Modifier::REVERSED),
            Role::Marked => plain.add_modifier(Modifier::BOLD),
            Role::Found | Role::Production | Role::Development => {
                plain.add_modifier(Modifier::BOLD | Modifier::REVERSED)
            }
        };
        if self.scheme == Scheme::Plain {
            return match role {
                Role::Link => weight.add_modifier(Modifier::UNDERLINED),
                _ => weight,
            };
        }
        let dark = |dark, on_light| if light { on_light } else { dark };
        match role {
            Role::Text | Role::Dim | Role::Title | Role::Selected => weight,
            Role::Marked => weight.fg(dark(Color::Yellow, Color::Magenta)),
            Role::Key => weight.fg(dark(Color::Cyan, Color::Blue)),
            Role::Good => weight.fg(Color::Green),
            Role::Warn => weight.fg(dark(Color::Yellow, Color::Magenta)),
            Role::Bad => weight.fg(Color::Red),
            Role::Link => weight.fg(dark(Color::Cyan, Color::Blue)),
            Role::Found => weight.fg(dark(Color::Yellow, Color::Magenta)),
            Role::Production => weight.fg(Color::Red),
            Role::Development => weight.fg(dark(Color::Green, Color::Blue)),
            Role::Dialog => weight.fg(dark(Color::Yellow, Color::Magenta)),
        }
    }
}
