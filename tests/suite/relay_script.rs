//! A small SMTP server that does what a test tells it, line by line.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the server does about a line.
pub enum Act {
    /// Says this.
    Say(&'static [u8]),
    /// Says this and closes the connection.
    Leave(&'static [u8]),
    /// Says this a byte at a time, each in a packet of its own.
    Drip(&'static [u8]),
    /// Says this and reads nothing any more.
    Deafen(&'static [u8]),
    /// Says nothing any more.
    Hang,
}

/// What a client said, and when in the script it was.
#[derive(Clone, Default)]
pub struct Heard {
    pub lines: Vec<String>,
    pub messages: Vec<String>,
    pub connections: usize,
}

pub struct Server {
    pub port: u16,
    heard: Arc<Mutex<Heard>>,
    changed: watch::Receiver<usize>,
}

/// What a well-behaved server says: `""` stands for the new connection, `"."` for the end of a
/// message.
pub fn fine(line: &str) -> Act {
    let verb = line.split([' ', ':']).next().unwrap_or_default();
    match verb {
        "" => Act::Say(b"220 test ready\r\n"),
        "EHLO" => Act::Say(b"250-test\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN\r\n"),
        "AUTH" => Act::Say(b"235 welcome\r\n"),
        "DATA" => Act::Say(b"354 go on\r\n"),
        "QUIT" => Act::Leave(b"221 bye\r\n"),
        _ => Act::Say(b"250 ok\r\n"),
    }
}

impl Server {
    /// `script` is asked about every line, with the number of its connection from 1.
    pub async fn start(script: impl Fn(usize, &str) -> Act + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Heard::default()));
        let (tell, changed) = watch::channel(0);
        let (script, tell) = (Arc::new(script), Arc::new(tell));
        tokio::spawn({
            let heard = heard.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    let number = {
                        let mut heard = heard.lock().unwrap();
                        heard.connections += 1;
                        heard.connections
                    };
                    let (script, tell, heard) = (script.clone(), tell.clone(), heard.clone());
                    tokio::spawn(async move {
                        // A client that breaks off is part of the game.
                        let _ = serve(stream, number, &*script, &heard, &tell).await;
                    });
                }
            }
        });
        Server {
            port,
            heard,
            changed,
        }
    }

    pub fn heard(&self) -> Heard {
        self.heard.lock().unwrap().clone()
    }

    /// Completes when a line that begins with `start` has come.
    pub async fn until(&self, start: &str) {
        let mut changed = self.changed.clone();
        loop {
            changed.borrow_and_update();
            if self
                .heard()
                .lines
                .iter()
                .any(|line| line.starts_with(start))
            {
                return;
            }
            changed.changed().await.unwrap();
        }
    }
}

async fn serve(
    stream: tokio::net::TcpStream,
    number: usize,
    script: &(dyn Fn(usize, &str) -> Act + Send + Sync),
    heard: &Mutex<Heard>,
    tell: &watch::Sender<usize>,
) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = String::new();
    loop {
        match script(number, &line) {
            Act::Say(reply) => write.write_all(reply).await?,
            Act::Leave(reply) => return write.write_all(reply).await,
            Act::Drip(reply) => {
                for byte in reply {
                    write.write_all(&[*byte]).await?;
                    tokio::task::yield_now().await;
                }
            }
            Act::Deafen(reply) => {
                write.write_all(reply).await?;
                std::future::pending::<()>().await;
            }
            Act::Hang => {
                // Until the client gives up.
                let mut rest = Vec::new();
                tokio::io::AsyncReadExt::read_to_end(&mut read, &mut rest).await?;
                return Ok(());
            }
        }
        if line == "DATA" && matches!(script(number, "DATA"), Act::Say(b"354 go on\r\n")) {
            let mut message = String::new();
            while !message.ends_with("\r\n.\r\n") && read.read_line(&mut message).await? > 0 {}
            heard.lock().unwrap().messages.push(message);
            line = ".".to_owned();
        } else {
            line.clear();
            if read.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            line.truncate(line.trim_end().len());
        }
        heard.lock().unwrap().lines.push(line.clone());
        tell.send_modify(|count| *count += 1);
    }
}
