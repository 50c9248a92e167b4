//! `bench outbox`: mails a second out of gatepost's outbox, beside Postfix with the same queue and
//! the same sink, and beside Django's `send_mail` in a loop.

use std::path::Path;
use std::time::Duration;

use gatepost::language::Language;
use gatepost::mail::outbox::{self, State};
use gatepost::mail::{Letter, Mailer, Occasion};
use gatepost::secret::{Code, CodeStyle};
use gatepost::serve::Folder;
use gatepost::store::{Error as StoreError, Store};
use gatepost::world::World;

use super::django::Django;
use super::postfix::{self, Mails, Sink};
use super::queue::Queue;
use super::report::{BUDGET, Cell, Report, Table, median};
use super::server::Gatepost;
use super::{Effort, Result};

/// Mails in the queue.
const MAILS: u64 = 10_000;

/// Mails that Django sends; it is in no hurry.
const DJANGO_MAILS: u64 = 1_000;

/// What a delivery of everything may take.
const LIMIT: Duration = Duration::from_secs(600);

/// How long to look whether the sink gets a mail too many.
const AFTERWARDS: Duration = Duration::from_millis(200);

/// Everything that this bench finds.
pub fn measure(effort: Effort, report: &mut Report) -> Result<()> {
    postfix::installed()?;
    let django = match Django::set_up() {
        Ok(django) => Some(django),
        Err(error) => {
            report.progress(format_args!(
                "DJANGO IS LEFT OUT: no Python environment with it could be made: {error}"
            ));
            None
        }
    };
    let mut table = Table::new(
        "Mails a second out of a full queue into smtp-sink, between the first and the last",
        &[
            "connections",
            "bytes a mail",
            "Postfix",
            "gatepost",
            "of Postfix",
            "Django's loop",
            "of Django",
            "CPU a mail",
            "peak memory",
            "orderly stop after",
            "counted",
            BUDGET,
        ],
    );
    for connections in [1, 2, 10] {
        let (mut ours, mut theirs, mut djangos) = (Vec::new(), Vec::new(), Vec::new());
        for round in 1..=effort.rounds() {
            report.progress(format_args!("{connections} connections, round {round}"));
            let count = effort.scaled(MAILS);
            let found = out_of_gatepost(connections, count)?;
            let mails = Mails {
                count,
                bytes: found.bytes,
                sessions: 20,
                kept: true,
            };
            ours.push(found);
            theirs.push(out_of_postfix(connections, mails)?);
            if let Some(django) = &django {
                djangos.push(out_of_django(
                    django,
                    effort.scaled(DJANGO_MAILS),
                    mails.bytes,
                )?);
            }
        }
        let rates: Vec<f64> = ours.iter().map(|found| found.rate).collect();
        let (rate, postfix) = (median(&rates), median(&theirs));
        let of_all = |figure: fn(&Delivery) -> Duration| {
            Cell::time(median(&ours.iter().map(figure).collect::<Vec<_>>()))
        };
        let django = (!djangos.is_empty()).then(|| median(&djangos));
        table.row([
            Cell::count(connections as u64),
            Cell::count(ours[0].bytes),
            Cell::rate(postfix),
            Cell::rate(rate),
            Cell::ratio(rate / postfix),
            django.map_or(Cell::none(), Cell::rate),
            django.map_or(Cell::none(), |django| Cell::ratio(rate / django)),
            of_all(|found| found.cpu),
            Cell::bytes(ours.iter().map(|found| found.peak).max().unwrap_or(0)),
            of_all(|found| found.stopped_in),
            Cell::count(ours.iter().map(|found| found.counted).sum()),
            Cell::at_least(rate / postfix, 1.0),
        ]);
    }
    report.add(&table);
    Ok(())
}

/// What gatepost did.
struct Delivery {
    /// Mails a second.
    rate: f64,
    /// Bytes of the largest mail, headers included.
    bytes: u64,
    /// Its processor time a mail, its start included.
    cpu: Duration,
    /// The most memory that it held.
    peak: u64,
    /// From the last mail to its end, when every one of them is written down as sent.
    stopped_in: Duration,
    /// Mails that the sink took: as many as are written down as sent.
    counted: u64,
}

fn out_of_gatepost(connections: usize, count: u64) -> Result<Delivery> {
    let folder = tempfile::Builder::new()
        .prefix("gatepost-bench-")
        .tempdir()?;
    let data = folder.path().join("data");
    let bytes = fill(&data, count)?;
    let sink = Sink::counting()?;
    let (host, port) = sink.smtp.rsplit_once(':').ok_or("a sink has a port")?;
    let gatepost = Gatepost::start(
        folder.path(),
        "serve",
        &[
            ("USE_REAL_EMAIL", "1"),
            ("EMAIL_HOST", host),
            ("EMAIL_PORT", port),
            ("GATEPOST_RELAY_SECURITY", "none"),
            ("GATEPOST_RELAY_CONNECTIONS", &connections.to_string()),
            ("DEFAULT_FROM_EMAIL", "Bench <bench@example.com>"),
        ],
    )?;
    let rate = sink.rate_of(count, LIMIT)?;
    let cpu = gatepost.cpu()? / u32::try_from(count).unwrap_or(u32::MAX);
    let peak = gatepost.memory()?.peak;
    let stopped_in = gatepost.stop()?;
    std::thread::sleep(AFTERWARDS);
    let (counted, sent) = (sink.mails(), sent(&data)?);
    if (counted, sent) != (count, count) {
        return Err(format!(
            "{count} mails were queued, the sink took {counted}, {sent} are written down as sent"
        )
        .into());
    }
    Ok(Delivery {
        rate,
        bytes,
        cpu,
        peak,
        stopped_in,
        counted,
    })
}

/// Puts `count` codes for as many people into the outbox of the data folder at `data`, as the
/// service would, and says how many bytes one has.
pub fn fill(data: &Path, count: u64) -> Result<u64> {
    let world = World::system();
    let folder = Folder::open(data)?;
    folder.guard_store()?;
    let mailer = Mailer::new(
        gatepost::mail::Settings {
            from: "Bench <bench@example.com>".parse()?,
            site_name: "Bench".to_owned(),
            base_url: "https://bench.example.com".to_owned(),
            templates: None,
        },
        folder.keys(&world)?,
        world.clone(),
    )?;
    let letters = (0..count)
        .map(|nth| {
            let code = Code::draw(&world, CodeStyle::Digits);
            let occasion = Occasion::RegistrationCode {
                code: &code,
                lifetime: Duration::from_secs(3600),
            };
            let to = format!("u{nth}@example.org").parse()?;
            Ok(mailer.compose(&occasion, &to, Language::En)?)
        })
        .collect::<Result<Vec<Letter>>>()?;
    let bytes = letters.iter().map(|letter| letter.size).max().unwrap_or(0);
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(&folder.store(), Default::default())?;
    runtime.block_on(async {
        for letters in letters.chunks(500) {
            let letters = letters.to_vec();
            store
                .write(move |tx| {
                    for letter in &letters {
                        outbox::enqueue(tx, letter)?;
                    }
                    Ok::<_, StoreError>(())
                })
                .await?;
        }
        store.close().await;
        Ok::<_, StoreError>(())
    })?;
    Ok(bytes.into())
}

/// How many mails are written down as sent in the data folder at `data`.
fn sent(data: &Path) -> Result<u64> {
    let runtime = tokio::runtime::Runtime::new()?;
    let store = Store::open(&Folder::open(data)?.store(), Default::default())?;
    let counts = runtime.block_on(async {
        let counts = store.read(|snapshot| outbox::counts(snapshot)).await;
        store.close().await;
        counts
    })?;
    Ok(counts.of(State::Sent))
}

fn out_of_postfix(connections: usize, mails: Mails) -> Result<f64> {
    let sink = Sink::counting()?;
    let queue = Queue::fill(&sink.smtp, connections, mails)?;
    queue.release()?;
    let rate = sink.rate_of(mails.count, LIMIT)?;
    drop(queue);
    std::thread::sleep(AFTERWARDS);
    counted(&sink, mails.count, "Postfix")?;
    Ok(rate)
}

fn out_of_django(django: &Django, count: u64, bytes: u64) -> Result<f64> {
    let sink = Sink::counting()?;
    django.send(&sink.smtp, count, bytes)?;
    let rate = sink.rate_of(count, LIMIT)?;
    counted(&sink, count, "Django")?;
    Ok(rate)
}

fn counted(sink: &Sink, count: u64, who: &str) -> Result<()> {
    match sink.mails() {
        counted if counted == count => Ok(()),
        counted => Err(format!("{who} had {count} mails, the sink took {counted}").into()),
    }
}
