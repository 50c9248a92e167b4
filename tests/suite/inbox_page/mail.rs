//! One mail: its views, its frame, what is downloaded, and how it came.

use crate::harness::Gatepost;
use crate::pages::browser::Browser;

const MAIL: &str = "From: =?utf-8?B?5ZyW?= <bob@example.com>\r\nSubject: two parts\r\n\
    MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n\
    --m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n\
    --a\r\nContent-Type: text/plain\r\n\r\nYour code is 482913.\r\nSee https://example.com/?a=1&b=2.\r\n\
    --a\r\nContent-Type: text/html\r\n\r\n<p class=x>Your code is <b>482913</b> \
    <a href='https://example.com/html'>go</a><img src=http://pictures.test/a.png>\
    <img src=http://pictures.test/b.png><p style='background:url(//pictures.test/c)'>\r\n--a--\r\n\
    --m\r\nContent-Type: text/html\r\nContent-Disposition: attachment; filename=\"../a<b>.html\"\r\n\r\n\
    <script>alert(1)</script>\r\n--m--\r\n";

fn with_mail() -> Gatepost {
    let gatepost = Gatepost::start();
    gatepost.deliver("ann@example.com", MAIL.as_bytes());
    gatepost
}

#[test]
fn what_a_reader_wants_stands_at_the_top() {
    let gatepost = with_mail();
    let browser = Browser::new(&gatepost);
    browser.get("/inbox/1/").shows(
        200,
        &[
            "<h1 id=\"subject\">two parts</h1>",
            "圖 &lt;bob@example.com&gt;",
            "<code class=\"big\">482913</code>",
            "data-copy=\"482913\"",
            "<strong>example.com</strong>",
            "target=\"_blank\" rel=\"noopener noreferrer nofollow\"",
        ],
    );
    for (language, text) in [("zh-TW", "驗證碼"), ("zh-CN", "验证码")] {
        Browser::speaking(&gatepost, language)
            .get("/inbox/1/")
            .shows(200, &[text]);
    }
    for path in [
        "/inbox/2/",
        "/inbox/x/",
        "/inbox/2/frame",
        "/inbox/1/parts/9",
    ] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
}

#[test]
fn the_html_is_shown_in_a_frame_that_can_do_nothing() {
    let gatepost = with_mail();
    let browser = Browser::new(&gatepost);
    let page = browser.get("/inbox/1/?width=phone&scheme=dark");
    page.shows(
        200,
        &[
            "<iframe class=\"phone dark\" src=\"../../inbox/1/frame\" \
             sandbox=\"allow-popups allow-popups-to-escape-sandbox\" referrerpolicy=\"no-referrer\"",
            "Pictures from elsewhere are blocked: 2.",
            "1 other references to elsewhere are left out.",
            "&amp;remote=1\">Load pictures",
        ],
    );
    let policy = page.header("content-security-policy").unwrap();
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "frame-src 'self'",
        "frame-ancestors 'none'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    let frame = browser.get("/inbox/1/frame");
    assert!(
        frame
            .text
            .contains("<p class=\"x\">Your code is <b>482913</b>")
    );
    assert!(!frame.text.contains("pictures.test"), "{}", frame.text);
    let policy = |answer: &crate::harness::Answer| {
        answer.header("content-security-policy").unwrap().to_owned()
    };
    assert_eq!(
        policy(&frame),
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; \
         style-src 'unsafe-inline'; img-src data:; form-action 'none'; base-uri 'none'; \
         frame-ancestors 'self'"
    );
    assert_eq!(frame.header("x-dns-prefetch-control"), Some("off"));
    assert_eq!(frame.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(frame.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(frame.header("cache-control"), Some("no-store"));
    // Only for who asks.
    browser.get("/inbox/1/?remote=1").shows(
        200,
        &[
            "/frame?remote=1\"",
            "Pictures from elsewhere are loaded",
            "Block pictures",
        ],
    );
    let frame = browser.get("/inbox/1/frame?remote=1");
    assert_eq!(
        frame
            .text
            .matches("<img src=\"http://pictures.test/")
            .count(),
        2
    );
    assert!(!frame.text.contains("pictures.test/c"), "{}", frame.text);
    assert!(policy(&frame).contains("img-src data: http: https:;"));
    assert!(policy(&frame).starts_with("sandbox allow-popups "));
}

#[test]
fn every_view_shows_what_it_says() {
    let gatepost = with_mail();
    let browser = Browser::new(&gatepost);
    let view = |name: &str| browser.get(&format!("/inbox/1/?view={name}"));
    view("text").shows(
        200,
        &[
            "<a href=\"https:&#x2f;&#x2f;example.com&#x2f;?a=1&amp;b=2\"",
            "</a>.",
            "aria-current=\"page\">Text</a>",
        ],
    );
    view("headers").shows(
        200,
        &[
            "<dd>bob@example.com</dd>",
            "<dt>Subject</dt><dd>two parts</dd>",
        ],
    );
    view("raw").shows(
        200,
        &[
            "=?utf-8?B?5ZyW?=",
            "&lt;script&gt;alert(1)&lt;",
            "boundary=m",
        ],
    );
    view("parts").shows(200, &["..&#x2f;a&lt;b&gt;.html", "text&#x2f;html"]);
    view("nonsense").shows(200, &["<iframe"]);
    let raw = browser.get("/inbox/1/raw");
    assert_eq!(raw.text, format!("{MAIL}\r\n"));
    let part = browser.get("/inbox/1/parts/0");
    assert_eq!(
        part.header("content-type"),
        Some("application/octet-stream")
    );
    assert_eq!(part.header("x-content-type-options"), Some("nosniff"));
    let named = part.header("content-disposition").unwrap();
    assert!(
        named.starts_with("attachment; filename=\"_a_b_.html\""),
        "{named}"
    );
}

#[test]
fn a_mail_of_ours_tells_how_it_was_sent() {
    let gatepost = Gatepost::start();
    gatepost.code("ann@example.com", "register");
    let browser = Browser::new(&gatepost);
    let page = browser.get(&format!("/inbox/{}/?view=attempts", gatepost.newest()));
    page.shows(
        200,
        &[
            "<strong class=\"state sent\">sent</strong>",
            "registration_code",
            "Attempt 1",
            "<span class=\"outcome accepted\">accepted</span>",
            "250 2.0.0",
            "RCPT TO:&lt;ann@example.com&gt;",
            "How it was captured",
        ],
    );
    gatepost.deliver("ann@example.com", b"Subject: a stranger's\r\n\r\nx");
    let page = browser.get(&format!("/inbox/{}/?view=attempts", gatepost.newest()));
    page.shows(
        200,
        &[
            "did not come from gatepost&#x27;s outbox",
            "MAIL FROM:&lt;bob@example.com&gt;",
        ],
    );
}

#[test]
fn neighbours_lead_to_one_another() {
    let gatepost = Gatepost::start();
    for subject in ["one", "two", "three"] {
        let mail = format!("Subject: {subject}\r\n\r\nx");
        gatepost.deliver("ann@example.com", mail.as_bytes());
    }
    let browser = Browser::new(&gatepost);
    browser.get("/inbox/2/").shows(
        200,
        &[
            "rel=\"prev\" href=\"../../inbox/3/\"",
            "rel=\"next\" href=\"../../inbox/1/\"",
        ],
    );
    assert!(!browser.get("/inbox/3/").text.contains("rel=\"prev\""));
    assert!(!browser.get("/inbox/1/").text.contains("rel=\"next\""));
}
