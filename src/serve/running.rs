//! A gatepost that runs: noticing that a part of it has ended, and stopping all of it in order.
//! What must not live here: how it is put together.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::mail::courier::Courier;
use crate::store::Store;
use crate::world::World;

use super::folder::Folder;
use super::rooms;

/// The capture server among the tasks.
pub(super) const CAPTURE: &str = "the SMTP inbox";

/// A gatepost that runs. Dropping it leaves everything running; [`Running::stop`] ends it.
pub struct Running {
    /// Where the HTTP service listens.
    pub http: SocketAddr,
    /// Where the SMTP inbox listens.
    pub smtp: SocketAddr,
    /// Where the SMTP inbox listens with TLS from the first byte, if it does.
    pub smtp_tls: Option<SocketAddr>,
    /// The file with the operator's token.
    pub admin_token_file: PathBuf,
    /// The scheme and domain of the links in mails.
    pub base_url: String,
    pub(super) stop: watch::Sender<Stop>,
    /// By name. Those that have ended and were heard of are not among them.
    pub(super) tasks: Vec<(&'static str, JoinHandle<()>)>,
    pub(super) courier: Courier,
    pub(super) grace: Duration,
    pub(super) world: World,
    pub(super) store: Store,
    pub(super) folder: Folder,
}

/// How much has been told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stop {
    /// Nothing.
    No,
    /// What takes requests.
    Requests,
    /// All of it.
    Everything,
}

impl Running {
    /// Where the HTTP service is reached from this machine.
    pub fn local_url(&self) -> String {
        format!("http://{}", rooms::reachable(self.http))
    }

    /// Completes when something that has to run until [`Running::stop`] has ended by itself, and
    /// tells what. It is a defect: the rest still runs, and had better be stopped.
    pub async fn ended(&mut self) -> &'static str {
        let tasks = poll_fn(|context| {
            for (at, (_, task)) in self.tasks.iter_mut().enumerate() {
                if let Poll::Ready(outcome) = Pin::new(task).poll(context) {
                    return Poll::Ready((at, outcome));
                }
            }
            Poll::Pending
        });
        let (at, outcome) = tokio::select! {
            ended = tasks => ended,
            () = self.courier.ended() => return "the courier",
        };
        let (name, _) = self.tasks.remove(at);
        if let Err(error) = outcome {
            tracing::error!(%error, "{name} ended badly");
        }
        name
    }

    /// Stops accepting, lets what runs finish within the grace period, and closes the store. All
    /// share the one grace period.
    pub async fn stop(self) {
        let deadline = self.world.elapsed() + self.grace;
        self.stop.send_replace(Stop::Requests);
        // The courier before the capture server: what it is handing over may go there.
        self.courier.stop(self.grace).await;
        self.stop.send_replace(Stop::Everything);
        for (name, mut task) in self.tasks {
            // The HTTP service counts its own grace, which began when it was told to stop; the
            // capture server's begins only now.
            let outcome = if name == CAPTURE {
                let left = deadline.saturating_sub(self.world.elapsed());
                match self.world.timeout(left, &mut task).await {
                    Ok(outcome) => outcome,
                    Err(_) => {
                        tracing::warn!("SMTP sessions were cut off at the end of the grace period");
                        task.abort();
                        // That it was cut off is known.
                        let _ = task.await;
                        Ok(())
                    }
                }
            } else {
                task.await
            };
            if let Err(error) = outcome {
                tracing::error!(%error, "{name} ended badly");
            }
        }
        // Before the lock is given back: afterwards the announcement may be somebody else's.
        self.folder.withdraw();
        self.store.close().await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncBufReadExt as _;
    use tokio::io::AsyncWriteExt as _;
    use tokio::io::BufReader;
    use tokio::net::TcpStream;

    use super::*;
    use crate::config;
    use crate::world::Simulated;

    async fn started(folder: &tempfile::TempDir, clock: &Simulated) -> Running {
        start(folder, clock).await.unwrap()
    }

    async fn start(
        folder: &tempfile::TempDir,
        clock: &Simulated,
    ) -> Result<Running, crate::serve::StartError> {
        let flag = |setting, value: &str| config::Flag {
            setting,
            flag: "--test",
            value: value.to_owned(),
        };
        let request = config::Request {
            mode: config::Mode::Dev,
            flags: vec![
                flag("http.listen", "127.0.0.1:0"),
                flag("smtp.listen", "127.0.0.1:0"),
                flag("data.dir", &folder.path().join("data").to_string_lossy()),
            ],
            environment: Vec::new(),
            folder: folder.path().to_owned(),
            file: None,
        };
        let settings = config::load(&request).unwrap();
        crate::serve::start(settings, clock.world()).await
    }

    #[tokio::test]
    async fn a_part_that_ends_by_itself_is_named_and_the_rest_can_be_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Simulated::new(1);
        let mut running = started(&folder, &clock).await;
        assert!(futures_util::poll!(Box::pin(running.ended())).is_pending());
        for (_, task) in &running.tasks {
            task.abort();
        }
        let mut ended = [
            running.ended().await,
            running.ended().await,
            running.ended().await,
        ];
        ended.sort();
        assert_eq!(
            ended,
            ["clearing away what has lapsed", "the HTTP service", CAPTURE]
        );
        running.courier.break_down();
        assert_eq!(running.ended().await, "the courier");
        running.stop().await;
    }

    #[tokio::test]
    async fn a_start_waits_for_whoever_only_looks_and_for_nobody_who_runs() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Simulated::new(1);
        started(&folder, &clock).await.stop().await;
        let store = std::fs::File::open(folder.path().join("data/store.redb")).unwrap();
        store.lock_shared().unwrap();
        let mut starting = Box::pin(started(&folder, &clock));
        assert!(futures_util::poll!(&mut starting).is_pending());
        drop(store);
        clock.advance(Duration::from_millis(50));
        let running = starting.await;
        // The clock stands still: whoever waited for it would wait for ever.
        let error = start(&folder, &clock).await.err().unwrap().to_string();
        assert!(error.contains("another gatepost"), "{error}");
        running.stop().await;
    }

    #[tokio::test]
    async fn one_grace_period_is_all_that_stopping_takes() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Simulated::new(1);
        let running = started(&folder, &clock).await;
        // A client that never ends its message.
        let client = TcpStream::connect(running.smtp).await.unwrap();
        let mut client = BufReader::new(client);
        let mut reply = String::new();
        client.read_line(&mut reply).await.unwrap();
        for command in [
            "HELO a",
            "MAIL FROM:<a@example.com>",
            "RCPT TO:<b@example.com>",
            "DATA",
        ] {
            let line = format!("{command}\r\n");
            client.get_mut().write_all(line.as_bytes()).await.unwrap();
            reply.clear();
            client.read_line(&mut reply).await.unwrap();
        }
        assert!(reply.starts_with("354"), "{reply}");
        let grace = running.grace;
        let mut stopping = Box::pin(running.stop());
        assert!(futures_util::poll!(&mut stopping).is_pending());
        clock.advance(grace);
        // The clock stands still now: a second grace period would never end.
        let patience = Duration::from_secs(20);
        let stopped = World::system().timeout(patience, stopping).await;
        stopped.expect("it stops");
    }
}
