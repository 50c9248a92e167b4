//! Who may read the captured mail and the metrics: the operator, and in `dev` whoever sits at the
//! machine. What must not live here: sessions of people (identity knows those).

use std::net::SocketAddr;

use poem::http::uri::Authority;
use poem::http::{Method, Version, header};
use poem::{Addr, Request};

use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::secret::TokenHash;

/// The guard before the operator's part.
#[derive(Debug)]
pub struct Guard {
    /// The hash of the operator's token.
    pub token: TokenHash,
    /// Whether a request from this very machine needs no token (`dev`).
    pub open_on_loopback: bool,
    /// Host names beside `localhost` and the loopback addresses that such a request may name.
    pub allowed_hosts: Vec<String>,
}

impl Guard {
    /// Lets the operator pass and nobody else.
    pub fn require_token(&self, token: &AdminToken) -> Result<(), Problem> {
        match &token.0 {
            Some(token) if TokenHash::of(token).matches(&self.token) => Ok(()),
            Some(_) => {
                Err(Problem::new(Kind::AdminRequired).detail("The token is not the operator's."))
            }
            None => Err(Problem::new(Kind::AdminRequired)),
        }
    }

    /// Lets the operator pass. A request without a token passes in `dev` when both ends of its
    /// connection are on this machine, it names a host of this machine (a page that had its own
    /// name resolve to 127.0.0.1 names another) and no other site's page sent it.
    pub fn check(&self, request: &Request, token: &AdminToken) -> Result<(), Problem> {
        if token.0.is_some() || !self.is_here(request) {
            return self.require_token(token);
        }
        self.check_site(request, false)
    }

    /// The same for pages, which have no token: `false` where the operator has to show who they
    /// are. Whoever follows a link on another site comes in, since that site sees nothing of what
    /// is answered. A form of ours names `null` as its origin, for our pages have no referrer: its
    /// secret decides, which is for the pages to check.
    pub fn check_page(&self, request: &Request) -> Result<bool, Problem> {
        if !self.is_here(request) {
            return Ok(false);
        }
        self.check_site(request, true)?;
        Ok(true)
    }

    fn is_here(&self, request: &Request) -> bool {
        self.open_on_loopback && is_loopback(request) && !is_forwarded(request)
    }

    fn check_site(&self, request: &Request, page: bool) -> Result<(), Problem> {
        let Some(host) = named_host(request).filter(|host| self.is_allowed(host)) else {
            return Err(Problem::new(Kind::HostRefused));
        };
        let mut sites = request.headers().get_all("sec-fetch-site").iter();
        let other_site = sites.any(|site| site != "same-origin" && site != "none");
        let other_site = other_site && !(page && is_navigation(request));
        let origin = single(request, header::ORIGIN.as_str());
        let has_origin = request.headers().contains_key(header::ORIGIN);
        let has_origin = has_origin && !(page && origin == Some("null"));
        if other_site || (has_origin && !origin.is_some_and(|origin| is_origin_of(origin, host))) {
            return Err(Problem::new(Kind::OriginRefused));
        }
        Ok(())
    }

    fn is_allowed(&self, host: &str) -> bool {
        let name = without_port(host);
        let local = ["localhost", "127.0.0.1", "[::1]"];
        let allowed = local
            .into_iter()
            .chain(self.allowed_hosts.iter().map(String::as_str));
        let mut allowed = allowed.map(|known| known.trim_end_matches('.'));
        allowed.any(|known| known.eq_ignore_ascii_case(name))
    }
}

fn is_loopback(request: &Request) -> bool {
    let own = match &request.local_addr().0 {
        Addr::SocketAddr(SocketAddr::V4(own)) => own.ip().is_loopback(),
        Addr::SocketAddr(SocketAddr::V6(own)) => own.ip().to_canonical().is_loopback(),
        _ => false,
    };
    own && caller::socket_address(&request.remote_addr().0).is_loopback()
}

/// Whether a proxy on this machine passes on what somebody elsewhere asked.
fn is_forwarded(request: &Request) -> bool {
    let headers = request.headers();
    ["forwarded", "x-forwarded-for", "x-real-ip", "via"]
        .into_iter()
        .any(|name| headers.contains_key(name))
}

/// Whether somebody goes there in a window of their own, as by a link.
fn is_navigation(request: &Request) -> bool {
    request.method() == Method::GET
        && single(request, "sec-fetch-mode") == Some("navigate")
        && single(request, "sec-fetch-dest") == Some("document")
}

/// The host that the request is meant for. HTTP/2 has it beside the headers, where a Host may
/// stand as well and then must say the same (RFC 9113, 8.3.1).
fn named_host(request: &Request) -> Option<&str> {
    let header = single(request, header::HOST.as_str());
    if request.version() != Version::HTTP_2 {
        return header;
    }
    let authority = request.uri().authority().map(Authority::as_str);
    match authority {
        Some(authority) if request.headers().contains_key(header::HOST) => {
            header.filter(|host| host.eq_ignore_ascii_case(authority))
        }
        Some(_) => authority,
        None => header,
    }
}

/// The value of a header that stands there exactly once.
fn single<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let mut values = request.headers().get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

fn without_port(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        // The colons of an IPv6 address stand inside its brackets.
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_end_matches('.')
}

fn is_origin_of(origin: &str, host: &str) -> bool {
    let authority = origin
        .strip_prefix("http://")
        .or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard {
            token: TokenHash::of("gpa_right"),
            open_on_loopback: true,
            allowed_hosts: vec!["mail.test".to_owned()],
        }
    }

    #[test]
    fn hosts_of_this_machine_are_allowed_with_any_port() {
        for host in [
            "localhost",
            "LOCALHOST:8000",
            "127.0.0.1:1",
            "[::1]",
            "[::1]:80",
            "localhost.",
        ] {
            assert!(guard().is_allowed(host), "{host}");
        }
        assert!(guard().is_allowed("mail.test:8000"));
        for host in [
            "",
            "evil.test",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "::1",
            "2130706433",
        ] {
            assert!(!guard().is_allowed(host), "{host}");
        }
    }

    #[test]
    fn an_origin_is_the_same_only_with_its_port() {
        assert!(is_origin_of("http://localhost:8000", "localhost:8000"));
        assert!(!is_origin_of("http://localhost:3000", "localhost:8000"));
        assert!(!is_origin_of("null", "localhost:8000"));
    }

    #[test]
    fn without_a_socket_on_loopback_the_token_decides() {
        let check = |token: Option<&str>| {
            let request = Request::builder().header("host", "localhost").finish();
            guard().check(&request, &AdminToken(token.map(str::to_owned)))
        };
        assert!(check(Some("gpa_right")).is_ok());
        assert_eq!(
            check(Some("gpa_wrong")).unwrap_err().kind(),
            Kind::AdminRequired
        );
        assert_eq!(check(None).unwrap_err().kind(), Kind::AdminRequired);
    }
}
