//! The templates that the team's other programs order mail by: `send/LANGUAGE/NAME` below the
//! folder of templates. The mails of gatepost itself are not among them, since they carry codes;
//! only their frame, `mail/base.html`, may be extended.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::PathBuf;

use minijinja::Environment;
use minijinja::ErrorKind;
use minijinja::Value;

use super::Rendered;
use super::TemplateError;
use super::built_in::BASE;
use super::engine::Engine;
use super::engine::PART;
use super::engine::TRY;
use super::engine::is_exhausted;
use super::explain;
use super::file;
use super::innermost;
use super::one_line;
use super::standin;
use super::standin::Gaps;
use crate::language::Language;
use crate::text::is_visible;

/// A file of the folder: where it lies, and what is in it.
pub type Source = (PathBuf, String);

/// The longest name of a template, in characters.
const NAME_CHARS: usize = 64;

/// What every template can name, whatever is given; the subject in text and HTML alone.
const ALWAYS: [&str; 5] = ["site_name", "url", "address", "language", "subject"];

/// The values of the first three of [`ALWAYS`].
#[derive(Debug, Clone, Copy)]
pub struct Always<'a> {
    /// The name of the site.
    pub site_name: &'a str,
    /// The address of the site.
    pub url: &'a str,
    /// Whom the mail goes to.
    pub address: &'a str,
}

/// Why there is no mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// There is no such template; these there are.
    Unknown(Vec<String>),
    /// Values that it needs are not there: a JSON pointer to each.
    Missing(Vec<String>),
    /// It fails with these values.
    Failed(TemplateError),
}

/// One template in one language.
struct Mail {
    subject: String,
    text: String,
    html: Option<String>,
    /// The values that it names, in itself or in what it includes, as paths with dots between.
    names: BTreeSet<String>,
}

/// All of them, compiled.
pub struct Programs {
    environment: Environment<'static>,
    mails: BTreeMap<String, BTreeMap<&'static str, Mail>>,
}

/// What a name below `send/` is.
enum Place<'a> {
    /// A part of a mail: its language and its name.
    Part(Language, &'a str),
    /// Something that others include or extend.
    Shared,
}

/// What a part is rendered with, made of what is always there.
type Context<'a> = dyn Fn(&[(&str, &str)]) -> Value + 'a;

const PARTS: [&str; 3] = [".subject.txt", ".txt", ".html"];

fn place(name: &str) -> Option<Place<'_>> {
    let inside = name.strip_prefix("send/")?;
    let file = inside.rsplit('/').next().unwrap_or(inside);
    if file.starts_with('_') {
        return Some(Place::Shared);
    }
    let (language, file) = inside.split_once('/')?;
    let mut languages = Language::ALL.into_iter();
    let language = languages.find(|known| known.tag() == language)?;
    let part = PARTS.into_iter().find(|part| file.ends_with(part))?;
    let stem = &file[..file.len() - part.len()];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let named = !stem.is_empty() && stem.len() <= NAME_CHARS && stem.chars().all(plain);
    named.then_some(Place::Part(language, stem))
}

/// Why a file of this name cannot be used; `None` when it can.
pub fn fault_of_name(name: &str) -> Option<&'static str> {
    place(name).is_none().then_some(
        "a template for programs is called send/LANGUAGE/NAME.subject.txt, .txt or .html, with \
         LANGUAGE one of zh-hant, zh-hans and en, and NAME of letters, digits, _ and -; a file \
         that others include begins with _",
    )
}

impl Programs {
    /// Compiles the files whose names begin with `send/`; `base` is the replacement of the frame.
    ///
    /// # Errors
    /// The first one that does not compile, names a template, filter or function that there is
    /// not, or lacks its subject or its text.
    pub fn load(
        files: &BTreeMap<String, Source>,
        mut environment: Environment<'static>,
    ) -> Result<Programs, TemplateError> {
        let paths: BTreeMap<String, PathBuf> = files
            .iter()
            .map(|(name, (path, _))| (name.clone(), path.clone()))
            .collect();
        let base = files
            .get(BASE.0)
            .map_or(BASE.1, |(_, source)| source.as_str());
        let ours = files.iter().filter(|(name, _)| name.starts_with("send/"));
        let ours = ours.map(|(name, (_, source))| (name.as_str(), source.as_str()));
        let sources: BTreeMap<&str, &str> = ours.chain([(BASE.0, base)]).collect();
        for (name, source) in &sources {
            environment
                .add_template_owned((*name).to_owned(), (*source).to_owned())
                .map_err(|error| explain(&paths, name, &error))?;
        }
        let mut programs = Programs {
            environment,
            mails: BTreeMap::new(),
        };
        let parts = sources.keys().filter_map(|name| match place(name) {
            Some(Place::Part(language, stem)) => Some(((stem, language.tag()), language)),
            _ => None,
        });
        for ((stem, _), language) in parts.collect::<BTreeMap<_, _>>() {
            let mail = programs.mail(&sources, &paths, language, stem)?;
            programs.try_out(&paths, &mail, language)?;
            let of_name = programs.mails.entry(stem.to_owned()).or_default();
            of_name.insert(language.tag(), mail);
        }
        Ok(programs)
    }

    fn mail(
        &self,
        sources: &BTreeMap<&str, &str>,
        paths: &BTreeMap<String, PathBuf>,
        language: Language,
        stem: &str,
    ) -> Result<Mail, TemplateError> {
        let name = |part: &str| format!("send/{language}/{stem}{part}");
        let there =
            |part: &str| Some(name(part)).filter(|name| sources.contains_key(name.as_str()));
        let needed = |part: &str, what: &str| {
            there(part).ok_or_else(|| {
                let any = PARTS.into_iter().find_map(there).unwrap_or_default();
                let lacks = name(part);
                TemplateError {
                    file: file(paths, &any),
                    line: None,
                    problem: format!("the mail has no {what}; add {lacks}"),
                }
            })
        };
        let subject = needed(".subject.txt", "subject")?;
        let text = needed(".txt", "text, which every mail needs beside HTML")?;
        let html = there(".html");
        let given = ALWAYS.into_iter().map(str::to_owned);
        let functions = self.environment.globals().map(|(name, _)| name.to_owned());
        let always: BTreeSet<String> = given.chain(functions).collect();
        let mut names = BTreeSet::new();
        let mut reached = BTreeSet::new();
        let mut ahead = vec![subject.as_str(), text.as_str()];
        ahead.extend(html.as_deref());
        while let Some(next) = ahead.pop() {
            if !reached.insert(next) {
                continue;
            }
            if let Ok(template) = self.environment.get_template(next) {
                let undeclared = template.undeclared_variables(true).into_iter();
                names.extend(undeclared.filter(|name| !always.contains(name)));
            }
            // What it extends, includes or imports stands in it in quotes.
            let source = sources.get(next).copied().unwrap_or_default();
            let quoted = |name: &&str| {
                source.contains(&format!("'{name}'")) || source.contains(&format!("\"{name}\""))
            };
            ahead.extend(sources.keys().copied().filter(quoted));
        }
        Ok(Mail {
            subject,
            text,
            html,
            names,
        })
    }

    /// Renders it once with stand-ins: they cannot tell whether it works, but whether all that it
    /// names beside values is there.
    fn try_out(
        &self,
        paths: &BTreeMap<String, PathBuf>,
        mail: &Mail,
        language: Language,
    ) -> Result<(), TemplateError> {
        let always = Always {
            site_name: "Example",
            url: "https://example.com",
            address: "ann@example.com",
        };
        let [filling, ..] = standin::fillings();
        let gaps = Gaps::of(&mail.names, &BTreeMap::new(), filling);
        let mut engine = Engine::new(&self.environment);
        let Err((name, error)) = parts(&mut engine, PART, mail, language, always, &|extra| {
            standin::context(&BTreeMap::new(), extra, &gaps, None)
        }) else {
            return Ok(());
        };
        let lacking = matches!(
            innermost(&error).kind(),
            ErrorKind::TemplateNotFound
                | ErrorKind::UnknownFilter
                | ErrorKind::UnknownTest
                | ErrorKind::UnknownFunction
        );
        if lacking {
            return Err(explain(paths, name, &error));
        }
        Ok(())
    }

    /// Renders the template called `name` in the first of `languages` that it has, or in any.
    /// Values that it does not use are let be. Answers the language as well.
    pub fn render(
        &self,
        name: &str,
        languages: [Language; 2],
        always: Always<'_>,
        values: &BTreeMap<String, serde_json::Value>,
    ) -> Result<(Rendered, Language), Refused> {
        let Some(mails) = self.mails.get(name) else {
            return Err(Refused::Unknown(self.mails.keys().cloned().collect()));
        };
        let found = languages
            .into_iter()
            .chain(Language::ALL)
            .find_map(|language| mails.get(language.tag()).map(|mail| (mail, language)));
        let Some((mail, language)) = found else {
            return Err(Refused::Unknown(Vec::new()));
        };
        let mut engine = Engine::new(&self.environment);
        let rendered = attempt(&mut engine, mail, language, always, values)?;
        Ok((rendered, language))
    }
}

fn attempt(
    engine: &mut Engine,
    mail: &Mail,
    language: Language,
    always: Always<'_>,
    values: &BTreeMap<String, serde_json::Value>,
) -> Result<Rendered, Refused> {
    let nothing = Gaps::default();
    let rendered = parts(engine, PART, mail, language, always, &|extra| {
        standin::context(values, extra, &nothing, None)
    });
    match rendered {
        Ok(rendered) if is_visible(&rendered.subject) => Ok(rendered),
        Ok(_) => Err(Refused::Failed(TemplateError {
            file: PathBuf::from(&mail.subject),
            line: Some(1),
            problem: "the subject comes out empty".to_owned(),
        })),
        Err((part, error)) => {
            if is_exhausted(&error) {
                return Err(Refused::Failed(TemplateError {
                    file: PathBuf::from(part),
                    line: None,
                    problem: "with these values it takes too many steps".to_owned(),
                }));
            }
            let missing = match is_of_gap(&error) {
                true => missing(engine, mail, language, always, values),
                false => Vec::new(),
            };
            Err(match missing.is_empty() {
                // Whoever reads this knows the template's name, and not our folders.
                true => Refused::Failed(explain(&BTreeMap::new(), part, &error)),
                false => Refused::Missing(missing),
            })
        }
    }
}

/// The values that it cannot do without: for each that it names and that is not there, it is tried
/// whether it renders when that one alone is absent. When the budget is spent before all are
/// tried, the rest goes without saying.
fn missing(
    engine: &mut Engine,
    mail: &Mail,
    language: Language,
    always: Always<'_>,
    values: &BTreeMap<String, serde_json::Value>,
) -> Vec<String> {
    let tries = standin::fillings().map(|filling| Gaps::of(&mail.names, values, filling));
    let mut needed = |path: &&str| {
        for gaps in &tries {
            let tried = parts(engine, TRY, mail, language, always, &|extra| {
                standin::context(values, extra, gaps, Some(path))
            });
            match tried {
                Ok(_) => return false,
                Err((_, error)) if is_of_gap(&error) => return true,
                // Nothing is known then, and nothing is said.
                Err((_, error)) if is_exhausted(&error) => return false,
                // It did not go well with what stands in for the others.
                Err(_) => {}
            }
        }
        true
    };
    tries[0]
        .paths()
        .filter(|path| needed(path))
        .map(pointer)
        .collect()
}

/// Renders the parts of a mail, each in at most `most` steps.
fn parts<'m>(
    engine: &mut Engine,
    most: u64,
    mail: &'m Mail,
    language: Language,
    always: Always<'_>,
    context: &Context<'_>,
) -> Result<Rendered, (&'m str, minijinja::Error)> {
    let mut part = |name: &'m str, values| {
        let rendered = engine.render(name, values, most);
        rendered.map_err(|error| (name, error))
    };
    let mut extra = vec![
        ("site_name", always.site_name),
        ("url", always.url),
        ("address", always.address),
        ("language", language.tag()),
    ];
    let subject = one_line(&part(&mail.subject, context(&extra))?);
    extra.push(("subject", &subject));
    let values = context(&extra);
    let text = part(&mail.text, values.clone())?;
    let html = mail.html.as_deref();
    let html = html.map(|html| part(html, values)).transpose()?;
    Ok(Rendered {
        subject,
        text,
        html,
    })
}

/// Whether an error comes of a value that is not there.
fn is_of_gap(error: &minijinja::Error) -> bool {
    let error = innermost(error);
    let told = error
        .detail()
        .is_some_and(|told| told.contains("undefined"));
    error.kind() == ErrorKind::UndefinedError || told
}

/// `order.total` as a pointer into the body of the request (RFC 6901).
fn pointer(path: &str) -> String {
    format!("/values/{}", path.replace('~', "~0").replace('.', "/"))
}

#[cfg(test)]
mod tests;
