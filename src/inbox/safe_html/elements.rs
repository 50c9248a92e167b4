//! Which elements and attributes of a mail are kept. Everything else is left out.

/// What an element is to the one who writes it anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    /// One that a parser opens again in each paragraph until it is closed.
    Formatting,
    Inline,
    Item,
    Table,
    Section,
    Row,
    Cell,
    Void,
    /// It is left out with all that is in it.
    Hidden,
}

/// Every element that is known.
const ELEMENTS: &[(&str, Kind)] = &[
    ("a", Kind::Formatting),
    ("abbr", Kind::Inline),
    ("acronym", Kind::Inline),
    ("address", Kind::Block),
    ("area", Kind::Void),
    ("article", Kind::Block),
    ("aside", Kind::Block),
    ("audio", Kind::Hidden),
    ("b", Kind::Formatting),
    ("bdi", Kind::Inline),
    ("bdo", Kind::Inline),
    ("big", Kind::Formatting),
    ("blockquote", Kind::Block),
    ("br", Kind::Void),
    ("caption", Kind::Cell),
    ("center", Kind::Block),
    ("cite", Kind::Inline),
    ("code", Kind::Formatting),
    ("col", Kind::Void),
    ("colgroup", Kind::Section),
    ("dd", Kind::Item),
    ("del", Kind::Inline),
    ("details", Kind::Block),
    ("dfn", Kind::Inline),
    ("div", Kind::Block),
    ("dl", Kind::Block),
    ("dt", Kind::Item),
    ("em", Kind::Formatting),
    ("figcaption", Kind::Block),
    ("figure", Kind::Block),
    ("font", Kind::Formatting),
    ("footer", Kind::Block),
    ("h1", Kind::Block),
    ("h2", Kind::Block),
    ("h3", Kind::Block),
    ("h4", Kind::Block),
    ("h5", Kind::Block),
    ("h6", Kind::Block),
    ("header", Kind::Block),
    ("hgroup", Kind::Block),
    ("hr", Kind::Void),
    ("i", Kind::Formatting),
    ("iframe", Kind::Hidden),
    ("img", Kind::Void),
    ("ins", Kind::Inline),
    ("kbd", Kind::Inline),
    ("li", Kind::Item),
    ("main", Kind::Block),
    ("map", Kind::Inline),
    ("mark", Kind::Inline),
    ("math", Kind::Hidden),
    ("nav", Kind::Block),
    ("noembed", Kind::Hidden),
    ("noframes", Kind::Hidden),
    ("object", Kind::Hidden),
    ("ol", Kind::Block),
    ("p", Kind::Block),
    ("pre", Kind::Block),
    ("q", Kind::Inline),
    ("rp", Kind::Inline),
    ("rt", Kind::Inline),
    ("ruby", Kind::Inline),
    ("s", Kind::Formatting),
    ("samp", Kind::Inline),
    ("script", Kind::Hidden),
    ("section", Kind::Block),
    ("select", Kind::Hidden),
    ("small", Kind::Formatting),
    ("span", Kind::Inline),
    ("strike", Kind::Formatting),
    ("strong", Kind::Formatting),
    ("style", Kind::Hidden),
    ("sub", Kind::Inline),
    ("summary", Kind::Block),
    ("sup", Kind::Inline),
    ("svg", Kind::Hidden),
    ("table", Kind::Table),
    ("tbody", Kind::Section),
    ("td", Kind::Cell),
    ("template", Kind::Hidden),
    ("textarea", Kind::Hidden),
    ("tfoot", Kind::Section),
    ("th", Kind::Cell),
    ("thead", Kind::Section),
    ("time", Kind::Inline),
    ("title", Kind::Hidden),
    ("tr", Kind::Row),
    ("tt", Kind::Formatting),
    ("u", Kind::Formatting),
    ("ul", Kind::Block),
    ("var", Kind::Inline),
    ("video", Kind::Hidden),
    ("wbr", Kind::Void),
];

/// Attributes that any element may have.
pub(super) const ATTRIBUTES: &[&str] = &[
    "align",
    "alink",
    "alt",
    "aria-hidden",
    "aria-label",
    "bgcolor",
    "border",
    "bordercolor",
    "cellpadding",
    "cellspacing",
    "class",
    "clear",
    "color",
    "cols",
    "colspan",
    "compact",
    "coords",
    "datetime",
    "dir",
    "face",
    "frame",
    "headers",
    "height",
    "hspace",
    "id",
    "lang",
    "link",
    "noshade",
    "nowrap",
    "open",
    "reversed",
    "role",
    "rows",
    "rowspan",
    "rules",
    "scope",
    "shape",
    "size",
    "span",
    "start",
    "style",
    "summary",
    "text",
    "title",
    "type",
    "usemap",
    "valign",
    "value",
    "vlink",
    "vspace",
    "width",
];

/// Attributes that one element may have beside those.
pub(super) const OWN_ATTRIBUTES: &[(&str, &str)] = &[
    ("a", "href"),
    ("area", "href"),
    ("img", "src"),
    ("map", "name"),
];

/// The element called `name`, however that is written.
pub(super) fn element(name: &str) -> Option<(&'static str, Kind)> {
    let found = ELEMENTS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.copied()
}

/// The elements that are kept.
pub(super) fn kept() -> impl Iterator<Item = &'static str> {
    let kept = ELEMENTS.iter().filter(|(_, kind)| *kind != Kind::Hidden);
    kept.map(|(name, _)| *name)
}

/// The attribute called `name` of that element.
pub(super) fn attribute(element: &str, name: &str) -> Option<&'static str> {
    let own = OWN_ATTRIBUTES.iter().filter(|(of, _)| *of == element);
    let known = ATTRIBUTES.iter().copied().chain(own.map(|(_, name)| *name));
    let mut known = known.filter(|known| known.eq_ignore_ascii_case(name));
    known.next()
}
