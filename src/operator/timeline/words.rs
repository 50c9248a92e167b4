//! What happened, in a few words of each language.

use crate::language::Language;

/// By a stable word: what happened in Chinese, traditional and simplified, and in English.
const TITLES: &[(&str, [&str; 3])] = &[
    (
        "account",
        ["建立了帳號", "建立了账号", "The account was made"],
    ),
    (
        "captured",
        ["攔截到一封郵件", "拦截到一封邮件", "A mail was captured"],
    ),
    (
        "session",
        ["登入階段開始", "登录会话开始", "A session began"],
    ),
    (
        "registration_code",
        ["註冊驗證碼", "注册验证码", "A registration code"],
    ),
    (
        "reset_code",
        ["重設密碼驗證碼", "重置密码验证码", "A reset code"],
    ),
    (
        "address_code",
        ["新地址驗證碼", "新邮箱验证码", "A code for a new address"],
    ),
    (
        "reset_link",
        ["重設密碼連結", "重置密码链接", "A reset link"],
    ),
    (
        "registration_token",
        ["註冊憑證", "注册凭证", "A token for registering"],
    ),
    (
        "reset_token",
        ["重設密碼憑證", "重置密码凭证", "A token for a reset"],
    ),
    (
        "mail_registration_code",
        [
            "郵件：註冊驗證碼",
            "邮件：注册验证码",
            "Mail: registration code",
        ],
    ),
    (
        "mail_reset_code",
        [
            "郵件：重設密碼驗證碼",
            "邮件：重置密码验证码",
            "Mail: reset code",
        ],
    ),
    (
        "mail_reset_link",
        [
            "郵件：重設密碼連結",
            "邮件：重置密码链接",
            "Mail: reset link",
        ],
    ),
    (
        "mail_password_changed",
        [
            "郵件：密碼已變更",
            "邮件：密码已更改",
            "Mail: password changed",
        ],
    ),
    (
        "mail_already_registered",
        [
            "郵件：已經註冊過",
            "邮件：已经注册过",
            "Mail: already registered",
        ],
    ),
    (
        "mail_address_code",
        [
            "郵件：新地址驗證碼",
            "邮件：新邮箱验证码",
            "Mail: code for a new address",
        ],
    ),
    (
        "mail_address_in_use",
        [
            "郵件：地址已有帳號",
            "邮件：邮箱已有账号",
            "Mail: address in use",
        ],
    ),
    (
        "mail_address_changed",
        [
            "郵件：地址已變更",
            "邮件：邮箱已修改",
            "Mail: address changed",
        ],
    ),
    (
        "mail_account_deleted",
        [
            "郵件：帳號已刪除",
            "邮件：账号已删除",
            "Mail: account deleted",
        ],
    ),
    (
        "mail_test",
        ["郵件：測試信", "邮件：测试邮件", "Mail: test"],
    ),
    (
        "mail_message",
        [
            "郵件：其他程式的信",
            "邮件：其他程序的邮件",
            "Mail: of another program",
        ],
    ),
    (
        "ask_for_mail",
        [
            "要求寄驗證碼或連結",
            "请求发送验证码或链接",
            "Asked for a code or a link",
        ],
    ),
    (
        "verify_code",
        ["輸入驗證碼", "输入验证码", "Entered a code"],
    ),
    ("register", ["註冊", "注册", "Registered"]),
    ("login", ["登入", "登录", "Login"]),
    ("logout", ["登出", "登出", "Logout"]),
    (
        "change_email",
        [
            "要求更改地址",
            "请求更改邮箱",
            "Asked to change the address",
        ],
    ),
    (
        "confirm_email",
        ["更改地址", "更改邮箱", "Changed the address"],
    ),
    (
        "delete_account",
        ["刪除帳號", "删除账号", "Deleted the account"],
    ),
    (
        "update_profile",
        ["修改個人資料", "修改个人资料", "Changed the profile"],
    ),
    (
        "change_password",
        ["變更密碼", "更改密码", "Changed the password"],
    ),
    (
        "reset_password",
        ["重設密碼", "重置密码", "Reset the password"],
    ),
    (
        "revoke_session",
        ["結束一個登入階段", "结束一个登录会话", "Ended a session"],
    ),
    (
        "revoke_other_sessions",
        [
            "結束其他登入階段",
            "结束其他登录会话",
            "Ended the other sessions",
        ],
    ),
    (
        "test_mail",
        ["寄出測試信", "发送测试邮件", "Sent a test mail"],
    ),
    (
        "mail_ordered",
        ["程式委託寄信", "程序委托发信", "A program ordered a mail"],
    ),
    ("mail_sent", ["郵件已寄出", "邮件已发出", "A mail was sent"]),
    (
        "mail_dead",
        ["郵件寄送失敗", "邮件发送失败", "A mail could not be sent"],
    ),
    (
        "mail_expired",
        ["郵件過期未寄", "邮件过期未发", "A mail lapsed unsent"],
    ),
    (
        "mail_discarded",
        ["郵件已捨棄", "邮件已丢弃", "A mail was discarded"],
    ),
    (
        "mail_uncertain",
        [
            "不確定郵件是否寄達",
            "不确定邮件是否送达",
            "A mail may have arrived",
        ],
    ),
    ("user_lock", ["鎖定帳號", "锁定账号", "Locked the account"]),
    (
        "user_unlock",
        ["解除鎖定", "解除锁定", "Unlocked the account"],
    ),
    (
        "user_send_reset",
        ["寄出重設密碼連結", "发送重置密码链接", "Sent a reset link"],
    ),
    (
        "user_end_sessions",
        ["結束所有登入階段", "结束所有登录会话", "Ended all sessions"],
    ),
    (
        "session_end",
        ["結束一個登入階段", "结束一个登录会话", "Ended a session"],
    ),
    (
        "token_revoke",
        [
            "撤銷驗證碼或連結",
            "撤销验证码或链接",
            "Revoked a code or a link",
        ],
    ),
    (
        "token_reveal",
        [
            "揭示驗證碼或連結",
            "揭示验证码或链接",
            "Revealed a code or a link",
        ],
    ),
];

/// What the word means; the word itself where it is not known here.
pub(super) fn title(word: &str, language: Language) -> String {
    let known = TITLES.iter().find(|(known, _)| *known == word);
    let of = Language::ALL.iter().position(|one| *one == language);
    let title = known.zip(of).map(|((_, titles), of)| titles[of]);
    title.unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::overview::TokenKind;
    use crate::mail::Kind;

    #[test]
    fn kinds_of_mails_and_tokens_have_words_in_every_language() {
        let mails = Kind::ALL.map(|kind| format!("mail_{kind}"));
        let tokens = TokenKind::ALL.map(|kind| kind.word().to_owned());
        for word in mails.iter().chain(&tokens) {
            for language in Language::ALL {
                assert_ne!(title(word, language), *word);
            }
        }
        assert_eq!(title("login", Language::ZhHant), "登入");
        assert_eq!(title("else", Language::En), "else");
    }
}
