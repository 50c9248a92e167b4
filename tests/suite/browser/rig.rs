//! What the browser tests need beside the binary: Node, Chromium and the packages that `npm ci`
//! put into tests/browser. It runs a script and sees that nothing is left of it.

use std::io::Write as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use serde_json::Value;
use serde_json::json;

use crate::process::Process;
use crate::process::patiently;

/// How to get what is missing.
const INSTALL: &str = "as root: apt-get install --no-install-recommends chromium nginx-light fonts-noto-cjk; Node.js \
     20 or newer; and in tests/browser: npm ci";

/// Everything is there.
pub struct Rig {
    node: PathBuf,
    chromium: PathBuf,
    scripts: PathBuf,
}

impl Rig {
    /// Looks for it. Where something is missing, continuous integration fails, and anybody else is
    /// told in a way that no test runner swallows.
    pub fn find(test: &str) -> Option<Rig> {
        match looked_for() {
            Ok(rig) => Some(rig),
            Err(missing) => {
                skip(test, &missing);
                None
            }
        }
    }

    /// Runs a script against a gatepost. What the script is told beside the usual stands in `more`.
    pub fn run(&self, script: &str, process: &Process, more: &Value) {
        let mut given = json!({
            "base": format!("http://{}/", process.http),
            "direct": format!("http://{}/", process.http),
            "smtp": process.smtp.to_string(),
            "admin": process.token(),
            "chromium": self.chromium,
            "root": env!("CARGO_MANIFEST_DIR"),
        });
        for (name, value) in more.as_object().into_iter().flatten() {
            given[name] = value.clone();
        }
        let name = script.trim_end_matches(".mjs");
        let output = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("browser")
            .join(name);
        // Pictures of an earlier run are no pictures of this one.
        let _ = std::fs::remove_dir_all(&output);
        std::fs::create_dir_all(&output).unwrap();
        given["output"] = json!(output);
        // Profiles, caches and sockets: whatever Chromium writes goes with this folder.
        let home = tempfile::Builder::new()
            .prefix("gatepost-browser-")
            .tempdir()
            .unwrap();
        let mut child = Command::new(&self.node)
            .arg(self.scripts.join(script))
            .arg(given.to_string())
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .env("LANG", "C.UTF-8")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // The script ends when its input does, so that it does not outlive a test that is killed.
        let held = child.stdin.take();
        let ended = child.wait_with_output().unwrap();
        drop(held);
        let gone = patiently(|| named(home.path()).is_empty().then_some(()));
        let said = [ended.stdout, ended.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(ended.status.success(), "{script}: {}\n{said}", ended.status);
        let left = named(home.path());
        assert!(gone.is_some(), "{script} leaves behind: {left:?}");
    }
}

/// Processes that name `folder` in their command lines.
fn named(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().unwrap();
    let processes = std::fs::read_dir("/proc").into_iter().flatten();
    processes
        .filter_map(|entry| std::fs::read(entry.ok()?.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(folder))
        .collect()
}

fn looked_for() -> Result<Rig, String> {
    let chromium = match environment("CHROMIUM") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from("/usr/bin/chromium"),
    };
    if !chromium.exists() {
        return Err(format!("{} is not there", chromium.display()));
    }
    let node = program("node").ok_or("there is no node on the PATH")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    for package in ["playwright-core", "axe-core"] {
        if !scripts.join("node_modules").join(package).exists() {
            return Err(format!("tests/browser/node_modules lacks {package}"));
        }
    }
    Ok(Rig {
        node,
        chromium,
        scripts,
    })
}

/// A program on the PATH, or where Debian keeps those of the administrator.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = environment("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// Fails in continuous integration; tells anybody else.
pub fn skip(test: &str, missing: &str) {
    let said = format!("SKIPPED: {test}: {missing}; {INSTALL}");
    assert!(environment("CI").is_none(), "{said}");
    // Unlike eprintln!, this is shown for tests that pass, too. Nothing can be done about a
    // stderr that is closed.
    let _ = writeln!(std::io::stderr(), "\n{said}\n");
}

fn environment(name: &str) -> Option<std::ffi::OsString> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the tests run is no setting of gatepost's"
    )]
    std::env::var_os(name)
}
