//! Making an account for an address that somebody has proved to be theirs.

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::language::Language;
use crate::secret::TokenHash;
use crate::store::Read;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::code;
use super::error::Error;
use super::form::Fields;
use super::form::Purpose;
use super::form::Register;
use super::limits;
use super::limits::Rule;
use super::limits::Subject;
use super::session::Fresh;
use super::session::NewSession;
use super::user;
use super::user::Account;
use super::user::User;
use super::user::UserId;

impl Accounts {
    /// Makes an account and logs in.
    ///
    /// # Errors
    /// `TokenRefused` unless the token was given for this address and this purpose and is still
    /// good; `AddressTaken`; `Limited`, `Busy`, `Invalid`, `Store`.
    pub async fn register(
        &self,
        client: &Client,
        form: Register,
    ) -> Result<(User, NewSession), Error> {
        let mut fields = Fields::default();
        let address = fields.email(&form.email);
        let rules = &self.settings.passwords;
        let password = fields.new_password("password", &form.password, address.as_ref(), rules);
        let token = fields.token("verification_token", &form.verification_token);
        let name = fields.display_name(form.display_name.as_deref());
        let language = fields.language(form.language.as_deref());
        let parsed = address.zip(password).zip(token).zip(name.zip(language));
        let (((address, password), token), (display_name, language)) = fields.finish(parsed)?;
        let lookup = address.lookup();
        let token = TokenHash::of(token.expose());
        let peer = Subject::client(client.ip);
        let now = self.world.now();
        // Looked at before the hash is paid for, and again where it counts.
        let (email, asked) = self
            .store
            .read(|read| self.may_register(read, &token, &lookup, &peer, now))
            .await?;
        let account = Account {
            email,
            password: self.hasher.hash(password).await?,
            display_name,
            language: language.or(asked).unwrap_or(self.settings.language),
            created_at: now,
            recovery_epoch: 0,
            session_epoch: 0,
            last_login_at: Some(now),
            locked_at: None,
        };
        let id = UserId::draw(&self.world);
        let fresh = Fresh::draw(&self.world, client);
        let entry = audit::Entry::new(&self.world, &id.to_string(), "register", lookup.as_str())
            .from(client.ip);
        let accounts = self.clone();
        self.store
            .write(move |tx| {
                let settings = &accounts.settings;
                // The address that received the code, never the one that was typed with it: a
                // look-alike of it may be the mailbox of somebody else (CVE-2019-19844).
                let (email, _) = accounts.may_register(tx, &token, &lookup, &peer, now)?;
                let account = Account {
                    email,
                    ..account.clone()
                };
                code::consume(tx, &token);
                user::insert(tx, id, &account);
                let session = fresh.begin(tx, id, &account, &settings.sessions)?;
                let policy = &settings.limits.registration_per_ip;
                if !policy.is_off() {
                    let mut counters = limits::load(tx, &peer)?;
                    counters.count(Rule::RegisterPerIp, policy, now);
                    limits::save(tx, &peer, counters, now)?;
                }
                audit::record(tx, &entry);
                Ok((account.view(id), session))
            })
            .await
    }

    /// The address that the account will have, and the language that was asked for with its code,
    /// if it may be made.
    fn may_register(
        &self,
        read: &impl Read,
        token: &TokenHash,
        address: &LookupAddress,
        peer: &Subject,
        now: Timestamp,
    ) -> Result<(EmailAddress, Option<Language>), Error> {
        let policy = &self.settings.limits.registration_per_ip;
        limits::load(read, peer)?.check(Rule::RegisterPerIp, policy, 1, now)?;
        // The proof first: who has none learns nothing about the address.
        let proof = code::proof(read, token, Purpose::Register, address, &self.settings, now)?;
        if user::is_taken(read, address)? {
            return Err(Error::AddressTaken);
        }
        proof.mailed()
    }
}
