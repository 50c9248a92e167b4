//! How the settings of the pages are read: where they stand, their colour, where they lead.

use crate::http;

use super::value::list;

/// The path below which a proxy shows gatepost: no slash at its end, none doubled, nothing that a
/// browser would write in another way.
pub fn path_prefix(text: &str) -> Result<String, String> {
    let path = text.strip_suffix('/').unwrap_or(text);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.~".contains(c);
    let part =
        |part: &str| !part.is_empty() && part != "." && part != ".." && part.chars().all(plain);
    let first = path.split('/').nth(1).unwrap_or_default();
    let own = [
        "api", "assets", "docs", "healthz", "inbox", "metrics", "readyz", "users",
    ];
    if own.contains(&first) {
        return Err("a path that does not begin like one of gatepost's own".to_owned());
    }
    match path.strip_prefix('/') {
        None if path.is_empty() => Ok(String::new()),
        Some(parts) if parts.split('/').all(part) => Ok(path.to_owned()),
        _ => Err("a path such as /accounts, without a domain".to_owned()),
    }
}

/// A colour of the pages.
pub fn color(text: &str) -> Result<http::pages::Color, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// Addresses that people may be sent to, with commas between.
pub fn places(text: &str) -> Result<Vec<url::Url>, String> {
    let place = |text: String| {
        let url = url::Url::parse(&text).ok()?;
        let web = matches!(url.scheme(), "http" | "https") && url.has_host();
        let bare = url.username().is_empty() && url.password().is_none();
        let whole = url.query().is_none() && url.fragment().is_none();
        (web && bare && whole).then_some(url)
    };
    let places: Option<Vec<url::Url>> = list(text)?.into_iter().map(place).collect();
    places
        .ok_or_else(|| "addresses such as https://app.example.com/, with commas between".to_owned())
}
