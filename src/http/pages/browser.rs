//! The API browser at /docs: RapiDoc and what of ours is around it as one page out of the binary,
//! under a content security policy that names the very scripts it has. It asks nobody else, and
//! what is tried out in it calls the server that the page came from, wherever a proxy put that.
//! What must not live here: the document's content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::Response;
use poem::http::{HeaderValue, header};

const FRAME: &str = include_str!("browser/page.html");
const STYLE: &str = include_str!("browser/page.css");
const SCRIPT: &str = include_str!("browser/page.js");

/// The page, and the policy it needs.
pub struct Page {
    html: bytes::Bytes,
    policy: HeaderValue,
}

impl Page {
    /// A page about `document`, for a URL from which `root` leads to the root of the service. The
    /// library's script is taken out of its own page, `library`, which would ask others for fonts.
    pub fn new(library: &str, document: &str, root: &str) -> Page {
        let library = inline(library, "script").next().unwrap_or_default();
        // A closing tag inside the element would end it.
        let document = document.replace("</", "<\\/");
        let parts = [
            ("root", root),
            ("style", STYLE),
            ("library", library),
            ("document", &document),
            ("script", SCRIPT),
        ];
        let html = filled(FRAME, &parts);
        let scripts: Vec<String> = [library, SCRIPT].into_iter().map(hash).collect();
        // RapiDoc sets style attributes while it runs, which have no hash to name.
        let policy = format!(
            "default-src 'none'; script-src {}; style-src 'unsafe-inline'; \
             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
            scripts.join(" ")
        );
        Page {
            html: html.into(),
            policy: HeaderValue::try_from(policy).expect("hashes are printable ASCII"),
        }
    }

    /// The answer.
    pub fn response(&self) -> Response {
        let mut response = Response::default();
        response.set_body(self.html.clone());
        let headers = response.headers_mut();
        let kind = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, kind);
        headers.insert(header::CONTENT_SECURITY_POLICY, self.policy.clone());
        response
    }
}

/// `frame` with each `{name}` replaced by what is called so, in one pass: what is put in is not
/// searched, and other braces stay.
fn filled(frame: &str, parts: &[(&str, &str)]) -> String {
    let mut html = String::new();
    let mut rest = frame;
    while let Some((before, after)) = rest.split_once('{') {
        html.push_str(before);
        let part = parts
            .iter()
            .find_map(|(name, text)| Some((text, after.strip_prefix(name)?.strip_prefix('}')?)));
        rest = match part {
            Some((text, behind)) => {
                html.push_str(text);
                behind
            }
            None => {
                html.push('{');
                after
            }
        };
    }
    html.push_str(rest);
    html
}

/// What stands in the elements called `tag`.
fn inline<'a>(html: &'a str, tag: &str) -> impl Iterator<Item = &'a str> {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut rest = html;
    std::iter::from_fn(move || {
        let start = rest.find(&open)?;
        let (_, body) = rest[start..].split_once('>')?;
        let (body, behind) = body.split_once(&close)?;
        rest = behind;
        Some(body)
    })
}

/// The hash of an inline script, as a policy names it.
fn hash(script: &str) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, script.as_bytes());
    format!("'sha256-{}'", STANDARD.encode(digest.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_each_script() {
        let library =
            r#"<link href="https://fonts.example.com/"><script charset="UTF-8">1</script>"#;
        let page = Page::new(library, r#"{"a": "</script>{root}"}"#, "../");
        let html = std::str::from_utf8(&page.html).unwrap();
        assert!(html.contains(r#"id="document">{"a": "<\/script>{root}"}</script>"#));
        assert!(html.contains("<script>1</script>") && !html.contains("fonts.example.com"));
        assert!(html.contains(r#"href="../openapi.json""#));
        // printf 1 | openssl dgst -sha256 -binary | base64
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.contains("'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"),
            "{policy}"
        );
        // Whatever runs on the page is named, and nothing else is.
        let data = r#"type="application/json""#;
        assert_eq!(policy.matches("sha256-").count(), 2);
        assert_eq!(
            html.matches("<script").count() - html.matches(data).count(),
            2
        );
        for script in inline(html, "script").filter(|script| !script.starts_with('{')) {
            assert!(policy.contains(&hash(script)));
        }
    }
}
