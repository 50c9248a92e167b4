//! Settings: which source counts, what is said about a wrong one, and what is never shown.

use std::path::Path;

use gatepost::config::DEFINITIONS;
use gatepost::config::Errors;
use gatepost::config::Flag;
use gatepost::config::MailMode;
use gatepost::config::Mode;
use gatepost::config::Request;
use gatepost::config::Security;
use gatepost::config::Settings;
use gatepost::config::load;

/// A folder with the given files, and a request that reads it.
pub struct Project {
    folder: tempfile::TempDir,
    request: Request,
}

impl Project {
    pub fn new() -> Project {
        let folder = tempfile::tempdir().unwrap();
        let request = Request {
            mode: Mode::Serve,
            flags: Vec::new(),
            environment: Vec::new(),
            folder: folder.path().to_owned(),
            file: None,
        };
        Project { folder, request }
    }

    pub fn file(self, name: &str, text: &str) -> Project {
        std::fs::write(self.folder.path().join(name), text).unwrap();
        self
    }

    pub fn env(mut self, name: &str, value: &str) -> Project {
        self.request
            .environment
            .push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn flag(mut self, setting: &'static str, flag: &'static str, value: &str) -> Project {
        let value = value.to_owned();
        self.request.flags.push(Flag {
            setting,
            flag,
            value,
        });
        self
    }

    pub fn dev(mut self) -> Project {
        self.request.mode = Mode::Dev;
        self
    }

    pub fn load(&self) -> Result<Settings, Errors> {
        load(&self.request)
    }

    /// The value of a setting and where it came from, with the folder's name taken out.
    pub fn shown(&self, name: &str) -> (String, String) {
        let settings = self.load().unwrap_or_else(|errors| panic!("{errors}"));
        let origin = settings
            .origins
            .into_iter()
            .find(|o| o.name == name)
            .unwrap();
        (origin.shown, self.relative(&origin.source.to_string()))
    }

    pub fn errors(&self) -> String {
        match self.load() {
            Ok(_) => "(none)".to_owned(),
            Err(errors) => self.relative(&errors.to_string()),
        }
    }

    pub fn relative(&self, text: &str) -> String {
        let folder: &Path = self.folder.path();
        text.replace(&format!("{}/", folder.display()), "")
    }
}

#[test]
fn flags_beat_the_environment_beats_dotenv_beats_the_file_beats_defaults() {
    let name = "http.listen";
    let is = |project: &Project, value: &str, source: &str| {
        assert_eq!(project.shown(name), (value.to_owned(), source.to_owned()));
    };
    let project = Project::new();
    is(&project, "127.0.0.1:8000", "default");
    let project = project.file(
        "gatepost.toml",
        "# ours\n[http]\nlisten = \"127.0.0.1:1\"\n",
    );
    is(&project, "127.0.0.1:1", "gatepost.toml:3");
    let project = project.file(".env", "\nGATEPOST_HTTP_LISTEN=127.0.0.1:2\n");
    is(&project, "127.0.0.1:2", ".env:2 GATEPOST_HTTP_LISTEN");
    let project = project.env("GATEPOST_HTTP_LISTEN", "127.0.0.1:3");
    is(&project, "127.0.0.1:3", "environment GATEPOST_HTTP_LISTEN");
    let project = project.flag(name, "--http", "127.0.0.1:4");
    is(&project, "127.0.0.1:4", "flag --http");
    assert_eq!(project.load().unwrap().http.listen.port(), 4);
}

#[test]
fn a_django_projects_dotenv_works_unchanged() {
    let project = Project::new().file(
        ".env",
        "SECRET_KEY=django-insecure-x\nDEBUG=True\nUSE_REAL_EMAIL=1\n\
         EMAIL_HOST=smtp.gmail.com\nEMAIL_PORT=587\nEMAIL_USE_TLS=True\nEMAIL_USE_SSL=False\n\
         EMAIL_HOST_USER=someone@example.com\nEMAIL_HOST_PASSWORD=abcd efgh ijkl mnop\n\
         DEFAULT_FROM_EMAIL=微光 <hello@example.com>\nDEFAULT_DOMAIN=example.com\n\
         PROTOCOL=https\nLANGUAGE_CODE=zh-hans\nQQ_APP_ID=1\nQQ_APP_KEY=2\nQQ_REDIRECT_URI=https://example.com/qq\n",
    );
    let settings = project.load().unwrap();
    assert_eq!(settings.mail.mode, MailMode::Relay);
    assert_eq!(settings.mail.from.to_string(), "微光 <hello@example.com>");
    assert_eq!(settings.relay.host.as_deref(), Some("smtp.gmail.com"));
    assert_eq!(
        (settings.relay.port, settings.relay.security),
        (587, Security::StartTls)
    );
    assert_eq!(settings.relay.user.as_deref(), Some("someone@example.com"));
    assert_eq!(
        settings.relay.password.unwrap().expose(),
        "abcd efgh ijkl mnop"
    );
    assert_eq!(settings.site.domain.as_deref(), Some("example.com"));
    assert_eq!(settings.site.protocol.scheme(), "https");
    assert_eq!(settings.site.language.tag(), "zh-hans");
    assert_eq!(settings.qq.app_id.as_deref(), Some("1"));
    assert!(settings.warnings.is_empty(), "{:?}", settings.warnings);
}

#[test]
fn protection_of_the_relay_is_what_django_would_do() {
    let relay = |variables: &[(&str, &str)]| {
        let mut project = Project::new();
        for (name, value) in variables {
            project = project.env(name, value);
        }
        let relay = project.load().unwrap().relay;
        (relay.security, relay.port)
    };
    assert_eq!(relay(&[]), (Security::StartTls, 587));
    assert_eq!(
        relay(&[("EMAIL_USE_SSL", "True")]),
        (Security::Implicit, 465)
    );
    assert_eq!(
        relay(&[("EMAIL_USE_TLS", "False"), ("EMAIL_USE_SSL", "True")]),
        (Security::Implicit, 465)
    );
    assert_eq!(
        relay(&[("EMAIL_USE_TLS", "True")]),
        (Security::StartTls, 587)
    );
    assert_eq!(
        relay(&[("EMAIL_USE_TLS", "0"), ("EMAIL_PORT", "2525")]),
        (Security::None, 2525)
    );
    assert_eq!(relay(&[("EMAIL_PORT", "465")]), (Security::Implicit, 465));
    assert_eq!(
        relay(&[("GATEPOST_RELAY_SECURITY", "none")]),
        (Security::None, 25)
    );
    // Our own name says it more exactly than Django's.
    assert_eq!(
        relay(&[
            ("EMAIL_USE_TLS", "True"),
            ("GATEPOST_RELAY_SECURITY", "implicit")
        ]),
        (Security::Implicit, 465)
    );
    // A nearer source counts, whatever the name.
    let project = Project::new()
        .env("EMAIL_USE_SSL", "1")
        .file(".env", "GATEPOST_RELAY_SECURITY=none\n");
    assert_eq!(project.load().unwrap().relay.security, Security::Implicit);
}

#[test]
fn dev_captures_whatever_is_set_and_lets_one_machine_try_often() {
    let project = Project::new()
        .dev()
        .env("USE_REAL_EMAIL", "1")
        .env("GATEPOST_LIMITS_CODE_PER_IP", "3/hour");
    let settings = project.load().unwrap();
    assert_eq!(settings.mail.mode, MailMode::Capture);
    assert_eq!(project.shown("mail.mode").1, "default in dev, always");
    assert_eq!(project.shown("limits.wrong_login_per_ip").0, "off");
    assert_eq!(project.shown("limits.code_per_ip").0, "3/hour");
    assert_eq!(project.shown("limits.code_per_address").0, "5/hour, 20/day");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let project = Project::new()
        .env("EMAIL_PORT", "")
        .file(".env", "EMAIL_HOST=\nEMAIL_PORT= # to be filled in\n");
    let settings = project.load().unwrap();
    assert_eq!((settings.relay.host, settings.relay.port), (None, 587));
}

#[test]
fn every_default_is_well_formed_and_every_name_is_one_of_its_own() {
    for project in [Project::new(), Project::new().dev()] {
        let settings = project.load().unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(settings.origins.len(), DEFINITIONS.len());
    }
    let mut variables: Vec<String> = DEFINITIONS
        .iter()
        .flat_map(|d| {
            d.aliases
                .iter()
                .map(|a| a.variable.to_owned())
                .chain([d.variable()])
        })
        .collect();
    let all = variables.len();
    variables.sort();
    variables.dedup();
    assert_eq!(variables.len(), all);
    for definition in DEFINITIONS {
        assert!(
            !definition.doc.is_empty() && definition.doc.len() < 100,
            "{}",
            definition.name
        );
    }
}

#[test]
fn an_explicit_file_is_read_in_the_place_of_the_usual_one_and_must_exist() {
    let mut project = Project::new()
        .file("gatepost.toml", "nonsense")
        .file("mine.toml", "[site]\nname = \"Mine\"\n");
    project.request.file = Some("mine.toml".into());
    assert_eq!(
        project.shown("site.name"),
        ("Mine".to_owned(), "mine.toml:2".to_owned())
    );
    project.request.file = Some("gone.toml".into());
    assert_eq!(project.errors(), "--config: there is no file gone.toml");
}

#[test]
fn a_file_may_write_numbers_flags_and_lists_as_toml_does() {
    let project = Project::new().file(
        "gatepost.toml",
        "smtp.strict = true\nhttp.allowed_hosts = [\"a.example\", \"b.example\"]\n\
         [relay]\nport = 2_525\n[password]\nmemory = \"32MiB\"\n[session]\nidle = \"1h30m\"\n",
    );
    let settings = project.load().unwrap();
    assert!(settings.smtp.strict);
    assert_eq!(settings.http.allowed_hosts, ["a.example", "b.example"]);
    assert_eq!(settings.relay.port, 2525);
    assert_eq!(settings.password.memory, 32 << 20);
    assert_eq!(settings.session.idle.as_secs(), 5400);
}

#[test]
fn what_is_wrong_is_said_with_its_name_its_source_and_what_would_be_right() {
    let relay = || Project::new().env("USE_REAL_EMAIL", "1");
    let gmail = || {
        relay()
            .env("EMAIL_HOST", "smtp.example.com")
            .env("EMAIL_HOST_USER", "ann@example.com")
    };
    let cases = [
        (
            "an unknown key, near to one",
            Project::new().file("gatepost.toml", "[http]\n\nlisen = 1\n"),
        ),
        (
            "an unknown key, near to none",
            Project::new().file("gatepost.toml", "[database]\nurl = 'x'\n"),
        ),
        (
            "an unknown variable",
            Project::new().env("GATEPOST_SMTP_LISTN", "x"),
        ),
        (
            "an unknown variable in .env",
            Project::new().file(".env", "A=1\nGATEPOST_DATADIR=x\n"),
        ),
        (
            "no TOML",
            Project::new().file("gatepost.toml", "[http]\nlisten = \n"),
        ),
        (
            "no .env",
            Project::new().file(".env", "EMAIL_HOST smtp.example.com\nA=\"b\n"),
        ),
        (
            "a date",
            Project::new().file("gatepost.toml", "site.name = 2026-01-01\n"),
        ),
        (
            "an address",
            Project::new().flag("http.listen", "--http", "8000"),
        ),
        (
            "a host name to listen on",
            Project::new().flag("smtp.listen", "--smtp", "mail.example.com:25"),
        ),
        ("a port", Project::new().env("EMAIL_PORT", "99999")),
        ("a flag", Project::new().env("USE_REAL_EMAIL", "maybe")),
        (
            "a duration",
            Project::new().file("gatepost.toml", "[code]\nlifetime = 600\n"),
        ),
        (
            "no duration at all",
            Project::new().env("GATEPOST_SESSION_IDLE", "0s"),
        ),
        (
            "a size",
            Project::new().env("GATEPOST_SMTP_MESSAGE_LIMIT", "25 megabytes"),
        ),
        (
            "a limit",
            Project::new().env("GATEPOST_LIMITS_CODE_PER_IP", "30 per hour"),
        ),
        ("a language", Project::new().env("LANGUAGE_CODE", "fr")),
        ("a protocol", Project::new().env("PROTOCOL", "ftp")),
        ("a sender", Project::new().env("DEFAULT_FROM_EMAIL", "Ann")),
        (
            "a domain",
            Project::new().env("DEFAULT_DOMAIN", "https://example.com/"),
        ),
        (
            "a host",
            Project::new().env("EMAIL_HOST", "smtp.example.com:587"),
        ),
        (
            "a host in half a bracket",
            Project::new().env("EMAIL_HOST", "[::1"),
        ),
        (
            "a greeting that is no host",
            Project::new().env("GATEPOST_SMTP_HOSTNAME", "mail example"),
        ),
        (
            "a line limit that no command fits in",
            Project::new().env("GATEPOST_SMTP_LINE_LIMIT", "511"),
        ),
        (
            "a message that fills the memory",
            Project::new().env("GATEPOST_SMTP_MESSAGE_LIMIT", "2GiB"),
        ),
        (
            "a lease that runs out on the way",
            Project::new().env("GATEPOST_RELAY_LEASE", "1s"),
        ),
        (
            "a log filter",
            Project::new().env("GATEPOST_LOG_LEVEL", "loud=very"),
        ),
        (
            "a log format",
            Project::new().flag("log.format", "--log", "xml"),
        ),
        (
            "users, which are secret",
            Project::new().env("GATEPOST_SMTP_USERS", "annhunter2"),
        ),
        (
            "both kinds of TLS",
            Project::new()
                .env("EMAIL_USE_TLS", "True")
                .file(".env", "EMAIL_USE_SSL=1\n"),
        ),
        ("a relay without a host", relay()),
        ("a user without a password", gmail()),
        (
            "a password in the clear",
            gmail()
                .env("EMAIL_HOST_PASSWORD", "hunter2")
                .env("EMAIL_USE_TLS", "False"),
        ),
        (
            "a relay without a sender",
            relay().env("EMAIL_HOST", "smtp.example.com"),
        ),
        (
            "passwords that cannot be",
            Project::new().env("GATEPOST_PASSWORD_MIN_LENGTH", "300"),
        ),
        (
            "argon2 without memory",
            Project::new()
                .env("GATEPOST_PASSWORD_PARALLELISM", "4")
                .env("GATEPOST_PASSWORD_MEMORY", "16KiB"),
        ),
        (
            "no memory for one large mail",
            Project::new().env("GATEPOST_SMTP_MEMORY", "24MB"),
        ),
        (
            "sessions that outlive themselves",
            Project::new().env("GATEPOST_SESSION_IDLE", "60d"),
        ),
        (
            "several at once",
            Project::new()
                .env("EMAIL_PORT", "x")
                .env("PROTOCOL", "y")
                .flag("http.listen", "--http", "z"),
        ),
    ];
    let said: String = cases
        .iter()
        .map(|(case, project)| format!("# {case}\n{}\n\n", project.errors()))
        .collect();
    assert!(
        !said.contains("hunter2") && !said.contains("(none)"),
        "{said}"
    );
    insta::assert_snapshot!("config_errors", said);
}

#[test]
fn what_is_allowed_and_probably_not_meant_is_warned_of() {
    let project = Project::new()
        .env("USE_REAL_EMAIL", "1")
        .env("EMAIL_HOST", "localhost")
        .env("EMAIL_PORT", "465")
        .env("EMAIL_USE_TLS", "True")
        .env("GATEPOST_RELAY_PER_DAY", "1")
        .env("GATEPOST_HTTP_METRICS_OPEN", "1")
        .env("GATEPOST_HTTP_LISTEN", "0.0.0.0:8000");
    let warnings = project.load().unwrap().warnings;
    for (warning, about) in warnings.iter().zip([
        "relay.port",
        "relay.kept_for_codes",
        "site.domain",
        "site.protocol",
        "http.metrics_open",
    ]) {
        assert!(warning.starts_with(about), "{warning}");
    }
    assert_eq!(warnings.len(), 5);
}

#[test]
fn no_secret_is_shown() {
    let project = Project::new()
        .env("EMAIL_HOST_PASSWORD", "hunter2")
        .file(".env", "GATEPOST_SMTP_USERS=ann:hunter2\n")
        .file("gatepost.toml", "[qq]\napp_key = \"hunter2\"\n");
    let settings = project.load().unwrap();
    let shown = format!("{settings:?}");
    assert!(!shown.contains("hunter2"), "{shown}");
    for name in ["relay.password", "smtp.users", "qq.app_key"] {
        assert_eq!(project.shown(name).0, "***");
    }
}
