//! The ways to look at a mail, and what was chosen: the view, the width and the colours of the
//! frame, and whether pictures from elsewhere are shown. All of it stands in the address.

use minijinja::Value;
use minijinja::context;

use crate::http::pages::visit::Visit;
use crate::inbox::Message;
use crate::inbox::safe_html::Remote;

use super::frame;

/// The views, in the order of the tabs.
const VIEWS: [&str; 6] = ["html", "text", "headers", "raw", "parts", "attempts"];
const WIDTHS: [&str; 3] = ["phone", "tablet", "desktop"];
const SCHEMES: [&str; 2] = ["light", "dark"];

/// What was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// The view.
    pub view: &'static str,
    width: &'static str,
    scheme: &'static str,
    remote: Remote,
}

fn one_of(known: &[&'static str], given: Option<String>) -> Option<&'static str> {
    let given = given?;
    known.iter().find(|known| **known == given).copied()
}

impl Chosen {
    /// What `visit` chose for `mail`; where it chose nothing, what a reader would see first.
    pub fn of(visit: &Visit, mail: &Message) -> Chosen {
        let first = match (&mail.html, &mail.text) {
            (Some(_), _) => "html",
            (None, Some(_)) => "text",
            (None, None) => "raw",
        };
        let view = one_of(&VIEWS, visit.query("view"));
        Chosen {
            view: view.filter(|view| is_there(view, mail)).unwrap_or(first),
            width: one_of(&WIDTHS, visit.query("width")).unwrap_or("desktop"),
            scheme: one_of(&SCHEMES, visit.query("scheme")).unwrap_or("light"),
            remote: frame::remote(visit),
        }
    }

    /// Whether pictures from elsewhere are shown.
    pub fn remote(&self) -> Remote {
        self.remote
    }

    /// The query that leads to it.
    fn query(&self) -> String {
        if self.view != "html" {
            return format!("?view={}", self.view);
        }
        let remote = match self.remote {
            Remote::Shown => "&remote=1",
            Remote::LeftOut => "",
        };
        let (width, scheme) = (self.width, self.scheme);
        format!("?view=html&width={width}&scheme={scheme}{remote}")
    }

    /// What a template needs to lead to the others.
    pub fn to_value(self, mail: &Message) -> Value {
        let link = |name: &str, chosen: Chosen, current: bool| {
            context! { name, href => chosen.query(), current }
        };
        let tabs = VIEWS.into_iter().filter(|view| is_there(view, mail));
        let tabs = tabs.map(|view| link(view, Chosen { view, ..self }, view == self.view));
        let widths = WIDTHS
            .into_iter()
            .map(|width| link(width, Chosen { width, ..self }, width == self.width));
        let schemes = SCHEMES
            .into_iter()
            .map(|scheme| link(scheme, Chosen { scheme, ..self }, scheme == self.scheme));
        let other = match self.remote {
            Remote::Shown => Remote::LeftOut,
            Remote::LeftOut => Remote::Shown,
        };
        context! {
            view => self.view,
            width => self.width,
            scheme => self.scheme,
            remote => self.remote == Remote::Shown,
            tabs => tabs.collect::<Vec<_>>(),
            widths => widths.collect::<Vec<_>>(),
            schemes => schemes.collect::<Vec<_>>(),
            other_remote => Chosen { remote: other, ..self }.query(),
        }
    }
}

fn is_there(view: &str, mail: &Message) -> bool {
    match view {
        "html" => mail.html.is_some(),
        "text" => mail.text.is_some(),
        "parts" => !mail.attachments.is_empty(),
        _ => true,
    }
}
