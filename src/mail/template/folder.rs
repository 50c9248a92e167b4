//! The folder whose files stand in for shipped templates, laid out as `templates/` is, and in
//! which those for other programs lie, below `send/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{TemplateError, built_in, program};

/// More than any template needs, less than would hurt.
const LARGEST: u64 = 64 << 10;

/// Deeper than the layout of `templates/` goes.
const DEEPEST: usize = 4;

/// The files of `folder` by the names of the templates that they replace or are. Names that begin with
/// a dot are left alone: editors, version control and file managers put them everywhere.
pub fn read(folder: &Path) -> Result<BTreeMap<String, (PathBuf, String)>, TemplateError> {
    let mut files = BTreeMap::new();
    walk(folder, "", 0, &mut files)?;
    Ok(files)
}

fn walk(
    folder: &Path,
    prefix: &str,
    depth: usize,
    files: &mut BTreeMap<String, (PathBuf, String)>,
) -> Result<(), TemplateError> {
    if depth > DEEPEST {
        return Err(fault(folder, "no template lies so deep".to_owned()));
    }
    let unreadable = |error: std::io::Error| fault(folder, format!("cannot be read: {error}"));
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let Some(file_name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(fault(&path, "its name is no UTF-8".to_owned()));
        };
        if file_name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{file_name}");
        // Those of the pages are read by whoever shows them.
        if name == "pages" {
            continue;
        }
        if path.is_dir() {
            walk(&path, &format!("{name}/"), depth + 1, files)?;
        } else {
            check_name(&path, &name)?;
            let source = read_file(&path)?;
            files.insert(name, (path, source));
        }
    }
    Ok(())
}

fn check_name(path: &Path, name: &str) -> Result<(), TemplateError> {
    if built_in::all().any(|(known, _)| known == name) {
        return Ok(());
    }
    if name.starts_with("send/") {
        let wrong = program::fault_of_name(name);
        return wrong.map_or(Ok(()), |wrong| Err(fault(path, wrong.to_owned())));
    }
    let near = built_in::all()
        .map(|(known, _)| (strsim::damerau_levenshtein(known, name), known))
        .min()
        .filter(|(distance, _)| *distance <= 6);
    Err(fault(
        path,
        match near {
            Some((_, known)) => {
                format!("replaces no template of gatepost; did you mean {known}?")
            }
            None => "replaces no template of gatepost; the names are \
                     mail/LANGUAGE/KIND.subject.txt, .txt and .html, and mail/base.html; \
                     those for other programs are send/LANGUAGE/NAME.subject.txt, .txt and .html"
                .to_owned(),
        },
    ))
}

fn read_file(path: &Path) -> Result<String, TemplateError> {
    let unreadable = |error: std::io::Error| fault(path, format!("cannot be read: {error}"));
    if std::fs::metadata(path).map_err(unreadable)?.len() > LARGEST {
        return Err(fault(path, format!("larger than {LARGEST} bytes")));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

fn fault(path: &Path, problem: String) -> TemplateError {
    TemplateError {
        file: path.to_owned(),
        line: None,
        problem,
    }
}
