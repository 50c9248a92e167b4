//! An nginx of a test's own, with TLS, that shows a gatepost below a path. It is ended when
//! dropped, and its folder goes with it.

use std::net::SocketAddr;
use std::net::TcpStream;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::process::patiently;

use super::rig;

/// Where gatepost is found below it.
pub const PATH: &str = "/accounts";

pub struct Nginx {
    child: Child,
    folder: tempfile::TempDir,
    /// Where it listens.
    pub port: u16,
}

/// Where nginx is, or `None` after saying that the test is skipped.
pub fn program(test: &str) -> Option<PathBuf> {
    let found = rig::program("nginx");
    if found.is_none() {
        rig::skip(test, "nginx is not installed");
    }
    found
}

impl Nginx {
    /// Starts it at `port` before what listens at `behind`.
    pub fn start(program: &Path, port: u16, behind: SocketAddr) -> Nginx {
        let folder = tempfile::Builder::new()
            .prefix("gatepost-nginx-")
            .tempdir()
            .unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        std::fs::write(folder.path().join("server.crt"), certificate.pem()).unwrap();
        std::fs::write(folder.path().join("server.key"), key.serialize_pem()).unwrap();
        let settings = folder.path().join("nginx.conf");
        std::fs::write(&settings, configuration(folder.path(), port, behind)).unwrap();
        let log = std::fs::File::create(folder.path().join("said")).unwrap();
        let child = Command::new(program)
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&settings)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut nginx = Nginx {
            child,
            folder,
            port,
        };
        let listens = patiently(|| {
            if let Some(status) = nginx.child.try_wait().unwrap() {
                panic!("nginx ended ({status}): {}", nginx.log());
            }
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        assert!(listens.is_some(), "nginx does not listen: {}", nginx.log());
        nginx
    }

    /// What it says about itself.
    pub fn log(&self) -> String {
        ["said", "error.log"]
            .map(|name| std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default())
            .concat()
    }
}

/// As the README has it, and in a folder of its own.
fn configuration(folder: &Path, port: u16, behind: SocketAddr) -> String {
    let user = match rustix::process::geteuid().is_root() {
        true => "user root;",
        false => "",
    };
    format!(
        "{user}
        daemon off;
        worker_processes 1;
        pid {folder}/nginx.pid;
        error_log {folder}/error.log;
        events {{ worker_connections 256; }}
        http {{
            access_log off;
            client_body_temp_path {folder}/client;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen 127.0.0.1:{port} ssl;
                server_name localhost;
                ssl_certificate {folder}/server.crt;
                ssl_certificate_key {folder}/server.key;
                location {PATH}/ {{
                    proxy_pass http://{behind}/;
                    proxy_set_header Host $http_host;
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                }}
            }}
        }}
        ",
        folder = folder.display(),
    )
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // QUIT and TERM are passed on to its workers; KILL is not.
        if let Ok(pid) = i32::try_from(self.child.id())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
