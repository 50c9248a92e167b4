//! Saving what came with a mail. The name is the sender's: it becomes a plain name in the folder
//! that was chosen, and never takes the place of a file that is there.

use std::fs::OpenOptions;
use std::io;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::path::PathBuf;

use crate::text;

use super::safe;

/// The longest name, in bytes: with a number behind it every file system takes it.
const LONGEST: usize = 150;

/// The longest ending that is kept when a name is cut.
const ENDING: usize = 16;

/// The name under which the attachment at `index` (from 0) is saved.
pub fn attachment_name(name: Option<&str>, index: usize) -> String {
    plain(name.unwrap_or_default()).unwrap_or_else(|| format!("attachment-{}.bin", index + 1))
}

/// The name under which the whole mail is saved.
pub fn mail_name(subject: Option<&str>, id: &str) -> String {
    // A subject is no path: what would part one is only a character here.
    let subject = subject.unwrap_or_default().replace(['/', '\\'], "_");
    let id = plain(id).unwrap_or_else(|| "mail".to_owned());
    let short: String = subject.chars().take(40).collect();
    match plain(&short) {
        Some(subject) => format!("{subject} {id}.eml"),
        None => format!("mail {id}.eml"),
    }
}

/// `name` without what a file's name may not have; none when nothing is left.
fn plain(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let mut plain = String::new();
    for c in safe::line(last).chars().filter(|c| !text::hides(*c)) {
        plain.push(match c {
            '<' | '>' | ':' | '"' | '|' | '?' | '*' | '$' | '`' | '%' => '_',
            c if c.is_whitespace() => ' ',
            c => c,
        });
    }
    let ends = |c: char| c == '.' || c == ' ';
    let mut plain = cut(plain.trim_matches(ends)).trim_matches(ends).to_owned();
    if !plain.chars().any(char::is_alphanumeric) && !text::is_visible(&plain.replace('_', "")) {
        return None;
    }
    // An option to some program, a home folder, or a device of Windows.
    let stem = plain.split('.').next().unwrap_or_default().trim_end();
    let device = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let reserved = device.iter().any(|name| stem.eq_ignore_ascii_case(name))
        || (stem.chars().count() == 4
            && stem.is_char_boundary(3)
            && ["com", "lpt"]
                .iter()
                .any(|port| stem[..3].eq_ignore_ascii_case(port))
            && stem.ends_with(|c: char| c.is_numeric()));
    if reserved || plain.starts_with(['-', '~']) {
        plain.insert(0, '_');
    }
    Some(cut(&plain).trim_end_matches(ends).to_owned())
}

/// `name` in at most as many bytes as a name may have, its ending kept.
fn cut(name: &str) -> String {
    if name.len() <= LONGEST {
        return name.to_owned();
    }
    let ending = name.rfind('.').map_or("", |at| &name[at..]);
    let ending = if ending.len() <= ENDING { ending } else { "" };
    let stem = &name[..name.floor_char_boundary(LONGEST - ending.len())];
    format!("{stem}{ending}")
}

/// Writes `bytes` into `folder` under `name`, or `name (2)` and so on where that is taken, so that
/// only its owner reads it. Hands back where it is.
pub fn save(folder: &Path, name: &str, bytes: &[u8]) -> io::Result<PathBuf> {
    // Whoever calls may have passed a name by that is not plain.
    let name = attachment_name(Some(name), 0);
    let (stem, ending) = match name.rfind('.') {
        Some(at) if at > 0 => name.split_at(at),
        _ => (name.as_str(), ""),
    };
    for number in 1..=999 {
        let path = folder.join(match number {
            1 => name.clone(),
            number => format!("{stem} ({number}){ending}"),
        });
        // A link that stands there counts as taken, wherever it leads.
        let mut options = OpenOptions::new();
        let mut file = match options.write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(error),
        };
        if let Err(error) = file.write_all(bytes).and_then(|()| file.sync_all()) {
            // Half a file is worse than none; the first error is the one to tell.
            let _ = std::fs::remove_file(&path);
            return Err(error);
        }
        return Ok(path);
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
