//! The test mail that the operator has sent. How its outcome is found out is `mail::trial`'s.

use std::time::Duration;

use super::By;
use super::Operator;
use crate::address::EmailAddress;
use crate::events::Events;
use crate::language::Language;
use crate::mail::trial;
use crate::mail::trial::Trial;
use crate::mail::trial::TrialError;

impl Operator {
    /// Sends the test mail to `to`, for `by`, and waits for its outcome, at most for `patience`.
    /// `events` tells when something happened to it.
    ///
    /// # Errors
    /// A replaced template fails, or the store.
    pub async fn send_test_mail(
        &self,
        to: &EmailAddress,
        language: Language,
        by: &By,
        events: &Events,
        patience: Duration,
    ) -> Result<Trial, TrialError> {
        let letter = trial::compose(&self.mailer, to, language)?;
        let entry = trial::entry(&self.world, to, &by.actor()).from(by.ip);
        let (store, routes) = (&self.store, &self.routes);
        let followed = trial::follow(letter, entry, store, events, routes, &self.world, patience);
        Ok(followed.await?)
    }
}
