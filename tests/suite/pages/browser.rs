//! A browser as the pages see one: it keeps cookies, names its origin, and sends forms with what
//! was hidden in them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;

pub struct Browser<'a> {
    gatepost: &'a Gatepost,
    agent: ureq::Agent,
    cookies: RefCell<BTreeMap<String, String>>,
    language: &'static str,
    /// Headers beside the usual ones, such as those of a proxy.
    pub headers: Vec<(&'static str, String)>,
}

impl<'a> Browser<'a> {
    pub fn new(gatepost: &'a Gatepost) -> Browser<'a> {
        Browser::speaking(gatepost, "en")
    }

    pub fn speaking(gatepost: &'a Gatepost, language: &'static str) -> Browser<'a> {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(60)))
            .max_idle_connections(0)
            .build()
            .new_agent();
        Browser {
            gatepost,
            agent,
            cookies: RefCell::default(),
            language,
            headers: Vec::new(),
        }
    }

    /// Asks for `path`, without following where it leads.
    pub fn ask(&self, method: &str, path: &str, form: Option<&str>) -> Answer {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.gatepost.listens()))
            .header("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("Accept-Language", self.language);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let cookies: Vec<String> = self
            .cookies
            .borrow()
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies.join("; "));
        }
        let answer = match form {
            Some(form) => {
                let form = form.to_owned();
                let kind = "application/x-www-form-urlencoded";
                let request = request.header("Content-Type", kind);
                self.agent.run(request.body(form).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        let mut answer = answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let headers: Vec<(String, String)> = answer
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect();
        self.keep_cookies(&headers);
        Answer {
            status: answer.status().as_u16(),
            headers,
            text: answer.body_mut().read_to_string().unwrap(),
        }
    }

    fn keep_cookies(&self, headers: &[(String, String)]) {
        let set = headers.iter().filter(|(name, _)| name == "set-cookie");
        for (_, line) in set {
            let (pair, rest) = line.split_once(';').unwrap_or((line, ""));
            let (name, value) = pair.split_once('=').unwrap();
            let mut cookies = self.cookies.borrow_mut();
            if rest.contains("Max-Age=0") {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None)
    }

    /// The value of a cookie that is kept.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.borrow().get(name).cloned()
    }

    pub fn set_cookie(&self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        self.cookies.borrow_mut().extend([pair]);
    }

    /// Opens `page`, fills the form that goes to `action` in, and sends it.
    pub fn fill(&self, page: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let shown = self.get(page);
        assert_eq!(shown.status, 200, "{page}: {}", shown.text);
        self.send(&shown, action, fields)
    }

    /// Sends the form that goes to `action` on a page that is shown.
    pub fn send(&self, shown: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in hidden(&shown.text, action) {
            form.append_pair(&name, &value);
        }
        form.extend_pairs(fields);
        self.ask("POST", action, Some(&form.finish()))
    }

    /// Registers `address` over the pages; whoever calls is logged in afterwards.
    pub fn register(&self, address: &str, password: &str) {
        let before = self.gatepost.newest();
        self.fill(
            "/users/register/",
            "/users/register/",
            &[("email", address)],
        )
        .leads_to("../../users/register/code/");
        let mail = self.gatepost.mail(address, &before);
        let code = mail["codes"][0].as_str().expect("a code in the mail");
        self.fill(
            "/users/register/code/",
            "/users/register/code/",
            &[("code", code)],
        )
        .leads_to("../../../users/register/password/");
        let page = "/users/register/password/";
        self.fill(
            page,
            page,
            &[("password", password), ("display_name", "Ann")],
        )
        .leads_to("../../../users/?done=registered");
    }

    pub fn login(&self, address: &str, password: &str) -> Answer {
        let fields = [("email", address), ("password", password)];
        self.fill("/users/login/", "/users/login/", &fields)
    }
}

/// The hidden fields of the form whose action ends with `action`.
fn hidden(page: &str, action: &str) -> Vec<(String, String)> {
    let place = page
        .match_indices("<form")
        .find(|(at, _)| {
            let tag = page[*at..].split('>').next().unwrap_or_default();
            let to = attribute(tag, "action").unwrap_or_default();
            to.trim_start_matches("../") == action.trim_start_matches('/')
        })
        .map(|(at, _)| at);
    let place = place.unwrap_or_else(|| panic!("no form leads to {action}: {page}"));
    let form = page[place..].split("</form>").next().unwrap_or_default();
    form.split("<input")
        .skip(1)
        .filter_map(|rest| {
            let tag = rest.split('>').next()?;
            (attribute(tag, "type")? == "hidden").then(|| {
                let value = attribute(tag, "value").unwrap_or_default();
                Some((attribute(tag, "name")?, value))
            })?
        })
        .collect()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split_once(&format!(" {name}=\""))?.1;
    let value = rest.split('"').next()?;
    Some(
        value
            .replace("&#x2f;", "/")
            .replace("&quot;", "\"")
            .replace("&amp;", "&"),
    )
}

impl Answer {
    /// Fails unless it leads the browser to `place` with GET.
    #[track_caller]
    pub fn leads_to(&self, place: &str) -> &Answer {
        assert_eq!(self.status, 303, "{}", self.text);
        assert_eq!(self.header("location"), Some(place));
        self
    }

    /// Fails unless it is a page of this status that holds each of `texts`.
    #[track_caller]
    pub fn shows(&self, status: u16, texts: &[&str]) -> &Answer {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(
            self.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        for text in texts {
            assert!(
                self.text.contains(text),
                "{text:?} is missing:\n{}",
                self.text
            );
        }
        self
    }
}
