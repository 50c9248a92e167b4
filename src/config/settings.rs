//! The table of settings: the one place that knows their names, defaults, other names and words.
//! What must not live here: how a text is read (see [`super::value`]) and what values must hold
//! together (see [`super::rules`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::http;
use crate::identity::Policy;
use crate::language::Language;
use crate::mail::Sender;
use crate::mail::provider::Provider;
use crate::mail::relay::Security;
use crate::secret::{CodeStyle, SecretText};

use super::outbound::{self, Share};
use super::picture::{self, Look};
use super::site;
use super::table::settings;
use super::value::{self, Color, LogFormat, MailMode, Protocol};

settings! {
    /// The HTTP service.
    http: Http {
        /// Where the HTTP service listens.
        listen: SocketAddr = value::listener, "127.0.0.1:8000";
        /// The longest body of a request.
        body_limit: usize = value::size, "256KiB";
        /// How long a client may take for the head and for the body of a request, each.
        timeout: Duration = value::some_duration, "30s";
        /// How many connections at once.
        connections: usize = value::positive, "4096";
        /// How long an idle connection is kept.
        idle_timeout: Duration = value::some_duration, "75s";
        /// How many proxies in front may tell the client's address (X-Forwarded-For).
        trusted_proxies: usize = value::count, "0";
        /// Host names answered beside loopback and site.domain, with commas between; `*`: all.
        allowed_hosts: Vec<String> = value::list, "";
        /// Whether /metrics answers without the admin token.
        metrics_open: bool = value::flag, "false";
        /// How long requests and SMTP sessions that run may take to finish when gatepost stops.
        grace: Duration = value::duration, "10s";
    }
    /// The SMTP service that captures mail.
    smtp: Smtp {
        /// Where the SMTP service listens (STARTTLS is offered there).
        listen: SocketAddr = value::listener, "127.0.0.1:1025";
        /// Where it listens with TLS from the first byte, or off.
        listen_tls: Option<SocketAddr> = value::listener_or_off, "off";
        /// Whether STARTTLS is offered; off suits clients that use it unasked and verify the certificate.
        starttls: bool = value::flag, "true";
        /// The name in the greeting.
        hostname: String = value::host, "localhost";
        /// The largest message.
        message_limit: usize = value::message_size, "25MB";
        /// What large messages may take up in memory together while they come in.
        memory: usize = value::size, "256MB";
        /// The longest command line.
        line_limit: usize = value::line_size, "4KiB";
        /// How many recipients a message may have.
        recipients: usize = value::positive, "100";
        /// How many connections at once.
        connections: usize = value::positive, "1024";
        /// How long a client may take for its next command.
        command_timeout: Duration = value::some_duration, "5m";
        /// How long a client may take for one message, from DATA to its end.
        data_timeout: Duration = value::some_duration, "10m";
        /// Whether what RFC 5321 forbids is refused instead of noted.
        strict: bool = value::flag, "false";
        /// NAME:PASSWORD,… that may send mail, after AUTH alone; empty: everybody, with or without.
        users: Vec<(String, SecretText)> = value::users, "" secret;
    }
    /// Where the state is kept.
    data: Data {
        /// The data folder: store, keys, admin token.
        dir: PathBuf = value::path, "data";
    }
    /// The mails that gatepost sends.
    mail: Mail {
        /// capture (into the own inbox) or relay (out, through relay.host).
        mode: MailMode = value::mail_mode, "capture" [env USE_REAL_EMAIL via value::real_email];
        /// The From of every mail: an address, or `Name <address>`.
        from: Sender = value::sender, "gatepost <gatepost@localhost>" [env DEFAULT_FROM_EMAIL];
    }
    /// What mails and pages say about the site.
    site: Site {
        /// What the site calls itself in mails and on its pages.
        name: String = value::text, "gatepost";
        /// The domain in the links of mails; empty: the address that HTTP listens on.
        domain: Option<String> = value::optional_domain, "" [env DEFAULT_DOMAIN];
        /// The scheme of the links in mails.
        protocol: Protocol = value::protocol, "http" [env PROTOCOL];
        /// The path below which a proxy shows gatepost, such as /accounts; empty: the root.
        path: String = site::path_prefix, "";
        /// The language for people who asked for none.
        language: Language = value::language, "en" [env LANGUAGE_CODE];
        /// The team's picture on its pages: a file, SVG, PNG, JPEG, WebP or GIF.
        logo: Option<PathBuf> = value::optional_path, "";
        /// The team's colour on its pages.
        color: http::pages::Color = site::color, "#2456d6";
        /// Where people may go on to after logging in (next=), beside this site: addresses, with commas.
        return_to: Vec<url::Url> = site::places, "";
        /// A folder with templates of mails and pages that replace the built-in ones.
        templates: Option<PathBuf> = value::optional_path, "";
    }
    /// The relay that mail goes out through.
    relay: Relay {
        /// gmail, qq, exmail, 163, 126, office365, aliyun, ses, sendgrid, mailgun; auto: by its host; none.
        provider: Option<&'static Provider> = outbound::provider, "auto" [env EMAIL_PROVIDER];
        /// The relay's host name, such as smtp.gmail.com or smtp.qq.com.
        host: Option<String> = value::optional_host, "" [env EMAIL_HOST];
        /// The relay's port: 587 with starttls, 465 with implicit TLS, 25 with none.
        port: u16 = value::port, "587" [env EMAIL_PORT];
        /// starttls, implicit or none (in Django: EMAIL_USE_TLS, EMAIL_USE_SSL).
        security: Security = value::security, "starttls";
        /// The account at the relay.
        user: Option<String> = value::optional, "" [env EMAIL_HOST_USER];
        /// The account's password: an app password (Gmail), an authorization code (QQ).
        password: Option<SecretText> = value::secret, "" [env EMAIL_HOST_PASSWORD] secret;
        /// A file with certificates (PEM) to trust beside the usual ones.
        ca_file: Option<PathBuf> = value::optional_path, "";
        /// Whether mail and password may leave this machine over a connection without TLS.
        allow_plain: bool = value::flag, "false";
        /// How many mails it takes in any 24 hours, or off: no limit of ours.
        per_day: Option<u32> = value::most_or_off, "off";
        /// How many mails it takes a minute, or off: no limit of ours.
        per_minute: Option<u32> = value::most_or_off, "off";
        /// The share of relay.per_day that only codes and links may use.
        kept_for_codes: Share = outbound::share, "20%";
        /// The name that gatepost greets the relay with; empty: localhost.
        hello_name: Option<String> = value::optional_hello, "";
        /// How many connections to the relay at once.
        connections: usize = value::positive, "4";
        /// How long an unused connection to the relay is kept.
        idle_timeout: Duration = value::some_duration, "30s";
        /// How long connecting may take.
        connect_timeout: Duration = value::some_duration, "10s";
        /// How long the greeting with EHLO, the handshake and AUTH may take, each.
        hello_timeout: Duration = value::some_duration, "30s";
        /// How long the answer to MAIL, RCPT, DATA or RSET may take, each.
        envelope_timeout: Duration = value::some_duration, "60s";
        /// How long sending the message may take.
        data_timeout: Duration = value::some_duration, "120s";
        /// How long the relay may take to accept the message.
        reply_timeout: Duration = value::some_duration, "600s";
        /// After how many mails a connection is closed.
        mails_per_connection: u32 = value::positive_u32, "100";
        /// How long a try holds a mail, renewed every third of it; if that fails, the try gives up too.
        lease: Duration = value::lease, "60s";
    }
    /// Where codes and links go while the relay cannot take them.
    fallback: Fallback {
        /// As relay.provider.
        provider: Option<&'static Provider> = outbound::provider, "auto";
        /// The host name of the fallback; empty (and no fallback.provider): there is none.
        host: Option<String> = value::optional_host, "";
        /// Its port.
        port: u16 = value::port, "587";
        /// starttls, implicit or none.
        security: Security = value::security, "starttls";
        /// The account there.
        user: Option<String> = value::optional, "";
        /// The account's password.
        password: Option<SecretText> = value::secret, "" secret;
        /// A file with certificates (PEM) to trust beside the usual ones.
        ca_file: Option<PathBuf> = value::optional_path, "";
        /// Whether mail and password may leave this machine over a connection without TLS.
        allow_plain: bool = value::flag, "false";
        /// How many mails it takes in any 24 hours, or off: no limit of ours.
        per_day: Option<u32> = value::most_or_off, "off";
        /// How many mails it takes a minute, or off: no limit of ours.
        per_minute: Option<u32> = value::most_or_off, "off";
    }
    /// Mail that was sent, or will be.
    outbox: Outbox {
        /// How long a mail that is done with is remembered (without its text), or off: for ever.
        retention: Option<Duration> = value::duration_or_off, "30d";
    }
    /// Codes that are mailed and typed.
    code: Code {
        /// How long a code is good.
        lifetime: Duration = value::some_duration, "10m";
        /// How many wrong tries all codes of one flow share.
        attempts: u32 = value::positive_u32, "5";
        /// How long until another mail of the same kind may be asked for.
        resend: Duration = value::duration, "60s";
        /// digits (six) or letters (eight).
        style: CodeStyle = value::code_style, "digits";
    }
    /// What a right code is exchanged for.
    verification_token: VerificationToken {
        /// How long it is good.
        lifetime: Duration = value::some_duration, "15m";
    }
    /// The link of a reset mail.
    reset_link: ResetLink {
        /// How long it is good.
        lifetime: Duration = value::some_duration, "1h";
    }
    /// Sessions of people who are logged in.
    session: Session {
        /// How long a session lasts without use.
        idle: Duration = value::some_duration, "14d";
        /// How long a session lasts at most.
        lifetime: Duration = value::some_duration, "30d";
    }
    /// Passwords and their hashes (argon2id).
    password: Password {
        /// The fewest characters.
        min_length: usize = value::positive, "8";
        /// The most characters.
        max_length: usize = value::positive, "256";
        /// The memory of one hash.
        memory: usize = value::size, "19456KiB";
        /// The passes of one hash.
        iterations: u32 = value::positive_u32, "2";
        /// The lanes of one hash.
        parallelism: u32 = value::positive_u32, "1";
        /// How many hashes at once; auto: one for each core but one.
        concurrency: Option<usize> = value::positive_or_auto, "auto";
        /// How many hashes may wait before logins are answered with 503.
        queue: usize = value::positive, "256";
        /// How long one may wait for its hash.
        patience: Duration = value::some_duration, "5s";
    }
    /// What wrong passwords do to an account.
    lockout: Lockout {
        /// How many wrong passwords in a row before an account has to be recovered by mail.
        failures: u32 = value::positive_u32, "100";
        /// How many wrong passwords in a row cost no wait.
        free: u32 = value::positive_u32, "5";
        /// The first wait; each is twice the one before.
        first_wait: Duration = value::some_duration, "30s";
        /// The longest wait.
        longest_wait: Duration = value::some_duration, "1h";
    }
    /// How often something may be done, such as 30/hour, or 5/hour, 20/day, or off.
    limits: Limits {
        /// Codes and resets for one address (beside code.resend).
        code_per_address: Policy = value::policy, "5/hour, 20/day";
        /// Codes and resets from one IP address.
        code_per_ip: Policy = value::policy, "30/hour";
        /// Registrations from one IP address.
        registration_per_ip: Policy = value::policy, "20/hour";
        /// Wrong codes from one IP address.
        wrong_code_per_ip: Policy = value::policy, "60/hour";
        /// Wrong logins from one IP address.
        wrong_login_per_ip: Policy = value::policy, "30/10min";
        /// Changes of one account's password by its owner, each of which is told of by mail.
        password_change_per_user: Policy = value::policy, "10/hour";
        /// Mails that a program orders with one API key.
        mail_per_key: Policy = value::policy, "600/hour";
    }
    /// What is remembered of what happened.
    audit: Audit {
        /// How long a record is kept, or off: for ever.
        retention: Option<Duration> = value::duration_or_off, "90d";
    }
    /// The store.
    store: Store {
        /// How much of the store is kept in memory at most.
        cache: usize = value::size, "16MiB";
    }
    /// The log.
    log: Log {
        /// human or json.
        format: LogFormat = value::log_format, "human";
        /// error, warn, info, debug or trace, or a filter such as info,gatepost::mail=debug.
        level: String = value::log_level, "info,poem=warn";
        /// Colours in human lines: auto (on a terminal), always or never.
        color: Color = value::color, "auto" [env NO_COLOR via value::no_color];
    }
    /// The dashboard in the terminal.
    dashboard: Dashboard {
        /// auto (asks the terminal), light, dark or plain (no colours).
        theme: Look = picture::look, "auto";
        /// Whether only ASCII is drawn; auto: where the locale is not UTF-8.
        ascii: Option<bool> = picture::flag_or_auto, "auto";
        /// Whether the mouse is the dashboard's; it is given back with a key.
        mouse: bool = value::flag, "true";
        /// Whether nothing can be changed from it.
        read_only: bool = value::flag, "false";
        /// The folder that attachments are saved in; empty: where it was started.
        downloads: Option<PathBuf> = value::optional_path, "";
        /// Other keys: a table of actions, such as retry = "r", or action=key;action=key.
        keys: BTreeMap<String, String> = picture::pairs, "" open;
        /// Other colours: a table of roles, such as bad = "light red".
        colors: BTreeMap<String, String> = picture::pairs, "" open;
        /// Which columns: a table of views, such as outbox = ["state", "to", "age"].
        columns: BTreeMap<String, String> = picture::pairs, "" open;
    }
    /// Login with QQ (not there yet; the names are known, so that a project's .env works).
    qq: Qq {
        /// The application's id at QQ Connect.
        app_id: Option<String> = value::optional, "" [env QQ_APP_ID];
        /// The application's key at QQ Connect.
        app_key: Option<SecretText> = value::secret, "" [env QQ_APP_KEY] secret;
        /// Where QQ Connect sends people back to.
        redirect_uri: Option<String> = value::optional, "" [env QQ_REDIRECT_URI];
    }
}
