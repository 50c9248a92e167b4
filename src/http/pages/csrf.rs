//! Forms of other sites are refused: a secret in a cookie has to come back in a hidden field
//! (double submit), and the browser must not say that another site sent the form.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use poem::Request;
use poem::http::header;

use crate::secret::same_mac;
use crate::world::World;

/// The secret of one browser.
#[derive(Clone, Copy)]
pub struct Csrf {
    secret: [u8; 32],
    /// Whether the browser does not have it yet.
    pub fresh: bool,
}

impl Csrf {
    /// The one that the cookie holds, or a new one.
    pub fn of(cookie: Option<&str>, world: &World) -> Csrf {
        let known = cookie.and_then(|cookie| URL_SAFE_NO_PAD.decode(cookie).ok());
        match known.and_then(|known| <[u8; 32]>::try_from(known).ok()) {
            Some(secret) => Csrf {
                secret,
                fresh: false,
            },
            None => Csrf::draw(world),
        }
    }

    /// A new one, as after a login: what was known to somebody before it is worth nothing.
    pub fn draw(world: &World) -> Csrf {
        Csrf {
            secret: world.bytes(),
            fresh: true,
        }
    }

    /// What the cookie holds.
    pub fn cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.secret)
    }

    /// What the hidden field holds: another text each time, so that the length of a compressed
    /// page tells nothing about it (BREACH).
    pub fn field(&self, world: &World) -> String {
        let mask: [u8; 32] = world.bytes();
        let mut both = [0; 64];
        both[..32].copy_from_slice(&mask);
        both[32..].copy_from_slice(&xor(mask, self.secret));
        URL_SAFE_NO_PAD.encode(both)
    }

    /// Whether a hidden field holds it.
    pub fn matches(&self, field: &str) -> bool {
        let Ok(Ok(both)) = URL_SAFE_NO_PAD.decode(field).map(<[u8; 64]>::try_from) else {
            return false;
        };
        let (mut mask, mut masked) = ([0; 32], [0; 32]);
        mask.copy_from_slice(&both[..32]);
        masked.copy_from_slice(&both[32..]);
        // A secret that was drawn just now is nobody's.
        !self.fresh && same_mac(&xor(mask, masked), &self.secret)
    }
}

fn xor(mut a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    for (a, b) in a.iter_mut().zip(b) {
        *a ^= b;
    }
    a
}

/// Whether the browser says that the request comes from a page of ours: `origin` is where the
/// site is found, and what the request itself names as its host counts as well. A browser that
/// says nothing is believed; it has to know the secret all the same. `null` says nothing: that is
/// what a browser names as the origin of a page without a referrer, and ours are such pages.
pub fn is_same_site(request: &Request, origin: &str) -> bool {
    let headers = request.headers();
    // What a page's script cannot write, but only https and this machine are told.
    let mut sites = headers.get_all("sec-fetch-site").iter();
    if sites.any(|site| site != "same-origin" && site != "none") {
        return false;
    }
    let Some(claimed) = headers.get(header::ORIGIN) else {
        return true;
    };
    let Ok(claimed) = claimed.to_str() else {
        return false;
    };
    let host = headers
        .get(header::HOST)
        .and_then(|host| host.to_str().ok());
    let authority = claimed.split_once("://").map(|(_, authority)| authority);
    claimed == "null"
        || claimed.eq_ignore_ascii_case(origin)
        || authority
            .is_some_and(|authority| host.is_some_and(|host| authority.eq_ignore_ascii_case(host)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[test]
    fn the_field_is_another_each_time_and_always_right() {
        let world = Simulated::new(1).world();
        let drawn = Csrf::draw(&world);
        let held = Csrf::of(Some(&drawn.cookie()), &world);
        let (one, two) = (held.field(&world), held.field(&world));
        assert_ne!(one, two);
        assert!(held.matches(&one) && held.matches(&two));
        assert!(!Csrf::draw(&world).matches(&one));
        for wrong in ["", "a", &one[1..]] {
            assert!(!held.matches(wrong), "{wrong}");
        }
        // Whoever has no cookie cannot have been shown the form.
        assert!(!drawn.matches(&drawn.field(&world)));
    }

    #[test]
    fn forms_of_other_sites_are_told_apart() {
        let ours = |headers: &[(&str, &str)]| {
            let mut builder = Request::builder().header("host", "id.example.com");
            for (name, value) in headers {
                builder = builder.header(*name, *value);
            }
            is_same_site(&builder.finish(), "https://example.com")
        };
        assert!(ours(&[]));
        assert!(ours(&[("sec-fetch-site", "same-origin")]));
        assert!(ours(&[("origin", "https://example.com")]));
        assert!(ours(&[("origin", "https://id.example.com")]));
        assert!(!ours(&[("origin", "https://evil.test")]));
        assert!(ours(&[("origin", "null")]));
        assert!(!ours(&[
            ("origin", "null"),
            ("sec-fetch-site", "cross-site")
        ]));
        assert!(!ours(&[("sec-fetch-site", "same-site")]));
        assert!(!ours(&[
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://example.com")
        ]));
    }
}
