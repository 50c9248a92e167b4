//! Getting back in: by link, by code, and the links and tokens that no longer work.

use std::time::Duration;

use crate::harness::Answer;
use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const OLD: &str = "correct horse battery";
const NEW: &str = "another staple gun";

/// Asks for a reset and takes the link out of the mail: `(uid, token)`.
fn link(gatepost: &Gatepost, address: &str) -> (String, String) {
    let before = gatepost.newest();
    gatepost
        .post("/api/v1/auth/password_reset", &json!({"email": address}))
        .expect(202);
    let mail = gatepost.mail(address, &before);
    let link = mail["links"][0]
        .as_str()
        .expect("a link in the mail")
        .to_owned();
    let path = link
        .split("/users/reset/")
        .nth(1)
        .unwrap_or_else(|| panic!("{link}"));
    let mut parts = path.split('/');
    let uid = parts.next().unwrap().to_owned();
    let token = parts.next().unwrap().to_owned();
    assert_eq!(parts.next(), Some(""), "{link}");
    (uid, token)
}

fn confirm(gatepost: &Gatepost, (uid, token): &(String, String), password: &str) -> Answer {
    gatepost.post(
        "/api/v1/auth/password_reset/confirm",
        &json!({"uid": uid, "token": token, "new_password": password}),
    )
}

#[test]
fn a_mailed_link_resets_the_password_once_and_ends_every_session() {
    let gatepost = Gatepost::with(&[
        ("DEFAULT_DOMAIN", "accounts.example.com"),
        ("PROTOCOL", "https"),
    ]);
    let session = gatepost.register("ann@example.com", OLD)["session"]["token"].clone();
    let before = gatepost.newest();
    let link = link(&gatepost, "ann@example.com");
    let mail = gatepost.mail("ann@example.com", &before);
    assert!(
        mail["links"][0]
            .as_str()
            .unwrap()
            .starts_with("https://accounts.example.com/users/reset/"),
        "{mail}"
    );
    confirm(&gatepost, &link, "short").expect_problem(422, "invalid_fields");
    let before = gatepost.newest();
    assert_eq!(confirm(&gatepost, &link, NEW).expect(204), Value::Null);
    gatepost
        .send(
            "GET",
            "/api/v1/auth/me",
            session.as_str().unwrap(),
            &Value::Null,
        )
        .expect_problem(401, "unauthenticated");
    let notice = gatepost.mail("ann@example.com", &before);
    assert!(
        notice["subject"].as_str().unwrap().contains("password"),
        "{notice}"
    );
    gatepost
        .login("ann@example.com", OLD)
        .expect_problem(401, "credentials_refused");
    gatepost.login("ann@example.com", NEW).expect(200);
    confirm(&gatepost, &link, "yet another one").expect_problem(400, "link_refused");
}

#[test]
fn a_mailed_code_resets_the_password_too() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", OLD);
    let token = gatepost.verified("ann@example.com", "reset_password");
    let reset =
        json!({"email": "ann@example.com", "verification_token": token, "new_password": NEW});
    gatepost
        .post("/api/v1/auth/password_reset/confirm", &reset)
        .expect(204);
    gatepost
        .post("/api/v1/auth/password_reset/confirm", &reset)
        .expect_problem(400, "token_refused");
    gatepost.login("ann@example.com", NEW).expect(200);
}

#[test]
fn a_link_dies_after_an_hour_after_a_login_and_with_a_changed_password() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", OLD);
    let lapsed = link(&gatepost, "ann@example.com");
    gatepost.clock.advance(Duration::from_secs(3601));
    confirm(&gatepost, &lapsed, NEW).expect_problem(400, "link_refused");

    let before_login = link(&gatepost, "ann@example.com");
    let session = gatepost.login("ann@example.com", OLD).expect(200)["session"]["token"].clone();
    confirm(&gatepost, &before_login, NEW).expect_problem(400, "link_refused");

    gatepost.clock.advance(Duration::from_secs(61));
    let before_change = link(&gatepost, "ann@example.com");
    gatepost
        .send(
            "POST",
            "/api/v1/auth/change_password",
            session.as_str().unwrap(),
            &json!({"current_password": OLD, "new_password": NEW}),
        )
        .expect(204);
    confirm(&gatepost, &before_change, "yet another one").expect_problem(400, "link_refused");
}

#[test]
fn a_link_is_its_owners_alone_and_wrong_ones_are_refused() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", OLD);
    gatepost.register("bob@example.com", OLD);
    let anns = link(&gatepost, "ann@example.com");
    let bobs = link(&gatepost, "bob@example.com");
    for wrong in [
        (bobs.0.clone(), anns.1.clone()),
        (anns.0.clone(), format!("{}x", anns.1)),
        ("!!".to_owned(), anns.1.clone()),
        (String::new(), String::new()),
    ] {
        let answer = confirm(&gatepost, &wrong, NEW);
        assert!(matches!(answer.status, 400 | 422), "{answer:?}");
    }
    confirm(&gatepost, &anns, NEW).expect(204);
    gatepost.login("bob@example.com", OLD).expect(200);
}

#[test]
fn asking_with_get_or_opening_a_link_twice_uses_nothing_up() {
    let gatepost = Gatepost::start();
    gatepost.register("ann@example.com", OLD);
    let link = link(&gatepost, "ann@example.com");
    for _ in 0..2 {
        for method in ["GET", "HEAD"] {
            gatepost.send(
                method,
                &format!("/users/reset/{}/{}/", link.0, link.1),
                "",
                &Value::Null,
            );
        }
    }
    confirm(&gatepost, &link, NEW).expect(204);
}
