//! What the dispatcher asks of the store and does to it beside sending mail: taking back what a dead
//! courier had, hearing what the operator has switched, ending mails whose time went by.

use std::time::Duration;

use super::Dispatch;
use crate::mail::outbox;
use crate::mail::route::{self, RouteName, budget};
use crate::store::{Error, Tx};

/// While a route is shut, mails whose time goes by are looked for this often …
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// … and among so many of each lane at once.
const EXPIRE_AT_ONCE: usize = 500;

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

    /// Ends mails whose time went by while the primary takes none.
    pub(super) async fn expire(&mut self) -> Result<(), Error> {
        let at = self.moment();
        let shut = self.ways[0].is_shut(at) && self.is_working();
        if !shut || self.shared.settings.only.is_some() {
            self.expire_at = None;
            return Ok(());
        }
        let first = at.elapsed + EXPIRE_EVERY;
        if *self.expire_at.get_or_insert(first) > at.elapsed {
            return Ok(());
        }
        let store = &self.shared.store;
        let ended = outbox::expire_now(store, at.now, EXPIRE_AT_ONCE).await?;
        let wait = match ended {
            0..EXPIRE_AT_ONCE => EXPIRE_EVERY,
            _ => Duration::ZERO,
        };
        self.expire_at = Some(at.elapsed + wait);
        Ok(())
    }
}
