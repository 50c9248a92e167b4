//! What gatepost says once it listens: where everything is, in a few lines for people.

use std::fmt::Write as _;
use std::net::SocketAddr;

use crate::config::MailMode;
use crate::config::Mode;
use crate::config::Settings;

/// The lines for a gatepost that listens at these addresses.
pub fn lines(settings: &Settings, http: SocketAddr, smtp: SocketAddr) -> String {
    let url = format!("http://{http}");
    let data = &settings.data.dir;
    let mode = match (settings.mail.mode, &settings.relay.host) {
        (MailMode::Relay, Some(host)) => {
            format!("sent out through {host}:{}", settings.relay.port)
        }
        _ => "captured; none goes out".to_owned(),
    };
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing into a String cannot fail.
        let _ = writeln!(text, "  {name:<12} {value}");
    };
    line("HTTP", &url);
    line("Accounts", &format!("{url}/users/"));
    line("Inbox", &format!("{url}/inbox/"));
    line("API browser", &format!("{url}/docs/"));
    line("SMTP", &smtp.to_string());
    line("Mail", &mode);
    line("From", &settings.mail.from.to_string());
    line(
        "Admin token",
        &data.join("admin.token").display().to_string(),
    );
    line("Data", &data.display().to_string());
    let command = match settings.mode {
        Mode::Dev => "dev",
        Mode::Serve => "serve",
    };
    let version = env!("CARGO_PKG_VERSION");
    format!("gatepost {version} {command} is listening\n{text}")
}
