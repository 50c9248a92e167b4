//! What the dispatcher asks of the store and does to it beside sending mail: taking back what a dead
//! courier had, hearing what the operator has switched.

use super::Dispatch;
use crate::mail::outbox;
use crate::mail::route::{self, RouteName, budget, rest};
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
        let counts = self.ways[0].purse.limits().per_day.is_some();
        let revoke = move |tx: &mut Tx<'_>| {
            let mails = outbox::revoke(tx, now)?;
            if counts && mails > 0 {
                // Nobody knows which way they went; all but few go this one.
                let charged = u32::try_from(mails).unwrap_or(u32::MAX);
                budget::charge(tx, RouteName::Primary, charged, now)?;
            }
            Ok::<_, Error>(mails)
        };
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
                let found = match known {
                    true => None,
                    false => Some((
                        budget::spent(snapshot, *name)?,
                        rest::kept(snapshot, *name)?,
                    )),
                };
                Ok((pause, nudges, found))
            });
            switches.collect::<Result<Vec<_>, Error>>()
        });
        let switches = read.await.inspect_err(|_| self.switched = true)?;
        let at = self.moment();
        for (way, (pause, nudges, found)) in self.ways.iter_mut().zip(switches) {
            if let Some((spent, kept)) = found {
                // Whoever sends one mail by hand wants to see what the server says now.
                if self.shared.settings.only.is_none() {
                    way.take_up(kept, at);
                }
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

    /// Keeps the rests of routes that a restart must not end.
    pub(super) async fn keep_rests(&mut self) -> Result<(), Error> {
        if self.shared.settings.only.is_some() {
            return Ok(());
        }
        for way in &mut self.ways {
            let Some(unkept) = way.unkept() else { continue };
            let (name, kept) = (way.name(), unkept.clone());
            let keep = move |tx: &mut Tx<'_>| {
                rest::keep(tx, name, kept.as_ref());
                Ok::<_, Error>(())
            };
            self.shared.store.write(keep).await?;
            way.keeps(unkept);
        }
        Ok(())
    }
}
