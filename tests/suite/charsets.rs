//! Mails in the charsets that East Asian software still writes: shown as they were meant.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::harness::Gatepost;

#[test]
fn east_asian_charsets_are_decoded_in_headers_and_bodies() {
    let gatepost = Gatepost::start();
    for (charset, text) in [
        ("gbk", "您的验证码"),
        ("gb2312", "您的验证码"),
        ("gb18030", "您的验证码𠮷"),
        ("big5", "您的驗證碼"),
        ("shift_jis", "認証コード"),
        ("iso-2022-jp", "認証コード"),
        ("euc-jp", "認証コード"),
        ("euc-kr", "인증 코드"),
        ("utf-8", "驗證碼"),
        ("koi8-r", "код"),
        ("windows-1252", "Schlüssel"),
    ] {
        let encoding = encoding_rs::Encoding::for_label(charset.as_bytes()).unwrap();
        let (bytes, _, lossy) = encoding.encode(text);
        assert!(!lossy, "{charset}");
        let word = STANDARD.encode(&bytes);
        let mut mail = format!(
            "From: =?{charset}?B?{word}?= <bob@example.com>\r\nSubject: =?{charset}?B?{word}?=\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset={charset}\r\n\
             Content-Transfer-Encoding: 8bit\r\n\r\n"
        )
        .into_bytes();
        mail.extend_from_slice(&bytes);
        let address = format!("{charset}@example.com");
        gatepost.deliver(&address, &mail);
        let shown = gatepost.mail(&address, "");
        assert_eq!(shown["subject"], text, "{charset}");
        assert_eq!(shown["text"].as_str().unwrap().trim(), text, "{charset}");
        assert!(
            shown["from"].as_str().unwrap().contains(text),
            "{charset}: {shown}"
        );
    }
}
