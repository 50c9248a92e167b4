//! The doctor: looks at everything that a mail needs on its way out, one step after another, and
//! says of each how it is, how long it took and what to do. It sends no mail unless it is told
//! to, writes nothing, and opens no store that a running gatepost uses.
//!
//! What must not live here: printing, and what a server's reply means (the
//! [rulebook](crate::mail::rulebook)'s business).

mod account;
mod certificate;
mod domain;
mod failure;
mod files;
mod folder;
mod names;
mod post;
mod records;
mod report;
mod route;
mod settings;
mod spf;
mod tls;
mod words;

use std::time::Duration;

use crate::address::EmailAddress;
use crate::config;
use crate::config::Flag;
use crate::config::MailMode;
use crate::config::Request;
use crate::config::Settings;
use crate::language::Language;
use crate::mail::provider;
use crate::mail::provider::Provider;
use crate::mail::relay;
use crate::mail::route::RouteName;
use crate::serve;
use crate::world::Timestamp;
use crate::world::World;

pub use names::Names;
pub use names::NoAnswer;
pub use report::Report;
pub use report::Status;
pub use report::Step;
pub use words::Texts;
pub use words::Voice;
pub use words::mail_state;
pub use words::route_state;

use report::Finding;

/// How long a step may take whose work has no deadline of its own.
const STEP: Duration = Duration::from_secs(20);

/// 2026-01-01T00:00:00Z: this gatepost was built later.
const OLDEST_CLOCK: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// What the doctor is to look at.
#[derive(Debug, Clone)]
pub struct Order {
    /// Where the settings are read from.
    pub request: Request,
    /// Whether the relay is looked at although mail is captured.
    pub relay: bool,
    /// Who gets a real mail.
    pub send_to: Option<EmailAddress>,
}

/// Looks at everything. `tell` hears of each step when it is done.
pub async fn examine(
    order: &Order,
    world: &World,
    names: &Names,
    tell: &mut dyn FnMut(Language, &Step),
) -> Report {
    let mut request = order.request.clone();
    if order.relay {
        request.flags.push(Flag {
            setting: "mail.mode",
            flag: "--relay",
            value: "relay".to_owned(),
        });
    }
    let (settings, errors) = config::load_despite(&request);
    let language = settings.as_ref().map(|settings| settings.site.language);
    let language = language.unwrap_or_else(|| files::language(&request));
    let mut round = Round {
        voice: Voice(language),
        world: world.clone(),
        names: names.clone(),
        steps: Vec::new(),
        tell,
    };
    let voice = round.voice;
    let looked = settings::finding(voice, &request, settings.as_ref(), &errors);
    round.step("settings", STEP, async { looked }).await;
    let now = world.now();
    round.step("clock", STEP, clock(voice, now)).await;
    if let Some(settings) = &settings {
        round.look_at(order, settings, errors.0.is_empty()).await;
    } else {
        round.skip("relay", voice.say("settings_do_not_load", &[]));
    }
    Report::of(language, round.steps)
}

async fn clock(voice: Voice, now: Timestamp) -> Finding {
    let line = voice.say("clock_is", &[("now", &now)]);
    match now < OLDEST_CLOCK {
        true => Finding::warning(line).remedy(voice.say("clock_is_behind", &[])),
        false => Finding::ok(line),
    }
}

/// One round of steps.
struct Round<'a> {
    voice: Voice,
    world: World,
    names: Names,
    steps: Vec<Step>,
    tell: &'a mut dyn FnMut(Language, &Step),
}

impl Round<'_> {
    /// `sound`: nothing is wrong with the settings, and a gatepost would start with them.
    async fn look_at(&mut self, order: &Order, settings: &Settings, sound: bool) {
        let voice = self.voice;
        let captures = settings.mail.mode == MailMode::Capture;
        let running = self.look_at_folder(settings).await;
        if captures {
            self.look_at_capture(settings, running.as_ref()).await;
            self.skip("relay", voice.say("nothing_goes_out", &[]));
        } else {
            let ways = serve::ways_out(settings);
            if ways.is_empty() {
                self.skip("relay", voice.say("no_relay_is_named", &[]));
            }
            let provider = ways
                .iter()
                .find(|(name, _)| *name == RouteName::Primary)
                .and_then(|(_, relay)| provider_of(relay));
            for (name, relay) in ways {
                self.look_at_route(name, relay, &settings.mail.from).await;
            }
            self.look_at_domain(&settings.mail.from.address, provider)
                .await;
        }
        match &order.send_to {
            Some(to) if sound => self.send(settings, to, captures).await,
            Some(_) => self.skip("send", voice.say("correct_the_settings_first", &[])),
            None => {}
        }
    }

    /// Takes a step.
    async fn step(
        &mut self,
        id: &str,
        limit: Duration,
        work: impl Future<Output = Finding>,
    ) -> Status {
        let (finding, took) = self.timed(limit, work).await;
        let finding = finding.unwrap_or_else(Finding::failure);
        self.note(id, took, finding)
    }

    /// Takes a step that asks the name servers: slow ones are no failure of the mail.
    async fn ask(&mut self, id: &str, work: impl Future<Output = Finding>) -> Status {
        let (finding, took) = self.timed(domain::ASKING, work).await;
        let finding = finding.unwrap_or_else(|late| {
            let servers = self.names.servers();
            Finding::warning(late)
                .and(self.voice.say("servers_asked", &[("servers", &servers)]))
                .remedy(self.voice.say("no_dns_answer_advice", &[]))
        });
        self.note(id, took, finding)
    }

    /// What came of the work, or that it was not done within its deadline, and how long it took.
    async fn timed(
        &self,
        limit: Duration,
        work: impl Future<Output = Finding>,
    ) -> (Result<Finding, String>, Duration) {
        let begun = self.world.elapsed();
        let seconds = limit.as_secs();
        let finding = self.world.timeout(limit, work).await;
        let finding = finding.map_err(|_| {
            self.voice
                .say("step_took_too_long", &[("seconds", &seconds)])
        });
        (finding, self.world.elapsed().saturating_sub(begun))
    }

    /// Notes a step that was taken, and tells of it.
    fn note(&mut self, id: &str, took: Duration, finding: Finding) -> Status {
        let title = |id: &str| self.voice.say(&format!("title_{id}"), &[]);
        let title = match id.strip_prefix("fallback_") {
            Some(id) => self.voice.say("of_the_fallback", &[("title", &title(id))]),
            None => title(id),
        };
        let step = Step {
            id: id.to_owned(),
            title,
            status: finding.status,
            took,
            detail: finding.detail,
            remedy: (!finding.remedy.is_empty()).then(|| finding.remedy.join("\n")),
            page: finding.page,
            rule: finding.rule,
        };
        (self.tell)(self.voice.0, &step);
        self.steps.push(step);
        finding.status
    }

    fn skip(&mut self, id: &str, reason: String) {
        self.note(id, Duration::ZERO, Finding::skipped(reason));
    }
}

/// The provider of this relay: the one that was named, or else the one whose host it is.
fn provider_of(relay: &relay::Settings) -> Option<&'static Provider> {
    relay.provider.or_else(|| provider::by_host(&relay.host))
}

/// Whether this host can only be this very machine.
fn is_this_machine(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.to_canonical().is_loopback())
}

/// The words of how a step went.
pub fn status_words(language: Language, status: Status) -> String {
    Voice(language).say(&format!("status_{}", status.word()), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::Simulated;

    #[tokio::test]
    async fn slow_name_servers_are_a_warning_and_other_work_that_hangs_a_failure() {
        let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let clock = Simulated::new(1);
        let mut tell = |_: Language, _: &Step| {};
        let mut round = Round {
            voice: Voice(Language::En),
            world: clock.world(),
            names: Names::of_server(silent.local_addr().unwrap()),
            steps: Vec::new(),
            tell: &mut tell,
        };
        let from: EmailAddress = "ann@team.test".parse().unwrap();
        let mut looking = Box::pin(round.look_at_domain(&from, None));
        for _ in 0..3 {
            assert!(futures_util::poll!(&mut looking).is_pending());
            clock.advance(domain::ASKING);
        }
        looking.await;
        let mut hanging = Box::pin(round.step("data", STEP, std::future::pending()));
        assert!(futures_util::poll!(&mut hanging).is_pending());
        clock.advance(STEP);
        hanging.await;
        let report = Report::of(Language::En, round.steps);
        for id in ["spf", "dkim", "dmarc"] {
            let step = report.step(id).unwrap();
            assert_eq!(step.status, Status::Warning, "{step:#?}");
            assert_eq!(step.took, domain::ASKING);
        }
        assert_eq!(report.step("data").unwrap().status, Status::Failure);
    }
}
