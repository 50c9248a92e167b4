//! `cargo xtask check`: everything that can be told about the tree without running its tests.
//! What must not live here: the tests themselves, which `cargo test --workspace` runs.

use std::process::Command;
use std::process::ExitCode;

/// A step: what it is called, the command, and what the environment gets for it.
struct Step {
    name: &'static str,
    command: &'static [&'static str],
    environment: &'static [(&'static str, &'static str)],
}

const STEPS: &[Step] = &[
    Step {
        name: "formatting",
        command: &["fmt", "--all", "--check"],
        environment: &[],
    },
    Step {
        name: "the lock file is up to date",
        command: &["metadata", "--locked", "--quiet", "--format-version=1"],
        environment: &[],
    },
    Step {
        name: "lints",
        command: &[
            "clippy",
            "--locked",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        environment: &[],
    },
    Step {
        name: "documentation",
        command: &[
            "doc",
            "--locked",
            "--workspace",
            "--no-deps",
            "--document-private-items",
        ],
        environment: &[("RUSTDOCFLAGS", "-D warnings")],
    },
];

/// Runs all steps, also behind one that fails, so that one round tells everything.
pub fn run(arguments: &[String]) -> ExitCode {
    if !arguments.is_empty() {
        eprintln!("Usage: cargo xtask check");
        return ExitCode::FAILURE;
    }
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let mut failed = Vec::new();
    for (index, step) in STEPS.iter().enumerate() {
        println!(
            "[{}/{}] {}: cargo {}",
            index + 1,
            STEPS.len(),
            step.name,
            step.command.join(" ")
        );
        let mut command = Command::new(&cargo);
        command
            .args(step.command)
            .envs(step.environment.iter().copied())
            .current_dir(root);
        if step.command.first() == Some(&"metadata") {
            command.stdout(std::process::Stdio::null());
        }
        match command.status() {
            Ok(status) if status.success() => {}
            Ok(_) => failed.push(step.name),
            Err(error) => {
                eprintln!("{cargo} does not start: {error}");
                failed.push(step.name);
            }
        }
    }
    if failed.is_empty() {
        println!("check: all is well");
        ExitCode::SUCCESS
    } else {
        eprintln!("check: failed at {}", failed.join(", "));
        ExitCode::FAILURE
    }
}
