//! Switching routes off and on.

use std::net::IpAddr;

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
    /// How the route is.
    ///
    /// # Errors
    /// It is not set up.
    pub fn route(&self, name: RouteName) -> Result<Status, RouteError> {
        let routes = self.routes.routes();
        let mut routes = routes.into_iter().filter(|route| route.name == name);
        routes.next().ok_or(RouteError::NotFound)
    }

    /// Pauses or resumes a route, for `ip`. Doing it twice is no error, and is recorded once.
    /// Answers how the route is after it.
    ///
    /// # Errors
    /// No such route, or the store.
    pub async fn switch(
        &self,
        name: RouteName,
        switch: Switch,
        ip: IpAddr,
    ) -> Result<Status, RouteError> {
        self.route(name)?;
        let action = match switch {
            Switch::Pause => "route_pause",
            Switch::Resume => "route_resume",
        };
        let entry = self.entry(action, name.word(), ip);
        let now = self.world.now();
        let paused = self
            .store
            .write(move |tx| {
                let changed = match switch {
                    Switch::Pause => route::pause(tx, name, now)?,
                    Switch::Resume => route::resume(tx, name)?,
                };
                if changed {
                    audit::record(tx, &entry);
                }
                route::paused(tx, name)
            })
            .await?;
        // The board is shown by the courier, who hears of the switch only after this answer.
        let status = self.route(name)?;
        Ok(Status { paused, ..status })
    }
}
