//! Who asks: the address, the program, and the token in the Authorization header. What must not
//! live here: whether the token is good (identity and `guard` know).

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering};

use poem::http::{HeaderName, header};
use poem::{Addr, Request, RequestBody};
use poem_openapi::registry::{MetaSecurityScheme, Registry};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions};

use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity::Client;
use crate::language::Language;
use crate::operator::By;

/// The address of whoever asks. A header is believed only behind `trusted_proxies` proxies of
/// ours: each appends the address it saw, so the client stands that many from the right.
pub fn address(request: &Request, trusted_proxies: usize) -> IpAddr {
    let socket = socket_address(&request.remote_addr().0);
    if trusted_proxies == 0 {
        warn_of_proxies(request);
        return socket;
    }
    let lines = request.headers().get_all(FORWARDED_FOR);
    // Bytes: what a client wrote further left need not be text, and is not looked at.
    let hops: Vec<&[u8]> = lines
        .iter()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .collect();
    // Fewer hops than proxies: somebody came past one of them; its own address is all we know.
    hops.len()
        .checked_sub(trusted_proxies)
        .and_then(|index| std::str::from_utf8(hops[index]).ok())
        .and_then(|hop| parse_hop(hop.trim()))
        .unwrap_or(socket)
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Behind a proxy that nobody told us of, all people share the limits of one address: said once.
fn warn_of_proxies(request: &Request) {
    static SAID: AtomicBool = AtomicBool::new(false);
    if SAID.load(Ordering::Relaxed) {
        return;
    }
    let headers = request.headers();
    let forwarded = headers.contains_key(FORWARDED_FOR) || headers.contains_key(header::FORWARDED);
    if forwarded && !SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "a request says that it was forwarded, and http.trusted_proxies is 0: if a proxy \
             stands before gatepost, set it to the number of proxies, else everybody counts as \
             one address"
        );
    }
}

fn parse_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').split(']').next().unwrap_or(hop);
    let address = bare
        .parse()
        .ok()
        .or_else(|| Some(hop.parse::<std::net::SocketAddr>().ok()?.ip()))?;
    Some(canonical(address))
}

/// The address of the socket's other end.
pub fn socket_address(address: &Addr) -> IpAddr {
    match address {
        Addr::SocketAddr(address) => canonical(address.ip()),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}

fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The client as identity wants it.
pub fn client(request: &Request, trusted_proxies: usize) -> Client {
    let user_agent = request
        .headers()
        .get(header::USER_AGENT)
        .and_then(|agent| agent.to_str().ok())
        // ASCII: `to_str` takes nothing else.
        .map(|agent| agent.get(..256).unwrap_or(agent).to_owned());
    Client {
        ip: address(request, trusted_proxies),
        user_agent,
    }
}

/// Who acts for the operator. What they are called stands in `Gatepost-Operator`, percent-encoded,
/// and is believed: whoever has the token could say anything there.
///
/// # Errors
/// What stands there is no name.
pub fn operator(request: &Request, trusted_proxies: usize) -> Result<By, Problem> {
    let somebody = By::somebody(address(request, trusted_proxies));
    let Some(claim) = request.headers().get(OPERATOR) else {
        return Ok(somebody);
    };
    let name = percent_encoding::percent_decode(claim.as_bytes()).decode_utf8();
    let refused = |reason: &str| Problem::parameter("Gatepost-Operator", reason);
    let name = name.map_err(|_| refused("expected a name, its UTF-8 percent-encoded"))?;
    somebody
        .called(&name)
        .map_err(|error| refused(&error.to_string()))
}

const OPERATOR: HeaderName = HeaderName::from_static("gatepost-operator");

/// The language that the client likes best of ours (Accept-Language, RFC 9110, 12.5.4); `None` when
/// it likes none of them.
pub fn language(request: &Request) -> Option<Language> {
    let lines = request.headers().get_all(header::ACCEPT_LANGUAGE);
    let ranges = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','));
    let mut best: Option<(f32, Language)> = None;
    for range in ranges {
        let mut parts = range.split(';');
        let tag = parts.next().unwrap_or_default();
        let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse().ok());
        let weight = weight.unwrap_or(1.0_f32);
        let Ok(language) = tag.parse() else { continue };
        // The first of equals.
        if weight > best.map_or(0.0, |(weight, _)| weight) {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// The Bearer token of a request (RFC 6750).
pub fn bearer(request: &Request) -> Option<&str> {
    let value = request
        .headers()
        .get(header::AUTHORIZATION)?
        .to_str()
        .ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

macro_rules! token {
    ($(#[$doc:meta])* $name:ident, $scheme:literal, $form:literal, $description:literal) => {
        $(#[$doc])*
        pub struct $name(pub Option<String>);

        impl<'a> ApiExtractor<'a> for $name {
            const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
            type ParamType = ();
            type ParamRawType = ();

            fn register(registry: &mut Registry) {
                registry.create_security_scheme($scheme, MetaSecurityScheme {
                    ty: "http",
                    description: Some($description),
                    name: None,
                    key_in: None,
                    scheme: Some("bearer"),
                    bearer_format: Some($form),
                    flows: None,
                    openid_connect_url: None,
                });
            }

            fn security_schemes() -> Vec<&'static str> {
                vec![$scheme]
            }

            async fn from_request(
                request: &'a Request,
                _: &mut RequestBody,
                _: ExtractParamOptions<()>,
            ) -> poem::Result<$name> {
                Ok($name(bearer(request).map(str::to_owned)))
            }
        }
    };
}

token!(
    /// The token of a session, as `register` and `login` gave it.
    SessionToken, "session", "gps_…",
    "The token of a session, from `register` or `login`."
);
token!(
    /// The operator's token.
    AdminToken, "admin", "gpa_…",
    "The operator's token, which stands in `admin.token` in the data folder."
);

token!(
    /// The key of one of the team's other programs.
    ApiKeyToken, "api_key", "gpk_…",
    "The key of a program that has mail sent, made with `gatepost key create`."
);

impl ApiKeyToken {
    /// The key, or the problem that there is none.
    pub fn required(&self) -> Result<&str, Problem> {
        self.0.as_deref().ok_or(Problem::new(Kind::ApiKeyRequired))
    }
}

impl SessionToken {
    /// The token, or the problem that there is none.
    pub fn required(&self) -> Result<&str, Problem> {
        self.0.as_deref().ok_or(Problem::new(Kind::Unauthenticated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(forwarded: &[&str], trusted: usize) -> String {
        let mut builder = Request::builder();
        for line in forwarded {
            // As it comes over the wire: one byte a character, which need not be ASCII.
            let bytes: Vec<u8> = line.chars().map(|c| u8::try_from(c).unwrap()).collect();
            builder = builder.header("x-forwarded-for", bytes);
        }
        address(&builder.finish(), trusted).to_string()
    }

    #[test]
    fn a_header_is_believed_only_behind_trusted_proxies() {
        assert_eq!(seen(&["192.0.2.1"], 0), "0.0.0.0");
        assert_eq!(seen(&["192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(seen(&["203.0.113.9, 192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(seen(&["203.0.113.9", "192.0.2.1"], 2), "203.0.113.9");
        assert_eq!(seen(&["192.0.2.1"], 2), "0.0.0.0");
        assert_eq!(seen(&["unknown, 192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(seen(&["192.0.2.1, unknown"], 1), "0.0.0.0");
        assert_eq!(seen(&["[2001:db8::1]:4711"], 1), "2001:db8::1");
        assert_eq!(seen(&["192.0.2.7:80"], 1), "192.0.2.7");
        assert_eq!(seen(&["::ffff:192.0.2.8"], 1), "192.0.2.8");
        assert_eq!(seen(&["caf\u{e9}, 192.0.2.1"], 1), "192.0.2.1");
        assert_eq!(
            seen(&["\u{e9}", "203.0.113.9, 192.0.2.1"], 2),
            "203.0.113.9"
        );
        assert_eq!(seen(&["203.0.113.9, \u{e9}"], 1), "0.0.0.0");
    }

    #[test]
    fn the_language_that_is_liked_best_is_spoken_if_it_is_ours() {
        let with = |value: &str| {
            let request = Request::builder().header("accept-language", value).finish();
            language(&request)
        };
        assert_eq!(with("zh-TW,zh;q=0.9,en;q=0.8"), Some(Language::ZhHant));
        assert_eq!(with("fr, en;q=0.3, zh-CN;q=0.5"), Some(Language::ZhHans));
        assert_eq!(with("en;q=0, fr"), None);
        assert_eq!(with("*"), None);
        assert_eq!(with(""), None);
        assert_eq!(language(&Request::default()), None);
    }

    #[test]
    fn only_bearer_counts() {
        let with = |value: &str| {
            let request = Request::builder().header("authorization", value).finish();
            bearer(&request).map(str::to_owned)
        };
        assert_eq!(with("Bearer abc").as_deref(), Some("abc"));
        assert_eq!(with("bearer  abc ").as_deref(), Some("abc"));
        assert_eq!(with("Basic abc"), None);
        assert_eq!(with("Bearer "), None);
        assert_eq!(with("abc"), None);
    }
}
