//! What a small team's gatepost might hold at four minutes past twelve.

use gatepost::client::About;
use gatepost::client::Attempt;
use gatepost::client::Entry;
use gatepost::client::Envelope;
use gatepost::client::Failure;
use gatepost::client::Header;
use gatepost::client::Line;
use gatepost::client::Mail;
use gatepost::client::MailDetail;
use gatepost::client::Message;
use gatepost::client::MessageSummary;
use gatepost::client::Minute;
use gatepost::client::Moment;
use gatepost::client::Route;
use gatepost::client::Session;
use gatepost::client::Stats;
use gatepost::client::Token;
use gatepost::client::User;
use gatepost::client::Why;
use gatepost::tui::ages;
use gatepost::tui::model::Row;
use gatepost::tui::model::View;
use gatepost::world::Timestamp;

/// What the clock says.
pub const NOW: &str = "2026-11-22T12:04:09Z";

/// The same as a time.
pub fn now() -> Timestamp {
    ages::moment(NOW).unwrap()
}

/// So many seconds ago; ahead where it is negative.
pub fn ago(seconds: i64) -> String {
    let at = now().as_millis() - seconds * 1000;
    Timestamp::from_millis(at).to_string()
}

/// Who answers.
pub fn about(mode: &str) -> About {
    About {
        version: "0.1.0".to_owned(),
        mode: mode.to_owned(),
        captures: mode == "dev",
        site_name: "Tea House".to_owned(),
        base_url: "http://localhost:8000".to_owned(),
        language: "en".to_owned(),
        started_at: ago(7200),
        now: NOW.to_owned(),
        reveals: mode == "dev",
    }
}

/// Its figures.
pub fn stats() -> Stats {
    let minutes = (0..60_u64).map(|at| Minute {
        at: ago(3600 - at as i64 * 60),
        sent: (at * 7 + at * at / 3) % 15,
        failed: u64::from(at % 17 == 0) * 2,
        captured: (at * 5) % 11,
        requests: 40 + (at * 13) % 60,
        logins: at % 4,
        refused_logins: u64::from(at % 23 == 0),
    });
    Stats {
        now: NOW.to_owned(),
        outbox: [("queued", 19), ("sending", 2), ("sent", 1183), ("dead", 1)]
            .into_iter()
            .map(|(state, count)| (state.to_owned(), count))
            .collect(),
        failing: 3,
        inbox: 1204,
        users: Some(512),
        sessions: Some(97),
        tokens: Some(88),
        audit: Some(40_000),
        minutes: minutes.collect(),
    }
}

pub fn message(id: usize, to: &str, subject: &str, seconds: i64) -> Row {
    MessageSummary {
        id: id.to_string(),
        received_at: ago(seconds),
        size: 1800 + id as u64 * 37,
        envelope: Envelope {
            from: "no-reply@example.com".to_owned(),
            to: vec![to.to_owned()],
        },
        from: Some("Tea House <no-reply@example.com>".to_owned()),
        subject: Some(subject.to_owned()),
        ..MessageSummary::default()
    }
    .into()
}

fn messages() -> Vec<Row> {
    let mut rows = vec![
        message(1204, "mei@example.com", "您的驗證碼是 482913", 12),
        message(1203, "ann@example.com", "Your code is 730155", 190),
        message(1202, "王小明@example.test", "重設您的密碼", 400),
        message(1201, "bob@example.org", "Reset your password", 3700),
    ];
    for at in (1..1201).rev() {
        let to = format!("user{at:04}@example.com");
        rows.push(message(
            at,
            &to,
            "Confirm your address",
            4000 + (1200 - at as i64) * 60,
        ));
    }
    rows
}

/// A captured mail, whole.
pub fn whole(id: &str) -> Message {
    let known = messages().into_iter().find(|row| row.id() == id);
    let known = known.unwrap_or_else(|| message(0, "new@example.com", "New", 0));
    let Row::Message(mut summary) = known else {
        unreachable!()
    };
    id.clone_into(&mut summary.id);
    Message {
        headers: vec![Header {
            name: "Subject".to_owned(),
            value: summary.subject.clone().unwrap(),
        }],
        summary: *summary,
        text: Some("Hello,\n\nyour code is 482913. It lapses in ten minutes.\n\nhttps://example.com/reset/abc\n".to_owned()),
        codes: vec!["482913".to_owned()],
        links: vec!["https://example.com/reset/abc".to_owned()],
        ..Message::default()
    }
}

pub fn mail(id: &str, state: &str, to: &str, kind: &str, seconds: i64) -> Mail {
    serde_json::from_value(serde_json::json!({
        "id": id, "state": state, "to": to, "kind": kind, "created_at": ago(seconds),
        "message_id": format!("<{id}@example.com>"), "tries": 1,
    }))
    .unwrap()
}

fn outbox() -> Vec<Row> {
    let refused = Failure {
        at: ago(59),
        stage: "rcpt_to".to_owned(),
        outcome: "permanent".to_owned(),
        code: Some(550),
        text: "550 5.1.1 <bounce@example.com>: user unknown".to_owned(),
        ..Failure::default()
    };
    let mut retry = mail(
        "ob_01",
        "queued",
        "mei@example.test",
        "registration_code",
        190,
    );
    retry.tries = 5;
    retry.next_at = Some(ago(-42));
    retry.last_error = Some(Failure {
        code: Some(451),
        text: "451 4.7.1 greylisted, try again later".to_owned(),
        ..refused.clone()
    });
    retry.why = Some(Why {
        code: "retry".to_owned(),
        text: "The receiving server asks to come back later.".to_owned(),
        ..Why::default()
    });
    let mut dead = mail("ob_02", "dead", "bounce@example.com", "reset_link", 700);
    dead.tries = 8;
    dead.last_error = Some(refused);
    dead.why = Some(Why {
        code: "refused".to_owned(),
        text: "5.1.1 is permanent: the mailbox does not exist.".to_owned(),
        advice: Some("A retry will not help: check the address with its owner.".to_owned()),
        ..Why::default()
    });
    let mut rows: Vec<Row> = vec![retry.into(), dead.into()];
    for at in 3..22 {
        let id = format!("ob_{at:02}");
        let to = format!("user{at:02}@example.org");
        let state = if at < 6 { "queued" } else { "sent" };
        rows.push(mail(&id, state, &to, "reset_code", 800 + at * 60).into());
    }
    rows
}

/// A mail of the outbox with its attempts.
pub fn detail(id: &str) -> MailDetail {
    let found = outbox().into_iter().find(|row| row.id() == id);
    let Some(Row::Mail(mail)) = found else {
        panic!("no mail {id}")
    };
    let attempt = |number, seconds, reply: &str| Attempt {
        number,
        route: Some("primary".to_owned()),
        started_at: ago(seconds),
        ended_at: ago(seconds - 1),
        outcome: "temporary".to_owned(),
        reply: reply.to_owned(),
        ..Attempt::default()
    };
    MailDetail {
        mail: *mail,
        attempts: vec![
            attempt(1, 180, "451 4.7.1 greylisted, try again later"),
            attempt(2, 59, "550 5.1.1 <bounce@example.com>: user unknown"),
        ],
        attempts_left_out: 0,
    }
}

fn tokens() -> Vec<Row> {
    let token = |id: &str, kind: &str, email: &str, state: &str, seconds| Token {
        id: id.to_owned(),
        kind: kind.to_owned(),
        email: email.to_owned(),
        state: state.to_owned(),
        created_at: ago(seconds),
        expires_at: ago(seconds - 600),
        attempts_left: Some(4),
        revealable: state == "live",
        ..Token::default()
    };
    vec![
        token("tk_1", "registration_code", "mei@example.com", "live", 12).into(),
        token("tk_2", "reset_link", "王小明@example.test", "live", 400).into(),
        token("tk_3", "reset_code", "bob@example.org", "spent", 900).into(),
    ]
}

fn users() -> Vec<Row> {
    let user = |id: &str, email: &str, name: &str, state: &str| User {
        id: id.to_owned(),
        email: email.to_owned(),
        display_name: Some(name.to_owned()),
        language: "zh-hant".to_owned(),
        state: state.to_owned(),
        created_at: ago(86_400 * 3),
        last_login_at: Some(ago(300)),
        sessions: Some(2),
        ..User::default()
    };
    vec![
        user("us_1", "mei@example.com", "林美", "active").into(),
        user("us_2", "bob@example.org", "Bob", "locked").into(),
        user("us_3", "ann@example.com", "Ann", "active").into(),
    ]
}

fn sessions() -> Vec<Row> {
    let session = Session {
        id: "se_1".to_owned(),
        user_id: "us_1".to_owned(),
        email: "mei@example.com".to_owned(),
        state: "live".to_owned(),
        created_at: ago(3600),
        last_used_at: ago(30),
        expires_at: ago(-86_400),
        ip: "192.0.2.7".to_owned(),
        last_ip: "192.0.2.7".to_owned(),
        user_agent: Some("Firefox on Linux".to_owned()),
    };
    vec![session.into()]
}

fn audit() -> Vec<Row> {
    let entry = |id: &str, actor: &str, action: &str, subject: &str, outcome: &str| Entry {
        id: id.to_owned(),
        at: ago(90),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_owned(),
        outcome: outcome.to_owned(),
        ip: Some("192.0.2.7".to_owned()),
        detail: String::new(),
    };
    vec![
        entry("au_2", "operator:陳", "mail_discarded", "ob_09", "done").into(),
        entry("au_1", "anonymous", "login", "mei@example.com", "refused").into(),
    ]
}

fn routes() -> Vec<Row> {
    let route = |name: &str, state: &str| -> Route {
        serde_json::from_value(serde_json::json!({
            "name": name, "host": format!("smtp.{name}.test"), "port": 587, "state": state,
            "next_probe_at": (state == "open").then(|| ago(-20)),
            "budget": {"per_day": 500, "kept_for_codes": 50, "spent": 480},
            "last_error": {"at": ago(100), "code": 421, "text": "421 too many connections",
                "advice": "Fewer at a time."},
        }))
        .unwrap()
    };
    vec![
        route("primary", "open").into(),
        route("fallback", "closed").into(),
    ]
}

fn log() -> Vec<Row> {
    let line = |id: u64, level: &str, text: &str| Line {
        id: id.to_string(),
        at: ago(60 - id as i64),
        level: level.to_owned(),
        target: "gatepost::mail::courier".to_owned(),
        text: text.to_owned(),
    };
    vec![
        line(3, "error", "the relay refused the recipient mail=ob_02").into(),
        line(2, "warn", "the route primary rests for 20 s").into(),
        line(1, "info", "listening on http://127.0.0.1:8000").into(),
    ]
}

fn timeline() -> Vec<Row> {
    let moment = |seconds, kind: &str, id: &str, title: &str, state: &str| Moment {
        at: ago(seconds),
        kind: kind.to_owned(),
        id: id.to_owned(),
        title: title.to_owned(),
        state: state.to_owned(),
        detail: String::new(),
    };
    vec![
        moment(30, "session", "se_1", "Session from 192.0.2.7", "live").into(),
        moment(190, "mail", "ob_01", "Your code", "sent").into(),
        moment(4000, "account", "us_1", "Signed up", "active").into(),
    ]
}

/// The rows of a view.
pub fn rows(view: View) -> Vec<Row> {
    match view {
        View::Mail => messages(),
        View::Outbox | View::Overview => outbox(),
        View::Tokens => tokens(),
        View::Users => users(),
        View::Sessions => sessions(),
        View::Audit => audit(),
        View::Routes => routes(),
        View::Log => log(),
        View::Timeline => timeline(),
    }
}
