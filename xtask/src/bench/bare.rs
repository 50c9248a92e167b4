//! The yardstick of `bench http`: a poem handler that does nothing, in a process of its own, so
//! that it is served on the same terms as gatepost.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use poem::listener::{Acceptor as _, Listener as _, TcpListener};
use poem::{Route, Server, get, handler};
use serde_json::json;

use super::Result;
use super::process::Background;

#[handler]
fn answer() -> &'static str {
    "ok"
}

/// Serves until it is killed; says where in the ready file.
pub fn serve(ready_file: &Path) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await?;
        let address = acceptor.local_addr()[0].to_string();
        let address = address.trim_start_matches("socket://");
        let mut file = std::fs::File::create(ready_file)?;
        writeln!(file, "{}", json!({ "http": address }))?;
        let app = Route::new().at("/", get(answer).post(answer));
        Server::new_with_acceptor(acceptor).run(app).await?;
        Ok(())
    })
}

/// Such a handler that runs.
pub struct Bare {
    /// Where it is.
    pub http: String,
    process: Background,
}

impl Bare {
    /// Starts one; its ready file goes to `folder`.
    pub fn start(folder: &Path) -> Result<Bare> {
        let ready_file = folder.join("bare.json");
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["bench", "bare-poem"])
            .arg(&ready_file)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let mut process = Background::start(&mut command)?;
        let line = process.ready(&ready_file, Duration::from_secs(10))?;
        let ready: serde_json::Value = serde_json::from_str(&line)?;
        let http = ready["http"]
            .as_str()
            .ok_or("the bare handler does not say where it is")?;
        Ok(Bare {
            http: http.to_owned(),
            process,
        })
    }

    /// The processor time that it has used.
    pub fn cpu(&self) -> Result<Duration> {
        self.process.cpu()
    }
}
