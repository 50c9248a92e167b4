//! A Postfix of a test's own: its folder, its ports, its accounts (Cyrus SASL), a certificate from
//! an authority of its own, and a maildir that everything is delivered into.

use std::ffi::OsStr;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::path::PathBuf;
use std::process::Command;
use std::process::Stdio;

use crate::port;
use crate::process::patiently;

/// How to get what is missing.
const INSTALL: &str = "as root: apt-get install --no-install-recommends postfix sasl2-bin libsasl2-modules (the service \
     of the system need not run)";

/// The account that may send.
pub const USER: &str = "ann";
/// Its password.
pub const PASSWORD: &str = "authorization-code";

/// The one address that it may send from.
pub const OWNED: &str = "no-reply@example.com";

/// Nobody at [`Postfix`] has this address.
pub const UNKNOWN: &str = "nobody@example.org";
/// Whoever writes here shall come again later.
pub const GREYLISTED: &str = "grey@example.org";

/// A Postfix that runs. It is stopped when this is dropped.
pub struct Postfix {
    folder: tempfile::TempDir,
    /// Where it asks for STARTTLS and then for a login.
    pub submission: u16,
    /// Where it speaks TLS from the first byte, and asks for a login.
    pub smtps: u16,
}

/// Why there can be none here.
fn missing() -> Option<String> {
    for program in ["/usr/sbin/postfix", "/usr/sbin/saslpasswd2"] {
        if !Path::new(program).exists() {
            return Some(format!("{program} is not installed"));
        }
    }
    match rustix::process::geteuid().is_root() {
        true => None,
        false => Some("Postfix starts as root alone".to_owned()),
    }
}

impl Postfix {
    /// Starts one, if this machine can. Where it cannot, continuous integration fails, and anybody
    /// else is told in a way that no test runner swallows.
    pub fn start(test: &str) -> Option<Postfix> {
        if let Some(why) = missing() {
            let said = format!("SKIPPED: {test}: {why}; {INSTALL}");
            #[expect(
                clippy::disallowed_methods,
                reason = "whether it runs in CI is no setting of gatepost's"
            )]
            let in_ci = std::env::var_os("CI").is_some();
            assert!(!in_ci, "{said}");
            // Unlike eprintln!, this is shown for tests that pass, too. Nothing can be done about a
            // stderr that is closed.
            let _ = writeln!(std::io::stderr(), "\n{said}\n");
            return None;
        }
        let folder = tempfile::Builder::new()
            .prefix("gatepost-postfix-")
            .tempdir()
            .unwrap();
        // Its daemons run under accounts of their own and have to get in.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let postfix = Postfix {
            folder,
            submission: port::free(),
            smtps: port::free(),
        };
        for name in ["conf", "conf/sasl", "queue", "data", "mail"] {
            std::fs::create_dir(postfix.path(name)).unwrap();
        }
        run(
            "chown",
            [OsStr::new("nobody"), postfix.path("mail").as_os_str()],
        );
        postfix.certificates();
        postfix.accounts();
        let mailboxes = format!("!/^{UNKNOWN}$/ all/\n");
        std::fs::write(postfix.path("conf/mailboxes"), mailboxes).unwrap();
        std::fs::write(postfix.path("conf/main.cf"), postfix.main_cf()).unwrap();
        std::fs::write(postfix.path("conf/master.cf"), postfix.master_cf()).unwrap();
        run(
            "chown",
            [OsStr::new("postfix"), postfix.path("data").as_os_str()],
        );
        postfix.control("start");
        postfix.wait_for_greeting();
        Some(postfix)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of the authority that signed the server's.
    pub fn authority(&self) -> PathBuf {
        self.path("conf/authority.crt")
    }

    fn certificates(&self) {
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Constrained(0));
        params.key_usages = vec![rcgen::KeyUsagePurpose::KeyCertSign];
        let name = "The test's own authority";
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, name);
        let key = rcgen::KeyPair::generate().unwrap();
        let authority = params.self_signed(&key).unwrap();
        let issuer = rcgen::Issuer::new(params, key);
        let key = rcgen::KeyPair::generate().unwrap();
        let server = rcgen::CertificateParams::new(["localhost".to_owned()])
            .unwrap()
            .signed_by(&key, &issuer)
            .unwrap();
        std::fs::write(self.authority(), authority.pem()).unwrap();
        std::fs::write(self.path("conf/server.crt"), server.pem()).unwrap();
        std::fs::write(self.path("conf/server.key"), key.serialize_pem()).unwrap();
    }

    /// Debian reads its SASL settings from the folder `sasl` beside main.cf, others from where
    /// main.cf says: the same here.
    fn accounts(&self) {
        let accounts = self.path("conf/sasl/accounts");
        let mut made = Command::new("/usr/sbin/saslpasswd2")
            .args(["-p", "-c", "-u", "mx.example.org", "-f"])
            .arg(&accounts)
            .arg(USER)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut password = made.stdin.take().unwrap();
        password.write_all(PASSWORD.as_bytes()).unwrap();
        drop(password);
        assert!(made.wait().unwrap().success());
        run("chown", [OsStr::new("postfix"), accounts.as_os_str()]);
        let settings = format!(
            "pwcheck_method: auxprop\nauxprop_plugin: sasldb\nmech_list: PLAIN LOGIN\n\
             sasldb_path: {}\n",
            accounts.display()
        );
        std::fs::write(self.path("conf/sasl/smtpd.conf"), settings).unwrap();
    }

    fn main_cf(&self) -> String {
        format!(
            "compatibility_level = 3.6\n\
             config_directory = {folder}/conf\n\
             queue_directory = {folder}/queue\n\
             data_directory = {folder}/data\n\
             mail_owner = postfix\n\
             setgid_group = postdrop\n\
             maillog_file = {folder}/log\n\
             maillog_file_prefixes = {folder}\n\
             myhostname = mx.example.org\n\
             mydestination =\n\
             mynetworks =\n\
             inet_interfaces = loopback-only\n\
             inet_protocols = ipv4\n\
             alias_maps =\n\
             alias_database =\n\
             virtual_mailbox_domains = example.org\n\
             virtual_mailbox_base = {folder}/mail\n\
             virtual_mailbox_maps = regexp:{folder}/conf/mailboxes\n\
             virtual_uid_maps = static:65534\n\
             virtual_gid_maps = static:65534\n\
             virtual_minimum_uid = 1000\n\
             smtpd_tls_cert_file = {folder}/conf/server.crt\n\
             smtpd_tls_key_file = {folder}/conf/server.key\n\
             smtpd_tls_auth_only = yes\n\
             smtpd_tls_received_header = yes\n\
             smtpd_sasl_auth_enable = yes\n\
             smtpd_sasl_type = cyrus\n\
             smtpd_sasl_path = smtpd\n\
             smtpd_sasl_local_domain = mx.example.org\n\
             smtpd_sasl_authenticated_header = yes\n\
             cyrus_sasl_config_path = {folder}/conf/sasl\n\
             smtpd_recipient_restrictions = \
             check_recipient_access inline:{{{{{GREYLISTED} = 450 4.7.1 greylisted}}}}, \
             reject_unlisted_recipient, reject_sender_login_mismatch, \
             permit_sasl_authenticated, reject\n\
             smtpd_sender_login_maps = inline:{{{{{OWNED} = {USER}@mx.example.org}}}}\n",
            folder = self.folder.path().display(),
        )
    }

    fn master_cf(&self) -> String {
        format!(
            "127.0.0.1:{submission} inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n\
             127.0.0.1:{smtps} inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n\
             cleanup unix n - n - 0 cleanup\n\
             qmgr unix n - n 300 1 qmgr\n\
             rewrite unix - - n - - trivial-rewrite\n\
             bounce unix - - n - 0 bounce\n\
             defer unix - - n - 0 bounce\n\
             trace unix - - n - 0 bounce\n\
             proxymap unix - - n - - proxymap\n\
             virtual unix - n n - - virtual\n\
             error unix - - n - - error\n\
             retry unix - - n - - error\n\
             anvil unix - - n - 1 anvil\n\
             tlsmgr unix - - n 1000? 1 tlsmgr\n\
             postlog unix-dgram n - n - 1 postlogd\n",
            submission = self.submission,
            smtps = self.smtps,
        )
    }

    fn control(&self, what: &str) {
        let folder = self.path("conf");
        let arguments = [OsStr::new("-c"), folder.as_os_str(), OsStr::new(what)];
        run("/usr/sbin/postfix", arguments);
    }

    fn wait_for_greeting(&self) {
        let address = SocketAddr::from(([127, 0, 0, 1], self.submission));
        let greeting = patiently(|| {
            let stream = TcpStream::connect(address).ok()?;
            let mut line = String::new();
            BufReader::new(stream).read_line(&mut line).ok()?;
            Some(line)
        });
        let greeting = greeting.unwrap_or_else(|| panic!("no greeting:\n{}", self.log()));
        assert!(greeting.starts_with("220 mx.example.org"), "{greeting}");
    }

    /// What it says about itself.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    /// The mails in its maildir, in no order.
    pub fn mails(&self) -> Vec<String> {
        let Ok(folder) = std::fs::read_dir(self.path("mail/all/new")) else {
            return Vec::new();
        };
        folder
            .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
            .collect()
    }

    /// Waits for the first mail that `matches`.
    pub fn mail(&self, matches: impl Fn(&str) -> bool) -> String {
        let found = patiently(|| self.mails().into_iter().find(|mail| matches(mail)));
        found.unwrap_or_else(|| panic!("the mail never came; Postfix says:\n{}", self.log()))
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let stopped = Command::new("/usr/sbin/postfix")
            .arg("-c")
            .arg(self.path("conf"))
            .arg("stop")
            .output();
        // In a test that panics already, a second panic would hide the first.
        if !std::thread::panicking() {
            assert!(stopped.unwrap().status.success(), "Postfix does not stop");
        }
    }
}

fn run<'a>(program: &str, arguments: impl IntoIterator<Item = &'a OsStr>) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
}
