//! Looking for the value of each setting: in the flags, the environment, `.env`, `gatepost.toml`,
//! in this order. What must not live here: what the values mean.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use super::error::Error;
use super::origin::{Chosen, Source};
use super::settings::DEFINITIONS;
use super::table::Definition;
use super::{Request, dotenv, file, value};

/// A variable with its text, in the environment or in `.env`.
struct Variable {
    text: String,
    source: Source,
}

/// The variables of one layer. One that is set to nothing counts as not set, as projects write it
/// in the `.env` that they hand out.
type Variables = BTreeMap<String, Variable>;

/// For every definition, in their order, the text that counts.
pub(super) fn choose(
    request: &Request,
    errors: &mut Vec<Error>,
    warnings: &mut Vec<String>,
) -> Vec<Chosen> {
    let environment = of_environment(request);
    let dotenv = of_dotenv(&request.folder, errors, warnings);
    let mut file = of_file(request, errors);
    for (place, variables) in [("environment", &environment), (".env", &dotenv)] {
        refuse_unknown(place, variables, errors);
    }
    let security = security(&environment, &dotenv, errors);
    DEFINITIONS
        .iter()
        .map(|definition| {
            let (text, source) = of_flags(request, definition)
                .or_else(|| of_variables(&environment, definition, errors))
                .or_else(|| security_in(&security, definition, true))
                .or_else(|| of_variables(&dotenv, definition, errors))
                .or_else(|| security_in(&security, definition, false))
                .or_else(|| file.remove(definition.name))
                .unwrap_or_else(|| (definition.default.to_owned(), Source::Default));
            Chosen {
                definition,
                text: text.trim().to_owned(),
                source,
            }
        })
        .collect()
}

fn of_flags(request: &Request, definition: &Definition) -> Option<(String, Source)> {
    let flag = request
        .flags
        .iter()
        .find(|flag| flag.setting == definition.name)?;
    Some((flag.value.clone(), Source::Flag(flag.flag)))
}

fn of_environment(request: &Request) -> Variables {
    request
        .environment
        .iter()
        .filter(|(_, text)| !text.trim().is_empty())
        .map(|(name, text)| {
            let variable = Variable {
                text: text.clone(),
                source: Source::Environment(name.clone()),
            };
            (name.clone(), variable)
        })
        .collect()
}

fn of_dotenv(folder: &Path, errors: &mut Vec<Error>, warnings: &mut Vec<String>) -> Variables {
    let path = folder.join(".env");
    // A folder of this name is a Python environment, not a file of settings.
    if path.is_dir() {
        return Variables::new();
    }
    let Some(text) = read(&path, false, errors) else {
        return Variables::new();
    };
    let (lines, refused) = dotenv::parse(&text);
    for refused in refused {
        let said = format!("{}:{}: {}", path.display(), refused.number, refused.reason);
        // The file is the project's: what is no concern of ours may be written as it likes.
        if is_ours(&refused.variable) {
            errors.push(Error(said));
        } else {
            warnings.push(format!("{said}; the line is skipped"));
        }
    }
    let mut variables = Variables::new();
    for line in lines {
        let source = Source::DotEnv {
            file: path.clone(),
            line: line.number,
            variable: line.variable.clone(),
        };
        let text = line.value;
        variables.insert(line.variable, Variable { text, source });
    }
    variables.retain(|_, variable| !variable.text.trim().is_empty());
    variables
}

fn of_file(request: &Request, errors: &mut Vec<Error>) -> HashMap<&'static str, (String, Source)> {
    let mut found = HashMap::new();
    let (path, asked_for): (PathBuf, bool) = match &request.file {
        Some(path) => (request.folder.join(path), true),
        None => (request.folder.join("gatepost.toml"), false),
    };
    let Some(text) = read(&path, asked_for, errors) else {
        return found;
    };
    let entries = match file::parse(&text) {
        Ok(entries) => entries,
        Err(refused) => {
            errors.extend(refused.into_iter().map(|(line, reason)| {
                Error(format!("{}:{line}: not TOML: {reason}", path.display()))
            }));
            return found;
        }
    };
    for entry in entries {
        let place = format!("{}:{}", path.display(), entry.line);
        let whole = DEFINITIONS.iter().find(|d| d.name == entry.name);
        let pair = DEFINITIONS
            .iter()
            .filter(|d| d.open)
            .find_map(|definition| {
                let key = entry
                    .name
                    .strip_prefix(definition.name)?
                    .strip_prefix('.')?;
                Some((definition, Some(key)))
            });
        let Some((definition, key)) = whole.map(|definition| (definition, None)).or(pair) else {
            let known = DEFINITIONS.iter().map(|definition| definition.name);
            errors.push(Error::unknown("the setting", &entry.name, &place, known));
            continue;
        };
        match entry.value {
            Ok(text) => {
                let file = path.clone();
                let line = entry.line;
                let source = Source::File { file, line };
                match key {
                    None => {
                        found.insert(definition.name, (text, source));
                    }
                    Some(key) => {
                        let (pairs, _) = found
                            .entry(definition.name)
                            .or_insert_with(|| (String::new(), source));
                        let gap = if pairs.is_empty() { "" } else { "; " };
                        pairs.push_str(&format!("{gap}{key}={text}"));
                    }
                }
            }
            Err(found) => errors.push(Error(format!(
                "{}: {found} cannot be its value; write it as a text, a number, true or false ({place})",
                definition.name
            ))),
        }
    }
    found
}

fn read(path: &Path, asked_for: bool, errors: &mut Vec<Error>) -> Option<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if asked_for {
                errors.push(Error(format!(
                    "--config: there is no file {}",
                    path.display()
                )));
            }
            None
        }
        Err(error) => {
            errors.push(Error(format!("{} cannot be read: {error}", path.display())));
            None
        }
    }
}

/// The variable named after the setting, or else one of its aliases.
fn of_variables(
    variables: &Variables,
    definition: &Definition,
    errors: &mut Vec<Error>,
) -> Option<(String, Source)> {
    if let Some(variable) = variables.get(&definition.variable()) {
        return Some((variable.text.clone(), variable.source.clone()));
    }
    for alias in definition.aliases {
        let Some(variable) = variables.get(alias.variable) else {
            continue;
        };
        match (alias.convert)(variable.text.trim()) {
            Ok(text) => return Some((text, variable.source.clone())),
            Err(right) => errors.push(Error(format!(
                "{}: {:?} is not {right} ({})",
                alias.variable, variable.text, variable.source
            ))),
        }
    }
    None
}

/// Whether a variable of this name is meant for gatepost.
fn is_ours(name: &str) -> bool {
    name.starts_with("GATEPOST_")
        || [USE_TLS, USE_SSL].contains(&name)
        || DEFINITIONS
            .iter()
            .flat_map(|definition| definition.aliases)
            .any(|alias| alias.variable == name)
}

/// What Kubernetes sets in every container beside a service that is called `gatepost`; it means
/// nothing to us, and nobody there can leave it out.
fn is_of_kubernetes(name: &str) -> bool {
    let Some(name) = name.strip_prefix("GATEPOST_") else {
        return false;
    };
    if name.starts_with("SERVICE_PORT_") {
        return true;
    }
    let parts: Vec<&str> = name.split('_').collect();
    match parts[..] {
        ["PORT"] | ["SERVICE", "HOST" | "PORT"] => true,
        ["PORT", port, "TCP" | "UDP" | "SCTP", ref what @ ..] => {
            port.parse::<u16>().is_ok() && matches!(what, [] | ["ADDR" | "PORT" | "PROTO"])
        }
        _ => false,
    }
}

fn refuse_unknown(place: &str, variables: &Variables, errors: &mut Vec<Error>) {
    let known: Vec<String> = DEFINITIONS.iter().map(Definition::variable).collect();
    for (name, variable) in variables {
        let of_kubernetes =
            matches!(variable.source, Source::Environment(_)) && is_of_kubernetes(name);
        if name.starts_with("GATEPOST_") && !known.contains(name) && !of_kubernetes {
            let place = match &variable.source {
                Source::DotEnv { file, line, .. } => format!("{}:{line}", file.display()),
                _ => place.to_owned(),
            };
            let known = known.iter().map(String::as_str);
            errors.push(Error::unknown("the variable", name, &place, known));
        }
    }
}

const USE_TLS: &str = "EMAIL_USE_TLS";
const USE_SSL: &str = "EMAIL_USE_SSL";

/// Django's pair EMAIL_USE_TLS and EMAIL_USE_SSL, which together say what `relay.security` says.
/// As in Django they may not both be true, wherever either was set.
fn security(
    environment: &Variables,
    dotenv: &Variables,
    errors: &mut Vec<Error>,
) -> Option<(String, Source)> {
    let mut flag = |name: &str| {
        let variable = environment.get(name).or_else(|| dotenv.get(name))?;
        match value::flag(variable.text.trim()) {
            Ok(on) => Some((on, variable.source.clone())),
            Err(right) => {
                errors.push(Error(format!(
                    "{name}: {:?} is not {right} ({})",
                    variable.text, variable.source
                )));
                None
            }
        }
    };
    match (flag(USE_TLS), flag(USE_SSL)) {
        (Some((true, tls)), Some((true, ssl))) => {
            errors.push(Error(format!(
                "EMAIL_USE_TLS ({tls}) and EMAIL_USE_SSL ({ssl}) are both true; \
                 set EMAIL_USE_TLS for STARTTLS (port 587) or EMAIL_USE_SSL for TLS from the \
                 start (port 465), the other one to False"
            )));
            None
        }
        (_, Some((true, source))) => Some(("implicit".to_owned(), source)),
        (Some((true, source)), _) => Some(("starttls".to_owned(), source)),
        (Some((false, source)), _) | (None, Some((false, source))) => {
            Some(("none".to_owned(), source))
        }
        (None, None) => None,
    }
}

fn security_in(
    security: &Option<(String, Source)>,
    definition: &Definition,
    environment: bool,
) -> Option<(String, Source)> {
    let (_, source) = security.as_ref()?;
    let here = matches!(source, Source::Environment(_)) == environment;
    (definition.name == "relay.security" && here).then(|| security.clone())?
}
