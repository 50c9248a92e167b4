//! Which gatepost a command talks to: the one that runs on the data folder, or the one at --url.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::client::Client;
use crate::config::Mode;
use crate::secret::SecretText;
use crate::serve;

use super::Exit;
use super::FAILED;
use super::MISUSED;
use super::args::Common;
use super::output;
use super::settings;

/// The flags that name a server.
#[derive(Debug, Default, clap::Args)]
pub struct Server {
    /// The data folder of the gatepost that runs [data.dir, default data]
    #[arg(long, value_name = "DIR", conflicts_with = "url")]
    data: Option<String>,
    /// The file of settings, in the place of gatepost.toml
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    config: Option<PathBuf>,
    /// A gatepost elsewhere.
    #[arg(long, value_name = "URL", requires = "token_file")]
    #[arg(help = "A gatepost elsewhere, such as https://example.com")]
    url: Option<String>,
    /// The file with the operator's token of the gatepost at --url: a copy of its admin.token
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
}

impl Server {
    /// A client of that gatepost. Nothing was asked yet.
    pub fn client(&self) -> Result<Client, Exit> {
        match (&self.url, &self.token_file) {
            (Some(url), Some(file)) => elsewhere(url, file),
            _ => self.on_the_data_folder(),
        }
    }

    /// These flags again, for a command that is suggested.
    pub fn again(&self) -> String {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let flags = [
            ("--data", self.data.clone()),
            ("--config", shown(&self.config)),
            ("--url", self.url.clone()),
            ("--token-file", shown(&self.token_file)),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, value)| Some(format!(" {flag} {}", output::visible(&value?))))
            .collect()
    }

    fn on_the_data_folder(&self) -> Result<Client, Exit> {
        let common = Common::of_folder(self.data.clone(), self.config.clone());
        let settings = settings(Mode::Serve, &common)?;
        let found = serve::find(&settings.data.dir).map_err(|error| failed(&error))?;
        let client = found.client().map_err(|error| failed(&error))?;
        Ok(client.speaking(settings.site.language))
    }
}

fn elsewhere(url: &str, file: &PathBuf) -> Result<Client, Exit> {
    let misused = |what: &str| {
        output::complain(&output::visible(&format!("error: {what}")));
        Exit(MISUSED)
    };
    let source = file.display().to_string();
    let token = std::fs::read_to_string(file)
        .map_err(|error| misused(&format!("--token-file {source}: {error}")))?;
    let token = SecretText::from(token.trim().to_owned());
    let client = Client::new(url, token, &source).map_err(|error| misused(&error.to_string()))?;
    if let Some(host) = in_the_clear(client.url()) {
        let host = output::visible(&host);
        output::complain(&format!(
            "warning: the operator's token goes to {host} unencrypted; use https:// where others can listen"
        ));
    }
    Ok(client)
}

/// The host of a URL to which everything travels readably over a network.
fn in_the_clear(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    let host = url.host_str()?;
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let here = bare == "localhost" || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    (url.scheme() == "http" && !here).then(|| host.to_owned())
}

/// Says what went wrong. The words of a server are in it, or of whoever answers in its place.
pub fn failed(error: &dyn std::fmt::Display) -> Exit {
    let said = format!("error: {error}");
    let lines: Vec<String> = said.lines().map(output::visible).collect();
    output::complain(&lines.join("\n"));
    Exit(FAILED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_connection_to_another_machine_is_in_the_clear() {
        assert_eq!(in_the_clear("http://127.0.0.1:8000"), None);
        assert_eq!(in_the_clear("http://[::1]:8000"), None);
        assert_eq!(in_the_clear("http://localhost:8000"), None);
        assert_eq!(in_the_clear("https://example.com"), None);
        assert_eq!(
            in_the_clear("http://example.com").as_deref(),
            Some("example.com")
        );
    }
}
