//! In a real browser: scripts of tests/browser drive Chromium against the real binary. What stands
//! in the scripts is what people do and see; what must not live here: that.

mod rig;

use serde_json::json;

use crate::process::Process;
use rig::Rig;

#[test]
fn the_api_browser_is_offline_and_tries_out_what_it_shows() {
    let Some(rig) = Rig::find("the API browser in Chromium") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start("dev", folder.path(), &[]);
    rig.run("docs.mjs", &process, json!({}));
    process.stop();
}
