//! Templates: compiled in, replaceable file by file from a folder, all of them checked before
//! the first mail is due. What goes into them is composed in [`letter`](super::letter).

mod built_in;
mod engine;
mod folder;
mod program;
mod standin;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use minijinja::{Environment, UndefinedBehavior, Value};

use super::kind::Kind;
use super::phrase;
use crate::language::Language;
use crate::world::Timestamp;

pub use program::Always;
pub use program::Programs;
pub use program::Refused;

/// A template that cannot be used: where, and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("template {}{}: {problem}", file.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
pub struct TemplateError {
    /// The file.
    pub file: PathBuf,
    /// The line in it, from 1, when the fault has one.
    pub line: Option<usize>,
    /// What is wrong, and what would be right.
    pub problem: String,
}

/// What a template can name. Those that a kind has no use for are undefined in it.
#[derive(Debug, Clone, Default)]
pub struct Values<'a> {
    /// The name of the site.
    pub site_name: &'a str,
    /// The tag of the mail's language.
    pub language: &'a str,
    /// Whom the mail goes to.
    pub address: &'a str,
    /// The rendered subject; only the text and the HTML see it.
    pub subject: Option<String>,
    /// The code.
    pub code: Option<&'a str>,
    /// The link of the mail, or the address of the site.
    pub url: Option<&'a str>,
    /// The lifetime of code or link in people's words.
    pub lifetime: Option<String>,
    /// The same in whole minutes.
    pub minutes: Option<u64>,
    /// When it happened, in people's words.
    pub at: Option<String>,
}

impl Values<'_> {
    fn to_value(&self) -> Value {
        let always = [
            ("site_name", Value::from(self.site_name)),
            ("language", Value::from(self.language)),
            ("address", Value::from(self.address)),
        ];
        let sometimes = [
            ("subject", self.subject.as_deref().map(Value::from)),
            ("code", self.code.map(Value::from)),
            ("url", self.url.map(Value::from)),
            ("lifetime", self.lifetime.as_deref().map(Value::from)),
            ("minutes", self.minutes.map(Value::from)),
            ("at", self.at.as_deref().map(Value::from)),
        ];
        let present = sometimes
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?)));
        Value::from_pairs(always.into_iter().chain(present))
    }

    /// Sets both forms of the lifetime.
    pub fn set_lifetime(&mut self, lifetime: Duration, language: Language) {
        self.lifetime = Some(phrase::duration(lifetime, language));
        self.minutes = Some((lifetime.as_secs() / 60).max(1));
    }
}

/// The three texts of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rendered {
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
    /// The HTML, where there is any; the mails of gatepost itself all have it.
    pub html: Option<String>,
}

/// The names of one mail's templates.
struct Names {
    subject: String,
    text: String,
    html: String,
}

/// All templates, compiled.
pub struct Templates {
    environment: Environment<'static>,
    names: BTreeMap<(Kind, &'static str), Names>,
    replaced: BTreeMap<String, PathBuf>,
    /// Those that other programs order mail by.
    pub programs: Programs,
}

/// What all templates go by.
fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Names the variable that is missing; the values themselves are never shown.
    environment.set_debug(true);
    environment.set_recursion_limit(engine::DEEPEST);
    environment.set_fuel(Some(engine::PART));
    environment
}

impl Templates {
    /// Compiles the shipped templates, those in `folder` in their stead, and renders each once
    /// with sample values.
    ///
    /// # Errors
    /// The first template that does not compile or render, a file that replaces nothing, or a
    /// file that cannot be read.
    pub fn load(folder: Option<&Path>) -> Result<Templates, TemplateError> {
        let replaced = match folder {
            Some(folder) => folder::read(folder)?,
            None => BTreeMap::new(),
        };
        let mut templates = Templates {
            environment: environment(),
            names: names(),
            replaced: BTreeMap::new(),
            programs: Programs::load(&replaced, environment())?,
        };
        for (name, source) in built_in::all() {
            let source = match replaced.get(name) {
                Some((path, source)) => {
                    templates.replaced.insert(name.to_owned(), path.clone());
                    source.clone()
                }
                None => source.to_owned(),
            };
            templates
                .environment
                .add_template_owned(name, source)
                .map_err(|error| templates.explain(name, &error))?;
        }
        templates.check()?;
        Ok(templates)
    }

    /// Renders the mail of `kind` in `language`.
    ///
    /// # Errors
    /// A template that branches on values may fail with some that the check did not try.
    pub fn render(
        &self,
        kind: Kind,
        language: Language,
        mut values: Values<'_>,
    ) -> Result<Rendered, TemplateError> {
        let names = &self.names[&(kind, language.tag())];
        let subject = self.part(&names.subject, &values.to_value())?;
        let subject = one_line(&subject);
        values.subject = Some(subject.clone());
        let values = values.to_value();
        let text = self.part(&names.text, &values)?;
        let html = self.part(&names.html, &values)?;
        Ok(Rendered {
            text,
            html: Some(html),
            subject,
        })
    }

    fn part(&self, name: &str, values: &Value) -> Result<String, TemplateError> {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(values.clone()))
            .map_err(|error| self.explain(name, &error))
    }

    fn check(&self) -> Result<(), TemplateError> {
        for kind in Kind::TEMPLATED {
            for language in Language::ALL {
                let rendered = self.render(kind, language, sample(kind, language))?;
                let name = &self.names[&(kind, language.tag())].subject;
                let fault = if rendered.subject.is_empty() {
                    "the subject is empty"
                } else if rendered.subject.contains(SAMPLE_CODE) {
                    "the subject shows the code, and subjects appear on locked screens"
                } else {
                    continue;
                };
                return Err(TemplateError {
                    file: self.file(name),
                    line: Some(1),
                    problem: fault.to_owned(),
                });
            }
        }
        Ok(())
    }

    fn explain(&self, name: &str, error: &minijinja::Error) -> TemplateError {
        explain(&self.replaced, name, error)
    }

    fn file(&self, name: &str) -> PathBuf {
        file(&self.replaced, name)
    }
}

/// What `error`, met in the template called `name`, is about; `paths` knows where templates lie.
fn explain(
    paths: &BTreeMap<String, PathBuf>,
    name: &str,
    error: &minijinja::Error,
) -> TemplateError {
    let inner = innermost(error);
    let problem = match inner.detail() {
        Some(detail) => format!("{}: {detail}", inner.kind()),
        None => inner.kind().to_string(),
    };
    TemplateError {
        file: file(paths, inner.name().unwrap_or(name)),
        line: inner.line(),
        problem,
    }
}

/// The innermost error stands where the fault is; the outer ones where it was included.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut inner = error;
    while let Some(source) = std::error::Error::source(inner)
        && let Some(source) = source.downcast_ref::<minijinja::Error>()
    {
        inner = source;
    }
    inner
}

fn file(paths: &BTreeMap<String, PathBuf>, name: &str) -> PathBuf {
    match paths.get(name) {
        Some(path) => path.clone(),
        None => Path::new("templates").join(name),
    }
}

fn names() -> BTreeMap<(Kind, &'static str), Names> {
    let mut names = BTreeMap::new();
    for kind in Kind::TEMPLATED {
        for language in Language::ALL {
            let stem = format!("mail/{language}/{kind}");
            let of_mail = Names {
                subject: format!("{stem}.subject.txt"),
                text: format!("{stem}.txt"),
                html: format!("{stem}.html"),
            };
            names.insert((kind, language.tag()), of_mail);
        }
    }
    names
}

const SAMPLE_CODE: &str = "314159";

/// The values that a mail of this kind has, all of them.
fn sample(kind: Kind, language: Language) -> Values<'static> {
    let mut values = Values {
        site_name: "Example",
        language: language.tag(),
        address: "ann@example.com",
        ..Values::default()
    };
    match kind {
        Kind::RegistrationCode | Kind::ResetCode | Kind::AddressCode => {
            values.code = Some(SAMPLE_CODE);
            values.set_lifetime(Duration::from_secs(600), language);
        }
        Kind::ResetLink => {
            values.url = Some("https://example.com/users/reset/MQ/token/");
            values.set_lifetime(Duration::from_secs(3600), language);
        }
        Kind::PasswordChanged | Kind::AddressChanged | Kind::AccountDeleted => {
            values.url = Some("https://example.com");
            values.at = Some(phrase::moment(Timestamp::default(), language));
        }
        Kind::AlreadyRegistered | Kind::AddressInUse => values.url = Some("https://example.com"),
        Kind::Test => values.at = Some(phrase::moment(Timestamp::default(), language)),
        Kind::Message => {}
    }
    values
}

/// A header has one line, whatever the template's author or a site's name put in.
fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}
