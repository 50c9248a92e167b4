//! The templates of the pages, compiled in, replaceable file by file from a folder. A template of
//! the folder that fails on a page is answered by the built-in one, and the log says why: nobody
//! is locked out by a slip.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use super::look::LookError;

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../templates/pages/", $name)))),*]
    };
}

/// The templates that the binary ships, by their names below `templates/pages/`.
const TEMPLATES: &[(&str, &str)] = files![
    "base.html",
    "form.html",
    "home.html",
    "trouble.html",
    "register.html",
    "register_code.html",
    "register_password.html",
    "login.html",
    "account.html",
    "email.html",
    "email_code.html",
    "delete.html",
    "password_reset.html",
    "password_reset_done.html",
    "reset.html",
    "reset_refused.html",
    "reset_done.html",
    "inbox_base.html",
    "inbox.html",
    "inbox_mail.html",
    "inbox_view.html",
    "inbox_help.html",
    "inbox_login.html",
];

/// Stylesheets and scripts, which are replaced as templates are.
pub const STATIC: &[(&str, &str)] = files!["pages.css", "pages.js", "inbox.css", "inbox.js"];

/// More than any page needs, less than would hurt.
const LARGEST: u64 = 256 << 10;

/// All templates, compiled.
pub struct Templates {
    built_in: Environment<'static>,
    replaced: Option<Environment<'static>>,
    /// The static files that were replaced.
    pub statics: BTreeMap<&'static str, String>,
}

impl Templates {
    /// The built-in ones, and those that `folder` has in their place, below `pages/`.
    ///
    /// # Errors
    /// A file of the folder cannot be read, replaces nothing, or is no template.
    pub fn load(folder: Option<&Path>) -> Result<Templates, LookError> {
        let mut built_in = environment();
        for (name, source) in TEMPLATES {
            let added = built_in.add_template(name, source);
            added.expect("the templates of the binary are well-formed");
        }
        let mut templates = Templates {
            built_in,
            replaced: None,
            statics: BTreeMap::new(),
        };
        let folder = folder.map(|folder| folder.join("pages"));
        let Some(folder) = folder.filter(|folder| folder.is_dir()) else {
            return Ok(templates);
        };
        let mut replaced = templates.built_in.clone();
        for (path, name, source) in files_of(&folder)? {
            if let Some((known, _)) = STATIC.iter().find(|(known, _)| *known == name) {
                templates.statics.insert(known, source);
            } else if TEMPLATES.iter().any(|(known, _)| *known == name) {
                let added = replaced.add_template_owned(name, source);
                added.map_err(|error| LookError::Template {
                    line: error.line(),
                    problem: error.detail().unwrap_or("it is no template").to_owned(),
                    file: path,
                })?;
            } else {
                return Err(LookError::Template {
                    line: None,
                    problem: unknown(&name),
                    file: path,
                });
            }
        }
        templates.replaced = Some(replaced);
        Ok(templates)
    }

    /// The page called `name`.
    pub fn render(&self, name: &str, values: &Value) -> String {
        if let Some(replaced) = &self.replaced {
            match draw(replaced, name, values) {
                Ok(page) => return page,
                Err(error) => tracing::error!(
                    name,
                    line = error.line(),
                    error = error.detail().unwrap_or_default(),
                    "a replaced template fails on its page; the built-in one stands in for it"
                ),
            }
        }
        draw(&self.built_in, name, values)
            .unwrap_or_else(|error| panic!("the built-in template {name} fails: {error:#}"))
    }
}

fn draw(
    environment: &Environment<'_>,
    name: &str,
    values: &Value,
) -> Result<String, minijinja::Error> {
    environment.get_template(name)?.render(values)
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .expect("the usual delimiters"),
    );
    environment
}

fn unknown(name: &str) -> String {
    let known = TEMPLATES.iter().chain(STATIC).map(|(known, _)| *known);
    let nearest = known
        .map(|known| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| *distance <= 4);
    match nearest {
        Some((_, known)) => format!("replaces no page of gatepost; did you mean {known}?"),
        None => {
            let known: Vec<&str> = TEMPLATES
                .iter()
                .chain(STATIC)
                .map(|(name, _)| *name)
                .collect();
            format!(
                "replaces no page of gatepost; there are {}",
                known.join(", ")
            )
        }
    }
}

/// Path, name and content of each file; those that begin with a dot are the file manager's.
fn files_of(folder: &Path) -> Result<Vec<(PathBuf, String, String)>, LookError> {
    let fault = |path: &Path, problem: String| LookError::Template {
        file: path.to_owned(),
        line: None,
        problem,
    };
    let unreadable =
        |path: &Path, error: std::io::Error| fault(path, format!("cannot be read: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| unreadable(folder, error))? {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| fault(&path, "its name is no UTF-8".to_owned()))?;
        if name.starts_with('.') {
            continue;
        }
        let about = std::fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if about.is_dir() {
            return Err(fault(&path, "there are no folders below pages/".to_owned()));
        }
        if about.len() > LARGEST {
            return Err(fault(&path, format!("larger than {LARGEST} bytes")));
        }
        let source = std::fs::read_to_string(&path).map_err(|error| unreadable(&path, error))?;
        files.push((path.clone(), name.to_owned(), source));
    }
    Ok(files)
}
