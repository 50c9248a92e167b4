//! The cookies of the pages: their names, how long they last, who may send them. What must not
//! live here: what is in them.

use std::time::Duration;

use cookie::Cookie;
use cookie::SameSite;
use poem::http::{HeaderMap, HeaderValue, header};
use poem::{Request, Response};

/// The cookies there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// The token of the session.
    Session,
    /// What proves that a form is ours.
    Csrf,
    /// The language that was chosen.
    Language,
    /// Where somebody stands between asking for a code and using it.
    Course,
    /// The reset link that somebody followed.
    Link,
    /// That the operator showed who they are.
    Operator,
}

impl Name {
    const fn word(self) -> &'static str {
        match self {
            Name::Session => "gatepost_session",
            Name::Csrf => "gatepost_csrf",
            Name::Language => "gatepost_language",
            Name::Course => "gatepost_course",
            Name::Link => "gatepost_link",
            Name::Operator => "gatepost_operator",
        }
    }

    /// Lax: whoever comes by a link of a mail is to stay logged in. No form of another site is
    /// believed for it: see `csrf`. The operator comes by no link.
    const fn same_site(self) -> SameSite {
        match self {
            Name::Operator => SameSite::Strict,
            _ => SameSite::Lax,
        }
    }

    /// The whole name. Where the site is reached by https no neighbour on another name or port
    /// can set it (RFC 6265bis, 4.1.3.2).
    fn whole(self, https: bool) -> String {
        let prefix = if https { "__Host-" } else { "" };
        format!("{prefix}{}", self.word())
    }
}

/// The value of a cookie that came with the request. Where several have the name, the first: the
/// most specific one.
pub fn read(request: &Request, name: Name, https: bool) -> Option<String> {
    let whole = name.whole(https);
    let lines = request.headers().get_all(header::COOKIE);
    lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| Cookie::split_parse(line.to_owned()))
        .filter_map(Result::ok)
        .find(|cookie| cookie.name() == whole)
        .map(|cookie| cookie.value().to_owned())
}

/// Has the browser keep a cookie, for `kept` or as long as it runs.
pub fn set(response: &mut Response, name: Name, value: &str, kept: Option<Duration>, https: bool) {
    let cookie = Cookie::build((name.whole(https), value))
        .path("/")
        .http_only(true)
        .secure(https)
        .same_site(name.same_site());
    let mut text = cookie.build().to_string();
    if let Some(kept) = kept {
        text.push_str(&format!("; Max-Age={}", kept.as_secs()));
    }
    append(response.headers_mut(), &text);
}

/// Has the browser forget a cookie.
pub fn clear(response: &mut Response, name: Name, https: bool) {
    set(response, name, "", Some(Duration::ZERO), https);
}

fn append(headers: &mut HeaderMap, text: &str) {
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.append(header::SET_COOKIE, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_the_host_where_there_is_tls() {
        let mut response = Response::default();
        set(
            &mut response,
            Name::Session,
            "gps_x",
            Some(Duration::from_secs(60)),
            true,
        );
        assert_eq!(
            response.header("set-cookie"),
            Some(
                "__Host-gatepost_session=gps_x; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=60"
            )
        );
        let request = Request::builder()
            .header(
                "cookie",
                "a=b; gatepost_session=1; __Host-gatepost_session=2",
            )
            .finish();
        assert_eq!(read(&request, Name::Session, true).as_deref(), Some("2"));
        assert_eq!(read(&request, Name::Session, false).as_deref(), Some("1"));
        assert_eq!(read(&request, Name::Csrf, false), None);
    }
}
