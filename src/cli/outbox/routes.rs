//! `gatepost outbox routes`, `pause` and `resume`.

use std::fmt::Display;
use std::time::Duration;

use serde_json::Value;

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::run;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words::Voice;
use crate::client::Budget;
use crate::client::Client;
use crate::client::Route;
use crate::client::RouteAction;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::args::OneRoute;

/// How long a resumed route is given to show what came of it, and how often it is asked.
const SETTLING: Duration = Duration::from_secs(2);
const ASKING: Duration = Duration::from_millis(100);

/// How long the first mail over one that was paused is waited for, if there is any.
const FIRST_MAIL: Duration = Duration::from_millis(500);

/// Prints all routes.
pub fn list(common: &Common) -> Result<(), Exit> {
    let (client, voice) = common.server.open()?;
    let answer = client.routes().map_err(|error| failed(&error))?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let now = World::system().now();
            let routes: Vec<String> = answer
                .value
                .items
                .iter()
                .map(|route| lines(voice, route, width, now).join("\n"))
                .collect();
            output::print(&match routes.is_empty() {
                true => voice.say("no_routes", &[]),
                false => routes.join("\n\n"),
            })
        }
    }
}

/// Pauses or resumes one, and prints how it is afterwards.
pub fn switch(action: RouteAction, of: &OneRoute) -> Result<(), Exit> {
    let (client, voice) = of.common.server.open()?;
    let name = of.route.word();
    let asked_at = World::system().now();
    let answer = client
        .act_on_route(action, name)
        .map_err(|error| match error.code() {
            Some("not_found") => failed(&voice.say("no_such_route", &[("name", &name)])),
            _ => failed(&format_args!("{name}: {error}")),
        })?;
    let (mut route, mut json) = (answer.value, answer.json);
    if action == RouteAction::Resume {
        (route, json) = settled(&client, (route, json), asked_at)?;
    }
    match Screen::new(of.common.json) {
        Screen::Program { indented } => screen::print_json(&json, indented),
        Screen::People { width } => {
            let now = World::system().now();
            output::print(&lines(voice, &route, width, now).join("\n"))?;
            let server = of.common.server.again();
            let said = match action {
                RouteAction::Pause => {
                    voice.say("mail_waits", &[("server", &server), ("name", &name)])
                }
                RouteAction::Resume => match route.state.as_str() {
                    "closed" | "open" if has_failed(&route, asked_at) => {
                        voice.say("resumed_failed", &[])
                    }
                    "probing" => voice.say("resumed_probing", &[]),
                    "open" => voice.say("resumed_open", &[]),
                    _ => voice.say("resumed", &[]),
                },
            };
            output::print(&format!("\n{said}"))
        }
    }
}

/// The route once the one mail that tries it has shown how it is: the answer to the order itself
/// is older than that.
fn settled(
    client: &Client,
    mut last: (Route, Value),
    asked_at: Timestamp,
) -> Result<(Route, Value), Exit> {
    let world = World::system();
    run::block_on(async {
        let begun = world.elapsed();
        loop {
            let patience = match last.0.state.as_str() {
                "open" | "probing" => SETTLING,
                "closed" => FIRST_MAIL,
                _ => break,
            };
            let shown = has_failed(&last.0, asked_at) || has_sent(&last.0, asked_at);
            if shown || world.elapsed().saturating_sub(begun) >= patience {
                break;
            }
            world.sleep(ASKING).await;
            // It was resumed; how it is now is told as far as it is known.
            let Ok(answer) = client.routes() else { break };
            let items = answer.value.items.into_iter();
            let mut routes = items.zip(answer.json["items"].as_array().into_iter().flatten());
            match routes.find(|(route, _)| route.name == last.0.name) {
                Some((route, json)) => last = (route, json.clone()),
                None => break,
            }
        }
        last
    })
}

/// Whether it failed since then.
fn has_failed(route: &Route, since: Timestamp) -> bool {
    let error = route.last_error.as_ref();
    error.is_some_and(|error| !screen::is_over(&error.at, since))
}

/// Whether a mail went out since then.
fn has_sent(route: &Route, since: Timestamp) -> bool {
    let sent = route.last_success_at.as_ref();
    sent.is_some_and(|at| !screen::is_over(at, since))
}

fn lines(voice: Voice, route: &Route, width: u16, now: Timestamp) -> Vec<String> {
    let at = format!("{}:{}", route.host, route.port);
    let head = match &route.user {
        Some(user) => {
            let values: [(&str, &dyn Display); 3] =
                [("name", &route.name), ("at", &at), ("user", user)];
            voice.say("as_user", &values)
        }
        None => voice.say("as_nobody", &[("name", &route.name), ("at", &at)]),
    };
    let mut lines = vec![output::visible(&head)];
    lines.extend(facts(voice, route, now).lines(2, width));
    lines
}

fn facts(voice: Voice, route: &Route, now: Timestamp) -> Facts {
    let moment = |at: &Option<String>| at.as_ref().map(|at| screen::moment(voice, at, now));
    let coming = |at: &Option<String>| at.as_ref().map(|at| screen::coming_moment(voice, at, now));
    let label = |key: &str| voice.label(key);
    let mut facts = Facts::default();
    facts.add(label("state"), state(voice, route));
    facts.add_some(label("paused"), moment(&route.paused_at));
    facts.add_some(label("since"), moment(&route.since));
    facts.add_some(label("tried_next"), coming(&route.next_probe_at));
    facts.add(label("budget"), budget(voice, &route.budget));
    facts.add_some(label("resumes"), coming(&route.budget.resumes_at));
    facts.add_some(label("last_sent"), moment(&route.last_success_at));
    facts.add(
        label("connections"),
        voice.say("connections_open", &[("n", &route.connections)]),
    );
    if let Some(error) = &route.last_error {
        let (when, stage) = (
            screen::away(voice, &error.at, now),
            voice.stage(&error.stage),
        );
        let key = match route.state == "closed" && is_later(&route.last_success_at, &error.at) {
            true => "last_error_is_over",
            false => "last_error_is",
        };
        let said = voice.say(key, &[("when", &when), ("stage", &stage)]);
        facts.add(label("last_error"), said);
        facts.add(label("reply"), &error.text);
        facts.add_some(label("meaning"), error.meaning.as_deref());
        facts.add_some(label("advice"), error.advice.as_deref());
        facts.add_some(label("page"), error.page.as_deref());
    }
    facts
}

/// Only a mail that went out since shows that it works again.
fn is_later(success: &Option<String>, error: &str) -> bool {
    let parsed = |at: &str| at.parse::<jiff::Timestamp>().ok();
    success.as_deref().and_then(parsed) > parsed(error)
}

fn state(voice: Voice, route: &Route) -> String {
    let state = voice.route_state(&route.state);
    let budget = &route.budget;
    let spent = budget.per_day.is_some_and(|most| budget.spent >= most);
    match spent && route.state == "closed" {
        true => voice.say("state_spent", &[("state", &state)]),
        false => state,
    }
}

fn budget(voice: Voice, budget: &Budget) -> String {
    let spent = budget.spent;
    let said = match budget.per_day {
        Some(per_day) => {
            let kept = budget.kept_for_codes;
            let values: [(&str, &dyn Display); 3] =
                [("spent", &spent), ("per_day", &per_day), ("kept", &kept)];
            voice.say("budget_of", &values)
        }
        None => voice.say("budget_without", &[("spent", &spent)]),
    };
    match budget.per_minute {
        Some(per_minute) => {
            let values: [(&str, &dyn Display); 2] = [("said", &said), ("per_minute", &per_minute)];
            voice.say("budget_pace", &values)
        }
        None => said,
    }
}
