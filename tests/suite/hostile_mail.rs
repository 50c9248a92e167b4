//! Mails that nobody should send: each is kept, shown, and read in bounded time without a panic.

use std::fmt::Write as _;

use gatepost::events::Events;
use gatepost::inbox::{Captured, Inbox, Message, Warning};
use gatepost::store::{Options, Store};
use gatepost::world::World;
use proptest::prelude::*;

/// What is read from `raw` once it was kept.
async fn read_all(raws: Vec<Vec<u8>>) -> Vec<Message> {
    let folder = tempfile::tempdir().unwrap();
    let events = Events::default();
    let store = Store::open(&folder.path().join("store.redb"), Options::default()).unwrap();
    let inbox = Inbox::new(store.clone(), events, World::system());
    let mut messages = Vec::new();
    for raw in raws {
        let id = inbox
            .receive(Captured {
                raw: raw.clone(),
                ..Captured::default()
            })
            .await
            .unwrap();
        assert_eq!(inbox.raw(id).await.unwrap(), Some(raw));
        let message = inbox.get(id).await.unwrap().unwrap();
        for attachment in &message.attachments {
            let found = inbox
                .attachment(id, attachment.index)
                .await
                .unwrap()
                .unwrap();
            assert_eq!(&found.attachment, attachment);
            assert_eq!(found.bytes.len() as u64, attachment.size);
        }
        assert_eq!(
            inbox
                .attachment(id, message.attachments.len())
                .await
                .unwrap(),
            None
        );
        messages.push(message);
    }
    store.close().await;
    messages
}

async fn read(raw: impl Into<Vec<u8>>) -> Message {
    read_all(vec![raw.into()]).await.remove(0)
}

#[tokio::test]
async fn an_ordinary_mail_with_everything_in_it() {
    let raw = "From: a@example.com\r\nSubject: all\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"out\"\r\n\r\npreamble\r\n\
        --out\r\nContent-Type: multipart/alternative; boundary=outer\r\n\r\n\
        --outer\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nGr=FC=DFe, your code: 4829=\r\n13\r\n\
        --outer\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nPGEgaHJlZj0iaHR0cHM6Ly9leGFtcGxlLmNvbS8/YT0xJmFtcDtiPTIiPng8L2E+\r\n\
        --outer--\r\n--out\r\nContent-Type: image/png; name=\"=?utf-8?B?5ZyW?=.png\"\r\nContent-Disposition: inline; filename=\"../../p.png\"\r\nContent-ID: <pic@x>\r\nContent-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n\
        --out\r\nContent-Disposition: attachment; filename*=utf-8''%E5%9C%96.txt\r\n\r\nplain attachment\r\n\
        --out\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\ninner\r\n--out--\r\nepilogue\r\n";
    let message = read(raw).await;
    assert_eq!(message.text.as_deref(), Some("Grüße, your code: 482913"));
    assert_eq!(
        message.html.as_deref(),
        Some("<a href=\"https://example.com/?a=1&amp;b=2\">x</a>")
    );
    assert_eq!(message.codes, ["482913"]);
    assert_eq!(message.links, ["https://example.com/?a=1&b=2"]);
    assert_eq!(message.summary.warnings, []);
    let seen: Vec<_> = message
        .attachments
        .iter()
        .map(|a| {
            (
                a.filename.as_deref(),
                a.content_type.as_str(),
                a.inline,
                a.size,
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (Some("../../p.png"), "image/png", true, 5),
            (Some("圖.txt"), "text/plain", false, 16),
            (None, "message/rfc822", false, 23),
        ]
    );
    assert_eq!(message.attachments[0].content_id.as_deref(), Some("pic@x"));
}

#[tokio::test]
async fn mails_without_form_are_shown_as_they_came() {
    let shown = [
        (&b""[..], Some("")),
        (b"no header at all", Some("no header at all")),
        (b"\r\nonly a body\r\n", Some("only a body\r\n")),
        (b"Subject: only a header", Some("")),
        (
            b"Content-Transfer-Encoding: base64\r\n\r\n%%% no base64 %%%",
            Some("%%% no base64 %%%"),
        ),
        (
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\nno boundary ever",
            Some("no boundary ever"),
        ),
        (
            b"Content-Type: multipart/mixed\r\n\r\n--x\r\n\r\nhi\r\n--x--",
            Some("--x\r\n\r\nhi\r\n--x--"),
        ),
        (
            b"Content-Type: text/plain; charset=no-such\r\n\r\na\xffb\0c",
            Some("a\u{fffd}b\0c"),
        ),
        (b"Content-Type: ;;;=\"\r\n\r\nx", Some("x")),
    ];
    let raws = shown.iter().map(|(raw, _)| raw.to_vec()).collect();
    for (message, (raw, text)) in read_all(raws).await.into_iter().zip(shown) {
        let raw = String::from_utf8_lossy(raw);
        assert_eq!(message.text.as_deref(), text, "{raw:?}");
    }
    let broken = read(shown[5].0).await;
    assert_eq!(broken.summary.warnings, [Warning::Unreadable]);
}

#[tokio::test]
async fn deep_and_wide_mails_are_cut_not_followed() {
    let mut nested = String::new();
    for level in 0..20_000 {
        write!(
            nested,
            "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"
        )
        .unwrap();
    }
    let message = read(nested).await;
    assert_eq!(message.summary.warnings, [Warning::Truncated]);
    let forwarded = "Content-Type: message/rfc822\r\n\r\n".repeat(400_000);
    let message = read(forwarded).await;
    assert_eq!(message.attachments.len(), 1);
    let digest = "Content-Type: multipart/digest; boundary=x\r\n\r\n".to_owned()
        + &"--x\r\n\r\n".repeat(1_000_000);
    let message = read(digest).await;
    assert_eq!(message.attachments.len(), 500);
    assert_eq!(message.summary.warnings, [Warning::Truncated]);
    // Boundaries that never come, within parts that do: work must not grow with the square.
    let never = "--x\r\nContent-Type: multipart/mixed; boundary=never\r\n\r\n".repeat(400_000);
    let message = read(format!(
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n{never}"
    ))
    .await;
    assert!(message.summary.warnings.contains(&Warning::Truncated));
}

#[tokio::test]
async fn huge_headers_are_cut() {
    let addresses = format!(
        "To: {}\r\nSubject: {}\r\n",
        "a@example.com, ".repeat(500_000),
        "=?utf-8?q?x".repeat(500_000)
    );
    let fields = "X-Many: 1\r\n".repeat(500_000);
    for header in [addresses, fields] {
        let message = read(format!("{header}\r\nbody")).await;
        assert!(message.headers.len() <= 500);
        assert!(
            message
                .headers
                .iter()
                .all(|(_, value)| value.len() <= 9 << 10)
        );
        assert_eq!(message.text.as_deref(), Some("body"));
        assert_eq!(message.summary.warnings, [Warning::Truncated]);
    }
}

#[tokio::test]
async fn large_and_repetitive_bodies_are_read_in_time() {
    const SIZE: usize = 2 << 20;
    let html = "Content-Type: text/html\r\n\r\n";
    for piece in [
        "<a",
        "<a\n",
        "<a href=\"",
        "<a =\">",
        "<!--",
        "<script>",
        "</",
        "&",
        "&#1",
        "<",
        "<p a='",
    ] {
        read(html.to_owned() + &piece.repeat(SIZE / piece.len())).await;
    }
    for piece in [
        "http://",
        "http://a)",
        "(http://a",
        "1234 ",
        "1234;",
        "123456\n",
        "code 123456 ",
        "BCDFGHJK ",
        "驗證碼123456",
        ".",
    ] {
        let message = read("\r\n".to_owned() + &piece.repeat(SIZE / piece.len())).await;
        assert!(message.links.len() <= 500 && message.codes.len() <= 20);
    }
    read(vec![0; SIZE]).await;
    read([&b"\r\nhttp://"[..], &vec![b')'; SIZE]].concat()).await;
}

/// Out of these, in any order, mails are made.
const PIECES: &[&[u8]] = &[
    b"Content-Type: multipart/mixed; boundary=x\r\n",
    b"Content-Type: text/html; charset=utf-7\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%E5;\r\n filename*1=\"x\"\r\n",
    b"Subject: =?utf-8?B?6amX?= =?x?q?=ff?=\r\n",
    b"Message-ID: <a@b>\r\n",
    b"\r\n",
    b"\n",
    b"--x\r\n",
    b"--x--\r\n",
    b"=\r\n=E9=8\xff",
    b"6amX6K2J",
    b"\0\xff\xfe",
    b"<a href='https://example.com/&amp;",
    b"'>code 123456</a>",
    b"+AGE-",
    b" folded\r\n",
    b":",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_mail_makes_reading_fail(
        pieces in proptest::collection::vec(
            proptest::sample::select(PIECES),
            0..40,
        ),
        noise in proptest::collection::vec(any::<u8>(), 0..50),
    ) {
        let raw = [pieces.concat(), noise].concat();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let message = runtime.block_on(read(raw));
        prop_assert!(message.summary.id.number() == 1);
    }
}
