//! The thread that listens to the server's events, and tells when it cannot. When to try again is
//! the model's to say.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::mpsc;
use std::time::Duration;

use crate::client;
use crate::client::Client;
use crate::world::World;

use super::msg::Msg;
use super::msg::Problem;
use super::msg::Topic;
use super::worker;

/// A request that listened for less than this was not let.
const SHORTEST: Duration = Duration::from_secs(1);

/// Asks for the next attempt to connect. The thread ends when this is dropped and the connection
/// breaks, or with the process.
pub struct Stream {
    again: mpsc::Sender<()>,
}

impl Stream {
    /// Starts the thread, which waits until it is told to connect.
    pub fn start(client: Client, world: World, tell: impl Fn(Msg) + Send + 'static) -> Stream {
        let (again, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut last = None;
            while told.recv().is_ok() {
                // Asked twice is asked once.
                while told.try_recv().is_ok() {}
                let work = AssertUnwindSafe(|| listen(&client, &world, &tell, &mut last));
                // A defect costs the connection, which is made again, and not the thread.
                let lost = catch_unwind(work).unwrap_or_else(|_| Problem {
                    text: "a defect".to_owned(),
                    ..Problem::default()
                });
                tell(Msg::Lost(lost));
            }
        });
        Stream { again }
    }

    /// Connects now, if it is not connected.
    pub fn connect(&self) {
        // The thread lives as long as this does.
        let _ = self.again.send(());
    }
}

/// Tells what happens until it is over; why it is.
fn listen(
    client: &Client,
    world: &World,
    tell: &impl Fn(Msg),
    last: &mut Option<String>,
) -> Problem {
    match attempt(client, world, tell, last) {
        Err(error) => worker::problem(&error),
        Ok(never) => match never {},
    }
}

fn attempt(
    client: &Client,
    world: &World,
    tell: &impl Fn(Msg),
    last: &mut Option<String>,
) -> Result<Infallible, client::Error> {
    let start = world.elapsed();
    let about = client.about()?.value;
    let latency = world.elapsed().saturating_sub(start);
    let mut began = world.elapsed();
    let mut listener = client.listen(last.as_deref())?;
    tell(Msg::Connected {
        about: Box::new(about),
        latency,
    });
    loop {
        while let Some(event) = listener.hear()? {
            if let Some(id) = event.id {
                *last = Some(id);
            }
            let topic = match event.event.as_str() {
                "outbox" => Topic::Outbox,
                "inbox" => Topic::Inbox,
                "routes" => Topic::Routes,
                "audit" => Topic::Audit,
                "log" => Topic::Log,
                // A newer server has more to tell.
                _ => continue,
            };
            tell(Msg::Event(topic));
        }
        // It has listened for a while: another request goes on where this one was. One that was
        // ended at once, as by a proxy that lets no stream through, would go round and round.
        if world.elapsed().saturating_sub(began) < SHORTEST {
            return Err(client::Error::Unreachable {
                url: client.url().to_owned(),
                problem: "the stream of events ends as soon as it begins".to_owned(),
                absence: None,
            });
        }
        began = world.elapsed();
        listener = client.listen(last.as_deref())?;
    }
}
