//! The folder of hostile mails over HTTP: nothing of them gets out of the text that they are, and
//! what could still be read of them can be read. Chromium looks at the same mails in `browser`.

use crate::harness::Answer;
use crate::harness::Gatepost;
use crate::pages::browser::Browser;

/// The name of each mail, and the mail as it is sent.
fn mails() -> Vec<(String, Vec<u8>)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/hostile");
    let mut mails = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "eml") {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let mut sent = Vec::new();
            for line in std::fs::read(&path)
                .unwrap()
                .split_inclusive(|b| *b == b'\n')
            {
                // The line that ends a mail is doubled, as clients do.
                if line.starts_with(b".") {
                    sent.push(b'.');
                }
                sent.extend_from_slice(line.strip_suffix(b"\n").unwrap_or(line));
                sent.extend_from_slice(b"\r\n");
            }
            mails.push((name, sent));
        }
    }
    mails.sort();
    assert!(mails.len() >= 25, "{}", mails.len());
    mails
}

/// Every tag of a page, without the texts between; a `>` within quotes ends none.
fn tags(html: &str) -> Vec<&str> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, tag)) = rest.split_once('<') {
        let mut quoted = false;
        let end = tag.find(|c| {
            quoted ^= c == '"';
            c == '>' && !quoted
        });
        let end = end.unwrap_or(tag.len());
        tags.push(&tag[..end]);
        rest = &tag[end..];
    }
    tags
}

/// A page of ours about a mail: its tags are those of the templates.
fn assert_ours(page: &Answer, from: &str) {
    assert_eq!(page.status, 200, "{from}: {}", page.text);
    let known = [
        "!doctype", "a", "article", "body", "button", "code", "dd", "details", "dialog", "div",
        "dl", "dt", "fieldset", "footer", "form", "h1", "h2", "h3", "h4", "head", "header", "html",
        "iframe", "input", "kbd", "label", "legend", "li", "link", "main", "meta", "nav", "ol",
        "p", "pre", "script", "section", "span", "strong", "summary", "time", "title", "ul",
    ];
    for tag in tags(&page.text) {
        let name = tag.trim_start_matches('/');
        let name = name.split([' ', '\n']).next().unwrap();
        assert!(known.contains(&name), "{from}: <{tag}>");
        for attribute in [" on", " style=", " srcdoc=", " formaction="] {
            let quoted: String = tag.split('"').step_by(2).collect();
            assert!(!quoted.contains(attribute), "{from}: <{tag}>");
        }
        for scheme in ["javascript:", "vbscript:", "data:text"] {
            assert!(
                !tag.contains(&format!("href=\"{scheme}")),
                "{from}: <{tag}>"
            );
        }
        if name == "script" || name == "iframe" {
            assert!(
                tag.starts_with('/') || tag.contains("=\"../../"),
                "{from}: <{tag}>"
            );
        }
    }
    assert_eq!(page.text.matches("<script").count(), 2, "{from}");
    let hidden =
        |c: char| (c.is_control() && !"\n\t".contains(c)) || "\u{202e}\u{2066}\u{200b}".contains(c);
    let found = page.text.chars().find(|c| hidden(*c));
    assert_eq!(found, None, "{from}");
}

/// A frame: nothing in it runs, leads elsewhere by itself or fetches.
fn assert_quiet(frame: &Answer, from: &str) {
    assert_eq!(frame.status, 200, "{from}: {}", frame.text);
    for tag in tags(&frame.text) {
        let name = tag.split(' ').next().unwrap();
        for banned in [
            "script", "iframe", "object", "embed", "form", "input", "button", "textarea", "select",
            "link", "base", "svg", "math", "template", "video", "audio", "frame", "source",
            "portal",
        ] {
            assert_ne!(name, banned, "{from}: <{tag}>");
        }
        let names: Vec<&str> = tag.split('"').step_by(2).collect();
        for attribute in names {
            let attribute = attribute.trim();
            assert!(!attribute.starts_with("on"), "{from}: <{tag}>");
            assert!(
                !["srcset=", "background=", "action="].contains(&attribute),
                "{from}: <{tag}>"
            );
        }
        assert!(
            !tag.contains(" src=\"") || tag.contains(" src=\"data:image/"),
            "{from}: <{tag}>"
        );
        if let Some((_, style)) = tag.split_once(" style=\"") {
            let style = style.split('"').next().unwrap();
            // Within quotes it is a text like any other.
            let unquoted: String = style.split("&quot;").step_by(2).collect();
            let own = style.matches("url(&quot;data:image/").count();
            let fetches = unquoted.matches("url(").count() > own;
            assert!(!fetches, "{from}: <{tag}>");
        }
        if let Some((_, href)) = tag.split_once(" href=\"") {
            let leads = ["http://", "https://", "mailto:", "tel:"];
            assert!(
                leads.iter().any(|scheme| href.starts_with(scheme)),
                "{from}: <{tag}>"
            );
            assert!(tag.contains(" target=\"_blank\""), "{from}: <{tag}>");
        }
    }
    let (_, styles) = frame.text.split_once("<style>").unwrap();
    let (styles, _) = styles.split_once("</style>").unwrap();
    // Within quotes it is a text like any other.
    let styles = styles.replace("\\\"", "");
    let styles: String = styles.split('"').step_by(2).collect();
    for banned in ["leak.test", "url(h", "@import", "@font-face", "expression("] {
        assert!(!styles.contains(banned), "{from}: {styles}");
    }
}

#[test]
fn hostile_mails_stay_what_they_are() {
    let gatepost = Gatepost::start();
    let browser = Browser::new(&gatepost);
    let mails = mails();
    for (name, mail) in &mails {
        gatepost.deliver("ann@example.com", mail);
        let id = gatepost.newest();
        let mut shown = String::new();
        for view in ["html", "text", "headers", "raw", "parts", "attempts"] {
            let page = browser.get(&format!("/inbox/{id}/?view={view}"));
            assert_ours(&page, &format!("{name} as {view}"));
            if view != "raw" {
                shown.push_str(&page.text);
            }
        }
        let frame = browser.get(&format!("/inbox/{id}/frame"));
        if frame.status != 404 {
            assert_quiet(&frame, name);
            shown.push_str(&frame.text);
        }
        let readable = format!("Visible text of the {name} mail");
        if name != "broken-mime" && name != "big-image" {
            assert!(shown.contains(&readable), "{name} cannot be read: {shown}");
        }
    }
    let list = browser.get("/inbox/");
    assert_eq!(list.text.matches(" data-id=\"").count(), mails.len());
    let page = list.text.replace("=\"../", "=\"../../");
    assert_ours(&Answer { text: page, ..list }, "the list");
}
