//! Getting back into an account: the reset link, and choosing a new password by link, by code or
//! by knowing the old one. A reset never logs anybody in, and a request for one locks nothing.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::mail::Letter;
use crate::mail::Occasion;
use crate::mail::OutboxId;
use crate::mail::outbox;
use crate::secret::Token;
use crate::secret::TokenHash;
use crate::secret::TokenKind;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;
use crate::world::World;

use super::Accounts;
use super::Client;
use super::Settings;
use super::code;
use super::error::Error;
use super::flow::Wanted;
use super::form::ChangePassword;
use super::form::ConfirmReset;
use super::form::Fields;
use super::form::Purpose;
use super::form::RequestReset;
use super::limits;
use super::limits::Rule;
use super::limits::Subject;
use super::lives;
use super::login::Claimed;
use super::login::Proven;
use super::login::forgive;
use super::request::Ask;
use super::request::Sent;
use super::session;
use super::session::Authenticated;
use super::sweep;
use super::user;
use super::user::Account;
use super::user::UserId;

/// What a link proves: that somebody reads the mail of this account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Link {
    #[serde(rename = "u")]
    pub(super) user: UserId,
    #[serde(rename = "e")]
    pub(super) epoch: u64,
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    /// Where it was mailed to, or would have been.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<EmailAddress>,
    /// The mail that carries it.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) mail: Option<OutboxId>,
}

pub(super) const LINKS: Table<TokenHash, Link> = Table::new("identity.link");

/// A link to be mailed.
pub(super) struct Draft {
    user: UserId,
    token: Token,
}

impl Draft {
    /// A link for `user`; for nobody, one that looks just like it.
    pub(super) fn draw(world: &World, user: Option<UserId>) -> Draft {
        let nobody = UserId::draw(world);
        Draft {
            user: user.unwrap_or(nobody),
            token: Token::draw(world, TokenKind::ResetLink),
        }
    }

    /// Its address, built from the settings and never from a request's Host (OWASP).
    pub(super) fn url(&self, base: &str) -> String {
        let uid = URL_SAFE_NO_PAD.encode(self.user.to_bytes());
        format!("{base}/users/reset/{uid}/{}/", self.token.expose())
    }

    pub(super) fn put(
        &self,
        tx: &mut Tx<'_>,
        epoch: u64,
        letter: &Letter,
        now: Timestamp,
        lifetime: Duration,
    ) {
        let hash = self.token.hash();
        let link = Link {
            user: self.user,
            epoch,
            at: now,
            to: Some(letter.to.clone()),
            mail: Some(letter.id),
        };
        tx.put(&LINKS, &hash, &link);
        sweep::note(tx, now + lifetime, &sweep::Doomed::Link(hash));
    }
}

pub(super) fn sweep_link(
    tx: &mut Tx<'_>,
    hash: &TokenHash,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<Timestamp>, store::Error> {
    let Some(link) = tx.get(&LINKS, hash)? else {
        return Ok(None);
    };
    let lapses = link.at + settings.codes.link_lifetime;
    if lapses <= now {
        tx.delete(&LINKS, hash);
        return Ok(None);
    }
    Ok(Some(lapses))
}

/// By what somebody wants back in.
enum Way {
    Link {
        user: UserId,
        hash: TokenHash,
    },
    Code {
        address: LookupAddress,
        hash: TokenHash,
    },
}

impl Way {
    const fn word(&self) -> &'static str {
        match self {
            Way::Link { .. } => "by link",
            Way::Code { .. } => "by code",
        }
    }

    /// Whose account it leads to, if it is still good; it is not used up by looking.
    fn account(
        &self,
        read: &impl Read,
        settings: &Settings,
        now: Timestamp,
    ) -> Result<(UserId, Account), Error> {
        match self {
            Way::Link { user, hash } => {
                let link = read.get(&LINKS, hash)?.ok_or(Error::LinkRefused)?;
                let account = user::get(read, link.user)?.ok_or(Error::LinkRefused)?;
                let good = link.user == *user
                    && link.epoch == account.recovery_epoch
                    && lives(link.at, settings.codes.link_lifetime, now);
                if good {
                    Ok((link.user, account))
                } else {
                    Err(Error::LinkRefused)
                }
            }
            Way::Code { address, hash } => {
                let purpose = Purpose::ResetPassword;
                code::proof(read, hash, purpose, address, settings, now)?.account(read)
            }
        }
    }

    fn consume(&self, tx: &mut Tx<'_>) {
        match self {
            Way::Link { hash, .. } => tx.delete(&LINKS, hash),
            Way::Code { hash, .. } => code::consume(tx, hash),
        }
    }
}

/// Reads which way the form takes; `None` when a part is missing or cannot be.
fn way(fields: &mut Fields, form: &ConfirmReset) -> Option<(Way, Option<EmailAddress>)> {
    let empty = Default::default();
    if form.email.is_some() || form.verification_token.is_some() {
        let address = fields.email(form.email.as_deref().unwrap_or_default());
        let token = form.verification_token.as_ref().unwrap_or(&empty);
        let token = fields.token("verification_token", token);
        let (address, token) = address.zip(token)?;
        let way = Way::Code {
            address: address.lookup(),
            hash: TokenHash::of(token.expose()),
        };
        return Some((way, Some(address)));
    }
    let uid = form.uid.as_deref().unwrap_or_default().trim();
    if uid.is_empty() {
        fields.refuse(
            "uid",
            "required",
            "give uid and token, or email and verification_token",
        );
    }
    let token = fields.token("token", form.token.as_ref().unwrap_or(&empty))?;
    // A uid that decodes to nobody is a bad link and not a bad form: people do not type it.
    let bytes = URL_SAFE_NO_PAD.decode(uid).ok();
    let user = bytes.and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    let way = Way::Link {
        user: UserId::from_bytes(user.unwrap_or_default()),
        hash: TokenHash::of(token.expose()),
    };
    Some((way, None))
}

/// What is written when a password is replaced, all of it composed and hashed.
struct Replacement {
    password: String,
    letter: Letter,
    entry: audit::Entry,
    now: Timestamp,
}

impl Replacement {
    /// Sets the new password, ends sessions (but `kept`, which must be live), kills what was mailed to get back in,
    /// and tells the account's owner.
    fn apply(
        &self,
        tx: &mut Tx<'_>,
        id: UserId,
        mut account: Account,
        kept: Option<&TokenHash>,
        settings: &Settings,
    ) -> Result<(), Error> {
        account.password.clone_from(&self.password);
        account.recovery_epoch += 1;
        session::end_all(tx, id, &mut account, kept, &settings.sessions, self.now)?;
        user::put(tx, id, &account);
        forgive(tx, &Subject::Address(account.email.lookup()), self.now)?;
        forgive(tx, &Subject::User(id), self.now)?;
        outbox::enqueue(tx, &self.letter)?;
        audit::record(tx, &self.entry);
        Ok(())
    }
}

impl Accounts {
    /// Mails a link that lets the reader choose a new password. The answer, its work and its
    /// limits are the same whether or not the address has an account.
    ///
    /// # Errors
    /// `Invalid`, `Limited`, `Mail`, `Store`.
    pub async fn request_reset(&self, client: &Client, form: RequestReset) -> Result<Sent, Error> {
        let mut fields = Fields::default();
        let address = fields.email(&form.email);
        let language = fields.language(form.language.as_deref());
        let (address, language) = fields.finish(address.zip(language))?;
        let ask = Ask {
            wanted: Wanted::ResetLink,
            address,
            language,
            style: self.settings.codes.style,
            asker: None,
        };
        self.ask(client, ask).await
    }

    /// The address of the account that a link leads to. Looking uses nothing up, and tells nothing
    /// to whoever could not take the account anyway.
    ///
    /// # Errors
    /// `LinkRefused` when the link is not good, `Store`.
    pub async fn look_at_reset_link(&self, uid: &str, token: &str) -> Result<EmailAddress, Error> {
        let form = ConfirmReset {
            uid: Some(uid.to_owned()),
            token: Some(token.to_owned().into()),
            ..ConfirmReset::default()
        };
        let way = way(&mut Fields::default(), &form);
        let (way, _) = way.ok_or(Error::LinkRefused)?;
        let now = self.world.now();
        let found = self
            .store
            .read(|read| way.account(read, &self.settings, now));
        found.await.map(|(_, account)| account.email)
    }

    /// Sets a new password by link or by code: all sessions end, a notice is mailed, and nobody
    /// is logged in by it.
    ///
    /// # Errors
    /// `LinkRefused` or `TokenRefused` when the proof is not good, `Invalid` (which uses nothing
    /// up), `Busy`, `Mail`, `Store`.
    pub async fn confirm_reset(&self, client: &Client, form: ConfirmReset) -> Result<(), Error> {
        let rules = &self.settings.passwords;
        let mut fields = Fields::default();
        let way = way(&mut fields, &form);
        let address = way.as_ref().and_then(|(_, address)| address.as_ref());
        fields.new_password("new_password", &form.new_password, address, rules);
        let (way, _) = fields.finish(way)?;
        let now = self.world.now();
        let (id, account) = self
            .store
            .read(|read| way.account(read, &self.settings, now))
            .await?;
        // Once more, now that it is known whose address it must not be.
        let mut fields = Fields::default();
        let owner = Some(&account.email);
        let password = fields.new_password("new_password", &form.new_password, owner, rules);
        let password = fields.finish(password)?;
        let subject = id.to_string();
        let entry = audit::Entry::new(&self.world, "anonymous", "reset_password", &subject)
            .from(client.ip)
            .detail(way.word());
        let replacement = Replacement {
            password: self.hasher.hash(password).await?,
            letter: self.notice(&account)?,
            entry,
            now,
        };
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let settings = &accounts.settings;
                let (id, account) = way.account(tx, settings, now)?;
                way.consume(tx);
                replacement.apply(tx, id, account, None, settings)
            })
            .await
    }

    /// Sets a new password for somebody who is logged in and knows the old one. All their other
    /// sessions end, and a notice is mailed.
    ///
    /// # Errors
    /// `CredentialsRefused` when the current password is wrong, which is counted by the account,
    /// apart from wrong logins; `Unauthenticated` when the session has ended meanwhile; `Limited`,
    /// `Busy`, `Invalid`, `Mail`, `Store`.
    pub async fn change_password(
        &self,
        client: &Client,
        who: &Authenticated,
        form: ChangePassword,
    ) -> Result<(), Error> {
        let mut fields = Fields::default();
        let current = fields.typed_password("current_password", &form.current_password);
        let address = Some(&who.user.email);
        let rules = &self.settings.passwords;
        let new = fields.new_password("new_password", &form.new_password, address, rules);
        let (current, new) = fields.finish(current.zip(new))?;
        let id = who.user.id;
        let changes = Subject::User(id);
        let (limited, now) = (Rule::PasswordChangePerUser, self.world.now());
        let policy = self.settings.limits.password_change_per_user.clone();
        // Looked at before two hashes are paid for, and again where it counts.
        self.store
            .read(|read| {
                let counters = limits::load(read, &changes)?;
                Ok::<_, Error>(counters.check(limited, &policy, 1, now)?)
            })
            .await?;
        let guess = self.guess(client, Claimed::User(id)).await?;
        let (accounts, kept, ip) = (self.clone(), who.hash, client.ip);
        self.prove(
            guess,
            current,
            "change_password",
            async move |proven: Proven| {
                let now = accounts.world.now();
                let subject = id.to_string();
                let entry =
                    audit::Entry::new(&accounts.world, &subject, "change_password", &subject);
                let replacement = Replacement {
                    password: accounts.hasher.hash(new).await?,
                    letter: accounts.notice(&proven.account)?,
                    entry: entry.from(ip),
                    now,
                };
                let settings = accounts.clone();
                accounts
                    .store
                    .write(move |tx| {
                        let account = proven.confirm(tx, now)?;
                        let mut counters = limits::load(tx, &changes)?;
                        counters.check(limited, &policy, 1, now)?;
                        if !policy.is_off() {
                            counters.count(limited, &policy, now);
                            limits::save(tx, &changes, counters, now)?;
                        }
                        replacement.apply(tx, id, account, Some(&kept), &settings.settings)
                    })
                    .await
            },
        )
        .await
    }

    fn notice(&self, account: &Account) -> Result<Letter, Error> {
        let occasion = Occasion::PasswordChanged {
            at: self.world.now(),
        };
        let letter = self
            .mailer
            .compose(&occasion, &account.email, account.language)?;
        Ok(letter)
    }
}
