//! The steps on this machine: the data folder, the gatepost that runs on it, its routes and its
//! capture server. Nothing is made and nothing is opened for writing.

use std::fmt::Display;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::time::Duration;

use rustix::fs::Access;
use rustix::fs::access;
use rustix::fs::statvfs;

use crate::client::Client;
use crate::client::Route;
use crate::config::MailMode;
use crate::config::Settings;
use crate::mail::relay;
use crate::serve;
use crate::serve::Address;
use crate::serve::FindError;
use crate::serve::Found;

use super::Round;
use super::STEP;
use super::files::from_root;
use super::report::Finding;
use super::report::Status;
use super::tls;
use super::words::Voice;
use super::words::route_state;

/// Less free space than this is told of; mails and commits need some.
const LITTLE: u64 = 1 << 30;
/// Less than this is a failure.
const TOO_LITTLE: u64 = 64 << 20;

/// How long whoever runs may take to say that it lives.
const PATIENCE: Duration = Duration::from_secs(5);

impl Round<'_> {
    /// The data folder and who runs on it.
    pub(super) async fn look_at_folder(&mut self, settings: &Settings) -> Option<Address> {
        let voice = self.voice;
        let dir = settings.data.dir.clone();
        self.step("data", STEP, in_background(move || folder(voice, &dir)))
            .await;
        let dir = settings.data.dir.clone();
        let found = tokio::task::spawn_blocking(move || serve::find(&dir)).await;
        let mut running = None;
        let work = async {
            let found = match found {
                Ok(Ok(found)) => found,
                Ok(Err(FindError::Nobody { left, .. })) => {
                    let finding = Finding::ok(voice.say("nobody_runs", &[]));
                    return match left {
                        Some(left) => finding.and(voice.say("left_behind", &[("pid", &left.pid)])),
                        None => finding,
                    };
                }
                Ok(Err(error)) => return Finding::warning(error.to_string()),
                Err(panicked) => return Finding::warning(panicked.to_string()),
            };
            let url = format!("http://{}", found.address.http);
            let asked = url.clone();
            let health = tokio::task::spawn_blocking(move || healthz(&asked)).await;
            let health = health.unwrap_or_else(|panicked| Err(panicked.to_string()));
            let values: [(&str, &dyn Display); 2] = [("pid", &found.address.pid), ("url", &url)];
            match health {
                Ok(()) => {
                    let finding = Finding::ok(voice.say("somebody_runs", &values));
                    running = Some(found);
                    finding
                }
                Err(problem) => Finding::warning(voice.say("somebody_is_silent", &values))
                    .and(problem)
                    .remedy(voice.say("silent_advice", &[])),
            }
        };
        self.step("running", STEP, work).await;
        let running = running?;
        let address = running.address.clone();
        let captures = settings.mail.mode == MailMode::Capture;
        let wanted = serve::ways_out(settings).into_iter();
        let wanted = wanted.map(|(name, relay)| (name.word(), relay));
        let wanted: Vec<_> = wanted.filter(|_| !captures).collect();
        let work = in_background(move || routes(voice, running, &wanted));
        self.step("routes", STEP, work).await;
        Some(address)
    }

    /// The server that captures mail, when one runs.
    pub(super) async fn look_at_capture(&mut self, settings: &Settings, running: Option<&Address>) {
        let voice = self.voice;
        let Some(running) = running else {
            let listen = settings.smtp.listen;
            let reason = voice.say("capture_does_not_run", &[("address", &listen)]);
            self.skip("capture", reason);
            return;
        };
        let address = running.smtp;
        let work = async move {
            let silent =
                || Finding::failure(voice.say("capture_is_silent", &[("address", &address)]));
            match tls::greets(address).await {
                Ok(true) => Finding::ok(voice.say("capture_answers", &[("address", &address)])),
                Ok(false) => silent(),
                Err(error) => silent().and(error.to_string()),
            }
        };
        self.step("capture", PATIENCE, work).await;
    }
}

/// Work that blocks its thread.
async fn in_background(work: impl FnOnce() -> Finding + Send + 'static) -> Finding {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panicked| Finding::failure(panicked.to_string()))
}

fn folder(voice: Voice, dir: &Path) -> Finding {
    let path = from_root(dir);
    let shown = path.display();
    let values: [(&str, &dyn Display); 1] = [("path", &shown)];
    let (finding, on_disk) = match std::fs::metadata(&path) {
        Ok(found) if found.is_dir() => (there(voice, &path), path.clone()),
        Ok(_) => {
            return Finding::failure(voice.say("data_is_no_folder", &values))
                .remedy(voice.say("data_advice", &[]));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let above = existing_above(&path);
            let finding = Finding::ok(voice.say("data_is_not_there", &values));
            let finding = match access(&above, Access::WRITE_OK | Access::EXEC_OK) {
                Ok(()) => finding,
                Err(error) => finding
                    .at_least(Status::Failure)
                    .and(format!("{}: {error}", above.display()))
                    .remedy(voice.say("data_advice", &[])),
            };
            (finding, above)
        }
        Err(error) => {
            return Finding::failure(format!("{shown}: {error}"))
                .remedy(voice.say("data_advice", &[]));
        }
    };
    match statvfs(&on_disk) {
        Ok(disk) => with_space(voice, finding, disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => finding
            .and(format!("statvfs: {error}"))
            .at_least(Status::Warning),
    }
}

/// With how many bytes of the disk are free. That it is full comes first: what else can be said
/// of the folder is true and of no use.
fn with_space(voice: Voice, mut finding: Finding, free: u64) -> Finding {
    let megabytes = free / 1_000_000;
    let values: [(&str, &dyn Display); 1] = [("megabytes", &megabytes)];
    match free {
        0..TOO_LITTLE => {
            finding.detail.insert(0, voice.say("disk_full", &values));
            finding
                .at_least(Status::Failure)
                .remedy(voice.say("disk_advice", &[]))
        }
        TOO_LITTLE..LITTLE => finding
            .and(voice.say("disk_free", &values))
            .at_least(Status::Warning)
            .remedy(voice.say("disk_advice", &[])),
        _ => finding.and(voice.say("disk_free", &values)),
    }
}

/// A folder that is there: whether it may be written, and whether what belongs together is.
fn there(voice: Voice, path: &Path) -> Finding {
    let shown = path.display();
    let finding = Finding::ok(voice.say("data_is_there", &[("path", &shown)]));
    if let Err(error) = access(path, Access::READ_OK | Access::WRITE_OK | Access::EXEC_OK) {
        return finding
            .at_least(Status::Failure)
            .and(error.to_string())
            .remedy(voice.say("data_advice", &[]));
    }
    let store = path.join("store.redb");
    let key = path.join("secret.key");
    if let Err(error) = access(&store, Access::READ_OK | Access::WRITE_OK)
        && store.exists()
    {
        return finding
            .at_least(Status::Failure)
            .and(format!("{}: {error}", store.display()))
            .remedy(voice.say("data_advice", &[]));
    }
    let in_use = std::fs::metadata(&store).is_ok_and(|store| store.size() > 0);
    if in_use && !key.exists() {
        return finding
            .at_least(Status::Failure)
            .and(voice.say("key_is_missing", &[("path", &key.display())]))
            .remedy(voice.say("key_advice", &[]));
    }
    finding
}

/// The nearest folder above that exists.
fn existing_above(path: &Path) -> PathBuf {
    let above = path.ancestors().find(|above| above.is_dir());
    above.unwrap_or(Path::new("/")).to_owned()
}

/// Whether a gatepost lives there.
fn healthz(url: &str) -> Result<(), String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let answer = agent.get(format!("{url}/healthz")).call();
    match answer {
        Ok(answer) if answer.status() == 200 => Ok(()),
        Ok(answer) => Err(format!("{url}/healthz: {}", answer.status())),
        Err(error) => Err(format!("{url}/healthz: {error}")),
    }
}

/// How the routes of a gatepost that runs are, and whether they are those of the settings
/// (`wanted`): it does not read them again.
fn routes(voice: Voice, running: Found, wanted: &[(&str, relay::Settings)]) -> Finding {
    let unasked =
        |problem: String| Finding::skipped(voice.say("routes_not_asked", &[("problem", &problem)]));
    let url = format!("http://{}", running.address.http);
    let source = running.token_file.display().to_string();
    let client = Client::new(&url, running.token, &source);
    let routes = client.and_then(|client| client.speaking(voice.0).routes());
    match routes {
        Err(error) => unasked(error.to_string()),
        Ok(answer) => {
            let finding = Finding::new(Status::Ok);
            let routes = answer.value.items;
            let same = |(name, relay): &(&str, relay::Settings)| {
                routes.iter().any(|route| {
                    route.name == *name
                        && (&route.host, route.port) == (&relay.host, relay.port)
                        && route.user == relay.user
                })
            };
            let all_the_same = wanted.iter().all(same);
            let finding = routes
                .iter()
                .fold(finding, |finding, route| told(voice, route, finding));
            match all_the_same {
                true => finding,
                false => finding
                    .and(voice.say("routes_differ", &[]))
                    .remedy(voice.say("routes_differ_advice", &[]))
                    .at_least(Status::Warning),
            }
        }
    }
}

fn told(voice: Voice, route: &Route, finding: Finding) -> Finding {
    let at = format!("{}:{}", route.host, route.port);
    let state = route_state(voice.0, &route.state);
    let values: [(&str, &dyn Display); 3] = [("name", &route.name), ("at", &at), ("state", &state)];
    let mut finding = finding.and(voice.say("route_is", &values));
    if let Some(next) = &route.next_probe_at {
        finding = finding.and(voice.say("route_probes", &[("at", next)]));
    }
    if let Some(resumes) = &route.budget.resumes_at {
        finding = finding
            .and(voice.say("route_is_spent", &[("at", resumes)]))
            .at_least(Status::Warning);
    }
    if route.state == "closed" {
        return finding;
    }
    finding = finding.at_least(Status::Warning);
    if route.state == "paused" {
        let name = &route.name;
        finding = finding.remedy(voice.say("route_resume", &[("name", name)]));
    }
    if let Some(error) = &route.last_error {
        finding =
            finding.and(voice.say("route_failed", &[("at", &error.at), ("text", &error.text)]));
        if let Some(meaning) = &error.meaning {
            finding = finding.and(meaning);
        }
        if let Some(advice) = &error.advice {
            finding = finding.remedy(advice);
        }
        finding = finding.on(error.page.as_deref());
    }
    finding
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::Language;

    #[test]
    fn a_full_disk_is_told_of_first() {
        let voice = Voice(Language::En);
        let well = || Finding::ok(voice.say("data_is_there", &[("path", &"data")]));
        let full = with_space(voice, well(), TOO_LITTLE - 1);
        assert_eq!(full.status, Status::Failure);
        assert!(full.detail[0].contains("full"), "{full:?}");
        let little = with_space(voice, well(), LITTLE - 1);
        assert_eq!(little.status, Status::Warning);
        let enough = with_space(voice, well(), LITTLE);
        assert_eq!(enough.status, Status::Ok);
        assert!(enough.remedy.is_empty());
    }
}
