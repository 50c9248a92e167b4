//! Deleting one's own account, for good.

use crate::audit;
use crate::mail::Occasion;
use crate::mail::outbox;

use super::Accounts;
use super::Client;
use super::error::Error;
use super::flow;
use super::form::DeleteAccount;
use super::form::Fields;
use super::login::Claimed;
use super::login::Proven;
use super::session;
use super::session::Authenticated;
use super::user;

impl Accounts {
    /// Deletes the account of whoever asks and knows its password. All sessions end, what was
    /// mailed to get back in leads nowhere, and its address is told and free again. What the audit
    /// record says of it stays.
    ///
    /// # Errors
    /// `CredentialsRefused` when the current password is wrong, which is counted by the account;
    /// `Unauthenticated` when the session has ended meanwhile; `Limited`, `Busy`, `Invalid`, `Mail`,
    /// `Store`.
    pub async fn delete_account(
        &self,
        client: &Client,
        who: &Authenticated,
        form: DeleteAccount,
    ) -> Result<(), Error> {
        let mut fields = Fields::default();
        let current = fields.typed_password("current_password", &form.current_password);
        let current = fields.finish(current)?;
        let id = who.user.id;
        let guess = self.guess(client, Claimed::User(id)).await?;
        let (accounts, kept, ip) = (self.clone(), who.hash, client.ip);
        self.prove(
            guess,
            current,
            "delete_account",
            async move |proven: Proven| {
                let now = accounts.world.now();
                let owner = &proven.account;
                let notice = accounts.mailer.compose(
                    &Occasion::AccountDeleted { at: now },
                    &owner.email,
                    owner.language,
                )?;
                let (actor, subject) = (id.to_string(), owner.email.lookup());
                let entry =
                    audit::Entry::new(&accounts.world, &actor, "delete_account", subject.as_str())
                        .from(ip);
                let settings = accounts.settings.sessions.clone();
                accounts
                    .store
                    .write(move |tx| {
                        let mut account = proven.confirm(tx, now)?;
                        session::must_live(tx, &kept, &account, &settings, now)?;
                        session::end_all(tx, id, &mut account, None, &settings, now)?;
                        user::remove(tx, id, &account);
                        // A code that was mailed to get back into this account is good for no other
                        // that the address may have.
                        flow::forget_codes(tx, &account.email.lookup())?;
                        outbox::enqueue(tx, &notice)?;
                        audit::record(tx, &entry);
                        Ok(())
                    })
                    .await
            },
        )
        .await
    }
}
