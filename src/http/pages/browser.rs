//! The API browser at /docs: Swagger UI as one page out of the binary, under a content security
//! policy that names the very scripts it has. What must not live here: the document's content.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use poem::Response;
use poem::http::{HeaderValue, header};

/// The page, and the policy it needs.
pub struct Page {
    html: bytes::Bytes,
    policy: HeaderValue,
}

impl Page {
    /// Puts `document` in the place of `placeholder`, the library's own rendering, in `html`.
    pub fn new(html: &str, placeholder: &str, document: &str) -> Page {
        // A closing tag inside the script would end it.
        let document = document.replace("</", "<\\/");
        let html = html
            .replacen(placeholder, &document, 1)
            .replace(
                "<html charset=\"UTF-8\">",
                "<!DOCTYPE html>\n<html lang=\"en\">",
            )
            .replace("<title>Swagger UI</title>", "<title>gatepost API</title>");
        let scripts = hashes(&html, "script");
        // Swagger UI sets style attributes while it runs, which have no hash to name.
        let policy = format!(
            "default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; \
             img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
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

/// The hashes of the inline elements called `tag`, as a policy names them.
fn hashes(html: &str, tag: &str) -> String {
    let (open, close) = (format!("<{tag}"), format!("</{tag}>"));
    let mut rest = html;
    let mut found = Vec::new();
    while let Some(start) = rest.find(&open) {
        let after = &rest[start..];
        let Some((_, body)) = after.split_once('>') else {
            break;
        };
        let Some(end) = body.find(&close) else { break };
        let digest = ring::digest::digest(&ring::digest::SHA256, &body.as_bytes()[..end]);
        found.push(format!("'sha256-{}'", STANDARD.encode(digest.as_ref())));
        rest = &body[end + close.len()..];
    }
    found.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_each_script() {
        let html = "<html charset=\"UTF-8\"><script charset=\"UTF-8\">1</script><script>let s = {};</script>";
        let page = Page::new(html, "{}", r#"{"a": "</script>"}"#);
        assert!(
            page.html
                .ends_with(br#"<script>let s = {"a": "<\/script>"};</script>"#)
        );
        // printf 1 | openssl dgst -sha256 -binary | base64
        let policy = page.policy.to_str().unwrap();
        assert!(
            policy.contains("'sha256-a4ayc/80/OGda4BO/1o/V0etpOqiLx1JwB5S3beHW0s='"),
            "{policy}"
        );
        assert_eq!(policy.matches("sha256-").count(), 2);
    }
}
