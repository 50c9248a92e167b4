//! The step that looks at the settings: where they were looked for, what was found, what is
//! missing. No secret is shown.

use crate::config::Errors;
use crate::config::MailMode;
use crate::config::Origin;
use crate::config::Request;
use crate::config::Settings;
use crate::config::Source;
use crate::serve;

use super::files;
use super::files::Kind;
use super::provider_of;
use super::report::Finding;
use super::report::Status;
use super::words::Voice;

/// What is to be said of the settings.
pub(super) fn finding(
    voice: Voice,
    request: &Request,
    settings: Option<&Settings>,
    errors: &Errors,
) -> Finding {
    let mut finding = Finding::new(Status::Ok);
    let origins: &[Origin] = settings.map_or(&[], |settings| &settings.origins);
    finding = dotenv(voice, request, settings.map(|_| origins), finding);
    finding = file(voice, request, settings.map(|_| origins), finding);
    let variables: Vec<&str> = origins.iter().filter_map(of_environment).collect();
    if !variables.is_empty() {
        let list = variables.join(", ");
        finding = finding.and(voice.say("environment_sets", &[("list", &list)]));
    }
    if let Some(settings) = settings {
        finding = way(voice, settings, finding);
        for warning in &settings.warnings {
            finding = finding.and(warning).at_least(Status::Warning);
        }
    }
    // Whoever only asked for a look at the relay is not told to capture mail: that is done.
    let only_looks = request.flags.iter().any(|flag| flag.flag == "--relay");
    let no_relay = |error: &str| only_looks && error.starts_with("relay.host: mail.mode is relay");
    let mut corrected = false;
    for error in &errors.0 {
        let error = error.to_string();
        finding = match no_relay(&error) {
            true => finding
                .and(voice.say("no_relay_is_named", &[]))
                .remedy(voice.say("name_a_relay", &[])),
            false => {
                corrected = true;
                finding.and(error)
            }
        }
        .at_least(Status::Failure);
    }
    if corrected {
        finding = finding.remedy(voice.say("correct_the_settings", &[]));
    }
    finding
}

fn of_environment(origin: &Origin) -> Option<&str> {
    match &origin.source {
        Source::Environment(variable) => Some(variable),
        _ => None,
    }
}

/// `origins` is `None` where the settings do not load.
fn dotenv(
    voice: Voice,
    request: &Request,
    origins: Option<&[Origin]>,
    finding: Finding,
) -> Finding {
    let found = files::dotenv(request);
    let path = found.path.display();
    let from_it = |origin: &&Origin| matches!(origin.source, Source::DotEnv { .. });
    let count = origins.map(|origins| origins.iter().filter(from_it).count());
    match (found.kind, count) {
        (Kind::File, None) => finding.and(voice.say("file_read", &[("path", &path)])),
        (Kind::File, Some(0)) => finding
            .and(voice.say("file_sets_nothing", &[("path", &path)]))
            .remedy(voice.say("names_of_dotenv", &[]))
            .at_least(Status::Warning),
        (Kind::File, Some(count)) => {
            finding.and(voice.say("file_sets", &[("path", &path), ("count", &count)]))
        }
        (kind, _) => {
            let key = match kind {
                Kind::Folder => "file_is_folder",
                _ => "file_not_there",
            };
            let mut finding = finding.and(voice.say(key, &[("path", &path)]));
            let instead = files::instead_of_dotenv(request);
            if !instead.is_empty() {
                let list: Vec<String> = instead.iter().map(|p| p.display().to_string()).collect();
                let list = list.join(", ");
                finding = finding
                    .and(voice.say("found_instead", &[("list", &list)]))
                    .remedy(voice.say("move_dotenv", &[("path", &path)]))
                    .at_least(Status::Warning);
            }
            finding
        }
    }
}

fn file(voice: Voice, request: &Request, origins: Option<&[Origin]>, finding: Finding) -> Finding {
    let found = files::file(request);
    let path = found.path.display();
    let from_it = |origin: &&Origin| matches!(origin.source, Source::File { .. });
    let count = origins.map(|origins| origins.iter().filter(from_it).count());
    finding.and(match (found.kind, count) {
        (Kind::File, Some(count)) => voice.say("file_sets", &[("path", &path), ("count", &count)]),
        (Kind::File, None) => voice.say("file_read", &[("path", &path)]),
        (Kind::Folder, _) => voice.say("file_is_folder", &[("path", &path)]),
        (Kind::Nothing, _) => voice.say("file_not_there", &[("path", &path)]),
    })
}

/// Where mail goes and as whom.
fn way(voice: Voice, settings: &Settings, mut finding: Finding) -> Finding {
    let source = |name: &str| {
        let origin = settings.origins.iter().find(|origin| origin.name == name);
        origin.map_or_else(String::new, |origin| origin.source.to_string())
    };
    let mode = match settings.mail.mode {
        MailMode::Capture => "capture",
        MailMode::Relay => "relay",
    };
    let from = source("mail.mode");
    finding = finding.and(voice.say("mail_mode_is", &[("mode", &mode), ("source", &from)]));
    for (name, relay) in serve::ways_out(settings) {
        let section = name.word();
        let provider = provider_of(&relay);
        let title = provider.map_or_else(|| voice.say("no_provider", &[]), |p| p.title.clone());
        finding = finding.and(voice.say(
            "relay_is",
            &[
                ("name", &section),
                ("host", &relay.host),
                ("port", &relay.port),
                ("security", &security_word(relay.security)),
                ("provider", &title),
            ],
        ));
    }
    let sender = &settings.mail.from;
    let from = source("mail.from");
    finding.and(voice.say("from_is", &[("from", sender), ("source", &from)]))
}

/// As it stands in `relay.security`.
pub(super) fn security_word(security: crate::config::Security) -> &'static str {
    match security {
        crate::config::Security::None => "none",
        crate::config::Security::StartTls => "starttls",
        crate::config::Security::Implicit => "implicit",
    }
}
