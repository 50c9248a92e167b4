//! How the pages of this installation look: the team's name, logo and colour, the templates it
//! replaced, and where people may be sent back to. Read once, at the start, so that a slip is told
//! then and there.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::color::Color;
use super::return_to::Allowed;
use super::template::Templates;

/// What the operator can choose about the pages.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What the site calls itself.
    pub site_name: String,
    /// The path below which a proxy shows gatepost, without a slash at its end; mostly empty.
    pub path: String,
    /// A picture: SVG, PNG, JPEG, WebP or GIF.
    pub logo: Option<PathBuf>,
    /// The team's colour.
    pub color: Color,
    /// Where people may be sent back to, beside this site.
    pub return_to: Vec<url::Url>,
    /// The folder whose files stand in for templates.
    pub templates: Option<PathBuf>,
}

/// Why the pages cannot be shown as the operator wants them.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// A file of the templates' folder.
    #[error("template {}{}: {problem}", file.display(), line.map(|line| format!(", line {line}")).unwrap_or_default())]
    Template {
        /// The file.
        file: PathBuf,
        /// The line in it, from 1, when the fault has one.
        line: Option<usize>,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// The logo.
    #[error("site.logo {}: {problem}", file.display())]
    Logo {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what would be right.
        problem: String,
    },
}

/// The logo as it is sent.
pub struct Logo {
    /// Its bytes.
    pub bytes: Bytes,
    /// Its media type, as its first bytes tell.
    pub media_type: &'static str,
}

/// How the pages look.
pub struct Look {
    /// What the site calls itself.
    pub site_name: String,
    /// The path below which a proxy shows gatepost.
    pub path: String,
    /// The team's picture.
    pub logo: Option<Logo>,
    /// The team's colour.
    pub color: Color,
    /// Where people may be sent back to.
    pub return_to: Allowed,
    /// The templates.
    pub templates: Templates,
}

impl std::fmt::Debug for Look {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Look")
    }
}

/// More would keep people waiting for a picture.
const LARGEST_LOGO: u64 = 512 << 10;

impl Look {
    /// Reads the files that `settings` name.
    ///
    /// # Errors
    /// A file cannot be read or is not what it should be; the colour is none.
    pub fn load(settings: Settings) -> Result<Look, LookError> {
        Ok(Look {
            color: settings.color,
            logo: settings.logo.as_deref().map(logo).transpose()?,
            templates: Templates::load(settings.templates.as_deref())?,
            return_to: Allowed::new(settings.return_to),
            site_name: settings.site_name,
            path: settings.path,
        })
    }
}

fn logo(file: &Path) -> Result<Logo, LookError> {
    let fault = |problem: String| LookError::Logo {
        file: file.to_owned(),
        problem,
    };
    let unreadable = |error: std::io::Error| fault(format!("cannot be read: {error}"));
    if std::fs::metadata(file).map_err(unreadable)?.len() > LARGEST_LOGO {
        return Err(fault(format!("larger than {LARGEST_LOGO} bytes")));
    }
    let bytes = std::fs::read(file).map_err(unreadable)?;
    let media_type = media_type(&bytes)
        .ok_or_else(|| fault("no picture; use SVG, PNG, JPEG, WebP or GIF".to_owned()))?;
    Ok(Logo {
        bytes: bytes.into(),
        media_type,
    })
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(512)]);
    Some(match bytes {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => "image/webp",
        _ if head
            .trim_start_matches('\u{feff}')
            .trim_start()
            .starts_with('<')
            && head.contains("<svg") =>
        {
            "image/svg+xml"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_what_its_bytes_say() {
        assert_eq!(media_type(b"\x89PNG\r\n"), Some("image/png"));
        assert_eq!(media_type(b"RIFF\0\0\0\0WEBPVP8 "), Some("image/webp"));
        let svg = b"<?xml version=\"1.0\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
        assert_eq!(media_type(svg), Some("image/svg+xml"));
        assert_eq!(media_type(b"<html><body></body></html>"), None);
        assert_eq!(media_type(b""), None);
    }
}
