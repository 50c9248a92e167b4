//! Programs that open every link of a mail before its reader does (spam filters, previews): no
//! link is used up by that, whatever they ask and however often.

use serde_json::Value;

use crate::harness::Gatepost;

const EMAIL: &str = "ann@example.com";
const NEW: &str = "harbour walnut 7";

/// One that keeps its cookies or not, and follows wherever it is led.
struct Reader {
    agent: ureq::Agent,
    cookies: Option<Vec<(String, String)>>,
    gatepost: String,
}

struct Page {
    status: u16,
    text: String,
    location: Option<String>,
}

impl Reader {
    fn new(gatepost: &Gatepost, keeps_cookies: bool) -> Reader {
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_idle_connections(0)
            .build();
        Reader {
            agent: agent.into(),
            cookies: keeps_cookies.then(Vec::new),
            gatepost: format!("http://{}", gatepost.listens()),
        }
    }

    fn asks(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Page {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.gatepost));
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .flatten()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            request = request.header("Cookie", cookies.join("; "));
        }
        let mut answer = match form {
            [] => self.agent.run(request.body(()).unwrap()),
            form => {
                let body = url::form_urlencoded::Serializer::new(String::new())
                    .extend_pairs(form)
                    .finish();
                let kind = "application/x-www-form-urlencoded";
                let request = request.header("Content-Type", kind);
                self.agent.run(request.body(body).unwrap())
            }
        }
        .unwrap();
        for cookie in answer.headers().get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if let Some(kept) = &mut self.cookies {
                kept.retain(|(known, _)| known != name);
                kept.push((name.to_owned(), value.to_owned()));
            }
        }
        let location = answer.headers().get("location");
        Page {
            status: answer.status().as_u16(),
            location: location.map(|to| to.to_str().unwrap().to_owned()),
            text: answer.body_mut().read_to_string().unwrap_or_default(),
        }
    }

    /// Asks, and follows wherever that leads; the last page.
    fn opens(&mut self, method: &str, path: &str) -> Page {
        let mut at = url::Url::parse(&self.gatepost).unwrap().join(path).unwrap();
        for _ in 0..10 {
            let page = self.asks(method, &at[url::Position::BeforePath..], &[]);
            match &page.location {
                Some(to) => at = at.join(to).unwrap(),
                None => return page,
            }
        }
        panic!("{path} leads nowhere");
    }

    /// Sends a form that the page shows, with what it hides.
    fn sends(&mut self, path: &str, page: &Page, fields: &[(&str, &str)]) -> Page {
        let (_, rest) = page.text.split_once("name=\"csrf\" value=\"").unwrap();
        let secret = rest.split('"').next().unwrap();
        let mut form = vec![("csrf", secret)];
        form.extend(fields);
        self.asks("POST", path, &form)
    }
}

/// The links of the newest mail to the address, as paths.
fn links(gatepost: &Gatepost, after: &str) -> Vec<String> {
    let mail: Value = gatepost.mail(EMAIL, after);
    let links = mail["links"].as_array().unwrap().iter();
    links
        .map(|link| url::Url::parse(link.as_str().unwrap()).unwrap())
        .map(|url| url[url::Position::BeforePath..].to_owned())
        .collect()
}

fn scanned(gatepost: &Gatepost, links: &[String]) {
    for keeps_cookies in [false, true] {
        let mut scanner = Reader::new(gatepost, keeps_cookies);
        for link in links {
            for method in ["HEAD", "GET", "GET", "HEAD"] {
                let page = scanner.opens(method, link);
                assert!(page.status < 500, "{method} {link}: {}", page.status);
            }
        }
    }
}

#[test]
fn a_reset_link_survives_whoever_opens_it_first() {
    let gatepost = Gatepost::start();
    gatepost.register(EMAIL, "walnut harbour 9");
    let before = gatepost.newest();
    let mut ann = Reader::new(&gatepost, true);
    let page = ann.opens("GET", "/users/password_reset/");
    let sent = ann.sends("/users/password_reset/", &page, &[("email", EMAIL)]);
    assert_eq!(sent.status, 303, "{}", sent.text);
    let links = links(&gatepost, &before);
    let link = links.iter().find(|link| link.contains("/users/reset/"));
    let link = link.expect("a link").clone();

    scanned(&gatepost, &links);

    let page = ann.opens("GET", &link);
    assert_eq!(page.status, 200, "{}", page.text);
    let token = link.split('/').rfind(|part| !part.is_empty()).unwrap();
    assert!(!page.text.contains(token), "the token stands in the page");
    let done = ann.sends("/users/reset/", &page, &[("new_password", NEW)]);
    assert_eq!(done.status, 303, "{}", done.text);
    gatepost.login(EMAIL, NEW).expect(200);

    // Used up now, by the person alone.
    assert_eq!(ann.opens("GET", &link).status, 400);
}

#[test]
fn opening_what_a_mail_with_a_code_links_changes_nothing() {
    let gatepost = Gatepost::start();
    let before = gatepost.newest();
    let mut ann = Reader::new(&gatepost, true);
    let page = ann.opens("GET", "/users/register/");
    let sent = ann.sends("/users/register/", &page, &[("email", EMAIL)]);
    assert_eq!(sent.status, 303, "{}", sent.text);
    let mail = gatepost.mail(EMAIL, &before);
    let code = mail["codes"][0].as_str().unwrap();

    // Not even a code that stands in a link would be used up.
    let mut links = links(&gatepost, &before);
    links.push(format!("/users/register/code/?code={code}"));
    scanned(&gatepost, &links);

    let page = ann.opens("GET", "/users/register/code/");
    let typed = ann.sends("/users/register/code/", &page, &[("code", code)]);
    assert_eq!(typed.status, 303, "{}", typed.text);
    let page = ann.opens("GET", "/users/register/password/");
    let chosen = [("display_name", ""), ("password", NEW)];
    let done = ann.sends("/users/register/password/", &page, &chosen);
    assert_eq!(done.status, 303, "{}", done.text);
    let account = ann.opens("GET", "/users/");
    assert!(account.text.contains(EMAIL), "{}", account.text);
}
