//! Codes: exchanging one for a verification token, and what such a token proves. How a code is
//! asked for is in `request`.

use serde::{Deserialize, Serialize};

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::language::Language;
use crate::secret::Code;
use crate::secret::Token;
use crate::secret::TokenHash;
use crate::secret::TokenKind;
use crate::secret::same_mac;
use crate::store;
use crate::store::Read;
use crate::store::Table;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::Settings;
use super::error::Error;
use super::flow;
use super::flow::Flow;
use super::flow::FlowId;
use super::flow::Wanted;
use super::form::Fields;
use super::form::Purpose;
use super::form::SendCode;
use super::form::VerifyCode;
use super::limits;
use super::limits::Rule;
use super::limits::Subject;
use super::lives;
use super::request::Ask;
use super::request::Sent;
use super::sweep;
use super::user;
use super::user::UserId;

/// What a right code was exchanged for.
#[derive(Debug, Clone)]
pub struct Verified {
    /// Good once, for the purpose and the address of the code.
    pub verification_token: Token,
    /// When it lapses.
    pub expires_at: Timestamp,
}

/// What a verification token proves: that somebody reads the mail of this address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Proof {
    #[serde(rename = "p")]
    pub(super) purpose: Purpose,
    #[serde(rename = "a")]
    pub(super) address: LookupAddress,
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    /// The account and its recovery epoch, where there is one.
    #[serde(rename = "u")]
    pub(super) account: Option<(UserId, u64)>,
    /// Where the code was mailed to, letter by letter. What shares its lookup form may be the
    /// mailbox of somebody else (CVE-2019-19844).
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(super) mailed: Option<EmailAddress>,
    /// The language that was asked for with the code.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    language: Option<Language>,
}

pub(super) const TOKENS: Table<TokenHash, Proof> = Table::new("identity.verification");

/// The proof behind `token`, if it is good for this; it is not used up by looking.
pub(super) fn proof(
    read: &impl Read,
    token: &TokenHash,
    purpose: Purpose,
    address: &LookupAddress,
    settings: &Settings,
    now: Timestamp,
) -> Result<Proof, Error> {
    let proof = read.get(&TOKENS, token)?.ok_or(Error::TokenRefused)?;
    let good = proof.purpose == purpose
        && proof.address == *address
        && lives(proof.at, settings.codes.token_lifetime, now);
    if good {
        Ok(proof)
    } else {
        Err(Error::TokenRefused)
    }
}

/// Uses the token up.
pub(super) fn consume(tx: &mut Tx<'_>, token: &TokenHash) {
    tx.delete(&TOKENS, token);
}

impl Proof {
    /// The address that somebody reads the mail of, and the language that they asked for.
    pub(super) fn mailed(self) -> Result<(EmailAddress, Option<Language>), Error> {
        let language = self.language;
        let mailed = self.mailed.ok_or(Error::TokenRefused)?;
        Ok((mailed, language))
    }

    /// The account that the token lets somebody back into, unless it was overtaken.
    pub(super) fn account(&self, read: &impl Read) -> Result<(UserId, user::Account), Error> {
        let (id, epoch) = self.account.ok_or(Error::TokenRefused)?;
        let account = user::get(read, id)?.ok_or(Error::TokenRefused)?;
        if account.recovery_epoch == epoch && self.mailed.as_ref() == Some(&account.email) {
            Ok((id, account))
        } else {
            Err(Error::TokenRefused)
        }
    }
}

pub(super) fn sweep_token(
    tx: &mut Tx<'_>,
    token: &TokenHash,
    settings: &Settings,
    now: Timestamp,
) -> Result<Option<Timestamp>, store::Error> {
    let Some(proof) = tx.get(&TOKENS, token)? else {
        return Ok(None);
    };
    let lapses = proof.at + settings.codes.token_lifetime;
    if lapses <= now {
        tx.delete(&TOKENS, token);
        return Ok(None);
    }
    Ok(Some(lapses))
}

/// A code that somebody presents, with everything drawn that the transaction needs.
struct Attempt {
    purpose: Purpose,
    address: LookupAddress,
    code: Code,
    client: Subject,
    now: Timestamp,
    token: Token,
    fresh: FlowId,
    right: audit::Entry,
    wrong: audit::Entry,
}

impl Accounts {
    /// Mails a code. The answer, its work and its limits are the same whether or not the address
    /// has an account; who has one and asks for a registration code is told so by mail.
    ///
    /// # Errors
    /// `Invalid`, `Limited`, `Mail`, `Store`.
    pub async fn send_code(&self, client: &Client, form: SendCode) -> Result<Sent, Error> {
        let mut fields = Fields::default();
        let address = fields.email(&form.email);
        let purpose = fields.purpose(&form.verification_type);
        let language = fields.language(form.language.as_deref());
        let style = fields.style(form.style.as_deref(), self.settings.codes.style);
        let parsed = address.zip(purpose).zip(language.zip(style));
        let ((address, purpose), (language, style)) = fields.finish(parsed)?;
        let ask = Ask {
            wanted: Wanted::code_for(purpose),
            address,
            language,
            style,
            asker: None,
        };
        self.ask(client, ask).await
    }

    /// Exchanges a right code for a verification token; the flow is over with it.
    ///
    /// # Errors
    /// `CodeRefused` for any code that is not good here and now, `Limited`, `Invalid`, `Store`.
    pub async fn verify_code(&self, client: &Client, form: VerifyCode) -> Result<Verified, Error> {
        let mut fields = Fields::default();
        let address = fields.email(&form.email);
        let purpose = fields.purpose(&form.verification_type);
        let code = fields.code(&form.code);
        let ((address, purpose), code) = fields.finish(address.zip(purpose).zip(code))?;
        let address = address.lookup();
        let entry = |outcome: fn(audit::Entry) -> audit::Entry| {
            let new = audit::Entry::new(&self.world, "anonymous", "verify_code", address.as_str());
            outcome(new.from(client.ip).detail(purpose.word()))
        };
        let attempt = Attempt {
            code,
            client: Subject::client(client.ip),
            now: self.world.now(),
            token: Token::draw(&self.world, TokenKind::Verification),
            fresh: FlowId::draw(&self.world),
            right: entry(|entry| entry),
            wrong: entry(|entry| {
                let reason = format!("{}: not a good code", entry.detail);
                entry.refused(&reason)
            }),
            purpose,
            address,
        };
        let accounts = self.clone();
        // A refusal is an outcome, not an error: an error would leave it uncounted.
        self.store
            .write(move |tx| accounts.try_code(tx, &attempt))
            .await?
    }

    fn try_code(
        &self,
        tx: &mut Tx<'_>,
        attempt: &Attempt,
    ) -> Result<Result<Verified, Error>, Error> {
        let policy = &self.settings.limits.wrong_code_per_ip;
        let codes = &self.settings.codes;
        let now = attempt.now;
        let mut counters = limits::load(tx, &attempt.client)?;
        counters.check(Rule::WrongCodePerIp, policy, 1, now)?;
        let wanted = Wanted::code_for(attempt.purpose);
        let found = user::find(tx, &attempt.address)?;
        let before = flow::flow(tx, wanted, &attempt.address)?;
        let new = before.is_none();
        let mut flow = Flow::to_try(before, attempt.fresh, codes, now);
        let epoch = found
            .as_ref()
            .map_or(0, |(_, account)| account.recovery_epoch);
        let bound = flow::bound_to(wanted, &attempt.address, flow.id, None);
        if let Some((mailed, language)) = self.mailed(&flow, &attempt.code, &bound, epoch, now) {
            flow.codes.clear();
            flow.guessed = false;
            flow::put_flow(tx, wanted, &attempt.address, &flow, new, codes);
            let proof = Proof {
                purpose: attempt.purpose,
                address: attempt.address.clone(),
                at: now,
                account: found.map(|(id, _)| (id, epoch)),
                mailed: Some(mailed),
                language,
            };
            let expires_at = now + codes.token_lifetime;
            let hash = attempt.token.hash();
            tx.put(&TOKENS, &hash, &proof);
            sweep::note(tx, expires_at, &sweep::Doomed::Verification(hash));
            audit::record(tx, &attempt.right);
            return Ok(Ok(Verified {
                verification_token: attempt.token.clone(),
                expires_at,
            }));
        }
        flow.tries_left = flow.tries_left.saturating_sub(1);
        flow::put_flow(tx, wanted, &attempt.address, &flow, new, codes);
        if !policy.is_off() {
            counters.count(Rule::WrongCodePerIp, policy, now);
            limits::save(tx, &attempt.client, counters, now)?;
        }
        audit::record(tx, &attempt.wrong);
        Ok(Err(Error::CodeRefused {
            attempts_left: flow.tries_left,
        }))
    }

    /// Where the code was mailed to and in which language, if it is right: one of the flow that is
    /// bound to these words and belongs to this epoch.
    pub(super) fn mailed(
        &self,
        flow: &Flow,
        code: &Code,
        bound: &[String],
        epoch: u64,
        now: Timestamp,
    ) -> Option<(EmailAddress, Option<Language>)> {
        let bound: Vec<&str> = bound.iter().map(String::as_str).collect();
        let mac = self.keys.mac(code, &bound);
        let lifetime = self.settings.codes.lifetime;
        let mut matching = flow.codes.iter().filter(|issued| {
            same_mac(&issued.mac, &mac)
                && lives(issued.at, lifetime, now)
                // A login or a new password since then: the way back is not needed any more.
                && issued.epoch == epoch
        });
        let issued = matching.next().filter(|_| flow.tries_left > 0)?;
        // The same code twice by chance, to two spellings: it does not tell whose mail was read.
        matching
            .all(|other| other.to == issued.to)
            .then(|| issued.to.clone().map(|to| (to, issued.language)))?
    }
}
