//! Switching routes off and on.

use super::By;
use super::Operator;
use crate::audit;
use crate::mail::route;
use crate::mail::route::RouteName;
use crate::mail::route::Status;
use crate::store;

/// What is done to a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Nothing is sent over it any more, also after a restart.
    Pause,
    /// It is tried again, at once.
    Resume,
}

/// Why nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum RouteError {
    /// No such route is set up.
    #[error("no route of that name is set up")]
    NotFound,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] store::Error),
}

impl Operator {
    /// How the routes are that are set up, the primary first.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn statuses(&self) -> Result<Vec<Status>, store::Error> {
        let mut routes = self.routes.routes();
        let pauses = self
            .store
            .read(|read| {
                let pauses = routes.iter().map(|status| route::paused(read, status.name));
                pauses.collect::<Result<Vec<_>, store::Error>>()
            })
            .await?;
        // The courier, who shows the routes, hears of a pause only after its commit.
        for (status, paused) in routes.iter_mut().zip(pauses) {
            status.paused = paused;
        }
        Ok(routes)
    }

    /// Pauses or resumes a route, for `by`. Pausing one that is paused is no error, and is not
    /// recorded again; a route that rests is tried at once when it is resumed. Answers how the
    /// route is after it.
    ///
    /// # Errors
    /// No such route, or the store.
    pub async fn switch(
        &self,
        name: RouteName,
        switch: Switch,
        by: &By,
    ) -> Result<Status, RouteError> {
        let known = |status: &Status| status.name == name;
        if !self.routes.routes().iter().any(known) {
            return Err(RouteError::NotFound);
        }
        let action = match switch {
            Switch::Pause => "route_pause",
            Switch::Resume => "route_resume",
        };
        let entry = self.entry(action, name.word(), by);
        let now = self.world.now();
        self.store
            .write(move |tx| {
                let done = match switch {
                    Switch::Pause => route::pause(tx, name, now)?,
                    Switch::Resume => {
                        route::resume(tx, name)?;
                        // It has been tried at once, if it was not paused.
                        true
                    }
                };
                if done {
                    audit::record(tx, &entry);
                }
                Ok::<_, store::Error>(())
            })
            .await?;
        let routes = self.statuses().await?.into_iter();
        { routes }.find(known).ok_or(RouteError::NotFound)
    }
}
