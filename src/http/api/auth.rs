//! Signing up with a code by mail, logging in, and getting back in.

use poem::Request;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::http::api::Group;
use crate::http::api::profile::User;
use crate::http::body::Form;
use crate::http::caller;
use crate::http::caller::SessionToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::reply;
use crate::identity;
use crate::identity::Accounts;

/// Asks for a code by mail.
#[derive(Object)]
#[oai(example)]
pub struct SendVerificationCode {
    /// Where to.
    email: String,
    /// What the code is for: `register` or `reset_password`.
    verification_type: String,
    /// The language of the mail: `zh-hant`, `zh-hans` or `en`.
    language: Option<String>,
    /// `digits` (six) or `letters` (eight).
    style: Option<String>,
}

/// Exchanges a code for a verification token.
#[derive(Object)]
#[oai(example)]
pub struct VerifyCode {
    /// The address that the code was sent to.
    email: String,
    /// As in `send_verification_code`.
    verification_type: String,
    /// The code, as it was typed.
    code: String,
}

/// Makes an account.
#[derive(Object)]
#[oai(example)]
pub struct Register {
    /// The address that the token vouches for.
    email: String,
    /// The password.
    password: String,
    /// From `verify_code`.
    verification_token: String,
    /// How the person wants to be called.
    display_name: Option<String>,
    /// The language of their mails: `zh-hant`, `zh-hans` or `en`.
    language: Option<String>,
}

/// Logs in.
#[derive(Object)]
#[oai(example)]
pub struct Login {
    /// The account's address.
    email: String,
    /// Its password.
    password: String,
}

/// Asks for a reset link by mail.
#[derive(Object)]
#[oai(example)]
pub struct PasswordReset {
    /// The account's address.
    email: String,
    /// The language of the mail: `zh-hant`, `zh-hans` or `en`.
    language: Option<String>,
}

/// Sets a new password: by a link (`uid` and `token`) or by a code (`email` and
/// `verification_token`).
#[derive(Object)]
#[oai(example)]
pub struct PasswordResetConfirm {
    /// Of the link: whose account.
    uid: Option<String>,
    /// Of the link: the proof.
    token: Option<String>,
    /// The address that the verification token vouches for.
    email: Option<String>,
    /// From `verify_code`.
    verification_token: Option<String>,
    /// The new password.
    new_password: String,
}

/// What happens next after asking for a mail. The same for every address, known or not.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct Sent {
    /// The flow that the code or link belongs to.
    flow_id: String,
    /// When it lapses (RFC 3339).
    expires_at: String,
    /// When another one may be asked for (RFC 3339).
    resend_at: String,
    /// How many wrong codes the flow takes.
    attempts_left: u32,
}

/// A right code's reward.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct Verified {
    /// Good once, for what the code was for.
    verification_token: String,
    /// When it lapses (RFC 3339).
    expires_at: String,
}

/// A session that was just begun: the only time that its token is seen.
#[derive(Debug, Object, Serialize)]
pub struct NewSession {
    /// Send it as `Authorization: Bearer …`.
    token: String,
    /// When it ends if it is not used (RFC 3339).
    expires_at: String,
}

/// Somebody who is logged in now.
#[derive(Debug, Object, Serialize)]
#[oai(example)]
pub struct LoggedIn {
    /// Who.
    user: User,
    /// By what.
    session: NewSession,
}

impl From<(identity::User, identity::NewSession)> for LoggedIn {
    fn from((user, session): (identity::User, identity::NewSession)) -> LoggedIn {
        LoggedIn {
            user: user.into(),
            session: NewSession {
                token: session.token.expose().to_owned(),
                expires_at: session.expires_at.to_string(),
            },
        }
    }
}

impl From<identity::Sent> for Sent {
    fn from(sent: identity::Sent) -> Sent {
        Sent {
            flow_id: sent.flow_id.to_string(),
            expires_at: sent.expires_at.to_string(),
            resend_at: sent.resend_at.to_string(),
            attempts_left: sent.attempts_left,
        }
    }
}

problems! {
    /// Of what sends a mail.
    SendProblems: TooManyRequests, Unavailable
}
problems! {
    /// Of checking a code.
    VerifyProblems: CodeRefused, TooManyRequests, Unavailable
}
problems! {
    /// Of making an account.
    RegisterProblems: TokenRefused, AddressTaken, TooManyRequests, Busy, Unavailable
}
problems! {
    /// Of logging in.
    LoginProblems: CredentialsRefused, TooManyRequests, Busy, Unavailable
}
problems! {
    /// Of logging out.
    LogoutProblems: Unauthenticated, Unavailable
}
problems! {
    /// Of setting a new password without the old one.
    ConfirmProblems: TokenRefused, LinkRefused, Busy, Unavailable
}

/// Operations without a session, and the end of one.
pub struct AuthApi {
    /// The accounts.
    pub accounts: Accounts,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

#[OpenApi(prefix_path = "/api/v1/auth", tag = "Group::Auth")]
impl AuthApi {
    /// Ask for a code by mail.
    ///
    /// To sign up (`register`) or to choose a new password (`reset_password`). The answer is the
    /// same for every address; what the mail says is not.
    #[oai(
        path = "/send_verification_code",
        method = "post",
        operation_id = "send_verification_code"
    )]
    async fn send_verification_code(
        &self,
        request: &Request,
        form: Form<SendVerificationCode>,
    ) -> Result<reply::Accepted<Sent>, Refused<SendProblems>> {
        let form = identity::SendCode {
            email: form.0.email,
            verification_type: form.0.verification_type,
            language: form.0.language,
            style: form.0.style,
        };
        let sent = self.accounts.send_code(&self.client(request), form).await?;
        Ok(reply::Accepted(sent.into()))
    }

    /// Exchange a code for a verification token.
    #[oai(path = "/verify_code", method = "post", operation_id = "verify_code")]
    async fn verify_code(
        &self,
        request: &Request,
        form: Form<VerifyCode>,
    ) -> Result<reply::Reply<Verified>, Refused<VerifyProblems>> {
        let form = identity::VerifyCode {
            email: form.0.email,
            verification_type: form.0.verification_type,
            code: form.0.code.into(),
        };
        let verified = self
            .accounts
            .verify_code(&self.client(request), form)
            .await?;
        Ok(reply::Reply(Verified {
            verification_token: verified.verification_token.expose().to_owned(),
            expires_at: verified.expires_at.to_string(),
        }))
    }

    /// Make an account.
    ///
    /// With the verification token of its address; it begins a session as well.
    #[oai(path = "/register", method = "post", operation_id = "register")]
    async fn register(
        &self,
        request: &Request,
        form: Form<Register>,
    ) -> Result<reply::Created<LoggedIn>, Refused<RegisterProblems>> {
        let form = identity::Register {
            email: form.0.email,
            password: form.0.password.into(),
            verification_token: form.0.verification_token.into(),
            display_name: form.0.display_name,
            language: form.0.language,
        };
        let made = self.accounts.register(&self.client(request), form).await?;
        Ok(reply::Created(made.into()))
    }

    /// Log in.
    #[oai(path = "/login", method = "post", operation_id = "login")]
    async fn login(
        &self,
        request: &Request,
        form: Form<Login>,
    ) -> Result<reply::Reply<LoggedIn>, Refused<LoginProblems>> {
        let form = identity::Login {
            email: form.0.email,
            password: form.0.password.into(),
        };
        let begun = self.accounts.login(&self.client(request), form).await?;
        Ok(reply::Reply(begun.into()))
    }

    /// Log out.
    ///
    /// Ends the session that asks.
    #[oai(path = "/logout", method = "post", operation_id = "logout")]
    async fn logout(
        &self,
        request: &Request,
        token: SessionToken,
    ) -> Result<reply::NoContent, Refused<LogoutProblems>> {
        let client = self.client(request);
        let who = self
            .accounts
            .authenticate_from(client.ip, token.required()?)
            .await?;
        self.accounts.logout(&client, &who).await?;
        Ok(reply::NoContent)
    }

    /// Ask for a reset link by mail.
    ///
    /// The answer is the same for every address; a mail goes out only when there is an account.
    #[oai(
        path = "/password_reset",
        method = "post",
        operation_id = "request_password_reset"
    )]
    async fn password_reset(
        &self,
        request: &Request,
        form: Form<PasswordReset>,
    ) -> Result<reply::Accepted<Sent>, Refused<SendProblems>> {
        let form = identity::RequestReset {
            email: form.0.email,
            language: form.0.language,
        };
        let sent = self
            .accounts
            .request_reset(&self.client(request), form)
            .await?;
        Ok(reply::Accepted(sent.into()))
    }

    /// Set a new password by a link or a code.
    ///
    /// Send `uid` and `token` from the link, or `email` and `verification_token` from
    /// `verify_code`. All sessions end, a notice is mailed, and nobody is logged in by it.
    #[oai(
        path = "/password_reset/confirm",
        method = "post",
        operation_id = "confirm_password_reset"
    )]
    async fn confirm(
        &self,
        request: &Request,
        form: Form<PasswordResetConfirm>,
    ) -> Result<reply::NoContent, Refused<ConfirmProblems>> {
        let form = identity::ConfirmReset {
            uid: form.0.uid,
            token: form.0.token.map(Into::into),
            email: form.0.email,
            verification_token: form.0.verification_token.map(Into::into),
            new_password: form.0.new_password.into(),
        };
        self.accounts
            .confirm_reset(&self.client(request), form)
            .await?;
        Ok(reply::NoContent)
    }

    fn client(&self, request: &Request) -> identity::Client {
        caller::client(request, self.trusted_proxies)
    }
}

fn text(text: &str) -> String {
    text.to_owned()
}

const TOKEN: &str = "gpv_x2Zb0XoQm1Yt6t8y0c9vQwJfQmB2s3Yp7kq1dJ5n4aE";

impl Example for SendVerificationCode {
    fn example() -> SendVerificationCode {
        SendVerificationCode {
            email: text("ann@example.org"),
            verification_type: text("register"),
            language: Some(text("en")),
            style: None,
        }
    }
}

impl Example for VerifyCode {
    fn example() -> VerifyCode {
        VerifyCode {
            email: text("ann@example.org"),
            verification_type: text("register"),
            code: text("482913"),
        }
    }
}

impl Example for Register {
    fn example() -> Register {
        Register {
            email: text("ann@example.org"),
            password: text("correct horse battery staple"),
            verification_token: text(TOKEN),
            display_name: Some(text("Ann")),
            language: Some(text("en")),
        }
    }
}

impl Example for Login {
    fn example() -> Login {
        Login {
            email: text("ann@example.org"),
            password: text("correct horse battery staple"),
        }
    }
}

impl Example for PasswordReset {
    fn example() -> PasswordReset {
        PasswordReset {
            email: text("ann@example.org"),
            language: None,
        }
    }
}

impl Example for PasswordResetConfirm {
    fn example() -> PasswordResetConfirm {
        PasswordResetConfirm {
            uid: None,
            token: None,
            email: Some(text("ann@example.org")),
            verification_token: Some(text(TOKEN)),
            new_password: text("a wholly new passphrase"),
        }
    }
}

impl Example for Sent {
    fn example() -> Sent {
        Sent {
            flow_id: text("fl_01KDX0AB9MZ4T1W9GQ6Y3S5E7R"),
            expires_at: text("2026-01-01T00:10:00.000Z"),
            resend_at: text("2026-01-01T00:01:00.000Z"),
            attempts_left: 5,
        }
    }
}

impl Example for Verified {
    fn example() -> Verified {
        Verified {
            verification_token: text(TOKEN),
            expires_at: text("2026-01-01T00:15:00.000Z"),
        }
    }
}

impl Example for LoggedIn {
    fn example() -> LoggedIn {
        LoggedIn {
            user: User::example(),
            session: NewSession {
                token: text("gps_Jw3n8oQy5tC0aB1vX9zKq7LmR2sPd4Hf6UeGiTjYkZc"),
                expires_at: text("2026-01-15T00:00:00.000Z"),
            },
        }
    }
}
