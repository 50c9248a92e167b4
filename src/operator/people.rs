//! What the operator does to accounts, sessions, codes and links; and the one way in which a secret
//! is told, in development alone. What that means for an account is known to identity.

use super::By;
use super::Operator;
use crate::identity;
use crate::identity::SessionId;
use crate::identity::UserId;
use crate::identity::overview::TokenFilter;
use crate::identity::overview::TokenKind;
use crate::identity::overview::TokenName;
use crate::identity::overview::TokenRecord;
use crate::identity::overview::TokenSort;
use crate::identity::overview::UserRecord;
use crate::inbox;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::store;
use crate::store::Read;
use crate::store::page::Ask;
use crate::store::page::Page;
use crate::store::page::PageError;

/// What is done to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserAction {
    /// Nobody is let in, and all sessions end.
    Lock,
    /// Its owner is let in again.
    Unlock,
    /// Its owner is mailed a link for a new password.
    SendReset,
    /// All its sessions end.
    EndSessions,
}

impl UserAction {
    /// Its stable word in the audit record.
    pub const fn word(self) -> &'static str {
        match self {
            UserAction::Lock => "user_lock",
            UserAction::Unlock => "user_unlock",
            UserAction::SendReset => "user_send_reset",
            UserAction::EndSessions => "user_end_sessions",
        }
    }
}

/// Why a secret is not told.
#[derive(Debug, thiserror::Error)]
pub enum RevealError {
    /// It cannot be, or must not.
    #[error("{0}")]
    NotRevealable(&'static str),
    /// There is no such token, or the store failed.
    #[error(transparent)]
    Identity(#[from] identity::Error),
}

impl From<store::Error> for RevealError {
    fn from(error: store::Error) -> RevealError {
        RevealError::Identity(error.into())
    }
}

/// A token, and whether its secret can be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The token.
    pub token: TokenRecord,
    /// Whether.
    pub revealable: bool,
}

/// How many captured mails to one address are looked through for the one that carries a secret.
const LOOKED_THROUGH: usize = 1000;

impl Operator {
    /// Does `action` to an account, by the hands of `by`. Answers how it stands after it.
    ///
    /// # Errors
    /// `NotFound`; for a link also `Limited` and `Mail`; `Store`.
    pub async fn act_on_user(
        &self,
        id: UserId,
        action: UserAction,
        by: &By,
    ) -> Result<UserRecord, identity::Error> {
        let entry = self.entry(action.word(), &id.to_string(), by);
        let accounts = &self.accounts;
        match action {
            UserAction::Lock => accounts.lock(id, entry).await,
            UserAction::Unlock => accounts.unlock(id, entry).await,
            UserAction::EndSessions => accounts.end_sessions_of(id, entry).await,
            UserAction::SendReset => {
                accounts.send_reset(id, entry).await?;
                accounts.user_record(id).await
            }
        }
    }

    /// Ends somebody's session, by the hands of `by`.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn end_session(&self, id: SessionId, by: &By) -> Result<(), identity::Error> {
        let entry = self.entry("session_end", &id.to_string(), by);
        self.accounts.end_session(id, entry).await
    }

    /// Makes a code, a link or a verification token good for nothing, by the hands of `by`.
    ///
    /// # Errors
    /// `NotFound`, `Store`.
    pub async fn revoke_token(&self, name: TokenName, by: &By) -> Result<(), identity::Error> {
        let entry = self.entry("token_revoke", &name.to_string(), by);
        self.accounts.revoke_token(name, entry).await
    }

    /// A page of all codes, links and verification tokens.
    ///
    /// # Errors
    /// Too many to be sorted, or the store.
    pub async fn list_tokens(
        &self,
        filter: TokenFilter,
        sort: TokenSort,
        ask: Ask,
    ) -> Result<Page<Told>, PageError> {
        let page = self.accounts.list_tokens(filter, sort, ask).await?;
        let items = page.items;
        let reveals = self.reveals;
        let told = self.store.read(|read| {
            let told = items.into_iter().map(|token| {
                let revealable = reveals && is_there(read, &token)?;
                Ok::<_, store::Error>(Told { token, revealable })
            });
            told.collect::<Result<Vec<_>, _>>()
        });
        Ok(Page {
            items: told.await?,
            next: page.next,
            prev: page.prev,
            total: page.total,
        })
    }

    /// Tells the secret of a code or a link, in development, to `by`. It is on record before it is
    /// told.
    ///
    /// # Errors
    /// `NotFound`; it is told nowhere but in development, or its mail is not there; the store.
    pub async fn reveal_token(&self, name: TokenName, by: &By) -> Result<String, RevealError> {
        let token = self.accounts.token(name.clone()).await?;
        if !self.reveals {
            return Err(RevealError::NotRevealable(
                "Codes and links are told by gatepost dev alone.",
            ));
        }
        if matches!(
            token.kind,
            TokenKind::RegistrationToken | TokenKind::ResetToken
        ) {
            return Err(RevealError::NotRevealable(
                "Of a verification token only the hash is kept.",
            ));
        }
        let gone = RevealError::NotRevealable("The mail that carries it is not there.");
        let Some(mail) = token.mail else {
            return Err(gone);
        };
        let candidates = self.secrets_in(mail).await?;
        let entry = self.entry("token_reveal", &name.to_string(), by);
        let found = self.accounts.reveal_token(name, candidates, entry).await?;
        found.ok_or(gone)
    }

    /// What may be a secret in a mail of the outbox: in its sealed body while it waits, in the
    /// captured mail afterwards.
    async fn secrets_in(&self, id: OutboxId) -> Result<Vec<String>, store::Error> {
        let (row, sealed) = self
            .store
            .read(|read| Ok::<_, store::Error>((outbox::get(read, id)?, outbox::body(read, id)?)))
            .await?;
        let sealed = sealed.map(|sealed| self.mailer.secrets(id, &sealed));
        let mut secrets = sealed.unwrap_or_default();
        let Some(row) = row.filter(|_| secrets.is_empty()) else {
            return Ok(secrets);
        };
        let filter = inbox::Filter {
            to: Some(row.to.to_string()),
            ..inbox::Filter::default()
        };
        let own = row.message_id.trim_matches(['<', '>']);
        let page = self.inbox.list(filter, None, LOOKED_THROUGH).await?;
        let mut captured = page.items.into_iter();
        let captured = captured.find(|mail| mail.message_id.as_deref() == Some(own));
        if let Some(captured) = captured
            && let Some(message) = self.inbox.get(captured.id).await?
        {
            secrets.extend(message.codes);
            secrets.extend(message.links);
        }
        Ok(secrets)
    }
}

/// Whether the mail of a code or a link is there, as far as can be told without reading it.
fn is_there(read: &impl Read, token: &TokenRecord) -> Result<bool, store::Error> {
    let Some(mail) = token.mail else {
        return Ok(false);
    };
    let row = outbox::get(read, mail)?;
    // To somebody who has an account and asks for a registration code none is mailed.
    let carries = |row: &outbox::Row| row.kind.word() == token.kind.word() && row.shelved.is_none();
    Ok(row.as_ref().is_some_and(carries))
}
