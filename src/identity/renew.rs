//! A new code or link in the place of one that lapsed before it was sent, on the operator's word.
//! It is composed and written as if its owner had asked again, so that it tells nobody more than
//! any other; only the limits of asking are not held against anybody.

use crate::address::EmailAddress;
use crate::language::Language;
use crate::mail::Kind;
use crate::mail::OutboxId;
use crate::store;
use crate::store::Tx;

use super::Accounts;
use super::error::Error;
use super::flow;
use super::flow::Wanted;
use super::request::Ask;
use super::request::Booking;
use super::user;

/// A new code or link, drawn and composed and not yet written.
pub struct Renewal {
    wanted: Wanted,
    booking: Booking,
}

impl Renewal {
    /// The mail that will carry it.
    pub fn mail(&self) -> OutboxId {
        self.booking.letter.id
    }
}

impl Accounts {
    /// Draws and composes a new code or link of this kind for `to`; `None` when mails of this kind
    /// carry none.
    ///
    /// # Errors
    /// A replaced template fails, or the store.
    pub async fn renewal(
        &self,
        kind: Kind,
        to: &EmailAddress,
        language: Language,
    ) -> Result<Option<Renewal>, Error> {
        let wanted = match kind {
            Kind::RegistrationCode => Wanted::RegisterCode,
            Kind::ResetCode => Wanted::ResetCode,
            Kind::ResetLink => Wanted::ResetLink,
            _ => return Ok(None),
        };
        let lookup = to.lookup();
        let found = self.store.read(|read| user::find(read, &lookup)).await?;
        let ask = Ask {
            wanted,
            address: to.clone(),
            language: Some(language),
            style: self.settings.codes.style,
            asker: None,
        };
        let booking = self.prepare(ask, lookup, found, self.world.now())?;
        Ok(Some(Renewal { wanted, booking }))
    }

    /// Writes it, with the transaction. From then on it is good.
    ///
    /// # Errors
    /// Those of the store.
    pub fn renew(&self, tx: &mut Tx<'_>, renewal: &Renewal) -> Result<(), store::Error> {
        let before = flow::flow(tx, renewal.wanted, &renewal.booking.lookup)?;
        self.enter(tx, &renewal.booking, before)?;
        Ok(())
    }
}
