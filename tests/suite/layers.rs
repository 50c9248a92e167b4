//! Imports point downwards only. Every `crate::` path of every source file is read, in the `use`
//! lines and in the middle of code, and held against the table below.

use std::path::Path;
use std::path::PathBuf;

/// The modules of the library, from the ground up. A module may name those on the lines above its
/// own; neighbours on one line do not know each other.
const LAYERS: &[&[&str]] = &[
    &["text", "world"],
    &["address", "language", "secret"],
    &["events", "minutes"],
    &["journal", "store"],
    &["id"],
    &["audit"],
    &["inbox", "mail"],
    &["identity"],
    &["operator"],
    &["http"],
    &["client", "config"],
    &["serve"],
    &["doctor", "tui"],
    &["cli"],
];

/// Only these may name `config`: everybody else is handed settings of their own.
const MAY_NAME_CONFIG: &[&str] = &["cli", "serve", "doctor"];

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_point_downwards() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut wrong = Vec::new();
    for file in sources(&root.join("src")) {
        let shown = file.strip_prefix(root).unwrap().display().to_string();
        let module = module_of(&shown);
        if matches!(module.as_str(), "lib" | "main") {
            continue;
        }
        let Some(own) = layer(&module) else {
            wrong.push(format!(
                "{shown}: the module {module} is not in the table of layers"
            ));
            continue;
        };
        let code = without_comments_and_texts(&std::fs::read_to_string(&file).unwrap());
        for (line, named) in crate_paths(&code) {
            if named == module {
                continue;
            }
            let reason = match layer(&named) {
                None => "it is not in the table of layers; name one module a line".to_owned(),
                Some(other) if other >= own => "imports point downwards only".to_owned(),
                Some(_) if named == "config" && !MAY_NAME_CONFIG.contains(&&*module) => {
                    format!("only {} may", MAY_NAME_CONFIG.join(", "))
                }
                Some(_) => continue,
            };
            wrong.push(format!(
                "{shown}:{line}: {module} names crate::{named}: {reason}"
            ));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// `src/mail/letter.rs` and `src/mail.rs` belong to `mail`.
fn module_of(file: &str) -> String {
    let inside = file.strip_prefix("src/").unwrap_or(file);
    let end = inside.find(['/', '.']).unwrap_or(inside.len());
    inside[..end].to_owned()
}

/// The first segment behind every `crate::`, with its line from 1.
fn crate_paths(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        for (at, path) in line.match_indices("crate::") {
            let inside_a_word = line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            if inside_a_word {
                continue;
            }
            let segment: String = line[at + path.len()..]
                .chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect();
            found.push((index + 1, segment));
        }
    }
    found
}

/// The code with comments and the insides of texts blanked out; lines keep their numbers.
fn without_comments_and_texts(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    let mut kept = String::with_capacity(code.len());
    let mut at = 0;
    let starts = |at: usize, text: &str| {
        text.chars()
            .enumerate()
            .all(|(i, c)| chars.get(at + i) == Some(&c))
    };
    // Skips to `end`, keeping the ends of lines only.
    let skip = |from: usize, end: usize, kept: &mut String| {
        kept.extend(chars[from..end].iter().filter(|c| **c == '\n'));
        end
    };
    while at < chars.len() {
        if starts(at, "//") {
            let end = (at..chars.len())
                .find(|i| chars[*i] == '\n')
                .unwrap_or(chars.len());
            at = skip(at, end, &mut kept);
        } else if starts(at, "/*") {
            let (mut depth, mut end) = (1, at + 2);
            while depth > 0 && end < chars.len() {
                if starts(end, "/*") {
                    depth += 1;
                    end += 2;
                } else if starts(end, "*/") {
                    depth -= 1;
                    end += 2;
                } else {
                    end += 1;
                }
            }
            at = skip(at, end.min(chars.len()), &mut kept);
        } else if chars[at] == 'r' && (starts(at, "r\"") || starts(at, "r#")) {
            let hashes = chars[at + 1..].iter().take_while(|c| **c == '#').count();
            if chars.get(at + 1 + hashes) == Some(&'"') {
                let close = "\"".to_owned() + &"#".repeat(hashes);
                let from = at + 2 + hashes;
                let end = (from..chars.len())
                    .find(|i| starts(*i, &close))
                    .unwrap_or(chars.len());
                at = skip(at, (end + 1 + hashes).min(chars.len()), &mut kept);
            } else {
                kept.push(chars[at]); // a raw identifier
                at += 1;
            }
        } else if chars[at] == '"' {
            let mut end = at + 1;
            while end < chars.len() && chars[end] != '"' {
                end += if chars[end] == '\\' { 2 } else { 1 };
            }
            at = skip(at, (end + 1).min(chars.len()), &mut kept);
        } else if chars[at] == '\'' && chars.get(at + 1) == Some(&'\\') {
            let end = (at + 3..chars.len())
                .find(|i| chars[*i] == '\'')
                .unwrap_or(chars.len() - 1);
            at = skip(at, end + 1, &mut kept);
        } else if chars[at] == '\'' && chars.get(at + 2) == Some(&'\'') {
            at = skip(at, at + 3, &mut kept);
        } else {
            kept.push(chars[at]);
            at += 1;
        }
    }
    kept
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn the_reader_of_paths_sees_what_counts_and_nothing_else() {
    let code = without_comments_and_texts(
        "//! crate::a\nuse crate::b::C; /* crate::c\n /* crate::d */ */ let x = \"crate::e \\\" \";\n\
         let y = r#\"crate::f\"#; let z = '\"'; call(crate::g::h('\\'', \"//\")); // crate::i\n\
         fn f<'a>(x: &'a str) -> crate::j { pub(in crate::k) other_crate::l::m() }\n\
         let r#type = 1; use crate::{n, o};",
    );
    let found: Vec<_> = crate_paths(&code);
    let found: Vec<_> = found
        .iter()
        .map(|(line, name)| (*line, name.as_str()))
        .collect();
    assert_eq!(found, [(2, "b"), (4, "g"), (5, "j"), (5, "k"), (6, "")]);
    assert_eq!(module_of("src/mail/outbox/row.rs"), "mail");
    assert_eq!(module_of("src/world.rs"), "world");
}
