//! Changing the address of an account: its owner proves the password, then that the mail of the
//! new address is theirs. The old one is told. Whether the new one has an account already is told
//! by mail alone, to whoever reads it.

use crate::address::EmailAddress;
use crate::address::LookupAddress;
use crate::audit;
use crate::mail::Letter;
use crate::mail::Occasion;
use crate::mail::outbox;
use crate::secret::Code;
use crate::secret::TokenHash;
use crate::store::Tx;
use crate::world::Timestamp;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::flow;
use super::flow::Flow;
use super::flow::FlowId;
use super::flow::Wanted;
use super::form::ChangeEmail;
use super::form::ConfirmEmail;
use super::form::Fields;
use super::limits;
use super::limits::Rule;
use super::limits::Subject;
use super::login::Claimed;
use super::login::Proven;
use super::request::Ask;
use super::request::Sent;
use super::session;
use super::session::Authenticated;
use super::user;
use super::user::User;
use super::user::UserId;

/// A code that its owner types, with everything drawn and composed that the transaction needs.
struct Move {
    user: UserId,
    /// The session that asks, which goes on.
    kept: TokenHash,
    /// The address until now.
    old: EmailAddress,
    address: LookupAddress,
    code: Code,
    client: Subject,
    now: Timestamp,
    fresh: FlowId,
    notice: Letter,
    right: audit::Entry,
    wrong: audit::Entry,
}

impl Accounts {
    /// Mails a code to the address that the account is to have. The answer, its work and its
    /// limits are the same whether or not another account has it.
    ///
    /// # Errors
    /// `CredentialsRefused` when the current password is wrong; `Invalid`, also when the address is
    /// the account's already; `Unauthenticated`, `Limited`, `Busy`, `Mail`, `Store`.
    pub async fn request_email_change(
        &self,
        client: &Client,
        who: &Authenticated,
        form: ChangeEmail,
    ) -> Result<Sent, Error> {
        let mut fields = Fields::default();
        let address = fields.address("new_email", &form.new_email);
        if address.as_ref() == Some(&who.user.email) {
            let message = "it is the address of the account already";
            fields.refuse("new_email", "same", message);
        }
        let current = fields.typed_password("current_password", &form.current_password);
        let language = fields.language(form.language.as_deref());
        let parsed = fields.finish(address.zip(current).zip(language))?;
        let ((address, current), language) = parsed;
        let id = who.user.id;
        let lookup = address.lookup();
        let ask = move |epoch| Ask {
            wanted: Wanted::AddressCode,
            address: address.clone(),
            language,
            style: self.settings.codes.style,
            asker: Some((id, epoch)),
        };
        let now = self.world.now();
        // Looked at before a hash is paid for, and again where it counts.
        let first = ask(0);
        self.store
            .read(|read| {
                self.admit(read, &first, &lookup, Some(client), now)
                    .map(|_| ())
            })
            .await?;
        let guess = self.guess(client, Claimed::User(id)).await?;
        let (accounts, client) = (self.clone(), client.clone());
        let (language, kept) = (language.unwrap_or(who.user.language), who.hash);
        self.prove(
            guess,
            current,
            "change_email",
            async move |proven: Proven| {
                let now = accounts.world.now();
                let found = accounts
                    .store
                    .read(|read| user::find(read, &lookup))
                    .await?;
                let ask = Ask {
                    language: Some(language),
                    asker: Some((id, proven.account.recovery_epoch)),
                    ..first
                };
                let entry = audit::Entry::new(
                    &accounts.world,
                    &id.to_string(),
                    "change_email",
                    lookup.as_str(),
                );
                let entry = entry.from(client.ip);
                let booking = accounts.prepare(ask, lookup, found, now)?;
                let writer = accounts.clone();
                accounts
                    .store
                    .write(move |tx| {
                        let account = proven.confirm(tx, now)?;
                        let sessions = &writer.settings.sessions;
                        session::must_live(tx, &kept, &account, sessions, now)?;
                        user::put(tx, id, &account);
                        writer.book(tx, &booking, Some(&client), &entry)
                    })
                    .await
            },
        )
        .await
    }

    /// Changes the address to the one that the code was mailed to. All other sessions end, what was
    /// mailed to get back into the account dies, and the old address is told.
    ///
    /// # Errors
    /// `CodeRefused` for any code that is not good here and now; `AddressTaken` when somebody was
    /// faster; `Unauthenticated` when the session has ended meanwhile; `Limited`, `Invalid`, `Mail`,
    /// `Store`.
    pub async fn confirm_email_change(
        &self,
        client: &Client,
        who: &Authenticated,
        form: ConfirmEmail,
    ) -> Result<User, Error> {
        let mut fields = Fields::default();
        let address = fields.address("new_email", &form.new_email);
        let code = fields.code(&form.code);
        let (address, code) = fields.finish(address.zip(code))?;
        let address = address.lookup();
        let now = self.world.now();
        let id = who.user.id;
        let (actor, subject) = (id.to_string(), address.as_str());
        let entry =
            || audit::Entry::new(&self.world, &actor, "confirm_email", subject).from(client.ip);
        let notice = self.mailer.compose(
            &Occasion::AddressChanged { at: now },
            &who.user.email,
            who.user.language,
        )?;
        let wanted = Move {
            user: id,
            kept: who.hash,
            old: who.user.email.clone(),
            code,
            client: Subject::client(client.ip),
            now,
            fresh: FlowId::draw(&self.world),
            notice,
            right: entry(),
            wrong: entry().refused("not a good code"),
            address,
        };
        let accounts = self.clone();
        // A refusal is an outcome, not an error: an error would leave it uncounted.
        self.store
            .write(move |tx| accounts.try_move(tx, &wanted))
            .await?
    }

    fn try_move(&self, tx: &mut Tx<'_>, wanted: &Move) -> Result<Result<User, Error>, Error> {
        let policy = &self.settings.limits.wrong_code_per_ip;
        let codes = &self.settings.codes;
        let (id, now) = (wanted.user, wanted.now);
        let mut counters = limits::load(tx, &wanted.client)?;
        counters.check(Rule::WrongCodePerIp, policy, 1, now)?;
        let account = user::get(tx, id)?.filter(|account| account.email == wanted.old);
        let mut account = account.ok_or(Error::Unauthenticated)?;
        let sessions = &self.settings.sessions;
        session::must_live(tx, &wanted.kept, &account, sessions, now)?;
        let kind = Wanted::AddressCode;
        let before = flow::flow(tx, kind, &wanted.address)?;
        let new = before.is_none();
        let mut flow = Flow::to_try(before, wanted.fresh, codes, now);
        let bound = flow::bound_to(kind, &wanted.address, flow.id, Some(id));
        let epoch = account.recovery_epoch;
        let Some((email, _)) = self.mailed(&flow, &wanted.code, &bound, epoch, now) else {
            flow.tries_left = flow.tries_left.saturating_sub(1);
            flow::put_flow(tx, kind, &wanted.address, &flow, new, codes);
            if !policy.is_off() {
                counters.count(Rule::WrongCodePerIp, policy, now);
                limits::save(tx, &wanted.client, counters, now)?;
            }
            audit::record(tx, &wanted.wrong);
            return Ok(Err(Error::CodeRefused {
                attempts_left: flow.tries_left,
            }));
        };
        let owner = user::find(tx, &wanted.address)?;
        if owner.is_some_and(|(owner, _)| owner != id) {
            return Err(Error::AddressTaken);
        }
        // Whoever else was mailed a code for it is told that it is taken, and not that the code is
        // wrong.
        flow.codes.retain(|code| code.asker != Some(id));
        flow.guessed = false;
        flow::put_flow(tx, kind, &wanted.address, &flow, new, codes);
        account.recovery_epoch += 1;
        session::end_all(tx, id, &mut account, Some(&wanted.kept), sessions, now)?;
        // Whoever has the old address next is let in by no code that was mailed there for this one.
        flow::forget_codes(tx, &wanted.old.lookup())?;
        // The address that received the code, letter by letter, and never the one that was typed
        // with it (CVE-2019-19844).
        user::rename(tx, id, &mut account, email);
        outbox::enqueue(tx, &wanted.notice)?;
        audit::record(tx, &wanted.right);
        Ok(Ok(account.view(id)))
    }
}
