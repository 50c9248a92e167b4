//! SPF (RFC 7208), DKIM (RFC 6376) and DMARC (RFC 7489) as texts: whether a record is sane, and
//! which one to add. What must not live here: asking for them.

/// What a mail domain at this provider needs.
pub struct Needs {
    /// What SPF of the From's domain has to include; `None` when it sends with an envelope sender
    /// of its own, and receivers ask that one's domain.
    pub include: Option<&'static str>,
    /// The selectors under which its DKIM keys are published, as far as they are the same for
    /// everybody.
    pub selectors: &'static [&'static str],
}

/// What the provider of this name needs.
pub fn needs(provider: &str) -> Option<Needs> {
    let (include, selectors): (_, &[&str]) = match provider {
        "gmail" => (Some("_spf.google.com"), &["google"]),
        "qq" | "exmail" => (Some("spf.mail.qq.com"), &[]),
        "163" | "126" => (Some("spf.163.com"), &[]),
        "office365" => (
            Some("spf.protection.outlook.com"),
            &["selector1", "selector2"],
        ),
        "aliyun" => (
            Some("spf1.dm.aliyun.com"),
            &["aliyun-cn-hangzhou", "aliyun-ap-southeast-1"],
        ),
        "ses" => (None, &[]),
        "sendgrid" => (None, &["s1", "s2"]),
        "mailgun" => (
            Some("mailgun.org"),
            &["k1", "k2", "mx", "smtp", "mailo", "pic", "pdk1", "pdk2"],
        ),
        _ => return None,
    };
    Some(Needs { include, selectors })
}

/// Selectors that many use.
pub const USUAL_SELECTORS: [&str; 8] = [
    "default",
    "dkim",
    "mail",
    "google",
    "s1",
    "s2",
    "selector1",
    "k1",
];

/// Domains of mail providers: their records are their own.
const OF_PROVIDERS: [&str; 26] = [
    "gmail.com",
    "googlemail.com",
    "qq.com",
    "vip.qq.com",
    "foxmail.com",
    "163.com",
    "vip.163.com",
    "126.com",
    "vip.126.com",
    "yeah.net",
    "188.com",
    "sina.com",
    "sina.cn",
    "sohu.com",
    "139.com",
    "189.cn",
    "aliyun.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "icloud.com",
    "me.com",
    "yahoo.com",
    "aol.com",
    "proton.me",
];

/// Whether the domain is a provider's, whose records nobody else can change.
pub fn is_of_provider(domain: &str) -> bool {
    OF_PROVIDERS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(domain))
}

/// Whether the domain is kept for tests or for this machine (RFC 2606, RFC 6761), or is none.
pub fn is_reserved(domain: &str) -> bool {
    let domain = domain.trim_end_matches('.').to_ascii_lowercase();
    let tops = [
        "test",
        "example",
        "invalid",
        "localhost",
        "local",
        "internal",
        "lan",
    ];
    let whole = ["example.com", "example.org", "example.net"];
    let under = |top: &str| domain == top || domain.ends_with(&format!(".{top}"));
    !domain.contains('.') || tops.iter().any(|t| under(t)) || whole.iter().any(|d| under(d))
}

/// Which of the records is SPF.
pub fn spf_of(texts: &[String]) -> Vec<&str> {
    let is_spf = |text: &&str| {
        let version = text.split(' ').next().unwrap_or_default();
        version.eq_ignore_ascii_case("v=spf1")
    };
    texts.iter().map(String::as_str).filter(is_spf).collect()
}

/// A term of an SPF record for which a receiver has to ask a name server (RFC 7208, 4.6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The domain whose SPF record is included, or which the record is redirected to.
    pub domain: Option<String>,
    /// Whether whoever passes there passes here.
    pub passes: bool,
}

/// The look-ups that an SPF record takes, in the order in which a receiver makes them.
pub fn lookups(record: &str) -> Vec<Lookup> {
    let mut lookups = Vec::new();
    let mut redirect = None;
    for term in record.split_ascii_whitespace().skip(1) {
        let term = term.to_ascii_lowercase();
        let term = term.trim_end_matches('.');
        let (passes, mechanism) = match term.strip_prefix(['-', '~', '?']) {
            Some(mechanism) => (false, mechanism),
            None => (true, term.strip_prefix('+').unwrap_or(term)),
        };
        if mechanism == "all" {
            // Nothing behind it counts, and no redirection.
            return lookups;
        }
        if let Some(domain) = term.strip_prefix("redirect=") {
            redirect = Some(domain.to_owned());
        }
        let domain = match mechanism.split([':', '/']).next() {
            Some("include") => mechanism.split_once(':').map(|(_, domain)| domain),
            Some("a" | "mx" | "ptr" | "exists") => None,
            _ => continue,
        };
        let domain = domain.map(str::to_owned);
        lookups.push(Lookup { domain, passes });
    }
    lookups.extend(redirect.map(|domain| Lookup {
        domain: Some(domain),
        passes: true,
    }));
    lookups
}

/// Whether it lets everybody send in the domain's name.
pub fn lets_all_pass(record: &str) -> bool {
    let terms = record.split_ascii_whitespace();
    let mut ends = terms.filter(|term| {
        let mechanism = term.trim_start_matches(['+', '?', '~', '-']);
        mechanism.eq_ignore_ascii_case("all")
    });
    // The first one decides.
    ends.next()
        .is_some_and(|end| end.starts_with(['+', 'a', 'A']))
}

/// The record with another include, before what decides about everybody else.
pub fn with_include(record: &str, include: &str) -> String {
    let mut terms: Vec<String> = record.split_ascii_whitespace().map(str::to_owned).collect();
    let ends = |term: &String| {
        let term = term.to_ascii_lowercase();
        term.trim_start_matches(['+', '?', '~', '-']) == "all" || term.starts_with("redirect=")
    };
    let at = terms.iter().position(ends).unwrap_or(terms.len());
    terms.insert(at, format!("include:{include}"));
    terms.join(" ")
}

/// The value of a tag in a record of `tag=value; …`.
fn tag<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    record.split(';').find_map(|pair| {
        let (tag, value) = pair.split_once('=')?;
        tag.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// What a text under a DKIM selector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A key.
    Good,
    /// A key that was taken back: it is empty.
    Revoked,
}

/// The key in this record, if it is one.
pub fn key(record: &str) -> Option<Key> {
    let version = tag(record, "v").unwrap_or("DKIM1");
    match tag(record, "p") {
        Some("") if version == "DKIM1" => Some(Key::Revoked),
        Some(_) if version == "DKIM1" => Some(Key::Good),
        _ => None,
    }
}

/// Which of the records is DMARC.
pub fn dmarc_of(texts: &[String]) -> Vec<&str> {
    let is_dmarc = |text: &&str| {
        let version = text.split(';').next().unwrap_or_default();
        version.replace(' ', "") == "v=DMARC1"
    };
    texts.iter().map(String::as_str).filter(is_dmarc).collect()
}

/// What DMARC asks for, when it is one of the three that there are.
pub fn policy(record: &str) -> Option<&str> {
    tag(record, "p").filter(|policy| {
        let policies = ["none", "quarantine", "reject"];
        policies
            .iter()
            .any(|known| policy.eq_ignore_ascii_case(known))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spf_is_read_and_completed() {
        let texts = [
            "google-site-verification=x".to_owned(),
            "V=spf1 a Include:_SPF.google.com. -all".to_owned(),
            "v=spf10 a".to_owned(),
        ];
        let [record] = spf_of(&texts)[..] else {
            panic!("one of them");
        };
        let named = |record: &str| -> Vec<String> {
            let domains = lookups(record).into_iter().map(|lookup| {
                let mark = if lookup.passes { "" } else { "!" };
                format!("{mark}{}", lookup.domain.unwrap_or("-".to_owned()))
            });
            domains.collect()
        };
        assert_eq!(named(record), ["-", "_spf.google.com"]);
        assert_eq!(named("v=spf1 redirect=a.test mx:b.test"), ["-", "a.test"]);
        assert_eq!(named("v=spf1 redirect=a.test ~all include:b.test"), [""; 0]);
        assert_eq!(
            named(
                "v=spf1 -include:a.test +include:b.test. ?a/24 ip4:192.0.2.1 exists:%{i}.c.test ptr -all"
            ),
            ["!a.test", "b.test", "!-", "-", "-"]
        );
        assert!(!lets_all_pass(record) && lets_all_pass("v=spf1 +all"));
        assert!(lets_all_pass("v=spf1 mx All -all") && !lets_all_pass("v=spf1 -all +all"));
        assert_eq!(
            with_include("v=spf1 mx ~all", "sendgrid.net"),
            "v=spf1 mx include:sendgrid.net ~all"
        );
        assert_eq!(
            with_include("v=spf1", "a.example"),
            "v=spf1 include:a.example"
        );
    }

    #[test]
    fn keys_and_policies() {
        assert_eq!(key("v=DKIM1; k=rsa; p=MIGf"), Some(Key::Good));
        assert_eq!(key("k=rsa; p="), Some(Key::Revoked));
        assert_eq!(key("v=spf1 -all"), None);
        let texts = ["v=DMARC1; p=Reject; sp=none".to_owned(), "x".to_owned()];
        assert_eq!(dmarc_of(&texts).len(), 1);
        assert_eq!(policy(&texts[0]), Some("Reject"));
        assert_eq!(policy("v=DMARC1; rua=x"), None);
        assert_eq!(policy("v=DMARC1; p=maybe"), None);
    }

    #[test]
    fn domains_that_are_not_looked_at() {
        for (domain, provider, reserved) in [
            ("Gmail.com", true, false),
            ("foxmail.com", true, false),
            ("team.dev", false, false),
            ("localhost", false, true),
            ("mail.example.com", false, true),
            ("a.test", false, true),
            ("contest", false, true),
            ("a.contest", false, false),
        ] {
            assert_eq!(is_of_provider(domain), provider, "{domain}");
            assert_eq!(is_reserved(domain), reserved, "{domain}");
        }
    }
}
