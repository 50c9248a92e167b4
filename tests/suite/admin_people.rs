//! Accounts, sessions, codes and links as the operator sees them, through the API of a whole
//! gatepost: what is told, what is done, and what whoever is concerned finds afterwards.

use std::time::Duration;

use serde_json::Value;
use serde_json::json;

use crate::harness::Answer;
use crate::harness::Gatepost;

const ANN: &str = "ann@example.org";
const BOB: &str = "bob@example.org";
const PASSWORD: &str = "gate lamp river";
const NULL: Value = Value::Null;

fn list(gatepost: &Gatepost, path: &str) -> Value {
    gatepost.operate("GET", path).expect(200)
}

fn fields(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    let text = |item: &Value| item[field].as_str().unwrap_or_default().to_owned();
    items.map(text).collect()
}

/// As somebody who says their name.
fn as_amy(gatepost: &Gatepost, method: &str, path: &str) -> Answer {
    let path = format!("/api/v1/admin/{path}");
    let name = [("Gatepost-Operator", "Amy%20%E9%99%B3")];
    gatepost.send_with(&name, method, &path, &gatepost.admin(), &NULL)
}

/// Actor, action and subject of what is on record, newest first.
fn recorded(gatepost: &Gatepost, email: &str) -> Vec<(String, String, String)> {
    let story = list(gatepost, &format!("timeline?email={email}&limit=200"));
    let moments = story["items"].as_array().unwrap().iter();
    let text = |moment: &Value, field: &str| moment[field].as_str().unwrap().to_owned();
    moments
        .filter(|moment| moment["kind"] == "audit")
        .map(|moment| {
            (
                text(moment, "title"),
                text(moment, "state"),
                text(moment, "detail"),
            )
        })
        .collect()
}

fn me(gatepost: &Gatepost, token: &str) -> u16 {
    gatepost.send("GET", "/api/v1/auth/me", token, &NULL).status
}

fn token_of(session: &Value) -> String {
    session["session"]["token"].as_str().unwrap().to_owned()
}

fn id_of(gatepost: &Gatepost, email: &str) -> String {
    let page = list(gatepost, &format!("users?q={email}"));
    assert_eq!(page["total"], 1, "{page}");
    page["items"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn accounts_are_listed_in_any_order_and_paged_in_both_directions() {
    let gatepost = Gatepost::start();
    let names = ["carl", "Ann", "eve", "bob", "dora"];
    for name in names {
        gatepost.register(&format!("{name}@example.org"), PASSWORD);
        gatepost.clock.advance(Duration::from_secs(1));
    }
    let newest = list(&gatepost, "users");
    let made: Vec<String> = names
        .iter()
        .rev()
        .map(|n| format!("{n}@example.org"))
        .collect();
    assert_eq!(fields(&newest, "email"), made);
    assert_eq!(newest["total"], 5);
    assert_eq!(
        (&newest["next_cursor"], &newest["prev_cursor"]),
        (&NULL, &NULL)
    );
    let first = &newest["items"][0];
    assert_eq!(
        (&first["state"], &first["sessions"]),
        (&json!("active"), &json!(1))
    );
    assert!(first["last_login_at"].is_string() && first.get("password").is_none());

    let whole: Vec<String> = ["Ann", "bob", "carl", "dora", "eve"]
        .map(|name| format!("{name}@example.org"))
        .to_vec();
    for (sort, order) in [("email", &whole), ("-created_at", &made)] {
        let page = |cursor: &Value, back: bool| {
            let cursor = cursor.as_str();
            let cursor = cursor
                .map(|cursor| format!("&cursor={cursor}"))
                .unwrap_or_default();
            list(
                &gatepost,
                &format!("users?sort={sort}&limit=2&back={back}{cursor}"),
            )
        };
        let (one, last) = (page(&NULL, false), page(&NULL, true));
        assert_eq!(fields(&one, "email"), order[..2]);
        assert_eq!(fields(&last, "email"), order[3..]);
        assert_eq!((&one["prev_cursor"], &last["next_cursor"]), (&NULL, &NULL));
        let two = page(&one["next_cursor"], false);
        assert_eq!(fields(&two, "email"), order[2..4]);
        assert_eq!(
            fields(&page(&two["next_cursor"], false), "email"),
            order[4..]
        );
        assert_eq!(
            fields(&page(&two["prev_cursor"], true), "email"),
            order[..2]
        );
        assert_eq!(
            fields(&page(&last["prev_cursor"], true), "email"),
            order[1..3]
        );
        assert_eq!(one["total"], 5);
    }
    let cursor = list(&gatepost, "users?limit=2")["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    for refused in [
        format!("users?sort=email&cursor={cursor}"),
        "users?cursor=nonsense".to_owned(),
        "users?sort=password".to_owned(),
        "users?state=odd".to_owned(),
        "users?name=ann".to_owned(),
        "sessions?user=me".to_owned(),
        "timeline".to_owned(),
    ] {
        gatepost
            .operate("GET", &refused)
            .expect_problem(400, "bad_parameter");
    }
    gatepost
        .operate("GET", "users/us_x")
        .expect_problem(404, "not_found");
}

#[test]
fn a_locked_account_is_told_from_a_wrong_password_by_nothing() {
    let gatepost = Gatepost::start();
    let session = token_of(&gatepost.register(ANN, PASSWORD));
    gatepost.register(BOB, PASSWORD);
    let id = id_of(&gatepost, ANN);
    let locked = as_amy(&gatepost, "POST", &format!("users/{id}/lock")).expect(200);
    assert_eq!(
        (&locked["state"], &locked["sessions"]),
        (&json!("locked"), &json!(0))
    );
    assert_eq!(me(&gatepost, &session), 401);
    assert_eq!(
        fields(&list(&gatepost, "users?state=locked"), "email"),
        [ANN]
    );

    // As whoever mistypes, to the letter, after as many hashes, and counted alike.
    let hashes = || {
        let admin = gatepost.admin();
        let metrics = gatepost.send("GET", "/metrics", &admin, &NULL).text;
        let mut lines = metrics.lines();
        let count = lines.find(|line| line.starts_with("gatepost_password_hashes_total"));
        let count = count.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
        count.unwrap_or_else(|| panic!("{metrics}"))
    };
    let without_names = |answer: &Answer| {
        let mut problem = answer.json();
        problem["request_id"] = NULL;
        let names = answer.headers.iter().map(|(name, _)| name.clone());
        (answer.status, problem, names.collect::<Vec<_>>())
    };
    for _ in 0..6 {
        let before = hashes();
        let right = gatepost.login(ANN, PASSWORD);
        let between = hashes();
        let wrong = gatepost.login(BOB, "another one entirely");
        assert_eq!(without_names(&right), without_names(&wrong));
        assert_eq!(between - before, hashes() - between);
    }
    assert_eq!(gatepost.login(ANN, PASSWORD).status, 429);

    // Asking for a reset is answered as always; a new password does not unlock.
    let ask = |email: &str| gatepost.post("/api/v1/auth/password_reset", &json!({"email": email}));
    let before = gatepost.newest();
    let path = reset_path(&gatepost, &ask, &before);
    let form = json!({"uid": path[0], "token": path[1], "new_password": "another river lamp"});
    let done = gatepost.post("/api/v1/auth/password_reset/confirm", &form);
    assert!((200..300).contains(&done.status), "{}", done.text);
    let refused = gatepost.login(ANN, "another river lamp");
    refused.expect_problem(401, "credentials_refused");

    as_amy(&gatepost, "POST", &format!("users/{id}/unlock")).expect(200);
    gatepost.login(ANN, "another river lamp").expect(200);
    let record = recorded(&gatepost, ANN);
    let of = |title: &str| {
        let found = record.iter().find(|(known, _, _)| known == title);
        found
            .unwrap_or_else(|| panic!("{title}: {record:?}"))
            .clone()
    };
    assert!(
        of("Locked the account")
            .2
            .starts_with("operator:Amy 陳 · 127.0.0.1")
    );
    assert!(of("Unlocked the account").2.starts_with("operator:Amy 陳"));
}

/// Asks for a link and reads its two parts out of the mail.
fn reset_path(gatepost: &Gatepost, ask: &dyn Fn(&str) -> Answer, before: &str) -> [String; 2] {
    let answer = ask(ANN);
    assert_eq!(
        answer.status,
        ask("nobody@example.org").status,
        "{}",
        answer.text
    );
    link_in(&gatepost.mail(ANN, before))
}

fn link_in(mail: &Value) -> [String; 2] {
    let links = mail["links"].as_array().unwrap().iter();
    let mut links = links.filter_map(|link| link.as_str()?.split_once("/users/reset/"));
    let (_, path) = links.next().expect("a link is in the mail");
    let (uid, token) = path.trim_end_matches('/').split_once('/').unwrap();
    [uid.to_owned(), token.to_owned()]
}

#[test]
fn sessions_are_listed_and_ended_and_then_let_nobody_in() {
    let gatepost = Gatepost::start();
    let first = token_of(&gatepost.register(ANN, PASSWORD));
    gatepost.clock.advance(Duration::from_secs(5));
    let second = token_of(&gatepost.login(ANN, PASSWORD).expect(200));
    let bobs = token_of(&gatepost.register(BOB, PASSWORD));
    let all = list(&gatepost, "sessions?sort=email");
    assert_eq!(fields(&all, "email"), [ANN, ANN, BOB]);
    assert!(!all.to_string().contains("gps_"));
    let ann = id_of(&gatepost, ANN);
    let hers = list(&gatepost, &format!("sessions?user={ann}&state=live"));
    assert_eq!(hers["total"], 2);
    let newest = hers["items"][0]["id"].as_str().unwrap();
    as_amy(&gatepost, "DELETE", &format!("sessions/{newest}")).expect(204);
    assert_eq!((me(&gatepost, &first), me(&gatepost, &second)), (200, 401));
    let again = as_amy(&gatepost, "DELETE", &format!("sessions/{newest}"));
    again.expect_problem(404, "not_found");

    gatepost
        .operate("POST", &format!("users/{ann}/end_sessions"))
        .expect(200);
    assert_eq!((me(&gatepost, &first), me(&gatepost, &bobs)), (401, 200));
    assert_eq!(list(&gatepost, "sessions?state=live")["total"], 1);
}

#[test]
fn a_code_or_a_link_is_listed_revealed_on_record_and_good_for_nothing_once_revoked() {
    let gatepost = Gatepost::start();
    let code = gatepost.code(ANN, "register");
    let tokens = list(&gatepost, "tokens");
    let token = &tokens["items"][0];
    assert_eq!(
        (&token["kind"], &token["state"]),
        (&json!("registration_code"), &json!("live"))
    );
    assert_eq!(
        (&token["email"], &token["attempts_left"]),
        (&json!(ANN), &json!(5))
    );
    assert_eq!(token["revealable"], true, "{token}");
    assert!(!tokens.to_string().contains(&code));
    let id = token["id"].as_str().unwrap();
    let revealed = as_amy(&gatepost, "POST", &format!("tokens/{id}/reveal")).expect(200);
    assert_eq!(revealed["secret"], code.as_str());
    let record = recorded(&gatepost, ANN);
    let mut found = record.iter();
    let found = found.find(|(title, _, _)| title == "Revealed a code or a link");
    let (_, state, detail) = found.unwrap_or_else(|| panic!("{record:?}"));
    assert_eq!(state, "done");
    assert!(
        detail.starts_with("operator:Amy 陳") && detail.contains(id),
        "{detail}"
    );
    assert!(!detail.contains(&code));

    as_amy(&gatepost, "DELETE", &format!("tokens/{id}")).expect(204);
    let verify = json!({"email": ANN, "verification_type": "register", "code": code});
    let refused = gatepost.post("/api/v1/auth/verify_code", &verify);
    refused.expect_problem(400, "code_refused");
    let gone = as_amy(&gatepost, "POST", &format!("tokens/{id}/reveal"));
    gone.expect_problem(404, "not_found");

    // A verification token is revoked, and revealed never.
    gatepost.clock.advance(Duration::from_secs(120));
    let proof = gatepost.verified(ANN, "register");
    let kept = list(&gatepost, "tokens?kind=registration_token");
    let id = kept["items"][0]["id"].as_str().unwrap();
    let never = gatepost.operate("POST", &format!("tokens/{id}/reveal"));
    never.expect_problem(409, "not_revealable");
    gatepost
        .operate("DELETE", &format!("tokens/{id}"))
        .expect(204);
    let form = json!({"email": ANN, "password": PASSWORD, "verification_token": proof});
    let refused = gatepost.post("/api/v1/auth/register", &form);
    refused.expect_problem(400, "token_refused");

    // A link that the operator has sent.
    gatepost.clock.advance(Duration::from_secs(120));
    gatepost.register(ANN, PASSWORD);
    let user = id_of(&gatepost, ANN);
    let before = gatepost.newest();
    as_amy(&gatepost, "POST", &format!("users/{user}/send_reset")).expect(200);
    let soon = as_amy(&gatepost, "POST", &format!("users/{user}/send_reset"));
    soon.expect_problem(429, "too_many_requests");
    let [uid, secret] = link_in(&gatepost.mail(ANN, &before));
    let links = list(&gatepost, &format!("tokens?kind=reset_link&email={ANN}"));
    let link = &links["items"][0];
    assert_eq!(link["user_id"], user.as_str());
    let id = link["id"].as_str().unwrap();
    let revealed = gatepost
        .operate("POST", &format!("tokens/{id}/reveal"))
        .expect(200);
    assert!(revealed["secret"].as_str().unwrap().contains(&secret));
    gatepost
        .operate("DELETE", &format!("tokens/{id}"))
        .expect(204);
    let form = json!({"uid": uid, "token": secret, "new_password": "another river lamp"});
    let refused = gatepost.post("/api/v1/auth/password_reset/confirm", &form);
    refused.expect_problem(400, "link_refused");
}

#[test]
fn one_persons_story_is_told_newest_first_in_the_language_asked_for() {
    let gatepost = Gatepost::start();
    gatepost.register(ANN, PASSWORD);
    gatepost.register(BOB, PASSWORD);
    gatepost.clock.advance(Duration::from_secs(5));
    gatepost.login(ANN, "wrong password here");
    gatepost.clock.advance(Duration::from_secs(5));
    gatepost.login(ANN, PASSWORD).expect(200);
    let whole = list(&gatepost, &format!("timeline?email={ANN}&limit=200"));
    let kinds = fields(&whole, "kind");
    for kind in ["account", "mail", "captured", "session", "audit"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind}: {whole}");
    }
    assert!(!whole.to_string().contains(BOB));
    let mut times = fields(&whole, "at");
    assert_eq!(whole["total"], times.len() as u64);
    times.reverse();
    assert!(times.is_sorted(), "{times:?}");

    let (mut seen, mut cursor, mut last) = (Vec::new(), String::new(), NULL);
    loop {
        let page = list(&gatepost, &format!("timeline?email={ANN}&limit=3{cursor}"));
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else {
            last = page["prev_cursor"].clone();
            break;
        };
        assert!(last.is_null());
        cursor = format!("&cursor={next}");
    }
    assert_eq!(json!(seen), whole["items"]);
    let back = format!(
        "timeline?email={ANN}&limit=200&back=true&cursor={}",
        last.as_str().unwrap()
    );
    let before = list(&gatepost, &back)["items"].clone();
    let count = before.as_array().unwrap().len();
    assert_eq!(before, json!(seen[..count]));

    let path = format!("/api/v1/admin/timeline?email={ANN}");
    let chinese = [("Accept-Language", "zh-TW")];
    let told = gatepost
        .send_with(&chinese, "GET", &path, &gatepost.admin(), &NULL)
        .expect(200);
    let titles = fields(&told, "title");
    assert!(titles.contains(&"建立了帳號".to_owned()), "{titles:?}");
    assert!(titles.contains(&"登入".to_owned()), "{titles:?}");
}

#[test]
fn a_name_that_is_none_is_refused_and_without_the_token_nothing_is_told() {
    let gatepost = Gatepost::start();
    gatepost.register(ANN, PASSWORD);
    let id = id_of(&gatepost, ANN);
    let long = "x".repeat(65);
    for name in ["", "%00", "%FF", "%E2%80%AE", &long] {
        let path = format!("/api/v1/admin/users/{id}/lock");
        let header = [("Gatepost-Operator", name)];
        let refused = gatepost.send_with(&header, "POST", &path, &gatepost.admin(), &NULL);
        refused.expect_problem(400, "bad_parameter");
    }
    assert_eq!(list(&gatepost, "users")["items"][0]["state"], "active");
    for path in [
        "users",
        "sessions",
        "tokens",
        "timeline?email=a@example.org",
    ] {
        let refused = gatepost.get(&format!("/api/v1/admin/{path}"));
        refused.expect_problem(401, "admin_token_required");
    }
}

#[test]
fn a_cursor_that_is_none_is_the_clients_fault_and_not_the_stores() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let gatepost = Gatepost::start();
    for (path, sort) in [
        ("users?", "-created_at"),
        ("audit?", "-at"),
        ("outbox?", "-created_at"),
        ("timeline?email=ann@example.org&", "-at"),
    ] {
        let forged = URL_SAFE_NO_PAD.encode(format!("{sort}\0x"));
        let answer = gatepost.operate("GET", &format!("{path}cursor={forged}"));
        answer.expect_problem(400, "bad_parameter");
    }
}
