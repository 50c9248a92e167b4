//! How the pages look and where they stand: the team's name, picture, colour and templates, a
//! path of a proxy, TLS.

use crate::harness::Gatepost;

use super::browser::Browser;

#[test]
fn the_team_is_recognised() {
    let folder = tempfile::tempdir().unwrap();
    let logo = folder.path().join("logo.svg");
    std::fs::write(&logo, "<svg xmlns=\"http://www.w3.org/2000/svg\"/>").unwrap();
    let gatepost = Gatepost::with(&[
        ("GATEPOST_SITE_NAME", "Ann & <Friends>"),
        ("GATEPOST_SITE_LOGO", logo.to_str().unwrap()),
        ("GATEPOST_SITE_COLOR", "#ffd400"),
    ]);
    let browser = Browser::new(&gatepost);
    let page = browser.get("/users/login/");
    page.shows(
        200,
        &["<span>Ann &amp; &lt;Friends&gt;</span>", "assets/logo?v="],
    );
    let asset = |name: &str| {
        let at = page.text.find(&format!("assets/{name}")).unwrap();
        let path = page.text[at..].split('"').next().unwrap();
        browser.get(&format!("/{path}"))
    };
    let theme = asset("theme.css");
    assert!(
        theme.text.contains("--brand:#ffd400;--on-brand:#111111"),
        "{}",
        theme.text
    );
    assert_eq!(asset("logo").header("content-type"), Some("image/svg+xml"));
    let sheet = asset("pages.css");
    assert_eq!(
        sheet.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let kept = sheet.header("cache-control").unwrap();
    assert!(kept.contains("immutable"), "{kept}");
    let unversioned = browser.get("/assets/pages.css");
    assert_eq!(unversioned.header("cache-control"), Some("no-store"));
    assert_eq!(browser.get("/assets/passwd").status, 404);
    assert_eq!(browser.get("/assets/..%2fadmin.token").status, 404);
}

#[test]
fn templates_are_replaced_and_a_slip_locks_nobody_out() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("pages");
    std::fs::create_dir(&pages).unwrap();
    let write = |name: &str, text: &str| std::fs::write(pages.join(name), text).unwrap();
    write(
        "reset_done.html",
        "{% extends \"base.html\" %}{% block main %}<p>Well done</p>{% endblock %}",
    );
    write("login.html", "{{ no_such_value }}");
    write("pages.css", "body { color: teal }");
    write(".hidden", "of an editor");
    let gatepost = Gatepost::with(&[("GATEPOST_SITE_TEMPLATES", folder.path().to_str().unwrap())]);
    let browser = Browser::new(&gatepost);
    browser
        .get("/users/reset_done/")
        .shows(200, &["<p>Well done</p>", "<html lang=\"en\">"]);
    browser
        .get("/users/login/")
        .shows(200, &["Forgot your password?"]);
    assert_eq!(
        browser.get("/assets/pages.css").text,
        "body { color: teal }"
    );
}

#[test]
fn below_the_path_of_a_proxy_everything_leads_where_it_should() {
    let gatepost = Gatepost::with(&[
        ("GATEPOST_SITE_PATH", "/accounts/"),
        ("DEFAULT_DOMAIN", "example.com"),
        ("PROTOCOL", "https"),
    ]);
    let browser = Browser::new(&gatepost);
    // Whether the proxy takes its part of the path away or not.
    for login in ["/users/login/", "/accounts/users/login/"] {
        let page = browser.get(login);
        page.shows(
            200,
            &[
                "action=\"../../users/login/\"",
                "href=\"../../assets/pages.css",
            ],
        );
    }
    browser
        .get("/accounts/users/login")
        .shows(200, &["action=\"../users/login/\""]);
    browser.get("/accounts/users").leads_to("./users/login/");
    browser.get("/accounts").shows(
        200,
        &[
            "href=\"accounts/users/\"",
            "href=\"accounts/assets/pages.css",
        ],
    );
    assert_eq!(browser.get("/accountsusers/login/").status, 404);
    gatepost.register("ann@example.com", "walnut harbour 9");
    let before = gatepost.newest();
    let ask = "/users/password_reset/";
    browser.fill(ask, ask, &[("email", "ann@example.com")]);
    let mail = gatepost.mail("ann@example.com", &before);
    let link = mail["links"][0].as_str().unwrap();
    assert!(
        link.starts_with("https://example.com/accounts/users/reset/"),
        "{link}"
    );
}

#[test]
fn with_tls_cookies_belong_to_this_host_alone() {
    let gatepost = Gatepost::with(&[("DEFAULT_DOMAIN", "example.com"), ("PROTOCOL", "https")]);
    let browser = Browser::new(&gatepost);
    let page = browser.get("/users/login/");
    let cookie = page.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-gatepost_csrf="), "{cookie}");
    for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
        assert!(cookie.contains(attribute), "{attribute}: {cookie}");
    }
    assert!(!cookie.contains("Domain"), "{cookie}");
    gatepost.register("ann@example.com", "walnut harbour 9");
    browser.login("ann@example.com", "walnut harbour 9");
    assert!(browser.cookie("__Host-gatepost_session").is_some());
    // One that a neighbour without TLS set is not looked at.
    let other = Browser::new(&gatepost);
    other.set_cookie(
        "gatepost_session",
        &browser.cookie("__Host-gatepost_session").unwrap(),
    );
    other.get("/users/").leads_to("../users/login/");
}
