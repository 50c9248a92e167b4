//! What is known of paths beside where they lead: the methods of each, for `Allow`, and which of
//! them carry a secret. What must not live here: routing (the HTTP library's).

/// How the link of a reset mail begins; what follows opens the account to whoever has it.
const LINK: &[u8] = b"/users/reset";

/// A path as the log may have it: without the secret of a link, however the link was mangled on
/// its way here.
pub fn loggable(path: &str) -> &str {
    let carries = path
        .as_bytes()
        .windows(LINK.len())
        .any(|part| part.eq_ignore_ascii_case(LINK));
    if carries { "/users/reset/***" } else { path }
}

/// The paths with their methods.
#[derive(Debug, Default)]
pub struct Paths {
    entries: Vec<(String, Vec<String>)>,
}

impl Paths {
    /// Notes a path, with parameters as `{name}`, and one of its methods.
    pub fn add(&mut self, path: &str, method: &str) {
        let method = method.to_ascii_uppercase();
        match self.entries.iter_mut().find(|(known, _)| known == path) {
            Some((_, methods)) => methods.push(method),
            None => self.entries.push((path.to_owned(), vec![method])),
        }
    }

    /// The value of `Allow` for a path as it was asked for. HEAD works wherever GET does.
    pub fn allow(&self, asked: &str) -> String {
        let asked = asked.strip_suffix('/').unwrap_or(asked);
        let exact = self.entries.iter().find(|(path, _)| path == asked);
        let entry = exact.or_else(|| self.entries.iter().find(|(path, _)| matches(path, asked)));
        let mut methods: Vec<&str> = Vec::new();
        for method in entry.iter().flat_map(|(_, methods)| methods) {
            methods.push(method);
            if method == "GET" {
                methods.push("HEAD");
            }
        }
        methods.join(", ")
    }
}

fn matches(pattern: &str, asked: &str) -> bool {
    let (mut pattern, mut asked) = (pattern.split('/'), asked.split('/'));
    loop {
        match (pattern.next(), asked.next()) {
            (None, None) => return true,
            (Some(wanted), Some(found)) if wanted == found || wanted.starts_with('{') => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_of_a_link_is_not_for_the_log() {
        for link in [
            "/users/reset/us_1/gpr_secret/",
            "/users/reset/us_1/gpr_secret",
            "//users/reset/us_1/gpr_secret",
            "/app/Users/Reset/us_1/gpr_secret/and/more",
            "/users/resetus_1gpr_secret",
        ] {
            assert_eq!(loggable(link), "/users/reset/***", "{link}");
        }
        for path in ["/", "/healthz", "/users", "/api/v1/auth/password_reset"] {
            assert_eq!(loggable(path), path);
        }
    }

    #[test]
    fn the_more_exact_path_is_meant() {
        let mut paths = Paths::default();
        paths.add("/a/{id}", "get");
        paths.add("/a/{id}", "delete");
        paths.add("/a/all", "post");
        assert_eq!(paths.allow("/a/7"), "GET, HEAD, DELETE");
        assert_eq!(paths.allow("/a/all/"), "POST");
        assert_eq!(paths.allow("/a"), "");
    }
}
