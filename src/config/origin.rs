//! Where a value came from. What must not live here: how it was found.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use super::table::Definition;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A flag of the command line.
    Flag(&'static str),
    /// A variable of the environment.
    Environment(String),
    /// A line of `.env`.
    DotEnv {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// The variable that is set there.
        variable: String,
    },
    /// A line of `gatepost.toml`.
    File {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
    },
    /// The table of settings.
    Default,
    /// Derived from another setting, or from what gatepost was started for.
    Derived(Cow<'static, str>),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Flag(flag) => write!(f, "flag {flag}"),
            Source::Environment(variable) => write!(f, "environment {variable}"),
            Source::DotEnv {
                file,
                line,
                variable,
            } => write!(f, "{}:{line} {variable}", file.display()),
            Source::File { file, line } => write!(f, "{}:{line}", file.display()),
            Source::Default => f.write_str("default"),
            Source::Derived(from) => write!(f, "default {from}"),
        }
    }
}

/// A setting as `gatepost config` shows it.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The setting's name.
    pub name: &'static str,
    /// Its value as it was written; `***` in the place of a secret.
    pub shown: String,
    /// Where it came from.
    pub source: Source,
    /// What the setting is for.
    pub doc: &'static str,
}

/// The text that a setting will be read from. No Debug: it may be a secret.
pub(super) struct Chosen {
    pub definition: &'static Definition,
    pub text: String,
    pub source: Source,
}

impl Chosen {
    pub fn is_default(&self) -> bool {
        matches!(self.source, Source::Default | Source::Derived(_))
    }

    pub fn into_origin(self) -> Origin {
        Origin {
            name: self.definition.name,
            shown: match self.definition.secret && !self.text.is_empty() {
                true => "***".to_owned(),
                false => self.text,
            },
            source: self.source,
            doc: self.definition.doc,
        }
    }
}
