//! Being logged in: the profile, the list of sessions, and ending them.

use std::time::Duration;

use crate::harness::Gatepost;
use serde_json::Value;
use serde_json::json;

const PASSWORD: &str = "correct horse battery";

fn login(gatepost: &Gatepost) -> String {
    let answer = gatepost.login("ann@example.com", PASSWORD).expect(200);
    answer["session"]["token"].as_str().unwrap().to_owned()
}

fn registered() -> (Gatepost, String) {
    let gatepost = Gatepost::start();
    let answer = gatepost.register("ann@example.com", PASSWORD);
    let token = answer["session"]["token"].as_str().unwrap().to_owned();
    (gatepost, token)
}

#[test]
fn a_session_lists_and_ends_itself_one_other_or_all_others() {
    let (gatepost, first) = registered();
    let [second, third, fourth] = [(); 3].map(|()| login(&gatepost));
    let list = gatepost
        .send("GET", "/api/v1/auth/sessions", &second, &Value::Null)
        .expect(200);
    assert_eq!(list["total"], 4, "{list}");
    assert_eq!(list["items"].as_array().map(Vec::len), Some(4));
    let current: Vec<_> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|s| s["current"] == true)
        .collect();
    assert_eq!(current.len(), 1, "{list}");
    assert!(
        !list.to_string().contains("gps_"),
        "no token goes out: {list}"
    );

    let own = gatepost
        .send("GET", "/api/v1/auth/sessions", &first, &Value::Null)
        .expect(200);
    let firsts = own["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|s| s["current"] == true)
        .unwrap();
    let path = format!("/api/v1/auth/sessions/{}", firsts["id"].as_str().unwrap());
    gatepost
        .send("DELETE", &path, &second, &Value::Null)
        .expect(204);
    gatepost
        .send("DELETE", &path, &second, &Value::Null)
        .expect_problem(404, "not_found");
    gatepost
        .send("GET", "/api/v1/auth/me", &first, &Value::Null)
        .expect_problem(401, "unauthenticated");

    gatepost
        .send("POST", "/api/v1/auth/logout", &fourth, &Value::Null)
        .expect(204);
    gatepost
        .send("GET", "/api/v1/auth/me", &fourth, &Value::Null)
        .expect_problem(401, "unauthenticated");
    gatepost.send("DELETE", "/api/v1/auth/sessions", &second, &Value::Null);
    gatepost
        .send("GET", "/api/v1/auth/me", &third, &Value::Null)
        .expect_problem(401, "unauthenticated");
    gatepost
        .send("GET", "/api/v1/auth/me", &second, &Value::Null)
        .expect(200);
}

#[test]
fn nobody_ends_somebody_elses_session() {
    let (gatepost, anns) = registered();
    let bob = gatepost.register("bob@example.com", PASSWORD);
    let bobs = bob["session"]["token"].as_str().unwrap();
    let list = gatepost
        .send("GET", "/api/v1/auth/sessions", &anns, &Value::Null)
        .expect(200);
    let path = format!(
        "/api/v1/auth/sessions/{}",
        list["items"][0]["id"].as_str().unwrap()
    );
    gatepost
        .send("DELETE", &path, bobs, &Value::Null)
        .expect_problem(404, "not_found");
    gatepost
        .send("GET", "/api/v1/auth/me", &anns, &Value::Null)
        .expect(200);
}

#[test]
fn a_session_ends_after_two_idle_weeks_and_after_thirty_days_in_any_case() {
    let (gatepost, token) = registered();
    let day = Duration::from_secs(24 * 3600);
    let me = |token: &str| gatepost.send("GET", "/api/v1/auth/me", token, &Value::Null);
    for _ in 0..3 {
        gatepost.clock.advance(day * 9);
        me(&token).expect(200);
        // The time of last use is written beside the answer, not before it.
        let (path, older) = (
            "/api/v1/auth/sessions",
            gatepost.clock.world().now().to_string(),
        );
        while
            gatepost.send("GET", path, &token, &Value::Null).expect(200)["items"][0]["last_used_at"]
                .as_str()
                .unwrap()
                < older.as_str()
        {
            std::thread::yield_now();
        }
    }
    gatepost.clock.advance(day * 4);
    me(&token).expect_problem(401, "unauthenticated");

    let idle = login(&gatepost);
    gatepost.clock.advance(day * 15);
    me(&idle).expect_problem(401, "unauthenticated");
}

#[test]
fn a_profile_is_changed_where_it_may_be() {
    let (gatepost, token) = registered();
    let patch = |body: Value| gatepost.send("PATCH", "/api/v1/auth/me", &token, &body);
    let me = patch(json!({"display_name": "Ann Lee", "language": "zh-hans"})).expect(200);
    assert_eq!(me["display_name"], "Ann Lee");
    let me = patch(json!({"language": "en"})).expect(200);
    assert_eq!(
        (&me["display_name"], &me["language"]),
        (&json!("Ann Lee"), &json!("en"))
    );
    let problem = patch(json!({"display_name": "x".repeat(1000), "language": "xx"}))
        .expect_problem(422, "invalid_fields");
    assert_eq!(
        problem["errors"].as_array().map(Vec::len),
        Some(2),
        "{problem}"
    );
}

#[test]
fn changing_the_password_needs_the_current_one_and_ends_the_other_sessions() {
    let (gatepost, first) = registered();
    let second = login(&gatepost);
    let change = |current: &str| {
        gatepost.send(
            "POST",
            "/api/v1/auth/change_password",
            &second,
            &json!({"current_password": current, "new_password": "another staple gun"}),
        )
    };
    change("wrong wrong wrong").expect_problem(403, "wrong_password");
    gatepost
        .send("GET", "/api/v1/auth/me", &first, &Value::Null)
        .expect(200);
    change(PASSWORD).expect(204);
    gatepost
        .send("GET", "/api/v1/auth/me", &first, &Value::Null)
        .expect_problem(401, "unauthenticated");
    gatepost
        .send("GET", "/api/v1/auth/me", &second, &Value::Null)
        .expect(200);
    gatepost
        .login("ann@example.com", "another staple gun")
        .expect(200);
}

#[test]
fn guessing_passwords_makes_an_account_wait_and_a_success_clears_it() {
    let (gatepost, _) = registered();
    let limited = (0..100)
        .map(|_| gatepost.login("ann@example.com", "wrong wrong wrong"))
        .find(|answer| answer.status != 401)
        .expect("a wait begins well before a hundred");
    limited.expect_problem(429, "too_many_requests");
    let wait: u64 = limited.header("retry-after").unwrap().parse().unwrap();
    gatepost
        .login("ann@example.com", PASSWORD)
        .expect_problem(429, "too_many_requests");
    gatepost.clock.advance(Duration::from_secs(wait));
    gatepost.login("ann@example.com", PASSWORD).expect(200);
    gatepost
        .login("ann@example.com", "wrong wrong wrong")
        .expect_problem(401, "credentials_refused");
    gatepost.login("ann@example.com", PASSWORD).expect(200);
}

#[test]
fn everything_is_still_there_after_a_restart() {
    let (mut gatepost, token) = registered();
    gatepost.restart();
    gatepost
        .send("GET", "/api/v1/auth/me", &token, &Value::Null)
        .expect(200);
    gatepost.login("ann@example.com", PASSWORD).expect(200);
    assert!(!gatepost.newest().is_empty());
}
