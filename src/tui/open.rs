//! A mail in the browser: one page that needs and reaches nothing, the mail's HTML locked up in
//! a frame. And which program opens a page or a link, without a shell between.

use std::fs::DirBuilder;
use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use crate::client::Message;

use super::reader::links::Link;
use super::safe;

/// Nothing is loaded and nothing runs; styles and pictures that the mail itself carries are shown.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      base-uri 'none'; form-action 'none'";

/// The page that shows `message`; `html` is its HTML as it was sent.
pub fn page(message: &Message, html: Option<&str>) -> String {
    let summary = &message.summary;
    let subject = escaped(&safe::line(summary.subject.as_deref().unwrap_or_default()));
    let mut page = format!(
        "<!doctype html><html><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\
         <meta name=\"referrer\" content=\"no-referrer\"><title>{subject}</title>\
         <style>html,body{{height:100%;margin:0}}body{{display:flex;flex-direction:column;\
         font:15px system-ui,sans-serif}}header{{padding:12px 16px;border-bottom:1px solid #999}}\
         h1{{font-size:18px;margin:0 0 6px}}dl{{margin:0;display:grid;grid-template-columns:\
         max-content 1fr;gap:2px 12px}}dt{{color:#666}}dd{{margin:0;overflow-wrap:anywhere}}\
         iframe,pre{{flex:1;border:0;background:#fff;color:#000}}pre{{margin:0;padding:16px;\
         white-space:pre-wrap;overflow:auto}}</style></head><body><header><h1>{subject}</h1><dl>"
    );
    let to = summary.envelope.to.join(", ");
    let from = summary.from.as_deref().unwrap_or(&summary.envelope.from);
    for (name, value) in [("From", from), ("To", &to), ("Date", &summary.received_at)] {
        let value = escaped(&safe::line(value));
        page.push_str(&format!("<dt>{name}</dt><dd>{value}</dd>"));
    }
    page.push_str("</dl></header>");
    match html {
        Some(html) => {
            // The policy stands before the first byte of the mail, which cannot take it back.
            let inner = format!(
                "<!doctype html><meta charset=\"utf-8\">\
                 <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">{html}"
            );
            let inner = escaped(&inner);
            page.push_str(&format!(
                "<iframe sandbox referrerpolicy=\"no-referrer\" srcdoc=\"{inner}\"></iframe>"
            ));
        }
        None => {
            let text = escaped(&safe::text(message.text.as_deref().unwrap_or_default()));
            page.push_str(&format!("<pre>{text}</pre>"));
        }
    }
    page.push_str("</body></html>");
    page
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\0' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A folder for pages that only its owner enters.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes one within `parent`; `unique` is something that nobody else guesses. What is there
    /// already is refused: somebody else may have made it.
    pub fn create(parent: &Path, unique: &str) -> io::Result<Folder> {
        let path = parent.join(format!("gatepost-{unique}"));
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Folder(path))
    }

    /// Writes the page number `number`, and hands back where it is.
    pub fn write(&self, number: u64, page: &str) -> io::Result<PathBuf> {
        let path = self.0.join(format!("mail-{number}.html"));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(page.as_bytes())?;
        Ok(path)
    }

    /// Removes it with all its pages.
    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_dir_all(self.0)
    }
}

/// Whose way of opening things is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Platform {
    /// Desktops of the free world.
    Linux,
    /// macOS.
    Mac,
    /// Windows, also from within its Linux.
    Windows,
}

impl Platform {
    /// The one that this program was built for.
    pub fn here() -> Platform {
        match std::env::consts::OS {
            "macos" => Platform::Mac,
            "windows" => Platform::Windows,
            _ => Platform::Linux,
        }
    }
}

/// The program that opens things, and what it is told first. `start` of Windows is a word of its
/// shell; this is the program behind it.
pub fn browser_command(platform: Platform) -> (&'static str, &'static [&'static str]) {
    match platform {
        Platform::Linux => ("xdg-open", &[]),
        Platform::Mac => ("open", &[]),
        Platform::Windows => ("rundll32.exe", &["url.dll,FileProtocolHandler"]),
    }
}

fn command(platform: Platform, target: &std::ffi::OsStr) -> Command {
    let (program, arguments) = browser_command(platform);
    let mut command = Command::new(program);
    command.args(arguments).arg(target);
    // The screen is ours.
    command.stdin(Stdio::null());
    // It goes on when the dashboard is suspended or its terminal closed.
    command.process_group(0);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// What opens the page at `path`, which is absolute.
pub fn page_command(platform: Platform, path: &Path) -> Command {
    command(platform, path.as_os_str())
}

/// What opens a link: http and https only.
pub fn link_command(platform: Platform, link: &Link) -> Option<Command> {
    let url = url::Url::parse(&link.url).ok()?;
    let web = matches!(url.scheme(), "http" | "https");
    (link.openable && web).then(|| command(platform, url.as_str().as_ref()))
}
