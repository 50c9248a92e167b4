//! SMTP conversations, byte by byte, without a socket: what every client of the table in
//! `reference/capture.md` is answered, and what is kept of its mail. More than
//! 500 lines, so that the whole table is checked in one place, with one way to converse.

use std::sync::Arc;

use gatepost::inbox::session::{Rules, Session, Step, User};
use gatepost::inbox::{Captured, MessageId, Warning};
use gatepost::secret::SecretText;
use gatepost::world::Timestamp;
use proptest::prelude::*;

fn rules() -> Rules {
    Rules {
        hostname: "mail.example.com".to_owned(),
        message_limit: 1000,
        line_limit: 4096,
        recipients: 3,
        strict: false,
        users: None,
        starttls: true,
    }
}

fn strict() -> Rules {
    Rules {
        strict: true,
        ..rules()
    }
}

/// What came of a conversation.
#[derive(Debug, PartialEq)]
struct Heard {
    replies: String,
    mails: Vec<Captured>,
    closed: bool,
}

/// Says `said` in pieces that end at `cuts`, and keeps every mail.
fn converse_in(rules: Rules, said: &[u8], cuts: &[usize]) -> Heard {
    let mut session = Session::new(Arc::new(rules), None, false);
    let mut replies = Vec::new();
    let mut mails = Vec::new();
    let mut from = 0;
    for cut in cuts.iter().copied().chain([said.len()]) {
        let mut piece = &said[from..cut];
        from = cut;
        loop {
            match session.advance(&mut piece, &mut replies, Timestamp::from_millis(1)) {
                Step::Read => {
                    assert!(piece.is_empty(), "everything is taken before more is read");
                    break;
                }
                Step::Reserve(_) => session.reserved(true),
                Step::Deliver(mail) => {
                    mails.push(*mail);
                    let id = MessageId::from_number(mails.len() as u64);
                    session.delivered(Some(id), &mut replies);
                }
                Step::StartTls => {
                    replies.extend_from_slice(b"(handshake)\r\n");
                    session.secured();
                }
                Step::Close => {
                    return Heard {
                        replies: String::from_utf8(replies).unwrap(),
                        mails,
                        closed: true,
                    };
                }
            }
        }
    }
    Heard {
        replies: String::from_utf8(replies).unwrap(),
        mails,
        closed: false,
    }
}

fn converse(rules: Rules, said: impl AsRef<[u8]>) -> Heard {
    converse_in(rules, said.as_ref(), &[])
}

/// The reply codes, basic and enhanced, of what was said.
fn codes(rules: Rules, said: impl AsRef<[u8]>) -> Vec<String> {
    let heard = converse(rules, said);
    let code = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    heard.replies.lines().map(code).collect()
}

const HELLO: &str = "HELO client.example.com\r\n";
const ENVELOPE: &str = "MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.org>\r\n";

/// The codes behind HELO.
fn after_hello(rules: Rules, said: &str) -> Vec<String> {
    codes(rules, format!("{HELLO}{said}")).split_off(1)
}

#[test]
fn a_whole_conversation_to_the_byte() {
    let said = "EHLO client.example.com\r\nMAIL FROM:<a@example.com> SIZE=30 BODY=8BITMIME SMTPUTF8\r\n\
        RCPT TO:<b@example.org> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@example.org\r\nDATA\r\n\
        Subject: x\r\n\r\n..dot\r\n.\r\nNOOP\r\nQUIT\r\n";
    let heard = converse(rules(), said);
    assert_eq!(
        heard.replies,
        "250-mail.example.com\r\n250-PIPELINING\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
         250-DSN\r\n250-ENHANCEDSTATUSCODES\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 HELP\r\n\
         250 2.1.0 sender ok\r\n250 2.1.5 recipient ok\r\n354 end with a line of one dot\r\n\
         250 2.0.0 kept as 1\r\n250 2.0.0 ok\r\n221 2.0.0 bye\r\n"
    );
    assert!(heard.closed);
    let mail = &heard.mails[0];
    assert_eq!(mail.raw, b"Subject: x\r\n\r\n.dot\r\n");
    assert_eq!(mail.envelope.from, "a@example.com");
    assert_eq!(mail.envelope.to, ["b@example.org"]);
    assert_eq!(mail.hello.as_deref(), Some("client.example.com"));
    assert_eq!(mail.received_at, Timestamp::from_millis(1));
    assert_eq!(mail.warnings, []);
    let parameters = "NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@example.org";
    assert!(mail.transcript.contains(parameters), "{}", mail.transcript);
}

#[test]
fn senders_and_recipients_of_every_kind() {
    for (line, address) in [
        ("MAIL FROM:<>", ""),
        ("MAIL FROM: <a@example.com>", "a@example.com"),
        ("mail from:   <a@example.com>", "a@example.com"),
        ("MAIL FROM:a@example.com", "a@example.com"),
        ("MAIL FROM:<root>", "root"),
        ("MAIL FROM:<\"a b\"@example.com>", "\"a b\"@example.com"),
        (
            "MAIL FROM:<\"a>\\\"\"@example.com>",
            "\"a>\\\"\"@example.com",
        ),
        ("MAIL FROM:<用戶@example.com> SMTPUTF8", "用戶@example.com"),
        ("MAIL FROM:<a@example.com> X-NEW=1 FLAG", "a@example.com"),
        (
            "MAIL FROM:<a@example.com> RET=HDRS ENVID=QQ AUTH=<>",
            "a@example.com",
        ),
    ] {
        let said = format!("{HELLO}{line}\r\nRCPT TO:<b@example.org>\r\nDATA\r\nx\r\n.\r\n");
        let heard = converse(rules(), said);
        assert_eq!(heard.mails.len(), 1, "{line}: {}", heard.replies);
        assert_eq!(heard.mails[0].envelope.from, address, "{line}");
        assert!(heard.mails[0].transcript.contains(line), "{line}");
        let bare = heard.mails[0].warnings.contains(&Warning::MissingBrackets);
        assert_eq!(bare, !line.contains('<'), "{line}");
    }
    for line in [
        "MAIL FROM:<a b@example.com>",
        "MAIL FROM:<a@example.com",
        "MAIL",
        "MAIL FROM:",
        "MAIL TO:<a@b>",
    ] {
        let codes = after_hello(rules(), &format!("{line}\r\n"));
        assert!(codes[0].starts_with("501 5."), "{line}: {codes:?}");
    }
    let codes = after_hello(
        rules(),
        "MAIL FROM:<a@b.test>\r\nRCPT TO:<>\r\nRCPT TO: b@example.org\r\nDATA\r\n",
    );
    assert_eq!(codes, ["250 2.1.0", "501 5.1.3", "250 2.1.5", "354 end"]);
}

#[test]
fn strict_refuses_what_the_standard_does_not_allow() {
    for (line, code) in [
        ("MAIL FROM:a@example.com", "501 5.5.4"),
        ("MAIL FROM: <a@example.com>", "501 5.5.4"),
        ("MAIL FROM:<root>", "501 5.1.7"),
        ("MAIL FROM:<a@example.com> X-NEW=1", "555 5.5.4"),
        (
            "MAIL FROM:<a@example.com> SIZE=10 BODY=8BITMIME",
            "250 2.1.0",
        ),
        ("MAIL FROM:<>", "250 2.1.0"),
    ] {
        assert_eq!(
            after_hello(strict(), &format!("{line}\r\n")),
            [code],
            "{line}"
        );
    }
    assert_eq!(codes(strict(), ENVELOPE)[0], "503 5.5.1");
    let lenient = converse(rules(), format!("{ENVELOPE}DATA\r\n.\r\n"));
    assert_eq!(lenient.mails[0].warnings, [Warning::NoGreeting]);
}

#[test]
fn size_is_honoured_at_mail_and_at_the_end_of_data() {
    for (size, code) in [
        ("1000", "250 2.1.0"),
        ("1001", "552 5.3.4"),
        ("99999999999999999999999", "552 5.3.4"),
        ("x", "501 5.5.4"),
        ("", "501 5.5.4"),
    ] {
        let line = format!("MAIL FROM:<a@example.com> SIZE={size}\r\n");
        assert_eq!(after_hello(rules(), &line), [code], "{size}");
    }
    // Drained without being stored, and the next command is read as one.
    let large = "0123456789".repeat(500);
    let said = format!(
        "{HELLO}{ENVELOPE}DATA\r\n{large}\r\n.\r\nNOOP\r\n{ENVELOPE}DATA\r\nsmall\r\n.\r\n"
    );
    let heard = converse(rules(), &said);
    assert_eq!(heard.mails.len(), 1);
    assert_eq!(heard.mails[0].raw, b"small\r\n");
    let codes = codes(rules(), &said);
    assert_eq!(codes[4..6], ["552 5.3.4", "250 2.0.0"]);
}

#[test]
fn recipients_are_limited_and_the_mail_goes_to_those_that_fit() {
    let rcpt = "RCPT TO:<b@example.org>\r\n".repeat(4);
    let said = format!("{HELLO}MAIL FROM:<>\r\n{rcpt}DATA\r\n.\r\n");
    let heard = converse(rules(), &said);
    assert_eq!(heard.mails[0].envelope.to.len(), 3);
    assert_eq!(codes(rules(), &said)[5], "452 4.5.3");
}

#[test]
fn commands_out_of_order_are_refused() {
    let codes = after_hello(
        rules(),
        "DATA\r\nRCPT TO:<b@example.org>\r\nMAIL FROM:<>\r\nMAIL FROM:<>\r\nDATA\r\n",
    );
    assert_eq!(
        codes,
        [
            "503 5.5.1",
            "503 5.5.1",
            "250 2.1.0",
            "503 5.5.1",
            "554 5.5.1"
        ]
    );
}

#[test]
fn the_small_verbs() {
    let said = "VRFY a@example.com\r\nHELP\r\nHELP MAIL\r\nNOOP\r\nNOOP x y\r\nRSET\r\nEXPN list\r\nETRN x\r\nTURN\r\n\r\nHELO\r\nnoop\r\n";
    assert_eq!(
        after_hello(rules(), said),
        [
            "252 2.5.0",
            "214 2.0.0",
            "214 2.0.0",
            "250 2.0.0",
            "250 2.0.0",
            "250 2.0.0",
            "502 5.5.1",
            "502 5.5.1",
            "500 5.5.1",
            "500 5.5.1",
            "501 5.5.4",
            "250 2.0.0"
        ]
    );
}

#[test]
fn rset_and_a_new_hello_drop_the_mail_under_way() {
    for drop in [
        "RSET\r\n",
        "EHLO again.example.com\r\n",
        "HELO again.example.com\r\n",
    ] {
        let heard = converse(
            rules(),
            format!("{HELLO}{ENVELOPE}{drop}DATA\r\nMAIL FROM:<>\r\n"),
        );
        let last: Vec<&str> = heard.replies.lines().rev().take(2).collect();
        assert_eq!(
            last,
            ["250 2.1.0 sender ok", "503 5.5.1 MAIL comes first"],
            "{drop}"
        );
    }
}

#[test]
fn what_was_odd_before_a_mail_is_noted_with_that_mail_alone() {
    let mail = format!("{ENVELOPE}DATA\r\n.\r\n");
    let heard = converse(rules(), format!("{HELLO}NOOP\n{mail}{mail}NOOP\n{mail}"));
    let warnings: Vec<_> = heard.mails.into_iter().map(|mail| mail.warnings).collect();
    let odd = vec![Warning::BareLfInCommand];
    assert_eq!(warnings, [odd.clone(), vec![], odd]);
    // Whoever may stand in the middle stands there to the end.
    let said = format!("STARTTLS\r\n{mail}{HELLO}{mail}{mail}");
    let heard = converse_in(rules(), said.as_bytes(), &[10 + mail.len()]);
    assert_eq!(heard.mails.len(), 2);
    for mail in heard.mails {
        assert_eq!(mail.warnings, [Warning::BytesBehindStartTls]);
    }
}

#[test]
fn bare_lf_is_taken_behind_a_command_and_noted() {
    let heard = converse(rules(), format!("{HELLO}{ENVELOPE}DATA\n.\r\n"));
    assert_eq!(heard.mails[0].warnings, [Warning::BareLfInCommand]);
    let heard = converse(
        rules(),
        format!("{HELLO}{ENVELOPE}DATA\r\na\nb\rc\0\r\n.\r\n"),
    );
    assert_eq!(
        heard.mails[0].warnings,
        [
            Warning::BareLfInMail,
            Warning::BareCrInMail,
            Warning::NulInMail
        ]
    );
}

#[test]
fn nothing_but_crlf_dot_crlf_ends_a_mail() {
    for end in [
        "\n.\n",
        "\n.\r\n",
        "\r\n.\n",
        "\r.\r",
        "\r.\r\n",
        "\r\n.\r\r\n",
        "\r\n.\r",
        "\r\n\0.\r\n",
        "\r\n.\0\r\n",
    ] {
        let smuggled =
            format!("{HELLO}{ENVELOPE}DATA\r\nfirst{end}{ENVELOPE}DATA\r\nsecond\r\n.\r\nQUIT\r\n");
        let heard = converse(rules(), &smuggled);
        assert_eq!(heard.mails.len(), 1, "{end:?} ended the mail");
        assert!(heard.mails[0].raw.ends_with(b"second\r\n"), "{end:?}");
        assert!(heard.closed, "{end:?}");
    }
}

#[test]
fn control_characters_in_a_command_are_refused() {
    for line in [
        "MAIL FROM:<a@example.com\rRCPT TO:<b@example.org>>",
        "NOOP \0",
        "NO\u{8}OP",
        "NOOP \u{7f}",
    ] {
        assert_eq!(
            after_hello(rules(), &format!("{line}\r\n")),
            ["500 5.5.2"],
            "{line:?}"
        );
    }
    assert_eq!(
        codes(rules(), b"NOOP \xff\xfe\r\nNOOP\r\n"),
        ["500 5.5.2", "250 2.0.0"]
    );
}

#[test]
fn a_line_over_the_limit_is_skipped_to_its_end() {
    let fits = format!("NOOP {}\r\n", "x".repeat(4096 - 7));
    let too_long = format!("NOOP {}\r\n", "x".repeat(4096 - 6));
    let far_too_long = format!("NOOP {}\r\n", "MAIL FROM:<>".repeat(9_000));
    let said = format!("{fits}{too_long}NOOP\r\n{far_too_long}NOOP\r\n");
    assert_eq!(
        after_hello(rules(), &said),
        [
            "250 2.0.0",
            "500 5.5.2",
            "250 2.0.0",
            "500 5.5.2",
            "250 2.0.0"
        ]
    );
}

#[test]
fn http_is_sent_away() {
    for line in ["GET / HTTP/1.1", "post /x HTTP/1.1", "OPTIONS * HTTP/1.1"] {
        let heard = converse(
            rules(),
            format!("{line}\r\nHost: x\r\n\r\n{HELLO}{ENVELOPE}"),
        );
        assert_eq!(
            heard.replies, "421 5.5.1 this is SMTP, not HTTP\r\n",
            "{line}"
        );
        assert!(heard.closed);
    }
}

#[test]
fn bdat_is_refused_and_what_comes_behind_it_is_no_command() {
    let heard = converse(
        rules(),
        format!("{HELLO}{ENVELOPE}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"),
    );
    assert!(
        heard
            .replies
            .ends_with("502 5.5.1 BDAT is not offered\r\n250 2.0.0 ok\r\n")
    );
    assert!(!heard.closed);
}

#[test]
fn a_client_that_is_refused_all_the_time_is_sent_away() {
    let heard = converse(rules(), "NONSENSE\r\n".repeat(1000));
    assert!(heard.closed);
    assert_eq!(heard.replies.lines().count(), 51);
    assert!(
        heard
            .replies
            .ends_with("421 4.7.0 too many refused commands\r\n")
    );
}

#[test]
fn any_credentials_pass_when_nobody_is_named() {
    // "\0amy\0secret", "amy", "secret"
    for (said, expected) in [
        ("AUTH PLAIN AGFteQBzZWNyZXQ=\r\n", vec!["235 2.7.0"]),
        (
            "AUTH PLAIN\r\nAGFteQBzZWNyZXQ=\r\n",
            vec!["334 ", "235 2.7.0"],
        ),
        (
            "AUTH LOGIN\r\nYW15\r\nc2VjcmV0\r\n",
            vec!["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 2.7.0"],
        ),
        (
            "auth login YW15\r\nc2VjcmV0\r\n",
            vec!["334 UGFzc3dvcmQ6", "235 2.7.0"],
        ),
        ("AUTH PLAIN\r\n*\r\n", vec!["334 ", "501 5.7.0"]),
        (
            "AUTH PLAIN\r\n!!\r\nNOOP\r\n",
            vec!["334 ", "501 5.5.2", "250 2.0.0"],
        ),
        ("AUTH PLAIN YW15\r\n", vec!["501 5.5.2"]),
        ("AUTH CRAM-MD5\r\n", vec!["504 5.5.4"]),
        ("AUTH X-UNKNOWN\r\n", vec!["504 5.5.4"]),
        ("AUTH\r\n", vec!["501 5.5.4"]),
    ] {
        assert_eq!(after_hello(rules(), said), expected, "{said}");
    }
    let said = format!(
        "{HELLO}AUTH PLAIN AGFteQBzZWNyZXQ=\r\nAUTH PLAIN AGFteQBzZWNyZXQ=\r\n{ENVELOPE}DATA\r\n.\r\n"
    );
    let heard = converse(rules(), said);
    assert!(heard.replies.contains("503 5.5.1"));
    let mail = &heard.mails[0];
    assert_eq!(mail.authenticated.as_deref(), Some("amy"));
    assert!(!mail.transcript.contains("AGFteQ"), "{}", mail.transcript);
}

#[test]
fn a_named_user_must_log_in_with_the_right_password() {
    let pinned = || Rules {
        users: Some(Arc::new([User {
            name: "amy".to_owned(),
            password: SecretText::from("secret".to_owned()),
        }])),
        ..rules()
    };
    let codes = after_hello(
        pinned(),
        // "\0amy\0wrong", "\0ben\0secret", "\0amy\0secret"
        "MAIL FROM:<>\r\nAUTH PLAIN AGFteQB3cm9uZw==\r\nAUTH PLAIN AGJlbgBzZWNyZXQ=\r\nMAIL FROM:<>\r\nAUTH PLAIN AGFteQBzZWNyZXQ=\r\nMAIL FROM:<>\r\n",
    );
    assert_eq!(
        codes,
        [
            "530 5.7.0",
            "535 5.7.8",
            "535 5.7.8",
            "530 5.7.0",
            "235 2.7.0",
            "250 2.1.0"
        ]
    );
}

#[test]
fn what_stands_behind_starttls_is_dropped_and_the_session_begins_anew() {
    let said = format!(
        "{HELLO}AUTH PLAIN AGFteQBzZWNyZXQ=\r\nMAIL FROM:<evil@example.com>\r\nSTARTTLS\r\nRCPT TO:<b@example.org>\r\n"
    );
    let heard = converse(rules(), &said);
    assert!(
        heard
            .replies
            .ends_with("220 2.0.0 go on with TLS\r\n(handshake)\r\n"),
        "{}",
        heard.replies
    );
    let behind = said.len();
    let said = format!("{said}RCPT TO:<b@example.org>\r\nSTARTTLS\r\n{ENVELOPE}DATA\r\n.\r\n");
    let heard = converse_in(rules(), said.as_bytes(), &[behind]);
    let after = heard.replies.split("(handshake)\r\n").nth(1).unwrap();
    let expected = ["503 5.5.1 MAIL comes first", "503 5.5.1 TLS is on already"];
    assert_eq!(after.lines().take(2).collect::<Vec<_>>(), expected);
    let mail = &heard.mails[0];
    assert!(mail.tls);
    assert_eq!(mail.authenticated, None);
    assert_eq!(
        mail.warnings,
        [Warning::BytesBehindStartTls, Warning::NoGreeting]
    );
    let without = Rules {
        starttls: false,
        ..rules()
    };
    assert_eq!(after_hello(without, "STARTTLS\r\n"), ["502 5.5.1"]);
}

#[test]
fn each_mail_has_the_transcript_of_its_own() {
    let mail = |who: &str| {
        format!("MAIL FROM:<{who}@example.com>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n.\r\n")
    };
    let heard = converse(rules(), format!("{HELLO}{}{}", mail("one"), mail("two")));
    assert!(
        heard.mails[1]
            .transcript
            .contains("HELO client.example.com")
    );
    assert!(heard.mails[1].transcript.contains("two@example.com"));
    assert!(!heard.mails[1].transcript.contains("one@example.com"));
    let many = format!("{HELLO}{}{}", "NOOP x\r\n".repeat(10_000), mail("one"));
    assert!(converse(rules(), many).mails[0].transcript.len() < 8 << 10);
}

/// A conversation that visits every state, without STARTTLS: there the pieces matter.
fn lively() -> String {
    let long = format!("NOOP {}\r\n", "x".repeat(5000));
    let large = "0123456789\r\n".repeat(200);
    format!(
        "EHLO a.test\r\nAUTH LOGIN\r\nYW15\r\nc2VjcmV0\r\n{long}{ENVELOPE}DATA\r\n..a\r\nb\n.\r\nc\r\n.\r\r\n\r\n..\r\n.\r\n\
         {ENVELOPE}DATA\r\n{large}.\r\nBDAT 8\r\nQUIT\r\n\r\nnoop\nMAIL FROM:<\"a \\\"b\"@c.test> X=1\r\nRCPT TO:d@e.test\r\nDATA\r\n.\r\nQUIT\r\nNOOP\r\n"
    )
}

/// Out of these, in any order, conversations are made.
const WORDS: &[&[u8]] = &[
    b"EHLO a\r\n",
    b"MAIL FROM:<a@b.test>\r\n",
    b"RCPT TO:<a@b.test>\r\n",
    b"DATA\r\n",
    b"\r\n.\r\n",
    b".",
    b"\r",
    b"\n",
    b"\0",
    b"\xff",
    b"AUTH LOGIN\r\n",
    b"AUTH PLAIN ",
    b"YW15\r\n",
    b"RSET\r\n",
    b"BDAT 3\r\n",
    b"BDAT 99999999999999999999 LAST\r\n",
    b"<",
    b"\"",
    b"\\",
    b"MAIL FROM:",
    b"RCPT TO:",
    b" SIZE=",
    b"9",
    b"=xyzzy ",
    b"NOOP ",
    b"VRFY \"",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_split_of_the_bytes_is_the_same_conversation(mut cuts in proptest::collection::vec(0..=lively().len(), 0..60)) {
        cuts.sort_unstable();
        let said = lively();
        let whole = converse(rules(), &said);
        prop_assert!(whole.closed && whole.mails.len() == 2, "{}", whole.replies);
        prop_assert_eq!(converse_in(rules(), said.as_bytes(), &cuts), whole);
    }

    #[test]
    fn noise_never_panics_and_no_reply_holds_a_byte_of_it(
        words in proptest::collection::vec(
            proptest::sample::select(WORDS),
            0..120,
        ),
        cut in 0..200usize,
    ) {
        let said = words.concat();
        let cut = cut.min(said.len());
        let heard = converse_in(rules(), &said, &[cut]);
        prop_assert_eq!(&converse(rules(), &said), &heard);
        for line in heard.replies.split_terminator("\r\n") {
            prop_assert!(line.len() > 3 && line.as_bytes()[..3].iter().all(u8::is_ascii_digit), "{:?}", line);
            prop_assert!(!line.contains("xyzzy"));
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(said in proptest::collection::vec(any::<u8>(), 0..2000)) {
        converse(rules(), &said);
        converse(strict(), [HELLO.as_bytes(), ENVELOPE.as_bytes(), b"DATA\r\n", &said].concat());
    }
}

#[test]
fn a_flood_without_a_line_end_leaves_no_trace() {
    // Debug output shows all that a session holds.
    let mut session = Session::new(Arc::new(rules()), None, false);
    let mut replies = Vec::new();
    let flood = vec![b'x'; 64 << 10];
    for opening in [
        &b""[..],
        b"\r\nMAIL FROM:<>\r\nRCPT TO:<a@b.test>\r\nDATA\r\n",
    ] {
        session.advance(&mut &opening[..], &mut replies, Timestamp::from_millis(0));
        for _ in 0..200 {
            let step = session.advance(
                &mut flood.as_slice(),
                &mut replies,
                Timestamp::from_millis(0),
            );
            assert_eq!(step, Step::Read);
        }
        assert!(format!("{session:?}").len() < 64 << 10);
    }
    assert!(replies.len() < 1000);
}
