//! `gatepost outbox routes`, `pause` and `resume`.

use crate::cli::Exit;
use crate::cli::output;
use crate::cli::screen;
use crate::cli::screen::Facts;
use crate::cli::screen::Screen;
use crate::cli::server::failed;
use crate::cli::words;
use crate::client::Budget;
use crate::client::Route;
use crate::client::RouteAction;
use crate::world::Timestamp;
use crate::world::World;

use super::args::Common;
use super::args::OneRoute;

/// Prints all routes.
pub fn list(common: &Common) -> Result<(), Exit> {
    let client = common.server.client()?;
    let answer = client.routes().map_err(|error| failed(&error))?;
    match Screen::new(common.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let now = World::system().now();
            let routes: Vec<String> = answer
                .value
                .items
                .iter()
                .map(|route| lines(route, width, now).join("\n"))
                .collect();
            output::print(&match routes.is_empty() {
                true => "No route is there yet: the courier has not begun.".to_owned(),
                false => routes.join("\n\n"),
            })
        }
    }
}

/// Pauses or resumes one, and prints how it is afterwards.
pub fn switch(action: RouteAction, of: &OneRoute) -> Result<(), Exit> {
    let client = of.common.server.client()?;
    let name = of.route.word();
    let answer = client
        .act_on_route(action, name)
        .map_err(|error| failed(&format_args!("{name}: {error}")))?;
    match Screen::new(of.common.json) {
        Screen::Program { indented } => screen::print_json(&answer.json, indented),
        Screen::People { width } => {
            let now = World::system().now();
            output::print(&lines(&answer.value, width, now).join("\n"))?;
            if action != RouteAction::Pause {
                return Ok(());
            }
            let server = of.common.server.again();
            output::print(&format!(
                "\nMail waits until: gatepost outbox resume{server} {name}"
            ))
        }
    }
}

fn lines(route: &Route, width: u16, now: Timestamp) -> Vec<String> {
    let user = route.user.as_deref();
    let user = user.map_or_else(String::new, |user| format!(" as {user}"));
    let head = format!("{}: {}:{}{user}", route.name, route.host, route.port);
    let mut lines = vec![output::visible(&head)];
    lines.extend(facts(route, now).lines(2, width));
    lines
}

fn facts(route: &Route, now: Timestamp) -> Facts {
    let moment = |at: &Option<String>| at.as_ref().map(|at| screen::moment(at, now));
    let coming = |at: &Option<String>| at.as_ref().map(|at| screen::coming_moment(at, now));
    let mut facts = Facts::default();
    facts.add("State", words::route_state(&route.state));
    facts.add_some("Paused", moment(&route.paused_at));
    facts.add_some("Since", moment(&route.since));
    facts.add_some("Tried next", coming(&route.next_probe_at));
    facts.add("Budget", budget(&route.budget));
    facts.add_some("Resumes", coming(&route.budget.resumes_at));
    facts.add_some("Last sent", moment(&route.last_success_at));
    facts.add("Connections", format!("{} open", route.connections));
    if let Some(error) = &route.last_error {
        let recovered = route.state == "closed";
        facts.add(
            "Last error",
            format!(
                "{}, at {}{}",
                screen::away(&error.at, now),
                words::stage(&error.stage),
                if recovered { "; it works again" } else { "" }
            ),
        );
        facts.add("Reply", &error.text);
        facts.add_some("Meaning", error.meaning.as_deref());
        facts.add_some("What to do", error.advice.as_deref());
        facts.add_some("Page", error.page.as_deref());
    }
    facts
}

fn budget(budget: &Budget) -> String {
    let spent = budget.spent;
    let mut said = match budget.per_day {
        Some(per_day) => format!(
            "{spent} of {per_day} in the last 24 h, {} of them kept for codes",
            budget.kept_for_codes
        ),
        None => format!("{spent} in the last 24 h, no limit is set"),
    };
    if let Some(per_minute) = budget.per_minute {
        said += &format!("; {per_minute} a minute");
    }
    said
}
