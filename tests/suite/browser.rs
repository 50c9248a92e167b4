//! In a real browser: scripts of tests/browser drive Chromium against the real binary. What stands
//! in the scripts is what people do and see; what must not live here: that.

mod nginx;
mod rig;

use serde_json::Value;
use serde_json::json;

use crate::port;
use crate::process::Process;
use nginx::Nginx;
use rig::Rig;

/// Runs a script against a gatepost as a developer starts it.
fn runs(script: &str, what: &str) {
    let Some(rig) = Rig::find(what) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start("dev", folder.path(), &[]);
    rig.run(script, &process, &Value::Null);
    process.stop();
}

#[test]
fn the_api_browser_is_offline_and_tries_out_what_it_shows() {
    runs("docs.mjs", "the API browser in Chromium");
}

#[test]
fn people_come_return_and_go_in_three_languages_with_javascript_and_without() {
    runs("flow.mjs", "the pages in Chromium");
}

#[test]
fn axe_finds_nothing_on_any_page() {
    runs("axe.mjs", "the pages before axe");
}

#[test]
fn nothing_is_cut_off_at_any_width() {
    runs("shots.mjs", "pictures of the pages");
}

#[test]
fn the_inbox_is_live_and_works_without_javascript() {
    runs("inbox.mjs", "the inbox in Chromium");
}

#[test]
fn nothing_of_a_hostile_mail_runs_and_nothing_leaves() {
    runs("hostile.mjs", "hostile mails in Chromium");
}

#[test]
fn everything_works_behind_a_proxy_with_tls_and_a_path() {
    let what = "the pages behind nginx";
    let Some((rig, program)) = Rig::find(what).zip(nginx::program(what)) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let port = port::free();
    let domain = format!("localhost:{port}");
    let environment = [
        ("GATEPOST_HTTP_TRUSTED_PROXIES", "1"),
        ("DEFAULT_DOMAIN", domain.as_str()),
        ("PROTOCOL", "https"),
        ("GATEPOST_SITE_PATH", nginx::PATH),
    ];
    let process = Process::start("dev", folder.path(), &environment);
    let nginx = Nginx::start(&program, port, process.http);
    let base = format!("https://localhost:{}{}/", nginx.port, nginx::PATH);
    rig.run("proxied.mjs", &process, &json!({"base": base}));
    process.stop();
    assert_eq!(nginx.log(), "", "nginx has something to say");
}
