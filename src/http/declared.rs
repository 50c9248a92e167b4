//! Which problems an operation may answer with, declared in its signature: so the document lists
//! exactly those, and an answer that is not declared is caught. What must not live here: statuses
//! and codes (they are `problem`'s).

use std::marker::PhantomData;

use poem_openapi::ApiResponse;
use poem_openapi::registry::{MetaResponse, MetaResponses, Registry};

use crate::http::problem::Kind;
use crate::http::problem::Problem;

/// The kinds of problem that an operation may answer with.
pub trait Problems: Send + Sync + 'static {
    /// All of them, but [`Kind::Internal`], which any operation may meet.
    const KINDS: &'static [Kind];
}

/// Declares a set of problems: `problems!(LoginProblems: CredentialsRefused, Busy);`
macro_rules! problems {
    ($(#[$doc:meta])* $name:ident: $($kind:ident),+ $(,)?) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name;

        impl $crate::http::declared::Problems for $name {
            const KINDS: &'static [$crate::http::problem::Kind] =
                &[$($crate::http::problem::Kind::$kind),+];
        }
    };
}
pub(crate) use problems;

/// A problem as an operation answers it, of one of the kinds in `P`.
#[derive(Debug)]
pub struct Refused<P> {
    problem: Problem,
    declared: PhantomData<P>,
}

impl<P: Problems, E: Into<Problem>> From<E> for Refused<P> {
    fn from(error: E) -> Refused<P> {
        let problem = error.into();
        let kind = problem.kind();
        // What a body brings along is known to the document by the body.
        let declared =
            matches!(kind, Kind::Internal | Kind::InvalidFields) || P::KINDS.contains(&kind);
        debug_assert!(declared, "{kind:?} is not declared by this operation");
        if !declared {
            tracing::error!(
                code = kind.code(),
                "an operation answers with an undeclared problem"
            );
        }
        Refused {
            problem,
            declared: PhantomData,
        }
    }
}

impl<P> From<Refused<P>> for poem::Error {
    fn from(refused: Refused<P>) -> poem::Error {
        refused.problem.into()
    }
}

/// The prefix of the keys under which [`Refused`] lists its kinds; `document` replaces them by
/// responses with schema and examples.
pub const PLACEHOLDER: &str = "problem:";

impl<P: Problems> ApiResponse for Refused<P> {
    fn meta() -> MetaResponses {
        let responses = P::KINDS
            .iter()
            .chain([&Kind::Internal])
            .map(|kind| MetaResponse {
                description: "",
                status: None,
                status_range: Some(format!("{PLACEHOLDER}{}", kind.code())),
                content: Vec::new(),
                headers: Vec::new(),
            })
            .collect();
        MetaResponses { responses }
    }

    fn register(_: &mut Registry) {}
}

/// Carries a [`Problem`] through the HTTP library; the front renders it.
impl poem::error::ResponseError for Problem {
    fn status(&self) -> poem::http::StatusCode {
        self.kind().status_code()
    }
}
