//! One person's story, out of all places where something is on record of an address.

use std::sync::Arc;

use poem::Request;
use poem_openapi::param::Query;
use poem_openapi::types::Example;
use poem_openapi::{Object, OpenApi};
use serde::Serialize;

use crate::address::EmailAddress;
use crate::http::api::Group;
use crate::http::api::admin::paging::Paging;
use crate::http::api::admin::paging::paged;
use crate::http::api::only;
use crate::http::caller;
use crate::http::caller::AdminToken;
use crate::http::declared::Refused;
use crate::http::declared::problems;
use crate::http::guard::Guard;
use crate::http::problem::Problem;
use crate::http::reply;
use crate::language::Language;
use crate::operator;
use crate::operator::Operator;

/// Something in one person's story.
#[derive(Debug, Object, Serialize)]
#[oai(rename = "Moment", example)]
pub struct Moment {
    /// When (RFC 3339).
    at: String,
    /// `account`, `mail`, `captured`, `token`, `session` or `audit`.
    kind: String,
    /// The name of that thing, where it can be looked at.
    id: String,
    /// What happened, in a few words of the language that was asked for (Accept-Language).
    title: String,
    /// Its state now, or the outcome, as a stable word.
    state: String,
    /// Anything else.
    detail: String,
}

paged! {
    /// A page of one person's story.
    Timeline of Moment, "Timeline"
}

impl From<operator::Moment> for Moment {
    fn from(moment: operator::Moment) -> Moment {
        Moment {
            at: moment.at.to_string(),
            kind: moment.kind.to_owned(),
            id: moment.id,
            title: moment.title,
            state: moment.state,
            detail: moment.detail,
        }
    }
}

impl Example for Moment {
    fn example() -> Moment {
        Moment {
            at: "2026-01-01T00:00:00.000Z".to_owned(),
            kind: "mail".to_owned(),
            id: "ob_01KAQ0Y3ZT8C6T1V5N9B4D7RGE".to_owned(),
            title: "Mail: reset link".to_owned(),
            state: "sent".to_owned(),
            detail: String::new(),
        }
    }
}

problems! {
    /// Of the timeline.
    TimelineProblems: AdminRequired, BadParameter, Unavailable
}

/// Timelines.
pub struct TimelineApi {
    /// Who may.
    pub guard: Arc<Guard>,
    /// Who knows.
    pub operator: Operator,
    /// The language of texts for who asked for none.
    pub language: Language,
}

#[OpenApi(prefix_path = "/api/v1/admin", tag = "Group::Admin")]
impl TimelineApi {
    /// What happened to and around one address, newest first.
    ///
    /// Its account, sessions, codes and links, mails to it (in the outbox and captured), and what
    /// the audit record says of it.
    #[oai(path = "/timeline", method = "get", operation_id = "get_timeline")]
    async fn get(
        &self,
        request: &Request,
        token: AdminToken,
        /// The whole address.
        email: Query<Option<String>>,
        /// The page that ends just before `cursor`, in the place of the one that begins behind it.
        back: Query<Option<bool>>,
        /// `next_cursor` or `prev_cursor` of another page.
        cursor: Query<Option<String>>,
        /// How many rows a page has; 50 when absent.
        #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<Option<u32>>,
    ) -> Result<reply::Page<Timeline>, Refused<TimelineProblems>> {
        self.guard.require_token(&token)?;
        only(request, &["email", "back", "cursor", "limit"])?;
        let paging = Paging::read(&["at"], None, back.0, cursor.0.as_deref(), limit.0)?;
        let email = email.0.ok_or(Problem::parameter("email", "it is needed"))?;
        let email = email.parse::<EmailAddress>();
        let email = email.map_err(|error| Problem::parameter("email", &error.to_string()))?;
        let language = caller::language(request).unwrap_or(self.language);
        let page = self.operator.timeline(&email, language, paging.ask.clone());
        let page = page.await?;
        Ok(Timeline::answer(page, &paging, request, Moment::from))
    }
}
