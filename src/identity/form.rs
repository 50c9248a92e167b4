//! What people send, as raw text, and its parsing: all fields are looked at before any is
//! complained about. Nothing here knows what happens to a form once it is parsed.

use crate::address::EmailAddress;
use crate::language::Language;
use crate::secret::Code;
use crate::secret::CodeStyle;
use crate::secret::SecretText;
use crate::text::hides;
use crate::text::is_visible;
use crate::text::shapes;

use super::error::Error;
use super::error::FieldError;

/// What a code, and the token that it is exchanged for, are good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// Making an account.
    Register,
    /// Getting back into one.
    ResetPassword,
}

impl Purpose {
    /// The word on the wire: `register` or `reset_password`.
    pub const fn word(self) -> &'static str {
        match self {
            Purpose::Register => "register",
            Purpose::ResetPassword => "reset_password",
        }
    }
}

/// Asks for a code by mail.
#[derive(Debug, Clone, Default)]
pub struct SendCode {
    /// Where to.
    pub email: String,
    /// `register` or `reset_password`.
    pub verification_type: String,
    /// The mail's language; the account's or the installation's when absent.
    pub language: Option<String>,
    /// `digits` (six) or `letters` (eight); what the installation prefers when absent.
    pub style: Option<String>,
}

/// Exchanges a code for a verification token.
#[derive(Debug, Clone, Default)]
pub struct VerifyCode {
    /// The address that the code was sent to.
    pub email: String,
    /// `register` or `reset_password`.
    pub verification_type: String,
    /// The code, as typed.
    pub code: SecretText,
}

/// Makes an account.
#[derive(Debug, Clone, Default)]
pub struct Register {
    /// The address that the token vouches for.
    pub email: String,
    /// The password wished for.
    pub password: SecretText,
    /// From [`VerifyCode`].
    pub verification_token: SecretText,
    /// How the person wants to be called.
    pub display_name: Option<String>,
    /// The language of their mails.
    pub language: Option<String>,
}

/// Logs in.
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// The account's address.
    pub email: String,
    /// Its password.
    pub password: SecretText,
}

/// Changes to one's own profile; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct Profile {
    /// How the person wants to be called; empty takes the name away.
    pub display_name: Option<String>,
    /// The language of their mails.
    pub language: Option<String>,
}

/// Sets a new password by knowing the old one.
#[derive(Debug, Clone, Default)]
pub struct ChangePassword {
    /// The password until now.
    pub current_password: SecretText,
    /// The password from now on.
    pub new_password: SecretText,
}

/// Asks for a code by mail to the address that the account is to have.
#[derive(Debug, Clone, Default)]
pub struct ChangeEmail {
    /// The address from now on.
    pub new_email: String,
    /// The account's password.
    pub current_password: SecretText,
    /// The mail's language; the account's when absent.
    pub language: Option<String>,
}

/// Changes the address by the code that was mailed to the new one.
#[derive(Debug, Clone, Default)]
pub struct ConfirmEmail {
    /// The address from now on.
    pub new_email: String,
    /// The code, as typed.
    pub code: SecretText,
}

/// Deletes one's own account.
#[derive(Debug, Clone, Default)]
pub struct DeleteAccount {
    /// The account's password.
    pub current_password: SecretText,
}

/// Asks for a reset link by mail.
#[derive(Debug, Clone, Default)]
pub struct RequestReset {
    /// The account's address.
    pub email: String,
    /// The mail's language; the account's or the installation's when absent.
    pub language: Option<String>,
}

/// Sets a new password by a link (`uid` and `token`) or by a code (`email` and
/// `verification_token`).
#[derive(Debug, Clone, Default)]
pub struct ConfirmReset {
    /// Of the link: whose account.
    pub uid: Option<String>,
    /// Of the link: the proof.
    pub token: Option<SecretText>,
    /// The address that the verification token vouches for.
    pub email: Option<String>,
    /// From [`VerifyCode`].
    pub verification_token: Option<SecretText>,
    /// The password from now on.
    pub new_password: SecretText,
}

/// Collects what is wrong with a form while its fields are parsed.
#[derive(Default)]
pub(super) struct Fields {
    errors: Vec<FieldError>,
}

/// The longest display name, in characters.
const NAME_CHARS: usize = 100;

impl Fields {
    pub(super) fn refuse(
        &mut self,
        field: &'static str,
        code: &'static str,
        message: impl Into<String>,
    ) {
        self.errors.push(FieldError {
            field,
            code,
            message: message.into(),
        });
    }

    /// `value`, unless something was refused meanwhile or it is absent because it was.
    pub(super) fn finish<T>(self, value: Option<T>) -> Result<T, Error> {
        match value {
            Some(value) if self.errors.is_empty() => Ok(value),
            _ => Err(Error::Invalid(self.errors)),
        }
    }

    pub(super) fn email(&mut self, text: &str) -> Option<EmailAddress> {
        self.address("email", text)
    }

    pub(super) fn address(&mut self, field: &'static str, text: &str) -> Option<EmailAddress> {
        match text.parse() {
            Ok(address) => Some(address),
            Err(error) => {
                let empty = error == crate::address::MalformedAddress::Empty;
                let code = if empty { "required" } else { "malformed" };
                self.refuse(field, code, error.to_string());
                None
            }
        }
    }

    pub(super) fn purpose(&mut self, text: &str) -> Option<Purpose> {
        match text {
            "register" => Some(Purpose::Register),
            "reset_password" => Some(Purpose::ResetPassword),
            "" => {
                self.refuse("verification_type", "required", "say what the code is for");
                None
            }
            _ => {
                let message = "use register or reset_password";
                self.refuse("verification_type", "unknown", message);
                None
            }
        }
    }

    /// `Some(None)` when the field is absent, `None` when it is wrong.
    pub(super) fn language(&mut self, text: Option<&str>) -> Option<Option<Language>> {
        match text.map(str::parse) {
            None => Some(None),
            Some(Ok(language)) => Some(Some(language)),
            Some(Err(_)) => {
                let message = "use zh-hant, zh-hans or en";
                self.refuse("language", "unknown", message);
                None
            }
        }
    }

    pub(super) fn style(&mut self, text: Option<&str>, usual: CodeStyle) -> Option<CodeStyle> {
        match text {
            None => Some(usual),
            Some("digits") => Some(CodeStyle::Digits),
            Some("letters") => Some(CodeStyle::Letters),
            Some(_) => {
                self.refuse("style", "unknown", "use digits or letters");
                None
            }
        }
    }

    pub(super) fn code(&mut self, text: &SecretText) -> Option<Code> {
        let code = Code::typed(text.expose());
        if code.is_none() {
            let empty = text.expose().trim().is_empty();
            let word = if empty { "required" } else { "malformed" };
            self.refuse("code", word, "a code has six digits or eight letters");
        }
        code
    }

    pub(super) fn token(&mut self, field: &'static str, text: &SecretText) -> Option<SecretText> {
        let trimmed = text.expose().trim();
        if trimmed.is_empty() {
            self.refuse(field, "required", "it is missing");
            return None;
        }
        if trimmed.len() > 200 {
            self.refuse(
                field,
                "malformed",
                "it is longer than any that was given out",
            );
            return None;
        }
        Some(SecretText::from(trimmed.to_owned()))
    }

    /// `Some(None)` when absent, empty or of nothing that anybody sees, `None` when it is wrong.
    pub(super) fn display_name(&mut self, text: Option<&str>) -> Option<Option<String>> {
        let Some(name) = text.map(str::trim).filter(|name| is_visible(name)) else {
            return Some(None);
        };
        if name.chars().take(NAME_CHARS + 1).count() > NAME_CHARS {
            let message = format!("at most {NAME_CHARS} characters");
            self.refuse("display_name", "too_long", message);
            return None;
        }
        // It is shown to other people.
        if name.chars().any(|c| hides(c) && !shapes(c)) {
            let message = "it holds a character that is not seen or reorders text";
            self.refuse("display_name", "malformed", message);
            return None;
        }
        Some(Some(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_fields_are_looked_at_before_any_is_complained_about() {
        let mut fields = Fields::default();
        fields.email("ann");
        fields.purpose("");
        fields.language(Some("fr"));
        fields.style(Some("emoji"), CodeStyle::Digits);
        fields.code(&"12".to_owned().into());
        fields.display_name(Some("a\u{202e}b"));
        let Err(Error::Invalid(errors)) = fields.finish(Some(())) else {
            panic!("nothing was refused");
        };
        let named: Vec<_> = errors.iter().map(|e| (e.field, e.code)).collect();
        assert_eq!(
            named,
            [
                ("email", "malformed"),
                ("verification_type", "required"),
                ("language", "unknown"),
                ("style", "unknown"),
                ("code", "malformed"),
                ("display_name", "malformed"),
            ]
        );
    }

    #[test]
    fn a_name_is_what_it_looks_like() {
        let mut fields = Fields::default();
        for blank in [
            "\u{61c}",
            "\u{200d}",
            "\u{3164}",
            "\u{ad}",
            "\u{2800} \u{2800}",
        ] {
            assert_eq!(fields.display_name(Some(blank)), Some(None), "{blank:?}");
        }
        for odd in [
            "Ann\u{3164}",
            "A\u{ad}nn",
            "Ann\u{61c}",
            "\u{2800}Ann",
            "a\nb",
        ] {
            assert_eq!(fields.display_name(Some(odd)), None, "{odd:?}");
        }
        for name in [
            "👩\u{200d}👧",
            "علی\u{200c}رضا",
            "葛\u{e0100}城",
            "❤\u{fe0f}",
        ] {
            let read = fields.display_name(Some(name));
            assert_eq!(read, Some(Some(name.to_owned())), "{name:?}");
        }
    }

    #[test]
    fn a_name_is_trimmed_and_counted_in_characters() {
        let mut fields = Fields::default();
        assert_eq!(
            fields.display_name(Some("  小明 ")),
            Some(Some("小明".into()))
        );
        assert_eq!(fields.display_name(Some("  ")), Some(None));
        assert!(fields.display_name(Some(&"字".repeat(100))).is_some());
        assert!(fields.display_name(Some(&"字".repeat(101))).is_none());
    }
}
