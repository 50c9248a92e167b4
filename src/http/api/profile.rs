//! One's own account: who one is, the name, the language, the password.

use std::fmt::{Display, Write as _};

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::api::auth::Sent;
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

/// The address that one's account is to have.
#[derive(Object)]
#[oai(example)]
pub struct EmailChange {
    /// The address from now on.
    new_email: String,
    /// One's password.
    current_password: String,
    /// The language of the mail: `zh-hant`, `zh-hans` or `en`; one's own when absent.
    language: Option<String>,
}

/// The code that was mailed to the new address.
#[derive(Object)]
#[oai(example)]
pub struct EmailConfirmation {
    /// The address from now on.
    new_email: String,
    /// The code, as typed.
    code: String,
}

/// The end of one's account.
#[derive(Object)]
#[oai(example)]
pub struct AccountDeletion {
    /// One's password.
    current_password: String,
}

problems! {
    /// Of what only reads or writes the profile.
    ProfileProblems: Unauthenticated, Unavailable
}
problems! {
    /// Of changing the password.
    PasswordProblems: Unauthenticated, WrongPassword, TooManyRequests, Busy, Unavailable
}

problems! {
    /// Of changing the address.
    EmailProblems: Unauthenticated, CodeRefused, AddressTaken, TooManyRequests, Unavailable
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
        request: &Request,
        token: SessionToken,
    ) -> Result<reply::Reply<User>, Refused<ProfileProblems>> {
        Ok(self.show(request, token.0.as_deref()).await?)
    }

    /// Change my profile.
    #[oai(path = "/me", method = "patch", operation_id = "update_me")]
    async fn update(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<ProfileChange>,
    ) -> Result<reply::Reply<User>, Refused<ProfileProblems>> {
        let (client, who) = self.asks(request, &token).await?;
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
        let (client, who) = self.asks(request, &token).await?;
        let form = identity::ChangePassword {
            current_password: form.0.current_password.into(),
            new_password: form.0.new_password.into(),
        };
        let changed = self.accounts.change_password(&client, &who, form).await;
        changed.map_err(of_a_session)?;
        Ok(reply::NoContent)
    }

    /// Change my address.
    ///
    /// Mails a code to the new address. The answer is the same whether or not another account has
    /// it; whoever reads its mail is told.
    #[oai(path = "/change_email", method = "post", operation_id = "change_email")]
    async fn change_email(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<EmailChange>,
    ) -> Result<reply::Accepted<Sent>, Refused<PasswordProblems>> {
        let (client, who) = self.asks(request, &token).await?;
        let form = identity::ChangeEmail {
            new_email: form.0.new_email,
            current_password: form.0.current_password.into(),
            language: form.0.language,
        };
        let sent = self.accounts.request_email_change(&client, &who, form);
        Ok(reply::Accepted(sent.await.map_err(of_a_session)?.into()))
    }

    /// Confirm my new address.
    ///
    /// All other sessions end; the old address is told.
    #[oai(
        path = "/change_email/confirm",
        method = "post",
        operation_id = "confirm_email"
    )]
    async fn confirm_email(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<EmailConfirmation>,
    ) -> Result<reply::Reply<User>, Refused<EmailProblems>> {
        let (client, who) = self.asks(request, &token).await?;
        let form = identity::ConfirmEmail {
            new_email: form.0.new_email,
            code: form.0.code.into(),
        };
        let user = self.accounts.confirm_email_change(&client, &who, form);
        Ok(reply::Reply(user.await?.into()))
    }

    /// Delete my account.
    ///
    /// For good. All sessions end; the address is told and free again.
    #[oai(
        path = "/delete_account",
        method = "post",
        operation_id = "delete_account"
    )]
    async fn delete_account(
        &self,
        request: &Request,
        token: SessionToken,
        form: Form<AccountDeletion>,
    ) -> Result<reply::NoContent, Refused<PasswordProblems>> {
        let (client, who) = self.asks(request, &token).await?;
        let form = identity::DeleteAccount {
            current_password: form.0.current_password.into(),
        };
        let deleted = self.accounts.delete_account(&client, &who, form).await;
        deleted.map_err(of_a_session)?;
        Ok(reply::NoContent)
    }
}

/// The session is good where a password is wrong: 401 would tell the client to throw it away.
fn of_a_session(error: identity::Error) -> Problem {
    match error {
        identity::Error::CredentialsRefused => Problem::new(Kind::WrongPassword),
        error => error.into(),
    }
}

impl ProfileApi {
    /// Whoever asks with a session, and from where.
    async fn asks(
        &self,
        request: &Request,
        token: &SessionToken,
    ) -> Result<(identity::Client, identity::Authenticated), Problem> {
        let client = caller::client(request, self.trusted_proxies);
        let who = self
            .accounts
            .authenticate_from(client.ip, token.required()?);
        Ok((client, who.await?))
    }

    /// The account of whoever presents `token` with `request`.
    pub async fn show(
        &self,
        request: &Request,
        token: Option<&str>,
    ) -> Result<reply::Reply<User>, Problem> {
        let token = token.ok_or_else(|| Problem::new(Kind::Unauthenticated))?;
        let ip = caller::address(request, self.trusted_proxies);
        let who = self.accounts.authenticate_from(ip, token).await?;
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

impl Example for EmailChange {
    fn example() -> EmailChange {
        EmailChange {
            new_email: "ann.lee@example.org".to_owned(),
            current_password: "correct horse battery staple".to_owned(),
            language: None,
        }
    }
}

impl Example for EmailConfirmation {
    fn example() -> EmailConfirmation {
        EmailConfirmation {
            new_email: "ann.lee@example.org".to_owned(),
            code: "482913".to_owned(),
        }
    }
}

impl Example for AccountDeletion {
    fn example() -> AccountDeletion {
        AccountDeletion {
            current_password: "correct horse battery staple".to_owned(),
        }
    }
}
