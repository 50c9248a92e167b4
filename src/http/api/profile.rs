//! One's own account: who one is, the name, the language, the password.

use std::fmt::{Display, Write as _};

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::body::Form;
use crate::http::caller;
use crate::http::caller::SessionToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::identity;
use crate::identity::Accounts;

/// A person with an account.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct User {
    /// Who.
    id: String,
    /// Where their mail goes.
    email: String,
    /// How they want to be called.
    display_name: Option<String>,
    /// The language of their mails: `zh-hant`, `zh-hans` or `en`.
    language: String,
    /// When the account was made (RFC 3339).
    created_at: String,
}

impl From<identity::User> for User {
    fn from(user: identity::User) -> User {
        User {
            id: sized(user.id),
            email: user.email.into(),
            display_name: user.display_name,
            language: user.language.to_string(),
            created_at: sized(user.created_at),
        }
    }
}

/// `value` as a text that need not grow while it is written: a session is checked with every
/// request of other services.
fn sized(value: impl Display) -> String {
    let mut text = String::with_capacity(32);
    write!(text, "{value}").expect("a String takes whatever is written");
    text
}

/// Changes to one's profile; what is absent or null stays.
#[derive(Object)]
#[oai(example)]
pub struct ProfileChange {
    /// How one wants to be called; an empty text takes the name away.
    display_name: Option<String>,
    /// The language of one's mails: `zh-hant`, `zh-hans` or `en`.
    language: Option<String>,
}

/// A new password, by knowing the old one.
#[derive(Object)]
#[oai(example)]
pub struct PasswordChange {
    /// The password until now.
    current_password: String,
    /// The password from now on.
    new_password: String,
}

problems! {
    /// Of what only reads or writes the profile.
    ProfileProblems: Unauthenticated, Unavailable
}
problems! {
    /// Of changing the password.
    PasswordProblems: Unauthenticated, WrongPassword, TooManyRequests, Busy, Unavailable
}

/// The path of the check of a session, for the short cut in `front`.
pub const ME: &str = "/api/v1/auth/me";

/// The `operationId` of that check.
pub const GET_ME: &str = "get_me";

/// One's own account.
#[derive(Clone)]
pub struct ProfileApi {
    /// The accounts.
    pub accounts: Accounts,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Group::Auth")]
impl ProfileApi {
    /// Who am I.
    ///
    /// Checks the session.
    #[oai(path = "/me", method = "get", operation_id = "get_me")]
    async fn me(
        &self,
        token: SessionToken,
    ) -> Result<reply::Reply<User>, Refused<ProfileProblems>> {
        Ok(self.show(token.0.as_deref()).await?)
    }

    /// Change my profile.
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<ProfileChange>,
    ) -> Result<reply::Reply<User>, Refused<ProfileProblems>> {
        let client = caller::client(request, self.trusted_proxies);
        let who = self.accounts.authenticate(token.required()?).await?;
        let form = identity::Profile {
            display_name: form.0.display_name,
            language: form.0.language,
        };
        let user = self.accounts.update_profile(&client, &who, form).await?;
        Ok(reply::Reply(user.into()))
    }

    /// Change my password.
    ///
    /// All other sessions end; a notice is mailed.
    #[oai(
        path = "/change_password",
        method = "post",
        operation_id = "change_password"
    )]
    async fn change_password(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<PasswordChange>,
    ) -> Result<reply::NoContent, Refused<PasswordProblems>> {
        let client = caller::client(request, self.trusted_proxies);
        let who = self.accounts.authenticate(token.required()?).await?;
        let form = identity::ChangePassword {
            current_password: form.0.current_password.into(),
            new_password: form.0.new_password.into(),
        };
        let changed = self.accounts.change_password(&client, &who, form).await;
        changed.map_err(|error| match error {
            // The session is good: 401 would tell the client to throw it away.
            identity::Error::CredentialsRefused => Problem::new(Kind::WrongPassword),
            error => error.into(),
        })?;
        Ok(reply::NoContent)
    }
}

impl ProfileApi {
    /// The account of whoever presents `token`.
    pub async fn show(&self, token: Option<&str>) -> Result<reply::Reply<User>, Problem> {
        let token = token.ok_or_else(|| Problem::new(Kind::Unauthenticated))?;
        let who = self.accounts.authenticate(token).await?;
        Ok(reply::Reply(who.user.into()))
    }
}

impl Example for User {
    fn example() -> User {
        User {
            id: "us_01KDX0A1B2C3D4E5F6G7H8J9KM".to_owned(),
            email: "ann@example.org".to_owned(),
            display_name: Some("Ann".to_owned()),
            language: "en".to_owned(),
            created_at: "2026-01-01T00:00:00.000Z".to_owned(),
        }
    }
}

impl Example for ProfileChange {
    fn example() -> ProfileChange {
        ProfileChange {
            display_name: Some("Ann Lee".to_owned()),
            language: Some("zh-hant".to_owned()),
        }
    }
}

impl Example for PasswordChange {
    fn example() -> PasswordChange {
        PasswordChange {
            current_password: "correct horse battery staple".to_owned(),
            new_password: "a wholly new passphrase".to_owned(),
        }
    }
}
