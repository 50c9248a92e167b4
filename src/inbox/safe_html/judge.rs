//! What an element or an attribute must be to be shown. The values come from a parser that reads
//! HTML as browsers do: what is judged here is what a browser would see.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::elements::{ATTRIBUTES, OWN_ATTRIBUTES, kept};
use super::{Carried, Remote, css, picture};

/// Pictures that are written into the HTML, in bytes, all together.
const PICTURES: usize = 16 << 20;
/// How many pictures a mail shows.
const COUNT: usize = 500;
/// The most columns or rows that a cell spans: more only make a browser work.
const SPAN: u32 = 200;
/// The longest link, in bytes.
const LINK: usize = 8 << 10;

/// What is decided in the course of one mail.
pub(super) struct Judge {
    carried: HashMap<String, Vec<u8>>,
    no_pictures: Mutex<HashSet<String>>,
    remote: Remote,
    remote_pictures: AtomicUsize,
    never_fetched: AtomicUsize,
    pictures: AtomicUsize,
    picture_bytes: AtomicUsize,
    cut: AtomicBool,
}

/// What came of it.
pub(super) struct Told {
    pub(super) remote_pictures: usize,
    pub(super) never_fetched: usize,
    pub(super) whole: bool,
}

impl Judge {
    pub(super) fn new(carried: Vec<Carried>, remote: Remote) -> Judge {
        let carried = carried.into_iter().map(|one| (one.content_id, one.bytes));
        Judge {
            carried: carried.collect(),
            no_pictures: Mutex::default(),
            remote,
            remote_pictures: AtomicUsize::new(0),
            never_fetched: AtomicUsize::new(0),
            pictures: AtomicUsize::new(0),
            picture_bytes: AtomicUsize::new(0),
            cut: AtomicBool::new(false),
        }
    }

    /// Counts references that are left out whatever is asked for.
    pub(super) fn never_fetched(&self, more: usize) {
        self.never_fetched.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn tell(&self) -> Told {
        Told {
            remote_pictures: self.remote_pictures.load(Ordering::Relaxed),
            never_fetched: self.never_fetched.load(Ordering::Relaxed),
            whole: !self.cut.load(Ordering::Relaxed),
        }
    }

    fn attribute<'v>(&self, element: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
        match name {
            "href" => link(value).map(Cow::Owned),
            "src" => (element == "img")
                .then(|| self.picture(value))?
                .map(Cow::Owned),
            "style" => {
                let safe = css::declarations(value);
                self.never_fetched(safe.references);
                (!safe.css.is_empty()).then_some(Cow::Owned(safe.css))
            }
            "usemap" => value.starts_with('#').then_some(Cow::Borrowed(value)),
            "colspan" | "rowspan" | "span" | "cols" | "rows" => {
                let number = value.trim().parse();
                number
                    .is_ok_and(|number: u32| number <= SPAN)
                    .then_some(Cow::Borrowed(value))
            }
            _ => Some(Cow::Borrowed(value)),
        }
    }

    fn picture(&self, src: &str) -> Option<String> {
        let src = src.trim_matches(|c: char| c <= ' ');
        if let Some(id) = behind_scheme(src, "cid:") {
            let id = percent_encoding::percent_decode_str(id)
                .decode_utf8()
                .ok()?;
            let bytes = self.carried.get(&*id)?;
            // What is no picture is looked at once, however often it is named.
            let mut none = self
                .no_pictures
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if none.contains(&*id) {
                return None;
            }
            // Looked at before it is written down: one picture may be named a thousand times.
            self.has_room(bytes.len())?;
            let Some(data) = picture::encoded(bytes) else {
                none.insert(id.into_owned());
                return None;
            };
            return self.embedded(&data);
        }
        if let Some(data) = behind_scheme(src, "data:") {
            return self.embedded(&picture::again(data)?);
        }
        let url = match src.starts_with("//") {
            true => Url::parse(&format!("https:{src}")),
            false => Url::parse(src),
        };
        let url = url
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https"))?;
        let count = self.remote_pictures.fetch_add(1, Ordering::Relaxed);
        let shown = self.remote == Remote::Shown;
        if shown && count >= COUNT {
            self.cut.store(true, Ordering::Relaxed);
        }
        (shown && count < COUNT).then(|| url.into())
    }

    /// Whether another picture of so many bytes has room.
    fn has_room(&self, bytes: usize) -> Option<()> {
        let count = self.pictures.load(Ordering::Relaxed);
        let before = self.picture_bytes.load(Ordering::Relaxed);
        let fits = count < COUNT && before + bytes <= PICTURES;
        if !fits {
            self.cut.store(true, Ordering::Relaxed);
        }
        fits.then_some(())
    }

    fn embedded(&self, data: &str) -> Option<String> {
        let count = self.pictures.fetch_add(1, Ordering::Relaxed);
        let before = self.picture_bytes.fetch_add(data.len(), Ordering::Relaxed);
        let fits = count < COUNT && before + data.len() <= PICTURES;
        if !fits {
            self.cut.store(true, Ordering::Relaxed);
        }
        fits.then(|| data.to_owned())
    }
}

fn behind_scheme<'a>(url: &'a str, scheme: &str) -> Option<&'a str> {
    let given = url.get(..scheme.len())?;
    given
        .eq_ignore_ascii_case(scheme)
        .then(|| &url[scheme.len()..])
}

/// A link as a browser would read it, if it leads where links of a mail may lead.
fn link(href: &str) -> Option<String> {
    let url = Url::parse(href).ok()?;
    let allowed = matches!(url.scheme(), "http" | "https" | "mailto" | "tel");
    let link: String = url.into();
    (allowed && link.len() <= LINK).then_some(link)
}

/// `html`, which is orderly, reduced to what is allowed.
pub(super) fn reduce(html: &str, judge: &Arc<Judge>) -> String {
    builder(judge).clean(html).to_string()
}

/// `written`, which are attributes, reduced to those that are allowed, as they stand behind a name.
pub(super) fn attributes(written: &str, judge: &Arc<Judge>) -> String {
    if written.is_empty() {
        return String::new();
    }
    let element = reduce(&format!("<div{written}></div>"), judge);
    let inner = element.strip_prefix("<div");
    let inner = inner.and_then(|inner| inner.strip_suffix("></div>"));
    inner.unwrap_or_default().to_owned()
}

fn builder(judge: &Arc<Judge>) -> Builder<'static> {
    let judge = judge.clone();
    let mut own: HashMap<&str, HashSet<&str>> = HashMap::new();
    for (element, attribute) in OWN_ATTRIBUTES {
        own.entry(element).or_default().insert(attribute);
    }
    let ours = |names: &[(&'static str, &'static str)]| names.iter().copied().collect();
    let mut builder = Builder::empty();
    builder
        .tags(kept().collect())
        .clean_content_tags(["script", "style", "svg", "math", "template"].into())
        .generic_attributes(ATTRIBUTES.iter().copied().collect())
        .tag_attributes(own)
        .url_schemes(["http", "https", "mailto", "tel", "cid", "data"].into())
        // They are judged, too, and those of pictures are counted.
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some(REL))
        .set_tag_attribute_values(HashMap::from([
            ("a", ours(&[("target", "_blank")])),
            ("area", ours(&[("target", "_blank"), ("rel", REL)])),
        ]))
        .attribute_filter(
            move |element: &str, name: &str, value: &str| -> Option<Cow<'_, str>> {
                judge
                    .attribute(element, name, value)
                    .map(|value| Cow::Owned(value.into_owned()))
            },
        );
    builder
}

/// What a link's target may know of where it was followed.
const REL: &str = "noopener noreferrer nofollow";
