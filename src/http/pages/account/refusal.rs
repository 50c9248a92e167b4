//! What the domain refuses, as a page says it: beside the field that it is about, with the status
//! that the API answers it with.

use std::time::Duration;

use minijinja::Value;
use poem::Response;

use crate::http::pages::answer;
use crate::http::pages::form::Shown;
use crate::http::pages::site::Site;
use crate::http::pages::visit::Visitor;
use crate::http::pages::words::Words;
use crate::http::problem::Kind;
use crate::http::problem::Problem;
use crate::identity::Error;

/// The form on `template` once more, with what was wrong. `about` is the field that a refusal of
/// the whole belongs to.
///
/// # Errors
/// What has nothing to do with the form.
pub fn refused(
    site: &Site,
    visitor: &Visitor,
    error: Error,
    about: &'static str,
    shown: Shown,
    page: impl FnOnce(Shown) -> (&'static str, Value),
) -> Result<Response, Problem> {
    let words = visitor.words();
    let rules = &site.accounts.settings().passwords;
    let again = |shown: Shown, problem: Problem| {
        let status = problem.kind().status_code();
        let (template, values) = page(shown);
        let mut response = site.show_as(status, visitor, template, values);
        for (name, value) in problem.into_headers() {
            response.headers_mut().insert(name, value);
        }
        response
    };
    let invalid = || Problem::new(Kind::InvalidFields);
    Ok(match error {
        Error::Invalid(errors) => again(shown.refused(errors, words, rules), invalid()),
        Error::CredentialsRefused => {
            let why = words.say(match about {
                "current_password" => "wrong_current_password",
                _ => "wrong_credentials",
            });
            again(shown.refuse(about, why), invalid())
        }
        Error::CodeRefused { attempts_left: 0 } => again(
            shown.refuse(about, words.say("wrong_code_used_up")),
            invalid(),
        ),
        Error::CodeRefused { attempts_left } => {
            let left = attempts_left.to_string();
            let why = words.fill("wrong_code", &[("left", &left)]);
            again(shown.refuse(about, why), invalid())
        }
        Error::Limited(limited) => {
            let wait = wait(limited.retry_after, words);
            let why = words.fill("limited", &[("wait", &wait)]);
            again(shown.refuse(about, why), Error::Limited(limited).into())
        }
        Error::Busy { retry_after } => {
            let why = words.say("busy");
            again(shown.refuse(about, why), Error::Busy { retry_after }.into())
        }
        // The session ended between two looks at it.
        Error::Unauthenticated => answer::go(visitor, "users/login/?done=ended"),
        error => return Err(error.into()),
    })
}

/// A pause in people's words.
pub fn wait(pause: Duration, words: Words) -> String {
    let seconds = pause.as_secs() + u64::from(pause.subsec_nanos() > 0);
    let (key, count) = match seconds {
        0..=120 => ("wait_seconds", seconds.max(1)),
        121..=7200 => ("wait_minutes", seconds.div_ceil(60)),
        _ => ("wait_hours", seconds.div_ceil(3600)),
    };
    words.fill(key, &[("count", &count.to_string())])
}
