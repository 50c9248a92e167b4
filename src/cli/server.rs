//! Which gatepost a command talks to: the one that runs on the data folder, or the one at --url.

use std::path::PathBuf;

use url::Host;
use url::Url;

use crate::client::Client;
use crate::config;
use crate::config::Mode;
use crate::config::Request;
use crate::language::Language;
use crate::secret::SecretText;
use crate::serve;
use crate::text;

use super::Exit;
use super::FAILED;
use super::MISUSED;
use super::args::Common;
use super::output;
use super::settings;
use super::words::Voice;

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
    /// Send the token unencrypted to this host of --url, for a network on which nobody listens in
    #[arg(long, value_name = "HOST", requires = "url")]
    allow_plain: Option<String>,
}

impl Server {
    /// A client of that gatepost. Nothing was asked yet.
    pub fn client(&self) -> Result<Client, Exit> {
        self.open().map(|(client, _)| client)
    }

    /// The same, with a voice in the language in which it is asked to answer: that of the
    /// settings here.
    pub fn open(&self) -> Result<(Client, Voice), Exit> {
        let (client, language) = match (&self.url, &self.token_file) {
            (Some(url), Some(file)) => {
                let client = elsewhere(url, file, self.allow_plain.as_deref())?;
                // The settings are those of another gatepost; whoever sits here is the same.
                let (settings, _) = config::load_despite(&Request::of_process(Mode::Serve));
                let language = settings.map(|settings| settings.site.language);
                (client, language.unwrap_or_default())
            }
            _ => self.on_the_data_folder()?,
        };
        Ok((client.speaking(language), Voice(language)))
    }

    /// These flags again, for a command that is suggested.
    pub fn again(&self) -> String {
        let shown = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let flags = [
            ("--data", self.data.clone()),
            ("--config", shown(&self.config)),
            ("--url", self.url.clone()),
            ("--token-file", shown(&self.token_file)),
            ("--allow-plain", self.allow_plain.clone()),
        ];
        flags
            .into_iter()
            .filter_map(|(flag, value)| {
                Some(format!(
                    " {flag} {}",
                    output::visible(&text::quoted(&value?))
                ))
            })
            .collect()
    }

    /// The flags that name settings here.
    pub fn common(&self) -> Common {
        Common::of_folder(self.data.clone(), self.config.clone())
    }

    fn on_the_data_folder(&self) -> Result<(Client, Language), Exit> {
        let settings = settings(Mode::Serve, &self.common())?;
        let found = serve::find(&settings.data.dir).map_err(|error| failed(&error))?;
        let client = found.client().map_err(|error| failed(&error))?;
        Ok((client, settings.site.language))
    }
}

fn elsewhere(url: &str, file: &PathBuf, allowed: Option<&str>) -> Result<Client, Exit> {
    let misused = |what: &str| {
        output::complain(&output::visible(&format!("error: {what}")));
        Exit(MISUSED)
    };
    let source = file.display().to_string();
    let token = std::fs::read_to_string(file)
        .map_err(|error| misused(&format!("--token-file {source}: {error}")))?;
    let token = SecretText::from(token.trim().to_owned());
    let client = Client::new(url, token, &source).map_err(|error| misused(&error.to_string()))?;
    match in_the_clear(client.url()) {
        Some(host) if allowed != Some(&host) => Err(misused(&format!(
            "--url {url}: the operator's token would go to {host} unencrypted; use https://, or, on a network where nobody listens in, --allow-plain {host}"
        ))),
        _ => Ok(client),
    }
}

/// The host of a URL to which everything travels readably over a network.
fn in_the_clear(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let host = url.host()?;
    let here = match host {
        Host::Domain(name) => name.trim_end_matches('.') == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.to_canonical().is_loopback(),
    };
    (url.scheme() == "http" && !here).then(|| host.to_string())
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
        assert_eq!(in_the_clear("http://[::ffff:127.0.0.1]:8000"), None);
        assert_eq!(in_the_clear("http://localhost:8000"), None);
        assert_eq!(in_the_clear("https://example.com"), None);
        assert_eq!(
            in_the_clear("http://example.com").as_deref(),
            Some("example.com")
        );
        assert_eq!(
            in_the_clear("http://localhost.example.com").as_deref(),
            Some("localhost.example.com")
        );
        assert_eq!(
            in_the_clear("http://0.0.0.0:8000").as_deref(),
            Some("0.0.0.0")
        );
    }
}
