//! What people would call the thing behind a User-Agent: a browser and a system, as far as both
//! are known by name. It is a hint for finding one's own session again and proves nothing.

/// The browsers, the more special before those that they claim to be.
const BROWSERS: [(&str, &str); 11] = [
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("MicroMessenger/", "WeChat"),
    ("QQBrowser/", "QQ Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
];

const SYSTEMS: [(&str, &str); 8] = [
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
    ("X11", "Unix"),
];

/// `Firefox · Linux`; of what is not known the first word; `None` when it says nothing.
pub fn name(user_agent: &str) -> Option<String> {
    let find = |names: &[(&'static str, &'static str)]| {
        let found = names.iter().find(|(part, _)| user_agent.contains(part));
        found.map(|(_, name)| *name)
    };
    let known = [find(&BROWSERS), find(&SYSTEMS)];
    let known: Vec<&str> = known.into_iter().flatten().collect();
    if !known.is_empty() {
        return Some(known.join(" · "));
    }
    let first = user_agent.split([' ', '/', '(']).next().unwrap_or_default();
    (!first.is_empty()).then(|| first.chars().take(40).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_recognise_their_things() {
        let name = |agent| name(agent).unwrap_or_default();
        assert_eq!(
            name("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
            "Firefox · Linux"
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0"
            ),
            "Edge · Windows"
        );
        assert_eq!(
            name(
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
            ),
            "Safari · iPhone"
        );
        assert_eq!(name("python-requests/2.32"), "python-requests");
        assert_eq!(name(""), "");
    }
}
