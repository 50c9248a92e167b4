//! How the dashboard is set up: keys, colours, columns, language. All that is wrong is told at
//! once.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use ratatui::style::Color;
use ratatui::style::Modifier;
use ratatui::style::Style;

use crate::language::Language;

use super::columns::Column;
use super::columns::columns;
use super::keymap::Keymap;
use super::keymap::near;
use super::model::Remembered;
use super::model::View;
use super::theme::Role;
use super::theme::Scheme;
use super::theme::Theme;
use super::words::Words;

/// What a settings file says, unchecked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Raw {
    /// The keys of actions.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The columns of views.
    pub columns: BTreeMap<String, Vec<String>>,
    /// The styles of roles: `red`, `bold light-blue`, `white on-red`.
    pub colours: BTreeMap<String, String>,
}

/// How the dashboard is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which key does what.
    pub keymap: Keymap,
    /// The columns of those views that do not show their own.
    pub columns: BTreeMap<View, Vec<&'static Column>>,
    /// How things look.
    pub theme: Theme,
    /// In which language.
    pub words: Words,
    /// Whether nothing may be changed.
    pub read_only: bool,
    /// Where the server is, as it is shown.
    pub url: String,
    /// What stands behind `gatepost … ` on the command line so that it finds the same server.
    pub twin: String,
    /// How many seconds the clock on the wall is ahead of UTC.
    pub utc_offset: i32,
    /// How the dashboard was left.
    pub remembered: Remembered,
}

impl Settings {
    /// Reads what a settings file says.
    ///
    /// # Errors
    /// All that is wrong, each with what would be right.
    pub fn new(
        raw: &Raw,
        scheme: Scheme,
        ascii: bool,
        language: Language,
    ) -> Result<Settings, Vec<String>> {
        let mut wrong = Vec::new();
        let keymap = Keymap::new(&raw.keys).unwrap_or_else(|problems| {
            wrong.extend(problems);
            Keymap::default()
        });
        let mut chosen = BTreeMap::new();
        for (view, names) in &raw.columns {
            match view_columns(view, names) {
                Ok((view, columns)) => {
                    chosen.insert(view, columns);
                }
                Err(problems) => wrong.extend(problems),
            }
        }
        let mut theme = Theme::new(scheme, ascii);
        for (role, text) in &raw.colours {
            match (role_named(role), style(text)) {
                (Ok(role), Ok(style)) => theme = theme.with(role, style),
                (role_problem, style_problem) => {
                    wrong.extend(role_problem.err());
                    let problem = style_problem.err();
                    wrong.extend(problem.map(|problem| format!("colors.{role}: {problem}")));
                }
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Settings {
            keymap,
            columns: chosen,
            theme,
            words: Words(language),
            read_only: false,
            url: String::new(),
            twin: String::new(),
            utc_offset: 0,
            remembered: Remembered::default(),
        })
    }

    /// The columns of `view` that are wanted.
    pub fn columns(&self, view: View) -> Vec<&'static Column> {
        let own = self.columns.get(&view).cloned();
        own.unwrap_or_else(|| columns(view).iter().collect())
    }
}

fn meant(near: &[&str]) -> String {
    match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    }
}

fn view_columns(view: &str, names: &[String]) -> Result<(View, Vec<&'static Column>), Vec<String>> {
    let views = || View::TABS.into_iter().chain([View::Timeline]);
    let Some(known) = views().find(|known| known.word() == view) else {
        let near = near(view, views().map(View::word));
        return Err(vec![format!(
            "columns.{view}: no view is called that{}",
            meant(&near)
        )]);
    };
    let all = columns(known);
    let mut chosen = Vec::new();
    let mut wrong = Vec::new();
    for name in names {
        match all.iter().find(|column| column.name == name) {
            Some(column) => chosen.push(column),
            None => {
                let known: Vec<&str> = all.iter().map(|column| column.name).collect();
                wrong.push(format!(
                    "columns.{view}: there is no column {name:?}; there are {}",
                    known.join(", ")
                ));
            }
        }
    }
    if names.is_empty() {
        wrong.push(format!("columns.{view}: at least one column is needed"));
    }
    match wrong.is_empty() {
        true => Ok((known, chosen)),
        false => Err(wrong),
    }
}

fn role_named(name: &str) -> Result<Role, String> {
    let found = Role::ALL.iter().find(|(known, _)| *known == name);
    found.map(|(_, role)| *role).ok_or_else(|| {
        let near = near(name, Role::ALL.iter().map(|(name, _)| *name));
        format!("colors.{name}: nothing is called that{}", meant(&near))
    })
}

fn style(text: &str) -> Result<Style, String> {
    let mut style = Style::new();
    for word in text.split_whitespace() {
        let modifier = match word {
            "bold" => Some(Modifier::BOLD),
            "dim" => Some(Modifier::DIM),
            "italic" => Some(Modifier::ITALIC),
            "underlined" => Some(Modifier::UNDERLINED),
            "reversed" => Some(Modifier::REVERSED),
            _ => None,
        };
        style = match (modifier, word.strip_prefix("on-")) {
            (Some(modifier), _) => style.add_modifier(modifier),
            (None, Some(ground)) => style.bg(colour(ground)?),
            (None, None) => style.fg(colour(word)?),
        };
    }
    Ok(style)
}

fn colour(name: &str) -> Result<Color, String> {
    Color::from_str(name).map_err(|_| {
        format!(
            "{name:?} is no colour; use black, red, green, yellow, blue, magenta, cyan, white, gray, light-red and the like, on-red behind the text, or bold, dim, underlined, reversed"
        )
    })
}
