//! A server that answers the command line as a test tells it to. What must not live here: tests.

use std::io::Read as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;

use gatepost::http::problem::Kind;
use serde_json::Value;
use serde_json::json;

use crate::process;

/// The operator's token that it is sent.
pub const TOKEN: &str = "gpa_0123456789abcdefghijklmnopqrstuvwxyz";

/// Status, media type, body; a `Location` where it redirects.
pub struct Reply(pub u16, pub &'static str, pub String, pub Option<String>);

/// 200 with this.
pub fn ok(body: &Value) -> Reply {
    Reply(200, "application/json", body.to_string(), None)
}

/// A problem as gatepost tells it.
pub fn problem(kind: Kind, detail: &str) -> Reply {
    let body = json!({"type": "urn:x", "title": "It did not work.", "status": kind.status(),
        "detail": detail, "code": kind.code(), "instance": "/", "request_id": "rq_1"});
    Reply(
        kind.status(),
        "application/problem+json",
        body.to_string(),
        None,
    )
}

/// A server that answers each request as it is told to, and remembers them.
pub struct Scripted {
    pub url: String,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Scripted {
    /// `answer` gets the method and the path with its query.
    pub fn start(answer: impl Fn(&str) -> Reply + Send + 'static) -> Scripted {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let heard = Arc::new(Mutex::new(Vec::new()));
        let hearing = heard.clone();
        // It ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = Vec::new();
                let mut buffer = [0; 4096];
                // The first byte of TLS is not one of HTTP's.
                while !request.starts_with(&[0x16])
                    && !request.windows(4).any(|four| four == b"\r\n\r\n")
                {
                    match stream.read(&mut buffer) {
                        Ok(0) | Err(_) => break,
                        Ok(count) => request.extend_from_slice(&buffer[..count]),
                    }
                }
                if request.starts_with(&[0x16]) {
                    // What a plain server says to TLS.
                    let _ = stream.write_all(b"HTTP/1.1 400 X\r\nContent-Length: 0\r\n\r\n");
                    continue;
                }
                let request = String::from_utf8(request).unwrap();
                let line = request.lines().next().unwrap_or_default();
                let asked = line.trim_end_matches(" HTTP/1.1").to_owned();
                hearing.lock().unwrap().push(request);
                let Reply(status, media_type, body, location) = answer(&asked);
                let location =
                    location.map_or_else(String::new, |to| format!("Location: {to}\r\n"));
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Type: {media_type}\r\n{location}\
                     Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                // Whoever asked may be gone.
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        Scripted { url, heard }
    }

    /// The same under another address.
    pub fn at(self, url: String) -> Scripted {
        Scripted { url, ..self }
    }

    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    /// `gatepost … --url … --token-file token`, in a folder where that file is.
    pub fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        std::fs::write(folder.join("token"), format!("{TOKEN}\n")).unwrap();
        let mut command = process::command(folder);
        command
            .args(arguments)
            .args(["--url", &self.url, "--token-file", "token"]);
        command
    }
}
