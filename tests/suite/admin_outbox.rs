//! The outbox as the operator sees it: the list, one mail with all it went through, what is done.

use std::time::Duration;

use gatepost::address::EmailAddress;
use gatepost::audit;
use gatepost::language::Language;
use gatepost::mail::attempt::{Attempt, Outcome, Stage};
use gatepost::mail::outbox::{Charge, Completion, State};
use gatepost::mail::route::RouteName;
use gatepost::mail::{Occasion, OutboxId, outbox};
use gatepost::secret::{Code, CodeStyle};
use gatepost::store::page::Ask;
use serde_json::{Value, json};

use crate::api_client::{ADMIN, Request, Service};
use crate::harness::Gatepost;

const NULL: Value = Value::Null;
const MINUTE: Duration = Duration::from_secs(60);

/// Puts a mail to `to` into the queue, a moment after the one before.
async fn queue(service: &Service, occasion: &Occasion<'_>, to: &str) -> OutboxId {
    service.simulated.advance(Duration::from_millis(5));
    let to = to.parse::<EmailAddress>().unwrap();
    let letter = service.mailer.compose(occasion, &to, Language::En);
    let letter = letter.unwrap();
    let id = letter.id;
    let write = service.store.write(move |tx| outbox::enqueue(tx, &letter));
    write.await.unwrap();
    id
}

/// Tries the mail, which ends like this, and is tried again in a minute if it can be.
pub async fn tried(service: &Service, id: OutboxId, outcome: Outcome, reply: &'static [u8]) {
    let now = service.simulated.world().now();
    let write = service.store.write(move |tx| {
        let claim = outbox::claim_one(tx, now, MINUTE, id)?.expect("it is due");
        let attempt = Attempt {
            started_at: now,
            ended_at: now,
            stage: Stage::RcptTo,
            outcome,
            code: Some(550),
            reply: reply.to_vec(),
            transcript: [b"S: 220 hi\r\nC: RCPT TO:<a@example.org>\r\nS: ", reply].concat(),
            route: Some(RouteName::Primary),
            rule: None,
        };
        let completion = Completion {
            claim,
            attempt: Some(attempt),
            charge: Charge::Try,
            retry_at: Some(now + MINUTE),
        };
        outbox::complete(tx, now, &[completion])
    });
    assert_eq!(write.await, Ok(1));
}

async fn act(service: &Service, id: OutboxId, action: &str) -> crate::api_client::Answer {
    let path = format!("outbox/{id}/{action}");
    service.admin("POST", &path, &NULL).await
}

/// The detail of a conflict.
async fn conflict(service: &Service, id: OutboxId, action: &str) -> String {
    let answer = act(service, id, action).await;
    assert_eq!(answer.problem(), (409, "outbox_conflict".to_owned()));
    answer.json()["detail"].as_str().unwrap().to_owned()
}

async fn list(service: &Service, query: &str) -> Value {
    let path = format!("outbox{query}");
    service.admin("GET", &path, &NULL).await.expect(200).json()
}

fn ids(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// What the audit record says, newest first, of what the operator did.
async fn recorded(service: &Service) -> Vec<(String, String, String)> {
    let page = service
        .store
        .read(|read| audit::list(read, &audit::Filter::default(), &Ask::newest(50)));
    let entries = page.await.unwrap().items.into_iter();
    entries
        .filter(|entry| entry.actor == "operator")
        .inspect(|entry| assert_eq!(entry.ip, Some("127.0.0.1".parse().unwrap())))
        .map(|entry| (entry.action, entry.subject, entry.detail))
        .collect()
}

#[tokio::test]
async fn the_list_is_filtered_counted_and_paged() {
    let service = Service::start().await;
    let mut all = Vec::new();
    for n in 0..5 {
        let to = format!("user{n}@example.org");
        all.push(queue(&service, &Occasion::Test, &to).await);
    }
    let notice = Occasion::AlreadyRegistered;
    all.push(queue(&service, &notice, "ann@example.org").await);
    tried(&service, all[0], Outcome::Permanent, b"550 no").await;
    let newest_first: Vec<String> = all.iter().rev().map(OutboxId::to_string).collect();

    let page = list(&service, "").await;
    assert_eq!(ids(&page), newest_first);
    assert_eq!(page["total"], 6);
    assert_eq!(page["next_cursor"], NULL);
    assert_eq!(page["counts"]["queued"], 5);
    assert_eq!(page["counts"]["dead"], 1);
    assert_eq!(page["counts"]["sent"], 0);

    let dead = list(&service, "?state=dead").await;
    assert_eq!(ids(&dead), newest_first[5..]);
    assert_eq!(
        (&dead["total"], &dead["counts"]["queued"]),
        (&json!(1), &json!(5))
    );
    let notices = list(&service, "?kind=already_registered").await;
    assert_eq!(ids(&notices), newest_first[..1]);
    assert_eq!(notices["total"], NULL);
    let ann = list(&service, "?to=ANN@example.org").await;
    assert_eq!(ids(&ann), newest_first[..1]);
    let none = list(&service, "?to=ann@example.org&state=dead").await;
    assert_eq!(ids(&none), [""; 0]);

    let mut seen = Vec::new();
    let mut next = "/api/v1/admin/outbox?state=queued&limit=2".to_owned();
    loop {
        let page = service.send(Request::new("GET", &next).bearer(ADMIN)).await;
        seen.extend(ids(&page.json()));
        let Some(link) = page.header("link") else {
            assert_eq!(page.json()["next_cursor"], NULL);
            break;
        };
        next = link
            .strip_prefix('<')
            .and_then(|link| link.strip_suffix(">; rel=\"next\""))
            .unwrap_or_else(|| panic!("{link}"))
            .to_owned();
        assert!(next.contains("state=queued&limit=2&cursor="), "{next}");
    }
    assert_eq!(seen, newest_first[..5]);
}

#[tokio::test]
async fn a_row_tells_why_and_a_mail_all_that_was_tried() {
    let service = Service::start().await;
    let id = queue(&service, &Occasion::Test, "ann@example.org").await;
    let row = list(&service, "").await["items"][0].clone();
    assert_eq!(row["state"], "queued");
    assert_eq!(row["lane"], "prompt");
    assert_eq!(row["to"], "ann@example.org");
    assert_eq!(row["why"]["code"], "waiting");
    assert_eq!(row["last_error"], NULL);

    // GBK, a colour and a bell, as a relay may send them.
    tried(
        &service,
        id,
        Outcome::Temporary,
        b"451 \xc7\xeb\x1b[31m\x07\r\n",
    )
    .await;
    let path = format!("outbox/{id}");
    let mail = service.admin("GET", &path, &NULL).await.expect(200).json();
    assert_eq!(mail["id"], id.to_string());
    assert_eq!(mail["tries"], 1);
    assert_eq!(mail["last_error"]["stage"], "rcpt_to");
    assert_eq!(mail["last_error"]["outcome"], "temporary");
    assert_eq!(mail["why"]["code"], "retry");
    assert_eq!(mail["why"]["next_at"], mail["next_at"]);
    let attempt = &mail["attempts"][0];
    assert_eq!(attempt["number"], 1);
    assert_eq!(attempt["route"], "primary");
    assert_eq!(attempt["code"], 550);
    assert_eq!(
        attempt["reply"],
        "451 請\u{1b}[31m\u{7}\r\n".replace('請', "请")
    );
    let transcript = attempt["transcript"].as_str().unwrap();
    assert!(transcript.contains("C: RCPT TO:<a@example.org>\r\nS: 451 请\u{1b}"));

    let speaking = |language: &str| {
        let path = format!("/api/v1/admin/outbox/{id}");
        let request = Request::new("GET", &path).bearer(ADMIN);
        request.header("Accept-Language", language)
    };
    let text = |answer: crate::api_client::Answer| answer.json()["why"]["text"].clone();
    let english = text(service.send(speaking("fr")).await);
    let chinese = text(service.send(speaking("zh-TW, en;q=0.5")).await);
    assert_eq!(english, mail["why"]["text"]);
    assert_ne!(english, chinese);
    assert!(!chinese.as_str().unwrap().is_ascii(), "{chinese}");
}

#[tokio::test]
async fn a_mail_is_retried_discarded_brought_back_and_requeued() {
    let service = Service::start().await;
    let id = queue(&service, &Occasion::Test, "ann@example.org").await;
    tried(&service, id, Outcome::Temporary, b"451 later").await;
    let now = service.simulated.world().now().to_string();
    let retried = act(&service, id, "retry").await.expect(200).json();
    assert_eq!(
        (&retried["state"], &retried["next_at"]),
        (&json!("queued"), &json!(now))
    );

    service.simulated.advance(Duration::from_secs(1));
    let discarded = act(&service, id, "discard").await.expect(200).json();
    assert_eq!(discarded["state"], "discarded");
    assert_eq!(discarded["why"]["code"], "discarded");
    let said = conflict(&service, id, "retry").await;
    assert!(said.contains("undo"), "{said}");
    service.simulated.advance(Duration::from_secs(29));
    let back = act(&service, id, "undo").await.expect(200).json();
    assert_eq!(back["state"], "queued");
    assert_eq!(back["tries"], 1);

    service.simulated.advance(Duration::from_secs(1));
    tried(&service, id, Outcome::Permanent, b"550 no").await;
    let requeued = act(&service, id, "requeue").await.expect(200).json();
    assert_eq!(requeued["id"], id.to_string());
    assert_eq!(
        (&requeued["state"], &requeued["tries"]),
        (&json!("queued"), &json!(0))
    );
    let body = service.store.read(|read| outbox::body(read, id));
    assert!(body.await.unwrap().is_some(), "the same bytes are sent");

    let done = recorded(&service).await;
    let actions: Vec<&str> = done.iter().map(|(action, ..)| &**action).collect();
    assert_eq!(
        actions,
        [
            "outbox_requeue",
            "outbox_undo",
            "outbox_discard",
            "outbox_retry"
        ]
    );
    assert!(
        done.iter()
            .all(|(_, subject, _)| *subject == id.to_string())
    );
}

#[tokio::test]
async fn of_very_many_attempts_the_first_and_the_last_are_kept_and_the_others_counted() {
    let service = Service::start().await;
    let id = queue(&service, &Occasion::Test, "ann@example.org").await;
    for nth in 1..=40 {
        tried(&service, id, Outcome::Temporary, b"451 later").await;
        service.simulated.advance(MINUTE);
        let mail = service.admin("GET", &format!("outbox/{id}"), &NULL).await;
        let mail = mail.json();
        let attempts = mail["attempts"].as_array().unwrap();
        let left_out = nth - attempts.len() as u64;
        assert_eq!(mail["attempts_left_out"], left_out);
        let numbers = attempts.iter().map(|attempt| &attempt["number"]);
        let kept = (1..=nth.min(5)).chain(nth.saturating_sub(20).max(5) + 1..=nth);
        assert!(numbers.eq(kept), "{mail}");
    }
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_with_the_reason_and_not_recorded() {
    let service = Service::start().await;
    let id = queue(&service, &Occasion::Test, "ann@example.org").await;
    for (action, word) in [("requeue", "retry"), ("undo", "not discarded")] {
        let said = conflict(&service, id, action).await;
        assert!(said.contains(word), "{action}: {said}");
    }
    act(&service, id, "discard").await.expect(200);
    let before = recorded(&service).await.len();
    service.simulated.advance(Duration::from_secs(30));
    let said = conflict(&service, id, "undo").await;
    assert!(said.contains("30 seconds"), "{said}");

    let sent = queue(&service, &Occasion::Test, "bob@example.org").await;
    tried(&service, sent, Outcome::Accepted, b"250 ok").await;
    for action in ["retry", "requeue", "discard", "undo"] {
        conflict(&service, sent, action).await;
    }
    let nobody = OutboxId::from_bytes([1; 16]);
    for action in ["retry", "requeue", "discard", "undo"] {
        let answer = act(&service, nobody, action).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()));
    }
    assert_eq!(recorded(&service).await.len(), before);
    for path in ["outbox/nonsense", "outbox/ob_00000000000000000000000000"] {
        let answer = service.admin("GET", path, &NULL).await;
        assert_eq!(answer.problem(), (404, "not_found".to_owned()), "{path}");
    }
}

#[tokio::test]
async fn a_code_that_lapsed_is_not_sent_again_a_new_one_is_made() {
    let service = Service::start().await;
    let ask = json!({"email": "ann@example.org", "verification_type": "register"});
    let path = "/api/v1/auth/send_verification_code";
    service.post(path, &ask).await.expect(202);
    let first = service.newest_code().await;
    let old: OutboxId = ids(&list(&service, "").await)[0].parse().unwrap();
    tried(&service, old, Outcome::Permanent, b"550 no").await;

    // While it is good it is the same mail.
    let same = act(&service, old, "requeue").await.expect(200).json();
    assert_eq!(same["id"], old.to_string());
    tried(&service, old, Outcome::Permanent, b"550 no").await;

    service.simulated.advance(11 * MINUTE);
    let new = act(&service, old, "requeue").await.expect(200).json();
    assert_ne!(new["id"], old.to_string());
    assert_eq!(
        (&new["state"], &new["kind"]),
        (&json!("queued"), &json!("registration_code"))
    );
    assert_eq!(new["to"], "ann@example.org");
    let second = service.newest_code().await;
    let verify = |code: &str| json!({"email": "ann@example.org", "verification_type": "register", "code": code});
    let path = "/api/v1/auth/verify_code";
    if first != second {
        service.post(path, &verify(&first)).await.expect(400);
    }
    service.post(path, &verify(&second)).await.expect(200);

    let done = recorded(&service).await;
    let detail = format!("registration_code {}", new["id"].as_str().unwrap());
    assert_eq!(
        done[0],
        ("outbox_requeue".to_owned(), old.to_string(), detail)
    );
    let state = service.store.read(|read| outbox::get(read, old)).await;
    assert_eq!(state.unwrap().unwrap().state, State::Dead);
}

#[tokio::test]
async fn of_two_hands_at_one_lapsed_code_one_makes_a_new_one_and_the_other_is_told_of_it() {
    let service = Service::start().await;
    let ask = json!({"email": "ann@example.org", "verification_type": "register"});
    let path = "/api/v1/auth/send_verification_code";
    service.post(path, &ask).await.expect(202);
    let old: OutboxId = ids(&list(&service, "").await)[0].parse().unwrap();
    tried(&service, old, Outcome::Permanent, b"550 no").await;
    service.simulated.advance(11 * MINUTE);
    let (one, other) = tokio::join!(act(&service, old, "requeue"), act(&service, old, "requeue"));
    let (made, refused) = match one.status {
        200 => (one, other),
        _ => (other, one),
    };
    let new = made.expect(200).json();
    assert_eq!(refused.problem(), (409, "outbox_conflict".to_owned()));
    let detail = refused.json()["detail"].to_string();
    assert!(detail.contains(new["id"].as_str().unwrap()), "{detail}");
    assert_eq!(ids(&list(&service, "").await).len(), 2);
    assert_eq!(recorded(&service).await.len(), 1);
}

#[tokio::test]
async fn a_link_that_lapsed_in_the_queue_is_made_anew_beyond_the_limits_of_asking() {
    let service = Service::start().await;
    service
        .sign_up("ann@example.org", "correct horse battery")
        .await;
    let ask = json!({"email": "ann@example.org"});
    let path = "/api/v1/auth/password_reset";
    service.post(path, &ask).await.expect(202);
    let page = list(&service, "?kind=reset_link").await;
    let mut last: OutboxId = ids(&page)[0].parse().unwrap();
    // More often than anybody may ask.
    for _ in 0..7 {
        let now = service.simulated.world().now();
        service.simulated.advance(61 * MINUTE);
        let late = now + 61 * MINUTE;
        let expire = service
            .store
            .write(move |tx| outbox::claim_one(tx, late, MINUTE, last));
        assert_eq!(expire.await, Ok(None));
        let before = list(&service, "?kind=reset_link").await;
        assert_eq!(before["items"][0]["state"], "expired");
        let new = act(&service, last, "requeue").await.expect(200).json();
        assert_eq!(new["kind"], "reset_link");
        assert_eq!(
            (&new["state"], &new["tries"]),
            (&json!("queued"), &json!(0))
        );
        last = new["id"].as_str().unwrap().parse().unwrap();
        service.simulated.advance(2 * MINUTE);
    }
    // Nobody's own limits were used up by it; the pause between two mails holds for all.
    service.post(path, &ask).await.expect(202);
    service.post(path, &ask).await.expect(429);
}

#[tokio::test]
async fn parameters_are_checked_and_the_token_asked_for() {
    let service = Service::start().await;
    for (query, name) in [
        ("?state=nonsense", "state"),
        ("?kind=nonsense", "kind"),
        ("?to=nonsense", "to"),
        ("?cursor=nonsense", "cursor"),
        ("?limit=0", "limit"),
        ("?limit=201", "limit"),
        ("?sate=dead", "sate"),
    ] {
        let path = format!("outbox{query}");
        let refused = service.admin("GET", &path, &NULL).await;
        assert_eq!(
            refused.problem(),
            (400, "bad_parameter".to_owned()),
            "{query}"
        );
        assert_eq!(refused.json()["errors"][0]["pointer"], name, "{query}");
    }
    let id = queue(&service, &Occasion::Test, "ann@example.org").await;
    let one = format!("/api/v1/admin/outbox/{id}");
    let mut asked = vec![
        ("GET", "/api/v1/admin/outbox".to_owned()),
        ("GET", one.clone()),
    ];
    for action in ["retry", "requeue", "discard", "undo"] {
        asked.push(("POST", format!("{one}/{action}")));
    }
    for (method, path) in asked {
        let refused = service.send(Request::new(method, &path)).await;
        let problem = (401, "admin_token_required".to_owned());
        assert_eq!(refused.problem(), problem, "{method} {path}");
    }
    assert_eq!(list(&service, "").await["counts"]["queued"], 1);
}

#[tokio::test]
async fn nothing_that_a_mail_says_is_shown() {
    let service = Service::start().await;
    let world = service.simulated.world();
    let code = Code::draw(&world, CodeStyle::Digits);
    let occasion = Occasion::ResetCode {
        code: &code,
        lifetime: MINUTE,
    };
    let id = queue(&service, &occasion, "ann@example.org").await;
    let path = format!("outbox/{id}");
    let told = service.admin("GET", &path, &NULL).await.expect(200).text();
    // The identifiers may hold six digits in a row by chance, in other places than the code's.
    let bare = told.replace(&id.to_string(), "");
    assert!(!bare.contains(code.expose()), "{told}");
}

/// The whole road.
#[test]
fn a_mail_that_went_out_tells_how_and_not_what_it_said() {
    let gatepost = Gatepost::start();
    let sent = gatepost.code("ann@example.org", "register");
    let id = loop {
        let page = gatepost.operate("GET", "outbox?state=sent").expect(200);
        if let Some(id) = page["items"][0]["id"].as_str() {
            break id.to_owned();
        }
    };
    let mail = gatepost.operate("GET", &format!("outbox/{id}"));
    let mail = mail.expect(200);
    assert_eq!(mail["attempts"][0]["outcome"], "accepted");
    let transcript = mail["attempts"][0]["transcript"].as_str().unwrap();
    assert!(
        transcript.contains("RCPT TO:<ann@example.org>"),
        "{transcript}"
    );
    assert!(!transcript.contains(&sent), "{transcript}");
}

#[test]
fn a_paused_route_sends_nothing_until_it_is_resumed() {
    let gatepost = Gatepost::start();
    let paused = gatepost.operate("POST", "routes/primary/pause");
    assert_eq!(paused.expect(200)["state"], "paused");
    let newest = gatepost.newest();
    let ask = json!({"email": "bob@example.org", "verification_type": "register"});
    gatepost
        .post("/api/v1/auth/send_verification_code", &ask)
        .expect(202);
    let waiting = gatepost.operate("GET", "outbox?to=bob@example.org");
    let waiting = waiting.expect(200)["items"][0].clone();
    assert_eq!(waiting["state"], "queued");
    assert_eq!(waiting["why"]["code"], "route_paused");
    assert_eq!(gatepost.newest(), newest);

    gatepost
        .operate("POST", "routes/primary/resume")
        .expect(200);
    let mail = gatepost.mail("bob@example.org", &newest);
    assert_eq!(mail["outbox_id"], waiting["id"]);
}
