//! A mail's HTML made safe to be shown in a frame. It is written anew in an orderly and bounded
//! form ([`rewrite`]), then parsed as browsers do and reduced to what is allowed (ammonia, with
//! the rules of [`judge`]); style sheets go their own way ([`css`]). Nothing is fetched, and no
//! picture is decoded. Each of the two would do alone; and a frame without scripts and with a
//! policy of its own stands around what comes out.
//!
//! What must not live here: which headers the frame has (`http`).

mod css;
mod elements;
mod judge;
mod picture;
mod rewrite;
mod tokens;

use std::sync::Arc;

use judge::Judge;

/// Whether pictures that lie elsewhere are shown, which tells the sender that somebody looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remote {
    /// They are left out.
    #[default]
    LeftOut,
    /// They are shown: somebody asked for it.
    Shown,
}

/// HTML that may be shown in a frame: a whole document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SafeHtml {
    /// The document.
    pub html: String,
    /// How many pictures lie elsewhere; they are in it only if that was asked for.
    pub remote_pictures: usize,
    /// How many other things it would have fetched; they are never in it.
    pub never_fetched: usize,
    /// Whether all of it is there. What is too large or too deep is cut.
    pub whole: bool,
}

/// A picture that the mail brings itself.
#[derive(Debug, Clone)]
pub(super) struct Carried {
    /// Its Content-ID, by which the HTML refers to it.
    pub(super) content_id: String,
    /// Its bytes.
    pub(super) bytes: Vec<u8>,
}

/// Makes `html` safe. The work grows with its length and no faster; it may take a while.
pub(super) fn clean(html: &str, carried: Vec<Carried>, remote: Remote) -> SafeHtml {
    let written = rewrite::rewrite(html);
    let judge = Arc::new(Judge::new(carried, remote));
    let content = judge::reduce(&written.content, &judge);
    let root = judge::attributes(&written.root, &judge);
    let body = judge::attributes(&written.body, &judge);
    let mut styles = String::new();
    for sheet in &written.sheets {
        let safe = css::sheet(sheet);
        judge.never_fetched(safe.references);
        styles.push_str(&safe.css);
        // Two of them together must not make what neither is, such as an end tag.
        styles.push('\n');
    }
    judge.never_fetched(written.references);
    let schemes = written.schemes;
    let schemes = match schemes.is_empty() {
        true => String::new(),
        false => format!("<meta name=\"color-scheme\" content=\"{schemes}\">"),
    };
    let html = format!(
        "<!doctype html><html{root}><head><meta charset=\"utf-8\">\
         <meta name=\"referrer\" content=\"no-referrer\">{schemes}\
         <style>{styles}</style></head><body{body}>{content}</body></html>"
    );
    let told = judge.tell();
    SafeHtml {
        html,
        remote_pictures: told.remote_pictures,
        never_fetched: told.never_fetched,
        whole: written.whole && told.whole,
    }
}

#[cfg(test)]
mod tests;
