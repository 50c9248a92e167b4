//! The routes of outgoing mail: how they are, and switching them off and on. What a route looks
//! like on its way is in `route`.

use std::sync::Arc;

use poem::Request;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;

use crate::http::api::Group;
use crate::http::api::admin::route::Route;
use crate::http::api::admin::route::Routes;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::language::Language;
use crate::mail::route::RouteName;
use crate::operator::Operator;
use crate::operator::RouteError;
use crate::operator::Switch;

problems! {
    /// Of the list.
    ListProblems: AdminRequired, Unavailable
}
problems! {
    /// Of switching one.
    SwitchProblems: AdminRequired, BadParameter, NotFound, Unavailable
}

/// The routes.
pub struct RoutesApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who does it.
    pub operator: Operator,
    /// The language of texts for who asked for none.
    pub language: Language,
    /// How many proxies in front may tell the client's address.
    pub trusted_proxies: usize,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl RoutesApi {
    /// The routes of outgoing mail.
    ///
    /// Those that are set up, each with its breaker, its budget and its last error.
    #[oai(path = "/routes", method = "get", operation_id = "list_routes")]
    async fn list(
        &self,
        request: &Request,
        token: AdminToken,
    ) -> Result<reply::Reply<Routes>, Refused<ListProblems>> {
        self.guard.require_token(&token)?;
        let routes = self.operator.statuses().await?;
        Ok(reply::Reply(Routes::told(routes, self.language(request))))
    }

    /// Send nothing over a route.
    ///
    /// What is under way is finished; the rest waits until the route is resumed, also after a
    /// restart.
    #[oai(
        path = "/routes/:name/pause",
        method = "post",
        operation_id = "pause_route"
    )]
    async fn pause(
        &self,
        request: &Request,
        token: AdminToken,
        /// `primary` or `fallback`.
        name: Path<String>,
    ) -> Result<reply::Reply<Route>, Refused<SwitchProblems>> {
        self.switch(request, &token, &name, Switch::Pause).await
    }

    /// Take a route again.
    ///
    /// A route that rests after a failure is tried at once.
    #[oai(
        path = "/routes/:name/resume",
        method = "post",
        operation_id = "resume_route"
    )]
    async fn resume(
        &self,
        request: &Request,
        token: AdminToken,
        /// `primary` or `fallback`.
        name: Path<String>,
    ) -> Result<reply::Reply<Route>, Refused<SwitchProblems>> {
        self.switch(request, &token, &name, Switch::Resume).await
    }

    async fn switch(
        &self,
        request: &Request,
        token: &AdminToken,
        name: &Path<String>,
        switch: Switch,
    ) -> Result<reply::Reply<Route>, Refused<SwitchProblems>> {
        self.guard.require_token(token)?;
        let name = RouteName::from_word(&name.0).ok_or(Problem::new(Kind::NotFound))?;
        let by = caller::operator(request, self.trusted_proxies)?;
        let status = self.operator.switch(name, switch, &by).await?;
        Ok(reply::Reply(Route::told(status, self.language(request))))
    }

    fn language(&self, request: &Request) -> Language {
        caller::language(request).unwrap_or(self.language)
    }
}

impl From<RouteError> for Problem {
    fn from(error: RouteError) -> Problem {
        match error {
            RouteError::NotFound => Problem::new(Kind::NotFound).detail(error.to_string()),
            RouteError::Store(error) => error.into(),
        }
    }
}
