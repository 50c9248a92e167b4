//! Links of a mail: which there are in a text, and which may be opened.

use std::ops::Range;

/// A link of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it leads, cleaned.
    pub url: String,
    /// Whether it may be handed to a browser or mail program: http, https and mailto only.
    pub openable: bool,
}

impl Link {
    /// The link to `url`.
    pub fn new(url: &str) -> Link {
        let url: String = super::super::safe::line(url);
        let url = url.trim().to_owned();
        let openable = is_openable(&url);
        Link { url, openable }
    }
}

fn is_openable(url: &str) -> bool {
    // What a browser would read in another way than we show it is not offered.
    let sound = url
        .chars()
        .all(|c| !c.is_whitespace() && !c.is_control() && c != '"' && c != '<' && c != '>');
    let scheme = url::Url::parse(url).is_ok_and(|parsed| match parsed.scheme() {
        "http" | "https" => parsed.host_str().is_some_and(|host| !host.is_empty()),
        "mailto" => true,
        _ => false,
    });
    sound && scheme
}

/// Where links stand in a plain text.
pub fn within(text: &str) -> Vec<Range<usize>> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(colon) = memchr::memchr(b':', &bytes[from..]).map(|at| at + from) {
        let scheme = ["https", "http", "mailto"].into_iter().find(|scheme| {
            colon >= from + scheme.len()
                && bytes[colon - scheme.len()..colon].eq_ignore_ascii_case(scheme.as_bytes())
        });
        let start = colon - scheme.map_or(0, str::len);
        let mut end = colon + 1;
        let Some(scheme) = scheme else {
            from = end;
            continue;
        };
        // Longer than this is no link, and would make the trimming below slow.
        let limit = bytes.len().min(colon + 2048);
        while bytes[..limit].get(end).is_some_and(|byte| {
            byte.is_ascii_graphic() && !matches!(byte, b'<' | b'>' | b'"' | b'`' | b'\\')
        }) {
            end += 1;
        }
        while end > colon + 1 && b".,;:!?)]}'*_".contains(&bytes[end - 1]) {
            // A bracket that was opened within belongs to it.
            let count = |bracket| bytes[start..end].iter().filter(|b| **b == bracket).count();
            if bytes[end - 1] == b')' && count(b'(') >= count(b')') {
                break;
            }
            end -= 1;
        }
        let lone = start == 0 || !bytes[start - 1].is_ascii_alphanumeric();
        let body = &text[colon + 1..end];
        let whole = match scheme {
            "mailto" => body.contains('@'),
            _ => body.len() > 2 && body.starts_with("//"),
        };
        if lone && whole {
            found.push(start..end);
        }
        from = end;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_end_where_a_reader_sees_them_end() {
        let text = "見 https://example.com/a?b=c。 (HTTP://example.org/x_(y)), mailto:a@example.com. \
                    javascript:alert(1) http:// xhttp://example.com";
        let found: Vec<&str> = within(text).into_iter().map(|at| &text[at]).collect();
        assert_eq!(
            found,
            [
                "https://example.com/a?b=c",
                "HTTP://example.org/x_(y)",
                "mailto:a@example.com"
            ]
        );
    }

    #[test]
    fn only_links_of_the_web_and_of_mail_are_opened() {
        for url in [
            "https://example.com/",
            "HTTP://example.com",
            "mailto:a@example.com",
        ] {
            assert!(Link::new(url).openable, "{url}");
        }
        for url in [
            "javascript:alert(1)",
            "java\u{9}script:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "vbscript:x",
            "/relative",
            "https:// a",
            "",
            "x:y",
        ] {
            assert!(!Link::new(url).openable, "{url}");
        }
    }
}
