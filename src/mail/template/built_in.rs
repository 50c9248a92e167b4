//! The templates that the binary ships, each under the name that it has below `templates/`.

/// The three files of one mail.
macro_rules! mail {
    ($language:literal, $kind:literal) => {
        [
            mail!($language, $kind, ".subject.txt"),
            mail!($language, $kind, ".txt"),
            mail!($language, $kind, ".html"),
        ]
    };
    ($language:literal, $kind:literal, $part:literal) => {
        (
            concat!("mail/", $language, "/", $kind, $part),
            include_str!(concat!(
                "../../../templates/mail/",
                $language,
                "/",
                $kind,
                $part
            )),
        )
    };
}

macro_rules! language {
    ($language:literal) => {
        [
            mail!($language, "registration_code"),
            mail!($language, "reset_code"),
            mail!($language, "reset_link"),
            mail!($language, "password_changed"),
            mail!($language, "already_registered"),
            mail!($language, "address_code"),
            mail!($language, "address_in_use"),
            mail!($language, "address_changed"),
            mail!($language, "account_deleted"),
            mail!($language, "test"),
        ]
    };
}

/// What the HTML part of every mail extends.
pub const BASE: (&str, &str) = (
    "mail/base.html",
    include_str!("../../../templates/mail/base.html"),
);

const MAILS: [[[(&str, &str); 3]; 10]; 3] =
    [language!("zh-hant"), language!("zh-hans"), language!("en")];

/// Every template: its name and its source.
pub fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    std::iter::once(BASE).chain(MAILS.into_iter().flatten().flatten())
}
