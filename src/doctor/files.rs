//! Which files of settings were looked for, where, and what lies beside them under a wrong name.
//! What must not live here: what stands in them.

use std::path::Path;
use std::path::PathBuf;

use crate::config::Request;
use crate::language::Language;

/// How many entries of a folder are looked at.
const MOST_ENTRIES: usize = 500;

/// How far up a file in the wrong folder is looked for.
const UP: usize = 3;

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where, from the root.
    pub path: PathBuf,
    /// What is there.
    pub kind: Kind,
}

/// What lies where a file was looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File,
    /// A folder: of this name it is a Python environment, mostly.
    Folder,
    /// Nothing.
    Nothing,
}

impl Found {
    fn at(path: &Path) -> Found {
        let kind = match std::fs::metadata(path) {
            Ok(found) if found.is_dir() => Kind::Folder,
            Ok(_) => Kind::File,
            // What cannot be looked at is an error of the settings, with its reason.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Kind::File,
            Err(_) => Kind::Nothing,
        };
        Found {
            path: from_root(path),
            kind,
        }
    }
}

/// `.env`, as the settings look for it.
pub fn dotenv(request: &Request) -> Found {
    Found::at(&request.folder.join(".env"))
}

/// `gatepost.toml`, or the file in its place.
pub fn file(request: &Request) -> Found {
    let name = request.file.clone();
    let name = name.unwrap_or_else(|| "gatepost.toml".into());
    Found::at(&request.folder.join(name))
}

/// Files that may have been meant for `.env` and are not read: with another name in the folder,
/// or with the right name in a folder above or below.
pub fn instead_of_dotenv(request: &Request) -> Vec<PathBuf> {
    let folder = from_root(&request.folder);
    let mut found = Vec::new();
    for (name, path) in entries(&folder) {
        let beside = looks_like_dotenv(&name) && path.is_file();
        if beside {
            found.push(path);
        } else if !name.starts_with('.') && path.join(".env").is_file() {
            found.push(path.join(".env"));
        }
    }
    let above = folder.ancestors().skip(1).take(UP);
    let above = above.map(|folder| folder.join(".env"));
    found.extend(above.filter(|path| path.is_file()));
    found.sort();
    found
}

fn looks_like_dotenv(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let example = ["example", "sample", "template", "dist"];
    lower != ".env"
        && !example.iter().any(|word| lower.contains(word))
        && (lower.starts_with(".env") || ["env", "dotenv", "env.txt"].contains(&lower.as_str()))
        || (lower == ".env" && name != ".env")
}

fn entries(folder: &Path) -> Vec<(String, PathBuf)> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let entries = entries.take(MOST_ENTRIES).filter_map(Result::ok);
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, entry.path())
        })
        .collect()
}

/// The path as people can find it again.
pub fn from_root(path: &Path) -> PathBuf {
    let path = match path.as_os_str().is_empty() {
        true => Path::new("."),
        false => path,
    };
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // `/a/.` is `/a`.
    absolute.components().collect()
}

/// The language that the settings probably name, when they cannot be loaded.
pub fn language(request: &Request) -> Language {
    const NAMES: [&str; 2] = ["GATEPOST_SITE_LANGUAGE", "LANGUAGE_CODE"];
    let environment = request.environment.iter();
    let mut named: Vec<String> = environment
        .filter(|(name, _)| NAMES.contains(&name.as_str()))
        .map(|(_, value)| value.clone())
        .collect();
    let dotenv = std::fs::read_to_string(request.folder.join(".env")).unwrap_or_default();
    for line in dotenv.lines() {
        if let Some((name, value)) = line.split_once('=')
            && NAMES.contains(&name.trim().trim_start_matches("export "))
        {
            named.push(value.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    let file = std::fs::read_to_string(file(request).path).unwrap_or_default();
    for line in file.lines() {
        if let Some((name, value)) = line.split_once('=')
            && ["language", "site.language"].contains(&name.trim())
        {
            named.push(value.trim().trim_matches(['"', '\'']).to_owned());
        }
    }
    let mut known = named.iter().filter_map(|name| name.parse().ok());
    known.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_were_meant_are_told_from_those_that_were_not() {
        for (name, meant) in [
            (".env.txt", true),
            (".env.local", true),
            (".ENV", true),
            ("env", true),
            (".env", false),
            (".env.example", false),
            ("environment", false),
            ("gatepost.toml", false),
        ] {
            assert_eq!(looks_like_dotenv(name), meant, "{name}");
        }
    }
}
