//! Where people end up after logging in: where they meant to go, if that is allowed.

use crate::harness::Gatepost;

use super::browser::Browser;

const PASSWORD: &str = "walnut harbour 9";

#[test]
fn people_go_on_to_places_that_are_allowed_and_to_no_others() {
    let gatepost = Gatepost::with(&[(
        "GATEPOST_SITE_RETURN_TO",
        "https://app.example.com/team, http://localhost:3000",
    )]);
    gatepost.register("ann@example.com", PASSWORD);
    let fields = [("email", "ann@example.com"), ("password", PASSWORD)];
    let to = |next: &str| {
        let browser = Browser::new(&gatepost);
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("next", next);
        let page = format!("/users/login/?{}", query.finish());
        let answer = browser.fill(&page, "/users/login/", &fields);
        assert_eq!(answer.status, 303);
        let first = answer.header("location").unwrap().to_owned();
        // Whoever is logged in already goes on at once, to the same place.
        let again = browser.get(&page);
        assert_eq!(again.header("location"), Some(first.as_str()));
        first
    };
    assert_eq!(
        to("https://app.example.com/team/x?y=1"),
        "https://app.example.com/team/x?y=1"
    );
    assert_eq!(to("http://localhost:3000/"), "http://localhost:3000/");
    assert_eq!(to("/somewhere/"), "/somewhere/");
    for elsewhere in [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "https://app.example.com.evil.test/team",
        "javascript:alert(1)",
        "/x\r\nSet-Cookie: a=b",
    ] {
        assert_eq!(to(elsewhere), "../../users/", "{elsewhere}");
    }
}

#[test]
fn a_form_cannot_name_another_place_either() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", PASSWORD);
    let browser = Browser::new(&gatepost);
    let fields = [
        ("next", "https://evil.test/"),
        ("email", "ann@example.com"),
        ("password", PASSWORD),
    ];
    browser
        .fill("/users/login/", "/users/login/", &fields)
        .leads_to("../../users/");
}

#[test]
fn whoever_registers_on_the_way_arrives_as_well() {
    let gatepost = Gatepost::with(&[("GATEPOST_SITE_RETURN_TO", "https://app.example.com/")]);
    let browser = Browser::new(&gatepost);
    let login = browser.get("/users/login/?next=https://app.example.com/x");
    login.shows(
        200,
        &["users/register/?next=https%3A&#x2f;&#x2f;app.example.com&#x2f;x"],
    );
    let policy = login.header("content-security-policy").unwrap();
    assert!(
        policy.contains("form-action 'self' https://app.example.com;"),
        "{policy}"
    );
    let page = "/users/register/?next=https%3A%2F%2Fapp.example.com%2Fx";
    browser
        .fill(page, "/users/register/", &[("email", "ann@example.com")])
        .leads_to("../../users/register/code/");
    let code = gatepost.mail("ann@example.com", "")["codes"][0].clone();
    let page = "/users/register/code/";
    browser.fill(page, page, &[("code", code.as_str().unwrap())]);
    let page = "/users/register/password/";
    browser
        .fill(page, page, &[("password", PASSWORD)])
        .leads_to("https://app.example.com/x");
}
