//! What a reader relies on in this tree, and what no compiler checks.

use std::collections::BTreeMap;
use std::path::Path;
use std::path::PathBuf;

/// Longer than this, a file says at its head why, with the words "500 lines".
const LONG: usize = 500;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file that is kept under version control, as far as it is ours and text.
fn files() -> Vec<(String, String)> {
    let mut found = Vec::new();
    let tops = [".ci", ".cargo", "src", "templates", "tests", "xtask"];
    for top in tops {
        walk(&root().join(top), &mut found);
    }
    for name in [
        "Cargo.toml",
        "README.md",
        "clippy.toml",
        "data/README.md",
        "gatepost.toml.example",
    ] {
        found.push(root().join(name));
    }
    found
        .into_iter()
        .filter_map(|path| {
            let text = std::fs::read_to_string(&path).ok()?;
            let shown = path.strip_prefix(root()).unwrap().display().to_string();
            Some((shown, text))
        })
        .collect()
}

fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.ends_with("node_modules") {
            continue;
        }
        if path.is_dir() {
            walk(&path, into);
        } else {
            into.push(path);
        }
    }
    into.sort();
}

fn rust_files() -> Vec<(String, String)> {
    let files = files()
        .into_iter()
        .filter(|(name, _)| name.ends_with(".rs"));
    files.collect()
}

fn nothing(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_file_opens_with_what_lives_in_it() {
    let mut wrong = Vec::new();
    for (name, text) in rust_files() {
        if !text.starts_with("//! ") {
            wrong.push(format!("{name}: opens without //!"));
        }
    }
    nothing(&wrong);
}

#[test]
fn a_long_file_says_why() {
    let mut wrong = Vec::new();
    for (name, text) in rust_files() {
        let lines = text.lines().count();
        let head = text.lines().take_while(|line| line.starts_with("//!"));
        let excused = head.collect::<String>().contains("500 lines");
        if lines > LONG && !excused {
            wrong.push(format!(
                "{name}: {lines} lines, and its head does not say why"
            ));
        }
    }
    nothing(&wrong);
}

#[test]
fn files_are_named_by_what_they_hold() {
    let mut wrong = Vec::new();
    for (name, _) in rust_files() {
        let says_nothing = name.split(['/', '.']).any(|part| {
            matches!(
                part,
                "util" | "utils" | "helper" | "helpers" | "common" | "misc"
            )
        });
        if says_nothing {
            wrong.push(format!(
                "{name}: a helper belongs to the noun that it helps"
            ));
        }
    }
    nothing(&wrong);
}

#[test]
fn tables_of_the_store_have_names_of_their_own() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, text) in rust_files() {
        // A file's own tests may use tables of their own making.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        if !name.starts_with("src/") {
            continue;
        }
        for (index, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for rest in line.split("Table::new(\"").skip(1) {
                let table = rest.split('"').next().unwrap_or_default();
                let place = format!("{name}:{}", index + 1);
                places.entry(table.to_owned()).or_default().push(place);
            }
        }
    }
    assert!(
        !places.is_empty(),
        "no table was found: is this test blind?"
    );
    let mut wrong = Vec::new();
    for (table, places) in places {
        if places.len() > 1 {
            wrong.push(format!(
                "the table {table:?} is made at {}",
                places.join(" and ")
            ));
        }
    }
    nothing(&wrong);
}

#[test]
fn nothing_is_left_for_later() {
    // Written in two halves, so that this file does not hold them.
    let marks = [["TO", "DO"], ["FIX", "ME"], ["XX", "X:"], ["HA", "CK:"]].map(|m| m.concat());
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (index, line) in text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark.as_str())) {
                wrong.push(format!("{name}:{}: {}", index + 1, line.trim()));
            }
        }
    }
    nothing(&wrong);
}

/// Mail to an address in this tree must reach nobody (RFC 2606, RFC 6761).
fn reaches_nobody(domain: &str) -> bool {
    let domain = domain.to_ascii_lowercase();
    let reserved = ["example.com", "example.org", "example.net"];
    let under = |top: &str| domain == top || domain.ends_with(&format!(".{top}"));
    reserved.iter().any(|top| under(top))
        || ["test", "example", "invalid", "localhost"].iter().any(|top| under(top))
        // No domain at all: nothing that a mail could be sent to.
        || domain.contains("..")
        || domain.rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()))
}

#[test]
fn addresses_in_this_tree_reach_nobody() {
    let word = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    let mut wrong = Vec::new();
    for (name, text) in files() {
        for (index, line) in text.lines().enumerate() {
            for (at, _) in line.match_indices('@') {
                let local = line[..at].ends_with(word);
                let domain: String = line[at + 1..]
                    .chars()
                    .take_while(|c| c.is_ascii_alphanumeric() || ".-".contains(*c))
                    .collect();
                let domain = domain.trim_matches(['.', '-']);
                if local && domain.contains('.') && !reaches_nobody(domain) {
                    wrong.push(format!("{name}:{}: …@{domain}", index + 1));
                }
            }
        }
    }
    nothing(&wrong);
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).unwrap()
}

#[test]
fn continuous_integration_runs_what_the_readme_says() {
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    let readme = readme();
    for command in ["cargo test --workspace", "cargo xtask check"] {
        let on_its_own = |text: &str| text.lines().any(|line| line.trim() == command);
        assert!(on_its_own(&readme), "README.md lacks `{command}`");
        assert!(on_its_own(&ci), ".ci/run lacks `{command}`");
    }
    assert!(
        readme
            .lines()
            .any(|line| line.trim() == "cargo run --release -- dev")
    );
}

#[test]
fn the_readme_names_only_settings_that_exist() {
    let known: Vec<&str> = gatepost::config::DEFINITIONS
        .iter()
        .map(|d| d.name)
        .collect();
    let sections: Vec<&str> = known.iter().filter_map(|n| n.split('.').next()).collect();
    let variables: Vec<String> = gatepost::config::DEFINITIONS
        .iter()
        .flat_map(|d| {
            let aliases = d.aliases.iter().map(|alias| alias.variable.to_owned());
            aliases.chain([d.variable()]).collect::<Vec<_>>()
        })
        .chain(["EMAIL_USE_TLS", "EMAIL_USE_SSL"].map(str::to_owned))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for quoted in readme().split('`').skip(1).step_by(2) {
        let word = quoted.split([' ', '=']).next().unwrap_or_default();
        let section = word.split('.').next().unwrap_or_default();
        let setting = word.contains('.') && sections.contains(&section);
        let variable = word.contains('_')
            && word
                .chars()
                .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
        let fine = if setting {
            known.contains(&word)
        } else if variable {
            variables.iter().any(|known| known == word)
        } else {
            continue;
        };
        seen += 1;
        if !fine {
            wrong.push(format!(
                "README.md names `{word}`, which no setting is called"
            ));
        }
    }
    assert!(seen > 20, "only {seen} settings found: is this test blind?");
    nothing(&wrong);
}
