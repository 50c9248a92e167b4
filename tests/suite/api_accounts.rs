//! Accounts through the API: what the HTTP room adds to them. The flows as people go through
//! them, with real mail, are in `front_door`.

use serde_json::{Value, json};

use crate::api_client::{Request, Service};

const PASSWORD: &str = "correct horse battery";

#[tokio::test]
async fn me_is_shown_and_changed_with_a_session_alone() {
    let service = Service::start().await;
    let token = service.sign_up("ann@example.org", PASSWORD).await;
    let ask = || Request::new("GET", "/api/v1/auth/me");
    let me = service.send(ask().bearer(&token)).await.expect(200).json();
    assert_eq!(me["email"], "ann@example.org");
    assert_eq!(me["display_name"], "Ann");
    assert_eq!(me["created_at"], "2026-01-01T00:00:00.000Z");
    for request in [
        ask(),
        ask().bearer("gps_wrong"),
        ask().header("Authorization", &format!("Basic {token}")),
        ask().header("Authorization", "Bearer"),
    ] {
        let answer = service.send(request).await;
        assert_eq!(answer.problem(), (401, "unauthenticated".to_owned()));
        assert_eq!(
            answer.header("www-authenticate"),
            Some("Bearer realm=\"account\"")
        );
    }
    let change = |body: Value| {
        Request::new("PATCH", "/api/v1/auth/me")
            .bearer(&token)
            .json(&body)
    };
    let changed = service
        .send(change(json!({"language": "zh-TW"})))
        .await
        .expect(200)
        .json();
    assert_eq!(
        (&changed["language"], &changed["display_name"]),
        (&json!("zh-hant"), &json!("Ann"))
    );
    let cleared = service
        .send(change(json!({"display_name": ""})))
        .await
        .expect(200)
        .json();
    assert_eq!(cleared["display_name"], Value::Null);
    service
        .send(change(json!({"language": 5})))
        .await
        .expect(422);
}

#[tokio::test]
async fn sessions_are_listed_in_pages_and_ended() {
    let service = Service::start().await;
    let token = service.sign_up("ann@example.org", PASSWORD).await;
    let login = json!({"email": "ann@example.org", "password": PASSWORD});
    for _ in 0..2 {
        service.simulated.advance(std::time::Duration::from_secs(1));
        let request = Request::new("POST", "/api/v1/auth/login").json(&login);
        service
            .send(request.header("User-Agent", "Test/1.0"))
            .await
            .expect(200);
    }
    let list = |query: &str| {
        let path = format!("/api/v1/auth/sessions{query}");
        service.send(Request::new("GET", &path).bearer(&token))
    };
    let first = list("?limit=2").await.expect(200);
    let page = first.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    assert_eq!(page["items"][0]["user_agent"], "Test/1.0");
    assert_eq!(page["items"][0]["ip"], "127.0.0.1");
    assert!(first.header("link").unwrap().contains("rel=\"next\""));
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = list(&format!("?limit=2&cursor={cursor}"))
        .await
        .expect(200)
        .json();
    assert_eq!(rest["items"][0]["current"], true);
    assert_eq!(rest["next_cursor"], Value::Null);
    list("?cursor=x").await.expect(400);
    let misspelt = list("?limit=2&curser=x").await.expect(400).json();
    assert_eq!(misspelt["errors"][0]["pointer"], "curser");
    let id = page["items"][0]["id"].as_str().unwrap();
    let end = |path: &str| service.send(Request::new("DELETE", path).bearer(&token));
    end(&format!("/api/v1/auth/sessions/{id}"))
        .await
        .expect(204);
    end(&format!("/api/v1/auth/sessions/{id}/"))
        .await
        .expect(404);
    end("/api/v1/auth/sessions/x").await.expect(404);
    assert_eq!(
        end("/api/v1/auth/sessions").await.expect(200).json(),
        json!({"deleted": 1})
    );
    let logout = || Request::new("POST", "/api/v1/auth/logout").bearer(&token);
    service.send(logout()).await.expect(204);
    service.send(logout()).await.expect(401);
}

#[tokio::test]
async fn a_wrong_current_password_does_not_end_the_session() {
    let service = Service::start().await;
    let token = service.sign_up("ann@example.org", PASSWORD).await;
    let change = |current: &str, new: &str| {
        let body = json!({"current_password": current, "new_password": new});
        service.send(
            Request::new("POST", "/api/v1/auth/change_password")
                .bearer(&token)
                .json(&body),
        )
    };
    let answer = change("something else", "a wholly new passphrase").await;
    assert_eq!(answer.problem(), (403, "wrong_password".to_owned()));
    change(PASSWORD, "short").await.expect(422);
    change(PASSWORD, "a wholly new passphrase")
        .await
        .expect(204);
    service
        .send(Request::new("GET", "/api/v1/auth/me").bearer(&token))
        .await
        .expect(200);
}

#[tokio::test]
async fn codes_tokens_and_links_are_refused_by_name() {
    let service = Service::start().await;
    let ask = json!({"email": "ann@example.org", "verification_type": "register"});
    service
        .post("/api/v1/auth/send_verification_code", &ask)
        .await
        .expect(202);
    let right = service.newest_code().await;
    let wrong = if right == "000000" {
        "000001"
    } else {
        "000000"
    };
    let verify =
        json!({"email": "ann@example.org", "verification_type": "register", "code": wrong});
    let answer = service.post("/api/v1/auth/verify_code", &verify).await;
    assert_eq!(answer.problem(), (400, "code_refused".to_owned()));
    assert_eq!(answer.json()["attempts_left"], 4);
    let form =
        json!({"email": "ann@example.org", "password": PASSWORD, "verification_token": "gpv_x"});
    let answer = service.post("/api/v1/auth/register", &form).await;
    assert_eq!(answer.problem(), (400, "token_refused".to_owned()));
    let form = json!({"uid": "x", "token": "y", "new_password": PASSWORD});
    let answer = service
        .post("/api/v1/auth/password_reset/confirm", &form)
        .await;
    assert_eq!(answer.problem(), (400, "link_refused".to_owned()));
    let form = json!({"new_password": PASSWORD});
    service
        .post("/api/v1/auth/password_reset/confirm", &form)
        .await
        .expect(422);
    // The same answer for an address without an account, form and all.
    let unknown = json!({"email": "nobody@example.org"});
    let sent = service
        .post("/api/v1/auth/password_reset/", &unknown)
        .await
        .expect(202)
        .json();
    let members: Vec<_> = sent.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        ["flow_id", "expires_at", "resend_at", "attempts_left"]
    );
}
