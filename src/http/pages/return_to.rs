//! Where people are sent when they are done (`next=`): places of this site, and those that the
//! operator allowed. Everything else would let a stranger's link end on a stranger's page with
//! our name before it.

use url::Url;

/// The places beside this site.
#[derive(Debug, Clone, Default)]
pub struct Allowed(Vec<Url>);

impl Allowed {
    /// Those that begin with one of these addresses.
    pub fn new(places: Vec<Url>) -> Allowed {
        Allowed(places)
    }

    /// Their origins, each once: what a form of ours may lead to.
    pub fn origins(&self) -> Vec<String> {
        let mut origins: Vec<String> = self
            .0
            .iter()
            .map(|place| place.origin().ascii_serialization())
            .collect();
        origins.sort_unstable();
        origins.dedup();
        origins
    }

    /// `next`, if people may be sent there: a path of this host, or an address below one that was
    /// allowed.
    pub fn check(&self, next: &str) -> Option<String> {
        // What a browser repairs (a backslash, a tab within) is not looked at more closely.
        let plain = |c: char| c.is_ascii_graphic() && c != '\\';
        if next.is_empty() || next.len() > 2000 || !next.chars().all(plain) {
            return None;
        }
        if next.starts_with('/') {
            return (!next.starts_with("//")).then(|| next.to_owned());
        }
        let url = Url::parse(next).ok()?;
        let has_name = !url.username().is_empty() || url.password().is_some();
        let below =
            |place: &Url| url.origin() == place.origin() && is_below(url.path(), place.path());
        (!has_name && self.0.iter().any(below)).then(|| url.into())
    }
}

fn is_below(path: &str, place: &str) -> bool {
    let place = place.strip_suffix('/').unwrap_or(place);
    path.strip_prefix(place)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_places_of_ours_and_those_allowed_are_gone_to() {
        let allowed = Allowed::new(vec![
            Url::parse("https://app.example.com/team").unwrap(),
            Url::parse("http://localhost:3000").unwrap(),
        ]);
        for fine in [
            "/",
            "/app/?a=b#c",
            "https://app.example.com/team",
            "https://app.example.com/team/x?y",
            "https://APP.example.com:443/team/",
            "http://localhost:3000/",
        ] {
            assert!(allowed.check(fine).is_some(), "{fine}");
        }
        for wrong in [
            "",
            "//evil.test",
            "/\\evil.test",
            "/\t/evil.test",
            "\\\\evil.test",
            "https://evil.test/",
            "https://app.example.com.evil.test/team",
            "https://app.example.com/teamwork",
            "https://app.example.com/team/../other",
            "https://app.example.com@evil.test/team",
            "https://ann@app.example.com/team",
            "http://app.example.com/team",
            "http://localhost:3001/",
            "javascript:alert(1)",
            "data:text/html,x",
            "users/",
        ] {
            assert_eq!(allowed.check(wrong), None, "{wrong}");
        }
        assert_eq!(
            allowed.origins(),
            ["http://localhost:3000", "https://app.example.com"]
        );
    }
}
