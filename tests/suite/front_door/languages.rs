//! The whole flow in each language: the mails come in the language that was asked for.

use crate::harness::Gatepost;
use serde_json::json;

/// Words that the mail must hold in its language.
const LANGUAGES: [(&str, &str, &str); 3] = [
    ("zh-hant", "驗證碼", "重設"),
    ("zh-hans", "验证码", "重置"),
    ("en", "code", "reset"),
];

#[test]
fn codes_links_and_notices_come_in_the_persons_language() {
    let gatepost = Gatepost::start();
    for (language, code_word, reset_word) in LANGUAGES {
        let address = format!("{language}@example.com");
        gatepost
            .post(
                "/api/v1/auth/send_verification_code",
                &json!({"email": address, "verification_type": "register", "language": language}),
            )
            .expect(202);
        let mail = gatepost.mail(&address, "");
        for part in ["subject", "text", "html"] {
            assert!(
                mail[part].as_str().unwrap().contains(code_word),
                "{language} {part}: {mail}"
            );
        }
        let code = mail["codes"][0].as_str().unwrap();
        let verified = gatepost
            .post(
                "/api/v1/auth/verify_code",
                &json!({"email": address, "verification_type": "register", "code": code}),
            )
            .expect(200);
        let registered = gatepost
            .post(
                "/api/v1/auth/register",
                &json!({
                    "email": address,
                    "password": "correct horse battery",
                    "verification_token": verified["verification_token"],
                }),
            )
            .expect(201);
        // The account takes over the language in which the code was asked for.
        assert_eq!(registered["user"]["language"], language, "{registered}");
        let before = gatepost.newest();
        // No language is given: the account's own counts.
        gatepost
            .post("/api/v1/auth/password_reset", &json!({"email": address}))
            .expect(202);
        let mail = gatepost.mail(&address, &before);
        assert!(
            mail["subject"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .contains(reset_word),
            "{language}: {mail}"
        );
    }
}
