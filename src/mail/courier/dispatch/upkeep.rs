//! What the dispatcher asks of the store and does to it beside sending mail: taking back what a dead
//! courier had, hearing what the operator has switched.

use super::Dispatch;
use crate::mail::outbox;
use crate::mail::route::{self, RouteName, budget};
use crate::store::{Error, Tx};

impl Dispatch {
    /// Takes back what a courier that was killed had on its way, so that nobody waits for its
    /// lease to run out.
    ///
    /// Every lease that is found now is a dead one's, since the engine admits one process to a
    /// store and a process has one courier. An engine that several nodes share will need the
    /// owner of a claim in its row, and here a look at who is alive.
    pub(super) async fn revoke(&self) -> Result<(), Error> {
        let now = self.shared.world.now();
        let revoke = move |tx: &mut Tx<'_>| outbox::revoke(tx, now);
        let mails = self.shared.store.write(revoke).await?;
        if mails > 0 {
            tracing::warn!(
                mails,
                "mails were on their way when the last gatepost ended; they are tried again"
            );
        }
        Ok(())
    }

    /// What the operator has said about the routes; the first time, what they have spent as well.
    pub(super) async fn read_switches(&mut self) -> Result<(), Error> {
        self.switched = false;
        let names: Vec<(RouteName, bool)> = self
            .ways
            .iter()
            .map(|way| (way.name(), way.is_known()))
            .collect();
        let read = self.shared.store.read(|snapshot| {
            let switches = names.iter().map(|(name, known)| {
                let pause = route::paused(snapshot, *name)?;
                let nudges = route::nudges(snapshot, *name)?;
                let spent = match known {
                    true => None,
                    false => Some(budget::spent(snapshot, *name)?),
                };
                Ok((pause, nudges, spent))
            });
            switches.collect::<Result<Vec<_>, Error>>()
        });
        let switches = read.await.inspect_err(|_| self.switched = true)?;
        let at = self.moment();
        for (way, (pause, nudges, spent)) in self.ways.iter_mut().zip(switches) {
            if let Some(spent) = spent {
                way.purse = budget::Purse::new(*way.purse.limits(), spent);
                self.news = true;
            }
            if way.switched(pause, nudges, at) {
                self.news = true;
                self.look = true;
            }
        }
        Ok(())
    }
}
