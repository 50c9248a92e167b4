//! The steps along one way out: credentials, names, TCP, TLS, EHLO, AUTH, MAIL FROM, RCPT TO and
//! RSET, with the very code that delivers mail. Nothing is sent.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::time::Duration;

use crate::address::EmailAddress;
use crate::mail::Sender;
use crate::mail::provider::Endpoint;
use crate::mail::provider::Provider;
use crate::mail::relay::Failure;
use crate::mail::relay::Probe;
use crate::mail::relay::Security;
use crate::mail::relay::Settings;
use crate::mail::route::RouteName;

use super::Round;
use super::STEP;
use super::account::corrected;
use super::account::credentials;
use super::failure;
use super::is_this_machine;
use super::provider_of;
use super::report::Finding;
use super::report::Status;
use super::settings::security_word;
use super::tls;
use super::words::Voice;

/// How many addresses of a kind are tried.
const MOST_ADDRESSES: usize = 3;

/// How long another port may take to answer.
const OTHER_PORT: Duration = Duration::from_secs(3);

/// Beside a stage's own deadline, which speaks first.
const MARGIN: Duration = Duration::from_secs(5);

/// The steps behind the name, in their order.
const STAGES: [&str; 8] = [
    "tcp_v4",
    "tcp_v6",
    "tls",
    "ehlo",
    "auth",
    "mail_from",
    "rcpt_to",
    "quit",
];

/// One way out, and what is needed to look at it.
pub(super) struct Way<'a> {
    prefix: &'static str,
    pub settings: Settings,
    pub provider: Option<&'static Provider>,
    pub from: &'a Sender,
}

impl Way<'_> {
    fn id(&self, step: &str) -> String {
        format!("{}{step}", self.prefix)
    }

    /// The account, where it is an address.
    pub fn account(&self) -> Option<EmailAddress> {
        self.settings.user.as_deref()?.parse().ok()
    }

    fn has_credentials(&self) -> bool {
        self.settings.user.is_some() && self.settings.password.is_some()
    }

    /// The section of the settings.
    pub fn section(&self) -> &'static str {
        match self.prefix {
            "" => "relay",
            _ => "fallback",
        }
    }
}

impl Round<'_> {
    /// Looks at one way out, from its credentials to the good-bye.
    pub(super) async fn look_at_route(
        &mut self,
        name: RouteName,
        settings: Settings,
        from: &Sender,
    ) {
        let way = Way {
            prefix: match name {
                RouteName::Primary => "",
                RouteName::Fallback => "fallback_",
            },
            provider: provider_of(&settings),
            settings,
            from,
        };
        let voice = self.voice;
        let credentials = credentials(voice, &way);
        self.note(&way.id("credentials"), Duration::ZERO, credentials);
        let addresses = self.look_up(&way).await;
        if addresses.is_empty() {
            return self.skip_from(&way, "tcp_v4");
        }
        let Some((mut probe, address)) = self.connect(&way, &addresses).await else {
            return self.skip_from(&way, "tls");
        };
        if !self.protect(&way, &mut probe, address).await {
            return;
        }
        if !self.greet(&way, &mut probe, address).await {
            return self.skip_from(&way, "auth");
        }
        if !self.log_in(&way, &mut probe).await {
            return self.skip_from(&way, "mail_from");
        }
        self.envelope(&way, &mut probe).await;
    }

    /// The steps from this one on cannot be taken.
    fn skip_from(&mut self, way: &Way<'_>, first: &str) {
        let reason = self.voice.say("needs_the_step_before", &[]);
        for step in STAGES.iter().skip_while(|step| **step != first) {
            self.skip(&way.id(step), reason.clone());
        }
    }

    async fn look_up(&mut self, way: &Way<'_>) -> Vec<IpAddr> {
        let (voice, names) = (self.voice, self.names.clone());
        let host = &way.settings.host;
        let mut found = Vec::new();
        let work = async {
            let servers = names.servers();
            match names.addresses(host).await {
                Ok(addresses) if !addresses.is_empty() => {
                    let list: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
                    let list = list.join(", ");
                    found = addresses;
                    let finding =
                        Finding::ok(voice.say("name_has", &[("host", host), ("list", &list)]));
                    match host.parse::<IpAddr>().is_ok() || is_this_machine(host) {
                        true => finding,
                        false => finding.and(voice.say("servers_asked", &[("servers", &servers)])),
                    }
                }
                outcome => {
                    let reason = outcome.err().map(|error| error.to_string());
                    let finding = Finding::failure(voice.say("name_not_found", &[("host", host)]));
                    let finding = match reason {
                        Some(reason) => finding.and(reason),
                        None => finding,
                    };
                    let finding = finding
                        .and(voice.say("servers_asked", &[("servers", &servers)]))
                        .remedy(voice.say("advice_name", &[]));
                    match way.provider.and_then(|provider| provider.host.as_ref()) {
                        Some(right) if right != host => {
                            finding.remedy(voice.say("right_host", &[("host", right)]))
                        }
                        _ => finding,
                    }
                }
            }
        };
        self.step(&way.id("dns"), STEP, work).await;
        found
    }

    /// Connects over IPv4 and IPv6, each on its own; the answer is a connection that stands.
    async fn connect(
        &mut self,
        way: &Way<'_>,
        addresses: &[IpAddr],
    ) -> Option<(Probe, SocketAddr)> {
        let voice = self.voice;
        let (v4, v6): (Vec<IpAddr>, Vec<IpAddr>) = addresses.iter().partition(|ip| ip.is_ipv4());
        let mut outcomes = Vec::new();
        for (step, family) in [("tcp_v4", v4), ("tcp_v6", v6)] {
            let begun = self.world.elapsed();
            let outcome = self.connect_any(way, &family).await;
            let took = self.world.elapsed().saturating_sub(begun);
            outcomes.push((step, took, outcome));
        }
        let any = outcomes
            .iter()
            .any(|(_, _, outcome)| matches!(outcome, Some(Ok(_))));
        let other = match any || is_this_machine(&way.settings.host) {
            true => None,
            false => self.other_port(way, addresses).await,
        };
        let mut standing = None;
        for (step, took, outcome) in outcomes {
            let family = if step == "tcp_v4" { "IPv4" } else { "IPv6" };
            let finding = match outcome {
                None => Finding::skipped(voice.say("no_address_of", &[("family", &family)])),
                Some(Ok((probe, address))) => {
                    standing = standing.or(Some((probe, address)));
                    Finding::ok(voice.say("connected_to", &[("address", &address)]))
                }
                Some(Err(failure)) => {
                    let mut finding = failure::finding(voice, &failure);
                    if any {
                        finding.status = Status::Warning;
                        finding = finding.remedy(voice.say("other_family_works", &[]));
                    }
                    if let Some(other) = other {
                        finding = finding.remedy(other_port_said(voice, way, other));
                    }
                    finding
                }
            };
            self.note(&way.id(step), took, finding);
        }
        standing
    }

    /// The first of these addresses that takes a connection; `None` where there is no address.
    async fn connect_any(
        &self,
        way: &Way<'_>,
        addresses: &[IpAddr],
    ) -> Option<Result<(Probe, SocketAddr), Failure>> {
        let mut last = None;
        for ip in addresses.iter().take(MOST_ADDRESSES) {
            let address = SocketAddr::new(*ip, way.settings.port);
            let mut probe = match Probe::new(way.settings.clone(), self.world.clone()) {
                Ok(probe) => probe,
                Err(error) => return Some(Err(unusable(&error))),
            };
            match probe.connect(address).await {
                Ok(()) => return Some(Ok((probe, address))),
                Err(failure) => last = Some(Err(failure)),
            }
        }
        last
    }

    /// Another of the usual ports, when that one answers.
    async fn other_port(&self, way: &Way<'_>, addresses: &[IpAddr]) -> Option<Endpoint> {
        let usual = [(465, Security::Implicit), (587, Security::StartTls)];
        let usual = usual.map(|(port, security)| Endpoint { port, security });
        let others: Vec<Endpoint> = match way.provider {
            Some(provider) => provider.endpoints().collect(),
            None => usual.to_vec(),
        };
        let ip = *addresses.first()?;
        for other in others {
            if other.port == way.settings.port {
                continue;
            }
            let connecting = tokio::net::TcpStream::connect((ip, other.port));
            if let Ok(Ok(_)) = self.world.timeout(OTHER_PORT, connecting).await {
                return Some(other);
            }
        }
        None
    }

    /// TLS. When it fails, the steps behind it are told as skipped.
    async fn protect(&mut self, way: &Way<'_>, probe: &mut Probe, address: SocketAddr) -> bool {
        let voice = self.voice;
        let begun = self.world.elapsed();
        let outcome = probe.protect().await;
        let took = self.world.elapsed().saturating_sub(begun);
        let now = self.world.now();
        let certificate = probe.certificate();
        let finding = match outcome {
            Ok(Some(version)) => tls::well(voice, version, certificate.as_deref(), now),
            Ok(None) => Finding::skipped(voice.say("no_tls_wanted", &[])),
            Err(failure) if failure.stage < crate::mail::attempt::Stage::Tls => {
                // With STARTTLS the server is greeted before.
                let reason = voice.say("greeting_comes_first", &[]);
                self.skip(&way.id("tls"), reason);
                let finding = self.ungreeted(way, &failure, address).await;
                self.note(&way.id("ehlo"), took, finding);
                self.skip_from(way, "auth");
                return false;
            }
            Err(failure) => {
                let mut finding = tls::failed(voice, &failure, certificate.as_deref(), now);
                let implicit = way.settings.security == Security::Implicit;
                if certificate.is_none()
                    && implicit
                    && tls::greets_in_plain(address, &self.world).await
                {
                    let port = way.settings.port;
                    finding = finding.remedy(voice.say("port_wants_starttls", &[("port", &port)]));
                }
                self.note(&way.id("tls"), took, finding);
                self.skip_from(way, "ehlo");
                return false;
            }
        };
        self.note(&way.id("tls"), took, finding);
        true
    }

    /// A server that did not greet: perhaps it waits for TLS.
    async fn ungreeted(&self, way: &Way<'_>, failure: &Failure, address: SocketAddr) -> Finding {
        let finding = failure::finding(self.voice, failure);
        let waits = failure.code.is_none()
            && way.settings.security != Security::Implicit
            && tls::speaks_tls_at_once(address, &way.settings, &self.world).await;
        match waits {
            true => {
                let port = way.settings.port;
                finding.remedy(self.voice.say("port_wants_tls", &[("port", &port)]))
            }
            false => finding,
        }
    }

    async fn greet(&mut self, way: &Way<'_>, probe: &mut Probe, address: SocketAddr) -> bool {
        let voice = self.voice;
        let begun = self.world.elapsed();
        let outcome = probe.greet().await;
        let took = self.world.elapsed().saturating_sub(begun);
        let finding = match &outcome {
            Ok(offers) => offered(voice, way, offers),
            Err(failure) => self.ungreeted(way, failure, address).await,
        };
        self.note(&way.id("ehlo"), took, finding);
        outcome.is_ok()
    }

    async fn log_in(&mut self, way: &Way<'_>, probe: &mut Probe) -> bool {
        let voice = self.voice;
        if !way.has_credentials() {
            let reason = voice.say("no_credentials_to_try", &[]);
            self.skip(&way.id("auth"), reason);
            return true;
        }
        let limit = way.settings.deadlines.greeting + MARGIN;
        let work = async {
            match probe.log_in().await {
                Ok(()) => {
                    let user = way.settings.user.as_deref().unwrap_or_default();
                    Finding::ok(voice.say("logged_in", &[("user", &user)]))
                }
                Err(failure) => {
                    let mut finding = failure::finding(voice, &failure);
                    if let Some(provider) = way.provider
                        && finding.page.is_none()
                    {
                        let words = provider.password.of(voice.0);
                        finding = finding
                            .remedy(voice.say(
                                "password_is",
                                &[("title", &provider.title), ("password", &words)],
                            ))
                            .on(Some(&provider.page));
                    }
                    finding
                }
            }
        };
        self.step(&way.id("auth"), limit, work).await == Status::Ok
    }

    /// MAIL FROM, RCPT TO, and nothing behind it.
    async fn envelope(&mut self, way: &Way<'_>, probe: &mut Probe) {
        let voice = self.voice;
        let limit = way.settings.deadlines.envelope + MARGIN;
        let from = &way.from.address;
        let account = way.account();
        let to = account.clone().unwrap_or_else(|| from.clone());
        let work = async {
            match probe.mail_from(from.as_str(), to.as_str()).await {
                Ok(_) => Finding::ok(voice.say("sender_accepted", &[("from", from)])),
                Err(failure) => {
                    let finding = failure::finding(voice, &failure);
                    match &account {
                        Some(account) if account != from => {
                            let right = corrected(way.from, account);
                            finding.remedy(voice.say("right_from", &[("from", &right)]))
                        }
                        _ => finding,
                    }
                }
            }
        };
        if self.step(&way.id("mail_from"), limit, work).await != Status::Ok {
            return self.skip_from(way, "rcpt_to");
        }
        let work = async {
            match probe.rcpt_to(to.as_str()).await {
                Ok(_) => Finding::ok(voice.say("recipient_accepted", &[("to", &to)])),
                Err(failure) => {
                    let mut finding = failure::finding(voice, &failure);
                    if account.is_none() && !failure.is_of_the_route() {
                        // A From that takes no mail is no obstacle to sending.
                        finding.status = Status::Warning;
                        finding = finding.and(voice.say("from_takes_no_mail", &[("to", &to)]));
                    }
                    finding
                }
            }
        };
        self.step(&way.id("rcpt_to"), limit, work).await;
        let work = async {
            match probe.leave().await {
                Ok(()) => Finding::ok(voice.say("nothing_was_sent", &[])),
                // The mail's own stages went well; how it parts is no obstacle.
                Err(failure) => {
                    let mut finding = failure::finding(voice, &failure);
                    finding.status = Status::Warning;
                    finding.and(voice.say("nothing_was_sent", &[]))
                }
            }
        };
        self.step(&way.id("quit"), limit, work).await;
    }
}

/// The certificate file that cannot be used.
fn unusable(error: &crate::mail::relay::SetupError) -> Failure {
    use crate::mail::attempt::Outcome;
    use crate::mail::attempt::Stage;
    Failure::of(Stage::Connect, Outcome::Configuration, error.to_string())
}

fn other_port_said(voice: Voice, way: &Way<'_>, other: Endpoint) -> String {
    let section = way.section();
    let security = security_word(other.security);
    voice.say(
        "other_port_answers",
        &[
            ("port", &other.port),
            ("section", &section),
            ("security", &security),
        ],
    )
}

fn offered(voice: Voice, way: &Way<'_>, offers: &[String]) -> Finding {
    let find = |word: &str| {
        offers.iter().find(|offer| {
            let first = offer.split([' ', '=']).next().unwrap_or_default();
            first.eq_ignore_ascii_case(word)
        })
    };
    let known = ["SIZE", "AUTH", "8BITMIME", "SMTPUTF8", "PIPELINING"];
    let known: Vec<String> = known
        .iter()
        .filter_map(|word| find(word).cloned())
        .collect();
    let list = match known.is_empty() {
        true => "-".to_owned(),
        false => known.join(", "),
    };
    let finding = Finding::ok(voice.say("server_offers", &[("list", &list)]));
    let wants_utf8 = !way.from.address.as_str().is_ascii();
    match wants_utf8 && find("SMTPUTF8").is_none() {
        true => finding
            .and(voice.say("no_smtputf8", &[]))
            .at_least(Status::Warning),
        false => finding,
    }
}
