//! Clients that send much: the memory that large mails share, and who never pauses.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use gatepost::world::{Clock, Pause, Rng, Simulated, Timestamp, World};

use tokio::io::AsyncWriteExt as _;

use super::{Client, MAIL, Server, settings, start_in, start_with};

/// Half a mail of this many octets is more than is taken without asking.
const LARGE: usize = 1_000_000;

/// A server with room for two large mails, of which the whole size is not known beforehand.
fn start_narrow(world: World) -> Server {
    let mut settings = settings();
    settings.rules.message_limit = LARGE;
    settings.memory = 2 * LARGE;
    start_with(settings, world)
}

impl Client {
    /// Begins a large mail, and says half of it.
    async fn begin_large(address: SocketAddr) -> Client {
        let mut client = Client::connect(address).await;
        client.say(&format!("HELO c.test\r\n{MAIL}")).await;
        client.hear("354 ").await;
        client.say(&"0123456789ABCD\r\n".repeat(LARGE / 32)).await;
        client
    }
}

#[tokio::test]
async fn large_mails_share_their_memory_and_wait_for_it() {
    let server = start_narrow(World::system());
    // Four half mails, room for two: none waits for ever.
    let address = server.plain;
    let sending = (0..4).map(|_| {
        tokio::spawn(async move {
            let mut client = Client::begin_large(address).await;
            client.say(".\r\n").await;
            client.hear("250 2.0.0 kept as").await;
        })
    });
    for sent in sending.collect::<Vec<_>>() {
        sent.await.unwrap();
    }
    assert_eq!(server.mails().await.len(), 4);
}

#[tokio::test]
async fn a_large_mail_without_memory_is_refused_for_now_and_a_small_one_is_not() {
    let simulated = Simulated::new(1);
    let server = start_narrow(simulated.world());
    let mut first = Client::begin_large(server.plain).await;
    let mut second = Client::begin_large(server.plain).await;
    // Both wait for the rest, with all the memory.
    while simulated.sleeping() < 2 {
        tokio::task::yield_now().await;
    }
    let mut third = Client::connect(server.plain).await;
    third.say(&format!("HELO c.test\r\n{MAIL}")).await;
    third.hear("354 ").await;
    let half = "0123456789ABCD\r\n".repeat(LARGE / 32);
    let refused = async {
        third.say(&half).await;
        third.say("\r\n.\r\n").await;
        third.hear("452 4.3.1 ").await;
    };
    // Time goes by in step with what is said elsewhere, so that everybody has their turn.
    let mut other = Client::connect(server.plain).await;
    let passing = async {
        loop {
            other.say("NOOP\r\n").await;
            other.hear("250 2.0.0 ok\r\n").await;
            simulated.advance(Duration::from_millis(250));
        }
    };
    tokio::select! {
        () = refused => {}
        () = passing => {}
    }
    // The conversation goes on, and a small mail needs nothing.
    third.say(&format!("{MAIL}small\r\n.\r\n")).await;
    third.hear("250 2.0.0 kept as").await;
    for client in [&mut first, &mut second] {
        client.say(".\r\n").await;
        client.hear("250 2.0.0 kept as").await;
    }
    assert_eq!(server.mails().await.len(), 3);
    // What they held is free again.
    drop(other);
    let mut last = Client::begin_large(server.plain).await;
    last.say(".\r\n").await;
    last.hear("250 2.0.0 kept as").await;
}

/// A clock that goes on by a second whenever it is asked, and on which no sleep ever ends.
struct Hasty(AtomicU64);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn elapsed(&self) -> Duration {
        Duration::from_secs(self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn sleep(&self, _: Duration) -> Pause {
        Box::pin(std::future::pending())
    }
}

struct NoChance;

impl Rng for NoChance {
    fn fill(&self, into: &mut [u8]) {
        into.fill(0);
    }
}

#[tokio::test]
async fn a_client_that_always_has_more_to_say_is_cut_off_as_well() {
    let world = World::new(Arc::new(Hasty(AtomicU64::new(0))), Arc::new(NoChance));
    let server = start_in(world);
    let mut client = Client::connect(server.plain).await;
    client.say(&format!("HELO c.test\r\n{MAIL}")).await;
    client.hear("354 ").await;
    let flood = "more\r\n".repeat(4000);
    for _ in 0..200 {
        if client.stream.write_all(flood.as_bytes()).await.is_err() {
            break;
        }
    }
    // Nothing, once the server has gone.
    let _ = client.stream.shutdown().await;
    let heard = client.hear_end().await;
    assert!(heard.contains("421 4.4.2 you took too long\r\n"), "{heard}");
}
