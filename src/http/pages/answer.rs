//! Answers that lead on, and what a language is called in itself.

use poem::Response;
use poem::http::{HeaderValue, StatusCode, header};

use crate::language::Language;

use super::visit::Visitor;

/// Leads to `place`, named from the root; what is seen there is asked for with GET.
pub fn go(visitor: &Visitor, place: &str) -> Response {
    go_to(&format!("{}{place}", visitor.root))
}

/// Leads to an address as a browser reads it.
pub fn go_to(address: &str) -> Response {
    let mut response = Response::default();
    response.set_status(StatusCode::SEE_OTHER);
    let location = HeaderValue::try_from(address);
    let location = location.unwrap_or(HeaderValue::from_static("./"));
    response.headers_mut().insert(header::LOCATION, location);
    response
}

/// What a language is called by those who speak it.
pub const fn own_name(language: Language) -> &'static str {
    match language {
        Language::ZhHant => "繁體中文",
        Language::ZhHans => "简体中文",
        Language::En => "English",
    }
}

/// The tag as HTML has it (BCP 47: the script with a capital letter).
pub const fn html_tag(language: Language) -> &'static str {
    match language {
        Language::ZhHant => "zh-Hant",
        Language::ZhHans => "zh-Hans",
        Language::En => "en",
    }
}
